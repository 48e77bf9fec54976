/**
 * Libraries of functions: code by the name of its library, and what it registered. As in Redis, a
 * function belongs to one library and no two libraries have functions of the same name.
 */
import { limits } from '../limits.ts';
import { BAD_LIBRARY_NAME, LIBRARY_NAME, type LoadedFunction } from './library.ts';
import type { Call, Outcome, Verdict } from './machine.ts';
import { type MachineKeeper, NOT_ENOUGH_MEMORY } from './machine-keeper.ts';
import type { Run } from './scripts.ts';

export type Library = {
  readonly name: string;
  /** As it was given, with its `#!` line. */
  readonly source: string;
  functions: readonly LoadedFunction[];
  /** Of the machine that the handles belong to. */
  generation: number;
};

export class Functions {
  private libraries = new Map<string, Library>();
  /** Libraries by the names of their functions, which count in any case of letters. */
  private owners = new Map<string, Library>();
  private readonly keeper: MachineKeeper;

  constructor(keeper: MachineKeeper) {
    this.keeper = keeper;
  }

  /** All libraries, the oldest first. */
  list(): readonly Library[] {
    return [...this.libraries.values()];
  }

  get functionCount(): number {
    return this.owners.size;
  }

  find(name: string): LoadedFunction | null {
    const wanted = name.toLowerCase();
    const library = this.owners.get(wanted);
    return library?.functions.find((known) => known.name.toLowerCase() === wanted) ?? null;
  }

  /** Takes a library in; a text says, without its code, why it cannot be. Nothing is changed then. */
  load(source: string, replaces: boolean, judge: () => Verdict): Library | string {
    const header = readLibraryHeader(source);
    if (typeof header === 'string') return header;
    const { name, code } = header;
    const former = this.libraries.get(name);
    if (former !== undefined && !replaces) return `Library '${name}' already exists`;
    const bytes = this.bytes - (former?.source.length ?? 0) + source.length;
    if (bytes > limits.functionSourcesMax.value) {
      return `libraries may take ${limits.functionSourcesMax.value} bytes together; delete some`;
    }
    const functions = this.keeper.ready().load(code, judge);
    this.keeper.dropBroken();
    if (typeof functions === 'string') {
      // Perhaps compiled scripts fill the machine: the next try has another.
      if (functions.includes(NOT_ENOUGH_MEMORY)) this.keeper.drop();
      return functions;
    }
    const library = { name, source, functions, generation: this.keeper.generation };
    const taken = functions.find(
      ({ name: own }) => (this.owners.get(own.toLowerCase()) ?? former) !== former,
    );
    if (taken !== undefined) {
      this.release(library);
      return `Function ${taken.name} already exists`;
    }
    if (former !== undefined) this.delete(name);
    this.libraries.set(name, library);
    for (const own of functions) this.owners.set(own.name.toLowerCase(), library);
    return library;
  }

  /** False: there is no such library. */
  delete(name: string): boolean {
    const library = this.libraries.get(name);
    if (library === undefined) return false;
    this.libraries.delete(name);
    for (const own of library.functions) this.owners.delete(own.name.toLowerCase());
    this.release(library);
    return true;
  }

  flush(): void {
    for (const name of [...this.libraries.keys()]) this.delete(name);
  }

  /** Puts several libraries in, all or none; a text says why none. */
  restore(
    sources: readonly string[],
    policy: 'flush' | 'append' | 'replace',
    judge: () => Verdict,
  ): string | null {
    const { libraries, owners } = this;
    this.libraries = new Map(policy === 'flush' ? [] : libraries);
    this.owners = new Map(policy === 'flush' ? [] : owners);
    for (const source of sources) {
      const loaded = this.load(source, policy === 'replace', judge);
      if (typeof loaded !== 'string') continue;
      this.libraries = libraries;
      this.owners = owners;
      // Handles may have been released on the way: what stays is loaded again when it is called.
      for (const library of libraries.values()) library.generation = 0;
      return loaded;
    }
    return null;
  }

  /** Runs a function that `find` has found; see `Machine.run`. */
  call(name: string, run: Run): Outcome {
    const { keeper } = this;
    const machine = keeper.ready();
    const library = this.owners.get(name.toLowerCase())!;
    if (library.generation !== keeper.generation) {
      const header = readLibraryHeader(library.source);
      const loaded = typeof header === 'string' ? header : machine.load(header.code, run.judge);
      if (typeof loaded === 'string') return { kind: 'failed', error: `ERR ${loaded}` };
      library.functions = loaded;
      library.generation = keeper.generation;
    }
    const { handle } = this.find(name)!;
    const { args, keysFrom, keysTo } = run;
    const call: Call = { name, handle, args, keysFrom, keysTo, globals: false };
    return keeper.ended(machine.run(call, run.host, run.output, run.checkOutput, run.judge));
  }

  private get bytes(): number {
    let bytes = 0;
    for (const { source } of this.libraries.values()) bytes += source.length;
    return bytes;
  }

  private release(library: Library): void {
    for (const { handle } of library.functions) this.keeper.forget(handle, library.generation);
  }
}

/** `#!lua name=…`: the name of a library, and its code; a text says what is wrong. */
function readLibraryHeader(source: string): { name: string; code: string } | string {
  if (!source.startsWith('#!')) return 'Missing library metadata';
  const end = source.indexOf('\n');
  if (end < 0) return 'Invalid library metadata';
  const [engine, ...options] = source.slice(2, end).split(' ');
  let name: string | null = null;
  for (const option of options) {
    if (!option.startsWith('name=')) return `Invalid metadata value given: ${option}`;
    if (name !== null) return 'Invalid metadata value, name argument was given multiple times';
    name = option.slice('name='.length);
  }
  if (name === null) return 'Library name was not given';
  if (!LIBRARY_NAME.test(name)) return BAD_LIBRARY_NAME;
  if (engine.toLowerCase() !== 'lua') return `Engine '${engine}' not found`;
  return { name, code: source.slice(end) };
}
