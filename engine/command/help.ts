/** HELP of a container command, made from the table. */
import type { ClientSession } from './session.ts';

/** Lists the subcommands of `container` with their summaries, as Redis lays HELP out. */
export function writeHelp(session: ClientSession, container: string): void {
  const command = session.server.commands.findByName(container)!.command;
  const lines = [`${container} <subcommand> [<arg> [value] [opt] ...]. Subcommands are:`];
  for (const { name, summary } of command.subcommands ?? []) {
    lines.push(name.slice(container.length + 1), `    ${summary}`);
  }
  session.output.array(lines.length);
  for (const line of lines) session.output.simple(line);
}
