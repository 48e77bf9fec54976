/**
 * Who else has what was written here: regions by their acknowledgements, replicas by their sessions.
 * WAIT, CRDT.WAIT, CRDT.AFTER and `--min-replicas` ask here.
 */

import type { WaitDone } from '../command/context.ts';
import type { Db } from '../core/db.ts';
import { covers, type VersionVector } from '../crdt/version-vector.ts';
import type { SessionServer } from '../replication/server.ts';
import { type TokenPart, TokenWatch } from '../replication/session-token.ts';
import type { Peers } from './peers.ts';
import type { Placement } from './role.ts';
import { Waits } from './waits.ts';

export type ConfirmationsHost = {
  readonly db: Db;
  readonly peers: Peers;
  placement(): Placement;
  monotonicMs(): number;
};

export class Confirmations {
  /** What each region has confirmed. */
  readonly regionAcked = new Map<string, VersionVector>();
  private readonly host: ConfirmationsHost;
  private readonly waits = new Waits();

  constructor(host: ConfirmationsHost) {
    this.host = host;
  }

  /** A peer has confirmed more. */
  confirmed({ remote, acked }: SessionServer): void {
    // A session that has not confirmed anything yet takes nothing back.
    if (remote?.purpose === 'region' && acked.length > 0) {
      this.regionAcked.set(remote.region, acked);
    }
    this.check();
  }

  /** Ends the waits that have what they wait for, and those that are over. */
  check(): void {
    if (!this.waits.isEmpty) this.waits.check(this.host.monotonicMs());
  }

  /** How many replicas have the ops of this member up to `seq`; 0 counts those that stream. */
  replicasWith(seq: number): number {
    const { actor } = this.host.db;
    let count = 0;
    for (const { server } of this.host.peers.accepted) {
      if (server.state !== 'streaming' || server.remote?.purpose !== 'member') continue;
      if (seq === 0 || covers(server.acked, actor, seq)) count++;
    }
    return count;
  }

  /** Calls `done` when `n` replicas have `seq`, or the time is over. Returns what gives the wait up. */
  waitReplicas(seq: number, n: number, timeoutMs: number, done: WaitDone): () => void {
    return this.begin(() => this.replicasWith(seq), n, timeoutMs, done);
  }

  /** The same for other regions. */
  waitRegions(seq: number, n: number, timeoutMs: number, done: WaitDone): () => void {
    return this.begin(() => this.regionsWith(seq), n, timeoutMs, done);
  }

  /** Calls `done` when everything that the token names is here, or the time is over. */
  waitToken(parts: readonly TokenPart[], timeoutMs: number, done: WaitDone): () => void {
    const watch = new TokenWatch(parts);
    const { db } = this.host;
    return this.begin(() => (watch.reached(db.vector, db.roster) ? 1 : 0), 1, timeoutMs, done);
  }

  private regionsWith(seq: number): number {
    const { actor } = this.host.db;
    let count = 0;
    for (const { name } of this.host.placement().regions) {
      const acked = this.regionAcked.get(name);
      if (acked !== undefined && covers(acked, actor, seq)) count++;
    }
    return count;
  }

  private begin(count: () => number, needed: number, ms: number, done: WaitDone): () => void {
    return this.waits.begin(count, needed, ms, this.host.monotonicMs(), done);
  }
}
