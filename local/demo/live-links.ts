/**
 * Shell: how the regions' links are right now, asked of the primaries themselves. The resource's
 * status says the same, but operators write it every few seconds only, and people who have just cut
 * a link look at the screen at once.
 */
import type { Open } from '../api-server/resource.ts';
import type { Regions } from '../regions.ts';
import { RespClient } from '../resp-client.ts';
import type { LinkView } from './snapshot.ts';

const intervalMs = 400;
const answerLimitMs = 1000;
const memberPort = 6379;

export interface LiveLinks {
  /** The links of a region, or null while its primaries have not answered. */
  of(region: string): LinkView[] | null;
  stop(): void;
}

export function startLiveLinks(world: Regions): LiveLinks {
  const known = new Map<string, LinkView[] | null>();
  let stopped = false;
  const poll = async (region: string): Promise<void> => {
    known.set(region, await askPrimaries(world, region));
    if (!stopped) setTimeout(() => void poll(region), intervalMs).unref();
  };
  for (const region of world.clientPorts.keys()) void poll(region);
  return {
    of: (region) => known.get(region) ?? null,
    stop: () => {
      stopped = true;
    },
  };
}

async function askPrimaries(world: Regions, region: string): Promise<LinkView[] | null> {
  try {
    const shards = Array.from({ length: world.shardCount(region) }, (_, shard) => shard);
    const answers = await Promise.all(shards.map((shard) => askPrimary(world, region, shard)));
    return combine(answers);
  } catch {
    return null;
  }
}

async function askPrimary(world: Regions, region: string, shard: number): Promise<Open[]> {
  const host = world.addressOf(region, world.primary(region, shard));
  const client = await RespClient.connect(memberPort, answerLimitMs, host);
  try {
    const reply = await client.command('CRDT.STATUS', 'JSON');
    if (typeof reply !== 'string') throw new Error('no status');
    return JSON.parse(reply).peers;
  } finally {
    client.close();
  }
}

/** A region is connected when every shard is; its lag is the worst of them. */
function combine(shards: readonly Open[][]): LinkView[] {
  const names = [...new Set(shards.flat().map((peer) => peer.region as string))];
  return names.map((name) => {
    const peers = shards.map((list) => list.find((peer) => peer.region === name));
    return {
      name,
      connected: peers.every((peer) => peer?.connected === true),
      lagMs: Math.max(...peers.map((peer) => peer?.lagMs ?? 0)),
      pendingOps: peers.reduce((sum, peer) => sum + (peer?.pendingOps ?? 0), 0),
    };
  });
}
