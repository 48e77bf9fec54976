/**
 * Clients that wait for keys: BLPOP, BLMOVE, BZPOPMIN, XREAD BLOCK … One registry for all types.
 *
 *     command finds nothing → waitForKeys → … a write touches the key → ready → serve → tryAgain
 *
 * As in Redis: clients of one key are served in the order in which they began to wait. Serving runs
 * after the command (or EXEC) that wrote has ended and before the next one, so nobody can snatch an
 * element in between; batches of other regions are served at the end of their turn. A client that is
 * served may write (BLMOVE) and so make further keys ready, which are served in the next round.
 *
 * Whoever waits runs nothing else. Its later commands wait in its session and run when the turn of
 * the client that served it has ended, never in the midst of it.
 */
import type { Db, KeyType } from '../core/db.ts';
import type { ClientRegistry } from './client-registry.ts';
import { errorText } from './errors.ts';
import type { ClientSession } from './session.ts';
import type { KeyListener, TouchedKeys } from './touched-keys.ts';

export type KeyWait = {
  readonly keys: readonly string[];
  /**
   * `tryAgain` is called only when a key shows this type; `any`: at every change, also when the key
   * is gone (XREADGROUP must end then).
   */
  readonly type: KeyType | 'any';
  /** 0: for ever. */
  readonly timeoutMs: number;
  /**
   * Runs the command on `key`, which has changed: writes the reply and returns true, or false to wait
   * on. What it throws becomes the reply.
   */
  tryAgain(key: string): boolean;
  /** Writes the reply when the time is over (CLIENT UNBLOCK … TIMEOUT, too). */
  timedOut(): void;
};

type Waiter = {
  readonly session: ClientSession;
  readonly wait: KeyWait;
  readonly deadlineMs: number;
  /** CLIENT REPLY OFF or SKIP held when it began. */
  readonly muted: boolean;
};

/** What the registry needs of the process around it. */
export type BlockedHost = {
  readonly db: Db;
  readonly clients: ClientRegistry;
  readonly touchedKeys: TouchedKeys;
  clockMs(): number;
};

export class BlockedKeys implements KeyListener {
  private readonly host: BlockedHost;
  /** By key, in the order in which they began to wait. */
  private readonly waiting = new Map<string, Set<Waiter>>();
  private readonly waiters = new Set<Waiter>();
  private ready = new Set<string>();
  /** Served, and perhaps with commands that were kept meanwhile. */
  private served: ClientSession[] = [];
  private serving = false;
  private resuming = false;
  /** No deadline is before this. */
  private nextDeadlineMs = Number.POSITIVE_INFINITY;

  constructor(host: BlockedHost) {
    this.host = host;
  }

  /** Clients that wait. */
  get count(): number {
    return this.waiters.size;
  }

  /** Keys that clients wait for. */
  get keyCount(): number {
    return this.waiting.size;
  }

  /** Something was written that somebody waits for: `serve` is to be called after this command. */
  get isReady(): boolean {
    return this.ready.size > 0;
  }

  /** Blocks the session until one of the keys lets `tryAgain` succeed. Not inside EXEC or a script. */
  wait(session: ClientSession, wait: KeyWait): void {
    const { timeoutMs } = wait;
    const deadlineMs = timeoutMs > 0 ? this.host.clockMs() + timeoutMs : Number.POSITIVE_INFINITY;
    const waiter = { session, wait, deadlineMs, muted: session.replyMode !== 'on' };
    this.waiters.add(waiter);
    for (const key of wait.keys) {
      const queue = this.waiting.get(key);
      if (queue === undefined) this.waiting.set(key, new Set([waiter]));
      else queue.add(waiter);
    }
    this.nextDeadlineMs = Math.min(this.nextDeadlineMs, deadlineMs);
    this.host.touchedKeys.tell(this, true);
    session.block({
      cancel: () => this.forget(waiter),
      expire: () => this.reply(waiter, () => this.timeOut(waiter)),
    });
  }

  touched(key: string): void {
    if (this.waiting.has(key)) this.ready.add(key);
  }

  touchedAll(): void {
    for (const key of this.waiting.keys()) this.ready.add(key);
  }

  /** Serves whoever waits for what was written; to be called when a command has ended. */
  serve(): void {
    // While writes are paused nothing may be popped; what is ready stays so.
    if (this.serving || this.ready.size === 0 || this.host.clients.pausesWrites) return;
    this.serving = true;
    while (this.ready.size > 0) {
      const keys = this.ready;
      this.ready = new Set();
      for (const key of keys) this.serveKey(key);
    }
    this.serving = false;
  }

  /** Lets those go on that were served; to be called when no command of anybody is under way. */
  resume(): void {
    // What they run now may serve others: those follow in the next round, not within.
    if (this.resuming || this.served.length === 0) return;
    this.resuming = true;
    while (this.served.length > 0) {
      const sessions = this.served;
      this.served = [];
      for (const session of sessions) session.unblock();
    }
    this.resuming = false;
  }

  /** `serve` and `resume` outside a client's turn: after batches of other members, and in ticks. */
  turn(): void {
    if (this.ready.size > 0) {
      this.host.db.beginTurn(this.host.clockMs());
      this.serve();
    }
    this.resume();
  }

  /** Ends the waits whose time is over; to be called often. */
  tick(nowMs: number): void {
    if (nowMs < this.nextDeadlineMs) return;
    this.nextDeadlineMs = Number.POSITIVE_INFINITY;
    for (const waiter of [...this.waiters]) {
      if (waiter.deadlineMs > nowMs) {
        this.nextDeadlineMs = Math.min(this.nextDeadlineMs, waiter.deadlineMs);
        continue;
      }
      this.forget(waiter);
      this.reply(waiter, () => this.timeOut(waiter));
      this.served.push(waiter.session);
    }
    this.resume();
  }

  /** The member is no primary any more: as in Redis, all are told so and closed. */
  roleLost(): void {
    for (const waiter of [...this.waiters]) {
      this.forget(waiter);
      waiter.session.output.error(errorText('unblockedByRole'));
      waiter.session.closing = true;
      waiter.session.wake(waiter.session);
    }
  }

  private serveKey(key: string): void {
    const queue = this.waiting.get(key);
    if (queue === undefined) return;
    const { db } = this.host;
    // Who blocks again stands at the end and is not asked twice.
    let left = queue.size;
    for (const waiter of queue) {
      if (left-- === 0) return;
      const { session, wait } = waiter;
      if (session.closing) continue;
      if (wait.type !== 'any' && db.type(key) !== wait.type) continue;
      let done = false;
      this.reply(waiter, () => {
        done = session.tryAgain(() => wait.tryAgain(key));
      });
      if (!done) continue;
      this.forget(waiter);
      session.blocking = null;
      this.served.push(session);
      session.wake(session);
    }
  }

  private timeOut({ wait }: Waiter): void {
    wait.timedOut();
  }

  /** Lets `write` reply, and takes the reply back if the client wanted none. */
  private reply({ session, muted }: Waiter, write: () => void): void {
    const mark = session.output.length;
    write();
    if (muted) session.output.truncate(mark);
  }

  private forget(waiter: Waiter): void {
    if (!this.waiters.delete(waiter)) return;
    for (const key of waiter.wait.keys) {
      const queue = this.waiting.get(key);
      queue?.delete(waiter);
      if (queue?.size === 0) this.waiting.delete(key);
    }
    if (this.waiters.size > 0) return;
    this.ready.clear();
    this.nextDeadlineMs = Number.POSITIVE_INFINITY;
    this.host.touchedKeys.tell(this, false);
  }
}
