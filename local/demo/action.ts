/**
 * What can be done to the running demo, from a key or a second command. Each action resolves with a
 * sentence that says what was done, or throws one that says what would have been possible.
 */
import type { Regions } from '../regions.ts';

/** One of zone, node, shard or cut says what is hit. */
export interface KillRequest {
  region: string;
  zone?: string;
  node?: string;
  /** Kills the process of the shard's primary. */
  shard?: number;
  cut?: boolean;
}

export async function kill(world: Regions, request: KillRequest): Promise<string> {
  const { region, zone, node, shard, cut } = request;
  const { local } = world;
  local.cluster(region);
  if (cut === true) {
    local.cutRegion(region);
    return `cut ${region} off from the other regions`;
  }
  if (zone !== undefined) {
    await local.killZone(region, zone);
    return `killed zone ${zone} of ${region}`;
  }
  if (node !== undefined) {
    await local.killNode(region, node);
    return `killed node ${node} of ${region}`;
  }
  if (shard === undefined || !Number.isInteger(shard)) {
    throw new Error('say what to kill: a zone, a node, a shard (its primary), or cut');
  }
  const primary = world.primary(region, shard);
  local.killProcess(region, primary);
  return `killed the process of ${primary}, primary of shard ${shard} in ${region}`;
}

/** Brings everything of a region back, or of all. */
export function heal(world: Regions, region: string | undefined): string {
  const names = region === undefined ? [...world.clientPorts.keys()] : [region];
  for (const name of names) world.heal(name);
  return `brought back ${names.join(', ')}`;
}
