/**
 * From the hash of a name to its element: a trie over small open-addressing leaves, all in the arena.
 *
 * The question: hundreds of elements or hundreds of millions, growing and shrinking without ever
 * moving more than a few hundred of them at once. The answer: a leaf has 2 to 1024 places and doubles
 * when it is full; a full leaf of 1024 becomes a node of 16 leaves, by the next four bits of the
 * hash. Moving the 819 elements of a leaf takes some 10 µs; there is no directory that doubles.
 *
 *     slot   u32 ref (0: nothing) | u32 kind in bits 0-3, number of elements in bits 4-31
 *     kind   log2 of the leaf's places, or NODE
 *     node   16 slots
 *     leaf   places × (u32 hash, u32 ref of the element); ref 0: empty place
 *
 * A slot is one unit, so it is named by a ref like a block: the root's slot lies in the header of
 * the table, a child's in its node. A leaf below d nodes holds hashes that agree in 4d bits; an
 * element's home is the next log2(places) bits, from where it is probed linearly (round the end).
 * So places are in the order of the hash, whatever the shape: element-walk.ts rests on that.
 *
 * Leaves are 1/8 to 4/5 full (from the second doubling on), nodes with few elements become a leaf again:
 * a walk or a random choice never meets many empty places.
 */

import { type Arena, CHUNK_SHIFT, CLASS_OF_UNITS, CLASS_UNITS, UNIT_MASK } from './arena.ts';
import { formOf, lengthsWord, NAME_OUTSIDE } from './element.ts';

export const NODE = 15;
export const KIND_MASK = 15;
export const COUNT_SHIFT = 4;
export const NODE_BITS = 4;
export const NODE_SLOTS = 16;
/** Elements of a table at most: what the count in a slot can say. */
export const ELEMENTS_MAX = 2 ** 28 - 1;

const ONE = 1 << COUNT_SHIFT;
const NODE_CLASS = CLASS_OF_UNITS[NODE_SLOTS];
const LEAF_BITS_MIN = 1;
const LEAF_BITS_SPLIT = 10;
/** Only where all other bits of the hash are used up; 32 KB. */
const LEAF_BITS_MAX = 12;
/** A node deeper than this would leave too few bits for its leaves. */
const SHIFT_MAX = 20;
/** A node with no more elements becomes a leaf. */
const MERGE_MAX = 128;
/** Elements of a leaf at most, by log2 of its places: 4 in 5. */
const FULL_AT: Uint16Array = Uint16Array.from({ length: LEAF_BITS_MAX + 1 }, (_, bits) =>
  Math.floor(2 ** bits * 0.8),
);

/** Compares a name that lies outside the arena with `buf[start, end)`. */
export type OutsideNameEquals = (
  element: number,
  buf: Uint8Array,
  start: number,
  end: number,
) => boolean;

export class ElementIndex {
  /** Bytes of blocks that were allocated less those freed, since somebody has set it to 0. */
  grownBytes = 0;
  private readonly arena: Arena;
  private readonly outsideNameEquals: OutsideNameEquals;
  /** Slots from the root to the leaf of the last removal. */
  private readonly path: number[] = [0, 0, 0, 0, 0, 0, 0, 0];
  /** Hashes and refs of the elements of a node that becomes a leaf. */
  private readonly gathered = new Uint32Array(MERGE_MAX * 2);
  private gatheredCount = 0;
  private readonly childCounts = new Uint16Array(NODE_SLOTS);

  constructor(arena: Arena, outsideNameEquals: OutsideNameEquals) {
    this.arena = arena;
    this.outsideNameEquals = outsideNameEquals;
  }

  /** Number of elements below a slot. */
  countAt(slot: number): number {
    return this.arena.u32[slot >>> CHUNK_SHIFT][((slot & UNIT_MASK) << 1) + 1] >>> COUNT_SHIFT;
  }

  /** The element whose name is `buf[start, end)` and has this hash; 0: none. */
  find(root: number, hash: number, buf: Uint8Array, start: number, end: number): number {
    const { u32 } = this.arena;
    let slot = root;
    let shift = 0;
    for (;;) {
      const words = u32[slot >>> CHUNK_SHIFT];
      const word = (slot & UNIT_MASK) << 1;
      const ref = words[word];
      if (ref === 0) return 0;
      const bits = words[word + 1] & KIND_MASK;
      if (bits !== NODE) return this.findInLeaf(ref, bits, shift, hash, buf, start, end);
      slot = ref + ((hash << shift) >>> (32 - NODE_BITS));
      shift += NODE_BITS;
    }
  }

  /** Adds an element whose name is not there. */
  insert(root: number, hash: number, element: number): void {
    const { u32 } = this.arena;
    let slot = root;
    let shift = 0;
    if (this.countAt(root) === ELEMENTS_MAX) {
      throw new RangeError(`a set or hash has at most ${ELEMENTS_MAX} elements: split it by key`);
    }
    for (;;) {
      const words = u32[slot >>> CHUNK_SHIFT];
      const word = (slot & UNIT_MASK) << 1;
      const ref = words[word];
      const info = words[word + 1];
      const bits = info & KIND_MASK;
      if (ref === 0) {
        words[word] = this.newLeaf(LEAF_BITS_MIN);
        words[word + 1] = LEAF_BITS_MIN;
      } else if (bits === NODE) {
        words[word + 1] = info + ONE;
        slot = ref + ((hash << shift) >>> (32 - NODE_BITS));
        shift += NODE_BITS;
      } else if (info >>> COUNT_SHIFT < FULL_AT[bits]) {
        words[word + 1] = info + ONE;
        this.put(ref, bits, shift, hash, element);
        return;
      } else if (bits < LEAF_BITS_SPLIT || shift >= SHIFT_MAX) {
        this.resize(slot, shift, bits + 1);
      } else {
        this.split(slot, shift);
      }
    }
  }

  /** The element moved. */
  replace(root: number, hash: number, from: number, to: number): void {
    const { u32 } = this.arena;
    let slot = root;
    let shift = 0;
    for (;;) {
      const words = u32[slot >>> CHUNK_SHIFT];
      const word = (slot & UNIT_MASK) << 1;
      const ref = words[word];
      const bits = words[word + 1] & KIND_MASK;
      if (bits !== NODE) {
        u32[ref >>> CHUNK_SHIFT][this.placeOf(ref, bits, shift, hash, from) + 1] = to;
        return;
      }
      slot = ref + ((hash << shift) >>> (32 - NODE_BITS));
      shift += NODE_BITS;
    }
  }

  /** Takes out the element, which must be there. */
  remove(root: number, hash: number, element: number): void {
    const { u32 } = this.arena;
    const { path } = this;
    let slot = root;
    let shift = 0;
    let depth = 0;
    for (;;) {
      path[depth++] = slot;
      const words = u32[slot >>> CHUNK_SHIFT];
      const word = (slot & UNIT_MASK) << 1;
      const ref = words[word];
      const info = words[word + 1];
      words[word + 1] = info - ONE;
      const bits = info & KIND_MASK;
      if (bits !== NODE) {
        this.takeOut(ref, bits, shift, hash, element);
        this.shrink(depth, bits, (info >>> COUNT_SHIFT) - 1);
        return;
      }
      slot = ref + ((hash << shift) >>> (32 - NODE_BITS));
      shift += NODE_BITS;
    }
  }

  /** Frees the block of a slot, not what it refers to; the slot must not be used any more. */
  freeBlock(ref: number, kind: number): void {
    const sizeClass = kind === NODE ? NODE_CLASS : CLASS_OF_UNITS[1 << kind];
    this.arena.free(ref, sizeClass);
    this.grownBytes -= CLASS_UNITS[sizeClass] * 8;
  }

  private findInLeaf(
    leaf: number,
    bits: number,
    shift: number,
    hash: number,
    buf: Uint8Array,
    start: number,
    end: number,
  ): number {
    const words = this.arena.u32[leaf >>> CHUNK_SHIFT];
    const base = (leaf & UNIT_MASK) << 1;
    const mask = (1 << bits) - 1;
    let place = (hash << shift) >>> (32 - bits);
    for (;;) {
      const at = base + (place << 1);
      const element = words[at + 1];
      if (element === 0) return 0;
      if (words[at] === hash && this.nameEquals(element, buf, start, end)) return element;
      place = (place + 1) & mask;
    }
  }

  private nameEquals(element: number, buf: Uint8Array, start: number, end: number): boolean {
    const { arena } = this;
    const form = formOf(arena, element);
    if ((form & NAME_OUTSIDE) !== 0) return this.outsideNameEquals(element, buf, start, end);
    const word = lengthsWord(element, form);
    if ((arena.u32[element >>> CHUNK_SHIFT][word] & 0xffff) !== end - start) return false;
    const bytes = arena.u8[element >>> CHUNK_SHIFT];
    let at = (word + 1) << 2;
    for (let i = start; i < end; i++) if (bytes[at++] !== buf[i]) return false;
    return true;
  }

  private put(leaf: number, bits: number, shift: number, hash: number, element: number): void {
    const words = this.arena.u32[leaf >>> CHUNK_SHIFT];
    const base = (leaf & UNIT_MASK) << 1;
    const mask = (1 << bits) - 1;
    let place = (hash << shift) >>> (32 - bits);
    while (words[base + (place << 1) + 1] !== 0) place = (place + 1) & mask;
    words[base + (place << 1)] = hash;
    words[base + (place << 1) + 1] = element;
  }

  /** Word index of the place that holds `element`. */
  private placeOf(
    leaf: number,
    bits: number,
    shift: number,
    hash: number,
    element: number,
  ): number {
    const words = this.arena.u32[leaf >>> CHUNK_SHIFT];
    const base = (leaf & UNIT_MASK) << 1;
    const mask = (1 << bits) - 1;
    let place = (hash << shift) >>> (32 - bits);
    while (words[base + (place << 1) + 1] !== element) {
      if (words[base + (place << 1) + 1] === 0) throw new Error('a table has lost an element');
      place = (place + 1) & mask;
    }
    return base + (place << 1);
  }

  /** Empties the element's place; later ones of its run move back. (Knuth 6.4 algorithm R.) */
  private takeOut(leaf: number, bits: number, shift: number, hash: number, element: number): void {
    const words = this.arena.u32[leaf >>> CHUNK_SHIFT];
    const base = (leaf & UNIT_MASK) << 1;
    const mask = (1 << bits) - 1;
    let hole = (this.placeOf(leaf, bits, shift, hash, element) - base) >>> 1;
    let next = hole;
    for (;;) {
      next = (next + 1) & mask;
      const at = base + (next << 1);
      if (words[at + 1] === 0) break;
      const home = (words[at] << shift) >>> (32 - bits);
      if (((next - home) & mask) < ((next - hole) & mask)) continue;
      words[base + (hole << 1)] = words[at];
      words[base + (hole << 1) + 1] = words[at + 1];
      hole = next;
    }
    words[base + (hole << 1) + 1] = 0;
  }

  /** After a removal: `path` has `depth` slots, its leaf has `count` elements. */
  private shrink(depth: number, bits: number, count: number): void {
    const { path } = this;
    for (let above = 0; above < depth - 1; above++) {
      if (this.countAt(path[above]) > MERGE_MAX) continue;
      this.merge(path[above], above * NODE_BITS);
      return;
    }
    const slot = path[depth - 1];
    if (count === 0) {
      const words = this.arena.u32[slot >>> CHUNK_SHIFT];
      const word = (slot & UNIT_MASK) << 1;
      this.freeBlock(words[word], bits);
      words[word] = 0;
      words[word + 1] = 0;
    } else if (bits > LEAF_BITS_MIN && count << 3 < 1 << bits) {
      this.resize(slot, (depth - 1) * NODE_BITS, bits - 1);
    }
  }

  /** Gives the leaf of a slot another number of places. */
  private resize(slot: number, shift: number, bits: number): void {
    if (bits > LEAF_BITS_MAX) {
      throw new Error('too many names share the first bits of their hash');
    }
    const words = this.arena.u32[slot >>> CHUNK_SHIFT];
    const word = (slot & UNIT_MASK) << 1;
    const old = words[word];
    const oldBits = words[word + 1] & KIND_MASK;
    const leaf = this.newLeaf(bits);
    const places = this.arena.u32[old >>> CHUNK_SHIFT];
    const base = (old & UNIT_MASK) << 1;
    for (let at = base; at < base + (2 << oldBits); at += 2) {
      if (places[at + 1] !== 0) this.put(leaf, bits, shift, places[at], places[at + 1]);
    }
    this.freeBlock(old, oldBits);
    words[word] = leaf;
    words[word + 1] = (words[word + 1] & ~KIND_MASK) | bits;
  }

  /** Makes the leaf of a slot a node. */
  private split(slot: number, shift: number): void {
    const { u32 } = this.arena;
    const words = u32[slot >>> CHUNK_SHIFT];
    const word = (slot & UNIT_MASK) << 1;
    const leaf = words[word];
    const bits = words[word + 1] & KIND_MASK;
    const node = this.newNode();
    const places = u32[leaf >>> CHUNK_SHIFT];
    const base = (leaf & UNIT_MASK) << 1;
    const { childCounts } = this;
    childCounts.fill(0);
    for (let at = base; at < base + (2 << bits); at += 2) {
      if (places[at + 1] !== 0) childCounts[(places[at] << shift) >>> (32 - NODE_BITS)]++;
    }
    const slots = u32[node >>> CHUNK_SHIFT];
    const first = (node & UNIT_MASK) << 1;
    for (let child = 0; child < NODE_SLOTS; child++) {
      const count = childCounts[child];
      if (count === 0) continue;
      const childBits = leafBitsFor(count);
      slots[first + (child << 1)] = this.newLeaf(childBits);
      slots[first + (child << 1) + 1] = (count << COUNT_SHIFT) | childBits;
    }
    for (let at = base; at < base + (2 << bits); at += 2) {
      if (places[at + 1] === 0) continue;
      const child = first + (((places[at] << shift) >>> (32 - NODE_BITS)) << 1);
      const childBits = slots[child + 1] & KIND_MASK;
      this.put(slots[child], childBits, shift + NODE_BITS, places[at], places[at + 1]);
    }
    this.freeBlock(leaf, bits);
    words[word] = node;
    words[word + 1] |= NODE;
  }

  /** Makes the node of a slot a leaf; it has at most MERGE_MAX elements. */
  private merge(slot: number, shift: number): void {
    const words = this.arena.u32[slot >>> CHUNK_SHIFT];
    const word = (slot & UNIT_MASK) << 1;
    this.gatheredCount = 0;
    this.gather(words[word], NODE);
    const { gathered, gatheredCount } = this;
    if (gatheredCount === 0) {
      words[word] = 0;
      words[word + 1] = 0;
      return;
    }
    const bits = leafBitsFor(gatheredCount);
    const leaf = this.newLeaf(bits);
    for (let i = 0; i < gatheredCount; i++) {
      this.put(leaf, bits, shift, gathered[i * 2], gathered[i * 2 + 1]);
    }
    words[word] = leaf;
    words[word + 1] = (gatheredCount << COUNT_SHIFT) | bits;
  }

  /** Notes all elements below a block and frees it and the blocks below. */
  private gather(ref: number, kind: number): void {
    if (ref === 0) return;
    const words = this.arena.u32[ref >>> CHUNK_SHIFT];
    const base = (ref & UNIT_MASK) << 1;
    const end = base + (kind === NODE ? NODE_SLOTS * 2 : 2 << kind);
    for (let at = base; at < end; at += 2) {
      if (kind === NODE) this.gather(words[at], words[at + 1] & KIND_MASK);
      else if (words[at + 1] !== 0) {
        this.gathered[this.gatheredCount * 2] = words[at];
        this.gathered[this.gatheredCount * 2 + 1] = words[at + 1];
        this.gatheredCount++;
      }
    }
    this.freeBlock(ref, kind);
  }

  private newLeaf(bits: number): number {
    return this.newBlock(CLASS_OF_UNITS[1 << bits], 1 << bits);
  }

  private newNode(): number {
    return this.newBlock(NODE_CLASS, NODE_SLOTS);
  }

  private newBlock(sizeClass: number, units: number): number {
    const ref = this.arena.allocate(sizeClass);
    const base = (ref & UNIT_MASK) << 1;
    this.arena.u32[ref >>> CHUNK_SHIFT].fill(0, base, base + units * 2);
    this.grownBytes += CLASS_UNITS[sizeClass] * 8;
    return ref;
  }
}

/** The smallest leaf that is at most 4/5 full with so many elements. */
function leafBitsFor(count: number): number {
  let bits = LEAF_BITS_MIN;
  while (FULL_AT[bits] < count) bits++;
  return bits;
}
