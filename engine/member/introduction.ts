/** What a member says of itself in the first message of a session. */

import type { Config } from '../config.ts';
import type { Bytes } from '../crdt/dot.ts';
import { actorText } from '../crdt/roster.ts';
import type { Random } from '../env.ts';
import { FEATURES, type Introduction, PROTOCOL_VERSION } from '../replication/message.ts';
import { NONCE_BYTES } from '../replication/proof.ts';
import type { Placement } from './role.ts';

/** `actorId`: 12 bytes of the actor that writes here. The nonce is fresh each time. */
export function introduction(
  config: Config,
  placement: Placement,
  actorId: Bytes,
  random: Random,
  purpose: Introduction['purpose'],
): Introduction {
  const { database, region, regionNumber, member } = config;
  return {
    protocol: PROTOCOL_VERSION,
    database,
    slots: placement.slots,
    region,
    regionNumber,
    member,
    actor: actorText(actorId),
    purpose,
    features: FEATURES,
    nonce: Buffer.from(random.bytes(NONCE_BYTES)).toString('hex'),
  };
}
