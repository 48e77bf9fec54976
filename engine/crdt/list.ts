/**
 * A list: its elements in the order of their ids (list-id.ts), each with the writes of it that no later
 * write or removal has seen. Usually that is one, the push; LSET replaces what it saw by its own, and
 * of concurrent ones the last writer's value shows.
 *
 *     list → groups of up to 128 chunks → chunks of up to 128 elements
 *
 * Groups and chunks know how many elements they hold, so an index is found by counting along one list
 * of groups and one of chunks, and an id by halving. The chunks at both ends are open; those between
 * are packed and opened for a change. Nothing is kept of elements that are gone.
 */
import type { Sibling } from './cell.ts';
import { type Dot, hasDot, withoutDots } from './dot.ts';
import {
  CHUNK_BYTES_MAX,
  CHUNK_ELEMENTS_MAX,
  type Chunk,
  chunkBytes,
  compareAt,
  elementIn,
  hasRoom,
  idIn,
  insertElementAt,
  insertRow,
  type ListElement,
  lowerBound,
  newChunk,
  oddAt,
  ROW,
  removeRow,
  replaceAt,
  rowAt,
} from './list-chunk.ts';
import { compareIds, type ListId } from './list-id.ts';
import { openChunk, packChunk } from './list-pack.ts';

export const GROUP_CHUNKS_MAX = 128;
/** Neighbours with fewer elements together are joined. */
const JOINED_ELEMENTS_MAX = CHUNK_ELEMENTS_MAX / 2;

type Group = { chunks: Chunk[]; count: number };

export type ListState = {
  groups: Group[];
  size: number;
  /** Bytes of all chunks. */
  bytes: number;
  /** The inner chunk that was changed last: it stays open until another one is. */
  open: Chunk | null;
};

/** Where an element is, or would be. Valid until the next change. */
export type ListPlace = { group: number; chunk: number; at: number };

export function emptyList(): ListState {
  return { groups: [], size: 0, bytes: 0, open: null };
}

function chunkAt(list: ListState, place: ListPlace): Chunk {
  return list.groups[place.group].chunks[place.chunk];
}

/** The chunk of a place, open: to be changed, then given to `closed`. */
export function opened(list: ListState, place: ListPlace): Chunk {
  const chunk = chunkAt(list, place);
  if (chunk.packed === null) return chunk;
  list.bytes -= chunkBytes(chunk);
  openChunk(chunk);
  list.bytes += chunkBytes(chunk);
  return chunk;
}

/** The change of a chunk is over: what was changed before it is packed, unless it is at an end by now. */
export function closed(list: ListState, group: number, at: number): void {
  const { groups } = list;
  // A removal may have taken the chunk away.
  if (group >= groups.length || at >= groups[group].chunks.length) return;
  const { chunks } = groups[group];
  const first = group === 0 && at === 0;
  const last = group === groups.length - 1 && at === chunks.length - 1;
  const chunk = chunks[at];
  if (first || last || chunk.packed !== null || chunk === list.open) return;
  const before = list.open;
  list.open = chunk;
  // One without elements is not in the list any more. An end that is packed is opened when it is used.
  if (before === null || before.packed !== null || before.count === 0) return;
  list.bytes -= chunkBytes(before);
  packChunk(before);
  list.bytes += chunkBytes(before);
}

// ── Ends ────────────────────────────────────────────────────────────────────────────────────────

/** The place of the first or last element of a list that has one. */
export function endOf(list: ListState, left: boolean): ListPlace {
  if (left) return { group: 0, chunk: 0, at: 0 };
  const group = list.groups.length - 1;
  const { chunks } = list.groups[group];
  const chunk = chunks.length - 1;
  return { group, chunk, at: chunks[chunk].count - 1 };
}

/** The open chunk at an end of the list. */
export function endChunk(list: ListState, left: boolean): Chunk {
  const { groups } = list;
  const group = groups[left ? 0 : groups.length - 1];
  const chunk = group.chunks[left ? 0 : group.chunks.length - 1];
  if (chunk.packed !== null) {
    list.bytes -= chunkBytes(chunk);
    openChunk(chunk);
    list.bytes += chunkBytes(chunk);
  }
  return chunk;
}

/**
 * Puts an element at an end of the list. The caller has made sure that its id comes before or after all
 * others, and fills in the numbers of the row that is returned, in the chunk at that end.
 */
export function pushRow(
  list: ListState,
  left: boolean,
  source: Uint8Array,
  start: number,
  end: number,
): number {
  const { groups } = list;
  if (groups.length === 0) groups.push({ chunks: [addedChunk(list)], count: 0 });
  let chunk = endChunk(list, left);
  if (!hasRoom(chunk, end - start)) chunk = addChunk(list, left);
  const before = chunk.rows.length * 8 + chunk.values.length;
  const row = insertRow(chunk, left ? 0 : chunk.count, source, start, end);
  list.bytes += chunk.rows.length * 8 + chunk.values.length - before;
  groups[left ? 0 : groups.length - 1].count++;
  list.size++;
  return row;
}

function addedChunk(list: ListState): Chunk {
  const chunk = newChunk();
  list.bytes += chunkBytes(chunk);
  return chunk;
}

/** A new chunk at an end; the one that was there becomes an inner one. */
function addChunk(list: ListState, left: boolean): Chunk {
  const { groups } = list;
  const chunk = addedChunk(list);
  const at = left ? 0 : groups.length - 1;
  const group = groups[at];
  if (group.chunks.length < GROUP_CHUNKS_MAX) {
    if (left) group.chunks.unshift(chunk);
    else group.chunks.push(chunk);
    closed(list, at, left ? 1 : group.chunks.length - 2);
  } else {
    const added = { chunks: [chunk], count: 0 };
    if (left) groups.unshift(added);
    else groups.push(added);
    closed(list, left ? 1 : at, left ? 0 : group.chunks.length - 1);
  }
  return chunk;
}

// ── Finding ─────────────────────────────────────────────────────────────────────────────────────

/** The place of the element at an index from 0 to size - 1. */
export function placeOf(list: ListState, index: number): ListPlace {
  const { groups } = list;
  let left = index;
  let group = 0;
  if (index > list.size / 2) {
    // From the end: the last elements are asked for as often as the first.
    group = groups.length - 1;
    let after = list.size - groups[group].count;
    while (index < after) after -= groups[--group].count;
    left = index - after;
  } else {
    while (left >= groups[group].count) left -= groups[group++].count;
  }
  const { chunks } = groups[group];
  let chunk = 0;
  while (left >= chunks[chunk].count) left -= chunks[chunk++].count;
  return { group, chunk, at: left };
}

/** The index of the element at a place. */
export function indexOf(list: ListState, { group, chunk, at }: ListPlace): number {
  let index = at;
  for (let g = 0; g < group; g++) index += list.groups[g].count;
  const { chunks } = list.groups[group];
  for (let c = 0; c < chunk; c++) index += chunks[c].count;
  return index;
}

function comesAfter(chunk: Chunk, id: ListId): boolean {
  return chunk.packed === null ? compareAt(chunk, 0, id) > 0 : compareIds(chunk.first!, id) > 0;
}

/** Where the element with this id is, or where it would go; its chunk is open then. Null: no chunks. */
export function seek(list: ListState, id: ListId): { place: ListPlace; found: boolean } | null {
  const { groups } = list;
  if (groups.length === 0) return null;
  const group = lastNotAfter(groups.length, (g) => comesAfter(groups[g].chunks[0], id));
  const { chunks } = groups[group];
  const chunk = lastNotAfter(chunks.length, (c) => comesAfter(chunks[c], id));
  const place = { group, chunk, at: 0 };
  const held = opened(list, place);
  place.at = lowerBound(held, id);
  return { place, found: place.at < held.count && compareAt(held, place.at, id) === 0 };
}

/** Greatest index whose item does not come after what is sought; 0 if all do. */
function lastNotAfter(count: number, isAfter: (index: number) => boolean): number {
  let low = 1;
  let high = count;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (isAfter(middle)) high = middle;
    else low = middle + 1;
  }
  return low - 1;
}

export function idAt(list: ListState, index: number): ListId {
  const place = placeOf(list, index);
  const id = idIn(opened(list, place), place.at);
  closed(list, place.group, place.chunk);
  return id;
}

export function elementAt(list: ListState, index: number): ListElement {
  const place = placeOf(list, index);
  const element = elementIn(opened(list, place), place.at);
  closed(list, place.group, place.chunk);
  return element;
}

// ── Changing ────────────────────────────────────────────────────────────────────────────────────

/** Adds a write of the element with this id, which need not be there. */
export function writeElement(list: ListState, id: ListId, sibling: Sibling): void {
  const sought = seek(list, id);
  if (sought === null) {
    list.groups.push({ chunks: [addedChunk(list)], count: 0 });
    insertAt(list, { group: 0, chunk: 0, at: 0 }, { id, siblings: [sibling] });
    return;
  }
  const { place, found } = sought;
  if (!found) insertAt(list, place, { id, siblings: [sibling] });
  else {
    const { siblings } = elementIn(chunkAt(list, place), place.at);
    if (!hasDot(siblings, sibling.actor, sibling.seq)) {
      setSiblings(list, place, [...siblings, sibling]);
    }
  }
  closed(list, place.group, place.chunk);
}

/** Drops these dots from the element with this id; without any it goes. */
export function dropFromElement(list: ListState, id: ListId, drops: readonly Dot[]): void {
  const sought = seek(list, id);
  if (sought === null) return;
  const { place, found } = sought;
  if (found) {
    const { siblings } = elementIn(chunkAt(list, place), place.at);
    const kept = withoutDots([...siblings], drops);
    if (kept.length < siblings.length) {
      setSiblings(list, place, kept);
      if (kept.length === 0) return;
    }
  }
  closed(list, place.group, place.chunk);
}

/** Gives the element at a place other writes; none: it goes. */
export function setSiblings(
  list: ListState,
  place: ListPlace,
  siblings: readonly Sibling[],
  joins = true,
): void {
  if (siblings.length === 0) {
    removeAt(list, place, joins);
    return;
  }
  const chunk = opened(list, place);
  list.bytes -= chunkBytes(chunk);
  replaceAt(chunk, place.at, siblings);
  list.bytes += chunkBytes(chunk);
}

/** Inserts before what is at the place, which must be where the id belongs; splits a full chunk. */
export function insertAt(list: ListState, place: ListPlace, element: ListElement): void {
  const chunk = opened(list, place);
  list.bytes -= chunkBytes(chunk);
  insertElementAt(chunk, place.at, element);
  list.bytes += chunkBytes(chunk);
  list.groups[place.group].count++;
  list.size++;
  const tooLarge = chunk.live > CHUNK_BYTES_MAX && chunk.count > 1;
  if (chunk.count > CHUNK_ELEMENTS_MAX || tooLarge) split(list, place);
}

function split(list: ListState, place: ListPlace): void {
  const group = list.groups[place.group];
  const chunk = group.chunks[place.chunk];
  const added = addedChunk(list);
  list.bytes -= chunkBytes(chunk) + chunkBytes(added);
  const half = chunk.count >>> 1;
  for (let i = half; i < chunk.count; i++) insertElementAt(added, i - half, elementIn(chunk, i));
  while (chunk.count > half) removeRow(chunk, chunk.count - 1);
  list.bytes += chunkBytes(chunk) + chunkBytes(added);
  group.chunks.splice(place.chunk + 1, 0, added);
  closed(list, place.group, place.chunk + 1);
  if (group.chunks.length <= GROUP_CHUNKS_MAX) return;
  const chunks = group.chunks.splice(GROUP_CHUNKS_MAX >>> 1);
  const count = chunks.reduce((sum, one) => sum + one.count, 0);
  group.count -= count;
  list.groups.splice(place.group + 1, 0, { chunks, count });
  // The places of the chunk that was split are not used after this.
}

/** Takes the element at a place out. `joins`: what is left may be joined with the next chunk. */
export function removeAt(list: ListState, place: ListPlace, joins = true): void {
  const chunk = opened(list, place);
  const group = list.groups[place.group];
  const odd = oddAt(chunk, place.at) === null ? 0 : chunkBytes(chunk);
  removeRow(chunk, place.at);
  if (odd > 0) list.bytes += chunkBytes(chunk) - odd;
  group.count--;
  list.size--;
  if (chunk.count > 0) {
    if (joins && place.at > 0 && chunk.count * 4 < CHUNK_ELEMENTS_MAX) joinNext(list, place);
    return;
  }
  list.bytes -= chunkBytes(chunk);
  group.chunks.splice(place.chunk, 1);
  if (group.chunks.length === 0) list.groups.splice(place.group, 1);
}

/** Joins a chunk that has become small in the middle with the next of its group, if that is small too. */
function joinNext(list: ListState, { group, chunk: at }: ListPlace): void {
  const { chunks } = list.groups[group];
  const chunk = chunks[at];
  const next = chunks[at + 1];
  if (next === undefined || chunk.count + next.count > JOINED_ELEMENTS_MAX) return;
  if (chunk.live + next.live > CHUNK_BYTES_MAX) return;
  list.bytes -= chunkBytes(chunk) + chunkBytes(next);
  openChunk(next);
  for (let i = 0; i < next.count; i++) insertElementAt(chunk, chunk.count, elementIn(next, i));
  // Nobody takes it for a chunk of the list.
  next.count = 0;
  chunks.splice(at + 1, 1);
  list.bytes += chunkBytes(chunk);
}

/** Appends an element whose id comes after all others. */
export function append(list: ListState, { id, siblings }: ListElement): void {
  const [only] = siblings;
  if (siblings.length > 1 || id.length > 4) {
    if (list.groups.length === 0) list.groups.push({ chunks: [addedChunk(list)], count: 0 });
    if (!hasRoom(endChunk(list, false), 0)) addChunk(list, false);
    const place = endOf(list, false);
    insertAt(list, { ...place, at: place.at + 1 }, { id, siblings });
    return;
  }
  const value = Buffer.from(only.value, 'latin1');
  const row = pushRow(list, false, value, 0, value.length);
  const { rows } = endChunk(list, false);
  rows.set(id, row);
  rows[row + ROW.actor] = only.actor;
  rows[row + ROW.seq] = only.seq;
  rows[row + ROW.hlc] = only.hlc;
}

// ── Walking ─────────────────────────────────────────────────────────────────────────────────────

/** Calls `each` for every element in order, until it returns false. The list must not be changed. */
export function eachElement(
  list: ListState,
  each: (element: ListElement, index: number) => boolean | undefined,
): void {
  let index = 0;
  for (const { chunks } of list.groups) {
    for (const chunk of chunks) {
      const open = readable(chunk);
      for (let i = 0; i < open.count; i++, index++) {
        if (each(elementIn(open, i), index) === false) return;
      }
    }
  }
}

/** The chunk itself, or an open copy of a packed one. */
export function readable(chunk: Chunk): Chunk {
  if (chunk.packed === null) return chunk;
  const copy = { ...chunk };
  openChunk(copy);
  return copy;
}

/** Calls `each` for every dot with its hlc, without making elements of those that fit a row. */
export function eachListStamp(
  list: ListState,
  each: (actor: number, seq: number, hlc: number) => void,
): void {
  for (const { chunks } of list.groups) {
    for (const chunk of chunks) {
      const open = readable(chunk);
      for (let i = 0; i < open.count; i++) {
        const odd = oddAt(open, i);
        if (odd !== null) {
          for (const { actor, seq, hlc } of odd.siblings) each(actor, seq, hlc);
          continue;
        }
        const row = rowAt(open, i);
        each(open.rows[row + ROW.actor], open.rows[row + ROW.seq], open.rows[row + ROW.hlc]);
      }
    }
  }
}
