/**
 * The entries of each hash slot as a doubly linked list through the entries themselves, so that a
 * slot can be exported or counted without walking the whole table. Order means nothing.
 */

import { type Arena, CHUNK_SHIFT, UNIT_MASK } from './arena.ts';
import { META_SLOT_SHIFT, SLOT_MASK } from './entry.ts';
import { SLOT_COUNT } from './slot.ts';

export class SlotLists {
  /** First entry of each slot; 0: none. */
  readonly heads: Uint32Array = new Uint32Array(SLOT_COUNT);
  /** Number of entries of each slot. */
  readonly counts: Uint32Array = new Uint32Array(SLOT_COUNT);
  private readonly arena: Arena;

  constructor(arena: Arena) {
    this.arena = arena;
  }

  get heapBytes(): number {
    return this.heads.byteLength + this.counts.byteLength;
  }

  reset(): void {
    this.heads.fill(0);
    this.counts.fill(0);
  }

  add(ref: number, slot: number): void {
    const words = this.arena.u32[ref >>> CHUNK_SHIFT];
    const at = (ref & UNIT_MASK) << 1;
    const head = this.heads[slot];
    words[at] = head;
    words[at + 1] = 0;
    if (head !== 0) this.arena.u32[head >>> CHUNK_SHIFT][((head & UNIT_MASK) << 1) + 1] = ref;
    this.heads[slot] = ref;
    this.counts[slot]++;
  }

  remove(ref: number): void {
    const words = this.arena.u32[ref >>> CHUNK_SHIFT];
    const at = (ref & UNIT_MASK) << 1;
    const slot = (words[at + 2] >>> META_SLOT_SHIFT) & SLOT_MASK;
    const next = words[at];
    const previous = words[at + 1];
    if (previous === 0) this.heads[slot] = next;
    else this.arena.u32[previous >>> CHUNK_SHIFT][(previous & UNIT_MASK) << 1] = next;
    if (next !== 0) this.arena.u32[next >>> CHUNK_SHIFT][((next & UNIT_MASK) << 1) + 1] = previous;
    this.counts[slot]--;
  }

  /** The entry at `from` now lies at `to`, which has the same header bytes. */
  moved(to: number): void {
    const words = this.arena.u32[to >>> CHUNK_SHIFT];
    const at = (to & UNIT_MASK) << 1;
    const next = words[at];
    const previous = words[at + 1];
    if (previous === 0) this.heads[(words[at + 2] >>> META_SLOT_SHIFT) & SLOT_MASK] = to;
    else this.arena.u32[previous >>> CHUNK_SHIFT][(previous & UNIT_MASK) << 1] = to;
    if (next !== 0) this.arena.u32[next >>> CHUNK_SHIFT][((next & UNIT_MASK) << 1) + 1] = to;
  }

  /** The entry after this one in its slot; 0: it was the last. */
  next(ref: number): number {
    return this.arena.u32[ref >>> CHUNK_SHIFT][(ref & UNIT_MASK) << 1];
  }
}
