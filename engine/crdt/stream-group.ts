/**
 * Consumer groups. What a group is, is one matter, how far a region has come with it another.
 *
 * **That it exists** replicates, and delete wins: a DESTROY also ends a group that was created meanwhile by
 * somebody who had not seen it. So a group keeps the dots of the DESTROYs of its name (`gone`, one
 * of each actor) until a DEL of the whole key has seen them, and a CREATE says which of them it had seen. A
 * group shows while one of its CREATEs has seen all of them.
 *
 * **How far a region is** (cursor, consumers, pending entries) is written by that region and read by it alone, but
 * everyone keeps it, tagged by the actor that wrote it: so digests agree, a replica that takes over goes
 * on where the primary was, and other regions know what was acknowledged there.
 *
 * A cursor is more than an id, because an entry of another region may arrive later with a smaller id.
 * It has passed an entry iff its id is not beyond `last`, the dots in `seen` cover it (the greatest seq of each
 * actor), and it is not among those that were `left` behind when a COUNT ended in the middle.
 */
import {
  type Actor,
  type Bytes,
  type Dot,
  mergeDotted,
  type StampedDot,
  withoutDots,
} from './dot.ts';
import { covers, type VersionVector } from './version-vector.ts';

/** Where a group is: what it has read, `read` as Redis' entries-read (-1: not known). */
export type Position = {
  readonly last: Bytes;
  readonly read: number;
  readonly seen: readonly Dot[];
  readonly left: readonly EntryName[];
};

/** One entry of a stream for certain. */
export type EntryName = Dot & { readonly id: Bytes };

export type Made = StampedDot & Position & { readonly gone: readonly Dot[] };
export type Cursor = StampedDot & Position;
/** XGROUP CREATECONSUMER, or the first time that one was named. */
export type Consumer = StampedDot & { readonly atMs: number };
export type Claim = StampedDot & {
  readonly consumer: Bytes;
  readonly atMs: number;
  readonly count: number;
};
/** The claims of an id: one of each region that has it pending, more after concurrent ones. */
export type PendingId = { readonly id: Bytes; claims: Claim[] };

export type Group = {
  made: Made[];
  gone: StampedDot[];
  cursors: Cursor[];
  consumers: Map<Bytes, Consumer[]>;
  /** In the order of ids. */
  pending: PendingId[];
  /**
   * Not replicated: entries from this id on may have come late and are looked through by the next XREADGROUP;
   * null: none has.
   */
  lateFrom: Bytes | null;
};

export function newGroup(): Group {
  return { made: [], gone: [], cursors: [], consumers: new Map(), pending: [], lateFrom: '' };
}

export function isEmptyGroup(group: Group): boolean {
  return (
    group.made.length === 0 &&
    group.gone.length === 0 &&
    group.cursors.length === 0 &&
    group.consumers.size === 0 &&
    group.pending.length === 0
  );
}

/** Whether clients see the group: some CREATE has seen every DESTROY. */
export function shows({ made, gone }: Group): boolean {
  return made.some((create) => hasSeenAll(create, gone));
}

/** The CREATEs that count. */
export function liveMade({ made, gone }: Group): Made[] {
  return made.filter((create) => hasSeenAll(create, gone));
}

function hasSeenAll(create: Made, gone: readonly Dot[]): boolean {
  return gone.every(({ actor, seq }) =>
    create.gone.some((seen) => seen.actor === actor && seen.seq >= seq),
  );
}

/** Whether a group at this position has passed the entry. */
export function hasPassed(position: Position, id: Bytes, actor: Actor, seq: number): boolean {
  if (id > position.last) return false;
  if (!position.seen.some((dot) => dot.actor === actor && dot.seq >= seq)) return false;
  return !position.left.some((one) => one.actor === actor && one.seq === seq && one.id === id);
}

/** Index of an id among the pending ones, or where it belongs. */
export function pendingAt(pending: readonly PendingId[], id: Bytes): number {
  if (pending.length === 0 || pending[pending.length - 1].id < id) return pending.length;
  let low = 0;
  let high = pending.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (pending[middle].id < id) low = middle + 1;
    else high = middle;
  }
  return low;
}

export function claimsOf(group: Group, id: Bytes): readonly Claim[] {
  const held = group.pending[pendingAt(group.pending, id)];
  return held !== undefined && held.id === id ? held.claims : [];
}

/** Gives an id these claims; none: it is not pending. */
export function setClaims(group: Group, id: Bytes, claims: Claim[]): void {
  const { pending } = group;
  const at = pendingAt(pending, id);
  const held = at < pending.length && pending[at].id === id;
  if (!held && claims.length > 0) pending.splice(at, 0, { id, claims });
  else if (held && claims.length > 0) pending[at].claims = claims;
  else if (held) pending.splice(at, 1);
}

/** A list after a write with this stamp that replaces `drops`; the same when it is there already. */
export function written<T extends StampedDot>(held: T[], drops: readonly Dot[], item: T): T[] {
  // An actor's later write has seen its earlier one, and an earlier one never comes after it.
  const other = held.find(({ actor }) => actor === item.actor);
  if (other !== undefined && other.seq >= item.seq) return held;
  const kept = withoutDots(held, drops).filter(({ actor }) => actor !== item.actor);
  return [...kept, item];
}

/** Drops from a group what `gone` says of each dot; DESTROYs stay when `keepGone`. */
export function dropFromGroup(group: Group, goes: (dot: Dot) => boolean, keepGone: boolean): void {
  const stays = (dot: Dot): boolean => !goes(dot);
  group.made = group.made.filter(stays);
  if (!keepGone) group.gone = group.gone.filter(stays);
  group.cursors = group.cursors.filter(stays);
  for (const [name, held] of group.consumers) {
    const kept = held.filter(stays);
    if (kept.length === 0) group.consumers.delete(name);
    else group.consumers.set(name, kept);
  }
  group.pending = group.pending.filter((one) => {
    one.claims = one.claims.filter(stays);
    return one.claims.length > 0;
  });
}

/** As `dropFromGroup`, of what a vector covers. */
export function dropCoveredFromGroup(group: Group, vector: VersionVector, keepGone: boolean): void {
  dropFromGroup(group, ({ actor, seq }) => covers(vector, actor, seq), keepGone);
}

/** Calls `each` with every dotted list of the group. */
export function eachList(group: Group, each: (items: readonly StampedDot[]) => void): void {
  each(group.made);
  each(group.gone);
  each(group.cursors);
  for (const held of group.consumers.values()) each(held);
  for (const { claims } of group.pending) each(claims);
}

/** Calls `each` with every actor that the group names. */
export function eachActorOf(group: Group, each: (actor: Actor) => void): void {
  const all = (dots: readonly Dot[]): void => {
    for (const { actor } of dots) each(actor);
  };
  eachList(group, all);
  for (const { seen, gone } of group.made) all([...seen, ...gone]);
  for (const { seen, left } of group.cursors) all([...seen, ...left]);
}

/** State merge; both may be empty. A new group that shares items with both. */
export function mergeGroups(
  mine: Group,
  mineVector: VersionVector,
  theirs: Group,
  theirsVector: VersionVector,
): Group {
  return combineGroups(mine, theirs, (a, b) => mergeDotted([...a], mineVector, b, theirsVector));
}

/** A group whose every list is made of the two lists; lists that come out empty are absent. */
export function combineGroups(
  a: Group,
  b: Group,
  combine: <T extends StampedDot>(x: readonly T[], y: readonly T[]) => T[],
): Group {
  const group = newGroup();
  group.made = combine(a.made, b.made);
  group.gone = combine(a.gone, b.gone);
  group.cursors = combine(a.cursors, b.cursors);
  for (const name of new Set([...a.consumers.keys(), ...b.consumers.keys()])) {
    const held = combine(a.consumers.get(name) ?? [], b.consumers.get(name) ?? []);
    if (held.length > 0) group.consumers.set(name, held);
  }
  let [i, j] = [0, 0];
  while (i < a.pending.length || j < b.pending.length) {
    const left = a.pending[i];
    const right = b.pending[j];
    const id =
      right === undefined || (left !== undefined && left.id <= right.id) ? left.id : right.id;
    const x = left?.id === id ? a.pending[i++].claims : [];
    const y = right?.id === id ? b.pending[j++].claims : [];
    const claims = combine(x, y);
    if (claims.length > 0) group.pending.push({ id, claims });
  }
  return group;
}

// Measured as growth of the process under Bun, rounded up.
const GROUP_BYTES = 400;
const MADE_BYTES = 200;
const CONSUMER_BYTES = 200;
const PENDING_BYTES = 200;

/** Bytes that the group takes, by estimate; the list of pending ids is not walked. */
export function groupBytes(group: Group): number {
  const lists = group.made.length + group.gone.length + group.cursors.length;
  return (
    GROUP_BYTES +
    lists * MADE_BYTES +
    group.consumers.size * CONSUMER_BYTES +
    group.pending.length * PENDING_BYTES
  );
}
