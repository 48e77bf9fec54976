/**
 * From the hash of a key to its entry: extendible hashing over small open-addressing segments.
 *
 * The question: a table of ten million keys that grows without ever moving more than a few
 * thousand of them at once, and without an old and a new table side by side. The answer: many
 * segments of 4096 places each, which live in the arena, and a directory by the first bits of the
 * hash. A segment that gets full splits in two by the next bit of the hash (about 30 µs); a
 * directory that has no bit left doubles (4 bytes per ~300 keys).
 *
 *     hash (32 bits)  = directory bits | place bits | rest
 *     directory entry = ref of the segment, number << 8 | depth
 *     segment         = 4096 × (u32 hash, u32 ref); ref 0: empty place
 *
 * A segment of depth d holds the hashes that agree in their first d bits; a key's home is the next
 * 12 bits, from where it is probed linearly (round the end). So the places are in the order of
 * the hash, whatever the depth: scan.ts rests on that. Deleting moves later entries of the run
 * back, so there are no deleted marks.
 *
 * 8 bytes per place at 0.41 to 0.82 full: 10 to 20 bytes per key.
 *
 * (Fagin et al., Extendible Hashing, 1979; Knuth 6.4 algorithm R.)
 */

import { type Arena, CHUNK_SHIFT, CLASS_OF_UNITS, UNIT_MASK } from './arena.ts';
import { keyOffset, META_KEY_OUTSIDE } from './entry.ts';

export const PLACE_BITS = 12;
export const PLACES = 1 << PLACE_BITS;
const PLACE_MASK = PLACES - 1;
const SEGMENT_CLASS = CLASS_OF_UNITS[PLACES];
const FILL_MAX = Math.floor(PLACES * 0.82);
/** A deeper segment would mean that hundreds of keys share 20 bits of a keyed hash. */
const DEPTH_MAX = 32 - PLACE_BITS;

/** Compares a key that lies outside the arena with `buf[start, end)`. */
export type OutsideKeyEquals = (
  ref: number,
  buf: Uint8Array,
  start: number,
  end: number,
) => boolean;

export class Table {
  /** Number of entries. */
  size = 0;
  /** Pairs: ref of the segment, its number << 8 | its depth. */
  directory: Uint32Array = new Uint32Array(4);
  /** The directory has 2^depthBits pairs. */
  depthBits = 1;
  private counts = new Uint16Array(16);
  private segments = 0;
  private readonly arena: Arena;
  private readonly outsideKeyEquals: OutsideKeyEquals;
  private readonly scratch = new Uint32Array(PLACES * 2);

  constructor(arena: Arena, outsideKeyEquals: OutsideKeyEquals) {
    this.arena = arena;
    this.outsideKeyEquals = outsideKeyEquals;
    this.reset();
  }

  /** Forgets everything, after the arena was reset. */
  reset(): void {
    this.size = 0;
    this.segments = 0;
    this.depthBits = 1;
    this.counts = new Uint16Array(16);
    const ref = this.newSegment();
    this.directory = Uint32Array.of(ref, 0, ref, 0);
  }

  /** Bytes outside the arena. */
  get heapBytes(): number {
    return this.directory.byteLength + this.counts.byteLength + this.scratch.byteLength;
  }

  /** The entry whose key is `buf[start, end)` and has this hash; 0: none. */
  find(hash: number, buf: Uint8Array, start: number, end: number): number {
    const index = (hash >>> (32 - this.depthBits)) << 1;
    const segment = this.directory[index];
    const depth = this.directory[index + 1] & 0xff;
    const words = this.arena.u32[segment >>> CHUNK_SHIFT];
    const base = (segment & UNIT_MASK) << 1;
    let place = (hash << depth) >>> (32 - PLACE_BITS);
    for (;;) {
      const at = base + (place << 1);
      const ref = words[at + 1];
      if (ref === 0) return 0;
      if (words[at] === hash && this.keyEquals(ref, buf, start, end)) return ref;
      place = (place + 1) & PLACE_MASK;
    }
  }

  /** Whether the table holds this entry under this hash. */
  holds(hash: number, ref: number): boolean {
    const index = (hash >>> (32 - this.depthBits)) << 1;
    const segment = this.directory[index];
    const depth = this.directory[index + 1] & 0xff;
    const words = this.arena.u32[segment >>> CHUNK_SHIFT];
    const base = (segment & UNIT_MASK) << 1;
    let place = (hash << depth) >>> (32 - PLACE_BITS);
    for (;;) {
      const at = base + (place << 1);
      if (words[at + 1] === 0) return false;
      if (words[at] === hash && words[at + 1] === ref) return true;
      place = (place + 1) & PLACE_MASK;
    }
  }

  /** Adds an entry whose key is not in the table. */
  insert(hash: number, ref: number): void {
    for (;;) {
      const index = (hash >>> (32 - this.depthBits)) << 1;
      const info = this.directory[index + 1];
      if (this.counts[info >>> 8] < FILL_MAX) {
        this.counts[info >>> 8]++;
        this.put(this.directory[index], info & 0xff, hash, ref);
        this.size++;
        return;
      }
      this.split(index >>> 1);
    }
  }

  /** The entry moved. */
  replace(hash: number, from: number, to: number): void {
    const index = (hash >>> (32 - this.depthBits)) << 1;
    const segment = this.directory[index];
    const words = this.arena.u32[segment >>> CHUNK_SHIFT];
    words[this.placeOf(index, hash, from) + 1] = to;
  }

  /** Takes out the entry, which must be there. */
  remove(hash: number, ref: number): void {
    const index = (hash >>> (32 - this.depthBits)) << 1;
    const segment = this.directory[index];
    const info = this.directory[index + 1];
    const depth = info & 0xff;
    const words = this.arena.u32[segment >>> CHUNK_SHIFT];
    const base = (segment & UNIT_MASK) << 1;
    let hole = (this.placeOf(index, hash, ref) - base) >>> 1;
    let next = hole;
    for (;;) {
      next = (next + 1) & PLACE_MASK;
      const at = base + (next << 1);
      if (words[at + 1] === 0) break;
      const home = (words[at] << depth) >>> (32 - PLACE_BITS);
      // An entry may fill the hole only if its home is not between the hole and itself.
      if (((next - home) & PLACE_MASK) < ((next - hole) & PLACE_MASK)) continue;
      words[base + (hole << 1)] = words[at];
      words[base + (hole << 1) + 1] = words[at + 1];
      hole = next;
    }
    words[base + (hole << 1) + 1] = 0;
    this.counts[info >>> 8]--;
    this.size--;
  }

  private keyEquals(ref: number, buf: Uint8Array, start: number, end: number): boolean {
    const chunk = ref >>> CHUNK_SHIFT;
    const word = (ref & UNIT_MASK) << 1;
    const words = this.arena.u32[chunk];
    const meta = words[word + 2];
    if ((meta & META_KEY_OUTSIDE) !== 0) return this.outsideKeyEquals(ref, buf, start, end);
    if ((words[word + 3] & 0xffff) !== end - start) return false;
    const bytes = this.arena.u8[chunk];
    let at = keyOffset(ref, meta);
    for (let i = start; i < end; i++) if (bytes[at++] !== buf[i]) return false;
    return true;
  }

  /** Word index of the place that holds `ref`. */
  private placeOf(index: number, hash: number, ref: number): number {
    const segment = this.directory[index];
    const depth = this.directory[index + 1] & 0xff;
    const words = this.arena.u32[segment >>> CHUNK_SHIFT];
    const base = (segment & UNIT_MASK) << 1;
    let place = (hash << depth) >>> (32 - PLACE_BITS);
    while (words[base + (place << 1) + 1] !== ref) {
      if (words[base + (place << 1) + 1] === 0) throw new Error('the table has lost an entry');
      place = (place + 1) & PLACE_MASK;
    }
    return base + (place << 1);
  }

  private put(segment: number, depth: number, hash: number, ref: number): void {
    const words = this.arena.u32[segment >>> CHUNK_SHIFT];
    const base = (segment & UNIT_MASK) << 1;
    let place = (hash << depth) >>> (32 - PLACE_BITS);
    while (words[base + (place << 1) + 1] !== 0) place = (place + 1) & PLACE_MASK;
    words[base + (place << 1)] = hash;
    words[base + (place << 1) + 1] = ref;
  }

  private split(position: number): void {
    const info = this.directory[position * 2 + 1];
    const depth = info & 0xff;
    if (depth === DEPTH_MAX) throw new Error('too many keys share the first bits of their hash');
    if (depth === this.depthBits) {
      this.doubleDirectory();
      position *= 2;
    }
    const low = this.directory[position * 2];
    const high = this.newSegment();
    const highInfo = ((this.segments - 1) << 8) | (depth + 1);
    const lowInfo = (info & ~0xff) | (depth + 1);
    // All directory entries of the old segment: the upper half of them gets the new one.
    const span = 1 << (this.depthBits - depth);
    const first = position & ~(span - 1);
    for (let i = 0; i < span; i++) {
      const upper = i >= span / 2;
      this.directory[(first + i) * 2] = upper ? high : low;
      this.directory[(first + i) * 2 + 1] = upper ? highInfo : lowInfo;
    }
    this.divide(low, lowInfo, high, highInfo);
  }

  /** Spreads the entries of `low` over both segments by bit `depth` of their hashes. */
  private divide(low: number, lowInfo: number, high: number, highInfo: number): void {
    const words = this.arena.u32[low >>> CHUNK_SHIFT];
    const base = (low & UNIT_MASK) << 1;
    const scratch = this.scratch;
    for (let i = 0; i < PLACES * 2; i++) {
      scratch[i] = words[base + i];
      words[base + i] = 0;
    }
    const depth = lowInfo & 0xff;
    let moved = 0;
    for (let i = 0; i < PLACES * 2; i += 2) {
      if (scratch[i + 1] === 0) continue;
      const upper = (scratch[i] >>> (32 - depth)) & 1;
      moved += upper;
      this.put(upper === 1 ? high : low, depth, scratch[i], scratch[i + 1]);
    }
    this.counts[lowInfo >>> 8] -= moved;
    this.counts[highInfo >>> 8] = moved;
  }

  private newSegment(): number {
    const ref = this.arena.allocate(SEGMENT_CLASS);
    const base = (ref & UNIT_MASK) << 1;
    this.arena.u32[ref >>> CHUNK_SHIFT].fill(0, base, base + PLACES * 2);
    if (this.segments === this.counts.length) {
      const counts = new Uint16Array(this.segments * 2);
      counts.set(this.counts);
      this.counts = counts;
    }
    this.counts[this.segments++] = 0;
    return ref;
  }

  private doubleDirectory(): void {
    const bigger = new Uint32Array(this.directory.length * 2);
    for (let i = 0; i < this.directory.length; i += 2) {
      bigger[i * 2] = this.directory[i];
      bigger[i * 2 + 1] = this.directory[i + 1];
      bigger[i * 2 + 2] = this.directory[i];
      bigger[i * 2 + 3] = this.directory[i + 1];
    }
    this.directory = bigger;
    this.depthBits++;
  }
}
