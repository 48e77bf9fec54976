/**
 * Shell: one client's connection to the proxy.
 *
 *     chunk → parser → resolve → gates → plan ─ keys, split, all → requests → members
 *                                             └ special, local → after all earlier replies
 *
 * Replies come back from several members; they are sent in the order of the commands. The session is
 * the engine's own: protocol, authentication, name, MULTI and subscriptions are kept there, and the
 * commands that concern only the connection are run by the engine's code.
 *
 * Reading stops (`stall`) while anything behind the client is full; then the kernel holds it back.
 */
import { CONTROLS_MULTI, type Entry, EXEC, refusal } from '../command/dispatch.ts';
import { errorText } from '../command/errors.ts';
import { ClientSession } from '../command/session.ts';
import { abortExec } from '../command/transaction.ts';
import type { Connection } from '../net/connection.ts';
import type { Args } from '../resp/args.ts';
import { RequestParser } from '../resp/request-parser.ts';
import type { ProxyCore } from './core.ts';
import { forward, forwardToAll, split } from './forward.ts';
import { planOf } from './plan.ts';
import type { ReplySink, Request } from './request.ts';
import { HOLD_MS } from './router.ts';
import { endSpecial, runSpecial } from './special.ts';
import { queueInTransaction, type Watching } from './transaction.ts';
import type { Flushable } from './turn.ts';
import type { Upstream } from './upstream.ts';

/** Commands of one client on their way. */
const IN_FLIGHT_MAX = 1024;
/** Replies up to this size are joined before they are written. */
const JOINED_BYTES_MAX = 64 * 1024;
/** A client that leaves so much unread is not served further until it reads. */
const OUTPUT_SOFT_BYTES = 1024 * 1024;
/** Bytes taken in advance from a client that is not served now. */
const AHEAD_BYTES = 256 * 1024;

/** Why the client is not served now, as bits. */
const BLOCKED = 1;
const FULL = 2;
const CONGESTED = 4;
const OUTPUT = 8;
const PAUSED = 16;

type Deferred = { readonly entry: Entry; readonly args: Args };
/** `mapUntilMs`: without a map the command waits so long for one; 0: it does not. */
type Postponed = Deferred & { readonly mapUntilMs: number };

export class ProxyClient implements ReplySink, Flushable {
  readonly core: ProxyCore;
  readonly session: ClientSession;
  dirty = false;
  gone = false;
  /** Slot of the open transaction; -1: no key yet. */
  transactionSlot = -1;
  watching: Watching | null = null;
  /** Slots of a shard → its epoch when this client last wrote there, for WAIT. */
  readonly writes = new Map<string, number>();

  private readonly connection: Connection;
  private readonly parser: RequestParser;
  private head: Request | null = null;
  private tail: Request | null = null;
  private inFlight = 0;
  private stall = 0;
  private paused = false;
  private processing = false;
  private ended = false;
  private deferred: Deferred | null = null;
  private postponed: Postponed | null = null;
  private lastWrittenShard: object | null = null;

  constructor(core: ProxyCore, connection: Connection, id: number) {
    this.core = core;
    this.connection = connection;
    this.session = new ClientSession(core.context, id, connection.remoteAddress);
    this.session.local = connection.localAddress;
    this.session.isWaiting = () => !this.idle;
    this.session.unreadBytes = () => connection.bufferedBytes;
    this.parser = new RequestParser(core.context.limits.request);
    this.session.routed = true;
    this.session.wake = () => core.turn.add(this);
    connection.onData = (chunk) => this.receive(chunk);
    connection.onDrain = () => this.unstall(OUTPUT);
    connection.onEnd = () => {
      this.ended = true;
      // As in Redis, who hangs up while it is blocked does not wait for the reply.
      if (this.session.blocking !== null) connection.close();
      core.turn.add(this);
    };
    connection.onClose = () => this.closed();
  }

  /** Whether all commands so far were answered. */
  get idle(): boolean {
    return this.head === null;
  }

  // Commands.

  private receive(chunk: Uint8Array): void {
    const { context } = this.core;
    context.clients.inputBytes += chunk.length;
    this.session.lastCommandAtMs = context.clockMs();
    this.parser.push(chunk);
    this.process();
  }

  private process(): void {
    if (this.processing || this.gone) return;
    this.processing = true;
    const { parser, session } = this;
    while (this.stall === 0 && !session.closing) {
      parser.authenticated = session.authenticated;
      if (!parser.next()) break;
      this.execute(parser.args);
    }
    this.processing = false;
    if (parser.error !== null && this.stall === 0 && this.idle) this.endOnProtocolError();
    if (session.output.length > 0 || session.closing) this.core.turn.add(this);
    const pauses = this.stall !== 0 && parser.pendingBytes > AHEAD_BYTES;
    if (pauses !== this.paused) {
      this.paused = pauses;
      if (pauses) this.connection.pause();
      else this.connection.resume();
    }
  }

  private execute(args: Args): void {
    const { session } = this;
    const { commands, clients } = this.core.context;
    clients.commandsProcessed++;
    const entry = commands.resolve(args);
    if (entry === null) {
      this.refuse(null, commands.unknownText(args));
      return;
    }
    const refused = refusal(session, entry, args);
    if (refused !== null && this.lacksMap(refused)) {
      this.postpone(entry, args, performance.now() + HOLD_MS);
    } else if (refused !== null) this.refuse(entry, refused);
    else if (clients.postpones(session, entry)) this.postpone(entry, args, 0);
    else this.run(entry, args);
  }

  private run(entry: Entry, args: Args): void {
    const { session } = this;
    session.lastCommand = entry.name;
    const { observer } = this.core.context;
    // What runs here shows itself.
    if (observer.monitors.size > 0 && planOf(entry).kind !== 'local') {
      observer.show(session, entry, args);
    }
    const plan = planOf(entry);
    if (session.transaction !== null && (entry.bits & CONTROLS_MULTI) === 0) {
      queueInTransaction(this, entry, plan, args);
    } else if (plan.kind === 'keys') {
      forward(this, plan, args);
    } else if (plan.kind === 'split') {
      split(this, plan, args);
    } else if (plan.kind === 'all') {
      forwardToAll(this, plan, args);
    } else if (this.head === null) {
      this.perform(entry, args);
    } else {
      this.deferred = { entry, args: args.clone() };
      this.stall |= BLOCKED;
    }
  }

  /** Runs what needs all earlier replies to be there. */
  private perform(entry: Entry, args: Args): void {
    const { special } = planOf(entry);
    if (special === null) this.runLocally(entry, args);
    else runSpecial(this, special, entry, args);
  }

  /** Runs a command by the engine's own code, on this connection's session. */
  runLocally(entry: Entry, args: Args): void {
    const { session } = this;
    const { output, replyMode } = session;
    const mark = output.length;
    session.call(entry, args);
    if (replyMode !== 'on' || session.replyMode !== 'on') this.suppress(replyMode, mark);
    this.core.turn.add(this);
  }

  /** CLIENT REPLY: takes the reply back that was just written, unless it says ON. */
  private suppress(before: ClientSession['replyMode'], mark: number): void {
    const { session } = this;
    if (session.replyMode !== 'on' || before === 'skip') session.output.truncate(mark);
    if (session.replyMode === 'skip-next') session.replyMode = 'skip';
    else if (before === 'skip' && session.replyMode === 'skip') session.replyMode = 'on';
  }

  private refuse(entry: Entry | null, text: string): void {
    const { session } = this;
    if (session.transaction === null) {
      this.fail(text);
      return;
    }
    session.transaction.broken = true;
    if (entry !== null && (entry.bits & EXEC) !== 0) {
      abortExec(session, text);
      endSpecial(this);
    } else {
      session.output.error(text);
    }
  }

  /** Whether the command was refused only because a proxy that has just started has no map yet. */
  private lacksMap(refused: string): boolean {
    const { router, context } = this.core;
    return router.map === null && refused === errorText('loading', context.member.startingReason());
  }

  /** Keeps the command until CLIENT PAUSE is over, or until the first map. */
  private postpone(entry: Entry, args: Args, mapUntilMs: number): void {
    this.postponed = { entry, args: args.clone(), mapUntilMs };
    this.stall |= PAUSED;
    this.core.postponed.add(this);
  }

  /** To be called now and then while the client is in `core.postponed`. */
  retryPostponed(): void {
    const { postponed, session } = this;
    if (postponed === null) return;
    const { entry, args, mapUntilMs } = postponed;
    const { router, context } = this.core;
    if (context.clients.postpones(session, entry)) return;
    if (router.map === null && performance.now() < mapUntilMs) return;
    this.core.postponed.delete(this);
    this.postponed = null;
    this.stall &= ~PAUSED;
    const refused = refusal(session, entry, args);
    if (refused !== null) this.refuse(entry, refused);
    else this.run(entry, args);
    this.process();
  }

  private endOnProtocolError(): void {
    const { parser, session } = this;
    if (session.closing) return;
    if (!parser.silent) session.output.error(errorText('protocol', parser.error!));
    session.closing = true;
  }

  // Replies.

  /** Gives a request its place in the order of replies; to be called before it is dispatched. */
  enqueue(request: Request): void {
    const { session } = this;
    if (session.replyMode !== 'on') {
      request.silent = true;
      if (session.replyMode === 'skip') session.replyMode = 'on';
    }
    if (this.tail === null) this.head = request;
    else this.tail.nextOfClient = request;
    this.tail = request;
    this.inFlight++;
    if (this.inFlight >= IN_FLIGHT_MAX) this.stall |= FULL;
  }

  /** Notes that a command went out by `upstream`: it may have to slow this client down. */
  went(upstream: Upstream | null): void {
    if (upstream === null || !upstream.congested || (this.stall & CONGESTED) !== 0) return;
    this.stall |= CONGESTED;
    upstream.onceDrained(() => this.unstall(CONGESTED));
  }

  replied(request: Request, buffer: Buffer, start: number, end: number): void {
    if (this.gone) return;
    if (request !== this.head) {
      request.reply = Buffer.from(buffer.subarray(start, end));
      return;
    }
    if (!request.silent) this.emit(buffer, start, end);
    this.inFlight--;
    let next = request.nextOfClient;
    while (next !== null && next.reply !== null) {
      if (!next.silent) this.emit(next.reply, 0, next.reply.length);
      next.reply = null;
      this.inFlight--;
      next = next.nextOfClient;
    }
    this.head = next;
    if (next === null) this.tail = null;
    this.core.turn.add(this);
    if (this.stall !== 0 || this.parser.error !== null) this.goOn();
  }

  /** A held write goes out by the map of now. */
  resent(request: Request): void {
    if (request.write) this.noteWrite(request.slot);
  }

  /** Answers with an error in the order of replies. */
  fail(text: string): void {
    if (this.head === null && this.session.replyMode === 'on') {
      this.session.output.error(text);
      return;
    }
    this.failWith(Buffer.from(`-${text.replace(/[\r\n]/g, ' ')}\r\n`, 'latin1'));
  }

  /** The same with an error that is RESP already. */
  failWith(reply: Buffer): void {
    const request = this.core.request(this, -1, false);
    this.enqueue(request);
    request.answer(reply);
  }

  /** Remembers that this client has written to the shard of `slot`, for WAIT. */
  noteWrite(slot: number): void {
    const { router } = this.core;
    const shard = router.map?.shards[router.shardOf(slot)];
    if (shard === undefined || shard === this.lastWrittenShard) return;
    this.lastWrittenShard = shard;
    this.writes.set(shard.slots, shard.epoch);
  }

  /** Serves nothing more until every command so far is answered. */
  blockUntilReplied(): void {
    if (this.head !== null) this.stall |= BLOCKED;
  }

  /** Serves nothing more until `unblock`. */
  block(): void {
    this.stall |= BLOCKED;
  }

  unblock(): void {
    this.unstall(BLOCKED);
  }

  /** A reply has come: perhaps what waited for it can go on. */
  private goOn(): void {
    if ((this.stall & FULL) !== 0 && this.inFlight <= IN_FLIGHT_MAX / 2) this.stall &= ~FULL;
    if (this.head === null && (this.stall & BLOCKED) !== 0) {
      this.stall &= ~BLOCKED;
      const { deferred } = this;
      this.deferred = null;
      if (deferred !== null) this.perform(deferred.entry, deferred.args);
    }
    this.process();
  }

  private unstall(bit: number): void {
    this.stall &= ~bit;
    if (this.stall === 0) this.process();
  }

  private emit(buffer: Buffer, start: number, end: number): void {
    const { output } = this.session;
    if (end - start <= JOINED_BYTES_MAX) {
      output.raw(buffer, start, end);
      if (output.length > JOINED_BYTES_MAX) this.write();
      return;
    }
    this.write();
    this.connection.write(buffer.subarray(start, end));
    this.checkOutput();
  }

  flush(): void {
    if (this.gone) return;
    this.write();
    const { session } = this;
    const done = this.ended && this.head === null && this.stall === 0;
    if (session.closing || done) this.connection.close();
  }

  private write(): void {
    const { output } = this.session;
    if (output.length === 0) return;
    this.connection.write(output.take());
    output.reset();
    this.checkOutput();
  }

  /** Closes a client that leaves more unread than it may; one that leaves much is not served on. */
  checkOutput(): void {
    const { session, core } = this;
    const { bufferedBytes } = this.connection;
    if (bufferedBytes === 0 && session.softSinceMs === 0) return;
    const { limits } = core.context;
    const exceeds = limits.exceedsOutput(session, bufferedBytes, performance.now());
    if (exceeds || bufferedBytes > core.outputBytesMax) {
      this.connection.destroy();
      return;
    }
    if (session.softSinceMs === 0) core.overSoft.delete(this);
    else core.overSoft.add(this);
    if (bufferedBytes > OUTPUT_SOFT_BYTES) this.stall |= OUTPUT;
  }

  private closed(): void {
    if (this.gone) return;
    this.gone = true;
    this.core.postponed.delete(this);
    this.deferred = null;
    this.postponed = null;
    this.head = null;
    this.tail = null;
    const { channels, patterns, shardChannels } = this.session;
    const names = { channel: [...channels], pattern: [...patterns], shard: [...shardChannels] };
    this.session.closed();
    endSpecial(this);
    for (const kind of ['channel', 'pattern', 'shard'] as const) {
      this.core.subscriptions.review(kind, names[kind]);
    }
    this.core.left(this);
  }

  /** Ends the connection, after what was written. */
  close(): void {
    this.connection.close();
  }
}
