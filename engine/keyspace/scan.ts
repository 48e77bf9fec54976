/**
 * SCAN over the table with Redis' guarantee, and a little more: a key that is there from the first
 * call to the last is returned exactly once; one that comes or goes meanwhile, at most once.
 *
 * The places of the table are in the order of the hash, whatever number, size and depth of its
 * segments. So the cursor is a bound: all keys with a smaller hash have been returned. A segment
 * that splits between two calls changes nothing in that order.
 *
 * One step returns the keys whose home is one place: they lie in the run that begins there, mixed
 * with keys of other homes, and the run ends at an empty place.
 */

import { type Arena, CHUNK_SHIFT, UNIT_MASK } from './arena.ts';
import { homeOf, nextHomeHash, placesOf, type Table } from './table.ts';

const HASHES = 2 ** 32;
/** Places looked at per key asked for, so that an almost empty table does not make a call long. */
const PLACES_PER_KEY = 10;
const RANDOM_TRIES = 64;

/**
 * Calls `each` for about `count` entries after `cursor` (0: from the start).
 * Returns the next cursor, below 2^32; 0: the end was reached. `each` must not change the table.
 */
export function scanTable(
  arena: Arena,
  table: Table,
  cursor: number,
  count: number,
  each: (ref: number, hash: number) => void,
): number {
  let from = cursor;
  let found = 0;
  for (let places = count * PLACES_PER_KEY; places > 0 && found < count; places--) {
    const index = (from >>> (32 - table.depthBits)) << 1;
    const info = table.directory[index + 1];
    const to = nextHomeHash(from, info);
    found += scanHome(arena, table.directory[index], info, from, to, each);
    if (to >= HASHES) return 0;
    from = to;
  }
  return from;
}

function scanHome(
  arena: Arena,
  segment: number,
  info: number,
  from: number,
  to: number,
  each: (ref: number, hash: number) => void,
): number {
  const words = arena.u32[segment >>> CHUNK_SHIFT];
  const base = (segment & UNIT_MASK) << 1;
  const places = placesOf(info);
  let found = 0;
  for (let place = homeOf(from, info); ; place = place + 1 === places ? 0 : place + 1) {
    const ref = words[base + (place << 1) + 1];
    if (ref === 0) return found;
    const hash = words[base + (place << 1)];
    if (hash < from || hash >= to) continue;
    found++;
    each(ref, hash);
  }
}

/** An entry at random (`random` is uniform in [0, 1)); 0: the table is empty. */
export function randomEntry(arena: Arena, table: Table, random: () => number): number {
  if (table.size === 0) return 0;
  const segments = table.directory.length / 2;
  for (let tries = 0; tries < RANDOM_TRIES; tries++) {
    const index = Math.floor(random() * segments) * 2;
    const place = Math.floor(random() * placesOf(table.directory[index + 1]));
    const ref = firstEntry(arena, table, index, place, 1);
    if (ref !== 0) return ref;
  }
  // The table is almost empty: take the next entry after a random one, a little less evenly.
  const start = Math.floor(random() * segments);
  const share = random();
  for (let i = 0; i < segments; i++) {
    const index = ((start + i) % segments) * 2;
    const places = placesOf(table.directory[index + 1]);
    const ref = firstEntry(arena, table, index, Math.floor(share * places), places);
    if (ref !== 0) return ref;
  }
  throw new Error('the table counts entries that it does not have');
}

/** The first entry in `count` places of the segment at `index` of the directory; 0: none. */
function firstEntry(
  arena: Arena,
  table: Table,
  index: number,
  start: number,
  count: number,
): number {
  const segment = table.directory[index];
  const places = placesOf(table.directory[index + 1]);
  const words = arena.u32[segment >>> CHUNK_SHIFT];
  const base = (segment & UNIT_MASK) << 1;
  for (let i = 0; i < count; i++) {
    const ref = words[base + (((start + i) % places) << 1) + 1];
    if (ref !== 0) return ref;
  }
  return 0;
}
