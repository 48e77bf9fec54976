/**
 * Tables of elements: large sets, hashes and sorted sets off the JavaScript heap, and those with counter fields or
 * conflicts. Whatever of them is not said by dot, value and increments of an element (element.ts)
 * lies outside for that element alone.
 *
 *     header   u32 number of authors in bits 0-7, flags above | u32 elements with increments
 *              the root's slot (element-index.ts)
 *              f64 bytes of the whole table
 *              authors: up to 4 × dot, the last write of each actor that has written here
 *              u32 root of the order of a sorted set (score-tree.ts; kept by scored-table.ts)
 *
 * `authors` answers whether somebody has seen the whole table without walking it: DEL of a million
 * fields compares four numbers. It may name writes that are gone; more actors than four are
 * not named, then only a walk tells.
 *
 * What a removed table held is freed a few hundred elements at a time (`reclaim`), and is not counted
 * any more meanwhile.
 *
 * One write: `find`, which notes the hash of the name, then `write`, `remove` or what
 * element-cell.ts has, for the same name.
 */

import type { Cell } from '../crdt/cell.ts';
import type { ElementDot } from '../crdt/element-set.ts';
import type { TtlWrite } from '../crdt/ttl.ts';
import { covers, type VersionVector } from '../crdt/version-vector.ts';
import { type Arena, CHUNK_SHIFT, CLASS_OF_UNITS, CLASS_UNITS, UNIT_MASK } from './arena.ts';
import {
  CELL_OUTSIDE,
  classOfElement,
  elementClass,
  FORM_COUNT_MASK,
  formOf,
  lengthsWord,
  NAME_INLINE_MAX,
  NAME_OUTSIDE,
  nameStored,
  VALUE_INLINE_MAX,
  VALUE_OUTSIDE,
  valueStored,
  writeStamp,
} from './element.ts';
import { ElementIndex, KIND_MASK, NODE, NODE_SLOTS } from './element-index.ts';
import { dotActor, dotSeq, readIndex, writeDot, writeIndexAt } from './entry.ts';
import type { KeyHash } from './key-hash.ts';
import { copyBytes } from './keyspace.ts';
import { OutsideStore } from './outside-store.ts';
import { ScoreTrees } from './score-tree.ts';

const AUTHORS_MAX = 4;
const AUTHORS_MANY = 0xff;
const ROOT_UNIT = 1;
const BYTES_UNIT = 2;
const AUTHORS_UNIT = 3;
const ORDER_UNIT = AUTHORS_UNIT + AUTHORS_MAX;
const HEADER_UNITS = ORDER_UNIT + 1;
const HEADER_CLASS = CLASS_OF_UNITS[HEADER_UNITS];
/** In the place of the kind of a removed block: a node of the order. */
const ORDER = 16;
/** What freeing a node of it costs, in elements. */
const ORDER_NODE_STEPS = 4;
/** Tables of no more elements are freed at once: some 20 µs. */
const RELEASED_AT_ONCE_MAX = 512;

/** A cell of a hash field, or the dots of a set's member. */
export type OutsideCell = Cell | ElementDot[];

export class ElementTables {
  readonly arena: Arena;
  readonly index: ElementIndex;
  readonly order: ScoreTrees;
  readonly cells: OutsideStore<OutsideCell> = new OutsideStore();
  /** By table: TTL writes that are concurrent with the one in its entry, which outlasts them. */
  readonly otherTtls: Map<number, readonly TtlWrite[]> = new Map();
  /** Hash of the name that was looked for last. */
  hash = 0;
  /** Where the last `locateName` or `locateValue` found the bytes. */
  bytes: Buffer;
  start = 0;
  end = 0;
  /** Bytes of removed tables that are still to be freed. */
  releasedBytes = 0;
  private readonly keyHash: KeyHash;
  private readonly outside: OutsideStore<Buffer>;
  /** Blocks of removed tables and their kinds. */
  private readonly released: number[] = [];
  private readonly releasedKinds: number[] = [];

  constructor(arena: Arena, keyHash: KeyHash, outside: OutsideStore<Buffer>) {
    this.arena = arena;
    this.keyHash = keyHash;
    this.outside = outside;
    this.bytes = arena.u8[0];
    this.order = new ScoreTrees(arena, this);
    this.index = new ElementIndex(arena, (element, buf, start, end) => {
      this.locateName(element);
      const { bytes } = this;
      return bytes.length === end - start && bytes.equals(buf.subarray(start, end));
    });
  }

  /** Forgets everything, after the arena was reset. */
  reset(): void {
    this.cells.reset();
    this.otherTtls.clear();
    this.released.length = 0;
    this.releasedKinds.length = 0;
    this.releasedBytes = 0;
    this.bytes = this.arena.u8[0];
  }

  /** An empty table. */
  create(): number {
    const table = this.arena.allocate(HEADER_CLASS);
    const words = this.arena.u32[table >>> CHUNK_SHIFT];
    const word = (table & UNIT_MASK) << 1;
    words.fill(0, word, word + HEADER_UNITS * 2);
    this.addBytes(table, CLASS_UNITS[HEADER_CLASS] * 8);
    return table;
  }

  // ── Reading ───────────────────────────────────────────────────────────────────────────────

  /** The root's slot, for the walks of element-walk.ts. */
  rootOf(table: number): number {
    return table + ROOT_UNIT;
  }

  /** The word with the root of the order by score. */
  orderOf(table: number): number {
    return table + ORDER_UNIT;
  }

  count(table: number): number {
    return this.index.countAt(table + ROOT_UNIT);
  }

  /** Bytes of the table with all that belongs to it. */
  bytesOf(table: number): number {
    return this.arena.f64[table >>> CHUNK_SHIFT][(table & UNIT_MASK) + BYTES_UNIT];
  }

  /** Number of elements with increments. */
  counters(table: number): number {
    return this.arena.u32[table >>> CHUNK_SHIFT][((table & UNIT_MASK) << 1) + 1];
  }

  /** The element `buf[start, end)`; 0: there is none. Notes its hash. */
  find(table: number, buf: Uint8Array, start: number, end: number): number {
    const hash = this.keyHash.of(buf, start, end);
    this.hash = hash;
    return this.index.find(table + ROOT_UNIT, hash, buf, start, end);
  }

  /** Sets `bytes`, `start` and `end` to the element's name. */
  locateName(element: number): void {
    const { arena } = this;
    const form = formOf(arena, element);
    const word = lengthsWord(element, form);
    const length = arena.u32[element >>> CHUNK_SHIFT][word] & 0xffff;
    this.point(element, (word + 1) << 2, length, (form & NAME_OUTSIDE) !== 0);
  }

  /** Sets `bytes`, `start` and `end` to the value of the element's sibling. */
  locateValue(element: number): void {
    const { arena } = this;
    const form = formOf(arena, element);
    const word = lengthsWord(element, form);
    const lengths = arena.u32[element >>> CHUNK_SHIFT][word];
    const start = ((word + 1) << 2) + (lengths & 0xffff);
    this.point(element, start, lengths >>> 16, (form & VALUE_OUTSIDE) !== 0);
  }

  /** Whether every write in the table is surely covered; false: only its elements tell. */
  coveredBy(table: number, vector: VersionVector): boolean {
    const words = this.arena.u32[table >>> CHUNK_SHIFT];
    const word = (table & UNIT_MASK) << 1;
    const authors = words[word];
    if (authors === AUTHORS_MANY) return false;
    for (let i = 0; i < authors; i++) {
      const at = word + (AUTHORS_UNIT + i) * 2;
      if (!covers(vector, dotActor(words, at), dotSeq(words, at))) return false;
    }
    return true;
  }

  // ── Writing ───────────────────────────────────────────────────────────────────────────────

  /**
   * Makes the element (0: a new one) of this name hold one dot and, if it has one, this value, and
   * nothing else. Returns it.
   */
  write(
    table: number,
    element: number,
    name: Uint8Array,
    nameStart: number,
    nameEnd: number,
    value: Uint8Array,
    valueStart: number,
    valueEnd: number,
    actor: number,
    seq: number,
    hlc: number,
  ): number {
    const length = valueEnd - valueStart;
    const form = length > VALUE_INLINE_MAX ? VALUE_OUTSIDE : 0;
    const ref = this.shape(table, element, form, name, nameStart, nameEnd, valueStored(length));
    writeStamp(this.arena, ref, actor, seq, hlc, form | this.nameFlag(nameEnd - nameStart));
    this.writeValue(table, ref, value, valueStart, valueEnd);
    this.noteAuthor(table, actor, seq);
    return ref;
  }

  /** What the form of an element says of a name of so many bytes. */
  nameFlag(length: number): number {
    return length > NAME_INLINE_MAX ? NAME_OUTSIDE : 0;
  }

  /** Takes the element out whose name was looked for last. */
  remove(table: number, element: number): void {
    this.index.grownBytes = 0;
    this.index.remove(table + ROOT_UNIT, this.hash, element);
    this.addBytes(table, this.index.grownBytes - this.freeElement(table, element));
  }

  /** Notes the hash of an element that was not looked for by its name. */
  rehash(element: number): void {
    this.locateName(element);
    this.hash = this.keyHash.of(this.bytes, this.start, this.end);
  }

  /**
   * Gives the element (0: a new one) of this name room for such a form and value; what it held
   * outside is gone. Writes its name and lengths; stamp, contributions and value are undefined.
   */
  shape(
    table: number,
    element: number,
    form: number,
    name: Uint8Array,
    nameStart: number,
    nameEnd: number,
    valueBytes: number,
  ): number {
    const { arena, index } = this;
    const nameBytes = nameStored(nameEnd - nameStart);
    const sizeClass = elementClass(form, nameBytes, valueBytes);
    let ref = element;
    if (element === 0) {
      index.grownBytes = CLASS_UNITS[sizeClass] * 8;
      ref = arena.allocate(sizeClass);
      index.insert(table + ROOT_UNIT, this.hash, ref);
      this.addBytes(table, index.grownBytes);
    } else {
      this.letGo(table, element);
      const held = classOfElement(arena, element);
      if (held !== sizeClass) {
        ref = arena.allocate(sizeClass);
        index.replace(table + ROOT_UNIT, this.hash, element, ref);
        arena.free(element, held);
        this.addBytes(table, (CLASS_UNITS[sizeClass] - CLASS_UNITS[held]) * 8);
      }
    }
    const word = lengthsWord(ref, form);
    arena.u32[ref >>> CHUNK_SHIFT][word] = (nameBytes | (valueBytes << 16)) >>> 0;
    const at = (word + 1) << 2;
    if (nameEnd - nameStart <= NAME_INLINE_MAX) {
      copyBytes(name, nameStart, nameEnd, arena.u8[ref >>> CHUNK_SHIFT], at);
    } else {
      this.keepOutside(table, ref, at, name, nameStart, nameEnd);
    }
    return ref;
  }

  /** Writes the value of an element whose room and form are there. */
  writeValue(
    table: number,
    element: number,
    value: Uint8Array,
    valueStart: number,
    valueEnd: number,
  ): void {
    const { arena } = this;
    const word = lengthsWord(element, formOf(arena, element));
    const bytes = arena.u8[element >>> CHUNK_SHIFT];
    const at = ((word + 1) << 2) + (arena.u32[element >>> CHUNK_SHIFT][word] & 0xffff);
    if (valueEnd - valueStart <= VALUE_INLINE_MAX)
      copyBytes(value, valueStart, valueEnd, bytes, at);
    else this.keepOutside(table, element, at, value, valueStart, valueEnd);
  }

  /** Counts the increments of one more element. */
  noteCounter(table: number): void {
    this.arena.u32[table >>> CHUNK_SHIFT][((table & UNIT_MASK) << 1) + 1]++;
  }

  /** Notes that an actor has written here. */
  noteAuthor(table: number, actor: number, seq: number): void {
    const words = this.arena.u32[table >>> CHUNK_SHIFT];
    const word = (table & UNIT_MASK) << 1;
    const authors = words[word];
    if (authors === AUTHORS_MANY) return;
    let at = word + AUTHORS_UNIT * 2;
    for (let i = 0; i < authors; i++, at += 2) {
      if (dotActor(words, at) !== actor) continue;
      if (dotSeq(words, at) < seq) writeDot(words, at, actor, seq);
      return;
    }
    if (authors === AUTHORS_MAX) words[word] = AUTHORS_MANY;
    else {
      writeDot(words, at, actor, seq);
      words[word] = authors + 1;
    }
  }

  addBytes(table: number, bytes: number): void {
    this.arena.f64[table >>> CHUNK_SHIFT][(table & UNIT_MASK) + BYTES_UNIT] += bytes;
  }

  // ── Freeing ───────────────────────────────────────────────────────────────────────────────

  /** Gives a whole table back: a large one later, by `reclaim`. */
  release(table: number): void {
    this.otherTtls.delete(table);
    const words = this.arena.u32[table >>> CHUNK_SHIFT];
    const word = (table & UNIT_MASK) << 1;
    const root = words[word + ROOT_UNIT * 2];
    const kind = words[word + ROOT_UNIT * 2 + 1] & KIND_MASK;
    const order = words[word + ORDER_UNIT * 2];
    const count = this.count(table);
    this.releasedBytes += this.bytesOf(table) - CLASS_UNITS[HEADER_CLASS] * 8;
    this.arena.free(table, HEADER_CLASS);
    const before = this.released.length;
    if (root !== 0) this.releaseBlock(root, kind);
    if (order !== 0) this.releaseBlock(order, ORDER);
    if (count <= RELEASED_AT_ONCE_MAX) this.reclaimLast(before);
  }

  /** Frees about `budget` elements of removed tables; one leaf more at most. */
  reclaim(budget: number): void {
    while (budget > 0 && this.released.length > 0) budget -= this.reclaimOne();
  }

  private releaseBlock(ref: number, kind: number): void {
    this.released.push(ref);
    this.releasedKinds.push(kind);
  }

  /** Frees what was pushed last, down to `length` blocks. */
  private reclaimLast(length: number): void {
    while (this.released.length > length) this.reclaimOne();
  }

  /** Frees the last block; returns the number of steps. */
  private reclaimOne(): number {
    const { arena, index, released, releasedKinds } = this;
    const ref = released.pop() as number;
    const kind = releasedKinds.pop() as number;
    if (kind === ORDER) {
      this.order.grownBytes = 0;
      this.order.freeNode(ref, (child) => this.releaseBlock(child, ORDER));
      this.releasedBytes += this.order.grownBytes;
      return ORDER_NODE_STEPS;
    }
    const words = arena.u32[ref >>> CHUNK_SHIFT];
    const base = (ref & UNIT_MASK) << 1;
    const end = base + (kind === NODE ? NODE_SLOTS * 2 : 2 << kind);
    let steps = 1;
    for (let at = base; at < end; at += 2) {
      if (kind === NODE) {
        if (words[at] === 0) continue;
        this.releaseBlock(words[at], words[at + 1] & KIND_MASK);
      } else if (words[at + 1] !== 0) {
        this.releasedBytes -= this.freeElement(0, words[at + 1]);
        steps++;
      }
    }
    index.grownBytes = 0;
    index.freeBlock(ref, kind);
    this.releasedBytes += index.grownBytes;
    return steps;
  }

  /** Frees an element with all it holds outside; returns the bytes, those outside not when `table` counts them. */
  private freeElement(table: number, element: number): number {
    const outsideBytes = this.letGo(table, element);
    const sizeClass = classOfElement(this.arena, element);
    this.arena.free(element, sizeClass);
    return CLASS_UNITS[sizeClass] * 8 + (table === 0 ? outsideBytes : 0);
  }

  /** Drops what the element holds outside and its part in `counters`. `table` 0: it is gone. */
  private letGo(table: number, element: number): number {
    const { arena, outside } = this;
    const form = formOf(arena, element);
    if (form === 0) return 0;
    const word = lengthsWord(element, form);
    const lengths = arena.u32[element >>> CHUNK_SHIFT][word];
    const bytes = arena.u8[element >>> CHUNK_SHIFT];
    const nameAt = (word + 1) << 2;
    const valueAt = nameAt + (lengths & 0xffff);
    let freed = 0;
    let counts = (form & FORM_COUNT_MASK) !== 0;
    if ((form & NAME_OUTSIDE) !== 0) freed += removeFrom(outside, readIndex(bytes, nameAt));
    if ((form & VALUE_OUTSIDE) !== 0) freed += removeFrom(outside, readIndex(bytes, valueAt));
    if ((form & FORM_COUNT_MASK) === CELL_OUTSIDE) {
      const number = readIndex(bytes, valueAt);
      counts = hasIncrements(this.cells.get(number));
      freed += removeFrom(this.cells, number);
    }
    if (table !== 0) {
      this.addBytes(table, -freed);
      if (counts) this.arena.u32[table >>> CHUNK_SHIFT][((table & UNIT_MASK) << 1) + 1]--;
    }
    return freed;
  }

  private keepOutside(
    table: number,
    element: number,
    at: number,
    text: Uint8Array,
    start: number,
    end: number,
  ): void {
    const copy = Buffer.allocUnsafeSlow(end - start);
    copyBytes(text, start, end, copy, 0);
    const number = this.outside.add(copy, end - start);
    writeIndexAt(this.arena.u8[element >>> CHUNK_SHIFT], at, number);
    this.addBytes(table, end - start);
  }

  private point(element: number, start: number, length: number, outside: boolean): void {
    const bytes = this.arena.u8[element >>> CHUNK_SHIFT];
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
}

export function hasIncrements(cell: OutsideCell): boolean {
  return !Array.isArray(cell) && cell.contributions.length > 0;
}

function removeFrom<T>(store: OutsideStore<T>, number: number): number {
  const bytes = store.bytesOf(number);
  store.remove(number);
  return bytes;
}
