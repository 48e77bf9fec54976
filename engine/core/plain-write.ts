/**
 * The hot forms of a packed entry, written in place: a *plain* string (one sibling, no
 * contributions, a TTL of its own dot or none) and a *tally* (contributions, changed one by one).
 * What is written here equals what applyOp and pack would write; core.test.ts checks that.
 */

import { CHUNK_SHIFT, UNIT_MASK } from '../keyspace/arena.ts';
import {
  CONTRIBUTION_UNITS,
  contributionUnit,
  dotActor,
  entryClass,
  HEADER_UNITS,
  keyOffset,
  LAYOUT_COUNT_SHIFT,
  LAYOUT_SIBLING,
  LAYOUT_VALUE_OUTSIDE,
  META_RICH,
  OUTSIDE_BYTES,
  siblingUnit,
  TTL_NONE,
  TTL_OWN_FINITE,
  TTL_OWN_INFINITE,
  TTL_SEPARATE,
  writeDot,
} from '../keyspace/entry.ts';
import type { KeyPlace } from '../keyspace/key-place.ts';
import { copyBytes, type Keyspace, valueLiesOutside } from '../keyspace/keyspace.ts';

/** Layout of one contribution and nothing else. */
const TALLY_LAYOUT = 1 << LAYOUT_COUNT_SHIFT;

/** Whether an entry with this meta word is a plain string. */
export function isPlain(meta: number): boolean {
  const layout = meta & (0xff & ~LAYOUT_VALUE_OUTSIDE);
  return (
    (meta & META_RICH) === 0 &&
    layout >= (LAYOUT_SIBLING | TTL_NONE) &&
    layout < (LAYOUT_SIBLING | TTL_SEPARATE)
  );
}

/**
 * Makes the key a plain string, new or in place of a plain one.
 * `expiry`: ms, Infinity for a TTL write of "never", NaN for none.
 */
export function writePlain(
  keyspace: Keyspace,
  place: KeyPlace,
  actor: number,
  seq: number,
  hlc: number,
  value: Uint8Array,
  start: number,
  end: number,
  expiry: number,
): void {
  const length = end - start;
  let kind = TTL_NONE;
  if (expiry === Number.POSITIVE_INFINITY) kind = TTL_OWN_INFINITE;
  else if (!Number.isNaN(expiry)) kind = TTL_OWN_FINITE;
  let layout = LAYOUT_SIBLING | kind;
  let ref = place.ref;
  if (ref === 0 || kind === TTL_OWN_FINITE || !overwrites(keyspace, ref, layout, length)) {
    const outside = valueLiesOutside(layout, place.end - place.start, length);
    if (outside) layout |= LAYOUT_VALUE_OUTSIDE;
    ref = keyspace.shape(place, layout, 0, outside ? OUTSIDE_BYTES : length);
    if (outside) keyspace.writeIndex(ref, keyspace.keepOutside(value, start, end));
  }
  const chunk = ref >>> CHUNK_SHIFT;
  const words = keyspace.arena.u32[chunk];
  const floats = keyspace.arena.f64[chunk];
  const unit = siblingUnit(ref, layout);
  writeDot(words, unit << 1, actor, seq);
  floats[unit + 1] = hlc;
  if ((layout & LAYOUT_VALUE_OUTSIDE) === 0) {
    const keyLength = words[((ref & UNIT_MASK) << 1) + 3] & 0xffff;
    copyBytes(value, start, end, keyspace.arena.u8[chunk], keyOffset(ref, layout) + keyLength);
  }
  if (kind === TTL_OWN_FINITE) {
    floats[(ref & UNIT_MASK) + HEADER_UNITS] = expiry;
    keyspace.arm(ref);
  }
}

/** Whether the entry can take the value as it lies; then its length is noted. */
function overwrites(keyspace: Keyspace, ref: number, layout: number, length: number): boolean {
  const words = keyspace.arena.u32[ref >>> CHUNK_SHIFT];
  const word = (ref & UNIT_MASK) << 1;
  const meta = words[word + 2];
  if ((meta & (0xff | META_RICH)) !== layout || length > 0xffff) return false;
  const keyLength = words[word + 3] & 0xffff;
  const lengths = (keyLength | (length << 16)) >>> 0;
  if (entryClass(layout, lengths) !== entryClass(layout, words[word + 3])) return false;
  words[word + 3] = lengths;
  return true;
}

/** Makes a new key with one contribution. */
export function writeTally(
  keyspace: Keyspace,
  place: KeyPlace,
  actor: number,
  seq: number,
  hlc: number,
  cum: number,
  floorSeq: number,
  floorCum: number,
): void {
  const ref = keyspace.shape(place, TALLY_LAYOUT, 0, 0);
  const unit = contributionUnit(ref, TALLY_LAYOUT);
  const floats = keyspace.arena.f64[ref >>> CHUNK_SHIFT];
  writeDot(keyspace.arena.u32[ref >>> CHUNK_SHIFT], unit << 1, actor, seq);
  floats[unit + 1] = hlc;
  floats[unit + 2] = cum;
  floats[unit + 3] = floorSeq;
  floats[unit + 4] = floorCum;
}

/** Unit of the actor's contribution in a packed entry; -1: it has none. */
export function findTally(keyspace: Keyspace, ref: number, meta: number, actor: number): number {
  const words = keyspace.arena.u32[ref >>> CHUNK_SHIFT];
  let unit = contributionUnit(ref, meta);
  for (let i = (meta & 0xff) >>> LAYOUT_COUNT_SHIFT; i > 0; i--) {
    if (dotActor(words, unit << 1) === actor) return unit;
    unit += CONTRIBUTION_UNITS;
  }
  return -1;
}

/** Sum of the live contributions of a packed entry; NaN when it leaves the safe integers. */
export function tallySum(keyspace: Keyspace, ref: number, meta: number): number {
  const floats = keyspace.arena.f64[ref >>> CHUNK_SHIFT];
  let unit = contributionUnit(ref, meta);
  let sum = 0;
  for (let i = (meta & 0xff) >>> LAYOUT_COUNT_SHIFT; i > 0; i--) {
    const part = floats[unit + 2] - floats[unit + 4];
    sum += part;
    if (!Number.isSafeInteger(part) || !Number.isSafeInteger(sum)) return Number.NaN;
    unit += CONTRIBUTION_UNITS;
  }
  return sum;
}

/**
 * `bytes[start, end)` as an integer by Redis' strict rules, up to 15 digits; NaN when it is none
 * or longer (then only the general way tells).
 */
export function parseShortInteger(bytes: Uint8Array, start: number, end: number): number {
  const negative = start < end && bytes[start] === 0x2d;
  let at = negative ? start + 1 : start;
  const digits = end - at;
  if (digits < 1 || digits > 15) return Number.NaN;
  if (bytes[at] === 0x30) return digits === 1 && !negative ? 0 : Number.NaN;
  let value = 0;
  for (; at < end; at++) {
    const digit = bytes[at] - 0x30;
    if (digit < 0 || digit > 9) return Number.NaN;
    value = value * 10 + digit;
  }
  return negative ? -value : value;
}
