/**
 * Merges a whole state that a peer sends, and logs the outcome.
 *
 * Two ways to take in a slot, both exact for everything but counters:
 *
 *   replay  our own recent ops that the sender has not seen are all in our backlog: the sender's
 *           slot takes the place of ours, and those ops are applied again on top. Exact for all
 *           types: it is what would have happened had we been a fresh member.
 *   merge   else: the two slots are merged by the rules of each type. Also where the slot holds what the
 *           state of another peer has brought, which may be coming in at the same time.
 *
 * Slots that the sender found equal by digest stay as they are (same-slots.ts).
 *
 * What goes to our own log is the outcome, slot by slot, so that recovery has nothing to decide; at
 * the end the joined vector. The backlog gets a jump there: from before it nobody can be served who
 * lacks what the state brought.
 */

import type { Db } from '../core/db.ts';
import type { Bytes } from '../crdt/dot.ts';
import { copyVector, type VersionVector } from '../crdt/version-vector.ts';
import type { Backlog } from '../log/backlog.ts';
import { LOG_KIND, sealFrame } from '../log/frame.ts';
import { encodeSlotsSame, type SlotsSame } from '../log/slots-same.ts';
import { encodeVector } from '../log/vector-bytes.ts';
import { FRAME_KIND } from '../op/op.ts';
import type { StateSink } from '../replication/state-receiver.ts';
import { ReplaySource } from './replay-source.ts';
import { SameSlots } from './same-slots.ts';

export type StateMergeHost = {
  /** A state of up to so many bytes is merged in one turn. */
  readonly atomicBytesMax: number;
  readonly db: Db;
  readonly backlog: Backlog;
  firstSlot(): number;
  lastSlot(): number;
  /** Appends to the log on disk only; states are not kept in the backlog. */
  log(frame: Uint8Array): void;
  /** Ends this turn's batch, so that the log has it before what follows. */
  sealLocal(): void;
  /** The peer had all this. */
  merged(vector: VersionVector): void;
};

export class StateMerge implements StateSink {
  private readonly host: StateMergeHost;
  private vector: VersionVector = [];
  private seen = new Set<number>();
  private readonly sameSlots: SameSlots;
  private replay: ReplaySource | null = null;

  constructor(host: StateMergeHost) {
    this.host = host;
    this.sameSlots = new SameSlots(host.db, host.backlog);
  }

  get atomicBytesMax(): number {
    return this.host.atomicBytesMax;
  }

  begin(vector: VersionVector): void {
    this.host.sealLocal();
    this.vector = copyVector(vector);
    this.seen.clear();
    const { db, backlog } = this.host;
    // An unfinished merge has brought some slots ahead: the backlog does not hold what it brought.
    this.replay = db.states.exceptionCount > 0 ? null : new ReplaySource(backlog, this.vector);
  }

  slot(body: Uint8Array): string | null {
    this.host.sealLocal();
    if (body.length < 3) return 'a state cut short';
    const slot = body[1] + body[2] * 256;
    if (slot < this.host.firstSlot() || slot > this.host.lastSlot()) {
      return `slot ${slot} is not one of ours`;
    }
    if (this.seen.has(slot)) return `slot ${slot} came twice`;
    this.seen.add(slot);
    return this.takeIn(slot, body);
  }

  end(): void {
    const { db, backlog } = this.host;
    this.host.sealLocal();
    for (let slot = this.host.firstSlot(); slot <= this.host.lastSlot(); slot++) {
      // What did not come is empty at the sender: what we have of it and it has seen, it deleted.
      if (this.seen.has(slot) || db.slotSize(slot) === 0) continue;
      const problem = this.takeIn(slot, db.states.emptySlot(slot, this.vector));
      if (problem !== null) throw new Error(`an empty slot cannot be merged: ${problem}`);
    }
    db.states.finishStateMerge(this.vector);
    this.host.log(sealFrame(LOG_KIND.stateEnd, encodeVector(this.vector, db.roster)));
    backlog.appendJump(this.vector);
    this.host.merged(this.vector);
    this.abort();
  }

  /** Takes the digests anew from here on: a state begins to come. */
  beginDigests(): void {
    this.host.sealLocal();
    this.sameSlots.begin();
  }

  slotDigest(slot: number): Bytes {
    this.host.sealLocal();
    return this.sameSlots.digest(slot);
  }

  slotRange(): { readonly firstSlot: number; readonly lastSlot: number } {
    return { firstSlot: this.host.firstSlot(), lastSlot: this.host.lastSlot() };
  }

  slotSize(slot: number): number {
    return this.host.db.slotSize(slot);
  }

  changedOf({ slots, vector }: SlotsSame): number[] {
    this.host.sealLocal();
    return slots.filter((slot) => !this.sameSlots.isOutcome(slot, vector));
  }

  same(same: SlotsSame): string | null {
    this.host.sealLocal();
    for (const slot of same.slots) {
      if (slot < this.host.firstSlot() || slot > this.host.lastSlot()) {
        return `slot ${slot} is not one of ours`;
      }
      if (this.seen.has(slot)) return `slot ${slot} came twice`;
      this.seen.add(slot);
      this.host.db.states.adoptVector(slot, same.vector);
    }
    const { roster } = this.host.db;
    this.host.log(sealFrame(LOG_KIND.slotsSame, encodeSlotsSame(same, roster)));
    return null;
  }

  abort(): void {
    this.seen.clear();
    this.replay = null;
  }

  private takeIn(slot: number, body: Uint8Array): string | null {
    const { db } = this.host;
    // A large state comes in over many turns, in which this member goes on: that must be replayed too.
    if (this.replay?.reaches(db.vector) === false) this.replay = null;
    // So does a state from another peer: what it has brought to this slot is in no backlog.
    const replay = this.replay?.reaches(db.slotVector(slot)) === true ? this.replay : null;
    const problem = db.states.importSlot(
      body,
      replay === null ? null : (one) => replay.bodies(one),
    );
    if (problem !== null) return problem;
    const outcome = db.states.exportSlotOrEmpty(slot);
    this.host.log(sealFrame(FRAME_KIND.slotState, outcome));
    return null;
  }
}
