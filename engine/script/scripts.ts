/**
 * The scripts of one process: sources by their SHA1, compiled when first run, and the machine that
 * runs them. The machine is made when the first script comes, and made anew after one that broke it or
 * that left it with much more memory than its values take; sources stay, handles do not.
 *
 * A cache like Redis': local to the process, not replicated, empty after a restart.
 */
import { limits } from '../limits.ts';
import type { Args } from '../resp/args.ts';
import type { ReplyWriter } from '../resp/reply-writer.ts';
import { loadLuaModule } from './lua-module.ts';
import { type Call, type Handle, Machine, type Outcome, type Verdict } from './machine.ts';
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
  /** Scripts that were ended by an error of the machine: counted for INFO. */
  machinesBroken = 0;
  private readonly scripts = new Map<string, Script>();
  private sourceBytes = 0;
  private machine: Machine | null = null;
  private generation = 0;

  get count(): number {
    return this.scripts.size;
  }

  /** Bytes that the virtual machine has taken; 0: there is none yet. */
  get machineBytes(): number {
    return this.machine?.bytes ?? 0;
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
    const script = { sha, source, flags, handle, generation: this.generation };
    this.scripts.set(sha, script);
    this.sourceBytes += source.length;
    return script;
  }

  /** Forgets all scripts. */
  flush(): void {
    this.scripts.clear();
    this.sourceBytes = 0;
    this.machine = null;
  }

  /** Runs a script; see `Machine.run`. */
  run(script: Script, run: Run): Outcome {
    const machine = this.readyMachine();
    if (script.generation !== this.generation) {
      const shebang = readShebang(script.source);
      const handle = typeof shebang === 'string' ? shebang : this.compile(shebang.code);
      if (typeof handle === 'string') return { kind: 'failed', error: `ERR ${handle}` };
      script.handle = handle;
      script.generation = this.generation;
    }
    const call: Call = {
      name: run.name,
      handle: script.handle,
      args: run.args,
      keysFrom: run.keysFrom,
      keysTo: run.keysTo,
      globals: true,
    };
    return this.ended(machine.run(call, run.host, run.output, run.checkOutput, run.judge));
  }

  /** Lets the suspended script go on. */
  resume(): Outcome {
    return this.ended(this.machine!.resume());
  }

  private ended(outcome: Outcome): Outcome {
    const { machine } = this;
    if (outcome.kind === 'suspended' || machine === null) return outcome;
    if (machine.broken) {
      this.machinesBroken++;
      this.machine = null;
    } else if (machine.bytes > limits.scriptMemoryKept.value) {
      // Memory of WebAssembly never shrinks: a machine that has grown for one script is given back.
      if (machine.collect() < machine.bytes / 2) this.machine = null;
    }
    return outcome;
  }

  private compile(code: string): Handle | string {
    const handle = this.readyMachine().compile(code, '@user_script');
    if (this.machine?.broken) this.machine = null;
    return handle;
  }

  private readyMachine(): Machine {
    if (this.machine === null) {
      this.machine = new Machine(loadLuaModule(), limits.scriptMemoryMax.value);
      this.generation++;
    }
    return this.machine;
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
      if (script.generation === this.generation) this.machine?.forget(script.handle);
    }
  }
}
