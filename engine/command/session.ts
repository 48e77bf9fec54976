/**
 * One client's connection: bytes in, replies out, and the state that Redis keeps per client.
 *
 *     receive(chunk) → parser → resolve → gates → queue (MULTI) or run → output
 *
 * Synchronous and without I/O. The shell hands chunks in, flushes `output` after the turn's ops are
 * logged, and closes the socket when `closing` is set. `wake` tells it that output appeared outside
 * `receive` (a message, the end of a wait).
 *
 * A blocked session (WAIT, CLIENT PAUSE) runs nothing: what arrives is kept in `held`, and parsed
 * when it is unblocked, so commands keep their order.
 */
import type { User } from '../acl/user.ts';
import { DbError } from '../core/db-error.ts';
import type { Args } from '../resp/args.ts';
import { ReplyWriter } from '../resp/reply-writer.ts';
import { RequestParser } from '../resp/request-parser.ts';
import type { ServerContext } from './context.ts';
import { CONTROLS_MULTI, type Entry, PUSHES, refusal } from './dispatch.ts';
import { CommandError, commandError, errorText } from './errors.ts';
import type { Tracker } from './tracking.ts';
import { abortExec, queueCommand, type Transaction } from './transaction.ts';
import type { WatchedKey } from './watch.ts';

/** Bytes that a blocked client may send ahead; beyond them it is closed. */
export const HELD_BYTES_MAX = 64 * 1024 * 1024;
/** Bytes of replies that may wait to be flushed; what would go beyond is answered by an error. */
export const OUTPUT_BYTES_MAX = 1024 * 1024 * 1024;

/** A wait that ends later: `cancel` gives it up, `expire` ends it as its timeout would. */
export type Blocking = {
  cancel(): void;
  expire(): void;
  /** On a proxy: CLIENT UNBLOCK is passed on to the member that knows whether it comes too late. */
  forward?(withError: boolean): void;
};

export class ClientSession {
  readonly server: ServerContext;
  readonly id: number;
  /** The client's address as host:port. */
  readonly remote: string;
  readonly output = new ReplyWriter();
  /** Our end of the connection as host:port. */
  local = '127.0.0.1:0';
  /** True: flush the output and close. */
  closing = false;
  /** True: nothing is run until `unblock`. */
  blocked = false;
  /** A write op was made since the shell last cleared this. */
  wrote = false;
  /** Our own actor's seq of this session's last write; 0: none. */
  lastSeq = 0;
  /** Set by the shell: called when output or `closing` appears outside `receive`. */
  wake: (session: ClientSession) => void = () => {};
  outputBytesMax = OUTPUT_BYTES_MAX;
  /** Set by the shell: bytes of replies that the client has not taken yet. */
  unreadBytes: () => number = () => 0;
  /** Replaced by the shell where it knows better: a command waits for something. */
  isWaiting: () => boolean = () => this.blocked;
  /** Since when more is unread than its class may leave for long; 0: it is not. */
  softSinceMs = 0;

  authenticated: boolean;
  /** CLIENT TRACKING; null: off. */
  tracker: Tracker | null = null;
  /** Whose rights hold; the default user until it says otherwise. */
  user: User;
  name = '';
  libraryName = '';
  libraryVersion = '';
  createdAtMs: number;
  lastCommandAtMs: number;
  lastCommand = 'NULL';
  noEvict = false;
  noTouch = false;
  /** READONLY: reads are served by a replica. */
  readsReplica = false;
  /** CRDT.ROUTED: slots are not looked at. */
  routed = false;
  replyMode: 'on' | 'off' | 'skip' | 'skip-next' = 'on';
  transaction: Transaction | null = null;
  /** Inside EXEC: nothing may block, and pushes wait for its end. */
  executing = false;
  readonly watched = new Map<string, WatchedKey>();
  /** A watched key has changed: EXEC will refuse. */
  watchBroken = false;
  readonly channels = new Set<string>();
  readonly patterns = new Set<string>();
  readonly shardChannels = new Set<string>();
  blocking: Blocking | null = null;

  private turnSeq = 0;
  private parser: RequestParser;
  private held: Uint8Array[] = [];
  private heldBytes = 0;
  private postponed: { entry: Entry; args: Args } | null = null;
  private deferred: Uint8Array[] = [];

  constructor(server: ServerContext, id: number, remote: string) {
    this.server = server;
    this.parser = new RequestParser(server.limits.request);
    this.id = id;
    this.remote = remote;
    this.createdAtMs = server.clockMs();
    this.lastCommandAtMs = this.createdAtMs;
    this.user = server.acl.defaultUser;
    this.authenticated = !server.acl.authRequired;
    server.clients.add(this);
  }

  /** Whether it listens to any channel or pattern. */
  get subscribed(): boolean {
    return this.channels.size + this.patterns.size + this.shardChannels.size > 0;
  }

  /** Bytes received and not yet run. */
  get pendingBytes(): number {
    return this.parser.pendingBytes + this.heldBytes;
  }

  /** Parses and runs all whole commands in `chunk`; replies go to `output`. Keeps no part of it. */
  receive(chunk: Uint8Array): void {
    if (this.closing) return;
    if (this.blocked) {
      this.hold(chunk);
      return;
    }
    const { db, clients, clockMs, blockedKeys } = this.server;
    const now = clockMs.call(this.server);
    db.beginTurn(now);
    this.lastCommandAtMs = now;
    clients.inputBytes += chunk.length;
    this.turnSeq = db.lastSeq;
    const parser = this.parser;
    parser.authenticated = this.authenticated;
    parser.push(chunk);
    while (parser.next()) {
      this.execute(parser.args);
      if (blockedKeys.isReady) blockedKeys.serve();
      if (this.blocked || this.closing) break;
      parser.authenticated = this.authenticated;
    }
    this.noteWrites();
    if (this.blocked) this.holdRest(chunk);
    else if (parser.error !== null && !this.closing) this.endOnProtocolError();
    this.server.blockedKeys.resume();
  }

  /** Runs what was kept while the session was blocked. */
  unblock(): void {
    if (!this.blocked || this.closing) return;
    this.blocked = false;
    this.blocking = null;
    const held = this.held;
    this.held = [];
    this.heldBytes = 0;
    const postponed = this.postponed;
    this.postponed = null;
    if (postponed !== null) this.runPostponed(postponed.entry, postponed.args);
    for (const chunk of held) this.receive(chunk);
    this.wake(this);
  }

  /** The connection is gone: forgets subscriptions, watches and waits. */
  closed(): void {
    this.closing = true;
    this.blocking?.cancel();
    this.blocking = null;
    this.postponed = null;
    this.held = [];
    this.transaction = null;
    this.server.watches.unwatch(this);
    this.server.pubsub.leaveAll(this);
    this.server.tracking?.disable(this);
    this.server.observer.monitors.delete(this);
    this.server.clients.remove(this);
  }

  /** Marks what this turn of the session has written, for WAIT and for the shell. */
  noteWrites(): void {
    const { lastSeq } = this.server.db;
    if (lastSeq === this.turnSeq) return;
    this.turnSeq = lastSeq;
    this.wrote = true;
    this.lastSeq = lastSeq;
  }

  /** Runs one command that has passed its gates; errors become its reply. */
  call(entry: Entry, args: Args): void {
    const output = this.output;
    const mark = output.length;
    const { noTouch } = this;
    const { server } = this;
    const { observer, keyEvents } = server;
    if (keyEvents.active) keyEvents.begin(entry, args);
    const { stats } = entry;
    const beganMs = stats.count(args) || observer.timesAll ? server.monotonicMs() : -1;
    if (noTouch) server.db.evictor.tracksAccess = false;
    try {
      entry.run!(this, args);
      this.checkOutput();
    } catch (error) {
      if (!(error instanceof CommandError || error instanceof DbError)) throw error;
      output.truncate(mark);
      output.error(error.message);
      stats.failed++;
      observer.failed(error.message);
    }
    if (beganMs >= 0) observer.ran(this, entry, args, server.monotonicMs() - beganMs);
    if (observer.monitors.size > 0) observer.show(this, entry, args);
    if (noTouch) server.db.evictor.tracksAccess = true;
    if (keyEvents.active) keyEvents.end(entry, args);
    if (this.tracker !== null) server.tracking?.ran(this, entry, args);
  }

  /**
   * Throws when the replies have become too long; asked after every command, and by commands whose
   * reply can be many times what the database holds.
   */
  checkOutput(): void {
    if (this.output.length > this.outputBytesMax) {
      throw commandError('replyTooLong', this.outputBytesMax);
    }
  }

  /**
   * Ends the turn of this client until `reply` was called by the wait. `start` begins the wait and
   * returns how to give it up; `now` replies with what holds at this moment (CLIENT UNBLOCK).
   */
  blockOn(start: (done: (count: number) => void) => () => void, now: () => void): void {
    this.blockFor(start, (count) => this.output.integer(count), now);
  }

  /** The same for a reply of another kind, which `write` makes of what the wait gave. */
  blockFor<T>(
    start: (done: (result: T) => void) => () => void,
    write: (result: T) => void,
    now: () => void,
  ): void {
    let state: 'starting' | 'waiting' | 'done' = 'starting';
    const done = (result: T): void => {
      if (state === 'done') return;
      const later = state === 'waiting';
      state = 'done';
      write(result);
      if (later) this.unblock();
    };
    const cancel = start(done);
    // The callback may have been called already: the flow analysis cannot see that.
    if ((state as string) === 'done') return;
    state = 'waiting';
    this.block({
      cancel: () => {
        state = 'done';
        cancel();
      },
      expire: now,
    });
  }

  /** Whether a command may block: not inside EXEC, nor in a script. */
  get mayBlock(): boolean {
    return !this.executing;
  }

  /** Runs nothing until `unblock`. */
  block(blocking: Blocking): void {
    this.blocked = true;
    this.blocking = blocking;
  }

  /** Runs a blocked command once more; an error is its reply, too. False: it is still blocked. */
  tryAgain(again: () => boolean): boolean {
    const { output } = this;
    const mark = output.length;
    this.turnSeq = this.server.db.lastSeq;
    try {
      if (!again()) return false;
      this.checkOutput();
    } catch (error) {
      if (!(error instanceof CommandError || error instanceof DbError)) throw error;
      output.truncate(mark);
      output.error(error.message);
    }
    this.noteWrites();
    return true;
  }

  /** Hands over a message that answers no command; inside EXEC it waits for the reply's end. */
  push(frame: Uint8Array): void {
    if (this.closing) return;
    if (this.executing) {
      this.deferred.push(Buffer.from(frame));
      return;
    }
    this.output.raw(frame);
    if (this.output.length > this.outputBytesMax) this.drop();
    this.wake(this);
  }

  /** Sends the pushes that EXEC held back. */
  endExecuting(): void {
    this.executing = false;
    const deferred = this.deferred;
    this.deferred = [];
    for (const frame of deferred) this.push(frame);
  }

  private execute(args: Args): void {
    const { commands, clients, tracking } = this.server;
    const entry = commands.resolve(args);
    clients.commandsProcessed++;
    const refused = entry === null ? commands.unknownText(args) : refusal(this, entry, args);
    const mark = this.output.length;
    const { replyMode } = this;
    if (entry === null || refused !== null) {
      this.refuse(entry, refused!);
    } else {
      if (clients.postpones(this, entry)) {
        this.postpone(entry, args);
        return;
      }
      this.lastCommand = entry.name;
      if (this.transaction !== null && (entry.bits & CONTROLS_MULTI) === 0) {
        queueCommand(this, entry, args);
      } else {
        this.call(entry, args);
      }
    }
    if (replyMode !== 'on' || this.replyMode !== 'on') this.suppress(replyMode, entry, mark);
    if (tracking?.active) tracking.tell(this);
  }

  /** CLIENT REPLY OFF and SKIP: takes the reply back that was just written. */
  private suppress(before: ClientSession['replyMode'], entry: Entry | null, mark: number): void {
    const pushes = entry !== null && (entry.bits & PUSHES) !== 0;
    // CLIENT REPLY ON (and RESET) has turned the mode on before it answered.
    if (before !== 'on' && this.replyMode !== 'on' && !pushes) this.output.truncate(mark);
    if (this.replyMode === 'skip-next') this.replyMode = 'skip';
    else if (before === 'skip' && this.replyMode === 'skip') this.replyMode = 'on';
  }

  private refuse(entry: Entry | null, text: string): void {
    if (entry !== null) entry.stats.rejected++;
    this.server.observer.failed(text);
    if (this.transaction !== null) this.transaction.broken = true;
    if (entry?.command.name === 'EXEC') abortExec(this, text);
    else this.output.error(text);
  }

  private postpone(entry: Entry, args: Args): void {
    this.postponed = { entry, args: args.clone() };
    this.blocked = true;
    this.server.clients.postponed.add(this);
  }

  private runPostponed(entry: Entry, args: Args): void {
    const { db } = this.server;
    db.beginTurn(this.server.clockMs());
    this.turnSeq = db.lastSeq;
    // The gates are asked again: the role may have changed while the client was paused.
    const refused = refusal(this, entry, args);
    if (refused !== null) this.refuse(entry, refused);
    else if (this.transaction !== null && (entry.bits & CONTROLS_MULTI) === 0) {
      queueCommand(this, entry, args);
    } else {
      this.call(entry, args);
    }
    this.server.tracking?.tell(this);
    this.noteWrites();
    this.server.blockedKeys.serve();
  }

  private hold(chunk: Uint8Array): void {
    this.heldBytes += chunk.length;
    if (this.heldBytes > HELD_BYTES_MAX) this.drop();
    else this.held.push(Buffer.from(chunk));
  }

  /** Takes over the part of `chunk` that was not run, before the shell reuses its memory. */
  private holdRest(chunk: Uint8Array): void {
    const rest = this.parser.pendingBytes;
    this.parser = new RequestParser(this.server.limits.request);
    // A whole command was just read, and it ended within this chunk: the rest is its tail.
    if (rest > 0) this.hold(chunk.subarray(chunk.length - rest));
  }

  private endOnProtocolError(): void {
    const { error, silent } = this.parser;
    if (!silent) this.output.error(errorText('protocol', error!));
    this.closing = true;
  }

  /** Closes the client and forgets what it was to be told. */
  drop(): void {
    this.output.reset();
    this.closing = true;
    this.wake(this);
  }
}
