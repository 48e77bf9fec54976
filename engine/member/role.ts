/**
 * What a member is and whom it must dial, as a function of its flags and the map.
 *
 *     standalone (no --managed)  primary of its slots; dials the regions given by --peer
 *     managed, no map yet        starting: commands that touch data are refused
 *     named as primary           primary; pulls from every other member of its shard what it lacks,
 *                                and from each region
 *     another member is primary  replica; pulls everything from that one
 *     not in the map             starting: the operator has not placed it (yet, or any more)
 */

import type { Config } from '../config.ts';
import type { Address } from '../env.ts';
import { type DatabaseMap, type MapMember, primaryOf, splitEndpoint } from '../map/database-map.ts';
import type { Purpose } from '../replication/message.ts';

/** Somebody to pull from. */
export type Target = {
  /** Names the link for ever: "region us", "member carts-0-1". */
  readonly key: string;
  readonly purpose: Purpose;
  readonly region: string;
  /** Number of the region if it is known. */
  readonly regionNumber: number | null;
  /** Member that must answer; null: whoever is primary there. */
  readonly member: string | null;
  readonly address: Address;
  /** Where clients reach it; for ROLE. */
  readonly clientPort: number;
};

export type Placement = {
  readonly role: 'primary' | 'replica' | 'starting';
  /** Why data is not served, when starting. */
  readonly reason: string;
  /** "0-16383" */
  readonly slots: string;
  readonly firstSlot: number;
  readonly lastSlot: number;
  readonly epoch: number;
  /** On a replica: the name of its primary, '' when there is none. */
  readonly primary: string;
  readonly targets: readonly Target[];
  /** All other regions. */
  readonly regions: readonly { readonly name: string; readonly number: number | null }[];
};

export function placeMember(config: Config, map: DatabaseMap | null): Placement {
  const { first, last } = config.slots;
  const none: Placement = {
    role: 'starting',
    reason: 'waiting for the map',
    slots: `${first}-${last}`,
    firstSlot: first,
    lastSlot: last,
    epoch: 0,
    primary: '',
    targets: [],
    regions: [],
  };
  if (!config.managed) {
    const targets = config.peers.map((peer) =>
      regionTarget(peer.region, null, { host: peer.host, port: peer.port }),
    );
    const regions = config.peers.map((peer) => ({ name: peer.region, number: null }));
    return { ...none, role: 'primary', reason: '', targets, regions };
  }
  if (map === null) return none;
  const regions = map.regions.map(({ name, number }) => ({ name, number }));
  const shard = map.shards.find(({ members }) => members.some((m) => m.name === config.member));
  if (shard === undefined) {
    return { ...none, regions, reason: `member ${config.member} is not in the map` };
  }
  const placed = {
    reason: '',
    slots: `${shard.firstSlot}-${shard.lastSlot}`,
    firstSlot: shard.firstSlot,
    lastSlot: shard.lastSlot,
    epoch: shard.epoch,
    primary: shard.primary,
    regions,
  };
  if (shard.primary !== config.member) {
    const primary = primaryOf(shard);
    const targets = primary === null ? [] : [memberTarget(config, primary)];
    return { ...placed, role: 'replica', targets };
  }
  const others = shard.members.filter(({ name }) => name !== config.member);
  const targets = others.map((member) => memberTarget(config, member));
  for (const region of map.regions) {
    const address = splitEndpoint(region.endpoint);
    if (address !== null) targets.push(regionTarget(region.name, region.number, address));
  }
  return { ...placed, role: 'primary', targets };
}

function regionTarget(region: string, regionNumber: number | null, address: Address): Target {
  const key = `region ${region}`;
  return { key, purpose: 'region', region, regionNumber, member: null, address, clientPort: 0 };
}

function memberTarget(config: Config, member: MapMember): Target {
  return {
    key: `member ${member.name}`,
    purpose: 'member',
    region: config.region,
    regionNumber: config.regionNumber,
    member: member.name,
    address: { host: member.host, port: member.peerPort },
    clientPort: member.port,
  };
}

/** Whether two targets are the same place, so that a link to one may stay for the other. */
export function sameTarget(a: Target, b: Target): boolean {
  return a.key === b.key && a.address.host === b.address.host && a.address.port === b.address.port;
}
