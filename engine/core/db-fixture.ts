/** What the tests of the database share: seeded chance, members with a log, and their comparison. */

import { applyOp } from '../crdt/apply-op.ts';
import { checkKey } from '../crdt/check.ts';
import type { Bytes } from '../crdt/dot.ts';
import type { KeyState } from '../crdt/key-state.ts';
import { makeActorId } from '../crdt/roster.ts';
import { SLOT_COUNT, slotOf } from '../keyspace/slot.ts';
import { seededChance } from '../keyspace/test-chance.ts';
import { BatchReader } from '../op/batch-reader.ts';
import { dictionaryOf, encodeKey } from '../op/key-encoding.ts';
import { FRAME_HEADER_BYTES, type Op } from '../op/op.ts';
import { Db } from './db.ts';
import { decodeSlot } from './slot-transfer.ts';

export const START_MS = Date.UTC(2026, 0, 1);

export function newDb(region: number, random: () => number = seededChance(region)): Db {
  const db = new Db({ random, region });
  db.beginTurn(START_MS);
  db.newActor(makeActorId(region, 0, BigInt(region)));
  db.writable = true;
  return db;
}

export const bodyOf = (frame: Uint8Array): Uint8Array => frame.subarray(FRAME_HEADER_BYTES);

/** A member with its log, and a model of its keyspace by nothing but `applyOp`. */
export class TestMember {
  readonly db: Db;
  readonly log: Uint8Array[] = [];
  readonly model = new Map<Bytes, KeyState>();
  private readonly reader: BatchReader;
  private readonly pulled = new Map<TestMember, number>();

  constructor(region: number, seed: number) {
    this.db = newDb(region, seededChance(seed + region));
    this.reader = new BatchReader(this.db.roster);
  }

  /** Ends the turn: logs its frame and applies it to the model. Returns the ops. */
  endTurn(): Op[] {
    const frame = this.db.takeFrame();
    if (frame === null) return [];
    this.log.push(frame);
    return this.applyToModel(frame);
  }

  /** Applies all that the other has logged and this has not, in its order. */
  pull(from: TestMember): void {
    for (let at = this.pulled.get(from) ?? 0; at < from.log.length; at++) {
      const frame = from.log[at];
      const outcome = this.db.applyBatch(bodyOf(frame));
      if (outcome === 'known') continue;
      if (outcome !== 'applied') throw new Error(JSON.stringify(outcome));
      this.log.push(frame);
      this.applyToModel(frame);
    }
    this.pulled.set(from, from.log.length);
  }

  /** Every key of the database as the model has it, and none besides. */
  expectModel(): void {
    const states = statesOf(this.db);
    expect([...states.keys()].sort()).toEqual([...this.model.keys()].sort());
    for (const [key, state] of this.model) {
      checkKey(states.get(key) ?? null, this.db.vector);
      expect(canonical(this.db, states.get(key) as KeyState)).toEqual(canonical(this.db, state));
    }
  }

  private applyToModel(frame: Uint8Array): Op[] {
    const { reader, model } = this;
    const invalid = reader.open(bodyOf(frame), this.db.nowMs);
    if (invalid !== null) throw new Error(invalid);
    const ops: Op[] = [];
    while (reader.next()) {
      const { writer, seq, hlc, slot } = reader;
      const op = reader.op();
      ops.push(op);
      const keys = op.kind === 'flush' ? [...model.keys()] : [op.key];
      for (const key of keys) {
        const next = applyOp(model.get(key) ?? null, { actor: writer, seq, hlc, slot, op });
        if (next === null) model.delete(key);
        else model.set(key, next);
      }
    }
    return ops;
  }
}

/** All keys and states, through the bytes that a slot transfer ships. */
export function statesOf(db: Db): Map<Bytes, KeyState> {
  const states = new Map<Bytes, KeyState>();
  for (let slot = 0; slot < SLOT_COUNT; slot++) {
    const body = db.states.exportSlot(slot);
    if (body === null) continue;
    const decoded = decodeSlot(body, db.roster);
    if (typeof decoded === 'string') throw new Error(decoded);
    for (const [key, state] of decoded.keys) states.set(key, state);
  }
  return states;
}

function canonical(db: Db, state: KeyState): string {
  const dictionary = dictionaryOf(db.roster, db.roster.ids.keys());
  return Buffer.from(encodeKey(state, dictionary)).toString('latin1');
}

/** The digests of all slots that hold something. */
export function digestsOf(db: Db): [number, number][] {
  const digests: [number, number][] = [];
  for (let slot = 0; slot < SLOT_COUNT; slot++) {
    if (db.slotSize(slot) > 0) digests.push([slot, db.states.slotDigest(slot)]);
  }
  return digests;
}

export function slotOfText(key: Bytes): number {
  const bytes = Buffer.from(key, 'latin1');
  return slotOf(bytes, 0, bytes.length);
}
