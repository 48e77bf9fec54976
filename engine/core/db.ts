/**
 * The database of one member: keyspace, version vector, clock and the batch of this turn.
 *
 * Synchronous and without I/O. A turn goes `beginTurn(now)`, any number of reads and writes, then
 * `takeFrame()`: the ops of the turn as one sealed frame, which is what the log, the replicas and
 * the other regions get. What others wrote comes in by `applyBatch`, whole batches at a time.
 */

import type { Amount } from '../crdt/amount.ts';
import { formatAmount } from '../crdt/amount-text.ts';
import type { Actor, Bytes } from '../crdt/dot.ts';
import { explainKey, type KeyExplanation } from '../crdt/explain.ts';
import type { ValueType } from '../crdt/key-state.ts';
import type { ListState } from '../crdt/list.ts';
import { tieOf } from '../crdt/list-id.ts';
import { internActor, type Roster } from '../crdt/roster.ts';
import { advance, type VersionVector } from '../crdt/version-vector.ts';
import { BatchReader } from '../op/batch-reader.ts';
import type { Args } from '../resp/args.ts';
import type { ReplyWriter } from '../resp/reply-writer.ts';
import type { DbOptions } from './db-options.ts';
import { EVICTIONS_PER_TICK_MAX, Evictor } from './eviction.ts';
import { expireFields, fieldExpiries } from './field-expiry.ts';
import { Ground } from './ground.ts';
import * as hashes from './hashes.ts';
import * as hyperloglogs from './hyperloglogs.ts';
import * as keys from './keys.ts';
import * as lists from './lists.ts';
import type { Page } from './random-elements.ts';
import { type ApplyOutcome, RemoteBatches } from './remote.ts';
import * as sets from './sets.ts';
import { SlotStates } from './slot-states.ts';
import { Streams } from './streams.ts';
import * as strings from './strings.ts';
import { Zsets } from './zset-commands.ts';

/** Elements of removed tables that are freed at the start of a turn, and in each tick: about 0.05 and 0.3 ms. */
const RECLAIMED_PER_TURN = 500;
const RECLAIMED_PER_TICK = 4000;

export type { ApplyOutcome } from './remote.ts';
export type KeyType = 'none' | ValueType;

export class Db {
  /** Decimal text of the last `increment` that returned NaN. */
  wideResult = '';
  /** Which keys go when memory is full. */
  readonly evictor: Evictor;
  /** Whole slots: for images, state merges and comparisons. */
  readonly states: SlotStates;
  readonly streams: Streams;
  readonly zsets: Zsets;
  private readonly ground: Ground;
  private readonly remote: RemoteBatches;

  constructor(options: DbOptions) {
    const { random, region, adviseMemory, blockElementsMax } = options;
    this.ground = new Ground(random, region, adviseMemory ?? null, blockElementsMax);
    this.evictor = new Evictor(this.ground);
    this.streams = new Streams(this.ground);
    this.ground.maxMemoryBytes = options.maxMemoryBytes ?? 0;
    this.ground.packing = options.packing ?? true;
    this.remote = new RemoteBatches(this.ground, new BatchReader(this.ground.roster));
    this.states = new SlotStates(this.ground, this.remote);
    this.zsets = new Zsets(this.ground);
  }

  get roster(): Roster {
    return this.ground.roster;
  }
  /** Actor → highest seq applied without gaps, for all slots of this member. Do not change it. */
  get vector(): VersionVector {
    return this.ground.vector;
  }
  /** True on a primary: writes are accepted and expired keys are deleted. */
  get writable(): boolean {
    return this.ground.writable;
  }
  set writable(writable: boolean) {
    this.ground.writable = writable;
  }
  /** Bytes; 0: no limit. Growing writes beyond it throw OOM; deletes and remote ops pass. */
  get maxMemoryBytes(): number {
    return this.ground.maxMemoryBytes;
  }
  set maxMemoryBytes(bytes: number) {
    this.ground.maxMemoryBytes = bytes;
  }
  /** Called for each key that changed, by local and remote ops; set it only while someone watches. */
  get touched(): ((key: Bytes) => void) | null {
    return this.ground.touched;
  }
  set touched(touched: ((key: Bytes) => void) | null) {
    this.ground.touched = touched;
  }
  /** Why the key that `touched` is called for was deleted, if by no command. */
  get cause(): 'expired' | 'hexpired' | 'evicted' | null {
    return this.ground.cause;
  }
  /** Called when all keys may have changed (FLUSHALL, an imported slot). */
  get touchedAll(): (() => void) | null {
    return this.ground.touchedAll;
  }
  set touchedAll(touchedAll: (() => void) | null) {
    this.ground.touchedAll = touchedAll;
  }

  // ── The turn ──────────────────────────────────────────────────────────────────────────────

  /** Fixes the time of this turn, ms since the Unix epoch. */
  beginTurn(nowMs: number): void {
    this.ground.nowMs = nowMs;
    this.ground.keyspace.tables.reclaim(RECLAIMED_PER_TURN);
  }
  get nowMs(): number {
    return this.ground.nowMs;
  }
  /** Roster index of the actor that signs local writes; -1 before `newActor`. */
  get actor(): Actor {
    return this.ground.actor;
  }
  /** Last seq of the writing actor. */
  get lastSeq(): number {
    return this.ground.seq;
  }

  /**
   * Makes `actorId` (12 bytes) the writer; it must never have written before, and the frame of the
   * turn must have been taken. Returns its roster index.
   */
  newActor(actorId: Bytes): Actor {
    const { ground } = this;
    const actor = internActor(ground.roster, actorId);
    advance(ground.vector, actor, 0);
    if (ground.vector[actor] !== 0) throw new Error('an actor must not be used again');
    ground.batch.begin(actor, 1);
    ground.actor = actor;
    ground.tie = tieOf(actorId);
    ground.seq = 0;
    return actor;
  }

  /** Bytes of the ops of this turn so far: a long turn may take its frame early. */
  get pendingBytes(): number {
    return this.ground.batch.byteLength;
  }
  /** Seals the ops of this turn as one BATCH frame (bytes of its own); null: nothing was written. */
  takeFrame(): Uint8Array | null {
    return this.ground.batch.sealFrame();
  }
  /** As `takeFrame`, as a view that is valid until the next write. */
  takeFrameInPlace(): Uint8Array | null {
    return this.ground.batch.sealInPlace();
  }

  // ── Hot paths: keys and values as (buffer, start, end) ────────────────────────────────────

  /** Writes the value as a bulk string, or null when absent. False: wrong type, nothing written. */
  readString(buf: Uint8Array, start: number, end: number, out: ReplyWriter): boolean {
    return strings.readString(this.ground, buf, start, end, out);
  }

  /** SET. `expiryMs`: ms since the epoch, Infinity: none, NaN: keep the TTL. */
  setString(
    buf: Uint8Array,
    keyStart: number,
    keyEnd: number,
    valueBuf: Uint8Array,
    valueStart: number,
    valueEnd: number,
    expiryMs: number,
  ): void {
    const { ground } = this;
    strings.setString(ground, buf, keyStart, keyEnd, valueBuf, valueStart, valueEnd, expiryMs);
  }

  /**
   * INCRBY. Returns the new value; NaN when it lies beyond ±(2^53 - 1): then `wideResult` has its
   * decimal text. Throws WRONGTYPE, "value is not an integer …", "… would overflow".
   */
  increment(buf: Uint8Array, start: number, end: number, delta: number): number {
    const fast = strings.incrementFast(this.ground, buf, start, end, delta);
    if (!Number.isNaN(fast)) return fast;
    const key = Buffer.from(buf.subarray(start, end)).latin1Slice();
    const amount = strings.addAmount(this.ground, key, delta, false);
    if (typeof amount === 'number') return amount;
    this.wideResult = formatAmount(amount);
    return Number.NaN;
  }

  /** DEL. False: there was no such key. */
  deleteKey(buf: Uint8Array, start: number, end: number): boolean {
    return keys.deleteKey(this.ground, buf, start, end);
  }
  exists(buf: Uint8Array, start: number, end: number): boolean {
    return keys.exists(this.ground, buf, start, end);
  }

  // ── Keys ──────────────────────────────────────────────────────────────────────────────────

  type(key: Bytes): KeyType {
    return keys.typeOf(this.ground, key) ?? 'none';
  }
  /** Number of live keys (logically expired ones may be counted until the expiry cycle is there). */
  get size(): number {
    return this.ground.keyspace.size;
  }
  /** Bytes of the keyspace: arena and tables exactly, rich values by estimate. */
  get memoryBytes(): number {
    return this.ground.keyspace.memoryBytes;
  }
  /** Of the arena: bytes of blocks in use, and of all its chunks (touched or not). */
  get arenaBytes(): { readonly usedBytes: number; readonly reservedBytes: number } {
    return this.ground.keyspace.arena;
  }
  /** Number of keys that wait for their expiry. */
  get expiringSize(): number {
    return this.ground.keyspace.expiry.size;
  }
  /** Bytes that this key takes; 0 when absent. */
  keyMemory(key: Bytes): number {
    const ref = this.ground.peek(key);
    return ref === 0 ? 0 : this.ground.keyspace.entryBytes(ref);
  }
  /** Expiry in ms since the epoch; Infinity: none; undefined: no such key. */
  expiry(key: Bytes): number | undefined {
    return keys.expiryOfKey(this.ground, key);
  }
  /** Sets the expiry (Infinity: PERSIST; in the past: deletes). False: no key, or no TTL to persist. */
  expire(key: Bytes, expiryMs: number): boolean {
    return keys.expire(this.ground, key, expiryMs);
  }
  delete(key: Bytes): boolean {
    return keys.deleteText(this.ground, key);
  }
  /** FLUSHALL as one op. */
  flush(): void {
    keys.flush(this.ground);
  }
  /** Removes the source and writes its visible value and TTL afresh. Throws "no such key". */
  rename(source: Bytes, target: Bytes): void {
    keys.rename(this.ground, source, target);
  }
  /** COPY: as rename without the removal. False: no such source. */
  copy(source: Bytes, target: Bytes): boolean {
    return keys.copy(this.ground, source, target);
  }
  /**
   * SCAN: calls `each` for about `count` keys and returns the next cursor (below 2^32), 0 at the
   * end. A key that is there all the time is given exactly once. `each` may change the database.
   */
  scan(cursor: number, count: number, each: (key: Bytes) => void): number {
    return keys.scan(this.ground, cursor, count, each);
  }
  randomKey(): Bytes | null {
    return keys.randomKey(this.ground);
  }
  /** Number of keys in the slot. */
  slotSize(slot: number): number {
    return this.ground.keyspace.slots.counts[slot];
  }
  /** Up to `count` keys of the slot. */
  slotKeys(slot: number, count: number): Bytes[] {
    return keys.slotKeys(this.ground, slot, count);
  }
  /** Everything known of the key, as data for CRDT.EXPLAIN; null when nothing is. */
  explain(key: Bytes): KeyExplanation | null {
    const { ground } = this;
    return explainKey(ground.load(ground.findText(key)), ground.roster);
  }

  // ── Strings by text ───────────────────────────────────────────────────────────────────────

  /** Null when absent. Throws WRONGTYPE. */
  getString(key: Bytes): Bytes | null {
    return strings.getString(this.ground, key);
  }
  setStringText(key: Bytes, value: Bytes, expiryMs: number): void {
    strings.setStringText(this.ground, key, value, expiryMs);
  }
  /** INCRBY beyond safe integers and INCRBYFLOAT; `float` says whose rules and errors apply. */
  addAmount(key: Bytes, delta: Amount, float: boolean): Amount {
    return strings.addAmount(this.ground, key, delta, float);
  }

  // ── Hashes. All throw WRONGTYPE ───────────────────────────────────────────────────────────

  hashGet(key: Bytes, field: Bytes): Bytes | null {
    return hashes.hashGet(this.ground, key, field);
  }
  /** HGET: writes the value of the field at `args` `i` of the key at 1, or null. */
  readField(args: Args, i: number, out: ReplyWriter): void {
    hashes.readField(this.ground, args, i, out);
  }
  /** HGETALL, HKEYS, HVALS: writes fields and values of the key at `args` 1 as a map, or one of them as an array. */
  writeEntries(args: Args, out: ReplyWriter, fields: boolean, values: boolean): void {
    hashes.writeEntries(this.ground, args, out, fields, values);
  }
  /** HLEN of the key at `args` 1. */
  countFields(args: Args): number {
    return hashes.countFields(this.ground, args);
  }
  /** HSET of the pairs from `args` 2 on. Returns the number of fields that were not there. */
  setFields(args: Args): number {
    return hashes.setFields(this.ground, args);
  }
  /** HDEL of the fields from `args` 2 on. Returns the number of fields that were there. */
  removeFields(args: Args): number {
    return hashes.removeFields(this.ground, args);
  }
  /** Length of the value of the field at `args` `i` of the key at 1; -1: there is none. */
  fieldLength(args: Args, i: number): number {
    return hashes.fieldLength(this.ground, args, i);
  }
  hashSize(key: Bytes): number {
    return hashes.hashSize(this.ground, key);
  }
  /** Visible fields and values; empty when absent. */
  hashEntries(key: Bytes): [Bytes, Bytes][] {
    return hashes.hashEntries(this.ground, key);
  }
  /** Number of fields that were not there. A field given twice: the last counts. */
  hashSet(key: Bytes, fields: readonly (readonly [Bytes, Bytes])[]): number {
    return hashes.hashSet(this.ground, key, fields);
  }
  /** HINCRBY of the field at `args` 2 of the key at 1; NaN: nothing was done, `hashAdd` has to do it. */
  hashIncrement(args: Args, delta: number): number {
    return hashes.hashIncrement(this.ground, args, delta);
  }
  hashAdd(key: Bytes, field: Bytes, delta: Amount, float: boolean): Amount {
    return hashes.hashAdd(this.ground, key, field, delta, float);
  }
  /** When fields expire, ms since the epoch; Infinity: never; undefined: no such field. */
  fieldExpiries(key: Bytes, fields: readonly Bytes[]): (number | undefined)[] {
    return fieldExpiries(this.ground, key, fields);
  }
  /** Sets the expiry (Infinity: HPERSIST) of those of the fields that are there. */
  expireFields(key: Bytes, fields: readonly Bytes[], expiryMs: number): void {
    expireFields(this.ground, key, fields, expiryMs);
  }
  /** Number of fields removed. */
  hashRemove(key: Bytes, fields: readonly Bytes[]): number {
    return hashes.hashRemove(this.ground, key, fields);
  }

  /** Fields with values at random: `count` different ones (all if there are fewer), below 0 so many draws. */
  hashRandom(key: Bytes, count: number): [Bytes, Bytes][] {
    const { ground } = this;
    return count < 0
      ? hashes.hashDraws(ground, key, -count)
      : hashes.hashRandom(ground, key, count);
  }
  /**
   * HSCAN of a large hash: about `count` entries from `cursor` on and the next cursor (below 2^32, 0: the
   * end). A field that is there all the time is given exactly once. Null: the hash is small.
   */
  scanFields(key: Bytes, cursor: number, count: number): Page<[Bytes, Bytes]> | null {
    return hashes.scanFields(this.ground, key, cursor, count);
  }

  // ── HyperLogLogs. All throw WRONGTYPE, also for strings that are none ─────────────────────

  /** PFADD of the elements from `args` 2 on to the key at 1. Whether anything was added. */
  hllAdd(args: Args): boolean {
    return hyperloglogs.addElements(this.ground, args);
  }
  /** Estimate of the different elements in all of these keys. */
  hllCount(keys: readonly Bytes[]): number {
    return hyperloglogs.countElements(this.ground, keys);
  }
  hllMerge(target: Bytes, sources: readonly Bytes[]): void {
    hyperloglogs.mergeInto(this.ground, target, sources);
  }
  /** Whether PFADD made this string. */
  isHyperLogLog(key: Bytes): boolean {
    return hyperloglogs.isInstance(this.ground, key);
  }

  // ── Lists. All throw WRONGTYPE ────────────────────────────────────────────────────────────

  /** LPUSH and RPUSH of the values from `args` 2 on. `existing`: only to a list that is there. Returns its length. */
  listPush(args: Args, left: boolean, existing: boolean): number {
    return lists.push(this.ground, args, left, existing);
  }
  listPushTexts(key: Bytes, left: boolean, values: Bytes[]): number {
    return lists.pushTexts(this.ground, key, left, values);
  }
  /** LPOP and RPOP of one value of the key at `args` 1: writes it, or null. */
  listPopOne(args: Args, left: boolean, out: ReplyWriter): void {
    lists.popOne(this.ground, args, left, out);
  }
  /** Up to `count` values in the order in which they go. */
  listPop(key: Bytes, left: boolean, count: number): Bytes[] {
    return lists.popMany(this.ground, key, left, count);
  }
  /** The list of the key at `args` `i`; null: no such key. For the methods below, within this turn. */
  listIn(args: Args, i: number): ListState | null {
    return lists.listIn(this.ground, args, i);
  }
  listAt(key: Bytes): ListState | null {
    return lists.readList(this.ground, key);
  }
  listValue(list: ListState, index: number): Bytes {
    return lists.valueAt(this.ground, list, index);
  }
  writeListValue(list: ListState, index: number, out: ReplyWriter): void {
    lists.writeValue(this.ground, list, index, out);
  }
  /** Calls `each` with the bytes of the values of the elements [from, to), which must be there. */
  eachListValue(
    list: ListState,
    from: number,
    to: number,
    each: (bytes: Buffer, start: number, end: number) => unknown,
  ): void {
    lists.eachValue(this.ground, list, from, to, each);
  }
  /** LSET of an index within the list. */
  listSet(key: Bytes, index: number, value: Bytes): void {
    lists.setAt(this.ground, key, index, value);
  }
  /** LINSERT before the element at an index. Returns the new length. */
  listInsert(key: Bytes, index: number, value: Bytes): number {
    return lists.insertAt(this.ground, key, index, value);
  }
  /** LREM. Returns how many. */
  listRemove(key: Bytes, count: number, value: Bytes): number {
    return lists.removeValues(this.ground, key, count, value);
  }
  /** LTRIM: keeps the elements [from, to), which may be none. */
  listTrim(key: Bytes, from: number, to: number): void {
    lists.trim(this.ground, key, from, to);
  }

  // ── Sets. All throw WRONGTYPE ─────────────────────────────────────────────────────────────

  setHas(key: Bytes, member: Bytes): boolean {
    return sets.setHas(this.ground, key, member);
  }
  /** SISMEMBER of the member at `args` `i` in the key at 1. */
  hasMember(args: Args, i: number): boolean {
    return sets.hasMember(this.ground, args, i);
  }
  /** SMEMBERS: writes the members of the key at `args` 1 as a set. */
  writeMembers(args: Args, out: ReplyWriter): void {
    sets.writeMembers(this.ground, args, out);
  }
  /** SADD of the members from `args` 2 on. Returns the number of members that were not there. */
  addMembers(args: Args): number {
    return sets.addMembers(this.ground, args);
  }
  /** SREM of the members from `args` 2 on. Returns the number of members that were there. */
  removeMembers(args: Args): number {
    return sets.removeMembers(this.ground, args);
  }
  /** SPOP of one member of the key at `args` 1: writes it, or null. */
  popOne(args: Args, out: ReplyWriter): void {
    sets.popOne(this.ground, args, out);
  }
  /** SCARD of the key at `args` 1. */
  countMembers(args: Args): number {
    return sets.countMembers(this.ground, args);
  }
  setSize(key: Bytes): number {
    return sets.setSize(this.ground, key);
  }
  setMembers(key: Bytes): Bytes[] {
    return sets.setMembers(this.ground, key);
  }
  /** Number of members that were not there. */
  setAdd(key: Bytes, members: readonly Bytes[]): number {
    return sets.setAdd(this.ground, key, members);
  }
  /** Number of members removed. */
  setRemove(key: Bytes, members: readonly Bytes[]): number {
    return sets.setRemove(this.ground, key, members);
  }
  /** Members at random: `count` different ones (all if there are fewer), below 0 so many draws. */
  setRandom(key: Bytes, count: number): Bytes[] {
    const { ground } = this;
    return count < 0 ? sets.setDraws(ground, key, -count) : sets.setRandom(ground, key, count);
  }
  /** The hash by which `scanFields` and `scanMembers` order elements, below 2^32. */
  nameHash(name: Bytes): number {
    return this.ground.keyspace.hash.of(Buffer.from(name, 'latin1'), 0, name.length);
  }
  /** SSCAN of a large set, as `scanFields`. */
  scanMembers(key: Bytes, cursor: number, count: number): Page<Bytes> | null {
    return sets.scanMembers(this.ground, key, cursor, count);
  }

  // ── Replication and recovery ──────────────────────────────────────────────────────────────

  /**
   * Applies the body of a BATCH frame whole or not at all. 'gap': an earlier op of its actor is
   * missing; 'known': nothing new in it. `beginTurn` must have told the time.
   */
  applyBatch(body: Uint8Array): ApplyOutcome {
    return this.remote.apply(body);
  }
  /** What has been applied to the slot: `vector` joined with the slot's exception. */
  slotVector(slot: number): VersionVector {
    return this.ground.slotVector(slot);
  }
  /** Covers all that readers may have seen here, also in slots that are ahead of `vector`. */
  shownVector(): VersionVector {
    return this.ground.shownVector();
  }

  // ── Time ──────────────────────────────────────────────────────────────────────────────────

  /**
   * Deletes keys that are due at `nowMs`, in at most about `budget` steps; then evicts, a bounded
   * number of keys, until the keyspace takes no more than `maxMemoryBytes` (0: no limit). Begins a
   * turn. Only a writable member deletes. Returns how many keys had expired.
   */
  tick(nowMs: number, budget: number, maxMemoryBytes = 0): number {
    this.ground.nowMs = nowMs;
    this.ground.keyspace.tables.reclaim(RECLAIMED_PER_TICK);
    this.evictor.tick();
    if (!this.ground.writable || this.ground.actor < 0) return 0;
    const expired = keys.expireDue(this.ground, budget);
    if (maxMemoryBytes > 0) this.evictor.makeRoom(maxMemoryBytes, EVICTIONS_PER_TICK_MAX);
    return expired;
  }
}
