/**
 * How many different elements a HyperLogLog has seen, by Redis' estimator and with its arithmetic, so
 * that both give the same number for the same elements.
 *
 * (Ertl, New cardinality estimation algorithms for HyperLogLog sketches, 2017.)
 */
import { histogram, REGISTER_COUNT, type Registers } from '../crdt/registers.ts';
import { murmur64 } from './murmur.ts';

/** Bits of the hash behind those that choose the register. */
const PATTERN_BITS = 50;
const INDEX_BITS = 14;
const ALPHA = 0.7213475204444817;

/** The register that `buf[start, end)` counts in, and the value it raises it to. */
export function registerOf(
  buf: Uint8Array,
  start: number,
  end: number,
): { readonly index: number; readonly value: number } {
  const { high, low } = murmur64(buf, start, end);
  const index = low & (REGISTER_COUNT - 1);
  // Zeros before the first 1 of the bits from 14 on; a 1 stands behind the last of them.
  const rest = low >>> INDEX_BITS;
  if (rest !== 0) return { index, value: trailingZeros(rest) + 1 };
  const upper = high === 0 ? PATTERN_BITS : 32 - INDEX_BITS + trailingZeros(high);
  return { index, value: upper + 1 };
}

/** The estimated number of different elements. */
export function cardinality(registers: Registers): number {
  const counts = histogram(registers);
  const m = REGISTER_COUNT;
  let z = m * tau((m - counts[PATTERN_BITS + 1]) / m);
  for (let value = PATTERN_BITS; value >= 1; value--) {
    z += counts[value];
    z *= 0.5;
  }
  z += m * sigma(counts[0] / m);
  return Math.round((ALPHA * m * m) / z);
}

function trailingZeros(word: number): number {
  return 31 - Math.clz32(word & -word);
}

function sigma(start: number): number {
  if (start === 1) return Number.POSITIVE_INFINITY;
  let x = start;
  let y = 1;
  let z = x;
  for (let before = Number.NaN; before !== z; ) {
    x *= x;
    before = z;
    z += x * y;
    y += y;
  }
  return z;
}

function tau(start: number): number {
  if (start === 0 || start === 1) return 0;
  let x = start;
  let y = 1;
  let z = 1 - x;
  for (let before = Number.NaN; before !== z; ) {
    x = Math.sqrt(x);
    before = z;
    y *= 0.5;
    z -= (1 - x) ** 2 * y;
  }
  return z / 3;
}
