/**
 * JSON as Lua values, as lua-cjson reads it: null is a light userdata, so that it can be told from a
 * missing field; numbers may be hexadecimal, infinite or NaN unless the settings say otherwise.
 */
import type { Lua } from './lua.ts';

/** The settings of one `cjson` table, for both directions. */
export type JsonSettings = {
  sparseConvert: boolean;
  sparseRatio: number;
  sparseSafe: number;
  encodeDepthMax: number;
  decodeDepthMax: number;
  encodeInvalid: 'on' | 'off' | 'null';
  decodeInvalid: 'on' | 'off' | 'null';
  precision: number;
  keepBuffer: boolean;
};

type Token =
  | 'T_OBJ_BEGIN'
  | 'T_OBJ_END'
  | 'T_ARR_BEGIN'
  | 'T_ARR_END'
  | 'T_STRING'
  | 'T_NUMBER'
  | 'T_BOOLEAN'
  | 'T_NULL'
  | 'T_COLON'
  | 'T_COMMA'
  | 'T_END'
  | 'T_ERROR';

const MARKS: Readonly<Record<string, Token>> = {
  '{': 'T_OBJ_BEGIN',
  '}': 'T_OBJ_END',
  '[': 'T_ARR_BEGIN',
  ']': 'T_ARR_END',
  ':': 'T_COLON',
  ',': 'T_COMMA',
  '\0': 'T_END',
};

const ESCAPES: Readonly<Record<string, string>> = {
  '"': '"',
  '\\': '\\',
  '/': '/',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
};

// biome-ignore lint/suspicious/noControlCharactersInRegex: a zero byte ends the text, as in C.
const PLAIN_STRING = /[^"\\\x00]*/y;
const BLANKS = /[ \t\n\r]*/y;
/** What strtod reads. */
const NUMBER =
  /[-+]?(?:0x(?:[\da-f]+\.?[\da-f]*|\.[\da-f]+)(?:p[-+]?\d+)?|(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?|inf(?:inity)?|nan)/iy;
/** What JSON does not allow of it. */
const INVALID_NUMBER = /(?:\+\d|[-+]?(?:0x|0\d|inf|nan))/iy;

export class JsonReader {
  private readonly lua: Lua;
  private readonly L: number;
  private readonly text: string;
  private readonly settings: JsonSettings;
  private at = 0;
  private depth = 0;
  private token: Token = 'T_END';
  private tokenAt = 0;
  private string = '';
  private number = 0;
  private problem = '';

  constructor(lua: Lua, L: number, text: string, settings: JsonSettings) {
    this.lua = lua;
    this.L = L;
    this.text = text;
    this.settings = settings;
  }

  /** Pushes the value of the whole text. */
  document(): void {
    const { text } = this;
    if (text.length >= 2 && (text[0] === '\0' || text[1] === '\0')) {
      this.lua.fail(this.L, 'JSON parser does not support UTF-16 or UTF-32');
    }
    this.next();
    this.value();
    this.next();
    if (this.token !== 'T_END') this.refuse('the end');
  }

  private refuse(expected: string): never {
    const found = this.token === 'T_ERROR' ? this.problem : this.token;
    return this.lua.fail(
      this.L,
      `Expected ${expected} but found ${found} at character ${this.tokenAt + 1}`,
    );
  }

  private value(): void {
    const { lua, L } = this;
    const { api } = lua;
    switch (this.token) {
      case 'T_STRING':
        lua.pushText(L, this.string);
        break;
      case 'T_NUMBER':
        api.lua_pushnumber(L, this.number);
        break;
      case 'T_BOOLEAN':
        api.lua_pushboolean(L, this.number);
        break;
      case 'T_NULL':
        api.lua_pushlightuserdata(L, 0);
        break;
      case 'T_OBJ_BEGIN':
        this.object();
        break;
      case 'T_ARR_BEGIN':
        this.array();
        break;
      default:
        this.refuse('value');
    }
  }

  private descend(): void {
    this.depth++;
    if (
      this.depth <= this.settings.decodeDepthMax &&
      this.lua.api.lua_checkstack(this.L, 4) !== 0
    ) {
      return;
    }
    this.lua.fail(
      this.L,
      `Found too many nested data structures (${this.depth}) at character ${this.at}`,
    );
  }

  private object(): void {
    const { lua, L } = this;
    this.descend();
    lua.api.lua_createtable(L, 0, 0);
    this.next();
    while (this.token !== 'T_OBJ_END') {
      if (this.token !== 'T_STRING') this.refuse('object key string');
      lua.pushText(L, this.string);
      this.next();
      if ((this.token as Token) !== 'T_COLON') this.refuse('colon');
      this.next();
      this.value();
      lua.api.lua_rawset(L, -3);
      this.next();
      if ((this.token as Token) === 'T_OBJ_END') break;
      if ((this.token as Token) !== 'T_COMMA') this.refuse('comma or object end');
      this.next();
      if ((this.token as Token) === 'T_OBJ_END') this.refuse('object key string');
    }
    this.depth--;
  }

  private array(): void {
    const { lua, L } = this;
    this.descend();
    lua.api.lua_createtable(L, 0, 0);
    this.next();
    for (let i = 1; this.token !== 'T_ARR_END'; i++) {
      this.value();
      lua.api.lua_rawseti(L, -2, i);
      this.next();
      if ((this.token as Token) === 'T_ARR_END') break;
      if ((this.token as Token) !== 'T_COMMA') this.refuse('comma or array end');
      this.next();
      if ((this.token as Token) === 'T_ARR_END') this.refuse('value');
    }
    this.depth--;
  }

  private next(): void {
    const { text } = this;
    BLANKS.lastIndex = this.at;
    BLANKS.test(text);
    this.at = BLANKS.lastIndex;
    this.tokenAt = this.at;
    if (this.at >= text.length) {
      this.token = 'T_END';
      return;
    }
    const character = text[this.at];
    const mark = MARKS[character];
    if (mark !== undefined) {
      this.token = mark;
      if (mark !== 'T_END') this.at++;
    } else if (character === '"') {
      this.nextString();
    } else {
      this.nextWord(character);
    }
  }

  private nextWord(character: string): void {
    const { text, at } = this;
    INVALID_NUMBER.lastIndex = at;
    const invalid = INVALID_NUMBER.test(text);
    if (character === '-' || (character >= '0' && character <= '9')) {
      if (invalid && this.settings.decodeInvalid === 'off') this.broken('invalid number');
      else this.nextNumber();
    } else if (text.startsWith('true', at)) {
      this.literal('T_BOOLEAN', 1, 4);
    } else if (text.startsWith('false', at)) {
      this.literal('T_BOOLEAN', 0, 5);
    } else if (text.startsWith('null', at)) {
      this.literal('T_NULL', 0, 4);
    } else if (invalid && this.settings.decodeInvalid !== 'off') {
      this.nextNumber();
    } else {
      this.broken('invalid token');
    }
  }

  private literal(token: Token, value: number, length: number): void {
    this.token = token;
    this.number = value;
    this.at += length;
  }

  private broken(problem: string): void {
    this.token = 'T_ERROR';
    this.problem = problem;
    this.tokenAt = this.at;
  }

  private nextNumber(): void {
    NUMBER.lastIndex = this.at;
    const found = NUMBER.exec(this.text);
    if (found === null) {
      this.broken('invalid number');
      return;
    }
    this.token = 'T_NUMBER';
    this.number = readNumber(found[0]);
    this.at += found[0].length;
  }

  private nextString(): void {
    const { text } = this;
    this.at++;
    let value = '';
    for (;;) {
      PLAIN_STRING.lastIndex = this.at;
      PLAIN_STRING.test(text);
      value += text.slice(this.at, PLAIN_STRING.lastIndex);
      this.at = PLAIN_STRING.lastIndex;
      const character = text[this.at];
      if (character === '"') break;
      if (character !== '\\') {
        this.broken('unexpected end of string');
        return;
      }
      const escaped = text[this.at + 1] ?? '';
      if (escaped === 'u') {
        const unicode = this.unicode();
        if (unicode === null) {
          this.broken('invalid unicode escape code');
          return;
        }
        value += unicode;
      } else if (escaped in ESCAPES) {
        value += ESCAPES[escaped];
        this.at += 2;
      } else {
        this.broken('invalid escape code');
        return;
      }
    }
    this.at++;
    this.token = 'T_STRING';
    this.string = value;
  }

  /** The UTF-8 bytes of a `\uXXXX`, or of a pair of surrogates; null: it is wrong. */
  private unicode(): string | null {
    let code = this.hex(this.at + 2);
    if (code < 0) return null;
    let length = 6;
    if ((code & 0xf800) === 0xd800) {
      const low = this.text.startsWith('\\u', this.at + 6) ? this.hex(this.at + 8) : -1;
      if ((code & 0x400) !== 0 || low < 0 || (low & 0xfc00) !== 0xdc00) return null;
      code = (((code & 0x3ff) << 10) | (low & 0x3ff)) + 0x10000;
      length = 12;
    }
    this.at += length;
    return Buffer.from(String.fromCodePoint(code), 'utf8').latin1Slice();
  }

  private hex(at: number): number {
    const digits = this.text.slice(at, at + 4);
    return /^[\da-f]{4}$/i.test(digits) ? Number.parseInt(digits, 16) : -1;
  }
}

function readNumber(text: string): number {
  const sign = text.startsWith('-') ? -1 : 1;
  const digits = text.replace(/^[-+]/, '').toLowerCase();
  if (digits.startsWith('inf')) return sign * Number.POSITIVE_INFINITY;
  if (digits === 'nan') return Number.NaN;
  if (!digits.startsWith('0x')) return sign * Number(digits);
  const [mantissa, power = '0'] = digits.slice(2).split('p');
  const [whole, fraction = ''] = mantissa.split('.');
  const value = Number.parseInt(whole + fraction || '0', 16);
  return sign * value * 2 ** (Number(power) - fraction.length * 4);
}
