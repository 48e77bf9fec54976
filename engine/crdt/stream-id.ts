/**
 * Ids of stream entries: two unsigned 64-bit numbers, kept as 16 bytes, big-endian, so that the order
 * of ids is the order of the bytes and every id a client may give is exact.
 */
import type { Bytes } from './dot.ts';

export const STREAM_ID_BYTES = 16;
const HALF_BYTES = 8;
const TWO_32 = 4294967296;
/** High words below this make a safe integer. */
const SAFE_HIGH = 0x200000;

export const STREAM_ID_MIN: Bytes = '\0'.repeat(STREAM_ID_BYTES);
export const STREAM_ID_MAX: Bytes = '\xff'.repeat(STREAM_ID_BYTES);

/** The id `ms-seq`; both are safe integers. */
export function streamId(ms: number, seq: number): Bytes {
  const msHigh = Math.floor(ms / TWO_32);
  const seqHigh = Math.floor(seq / TWO_32);
  // In one piece: two halves joined would be copied once more when they are looked at.
  return String.fromCharCode(
    msHigh >>> 24,
    (msHigh >>> 16) & 255,
    (msHigh >>> 8) & 255,
    msHigh & 255,
    (ms >>> 24) & 255,
    (ms >>> 16) & 255,
    (ms >>> 8) & 255,
    ms & 255,
    seqHigh >>> 24,
    (seqHigh >>> 16) & 255,
    (seqHigh >>> 8) & 255,
    seqHigh & 255,
    (seq >>> 24) & 255,
    (seq >>> 16) & 255,
    (seq >>> 8) & 255,
    seq & 255,
  );
}

/** One half of an id, of a safe integer. */
export function idHalf(value: number): Bytes {
  const high = Math.floor(value / TWO_32);
  return String.fromCharCode(
    high >>> 24,
    (high >>> 16) & 255,
    (high >>> 8) & 255,
    high & 255,
    (value >>> 24) & 255,
    (value >>> 16) & 255,
    (value >>> 8) & 255,
    value & 255,
  );
}

/** One half of an id from decimal digits as Redis takes them; null: no unsigned 64-bit number. */
export function parseIdHalf(text: string): Bytes | null {
  if (!/^(0|[1-9]\d{0,19})$/.test(text)) return null;
  if (text.length < 16) return idHalf(Number(text));
  const value = BigInt(text);
  if (value >= 1n << 64n) return null;
  const bytes = Buffer.alloc(HALF_BYTES);
  bytes.writeBigUInt64BE(value);
  return bytes.latin1Slice(0, HALF_BYTES);
}

/** The half of an id that begins at `at` (0: ms, 8: seq) as a number; NaN when it is not a safe one. */
export function idNumber(id: Bytes, at: number): number {
  const high = word(id, at);
  return high < SAFE_HIGH ? high * TWO_32 + word(id, at + 4) : Number.NaN;
}

/** `ms-seq` in digits. */
export function idText(id: Bytes): string {
  return `${halfText(id, 0)}-${halfText(id, HALF_BYTES)}`;
}

/** The id after this one; null: there is none. */
export function idAfter(id: Bytes): Bytes | null {
  let at = STREAM_ID_BYTES - 1;
  while (at >= 0 && id.charCodeAt(at) === 255) at--;
  if (at < 0) return null;
  const raised = String.fromCharCode(id.charCodeAt(at) + 1);
  return id.slice(0, at) + raised + '\0'.repeat(STREAM_ID_BYTES - 1 - at);
}

/** The id before this one; null: there is none. */
export function idBefore(id: Bytes): Bytes | null {
  let at = STREAM_ID_BYTES - 1;
  while (at >= 0 && id.charCodeAt(at) === 0) at--;
  if (at < 0) return null;
  const lowered = String.fromCharCode(id.charCodeAt(at) - 1);
  return id.slice(0, at) + lowered + '\xff'.repeat(STREAM_ID_BYTES - 1 - at);
}

function word(id: Bytes, at: number): number {
  return (
    ((id.charCodeAt(at) << 24) |
      (id.charCodeAt(at + 1) << 16) |
      (id.charCodeAt(at + 2) << 8) |
      id.charCodeAt(at + 3)) >>>
    0
  );
}

function halfText(id: Bytes, at: number): string {
  const number = idNumber(id, at);
  if (!Number.isNaN(number)) return String(number);
  return String(Buffer.from(id.slice(at, at + HALF_BYTES), 'latin1').readBigUInt64BE());
}
