/**
 * Shell: a region for tests: a few shards of a few members each, and a proxy in front.
 */
import { slotOf } from '../keyspace/slot.ts';
import { nodeSockets } from '../net/node-sockets.ts';
import { type RunningProxy, startProxy } from './main-proxy.ts';
import { TestClient } from './test-client.ts';
import { TestShard } from './test-shard.ts';

export type TestRegion = {
  readonly proxy: RunningProxy;
  /** Members by shard; the first of each is its primary at the start. */
  readonly shards: TestShard[][];
  /** Hands the proxy a map in which these members are the primaries (null: none). */
  setMap(primaries: (TestShard | null)[]): Promise<void>;
  client(): Promise<TestClient>;
  stop(): Promise<void>;
};

export async function startRegion(
  options: {
    shards?: number;
    members?: number;
    password?: string;
    /** Users of the proxy, as `NAME RULES`. */
    users?: readonly string[];
    mapped?: boolean;
    outputBytesMax?: number;
  } = {},
): Promise<TestRegion> {
  const { shards: count = 2, members = 1, password = null, mapped = true } = options;
  const shards = Array.from({ length: count }, (_, i) =>
    Array.from(
      { length: members },
      (_, j) => new TestShard(`carts-${i}-${j}`, i * 16 + j, password),
    ),
  );
  const size = 16384 / count;
  for (const [i, shard] of shards.entries()) {
    const firstSlot = Math.ceil(i * size);
    const lastSlot = Math.ceil((i + 1) * size) - 1;
    for (const member of shard) member.slots = { firstSlot, lastSlot };
    for (const [j, member] of shard.entries()) {
      member.role = j === 0 ? 'primary' : 'replica';
      await member.start();
    }
  }
  const proxy = await startProxy({
    region: 'eu',
    regionNumber: 1,
    database: 'shop/carts',
    member: 'carts-proxy-a',
    bind: '127.0.0.1',
    port: 0,
    peerPort: 0,
    requirepass: password,
    users: options.users,
    sockets: nodeSockets,
    outputBytesMax: options.outputBytesMax,
  });
  const clients: TestClient[] = [];
  let version = 0;
  const region: TestRegion = {
    proxy,
    shards,
    async setMap(primaries) {
      version++;
      const client = await TestClient.connect(proxy.port);
      if (password !== null) await client.ask('AUTH', password);
      const map = mapOf(version, shards, primaries);
      const reply = await client.ask('CRDT.MAP', 'SET', JSON.stringify(map));
      client.close();
      if (reply !== 'OK') throw new Error(String(reply));
    },
    async client() {
      const client = await TestClient.connect(proxy.port);
      clients.push(client);
      if (password !== null) await client.ask('AUTH', password);
      return client;
    },
    async stop() {
      for (const client of clients) client.close();
      await proxy.close();
      for (const member of shards.flat()) member.stop();
    },
  };
  if (mapped) await region.setMap(shards.map((shard) => shard[0]));
  return region;
}

function mapOf(version: number, shards: TestShard[][], primaries: (TestShard | null)[]): object {
  const size = 16384 / shards.length;
  return {
    version,
    database: 'shop/carts',
    region: 'eu',
    regionNumber: 1,
    shards: shards.map((members, i) => ({
      slots: `${Math.ceil(i * size)}-${Math.ceil((i + 1) * size) - 1}`,
      epoch: version,
      primary: primaries[i]?.name ?? '',
      members: members.map(({ name, port }) => ({
        name,
        host: '127.0.0.1',
        port,
        peerPort: port,
        zone: 'a',
      })),
    })),
    regions: [],
  };
}

/** A key that lies in shard `shard` of `count`, different for each `n`. */
export function keyIn(shard: number, count = 2, n = 0): string {
  for (let i = 0; ; i++) {
    const key = `key:${n}:${i}`;
    const slot = slotOf(Buffer.from(key), 0, key.length);
    if (Math.floor(slot / (16384 / count)) === shard) return key;
  }
}

export function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Waits for something; gives up when for 8 s neither it nor its `progress` has come further. */
export async function until(
  what: string,
  done: () => boolean,
  progress: () => number = () => 0,
): Promise<void> {
  let seen = progress();
  let deadline = performance.now() + 8000;
  while (!done()) {
    if (progress() !== seen) {
      seen = progress();
      deadline = performance.now() + 8000;
    }
    if (performance.now() > deadline) throw new Error(`waited too long for ${what}`);
    await delay(5);
  }
}
