/**
 * Lists: reads from the visible state, writes as ops. All throw WRONGTYPE.
 *
 * Pushes and pops of single values, on a key that holds nothing but a list, go from the input buffer to
 * the end of the list and to the batch without an op object; everything else by `prepare…` and `commit`.
 */
import { lastSibling } from '../crdt/cell.ts';
import type { Bytes } from '../crdt/dot.ts';
import { holdsOtherThan, type KeyState, visibleType } from '../crdt/key-state.ts';
import { endChunk, type ListState, pushRow, removeAt } from '../crdt/list.ts';
import { type Chunk, oddAt, ROW, rowAt } from '../crdt/list-chunk.ts';
import { eachPackedValue } from '../crdt/list-pack.ts';
import {
  prepareListInsert,
  prepareListPush,
  prepareListRemove,
  prepareListSet,
  prepareListTrim,
  runAtEnd,
} from '../crdt/prepare-list.ts';
import type { KeyPlace } from '../keyspace/key-place.ts';
import { loadState } from '../keyspace/packed-string.ts';
import type { Args } from '../resp/args.ts';
import type { ReplyWriter } from '../resp/reply-writer.ts';
import { listExhausted, wrongType } from './db-error.ts';
import type { Ground } from './ground.ts';
import { latin1 } from './ground.ts';

/** From so many neighbours on a removal names the range and the vector, not each element. */
const TRIM_ELEMENTS_MIN = 64;

function visibleList(ground: Ground, state: KeyState | null): ListState | null {
  if (state === null) return null;
  if (state.list !== null && !holdsOtherThan(state, 'list')) return state.list;
  const type = visibleType(state, ground.roster);
  if (type !== null && type !== 'list') throw wrongType();
  return state.list;
}

/** The list that clients see of a key; null: no such key. Do not change it. */
export function readList(ground: Ground, key: Bytes): ListState | null {
  return visibleList(ground, ground.visible(key));
}

/** The same of the key at `args` `i`. */
export function listIn(ground: Ground, args: Args, i: number): ListState | null {
  const ref = ground.findSeen(args.buffer, args.start[i], args.end[i]);
  return ref === 0 ? null : visibleList(ground, loadState(ground.keyspace, ref));
}

// ── Pushes and pops ─────────────────────────────────────────────────────────────────────────────

/** LPUSH and RPUSH of the values from `args` 2 on. `existing`: only to a list that is there. Returns its length. */
export function push(ground: Ground, args: Args, left: boolean, existing: boolean): number {
  ground.checkGrowth();
  const place = ground.findLive(args.buffer, args.start[1], args.end[1]);
  const state = ground.load(place);
  if (state !== null && isPlainList(ground, place, state)) {
    const plain = state.list as ListState;
    pushHot(ground, place, plain, args, left);
    return plain.size;
  }
  if (visibleList(ground, state) === null && existing) return 0;
  const values: Bytes[] = [];
  for (let i = 2; i < args.count; i++) values.push(args.text(i));
  return commitPush(ground, place, state, latin1(place), left, values);
}

/** A push of values as text. Returns the length. */
export function pushTexts(ground: Ground, key: Bytes, left: boolean, values: Bytes[]): number {
  ground.checkGrowth();
  const place = ground.findForWrite(key);
  const state = ground.load(place);
  visibleList(ground, state);
  return commitPush(ground, place, state, key, left, values);
}

function commitPush(
  ground: Ground,
  place: KeyPlace,
  state: KeyState | null,
  key: Bytes,
  left: boolean,
  values: readonly Bytes[],
): number {
  const op = prepareListPush(state, key, left, values, ground.tie, ground.seq + 1);
  return ground.commit(place, state, op)?.list?.size ?? 0;
}

/** Whether the key holds a list and nothing else, so that a push or pop concerns only the list. */
function isPlainList(ground: Ground, place: KeyPlace, state: KeyState): boolean {
  return (
    ground.packing &&
    state.list !== null &&
    state.list.size > 0 &&
    !holdsOtherThan(state, 'list') &&
    ground.keyspace.isRich(place.ref)
  );
}

function pushHot(
  ground: Ground,
  place: KeyPlace,
  list: ListState,
  args: Args,
  left: boolean,
): void {
  const { batch, tie, actor } = ground;
  const { buffer, start, end, count } = args;
  const seq = ground.seq + 1;
  const n = runAtEnd(list, left, tie, seq);
  const hlc = ground.stamp();
  const before = list.bytes;
  batch.beginListPush(place.slot, hlc, buffer, start[1], end[1], left, n, tie, count - 2);
  for (let i = 2; i < count; i++) {
    batch.listValue(buffer, start[i], end[i]);
    const row = pushRow(list, left, buffer, start[i], end[i]);
    const { rows } = endChunk(list, left);
    rows[row + ROW.n] = n;
    rows[row + ROW.tie] = tie;
    rows[row + ROW.r] = left ? -seq : seq;
    rows[row + ROW.k] = left ? 2 - i : i - 2;
    rows[row + ROW.actor] = actor;
    rows[row + ROW.seq] = seq;
    rows[row + ROW.hlc] = hlc;
  }
  batch.endElements();
  noteChange(ground, place, list.bytes - before);
}

/** Counts the bytes by which the list of a rich entry has grown, and tells who watches the key. */
function noteChange(ground: Ground, place: KeyPlace, bytes: number): void {
  const { keyspace } = ground;
  if (bytes !== 0) keyspace.rich.grow(keyspace.richIndex(place.ref), bytes);
  if (ground.touched !== null) ground.touched(latin1(place));
}

/** LPOP and RPOP of one value of the key at `args` 1: writes it, or null. */
export function popOne(ground: Ground, args: Args, left: boolean, out: ReplyWriter): void {
  ground.checkWritable();
  const place = ground.findLive(args.buffer, args.start[1], args.end[1]);
  const state = ground.load(place);
  if (state !== null && isPlainList(ground, place, state)) {
    const plain = state.list as ListState;
    // The last one takes the key along.
    if (plain.size > 1 && popHot(ground, place, plain, left, out)) return;
  }
  const list = visibleList(ground, state);
  if (list === null) {
    out.nullBulk();
    return;
  }
  out.bulk(valueAt(ground, list, left ? 0 : list.size - 1));
  removeRange(ground, place, state!, left ? 0 : list.size - 1, 1);
}

/** Takes an element off that is as its push has left it. False: it is not, and nothing was done. */
function popHot(
  ground: Ground,
  place: KeyPlace,
  list: ListState,
  left: boolean,
  out: ReplyWriter,
): boolean {
  const chunk = endChunk(list, left);
  const at = left ? 0 : chunk.count - 1;
  if (oddAt(chunk, at) !== null) return false;
  const { rows, values } = chunk;
  const row = rowAt(chunk, at);
  const from = rows[row + ROW.offset];
  out.bulkBytes(values, from, from + rows[row + ROW.length]);
  const { buf, start, end, slot } = place;
  const hlc = ground.stamp();
  const actor = rows[row + ROW.actor];
  ground.batch.listPop(slot, hlc, buf, start, end, rows, row, actor, rows[row + ROW.seq]);
  const before = list.bytes;
  const group = left ? 0 : list.groups.length - 1;
  const last = left ? 0 : list.groups[group].chunks.length - 1;
  removeAt(list, { group, chunk: last, at });
  noteChange(ground, place, list.bytes - before);
  return true;
}

/** LPOP and RPOP with a count, and LMPOP: the values in the order in which they go. */
export function popMany(ground: Ground, key: Bytes, left: boolean, count: number): Bytes[] {
  ground.checkWritable();
  const place = ground.findForWrite(key);
  const state = ground.load(place);
  const list = visibleList(ground, state);
  if (list === null) return [];
  const taken = Math.min(count, list.size);
  if (taken === 0) return [];
  const from = left ? 0 : list.size - taken;
  const values: Bytes[] = [];
  eachValue(ground, list, from, from + taken, (bytes, start, end) => {
    values.push(bytes.latin1Slice(start, end));
  });
  removeRange(ground, place, state!, from, taken);
  return left ? values : values.reverse();
}

/** Removes `count` elements from `from` on; the list has them. */
function removeRange(
  ground: Ground,
  place: KeyPlace,
  state: KeyState,
  from: number,
  count: number,
): void {
  const key = latin1(place);
  if (count >= TRIM_ELEMENTS_MIN) {
    const vector = ground.slotVector(place.slot);
    ground.commit(place, state, prepareListTrim(state, key, from, from + count - 1, vector));
    return;
  }
  const indexes = Array.from({ length: count }, (_, i) => from + i);
  ground.commit(place, state, prepareListRemove(state, key, indexes));
}

// ── Reads ───────────────────────────────────────────────────────────────────────────────────────

/** The value that shows at an index of the list. */
export function valueAt(ground: Ground, list: ListState, index: number): Bytes {
  let value = '';
  eachValue(ground, list, index, index + 1, (bytes, start, end) => {
    value = bytes.latin1Slice(start, end);
  });
  return value;
}

/** Writes the value at an index of the list. */
export function writeValue(ground: Ground, list: ListState, index: number, out: ReplyWriter): void {
  eachValue(ground, list, index, index + 1, (bytes, start, end) =>
    out.bulkBytes(bytes, start, end),
  );
}

/**
 * Calls `each` with the bytes of the values of the elements [from, to), which must be there, in order, until
 * it returns false. The bytes are valid during the call; the list must not be changed meanwhile.
 */
export function eachValue(
  ground: Ground,
  list: ListState,
  from: number,
  to: number,
  each: (bytes: Buffer, start: number, end: number) => unknown,
): void {
  let index = 0;
  for (const { chunks, count } of list.groups) {
    if (index + count <= from) {
      index += count;
      continue;
    }
    for (const chunk of chunks) {
      const next = index + chunk.count;
      if (next > from) {
        const first = Math.max(from - index, 0);
        const end = Math.min(to - index, chunk.count);
        if (chunk.packed !== null) eachPackedValue(chunk, first, end, each);
        else eachOpenValue(ground, chunk, first, end, each);
      }
      index = next;
      if (index >= to) return;
    }
  }
}

function eachOpenValue(
  ground: Ground,
  chunk: Chunk,
  from: number,
  to: number,
  each: (bytes: Buffer, start: number, end: number) => unknown,
): void {
  const { rows, values } = chunk;
  for (let i = from; i < to; i++) {
    const odd = oddAt(chunk, i);
    if (odd !== null) {
      const cell = { siblings: [...odd.siblings], contributions: [] };
      const bytes = Buffer.from(lastSibling(cell, ground.roster)?.value ?? '', 'latin1');
      each(bytes, 0, bytes.length);
      continue;
    }
    const row = rowAt(chunk, i);
    const start = rows[row + ROW.offset];
    each(values, start, start + rows[row + ROW.length]);
  }
}

/** All values of a key, for COPY. */
export function listValues(ground: Ground, key: Bytes): Bytes[] {
  const list = readList(ground, key);
  const values: Bytes[] = [];
  if (list === null) return values;
  eachValue(ground, list, 0, list.size, (bytes, start, end) => {
    values.push(bytes.latin1Slice(start, end));
  });
  return values;
}

// ── Writes by index or value ────────────────────────────────────────────────────────────────────

/** LSET. The index is within the list. */
export function setAt(ground: Ground, key: Bytes, index: number, value: Bytes): void {
  ground.checkGrowth();
  const place = ground.findForWrite(key);
  const state = ground.load(place);
  const list = visibleList(ground, state)!;
  ground.commit(place, state, prepareListSet(list, key, index, value));
}

/** LINSERT before the element at an index (the length: at the end). Returns the new length. */
export function insertAt(ground: Ground, key: Bytes, index: number, value: Bytes): number {
  ground.checkGrowth();
  const place = ground.findForWrite(key);
  const state = ground.load(place);
  const list = visibleList(ground, state)!;
  const op = prepareListInsert(list, key, index, value, ground.tie, ground.seq + 1);
  if (op === null) throw listExhausted();
  return ground.commit(place, state, op)?.list?.size ?? 0;
}

/** LREM: up to `count` elements with the value (0: all), from the end when it is negative. Returns how many. */
export function removeValues(ground: Ground, key: Bytes, count: number, value: Bytes): number {
  ground.checkWritable();
  const list = readList(ground, key);
  if (list === null) return 0;
  const wanted = count === 0 ? Number.POSITIVE_INFINITY : Math.abs(count);
  let found: number[] = [];
  const sought = Buffer.from(value, 'latin1');
  let index = 0;
  eachValue(ground, list, 0, list.size, (bytes, start, end) => {
    const enough = count > 0 && found.length >= wanted;
    if (!enough && sameBytes(bytes, start, end, sought)) found.push(index);
    index++;
  });
  if (count < 0) found = found.slice(-wanted);
  if (found.length === 0) return 0;
  const place = ground.findForWrite(key);
  const state = ground.load(place);
  if (state !== null) ground.commit(place, state, prepareListRemove(state, key, found));
  return found.length;
}

export function sameBytes(bytes: Buffer, start: number, end: number, other: Uint8Array): boolean {
  if (end - start !== other.length) return false;
  for (let i = 0; i < other.length; i++) if (bytes[start + i] !== other[i]) return false;
  return true;
}

/** LTRIM: keeps the elements [from, to), which may be none. */
export function trim(ground: Ground, key: Bytes, from: number, to: number): void {
  ground.checkWritable();
  const place = ground.findForWrite(key);
  const state = ground.load(place);
  const list = visibleList(ground, state);
  if (list === null || state === null) return;
  const { size } = list;
  if (from >= to) {
    removeRange(ground, place, state, 0, size);
    return;
  }
  if (to < size) removeRange(ground, place, state, to, size - to);
  // The first removal may have moved the entry.
  if (from > 0) removeRange(ground, ground.findText(key), state, 0, from);
}
