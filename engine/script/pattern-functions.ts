/**
 * string.find, match, gmatch and gsub, guarded: what surely is short runs in Lua's own code, what may
 * take long runs in pattern.ts, where the time limit of scripts holds.
 *
 * The work of a match is at most n^(q+1) steps for a text of n bytes and q repetitions; text that is
 * searched as it is takes n · m.
 */
import {
  LUA_FUNCTION,
  LUA_GLOBALS,
  LUA_NIL,
  LUA_TABLE,
  type Lua,
  type LuaFunction,
} from './lua.ts';
import { type Capture, findPlain, Matcher, PatternError } from './pattern.ts';
import type { Sandbox } from './sandbox.ts';

/** Steps that Lua's own code may take: well below a second. */
const NATIVE_STEPS_MAX = 3e7;
const REPETITION = /[*+\-?]/g;
const SPECIAL = /[\^$*+?.([%-]/;
/** Bytes that gsub may build: as much as Lua could hold twice. */
const RESULT_BYTES_MAX = 64 * 1024 * 1024;

type Found = { readonly start: number; readonly end: number };

/** Replaces the functions of the table `string` on top of the main stack. */
export function guardPatterns(sandbox: Sandbox, tick: (L: number) => void): void {
  new PatternFunctions(sandbox.lua, tick).install(sandbox);
}

class PatternFunctions {
  private readonly lua: Lua;
  private readonly tick: (L: number) => void;
  private readonly native = new Map<string, LuaFunction>();
  private iterator = 0;

  constructor(lua: Lua, tick: (L: number) => void) {
    this.lua = lua;
    this.tick = tick;
  }

  install(sandbox: Sandbox): void {
    const { lua } = this;
    const { api, L } = lua;
    for (const name of ['find', 'match', 'gmatch', 'gsub']) {
      api.lua_getfield(L, -1, lua.name(name));
      this.native.set(name, lua.popFunction(L));
    }
    this.iterator = lua.cfunction((T) => this.protect(T, () => this.iterate(T)));
    const functions: Record<string, (T: number) => number> = {
      find: (T) => this.find(T),
      match: (T) => this.guarded(T, 'match', () => this.search(T, false)),
      gmatch: (T) => this.guarded(T, 'gmatch', () => this.gmatch(T)),
      gsub: (T) => this.guarded(T, 'gsub', () => this.gsub(T)),
    };
    functions.gfind = functions.gmatch;
    for (const [name, f] of Object.entries(functions)) sandbox.setFunction(name, f);
  }

  /** Runs Lua's own code when it surely ends soon, else ours. */
  private guarded(L: number, name: string, ours: () => number): number {
    const native = this.native.get(name)!;
    const { api } = this.lua;
    const text = api.lua_type(L, 1) > LUA_NIL ? api.lua_objlen(L, 1) : 0;
    const pattern = this.lua.text(L, 2) ?? '';
    const repetitions = pattern.match(REPETITION)?.length ?? 0;
    const steps = Math.max(text, 2) ** (repetitions + 1) + text * pattern.length;
    return steps <= NATIVE_STEPS_MAX ? native(L) : this.protect(L, ours);
  }

  private protect(L: number, run: () => number): number {
    let wrong: string;
    try {
      return run();
    } catch (error) {
      if (!(error instanceof PatternError)) throw error;
      wrong = error.message;
    }
    return this.lua.fail(L, wrong);
  }

  private find(L: number): number {
    const { api, lua } = { api: this.lua.api, lua: this.lua };
    const pattern = lua.text(L, 2) ?? '';
    const isPlain = api.lua_toboolean(L, 4) !== 0 || !SPECIAL.test(pattern);
    if (!isPlain) return this.guarded(L, 'find', () => this.search(L, true));
    const size = api.lua_type(L, 1) > LUA_NIL ? api.lua_objlen(L, 1) : 0;
    if (size * pattern.length <= NATIVE_STEPS_MAX) return this.native.get('find')!(L);
    const text = lua.checkText(L, 1);
    const at = findPlain(text, pattern, this.startOf(L, text.length));
    if (at < 0) {
      api.lua_pushnil(L);
      return 1;
    }
    api.lua_pushnumber(L, at + 1);
    api.lua_pushnumber(L, at + pattern.length);
    return 2;
  }

  /** Argument 3 as a place in a text of `length` bytes. */
  private startOf(L: number, length: number): number {
    const { api } = this.lua;
    if (api.lua_type(L, 3) <= LUA_NIL) return 0;
    const given = Math.trunc(api.luaL_checknumber(L, 3));
    const start = given < 0 ? Math.max(given + length + 1, 0) - 1 : given - 1;
    return Math.min(Math.max(start, 0), length);
  }

  private matcher(L: number): Matcher {
    const text = this.lua.checkText(L, 1);
    const pattern = this.lua.checkText(L, 2).split('\0', 1)[0];
    return new Matcher(text, pattern, () => this.tick(L));
  }

  private search(L: number, isFind: boolean): number {
    const { api } = this.lua;
    const matcher = this.matcher(L);
    const isAnchored = this.lua.text(L, 2)!.startsWith('^');
    const found = firstMatch(matcher, this.startOf(L, matcher.text.length), isAnchored);
    if (found === null) {
      api.lua_pushnil(L);
      return 1;
    }
    const { start, end } = found;
    if (!isFind) return this.pushAll(L, matcher.captures(start, end, true));
    api.lua_pushnumber(L, start + 1);
    api.lua_pushnumber(L, end);
    return this.pushAll(L, matcher.captures(start, end, false)) + 2;
  }

  private pushAll(L: number, captures: readonly Capture[]): number {
    this.lua.needStack(L, captures.length);
    for (const capture of captures) this.push(L, capture);
    return captures.length;
  }

  private push(L: number, capture: Capture): void {
    if (typeof capture === 'number') this.lua.api.lua_pushnumber(L, capture);
    else this.lua.pushText(L, capture);
  }

  private gmatch(L: number): number {
    const { api } = this.lua;
    this.lua.checkText(L, 1);
    this.lua.checkText(L, 2);
    api.lua_settop(L, 2);
    api.lua_pushnumber(L, 0);
    api.lua_pushcclosure(L, this.iterator, 3);
    return 1;
  }

  /** The next match of gmatch: text, pattern and place are its upvalues. */
  private iterate(L: number): number {
    const { api } = this.lua;
    api.lua_settop(L, 0);
    for (let i = 1; i <= 3; i++) api.lua_pushvalue(L, LUA_GLOBALS - i);
    const matcher = this.matcher(L);
    const found = firstMatch(matcher, api.lua_tonumber(L, 3), false);
    if (found === null) return 0;
    const { start, end } = found;
    api.lua_pushnumber(L, end === start ? end + 1 : end);
    api.lua_replace(L, LUA_GLOBALS - 3);
    return this.pushAll(L, matcher.captures(start, end, true));
  }

  private gsub(L: number): number {
    const { api, lua } = { api: this.lua.api, lua: this.lua };
    const matcher = this.matcher(L);
    const { text } = matcher;
    const isAnchored = lua.text(L, 2)!.startsWith('^');
    const type = api.lua_type(L, 3);
    if (type !== LUA_TABLE && type !== LUA_FUNCTION && lua.text(L, 3) === null) {
      lua.failArgument(L, 3, 'string/function/table expected');
    }
    const limit = api.lua_type(L, 4) > LUA_NIL ? api.luaL_checknumber(L, 4) : text.length + 1;
    const parts: string[] = [];
    let size = 0;
    let at = 0;
    let n = 0;
    while (n < limit) {
      const end = matcher.matchAt(at, isAnchored ? 1 : 0);
      if (end >= 0) {
        n++;
        parts.push(this.replacement(L, type, matcher, at, end));
        size += parts[parts.length - 1].length;
        if (size > RESULT_BYTES_MAX) lua.fail(L, 'not enough memory');
      }
      if (end > at) at = end;
      else if (at < text.length) parts.push(text[at++]);
      else break;
      if (isAnchored) break;
    }
    lua.pushText(L, parts.join('') + text.slice(at));
    api.lua_pushnumber(L, n);
    return 2;
  }

  private replacement(L: number, type: number, matcher: Matcher, s: number, end: number): string {
    const { api, lua } = { api: this.lua.api, lua: this.lua };
    const whole = matcher.text.slice(s, end);
    const captures = matcher.captures(s, end, true);
    if (type !== LUA_TABLE && type !== LUA_FUNCTION) {
      return this.fillIn(lua.text(L, 3)!, whole, captures);
    }
    api.lua_pushvalue(L, 3);
    if (type === LUA_FUNCTION) {
      api.lua_call(L, this.pushAll(L, captures), 1);
    } else {
      this.push(L, captures[0]);
      api.lua_gettable(L, -2);
      api.lua_remove(L, -2);
    }
    const isFalse = api.lua_toboolean(L, -1) === 0;
    const given = isFalse ? whole : lua.text(L, -1);
    const text = given ?? lua.fail(L, 'invalid replacement value (a table)');
    api.lua_settop(L, -2);
    return text;
  }

  private fillIn(template: string, whole: string, captures: readonly Capture[]): string {
    return template.replace(/%([\s\S]?)/g, (_, character: string) => {
      if (character < '0' || character > '9') return character;
      if (character === '0') return whole;
      const capture = captures[Number(character) - 1];
      if (capture === undefined) throw new PatternError('invalid capture index');
      return String(capture);
    });
  }
}

function firstMatch(matcher: Matcher, from: number, isAnchored: boolean): Found | null {
  for (let start = from; start <= matcher.text.length; start++) {
    const end = matcher.matchAt(start, isAnchored ? 1 : 0);
    if (end >= 0) return { start, end };
    if (isAnchored) return null;
  }
  return null;
}
