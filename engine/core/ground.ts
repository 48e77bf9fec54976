/**
 * What all parts of the database stand on: keyspace, vector, clock and the batch of this turn, and
 * the one way in which ops change a key.
 *
 *     local write    find(key) → load → prepare… (crdt/) → commit: batch, applyOp, store
 *     remote write   find(key) → load → applyRemote: applyOp, store
 *
 * The hot paths (string-write.ts, remote.ts) do the same to packed entries in place.
 */

import { applyOp } from '../crdt/apply-op.ts';
import type { Actor, Bytes } from '../crdt/dot.ts';
import { type HlcClock, newClock, tick } from '../crdt/hlc.ts';
import type { KeyState } from '../crdt/key-state.ts';
import type { Envelope, KeyOp } from '../crdt/op.ts';
import { prepareDelete } from '../crdt/prepare.ts';
import { actorRegion, emptyRoster, type Roster } from '../crdt/roster.ts';
import { ttlExpiry, winningTtlWrite } from '../crdt/ttl.ts';
import {
  advance,
  copyVector,
  dominates,
  joinVector,
  type VersionVector,
} from '../crdt/version-vector.ts';
import { CHUNK_SHIFT, UNIT_MASK } from '../keyspace/arena.ts';
import { HEADER_UNITS, metaOf, TTL_KIND_MASK, TTL_OWN_FINITE } from '../keyspace/entry.ts';
import { type KeyPlace, newKeyPlace } from '../keyspace/key-place.ts';
import { Keyspace } from '../keyspace/keyspace.ts';
import { PACKED_ELEMENTS_MAX } from '../keyspace/packed-block.ts';
import { packState } from '../keyspace/packed-collection.ts';
import { loadState, packedLayout, storeState } from '../keyspace/packed-string.ts';
import { SLOT_COUNT, slotOf } from '../keyspace/slot.ts';
import { storeTable } from '../keyspace/table-collection.ts';
import { BatchWriter } from '../op/batch-writer.ts';
import { outOfMemory, readOnly } from './db-error.ts';
import { fieldsDueMs, hasExpiredFields, removeExpiredFields, shownState } from './field-expiry.ts';
import { isBlock, isTable, prepareBlockDelete } from './packed-whole.ts';
import { PackedWriter } from './packed-write.ts';
import { stateBytes, touchedBytes } from './rich-size.ts';
import { TableWriter } from './table-write.ts';

/** How long other regions leave an expired key to the region whose TTL write won. */
export const EXPIRY_GRACE_MS = 10_000;
const SCRATCH_BYTES = 4096;
const NEVER = Number.POSITIVE_INFINITY;

export class Ground {
  readonly roster: Roster = emptyRoster();
  readonly vector: VersionVector = [];
  readonly clock: HlcClock = newClock();
  readonly keyspace: Keyspace;
  readonly batch: BatchWriter;
  readonly packed: PackedWriter;
  readonly tables: TableWriter;
  readonly random: () => number;
  /** Number of this member's region. */
  readonly region: number;
  /** Slots whose state is ahead of `vector`, while a state merge runs. */
  readonly exceptions: Map<number, VersionVector> = new Map();
  /** Grows whenever a slot comes ahead of `vector`, or further ahead. */
  aheadChanges = 0;
  /** By slot: how often its state was taken from elsewhere. */
  readonly imports: Uint32Array = new Uint32Array(SLOT_COUNT);
  nowMs = 0;
  /** Actor that signs local writes; -1: none yet. */
  actor: Actor = -1;
  /** Last seq of that actor. */
  seq = 0;
  /** The writing actor in ids of list elements. */
  tie = 0;
  writable = false;
  /** Keys deleted because their time had come. */
  expired = 0;
  maxMemoryBytes = 0;
  /** Whether sets and hashes lie off the heap, as packed blocks and tables. */
  packing = true;
  /** Larger sets and hashes are tables. */
  readonly blockElementsMax: number;
  touched: ((key: Bytes) => void) | null = null;
  touchedAll: (() => void) | null = null;
  /** Why keys are being deleted by nobody's command; null: that is not so. */
  cause: 'expired' | 'hexpired' | 'evicted' | null = null;
  private readonly place: KeyPlace = newKeyPlace();
  private scratch: Buffer = Buffer.allocUnsafeSlow(SCRATCH_BYTES);

  constructor(
    random: () => number,
    region: number,
    adviseMemory: ((buffer: ArrayBuffer) => void) | null,
    blockElementsMax: number = PACKED_ELEMENTS_MAX,
  ) {
    this.random = random;
    this.blockElementsMax = blockElementsMax;
    this.region = region;
    this.keyspace = new Keyspace(random, (actor) => this.graceMs(actor), adviseMemory);
    this.packed = new PackedWriter(this.keyspace, blockElementsMax);
    this.tables = new TableWriter(this.keyspace, this.roster);
    this.batch = new BatchWriter(this.roster);
  }

  // ── Finding ───────────────────────────────────────────────────────────────────────────────

  /** Where `buf[start, end)` is. The place is this object's one: valid until the next find. */
  find(buf: Uint8Array, start: number, end: number): KeyPlace {
    const place = this.place;
    const keyspace = this.keyspace;
    const hash = keyspace.hash.of(buf, start, end);
    const ref = keyspace.find(hash, buf, start, end);
    place.hash = hash;
    place.ref = ref;
    place.buf = buf;
    place.start = start;
    place.end = end;
    place.slot = ref === 0 ? slotOf(buf, start, end) : keyspace.slotOf(ref);
    if (ref !== 0) keyspace.touch(ref);
    return place;
  }

  /** As `find`, of a key whose hash and slot are known. */
  findHashed(buf: Uint8Array, start: number, end: number, hash: number, slot: number): KeyPlace {
    const place = this.place;
    const keyspace = this.keyspace;
    const ref = keyspace.find(hash, buf, start, end);
    place.hash = hash;
    place.ref = ref;
    place.buf = buf;
    place.start = start;
    place.end = end;
    place.slot = slot;
    if (ref !== 0) keyspace.touch(ref);
    return place;
  }

  /** Where a key given as text is; its bytes are in this object's scratch memory. */
  findText(key: Bytes): KeyPlace {
    return this.find(this.scratchOf(key), 0, key.length);
  }

  /** The place of an entry, with its key copied to the scratch memory. */
  findEntry(ref: number): KeyPlace {
    return this.findText(this.keyspace.keyText(ref));
  }

  /** Whether the entry's time has come, so that clients must not see it. */
  isExpired(ref: number): boolean {
    const meta = metaOf(this.keyspace.arena, ref);
    if ((meta & TTL_KIND_MASK) < TTL_OWN_FINITE) return false;
    if (this.keyspace.isRich(ref))
      return ttlExpiry(loadState(this.keyspace, ref).ttl) <= this.nowMs;
    const floats = this.keyspace.arena.f64[ref >>> CHUNK_SHIFT];
    return floats[(ref & UNIT_MASK) + HEADER_UNITS] <= this.nowMs;
  }

  /** The entry that clients see of a key; 0: absent or expired. */
  findVisible(key: Bytes): number {
    const { ref } = this.findText(key);
    return ref === 0 || this.isExpired(ref) ? 0 : ref;
  }

  /** As `findVisible`, of a key in a buffer. */
  findSeen(buf: Uint8Array, start: number, end: number): number {
    const { keyspace } = this;
    const ref = keyspace.find(keyspace.hash.of(buf, start, end), buf, start, end);
    if (ref === 0 || this.isExpired(ref)) return 0;
    keyspace.touch(ref);
    return ref;
  }

  /** The entry of a key, expired or not, without a trace in its access byte; 0: absent. */
  peek(key: Bytes): number {
    const bytes = this.scratchOf(key);
    const { keyspace } = this;
    return keyspace.find(keyspace.hash.of(bytes, 0, key.length), bytes, 0, key.length);
  }

  /** As `findVisible`, without a trace in its access byte. */
  peekVisible(key: Bytes): number {
    const ref = this.peek(key);
    return ref === 0 || this.isExpired(ref) ? 0 : ref;
  }

  /** The state that clients see of a key: null when absent or expired. Do not change it. */
  visible(key: Bytes): KeyState | null {
    const ref = this.findVisible(key);
    return ref === 0 ? null : shownState(this, loadState(this.keyspace, ref));
  }

  // ── Local writes ──────────────────────────────────────────────────────────────────────────

  /** Throws unless this member may write. */
  checkWritable(): void {
    if (!this.writable || this.actor < 0) throw readOnly();
  }

  /** Throws unless this member may write and has memory for more. */
  checkGrowth(): void {
    this.checkWritable();
    if (this.maxMemoryBytes !== 0 && this.keyspace.memoryBytes > this.maxMemoryBytes) {
      throw outOfMemory();
    }
  }

  /** The place of a key that is about to be written: if it has expired, it is deleted first. */
  findForWrite(key: Bytes): KeyPlace {
    const place = this.findText(key);
    if (place.ref === 0 || !this.removeExpired(place)) return place;
    // Whoever watches the key may have looked up others meanwhile.
    return this.findText(key);
  }

  /** As `findForWrite`, of a key in a buffer. */
  findLive(buf: Uint8Array, start: number, end: number): KeyPlace {
    const place = this.find(buf, start, end);
    if (place.ref === 0 || !this.removeExpired(place)) return place;
    return this.find(buf, start, end);
  }

  /** Removes what has expired of an entry that is there: all of it, or fields. False: nothing has. */
  private removeExpired(place: KeyPlace): boolean {
    const { ref } = place;
    const meta = metaOf(this.keyspace.arena, ref);
    if ((meta & TTL_KIND_MASK) < TTL_OWN_FINITE) return false;
    if (this.isExpired(ref)) {
      this.expired++;
      this.cause = 'expired';
      this.deletePlace(place);
      this.cause = null;
      return true;
    }
    if (!this.keyspace.isRich(ref)) return false;
    if (!hasExpiredFields(this, loadState(this.keyspace, ref))) return false;
    this.cause = 'hexpired';
    removeExpiredFields(this, ref);
    this.cause = null;
    return true;
  }

  load(place: KeyPlace): KeyState | null {
    return place.ref === 0 ? null : loadState(this.keyspace, place.ref);
  }

  /** Gives the next local op its hlc and counts it; the caller writes the op to the batch. */
  stamp(): number {
    this.seq++;
    this.vector[this.actor] = this.seq;
    return tick(this.clock, this.nowMs);
  }

  /** Writes an op that `prepare…` made from `state`, the one at `place`. Returns the new state. */
  commit(place: KeyPlace, state: KeyState | null, op: KeyOp): KeyState | null {
    const hlc = this.stamp();
    this.batch.op(place.slot, hlc, op);
    const envelope = { actor: this.actor, seq: this.seq, hlc, slot: place.slot, op };
    return this.applyAt(place, state, envelope, op);
  }

  /** As `commit`, of an op made without the state. */
  commitUnseen(place: KeyPlace, op: KeyOp): void {
    const hlc = this.stamp();
    this.batch.op(place.slot, hlc, op);
    this.apply(place, { actor: this.actor, seq: this.seq, hlc, slot: place.slot, op }, op);
  }

  /** DEL of what is at `place`. */
  deletePlace(place: KeyPlace): void {
    const key = latin1(place);
    const vector = this.slotVector(place.slot);
    if (isBlock(this.keyspace, place.ref)) {
      const { view } = this.packed;
      this.commitUnseen(place, prepareBlockDelete(this.keyspace, view, place.ref, key, vector));
      return;
    }
    if (isTable(this.keyspace, place.ref)) {
      const op = this.tables.prepareDelete(place.ref, key, vector);
      if (op !== null) {
        this.commitUnseen(place, op);
        return;
      }
    }
    const state = this.load(place);
    const op = prepareDelete(state, key, vector);
    if (op !== null) this.commit(place, state, op);
  }

  // ── Applying ──────────────────────────────────────────────────────────────────────────────

  /** Applies an op to what is at `place`: in its block or table where that is possible. */
  apply(place: KeyPlace, envelope: Envelope, op: KeyOp): void {
    if (!this.packing || !this.applyPacked(place, envelope, op)) {
      this.applyAt(place, this.load(place), envelope, op);
    } else if (this.touched !== null) {
      this.touched(op.key);
    }
  }

  private applyPacked(place: KeyPlace, envelope: Envelope, op: KeyOp): boolean {
    if (this.packed.apply(place, envelope, op)) return true;
    const { tables } = this;
    if (!tables.apply(place, envelope, op, this.blockElementsMax >>> 1)) return false;
    if (tables.shrank) this.store(place, this.load(place), -1);
    return true;
  }

  /** Applies an op to the state at `place` and stores the result. */
  applyAt(place: KeyPlace, state: KeyState | null, envelope: Envelope, op: KeyOp): KeyState | null {
    const { keyspace } = this;
    const rich = place.ref !== 0 && keyspace.isRich(place.ref);
    const held = rich ? keyspace.rich.bytesOf(keyspace.richIndex(place.ref)) : -1;
    const before = rich ? touchedBytes(state, op) : 0;
    const next = applyOp(state, envelope);
    const bytes = rich && next !== null ? held - before + touchedBytes(next, op) : -1;
    this.store(place, next, bytes);
    if (this.touched !== null) this.touched(op.key);
    return next;
  }

  /** Stores a key's state. `richBytes`: what it takes if it is rich; below 0: not known. */
  store(place: KeyPlace, state: KeyState | null, richBytes: number): void {
    if (state === null || packedLayout(state) >= 0) {
      storeState(this.keyspace, place, state, 0, NEVER);
      return;
    }
    // HyperLogLogs, streams and hashes with field TTLs have no packed form.
    const packs = state.hll === null && state.stream === null && state.fieldTtl === null;
    if (this.packing && packs) {
      // A large one is packed again only when it has become small: it may grow and shrink at the limit.
      const { ref } = place;
      const isLarge = ref !== 0 && (this.keyspace.isRich(ref) || isTable(this.keyspace, ref));
      const elementsMax = isLarge ? this.blockElementsMax >>> 1 : this.blockElementsMax;
      const { editor } = this.packed;
      if (packState(this.keyspace, place, state, editor, elementsMax)) return;
      // Of two TTL writes the next EXPIRE leaves one: a small one waits for that, and is a block again.
      const size = (state.set ?? state.hash ?? state.zset)?.size ?? 0;
      const waits = state.ttl.length > 1 && size <= this.blockElementsMax;
      if (!waits && storeTable(this.keyspace, place, state, this.roster)) return;
    }
    const bytes = richBytes >= 0 ? richBytes : stateBytes(state);
    storeState(this.keyspace, place, state, bytes, this.dueMs(state));
  }

  /** Drops the exceptions that the vector has caught up with. */
  pruneExceptions(): void {
    for (const [slot, exception] of this.exceptions) {
      if (dominates(this.vector, exception)) this.exceptions.delete(slot);
    }
  }

  /** What was applied to the slot: the vector, joined with the slot's exception. Do not change. */
  slotVector(slot: number): VersionVector {
    if (this.exceptions.size === 0) return this.vector;
    const exception = this.exceptions.get(slot);
    if (exception === undefined) return this.vector;
    const joined = copyVector(this.vector);
    joinVector(joined, exception);
    return joined;
  }

  /** Everything that any slot shows: the vector, joined with all exceptions. */
  shownVector(): VersionVector {
    const joined = copyVector(this.vector);
    for (const exception of this.exceptions.values()) joinVector(joined, exception);
    return joined;
  }

  noteApplied(actor: Actor, seq: number): void {
    advance(this.vector, actor, seq);
  }

  /** When a rich state is due: its expiry, later if the TTL that won is another region's. */
  private dueMs(state: KeyState): number {
    const fields = fieldsDueMs(this, state);
    const winner = winningTtlWrite(state.ttl, this.roster);
    if (winner === null || winner.expiry === NEVER) return fields;
    return Math.min(fields, winner.expiry + this.graceMs(winner.actor));
  }

  /** The key in scratch memory, from 0 on. */
  private scratchOf(key: Bytes): Buffer {
    const { length } = key;
    if (length > this.scratch.length) this.scratch = Buffer.allocUnsafeSlow(length * 2);
    this.scratch.latin1Write(key, 0, length);
    return this.scratch;
  }

  /** How long this region leaves what has expired to the one of this writer. */
  graceMs(actor: Actor): number {
    return actorRegion(this.roster, actor) === this.region ? 0 : EXPIRY_GRACE_MS;
  }
}

/** The key at `place` as text. */
export function latin1(place: KeyPlace): Bytes {
  const { buf, start, end } = place;
  return Buffer.from(buf.buffer, buf.byteOffset, buf.byteLength).latin1Slice(start, end);
}
