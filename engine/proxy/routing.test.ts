import type { TestClient } from './test-client.ts';
import { delay, keyIn, startRegion, type TestRegion } from './test-region.ts';

describe('a proxy in front of two shards', () => {
  let region: TestRegion;
  let client: TestClient;
  const [a, b] = [keyIn(0), keyIn(1)];

  beforeAll(async () => {
    region = await startRegion();
  });
  afterAll(() => region.stop());
  beforeEach(async () => {
    client = await region.client();
    expect(await client.ask('FLUSHALL')).toBe('OK');
  });
  afterEach(() => client.close());

  test('each key is on the shard that owns its slot', async () => {
    expect(await client.ask('SET', a, '1')).toBe('OK');
    expect(await client.ask('SET', b, '2')).toBe('OK');
    expect([region.shards[0][0].get(a), region.shards[0][0].get(b)]).toEqual(['1', null]);
    expect([region.shards[1][0].get(a), region.shards[1][0].get(b)]).toEqual([null, '2']);
    expect(await client.ask('GET', a)).toBe('1');
    expect(await client.ask('GET', b)).toBe('2');
  });

  test('inline commands are routed, too', async () => {
    client.raw(`SET ${b} "x y"\r\nGET ${b}\r\n`);
    expect([await client.reply(), await client.reply()]).toEqual(['OK', 'x y']);
  });

  test('replies of a pipeline come in the order of its commands, whichever shard is slow', async () => {
    region.shards[0][0].frozen = true;
    const commands: (string | number)[][] = [];
    for (let i = 0; i < 3000; i++) commands.push(['SET', keyIn(i % 2, 2, i % 10), i]);
    commands.push(['PING'], ['NOSUCH'], ['ECHO', 'x']);
    const replies = client.pipeline(commands);
    await delay(50);
    region.shards[0][0].thaw();
    const got = await replies;
    expect(new Set(got.slice(0, 3000))).toEqual(new Set(['OK']));
    expect(got.slice(3000)).toEqual([
      'PONG',
      "ERR unknown command 'NOSUCH', with args beginning with: ",
      'x',
    ]);
    expect(await client.ask('GET', keyIn(1, 2, 9))).toBe('2999');
  });

  test('a big value passes through both ways', async () => {
    const value = 'x'.repeat(3_000_000);
    expect(await client.ask('SET', a, value)).toBe('OK');
    expect(await client.ask('GET', a)).toBe(value);
  });

  test('MGET, MSET, DEL, UNLINK, EXISTS and TOUCH are split and merged', async () => {
    expect(await client.ask('MSET', a, '1', b, '2', `${a}x`, '3')).toBe('OK');
    expect(await client.ask('MGET', b, 'none', a, b, `${a}x`)).toEqual(['2', null, '1', '2', '3']);
    expect(await client.ask('EXISTS', a, b, b, 'none')).toBe(3);
    expect(await client.ask('TOUCH', a, b)).toBe(2);
    expect(await client.ask('UNLINK', a, 'none')).toBe(1);
    expect(await client.ask('DEL', a, b, `${a}x`)).toBe(2);
    expect(await client.ask('MSET', a, '1', b)).toBe(
      "ERR wrong number of arguments for 'mset' command",
    );
    expect(await client.ask('MGET', a, b)).toEqual([null, null]);
  });

  test('commands about all keys are asked of every shard', async () => {
    const keys = Array.from({ length: 40 }, (_, i) => keyIn(i % 2, 2, i));
    for (const key of keys) await client.ask('SET', key, 'v');
    expect(await client.ask('DBSIZE')).toBe(40);
    expect(new Set((await client.ask('KEYS', '*')) as string[])).toEqual(new Set(keys));
    expect(keys).toContain(await client.ask('RANDOMKEY'));
    expect(await client.ask('FLUSHALL')).toBe('OK');
    expect(await client.ask('DBSIZE')).toBe(0);
    expect(await client.ask('RANDOMKEY')).toBeNull();
  });

  test('SCAN goes through all shards and ends at 0', async () => {
    const keys = Array.from({ length: 50 }, (_, i) => keyIn(i % 2, 2, i));
    for (const key of keys) await client.ask('SET', key, 'v');
    const seen: string[] = [];
    let cursor = '0';
    let rounds = 0;
    do {
      const [next, some] = (await client.ask('SCAN', cursor, 'COUNT', 7)) as [string, string[]];
      seen.push(...some);
      cursor = next;
    } while (cursor !== '0' && rounds++ < 200);
    expect(cursor).toBe('0');
    expect(new Set(seen)).toEqual(new Set(keys));
    expect(await client.ask('SCAN', 'x')).toBe('ERR invalid cursor');
    expect(await client.ask('SCAN', '1023')).toBe('ERR invalid cursor');
  });

  test('other commands with keys in several slots are refused', async () => {
    const crossSlot = "CROSSSLOT Keys in request don't hash to the same slot";
    expect(await client.ask('SINTER', a, b)).toBe(crossSlot);
    expect(await client.ask('RENAME', a, b)).toBe(crossSlot);
    expect(await client.ask('MSETNX', a, '1', b, '2')).toBe(crossSlot);
    expect(await client.ask('SINTERCARD', 2, a, b)).toBe(crossSlot);
    expect(await client.ask('SADD', '{t}1', 'x', 'y')).toBe(2);
    expect(await client.ask('SADD', '{t}2', 'y')).toBe(1);
    expect(await client.ask('SINTER', '{t}1', '{t}2')).toEqual(['y']);
    expect(await client.ask('SINTERCARD', 2, '{t}1', '{t}2')).toBe(1);
    expect(await client.ask('SINTERCARD', 9, '{t}1')).toContain('ERR');
  });

  test('each client has its protocol', async () => {
    const three = await region.client();
    const hello = (await three.ask('HELLO', 3)) as Map<string, unknown>;
    expect(hello.get('proto')).toBe(3);
    await client.ask('HSET', a, 'f', 'v');
    expect(await three.ask('HGETALL', a)).toEqual(new Map([['f', 'v']]));
    expect(await client.ask('HGETALL', a)).toEqual(['f', 'v']);
    expect(
      await three.pipeline([
        ['HELLO', 2],
        ['HGETALL', a],
        ['HELLO', 3],
      ]),
    ).toEqual([expect.any(Array), ['f', 'v'], expect.any(Map)]);
    three.close();
  });

  test('the proxy answers for the connection itself', async () => {
    expect(await client.ask('PING')).toBe('PONG');
    expect(await client.ask('ECHO', 'x')).toBe('x');
    expect(await client.ask('SELECT', 0)).toBe('OK');
    expect(await client.ask('SELECT', 1)).toBe('ERR DB index is out of range');
    expect(await client.ask('CLIENT', 'SETNAME', 'me')).toBe('OK');
    expect(await client.ask('CLIENT', 'GETNAME')).toBe('me');
    expect(await client.ask('COMMAND', 'COUNT')).toBeGreaterThan(50);
    expect(await client.ask('INFO')).toContain('map_version:1');
    expect(await client.ask('CONFIG', 'GET', 'databases')).toEqual(['databases', '1']);
    expect(await client.ask('CLUSTER', 'KEYSLOT', 'foo')).toBe(12182);
    expect(await client.ask('CLUSTER', 'INFO')).toContain('cluster_state:ok');
    expect(await client.ask('RESET')).toBe('RESET');
    expect(await client.ask('QUIT')).toBe('OK');
    expect(await client.ask('PING')).toBe('CLOSED');
  });

  test('CLIENT REPLY OFF and SKIP silence forwarded commands', async () => {
    client.send('CLIENT', 'REPLY', 'SKIP');
    client.send('SET', a, '1');
    client.send('CLIENT', 'REPLY', 'OFF');
    client.send('SET', a, '2');
    client.send('NOSUCH');
    client.send('CLIENT', 'REPLY', 'ON');
    client.send('GET', a);
    expect([await client.reply(), await client.reply()]).toEqual(['OK', '2']);
  });

  test('CLIENT PAUSE holds commands back', async () => {
    const reader = await region.client();
    await client.ask('CLIENT', 'PAUSE', 300, 'WRITE');
    const started = performance.now();
    let written = false;
    const replies = client.pipeline([
      ['SET', a, '1'],
      ['GET', a],
    ]);
    void replies.then(() => {
      written = true;
    });
    expect(await reader.ask('GET', a)).toBeNull();
    expect(written).toBe(false);
    expect(await replies).toEqual(['OK', '1']);
    expect(performance.now() - started).toBeGreaterThan(200);
  });

  test('protocol errors close the connection after the replies before them', async () => {
    client.raw(`*2\r\n$3\r\nGET\r\n$${a.length}\r\n${a}\r\n*1\r\n!bad\r\n`);
    expect(await client.reply()).toBeNull();
    expect(await client.reply()).toBe("ERR Protocol error: expected '$', got '!'");
    expect(await client.reply()).toBe('CLOSED');
  });

  test('a client that ends its side still gets all replies', async () => {
    const { connect } = await import('node:net');
    const socket = connect({ host: '127.0.0.1', port: region.proxy.port, allowHalfOpen: true });
    let text = '';
    socket.on('data', (chunk) => {
      text += chunk;
    });
    socket.end(`SET ${a} 1\r\nGET ${b}\r\nGET ${a}\r\n`);
    await new Promise((resolve) => socket.once('end', resolve));
    expect(text).toBe('+OK\r\n$-1\r\n$1\r\n1\r\n');
  });

  test('many clients share one connection to each member in each protocol', async () => {
    const before = region.shards.map(([member]) => member.connectionsAccepted);
    const clients = await Promise.all(Array.from({ length: 20 }, () => region.client()));
    const replies = await Promise.all(clients.map((c, i) => c.ask('INCRBY', keyIn(i % 2), i)));
    expect(replies.every((reply) => typeof reply === 'number')).toBe(true);
    expect(region.shards.map(([member]) => member.connectionsAccepted)).toEqual(before);
    for (const c of clients) c.close();
  });
});
