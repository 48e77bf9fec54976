/**
 * Shell: the clients that people use, against real processes: an engine alone (under Bun and under Node) and a
 * proxy in front of two shards. Each does what an application does on its first day.
 */
import { execFileSync } from 'node:child_process';
import { Redis } from 'ioredis';
import { createClient } from 'redis';
import { end, exchange, freePort, startEngine, stopAll, until } from './processes.ts';
import { startShardedRegion } from './sharded-region.ts';

type Target = { readonly title: string; readonly port: number };

const targets: Target[] = [];

beforeAll(async () => {
  const [bun, node] = await Promise.all([startEngine(), startEngine({ runtime: 'node' })]);
  targets.push({ title: 'an engine under Bun', port: bun.port });
  targets.push({ title: 'an engine under Node', port: node.port });
  targets.push({ title: 'a proxy of two shards', port: (await startShardedRegion()).proxy.port });
}, 60_000);

afterAll(stopAll);

describe.each([0, 1, 2])('target %#', (index) => {
  const target = () => targets[index] as Target;

  test('large values arrive whole, also in MULTI and while the client is paused', async () => {
    const client = new Redis({ port: target().port });
    const value = (n: number) => `${n}`.repeat(20_000);
    const names = Array.from({ length: 30 }, (_, n) => `{large}${n}`);
    // A proxy has no pause of its own.
    if (index < 2) await client.call('CLIENT', 'PAUSE', '50', 'ALL');
    const pipeline = client.pipeline();
    for (const [n, name] of names.entries()) pipeline.set(name, value(n));
    const multi = client.multi();
    for (const [n, name] of names.entries()) multi.append(name, value(n));
    await Promise.all([pipeline.exec(), multi.exec()]);
    expect(await client.mget(names)).toEqual(names.map((_, n) => value(n) + value(n)));
    client.disconnect();
  });

  test('ioredis connects, pipelines, runs MULTI and counts', async () => {
    const client = new Redis({ port: target().port });
    await client.flushall();
    expect(await client.set('name', 'ada')).toBe('OK');
    expect(await client.get('name')).toBe('ada');
    const pipeline = client.pipeline();
    for (let i = 0; i < 100; i++) pipeline.incr('hits');
    const replies = await pipeline.exec();
    expect(replies?.map(([, value]) => value)).toEqual(
      Array.from({ length: 100 }, (_, i) => i + 1),
    );
    const multi = await client.multi().hset('{u}:1', 'a', '1').sadd('{u}:2', 'x', 'y').exec();
    expect(multi).toEqual([
      [null, 1],
      [null, 2],
    ]);
    expect(await client.mset('a', '1', 'b', '2', 'c', '3')).toBe('OK');
    expect(await client.mget('a', 'b', 'c', 'none')).toEqual(['1', '2', '3', null]);
    expect(await client.del('a', 'b', 'c', 'none')).toBe(3);
    client.disconnect();
  });

  test('ioredis keeps binary values and keys to the byte', async () => {
    const client = new Redis({ port: target().port });
    const bytes = Buffer.from(Array.from({ length: 512 }, (_, i) => i & 255));
    await client.set(bytes, bytes);
    expect(await client.getBuffer(bytes)).toEqual(bytes);
    await client.hset('binary', { field: bytes });
    expect(await client.hgetBuffer('binary', 'field')).toEqual(bytes);
    client.disconnect();
  });

  test('ioredis receives published messages', async () => {
    const subscriber = new Redis({ port: target().port });
    const client = new Redis({ port: target().port });
    const got: string[] = [];
    subscriber.on('message', (channel, message) => got.push(`${channel} ${message}`));
    subscriber.on('pmessage', (pattern, channel, message) =>
      got.push(`${pattern} ${channel} ${message}`),
    );
    expect(await subscriber.subscribe('news')).toBe(1);
    expect(await subscriber.psubscribe('n*')).toBe(2);
    await client.publish('news', 'hello');
    await until('both messages', () => (got.length === 2 ? true : undefined));
    expect(got.sort()).toEqual(['n* news hello', 'news hello']);
    subscriber.disconnect();
    client.disconnect();
  });

  test.each([2, 3] as const)('node-redis works in RESP%d', async (protocol) => {
    const client = createClient({ url: `redis://127.0.0.1:${target().port}`, RESP: protocol });
    client.on('error', () => {});
    await client.connect();
    await client.flushAll();
    await client.hSet('user', { name: 'ada', city: 'london' });
    expect({ ...(await client.hGetAll('user')) }).toEqual({ name: 'ada', city: 'london' });
    expect(await client.sAdd('tags', ['a', 'b'])).toBe(2);
    expect([...(await client.sMembers('tags'))].sort()).toEqual(['a', 'b']);
    expect(await client.multi().set('{t}k', '1').incrBy('{t}k', 41).get('{t}k').exec()).toEqual([
      'OK',
      42,
      '42',
    ]);
    const replies = await Promise.all(
      Array.from({ length: 50 }, (_, i) => client.set(`many:${i}`, `${i}`)),
    );
    expect(new Set(replies)).toEqual(new Set(['OK']));
    const keys: string[] = [];
    for await (const some of client.scanIterator({ MATCH: 'many:*', COUNT: 7 })) keys.push(...some);
    expect(new Set(keys).size).toBe(50);
    await client.close();
  });

  test('node-redis in RESP3 receives pushes on the connection that also asks', async () => {
    const url = `redis://127.0.0.1:${target().port}`;
    const subscriber = createClient({ url, RESP: 3 });
    const client = createClient({ url, RESP: 3 });
    await Promise.all([subscriber.connect(), client.connect()]);
    const got: string[] = [];
    await subscriber.subscribe('resp3', (message) => got.push(message));
    await client.publish('resp3', 'pushed');
    await until('the push', () => (got.length === 1 ? true : undefined));
    expect(got).toEqual(['pushed']);
    await Promise.all([subscriber.close(), client.close()]);
  });

  test('WATCH aborts a transaction whose key another client changed', async () => {
    const [one, two] = [new Redis({ port: target().port }), new Redis({ port: target().port })];
    await one.set('watched', '1');
    await one.watch('watched');
    await two.set('watched', '2');
    expect(await one.multi().set('watched', '3').exec()).toBeNull();
    expect(await one.get('watched')).toBe('2');
    one.disconnect();
    two.disconnect();
  });

  test('redis-cli prints what people expect', () => {
    const cli = (...args: string[]) => {
      try {
        return execFileSync('redis-cli', ['-p', `${target().port}`, ...args])
          .toString()
          .trim();
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
        throw error;
      }
    };
    if (cli('ping') === null) {
      process.stderr.write('redis-cli is not on PATH: this comparison was not run\n');
      return;
    }
    expect(cli('ping')).toBe('PONG');
    expect(cli('set', 'cli', 'x', 'ex', '100')).toBe('OK');
    expect(Number(cli('ttl', 'cli'))).toBeGreaterThan(90);
    expect(cli('-3', 'hset', 'clihash', 'f', 'v')).toBe('1');
    expect(cli('nosuch')).toMatch(/^ERR unknown command 'nosuch'/);
    expect(cli('get')).toBe("ERR wrong number of arguments for 'get' command");
  });
});

test('a password is asked for, and HELLO with AUTH gives it', async () => {
  const engine = await startEngine({ flags: ['--requirepass', 'secret'], port: await freePort() });
  const { reply } = await exchange(engine.port, 'GET k\r\nAUTH wrong\r\nHELLO 3\r\n');
  expect(reply.split('\r\n').slice(0, 3)).toEqual([
    expect.stringMatching(/^-NOAUTH Authentication required/),
    expect.stringMatching(/^-WRONGPASS /),
    expect.stringMatching(/^-NOAUTH HELLO must be called/),
  ]);
  const stranger = new Redis({ port: engine.port, lazyConnect: true, retryStrategy: () => null });
  const errors: string[] = [];
  stranger.on('error', ({ message }) => errors.push(message));
  await expect(stranger.connect()).rejects.toThrow();
  expect(errors).toEqual([expect.stringMatching(/^NOAUTH /)]);
  const known = new Redis({ port: engine.port, password: 'secret' });
  expect(await known.set('k', 'u')).toBe('OK');
  known.disconnect();
  const client = createClient({ url: `redis://:secret@127.0.0.1:${engine.port}`, RESP: 3 });
  await client.connect();
  expect(await client.set('k', 'v')).toBe('OK');
  await client.close();
  await end(engine);
});
