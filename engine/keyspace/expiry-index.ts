/**
 * Which keys are due: a hierarchical timing wheel through the entries themselves.
 *
 * The question: millions of keys with a TTL that is often changed, and the ones that are due must
 * be found on time, not by luck as with sampling, and never with a pause. The answer: five wheels
 * of 256 buckets; a bucket of the first wheel is 1 ms wide, of the next 256 ms, 65 s, 4.7 h, 50
 * days. What lies beyond (some 35 years) waits in one last list. An entry stands in the bucket of
 * the finest wheel whose turn it shares with the wheel's time; when the time reaches a bucket of a
 * coarser wheel, its entries are spread over the finer ones.
 *
 *     add, remove   O(1), no memory beside two u32 links in the entry
 *     advance       bounded by its budget: a bucket that is being emptied stays in `draining`, and
 *                   the wheel's time does not go on before it is empty
 *
 * Empty wheels are skipped whole, so a clock that was far behind costs nothing.
 *
 * (Varghese and Lauck, Hashed and Hierarchical Timing Wheels, 1987.)
 */

import { type Arena, CHUNK_SHIFT, UNIT_MASK } from './arena.ts';
import { HEADER_UNITS } from './entry.ts';

const LEVELS = 5;
const BUCKETS = 256;
const OVERFLOW = LEVELS * BUCKETS;
/** `previous` of an entry that is in no bucket. */
const UNLINKED = 0xffffffff;
/** Words of the links behind the entry's start. */
const NEXT_WORD = (HEADER_UNITS + 1) * 2;
const PREVIOUS_WORD = NEXT_WORD + 1;
const WIDTHS: readonly number[] = [0, 1, 2, 3, 4, 5].map((level) => BUCKETS ** level);

export class ExpiryIndex {
  /** Entries in the wheel. */
  size = 0;
  private readonly heads = new Uint32Array(OVERFLOW + 1);
  private readonly arena: Arena;
  private readonly dueOf: (ref: number) => number;
  /** ms: everything due up to here has been handed out, or is in `draining`. */
  private elapsed = 0;
  /** First entry of the bucket that is being emptied; 0: none is. */
  private draining = 0;
  /** The entry that `walk` hands out next; 0: the first one of a bucket after `walkBucket`. */
  private walker = 0;
  private walkBucket = 0;

  /** `dueOf` tells when an entry is due, ms; it must not change while the entry is in here. */
  constructor(arena: Arena, dueOf: (ref: number) => number) {
    this.arena = arena;
    this.dueOf = dueOf;
  }

  reset(): void {
    this.heads.fill(0);
    this.size = 0;
    this.draining = 0;
    this.walker = 0;
  }

  get heapBytes(): number {
    return this.heads.byteLength;
  }

  add(ref: number): void {
    const bucket = this.bucketOf(this.dueOf(ref));
    const head = this.heads[bucket];
    const words = this.arena.u32[ref >>> CHUNK_SHIFT];
    const at = (ref & UNIT_MASK) << 1;
    words[at + NEXT_WORD] = head;
    words[at + PREVIOUS_WORD] = 0;
    if (head !== 0) this.setPrevious(head, ref);
    this.heads[bucket] = ref;
    this.size++;
  }

  /** Takes the entry out; nothing happens if `advance` has handed it out. */
  remove(ref: number): void {
    const words = this.arena.u32[ref >>> CHUNK_SHIFT];
    const at = (ref & UNIT_MASK) << 1;
    const next = words[at + NEXT_WORD];
    const previous = words[at + PREVIOUS_WORD];
    if (previous === UNLINKED) return;
    if (this.walker === ref) this.walker = next;
    if (next !== 0) this.setPrevious(next, previous);
    if (previous !== 0) this.setNext(previous, next);
    else if (this.draining === ref) this.draining = next;
    else this.heads[this.bucketOf(this.dueOf(ref))] = next;
    words[at + PREVIOUS_WORD] = UNLINKED;
    this.size--;
  }

  /** The entry now lies at `to`, with the same bytes; `from` is where it was. */
  moved(from: number, to: number): void {
    const words = this.arena.u32[to >>> CHUNK_SHIFT];
    const at = (to & UNIT_MASK) << 1;
    const next = words[at + NEXT_WORD];
    const previous = words[at + PREVIOUS_WORD];
    if (previous === UNLINKED) return;
    if (this.walker === from) this.walker = to;
    if (next !== 0) this.setPrevious(next, to);
    if (previous !== 0) this.setNext(previous, to);
    else if (this.draining === from) this.draining = to;
    else this.heads[this.bucketOf(this.dueOf(to))] = to;
  }

  /**
   * Hands out entries that are due at `nowMs`, in at most `budget` steps of work. An entry that
   * is handed out is no longer in the wheel: the callee deletes it or adds it again.
   * Returns whether everything that is due was handed out.
   */
  advance(nowMs: number, budget: number, due: (ref: number) => void): boolean {
    for (;;) {
      while (this.draining !== 0) {
        if (budget-- <= 0) return false;
        const ref = this.popDraining();
        if (this.dueOf(ref) <= this.elapsed) due(ref);
        else this.add(ref);
      }
      if (budget-- <= 0) return false;
      if (!this.step(nowMs)) return true;
    }
  }

  /**
   * Hands out up to `count` entries, going on where the last call ended: every entry that stays has
   * its turn in each round. `each` must not change the index.
   */
  walk(count: number, each: (ref: number) => void): void {
    let buckets = OVERFLOW + 1;
    while (count > 0 && this.size > 0) {
      const ref = this.walker;
      if (ref === 0) {
        // Once round; the bucket that is being emptied stands in no head.
        if (buckets < 0) return;
        this.walkBucket = (this.walkBucket + 1) % (OVERFLOW + 1);
        this.walker = buckets > 0 ? this.heads[this.walkBucket] : this.draining;
        buckets--;
        continue;
      }
      this.walker = this.arena.u32[ref >>> CHUNK_SHIFT][((ref & UNIT_MASK) << 1) + NEXT_WORD];
      count--;
      each(ref);
    }
  }

  /** Of the first `among` entries of the first bucket the one that is due first; 0: there is none. */
  soonest(among: number): number {
    if (this.size === 0) return 0;
    let ref = this.draining !== 0 ? this.draining : this.heads[this.nextBucket()];
    let best = ref;
    for (; ref !== 0 && among > 0; among--) {
      if (this.dueOf(ref) < this.dueOf(best)) best = ref;
      ref = this.arena.u32[ref >>> CHUNK_SHIFT][((ref & UNIT_MASK) << 1) + NEXT_WORD];
    }
    return best;
  }

  /** Moves the time to the next bucket that holds something, at most to `nowMs`. */
  private step(nowMs: number): boolean {
    const bucket = this.size === 0 ? -1 : this.nextBucket();
    const level = bucket >> 8;
    const width = WIDTHS[Math.max(0, level)];
    const turn = bucket === OVERFLOW ? width : width * BUCKETS;
    const start =
      bucket === OVERFLOW
        ? (Math.floor(this.elapsed / turn) + 1) * turn
        : Math.floor(this.elapsed / turn) * turn + (bucket & (BUCKETS - 1)) * width;
    if (bucket === -1 || start > nowMs) {
      this.elapsed = Math.max(this.elapsed, Math.floor(nowMs));
      return false;
    }
    this.elapsed = start;
    this.draining = this.heads[bucket];
    this.heads[bucket] = 0;
    return true;
  }

  /** The first bucket after the present time with entries; OVERFLOW when it is none of these. */
  private nextBucket(): number {
    for (let level = 0; level < LEVELS; level++) {
      const now = Math.floor(this.elapsed / WIDTHS[level]) % BUCKETS;
      for (let bucket = now + 1; bucket < BUCKETS; bucket++) {
        if (this.heads[(level << 8) | bucket] !== 0) return (level << 8) | bucket;
      }
    }
    return OVERFLOW;
  }

  private popDraining(): number {
    const ref = this.draining;
    const words = this.arena.u32[ref >>> CHUNK_SHIFT];
    const at = (ref & UNIT_MASK) << 1;
    const next = words[at + NEXT_WORD];
    if (this.walker === ref) this.walker = next;
    this.draining = next;
    if (next !== 0) this.setPrevious(next, 0);
    words[at + PREVIOUS_WORD] = UNLINKED;
    this.size--;
    return ref;
  }

  /** Level and bucket of a moment, by the wheel's present time: level << 8 | bucket. */
  private bucketOf(dueMs: number): number {
    const elapsed = this.elapsed;
    const at = dueMs > elapsed ? Math.ceil(dueMs) : elapsed + 1;
    for (let level = 0; level < LEVELS; level++) {
      const turn = WIDTHS[level + 1];
      if (Math.floor(at / turn) === Math.floor(elapsed / turn)) {
        return (level << 8) | (Math.floor(at / WIDTHS[level]) % BUCKETS);
      }
    }
    return OVERFLOW;
  }

  private setNext(ref: number, next: number): void {
    this.arena.u32[ref >>> CHUNK_SHIFT][((ref & UNIT_MASK) << 1) + NEXT_WORD] = next;
  }

  private setPrevious(ref: number, previous: number): void {
    this.arena.u32[ref >>> CHUNK_SHIFT][((ref & UNIT_MASK) << 1) + PREVIOUS_WORD] = previous;
  }
}
