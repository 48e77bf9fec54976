/**
 * What a script returned, as a reply: the way back of reply-to-lua.ts.
 *
 *     number → integer, its fraction cut off     string → bulk         nil, false → null     true → 1
 *     { err = … } → error     { ok = … } → status     { double | big_number | map | set | verbatim_string = … }
 *     any other table → array of its elements 1, 2, … up to the first nil
 */
import type { ReplyWriter } from '../resp/reply-writer.ts';
import { LUA_BOOLEAN, LUA_NIL, LUA_NUMBER, LUA_STRING, LUA_TABLE, type Lua } from './lua.ts';
import { toInt64 } from './number-text.ts';

/** Stack places that one value may take at once, its parts not counted. */
const STACK_NEEDED = 6;
/** Tables within each other: each takes frames of the process' own stack. */
const DEPTH_MAX = 1000;

export class LuaToReply {
  private readonly lua: Lua;
  private output!: ReplyWriter;
  private L = 0;
  private depth = 0;
  /** What the script has chosen by redis.setresp: with 3, booleans stay booleans. */
  private protocol: 2 | 3 = 2;
  private checkSize: () => void = () => {};

  constructor(lua: Lua) {
    this.lua = lua;
  }

  /** Writes the value on top of the stack and pops it. `checkSize` throws when it has got too long. */
  write(L: number, output: ReplyWriter, protocol: 2 | 3, checkSize: () => void): void {
    this.L = L;
    this.depth = 0;
    this.output = output;
    this.protocol = protocol;
    this.checkSize = checkSize;
    this.value();
  }

  private value(): void {
    const { lua, L, output } = this;
    const { api } = lua;
    if (this.depth > DEPTH_MAX || api.lua_checkstack(L, STACK_NEEDED) === 0) {
      output.error('ERR reached lua stack limit');
      api.lua_settop(L, -2);
      return;
    }
    switch (api.lua_type(L, -1)) {
      case LUA_STRING: {
        const at = lua.stringAt(L, -1);
        output.bulkBytes(lua.view, at, at + lua.size);
        break;
      }
      case LUA_NUMBER:
        output.integer(toInt64(api.lua_tonumber(L, -1)));
        break;
      case LUA_BOOLEAN:
        this.boolean(api.lua_toboolean(L, -1) !== 0);
        break;
      case LUA_TABLE:
        this.depth++;
        this.table();
        this.depth--;
        break;
      default:
        output.nullBulk();
    }
    api.lua_settop(L, -2);
  }

  private boolean(value: boolean): void {
    const { output } = this;
    if (this.protocol === 3) output.boolean(value);
    else if (value) output.integer(1);
    else output.nullBulk();
  }

  private table(): void {
    const { output } = this;
    const error = this.fieldText('err');
    if (error !== null) {
      output.error(error);
      return;
    }
    const ok = this.fieldText('ok');
    if (ok !== null) {
      output.simple(ok);
      return;
    }
    if (this.special()) return;
    const { lua, L } = this;
    const { api } = lua;
    const mark = output.length;
    let n = 0;
    for (;;) {
      api.lua_rawgeti(L, -1, n + 1);
      if (api.lua_type(L, -1) === LUA_NIL) break;
      this.value();
      n++;
      this.checkSize();
    }
    api.lua_settop(L, -2);
    output.prepend(mark, 'array', n);
  }

  /** The string field of the table on top; null: it has none. */
  private fieldText(name: string): string | null {
    const { lua, L } = this;
    this.field(name);
    const text = lua.api.lua_type(L, -1) === LUA_STRING ? lua.text(L, -1) : null;
    lua.api.lua_settop(L, -2);
    return text;
  }

  private field(name: string): void {
    this.lua.pushText(this.L, name);
    this.lua.api.lua_rawget(this.L, -2);
  }

  /** The types of RESP3; false: the table is none of them. */
  private special(): boolean {
    const { lua, L, output } = this;
    const { api } = lua;
    this.field('double');
    if (api.lua_type(L, -1) === LUA_NUMBER) {
      output.double(api.lua_tonumber(L, -1));
      api.lua_settop(L, -2);
      return true;
    }
    api.lua_settop(L, -2);
    const big = this.fieldText('big_number');
    if (big !== null) {
      this.bigNumber(big);
      return true;
    }
    return this.verbatim() || this.pairs('map', true) || this.pairs('set', false);
  }

  private bigNumber(text: string): void {
    const { output } = this;
    if (output.protocol === 2) output.bulk(text.replace(/[\r\n]/g, ' '));
    else output.raw(Buffer.from(`(${text.replace(/[\r\n]/g, ' ')}\r\n`, 'latin1'));
  }

  private verbatim(): boolean {
    const { lua, L, output } = this;
    const { api } = lua;
    this.field('verbatim_string');
    let done = false;
    if (api.lua_type(L, -1) === LUA_TABLE) {
      const format = this.fieldText('format');
      const text = format === null ? null : this.fieldText('string');
      if (format !== null && text !== null) {
        output.verbatim(format.slice(0, 3).padEnd(3, ' '), text);
        done = true;
      }
    }
    api.lua_settop(L, -2);
    return done;
  }

  private pairs(kind: 'map' | 'set', withValues: boolean): boolean {
    const { lua, L, output } = this;
    const { api } = lua;
    this.field(kind);
    if (api.lua_type(L, -1) !== LUA_TABLE) {
      api.lua_settop(L, -2);
      return false;
    }
    const mark = output.length;
    let n = 0;
    api.lua_pushnil(L);
    while (api.lua_next(L, -2) !== 0) {
      if (withValues) {
        api.lua_pushvalue(L, -2);
        this.value();
        this.value();
      } else {
        api.lua_settop(L, -2);
        api.lua_pushvalue(L, -1);
        this.value();
      }
      n++;
      this.checkSize();
    }
    api.lua_settop(L, -2);
    output.prepend(mark, kind, n);
    return true;
  }
}
