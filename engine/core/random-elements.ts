/** Some of the elements of a set or hash: at random, from a table by drawing, from a list by shuffling. */

import { randomElement } from '../keyspace/element-walk.ts';
import { tableOf } from '../keyspace/table-collection.ts';
import type { Ground } from './ground.ts';

/** A page of SSCAN or HSCAN, and the cursor of the next one; 0: there is none. */
export type Page<T> = { readonly next: number; readonly elements: T[] };

/** Of more elements than one in so many a walk and a shuffle are quicker than draws that repeat. */
const DRAWN_SHARE = 4;
/** Two draws are enough on average; a source that is not random must not keep us here. */
const DRAWS_PER_ELEMENT = 64;

/** `count` different elements of the table entry at `ref`; null: they are too many of them to be drawn. */
export function randomElements(ground: Ground, ref: number, count: number): number[] | null {
  const { keyspace, random } = ground;
  const { tables } = keyspace;
  const table = tableOf(keyspace, ref);
  if (count > tables.count(table) / DRAWN_SHARE) return null;
  const root = tables.rootOf(table);
  const drawn = new Set<number>();
  for (let left = count * DRAWS_PER_ELEMENT; drawn.size < count; left--) {
    if (left < 0) return null;
    drawn.add(randomElement(tables.arena, root, random));
  }
  return [...drawn];
}

/** `count` of the items at random, all if there are fewer; the list is used up. */
export function shuffled<T>(items: T[], count: number, random: () => number): T[] {
  const wanted = Math.min(count, items.length);
  // Fisher and Yates, as far as needed.
  for (let i = 0; i < wanted; i++) {
    const other = i + Math.floor(random() * (items.length - i));
    const chosen = items[other];
    items[other] = items[i];
    items[i] = chosen;
  }
  items.length = wanted;
  return items;
}
