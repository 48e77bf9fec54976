/**
 * What a command answered, as Lua values: the conversions that Redis documents.
 *
 *     integer → number          bulk → string             null → false (RESP3: nil)
 *     array → table 1..n        status → { ok = … }       error → { err = … }
 *     map → { map = {…} }       set → { set = {…} }       double → { double = n }      boolean → boolean
 */
import type { Lua } from './lua.ts';

const PLUS = 0x2b;
const MINUS = 0x2d;
const COLON = 0x3a;
const DOLLAR = 0x24;
const STAR = 0x2a;
const PERCENT = 0x25;
const TILDE = 0x7e;
const UNDERSCORE = 0x5f;
const HASH = 0x23;
const COMMA = 0x2c;
const PAREN = 0x28;
const EQUALS = 0x3d;
const LETTER_T = 0x74;

/** Stack places that one reply may take at once, its parts not counted. */
const STACK_NEEDED = 6;

export class ReplyToLua {
  private readonly lua: Lua;
  private L = 0;
  private bytes: Buffer = Buffer.alloc(0);
  private at = 0;

  constructor(lua: Lua) {
    this.lua = lua;
  }

  /** Pushes the reply that begins at `at` in `bytes`. */
  push(L: number, bytes: Buffer, at: number): void {
    this.L = L;
    this.bytes = bytes;
    this.at = at;
    this.value();
  }

  private value(): void {
    const { lua, L, bytes } = this;
    const { api } = lua;
    lua.needStack(L, STACK_NEEDED);
    const kind = bytes[this.at++];
    switch (kind) {
      case COLON:
        api.lua_pushnumber(L, Number(this.line()));
        break;
      case DOLLAR:
        this.bulk();
        break;
      case STAR:
        this.array();
        break;
      case PLUS:
        api.lua_createtable(L, 0, 1);
        this.field('ok', this.line());
        break;
      case MINUS:
        pushError(lua, L, this.line());
        break;
      case PERCENT:
        this.pairs();
        break;
      case TILDE:
        this.members();
        break;
      case UNDERSCORE:
        this.line();
        api.lua_pushnil(L);
        break;
      case HASH:
        api.lua_pushboolean(L, this.line().charCodeAt(0) === LETTER_T ? 1 : 0);
        break;
      case COMMA:
        this.double();
        break;
      case PAREN:
        api.lua_createtable(L, 0, 1);
        this.field('big_number', this.line());
        break;
      case EQUALS:
        this.verbatim();
        break;
      default:
        throw new Error(`a command answered with the unknown type ${kind}`);
    }
  }

  /** A length, or a small integer, and beyond its line end. */
  private count(): number {
    const { bytes } = this;
    let at = this.at;
    const negative = bytes[at] === MINUS;
    if (negative) at++;
    let n = 0;
    for (; bytes[at] !== 0x0d; at++) n = n * 10 + bytes[at] - 0x30;
    this.at = at + 2;
    return negative ? -n : n;
  }

  private line(): string {
    const end = this.bytes.indexOf(0x0d, this.at);
    const text = this.bytes.latin1Slice(this.at, end);
    this.at = end + 2;
    return text;
  }

  private field(name: string, text: string): void {
    this.lua.pushText(this.L, text);
    this.lua.api.lua_setfield(this.L, -2, this.lua.name(name));
  }

  private bulk(): void {
    const size = this.count();
    if (size < 0) {
      this.lua.api.lua_pushboolean(this.L, 0);
      return;
    }
    this.lua.pushBytes(this.L, this.bytes, this.at, this.at + size);
    this.at += size + 2;
  }

  private array(): void {
    const { L } = this;
    const { api } = this.lua;
    const n = this.count();
    if (n < 0) {
      api.lua_pushboolean(L, 0);
      return;
    }
    api.lua_createtable(L, n, 0);
    for (let i = 1; i <= n; i++) {
      this.value();
      api.lua_rawseti(L, -2, i);
    }
  }

  private pairs(): void {
    const { L } = this;
    const { api } = this.lua;
    const n = this.count();
    api.lua_createtable(L, 0, 1);
    api.lua_createtable(L, 0, n);
    for (let i = 0; i < n; i++) {
      this.value();
      this.value();
      api.lua_rawset(L, -3);
    }
    api.lua_setfield(L, -2, this.lua.name('map'));
  }

  private members(): void {
    const { L } = this;
    const { api } = this.lua;
    const n = this.count();
    api.lua_createtable(L, 0, 1);
    api.lua_createtable(L, 0, n);
    for (let i = 0; i < n; i++) {
      this.value();
      api.lua_pushboolean(L, 1);
      api.lua_rawset(L, -3);
    }
    api.lua_setfield(L, -2, this.lua.name('set'));
  }

  private double(): void {
    const text = this.line();
    const infinite = /^([-+]?)inf/i.exec(text);
    const value = infinite === null ? Number(text) : infinite[1] === '-' ? -Infinity : Infinity;
    this.lua.api.lua_createtable(this.L, 0, 1);
    this.lua.api.lua_pushnumber(this.L, value);
    this.lua.api.lua_setfield(this.L, -2, this.lua.name('double'));
  }

  private verbatim(): void {
    const { L } = this;
    const { api } = this.lua;
    const size = this.count();
    api.lua_createtable(L, 0, 1);
    api.lua_createtable(L, 0, 2);
    this.field('format', this.bytes.latin1Slice(this.at, this.at + 3));
    this.lua.pushBytes(L, this.bytes, this.at + 4, this.at + size);
    api.lua_setfield(L, -2, this.lua.name('string'));
    api.lua_setfield(L, -2, this.lua.name('verbatim_string'));
    this.at += size + 2;
  }
}

/** Pushes the table that stands for an error; `text` begins with its code. */
export function pushError(lua: Lua, L: number, text: string): void {
  lua.api.lua_createtable(L, 0, 2);
  lua.pushText(L, text);
  lua.api.lua_setfield(L, -2, lua.name('err'));
  lua.api.lua_pushboolean(L, 1);
  lua.api.lua_setfield(L, -2, lua.name('ignore_error_stats_update'));
}
