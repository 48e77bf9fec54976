/**
 * The database of one member: keyspace, version vector, clock and the batch of this turn.
 *
 * Synchronous and without I/O. A turn goes `beginTurn(now)`, any number of reads and writes, then
 * `takeFrame()`: the ops of the turn as one sealed frame, which is what the log, the replicas and
 * the other regions get. What others wrote comes in by `applyBatch`, whole batches at a time.
 */

import type { Roster } from '../crdt/roster.ts';
import type { Amount, Bytes } from '../crdt/state.ts';
import type { VersionVector } from '../crdt/version-vector.ts';
import type { ReplyWriter } from '../resp/reply-writer.ts';

export type KeyType = 'none' | 'string' | 'set' | 'hash';
export type ApplyOutcome = 'applied' | 'known' | 'gap' | { invalid: string };

export interface DbOptions {
  /** Uniform in [0, 1): for RANDOMKEY, SRANDMEMBER, SPOP. */
  random: () => number;
  /** Bytes; 0 or absent: no limit. */
  maxMemoryBytes?: number;
}

const unbuilt = (): never => {
  throw new Error('not built yet');
};

export class Db {
  readonly roster!: Roster;
  /** Actor → highest seq applied without gaps, for all slots of this member. Do not change it. */
  readonly vector!: VersionVector;
  /** True on a primary: writes are accepted and expired keys are deleted. */
  writable = false;
  /** Bytes; 0: no limit. Growing writes beyond it throw OOM; deletes and remote ops pass. */
  maxMemoryBytes = 0;
  /** Called for each key that changed, by local and remote ops; set it only while someone watches. */
  touched: ((key: Bytes) => void) | null = null;
  /** Called when all keys may have changed (FLUSHALL, an imported slot). */
  touchedAll: (() => void) | null = null;

  constructor(options: DbOptions) {
    this.maxMemoryBytes = options.maxMemoryBytes ?? 0;
  }

  // ── The turn ──────────────────────────────────────────────────────────────────────────────

  /** Fixes the time of this turn, ms since the Unix epoch. */
  beginTurn(_nowMs: number): void {
    unbuilt();
  }

  get nowMs(): number {
    return unbuilt();
  }

  /** Actor index that signs local writes; -1 before `newActor`. */
  get actor(): number {
    return unbuilt();
  }

  /** Last seq of the writing actor. */
  get lastSeq(): number {
    return unbuilt();
  }

  /** Makes `actorId` (12 bytes) the writer; it must never have written before. Returns its index. */
  newActor(_actorId: Uint8Array): number {
    return unbuilt();
  }

  /** Seals the ops of this turn as one BATCH frame (bytes of its own); null: nothing was written. */
  takeFrame(): Uint8Array | null {
    return unbuilt();
  }

  // ── Hot paths: keys and values as (buffer, start, end) ────────────────────────────────────

  /** Writes the value as a bulk string, or null when absent. False: wrong type, nothing written. */
  readString(_buf: Uint8Array, _start: number, _end: number, _out: ReplyWriter): boolean {
    return unbuilt();
  }

  /** SET. `expiryMs`: ms since the epoch, Infinity: none, NaN: keep the TTL. */
  setString(
    _buf: Uint8Array,
    _keyStart: number,
    _keyEnd: number,
    _valueBuf: Uint8Array,
    _valueStart: number,
    _valueEnd: number,
    _expiryMs: number,
  ): void {
    unbuilt();
  }

  /**
   * INCRBY. Returns the new value; NaN when it lies beyond ±(2^53 - 1): then `wideResult` has its
   * decimal text. Throws WRONGTYPE, "value is not an integer …", "… would overflow".
   */
  increment(_buf: Uint8Array, _start: number, _end: number, _delta: number): number {
    return unbuilt();
  }

  /** Decimal text of the last `increment` that returned NaN. */
  wideResult = '';

  /** DEL. False: there was no such key. */
  deleteKey(_buf: Uint8Array, _start: number, _end: number): boolean {
    return unbuilt();
  }

  exists(_buf: Uint8Array, _start: number, _end: number): boolean {
    return unbuilt();
  }

  // ── Keys ──────────────────────────────────────────────────────────────────────────────────

  type(_key: Bytes): KeyType {
    return unbuilt();
  }
  /** Number of live keys (logically expired ones may be counted until the expiry cycle is there). */
  get size(): number {
    return unbuilt();
  }
  /** Bytes of the keyspace: arena and tables exactly, rich values by estimate. */
  get memoryBytes(): number {
    return unbuilt();
  }
  /** Bytes that this key takes; 0 when absent. */
  keyMemory(_key: Bytes): number {
    return unbuilt();
  }
  /** Expiry in ms since the epoch; Infinity: none; undefined: no such key. */
  expiry(_key: Bytes): number | undefined {
    return unbuilt();
  }
  /** Sets the expiry (Infinity: PERSIST; in the past: deletes). False: no such key. */
  expire(_key: Bytes, _expiryMs: number): boolean {
    return unbuilt();
  }
  delete(_key: Bytes): boolean {
    return unbuilt();
  }
  /** FLUSHALL as one op. */
  flush(): void {
    unbuilt();
  }
  /** Removes the source and writes its visible value and TTL afresh. Throws "no such key". */
  rename(_source: Bytes, _target: Bytes): void {
    unbuilt();
  }
  /** COPY: as rename without the removal. False: no such source. */
  copy(_source: Bytes, _target: Bytes): boolean {
    return unbuilt();
  }
  /** SCAN with Redis' guarantees. Calls `each` for about `count` keys; returns the next cursor, 0: end. */
  scan(_cursor: number, _count: number, _each: (key: Bytes) => void): number {
    return unbuilt();
  }
  randomKey(): Bytes | null {
    return unbuilt();
  }
  /** Number of keys in the slot. */
  slotSize(_slot: number): number {
    return unbuilt();
  }
  /** Up to `count` keys of the slot. */
  slotKeys(_slot: number, _count: number): Bytes[] {
    return unbuilt();
  }
  /** Everything known of the key, as data for CRDT.EXPLAIN; null when nothing is. */
  explain(_key: Bytes): object | null {
    return unbuilt();
  }

  // ── Strings by text ───────────────────────────────────────────────────────────────────────

  /** Null when absent. Throws WRONGTYPE. */
  getString(_key: Bytes): Bytes | null {
    return unbuilt();
  }
  setStringText(_key: Bytes, _value: Bytes, _expiryMs: number): void {
    unbuilt();
  }
  /** INCRBY beyond safe integers and INCRBYFLOAT; `float` says whose rules and errors apply. */
  addAmount(_key: Bytes, _delta: Amount, _float: boolean): Amount {
    return unbuilt();
  }

  // ── Hashes. All throw WRONGTYPE ───────────────────────────────────────────────────────────

  hashGet(_key: Bytes, _field: Bytes): Bytes | null {
    return unbuilt();
  }
  hashSize(_key: Bytes): number {
    return unbuilt();
  }
  /** Visible fields and values; empty when absent. */
  hashEntries(_key: Bytes): [Bytes, Bytes][] {
    return unbuilt();
  }
  /** Number of fields that were not there. A field given twice: the last counts. */
  hashSet(_key: Bytes, _fields: readonly (readonly [Bytes, Bytes])[]): number {
    return unbuilt();
  }
  hashAdd(_key: Bytes, _field: Bytes, _delta: Amount, _float: boolean): Amount {
    return unbuilt();
  }
  /** Number of fields removed. */
  hashRemove(_key: Bytes, _fields: readonly Bytes[]): number {
    return unbuilt();
  }

  // ── Sets. All throw WRONGTYPE ─────────────────────────────────────────────────────────────

  setHas(_key: Bytes, _member: Bytes): boolean {
    return unbuilt();
  }
  setSize(_key: Bytes): number {
    return unbuilt();
  }
  setMembers(_key: Bytes): Bytes[] {
    return unbuilt();
  }
  /** Number of members that were not there. */
  setAdd(_key: Bytes, _members: readonly Bytes[]): number {
    return unbuilt();
  }
  setRemove(_key: Bytes, _members: readonly Bytes[]): number {
    return unbuilt();
  }
  /** `count` distinct members at random (all if there are fewer). */
  setRandom(_key: Bytes, _count: number): Bytes[] {
    return unbuilt();
  }

  // ── Replication and recovery ──────────────────────────────────────────────────────────────

  /**
   * Applies the body of a BATCH frame whole or not at all. 'gap': an earlier op of its actor is
   * missing; 'known': nothing new in it.
   */
  applyBatch(_body: Uint8Array): ApplyOutcome {
    return unbuilt();
  }
  /** The slot's state as a SLOT_STATE body; null: the slot is empty. */
  exportSlot(_slot: number): Uint8Array | null {
    return unbuilt();
  }
  /**
   * Takes in a SLOT_STATE body: merged with what is here, or, with `replay`, put in its place and
   * followed by the given BATCH bodies (all ops that the sender's state does not cover). The
   * covering vector becomes the slot's exception. Returns what is wrong with the bytes, or null.
   */
  importSlot(
    _body: Uint8Array,
    _replay: ((slot: number) => Iterable<Uint8Array>) | null,
  ): string | null {
    return unbuilt();
  }
  /** What has been applied to the slot: `vector` joined with the slot's exception. */
  slotVector(_slot: number): VersionVector {
    return unbuilt();
  }
  /** Ends a state merge: `vector` (of the sender) is joined and the exceptions are cleared. */
  finishStateMerge(_vector: VersionVector): void {
    unbuilt();
  }
  /** A hash of the slot's state that equals the hash of an equal state anywhere; 0: empty. */
  slotDigest(_slot: number): number {
    return unbuilt();
  }

  // ── Time ──────────────────────────────────────────────────────────────────────────────────

  /** Expires up to `budget` keys that are due. Returns how many were deleted. */
  tick(_nowMs: number, _budget: number): number {
    return unbuilt();
  }
}
