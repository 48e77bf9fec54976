/**
 * What kept the event loop from its next event, by cause and for how long: so that a pause that we
 * make is told apart from one that the machine makes.
 *
 * Each stretch of work of the loop is timed by the clock on the wall. Two clocks of the thread, CPU that
 * it used and time that it waited for a core, are read at each tick and after each stretch that took
 * long; what they have advanced since the last reading before the stretch is the most that it can have used
 * or waited. So of 40 ms on the wall with 1 ms of CPU and 39 ms of waiting all was the machine's; and
 * what is neither, the thread was *blocked*: it waited for a device.
 *
 *     input     from the first bytes of a round until its turn: parsing and commands
 *     turn      sealing, frames of peers, sending
 *     log       write(2) of the log
 *     replies   to clients
 *     expiry    the expiry cycle of a tick
 *     image     capturing slots of an image
 *     tick      the rest of a tick: syncs that are begun, links
 *     late      how much later than asked a tick came: everything above, other events, waiting
 */

import type { Clock } from '../env.ts';

export const STALL_CAUSES = [
  'input',
  'turn',
  'log',
  'replies',
  'expiry',
  'image',
  'tick',
  'late',
] as const;
export type StallCause = (typeof STALL_CAUSES)[number];

/** Shorter stretches are not looked at any closer. */
const LONG_MS = 1;
const STALL_MS = 5;

export type Stall = {
  /** Longest stretch by the wall, most CPU that one can have used, longest that one was blocked at least. */
  longestMs: number;
  longestCpuMs: number;
  longestBlockedMs: number;
  /** Stretches of 5 ms or more by the wall, and by CPU. */
  count: number;
  cpuCount: number;
};

/** What the clocks of the thread said, at the latest at `atMs`. */
type Reading = { atMs: number; cpuMs: number; waitedMs: number };

/** A stretch that saw more readings than this is compared with the oldest of them. */
const READINGS = 16;

export class Stalls {
  private readonly clock: Clock;
  private readonly byCause = new Map<StallCause, Stall>();
  /** A ring; `last` is the newest. */
  private readonly readings: Reading[] = [];
  private last = 0;

  constructor(clock: Clock) {
    this.clock = clock;
    this.reset();
  }

  /** Forgets everything (CONFIG RESETSTAT). */
  reset(): void {
    for (const cause of STALL_CAUSES) {
      const none = { longestMs: 0, longestCpuMs: 0, longestBlockedMs: 0, count: 0, cpuCount: 0 };
      this.byCause.set(cause, none);
    }
    const none = { atMs: Number.NEGATIVE_INFINITY, cpuMs: 0, waitedMs: 0 };
    for (let i = 0; i < READINGS; i++) this.readings[i] = { ...none };
    this.read();
    // Nothing is known of what was before.
    for (const reading of this.readings) Object.assign(reading, this.readings[this.last]);
  }

  of(cause: StallCause): Readonly<Stall> {
    return this.byCause.get(cause)!;
  }

  /** A stretch begins that shall be known exactly: the CPU used before it does not count. */
  begin(): number {
    return this.read().atMs;
  }

  /** Ends a stretch that began at `beganMs`; returns the time, where the next one begins. */
  end(cause: StallCause, beganMs: number): number {
    const nowMs = this.clock.monotonicMs();
    const wallMs = nowMs - beganMs;
    if (wallMs >= LONG_MS) this.note(cause, beganMs, wallMs);
    return nowMs;
  }

  /** A tick begins, `lateMs` after it should have; returns the time. */
  tick(lateMs: number): number {
    if (lateMs >= LONG_MS) this.note('late', this.clock.monotonicMs() - lateMs, lateMs);
    else this.read();
    return this.readings[this.last].atMs;
  }

  private note(cause: StallCause, beganMs: number, wallMs: number): void {
    const before = this.before(beganMs);
    const { cpuMs: cpuNowMs, waitedMs } = this.read();
    const stall = this.byCause.get(cause)!;
    // With a clock that does not tell, all of it may have been CPU.
    const hasClock = this.clock.cpuMs !== undefined;
    const cpuMs = hasClock ? Math.min(wallMs, cpuNowMs - before.cpuMs) : wallMs;
    const blockedMs = wallMs - cpuMs - (waitedMs - before.waitedMs);
    stall.longestMs = Math.max(stall.longestMs, wallMs);
    stall.longestCpuMs = Math.max(stall.longestCpuMs, cpuMs);
    stall.longestBlockedMs = Math.max(stall.longestBlockedMs, blockedMs);
    if (wallMs >= STALL_MS) stall.count++;
    if (cpuMs >= STALL_MS) stall.cpuCount++;
  }

  /** The last reading before a moment, or the oldest that is kept; a copy. */
  private before(atMs: number): Reading {
    let at = this.last;
    for (let i = 1; i < READINGS && this.readings[at].atMs > atMs; i++) {
      at = (at + READINGS - 1) % READINGS;
    }
    return { ...this.readings[at] };
  }

  private read(): Reading {
    const { clock } = this;
    this.last = (this.last + 1) % READINGS;
    const reading = this.readings[this.last];
    reading.cpuMs = clock.cpuMs?.() ?? 0;
    reading.waitedMs = clock.waitedMs?.() ?? 0;
    reading.atMs = clock.monotonicMs();
    return reading;
  }
}
