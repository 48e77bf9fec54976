/**
 * What kept the event loop from its next event, by cause and for how long: so that a pause that we
 * make is told apart from one that the machine makes.
 *
 * Each stretch of work of the loop is timed by the clock on the wall. A clock of the thread's own CPU
 * time is read at each tick and after each stretch that took long; the CPU used since the reading
 * before is an upper bound for what the stretch used itself. So of 40 ms on the wall with 1 ms of CPU the
 * rest was waiting: for a core (whatever the cause), or for the device (`log`, which writes).
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
  /** Longest stretch by the wall, and the most CPU that one can have used, in ms. */
  longestMs: number;
  longestCpuMs: number;
  /** Stretches of 5 ms or more by the wall, and by CPU. */
  count: number;
  cpuCount: number;
};

export class Stalls {
  private readonly clock: Clock;
  private readonly byCause = new Map<StallCause, Stall>();
  private cpuMs = 0;

  constructor(clock: Clock) {
    this.clock = clock;
    this.reset();
  }

  /** Forgets everything (CONFIG RESETSTAT). */
  reset(): void {
    for (const cause of STALL_CAUSES) {
      this.byCause.set(cause, { longestMs: 0, longestCpuMs: 0, count: 0, cpuCount: 0 });
    }
    this.readCpu();
  }

  of(cause: StallCause): Readonly<Stall> {
    return this.byCause.get(cause)!;
  }

  /** A stretch begins that shall be known exactly: the CPU used before it does not count. */
  begin(): number {
    this.readCpu();
    return this.clock.monotonicMs();
  }

  /** Ends a stretch that began at `beganMs`; returns the time, where the next one begins. */
  end(cause: StallCause, beganMs: number): number {
    const nowMs = this.clock.monotonicMs();
    const wallMs = nowMs - beganMs;
    if (wallMs >= LONG_MS) this.note(cause, wallMs, Math.min(wallMs, this.readCpu()));
    return nowMs;
  }

  /** A tick begins: `lateMs` after it should have. */
  tick(lateMs: number): void {
    const cpuMs = this.readCpu();
    if (lateMs >= LONG_MS) this.note('late', lateMs, Math.min(lateMs, cpuMs));
  }

  private note(cause: StallCause, wallMs: number, cpuMs: number): void {
    const stall = this.byCause.get(cause)!;
    if (wallMs > stall.longestMs) stall.longestMs = wallMs;
    if (cpuMs > stall.longestCpuMs) stall.longestCpuMs = cpuMs;
    if (wallMs >= STALL_MS) stall.count++;
    if (cpuMs >= STALL_MS) stall.cpuCount++;
  }

  /** CPU ms of this thread since the last reading; with a clock that has none, more than anything takes. */
  private readCpu(): number {
    if (this.clock.cpuMs === undefined) return Number.POSITIVE_INFINITY;
    const before = this.cpuMs;
    this.cpuMs = this.clock.cpuMs();
    return this.cpuMs - before;
  }
}
