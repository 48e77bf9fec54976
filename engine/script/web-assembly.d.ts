/** The part of WebAssembly that we use; both runtimes have it, the types of Node leave it out. */
declare namespace WebAssembly {
  type ImportValue = (...values: number[]) => unknown;
  type Imports = Record<string, Record<string, ImportValue>>;
  class Module {
    constructor(bytes: Uint8Array);
    static imports(module: Module): { module: string; name: string; kind: string }[];
  }
  class Instance {
    constructor(module: Module, imports: Imports);
    readonly exports: Record<string, unknown>;
  }
  class Memory {
    readonly buffer: ArrayBuffer;
    grow(pages: number): number;
  }
  class Table {
    readonly length: number;
    grow(n: number): number;
    get(index: number): unknown;
    set(index: number, value: unknown): void;
  }
  class RuntimeError extends Error {}
}
