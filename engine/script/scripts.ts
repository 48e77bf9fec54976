/**
 * The scripts of one process: sources by their SHA1, compiled when first run. A cache like Redis':
 * local to the process, not replicated, empty after a restart.
 */
import { limits } from '../limits.ts';
import type { Args } from '../resp/args.ts';
import type { ReplyWriter } from '../resp/reply-writer.ts';
import type { Call, Handle, Outcome, Verdict } from './machine.ts';
import { type MachineKeeper, NOT_ENOUGH_MEMORY } from './machine-keeper.ts';
import { type ScriptHost, sha1 } from './redis-api.ts';
import { readShebang, type ScriptFlags } from './shebang.ts';

export type Script = {
  readonly sha: string;
  readonly source: string;
  /** Null: the source has no `#!` line, so the rules of old apply. */
  readonly flags: ScriptFlags | null;
  handle: Handle;
  /** The machine that the handle belongs to. */
  generation: number;
};

/** What a script is run with. */
export type Run = {
  readonly name: string;
  readonly args: Args;
  readonly keysFrom: number;
  readonly keysTo: number;
  readonly host: ScriptHost;
  readonly output: ReplyWriter;
  readonly checkOutput: () => void;
  readonly judge: () => Verdict;
};

export class Scripts {
  private readonly scripts = new Map<string, Script>();
  private sourceBytes = 0;
  private readonly keeper: MachineKeeper;

  constructor(keeper: MachineKeeper) {
    this.keeper = keeper;
  }

  get count(): number {
    return this.scripts.size;
  }

  /** Bytes of all sources. */
  get bytes(): number {
    return this.sourceBytes;
  }

  find(sha: string): Script | null {
    return this.scripts.get(sha) ?? null;
  }

  /** Takes a source in; a text says, without its code, why it cannot be. */
  add(source: string): Script | string {
    const sha = sha1(source);
    const known = this.scripts.get(sha);
    if (known !== undefined) return known;
    const shebang = readShebang(source);
    if (typeof shebang === 'string') return shebang;
    const handle = this.compile(shebang.code);
    if (typeof handle === 'string') {
      return `Error compiling script (new function): ${handle}`;
    }
    this.makeRoom(source.length);
    const { flags } = shebang;
    const script = { sha, source, flags, handle, generation: this.keeper.generation };
    this.scripts.set(sha, script);
    this.sourceBytes += source.length;
    return script;
  }

  /** Forgets all scripts. */
  flush(): void {
    this.scripts.clear();
    this.sourceBytes = 0;
    this.keeper.drop();
  }

  /** Runs a script; see `Machine.run`. */
  run(script: Script, run: Run): Outcome {
    const machine = this.keeper.ready();
    if (script.generation !== this.keeper.generation) {
      const shebang = readShebang(script.source);
      const handle = typeof shebang === 'string' ? shebang : this.compile(shebang.code);
      if (typeof handle === 'string') return { kind: 'failed', error: `ERR ${handle}` };
      script.handle = handle;
      script.generation = this.keeper.generation;
    }
    const call: Call = {
      name: run.name,
      handle: script.handle,
      args: run.args,
      keysFrom: run.keysFrom,
      keysTo: run.keysTo,
      globals: true,
    };
    return this.keeper.ended(machine.run(call, run.host, run.output, run.checkOutput, run.judge));
  }

  private compile(code: string): Handle | string {
    const handle = this.keeper.ready().compile(code, '@user_script');
    this.keeper.dropBroken();
    if (handle !== NOT_ENOUGH_MEMORY) return handle;
    // Perhaps compiled scripts fill it, which are compiled again when they are called.
    this.keeper.drop();
    return this.keeper.ready().compile(code, '@user_script');
  }

  /** Forgets the scripts that were taken in first, until there is room for another. */
  private makeRoom(bytes: number): void {
    for (const [sha, script] of this.scripts) {
      const fits =
        this.scripts.size < limits.scriptsMax.value &&
        this.sourceBytes + bytes <= limits.scriptSourcesMax.value;
      if (fits) return;
      this.scripts.delete(sha);
      this.sourceBytes -= script.source.length;
      this.keeper.forget(script.handle, script.generation);
    }
  }
}
