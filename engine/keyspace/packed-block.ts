/**
 * A small set, hash or sorted set as one run of bytes, without a JavaScript object.
 *
 * The question: a set of ten short members costs some 1.5 KB as a Map of arrays of dots, and each
 * member has a dot (8 bytes) and an hlc (8 bytes) besides its own few bytes. The answer: elements
 * one behind the other, each with the number of its *stamp*; what one command has written shares
 * one stamp, so the metadata costs as much as there were different writes, not elements.
 *
 *     u8  n                number of elements, 1..128
 *     u8  m                number of stamps, 1..n
 *     m × u16 actor | u48 seq | u56 hlc
 *     n × u8 stamp | length, name | (hash, sorted set) length, value
 *
 *     length   one byte up to 127, else two: 0x80 | high seven bits, low byte
 *
 * Little-endian but for the length of two bytes. Elements are in the order in which a Map would
 * have them, so that a reader cannot tell which form a key has; those of a sorted set in the order of
 * their scores, which are the values (crdt/score.ts), and then of their names.
 *
 * Validity: 1. names differ; 2. each stamp has an element; 3. a block is never empty.
 *
 * Every element has exactly one dot here and a hash's value is one sibling without increments.
 * What a conflict between regions left, a counter field, or anything beyond the limits stays a
 * rich state (outside-store.ts). Everything is found by walking the bytes: 128 short names
 * take about 0.3 µs.
 */

import { copyBytes } from './keyspace.ts';
import { readScore } from './score-bytes.ts';

/** Sets and hashes of more elements are rich, as in Redis (set-max-listpack-entries). */
export const PACKED_ELEMENTS_MAX = 128;
/** So are those whose block would be larger: an edit copies the block. */
export const PACKED_BYTES_MAX = 8192;

export const HEAD_BYTES = 2;
export const STAMP_BYTES = 15;
/** Where the seq lies in a stamp: what differs first between two stamps of one actor. */
export const STAMP_SEQ_AT = 2;
export const SHORT_LENGTH_MAX = 127;
const TWO_32 = 4294967296;

/** Reads a block in place. Valid until the entry changes. */
export class BlockView {
  /** Number of elements. */
  count = 0;
  /** The current element: its stamp, and where in `bytes` its name and value lie. */
  stamp = 0;
  nameStart = 0;
  nameEnd = 0;
  valueStart = 0;
  valueEnd = 0;
  bytes: Buffer = Buffer.alloc(0);
  private start = 0;
  private hasValues = false;
  private at = 0;
  private left = 0;

  /** Takes the block that begins at `start`, before its first element. */
  open(bytes: Buffer, start: number, hasValues: boolean): void {
    this.bytes = bytes;
    this.start = start;
    this.hasValues = hasValues;
    this.count = bytes[start];
    this.rewind();
  }

  /** No block: nothing is found in it. */
  openEmpty(): void {
    this.count = 0;
    this.left = 0;
  }

  rewind(): void {
    this.left = this.count;
    this.at = this.start + HEAD_BYTES + this.bytes[this.start + 1] * STAMP_BYTES;
  }

  /** Goes to the next element; false: there is none. */
  next(): boolean {
    if (this.left === 0) return false;
    this.left--;
    const { bytes } = this;
    let at = this.at;
    this.stamp = bytes[at++];
    let length = bytes[at++];
    if (length > SHORT_LENGTH_MAX) length = ((length & 0x7f) << 8) | bytes[at++];
    this.nameStart = at;
    at += length;
    this.nameEnd = at;
    if (this.hasValues) {
      length = bytes[at++];
      if (length > SHORT_LENGTH_MAX) length = ((length & 0x7f) << 8) | bytes[at++];
      this.valueStart = at;
      at += length;
      this.valueEnd = at;
    }
    this.at = at;
    return true;
  }

  /** Goes to the element `name[start, end)`; false: there is none. */
  find(name: Uint8Array, start: number, end: number): boolean {
    if (this.count === 0) return false;
    const { bytes, hasValues } = this;
    const wanted = end - start;
    let at = this.start + HEAD_BYTES + bytes[this.start + 1] * STAMP_BYTES;
    for (let left = this.count; left > 0; left--) {
      const element = at++;
      let length = bytes[at++];
      if (length > SHORT_LENGTH_MAX) length = ((length & 0x7f) << 8) | bytes[at++];
      if (length === wanted && sameBytes(bytes, at, name, start, end)) {
        this.at = element;
        this.left = left;
        return this.next();
      }
      at += length;
      if (!hasValues) continue;
      length = bytes[at++];
      if (length > SHORT_LENGTH_MAX) length = ((length & 0x7f) << 8) | bytes[at++];
      at += length;
    }
    return false;
  }

  /** Whether no other element has the stamp of the current one. */
  get ownsStamp(): boolean {
    const { bytes, hasValues } = this;
    const stampCount = bytes[this.start + 1];
    if (stampCount === this.count) return true;
    let users = 0;
    let at = this.start + HEAD_BYTES + stampCount * STAMP_BYTES;
    for (let left = this.count; left > 0; left--) {
      if (bytes[at++] === this.stamp && ++users > 1) return false;
      let length = bytes[at++];
      if (length > SHORT_LENGTH_MAX) length = ((length & 0x7f) << 8) | bytes[at++];
      at += length;
      if (!hasValues) continue;
      length = bytes[at++];
      if (length > SHORT_LENGTH_MAX) length = ((length & 0x7f) << 8) | bytes[at++];
      at += length;
    }
    return true;
  }

  /**
   * Writes the current element anew in place: its stamp, which it must own, and in a hash its value,
   * which must have the length of the old one.
   */
  overwrite(
    actor: number,
    seq: number,
    hlc: number,
    value: Uint8Array,
    valueStart: number,
    valueEnd: number,
  ): void {
    writeStamp(this.bytes, this.stampAt(), actor, seq, hlc);
    if (this.hasValues) copyBytes(value, valueStart, valueEnd, this.bytes, this.valueStart);
  }

  /** Actor, seq and hlc of the current element. */
  get actor(): number {
    const at = this.stampAt();
    return this.bytes[at] | (this.bytes[at + 1] << 8);
  }
  get seq(): number {
    return readSeq(this.bytes, this.stampAt());
  }
  get hlc(): number {
    const { bytes } = this;
    const at = this.stampAt() + 8;
    const high = bytes[at + 4] | (bytes[at + 5] << 8) | (bytes[at + 6] << 16);
    return high * TWO_32 + readU32(bytes, at);
  }

  /** Score of the current element of a sorted set. */
  get score(): number {
    return readScore(this.bytes, this.valueStart);
  }

  private stampAt(): number {
    return this.start + HEAD_BYTES + this.stamp * STAMP_BYTES;
  }
}

/** Writes a stamp at `at`. */
export function writeStamp(
  bytes: Uint8Array,
  at: number,
  actor: number,
  seq: number,
  hlc: number,
): void {
  bytes[at] = actor;
  bytes[at + 1] = actor >>> 8;
  writeU32(bytes, at + STAMP_SEQ_AT, seq);
  const seqHigh = (seq / TWO_32) | 0;
  bytes[at + 6] = seqHigh;
  bytes[at + 7] = seqHigh >>> 8;
  writeU32(bytes, at + 8, hlc);
  const hlcHigh = (hlc / TWO_32) | 0;
  bytes[at + 12] = hlcHigh;
  bytes[at + 13] = hlcHigh >>> 8;
  bytes[at + 14] = hlcHigh >>> 16;
}

/** Whether `bytes` holds `other[start, end)` at `at`. */
export function sameBytes(
  bytes: Uint8Array,
  at: number,
  other: Uint8Array,
  start: number,
  end: number,
): boolean {
  // From the end: names that are numbered differ there ("member:000123"), all else being equal.
  for (at += end - start; start < end; ) if (bytes[--at] !== other[--end]) return false;
  return true;
}

function readU32(bytes: Uint8Array, at: number): number {
  return (bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24)) >>> 0;
}

function writeU32(bytes: Uint8Array, at: number, value: number): void {
  const low = value >>> 0;
  bytes[at] = low;
  bytes[at + 1] = low >>> 8;
  bytes[at + 2] = low >>> 16;
  bytes[at + 3] = low >>> 24;
}

/** The seq in the stamp that begins at `at`. */
export function readSeq(bytes: Uint8Array, at: number): number {
  return (bytes[at + 6] | (bytes[at + 7] << 8)) * TWO_32 + readU32(bytes, at + STAMP_SEQ_AT);
}

/** Bytes of a name or value with its length. */
export function textBytes(length: number): number {
  return length > SHORT_LENGTH_MAX ? length + 2 : length + 1;
}

/** Writes a length and the bytes; returns where they end. */
export function writeText(
  out: Uint8Array,
  at: number,
  text: Uint8Array,
  start: number,
  end: number,
): number {
  const length = end - start;
  if (length > SHORT_LENGTH_MAX) out[at++] = 0x80 | (length >>> 8);
  out[at++] = length;
  copyBytes(text, start, end, out, at);
  return at + length;
}
