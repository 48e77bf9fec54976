/**
 * One Lua 5.1 virtual machine: the C functions of PUC Lua, compiled to WebAssembly, called directly.
 *
 *     const lua = new Lua(module, 64 * MB)
 *     const print = lua.cfunction((L) => { …; return 0 })       // a JS function that Lua can call
 *
 * The module imports almost nothing, so that there is nothing to escape to: no file, no clock, no
 * environment. Its memory is a buffer of ours that grows up to a limit; Lua then answers with its own
 * "not enough memory". Errors travel as in C: `lua_error` unwinds to the nearest protected call,
 * here by throwing `Infinity` through the frames in between.
 *
 * Anything else that is thrown out of the machine (a trap, a stack that overflowed, an error without
 * a protected call) leaves it in an unknown state: whoever called must give the machine up.
 *
 * Strings are latin1: one character per byte.
 */

export const LUA_REGISTRY = -10_000;
export const LUA_GLOBALS = -10_002;

export const LUA_NIL = 0;
export const LUA_BOOLEAN = 1;
export const LUA_LIGHTUSERDATA = 2;
export const LUA_NUMBER = 3;
export const LUA_STRING = 4;
export const LUA_TABLE = 5;
export const LUA_FUNCTION = 6;

export const LUA_YIELDED = 1;
export const LUA_OUT_OF_MEMORY = 4;

export const MASK_LINE = 4;
export const MASK_COUNT = 8;

const PAGE_BYTES = 65_536;
const SCRATCH_BYTES = 16_384;
/** Size and places of `lua_Debug` in 32-bit memory. */
const DEBUG_BYTES = 128;
const DEBUG_WHAT = 12;
const DEBUG_SOURCE = 16;
const DEBUG_LINE = 20;
/** Places in `lua_State` of 32-bit Lua 5.1; `checkLayout` sees to it that they are right. */
const STATE_C_CALLS = 52;
const STATE_BASE_C_CALLS = 54;
const STATE_HOOK_MASK = 56;
const STATE_ALLOW_HOOK = 57;
const STATE_HOOK_COUNT = 60;

type N = number;

/** The exports that we use, by their C names. `L` is a `lua_State *`. */
export type LuaApi = {
  readonly memory: WebAssembly.Memory;
  readonly __indirect_function_table: WebAssembly.Table;
  __wasm_call_ctors(): void;
  stackSave(): N;
  stackRestore(at: N): void;
  setThrew(threw: N, value: N): void;
  malloc(size: N): N;
  free(at: N): void;
  luaL_newstate(): N;
  luaL_loadbuffer(L: N, at: N, size: N, name: N): N;
  luaL_error(L: N, format: N, values: N): N;
  luaL_ref(L: N, table: N): N;
  luaL_unref(L: N, table: N, ref: N): void;
  luaL_checknumber(L: N, index: N): N;
  luaL_checklstring(L: N, index: N, size: N): N;
  luaL_checktype(L: N, index: N, type: N): void;
  luaL_argerror(L: N, index: N, text: N): N;
  luaL_checkstack(L: N, n: N, text: N): void;
  luaopen_base(L: N): N;
  luaopen_table(L: N): N;
  luaopen_string(L: N): N;
  luaopen_math(L: N): N;
  lua_atpanic(L: N, f: N): N;
  lua_newthread(L: N): N;
  lua_gettop(L: N): N;
  lua_settop(L: N, index: N): void;
  lua_pushvalue(L: N, index: N): void;
  lua_remove(L: N, index: N): void;
  lua_insert(L: N, index: N): void;
  lua_replace(L: N, index: N): void;
  lua_checkstack(L: N, n: N): N;
  lua_xmove(from: N, to: N, n: N): void;
  lua_type(L: N, index: N): N;
  lua_isnumber(L: N, index: N): N;
  lua_toboolean(L: N, index: N): N;
  lua_tonumber(L: N, index: N): N;
  lua_tolstring(L: N, index: N, size: N): N;
  lua_objlen(L: N, index: N): N;
  lua_topointer(L: N, index: N): N;
  lua_tothread(L: N, index: N): N;
  lua_tocfunction(L: N, index: N): N;
  lua_touserdata(L: N, index: N): N;
  lua_pushnil(L: N): void;
  lua_pushnumber(L: N, value: N): void;
  lua_pushlstring(L: N, at: N, size: N): void;
  lua_pushboolean(L: N, value: N): void;
  lua_pushlightuserdata(L: N, at: N): void;
  lua_pushcclosure(L: N, f: N, n: N): void;
  lua_pushthread(L: N): N;
  lua_gettable(L: N, index: N): void;
  lua_getfield(L: N, index: N, name: N): void;
  lua_rawget(L: N, index: N): void;
  lua_rawgeti(L: N, index: N, n: N): void;
  lua_createtable(L: N, array: N, hash: N): void;
  lua_getmetatable(L: N, index: N): N;
  lua_settable(L: N, index: N): void;
  lua_setfield(L: N, index: N, name: N): void;
  lua_rawset(L: N, index: N): void;
  lua_rawseti(L: N, index: N, n: N): void;
  lua_setmetatable(L: N, index: N): N;
  lua_call(L: N, args: N, results: N): void;
  lua_pcall(L: N, args: N, results: N, handler: N): N;
  lua_resume(L: N, args: N): N;
  lua_yield(L: N, results: N): N;
  lua_status(L: N): N;
  lua_error(L: N): N;
  lua_next(L: N, index: N): N;
  lua_gc(L: N, what: N, data: N): N;
  lua_sethook(L: N, f: N, mask: N, count: N): N;
  lua_getstack(L: N, level: N, ar: N): N;
  lua_getinfo(L: N, what: N, ar: N): N;
};

/** A function that Lua can call: takes its arguments from the stack, returns how many results it left. */
export type LuaFunction = (L: number) => number;

export class Lua {
  readonly api: LuaApi;
  /** The main thread. */
  readonly L: number;
  /** The machine's memory; replaced when it grows, so never kept over a call into the machine. */
  view: Buffer;
  private scratchAt = 0;
  private scratchBytes = 0;
  private readonly sizeAt: number;
  private readonly debugAt: number;
  private readonly names = new Map<string, number>();
  private readonly bytesMax: number;

  /** `bytesMax`: what the memory may grow to, with everything in it. */
  constructor(module: WebAssembly.Module, bytesMax: number) {
    this.bytesMax = bytesMax;
    const instance = new WebAssembly.Instance(module, this.imports(module));
    this.api = instance.exports as unknown as LuaApi;
    this.view = Buffer.from(this.api.memory.buffer);
    this.api.__wasm_call_ctors();
    this.sizeAt = this.allocate(8);
    this.debugAt = this.allocate(DEBUG_BYTES);
    this.scratchAt = this.allocate(SCRATCH_BYTES);
    this.scratchBytes = SCRATCH_BYTES;
    this.L = this.api.luaL_newstate();
    if (this.L === 0) throw new Error('no memory for a Lua state');
    this.checkLayout();
    // An error without a protected call leaves the machine as errors leave protected calls.
    const panic = this.cfunction(() => {
      throw Number.POSITIVE_INFINITY;
    });
    this.api.lua_atpanic(this.L, panic);
  }

  /** Bytes that the machine has taken from the process. */
  get bytes(): number {
    return this.view.length;
  }

  /** A C string that stays for the life of the machine: names of fields, formats. */
  name(text: string): number {
    let at = this.names.get(text);
    if (at === undefined) {
      at = this.allocate(text.length + 1);
      this.view.latin1Write(text, at, text.length);
      this.view[at + text.length] = 0;
      this.names.set(text, at);
    }
    return at;
  }

  /** Puts a JS function into the machine's table of functions; returns its number there. */
  cfunction(f: LuaFunction): number {
    return this.tableEntry(f, functionModule);
  }

  /** The same for a hook, which gets the thread and an activation record. */
  hook(f: (L: number, ar: number) => void): number {
    return this.tableEntry(f, hookModule);
  }

  /** The C function on top of the stack as one that runs in the place of its caller; pops it. */
  popFunction(L: number): LuaFunction {
    const at = this.api.lua_tocfunction(L, -1);
    this.api.lua_settop(L, -2);
    return this.api.__indirect_function_table.get(at) as LuaFunction;
  }

  /** Pushes a JS function made by `cfunction`. */
  pushFunction(L: number, f: number): void {
    this.api.lua_pushcclosure(L, f, 0);
  }

  /** Pushes latin1 text. */
  pushText(L: number, text: string): void {
    const size = text.length;
    const at = this.scratch(L, size);
    this.view.latin1Write(text, at, size);
    this.api.lua_pushlstring(L, at, size);
  }

  /** Pushes the bytes of `source` in [start, end). */
  pushBytes(L: number, source: Buffer, start: number, end: number): void {
    const size = end - start;
    const at = this.scratch(L, size);
    const { view } = this;
    if (size <= 32) for (let i = 0; i < size; i++) view[at + i] = source[start + i];
    else source.copy(view, at, start, end);
    this.api.lua_pushlstring(L, at, size);
  }

  /** Where a string (or number, converted in place) lies in `view`; 0: it is none. See `size`. */
  stringAt(L: number, index: number): number {
    return this.api.lua_tolstring(L, index, this.sizeAt);
  }

  /** Length of the string that `stringAt` found last. */
  get size(): number {
    return this.view.readUInt32LE(this.sizeAt);
  }

  /** A string or number as text; null: it is neither. */
  text(L: number, index: number): string | null {
    const at = this.stringAt(L, index);
    return at === 0 ? null : this.view.latin1Slice(at, at + this.size);
  }

  /** As `text`, but ends the function with Lua's own error when argument `index` is no string. */
  checkText(L: number, index: number): string {
    const at = this.api.luaL_checklstring(L, index, this.sizeAt);
    return this.view.latin1Slice(at, at + this.size);
  }

  /** Raises the value on top of the stack. Does not return. */
  raise(L: number): never {
    this.api.lua_error(L);
    throw new Error('lua_error came back');
  }

  /** Raises a text with the position of the Lua code that is running, as `luaL_error` does. */
  fail(L: number, text: string): never {
    this.pushText(L, text);
    const at = this.api.lua_tolstring(L, -1, this.sizeAt);
    // luaL_error("%s", text): the values of a C call with `...` lie in memory.
    this.view.writeUInt32LE(at, this.sizeAt);
    this.api.luaL_error(L, this.name('%s'), this.sizeAt);
    throw new Error('luaL_error came back');
  }

  /** Says that argument `index` is wrong, in Lua's words. Does not return. */
  failArgument(L: number, index: number, text: string): never {
    this.api.luaL_argerror(L, index, this.name(text));
    throw new Error('luaL_argerror came back');
  }

  /** Raises an error unless `n` more values fit on the stack. */
  needStack(L: number, n: number): void {
    if (this.api.lua_checkstack(L, n) === 0) this.fail(L, 'stack overflow');
  }

  /** Source and line of what runs at `level` of a thread (0: the innermost); null: no such level. */
  position(L: number, level: number): { isC: boolean; source: string; line: number } | null {
    const { api, debugAt, view } = this;
    if (api.lua_getstack(L, level, debugAt) === 0) return null;
    api.lua_getinfo(L, this.name('Sl'), debugAt);
    const what = this.cString(view.readUInt32LE(debugAt + DEBUG_WHAT));
    return {
      isC: what === 'C',
      source: this.cString(view.readUInt32LE(debugAt + DEBUG_SOURCE)),
      line: view.readInt32LE(debugAt + DEBUG_LINE),
    };
  }

  /** Whether a C function is under way on the thread below what runs, so that it cannot yield. */
  isInsideC(L: number): boolean {
    const { view } = this;
    return view.readUInt16LE(L + STATE_C_CALLS) > view.readUInt16LE(L + STATE_BASE_C_CALLS);
  }

  /**
   * Lets hooks be called within a hook: an error that a hook raises runs the script's own error
   * handler before the hook is left, and that must not run without one.
   */
  allowHooks(L: number): void {
    this.view[L + STATE_ALLOW_HOOK] = 1;
  }

  private checkLayout(): void {
    const { api, L } = this;
    const hook = this.hook(() => {});
    api.lua_sethook(L, hook, MASK_COUNT, 12_345);
    const { view } = this;
    const mask = view[L + STATE_HOOK_MASK];
    const count = view.readInt32LE(L + STATE_HOOK_COUNT);
    api.lua_sethook(L, 0, 0, 0);
    const known = mask === MASK_COUNT && count === 12_345 && view[L + STATE_ALLOW_HOOK] === 1;
    if (!known) throw new Error('lua_State is laid out otherwise');
  }

  /** Room for `size` bytes that the next push may take; an error of Lua's when there is none. */
  private scratch(L: number, size: number): number {
    if (size <= this.scratchBytes) return this.scratchAt;
    const { api } = this;
    const at = api.malloc(size);
    if (at === 0) {
      api.lua_pushlstring(L, this.name('not enough memory'), 'not enough memory'.length);
      this.raise(L);
    }
    api.free(this.scratchAt);
    this.scratchAt = at;
    this.scratchBytes = size;
    return at;
  }

  private allocate(size: number): number {
    const at = this.api.malloc(size);
    if (at === 0) throw new RangeError('not enough memory');
    return at;
  }

  private cString(at: number): string {
    const { view } = this;
    let end = at;
    while (view[end] !== 0) end++;
    return view.latin1Slice(at, end);
  }

  private tableEntry(f: (...values: number[]) => unknown, signature: WebAssembly.Module): number {
    const { exports } = new WebAssembly.Instance(signature, { e: { f } });
    const table = this.api.__indirect_function_table;
    const at = table.grow(1);
    table.set(at, exports.f);
    return at;
  }

  /** What the module imports. Everything that would reach the host ends the machine. */
  private imports(module: WebAssembly.Module): WebAssembly.Imports {
    const imports: Record<string, Record<string, WebAssembly.ImportValue>> = {};
    for (const { module: from, name } of WebAssembly.Module.imports(module)) {
      imports[from] ??= {};
      imports[from][name] = () => {
        throw new Error(`Lua asked the host for ${name}`);
      };
    }
    const zeros = (a: number, b: number): number => {
      this.view.writeUInt32LE(0, a);
      this.view.writeUInt32LE(0, b);
      return 0;
    };
    Object.assign(imports.wasi_snapshot_preview1, {
      environ_sizes_get: zeros,
      environ_get: () => 0,
    });
    Object.assign(imports.env, {
      emscripten_memcpy_js: (to: number, from: number, size: number) => {
        this.view.copyWithin(to, from, from + size);
      },
      emscripten_resize_heap: (wanted: number) => this.grow(wanted >>> 0),
      _emscripten_throw_longjmp: () => {
        throw Number.POSITIVE_INFINITY;
      },
      invoke_vii: (f: number, a: number, b: number) => this.invoke(f, a, b),
    });
    return imports;
  }

  /** Calls a function that `longjmp` may leave: the protected call of all protected calls. */
  private invoke(f: number, a: number, b: number): void {
    const { api } = this;
    const stack = api.stackSave();
    try {
      (api.__indirect_function_table.get(f) as (a: number, b: number) => void)(a, b);
    } catch (error) {
      if (error !== Number.POSITIVE_INFINITY) throw error;
      api.stackRestore(stack);
      api.setThrew(1, 0);
    }
  }

  private grow(wanted: number): number {
    if (wanted > this.bytesMax) return 0;
    const { memory } = this.api;
    const more = Math.max(wanted, Math.min(this.view.length * 1.25, this.bytesMax));
    try {
      memory.grow(Math.ceil((more - this.view.length) / PAGE_BYTES));
    } catch {
      return 0;
    }
    this.view = Buffer.from(memory.buffer);
    return 1;
  }
}

/** A module that exports the function which it imports: so a JS function gets a type of C. */
function passThrough(parameters: number, results: number): WebAssembly.Module {
  const i32 = 0x7f;
  const type = [
    ...[0x60, parameters, ...new Array<number>(parameters).fill(i32)],
    ...[results, ...new Array<number>(results).fill(i32)],
  ];
  return new WebAssembly.Module(
    new Uint8Array([
      ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
      ...[0x01, type.length + 1, 0x01, ...type],
      ...[0x02, 0x07, 0x01, 0x01, 0x65, 0x01, 0x66, 0x00, 0x00],
      ...[0x07, 0x05, 0x01, 0x01, 0x66, 0x00, 0x00],
    ]),
  );
}

const functionModule = passThrough(1, 1);
const hookModule = passThrough(2, 0);
