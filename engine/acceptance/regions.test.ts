/**
 * Shell: three standalone engines as three regions, started with the flags that the README gives: writes travel,
 * cut links heal, a killed region comes back with its own writes, and one that was away too long for the log is
 * filled by state.
 */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import {
  type Engine,
  end,
  freePort,
  startEngine,
  stopAll,
  temporaryDirectory,
  until,
} from './processes.ts';

const names = ['eu', 'us', 'ap'] as const;
type Region = { engine: Engine; client: Redis; directory: string; start(): Promise<void> };
const regions: Record<string, Region> = {};

beforeAll(async () => {
  const ports = await Promise.all(
    names.map(async () => [await freePort(), await freePort()] as const),
  );
  await Promise.all(
    names.map(async (name, index) => {
      const [port, peerPort] = ports[index] as readonly [number, number];
      const directory = temporaryDirectory();
      const peers = names.flatMap((other, i) =>
        other === name ? [] : ['--peer', `${other}=127.0.0.1:${ports[i]?.[1]}`],
      );
      const flags = [...peers, '--fsync', 'everysec', '--backlog-bytes', `${256 * 1024}`];
      const start = async () => {
        const options = { region: name, regionNumber: index + 1, port, peerPort, directory };
        const engine = await startEngine({ ...options, flags });
        regions[name]?.client.disconnect();
        const client = new Redis({ port, retryStrategy: () => 50 });
        client.on('error', () => {});
        regions[name] = { engine, client, directory, start };
      };
      await start();
    }),
  );
  await linked();
}, 60_000);

afterAll(async () => {
  for (const { client } of Object.values(regions)) client.disconnect();
  await stopAll();
});

const at = (name: (typeof names)[number]) => (regions[name] as Region).client;

async function status(name: (typeof names)[number]): Promise<{ peers: Record<string, unknown>[] }> {
  return JSON.parse((await at(name).call('CRDT.STATUS', 'JSON')) as string);
}

async function linked(): Promise<void> {
  for (const name of names) {
    await until(`${name} to be connected to all`, async () => {
      const { peers } = await status(name);
      return peers.length === 2 && peers.every((peer) => peer.connected === true)
        ? true
        : undefined;
    });
  }
}

async function everywhere(
  what: string,
  read: (client: Redis) => Promise<unknown>,
  expected: unknown,
) {
  for (const name of names) {
    await until(`${what} in ${name}`, async () => {
      const value = await read(at(name));
      return JSON.stringify(value) === JSON.stringify(expected) ? true : undefined;
    });
  }
}

test('a write in one region is read in the others, and CRDT.WAIT says when', async () => {
  await at('eu').set('greeting', 'hello');
  expect(await at('eu').call('CRDT.WAIT', '2', '5000')).toBe(2);
  expect(await at('us').get('greeting')).toBe('hello');
  expect(await at('ap').get('greeting')).toBe('hello');
});

test('a token carries read-your-writes to another region; with the link cut the wait ends with 0', async () => {
  const read = async (token: unknown, timeoutMs: number) => [
    await at('us').call('CRDT.AFTER', token as string, String(timeoutMs)),
    await at('us').get('profile of u1'),
  ];
  for (let n = 0; n < 20; n++) {
    await at('eu').set('profile of u1', `version ${n}`);
    expect(await read(await at('eu').call('CRDT.TOKEN'), 5000)).toEqual([1, `version ${n}`]);
  }
  for (const other of ['eu', 'ap'])
    expect(await at('us').call('CRDT.LINK', other, 'PAUSE')).toBe('OK');
  await at('eu').set('profile of u1', 'while cut');
  const token = await at('eu').call('CRDT.TOKEN');
  expect(await read(token, 300)).toEqual([0, 'version 19']);
  const waiting = new Redis({ port: (regions.us as Region).engine.port });
  const arrived = waiting.call('CRDT.AFTER', token as string, '0');
  for (const other of ['eu', 'ap'])
    expect(await at('us').call('CRDT.LINK', other, 'RESUME')).toBe('OK');
  expect(await arrived).toBe(1);
  expect(await waiting.get('profile of u1')).toBe('while cut');
  waiting.disconnect();
  await linked();
});

test('regions that take writes meanwhile compare their slots and have converged', async () => {
  for (let n = 0; n < 3000; n++) at(names[n % 3]).set(`compared:${n}`, String(n));
  let stop = false;
  const load = (async () => {
    for (let n = 0; !stop; n++) await at(names[n % 3]).incr(`written:${n % 50}`);
  })();
  for (const name of names) {
    const report = JSON.parse((await at(name).call('CRDT.VERIFY', 'JSON')) as string);
    expect(report.regions).toHaveLength(2);
    for (const region of report.regions) {
      expect(region).toMatchObject({ verdict: 'converged', equalSlots: 16_384, reason: '' });
    }
  }
  stop = true;
  await load;
  await at('eu').call('CRDT.LINK', 'us', 'PAUSE');
  const cut = JSON.parse((await at('eu').call('CRDT.VERIFY', 'us', 'JSON')) as string);
  expect(cut.verdict).toBe('unreachable');
  await at('eu').call('CRDT.LINK', 'us', 'RESUME');
  await linked();
}, 30_000);

test('increments in all regions add up', async () => {
  await Promise.all(
    names.flatMap((name) => Array.from({ length: 200 }, () => at(name).incr('hits'))),
  );
  await everywhere('the sum', (client) => client.get('hits'), '600');
});

test('a cut region keeps its own writes, and what was deleted elsewhere stays deleted', async () => {
  await at('eu').sadd('members', 'a', 'b', 'c');
  await at('eu').set('doomed', 'x');
  await at('eu').call('CRDT.WAIT', '2', '5000');
  for (const other of ['eu', 'us'])
    expect(await at('ap').call('CRDT.LINK', other, 'PAUSE')).toBe('OK');
  await at('ap').sadd('members', 'from ap');
  await at('ap').incrby('hits', 7);
  await at('eu').srem('members', 'b');
  await at('eu').del('doomed');
  await at('us').incrby('hits', 3);
  expect(await at('ap').get('doomed')).toBe('x');
  for (const other of ['eu', 'us'])
    expect(await at('ap').call('CRDT.LINK', other, 'RESUME')).toBe('OK');
  await everywhere('members', async (client) => (await client.smembers('members')).sort(), [
    'a',
    'c',
    'from ap',
  ]);
  await everywhere('doomed', (client) => client.get('doomed'), null);
  await everywhere('hits', (client) => client.get('hits'), '610');
});

test('a broken link between two regions heals through the third', async () => {
  await at('us').call('CRDT.LINK', 'ap', 'PAUSE');
  await at('us').set('detour', 'through eu');
  await until('the write in ap', async () =>
    (await at('ap').get('detour')) !== null ? true : undefined,
  );
  await at('us').call('CRDT.LINK', 'ap', 'RESUME');
  await linked();
});

test('a killed region comes back with its own writes and gets what it missed', async () => {
  await at('us').set('before', 'the kill');
  await end((regions.us as Region).engine, 'SIGKILL');
  await at('eu').incr('hits');
  await (regions.us as Region).start();
  await everywhere('before', (client) => client.get('before'), 'the kill');
  await everywhere('hits', (client) => client.get('hits'), '611');
  await linked();
});

test('a region that was away for longer than the log reaches is filled by state and keeps its own writes', async () => {
  for (const other of ['eu', 'us']) await at('ap').call('CRDT.LINK', other, 'PAUSE');
  await at('ap').incrby('hits', 100);
  await at('ap').hset('profile', 'ap', 'kept');
  await at('eu').hset('profile', 'eu', 'new');
  await at('eu').srem('members', 'a');
  const value = 'v'.repeat(1000);
  for (let i = 0; i < 2000; i += 100) {
    const pipeline = at('eu').pipeline();
    for (let k = i; k < i + 100; k++) pipeline.set(`bulk:${k}`, value);
    await pipeline.exec();
  }
  for (const other of ['eu', 'us']) await at('ap').call('CRDT.LINK', other, 'RESUME');
  await everywhere('hits', (client) => client.get('hits'), '711');
  await everywhere(
    'profile',
    (client) => client.hgetall('profile').then((all) => Object.entries(all).sort()),
    [
      ['ap', 'kept'],
      ['eu', 'new'],
    ],
  );
  await everywhere('members', async (client) => (await client.smembers('members')).sort(), [
    'c',
    'from ap',
  ]);
  await everywhere('the bulk', (client) => client.get('bulk:1999'), value);
}, 60_000);

test('published messages are delivered in every region', async () => {
  const subscriber = new Redis({ port: (regions.ap as Region).engine.port });
  const got: string[] = [];
  subscriber.on('message', (_channel, message) => got.push(message));
  await subscriber.subscribe('news');
  await at('eu').publish('news', 'hello');
  await until('the message', () => (got.length > 0 ? true : undefined));
  expect(got).toEqual(['hello']);
  subscriber.disconnect();
});

test('an engine killed again and again under load loses nothing that it acknowledged, whatever the fsync policy', () => {
  const root = join(import.meta.dirname, '../..');
  const args = [join(root, 'bench/crash-loop.ts'), '--tries', '2', '--keys', '5000'];
  args.push('--power-cuts', '0');
  const output = execFileSync(process.execPath, args, { encoding: 'utf8', timeout: 55_000 });
  for (const policy of ['always', 'everysec', 'no']) {
    const line = new RegExp(`^2 kills with fsync ${policy}.* 0 wrong, no start needed a hand`, 'm');
    expect(output).toMatch(line);
  }
}, 60_000);
