/**
 * The globals of scripts: the standard libraries without what reaches the host or lets one script
 * change what the next one sees, as Redis keeps them.
 *
 * Redis marks tables as read-only inside its own Lua. Plain Lua has no such mark, so each protected
 * table is an empty stand-in whose metatable looks up in the real one and refuses writes:
 *
 *     _G (stand-in) ──__index──▶ real globals ──__index──▶ "nonexistent global variable"
 *       └─ redis, string, … (stand-ins) ──__index──▶ real library
 *
 * Nothing of a script can reach a real table: what goes round metatables (rawset, rawget, next, pairs,
 * setmetatable, table.insert) knows the stand-ins by their address, which never changes in Lua 5.1.
 */

import { LRAND48_MAX, Lrand48 } from './lrand48.ts';
import { LUA_FUNCTION, LUA_GLOBALS, LUA_NIL, LUA_REGISTRY, LUA_TABLE, type Lua } from './lua.ts';
import { guardPatterns } from './pattern-functions.ts';

const READ_ONLY = 'Attempt to modify a readonly table';
/** Source that `load` may collect from its function; more is refused as Lua refuses memory. */
const LOADED_BYTES_MAX = 16 * 1024 * 1024;
/** Protected calls within each other: each takes frames of the process' own stack. */
const PROTECTED_CALLS_MAX = 100;

const KEPT = [
  ...['assert', 'error', 'gcinfo', 'ipairs', 'rawequal', 'select', 'tonumber'],
  ...['tostring', 'type', 'unpack', 'xpcall', '_VERSION', 'coroutine'],
];

export class Sandbox {
  readonly lua: Lua;
  readonly random = new Lrand48();
  /** Asked by functions of ours that may take long; it ends them by an error. */
  tick: (L: number) => void = () => {};
  /** Protected calls that are under way. */
  protectedDepth = 0;
  /** The thread on which scripts run. */
  mainThread = 0;
  /** Real tables (references in the registry) by the address of their stand-ins. */
  private readonly standIns = new Map<number, number>();
  private readonly globalsRef: number;
  private readonly refuseWrite: number;
  private globalStandIn = 0;

  constructor(lua: Lua) {
    this.lua = lua;
    const { api, L } = lua;
    this.refuseWrite = lua.cfunction((T) => lua.fail(T, READ_ONLY));
    for (const open of [
      api.luaopen_base,
      api.luaopen_table,
      api.luaopen_string,
      api.luaopen_math,
    ]) {
      open(L);
      api.lua_settop(L, 0);
    }
    api.lua_createtable(L, 0, 64);
    this.globalsRef = api.luaL_ref(L, LUA_REGISTRY);
    for (const name of KEPT) this.keep(name);
    this.replaceBase();
    this.replaceLibraries();
    this.protectStrings();
  }

  /** Pushes the table behind `_G`. */
  pushGlobals(L: number): void {
    this.lua.api.lua_rawgeti(L, LUA_REGISTRY, this.globalsRef);
  }

  /** Makes the value on top of the stack a global that no script can change; pops it. */
  setGlobal(name: string): void {
    const { api, L } = this.lua;
    if (api.lua_type(L, -1) === LUA_TABLE) this.protect();
    this.pushGlobals(L);
    api.lua_insert(L, -2);
    api.lua_setfield(L, -2, this.lua.name(name));
    api.lua_settop(L, -2);
  }

  /** Adds a JS function to the table on top of the stack. */
  setFunction(name: string, f: (L: number) => number): void {
    const { lua } = this;
    lua.pushFunction(lua.L, lua.cfunction(f));
    lua.api.lua_setfield(lua.L, -2, lua.name(name));
  }

  /** Closes the globals: from here on code is compiled and runs with the stand-in of all of them. */
  close(): void {
    const { api, L } = this.lua;
    this.pushGlobals(L);
    this.protectStrictly();
    this.globalStandIn = api.lua_topointer(L, -1);
    api.lua_pushvalue(L, -1);
    api.lua_replace(L, LUA_GLOBALS);
    this.pushGlobals(L);
    api.lua_insert(L, -2);
    api.lua_setfield(L, -2, this.lua.name('_G'));
    api.lua_settop(L, 0);
  }

  /** As `protect`, and reading a field that is not there is an error, as it is of a global. */
  protectStrictly(): void {
    const { api, L } = this.lua;
    api.lua_createtable(L, 0, 1);
    this.setFunction('__index', (T) => this.missingGlobal(T));
    api.lua_setmetatable(L, -2);
    this.protect();
  }

  /** Puts a stand-in for the table on top of the stack in its place. */
  protect(): void {
    const { lua, standIns } = this;
    const { api, L } = lua;
    api.lua_createtable(L, 0, 0);
    api.lua_createtable(L, 0, 3);
    api.lua_pushvalue(L, -3);
    api.lua_setfield(L, -2, lua.name('__index'));
    lua.pushFunction(L, this.refuseWrite);
    api.lua_setfield(L, -2, lua.name('__newindex'));
    api.lua_pushvalue(L, -2);
    api.lua_setfield(L, -2, lua.name('__metatable'));
    api.lua_setmetatable(L, -2);
    const address = api.lua_topointer(L, -1);
    api.lua_insert(L, -2);
    standIns.set(address, api.luaL_ref(L, LUA_REGISTRY));
  }

  private keep(name: string): void {
    const { api, L } = this.lua;
    api.lua_getfield(L, LUA_GLOBALS, this.lua.name(name));
    if (name === 'coroutine') this.setFunction('running', (T) => this.running(T));
    this.setGlobal(name);
  }

  private missingGlobal(L: number): number {
    const name = this.lua.text(L, -1);
    if (name === null)
      this.lua.fail(L, 'Script attempted to access a global by a name that is no string');
    return this.lua.fail(L, `Script attempted to access nonexistent global variable '${name}'`);
  }

  private replaceBase(): void {
    const { lua } = this;
    const { L } = lua;
    const functions: Record<string, (L: number) => number> = {
      collectgarbage: (T) => this.collectGarbage(T),
      load: (T) => this.load(T),
      loadstring: (T) => this.loadString(T),
      next: (T) => this.next(T),
      pcall: (T) => this.protectedCall(T),
      rawget: (T) => this.rawGet(T),
      rawset: (T) => this.rawSet(T),
      setmetatable: (T) => this.setMetatable(T),
    };
    for (const [name, f] of Object.entries(functions)) {
      lua.pushFunction(L, lua.cfunction(f));
      this.setGlobal(name);
    }
    lua.api.lua_getfield(L, LUA_GLOBALS, lua.name('getmetatable'));
    const rawGetMetatable = lua.popFunction(L);
    const getMetatable = (T: number): number => {
      const address = lua.api.lua_topointer(T, 1);
      if (address === this.globalStandIn || !this.standIns.has(address)) return rawGetMetatable(T);
      lua.api.lua_pushnil(T);
      return 1;
    };
    lua.pushFunction(L, lua.cfunction(getMetatable));
    this.setGlobal('getmetatable');
    lua.api.lua_getfield(L, LUA_GLOBALS, lua.name('next'));
    const rawNext = lua.api.luaL_ref(L, LUA_REGISTRY);
    const ownNext = lua.cfunction((T) => this.next(T));
    lua.pushFunction(
      L,
      lua.cfunction((T) => {
        lua.api.luaL_checktype(T, 1, LUA_TABLE);
        if (this.standIns.has(lua.api.lua_topointer(T, 1))) lua.pushFunction(T, ownNext);
        else lua.api.lua_rawgeti(T, LUA_REGISTRY, rawNext);
        lua.api.lua_pushvalue(T, 1);
        lua.api.lua_pushnil(T);
        return 3;
      }),
    );
    this.setGlobal('pairs');
  }

  private replaceLibraries(): void {
    const { lua } = this;
    const { api, L } = lua;
    api.lua_getfield(L, LUA_GLOBALS, lua.name('table'));
    api.lua_getfield(L, -1, lua.name('insert'));
    const rawInsert = lua.popFunction(L);
    this.setFunction('insert', (T) => {
      this.refuseStandIn(T);
      return rawInsert(T);
    });
    this.setGlobal('table');
    api.lua_getfield(L, LUA_GLOBALS, lua.name('math'));
    this.setFunction('random', (T) => this.mathRandom(T));
    this.setFunction('randomseed', (T) => {
      this.random.seed(toInt32(api.luaL_checknumber(T, 1)));
      return 0;
    });
    this.setGlobal('math');
  }

  /** `("").x = …` and getmetatable("") lead to the stand-in of the string library. */
  private protectStrings(): void {
    const { lua } = this;
    const { api, L } = lua;
    api.lua_getfield(L, LUA_GLOBALS, lua.name('string'));
    guardPatterns(this, (T) => this.tick(T));
    this.setGlobal('string');
    lua.pushText(L, '');
    api.lua_getmetatable(L, -1);
    this.pushGlobals(L);
    api.lua_getfield(L, -1, lua.name('string'));
    api.lua_setfield(L, -3, lua.name('__index'));
    api.lua_settop(L, -2);
    api.lua_createtable(L, 0, 1);
    api.lua_getfield(L, -2, lua.name('__index'));
    api.lua_setfield(L, -2, lua.name('__index'));
    this.protect();
    api.lua_setfield(L, -2, lua.name('__metatable'));
    api.lua_settop(L, 0);
  }

  private refuseStandIn(L: number): void {
    if (!this.standIns.has(this.lua.api.lua_topointer(L, 1))) return;
    this.lua.pushText(L, READ_ONLY);
    this.lua.raise(L);
  }

  /** Puts the real table in the place of a stand-in that is argument 1. */
  private resolveStandIn(L: number): void {
    const { api } = this.lua;
    api.luaL_checktype(L, 1, LUA_TABLE);
    const ref = this.standIns.get(api.lua_topointer(L, 1));
    if (ref === undefined) return;
    api.lua_rawgeti(L, LUA_REGISTRY, ref);
    api.lua_replace(L, 1);
  }

  private next(L: number): number {
    const { api } = this.lua;
    this.resolveStandIn(L);
    api.lua_settop(L, 2);
    if (api.lua_next(L, 1) !== 0) return 2;
    api.lua_pushnil(L);
    return 1;
  }

  private rawGet(L: number): number {
    const { api } = this.lua;
    this.resolveStandIn(L);
    if (api.lua_gettop(L) < 2) this.lua.failArgument(L, 2, 'value expected');
    api.lua_settop(L, 2);
    api.lua_rawget(L, 1);
    return 1;
  }

  private rawSet(L: number): number {
    const { api } = this.lua;
    api.luaL_checktype(L, 1, LUA_TABLE);
    this.refuseStandIn(L);
    for (const index of [2, 3]) {
      if (api.lua_gettop(L) < index) this.lua.failArgument(L, index, 'value expected');
    }
    api.lua_settop(L, 3);
    api.lua_rawset(L, 1);
    return 1;
  }

  private setMetatable(L: number): number {
    const { api } = this.lua;
    api.luaL_checktype(L, 1, LUA_TABLE);
    this.refuseStandIn(L);
    const type = api.lua_type(L, 2);
    if (type !== LUA_NIL && type !== LUA_TABLE) {
      this.lua.failArgument(L, 2, 'nil or table expected');
    }
    if (api.lua_getmetatable(L, 1) !== 0) {
      this.lua.pushText(L, '__metatable');
      api.lua_rawget(L, -2);
      if (api.lua_type(L, -1) !== LUA_NIL) this.lua.fail(L, 'cannot change a protected metatable');
    }
    api.lua_settop(L, 2);
    api.lua_setmetatable(L, 1);
    return 1;
  }

  /** As Redis' own: an error that is a table with `err` comes out as that text. */
  private protectedCall(L: number): number {
    const { api } = this.lua;
    if (api.lua_gettop(L) < 1) this.lua.failArgument(L, 1, 'value expected');
    if (this.protectedDepth >= PROTECTED_CALLS_MAX) this.lua.fail(L, 'C stack overflow');
    const depth = this.protectedDepth++;
    api.lua_pushboolean(L, 1);
    api.lua_insert(L, 1);
    const failed = api.lua_pcall(L, api.lua_gettop(L) - 2, -1, 0) !== 0;
    this.protectedDepth = depth;
    if (!failed) return api.lua_gettop(L);
    api.lua_remove(L, 1);
    if (api.lua_type(L, -1) === LUA_TABLE) {
      this.lua.pushText(L, 'err');
      api.lua_rawget(L, -2);
      if (api.lua_type(L, -1) === LUA_NIL) api.lua_settop(L, -2);
      else api.lua_replace(L, -2);
    }
    api.lua_pushboolean(L, 0);
    api.lua_insert(L, 1);
    return api.lua_gettop(L);
  }

  private loadString(L: number): number {
    const { api } = this.lua;
    const source = this.lua.checkText(L, 1);
    const name = api.lua_type(L, 2) > LUA_NIL ? this.lua.checkText(L, 2) : source;
    return this.compile(L, source, name);
  }

  private load(L: number): number {
    const { api, lua } = { api: this.lua.api, lua: this.lua };
    api.luaL_checktype(L, 1, LUA_FUNCTION);
    const name = api.lua_type(L, 2) > LUA_NIL ? lua.checkText(L, 2) : '=(load)';
    let source = '';
    for (;;) {
      api.lua_pushvalue(L, 1);
      if (api.lua_pcall(L, 0, 1, 0) !== 0) {
        api.lua_pushnil(L);
        api.lua_insert(L, -2);
        return 2;
      }
      const piece = api.lua_type(L, -1) === LUA_NIL ? '' : lua.text(L, -1);
      if (piece === null) lua.fail(L, 'reader function must return a string');
      api.lua_settop(L, -2);
      if (piece === '') break;
      source += piece;
      if (source.length > LOADED_BYTES_MAX) lua.fail(L, 'not enough memory');
    }
    return this.compile(L, source, name);
  }

  /** Source only: bytecode could break out of the machine's rules. */
  private compile(L: number, source: string, name: string): number {
    const { api, lua } = { api: this.lua.api, lua: this.lua };
    if (source.startsWith('\x1b')) {
      api.lua_pushnil(L);
      lua.pushText(L, 'bytecode is not loaded, only source is');
      return 2;
    }
    lua.pushText(L, source);
    lua.pushText(L, name);
    const nameAt = lua.stringAt(L, -1);
    const at = lua.stringAt(L, -2);
    if (api.luaL_loadbuffer(L, at, lua.size, nameAt) === 0) return 1;
    api.lua_pushnil(L);
    api.lua_insert(L, -2);
    return 2;
  }

  /** What would change the collector for the scripts that follow does nothing. */
  private collectGarbage(L: number): number {
    const { api, lua } = { api: this.lua.api, lua: this.lua };
    const what = api.lua_type(L, 1) > LUA_NIL ? lua.checkText(L, 1) : 'collect';
    switch (what) {
      case 'count':
        api.lua_pushnumber(L, api.lua_gc(L, 3, 0) + api.lua_gc(L, 4, 0) / 1024);
        return 1;
      case 'collect':
        api.lua_gc(L, 2, 0);
        break;
      case 'step':
        api.lua_pushboolean(L, api.lua_gc(L, 5, api.lua_tonumber(L, 2) | 0));
        return 1;
      case 'stop':
      case 'restart':
      case 'setpause':
      case 'setstepmul':
        break;
      default:
        lua.fail(L, `bad argument #1 to 'collectgarbage' (invalid option '${what}')`);
    }
    api.lua_pushnumber(L, 0);
    return 1;
  }

  private running(L: number): number {
    const { api } = this.lua;
    if (L === this.mainThread) api.lua_pushnil(L);
    else api.lua_pushthread(L);
    return 1;
  }

  private mathRandom(L: number): number {
    const { api, lua } = { api: this.lua.api, lua: this.lua };
    const r = (this.random.next() % LRAND48_MAX) / LRAND48_MAX;
    const n = api.lua_gettop(L);
    if (n === 0) {
      api.lua_pushnumber(L, r);
      return 1;
    }
    if (n > 2) lua.fail(L, 'wrong number of arguments');
    const low = n === 1 ? 1 : toInt32(api.luaL_checknumber(L, 1));
    const high = toInt32(api.luaL_checknumber(L, n));
    if (low > high) lua.failArgument(L, n, 'interval is empty');
    api.lua_pushnumber(L, Math.floor(r * (high - low + 1)) + low);
    return 1;
  }
}

/** As C casts a double to an int here: by truncation. */
function toInt32(value: number): number {
  return Math.trunc(value) | 0;
}
