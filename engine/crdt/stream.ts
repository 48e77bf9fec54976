/**
 * A stream: entries (stream-entries.ts), consumer groups (stream-group.ts), and *marks*, which say
 * that it exists although it may be empty, and what entries that are gone have left behind: the last id
 * given, how many were ever added, the greatest id deleted.
 *
 * Each actor has one mark, the one of its last XADD or XSETID, with the count of its own adds; so what clients see
 * of counts is their sum, of ids their maximum. XDEL raises the greatest id deleted in the very mark
 * that it has seen (`raise`) and writes none, so that a DEL that had not seen the XDEL still ends the stream.
 */
import { type Bytes, type Dot, hasDot, mergeDotted, type StampedDot, withoutDots } from './dot.ts';
import type {
  Removal,
  StreamAdd,
  StreamDeliver,
  StreamGroup,
  StreamMark,
  StreamRemove,
  StreamUngroup,
} from './op.ts';
import type { Part } from './part.ts';
import { BlockReader, readBlock, type StreamEntry } from './stream-block.ts';
import {
  addEntry,
  allEntries,
  compareEntries,
  type Entries,
  entriesOf,
  lastId,
  newEntries,
  removeCovered,
  removeDots,
  removeEntries,
} from './stream-entries.ts';
import {
  claimsOf,
  dropCoveredFromGroup,
  dropFromGroup,
  eachActorOf,
  eachList,
  type Group,
  groupBytes,
  isEmptyGroup,
  mergeGroups,
  newGroup,
  setClaims,
  shows,
  written,
} from './stream-group.ts';
import { STREAM_ID_MAX, STREAM_ID_MIN } from './stream-id.ts';
import { covers, type VersionVector } from './version-vector.ts';

export type Mark = StampedDot & {
  /** The last id given out. */
  readonly last: Bytes;
  /** Entries that this actor has added. */
  readonly added: number;
  /** The greatest id that XDEL has removed. */
  readonly deleted: Bytes;
};

export type StreamState = { entries: Entries; marks: Mark[]; groups: Map<Bytes, Group> };

export function newStream(): StreamState {
  return { entries: newEntries(), marks: [], groups: new Map() };
}

/** The last id given out, also if its entry is gone. */
export function lastGiven(stream: StreamState): Bytes {
  let last = lastId(stream.entries) ?? STREAM_ID_MIN;
  for (const mark of stream.marks) if (mark.last > last) last = mark.last;
  return last;
}

/** The greatest id that XDEL has removed. */
export function maxDeleted(stream: StreamState): Bytes {
  let deleted = STREAM_ID_MIN;
  for (const mark of stream.marks) if (mark.deleted > deleted) deleted = mark.deleted;
  return deleted;
}

/** How many entries were ever added. */
export function addedCount(stream: StreamState): number {
  let added = 0;
  for (const mark of stream.marks) added += mark.added;
  return added;
}

/** Whether it exists for clients, perhaps empty. */
export function streamShows({ entries, marks, groups }: StreamState): boolean {
  return entries.count > 0 || marks.length > 0 || [...groups.values()].some(shows);
}

/** Bytes that the stream takes, by estimate, without a walk over its entries. */
export function streamBytes({ entries, marks, groups }: StreamState): number {
  let bytes = 300 + entries.bytes + marks.length * 140;
  for (const [name, group] of groups) bytes += name.length + groupBytes(group);
  return bytes;
}

// ── Ops ─────────────────────────────────────────────────────────────────────────────────────

export type StreamOp =
  | StreamAdd
  | StreamRemove
  | StreamMark
  | StreamGroup
  | StreamUngroup
  | StreamDeliver;

export function applyStreamOp(stream: StreamState, stamp: StampedDot, op: StreamOp): void {
  switch (op.kind) {
    case 'stream-add':
      applyStreamAdd(stream, stamp, op);
      return;
    case 'stream-remove':
      applyStreamRemove(stream, op);
      return;
    case 'stream-mark':
      setMark(stream, stamp, op, op.drops);
      return;
    case 'stream-group':
      applyStreamGroup(stream, stamp, op);
      return;
    case 'stream-ungroup':
      applyStreamUngroup(stream, stamp, op);
      return;
    default:
      applyStreamDeliver(stream, stamp, op);
  }
}

/** XADD. */
function applyStreamAdd(stream: StreamState, stamp: StampedDot, op: StreamAdd): void {
  const isLate = addEntry(stream.entries, op.id, stamp, op.fields);
  setMark(stream, stamp, { last: op.id, added: op.added, deleted: op.deleted }, []);
  if (!isLate) return;
  for (const group of stream.groups.values()) {
    if (group.lateFrom === null || group.lateFrom > op.id) group.lateFrom = op.id;
  }
}

/** XDEL and XTRIM. */
function applyStreamRemove(stream: StreamState, op: StreamRemove): void {
  removeEntries(stream.entries, op.entries);
  if (op.range !== null) removeCovered(stream.entries, op.range.to, op.range.vector);
  const { raise } = op;
  if (raise === null) return;
  stream.marks = stream.marks.map((mark) =>
    mark.actor === raise.mark.actor && mark.seq === raise.mark.seq && mark.deleted < raise.deleted
      ? { ...mark, deleted: raise.deleted }
      : mark,
  );
}

function setMark(
  stream: StreamState,
  { actor, seq, hlc }: StampedDot,
  { last, added, deleted }: Pick<Mark, 'last' | 'added' | 'deleted'>,
  drops: readonly Dot[],
): void {
  const { marks } = stream;
  const only = marks.length === 1 && marks[0].actor === actor;
  if (only && marks[0].seq < seq) {
    marks[0] = { actor, seq, hlc, last, added, deleted };
    return;
  }
  stream.marks = written(marks, drops, { actor, seq, hlc, last, added, deleted });
}

/** XGROUP CREATE. */
function applyStreamGroup(stream: StreamState, stamp: StampedDot, op: StreamGroup): void {
  const group = groupNamed(stream, op.group);
  const { actor, seq, hlc } = stamp;
  if (group.made.some((made) => made.actor === actor && made.seq >= seq)) return;
  if (op.vector !== null) dropCoveredFromGroup(group, op.vector, true);
  const { last, read, seen, gone } = op;
  group.made = written(group.made, [], { actor, seq, hlc, last, read, seen, left: [], gone });
  group.lateFrom = '';
}

/** XGROUP DESTROY. */
function applyStreamUngroup(stream: StreamState, stamp: StampedDot, op: StreamUngroup): void {
  const group = groupNamed(stream, op.group);
  dropCoveredFromGroup(group, op.vector, true);
  const { actor, seq, hlc } = stamp;
  group.gone = written(group.gone, [], { actor, seq, hlc });
}

/** What a region does with a group: XREADGROUP, XACK, XCLAIM, SETID, its consumers. */
function applyStreamDeliver(stream: StreamState, stamp: StampedDot, op: StreamDeliver): void {
  const group = groupNamed(stream, op.group);
  const { actor, seq, hlc } = stamp;
  if (op.cursor !== null) {
    const { last, read, seen, left, drops } = op.cursor;
    group.cursors = written(group.cursors, drops, { actor, seq, hlc, last, read, seen, left });
  }
  const { consumers } = group;
  if (op.forget !== null) {
    const kept = withoutDots(consumers.get(op.forget.name) ?? [], op.forget.drops);
    if (kept.length === 0) consumers.delete(op.forget.name);
    else consumers.set(op.forget.name, kept);
  }
  if (op.consumer !== null) {
    const { name, drops, atMs } = op.consumer;
    consumers.set(name, written(consumers.get(name) ?? [], drops, { actor, seq, hlc, atMs }));
  }
  for (const { id, drops } of op.acks) {
    setClaims(group, id, withoutDots([...claimsOf(group, id)], drops));
  }
  for (const { id, drops, count } of op.claims) {
    const claim = { actor, seq, hlc, consumer: op.owner, atMs: op.atMs, count };
    setClaims(group, id, written([...claimsOf(group, id)], drops, claim));
  }
  if (isEmptyGroup(group)) stream.groups.delete(op.group);
}

function groupNamed(stream: StreamState, name: Bytes): Group {
  let group = stream.groups.get(name);
  if (group === undefined) {
    group = newGroup();
    stream.groups.set(name, group);
  }
  return group;
}

// ── The part ────────────────────────────────────────────────────────────────────────────────

export const streamPart: Part<StreamState> = {
  type: 'stream',
  isEmpty: ({ entries, marks, groups }) =>
    entries.count === 0 && marks.length === 0 && groups.size === 0,
  shows: streamShows,
  size: ({ entries, groups }) => entries.count + groups.size,
  eachStamp(stream, each) {
    for (const block of stream.entries.blocks) {
      const reader = new BlockReader(block);
      while (reader.next()) each(reader);
    }
    stream.marks.forEach(each);
    for (const group of stream.groups.values()) eachList(group, (items) => items.forEach(each));
  },
  eachActor({ entries, marks, groups }, each) {
    for (const block of entries.blocks) {
      if (block.actor >= 0) each(block.actor);
      else for (const { actor } of readBlock(block)) each(actor);
    }
    for (const { actor } of marks) each(actor);
    for (const group of groups.values()) eachActorOf(group, each);
  },
  eachDot(stream, each) {
    for (const entry of allEntries(stream.entries)) each([entry]);
    each(stream.marks);
    for (const group of stream.groups.values()) eachList(group, each);
  },
  eachFloor() {},
  removeSeen(stream, { vector, dots }) {
    if (vector === null) dropFromStream(stream, dots);
    else dropCovered(stream, vector);
  },
  merge: mergeStreams,
};

function dropFromStream(stream: StreamState, dots: Removal['dots']): void {
  removeDots(stream.entries, dots);
  stream.marks = withoutDots(stream.marks, dots);
  for (const [name, group] of stream.groups) {
    dropFromGroup(group, ({ actor, seq }) => hasDot(dots, actor, seq), false);
    if (isEmptyGroup(group)) stream.groups.delete(name);
  }
}

function dropCovered(stream: StreamState, vector: VersionVector): void {
  removeCovered(stream.entries, STREAM_ID_MAX, vector);
  stream.marks = stream.marks.filter(({ actor, seq }) => !covers(vector, actor, seq));
  for (const [name, group] of stream.groups) {
    dropCoveredFromGroup(group, vector, false);
    if (isEmptyGroup(group)) stream.groups.delete(name);
  }
}

function mergeStreams(
  mine: StreamState | null,
  mineVector: VersionVector,
  theirs: StreamState | null,
  theirsVector: VersionVector,
): StreamState {
  const a = mine ?? newStream();
  const b = theirs ?? newStream();
  const merged = newStream();
  const x = allEntries(a.entries);
  const y = allEntries(b.entries);
  merged.entries = entriesOf(mergeEntries(x, mineVector, y, theirsVector));
  merged.marks = mergeDotted(withRaised(a.marks, b.marks), mineVector, b.marks, theirsVector);
  for (const name of new Set([...a.groups.keys(), ...b.groups.keys()])) {
    const held = a.groups.get(name) ?? newGroup();
    const other = b.groups.get(name) ?? newGroup();
    const group = mergeGroups(held, mineVector, other, theirsVector);
    if (!isEmptyGroup(group)) merged.groups.set(name, group);
  }
  return merged;
}

/** Marks of `mine`; one that both have with the greater id deleted. */
export function withRaised(mine: readonly Mark[], theirs: readonly Mark[]): Mark[] {
  return mine.map((mark) => {
    const same = theirs.find(({ actor, seq }) => actor === mark.actor && seq === mark.seq);
    return same !== undefined && same.deleted > mark.deleted
      ? { ...mark, deleted: same.deleted }
      : mark;
  });
}

function mergeEntries(
  mine: readonly StreamEntry[],
  mineVector: VersionVector,
  theirs: readonly StreamEntry[],
  theirsVector: VersionVector,
): StreamEntry[] {
  const merged: StreamEntry[] = [];
  let [i, j] = [0, 0];
  while (i < mine.length || j < theirs.length) {
    const order = orderOf(mine[i], theirs[j]);
    if (order < 0) {
      const entry = mine[i++];
      if (!covers(theirsVector, entry.actor, entry.seq)) merged.push(entry);
    } else if (order > 0) {
      const entry = theirs[j++];
      if (!covers(mineVector, entry.actor, entry.seq)) merged.push(entry);
    } else {
      merged.push(laterOf(mine[i], theirs[j]));
      i++;
      j++;
    }
  }
  return merged;
}

/** Of one id and actor: its later write has seen the earlier one. One dot with two contents is a defect. */
function laterOf(a: StreamEntry, b: StreamEntry): StreamEntry {
  if (a.seq !== b.seq) return a.seq > b.seq ? a : b;
  if (a.hlc !== b.hlc) return a.hlc > b.hlc ? a : b;
  return JSON.stringify(a.fields) >= JSON.stringify(b.fields) ? a : b;
}

function orderOf(a: StreamEntry | undefined, b: StreamEntry | undefined): number {
  if (a === undefined) return 1;
  return b === undefined ? -1 : compareEntries(a, b);
}

/** The union of two streams that ought to be equal: see repair.ts. */
export function unionEntries(a: Entries, b: Entries): Entries {
  return entriesOf(mergeEntries(allEntries(a), [], allEntries(b), []));
}
