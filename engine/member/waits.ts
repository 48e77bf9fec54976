/** WAIT, CRDT.WAIT and CRDT.AFTER: who waits for what, and since when. */

import type { WaitDone } from '../command/context.ts';

type Wait = {
  /** How many have the write now. */
  readonly count: () => number;
  readonly needed: number;
  /** Monotonic ms; Infinity: no limit. */
  readonly untilMs: number;
  readonly done: WaitDone;
};

export class Waits {
  private readonly pending = new Set<Wait>();

  get isEmpty(): boolean {
    return this.pending.size === 0;
  }

  /** Begins a wait; `done` may be called before this returns. The result gives it up. */
  begin(
    count: () => number,
    needed: number,
    timeoutMs: number,
    nowMs: number,
    done: WaitDone,
  ): () => void {
    const have = count();
    if (have >= needed) {
      done(have);
      return () => {};
    }
    const untilMs = timeoutMs === 0 ? Number.POSITIVE_INFINITY : nowMs + timeoutMs;
    const wait = { count, needed, untilMs, done };
    this.pending.add(wait);
    return () => this.pending.delete(wait);
  }

  /** Ends waits that are met or out of time. */
  check(nowMs: number): void {
    for (const wait of [...this.pending]) {
      const have = wait.count();
      if (have < wait.needed && nowMs < wait.untilMs) continue;
      this.pending.delete(wait);
      wait.done(have);
    }
  }
}
