/**
 * Consumer groups as this region reads them (crdt/stream-group.ts says what is kept). Whatever changes is one op
 * of this region, which everyone keeps and only this region's members go by.
 */
import type { Bytes } from '../crdt/dot.ts';
import type { StreamDeliver } from '../crdt/op.ts';
import {
  prepareEmptyStream,
  prepareStreamGroup,
  prepareStreamUngroup,
} from '../crdt/prepare-stream.ts';
import type { StreamState } from '../crdt/stream.ts';
import type { StreamEntry } from '../crdt/stream-block.ts';
import {
  byOrigin,
  claimOf,
  consumerNames,
  consumerOf,
  eachPending,
  emptyDeliver,
  nextEntries,
  ownDots,
  positionOf,
  type View,
} from '../crdt/stream-cursor.ts';
import { dotsUpTo, entriesAt } from '../crdt/stream-entries.ts';
import {
  type Claim,
  claimsOf,
  type Group,
  hasPassed,
  type Position,
  pendingAt,
  shows,
} from '../crdt/stream-group.ts';
import type { Ground } from './ground.ts';
import { countAfter } from './stream-count.ts';
import { hasEntry, type Streams } from './streams.ts';

export type PendingEntry = { readonly id: Bytes; readonly claim: Claim };

/** When a consumer was seen, and when it last got something (null: never, as far as is known). */
type Seen = { seenMs: number; activeMs: number | null };

/** What XCLAIM and XAUTOCLAIM do with an entry. */
export type ClaimWrite = { readonly id: Bytes; readonly count: number };

export class StreamGroups {
  private readonly ground: Ground;
  private readonly streams: Streams;
  /** By group: what its consumers did lately. Not replicated, as in Redis. */
  private readonly seen = new WeakMap<Group, Map<Bytes, Seen>>();

  constructor(ground: Ground, streams: Streams) {
    this.ground = ground;
    this.streams = streams;
  }

  // ── Reads ─────────────────────────────────────────────────────────────────────────────────

  /** The group that clients see; null: none. */
  find(stream: StreamState | null, name: Bytes): Group | null {
    const group = stream?.groups.get(name);
    return group === undefined || !shows(group) ? null : group;
  }

  /** The groups that clients see, by name. */
  list(stream: StreamState): [Bytes, Group][] {
    return [...stream.groups]
      .filter(([, group]) => shows(group))
      .sort(([a], [b]) => (a < b ? -1 : 1));
  }

  position(group: Group): Position {
    return positionOf(group, this.view);
  }

  consumers(group: Group): Bytes[] {
    return consumerNames(group, this.view);
  }

  hasConsumer(group: Group, name: Bytes): boolean {
    return consumerOf(group, name, this.view) !== null;
  }

  /** When a consumer was seen last, and when it last got something (-1: never). */
  activity(group: Group, name: Bytes): { seenMs: number; activeMs: number } {
    const lately = this.seen.get(group)?.get(name);
    const made = consumerOf(group, name, this.view)?.atMs ?? this.ground.nowMs;
    let activeMs = lately?.activeMs ?? -1;
    if (activeMs < 0) {
      for (const { claim } of this.pending(group, '', name, Number.POSITIVE_INFINITY)) {
        activeMs = Math.max(activeMs, claim.atMs);
      }
    }
    return { seenMs: Math.max(lately?.seenMs ?? made, activeMs), activeMs };
  }

  claim(group: Group, id: Bytes): Claim | null {
    return claimOf(group, id, this.view);
  }

  /** Up to `count` pending entries from `from` on, of one consumer or (null) of all. */
  pending(group: Group, from: Bytes, consumer: Bytes | null, count: number): PendingEntry[] {
    const found: PendingEntry[] = [];
    this.eachPending(group, from, (id, claim) => {
      if (consumer === null || claim.consumer === consumer) found.push({ id, claim });
      return found.length < count;
    });
    return found;
  }

  /** Calls `each` for the pending entries from `from` on, until it returns false. */
  eachPending(group: Group, from: Bytes, each: (id: Bytes, claim: Claim) => boolean): void {
    eachPending(group, this.view, pendingAt(group.pending, from), each);
  }

  /** How many entries each consumer has pending. */
  pendingCounts(group: Group): Map<Bytes, number> {
    const counts = new Map<Bytes, number>();
    this.eachPending(group, '', (_, { consumer }) => {
      counts.set(consumer, (counts.get(consumer) ?? 0) + 1);
      return true;
    });
    return counts;
  }

  /** The entries of an id, in the order that all regions show. */
  entries(stream: StreamState, id: Bytes): StreamEntry[] {
    return byOrigin(entriesAt(stream.entries, id), this.ground.roster);
  }

  /** Whether XREADGROUP > would deliver something. */
  hasNext(stream: StreamState, group: Group): boolean {
    return nextEntries(stream.entries, group, this.view, 1).found.length > 0;
  }

  /** Whether this region has delivered the entry and has heard of it again. */
  isDone(group: Group, entry: StreamEntry): boolean {
    const position = this.position(group);
    const isPassed = hasPassed(position, entry.id, entry.actor, entry.seq);
    return isPassed && this.claim(group, entry.id) === null;
  }

  // ── Writes ────────────────────────────────────────────────────────────────────────────────

  /** XGROUP CREATE of a group that does not show; makes the stream. `last` null: behind its last entry. */
  create(key: Bytes, name: Bytes, last: Bytes, read: number): void {
    const { ground, streams } = this;
    ground.checkGrowth();
    if (streams.forWrite(key).stream === null) {
      const { place, state } = streams.forWrite(key);
      ground.commit(place, state, prepareEmptyStream(state, key));
    }
    const { place, state, stream } = streams.forWrite(key);
    const vector = ground.slotVector(place.slot);
    ground.commit(place, state, prepareStreamGroup(stream!, key, name, last, read, vector));
  }

  /** XGROUP DESTROY of a group that shows. */
  destroy(key: Bytes, name: Bytes): void {
    const { ground } = this;
    ground.checkWritable();
    const { place, state } = this.streams.forWrite(key);
    const vector = ground.slotVector(place.slot);
    ground.commit(place, state, prepareStreamUngroup(state!, key, name, vector));
  }

  /** XGROUP SETID: this region goes on behind `last`. */
  setId(key: Bytes, name: Bytes, last: Bytes, read: number): void {
    const { stream, group } = this.forWrite(key, name);
    const seen = dotsUpTo(stream.entries, last);
    const drops = ownDots(group.cursors, this.view);
    this.commit(key, name, { cursor: { last, read, seen, left: [], drops } });
    group.lateFrom = null;
  }

  /** Makes a consumer. False: it is there. */
  addConsumer(key: Bytes, name: Bytes, consumer: Bytes): boolean {
    const { group } = this.forWrite(key, name);
    if (this.hasConsumer(group, consumer)) return false;
    const drops = ownDots(group.consumers.get(consumer) ?? [], this.view);
    this.commit(key, name, { consumer: { name: consumer, atMs: this.ground.nowMs, drops } });
    return true;
  }

  /** Removes a consumer with what it has pending. Returns how much that was. */
  removeConsumer(key: Bytes, name: Bytes, consumer: Bytes): number {
    const { group } = this.forWrite(key, name);
    if (!this.hasConsumer(group, consumer)) return 0;
    const acks = this.pending(group, '', consumer, Number.POSITIVE_INFINITY);
    const drops = ownDots(group.consumers.get(consumer) ?? [], this.view);
    this.seen.get(group)?.delete(consumer);
    this.commit(key, name, {
      forget: { name: consumer, drops },
      acks: this.removals(group, acks),
    });
    return acks.length;
  }

  /**
   * XREADGROUP >: the next entries, which become pending unless `noAck`. `count` Infinity: all there are.
   */
  deliver(key: Bytes, name: Bytes, consumer: Bytes, count: number, noAck: boolean): StreamEntry[] {
    const { stream, group } = this.forWrite(key, name);
    const before = this.position(group);
    const { found, position, lateFrom } = nextEntries(stream.entries, group, this.view, count);
    group.lateFrom = lateFrom;
    // What others have acknowledged is passed over once and for all.
    if (found.length === 0 && position.last === before.last) return found;
    let { read } = before;
    for (const { id } of found) if (id > before.last) read = countAfter(stream, read, id);
    const ids = noAck ? [] : [...new Set(found.map(({ id }) => id))];
    this.commit(key, name, {
      cursor: { ...position, read, drops: ownDots(group.cursors, this.view) },
      owner: consumer,
      atMs: this.ground.nowMs,
      claims: this.claims(
        group,
        ids.map((id) => ({ id, count: 1 })),
      ),
    });
    return byOrigin(found, this.ground.roster);
  }

  /** XREADGROUP of history: another delivery of these pending entries. */
  redeliver(key: Bytes, name: Bytes, consumer: Bytes, pending: readonly PendingEntry[]): void {
    const { group } = this.forWrite(key, name);
    const claims = pending.map(({ id, claim }) => ({ id, count: claim.count + 1 }));
    this.claimAll(key, name, group, consumer, this.ground.nowMs, claims, [], null);
  }

  /** XACK. Returns how many of the ids were pending. */
  acknowledge(key: Bytes, name: Bytes, ids: readonly Bytes[]): number {
    const { group } = this.forWrite(key, name);
    const pending = [...new Set(ids)].filter((id) => this.claim(group, id) !== null);
    if (pending.length > 0) {
      this.commit(key, name, {
        acks: this.removals(
          group,
          pending.map((id) => ({ id })),
        ),
      });
    }
    return pending.length;
  }

  /** XCLAIM and XAUTOCLAIM: gives entries to a consumer, and drops those that are gone. */
  claimAll(
    key: Bytes,
    name: Bytes,
    group: Group,
    consumer: Bytes,
    atMs: number,
    claims: readonly ClaimWrite[],
    gone: readonly Bytes[],
    last: Bytes | null,
  ): void {
    if (claims.length + gone.length === 0 && last === null) return;
    const position = this.position(group);
    const cursor =
      last === null || last <= position.last
        ? null
        : { ...position, last, drops: ownDots(group.cursors, this.view) };
    this.commit(key, name, {
      cursor,
      owner: consumer,
      atMs,
      claims: this.claims(group, claims),
      acks: this.removals(
        group,
        gone.map((id) => ({ id })),
      ),
    });
  }

  /** Notes that a consumer asked, and whether it got something. */
  noteSeen(group: Group, consumer: Bytes, active: boolean): void {
    let lately = this.seen.get(group);
    if (lately === undefined) {
      lately = new Map();
      this.seen.set(group, lately);
    }
    const { nowMs } = this.ground;
    const held = lately.get(consumer) ?? { seenMs: nowMs, activeMs: null };
    held.seenMs = nowMs;
    if (active) held.activeMs = nowMs;
    lately.set(consumer, held);
  }

  /** Whether the entries of this id are there. */
  hasEntry(stream: StreamState, id: Bytes): boolean {
    return hasEntry(stream, id);
  }

  private get view(): View {
    return this.ground;
  }

  private forWrite(key: Bytes, name: Bytes): { stream: StreamState; group: Group } {
    this.ground.checkWritable();
    const { stream } = this.streams.forWrite(key);
    const group = this.find(stream, name);
    if (stream === null || group === null) throw new Error('the caller has looked for the group');
    return { stream, group };
  }

  private claims(group: Group, writes: readonly ClaimWrite[]): StreamDeliver['claims'] {
    return writes.map(({ id, count }) => ({
      id,
      count,
      drops: ownDots(claimsOf(group, id), this.view),
    }));
  }

  private removals(group: Group, items: readonly { readonly id: Bytes }[]): StreamDeliver['acks'] {
    return items.map(({ id }) => ({ id, drops: ownDots(claimsOf(group, id), this.view) }));
  }

  private commit(key: Bytes, name: Bytes, change: Partial<StreamDeliver>): void {
    const { ground } = this;
    const { place, state } = this.streams.forWrite(key);
    ground.commit(place, state, { ...emptyDeliver(key, name), ...change });
  }
}
