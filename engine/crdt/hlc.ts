/**
 * A hybrid logical clock stamps writes with a number that follows the wall clock but never goes
 * back and is always greater than every stamp its member has seen. It decides nothing but who is
 * the last writer among *concurrent* writes.
 *
 *     53-bit number =  41 bits of ms since 2024-01-01T00:00Z  |  12-bit count
 *
 * So it is a safe integer, and "one more" is +1: a count that overflows runs into the next ms.
 * A peer whose clock is far ahead would win every race until the others catch up, and would drag
 * their clocks with it: a stamp more than `HLC_AHEAD_MAX_MS` ahead of our wall clock is refused.
 *
 * (Kulkarni et al., Logical Physical Clocks, 2014.)
 */
export const HLC_EPOCH_MS = 1704067200000;
export const HLC_COUNT_SPAN = 4096;
export const HLC_MAX = 2 ** 53 - 1;
/** How far ahead of this member's wall clock a remote stamp may be. */
export const HLC_AHEAD_MAX_MS = 60 * 60 * 1000;

/** The clock of a member: the greatest stamp it has given or seen. */
export type HlcClock = { last: number };

export function newClock(): HlcClock {
  return { last: 0 };
}

/** The first stamp of a wall-clock millisecond (ms since the Unix epoch). */
export function hlcOfMs(nowMs: number): number {
  return nowMs <= HLC_EPOCH_MS ? 0 : Math.floor(nowMs - HLC_EPOCH_MS) * HLC_COUNT_SPAN;
}

/** The wall-clock part of a stamp, ms since the Unix epoch. */
export function msOfHlc(hlc: number): number {
  return Math.floor(hlc / HLC_COUNT_SPAN) + HLC_EPOCH_MS;
}

/** A fresh stamp for a local write: greater than every stamp given or received before. */
export function tick(clock: HlcClock, nowMs: number): number {
  clock.last = nextTick(clock, nowMs);
  return clock.last;
}

/** The stamp that `tick` would give, without giving it. */
export function nextTick(clock: HlcClock, nowMs: number): number {
  const wall = hlcOfMs(nowMs);
  return wall > clock.last ? wall : clock.last + 1;
}

/** Notes a remote stamp (already checked by `describeBadHlc`): later ticks are greater. */
export function receive(clock: HlcClock, remoteHlc: number): void {
  if (remoteHlc > clock.last) clock.last = remoteHlc;
}

/** What is wrong with a remote stamp at wall time `nowMs`, or null. */
export function describeBadHlc(hlc: number, nowMs: number): string | null {
  if (!Number.isSafeInteger(hlc) || hlc < 0) return 'hlc is not a whole number below 2^53';
  const aheadMs = msOfHlc(hlc) - nowMs;
  if (aheadMs <= HLC_AHEAD_MAX_MS) return null;
  const seconds = Math.floor(aheadMs / 1000);
  return `hlc is ${seconds} s ahead of this clock, at most ${HLC_AHEAD_MAX_MS / 1000} s allowed`;
}
