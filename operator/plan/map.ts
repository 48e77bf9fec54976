/**
 * The map that members and proxies route by, as CRDT.MAP SET takes it.
 *
 * It is a function of who is primary (persisted in the resource's status) and where the pods are
 * (observed). A version number must never stand for two different contents, although several
 * operators compute it and any of them may die: so the status keeps the digest of the content
 * beside the version, both are written in one conditional write, and only then is it pushed.
 */
import type { Build } from '../specs/build.ts';
import { fingerprint } from '../specs/fingerprint.ts';
import { databaseName, MEMBER_PEER_PORT, MEMBER_PORT, slotRange } from '../specs/names.ts';
import { type MapRecord, membersOf, type Observed } from './observed.ts';

export type MapMember = {
  readonly name: string;
  readonly host: string;
  readonly port: number;
  readonly peerPort: number;
  readonly zone: string;
};

export type MapDocument = {
  readonly version: number;
  readonly database: string;
  readonly region: string;
  readonly regionNumber: number;
  readonly shards: readonly {
    readonly slots: string;
    readonly epoch: number;
    readonly primary: string;
    readonly members: readonly MapMember[];
  }[];
  readonly regions: readonly {
    readonly name: string;
    readonly number: number;
    readonly endpoint: string;
  }[];
};

/** The map for the given primaries and the pods as they are now. */
export function buildMap(
  { owner, region, spec }: Build,
  observed: Observed,
  shards: MapRecord['shards'],
  version: number,
): MapDocument {
  return {
    version,
    database: databaseName(owner),
    region: region.name,
    regionNumber: region.number,
    shards: shards.map(({ epoch, primary }, shard) => ({
      slots: slotRange(shard, spec.shards),
      epoch,
      primary,
      members: membersOf(observed, shard)
        .filter(({ ip, running }) => ip !== '' && running)
        .map(({ name, ip, zone }) => ({
          name,
          host: ip,
          port: MEMBER_PORT,
          peerPort: MEMBER_PEER_PORT,
          zone,
        })),
    })),
    regions: spec.regions
      .filter(({ name, endpoint }) => name !== region.name && endpoint !== undefined)
      .map(({ name, number, endpoint }) => ({ name, number, endpoint: endpoint as string }))
      .sort((a, b) => a.number - b.number),
  };
}

/** Digest of everything in a map but its version. */
export function mapDigest(document: MapDocument): string {
  return fingerprint({ ...document, version: 0 });
}
