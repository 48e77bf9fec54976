/**
 * Slots that are ahead of the vector, because they came with a state that was captured while its sender went on.
 * Mostly the stream behind the state catches up in a moment. Two things must hold until then, and after it if it does not.
 *
 * 1. What is written here meanwhile may have seen what only these slots have seen. So before such a batch goes an
 *    entry of what they have seen: marks name it to those who get single ops, and who wants all the ops
 *    gets the slots first. Without it the write can reach a third member before what it
 *    has overwritten, which then comes back there. The entry names nothing of the batch itself, which nobody can
 *    have before it.
 * 2. What only slots have seen may be lost at its origin (a power cut within the window of fsync everysec). When
 *    every link stands for a while and nobody has these ops, they are *adopted*: what the slots hold of them is
 *    what is left of them, the vector covers them from now on, and others take the slots.
 */

import type { Db } from '../core/db.ts';
import { copyVector, joinVector, seqOf, type VersionVector } from '../crdt/version-vector.ts';
import type { Journal } from '../env.ts';
import { limits } from '../limits.ts';
import type { Backlog } from '../log/backlog.ts';
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
  monotonicMs(): number;
  sealLocal(): void;
  /** Appends to the log on disk only. */
  log(frame: Uint8Array): void;
};

export class Ahead {
  private readonly host: AheadHost;
  /** `aheadChanges` of the database when it was last marked. */
  private marked = 0;
  private stuckSinceMs = -1;
  private stuckVector: VersionVector = [];

  constructor(host: AheadHost) {
    this.host = host;
  }

  /** To be called before a batch of this member, from `firstSeq` on, goes to log and backlog. */
  mark(firstSeq: number): void {
    const { db, backlog, log } = this.host;
    if (db.exceptionCount === 0 || this.marked === db.aheadChanges) return;
    this.marked = db.aheadChanges;
    const shown = db.shownVector();
    shown[db.actor] = firstSeq - 1;
    backlog.appendJump(shown, true);
    log(sealFrame(LOG_KIND.ahead, encodeVector(shown, db.roster)));
  }

  tick(): void {
    const { db } = this.host;
    if (db.exceptionCount > 0) db.finishStateMerge([]);
    const nowMs = this.host.monotonicMs();
    if (db.exceptionCount === 0 || !this.nobodyHasMore()) {
      this.stuckSinceMs = -1;
      return;
    }
    const shown = db.shownVector();
    if (this.stuckSinceMs < 0 || shown.join() !== this.stuckVector.join()) {
      this.stuckSinceMs = nowMs;
      this.stuckVector = shown;
    } else if (nowMs - this.stuckSinceMs >= limits.aheadPatience.value) {
      this.adopt(shown);
    }
  }

  /** Every link stands, and no peer has any of the ops that our vector lacks. */
  private nobodyHasMore(): boolean {
    const { db, placement } = this.host;
    if (placement().role !== 'primary') return false;
    const { dialled } = this.host.peers;
    const { vector } = db;
    return dialled.every(({ target, puller }) => {
      // A replica that is down may still come back; it must not hold up the regions for that.
      if (puller?.state !== 'streaming') return target.purpose === 'member';
      const { heard } = puller;
      return heard.length > 0 && heard.every((seq, actor) => seq <= seqOf(vector, actor));
    });
  }

  private adopt(shown: VersionVector): void {
    const { db, backlog, journal, log } = this.host;
    this.host.sealLocal();
    const vector = copyVector(db.vector);
    joinVector(vector, shown);
    const slots = db.exceptionCount;
    db.finishStateMerge(vector);
    log(sealFrame(LOG_KIND.stateEnd, encodeVector(vector, db.roster)));
    backlog.appendJump(vector);
    this.stuckSinceMs = -1;
    journal.warn({ slots }, 'ops that were lost at their origin: what slots hold of them is kept');
  }
}
