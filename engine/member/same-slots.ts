/**
 * The slots that need not be shipped in a state merge, because both sides hold the same.
 *
 * Why equal digests are enough, though the two vectors differ. The rule of a merge asks the vectors only
 * about dots that one side has and the other has not. Of two equal states every dot is on both
 * sides, so the outcome is that state, whatever the vectors say; its vector is the join of the two.
 * (Replace-and-replay comes to the same: what we had applied and the sender had not left no trace in
 * our state that the sender's has not, so applying it again to the sender's state changes nothing.)
 *
 * But time passes between our digest and the merge. What was applied here meanwhile is right to stay,
 * as long as the sender had not seen it: then it is what would be replayed on top. If the sender
 * *had* seen such an op and its state equals our old one all the same, it has also seen something
 * that undid the op, which we have not: that slot must be shipped after all. So for each slot the ops
 * since its digest are looked up in the backlog; when in doubt the digest is computed again.
 */

import type { Db } from '../core/db.ts';
import type { Bytes } from '../crdt/dot.ts';
import { covers, type VersionVector } from '../crdt/version-vector.ts';
import type { Backlog } from '../log/backlog.ts';
import { batchSlots } from '../log/batch-meta.ts';

/** What was told of a slot, and when. */
type Told = {
  readonly digest: Bytes;
  /** Entry of the backlog from which on ops are not in the digest. */
  readonly entry: number;
  readonly imports: number;
};

type Touch = { readonly entry: number; readonly actor: number; readonly firstSeq: number };

const ALL_SLOTS = -1;

export class SameSlots {
  private readonly db: Db;
  private readonly backlog: Backlog;
  private readonly told = new Map<number, Told>();
  private readonly touches = new Map<number, Touch[]>();
  /** Entries of the backlog before this one were looked at. */
  private walked = 0;
  /** The backlog has dropped entries that were not looked at. */
  private lost = false;

  constructor(db: Db, backlog: Backlog) {
    this.db = db;
    this.backlog = backlog;
  }

  /** Forgets everything: a new state begins. This turn's own ops must be in the backlog. */
  begin(): void {
    this.told.clear();
    this.touches.clear();
    this.walked = this.backlog.end;
    this.lost = false;
  }

  /** Computes the digest that the sender is told. This turn's own ops must be in the backlog. */
  digest(slot: number): Bytes {
    const { db, backlog } = this;
    const digest = db.states.slotFingerprint(slot);
    this.told.set(slot, { digest, entry: backlog.end, imports: db.states.importsOf(slot) });
    return digest;
  }

  /**
   * Whether the outcome of merging is what this slot holds, given that the sender's state at `vector` had the
   * digest that it was told of ours. This turn's own ops must be in the backlog.
   */
  isOutcome(slot: number, vector: VersionVector): boolean {
    const told = this.told.get(slot);
    if (told === undefined) return false;
    this.walk();
    const changed = this.lost || this.db.states.importsOf(slot) !== told.imports;
    if (!changed && !this.wasSeen(slot, told, vector)) return true;
    return this.db.states.slotFingerprint(slot) === told.digest;
  }

  /** Whether the sender had seen an op that touched the slot since its digest. */
  private wasSeen(slot: number, told: Told, vector: VersionVector): boolean {
    const touches = [...(this.touches.get(slot) ?? []), ...(this.touches.get(ALL_SLOTS) ?? [])];
    return touches.some(
      ({ entry, actor, firstSeq }) => entry >= told.entry && covers(vector, actor, firstSeq),
    );
  }

  private walk(): void {
    const { backlog, touches } = this;
    if (backlog.first > this.walked) this.lost = true;
    for (let number = Math.max(this.walked, backlog.first); number < backlog.end; number++) {
      const entry = backlog.entryAt(number);
      // What another state merge has changed is counted by the slot's imports.
      if (entry.kind === 'jump') continue;
      const touch = { entry: number, actor: entry.actor, firstSeq: entry.firstSeq };
      for (const slot of batchSlots(entry.frame)) {
        const list = touches.get(slot);
        if (list === undefined) touches.set(slot, [touch]);
        else list.push(touch);
      }
    }
    this.walked = backlog.end;
  }
}
