/**
 * Reads what byte-writer.ts writes, from bytes that nobody vouches for. It never throws: the
 * first thing that is wrong is kept in `problem`, and every later read gives 0 or ''. Counts are
 * checked against the bytes that are left before anything is made of them, so that a lie about
 * a length costs nothing.
 */
import { type Amount, isNormalAmount } from '../crdt/amount.ts';
import type { Bytes } from '../crdt/dot.ts';
import { AMOUNT_BYTES_MAX, AMOUNT_TAG } from './byte-writer.ts';

const TWO_32 = 4294967296;

export class ByteReader {
  readonly bytes: Buffer;
  readonly view: DataView;
  at = 0;
  end: number;
  /** What is wrong with the bytes, or null so far. */
  problem: string | null = null;

  constructor(bytes: Uint8Array) {
    this.bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.end = bytes.byteLength;
  }

  /** Notes what is wrong; the first complaint stays. Returns 0 for the reader's own use. */
  fail(problem: string): 0 {
    this.problem ??= problem;
    this.at = this.end;
    return 0;
  }

  /** Whether `count` more bytes are there. */
  private has(count: number): boolean {
    if (this.problem === null && this.at + count <= this.end) return true;
    this.fail('cut short');
    return false;
  }

  u8(): number {
    return this.has(1) ? this.bytes[this.at++] : 0;
  }

  u16(): number {
    if (!this.has(2)) return 0;
    this.at += 2;
    return this.view.getUint16(this.at - 2, true);
  }

  u32(): number {
    if (!this.has(4)) return 0;
    this.at += 4;
    return this.view.getUint32(this.at - 4, true);
  }

  u48(): number {
    if (!this.has(6)) return 0;
    this.at += 6;
    return this.view.getUint32(this.at - 6, true) + this.view.getUint16(this.at - 2, true) * TWO_32;
  }

  f64(): number {
    if (!this.has(8)) return 0;
    this.at += 8;
    const value = this.view.getFloat64(this.at - 8, true);
    // Nothing writes it, and two encodings of one state would be two states.
    return Object.is(value, -0) ? this.fail('a negative zero') : value;
  }

  raw(length: number): Bytes {
    if (!this.has(length)) return '';
    this.at += length;
    return this.bytes.latin1Slice(this.at - length, this.at);
  }

  text(bytesMax: number): Bytes {
    const length = this.u32();
    if (length > bytesMax) {
      this.fail(`a text of ${length} bytes, at most ${bytesMax} allowed`);
      return '';
    }
    return this.raw(length);
  }

  /** A u16 or u32 count of items that take at least `bytesEach`. */
  count(width: 16 | 32, bytesEach: number): number {
    const count = width === 16 ? this.u16() : this.u32();
    if (count * bytesEach <= this.end - this.at) return count;
    return this.fail('cut short');
  }

  /** A sequence number: 1 to 2^48 - 1. */
  seq(): number {
    const seq = this.u48();
    return seq > 0 ? seq : this.fail('seq 0');
  }

  /** A hybrid logical clock: whole, not negative, a safe integer. */
  hlc(): number {
    const hlc = this.f64();
    return Number.isSafeInteger(hlc) && hlc >= 0 ? hlc : this.fail('hlc is no whole number');
  }

  amount(): Amount {
    const tag = this.u8();
    if (tag === AMOUNT_TAG.integer) {
      const integer = this.f64();
      return isNormalAmount(integer) ? integer : this.fail('an amount that is no safe integer');
    }
    if (tag !== AMOUNT_TAG.positive && tag !== AMOUNT_TAG.negative) {
      return this.fail('an amount of unknown form');
    }
    const length = this.count(16, 1);
    if (length === 0 || length > AMOUNT_BYTES_MAX) return this.fail('an amount of bad length');
    if (this.bytes[this.at + length - 1] === 0) return this.fail('an amount with padding');
    const digits = Buffer.from(this.bytes.subarray(this.at, this.at + length)).reverse();
    this.at += length;
    const magnitude = BigInt(`0x${digits.toString('hex')}`);
    const amount = tag === AMOUNT_TAG.negative ? -magnitude : magnitude;
    return isNormalAmount(amount) ? amount : this.fail('an amount that is not normal');
  }
}
