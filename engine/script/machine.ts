/**
 * The machine that runs scripts, as the rest of the engine sees it: compile a source, run it with
 * keys and arguments, get a reply or the text of an error. Nothing outside this folder knows that it
 * is Lua in WebAssembly.
 *
 *     compile(source) → handle          run(handle, keys and arguments, host, output) → outcome
 *
 * A script runs on a Lua thread of its own, so that the time hook can stop it between two instructions
 * and let it go on later (`suspended`, then `resume`). A thread that ended in an error is dead; the
 * next run gets another. A machine that was left in an unknown state says so by `broken`: it must not
 * be used again.
 *
 *     hook, each 20,000 instructions:   killed or over the limit → error that no pcall can hold
 *                                       over the threshold       → suspend, if no C function is under way
 */
import { limits } from '../limits.ts';
import { Args } from '../resp/args.ts';
import type { ReplyWriter } from '../resp/reply-writer.ts';
import { addBitLibrary } from './lib-bit.ts';
import { addJsonLibrary } from './lib-json.ts';
import { addMessagePackLibrary } from './lib-msgpack.ts';
import { addStructLibrary } from './lib-struct.ts';
import { LibraryApi, type LoadedFunction } from './library.ts';
import {
  LUA_OUT_OF_MEMORY,
  LUA_REGISTRY,
  LUA_TABLE,
  LUA_YIELDED,
  Lua,
  MASK_COUNT,
  MASK_LINE,
} from './lua.ts';
import { LuaToReply } from './lua-to-reply.ts';
import { RedisApi, type ScriptHost } from './redis-api.ts';
import { Sandbox } from './sandbox.ts';

/** Instructions between two looks at the clock: some 0.3 ms. */
const HOOK_INSTRUCTIONS = 20_000;
const VALUES_PER_TICK = 0xffff;
const REPLY_TOO_LONG = `ERR the reply of a script may take ${limits.scriptReplyMax.value} bytes`;

/** A compiled source within one machine. */
export type Handle = number;

export type Call = {
  /** What stands in errors: the SHA1 of a script, the name of a function. */
  readonly name: string;
  readonly handle: Handle;
  readonly args: Args;
  /** Where keys begin and end in `args`; what follows are arguments. */
  readonly keysFrom: number;
  readonly keysTo: number;
  /** Scripts find keys and arguments in the globals KEYS and ARGV, functions get them as parameters. */
  readonly globals: boolean;
};

/** Asked by the hook: go on, stop for now, or end with this error. */
export type Verdict = 'on' | 'suspend' | { readonly error: string };

export type Outcome =
  | { readonly kind: 'replied' }
  | { readonly kind: 'failed'; readonly error: string }
  | { readonly kind: 'suspended' };

const REPLIED: Outcome = { kind: 'replied' };
const SUSPENDED: Outcome = { kind: 'suspended' };

/** Ends the writing of a reply. */
class Stopped extends Error {}

const NO_CALL = { name: '', args: new Args(), keysFrom: 0, keysTo: 0, globals: false } as const;

export class Machine {
  /** Something went wrong inside: no script can be run any more. */
  broken = false;
  private readonly lua: Lua;
  private readonly sandbox: Sandbox;
  private readonly redis: RedisApi;
  private readonly library: LibraryApi;
  private readonly toReply: LuaToReply;
  private readonly hook: number;
  private thread = 0;
  private threadRef = 0;
  private call: Call | null = null;
  private output: ReplyWriter | null = null;
  private checkOutput: () => void = () => {};
  private judge: () => Verdict = () => 'on';
  private suspending = false;

  constructor(module: WebAssembly.Module, bytesMax: number) {
    this.lua = new Lua(module, bytesMax);
    this.sandbox = new Sandbox(this.lua);
    this.redis = new RedisApi(this.sandbox);
    addJsonLibrary(this.sandbox);
    addMessagePackLibrary(this.sandbox);
    addStructLibrary(this.sandbox);
    addBitLibrary(this.sandbox);
    this.library = new LibraryApi(this.sandbox, this.redis.logFunction, this.redis.addConstants);
    this.sandbox.close();
    this.toReply = new LuaToReply(this.lua);
    this.hook = this.lua.hook((L) => this.interrupt(L, true));
    this.sandbox.tick = (L) => this.interrupt(L, false);
    // Threads take the hook over from the one that makes them.
    this.lua.api.lua_sethook(this.lua.L, this.hook, MASK_COUNT, HOOK_INSTRUCTIONS);
    this.newThread();
  }

  /** Bytes that the machine has taken from the process. */
  get bytes(): number {
    return this.lua.bytes;
  }

  /** Bytes that Lua's own values take, after a full collection. */
  collect(): number {
    const { api, L } = this.lua;
    api.lua_gc(L, 2, 0);
    return api.lua_gc(L, 3, 0) * 1024;
  }

  /** Compiles a source that errors call `name`; a text says why it does not compile. */
  compile(source: string, name: string): Handle | string {
    const { lua } = this;
    const { api, L } = lua;
    try {
      if (source.startsWith('\x1b')) return 'bytecode is not run, only source is';
      lua.pushText(L, source);
      const at = lua.stringAt(L, -1);
      const failed = api.luaL_loadbuffer(L, at, lua.size, lua.name(name)) !== 0;
      const error = failed ? (lua.text(L, -1) ?? 'not enough memory') : '';
      const result = failed ? error : api.luaL_ref(L, LUA_REGISTRY);
      api.lua_settop(L, 0);
      return result;
    } catch (error) {
      return this.breakDown(error);
    }
  }

  forget(handle: Handle): void {
    this.lua.api.luaL_unref(this.lua.L, LUA_REGISTRY, handle);
  }

  /**
   * Runs a compiled source. Its reply goes to `output`; `checkOutput` throws when that gets too long.
   * `judge` is asked again and again while it runs.
   */
  run(
    call: Call,
    host: ScriptHost,
    output: ReplyWriter,
    checkOutput: () => void,
    judge: () => Verdict,
  ): Outcome {
    const { api } = this.lua;
    this.call = call;
    this.output = output;
    this.checkOutput = checkOutput;
    this.judge = judge;
    this.redis.host = host;
    this.sandbox.protectedDepth = 0;
    try {
      const T = this.thread;
      api.lua_rawgeti(T, LUA_REGISTRY, call.handle);
      const { args, keysFrom, keysTo } = call;
      if (call.globals) {
        this.sandbox.pushGlobals(T);
        this.pushWords(T, args, keysFrom, keysTo);
        api.lua_setfield(T, -2, this.lua.name('KEYS'));
        this.pushWords(T, args, keysTo, args.count);
        api.lua_setfield(T, -2, this.lua.name('ARGV'));
        api.lua_settop(T, -2);
        return this.proceed(0);
      }
      this.pushWords(T, args, keysFrom, keysTo);
      this.pushWords(T, args, keysTo, args.count);
      return this.proceed(2);
    } catch (error) {
      return this.fail(error);
    }
  }

  /** Lets a suspended script go on. */
  resume(): Outcome {
    try {
      return this.proceed(0);
    } catch (error) {
      return this.fail(error);
    }
  }

  /** Runs the code of a library; its functions, or why it has none, without the code of the error. */
  load(code: string, judge: () => Verdict): LoadedFunction[] | string {
    const { lua, sandbox, library } = this;
    const { api } = lua;
    const handle = this.compile(code, '@user_function');
    if (typeof handle === 'string') return `Error compiling function: ${handle}`;
    const T = this.thread;
    this.judge = judge;
    this.call = { ...NO_CALL, handle };
    sandbox.protectedDepth = 0;
    this.suspending = false;
    try {
      sandbox.pushGlobals(T);
      api.lua_getfield(T, -1, lua.name('redis'));
      library.push(T);
      api.lua_setfield(T, -3, lua.name('redis'));
      library.begin();
      const kept = api.luaL_ref(T, LUA_REGISTRY);
      api.lua_settop(T, 0);
      api.lua_rawgeti(T, LUA_REGISTRY, handle);
      const status = api.lua_resume(T, 0);
      const error = status === 0 ? null : this.loadError(status);
      const found = library.end();
      api.lua_settop(this.thread, 0);
      sandbox.pushGlobals(this.thread);
      api.lua_rawgeti(this.thread, LUA_REGISTRY, kept);
      api.lua_setfield(this.thread, -2, lua.name('redis'));
      api.lua_settop(this.thread, 0);
      for (const ref of [kept, handle]) this.forget(ref);
      this.end();
      if (error === null && found.length > 0) return found;
      for (const loaded of found) this.forget(loaded.handle);
      return error ?? 'No functions registered';
    } catch (error) {
      return this.breakDown(error);
    }
  }

  private loadError(status: number): string {
    const { lua } = this;
    const T = this.thread;
    let text = lua.text(T, -1);
    if (lua.api.lua_type(T, -1) === LUA_TABLE) {
      lua.pushText(T, 'err');
      lua.api.lua_rawget(T, -2);
      text = lua.text(T, -1);
    } else {
      text = `ERR ${status === LUA_YIELDED ? 'attempt to yield across C-call boundary' : text}`;
    }
    this.newThread();
    return `Error registering functions: ${text}`;
  }

  private pushWords(T: number, args: Args, from: number, to: number): void {
    const { lua } = this;
    lua.api.lua_createtable(T, to - from, 0);
    for (let i = from; i < to; i++) {
      lua.pushBytes(T, args.buffer, args.start[i], args.end[i]);
      lua.api.lua_rawseti(T, -2, i - from + 1);
    }
  }

  private proceed(values: number): Outcome {
    const { api } = this.lua;
    const T = this.thread;
    this.suspending = false;
    const status = api.lua_resume(T, values);
    if (status === LUA_YIELDED && this.suspending) return SUSPENDED;
    const { output } = this;
    const call = this.call!;
    if (status === 0) {
      if (api.lua_gettop(T) === 0) api.lua_pushnil(T);
      else api.lua_settop(T, 1);
      return this.reply(T, output!);
    }
    const error =
      status === LUA_YIELDED
        ? this.describe(call, 'ERR attempt to yield across metamethod/C-call boundary')
        : this.errorOf(call, status);
    this.newThread();
    this.end();
    return { kind: 'failed', error };
  }

  /** Writes the value on top of the thread; a value that is reached by many ways may be endless. */
  private reply(T: number, output: ReplyWriter): Outcome {
    const mark = output.length;
    let values = 0;
    const check = (): void => {
      this.checkOutput();
      if (output.length - mark > limits.scriptReplyMax.value) throw new Stopped(REPLY_TOO_LONG);
      if ((++values & VALUES_PER_TICK) !== 0) return;
      const verdict = this.judge();
      if (typeof verdict === 'object') throw new Stopped(verdict.error);
    };
    let outcome = REPLIED;
    try {
      this.toReply.write(T, output, this.redis.host!.reply.protocol, check);
    } catch (error) {
      if (!(error instanceof Stopped)) throw error;
      outcome = { kind: 'failed', error: error.message };
    }
    this.lua.api.lua_settop(T, 0);
    this.end();
    return outcome;
  }

  private end(): void {
    this.redis.host = null;
    this.call = null;
    this.output = null;
  }

  /** The error on top of the dead thread, as Redis words it. */
  private errorOf(call: Call, status: number): string {
    const { lua } = this;
    const T = this.thread;
    if (status === LUA_OUT_OF_MEMORY) return this.describe(call, 'ERR not enough memory');
    if (lua.api.lua_type(T, -1) !== LUA_TABLE) {
      return this.describe(call, `ERR ${lua.text(T, -1) ?? 'nil'}`);
    }
    lua.pushText(T, 'err');
    lua.api.lua_rawget(T, -2);
    return this.describe(call, lua.text(T, -1) ?? 'ERR the script raised a table without err');
  }

  private describe(call: Call, text: string): string {
    const { lua, thread } = this;
    let position = lua.position(thread, 0);
    if (position?.isC) position = lua.position(thread, 1) ?? position;
    const message = text.split('\0', 1)[0].replace(/[\r\n]/g, ' ');
    if (position === null) return message;
    return `${message} script: ${call.name}, on ${position.source}:${position.line}.`;
  }

  private newThread(): void {
    const { lua } = this;
    const { api, L } = lua;
    if (this.threadRef !== 0) api.luaL_unref(L, LUA_REGISTRY, this.threadRef);
    this.thread = api.lua_newthread(L);
    this.threadRef = api.luaL_ref(L, LUA_REGISTRY);
    this.sandbox.mainThread = this.thread;
  }

  /** The hook of all threads, and what long functions of ours ask. */
  private interrupt(L: number, maySuspend: boolean): void {
    if (this.call === null) return;
    const { api } = this.lua;
    const verdict = this.judge();
    if (verdict === 'on') return;
    if (verdict === 'suspend') {
      if (!maySuspend || L !== this.thread || this.lua.isInsideC(L)) return;
      this.suspending = true;
      api.lua_yield(L, 0);
      return;
    }
    // From now on every line raises it again: the script cannot go on by catching it.
    api.lua_sethook(L, this.hook, MASK_LINE | MASK_COUNT, 1);
    this.lua.allowHooks(L);
    api.lua_createtable(L, 0, 1);
    this.lua.pushText(L, verdict.error);
    api.lua_setfield(L, -2, this.lua.name('err'));
    this.lua.raise(L);
  }

  private fail(error: unknown): Outcome {
    const { call } = this;
    const reason = this.breakDown(error);
    return { kind: 'failed', error: `ERR ${reason} script: ${call?.name ?? ''}` };
  }

  /** The machine is in an unknown state. What Lua itself cannot cause is passed on. */
  private breakDown(error: unknown): string {
    this.broken = true;
    this.end();
    if (error === Number.POSITIVE_INFINITY) return 'not enough memory';
    const { name } = error as Error;
    if (name === 'RangeError') return 'stack overflow';
    if (name === 'RuntimeError') return 'the script broke its machine';
    throw error;
  }
}
