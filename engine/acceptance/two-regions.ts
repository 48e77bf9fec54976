/**
 * Shell: two engines as the regions eu and us, joined by cables that can be cut: what the tests of
 * splits and the long run of `make keydb-cut` stand on.
 */
import { createHash } from 'node:crypto';
import { Redis } from 'ioredis';
import { type Cable, layCable } from './cable.ts';
import { type Engine, end, freePort, startEngine, temporaryDirectory, until } from './processes.ts';

const names = ['eu', 'us'] as const;
export type RegionName = (typeof names)[number];

const SCAN_COUNT = 1000;

export class TwoRegions {
  private readonly engines = new Map<RegionName, Engine>();
  private readonly clients = new Map<RegionName, Redis>();
  private readonly starts = new Map<RegionName, () => Promise<Engine>>();
  /** By who dials, which is who gets the data. */
  private readonly cables = new Map<RegionName, Cable>();

  /** Starts both, each pulling from the other through a cable. */
  static async start(flags: readonly string[] = []): Promise<TwoRegions> {
    const regions = new TwoRegions();
    const ports = await Promise.all(names.map(async () => [await freePort(), await freePort()]));
    for (const [index, name] of names.entries()) {
      const otherPeerPort = (ports[1 - index] as number[])[1] as number;
      const cable = await layCable(otherPeerPort);
      regions.cables.set(name, cable);
      const [port, peerPort] = ports[index] as [number, number];
      const other = names[1 - index];
      const options = {
        region: name,
        regionNumber: index + 1,
        port,
        peerPort,
        directory: temporaryDirectory(),
        flags: ['--peer', `${other}=127.0.0.1:${cable.port}`, ...flags],
      };
      regions.starts.set(name, () => startEngine(options));
    }
    for (const name of names) await regions.startRegion(name);
    await regions.linked();
    return regions;
  }

  at(name: RegionName): Redis {
    return this.clients.get(name) as Redis;
  }

  engine(name: RegionName): Engine {
    return this.engines.get(name) as Engine;
  }

  /** Splits the two; both go on serving. */
  async split(): Promise<void> {
    for (const cable of this.cables.values()) cable.cut();
    for (const name of names) {
      await until(`${name} to notice the cut`, async () =>
        (await this.isConnected(name)) ? undefined : true,
      );
    }
  }

  /** Ends the split and counts what the cables carry from now on. */
  mend(): void {
    for (const cable of this.cables.values()) {
      cable.reset();
      cable.mend();
    }
  }

  /** Bytes that went to a region since `mend`. */
  bytesTo(name: RegionName): number {
    return (this.cables.get(name) as Cable).carried.toDialler;
  }

  /** Resolves when both are linked and lack nothing that the other has told of. */
  async converged(limitMs = 30_000): Promise<void> {
    await this.linked();
    await until(
      'both regions to have all ops',
      async () => {
        const [eu, us] = await Promise.all(names.map((name) => this.vector(name)));
        return eu === us ? true : undefined;
      },
      limitMs,
    );
  }

  /** Kills a region and starts it again from its directory. */
  async killAndRestart(name: RegionName): Promise<void> {
    await end(this.engine(name), 'SIGKILL');
    await this.startRegion(name);
  }

  /** One hash over all keys of a region with their values and types, whatever their order. */
  async contents(name: RegionName): Promise<{ keys: number; hash: string }> {
    const client = this.at(name);
    const lines: string[] = [];
    let cursor = '0';
    do {
      const [next, keys] = await client.scan(cursor, 'COUNT', SCAN_COUNT);
      cursor = next;
      lines.push(...(await describeKeys(client, keys)));
    } while (cursor !== '0');
    const unique = [...new Set(lines)].sort();
    const hash = createHash('sha256');
    for (const line of unique) hash.update(line);
    return { keys: unique.length, hash: hash.digest('hex') };
  }

  /** Closes clients and cables; the engines are ended by `stopAll`. */
  async close(): Promise<void> {
    for (const client of this.clients.values()) client.disconnect();
    await Promise.all([...this.cables.values()].map((cable) => cable.close()));
  }

  private async startRegion(name: RegionName): Promise<void> {
    const engine = await (this.starts.get(name) as () => Promise<Engine>)();
    this.clients.get(name)?.disconnect();
    const client = new Redis({ port: engine.port, retryStrategy: () => 50 });
    client.on('error', () => {}); // a region that is killed on purpose
    this.engines.set(name, engine);
    this.clients.set(name, client);
  }

  private async linked(): Promise<void> {
    for (const name of names) {
      await until(`${name} to be linked`, async () =>
        (await this.isConnected(name)) ? true : undefined,
      );
    }
  }

  private async status(name: RegionName): Promise<{
    vector: Record<string, number>;
    peers: { connected: boolean }[];
  }> {
    return JSON.parse((await this.at(name).call('CRDT.STATUS', 'JSON')) as string);
  }

  private async isConnected(name: RegionName): Promise<boolean> {
    return (await this.status(name)).peers.every(({ connected }) => connected);
  }

  private async vector(name: RegionName): Promise<string> {
    const { vector } = await this.status(name);
    const parts = Object.entries(vector).filter(([, seq]) => seq > 0);
    return JSON.stringify(parts.sort(([a], [b]) => (a < b ? -1 : 1)));
  }
}

const readers: Record<string, (key: string) => readonly string[]> = {
  string: (key) => ['get', key],
  hash: (key) => ['hgetall', key],
  set: (key) => ['smembers', key],
  zset: (key) => ['zrange', key, '0', '-1', 'withscores'],
};

async function describeKeys(client: Redis, keys: readonly string[]): Promise<string[]> {
  if (keys.length === 0) return [];
  const types = await client.pipeline(keys.map((key) => ['type', key])).exec();
  const reads = keys.map((key, i) => {
    const type = types?.[i]?.[1] as string;
    return (readers[type] ?? ((missing: string) => ['exists', missing]))(key);
  });
  const values = await client.pipeline(reads as string[][]).exec();
  return keys.map((key, i) => {
    const type = types?.[i]?.[1] as string;
    const value = values?.[i]?.[1];
    const sorted = type === 'hash' || type === 'set' ? sortParts(type, value) : value;
    return JSON.stringify([key, type, sorted]);
  });
}

/** Members, or pairs of field and value, in an order that does not depend on the member's tables. */
function sortParts(type: string, value: unknown): unknown {
  if (type === 'set') return [...(value as string[])].sort();
  const pairs = Array.isArray(value)
    ? Array.from({ length: value.length / 2 }, (_, i) => [value[i * 2], value[i * 2 + 1]])
    : Object.entries(value as object);
  return pairs.map(([field, held]) => JSON.stringify([field, held])).sort();
}
