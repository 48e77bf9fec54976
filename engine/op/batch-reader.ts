/**
 * Reads batch bodies (drawn in batch-writer.ts). `open` checks a whole body before anyone acts on
 * a byte of it: an op that stops one member would stop every region that it is replicated to, so
 * nothing a peer sends is left to an assertion. Checked are
 *
 *  1. every length and count against the bytes that are there, and that none are left over;
 *  2. version, kinds, flags and forms; sizes of keys and values;
 *  3. dictionary: valid ids, none twice, and every index used is in it;
 *  4. seqs within 1 .. 2^48 - 1, no op that saw its writer's later ops;
 *  5. each hlc: whole, not falling within the batch, not far ahead of our wall clock;
 *  6. each slot is the slot of its key.
 *
 * Keys and values are bytes; no character set is asked for.
 *
 * Then `next` walks the ops. The common forms of string-set, string-add, delete, set-add and hash-set
 * can be read from fields, without an object (`hot`); `op()` makes the general form of any op.
 */
import { isNormalAmount } from '../crdt/amount.ts';
import { type Actor, type Bytes, SEQ_LIMIT } from '../crdt/dot.ts';
import { describeBadHlc, HLC_AHEAD_MAX_MS, hlcOfMs } from '../crdt/hlc.ts';
import {
  ACTOR_ID_BYTES,
  ACTORS_MAX,
  describeBadActorId,
  findActor,
  internActor,
  ROSTER_FULL,
  type Roster,
} from '../crdt/roster.ts';
import type { KeyHash } from '../keyspace/key-hash.ts';
import { slotOf } from '../keyspace/slot.ts';
import { BATCH_HEAD_BYTES, OP_HEAD_BYTES } from './batch-writer.ts';
import { ByteReader } from './byte-reader.ts';
import { decodePayload, describeBadKind } from './decode-op.ts';
import { ElementReader } from './element-reader.ts';
import { FLAG } from './encode-op.ts';
import {
  BATCH_BODY_BYTES_MAX,
  BATCH_VERSION,
  KEY_BYTES_MAX,
  OP_KIND,
  type Op,
  VALUE_BYTES_MAX,
} from './op.ts';

const TWO_32 = 4294967296;
const DOT_LIST_OF_ONE_BYTES = 10;
const INTEGER_AMOUNT_BYTES = 9;
const HOT_SET_FLAGS = FLAG.drops | FLAG.ttlInfinite | FLAG.ttlAt | FLAG.ttlDrops | FLAG.ttlSame;
const ELEMENT_KINDS = [OP_KIND['set-add'], OP_KIND['hash-set'], OP_KIND['zset-set']] as number[];
const DELETE_OF_ONE_BYTES = 1 + DOT_LIST_OF_ONE_BYTES + 4;
const NOTHING = new ByteReader(new Uint8Array(0));

/** The form of the current op that can be read from fields; 0: only `op()` tells. */
export const HOT = { none: 0, stringSet: 1, stringAdd: 2, deleteDot: 3, elements: 4 } as const;
export type Hot = (typeof HOT)[keyof typeof HOT];

export class BatchReader {
  /** The body; all offsets are into it. */
  bytes: Uint8Array = NOTHING.bytes;
  writer: Actor = 0;
  firstSeq = 0;
  opCount = 0;

  /** The current op. */
  seq = 0;
  kind = 0;
  slot = 0;
  hlc = 0;
  keyStart = 0;
  keyEnd = 0;
  hot: Hot = HOT.none;
  /** Hot string-set and delete: the dot dropped; `dropSeq` 0: none. */
  dropActor: Actor = 0;
  dropSeq = 0;
  /** Hot string-set. `expiry` NaN: no TTL write. */
  ttlDropActor: Actor = 0;
  ttlDropSeq = 0;
  expiry = Number.NaN;
  valueStart = 0;
  valueEnd = 0;
  /** Hot string-add; `predSeq` 0: no predecessor. */
  cum = 0;
  predSeq = 0;
  predCum = 0;

  /** Hot set-add, hash-set and zset-set. */
  readonly elements = new ElementReader();

  private readonly roster: Roster;
  private reader = NOTHING;
  /** Dictionary index → actor. */
  actors: number[] = [];
  private ids: Bytes[] = [];
  private read = 0;
  private nextAt = 0;
  private flags = 0;
  private payloadAt = 0;
  private opEnd = 0;
  private dotActor: Actor = 0;

  constructor(roster: Roster) {
    this.roster = roster;
  }

  /**
   * Takes a body in and checks all of it at wall time `nowMs`. Returns what is wrong with it, or
   * null; then its actors are in the roster and `next` gives the first op. Keeps a view on `body`.
   */
  open(body: Uint8Array, nowMs: number): string | null {
    this.opCount = 0;
    this.read = 0;
    if (body.length > BATCH_BODY_BYTES_MAX) return `a batch of ${body.length} bytes`;
    this.reader = new ByteReader(body);
    this.bytes = body;
    const opCount = this.openHead();
    if (this.reader.problem !== null) return this.endWith(this.reader.problem, 'the batch head');
    const opsAt = this.reader.at;
    const problem = this.checkOps(opCount, nowMs);
    if (problem !== null) return this.endWith(problem, `op ${this.read} of ${opCount}`);
    const { roster } = this;
    if (roster.ids.length + this.ids.length > ACTORS_MAX && !this.knowsAll()) {
      return this.endWith(ROSTER_FULL, 'the dictionary');
    }
    this.actors = this.ids.map((id) => internActor(roster, id));
    this.writer = this.actors[0];
    this.opCount = opCount;
    this.read = 0;
    this.nextAt = opsAt;
    return null;
  }

  /** Ops that `next` has not come to. */
  get opsLeft(): number {
    return this.opCount - this.read;
  }

  /** Goes to the next op; false when there is none. Call after `open` returned null. */
  next(): boolean {
    if (this.read === this.opCount) return false;
    this.opHead();
    return true;
  }

  /**
   * Looks at the keys of the ops that come next, as many as the arrays take: their hashes and slots. Returns how
   * many there were. The current op stays what it is.
   */
  lookAhead(hash: KeyHash, hashes: Uint32Array, slots: Uint16Array): number {
    const { view } = this.reader;
    const count = Math.min(hashes.length, this.opCount - this.read);
    let at = this.nextAt;
    for (let i = 0; i < count; i++) {
      const key = at + OP_HEAD_BYTES;
      hashes[i] = hash.of(this.bytes, key, key + view.getUint32(at + 16, true));
      slots[i] = view.getUint16(at + 6, true);
      at += 4 + view.getUint32(at, true);
    }
    return count;
  }

  /** Takes one more look at the ops from the first. */
  rewind(): void {
    this.read = 0;
    this.nextAt = BATCH_HEAD_BYTES + this.ids.length * ACTOR_ID_BYTES;
  }

  /** The current op in its general form. */
  op(): Op {
    const { reader } = this;
    reader.at = this.payloadAt;
    reader.end = this.opEnd;
    const op = decodePayload(reader, this.kind, this.flags, this.key(), this);
    if (reader.problem !== null) throw new Error(`a checked op does not read: ${reader.problem}`);
    return op;
  }

  /** The current key; '' for flush. */
  key(): Bytes {
    return this.reader.bytes.latin1Slice(this.keyStart, this.keyEnd);
  }

  /** The current hot value. */
  value(): Bytes {
    return this.reader.bytes.latin1Slice(this.valueStart, this.valueEnd);
  }

  private endWith(problem: string, where: string): string {
    this.opCount = 0;
    this.read = 0;
    return `bad batch: ${where}: ${problem}`;
  }

  /** Reads head and dictionary; returns the number of ops. */
  private openHead(): number {
    const { reader } = this;
    if (reader.u8() !== BATCH_VERSION) return reader.fail('a version that is not 1');
    if (reader.u8() !== 0) return reader.fail('unknown flags');
    const actorCount = reader.u16();
    const opCount = reader.u32();
    this.firstSeq = reader.f64();
    if (reader.problem !== null) return 0;
    if (actorCount === 0) return reader.fail('a dictionary without the writer');
    if (opCount === 0) return reader.fail('no ops');
    const last = this.firstSeq + opCount - 1;
    if (!Number.isInteger(this.firstSeq) || this.firstSeq < 1 || last >= SEQ_LIMIT) {
      return reader.fail('seqs out of range');
    }
    if (actorCount * ACTOR_ID_BYTES > reader.end - reader.at) return reader.fail('cut short');
    this.ids = [];
    for (let index = 0; index < actorCount; index++) {
      const id = reader.raw(ACTOR_ID_BYTES);
      const bad = describeBadActorId(id);
      if (bad !== null) return reader.fail(bad);
      this.ids.push(id);
    }
    if (new Set(this.ids).size !== actorCount) return reader.fail('an actor named twice');
    // While checking, actors are their dictionary indexes: the roster stays as it is.
    this.actors = Array.from(this.ids.keys());
    return opCount;
  }

  private checkOps(opCount: number, nowMs: number): string | null {
    const { reader } = this;
    const bodyEnd = reader.bytes.length;
    const hlcMax = hlcOfMs(nowMs + HLC_AHEAD_MAX_MS);
    let previous = 0;
    this.nextAt = reader.at;
    while (this.read < opCount) {
      const start = this.nextAt;
      if (bodyEnd - start < OP_HEAD_BYTES) return 'cut short';
      const length = reader.view.getUint32(start, true);
      const keyLength = reader.view.getUint32(start + 16, true);
      if (length > bodyEnd - start - 4 || length < OP_HEAD_BYTES - 4) return 'a bad length';
      if (keyLength > length - (OP_HEAD_BYTES - 4)) return 'a key longer than its op';
      if (keyLength > KEY_BYTES_MAX) return `a key of ${keyLength} bytes`;
      reader.problem = describeBadKind(reader.bytes[start + 4], reader.bytes[start + 5]);
      if (reader.problem !== null) return reader.problem;
      this.opHead();
      const { hlc } = this;
      if (!(hlc >= previous && hlc <= hlcMax && Number.isInteger(hlc))) {
        return describeBadHlc(hlc, nowMs) ?? 'an hlc that falls';
      }
      previous = hlc;
      const problem = this.checkSlot() ?? this.checkPayload();
      if (problem !== null) return problem;
    }
    return this.nextAt === bodyEnd ? null : 'bytes after the last op';
  }

  private checkSlot(): string | null {
    if (this.kind === OP_KIND.flush) {
      return this.slot === 0 && this.keyEnd === this.keyStart ? null : 'a flush of one key';
    }
    return slotOf(this.bytes, this.keyStart, this.keyEnd) === this.slot
      ? null
      : 'a slot that is not the slot of its key';
  }

  private checkPayload(): string | null {
    if (this.hot !== HOT.none) return null;
    const { reader } = this;
    reader.at = this.payloadAt;
    reader.end = this.opEnd;
    decodePayload(reader, this.kind, this.flags, '', this);
    if (reader.problem === null && reader.at !== reader.end) reader.fail('bytes left over');
    return reader.problem;
  }

  /** Reads the head of the op at `nextAt`, and its hot fields if it has such a form. */
  private opHead(): void {
    const { view, bytes } = this.reader;
    const start = this.nextAt;
    this.seq = this.firstSeq + this.read;
    this.read++;
    this.opEnd = start + 4 + view.getUint32(start, true);
    this.nextAt = this.opEnd;
    this.kind = bytes[start + 4];
    this.flags = bytes[start + 5];
    this.slot = view.getUint16(start + 6, true);
    this.hlc = view.getFloat64(start + 8, true);
    this.keyStart = start + OP_HEAD_BYTES;
    this.keyEnd = this.keyStart + view.getUint32(start + 16, true);
    this.payloadAt = this.keyEnd;
    this.hot = HOT.none;
    if (this.kind === OP_KIND['string-set']) {
      if (this.readHotSet()) this.hot = HOT.stringSet;
    } else if (this.kind === OP_KIND['string-add']) {
      if (this.readHotAdd()) this.hot = HOT.stringAdd;
    } else if (this.kind === OP_KIND.delete) {
      if (this.readHotDelete()) this.hot = HOT.deleteDot;
    } else if (ELEMENT_KINDS.includes(this.kind)) {
      if (this.flags === 0 && this.openElements()) this.hot = HOT.elements;
    }
  }

  // The hot forms. Each returns true only for a payload that is good to its last byte; whatever
  // is false here is judged by the general form.

  private readHotSet(): boolean {
    const { flags, opEnd } = this;
    const { view } = this.reader;
    if ((flags & ~HOT_SET_FLAGS) !== 0) return false;
    let at = this.payloadAt;
    this.dropSeq = 0;
    this.ttlDropSeq = 0;
    if ((flags & FLAG.drops) !== 0) {
      const seq = this.onlyDot(at);
      if (seq === 0) return false;
      this.dropSeq = seq;
      this.dropActor = this.dotActor;
      at += DOT_LIST_OF_ONE_BYTES;
    }
    this.expiry = (flags & FLAG.ttlInfinite) !== 0 ? Number.POSITIVE_INFINITY : Number.NaN;
    if ((flags & FLAG.ttlAt) !== 0) {
      if (at + 8 > opEnd) return false;
      this.expiry = view.getFloat64(at, true);
      if (!Number.isInteger(this.expiry) || this.expiry < 0) return false;
      at += 8;
    }
    if ((flags & FLAG.ttlSame) !== 0) {
      this.ttlDropSeq = this.dropSeq;
      this.ttlDropActor = this.dropActor;
    } else if ((flags & FLAG.ttlDrops) !== 0) {
      const seq = this.onlyDot(at);
      if (seq === 0) return false;
      this.ttlDropSeq = seq;
      this.ttlDropActor = this.dotActor;
      at += DOT_LIST_OF_ONE_BYTES;
    }
    if (at + 4 > opEnd) return false;
    this.valueStart = at + 4;
    this.valueEnd = this.valueStart + view.getUint32(at, true);
    return this.valueEnd === opEnd && opEnd - this.valueStart <= VALUE_BYTES_MAX;
  }

  private readHotAdd(): boolean {
    const { opEnd, payloadAt: at } = this;
    const { view, bytes } = this.reader;
    const predAt = at + INTEGER_AMOUNT_BYTES;
    const withPred = this.flags === FLAG.pred;
    if (!withPred && this.flags !== 0) return false;
    if (opEnd !== predAt + (withPred ? 6 + INTEGER_AMOUNT_BYTES : 0)) return false;
    this.cum = view.getFloat64(at + 1, true);
    this.predSeq = 0;
    this.predCum = 0;
    if (bytes[at] !== 0 || !isNormalAmount(this.cum)) return false;
    if (!withPred) return true;
    this.predSeq = view.getUint32(predAt, true) + view.getUint16(predAt + 4, true) * TWO_32;
    this.predCum = view.getFloat64(predAt + 7, true);
    if (this.predSeq === 0 || this.predSeq >= this.seq) return false;
    return bytes[predAt + 6] === 0 && isNormalAmount(this.predCum);
  }

  private readHotDelete(): boolean {
    const { payloadAt: at } = this;
    const { view, bytes } = this.reader;
    if (this.opEnd - at !== DELETE_OF_ONE_BYTES || bytes[at] !== 0) return false;
    this.dropSeq = this.onlyDot(at + 1);
    this.dropActor = this.dotActor;
    return this.dropSeq > 0 && view.getUint32(at + 1 + DOT_LIST_OF_ONE_BYTES, true) === 0;
  }

  private openElements(): boolean {
    const { payloadAt, opEnd, actors, seq } = this;
    return this.elements.open(this.reader.view, payloadAt, opEnd, this.kind, actors, seq);
  }

  /** The seq of a list of exactly one good dot (its actor goes to `dotActor`); 0: it is none. */
  private onlyDot(at: number): number {
    const { view } = this.reader;
    if (at + DOT_LIST_OF_ONE_BYTES > this.opEnd || view.getUint16(at, true) !== 1) return 0;
    const index = view.getUint16(at + 2, true);
    const seq = view.getUint32(at + 4, true) + view.getUint16(at + 8, true) * TWO_32;
    if (index >= this.actors.length || (index === 0 && seq >= this.seq)) return 0;
    this.dotActor = this.actors[index];
    return seq;
  }

  private knowsAll(): boolean {
    return this.ids.every((id) => findActor(this.roster, id) !== undefined);
  }
}
