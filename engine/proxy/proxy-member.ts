/**
 * The proxy behind the commands that ask about the process: CRDT.STATUS, CRDT.MAP, INFO, ROLE.
 */
import type {
  InfoSection,
  MapRefusal,
  MemberApi,
  MemberRole,
  ReplicationView,
} from '../command/context.ts';
import { SLOT_COUNT } from '../keyspace/slot.ts';
import { ClusterView } from '../map/cluster-view.ts';
import { type DatabaseMap, mapErrorText, parseMap, refuseMap } from '../map/database-map.ts';
import type { Router } from './router.ts';

export type ProxyIdentity = {
  readonly member: string;
  readonly region: string;
  readonly database: string;
  readonly shutdown?: () => void;
};

export class ProxyMember implements MemberApi {
  /** To clients with a cluster mode it is a member without slots that knows the others. */
  cluster: ClusterView | null = null;
  /** Set once clients are accepted. */
  clientCount: () => number = () => 0;
  private readonly identity: ProxyIdentity;
  private readonly router: Router;
  private json: string | null = null;

  constructor(identity: ProxyIdentity, router: Router) {
    this.identity = identity;
    this.router = router;
  }

  /** To clients a proxy with a map is the primary of everything. */
  role(): MemberRole {
    return this.router.map === null ? 'starting' : 'primary';
  }

  startingReason(): string {
    return 'waiting for the map';
  }

  status(): object {
    const { router, identity } = this;
    return {
      role: 'proxy',
      name: identity.member,
      region: identity.region,
      mapVersion: router.map?.version ?? 0,
      clients: this.clientCount(),
      members: [...router.members.values()].map(({ address, up, sinceMs }) => ({
        name: address.name,
        up,
        sinceMs,
      })),
    };
  }

  setMap(json: string): MapRefusal | null {
    const result = parseMap(json);
    if ('errors' in result) return { kind: 'invalid', reason: mapErrorText(result.errors) };
    const { map } = result;
    const foreign = this.foreign(map);
    if (foreign !== null) return { kind: 'invalid', reason: foreign };
    const refusal = refuseMap(this.router.map, map);
    if (refusal !== null) return refusal;
    if (map.version === this.router.map?.version) return null;
    this.json = json;
    this.cluster = new ClusterView(map, '');
    this.router.setMap(map);
    return null;
  }

  getMap(): string | null {
    return this.json;
  }

  info(): readonly InfoSection[] {
    const { map, members } = this.router;
    const up = [...members.values()].filter((member) => member.up).length;
    return [
      {
        title: 'Proxy',
        lines: [
          ['map_version', map?.version ?? 0],
          ['shards', map?.shards.length ?? 0],
          ['members', members.size],
          ['members_up', up],
        ],
      },
    ];
  }

  replication(): ReplicationView {
    return { position: 0, upstream: null, replicas: [] };
  }

  shutdown(): void {
    this.identity.shutdown?.();
  }

  // What follows is asked of members; the proxy has its own way of running these commands.

  waitRegions(_s: unknown, _n: number, _t: number, _a: boolean, done: (n: number) => void) {
    done(0);
    return () => {};
  }

  waitReplicas(_s: unknown, _n: number, _t: number, _a: boolean, done: (n: number) => void) {
    done(0);
    return () => {};
  }

  slots() {
    return { firstSlot: 0, lastSlot: SLOT_COUNT - 1 };
  }

  tokenParts() {
    return [];
  }

  waitToken(_parts: unknown, _t: number, done: (n: number) => void) {
    done(0);
    return () => {};
  }

  verify() {
    return 'no such region' as const;
  }

  link(): boolean {
    return false;
  }

  publish(): void {}

  private foreign(map: DatabaseMap): string | null {
    const { database, region } = this.identity;
    if (map.database !== database) return `database: must be ${database}, which this proxy serves`;
    if (map.region !== region) return `region: must be ${region}, where this proxy is`;
    return null;
  }
}
