/** The library `cjson` of scripts: its functions and settings, with the defaults of Redis' lua-cjson. */
import { JsonReader, type JsonSettings } from './json-reader.ts';
import { JsonWriter } from './json-writer.ts';
import { LUA_BOOLEAN, LUA_NIL, type Lua } from './lua.ts';
import type { Sandbox } from './sandbox.ts';

/** Tables within each other that scripts may allow: each takes a frame of the process' own stack. */
const DEPTH_MAX = 2000;

export function addJsonLibrary(sandbox: Sandbox): void {
  const { lua } = sandbox;
  lua.api.lua_createtable(lua.L, 0, 16);
  fill(sandbox);
  sandbox.setGlobal('cjson');
}

/** Fills the table on top of the stack with functions that have settings of their own. */
function fill(sandbox: Sandbox): void {
  const { lua } = sandbox;
  const { api, L: main } = lua;
  const settings = defaultSettings();
  const functions: Record<string, (L: number) => number> = {
    encode: (L) => {
      if (api.lua_gettop(L) !== 1) lua.failArgument(L, 1, 'expected 1 argument');
      const writer = new JsonWriter(lua, L, settings, (T) => sandbox.tick(T));
      writer.value(0);
      writer.push();
      return 1;
    },
    decode: (L) => {
      if (api.lua_gettop(L) !== 1) lua.failArgument(L, 1, 'expected 1 argument');
      new JsonReader(lua, L, lua.checkText(L, 1), settings).document();
      return 1;
    },
    encode_sparse_array: (L) => sparseArray(lua, L, settings),
    encode_max_depth: (L) => depth(lua, L, settings, 'encodeDepthMax'),
    decode_max_depth: (L) => depth(lua, L, settings, 'decodeDepthMax'),
    encode_number_precision: (L) => {
      if (api.lua_gettop(L) > 0) settings.precision = wholeNumber(lua, L, 1, 1, 14);
      api.lua_pushnumber(L, settings.precision);
      return 1;
    },
    encode_keep_buffer: (L) => {
      if (api.lua_gettop(L) > 0) settings.keepBuffer = api.lua_toboolean(L, 1) !== 0;
      api.lua_pushboolean(L, settings.keepBuffer ? 1 : 0);
      return 1;
    },
    encode_invalid_numbers: (L) => invalidNumbers(lua, L, settings, 'encodeInvalid'),
    decode_invalid_numbers: (L) => invalidNumbers(lua, L, settings, 'decodeInvalid'),
    new: (L) => {
      api.lua_createtable(main, 0, 16);
      fill(sandbox);
      if (L !== main) api.lua_xmove(main, L, 1);
      return 1;
    },
  };
  for (const [name, f] of Object.entries(functions)) sandbox.setFunction(name, f);
  api.lua_pushlightuserdata(main, 0);
  api.lua_setfield(main, -2, lua.name('null'));
  for (const [name, text] of Object.entries({ _NAME: 'cjson', _VERSION: '2.1.0' })) {
    lua.pushText(main, text);
    api.lua_setfield(main, -2, lua.name(name));
  }
}

function defaultSettings(): JsonSettings {
  return {
    sparseConvert: false,
    sparseRatio: 2,
    sparseSafe: 10,
    encodeDepthMax: 1000,
    decodeDepthMax: 1000,
    encodeInvalid: 'off',
    decodeInvalid: 'on',
    precision: 14,
    keepBuffer: true,
  };
}

function wholeNumber(lua: Lua, L: number, index: number, min: number, max: number): number {
  const value = Math.trunc(lua.api.luaL_checknumber(L, index));
  if (!(value >= min && value <= max)) {
    lua.failArgument(L, index, `expected integer between ${min} and ${max}`);
  }
  return value;
}

function sparseArray(lua: Lua, L: number, settings: JsonSettings): number {
  const { api } = lua;
  const n = api.lua_gettop(L);
  if (n > 0 && api.lua_type(L, 1) === LUA_BOOLEAN) {
    settings.sparseConvert = api.lua_toboolean(L, 1) !== 0;
  }
  if (n > 1 && api.lua_type(L, 2) > LUA_NIL) {
    settings.sparseRatio = wholeNumber(lua, L, 2, 0, 0x7fffffff);
  }
  if (n > 2 && api.lua_type(L, 3) > LUA_NIL) {
    settings.sparseSafe = wholeNumber(lua, L, 3, 0, 0x7fffffff);
  }
  api.lua_pushboolean(L, settings.sparseConvert ? 1 : 0);
  api.lua_pushnumber(L, settings.sparseRatio);
  api.lua_pushnumber(L, settings.sparseSafe);
  return 3;
}

function depth(
  lua: Lua,
  L: number,
  settings: JsonSettings,
  which: 'encodeDepthMax' | 'decodeDepthMax',
): number {
  if (lua.api.lua_gettop(L) > 0) {
    settings[which] = Math.min(DEPTH_MAX, wholeNumber(lua, L, 1, 1, 0x7fffffff));
  }
  lua.api.lua_pushnumber(L, settings[which]);
  return 1;
}

function invalidNumbers(
  lua: Lua,
  L: number,
  settings: JsonSettings,
  which: 'encodeInvalid' | 'decodeInvalid',
): number {
  const { api } = lua;
  if (api.lua_gettop(L) > 0) {
    if (api.lua_type(L, 1) === LUA_BOOLEAN) {
      settings[which] = api.lua_toboolean(L, 1) !== 0 ? 'on' : 'off';
    } else {
      const word = lua.checkText(L, 1);
      const known =
        word === 'on' || word === 'off' || (word === 'null' && which === 'encodeInvalid');
      if (!known) lua.failArgument(L, 1, `invalid option '${word}'`);
      settings[which] = word as 'on' | 'off' | 'null';
    }
  }
  const mode = settings[which];
  if (mode === 'null') lua.pushText(L, mode);
  else api.lua_pushboolean(L, mode === 'on' ? 1 : 0);
  return 1;
}
