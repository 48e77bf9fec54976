/**
 * MurmurHash64A by Austin Appleby, with Redis' seed for HyperLogLog. JavaScript has no 64-bit integers that
 * are quick, so the hash is two 32-bit halves; the 64-bit product is put together from 16-bit ones.
 */

const SEED = 0xadc83b19;
const M_HIGH = 0xc6a4a793;
const M_LOW = 0x5bd1e995;
const M_LOW_0 = M_LOW & 0xffff;
const M_LOW_1 = M_LOW >>> 16;

/** The upper half of the last hash. */
let high = 0;
/** The lower half of the last hash. */
let low = 0;

/** The halves of the hash of `buf[start, end)`, both unsigned. */
export function murmur64(
  buf: Uint8Array,
  start: number,
  end: number,
): { readonly high: number; readonly low: number } {
  const length = end - start;
  high = 0;
  low = length >>> 0;
  multiply();
  low = (low ^ SEED) >>> 0;
  let hashHigh = high;
  let hashLow = low;
  const whole = start + (length & ~7);
  for (let at = start; at < whole; at += 8) {
    low = word(buf, at);
    high = word(buf, at + 4);
    multiply();
    mix();
    multiply();
    low = (low ^ hashLow) >>> 0;
    high = (high ^ hashHigh) >>> 0;
    multiply();
    hashHigh = high;
    hashLow = low;
  }
  high = hashHigh;
  low = hashLow;
  if (whole < end) {
    for (let at = end - 1; at >= whole; at--) {
      const shift = (at - whole) * 8;
      if (shift >= 32) high = (high ^ (buf[at] << (shift - 32))) >>> 0;
      else low = (low ^ (buf[at] << shift)) >>> 0;
    }
    multiply();
  }
  mix();
  multiply();
  mix();
  return { high, low };
}

function word(buf: Uint8Array, at: number): number {
  return (buf[at] | (buf[at + 1] << 8) | (buf[at + 2] << 16) | (buf[at + 3] << 24)) >>> 0;
}

/** hash ^= hash >> 47 */
function mix(): void {
  low = (low ^ (high >>> 15)) >>> 0;
}

/** hash *= M, in 64 bits. */
function multiply(): void {
  const low0 = low & 0xffff;
  const low1 = low >>> 16;
  const first = low0 * M_LOW_0;
  const second = low1 * M_LOW_0 + (first >>> 16);
  const third = low0 * M_LOW_1 + (second & 0xffff);
  const carry = low1 * M_LOW_1 + (second >>> 16) + (third >>> 16);
  high = (carry + Math.imul(high, M_LOW) + Math.imul(low, M_HIGH)) >>> 0;
  low = ((third << 16) | (first & 0xffff)) >>> 0;
}
