/** The commands as the rules of ACL name them. */
import type { Command } from '../command/table.ts';

export class AclCommands {
  /** Every command and every subcommand. */
  readonly all: readonly Command[];
  /** acl-pubsub-default: new users and selectors may use all channels. */
  allChannelsByDefault = false;
  private readonly byName = new Map<string, Command>();

  constructor(table: Iterable<Command>) {
    this.all = [...table].flatMap((command) => [command, ...(command.subcommands ?? [])]);
    for (const command of this.all) this.byName.set(command.name, command);
  }

  /** By `get` or `client|id`, in any case; null: there is none. */
  find(name: string): Command | null {
    return this.byName.get(name.toUpperCase()) ?? null;
  }
}
