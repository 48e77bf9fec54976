/**
 * The order of a large sorted set: its elements by score and, for equal scores, by the bytes of their names,
 * with the rank of each found in O(log n) and an element by its rank likewise. A B+-tree with counts whose
 * nodes are blocks of the arena; it refers to the elements of a table (element-table.ts) and owns
 * none of them.
 *
 *     root    u32 ref of the root node (0: nothing) in a word of the table's header
 *     node    u32 number of entries | u32 level (0: leaf) in bits 0-7, capacity above
 *       leaf  capacity × f64 score | capacity × u32 element
 *       else  38 × f64 least score below | 38 × u32 its element | 38 × u32 node | 38 × u32 count below
 *
 * A leaf beside others has 63 places, so that every node but the root is one size class (96 units); the
 * only leaf of a small tree grows through smaller ones. 12 bytes an element and some 17 with what is
 * free: halves after a split, 7/8 where elements come in ascending order.
 *
 * Validity: 1. entries ascend; 2. an inner entry names the least entry below it and their number;
 * 3. no node but an empty root is empty; 4. a name does not change while its element is in the tree.
 * Scores compare as numbers, so -0 equals 0, as in Redis.
 */

import { type Arena, CHUNK_SHIFT, CLASS_OF_UNITS, CLASS_UNITS, UNIT_MASK } from './arena.ts';
import type { ElementTables } from './element-table.ts';
import { compareNames } from './score-bytes.ts';

const INNER_MAX = 38;
const LEAF_MAX = 63;
/** Places of the only leaf of a tree; each fills its size class. */
const LEAF_SIZES = [4, 10, 20, 41, LEAF_MAX];
const LEVEL_MASK = 0xff;
const CAPACITY_SHIFT = 8;
/** Words from a node's first: of the elements, nodes and counts of an inner one. */
const MINS_WORD = 2 + INNER_MAX * 2;
const KIDS_WORD = MINS_WORD + INNER_MAX;
const COUNTS_WORD = KIDS_WORD + INNER_MAX;
const INNER_CLASS = CLASS_OF_UNITS[(COUNTS_WORD + INNER_MAX + 1) >>> 1];
/** A node with no more entries than this share of its places is joined with a neighbour if both fit. */
const JOIN_SHARE = 4;

/** Called with an element and its score; false ends the walk. */
export type EachEntry = (element: number, score: number) => boolean | undefined;

export class ScoreTrees {
  /** Bytes of nodes that were allocated less those freed, since somebody has set it to 0. */
  grownBytes = 0;
  private readonly arena: Arena;
  private readonly tables: ElementTables;
  /** The bound of a search: by score, by name, or by both; `orEqual`: an equal entry is before it. */
  private withScore = true;
  private withName = false;
  private orEqual = false;
  private score = 0;
  private name: Uint8Array = new Uint8Array(0);
  private nameStart = 0;
  private nameEnd = 0;
  /** The way down of a removal. */
  private readonly nodes: number[] = [0, 0, 0, 0, 0, 0, 0, 0];
  private readonly places: number[] = [0, 0, 0, 0, 0, 0, 0, 0];
  /** Where `seek` has come: a leaf and a place in it. */
  private leaf = 0;
  private place = 0;
  /** Where `next` is: words of a leaf, and the rank at which the leaf after it begins. */
  private stepRoot = 0;
  private stepRank = 0;
  private step = 1;
  private stepsLeft = 0;
  private stepWord = 0;
  private stepWords: Uint32Array = new Uint32Array(0);

  constructor(arena: Arena, tables: ElementTables) {
    this.arena = arena;
    this.tables = tables;
  }

  // ── Reading ───────────────────────────────────────────────────────────────────────────────

  /** Number of entries below the score; `orEqual`: or equal to it. */
  countBelowScore(root: number, score: number, orEqual: boolean): number {
    this.withScore = true;
    this.withName = false;
    this.score = score;
    this.orEqual = orEqual;
    return this.countBefore(root);
  }

  /** Number of entries whose name is below `name[start, end)`; all scores must be equal. */
  countBelowName(
    root: number,
    name: Uint8Array,
    start: number,
    end: number,
    orEqual: boolean,
  ): number {
    this.withScore = false;
    this.withName = true;
    this.name = name;
    this.nameStart = start;
    this.nameEnd = end;
    this.orEqual = orEqual;
    return this.countBefore(root);
  }

  /** Rank of an element that is there. */
  rankOf(root: number, score: number, element: number): number {
    this.boundBy(score, element);
    this.orEqual = false;
    return this.countBefore(root);
  }

  /** Walks `count` entries from a rank on, upwards or downwards; that many must be there. */
  walk(root: number, rank: number, count: number, down: boolean, each: EachEntry): void {
    const { arena } = this;
    for (let left = count, at = rank; left > 0; ) {
      this.seek(root, at);
      const { leaf, place } = this;
      const words = arena.u32[leaf >>> CHUNK_SHIFT];
      const floats = arena.f64[leaf >>> CHUNK_SHIFT];
      const base = leaf & UNIT_MASK;
      const here = Math.min(left, down ? place + 1 : words[base << 1] - place);
      const refs = (base + 1 + (words[(base << 1) + 1] >>> CAPACITY_SHIFT)) << 1;
      const step = down ? -1 : 1;
      for (let i = 0, on = place; i < here; i++, on += step) {
        if (each(words[refs + on], floats[base + 1 + on]) === false) return;
      }
      left -= here;
      at += step * here;
    }
  }

  /** Begins to step through entries from a rank on, upwards or downwards; see `next`. */
  open(root: number, rank: number, down: boolean): void {
    this.stepRoot = root;
    this.stepRank = rank;
    this.step = down ? -1 : 1;
    this.stepsLeft = 0;
  }

  /** The next element, which must be there. The tree must not be changed meanwhile. */
  next(): number {
    if (this.stepsLeft === 0) this.enterLeaf();
    this.stepsLeft--;
    const at = this.stepWord;
    this.stepWord = at + this.step;
    return this.stepWords[at];
  }

  private enterLeaf(): void {
    this.seek(this.stepRoot, this.stepRank);
    const { leaf, place, step } = this;
    this.stepWords = this.arena.u32[leaf >>> CHUNK_SHIFT];
    this.stepWord = this.elementsWord(leaf) + place;
    this.stepsLeft = step < 0 ? place + 1 : this.countOf(leaf) - place;
    this.stepRank += step * this.stepsLeft;
  }

  /** Goes to the leaf and place of a rank. */
  private seek(root: number, rank: number): void {
    const { u32 } = this.arena;
    let node = u32[root >>> CHUNK_SHIFT][(root & UNIT_MASK) << 1];
    let left = rank;
    for (;;) {
      const words = u32[node >>> CHUNK_SHIFT];
      const word = (node & UNIT_MASK) << 1;
      if ((words[word + 1] & LEVEL_MASK) === 0) break;
      const counts = word + COUNTS_WORD;
      let child = 0;
      while (left >= words[counts + child]) left -= words[counts + child++];
      node = words[word + KIDS_WORD + child];
    }
    this.leaf = node;
    this.place = left;
  }

  /** Number of entries before the bound. */
  private countBefore(root: number): number {
    const { u32 } = this.arena;
    let node = u32[root >>> CHUNK_SHIFT][(root & UNIT_MASK) << 1];
    if (node === 0) return 0;
    let before = 0;
    for (;;) {
      const words = u32[node >>> CHUNK_SHIFT];
      const word = (node & UNIT_MASK) << 1;
      const place = this.placeOf(node);
      if ((words[word + 1] & LEVEL_MASK) === 0) return before + place;
      if (place === 0) return before;
      const counts = word + COUNTS_WORD;
      for (let i = 0; i < place - 1; i++) before += words[counts + i];
      node = words[word + KIDS_WORD + place - 1];
    }
  }

  // ── Writing ───────────────────────────────────────────────────────────────────────────────

  /** Adds an element that is not there. */
  insert(root: number, score: number, element: number): void {
    const { u32 } = this.arena;
    this.boundBy(score, element);
    const rootWords = u32[root >>> CHUNK_SHIFT];
    const rootWord = (root & UNIT_MASK) << 1;
    if (rootWords[rootWord] === 0) rootWords[rootWord] = this.newLeaf(LEAF_SIZES[0]);
    else if (this.isFull(rootWords[rootWord])) this.growRoot(rootWords, rootWord);
    let node = rootWords[rootWord];
    for (;;) {
      const words = u32[node >>> CHUNK_SHIFT];
      const word = (node & UNIT_MASK) << 1;
      if ((words[word + 1] & LEVEL_MASK) === 0) break;
      let child = this.placeOf(node) - 1;
      if (child < 0) {
        child = 0;
        this.setMin(node, 0, score, element);
      }
      if (this.isFull(words[word + KIDS_WORD + child])) {
        this.split(node, child);
        if (this.isBefore(node, child + 1)) child++;
      }
      words[word + COUNTS_WORD + child]++;
      node = words[word + KIDS_WORD + child];
    }
    this.putInLeaf(node, score, element);
  }

  /** Takes out an element that is there. */
  remove(root: number, score: number, element: number): void {
    const { u32 } = this.arena;
    const { nodes, places } = this;
    this.boundBy(score, element);
    let node = u32[root >>> CHUNK_SHIFT][(root & UNIT_MASK) << 1];
    let depth = 0;
    for (;;) {
      if (node === 0) throw new Error('a sorted set has lost an element');
      const words = u32[node >>> CHUNK_SHIFT];
      const word = (node & UNIT_MASK) << 1;
      if ((words[word + 1] & LEVEL_MASK) === 0) break;
      const child = Math.max(0, this.placeOf(node) - 1);
      words[word + COUNTS_WORD + child]--;
      nodes[depth] = node;
      places[depth++] = child;
      node = words[word + KIDS_WORD + child];
    }
    this.takeFromLeaf(node, element);
    if (this.countOf(node) > 0) this.noteMins(depth, node);
    this.rebalance(depth);
    this.shrinkRoot(root);
  }

  /** Frees a node and calls `each` with its children. */
  freeNode(node: number, each: (child: number) => void): void {
    const words = this.arena.u32[node >>> CHUNK_SHIFT];
    const word = (node & UNIT_MASK) << 1;
    if ((words[word + 1] & LEVEL_MASK) > 0) {
      for (let i = 0; i < words[word]; i++) each(words[word + KIDS_WORD + i]);
    }
    this.free(node);
  }

  // ── Searching in a node ───────────────────────────────────────────────────────────────────

  /** Bounds by an element; an equal entry is before the bound. */
  private boundBy(score: number, element: number): void {
    const { tables } = this;
    tables.locateName(element);
    this.withScore = true;
    this.withName = true;
    this.orEqual = true;
    this.score = score;
    this.name = tables.bytes;
    this.nameStart = tables.start;
    this.nameEnd = tables.end;
  }

  /** Number of the node's entries before the bound. */
  private placeOf(node: number): number {
    let low = 0;
    let high = this.countOf(node);
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.isBefore(node, middle)) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  private isBefore(node: number, place: number): boolean {
    if (this.withScore) {
      const score = this.arena.f64[node >>> CHUNK_SHIFT][(node & UNIT_MASK) + 1 + place];
      if (score !== this.score) return score < this.score;
      if (!this.withName) return this.orEqual;
    }
    const order = this.compareName(this.elementAt(node, place));
    return order < 0 || (order === 0 && this.orEqual);
  }

  /** Below 0: the element's name is less than that of the bound. */
  private compareName(element: number): number {
    const { tables, name, nameEnd } = this;
    tables.locateName(element);
    return compareNames(tables.bytes, tables.start, tables.end, name, this.nameStart, nameEnd);
  }

  // ── Parts of nodes ────────────────────────────────────────────────────────────────────────

  private countOf(node: number): number {
    return this.arena.u32[node >>> CHUNK_SHIFT][(node & UNIT_MASK) << 1];
  }

  private levelOf(node: number): number {
    return this.arena.u32[node >>> CHUNK_SHIFT][((node & UNIT_MASK) << 1) + 1] & LEVEL_MASK;
  }

  private capacityOf(node: number): number {
    return this.arena.u32[node >>> CHUNK_SHIFT][((node & UNIT_MASK) << 1) + 1] >>> CAPACITY_SHIFT;
  }

  private isFull(node: number): boolean {
    return this.countOf(node) === this.capacityOf(node);
  }

  /** Word, in its chunk, of a leaf's first element, or of an inner node's first least element. */
  private elementsWord(node: number): number {
    return ((node & UNIT_MASK) + 1 + this.capacityOf(node)) << 1;
  }

  private elementAt(node: number, place: number): number {
    return this.arena.u32[node >>> CHUNK_SHIFT][this.elementsWord(node) + place];
  }

  private setMin(node: number, place: number, score: number, element: number): void {
    this.arena.f64[node >>> CHUNK_SHIFT][(node & UNIT_MASK) + 1 + place] = score;
    this.arena.u32[node >>> CHUNK_SHIFT][this.elementsWord(node) + place] = element;
  }

  /** Number of elements below a node. */
  private sizeOf(node: number): number {
    const count = this.countOf(node);
    if (this.levelOf(node) === 0) return count;
    const words = this.arena.u32[node >>> CHUNK_SHIFT];
    const counts = ((node & UNIT_MASK) << 1) + COUNTS_WORD;
    let size = 0;
    for (let i = 0; i < count; i++) size += words[counts + i];
    return size;
  }

  private newLeaf(capacity: number): number {
    return this.newNode(CLASS_OF_UNITS[1 + capacity + ((capacity + 1) >>> 1)], capacity, 0);
  }

  private newNode(sizeClass: number, capacity: number, level: number): number {
    const node = this.arena.allocate(sizeClass);
    const words = this.arena.u32[node >>> CHUNK_SHIFT];
    const word = (node & UNIT_MASK) << 1;
    words[word] = 0;
    words[word + 1] = (capacity << CAPACITY_SHIFT) | level;
    this.grownBytes += CLASS_UNITS[sizeClass] * 8;
    return node;
  }

  private free(node: number): void {
    const capacity = this.capacityOf(node);
    const sizeClass =
      this.levelOf(node) > 0 ? INNER_CLASS : CLASS_OF_UNITS[1 + capacity + ((capacity + 1) >>> 1)];
    this.arena.free(node, sizeClass);
    this.grownBytes -= CLASS_UNITS[sizeClass] * 8;
  }

  // ── Growing ───────────────────────────────────────────────────────────────────────────────

  private putInLeaf(leaf: number, score: number, element: number): void {
    const place = this.placeOf(leaf);
    const words = this.arena.u32[leaf >>> CHUNK_SHIFT];
    const floats = this.arena.f64[leaf >>> CHUNK_SHIFT];
    const base = leaf & UNIT_MASK;
    const count = words[base << 1];
    const refs = this.elementsWord(leaf);
    for (let i = count; i > place; i--) {
      floats[base + 1 + i] = floats[base + i];
      words[refs + i] = words[refs + i - 1];
    }
    floats[base + 1 + place] = score;
    words[refs + place] = element;
    words[base << 1] = count + 1;
  }

  /** Makes room in a full root: a larger leaf, or a level more. */
  private growRoot(rootWords: Uint32Array, rootWord: number): void {
    const root = rootWords[rootWord];
    const capacity = this.capacityOf(root);
    if (this.levelOf(root) === 0 && capacity < LEAF_MAX) {
      const leaf = this.newLeaf(LEAF_SIZES[LEAF_SIZES.indexOf(capacity) + 1]);
      this.moveEntries(root, 0, capacity, leaf, 0);
      this.free(root);
      rootWords[rootWord] = leaf;
      return;
    }
    const node = this.newNode(INNER_CLASS, INNER_MAX, this.levelOf(root) + 1);
    this.linkChild(node, 0, root);
    rootWords[rootWord] = node;
    this.split(node, 0);
  }

  /** Moves part of a full child of `parent`, which has room, to a new one behind it. */
  private split(parent: number, child: number): void {
    const { arena } = this;
    const word = (parent & UNIT_MASK) << 1;
    const left = arena.u32[parent >>> CHUNK_SHIFT][word + KIDS_WORD + child];
    const level = this.levelOf(left);
    const right =
      level === 0 ? this.newLeaf(LEAF_MAX) : this.newNode(INNER_CLASS, INNER_MAX, level);
    const count = this.countOf(left);
    // Where elements are added at the end, what is left behind will stay as it is.
    const isEnd = child === this.countOf(parent) - 1 && this.isBefore(left, count - 1);
    const kept = isEnd ? count - (count >>> 3) : count >>> 1;
    this.moveEntries(left, kept, count, right, 0);
    arena.u32[left >>> CHUNK_SHIFT][(left & UNIT_MASK) << 1] = kept;
    this.linkChild(parent, child + 1, right);
    arena.u32[parent >>> CHUNK_SHIFT][word + COUNTS_WORD + child] = this.sizeOf(left);
  }

  /** Copies entries `[start, end)` of one node behind those of another of its level; counts them there. */
  private moveEntries(from: number, start: number, end: number, to: number, at: number): void {
    const { arena } = this;
    const fromFloats = arena.f64[from >>> CHUNK_SHIFT];
    const toFloats = arena.f64[to >>> CHUNK_SHIFT];
    const fromBase = (from & UNIT_MASK) + 1;
    const toBase = (to & UNIT_MASK) + 1;
    const fromWords = arena.u32[from >>> CHUNK_SHIFT];
    const toWords = arena.u32[to >>> CHUNK_SHIFT];
    const fromRefs = this.elementsWord(from);
    const toRefs = this.elementsWord(to);
    const isInner = this.levelOf(from) > 0;
    for (let i = start, k = at; i < end; i++, k++) {
      toFloats[toBase + k] = fromFloats[fromBase + i];
      toWords[toRefs + k] = fromWords[fromRefs + i];
      if (!isInner) continue;
      toWords[toRefs + INNER_MAX + k] = fromWords[fromRefs + INNER_MAX + i];
      toWords[toRefs + INNER_MAX * 2 + k] = fromWords[fromRefs + INNER_MAX * 2 + i];
    }
    toWords[(to & UNIT_MASK) << 1] = at + end - start;
  }

  /** Puts a node, which is not empty, among the children of another one. */
  private linkChild(parent: number, place: number, child: number): void {
    const count = this.countOf(parent);
    for (let i = count; i > place; i--) this.copyEntry(parent, i - 1, i);
    const words = this.arena.u32[parent >>> CHUNK_SHIFT];
    const word = (parent & UNIT_MASK) << 1;
    this.setMin(parent, place, this.leastScore(child), this.elementAt(child, 0));
    words[word + KIDS_WORD + place] = child;
    words[word + COUNTS_WORD + place] = this.sizeOf(child);
    words[word] = count + 1;
  }

  private leastScore(node: number): number {
    return this.arena.f64[node >>> CHUNK_SHIFT][(node & UNIT_MASK) + 1];
  }

  private copyEntry(node: number, from: number, to: number): void {
    const words = this.arena.u32[node >>> CHUNK_SHIFT];
    const floats = this.arena.f64[node >>> CHUNK_SHIFT];
    const base = node & UNIT_MASK;
    const word = base << 1;
    floats[base + 1 + to] = floats[base + 1 + from];
    words[word + MINS_WORD + to] = words[word + MINS_WORD + from];
    words[word + KIDS_WORD + to] = words[word + KIDS_WORD + from];
    words[word + COUNTS_WORD + to] = words[word + COUNTS_WORD + from];
  }

  // ── Shrinking ─────────────────────────────────────────────────────────────────────────────

  private takeFromLeaf(leaf: number, element: number): void {
    const place = this.placeOf(leaf) - 1;
    const words = this.arena.u32[leaf >>> CHUNK_SHIFT];
    const floats = this.arena.f64[leaf >>> CHUNK_SHIFT];
    const base = leaf & UNIT_MASK;
    const refs = this.elementsWord(leaf);
    if (place < 0 || words[refs + place] !== element) {
      throw new Error('a sorted set has lost an element');
    }
    const count = words[base << 1] - 1;
    for (let i = place; i < count; i++) {
      floats[base + 1 + i] = floats[base + 2 + i];
      words[refs + i] = words[refs + i + 1];
    }
    words[base << 1] = count;
  }

  /** The least entry of `node`, which is below the first `depth` nodes of the way, may have changed. */
  private noteMins(depth: number, node: number): void {
    const score = this.leastScore(node);
    const element = this.elementAt(node, 0);
    for (let above = depth - 1; above >= 0; above--) {
      this.setMin(this.nodes[above], this.places[above], score, element);
      if (this.places[above] !== 0) return;
    }
  }

  /** Takes out empty nodes on the way, and joins small ones with a neighbour. */
  private rebalance(depth: number): void {
    const { nodes, places } = this;
    for (let above = depth - 1; above >= 0; above--) {
      const parent = nodes[above];
      const place = places[above];
      const child = this.childAt(parent, place);
      const count = this.countOf(child);
      if (count > this.capacityOf(child) / JOIN_SHARE) return;
      if (count === 0) {
        this.free(child);
        this.unlinkChild(parent, place);
        if (this.countOf(parent) > 0 && place === 0) this.noteMins(above, parent);
        continue;
      }
      const first = place + 1 < this.countOf(parent) ? place : place - 1;
      if (first < 0) continue;
      const left = this.childAt(parent, first);
      const right = this.childAt(parent, first + 1);
      const held = this.countOf(left);
      const more = this.countOf(right);
      if (held + more > this.capacityOf(left)) continue;
      this.moveEntries(right, 0, more, left, held);
      this.free(right);
      const words = this.arena.u32[parent >>> CHUNK_SHIFT];
      const counts = ((parent & UNIT_MASK) << 1) + COUNTS_WORD;
      words[counts + first] += words[counts + first + 1];
      this.unlinkChild(parent, first + 1);
    }
  }

  private childAt(node: number, place: number): number {
    return this.arena.u32[node >>> CHUNK_SHIFT][((node & UNIT_MASK) << 1) + KIDS_WORD + place];
  }

  private unlinkChild(parent: number, place: number): void {
    const count = this.countOf(parent) - 1;
    for (let i = place; i < count; i++) this.copyEntry(parent, i + 1, i);
    this.arena.u32[parent >>> CHUNK_SHIFT][(parent & UNIT_MASK) << 1] = count;
  }

  /** A root with one child is that child, an empty one is none. */
  private shrinkRoot(root: number): void {
    const words = this.arena.u32[root >>> CHUNK_SHIFT];
    const word = (root & UNIT_MASK) << 1;
    for (;;) {
      const node = words[word];
      const count = this.countOf(node);
      const isLeaf = this.levelOf(node) === 0;
      if (count > 1 || (isLeaf && count === 1)) return;
      words[word] = count === 0 ? 0 : this.childAt(node, 0);
      this.free(node);
      if (count === 0) return;
    }
  }
}
