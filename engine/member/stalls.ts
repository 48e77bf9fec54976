/**
 * What kept the event loop from its next event, by cause and for how long: so that a pause that we
 * make is told apart from one that the machine makes.
 *
 * Each stretch of work of the loop is timed by the clock on the wall. Two clocks of the thread, CPU that
 * it used and time that it waited for a core, are read at each tick and after each stretch that took
 * long; what they have advanced since the reading before is the most that the stretch can have used or
 * waited. So of 40 ms on the wall with 1 ms of CPU and 39 ms of waiting all was the machine's; and
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

export class Stalls {
  private readonly clock: Clock;
  private readonly byCause = new Map<StallCause, Stall>();
  private cpuMs = 0;
  private waitedMs = 0;
  /** What both have advanced by between the last two readings. */
  private usedMs = 0;
  private waitMs = 0;

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
    this.read();
  }

  of(cause: StallCause): Readonly<Stall> {
    return this.byCause.get(cause)!;
  }

  /** A stretch begins that shall be known exactly: the CPU used before it does not count. */
  begin(): number {
    this.read();
    return this.clock.monotonicMs();
  }

  /** Ends a stretch that began at `beganMs`; returns the time, where the next one begins. */
  end(cause: StallCause, beganMs: number): number {
    const nowMs = this.clock.monotonicMs();
    const wallMs = nowMs - beganMs;
    if (wallMs >= LONG_MS) {
      this.read();
      this.note(cause, wallMs);
    }
    return nowMs;
  }

  /** A tick begins: `lateMs` after it should have. */
  tick(lateMs: number): void {
    this.read();
    if (lateMs >= LONG_MS) this.note('late', lateMs);
  }

  private note(cause: StallCause, wallMs: number): void {
    const cpuMs = Math.min(wallMs, this.usedMs);
    const blockedMs = wallMs - cpuMs - this.waitMs;
    const stall = this.byCause.get(cause)!;
    if (wallMs > stall.longestMs) stall.longestMs = wallMs;
    if (cpuMs > stall.longestCpuMs) stall.longestCpuMs = cpuMs;
    if (blockedMs > stall.longestBlockedMs) stall.longestBlockedMs = blockedMs;
    if (wallMs >= STALL_MS) stall.count++;
    if (cpuMs >= STALL_MS) stall.cpuCount++;
  }

  /** With clocks that do not tell, all of a stretch may have been CPU. */
  private read(): void {
    const { clock } = this;
    const cpuMs = clock.cpuMs?.() ?? Number.POSITIVE_INFINITY;
    const waitedMs = clock.waitedMs?.() ?? 0;
    this.usedMs = cpuMs === Number.POSITIVE_INFINITY ? cpuMs : cpuMs - this.cpuMs;
    this.waitMs = waitedMs - this.waitedMs;
    this.cpuMs = cpuMs;
    this.waitedMs = waitedMs;
  }
}
