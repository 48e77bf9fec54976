/**
 * From the hash of a key to its entry: extendible hashing over small open-addressing segments.
 *
 * The question: a table of ten million keys that grows without ever moving more than a few
 * thousand of them at once, without an old and a new table side by side, and without being half
 * empty most of the time. The answer: many segments of up to 4096 places each, which live in the
 * arena, and a directory by the first bits of the hash. A segment that gets full moves to a block
 * with 256 places more; one that has 4096 splits in two by the next bit of the hash. Either is some
 * 30 µs. A directory that has no bit left doubles (8 bytes per ~3500 keys).
 *
 *     hash (32 bits)  = directory bits | 14 bits for the home | rest
 *     directory entry = ref of the segment, number << 9 | (places / 256 - 1) << 5 | depth
 *     segment         = places × (u32 hash, u32 ref); ref 0: empty place
 *
 * A segment of depth d holds the hashes that agree in their first d bits; a key's home is the place
 * at the share of the segment that the next 14 bits name, from where it is probed linearly (round
 * the end). So the places are in the order of the hash, whatever depth and size: scan.ts rests on
 * that. Deleting moves later entries of the run back, so there are no deleted marks.
 *
 * 8 bytes per place, 0.76 to 0.85 full (small tables apart): 9.4 to 10.6 bytes per key.
 *
 * (Fagin et al., Extendible Hashing, 1979; Knuth 6.4 algorithm R.)
 */

import { type Arena, CHUNK_SHIFT, CLASS_OF_UNITS, UNIT_MASK } from './arena.ts';
import { keyOffset, META_KEY_OUTSIDE } from './entry.ts';

/** Places come in steps of so many; the first segment has one step. */
const STEP = 256;
const PLACES_MAX = 4096;
const FILL_MAX = 0.85;
/** A new half of a split segment is at most so full. */
const FILL_AFTER_SPLIT = 0.78;
const HOME_BITS = 14;
/** A deeper segment would mean that thousands of keys share 18 bits of a keyed hash. */
const DEPTH_MAX = 32 - HOME_BITS;
const DEPTH_MASK = 0x1f;
const SIZE_SHIFT = 5;
const SIZE_MASK = 0xf;
const NUMBER_SHIFT = 9;

/** Places of the segment with this directory info. */
export function placesOf(info: number): number {
  return (((info >>> SIZE_SHIFT) & SIZE_MASK) + 1) * STEP;
}

export function depthOf(info: number): number {
  return info & DEPTH_MASK;
}

/** Where the keys with this hash belong in the segment with this info. */
export function homeOf(hash: number, info: number): number {
  return (((hash << (info & DEPTH_MASK)) >>> (32 - HOME_BITS)) * placesOf(info)) >>> HOME_BITS;
}

/** The least hash after `hash` that has another home or another segment; at most 2^32. */
export function nextHomeHash(hash: number, info: number): number {
  const depth = info & DEPTH_MASK;
  const places = placesOf(info);
  const part = 2 ** (32 - HOME_BITS - depth);
  const share = Math.ceil(((homeOf(hash, info) + 1) * 2 ** HOME_BITS) / places);
  const first = depth === 0 ? 0 : (hash >>> (32 - depth)) * 2 ** (32 - depth);
  return first + share * part;
}

function infoOf(number: number, places: number, depth: number): number {
  return (number << NUMBER_SHIFT) | ((places / STEP - 1) << SIZE_SHIFT) | depth;
}

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
  /** Pairs: ref of the segment, its number, size and depth. */
  directory: Uint32Array = new Uint32Array(4);
  /** The directory has 2^depthBits pairs. */
  depthBits = 1;
  private counts = new Uint16Array(16);
  private segments = 0;
  private readonly arena: Arena;
  private readonly outsideKeyEquals: OutsideKeyEquals;

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
    const ref = this.newBlock(STEP);
    const info = infoOf(this.newNumber(), STEP, 0);
    this.directory = Uint32Array.of(ref, info, ref, info);
  }

  /** Bytes outside the arena. */
  get heapBytes(): number {
    return this.directory.byteLength + this.counts.byteLength;
  }

  /** The entry whose key is `buf[start, end)` and has this hash; 0: none. */
  find(hash: number, buf: Uint8Array, start: number, end: number): number {
    const index = (hash >>> (32 - this.depthBits)) << 1;
    const segment = this.directory[index];
    const info = this.directory[index + 1];
    const words = this.arena.u32[segment >>> CHUNK_SHIFT];
    const base = (segment & UNIT_MASK) << 1;
    const places = placesOf(info);
    let place = homeOf(hash, info);
    for (;;) {
      const at = base + (place << 1);
      const ref = words[at + 1];
      if (ref === 0) return 0;
      if (words[at] === hash && this.keyEquals(ref, buf, start, end)) return ref;
      if (++place === places) place = 0;
    }
  }

  /** The entries at the homes of these hashes that have them, 0 where there is none, to `refs`. */
  atHome(hashes: Uint32Array, refs: Uint32Array, count: number): void {
    const { directory, depthBits } = this;
    const { u32 } = this.arena;
    for (let i = 0; i < count; i++) {
      const hash = hashes[i];
      const index = (hash >>> (32 - depthBits)) << 1;
      const segment = directory[index];
      const at = ((segment & UNIT_MASK) + homeOf(hash, directory[index + 1])) << 1;
      const words = u32[segment >>> CHUNK_SHIFT];
      refs[i] = words[at] === hash ? words[at + 1] : 0;
    }
  }

  /** Whether the table holds this entry under this hash. */
  holds(hash: number, ref: number): boolean {
    return this.wordOf((hash >>> (32 - this.depthBits)) << 1, hash, ref) >= 0;
  }

  /** Adds an entry whose key is not in the table. */
  insert(hash: number, ref: number): void {
    for (;;) {
      const index = (hash >>> (32 - this.depthBits)) << 1;
      const info = this.directory[index + 1];
      const number = info >>> NUMBER_SHIFT;
      const places = placesOf(info);
      if (this.counts[number] < places * FILL_MAX) {
        this.counts[number]++;
        this.put(this.directory[index], info, hash, ref);
        this.size++;
        return;
      }
      if (places < PLACES_MAX) this.grow(index >>> 1);
      else this.split(index >>> 1);
    }
  }

  /** The entry moved. */
  replace(hash: number, from: number, to: number): void {
    const index = (hash >>> (32 - this.depthBits)) << 1;
    const segment = this.directory[index];
    this.arena.u32[segment >>> CHUNK_SHIFT][this.getWord(index, hash, from) + 1] = to;
  }

  /** Takes out the entry, which must be there. */
  remove(hash: number, ref: number): void {
    const index = (hash >>> (32 - this.depthBits)) << 1;
    const segment = this.directory[index];
    const info = this.directory[index + 1];
    const places = placesOf(info);
    const words = this.arena.u32[segment >>> CHUNK_SHIFT];
    const base = (segment & UNIT_MASK) << 1;
    let hole = (this.getWord(index, hash, ref) - base) >>> 1;
    let next = hole;
    for (;;) {
      if (++next === places) next = 0;
      const at = base + (next << 1);
      if (words[at + 1] === 0) break;
      // An entry may fill the hole only if its home is not between the hole and itself.
      const fromHome = distance(homeOf(words[at], info), next, places);
      if (fromHome < distance(hole, next, places)) continue;
      words[base + (hole << 1)] = words[at];
      words[base + (hole << 1) + 1] = words[at + 1];
      hole = next;
    }
    words[base + (hole << 1) + 1] = 0;
    this.counts[info >>> NUMBER_SHIFT]--;
    if (--this.size === 0) this.clear();
  }

  /** Gives everything back when the last entry has gone: a segment costs some 30 ns. */
  private clear(): void {
    for (let i = 0; i < this.directory.length; ) {
      const info = this.directory[i + 1];
      this.arena.free(this.directory[i], CLASS_OF_UNITS[placesOf(info)]);
      i += 2 << Math.max(0, this.depthBits - depthOf(info));
    }
    this.reset();
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

  private getWord(index: number, hash: number, ref: number): number {
    const word = this.wordOf(index, hash, ref);
    if (word < 0) throw new Error('the table has lost an entry');
    return word;
  }

  /** Word index of the place that holds `ref`; -1: none does. */
  private wordOf(index: number, hash: number, ref: number): number {
    const segment = this.directory[index];
    const info = this.directory[index + 1];
    const words = this.arena.u32[segment >>> CHUNK_SHIFT];
    const base = (segment & UNIT_MASK) << 1;
    const places = placesOf(info);
    let place = homeOf(hash, info);
    for (;;) {
      const at = base + (place << 1);
      if (words[at + 1] === ref && words[at] === hash) return at;
      if (words[at + 1] === 0) return -1;
      if (++place === places) place = 0;
    }
  }

  private put(segment: number, info: number, hash: number, ref: number): void {
    const words = this.arena.u32[segment >>> CHUNK_SHIFT];
    const base = (segment & UNIT_MASK) << 1;
    const places = placesOf(info);
    let place = homeOf(hash, info);
    while (words[base + (place << 1) + 1] !== 0) if (++place === places) place = 0;
    words[base + (place << 1)] = hash;
    words[base + (place << 1) + 1] = ref;
  }

  /** Gives a full segment a block with more places. */
  private grow(position: number): void {
    const old = this.directory[position * 2];
    const info = this.directory[position * 2 + 1];
    const before = placesOf(info);
    // Small ones double: a step would be little or much of them.
    const places = before + (before < PLACES_MAX / 4 ? before : STEP);
    const block = this.newBlock(places);
    const nextInfo = infoOf(info >>> NUMBER_SHIFT, places, depthOf(info));
    this.divide(old, before, 0, [block, block], [nextInfo, nextInfo]);
    this.point(position, depthOf(info), [block, block], [nextInfo, nextInfo]);
  }

  private split(position: number): void {
    const info = this.directory[position * 2 + 1];
    const depth = depthOf(info);
    if (depth === DEPTH_MAX) throw new Error('too many keys share the first bits of their hash');
    if (depth === this.depthBits) {
      this.doubleDirectory();
      position *= 2;
    }
    const old = this.directory[position * 2];
    const number = info >>> NUMBER_SHIFT;
    const upper = this.countUpper(old, depth);
    const counts = [this.counts[number] - upper, upper];
    const sizes = counts.map((count) => {
      const steps = Math.ceil(count / FILL_AFTER_SPLIT / STEP);
      return Math.min(PLACES_MAX, Math.max(PLACES_MAX / 2, steps * STEP));
    });
    const other = this.newNumber();
    const infos = [infoOf(number, sizes[0], depth + 1), infoOf(other, sizes[1], depth + 1)];
    const blocks = [this.newBlock(sizes[0]), this.newBlock(sizes[1])];
    this.counts[number] = counts[0];
    this.counts[other] = counts[1];
    this.point(position, depth, blocks, infos);
    this.divide(old, PLACES_MAX, depth + 1, blocks, infos);
  }

  /** How many entries of a segment of 4096 places have bit `depth` of their hash set. */
  private countUpper(segment: number, depth: number): number {
    const words = this.arena.u32[segment >>> CHUNK_SHIFT];
    const base = (segment & UNIT_MASK) << 1;
    let count = 0;
    for (let at = base; at < base + PLACES_MAX * 2; at += 2) {
      if (words[at + 1] !== 0) count += (words[at] >>> (31 - depth)) & 1;
    }
    return count;
  }

  /** Spreads the entries of a segment over two by the last of `bits` of their hashes; frees it. */
  private divide(
    segment: number,
    places: number,
    bits: number,
    blocks: readonly number[],
    infos: readonly number[],
  ): void {
    const words = this.arena.u32[segment >>> CHUNK_SHIFT];
    const base = (segment & UNIT_MASK) << 1;
    for (let at = base; at < base + places * 2; at += 2) {
      if (words[at + 1] === 0) continue;
      const half = bits === 0 ? 0 : (words[at] >>> (32 - bits)) & 1;
      this.put(blocks[half], infos[half], words[at], words[at + 1]);
    }
    this.arena.recycle(segment, CLASS_OF_UNITS[places]);
  }

  /** Makes the directory entries of the segment at `position` name its two halves. */
  private point(
    position: number,
    depth: number,
    blocks: readonly number[],
    infos: readonly number[],
  ): void {
    const span = 1 << (this.depthBits - depth);
    const first = position & ~(span - 1);
    for (let i = 0; i < span; i++) {
      const half = i >= span / 2 ? 1 : 0;
      this.directory[(first + i) * 2] = blocks[half];
      this.directory[(first + i) * 2 + 1] = infos[half];
    }
  }

  private newBlock(places: number): number {
    const ref = this.arena.allocate(CLASS_OF_UNITS[places]);
    const base = (ref & UNIT_MASK) << 1;
    this.arena.u32[ref >>> CHUNK_SHIFT].fill(0, base, base + places * 2);
    return ref;
  }

  private newNumber(): number {
    if (this.segments === this.counts.length) {
      const counts = new Uint16Array(this.segments * 2);
      counts.set(this.counts);
      this.counts = counts;
    }
    this.counts[this.segments] = 0;
    return this.segments++;
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

/** Places from one to the other, round the end. */
function distance(from: number, to: number, places: number): number {
  return to >= from ? to - from : to - from + places;
}
