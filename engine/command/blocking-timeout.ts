/** The timeout of blocking commands, in ms; 0: for ever. Refused in Redis' words. */
import type { Args } from '../resp/args.ts';
import { commandError } from './errors.ts';

const INT64_MAX = 2 ** 63;

/** Argument `i` as seconds, perhaps with a fraction (BLPOP): ms, rounded up. */
export function readTimeoutSeconds(args: Args, i: number, nowMs: number): number {
  const seconds = args.float(i);
  if (Number.isNaN(seconds)) throw commandError('timeoutNotFloat');
  if (seconds * 1000 > INT64_MAX) throw commandError('timeoutRange');
  return checked(Math.ceil(seconds * 1000), nowMs);
}

/** Argument `i` as whole milliseconds (XREAD BLOCK). */
export function readTimeoutMs(args: Args, i: number, nowMs: number): number {
  const ms = args.int64(i);
  if (ms === null) throw commandError('timeoutNotInteger');
  return checked(Number(ms), nowMs);
}

function checked(ms: number, nowMs: number): number {
  if (ms < 0) throw commandError('timeoutNegative');
  // Math.ceil of a small negative number is -0.
  if (ms > INT64_MAX - nowMs) throw commandError('timeoutRange');
  return ms + 0;
}
