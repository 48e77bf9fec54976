/**
 * The table `redis` of scripts: commands, replies, log.
 *
 * A command's strings are not copied: its arguments point into the machine's own memory, where they
 * stay on the stack until the command has run.
 */
import { createHash } from 'node:crypto';
import { Args } from '../resp/args.ts';
import type { ReplyWriter } from '../resp/reply-writer.ts';
import { LUA_NIL, LUA_NUMBER, LUA_STRING, type Lua } from './lua.ts';
import { formatG } from './number-text.ts';
import { pushError, ReplyToLua } from './reply-to-lua.ts';
import type { Sandbox } from './sandbox.ts';

/** Redis' version whose scripts we run: what scripts ask for before they use a newer function. */
const REDIS_VERSION = '7.2.0';
const REDIS_VERSION_NUM = 0x070200;

const NUMBER_BYTES_MAX = 32;
const MINUS = 0x2d;

/** What scripts reach of the server. */
export type ScriptHost = {
  /** Runs one command of a script; its reply, an error too, is all that `reply` holds then. */
  call(args: Args): void;
  readonly reply: ReplyWriter;
  /** Whether the user may run it; null: there is no such command. */
  allows(args: Args): boolean | null;
  /** `level`: 0 debug, 1 verbose, 2 notice, 3 warning. */
  log(level: number, text: string): void;
  /** Never goes back; for the time limit. */
  monotonicMs(): number;
};

export class RedisApi {
  /** Null: no script runs, so that redis.call has nobody to speak for. */
  host: ScriptHost | null = null;
  private readonly lua: Lua;
  private readonly toLua: ReplyToLua;
  private readonly args = new Args();
  private numbers: number;

  constructor(sandbox: Sandbox) {
    const { lua } = sandbox;
    this.lua = lua;
    this.toLua = new ReplyToLua(lua);
    this.numbers = lua.api.malloc(NUMBER_BYTES_MAX * 16);
    lua.api.lua_createtable(lua.L, 0, 32);
    this.addFunctions(sandbox);
    this.constants();
    sandbox.setGlobal('redis');
  }

  private addFunctions(sandbox: Sandbox): void {
    const { lua } = this;
    const { api } = lua;
    const functions: Record<string, (L: number) => number> = {
      call: (L) => this.command(L, true),
      pcall: (L) => this.command(L, false),
      error_reply: (L) => this.errorReply(L),
      status_reply: (L) => this.statusReply(L),
      sha1hex: (L) => this.sha1hex(L),
      log: (L) => this.log(L),
      setresp: (L) => this.setProtocol(L),
      set_repl: (L) => this.setReplication(L),
      acl_check_cmd: (L) => this.aclCheck(L),
      replicate_commands: (L) => {
        api.lua_pushboolean(L, 1);
        return 1;
      },
      breakpoint: (L) => {
        api.lua_pushboolean(L, 0);
        return 1;
      },
      debug: () => 0,
    };
    for (const [name, f] of Object.entries(functions)) sandbox.setFunction(name, f);
  }

  /** redis.log and the constants, for the table of libraries that are being loaded. */
  readonly logFunction = (L: number): number => this.log(L);
  readonly addConstants = (): void => this.constants();

  private constants(): void {
    const { lua } = this;
    const { api, L } = lua;
    const constants: Record<string, number> = {
      LOG_DEBUG: 0,
      LOG_VERBOSE: 1,
      LOG_NOTICE: 2,
      LOG_WARNING: 3,
      REPL_NONE: 0,
      REPL_AOF: 1,
      REPL_SLAVE: 2,
      REPL_REPLICA: 2,
      REPL_ALL: 3,
      REDIS_VERSION_NUM,
    };
    for (const [name, value] of Object.entries(constants)) {
      api.lua_pushnumber(L, value);
      api.lua_setfield(L, -2, lua.name(name));
    }
    lua.pushText(L, REDIS_VERSION);
    api.lua_setfield(L, -2, lua.name('REDIS_VERSION'));
  }

  private command(L: number, raises: boolean): number {
    const { lua, host } = this;
    const { api } = lua;
    if (host === null) {
      this.raiseError(L, 'ERR redis.call/pcall can only be called inside a script invocation');
    }
    const wrong = this.readArguments(L);
    if (wrong !== null) {
      pushError(lua, L, wrong);
      return raises ? lua.raise(L) : 1;
    }
    const { reply } = host;
    reply.reset();
    host.call(this.args);
    api.lua_settop(L, 0);
    this.toLua.push(L, reply.buffer, 0);
    if (raises && reply.buffer[0] === MINUS) lua.raise(L);
    return 1;
  }

  /** Takes the arguments of a command from the stack; the text of an error when they are none. */
  private readArguments(L: number): string | null {
    const { lua, args } = this;
    const { api } = lua;
    const count = api.lua_gettop(L);
    if (count === 0) return 'ERR Please specify at least one argument for this redis lib call';
    args.clear();
    let numbers = 0;
    for (let i = 1; i <= count; i++) {
      const type = api.lua_type(L, i);
      if (type === LUA_STRING) {
        const at = lua.stringAt(L, i);
        args.add(at, at + lua.size);
      } else if (type === LUA_NUMBER && numbers < 16) {
        const at = this.numbers + numbers++ * NUMBER_BYTES_MAX;
        const text = formatG(api.lua_tonumber(L, i), 17);
        lua.view.latin1Write(text, at, text.length);
        args.add(at, at + text.length);
      } else if (type === LUA_NUMBER) {
        // More numbers than places: they become strings of the machine.
        lua.pushText(L, formatG(api.lua_tonumber(L, i), 17));
        api.lua_replace(L, i);
        const at = lua.stringAt(L, i);
        args.add(at, at + lua.size);
      } else {
        return 'ERR Lua redis lib command arguments must be strings or integers';
      }
    }
    // Pushing may have grown the memory: the view is taken last.
    args.buffer = lua.view;
    return null;
  }

  private raiseError(L: number, text: string): never {
    pushError(this.lua, L, text);
    return this.lua.raise(L);
  }

  private errorReply(L: number): number {
    const { lua } = this;
    if (!this.hasOneString(L)) {
      pushError(lua, L, 'ERR wrong number or type of arguments');
      return 1;
    }
    const text = lua.text(L, 1)!.replace(/^-/, '');
    const trimmed = text.replace(/^[\r\n]+|[\r\n]+$/g, '');
    lua.api.lua_createtable(L, 0, 1);
    lua.pushText(L, text.includes(' ') ? trimmed : `ERR ${trimmed}`);
    lua.api.lua_setfield(L, -2, lua.name('err'));
    return 1;
  }

  private statusReply(L: number): number {
    const { lua } = this;
    if (!this.hasOneString(L)) {
      pushError(lua, L, 'ERR wrong number or type of arguments');
      return 1;
    }
    lua.api.lua_createtable(L, 0, 1);
    lua.api.lua_pushvalue(L, 1);
    lua.api.lua_setfield(L, -2, lua.name('ok'));
    return 1;
  }

  private hasOneString(L: number): boolean {
    const { api } = this.lua;
    return api.lua_gettop(L) === 1 && api.lua_type(L, 1) === LUA_STRING;
  }

  private sha1hex(L: number): number {
    const { lua } = this;
    if (lua.api.lua_gettop(L) !== 1) this.raiseError(L, 'ERR wrong number of arguments');
    lua.pushText(L, sha1(lua.text(L, 1) ?? ''));
    return 1;
  }

  private log(L: number): number {
    const { lua } = this;
    const count = lua.api.lua_gettop(L);
    if (count < 2) this.raiseError(L, 'ERR redis.log() requires two arguments or more.');
    if (lua.api.lua_isnumber(L, 1) === 0) {
      this.raiseError(L, 'ERR First argument must be a number (log level).');
    }
    const level = Math.trunc(lua.api.lua_tonumber(L, 1));
    if (!(level >= 0 && level <= 3)) this.raiseError(L, 'ERR Invalid debug level.');
    const words: string[] = [];
    for (let i = 2; i <= count; i++) {
      const word = lua.text(L, i);
      if (word !== null) words.push(word);
    }
    this.host?.log(level, words.join(' '));
    return 0;
  }

  private setProtocol(L: number): number {
    const { lua, host } = this;
    if (host === null) {
      this.raiseError(L, 'ERR redis.setresp can only be called inside a script invocation');
    }
    if (lua.api.lua_gettop(L) !== 1) {
      this.raiseError(L, 'ERR redis.setresp() requires one argument.');
    }
    const version = Math.trunc(lua.api.lua_tonumber(L, 1));
    if (version !== 2 && version !== 3) {
      this.raiseError(L, 'ERR RESP version must be 2 or 3.');
    }
    host.reply.protocol = version;
    return 0;
  }

  /** Accepted and without effect: what a script writes is always replicated, as one batch. */
  private setReplication(L: number): number {
    const { lua } = this;
    if (this.host === null) {
      this.raiseError(L, 'ERR redis.set_repl can only be called inside a script invocation');
    }
    if (lua.api.lua_gettop(L) !== 1) {
      this.raiseError(L, 'ERR redis.set_repl() requires two arguments.');
    }
    const flags = Math.trunc(lua.api.lua_tonumber(L, 1));
    if ((flags & ~3) !== 0) {
      this.raiseError(
        L,
        'ERR Invalid replication flags. Use REPL_AOF, REPL_REPLICA, REPL_ALL or REPL_NONE.',
      );
    }
    return 0;
  }

  private aclCheck(L: number): number {
    const { lua, host } = this;
    if (host === null) {
      this.raiseError(L, 'ERR redis.acl_check_cmd can only be called inside a script invocation');
    }
    const wrong = this.readArguments(L);
    if (wrong !== null) this.raiseError(L, wrong);
    const allowed = host.allows(this.args);
    if (allowed === null) {
      this.raiseError(L, 'ERR Invalid command passed to redis.acl_check_cmd()');
    }
    lua.api.lua_settop(L, LUA_NIL);
    lua.api.lua_pushboolean(L, allowed ? 1 : 0);
    return 1;
  }
}

/** The name of a script: 40 hex digits. */
export function sha1(text: string): string {
  return createHash('sha1').update(text, 'latin1').digest('hex');
}
