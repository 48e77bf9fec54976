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
