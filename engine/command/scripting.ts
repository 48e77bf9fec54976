/**
 * Runs scripts and functions for clients: their sources, the session of their commands, and the clock
 * that ends those which take too long.
 */
import { limits } from '../limits.ts';
import type { Args } from '../resp/args.ts';
import { Functions } from '../script/functions.ts';
import type { LoadedFunction } from '../script/library.ts';
import type { Outcome, Verdict } from '../script/machine.ts';
import { MachineKeeper } from '../script/machine-keeper.ts';
import { type Run, type Script, Scripts } from '../script/scripts.ts';
import type { ScriptFlags } from '../script/shebang.ts';
import { CommandError, commandError, errorText } from './errors.ts';
import { ScriptClient } from './script-host.ts';
import type { ClientSession } from './session.ts';

/** Where the keys of EVAL and FCALL begin. */
const KEYS_FROM = 3;

export class Scripting {
  readonly keeper = new MachineKeeper();
  readonly scripts = new Scripts(this.keeper);
  readonly functions = new Functions(this.keeper);
  private host: ScriptClient | null = null;

  /** The script of a source; an error when it does not compile. */
  bySource(source: string): Script {
    const script = this.scripts.add(source);
    if (typeof script === 'string') throw commandError('scriptWrong', script);
    return script;
  }

  /** Runs a script and replies with what it returns. */
  runScript(
    session: ClientSession,
    script: Script,
    args: Args,
    keyCount: number,
    readOnly: boolean,
  ): void {
    const { sha, flags } = script;
    this.perform(session, sha, flags, args, keyCount, readOnly, (run) =>
      this.scripts.run(script, run),
    );
  }

  /** Calls a function and replies with what it returns. */
  callFunction(
    session: ClientSession,
    { name, flags }: LoadedFunction,
    args: Args,
    keyCount: number,
    readOnly: boolean,
  ): void {
    this.perform(session, name, flags, args, keyCount, readOnly, (run) =>
      this.functions.call(name, run),
    );
  }

  private perform(
    session: ClientSession,
    name: string,
    flags: ScriptFlags | null,
    args: Args,
    keyCount: number,
    readOnly: boolean,
    start: (run: Run) => Outcome,
  ): void {
    const { server, output } = session;
    this.host ??= new ScriptClient(server);
    const { host } = this;
    host.begin(session, flags, readOnly);
    const refused = host.refusal(flags, readOnly);
    if (refused !== null) throw new CommandError(refused);
    const mark = output.length;
    const outcome = start({
      name,
      args,
      keysFrom: KEYS_FROM,
      keysTo: KEYS_FROM + keyCount,
      host,
      output,
      checkOutput: () => session.checkOutput(),
      judge: runJudge(session),
    });
    if (outcome.kind !== 'failed') return;
    output.truncate(mark);
    output.error(outcome.error);
  }
}

/** Ends a script that has run too long; one that has written gets longer. */
function runJudge({ server }: ClientSession): () => Verdict {
  const { db } = server;
  const startedMs = server.monotonicMs();
  const seq = db.lastSeq;
  return () => {
    const ranMs = server.monotonicMs() - startedMs;
    const wrote = db.lastSeq !== seq;
    const limit = wrote ? limits.scriptWriteTimeMax : limits.scriptTimeMax;
    if (ranMs < limit.value) return 'on';
    return { error: errorText(wrote ? 'scriptTooLongWritten' : 'scriptTooLong', limit.value) };
  };
}

/** Ends the code of a library that is being loaded. */
export function loadJudge({ server }: ClientSession): () => Verdict {
  const startedMs = server.monotonicMs();
  const { value } = limits.functionLoadTimeMax;
  return () => {
    if (server.monotonicMs() - startedMs < value) return 'on';
    return { error: errorText('scriptTooLong', value) };
  };
}
