/**
 * Some neighbouring elements of a list, in the form in which they can be changed: one row of numbers
 * for each element, and the bytes of their values in any order in one buffer. Rows have room at both
 * ends, so that pushes and pops move nothing.
 *
 *     rows    … [n tie r k | actor seq hlc | offset length] …     from row `low` on, `count` of them
 *     values  bytes; what no row names any more goes when the buffer is full
 *     odd     elements that do not fit a row: a deeper id, or several concurrent values
 *
 * A row is the outermost component of the id, the dot and hlc of the one write, and where its value is.
 * Chunks between the ends of a long list are kept packed (list-pack.ts).
 */
import type { Sibling } from './cell.ts';
import type { Bytes } from './dot.ts';
import { COMPONENT, compareIds, type ListId } from './list-id.ts';

export const CHUNK_ELEMENTS_MAX = 128;
/** A chunk with so many bytes of values takes no more elements. */
export const CHUNK_BYTES_MAX = 16 * 1024;

export const STRIDE = 9;
export const ROW = { n: 0, tie: 1, r: 2, k: 3, actor: 4, seq: 5, hlc: 6, offset: 7, length: 8 };
const ROWS_MIN = 4;
const VALUES_MIN = 64;
/** Beside rows and values, by measurement. */
const CHUNK_OVERHEAD_BYTES = 320;
const ODD_OVERHEAD_BYTES = 120;

export type ListElement = { readonly id: ListId; readonly siblings: readonly Sibling[] };

export type Chunk = {
  count: number;
  /** Null while it is open; then rows and values are empty. */
  packed: Buffer | null;
  /** Of a packed one: the id of its first element. */
  first: ListId | null;
  rows: Float64Array;
  low: number;
  values: Buffer;
  used: number;
  /** Bytes of values that rows name. */
  live: number;
  odd: (ListElement | null)[] | null;
};

const NO_ROWS = new Float64Array(0);
const NO_VALUES = Buffer.alloc(0);

export function newChunk(): Chunk {
  return {
    count: 0,
    packed: null,
    first: null,
    rows: NO_ROWS,
    low: 0,
    values: NO_VALUES,
    used: 0,
    live: 0,
    odd: null,
  };
}

/** What it takes in memory. */
export function chunkBytes(chunk: Chunk): number {
  const { packed, rows, values, odd } = chunk;
  if (packed !== null) return CHUNK_OVERHEAD_BYTES + packed.length;
  let bytes = CHUNK_OVERHEAD_BYTES + rows.length * 8 + values.length;
  for (const element of odd ?? []) {
    if (element === null) continue;
    bytes += ODD_OVERHEAD_BYTES + element.id.length * 8;
    for (const { value } of element.siblings) bytes += ODD_OVERHEAD_BYTES + value.length;
  }
  return bytes;
}

/** Index of the row of element `i` in `rows`. */
export function rowAt(chunk: Chunk, i: number): number {
  return (chunk.low + i) * STRIDE;
}

/** Whether one more element of so many bytes belongs into this chunk when it is pushed at an end. */
export function hasRoom(chunk: Chunk, bytes: number): boolean {
  if (chunk.count === 0) return true;
  return chunk.count < CHUNK_ELEMENTS_MAX && chunk.live + bytes <= CHUNK_BYTES_MAX;
}

/**
 * Makes a row for a new element before element `i` (`count`: behind all) and copies its value. The
 * caller fills in the numbers before `ROW.offset`. Returns the index of the row.
 */
export function insertRow(
  chunk: Chunk,
  i: number,
  source: Uint8Array,
  start: number,
  end: number,
): number {
  const { count } = chunk;
  const front = i === 0 && count > 0;
  if (front ? chunk.low === 0 : (chunk.low + count + 1) * STRIDE > chunk.rows.length) {
    growRows(chunk, front);
  }
  const offset = takeValue(chunk, source, start, end);
  const { rows } = chunk;
  if (front) chunk.low--;
  else if (i < count) {
    const at = rowAt(chunk, i);
    rows.copyWithin(at + STRIDE, at, rowAt(chunk, count));
  }
  if (chunk.odd !== null) {
    if (i === count) chunk.odd.push(null);
    else chunk.odd.splice(i, 0, null);
  }
  chunk.count++;
  const row = rowAt(chunk, i);
  rows[row + ROW.offset] = offset;
  rows[row + ROW.length] = end - start;
  return row;
}

/** Takes element `i` out. */
export function removeRow(chunk: Chunk, i: number): void {
  const { rows, count } = chunk;
  const row = rowAt(chunk, i);
  chunk.live -= rows[row + ROW.length];
  if (i === 0) chunk.low++;
  else if (i < count - 1) rows.copyWithin(row, row + STRIDE, rowAt(chunk, count));
  chunk.odd?.splice(i, 1);
  chunk.count--;
  if (chunk.count > 0) return;
  chunk.low = 0;
  chunk.used = 0;
  chunk.odd = null;
}

/** Replaces the value of element `i`, which has a row of its own. */
export function replaceValue(chunk: Chunk, i: number, value: Bytes): void {
  const bytes = Buffer.from(value, 'latin1');
  const before = rowAt(chunk, i);
  chunk.live -= chunk.rows[before + ROW.length];
  chunk.rows[before + ROW.length] = 0;
  const offset = takeValue(chunk, bytes, 0, bytes.length);
  const row = rowAt(chunk, i);
  chunk.rows[row + ROW.offset] = offset;
  chunk.rows[row + ROW.length] = bytes.length;
}

function growRows(chunk: Chunk, front: boolean): void {
  const { rows, low, count } = chunk;
  const held = rows.length / STRIDE;
  // Half of the room may lie unused at the other end: then moving is enough.
  const capacity = held > 0 && count * 2 <= held ? held : Math.max(ROWS_MIN, held * 2);
  const grown = new Float64Array(capacity * STRIDE);
  // Most of the room is where it is wanted, some at the other end for those who push at both.
  const room = capacity - count;
  const at = front ? Math.ceil((room * 3) / 4) : Math.floor(room / 4);
  grown.set(rows.subarray(low * STRIDE, (low + count) * STRIDE), at * STRIDE);
  chunk.rows = grown;
  chunk.low = at;
}

/** Copies a value into the buffer; returns where it lies. */
function takeValue(chunk: Chunk, source: Uint8Array, start: number, end: number): number {
  const length = end - start;
  if (chunk.used + length > chunk.values.length) makeRoom(chunk, length);
  const at = chunk.used;
  const { values } = chunk;
  if (length < 48) for (let k = 0; k < length; k++) values[at + k] = source[start + k];
  else values.set(source.subarray(start, end), at);
  chunk.used = at + length;
  chunk.live += length;
  return at;
}

function makeRoom(chunk: Chunk, length: number): void {
  const { rows, values, live } = chunk;
  const needed = live + length;
  const size = needed * 2 > CHUNK_BYTES_MAX ? needed + 256 : Math.max(VALUES_MIN, needed * 2);
  const fresh = Buffer.allocUnsafeSlow(size);
  let used = 0;
  for (let i = 0; i < chunk.count; i++) {
    const row = rowAt(chunk, i);
    const from = rows[row + ROW.offset];
    const bytes = rows[row + ROW.length];
    values.copy(fresh, used, from, from + bytes);
    rows[row + ROW.offset] = used;
    used += bytes;
  }
  chunk.values = fresh;
  chunk.used = used;
}

// ── Reading an open chunk ───────────────────────────────────────────────────────────────────────

export function oddAt(chunk: Chunk, i: number): ListElement | null {
  return chunk.odd === null ? null : chunk.odd[i];
}

export function idIn(chunk: Chunk, i: number): ListId {
  const odd = oddAt(chunk, i);
  if (odd !== null) return odd.id;
  const row = rowAt(chunk, i);
  return Array.from(chunk.rows.subarray(row, row + COMPONENT));
}

export function elementIn(chunk: Chunk, i: number): ListElement {
  const odd = oddAt(chunk, i);
  if (odd !== null) return odd;
  const { rows, values } = chunk;
  const row = rowAt(chunk, i);
  const from = rows[row + ROW.offset];
  const value = values.latin1Slice(from, from + rows[row + ROW.length]);
  const [actor, seq, hlc] = rows.subarray(row + ROW.actor, row + ROW.offset);
  return { id: idIn(chunk, i), siblings: [{ actor, seq, hlc, value }] };
}

/** Negative when element `i` comes before `id`. */
export function compareAt(chunk: Chunk, i: number, id: ListId): number {
  const odd = oddAt(chunk, i);
  if (odd !== null) return compareIds(odd.id, id);
  const { rows } = chunk;
  const row = rowAt(chunk, i);
  for (let c = 0; c < COMPONENT; c++) if (rows[row + c] !== id[c]) return rows[row + c] - id[c];
  return COMPONENT - id.length;
}

/** The first element that does not come before `id`. */
export function lowerBound(chunk: Chunk, id: ListId): number {
  let low = 0;
  let high = chunk.count;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compareAt(chunk, middle, id) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Puts an element at `i`, as a row if it fits one. */
export function insertElementAt(chunk: Chunk, i: number, element: ListElement): void {
  const { id, siblings } = element;
  const plain = id.length === COMPONENT && siblings.length === 1;
  const bytes = plain ? Buffer.from(siblings[0].value, 'latin1') : NO_VALUES;
  const row = insertRow(chunk, i, bytes, 0, bytes.length);
  chunk.rows.set(id.slice(0, COMPONENT), row);
  if (plain) {
    const { actor, seq, hlc } = siblings[0];
    chunk.rows[row + ROW.actor] = actor;
    chunk.rows[row + ROW.seq] = seq;
    chunk.rows[row + ROW.hlc] = hlc;
    return;
  }
  chunk.odd ??= new Array(chunk.count).fill(null);
  chunk.odd[i] = element;
}

/** Gives element `i` other writes; none: it goes. */
export function replaceAt(chunk: Chunk, i: number, siblings: readonly Sibling[]): void {
  const id = idIn(chunk, i);
  removeRow(chunk, i);
  if (siblings.length > 0) insertElementAt(chunk, i, { id, siblings });
}
