/**
 * Shell: cluster modes of client libraries against a region of two shards, begun at the proxy and at a
 * member: they find the members, split and follow, and read from a replica when told to.
 */
import { execFileSync } from 'node:child_process';
import { Cluster, type ClusterOptions, Redis } from 'ioredis';
import { createCluster } from 'redis';
import { end, startEngine, stopAll, until } from './processes.ts';
import { type ShardedRegion, startShardedRegion } from './sharded-region.ts';

let region: ShardedRegion;

beforeAll(async () => {
  region = await startShardedRegion();
}, 60_000);

const opened: Cluster[] = [];

/** Closed after the test, whatever becomes of it. */
function open(port: number, options: ClusterOptions = {}): Cluster {
  const cluster = new Cluster([{ host: '127.0.0.1', port }], options);
  opened.push(cluster);
  return cluster;
}

afterEach(() => {
  for (const cluster of opened.splice(0)) cluster.disconnect();
});

afterAll(stopAll);

const keys = Array.from({ length: 40 }, (_, i) => `key:${i}`);

describe.each(['the proxy', 'a member', 'a replica'])('begun at %s', (where) => {
  const port = () =>
    ({ 'the proxy': region.proxy, 'a member': region.primaries[1], 'a replica': region.replica })[
      where
    ]!.port;

  test('ioredis: commands of all slots, pipelines by slot, MULTI with a tag, sharded pub/sub', async () => {
    const cluster = open(port());
    await Promise.all(keys.map((key) => cluster.set(key, `v of ${key}`)));
    expect(await Promise.all(keys.map((key) => cluster.get(key)))).toEqual(
      keys.map((key) => `v of ${key}`),
    );
    const pipeline = cluster.pipeline();
    for (let i = 0; i < 10; i++) pipeline.incr('{count}er');
    expect((await pipeline.exec())?.map(([, value]) => value)).toHaveLength(10);
    const multi = await cluster.multi().hset('{u}:1', 'a', '1').sadd('{u}:2', 'x', 'y').exec();
    expect(multi?.map(([error]) => error)).toEqual([null, null]);
    await expect(cluster.mget('key:1', 'key:2')).rejects.toThrow(/CROSSSLOT|same slot/i);
    expect(cluster.nodes('master').map(({ options }) => options.port)).toEqual(
      expect.arrayContaining(region.primaries.map((primary) => primary.port)),
    );
    const got: string[] = [];
    const subscriber = open(port(), { shardedSubscribers: true });
    subscriber.on('smessage', (channel, message) => got.push(`${channel} ${message}`));
    await subscriber.ssubscribe('news');
    await cluster.spublish('news', 'hello');
    await until('the message', () => (got.length > 0 ? true : undefined));
    expect(got).toEqual(['news hello']);
    await expect(cluster.psubscribe('n*')).rejects.toThrow('PSUBSCRIBE through a proxy');
    await cluster.del('{u}:1', '{u}:2');
  });

  test.each([2, 3] as const)('node-redis in RESP%d', async (RESP) => {
    const cluster = createCluster({
      rootNodes: [{ url: `redis://127.0.0.1:${port()}` }],
      RESP,
    });
    cluster.on('error', () => {});
    await cluster.connect();
    expect(cluster.masters.map((node) => node.port).sort()).toEqual(
      region.primaries.map((primary) => primary.port).sort(),
    );
    await Promise.all(keys.map((key) => cluster.set(key, key)));
    expect(await Promise.all(keys.map((key) => cluster.get(key)))).toEqual(keys);
    expect(await cluster.multi().set('{t}k', '1').incrBy('{t}k', 41).get('{t}k').exec()).toEqual([
      'OK',
      42,
      '42',
    ]);
    await cluster.close();
  });
});

test('a replica serves reads of a client that scales its reads, and no others', async () => {
  const direct = new Redis({ port: region.replica.port });
  await expect(direct.get('bar')).rejects.toThrow(/^MOVED 5061 127\.0\.0\.1:/);
  direct.disconnect();
  const cluster = open(region.proxy.port, { scaleReads: 'slave' });
  await cluster.set('bar', 'from the replica');
  await until('the replica to have it', async () =>
    (await cluster.get('bar')) === 'from the replica' ? true : undefined,
  );
  const reads = async () => {
    const client = new Redis({ port: region.replica.port });
    const stats = await client.info('stats');
    client.disconnect();
    return Number(/total_commands_processed:(\d+)/.exec(stats)?.[1]);
  };
  const before = await reads();
  for (let i = 0; i < 50; i++) await cluster.get('bar');
  expect((await reads()) - before).toBeGreaterThanOrEqual(50);
});

test('redis-cli -c follows MOVED', () => {
  try {
    execFileSync('redis-cli', ['--version']);
  } catch {
    process.stderr.write('redis-cli is not on PATH: this was not tried\n');
    return;
  }
  const cli = (...args: string[]) =>
    execFileSync('redis-cli', ['-c', '-p', `${region.primaries[0].port}`, ...args])
      .toString()
      .trim();
  expect(cli('set', 'foo', 'x')).toContain('OK');
  expect(cli('get', 'foo')).toContain('x');
});

test('an engine alone is no cluster', async () => {
  const engine = await startEngine();
  const client = new Redis({ port: engine.port });
  expect(await client.info('cluster')).toContain('cluster_enabled:0');
  await expect(client.cluster('SLOTS')).rejects.toThrow('cluster support disabled');
  client.disconnect();
  await end(engine);
});
