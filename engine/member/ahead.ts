/**
 * Slots that are ahead of the vector, because they came with a state that was captured while its sender went on.
 * Mostly the stream behind the state catches up in a moment. Two things must hold until then, and after it if it does not.
 *
 * 1. What is written here meanwhile may have seen what only these slots have seen. So before such a batch goes an
 *    entry of what they have seen: marks name it to those who get single ops, and who wants all the ops
 *    gets the slots first. Without it the write can reach a third member before what it
 *    has overwritten, which then comes back there. The entry names nothing of the batch itself, which nobody can
 *    have before it.
 *    Batches of others get such an entry too, where they touch a slot that is ahead and the sender's
 *    word has let them pass: who sent them had the slot first, and this member may be asked for its log.
 * 2. What only slots have seen may be lost at its origin (a power cut within the window of fsync everysec). When
 *    every link stands for a while and nobody has these ops, they are *adopted*: what the slots hold of them is
 *    what is left of them, the vector covers them from now on, and others take the slots. A replica sees no
 *    other region, so it must not decide that: it names what it has to its primary, which takes the slots and does.
 */

import type { Db } from '../core/db.ts';
import {
  copyVector,
  covers,
  dominates,
  joinVector,
  seqOf,
  type VersionVector,
} from '../crdt/version-vector.ts';
import type { Journal } from '../env.ts';
import { limits } from '../limits.ts';
import type { Backlog } from '../log/backlog.ts';
import { type BatchMeta, batchSlots, EVERY_SLOT } from '../log/batch-meta.ts';
import { LOG_KIND, sealFrame } from '../log/frame.ts';
import { encodeVector } from '../log/vector-bytes.ts';
import type { Peers } from './peers.ts';
import type { Placement } from './role.ts';

export type AheadHost = {
  readonly db: Db;
  readonly backlog: Backlog;
  readonly peers: Peers;
  readonly journal: Journal;
  placement(): Placement;
  /** Where an image begins: the next start reads no entry of the log before it. */
  recoversFrom(): number;
  monotonicMs(): number;
  sealLocal(): void;
  /** Appends to the log on disk only. */
  log(frame: Uint8Array): void;
};

export class Ahead {
  private readonly host: AheadHost;
  /** `aheadChanges` of the database when it was last marked. */
  private marked = -1;
  /** What entries have named since slots are ahead. */
  private named: VersionVector = [];
  private recoversFrom = 0;
  private lookedMs = 0;
  private stuckSinceMs = -1;
  /** What was lacking then, as text. */
  private stuckAt = '';

  constructor(host: AheadHost) {
    this.host = host;
  }

  /** To be called before a batch of this member, from `firstSeq` on, goes to log and backlog. */
  mark(firstSeq: number): void {
    const { db } = this.host;
    if (db.states.exceptionCount === 0) return;
    this.followImages();
    if (this.marked === db.states.aheadChanges) return;
    this.marked = db.states.aheadChanges;
    this.append(db.shownVector(), db.actor, firstSeq);
  }

  /** To be called before a batch of another, which has been applied, goes to log and backlog. */
  markRemote(frame: Uint8Array, { actor, firstSeq, lastSeq }: BatchMeta): void {
    const { db } = this.host;
    if (db.states.exceptionCount === 0) return;
    this.followImages();
    let seen: VersionVector = [];
    for (const slot of batchSlots(frame)) {
      if (slot === EVERY_SLOT) seen = db.shownVector();
      const ahead = slot === EVERY_SLOT ? null : db.states.aheadOf(slot);
      if (ahead === null || dominates(this.named, ahead)) continue;
      // The slot has seen the batch itself, or nothing but what has come.
      if (covers(ahead, actor, lastSeq) || dominates(db.vector, ahead)) continue;
      joinVector(seen, ahead);
    }
    if (seen.length === 0) return;
    joinVector(seen, db.vector);
    this.append(seen, actor, firstSeq);
  }

  tick(): void {
    const { db } = this.host;
    if (db.states.exceptionCount > 0) db.states.finishStateMerge([]);
    if (db.states.exceptionCount === 0) this.named = [];
    const { role } = this.host.placement();
    if (db.states.exceptionCount === 0 || role === 'starting') {
      this.stuckSinceMs = -1;
      return;
    }
    const nowMs = this.host.monotonicMs();
    // There may be as many as slots, and peers do not tell more often what they have.
    if (nowMs - this.lookedMs < limits.heartbeatInterval.value) return;
    this.lookedMs = nowMs;
    const shown = db.shownVector();
    // Only these ops count: other writers go on meanwhile.
    const lacking = shown.flatMap((seq, actor) => (seq > seqOf(db.vector, actor) ? [actor] : []));
    const at = lacking.map((actor) => `${actor} ${db.vector[actor]} ${shown[actor]}`).join();
    const isStuck = role === 'replica' || this.nobodyHasMore(lacking);
    if (!isStuck || this.stuckSinceMs < 0 || at !== this.stuckAt) {
      this.stuckSinceMs = isStuck ? nowMs : -1;
      this.stuckAt = at;
      return;
    }
    const sinceMs = nowMs - this.stuckSinceMs;
    if (role === 'replica') {
      const isNamed = lacking.every((actor) => seqOf(this.named, actor) >= shown[actor]);
      if (sinceMs >= limits.relayAfter.value && !isNamed) this.tell(shown);
    } else if (sinceMs >= limits.aheadPatience.value) {
      this.adopt(shown);
    }
  }

  /** Has the primary take the slots: it pulls everything from its replicas. */
  private tell(shown: VersionVector): void {
    const { db } = this.host;
    this.host.sealLocal();
    this.marked = db.states.aheadChanges;
    this.append(shown, db.actor, db.lastSeq + 1);
  }

  /** What was named before an image began must be named again behind it. */
  private followImages(): void {
    if (this.recoversFrom === this.host.recoversFrom()) return;
    this.recoversFrom = this.host.recoversFrom();
    this.marked = -1;
    this.named = [];
  }

  /** Notes what was seen before the batch of `actor` from `firstSeq` on. */
  private append(seen: VersionVector, actor: number, firstSeq: number): void {
    const { db, backlog, log } = this.host;
    seen[actor] = firstSeq - 1;
    joinVector(this.named, seen);
    backlog.appendJump(seen, true);
    log(sealFrame(LOG_KIND.ahead, encodeVector(seen, db.roster)));
  }

  /** Every link stands, and no peer has more of these actors' ops than we have. */
  private nobodyHasMore(actors: readonly number[]): boolean {
    const { dialled } = this.host.peers;
    const { vector } = this.host.db;
    return dialled.every(({ target, puller }) => {
      // A replica that is down may still come back; it must not hold up the regions for that.
      if (puller?.state !== 'streaming') return target.purpose === 'member';
      const { heard } = puller;
      return heard.length > 0 && actors.every((one) => seqOf(heard, one) <= seqOf(vector, one));
    });
  }

  private adopt(shown: VersionVector): void {
    const { db, backlog, journal, log } = this.host;
    this.host.sealLocal();
    const vector = copyVector(db.vector);
    joinVector(vector, shown);
    const slots = db.states.exceptionCount;
    db.states.finishStateMerge(vector);
    log(sealFrame(LOG_KIND.stateEnd, encodeVector(vector, db.roster)));
    backlog.appendJump(vector);
    this.stuckSinceMs = -1;
    journal.warn({ slots }, 'ops that were lost at their origin: what slots hold of them is kept');
  }
}
