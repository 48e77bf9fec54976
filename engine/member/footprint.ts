/** What a member holds besides its data; each figure has a bound that does not depend on the past. */

import type { Roster } from '../crdt/roster.ts';
import type { Backlog } from '../log/backlog.ts';
import type { Clients } from './clients.ts';
import type { Peers } from './peers.ts';
import type { SafePoint } from './safe-point.ts';

export type Footprint = {
  readonly backlogBytes: number;
  /** Sent to a peer and not confirmed, at most. */
  readonly unackedBytes: number;
  /** Received from a peer and waiting behind a mark, at most. */
  readonly heldFrames: number;
  /** Replies that wait for the log or for replicas, of one client at most. */
  readonly heldReplyBytes: number;
  readonly unsafeVectors: number;
  readonly acceptedPeers: number;
  readonly actors: number;
};

export function footprintOf(parts: {
  readonly backlog: Backlog;
  readonly peers: Peers;
  readonly clients: Clients;
  readonly safePoint: SafePoint;
  readonly roster: Roster;
}): Footprint {
  const { dialled, accepted } = parts.peers;
  return {
    backlogBytes: parts.backlog.bytesHeld,
    unackedBytes: Math.max(0, ...accepted.map(({ server }) => server.unackedBytes)),
    heldFrames: Math.max(0, ...dialled.map(({ puller }) => puller?.heldFrames ?? 0)),
    heldReplyBytes: parts.clients.heldBytesMost,
    unsafeVectors: parts.safePoint.waiting,
    acceptedPeers: accepted.length,
    actors: parts.roster.ids.length,
  };
}
