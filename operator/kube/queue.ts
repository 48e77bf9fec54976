/**
 * Shell: a queue of keys that need work (it sets timers).
 *
 * A key that is added many times is worked on once; a key that is added while it is being worked
 * on is worked on once more afterwards; two runs of one key never overlap. A failed key comes back
 * after a pause of its own; adding it plainly does not wait for that pause, because something new
 * happened.
 */
import { backoffMs } from './backoff.ts';

const BACKOFF = { firstMs: 50, maxMs: 30_000 };
const WORKERS_MAX = 4;

export class WorkQueue {
  private readonly work: (key: string) => Promise<number | null>;
  private readonly onError: (key: string, error: unknown) => void;
  private readonly waiting: string[] = [];
  private readonly running = new Set<string>();
  private readonly again = new Set<string>();
  private readonly timers = new Map<string, { timer: NodeJS.Timeout; atMs: number }>();
  private readonly failures = new Map<string, number>();
  private stopped = false;

  /** `work` gives the milliseconds after which it wants to run again, or null. */
  constructor(
    work: (key: string) => Promise<number | null>,
    onError: (key: string, error: unknown) => void,
  ) {
    this.work = work;
    this.onError = onError;
  }

  /** Number of keys that wait or are being worked on. */
  get size(): number {
    return this.waiting.length + this.running.size;
  }

  add(key: string): void {
    if (this.stopped) return;
    this.cancel(key);
    if (this.running.has(key)) {
      this.again.add(key);
    } else if (!this.waiting.includes(key)) {
      this.waiting.push(key);
      this.start();
    }
  }

  /** Adds the key later, or sooner if it was already to come later than that. */
  addAfter(key: string, ms: number): void {
    const atMs = Date.now() + ms;
    const pending = this.timers.get(key);
    if (this.stopped || (pending !== undefined && pending.atMs <= atMs)) return;
    this.cancel(key);
    this.timers.set(key, { timer: setTimeout(() => this.add(key), ms), atMs });
  }

  /** Forgets a key that is gone for good. */
  forget(key: string): void {
    this.cancel(key);
    this.failures.delete(key);
  }

  /** Takes no more keys; what runs is left to end. */
  stop(): void {
    this.stopped = true;
    this.waiting.length = 0;
    for (const key of [...this.timers.keys()]) this.cancel(key);
  }

  private cancel(key: string): void {
    clearTimeout(this.timers.get(key)?.timer);
    this.timers.delete(key);
  }

  private start(): void {
    while (!this.stopped && this.waiting.length > 0 && this.running.size < WORKERS_MAX) {
      void this.run(this.waiting.shift() as string);
    }
  }

  private async run(key: string): Promise<void> {
    this.running.add(key);
    try {
      const againMs = await this.work(key);
      this.failures.delete(key);
      if (againMs !== null) this.addAfter(key, againMs);
    } catch (error) {
      const failures = (this.failures.get(key) ?? 0) + 1;
      this.failures.set(key, failures);
      this.onError(key, error);
      this.addAfter(key, backoffMs(failures, BACKOFF));
    }
    this.running.delete(key);
    if (this.again.delete(key)) this.add(key);
    this.start();
  }
}
