/**
 * The library `struct` of scripts: C structs in strings, with the formats of Redis' lua_struct.
 *
 *     < > =   little, big, native endian        !n   align to n (default 8)
 *     b B h H l L T i[n] I[n]   integers (lower case: signed) of 1, 2, 8, 8 and n (4) bytes
 *     f d     floats      s   string up to a zero byte      c[n]   n bytes (c0: as the value before says)
 *     x       a byte of padding                             blank  nothing
 */
import type { Lua } from './lua.ts';
import type { Sandbox } from './sandbox.ts';

const INTEGER_BYTES_MAX = 32;
const NATIVE_ALIGNMENT = 8;

const SIZES: Readonly<Record<string, number>> = {
  b: 1,
  B: 1,
  h: 2,
  H: 2,
  l: 8,
  L: 8,
  T: 8,
  f: 4,
  d: 8,
  x: 1,
};

type Item = { readonly option: string; readonly size: number; readonly padding: number };

/** Reads a format from left to right; remembers endianness and alignment. */
class Format {
  little = true;
  private readonly lua: Lua;
  private readonly L: number;
  private readonly text: string;
  private at = 0;
  private alignment = 1;
  private readonly lenient: boolean;

  /** `lenient`: unknown options mean nothing. */
  constructor(lua: Lua, L: number, lenient = false) {
    this.lenient = lenient;
    this.lua = lua;
    this.L = L;
    this.text = lua.checkText(L, 1);
  }

  /** The next item that takes or makes bytes; `position` is where it would begin. Null: the end. */
  next(position: number): Item | null {
    while (this.at < this.text.length) {
      const option = this.text[this.at++];
      const size = this.sizeOf(option);
      if ('bBhHlLTiIfdxcs'.includes(option)) {
        return { option, size, padding: this.padding(position, option, size) };
      }
      this.control(option);
    }
    return null;
  }

  private sizeOf(option: string): number {
    if (option === 'c') return this.number(1);
    if (option !== 'i' && option !== 'I') return SIZES[option] ?? 0;
    const size = this.number(4);
    if (size > INTEGER_BYTES_MAX) {
      this.lua.fail(this.L, `integral size ${size} is larger than limit of ${INTEGER_BYTES_MAX}`);
    }
    return size;
  }

  private padding(position: number, option: string, size: number): number {
    if (size === 0 || option === 'c') return 0;
    const unit = Math.min(size, this.alignment);
    return (unit - (position & (unit - 1))) & (unit - 1);
  }

  private control(option: string): void {
    switch (option) {
      case ' ':
        break;
      case '>':
        this.little = false;
        break;
      case '<':
      case '=':
        this.little = true;
        break;
      case '!': {
        const n = this.number(NATIVE_ALIGNMENT);
        if (n === 0 || (n & (n - 1)) !== 0)
          this.lua.fail(this.L, `alignment ${n} is not a power of 2`);
        this.alignment = n;
        break;
      }
      default:
        if (!this.lenient) {
          this.lua.failArgument(this.L, 1, `invalid format option '${option}'`);
        }
    }
  }

  private number(otherwise: number): number {
    const digits = /^\d+/.exec(this.text.slice(this.at, this.at + 16))?.[0] ?? '';
    if (digits === '') return otherwise;
    this.at += digits.length;
    const value = Number(digits);
    if (value > 0x7fffffff) this.lua.fail(this.L, 'integral size overflow');
    return value;
  }
}

export function addStructLibrary(sandbox: Sandbox): void {
  const { lua } = sandbox;
  lua.api.lua_createtable(lua.L, 0, 3);
  sandbox.setFunction('pack', (L) => pack(lua, L));
  sandbox.setFunction('unpack', (L) => unpack(lua, L));
  sandbox.setFunction('size', (L) => size(lua, L));
  sandbox.setGlobal('struct');
}

function pack(lua: Lua, L: number): number {
  const format = new Format(lua, L);
  // What is missing behind the last argument is nil, as in Redis.
  lua.api.lua_pushnil(L);
  const parts: string[] = [];
  let length = 0;
  let argument = 2;
  const add = (text: string): void => {
    parts.push(text);
    length += text.length;
  };
  for (let item = format.next(length); item !== null; item = format.next(length)) {
    add('\0'.repeat(item.padding));
    switch (item.option) {
      case 'x':
        add('\0');
        break;
      case 'f':
      case 'd':
        add(floatText(lua.api.luaL_checknumber(L, argument++), item.size, format.little));
        break;
      case 'c':
      case 's': {
        const text = lua.checkText(L, argument++);
        const size = item.size === 0 ? text.length : item.size;
        if (text.length < size) lua.failArgument(L, argument, 'string too short');
        add(text.slice(0, size));
        if (item.option === 's') add('\0');
        break;
      }
      default:
        add(integerText(lua.api.luaL_checknumber(L, argument++), item.size, format.little));
    }
  }
  lua.pushText(L, parts.join(''));
  return 1;
}

function unpack(lua: Lua, L: number): number {
  const { api } = lua;
  const format = new Format(lua, L);
  const data = lua.checkText(L, 2);
  const start = api.lua_type(L, 3) <= 0 ? 1 : Math.trunc(api.luaL_checknumber(L, 3));
  if (!(start >= 1)) lua.failArgument(L, 3, 'offset must be 1 or greater');
  api.lua_settop(L, 2);
  let at = start - 1;
  let n = 0;
  const need = (size: number): void => {
    if (at + size > data.length) lua.failArgument(L, 2, 'data string too short');
  };
  for (let item = format.next(at); item !== null; item = format.next(at)) {
    at += item.padding;
    let { size } = item;
    need(size);
    lua.needStack(L, 2);
    const { option } = item;
    if (option === 'f' || option === 'd') {
      api.lua_pushnumber(L, floatOf(data.slice(at, at + size), format.little));
      n++;
    } else if (option === 's') {
      const end = data.indexOf('\0', at);
      if (end < 0) lua.fail(L, 'unfinished string in data');
      lua.pushText(L, data.slice(at, end));
      size = end - at + 1;
      n++;
    } else if (option === 'c') {
      if (size === 0) {
        if (n === 0 || api.lua_isnumber(L, -1) === 0) {
          lua.fail(L, "format 'c0' needs a previous size");
        }
        size = Math.trunc(api.lua_tonumber(L, -1));
        api.lua_settop(L, -2);
        n--;
        if (!(size >= 0)) lua.failArgument(L, 2, 'data string too short');
        need(size);
      }
      lua.pushText(L, data.slice(at, at + size));
      n++;
    } else if (option !== 'x') {
      api.lua_pushnumber(L, integerOf(data.slice(at, at + size), format.little, option));
      n++;
    }
    at += size;
  }
  api.lua_pushnumber(L, at + 1);
  return n + 1;
}

function size(lua: Lua, L: number): number {
  const format = new Format(lua, L, true);
  let at = 0;
  for (let item = format.next(at); item !== null; item = format.next(at)) {
    if (item.option === 's') lua.failArgument(L, 1, "option 's' has no fixed size");
    if (item.option === 'c' && item.size === 0) {
      lua.failArgument(L, 1, "option 'c0' has no fixed size");
    }
    at += item.padding + item.size;
  }
  lua.api.lua_pushnumber(L, at);
  return 1;
}

function integerText(value: number, size: number, little: boolean): string {
  let rest = Number.isFinite(value) ? BigInt.asUintN(64, BigInt(Math.trunc(value))) : 0n;
  const bytes: number[] = [];
  for (let i = 0; i < size; i++) {
    bytes.push(Number(rest & 0xffn));
    rest >>= 8n;
  }
  if (!little) bytes.reverse();
  return String.fromCharCode(...bytes);
}

function integerOf(text: string, little: boolean, option: string): number {
  let value = 0n;
  const { length } = text;
  for (let i = 0; i < length; i++) {
    value = (value << 8n) | BigInt(text.charCodeAt(little ? length - 1 - i : i));
  }
  const signed = option === option.toLowerCase();
  return Number(
    signed
      ? BigInt.asIntN(64, BigInt.asIntN(Math.min(length, 8) * 8, value))
      : BigInt.asUintN(64, value),
  );
}

function floatText(value: number, size: number, little: boolean): string {
  const bytes = Buffer.alloc(size);
  if (size === 4) bytes.writeFloatLE(value);
  else bytes.writeDoubleLE(value);
  if (!little) bytes.reverse();
  return bytes.latin1Slice();
}

function floatOf(text: string, little: boolean): number {
  const bytes = Buffer.from(text, 'latin1');
  if (!little) bytes.reverse();
  return bytes.length === 4 ? bytes.readFloatLE() : bytes.readDoubleLE();
}
