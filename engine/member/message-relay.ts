/**
 * Messages of pub/sub between members and regions: not logged, and lost where nobody is connected.
 *
 * A message goes once to each region and from there to its members: a primary passes what another
 * region sent on to its own members, and what a member of its own sent on to the regions too.
 */

import type { PubSub } from '../command/pubsub.ts';
import type { Dialled, Peers } from './peers.ts';
import type { Placement } from './role.ts';

export type RelayHost = {
  readonly peers: Peers;
  readonly pubsub: PubSub;
  readonly placement: () => Placement;
};

export class MessageRelay {
  private readonly host: RelayHost;

  constructor(host: RelayHost) {
    this.host = host;
  }

  /** Tells all others of a message that a client of this member published. */
  publish(channel: string, message: string): void {
    this.host.peers.publish(
      Buffer.from(channel, 'latin1'),
      Buffer.from(message, 'latin1'),
      () => true,
    );
  }

  /** Delivers a peer's message here, and passes it on. */
  receive(channel: Uint8Array, message: Uint8Array, from: Dialled): void {
    const { peers, pubsub, placement } = this.host;
    pubsub.deliver(latin1(channel), latin1(message));
    if (placement().role !== 'primary') return;
    const isLocal = from.target.purpose === 'member';
    peers.publish(channel, message, (remote) =>
      remote.purpose === 'region' ? isLocal : remote.actor !== from.remoteActor,
    );
  }
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
}
