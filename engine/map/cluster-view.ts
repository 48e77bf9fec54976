/**
 * The map as clients of the Redis Cluster API see it from one process: who owns a slot, and which of
 * the members this is. A proxy is none of them: to such clients it owns nothing, and sends them on.
 */
import { createHash } from 'node:crypto';
import { type DatabaseMap, type MapMember, type MapShard, primaryOf } from './database-map.ts';
import { buildRoutes } from './routes.ts';

export class ClusterView {
  readonly map: DatabaseMap;
  /** Index in `map.shards` of the shard that this member belongs to; -1: none. */
  readonly ownShard: number;
  /** Name of this member; empty on a proxy. */
  readonly member: string;
  /** Slot → index in `map.shards`; -1: nobody owns it. */
  private readonly routes: Int16Array;

  constructor(map: DatabaseMap, member: string) {
    this.map = map;
    this.member = member;
    this.routes = buildRoutes(map);
    this.ownShard = map.shards.findIndex(({ members }) => members.some((m) => m.name === member));
  }

  shardOf(slot: number): number {
    return this.routes[slot];
  }

  /** The member that takes the writes of a slot; null: nobody does at the moment. */
  primaryOf(slot: number): MapMember | null {
    const index = this.routes[slot];
    return index < 0 ? null : primaryOf(this.map.shards[index]);
  }

  /** Slots of shards that have a primary. */
  get servedSlots(): number {
    const served = this.map.shards.filter((shard) => primaryOf(shard) !== null);
    return served.reduce((sum, { firstSlot, lastSlot }) => sum + lastSlot - firstSlot + 1, 0);
  }

  /** 40 hex digits that name a member for as long as the database lives, as Redis names a node. */
  nodeId(member: string): string {
    return this.digest('member', member);
  }

  shardId(shard: MapShard): string {
    return this.digest('shard', shard.members[0]?.name ?? shard.slots);
  }

  private digest(kind: string, name: string): string {
    const { database, region } = this.map;
    return createHash('sha1').update(`${database}\n${region}\n${kind}\n${name}`).digest('hex');
  }
}
