/**
 * Shell: the pause before another try (it draws a random number).
 *
 * Doubles with each failure up to a maximum, with ±20 % jitter, so that many waiting together do
 * not come back together.
 */
const JITTER = 0.2;

/** Milliseconds to wait after the given number of failures in a row (1 or more). */
export function backoffMs(
  failures: number,
  { firstMs, maxMs }: { firstMs: number; maxMs: number },
  random: () => number = Math.random,
): number {
  const plain = Math.min(maxMs, firstMs * 2 ** Math.min(30, Math.max(0, failures - 1)));
  return Math.round(plain * (1 - JITTER + 2 * JITTER * random()));
}
