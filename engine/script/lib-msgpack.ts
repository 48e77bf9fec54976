/**
 * The library `cmsgpack` of scripts: MessagePack, with the choices of Redis' lua_cmsgpack: a table
 * with keys 1..n and nothing else is an array (an empty one too), whole numbers are integers, tables
 * deeper than 16 become nil, and what has no form in MessagePack is nil.
 */
import { LUA_BOOLEAN, LUA_NIL, LUA_NUMBER, LUA_STRING, LUA_TABLE, type Lua } from './lua.ts';
import type { Sandbox } from './sandbox.ts';

const NESTING_MAX = 16;
/** What may be written at once: a table that is reached by many ways is written as often. */
const VALUES_MAX = 4_000_000;
const VALUES_PER_TICK = 0xffff;
const BYTES_MAX = 64 * 1024 * 1024;
/** Tables within each other that are read; deeper input is refused before it fills the stack. */
const NESTING_READ_MAX = 1000;

export function addMessagePackLibrary(sandbox: Sandbox): void {
  const { lua } = sandbox;
  const { api, L: main } = lua;
  api.lua_createtable(main, 0, 8);
  sandbox.setFunction('pack', (L) => pack(sandbox, L));
  sandbox.setFunction('unpack', (L) => unpack(lua, L, 0, 0));
  sandbox.setFunction('unpack_one', (L) => {
    const offset = optional(lua, L, 2, 0);
    api.lua_settop(L, 1);
    return unpack(lua, L, 1, offset);
  });
  sandbox.setFunction('unpack_limit', (L) => {
    const limit = Math.trunc(api.luaL_checknumber(L, 2));
    const offset = optional(lua, L, 3, 0);
    api.lua_settop(L, 1);
    return unpack(lua, L, limit, offset);
  });
  const texts = {
    _NAME: 'cmsgpack',
    _VERSION: 'lua-cmsgpack 0.4.0',
    _COPYRIGHT: 'Copyright (C) 2012, Redis Ltd.',
    _DESCRIPTION: 'MessagePack C implementation for Lua',
  };
  for (const [name, text] of Object.entries(texts)) {
    lua.pushText(main, text);
    api.lua_setfield(main, -2, lua.name(name));
  }
  sandbox.setGlobal('cmsgpack');
}

function optional(lua: Lua, L: number, index: number, otherwise: number): number {
  if (lua.api.lua_type(L, index) <= LUA_NIL) return otherwise;
  return Math.trunc(lua.api.luaL_checknumber(L, index));
}

function pack({ lua, tick }: { lua: Lua; tick: (L: number) => void }, L: number): number {
  const n = lua.api.lua_gettop(L);
  if (n === 0) lua.failArgument(L, 0, 'MessagePack pack needs input.');
  const packer = new Packer(lua, L, tick);
  for (let i = 1; i <= n; i++) {
    lua.needStack(L, 1);
    lua.api.lua_pushvalue(L, i);
    packer.value(0);
  }
  lua.pushText(L, packer.parts.join(''));
  return 1;
}

/** Writes the value on top of the stack and pops it. */
class Packer {
  readonly parts: string[] = [];
  private readonly tick: (L: number) => void;
  private values = 0;
  private bytes = 0;
  private readonly lua: Lua;
  private readonly L: number;

  /** `tick` is asked now and then whether to go on. */
  constructor(lua: Lua, L: number, tick: (L: number) => void) {
    this.lua = lua;
    this.L = L;
    this.tick = tick;
  }

  value(depth: number): void {
    const { lua, L, parts } = this;
    const { api } = lua;
    if (++this.values > VALUES_MAX || this.bytes > BYTES_MAX) lua.fail(L, 'not enough memory');
    if ((this.values & VALUES_PER_TICK) === 0) this.tick(L);
    switch (api.lua_type(L, -1)) {
      case LUA_STRING: {
        const text = lua.text(L, -1)!;
        this.bytes += text.length;
        parts.push(head(text.length, 0xa0, 32, [0xd9, 0xda, 0xdb]), text);
        break;
      }
      case LUA_BOOLEAN:
        parts.push(api.lua_toboolean(L, -1) !== 0 ? '\xc3' : '\xc2');
        break;
      case LUA_NUMBER:
        parts.push(numberText(api.lua_tonumber(L, -1)));
        break;
      case LUA_TABLE:
        if (depth === NESTING_MAX) parts.push('\xc0');
        else this.table(depth);
        break;
      default:
        parts.push('\xc0');
    }
    api.lua_settop(L, -2);
  }

  private table(depth: number): void {
    const { lua, L, parts } = this;
    const { api } = lua;
    lua.needStack(L, 4);
    const { count, isArray } = this.measure();
    if (isArray) {
      parts.push(head(count, 0x90, 16, [0, 0xdc, 0xdd]));
      for (let i = 1; i <= count; i++) {
        api.lua_rawgeti(L, -1, i);
        this.value(depth + 1);
      }
      return;
    }
    parts.push(head(count, 0x80, 16, [0, 0xde, 0xdf]));
    api.lua_pushnil(L);
    while (api.lua_next(L, -2) !== 0) {
      api.lua_pushvalue(L, -2);
      this.value(depth + 1);
      this.value(depth + 1);
    }
  }

  private measure(): { count: number; isArray: boolean } {
    const { api } = this.lua;
    const { L } = this;
    let count = 0;
    let max = 0;
    let whole = true;
    api.lua_pushnil(L);
    while (api.lua_next(L, -2) !== 0) {
      api.lua_settop(L, -2);
      count++;
      const key = api.lua_type(L, -1) === LUA_NUMBER ? api.lua_tonumber(L, -1) : 0;
      if (key > 0 && Number.isInteger(key)) max = Math.max(max, key);
      else whole = false;
    }
    return { count, isArray: whole && max === count };
  }
}

/** The first bytes of a string, array or map of `n`; a code 0 says that there is no such form. */
function head(n: number, small: number, below: number, codes: readonly number[]): string {
  if (n < below) return String.fromCharCode(small | n);
  if (n < 256 && codes[0] !== 0) return String.fromCharCode(codes[0], n);
  if (n < 65_536) return String.fromCharCode(codes[1], n >> 8, n & 0xff);
  return String.fromCharCode(codes[2]) + bigEndian(n, 4);
}

function numberText(value: number): string {
  const isInteger = Number.isInteger(value) && value < 2 ** 63 && value >= -(2 ** 63);
  if (!isInteger || Object.is(value, -0)) {
    if (Object.is(value, -0)) return '\0';
    const bytes = Buffer.alloc(9);
    if (Math.fround(value) === value) {
      bytes[0] = 0xca;
      bytes.writeFloatBE(value, 1);
      return bytes.latin1Slice(0, 5);
    }
    bytes[0] = 0xcb;
    bytes.writeDoubleBE(value, 1);
    return bytes.latin1Slice();
  }
  if (value >= 0) {
    if (value < 128) return String.fromCharCode(value);
    if (value < 2 ** 8) return `\xcc${bigEndian(value, 1)}`;
    if (value < 2 ** 16) return `\xcd${bigEndian(value, 2)}`;
    if (value < 2 ** 32) return `\xce${bigEndian(value, 4)}`;
    return `\xcf${bigEndian(value, 8)}`;
  }
  if (value >= -32) return String.fromCharCode(256 + value);
  if (value >= -(2 ** 7)) return `\xd0${bigEndian(value, 1)}`;
  if (value >= -(2 ** 15)) return `\xd1${bigEndian(value, 2)}`;
  if (value >= -(2 ** 31)) return `\xd2${bigEndian(value, 4)}`;
  return `\xd3${bigEndian(value, 8)}`;
}

function bigEndian(value: number, size: number): string {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64BE(BigInt.asIntN(64, BigInt(value)));
  return bytes.latin1Slice(8 - size);
}

function unpack(lua: Lua, L: number, limit: number, offset: number): number {
  const { api } = lua;
  const data = lua.checkText(L, 1);
  if (offset < 0 || limit < 0) {
    lua.fail(L, `Invalid request to unpack with offset of ${offset} and limit of ${limit}.`);
  }
  if (offset > data.length) {
    lua.fail(L, `Start offset ${offset} greater than input length ${data.length}.`);
  }
  const all = limit === 0 && offset === 0;
  const reader = new Reader(lua, L, data, offset);
  let n = 0;
  while (reader.at < data.length && (all || n < limit)) {
    reader.value(0);
    n++;
  }
  if (all) return n;
  lua.needStack(L, 1);
  api.lua_pushnumber(L, reader.at === data.length ? -1 : reader.at);
  api.lua_insert(L, 2);
  return n + 1;
}

/** Reads values and pushes them. */
class Reader {
  at: number;
  private readonly lua: Lua;
  private readonly L: number;
  private readonly bytes: Buffer;

  constructor(lua: Lua, L: number, data: string, at: number) {
    this.lua = lua;
    this.L = L;
    this.bytes = Buffer.from(data, 'latin1');
    this.at = at;
  }

  value(depth: number): void {
    const { lua, L } = this;
    const { api } = lua;
    lua.needStack(L, 3);
    if (depth > NESTING_READ_MAX) lua.fail(L, 'Too many nested tables in input.');
    const code = this.unsigned(1);
    if (code < 0x80) api.lua_pushnumber(L, code);
    else if (code < 0x90) this.map(code & 0x0f, depth);
    else if (code < 0xa0) this.array(code & 0x0f, depth);
    else if (code < 0xc0) this.string(code & 0x1f);
    else if (code >= 0xe0) api.lua_pushnumber(L, code - 256);
    else this.long(code, depth);
  }

  private long(code: number, depth: number): void {
    const { lua, L, bytes } = this;
    const { api } = lua;
    if (code === 0xc0) api.lua_pushnil(L);
    else if (code === 0xc2 || code === 0xc3) api.lua_pushboolean(L, code & 1);
    else if (code === 0xca) api.lua_pushnumber(L, bytes.readFloatBE(this.take(4)));
    else if (code === 0xcb) api.lua_pushnumber(L, bytes.readDoubleBE(this.take(8)));
    else if (code >= 0xcc && code <= 0xcf) {
      api.lua_pushnumber(L, this.unsigned(1 << (code - 0xcc)));
    } else if (code >= 0xd0 && code <= 0xd3) {
      const size = 1 << (code - 0xd0);
      const at = this.take(size);
      const value = size === 8 ? Number(bytes.readBigInt64BE(at)) : bytes.readIntBE(at, size);
      api.lua_pushnumber(L, value);
    } else if (code >= 0xd9 && code <= 0xdb) this.string(this.unsigned(1 << (code - 0xd9)));
    else if (code === 0xdc || code === 0xdd)
      this.array(this.unsigned(code === 0xdc ? 2 : 4), depth);
    else if (code === 0xde || code === 0xdf) this.map(this.unsigned(code === 0xde ? 2 : 4), depth);
    else lua.fail(L, 'Bad data format in input.');
  }

  private take(size: number): number {
    const { at } = this;
    if (at + size > this.bytes.length) this.lua.fail(this.L, 'Missing bytes in input.');
    this.at = at + size;
    return at;
  }

  private unsigned(size: number): number {
    const at = this.take(size);
    return size === 8 ? Number(this.bytes.readBigUInt64BE(at)) : this.bytes.readUIntBE(at, size);
  }

  private string(size: number): void {
    const at = this.take(size);
    this.lua.pushBytes(this.L, this.bytes, at, at + size);
  }

  private array(n: number, depth: number): void {
    const { api } = this.lua;
    api.lua_createtable(this.L, 0, 0);
    for (let i = 1; i <= n; i++) {
      this.value(depth + 1);
      api.lua_rawseti(this.L, -2, i);
    }
  }

  private map(n: number, depth: number): void {
    const { api } = this.lua;
    const { L } = this;
    api.lua_createtable(L, 0, 0);
    for (let i = 0; i < n; i++) {
      this.value(depth + 1);
      this.value(depth + 1);
      // A key that is nil or NaN is an error of Lua's, as in Redis.
      api.lua_settable(L, -3);
    }
  }
}
