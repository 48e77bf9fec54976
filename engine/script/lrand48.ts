/**
 * The 48-bit linear congruential generator behind `math.random` in scripts: the same numbers from the
 * same seed on every machine, and the same as in Redis.
 *
 *     x' = (0x5DEECE66D · x + 0xB) mod 2^48, the number is its upper 31 bits
 *
 * The state is kept in two halves of 24 bits, whose products are exact in a double.
 */
const HALF = 0x1000000;
const MULTIPLIER_HIGH = 0x5de;
const MULTIPLIER_LOW = 0xece66d;

/** `math.random` takes numbers modulo this, and divides by it. */
export const LRAND48_MAX = 2 ** 31 - 1;

export class Lrand48 {
  private high = 0x1234ab;
  private low = 0xcd330e;

  /** Begins the sequence of a seed, of which the lower 32 bits count. */
  seed(seed: number): void {
    const bits = seed >>> 0;
    this.high = bits >>> 8;
    this.low = ((bits & 0xff) << 16) | 0x330e;
  }

  /** The next number in [0, 2^31). */
  next(): number {
    const low = this.low * MULTIPLIER_LOW + 0xb;
    const carry = Math.floor(low / HALF);
    const high = this.high * MULTIPLIER_LOW + this.low * MULTIPLIER_HIGH + carry;
    this.low = low % HALF;
    this.high = high % HALF;
    return Math.floor((this.high * HALF + this.low) / 0x20000);
  }
}
