/** As prepare.ts, for lists. `tie` and `seq` are those of the op that is made. */
import type { Actor, Bytes, Dot } from './dot.ts';
import { dotsOf } from './dot.ts';
import { holdsOtherThan, type KeyState } from './key-state.ts';
import {
  closed,
  elementAt,
  endChunk,
  idAt,
  type ListPlace,
  type ListState,
  opened,
  placeOf,
} from './list.ts';
import { elementIn, idIn, oddAt, ROW, rowAt } from './list-chunk.ts';
import { COMPONENT, idBetween, type ListId, runBeside } from './list-id.ts';
import type { ListPush, ListRemove, ListSpan, ListTrim, ListWrite } from './op.ts';
import { keepTtl, ttlOfRemoval } from './prepare.ts';
import { copyVector, type VersionVector } from './version-vector.ts';

/** RPUSH and LPUSH of at least one value. */
export function prepareListPush(
  state: KeyState | null,
  key: Bytes,
  left: boolean,
  values: readonly Bytes[],
  tie: number,
  seq: number,
): ListPush {
  const n = runAtEnd(state?.list ?? null, left, tie, seq);
  return { kind: 'list-push', key, left, n, tie, values, ttl: keepTtl(state) };
}

/** The n of a push at an end of the list. */
export function runAtEnd(list: ListState | null, left: boolean, tie: number, seq: number): number {
  if (list === null || list.size === 0) return 0;
  const chunk = endChunk(list, left);
  const { rows } = chunk;
  // The outermost component is in the row of every element, also of odd ones.
  const row = rowAt(chunk, left ? 0 : chunk.count - 1);
  return runBeside(left, rows[row + ROW.n], rows[row + ROW.tie], rows[row + ROW.r], tie, seq);
}

/** LINSERT before the element at `index` (size: at the end). Null: the place is exhausted. */
export function prepareListInsert(
  list: ListState,
  key: Bytes,
  index: number,
  value: Bytes,
  tie: number,
  seq: number,
): ListWrite | null {
  const left = index === 0 ? null : idAt(list, index - 1);
  const right = index === list.size ? null : idAt(list, index);
  const id = idBetween(left, right, tie, seq);
  if (id === null) return null;
  return { kind: 'list-write', key, id, value, drops: [], ttl: keepTtl(null) };
}

/** LSET of the element at `index`, which keeps its place. */
export function prepareListSet(
  list: ListState,
  key: Bytes,
  index: number,
  value: Bytes,
): ListWrite {
  const { id, siblings } = elementAt(list, index);
  return { kind: 'list-write', key, id, value, drops: dotsOf(siblings), ttl: keepTtl(null) };
}

/** Removal of the elements at these indexes, which ascend and are at least one. */
export function prepareListRemove(
  state: KeyState,
  key: Bytes,
  indexes: Iterable<number>,
): ListRemove {
  const list = state.list as ListState;
  const spans: { id: ListId; count: number; drops: readonly Dot[] }[] = [];
  let removed = 0;
  let place: ListPlace | null = null;
  let last = -2;
  for (const index of indexes) {
    const next: ListPlace =
      place !== null && index === last + 1 ? following(list, place) : placeOf(list, index);
    if (place !== null && (next.chunk !== place.chunk || next.group !== place.group)) {
      closed(list, place.group, place.chunk);
    }
    addSpan(spans, list, next);
    place = next;
    last = index;
    removed++;
  }
  if (place !== null) closed(list, place.group, place.chunk);
  return { kind: 'list-remove', key, spans, ttl: ttlAfter(state, removed) };
}

/** Removal of everything between two indexes, both included, by the source's vector. */
export function prepareListTrim(
  state: KeyState,
  key: Bytes,
  from: number,
  to: number,
  vector: VersionVector,
): ListTrim {
  const list = state.list as ListState;
  return {
    kind: 'list-trim',
    key,
    from: from === 0 ? null : idAt(list, from),
    to: to === list.size - 1 ? null : idAt(list, to),
    vector: copyVector(vector),
    ttl: ttlAfter(state, to - from + 1),
  };
}

function ttlAfter(state: KeyState, removed: number) {
  const empties = removed === state.list?.size && !holdsOtherThan(state, 'list');
  return ttlOfRemoval(state, empties);
}

/** The place of the element behind one that has a successor. */
function following(list: ListState, { group, chunk, at }: ListPlace): ListPlace {
  const { chunks } = list.groups[group];
  if (at + 1 < chunks[chunk].count) return { group, chunk, at: at + 1 };
  if (chunk + 1 < chunks.length) return { group, chunk: chunk + 1, at: 0 };
  return { group: group + 1, chunk: 0, at: 0 };
}

/** Adds an element to the last span if it continues it: the next value of the same push, as it was. */
function addSpan(
  spans: { id: ListId; count: number; drops: readonly Dot[] }[],
  list: ListState,
  place: ListPlace,
): void {
  const chunk = opened(list, place);
  if (oddAt(chunk, place.at) !== null) {
    const { id, siblings } = elementIn(chunk, place.at);
    spans.push({ id, count: 1, drops: dotsOf(siblings) });
    return;
  }
  const { rows } = chunk;
  const row = rowAt(chunk, place.at);
  const actor: Actor = rows[row + ROW.actor];
  const seq = rows[row + ROW.seq];
  const last = spans.at(-1);
  if (last !== undefined && continues(last, rows, row)) {
    last.count++;
    return;
  }
  spans.push({ id: idIn(chunk, place.at), count: 1, drops: [{ actor, seq }] });
}

function continues(span: ListSpan, rows: Float64Array, row: number): boolean {
  const { id, count, drops } = span;
  if (id.length !== COMPONENT || drops.length !== 1) return false;
  return (
    id[0] === rows[row + ROW.n] &&
    id[1] === rows[row + ROW.tie] &&
    id[2] === rows[row + ROW.r] &&
    id[3] + count === rows[row + ROW.k] &&
    drops[0].actor === rows[row + ROW.actor] &&
    drops[0].seq === rows[row + ROW.seq]
  );
}
