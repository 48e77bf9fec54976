/**
 * Times in commands (seconds or ms, from now or since 1970) as the expiry that the database keeps:
 * ms since the Unix epoch, exact up to 2^53. Redis goes on to 2^63; what lies between (years after
 * 285,000) is refused here in the same words.
 */
import { commandError } from './errors.ts';

const INT64_MIN = -(2 ** 63);

export type TimeUnit = {
  readonly kind: 'relative' | 'absolute';
  /** Ms per unit. */
  readonly scale: 1 | 1000;
};

/** The expiry for a time that must be positive (SET EX and its like). `command`: lower case. */
export function expiryFrom(time: number, unit: TimeUnit, nowMs: number, command: string): number {
  const expiryMs = time * unit.scale + (unit.kind === 'relative' ? nowMs : 0);
  if (time <= 0 || !(expiryMs <= Number.MAX_SAFE_INTEGER)) {
    throw commandError('invalidExpire', command);
  }
  return expiryMs;
}

/** The expiry for a time that may lie in the past (EXPIRE and its like). */
export function anyExpiryFrom(
  time: number,
  unit: TimeUnit,
  nowMs: number,
  command: string,
): number {
  const expiryMs = time * unit.scale + (unit.kind === 'relative' ? nowMs : 0);
  // Whatever lies so far back is over, as long as Redis can count its ms in 64 bits.
  if (expiryMs < 0 && time * unit.scale >= INT64_MIN) return Math.max(expiryMs, -1);
  if (!(Math.abs(expiryMs) <= Number.MAX_SAFE_INTEGER)) {
    throw commandError('invalidExpire', command);
  }
  return expiryMs;
}
