/**
 * Runs scripts for clients: the cache of sources, the session of their commands, and the clock that
 * ends those which take too long.
 */
import { limits } from '../limits.ts';
import type { Args } from '../resp/args.ts';
import type { Verdict } from '../script/machine.ts';
import { type Script, Scripts } from '../script/scripts.ts';
import { CommandError, commandError, errorText } from './errors.ts';
import { ScriptClient } from './script-host.ts';
import type { ClientSession } from './session.ts';

export class Scripting {
  readonly scripts = new Scripts();
  private host: ScriptClient | null = null;

  /** The script of a source; an error when it does not compile. */
  bySource(source: string): Script {
    const script = this.scripts.add(source);
    if (typeof script === 'string') throw commandError('scriptWrong', script);
    return script;
  }

  /** Runs a script whose keys begin at `keysFrom` in `args`, and replies with what it returns. */
  run(
    session: ClientSession,
    script: Script,
    args: Args,
    keysFrom: number,
    keyCount: number,
    readOnly: boolean,
  ): void {
    const { server, output } = session;
    this.host ??= new ScriptClient(server);
    const { host } = this;
    host.begin(session, script.flags, readOnly);
    const refused = host.refusal(script.flags, readOnly);
    if (refused !== null) throw new CommandError(refused);
    const mark = output.length;
    const outcome = this.scripts.run(script, {
      name: script.sha,
      args,
      keysFrom,
      keysTo: keysFrom + keyCount,
      host,
      output,
      checkOutput: () => session.checkOutput(),
      judge: judgeOf(session),
    });
    if (outcome.kind !== 'failed') return;
    output.truncate(mark);
    output.error(outcome.error);
  }
}

/** Ends a script that has run too long; one that has written gets longer. */
function judgeOf({ server }: ClientSession): () => Verdict {
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
