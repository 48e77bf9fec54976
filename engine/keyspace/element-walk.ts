/**
 * Ways through the elements of a table: all of them, page by page, and at random.
 *
 * SCAN as for keys (scan.ts): places are in the order of the hash, so the cursor is a bound, and all
 * elements with a smaller hash have been returned. Leaves that grow, split or merge between two
 * calls change nothing in that order: an element that is there all the time is returned exactly once.
 *
 * A random element is exact: slots count what lies below them, so the way down is weighed by these
 * counts, and in the leaf a place is drawn until there is an element at it (two draws on average).
 */

import { type Arena, CHUNK_SHIFT, UNIT_MASK } from './arena.ts';
import { COUNT_SHIFT, KIND_MASK, NODE, NODE_BITS, NODE_SLOTS } from './element-index.ts';

const HASHES = 2 ** 32;
/** Places looked at per element asked for, so that no call is long. */
const PLACES_PER_ELEMENT = 10;
const RANDOM_TRIES = 256;

/** Walks all elements. The table must not be changed meanwhile. */
export class ElementWalk {
  private readonly arena: Arena;
  /** Blocks on the way down, with the next word to look at and the end of each. */
  private readonly blocks: number[] = [];
  private readonly kinds: number[] = [];
  private readonly nexts: number[] = [];
  private depth = -1;

  constructor(arena: Arena) {
    this.arena = arena;
  }

  /** Begins before the first element below the slot. */
  open(root: number): void {
    this.depth = -1;
    this.descend(root);
  }

  /** The next element; 0: there is none. */
  next(): number {
    const { blocks, kinds, nexts } = this;
    while (this.depth >= 0) {
      const { depth } = this;
      const block = blocks[depth];
      const kind = kinds[depth];
      const words = this.arena.u32[block >>> CHUNK_SHIFT];
      const base = (block & UNIT_MASK) << 1;
      if (kind === NODE) {
        const child = nexts[depth]++;
        if (child === NODE_SLOTS) this.depth--;
        else this.descend(block + child);
        continue;
      }
      const places = 1 << kind;
      let place = nexts[depth];
      while (place < places && words[base + (place << 1) + 1] === 0) place++;
      nexts[depth] = place + 1;
      if (place < places) return words[base + (place << 1) + 1];
      this.depth--;
    }
    return 0;
  }

  private descend(slot: number): void {
    const words = this.arena.u32[slot >>> CHUNK_SHIFT];
    const word = (slot & UNIT_MASK) << 1;
    if (words[word] === 0) return;
    const depth = ++this.depth;
    this.blocks[depth] = words[word];
    this.kinds[depth] = words[word + 1] & KIND_MASK;
    this.nexts[depth] = 0;
  }
}

/**
 * Calls `each` for about `count` elements after `cursor` (0: from the start). Returns the next
 * cursor, below 2^32; 0: the end was reached. `each` must not change the table.
 */
export function scanElements(
  arena: Arena,
  root: number,
  cursor: number,
  count: number,
  each: (element: number) => void,
): number {
  // A cursor that no scan has returned may be anything.
  if (cursor >= HASHES) return 0;
  let from = cursor;
  let found = 0;
  for (let left = count * PLACES_PER_ELEMENT; left > 0 && found < count; left--) {
    let slot = root;
    let shift = 0;
    let words = arena.u32[slot >>> CHUNK_SHIFT];
    let word = (slot & UNIT_MASK) << 1;
    while (words[word] !== 0 && (words[word + 1] & KIND_MASK) === NODE) {
      slot = words[word] + ((from << shift) >>> (32 - NODE_BITS));
      shift += NODE_BITS;
      words = arena.u32[slot >>> CHUNK_SHIFT];
      word = (slot & UNIT_MASK) << 1;
    }
    const leaf = words[word];
    const bits = leaf === 0 ? 0 : words[word + 1] & KIND_MASK;
    const width = 2 ** (32 - shift - bits);
    const to = (Math.floor(from / width) + 1) * width;
    if (leaf !== 0) found += scanHome(arena, leaf, bits, shift, from, to, each);
    if (to >= HASHES) return 0;
    from = to;
  }
  return from;
}

/** The elements of one leaf whose hash is in [from, to): those of one home, or the rest of them. */
function scanHome(
  arena: Arena,
  leaf: number,
  bits: number,
  shift: number,
  from: number,
  to: number,
  each: (element: number) => void,
): number {
  const words = arena.u32[leaf >>> CHUNK_SHIFT];
  const base = (leaf & UNIT_MASK) << 1;
  const mask = (1 << bits) - 1;
  let found = 0;
  for (let place = (from << shift) >>> (32 - bits); ; place = (place + 1) & mask) {
    const element = words[base + (place << 1) + 1];
    if (element === 0) return found;
    const hash = words[base + (place << 1)];
    if (hash < from || hash >= to) continue;
    found++;
    each(element);
  }
}

/** An element at random (`random` is uniform in [0, 1)); 0: there is none. */
export function randomElement(arena: Arena, root: number, random: () => number): number {
  let slot = root;
  for (;;) {
    const words = arena.u32[slot >>> CHUNK_SHIFT];
    const word = (slot & UNIT_MASK) << 1;
    const ref = words[word];
    const info = words[word + 1];
    if (ref === 0) return 0;
    if ((info & KIND_MASK) !== NODE) return randomOfLeaf(arena, ref, info & KIND_MASK, random);
    let rank = Math.floor(random() * (info >>> COUNT_SHIFT));
    const slots = arena.u32[ref >>> CHUNK_SHIFT];
    const first = (ref & UNIT_MASK) << 1;
    let child = 0;
    for (; child < NODE_SLOTS - 1; child++) {
      const below = slots[first + (child << 1) + 1] >>> COUNT_SHIFT;
      if (rank < below) break;
      rank -= below;
    }
    slot = ref + child;
  }
}

function randomOfLeaf(arena: Arena, leaf: number, bits: number, random: () => number): number {
  const words = arena.u32[leaf >>> CHUNK_SHIFT];
  const base = (leaf & UNIT_MASK) << 1;
  const mask = (1 << bits) - 1;
  let place = 0;
  for (let tries = 0; tries < RANDOM_TRIES; tries++) {
    place = Math.floor(random() * (1 << bits));
    const element = words[base + (place << 1) + 1];
    if (element !== 0) return element;
  }
  // As good as never with a leaf at least 1/8 full, unless `random` is not.
  while (words[base + (place << 1) + 1] === 0) place = (place + 1) & mask;
  return words[base + (place << 1) + 1];
}
