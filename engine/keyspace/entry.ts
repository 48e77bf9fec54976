/**
 * One key in the arena: its fields by offset, and how to read them in place.
 *
 *     word 0    u32   next entry of the slot          (slot-list.ts)
 *     word 1    u32   previous entry of the slot
 *     word 2    u8    layout: bits 0-1 TTL kind, 2 sibling, 3 value outside, 4-7 contributions
 *               u8    when or how often it was used (access.ts)
 *               u16   bits 0-13 slot, 14 rich, 15 key outside
 *     word 3    u16   length of the key as stored here
 *               u16   length of the value as stored here
 *     then, each a multiple of 8 bytes:
 *       TTL kind 2, 3   f64 expiry (rich: when it is due) | u32 next, u32 previous in the wheel
 *       TTL kind 3      dot | f64 hlc                     of the TTL write
 *       sibling         dot | f64 hlc
 *       contributions   n × (dot | f64 hlc | f64 cum | f64 floorSeq | f64 floorCum)
 *     then without padding: key bytes, value bytes.
 *
 *     dot = u32 low half of seq | u16 high part of seq | u16 actor
 *
 * TTL kind 0: no TTL write. 1: the sibling's own dot wrote "infinite" (a plain SET). 2: the
 * sibling's own dot wrote a finite expiry (SETEX). 3: one TTL write with another dot.
 *
 * A *block* entry is a small set, hash or sorted set: its value is a packed block (packed-block.ts), bits 4-7 of
 * its layout say of which type, and its TTL kind is 0 or 3. It has the flag rich too, so that
 * whatever handles strings in place keeps off it. A *table* entry is a larger one: the same, but its
 * value is the ref (4 bytes) of a table (element-table.ts).
 *
 * A *rich* entry is anything that does not fit this: bytes 0-3 of its value are an index into the
 * keyspace's JS states, it has no sibling or contributions, and its TTL kind is 2 when it waits in
 * the wheel, else 0. A key or value that would make the block too large lies *outside*: the 4
 * stored bytes are an index into the keyspace's JS byte arrays.
 *
 * The size class of the block follows from layout and lengths (`entryClass`): it is always the
 * smallest that holds the entry.
 *
 * Validity: 1. the block was allocated with that class; 2. kinds 1 and 2 of a packed
 * entry have a sibling; 3. an entry with a finite expiry is in the wheel (expiry-index.ts); 4. the
 * contributions are in the order of KeyState.
 */

import { type Arena, CHUNK_SHIFT, CLASS_OF_UNITS, UNIT_MASK } from './arena.ts';

export const TTL_NONE = 0;
export const TTL_OWN_INFINITE = 1;
export const TTL_OWN_FINITE = 2;
export const TTL_SEPARATE = 3;
export const TTL_KIND_MASK = 3;
export const LAYOUT_SIBLING = 4;
export const LAYOUT_VALUE_OUTSIDE = 8;
export const LAYOUT_COUNT_SHIFT = 4;
/** In the place of the number of contributions: what a block entry holds. */
export const BLOCK_MASK = 0xf0;
export const BLOCK_SET = 0x90;
export const BLOCK_HASH = 0xa0;
export const TABLE_SET = 0xb0;
export const TABLE_HASH = 0xc0;
export const BLOCK_ZSET = 0xd0;
export const TABLE_ZSET = 0xe0;
export const SLOT_MASK = 0x3fff;
/** Flags in word 2. */
export const META_RICH = 0x40000000;
export const META_KEY_OUTSIDE = 0x80000000;
export const META_SLOT_SHIFT = 16;
export const META_ACCESS_SHIFT = 8;
export const META_ACCESS_MASK = 0xff00;

export const HEADER_UNITS = 2;
export const SIBLING_UNITS = 2;
export const CONTRIBUTION_UNITS = 5;
export const CONTRIBUTIONS_MAX = 8;
/** Units of the TTL section, by TTL kind. */
export const TTL_UNITS: Uint8Array = Uint8Array.of(0, 0, 2, 4);
/** What an index to something outside takes in the entry. */
export const OUTSIDE_BYTES = 4;

/** Units before the key, by layout. */
export const UNITS_BEFORE_KEY: Uint8Array = makeUnitsBeforeKey();

function makeUnitsBeforeKey(): Uint8Array {
  const units = new Uint8Array(256);
  for (let layout = 0; layout < 256; layout++) {
    const sibling = (layout & LAYOUT_SIBLING) !== 0 ? SIBLING_UNITS : 0;
    const count = layout >>> LAYOUT_COUNT_SHIFT;
    const contributions = count > CONTRIBUTIONS_MAX ? 0 : count * CONTRIBUTION_UNITS;
    units[layout] = HEADER_UNITS + TTL_UNITS[layout & TTL_KIND_MASK] + sibling + contributions;
  }
  return units;
}

const TWO_32 = 4294967296;

/** Word 2: layout, size class, slot and flags. */
export function metaOf(arena: Arena, ref: number): number {
  return arena.u32[ref >>> CHUNK_SHIFT][((ref & UNIT_MASK) << 1) + 2];
}

/** Size class of the block of an entry with this layout and word 3. */
export function entryClass(layout: number, lengths: number): number {
  const bytes = (lengths & 0xffff) + (lengths >>> 16);
  return CLASS_OF_UNITS[UNITS_BEFORE_KEY[layout & 0xff] + ((bytes + 7) >>> 3)];
}

/** What the entry with this meta word is if it is a collection off the heap: BLOCK_SET, …; else 0. */
export function collectionKind(meta: number): number {
  return (meta & META_RICH) === 0 ? 0 : meta & BLOCK_MASK;
}

/** As `collectionKind`, but 0 for a table. */
export function blockKind(meta: number): number {
  const kind = collectionKind(meta);
  return isTableKind(kind) ? 0 : kind;
}

/** As `collectionKind`, but 0 for a block. */
export function tableKind(meta: number): number {
  const kind = collectionKind(meta);
  return isTableKind(kind) ? kind : 0;
}

/** Whether a collection of this kind is a table. */
export function isTableKind(kind: number): boolean {
  return kind === TABLE_SET || kind === TABLE_HASH || kind === TABLE_ZSET;
}

/** Whether the elements of a collection of this kind have values: fields' values, or scores. */
export function hasValues(kind: number): boolean {
  return kind !== BLOCK_SET && kind !== TABLE_SET;
}

/** Offset of the key's first stored byte in the chunk of `ref`. */
export function keyOffset(ref: number, meta: number): number {
  return ((ref & UNIT_MASK) + UNITS_BEFORE_KEY[meta & 0xff]) << 3;
}

/** Unit index of the sibling section in its chunk; valid when the layout has one. */
export function siblingUnit(ref: number, meta: number): number {
  return (ref & UNIT_MASK) + HEADER_UNITS + TTL_UNITS[meta & TTL_KIND_MASK];
}

/** Unit index of the first contribution. */
export function contributionUnit(ref: number, meta: number): number {
  return siblingUnit(ref, meta) + ((meta & LAYOUT_SIBLING) !== 0 ? SIBLING_UNITS : 0);
}

/** Unit index of the dot of a separate TTL write (kind 3). */
export function ttlDotUnit(ref: number): number {
  return (ref & UNIT_MASK) + HEADER_UNITS + 2;
}

/** The seq in a dot that lies at word `at`. */
export function dotSeq(words: Uint32Array, at: number): number {
  return (words[at + 1] & 0xffff) * TWO_32 + words[at];
}

/** The actor in a dot that lies at word `at`. */
export function dotActor(words: Uint32Array, at: number): number {
  return words[at + 1] >>> 16;
}

export function writeDot(words: Uint32Array, at: number, actor: number, seq: number): void {
  words[at] = seq >>> 0;
  words[at + 1] = ((actor << 16) | (seq / TWO_32)) >>> 0;
}

/** Expiry in ms (of a rich entry: when it is due); Infinity when the entry has none. */
export function expiryOf(arena: Arena, ref: number): number {
  const meta = metaOf(arena, ref);
  if ((meta & TTL_KIND_MASK) < TTL_OWN_FINITE) return Number.POSITIVE_INFINITY;
  return arena.f64[ref >>> CHUNK_SHIFT][(ref & UNIT_MASK) + HEADER_UNITS];
}

/** The index to something outside that lies at byte `at`. */
export function readIndex(bytes: Uint8Array, at: number): number {
  return (bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24)) >>> 0;
}

export function writeIndexAt(bytes: Uint8Array, at: number, index: number): void {
  bytes[at] = index;
  bytes[at + 1] = index >>> 8;
  bytes[at + 2] = index >>> 16;
  bytes[at + 3] = index >>> 24;
}
