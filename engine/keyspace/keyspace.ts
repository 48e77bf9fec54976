/**
 * All keys of a member: table, arena, slot lists, expiry index and what lies outside the arena.
 *
 * It knows the layout of an entry (entry.ts) but not what the fields mean: packed-string.ts turns
 * an entry into a key's state and back, engine/core/ changes fields in place on its hot paths.
 *
 * A change of shape goes in three steps, so that nothing has to be allocated for it:
 *
 *     ref = keyspace.shape(place, layout, flags, valueLength)   room, header, key
 *     the caller writes the sections and the value
 *     keyspace.arm(ref)                                         the wheel
 *
 * `hash` is always `hash.of` the key. A ref is valid until the next `shape` or `remove` of its key.
 */

import type { KeyState } from '../crdt/key-state.ts';
import { AccessClock } from './access.ts';
import { Arena, BLOCK_BYTES_MAX, CHUNK_SHIFT, CLASS_UNITS, UNIT_MASK } from './arena.ts';
import { ElementTables } from './element-table.ts';
import {
  collectionKind,
  dotActor,
  entryClass,
  expiryOf,
  HEADER_UNITS,
  keyOffset,
  LAYOUT_VALUE_OUTSIDE,
  META_ACCESS_MASK,
  META_ACCESS_SHIFT,
  META_KEY_OUTSIDE,
  META_RICH,
  META_SLOT_SHIFT,
  metaOf,
  OUTSIDE_BYTES,
  readIndex,
  SLOT_MASK,
  siblingUnit,
  TTL_KIND_MASK,
  TTL_OWN_FINITE,
  TTL_SEPARATE,
  tableKind,
  ttlDotUnit,
  UNITS_BEFORE_KEY,
  writeIndexAt,
} from './entry.ts';
import { ExpiryIndex } from './expiry-index.ts';
import { KeyHash } from './key-hash.ts';
import type { KeyPlace } from './key-place.ts';
import { OutsideStore } from './outside-store.ts';
import { SlotLists } from './slot-list.ts';
import { Table } from './table.ts';

/** Longer keys lie outside, so that the rest of a block always has room for the sections. */
const KEY_INLINE_MAX = 16 * 1024;
/** Up to here a loop in JavaScript beats a call into the runtime (measured in both). */
const LOOP_BYTES_MAX = 32;
/** Links of an entry that is not in the wheel. */
const UNLINKED = 0xffffffff;

/** What of the meta word an entry keeps when it changes its shape. */
const META_KEPT = META_KEY_OUTSIDE | (SLOT_MASK << META_SLOT_SHIFT) | META_ACCESS_MASK;

/** A key state that does not fit a packed entry. */
export type RichState = { state: KeyState; dead: boolean };

export class Keyspace {
  readonly arena: Arena;
  readonly table: Table;
  readonly slots: SlotLists;
  readonly expiry: ExpiryIndex;
  readonly access: AccessClock;
  readonly hash: KeyHash;
  readonly rich: OutsideStore<RichState> = new OutsideStore();
  /** Large sets and hashes. */
  readonly tables: ElementTables;
  /** Rich entries that do not exist for clients (TTL writes only). */
  deadCount = 0;
  /** Where the last `locateKey` or `locateValue` found the bytes. */
  bytes: Buffer;
  start = 0;
  end = 0;
  private readonly outside: OutsideStore<Buffer> = new OutsideStore();

  /**
   * `random`: uniform in [0, 1), for the table's hash. `graceMs`: how long after its expiry a key
   * is due whose TTL the given actor wrote. `adviseMemory`: see Arena.
   */
  constructor(
    random: () => number,
    graceMs: (actor: number) => number,
    adviseMemory: ((buffer: ArrayBuffer) => void) | null = null,
  ) {
    const arena = new Arena(adviseMemory);
    this.arena = arena;
    this.hash = new KeyHash(random);
    this.access = new AccessClock(random);
    this.table = new Table(arena, (ref, buf, start, end) =>
      this.outsideKeyIs(ref, buf, start, end),
    );
    this.slots = new SlotLists(arena);
    this.expiry = new ExpiryIndex(arena, (ref) => this.dueOf(ref, graceMs));
    this.tables = new ElementTables(arena, this.hash, this.outside);
    this.bytes = arena.u8[0];
  }

  /** Number of keys that exist for clients. */
  get size(): number {
    return this.table.size - this.deadCount;
  }

  /**
   * Bytes of blocks, tables and what lies outside (rich states and cells by estimate). What removed
   * tables held is not counted any more, although it is freed little by little.
   */
  get memoryBytes(): number {
    const lookup = this.table.heapBytes + this.slots.heapBytes + this.expiry.heapBytes;
    const outside = this.rich.totalBytes + this.outside.totalBytes + this.tables.cells.totalBytes;
    return this.arena.usedBytes + lookup + outside - this.tables.releasedBytes;
  }

  /** The entry of `buf[start, end)`; 0: none. */
  find(hash: number, buf: Uint8Array, start: number, end: number): number {
    return this.table.find(hash, buf, start, end);
  }

  /**
   * Gives a key an entry with this layout, TTL kind included, and room for `valueLength` bytes.
   * Header and key of the entry in `place` are kept; without one the key is new. Notes the entry
   * in `place` and returns it: sections and value are undefined.
   * LAYOUT_VALUE_OUTSIDE must be set iff `valueLength` is OUTSIDE_BYTES for that reason.
   */
  shape(place: KeyPlace, layout: number, flags: number, valueLength: number): number {
    const ref = place.ref;
    if (ref === 0) return this.create(place, layout, flags, valueLength);
    this.releaseValue(ref);
    const words = this.arena.u32[ref >>> CHUNK_SHIFT];
    const word = (ref & UNIT_MASK) << 1;
    const meta = words[word + 2];
    const keyLength = words[word + 3] & 0xffff;
    const sizeClass = entryClass(meta, words[word + 3]);
    const lengths = (keyLength | (valueLength << 16)) >>> 0;
    const wanted = entryClass(layout, lengths);
    const next = ((meta & META_KEPT) | flags | layout) >>> 0;
    if (wanted === sizeClass) {
      const bytes = this.arena.u8[ref >>> CHUNK_SHIFT];
      const from = keyOffset(ref, meta);
      const to = keyOffset(ref, layout);
      if (from !== to) bytes.copyWithin(to, from, from + keyLength);
      words[word + 2] = next;
      words[word + 3] = lengths;
      return ref;
    }
    const moved = this.arena.allocate(wanted);
    const movedWords = this.arena.u32[moved >>> CHUNK_SHIFT];
    const movedWord = (moved & UNIT_MASK) << 1;
    movedWords[movedWord] = words[word];
    movedWords[movedWord + 1] = words[word + 1];
    movedWords[movedWord + 2] = next;
    movedWords[movedWord + 3] = lengths;
    const from = keyOffset(ref, meta);
    copyBytes(
      this.arena.u8[ref >>> CHUNK_SHIFT],
      from,
      from + keyLength,
      this.arena.u8[moved >>> CHUNK_SHIFT],
      keyOffset(moved, layout),
    );
    this.slots.moved(moved);
    this.table.replace(place.hash, ref, moved);
    this.arena.free(ref, sizeClass);
    place.ref = moved;
    return moved;
  }

  /** Takes the key out. */
  remove(hash: number, ref: number): void {
    this.releaseValue(ref);
    const meta = metaOf(this.arena, ref);
    if ((meta & META_KEY_OUTSIDE) !== 0) {
      this.outside.remove(readIndex(this.arena.u8[ref >>> CHUNK_SHIFT], keyOffset(ref, meta)));
    }
    this.table.remove(hash, ref);
    this.slots.remove(ref);
    this.arena.free(ref, this.classOf(ref));
  }

  /** Puts the entry in the expiry index if its expiry is finite, after its sections were written. */
  arm(ref: number): void {
    if ((metaOf(this.arena, ref) & TTL_KIND_MASK) < TTL_OWN_FINITE) return;
    if (expiryOf(this.arena, ref) !== Number.POSITIVE_INFINITY) this.expiry.add(ref);
    else {
      const words = this.arena.u32[ref >>> CHUNK_SHIFT];
      words[((ref & UNIT_MASK) << 1) + (HEADER_UNITS + 1) * 2 + 1] = UNLINKED;
    }
  }

  /** Takes the entry out of the expiry index, before its expiry is changed in place. */
  disarm(ref: number): void {
    if ((metaOf(this.arena, ref) & TTL_KIND_MASK) >= TTL_OWN_FINITE) this.expiry.remove(ref);
  }

  /** Keeps `buf[start, end)` outside the arena; returns its number for `writeIndex`. */
  keepOutside(buf: Uint8Array, start: number, end: number): number {
    const copy = Buffer.allocUnsafeSlow(end - start);
    copyBytes(buf, start, end, copy, 0);
    return this.outside.add(copy, end - start);
  }

  /** Sets `bytes`, `start` and `end` to the entry's key. */
  locateKey(ref: number): void {
    const words = this.arena.u32[ref >>> CHUNK_SHIFT];
    const word = (ref & UNIT_MASK) << 1;
    const meta = words[word + 2];
    const start = keyOffset(ref, meta);
    this.point(ref, start, words[word + 3] & 0xffff, (meta & META_KEY_OUTSIDE) !== 0);
  }

  /** Sets `bytes`, `start` and `end` to the value of a packed entry's sibling. */
  locateValue(ref: number): void {
    const words = this.arena.u32[ref >>> CHUNK_SHIFT];
    const word = (ref & UNIT_MASK) << 1;
    const meta = words[word + 2];
    const lengths = words[word + 3];
    const start = keyOffset(ref, meta) + (lengths & 0xffff);
    this.point(ref, start, lengths >>> 16, (meta & LAYOUT_VALUE_OUTSIDE) !== 0);
  }

  /** The entry's key as text. */
  keyText(ref: number): string {
    this.locateKey(ref);
    return this.bytes.latin1Slice(this.start, this.end);
  }

  /** Fills in the place of an entry; its bytes are those of the entry itself. */
  placeOf(ref: number, place: KeyPlace): void {
    this.locateKey(ref);
    place.buf = this.bytes;
    place.start = this.start;
    place.end = this.end;
    place.hash = this.hash.of(this.bytes, this.start, this.end);
    place.slot = this.slotOf(ref);
    place.ref = ref;
  }

  /** The table's hash of an entry's key. */
  hashOf(ref: number): number {
    this.locateKey(ref);
    return this.hash.of(this.bytes, this.start, this.end);
  }

  slotOf(ref: number): number {
    return (metaOf(this.arena, ref) >>> META_SLOT_SHIFT) & SLOT_MASK;
  }

  /** Whether the entry's state lies in `rich`. */
  isRich(ref: number): boolean {
    return isRichMeta(metaOf(this.arena, ref));
  }

  /** Number of a rich entry in `rich`; of a table entry, its table. */
  richIndex(ref: number): number {
    const words = this.arena.u32[ref >>> CHUNK_SHIFT];
    const word = (ref & UNIT_MASK) << 1;
    const at = keyOffset(ref, words[word + 2]) + (words[word + 3] & 0xffff);
    return readIndex(this.arena.u8[ref >>> CHUNK_SHIFT], at);
  }

  /** Writes the number of a rich or outside value behind the key. */
  writeIndex(ref: number, index: number): void {
    const words = this.arena.u32[ref >>> CHUNK_SHIFT];
    const word = (ref & UNIT_MASK) << 1;
    const at = keyOffset(ref, words[word + 2]) + (words[word + 3] & 0xffff);
    writeIndexAt(this.arena.u8[ref >>> CHUNK_SHIFT], at, index);
  }

  /** Notes that a client or an op used the entry. */
  touch(ref: number): void {
    this.access.touch(this.arena.u32[ref >>> CHUNK_SHIFT], ((ref & UNIT_MASK) << 1) + 2);
  }

  /** Bytes that the key takes in all. */
  entryBytes(ref: number): number {
    const meta = metaOf(this.arena, ref);
    let bytes = CLASS_UNITS[this.classOf(ref)] * 8;
    if ((meta & META_KEY_OUTSIDE) !== 0) {
      this.locateKey(ref);
      bytes += this.end - this.start;
    }
    if (isRichMeta(meta)) return bytes + this.rich.bytesOf(this.richIndex(ref));
    if (tableKind(meta) !== 0) return bytes + this.tables.bytesOf(this.richIndex(ref));
    if ((meta & LAYOUT_VALUE_OUTSIDE) !== 0) {
      this.locateValue(ref);
      bytes += this.end - this.start;
    }
    return bytes;
  }

  /** Removes all keys. */
  reset(): void {
    this.arena.reset();
    this.table.reset();
    this.slots.reset();
    this.expiry.reset();
    this.rich.reset();
    this.outside.reset();
    this.tables.reset();
    this.deadCount = 0;
    this.bytes = this.arena.u8[0];
  }

  private classOf(ref: number): number {
    const words = this.arena.u32[ref >>> CHUNK_SHIFT];
    const word = (ref & UNIT_MASK) << 1;
    return entryClass(words[word + 2], words[word + 3]);
  }

  private create(place: KeyPlace, layout: number, flags: number, valueLength: number): number {
    const { buf, start, end, slot } = place;
    const keyOutside = end - start > KEY_INLINE_MAX;
    const keyLength = keyOutside ? OUTSIDE_BYTES : end - start;
    const lengths = (keyLength | (valueLength << 16)) >>> 0;
    const ref = this.arena.allocate(entryClass(layout, lengths));
    const words = this.arena.u32[ref >>> CHUNK_SHIFT];
    const word = (ref & UNIT_MASK) << 1;
    const keyFlag = keyOutside ? META_KEY_OUTSIDE : 0;
    const access = this.access.initial << META_ACCESS_SHIFT;
    words[word + 2] = (layout | access | (slot << META_SLOT_SHIFT) | flags | keyFlag) >>> 0;
    words[word + 3] = lengths;
    const bytes = this.arena.u8[ref >>> CHUNK_SHIFT];
    const at = keyOffset(ref, layout);
    if (keyOutside) writeIndexAt(bytes, at, this.keepOutside(buf, start, end));
    else copyBytes(buf, start, end, bytes, at);
    this.slots.add(ref, slot);
    this.table.insert(place.hash, ref);
    place.ref = ref;
    return ref;
  }

  /** Gives back what the value holds outside, and takes the entry out of the wheel. */
  private releaseValue(ref: number): void {
    const meta = metaOf(this.arena, ref);
    if ((meta & TTL_KIND_MASK) >= TTL_OWN_FINITE) this.expiry.remove(ref);
    if (isRichMeta(meta)) {
      const index = this.richIndex(ref);
      if (this.rich.get(index).dead) this.deadCount--;
      this.rich.remove(index);
    } else if (tableKind(meta) !== 0) {
      const table = this.richIndex(ref);
      if (table !== 0) this.tables.release(table);
    } else if ((meta & LAYOUT_VALUE_OUTSIDE) !== 0) {
      this.outside.remove(this.richIndex(ref));
    }
  }

  private point(ref: number, start: number, length: number, outside: boolean): void {
    const bytes = this.arena.u8[ref >>> CHUNK_SHIFT];
    if (outside) {
      this.bytes = this.outside.get(readIndex(bytes, start));
      this.start = 0;
      this.end = this.bytes.length;
    } else {
      this.bytes = bytes;
      this.start = start;
      this.end = start + length;
    }
  }

  private outsideKeyIs(ref: number, buf: Uint8Array, start: number, end: number): boolean {
    const at = keyOffset(ref, metaOf(this.arena, ref));
    const key = this.outside.get(readIndex(this.arena.u8[ref >>> CHUNK_SHIFT], at));
    return key.length === end - start && key.equals(buf.subarray(start, end));
  }

  private dueOf(ref: number, graceMs: (actor: number) => number): number {
    const expiry = expiryOf(this.arena, ref);
    const meta = metaOf(this.arena, ref);
    if (isRichMeta(meta)) return expiry;
    const separate = (meta & TTL_KIND_MASK) === TTL_SEPARATE;
    const unit = separate ? ttlDotUnit(ref) : siblingUnit(ref, meta);
    return expiry + graceMs(dotActor(this.arena.u32[ref >>> CHUNK_SHIFT], unit << 1));
  }
}

function isRichMeta(meta: number): boolean {
  return (meta & META_RICH) !== 0 && collectionKind(meta) === 0;
}

/** Whether a value of `valueLength` bytes behind this key must lie outside the arena. */
export function valueLiesOutside(layout: number, keyLength: number, valueLength: number): boolean {
  const before = UNITS_BEFORE_KEY[layout] * 8 + Math.min(keyLength, KEY_INLINE_MAX);
  return valueLength > 0xffff || before + valueLength > BLOCK_BYTES_MAX;
}

/** Copies `from[start, end)` to `to` at `at`. */
export function copyBytes(
  from: Uint8Array,
  start: number,
  end: number,
  to: Uint8Array,
  at: number,
): void {
  if (end - start <= LOOP_BYTES_MAX) {
    for (let i = start; i < end; i++) to[at++] = from[i];
  } else {
    bufferCopy.call(from as Buffer, to, at, start, end);
  }
}

/** Works on any Uint8Array in both runtimes. In Bun a third of the time of `set` with a view, up to 1 KB. */
const bufferCopy = Buffer.prototype.copy;
