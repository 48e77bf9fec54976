/**
 * Ops of other members. A batch is checked whole, then applied whole in this turn; whatever of it
 * is known already is skipped, and one that comes too early is refused as a gap.
 *
 * While a state merge runs, a slot may be ahead of the vector: ops that its exception covers are
 * in the slot's state already, and applying them again could bring back what was removed since.
 */

import { applyFlush } from '../crdt/apply-op.ts';
import { receive } from '../crdt/hlc.ts';
import type { Op } from '../crdt/op.ts';
import { covers, dominates, seqOf, type VersionVector } from '../crdt/version-vector.ts';
import { CHUNK_SHIFT } from '../keyspace/arena.ts';
import {
  dotActor,
  dotSeq,
  META_RICH,
  metaOf,
  siblingUnit,
  TTL_KIND_MASK,
  TTL_NONE,
  writeDot,
} from '../keyspace/entry.ts';
import type { KeyPlace } from '../keyspace/key-place.ts';
import { loadState } from '../keyspace/packed-string.ts';
import { Prefetch } from '../keyspace/prefetch.ts';
import { SLOT_COUNT } from '../keyspace/slot.ts';
import { type BatchReader, HOT } from '../op/batch-reader.ts';
import { type Ground, latin1 } from './ground.ts';
import { slotRefs } from './keys.ts';
import { applyElements } from './packed-hot.ts';
import { findTally, isPlain, writePlain, writeTally } from './plain-write.ts';

export type ApplyOutcome = 'applied' | 'known' | 'gap' | { invalid: string };

/** Exceptions are looked through once in so many batches. */
const PRUNE_INTERVAL = 64;

export class RemoteBatches {
  private readonly ground: Ground;
  private readonly reader: BatchReader;
  private readonly prefetch = new Prefetch();
  private untilPrune = PRUNE_INTERVAL;

  constructor(ground: Ground, reader: BatchReader) {
    this.ground = ground;
    this.reader = reader;
  }

  /** Applies the body of a BATCH frame whole or not at all. */
  apply(body: Uint8Array): ApplyOutcome {
    const { ground, reader } = this;
    const invalid = reader.open(body, ground.nowMs);
    if (invalid !== null) return { invalid };
    const applied = seqOf(ground.vector, reader.writer);
    const lastSeq = reader.firstSeq + reader.opCount - 1;
    if (lastSeq <= applied) return 'known';
    if (reader.firstSeq > applied + 1) return 'gap';
    const { prefetch } = this;
    let fetched = 0;
    for (let i = 0; reader.opsLeft > 0; i++) {
      if (i === fetched) {
        fetched = reader.lookAhead(ground.keyspace.hash, prefetch.hashes, prefetch.slots);
        prefetch.fetch(ground.keyspace, fetched);
        i = 0;
      }
      reader.next();
      if (reader.seq <= applied) continue;
      this.applyOp(prefetch.hashes[i]);
      ground.noteApplied(reader.writer, reader.seq);
    }
    receive(ground.clock, reader.hlc);
    if (ground.exceptions.size > 0 && --this.untilPrune === 0) {
      this.untilPrune = PRUNE_INTERVAL;
      ground.pruneExceptions();
    }
    return 'applied';
  }

  /** Applies to one slot the ops of a batch that `covered` does not cover; null: it was valid. */
  replay(body: Uint8Array, slot: number, covered: VersionVector): string | null {
    const { ground, reader } = this;
    const invalid = reader.open(body, ground.nowMs);
    if (invalid !== null) return invalid;
    while (reader.next()) {
      const mayFlush = reader.keyEnd === reader.keyStart;
      if (!mayFlush && reader.slot !== slot) continue;
      if (covers(covered, reader.writer, reader.seq)) continue;
      const op = reader.op();
      if (op.kind === 'flush') flushSlot(ground, slot, op.vector);
      else if (reader.slot === slot) {
        const place = ground.find(reader.bytes, reader.keyStart, reader.keyEnd);
        this.applyGeneral(place, op);
      }
    }
    return null;
  }

  /** `hash`: of the key. */
  private applyOp(hash: number): void {
    const { ground, reader } = this;
    if (ground.exceptions.size > 0) {
      const exception = ground.exceptions.get(reader.slot);
      const isFlush = reader.keyEnd === reader.keyStart && reader.op().kind === 'flush';
      if (!isFlush && exception !== undefined && covers(exception, reader.writer, reader.seq)) {
        return;
      }
    }
    if (reader.hot === HOT.none) {
      const op = reader.op();
      if (op.kind === 'flush') {
        this.flush(op.vector);
        return;
      }
      this.applyGeneral(this.find(hash), op);
      return;
    }
    const place = this.find(hash);
    let done = false;
    if (reader.hot === HOT.stringSet) done = this.hotSet(place);
    else if (reader.hot === HOT.stringAdd) done = this.hotAdd(place);
    else if (reader.hot === HOT.deleteDot) done = this.hotDelete(place);
    else done = applyElements(ground, place, reader);
    if (!done) this.applyGeneral(place, reader.op());
    else if (ground.touched !== null) ground.touched(latin1(place));
  }

  /** Where the key of the current op is; its slot was checked. */
  private find(hash: number): KeyPlace {
    const { bytes, keyStart, keyEnd, slot } = this.reader;
    return this.ground.findHashed(bytes, keyStart, keyEnd, hash, slot);
  }

  private applyGeneral(place: KeyPlace, op: Op): void {
    const { ground, reader } = this;
    if (op.kind === 'flush') return;
    const { writer, seq, hlc, slot } = reader;
    ground.apply(place, { actor: writer, seq, hlc, slot, op }, op);
  }

  /** A SET on a key that is absent, or plain and exactly what the SET saw. */
  private hotSet(place: KeyPlace): boolean {
    const { ground, reader } = this;
    const { keyspace } = ground;
    if (place.ref !== 0 && !this.seesPlain(place.ref, true)) return false;
    const { writer, seq, hlc, bytes, valueStart, valueEnd, expiry } = reader;
    writePlain(keyspace, place, writer, seq, hlc, bytes, valueStart, valueEnd, expiry);
    return true;
  }

  private hotDelete(place: KeyPlace): boolean {
    if (place.ref === 0) return true;
    if (!this.seesPlain(place.ref, false)) return false;
    this.ground.keyspace.remove(place.hash, place.ref);
    return true;
  }

  /** Whether the entry is plain and the op drops all of it. */
  private seesPlain(ref: number, namesTtl: boolean): boolean {
    const { arena } = this.ground.keyspace;
    const { reader } = this;
    const meta = metaOf(arena, ref);
    if (!isPlain(meta)) return false;
    const words = arena.u32[ref >>> CHUNK_SHIFT];
    const word = siblingUnit(ref, meta) << 1;
    const seq = dotSeq(words, word);
    const actor = dotActor(words, word);
    if (reader.dropSeq !== seq || reader.dropActor !== actor) return false;
    if (!namesTtl || (meta & TTL_KIND_MASK) === TTL_NONE) return true;
    return reader.ttlDropSeq === seq && reader.ttlDropActor === actor;
  }

  /** An increment on a key that is absent, or packed and holds this actor's contribution. */
  private hotAdd(place: KeyPlace): boolean {
    const { ground, reader } = this;
    const { keyspace } = ground;
    const { writer, seq, hlc, cum, predSeq, predCum } = reader;
    const { ref } = place;
    if (ref === 0) {
      const floorSeq = predSeq > 0 ? predSeq : seq - 1;
      writeTally(keyspace, place, writer, seq, hlc, cum, floorSeq, predSeq > 0 ? predCum : 0);
      return true;
    }
    const meta = metaOf(keyspace.arena, ref);
    if ((meta & META_RICH) !== 0) return false;
    const unit = findTally(keyspace, ref, meta, writer);
    if (unit < 0) return false;
    const words = keyspace.arena.u32[ref >>> CHUNK_SHIFT];
    if (dotSeq(words, unit << 1) >= seq) return true;
    const floats = keyspace.arena.f64[ref >>> CHUNK_SHIFT];
    writeDot(words, unit << 1, writer, seq);
    floats[unit + 1] = hlc;
    floats[unit + 2] = cum;
    if (predSeq === 0) {
      floats[unit + 3] = seq - 1;
      floats[unit + 4] = 0;
    }
    return true;
  }

  private flush(vector: VersionVector): void {
    const { ground, reader } = this;
    if (ground.exceptions.size === 0 && dominates(vector, ground.vector)) {
      ground.keyspace.reset();
    } else {
      for (let slot = 0; slot < SLOT_COUNT; slot++) {
        const exception = ground.exceptions.get(slot);
        const seen = exception !== undefined && covers(exception, reader.writer, reader.seq);
        if (!seen) flushSlot(ground, slot, vector);
      }
    }
    if (ground.touchedAll !== null) ground.touchedAll();
  }
}

/** Removes from a slot what the vector covers. */
function flushSlot(ground: Ground, slot: number, vector: VersionVector): void {
  for (const ref of slotRefs(ground, slot)) {
    const place = ground.findEntry(ref);
    if (ground.tables.removeCovered(place, vector)) continue;
    ground.store(place, applyFlush(loadState(ground.keyspace, ref), vector), -1);
  }
}
