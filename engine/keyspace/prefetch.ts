/**
 * Brings what many keys will need nearer to the processor.
 *
 * Looking up a key in a large keyspace is mostly waiting for memory, at one place after the other: the
 * table, the entry, and for a new key the first entry of its slot. Who knows the next keys (a batch of another
 * member) lets them wait together: a loop that only reads has a dozen reads under way at once. Nothing but
 * the time that `find` and `add` take depends on it.
 */

import { CHUNK_SHIFT, UNIT_MASK } from './arena.ts';
import type { Keyspace } from './keyspace.ts';

/** Slots whose entries are fetched together, and how many of each. */
const SLOTS_FETCHED = 8;
const ENTRIES_FETCHED = 64;
/** Words from the start of an entry to its stamp, which may lie in another line of the cache. */
const STAMP_WORDS = 6;
/** Keys fetched together: what they bring stays in the first cache until it is used. */
export const PREFETCHED = 32;

export class Prefetch {
  /** The keys to fetch. */
  readonly hashes: Uint32Array = new Uint32Array(PREFETCHED);
  readonly slots: Uint16Array = new Uint16Array(PREFETCHED);
  private readonly refs = new Uint32Array(PREFETCHED);
  /** Means nothing; without it the compiler would leave the reads out. */
  read = 0;

  /** Fetches what the first `count` keys of `hashes` and `slots` need. */
  fetch(keyspace: Keyspace, count: number): void {
    const { refs, slots } = this;
    const { u32 } = keyspace.arena;
    const { heads } = keyspace.slots;
    keyspace.table.atHome(this.hashes, refs, count);
    let read = 0;
    for (let i = 0; i < count; i++) {
      // A key that is there changes where it is; one that is not joins its slot.
      const ref = refs[i] === 0 ? heads[slots[i]] : refs[i];
      read ^= u32[ref >>> CHUNK_SHIFT][((ref & UNIT_MASK) << 1) + 1];
    }
    this.read = read;
  }
}

/**
 * The entries of slots that are about to be walked one after the other. Within a list each entry names the
 * next, so one can only wait for them one by one; several lists can be walked side by side.
 */
export class SlotPrefetch {
  private readonly refs = new Uint32Array(SLOTS_FETCHED);
  /** As in Prefetch. */
  read = 0;

  /** Fetches the entries of some slots from `slot` on; returns the first slot after them. */
  fetch(keyspace: Keyspace, slot: number): number {
    const { refs } = this;
    const { u32 } = keyspace.arena;
    const { heads } = keyspace.slots;
    const count = Math.min(SLOTS_FETCHED, heads.length - slot);
    for (let i = 0; i < count; i++) refs[i] = heads[slot + i];
    let read = 0;
    let ended = 0;
    for (let left = ENTRIES_FETCHED; left > 0 && ended < count; left--) {
      ended = 0;
      for (let i = 0; i < count; i++) {
        const ref = refs[i];
        if (ref === 0) {
          ended++;
          continue;
        }
        const words = u32[ref >>> CHUNK_SHIFT];
        const at = (ref & UNIT_MASK) << 1;
        refs[i] = words[at];
        read ^= words[at + STAMP_WORDS];
      }
    }
    this.read = read;
    return slot + count;
  }
}
