/**
 * Lua values as JSON, as lua-cjson writes them: a table whose keys are whole numbers from 1 on is an
 * array, any other an object, an empty one `{}`; slashes are escaped; nil and cjson.null are null.
 */
import type { JsonSettings } from './json-reader.ts';
import {
  LUA_BOOLEAN,
  LUA_LIGHTUSERDATA,
  LUA_NIL,
  LUA_NUMBER,
  LUA_STRING,
  LUA_TABLE,
  type Lua,
} from './lua.ts';
import { formatG } from './number-text.ts';

/** A table that is reached by many ways is written as often: the text may be far larger than Lua's memory. */
const TEXT_BYTES_MAX = 64 * 1024 * 1024;

const FLUSHED_LENGTH = 4096;
const VALUES_PER_TICK = 0xffff;

const TYPE_NAMES = [
  ...['nil', 'boolean', 'userdata', 'number', 'string', 'table', 'function', 'userdata', 'thread'],
];

// biome-ignore lint/suspicious/noControlCharactersInRegex: these are the ones to be escaped.
const ESCAPED = /[\x00-\x1f"\\/\x7f]/g;

const SHORT: Readonly<Record<string, string>> = {
  '"': '\\"',
  '\\': '\\\\',
  '/': '\\/',
  '\b': '\\b',
  '\t': '\\t',
  '\n': '\\n',
  '\f': '\\f',
  '\r': '\\r',
};

export class JsonWriter {
  private readonly lua: Lua;
  private readonly L: number;
  private readonly settings: JsonSettings;
  private readonly tick: (L: number) => void;
  private readonly parts: Buffer[] = [];
  private bytes = 0;
  private values = 0;
  /** What was written last and is not in `parts` yet. */
  private text = '';

  /** `tick` is asked now and then whether to go on. */
  constructor(lua: Lua, L: number, settings: JsonSettings, tick: (L: number) => void) {
    this.tick = tick;
    this.lua = lua;
    this.L = L;
    this.settings = settings;
  }

  /** Writes the value on top of the stack, which stays there. */
  value(depth: number): void {
    const { lua, L } = this;
    const { api } = lua;
    this.count();
    switch (api.lua_type(L, -1)) {
      case LUA_STRING:
        this.string(lua.text(L, -1)!);
        break;
      case LUA_NUMBER:
        this.number(api.lua_tonumber(L, -1));
        break;
      case LUA_BOOLEAN:
        this.text += api.lua_toboolean(L, -1) !== 0 ? 'true' : 'false';
        break;
      case LUA_TABLE:
        this.table(depth + 1);
        break;
      case LUA_NIL:
        this.text += 'null';
        break;
      case LUA_LIGHTUSERDATA:
        if (api.lua_touserdata(L, -1) === 0) {
          this.text += 'null';
          break;
        }
        this.refuse(-1, 'type not supported');
        break;
      default:
        this.refuse(-1, 'type not supported');
    }
  }

  /** Pushes what was written. */
  push(): void {
    if (this.parts.length === 0) {
      this.lua.pushText(this.L, this.text);
      return;
    }
    this.flush();
    const whole = Buffer.concat(this.parts);
    this.lua.pushBytes(this.L, whole, 0, whole.length);
  }

  private count(): void {
    const { lua, L } = this;
    if (this.text.length > FLUSHED_LENGTH) this.flush();
    if (this.bytes > TEXT_BYTES_MAX) lua.fail(L, 'not enough memory');
    if ((++this.values & VALUES_PER_TICK) === 0) this.tick(L);
  }

  /** Small pieces that are added to a long text would each cost more than they are. */
  private flush(): void {
    const part = Buffer.from(this.text, 'latin1');
    this.parts.push(part);
    this.bytes += part.length;
    this.text = '';
  }

  private refuse(index: number, reason: string): never {
    const type = TYPE_NAMES[this.lua.api.lua_type(this.L, index)];
    return this.lua.fail(this.L, `Cannot serialise ${type}: ${reason}`);
  }

  private string(text: string): void {
    this.text += `"${text.replace(ESCAPED, escapeOf)}"`;
  }

  private number(value: number): void {
    const { encodeInvalid, precision } = this.settings;
    if (Number.isFinite(value)) {
      this.text += formatG(value, precision);
    } else if (encodeInvalid === 'off') {
      this.refuse(-1, 'must not be NaN or Inf');
    } else if (encodeInvalid === 'null') {
      this.text += 'null';
    } else {
      this.text += Number.isNaN(value) ? 'nan' : value > 0 ? 'inf' : '-inf';
    }
  }

  private table(depth: number): void {
    const { lua, L, settings } = this;
    if (depth > settings.encodeDepthMax || lua.api.lua_checkstack(L, 4) === 0) {
      lua.fail(L, `Cannot serialise, excessive nesting (${depth})`);
    }
    const length = this.arrayLength();
    if (length > 0) this.array(length, depth);
    else this.object(depth);
  }

  /** The largest index when all keys are whole numbers from 1 on; -1: it is an object. */
  private arrayLength(): number {
    const { L, settings } = this;
    const { api } = this.lua;
    let max = 0;
    let items = 0;
    api.lua_pushnil(L);
    while (api.lua_next(L, -2) !== 0) {
      const key = api.lua_type(L, -2) === LUA_NUMBER ? api.lua_tonumber(L, -2) : 0;
      if (key >= 1 && Number.isInteger(key)) {
        max = Math.max(max, key);
        items++;
        api.lua_settop(L, -2);
        continue;
      }
      api.lua_settop(L, -3);
      return -1;
    }
    const { sparseRatio, sparseSafe } = settings;
    if (sparseRatio > 0 && max > items * sparseRatio && max > sparseSafe) {
      if (!settings.sparseConvert) this.refuse(-1, 'excessively sparse array');
      return -1;
    }
    return max;
  }

  private array(length: number, depth: number): void {
    const { L } = this;
    const { api } = this.lua;
    this.text += '[';
    for (let i = 1; i <= length; i++) {
      if (i > 1) this.text += ',';
      api.lua_rawgeti(L, -1, i);
      this.value(depth);
      api.lua_settop(L, -2);
    }
    this.text += ']';
  }

  private object(depth: number): void {
    const { lua, L } = this;
    const { api } = lua;
    this.text += '{';
    let first = true;
    api.lua_pushnil(L);
    while (api.lua_next(L, -2) !== 0) {
      if (!first) this.text += ',';
      first = false;
      const type = api.lua_type(L, -2);
      if (type === LUA_STRING) {
        this.string(lua.text(L, -2)!);
      } else if (type === LUA_NUMBER) {
        this.text += '"';
        this.number(api.lua_tonumber(L, -2));
        this.text += '"';
      } else {
        this.refuse(-2, 'table key must be a number or string');
      }
      this.text += ':';
      this.value(depth);
      api.lua_settop(L, -2);
    }
    this.text += '}';
  }
}

function escapeOf(character: string): string {
  return SHORT[character] ?? `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
