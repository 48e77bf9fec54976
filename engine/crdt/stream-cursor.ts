/**
 * How one region reads a group: its cursor, what it has not delivered yet, what is pending there. All of
 * it is looked up in what everyone holds, by the region of the actor that wrote it.
 */
import { isLater } from './cell.ts';
import { type Actor, type Bytes, type Dot, dotsOf, type StampedDot } from './dot.ts';
import type { StreamDeliver } from './op.ts';
import { actorRegion, compareActors, type Roster } from './roster.ts';
import { BlockReader, type StreamEntry } from './stream-block.ts';
import { blockAt, type Entries } from './stream-entries.ts';
import {
  type Claim,
  type Consumer,
  type Cursor,
  claimsOf,
  type Group,
  hasPassed,
  liveMade,
  type Position,
} from './stream-group.ts';
import { idAfter, STREAM_ID_MIN } from './stream-id.ts';

/** Who looks: the roster and the number of the member's region. */
export type View = { readonly roster: Roster; readonly region: number };

/** What this region wrote; of one kind the last one counts. */
function latestOf<T extends StampedDot>(items: readonly T[], { roster, region }: View): T | null {
  let latest: T | null = null;
  for (const item of items) {
    if (actorRegion(roster, item.actor) !== region) continue;
    if (latest === null || isLater(item, latest, roster)) latest = item;
  }
  return latest;
}

/** The dots of what this region wrote: what its next write replaces. */
export function ownDots(items: readonly StampedDot[], { roster, region }: View): Dot[] {
  return dotsOf(items.filter(({ actor }) => actorRegion(roster, actor) === region));
}

/** Where this region is with a group that shows. */
export function positionOf(group: Group, view: View): Position {
  return latestOf<Cursor>(group.cursors, view) ?? startOf(group, view.roster);
}

/** Where the group began: at the latest of its CREATEs. */
function startOf(group: Group, roster: Roster): Position {
  let start: (Position & StampedDot) | null = null;
  for (const made of liveMade(group)) {
    if (start === null || isLater(made, start, roster)) start = made;
  }
  return start ?? { last: STREAM_ID_MIN, read: 0, seen: [], left: [] };
}

/** The claim of this region on an id; null: it is not pending here. */
export function claimOf(group: Group, id: Bytes, view: View): Claim | null {
  return latestOf(claimsOf(group, id), view);
}

/** Calls `each` for what this region has pending from `from` on, until it returns false. */
export function eachPending(
  group: Group,
  view: View,
  fromIndex: number,
  each: (id: Bytes, claim: Claim) => boolean,
): void {
  for (let at = fromIndex; at < group.pending.length; at++) {
    const { id, claims } = group.pending[at];
    const claim = latestOf(claims, view);
    if (claim !== null && !each(id, claim)) return;
  }
}

/** This region's record of a consumer; null: it has none of that name. */
export function consumerOf(group: Group, name: Bytes, view: View): Consumer | null {
  return latestOf(group.consumers.get(name) ?? [], view);
}

/** The names of this region's consumers, in order. */
export function consumerNames(group: Group, view: View): Bytes[] {
  const names = [...group.consumers.keys()].filter((name) => consumerOf(group, name, view));
  return names.sort();
}

/**
 * The first `count` entries that this region has neither delivered nor need deliver because another has
 * acknowledged them, and where it is when it has delivered these.
 */
export function nextEntries(
  entries: Entries,
  group: Group,
  view: View,
  count: number,
): { found: StreamEntry[]; position: Omit<Position, 'read'>; lateFrom: Bytes | null } {
  const position = positionOf(group, view);
  const others = otherCursors(group, view);
  const found: StreamEntry[] = [];
  const seen = new Map(position.seen.map(({ actor, seq }): [Actor, number] => [actor, seq]));
  let last = position.last;
  let lateFrom: Bytes | null = null;
  const waiting: StreamEntry[] = [];
  const after = idAfter(position.last) ?? position.last;
  const from = group.lateFrom !== null && group.lateFrom < after ? group.lateFrom : after;
  eachWaiting(entries, position, from, (entry) => {
    const isAcked = others.some((other) => isAckedBy(group, other, entry, view.roster));
    if (!isAcked && found.length >= count) {
      // The end of the count. What is left behind it is known only as far as the position was.
      if (entry.id > last) return false;
      lateFrom ??= entry.id;
      waiting.push(entry);
      return true;
    }
    if (!isAcked) found.push(entry);
    if (entry.id > last) last = entry.id;
    if (entry.seq > (seen.get(entry.actor) ?? 0)) seen.set(entry.actor, entry.seq);
    return true;
  });
  const left = waiting.filter(({ actor, seq }) => (seen.get(actor) ?? 0) >= seq);
  return {
    found,
    position: {
      last,
      seen: [...seen].map(([actor, seq]) => ({ actor, seq })),
      left: left.map(({ id, actor, seq }) => ({ id, actor, seq })),
    },
    lateFrom,
  };
}

/** Calls `each` for the entries from `from` on that the position has not passed, in one order everywhere. */
function eachWaiting(
  entries: Entries,
  position: Position,
  from: Bytes,
  each: (entry: StreamEntry) => boolean,
): void {
  const { blocks } = entries;
  for (let at = blockAt(entries, from); at < blocks.length; at++) {
    const block = blocks[at];
    const known =
      block.last <= position.last &&
      position.left.length === 0 &&
      position.seen.some(({ actor, seq }) => actor === block.actor && seq >= block.seqMax);
    if (known) continue;
    const reader = new BlockReader(block);
    while (reader.next()) {
      const { id } = reader;
      if (id < from || hasPassed(position, id, reader.actor, reader.seq)) continue;
      if (!each(reader.entry())) return;
    }
  }
}

function otherCursors(group: Group, { roster, region }: View): Cursor[] {
  const latest = new Map<number, Cursor>();
  for (const cursor of group.cursors) {
    const of = actorRegion(roster, cursor.actor);
    if (of === region) continue;
    const held = latest.get(of);
    if (held === undefined || isLater(cursor, held, roster)) latest.set(of, cursor);
  }
  return [...latest.values()];
}

/** Whether the region of that cursor has delivered the entry and has it no longer pending. */
function isAckedBy(group: Group, cursor: Cursor, entry: StreamEntry, roster: Roster): boolean {
  if (!hasPassed(cursor, entry.id, entry.actor, entry.seq)) return false;
  const region = actorRegion(roster, cursor.actor);
  return !claimsOf(group, entry.id).some(({ actor }) => actorRegion(roster, actor) === region);
}

/** A deliver op that does nothing yet. */
export function emptyDeliver(key: Bytes, group: Bytes): StreamDeliver {
  const none = { cursor: null, consumer: null, forget: null, owner: '', atMs: 0 };
  return { kind: 'stream-deliver', key, group, ...none, claims: [], acks: [] };
}

/** Entries of one id in the one order that all regions show. */
export function byOrigin(entries: readonly StreamEntry[], roster: Roster): StreamEntry[] {
  return [...entries].sort((a, b) => {
    if (a.id !== b.id) return a.id < b.id ? -1 : 1;
    return compareActors(roster, a.actor, b.actor);
  });
}
