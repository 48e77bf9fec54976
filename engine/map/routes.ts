/**
 * Slot → shard as a table, rebuilt with each map: one load per command.
 */
import { SLOT_COUNT } from '../keyspace/slot.ts';
import type { DatabaseMap } from './database-map.ts';

/** Index of the shard in `map.shards` for every slot; -1 where none owns it. */
export function buildRoutes(map: DatabaseMap): Int16Array {
  const routes = new Int16Array(SLOT_COUNT).fill(-1);
  for (const [index, shard] of map.shards.entries()) {
    routes.fill(index, shard.firstSlot, shard.lastSlot + 1);
  }
  return routes;
}
