/** Lists as a part of a key: what their ops do everywhere, removal of all, and state merge. */
import type { Sibling } from './cell.ts';
import { type Dot, hasDot, mergeDotted, type StampedDot } from './dot.ts';
import {
  append,
  closed,
  dropFromElement,
  eachElement,
  eachListStamp,
  emptyList,
  endChunk,
  type ListPlace,
  type ListState,
  opened,
  placeOf,
  pushRow,
  removeAt,
  seek,
  setSiblings,
  writeElement,
} from './list.ts';
import { compareAt, elementIn, type ListElement, oddAt, ROW, rowAt } from './list-chunk.ts';
import { COMPONENT, compareIds, type ListId, pushedId } from './list-id.ts';
import type { ListPush, ListRemove, ListSpan, ListTrim, ListWrite } from './op.ts';
import type { Part } from './part.ts';
import { covers, type VersionVector } from './version-vector.ts';

/** Applies an op to a list that may not be there; null: it is not there afterwards either. */
export function applyListOp(
  held: ListState | null,
  stamp: StampedDot,
  op: ListPush | ListWrite | ListRemove | ListTrim,
): ListState | null {
  const list = held ?? emptyList();
  switch (op.kind) {
    case 'list-push':
      pushValues(list, stamp, op);
      break;
    case 'list-write':
      writeListElement(list, stamp, op);
      break;
    case 'list-remove':
      removeSpans(list, op.spans);
      break;
    default:
      trimRange(list, op);
  }
  return list.size > 0 ? list : null;
}

/** Applies a push; values go to the end directly when nobody has pushed beyond them. */
function pushValues(list: ListState, stamp: StampedDot, op: ListPush): void {
  const { actor, seq, hlc } = stamp;
  for (const [j, value] of op.values.entries()) {
    const id = pushedId(op.left, op.n, op.tie, seq, j);
    if (list.size > 0) {
      const chunk = endChunk(list, op.left);
      const order = compareAt(chunk, op.left ? 0 : chunk.count - 1, id);
      if (op.left ? order <= 0 : order >= 0) {
        writeElement(list, id, { actor, seq, hlc, value });
        continue;
      }
    }
    const bytes = Buffer.from(value, 'latin1');
    const row = pushRow(list, op.left, bytes, 0, bytes.length);
    fillRow(endChunk(list, op.left).rows, row, id, stamp);
  }
}

/** The numbers of a row that a push made. */
function fillRow(rows: Float64Array, row: number, id: ListId, stamp: StampedDot): void {
  rows[row + ROW.n] = id[0];
  rows[row + ROW.tie] = id[1];
  rows[row + ROW.r] = id[2];
  rows[row + ROW.k] = id[3];
  rows[row + ROW.actor] = stamp.actor;
  rows[row + ROW.seq] = stamp.seq;
  rows[row + ROW.hlc] = stamp.hlc;
}

/** Applies LINSERT or LSET: the element has the value of this write in place of those it saw. */
function writeListElement(list: ListState, stamp: StampedDot, op: ListWrite): void {
  const { actor, seq, hlc } = stamp;
  writeElement(list, op.id, { actor, seq, hlc, value: op.value });
  if (op.drops.length > 0) dropFromElement(list, op.id, op.drops);
}

function removeSpans(list: ListState, spans: readonly ListSpan[]): void {
  for (const { id, count, drops } of spans) {
    if (count === 1) dropFromElement(list, id, drops);
    else {
      const last = id.length - 1;
      const to = [...id.slice(0, last), id[last] + count - 1];
      // What lies between and is of the same depth differs in k alone.
      dropRange(list, id, to, id.length, (actor, seq) => hasDot(drops, actor, seq));
    }
  }
}

/** Removes what the vector covers of the elements between two ids, both included. */
function trimRange(
  list: ListState,
  { from, to, vector }: Pick<ListTrim, 'from' | 'to' | 'vector'>,
): void {
  dropRange(list, from, to, 0, (actor, seq) => covers(vector, actor, seq));
}

/**
 * Drops the dots for which `goes` says so from the elements from `from` to `to` (null: the end of the
 * list) whose ids have `length` numbers (0: any).
 */
function dropRange(
  list: ListState,
  from: ListId | null,
  to: ListId | null,
  length: number,
  goes: (actor: number, seq: number) => boolean,
): void {
  const sought = from === null ? null : seek(list, from);
  if (from !== null && sought === null) return;
  const place = sought?.place ?? { group: 0, chunk: 0, at: 0 };
  const { groups } = list;
  while (place.group < groups.length) {
    const { chunks } = groups[place.group];
    if (place.chunk >= chunks.length) {
      place.group++;
      place.chunk = 0;
      continue;
    }
    const before = chunks.length;
    const groupsBefore = groups.length;
    const ended = dropFromChunk(list, place, to, length, goes);
    const gone = chunks.length < before;
    if (!gone) closed(list, place.group, place.chunk);
    if (ended) return;
    place.at = 0;
    // An emptied chunk (and its group) is gone: the next one stands in its place.
    if (!gone) place.chunk++;
    else if (groups.length < groupsBefore) place.chunk = 0;
  }
}

/** The same within the chunk of `place`, from there on. True: `to` was reached. */
function dropFromChunk(
  list: ListState,
  place: ListPlace,
  to: ListId | null,
  length: number,
  goes: (actor: number, seq: number) => boolean,
): boolean {
  const chunk = opened(list, place);
  while (place.at < chunk.count) {
    if (to !== null && compareAt(chunk, place.at, to) > 0) return true;
    const odd = oddAt(chunk, place.at);
    const row = rowAt(chunk, place.at);
    if (odd === null) {
      const { rows } = chunk;
      const stays =
        (length > 0 && length !== COMPONENT) || !goes(rows[row + ROW.actor], rows[row + ROW.seq]);
      if (stays) place.at++;
      else removeAt(list, place, false);
      continue;
    }
    const { id, siblings } = odd;
    const kept =
      length > 0 && length !== id.length
        ? siblings
        : siblings.filter(({ actor, seq }) => !goes(actor, seq));
    // Joined with its neighbour, the chunk would not end where this loop thinks.
    if (kept.length < siblings.length) setSiblings(list, place, kept, false);
    if (kept.length > 0) place.at++;
  }
  return false;
}

/** State merge: both lists are gone through once, in the order of the ids. */
function mergeLists(
  mine: ListState,
  mineVector: VersionVector,
  theirs: ListState,
  theirsVector: VersionVector,
): ListState {
  return zipLists(mine, theirs, (a, b) =>
    mergeDotted<Sibling>([...a], mineVector, b, theirsVector),
  );
}

/** A new list of the elements of both; `join` says which writes of an element are left. */
export function zipLists(
  mine: ListState,
  theirs: ListState,
  join: (mine: readonly Sibling[], theirs: readonly Sibling[]) => Sibling[],
): ListState {
  const merged = emptyList();
  const others: ListElement[] = elementsOf(theirs);
  let next = 0;
  const take = (id: ListId, a: readonly Sibling[], b: readonly Sibling[]): void => {
    const siblings = join(a, b);
    if (siblings.length > 0) append(merged, { id, siblings });
  };
  eachElement(mine, ({ id, siblings }): undefined => {
    while (next < others.length && compareIds(others[next].id, id) < 0) {
      take(others[next].id, [], others[next].siblings);
      next++;
    }
    const both = next < others.length && compareIds(others[next].id, id) === 0;
    take(id, siblings, both ? others[next++].siblings : []);
  });
  for (; next < others.length; next++) take(others[next].id, [], others[next].siblings);
  return merged;
}

/** All elements, in order. */
export function elementsOf(list: ListState): ListElement[] {
  const elements: ListElement[] = [];
  eachElement(list, (element): undefined => {
    elements.push(element);
  });
  return elements;
}

export const listPart: Part<ListState> = {
  type: 'list',
  isEmpty: (list) => list.size === 0,
  size: (list) => list.size,
  eachStamp(list, each) {
    eachListStamp(list, (actor, seq, hlc) => each({ actor, seq, hlc }));
  },
  eachDot(list, each) {
    eachElement(list, ({ siblings }): undefined => each(siblings) as undefined);
  },
  eachFloor() {},
  removeSeen(list, { vector, dots }) {
    if (vector !== null) trimRange(list, { from: null, to: null, vector });
    else if (dots.length > 0) dropDots(list, dots);
  },
  merge: (mine, mineVector, theirs, theirsVector) =>
    mergeLists(mine ?? emptyList(), mineVector, theirs ?? emptyList(), theirsVector),
};

/** Drops these dots from all elements: of a small removal, so that of a small list. */
function dropDots(list: ListState, dots: readonly Dot[]): void {
  for (let index = list.size - 1; index >= 0; index--) {
    const place = placeOf(list, index);
    const { siblings } = elementIn(opened(list, place), place.at);
    const kept = siblings.filter(({ actor, seq }) => !hasDot(dots, actor, seq));
    if (kept.length < siblings.length) setSiblings(list, place, kept);
    closed(list, place.group, place.chunk);
  }
}
