/**
 * What FUNCTION LOAD finds in a library: the functions that its code registers while it runs.
 *
 *     redis.register_function('name', callback)
 *     redis.register_function{ function_name = …, callback = …, flags = { … }, description = … }
 *
 * While a library is loaded, `redis` is this table and no other, so that loading cannot touch data.
 */
import { LUA_FUNCTION, LUA_REGISTRY, LUA_STRING, LUA_TABLE, type Lua } from './lua.ts';
import { pushError } from './reply-to-lua.ts';
import type { Sandbox } from './sandbox.ts';
import { isScriptFlag, type ScriptFlag, type ScriptFlags } from './shebang.ts';

export type LoadedFunction = {
  readonly name: string;
  readonly handle: number;
  readonly flags: ScriptFlags;
  readonly description: string | null;
};

export const LIBRARY_NAME = /^\w+$/;
export const BAD_LIBRARY_NAME =
  'Library names can only contain letters, numbers, or underscores(_) and must be at least one ' +
  'character long';

export class LibraryApi {
  /** Null: no library is loaded now. */
  private found: LoadedFunction[] | null = null;
  private readonly lua: Lua;
  private readonly ref: number;

  constructor(sandbox: Sandbox, log: (L: number) => number, constants: () => void) {
    const { lua } = sandbox;
    const { api, L } = lua;
    this.lua = lua;
    api.lua_createtable(L, 0, 8);
    sandbox.setFunction('register_function', (T) => this.register(T));
    sandbox.setFunction('log', log);
    constants();
    sandbox.protectStrictly();
    this.ref = api.luaL_ref(L, LUA_REGISTRY);
  }

  /** Pushes the table that is `redis` while a library is loaded. */
  push(L: number): void {
    this.lua.api.lua_rawgeti(L, LUA_REGISTRY, this.ref);
  }

  /** Functions registered from now on are kept until `end`. */
  begin(): void {
    this.found = [];
  }

  end(): LoadedFunction[] {
    const found = this.found ?? [];
    this.found = null;
    return found;
  }

  private refuse(L: number, text: string): never {
    pushError(this.lua, L, `ERR ${text}`);
    return this.lua.raise(L);
  }

  private register(L: number): number {
    const { api } = this.lua;
    if (this.found === null) {
      this.refuse(L, 'redis.register_function can only be called on FUNCTION LOAD command');
    }
    const n = api.lua_gettop(L);
    if (n < 1 || n > 2) this.refuse(L, 'wrong number of arguments to redis.register_function');
    const loaded = n === 1 ? this.named(L) : this.positional(L);
    if (!LIBRARY_NAME.test(loaded.name)) this.refuse(L, BAD_LIBRARY_NAME);
    if (this.found.some(({ name }) => name === loaded.name)) {
      this.refuse(L, 'Function already exists in the library');
    }
    this.found.push(loaded);
    return 0;
  }

  private positional(L: number): LoadedFunction {
    const { api } = this.lua;
    const name = this.lua.text(L, 1);
    if (name === null) {
      this.refuse(L, 'first argument to redis.register_function must be a string');
    }
    if (api.lua_type(L, 2) !== LUA_FUNCTION) {
      this.refuse(L, 'second argument to redis.register_function must be a function');
    }
    return { name, handle: this.take(L, 2), flags: new Set(), description: null };
  }

  private named(L: number): LoadedFunction {
    const { lua } = this;
    const { api } = lua;
    if (api.lua_type(L, 1) !== LUA_TABLE) {
      this.refuse(
        L,
        'calling redis.register_function with a single argument is only applicable to Lua table ' +
          '(representing named arguments).',
      );
    }
    let name: string | null = null;
    let description: string | null = null;
    let handle = 0;
    let flags: ScriptFlags = new Set();
    api.lua_pushnil(L);
    while (api.lua_next(L, 1) !== 0) {
      const key = api.lua_type(L, -2) === LUA_STRING ? lua.text(L, -2)! : '';
      if (key === '') {
        this.refuse(L, 'named argument key given to redis.register_function is not a string');
      }
      if (key === 'function_name') name = this.string(L, key);
      else if (key === 'description') description = this.string(L, key);
      else if (key === 'callback') handle = this.callback(L);
      else if (key === 'flags') flags = this.flags(L);
      else this.refuse(L, 'unknown argument given to redis.register_function');
      api.lua_settop(L, 2);
    }
    if (name === null) this.refuse(L, 'redis.register_function must get a function name argument');
    if (handle === 0) this.refuse(L, 'redis.register_function must get a callback argument');
    return { name, handle, flags, description };
  }

  private string(L: number, key: string): string {
    // A number will do, as in Redis. The copy is converted, not the value in the table.
    this.lua.api.lua_pushvalue(L, -1);
    const text = this.lua.text(L, -1);
    if (text === null) {
      this.refuse(L, `${key} argument given to redis.register_function must be a string`);
    }
    return text;
  }

  private callback(L: number): number {
    if (this.lua.api.lua_type(L, -1) !== LUA_FUNCTION) {
      this.refuse(L, 'callback argument given to redis.register_function must be a function');
    }
    return this.take(L, -1);
  }

  private flags(L: number): ScriptFlags {
    const { lua } = this;
    const { api } = lua;
    if (api.lua_type(L, -1) !== LUA_TABLE) {
      this.refuse(
        L,
        'flags argument to redis.register_function must be a table representing function flags',
      );
    }
    const flags = new Set<ScriptFlag>();
    for (let i = 1; ; i++) {
      api.lua_rawgeti(L, -1, i);
      const word = api.lua_type(L, -1) === LUA_STRING ? lua.text(L, -1)! : null;
      const ended = api.lua_type(L, -1) === 0;
      api.lua_settop(L, -2);
      if (ended) return flags;
      if (word === null || !isScriptFlag(word)) this.refuse(L, 'unknown flag given');
      flags.add(word);
    }
  }

  private take(L: number, index: number): number {
    this.lua.api.lua_pushvalue(L, index);
    return this.lua.api.luaL_ref(L, LUA_REGISTRY);
  }
}
