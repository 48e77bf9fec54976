/**
 * Meridian itself on the local runtime: real operators, real engines, two regions of three zones.
 * The steps share one world and build on each other, since starting it is what takes the time.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from './api-server/fixture.ts';
import type { Open } from './api-server/resource.ts';
import { type Regions, startRegions } from './regions.ts';
import { type Reply, RespClient } from './resp-client.ts';
import { root } from './start-local.ts';
import { tagInSlots, Writer } from './writer.ts';

const stateDir = mkdtempSync(join(tmpdir(), 'meridian-test-'));
const waitMs = 30_000;
let world: Regions;
const clients = new Map<string, RespClient>();

beforeAll(async () => {
  const regions = ['eu', 'us'].map((name) => ({
    ...{ name, clientPort: 0, peerPort: 0 },
    zones: [`${name}-a`, `${name}-b`, `${name}-c`],
  }));
  const yaml = readFileSync(join(root, 'examples/carts.yaml'), 'utf8');
  world = await startRegions({ regions, yaml, stateDir });
  await world.ready(90_000);
  for (const [name, port] of world.clientPorts) {
    clients.set(name, await RespClient.connect(port, waitMs));
  }
}, 120_000);

afterAll(async () => {
  for (const client of clients.values()) client.close();
  await world?.stop();
  rmSync(stateDir, { recursive: true, force: true });
}, 30_000);

function ask(region: string, ...args: (string | number)[]): Promise<Reply> {
  return (clients.get(region) as RespClient).command(...args);
}

/** Waits until a region answers a command with this reply. */
async function converges(region: string, args: string[], reply: Reply): Promise<void> {
  await eventually(async () => {
    const got = await ask(region, ...args);
    return JSON.stringify(got) === JSON.stringify(reply);
  }, waitMs);
}

test('a write in one region is read in the other', async () => {
  expect(await ask('eu', 'SET', 'from-eu', '1')).toBe('OK');
  expect(await ask('us', 'SET', 'from-us', '2')).toBe('OK');
  await converges('us', ['GET', 'from-eu'], '1');
  await converges('eu', ['GET', 'from-us'], '2');
});

test('members of a shard are in different zones', () => {
  for (const { members } of world.resource('eu').status.shards) {
    const zones = members.map((one: Open) => one.zone);
    expect(new Set(zones).size).toBe(members.length);
  }
});

test.each(['process', 'node'] as const)(
  'the %s of a primary is killed while a client writes; nothing acknowledged is missing',
  async (what) => {
    const port = world.clientPorts.get('eu') as number;
    const [{ slots }] = world.resource('eu').status.shards;
    const writer = new Writer({ port, tag: tagInSlots(slots), prefix: `${what}:`, pauseMs: 2 });
    writer.start();
    await eventually(() => writer.count > 50, waitMs);
    const primary = world.primary('eu', 0);
    const killedAt = performance.now();
    if (what === 'process') world.local.killProcess('eu', primary);
    else await world.local.killNode('eu', world.nodeOf('eu', primary));
    await eventually(() => writer.acks.some((ack) => ack.sentAt > killedAt), waitMs);
    if (what === 'node') {
      // A process alone may be back before the operator has given it up; then it stays the primary.
      await eventually(() => world.primary('eu', 0) !== primary, waitMs);
      const [failover] = world.resource('eu').status.failovers;
      expect(failover).toMatchObject({ shard: 0, from: primary });
      world.heal('eu');
    }
    await eventually(() => world.isWhole('eu'), waitMs);
    await writer.stop();
    expect(await writer.missingAt(port)).toBe(0);
    const us = world.clientPorts.get('us') as number;
    await eventually(async () => (await writer.missingAt(us)) === 0, waitMs);
  },
  90_000,
);

test('a lost zone leaves every shard writable', async () => {
  const zone = world.zoneOf('us', world.nodeOf('us', world.primary('us', 0)));
  await world.local.killZone('us', zone);
  for (const [shard, { slots }] of world.resource('us').status.shards.entries()) {
    const key = `zone{${tagInSlots(slots)}}`;
    await eventually(async () => {
      // The proxy may have gone with the zone; the forwarder then gives another.
      const port = world.clientPorts.get('us') as number;
      const client = await RespClient.connect(port, waitMs).catch(() => null);
      const reply = await client?.command('SET', key, String(shard)).catch(() => null);
      client?.close();
      return reply === 'OK';
    }, waitMs);
    await converges('eu', ['GET', key], String(shard));
  }
  world.heal('us');
  await eventually(() => world.isWhole('us') && world.missing('us') === '', waitMs);
}, 90_000);

test('a region that was cut off keeps its writes and converges', async () => {
  clients.get('us')?.close();
  clients.set('us', await RespClient.connect(world.clientPorts.get('us') as number, waitMs));
  await ask('eu', 'SADD', 'cart', 'apple', 'pear');
  await eventually(async () => (await ask('us', 'SCARD', 'cart')) === 2, waitMs);
  world.local.cutRegion('us');
  expect(await ask('us', 'SADD', 'cart', 'plum')).toBe(1);
  expect(await ask('eu', 'SREM', 'cart', 'apple')).toBe(1);
  expect(await ask('eu', 'INCRBY', 'count', 2)).toBe(2);
  expect(await ask('us', 'INCRBY', 'count', 3)).toBe(3);
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect(await ask('eu', 'SCARD', 'cart')).toBe(1);
  world.local.healRegion('us');
  for (const region of ['eu', 'us']) {
    await converges(region, ['GET', 'count'], '5');
    await eventually(async () => {
      const members = (await ask(region, 'SMEMBERS', 'cart')) as string[];
      return members.sort().join() === 'pear,plum';
    }, waitMs);
  }
}, 60_000);

test('deleting the resource leaves nothing behind', async () => {
  const { registry } = world.local.cluster('us');
  const type = registry.scheme.getStored('activeactivedatabases.meridian.dev');
  registry.delete(type, world.namespace, world.database);
  const left = () =>
    ['pods', 'statefulsets', 'deployments', 'services', 'persistentvolumeclaims']
      .flatMap((storage) => registry.store.list(storage))
      .map((object) => `${object.kind} ${object.metadata.name}`);
  await eventually(() => left().length === 0 || null, 60_000).catch(() => {});
  expect(left()).toEqual([]);
  expect(readdirSync(join(stateDir, 'us/volumes'))).toEqual([]);
}, 90_000);
