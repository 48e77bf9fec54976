import { delay, keyIn, startRegion, type TestRegion, until } from './test-region.ts';

describe('when a primary fails', () => {
  let region: TestRegion;
  afterEach(() => region.stop());

  const key = keyIn(0);
  const start = async () => {
    region = await startRegion({ members: 2 });
    const [[first, second], [other]] = region.shards;
    const client = await region.client();
    // The connections to the members stand before anything happens to them.
    await client.pipeline([
      ['GET', key],
      ['GET', keyIn(1)],
    ]);
    return { first, second, other, client };
  };
  const promote = async () => {
    const [[first, second], [other]] = region.shards;
    first.role = 'replica';
    second.role = 'primary';
    await region.setMap([second, other]);
  };

  test('commands wait for the new map and then run on the new primary', async () => {
    const { first, second, client } = await start();
    expect(await client.ask('SET', key, '1')).toBe('OK');
    first.stop();
    await delay(20);
    const replies = client.pipeline([
      ['SET', key, '2'],
      ['GET', key],
      ['GET', keyIn(1)],
    ]);
    await delay(100);
    await promote();
    expect(await replies).toEqual(['OK', '2', null]);
    expect(second.get(key)).toBe('2');
  });

  test('other shards are served meanwhile', async () => {
    const { first, client } = await start();
    first.stop();
    await delay(20);
    const waiting = await region.client();
    const held = waiting.ask('SET', key, '1');
    expect(await client.ask('SET', keyIn(1), '1')).toBe('OK');
    await promote();
    expect(await held).toBe('OK');
  });

  test('a write that was sent but not answered has an unknown outcome, a read is repeated', async () => {
    const { first, client } = await start();
    await client.ask('SET', key, '1');
    first.frozen = true;
    const replies = client.pipeline([
      ['INCR', key],
      ['GET', key],
      ['GET', keyIn(1)],
    ]);
    await delay(50);
    first.stop();
    await promote();
    const [incr, get, elsewhere] = await replies;
    expect(incr).toMatch(/^UNKNOWNOUTCOME the primary carts-0-0 was lost/);
    // The new primary of this test has an empty database.
    expect([get, elsewhere]).toEqual([null, null]);
  });

  test('a write refused by a replica goes to the primary of the next map', async () => {
    const { first, second, client } = await start();
    first.role = 'replica';
    const reply = client.ask('SET', key, '1');
    await delay(120);
    await promote();
    expect(await reply).toBe('OK');
    expect([first.get(key), second.get(key)]).toEqual([null, '1']);
  });

  test('a member that is still loading is asked again', async () => {
    const { first, client } = await start();
    first.role = 'starting';
    const reply = client.ask('SET', key, '1');
    await delay(150);
    first.role = 'primary';
    expect(await reply).toBe('OK');
  });

  test('a transaction is refused and repeated as a whole', async () => {
    const { first, second, client } = await start();
    first.role = 'replica';
    const replies = client.pipeline([['MULTI'], ['SET', key, '1'], ['INCR', key], ['EXEC']]);
    await delay(80);
    await promote();
    expect((await replies)[3]).toEqual(['OK', 2]);
    expect([first.get(key), second.get(key)]).toEqual([null, '2']);
  });

  test('order: a refused write does not follow a later one of its client', async () => {
    const { first, client } = await start();
    first.role = 'replica';
    let runs = 0;
    first.accepts = (chunk) => {
      // Promoted between the two commands, which reached it separately.
      if (chunk.includes('late')) first.role = 'primary';
      runs++;
      return true;
    };
    first.frozen = true;
    client.send('SET', key, 'early');
    await delay(20);
    client.send('SET', key, 'late');
    await delay(20);
    first.thaw();
    expect(await client.reply()).toMatch(/^TRYAGAIN the primary of slot \d+ changed/);
    expect(await client.reply()).toBe('OK');
    expect(first.get(key)).toBe('late');
    expect(runs).toBeGreaterThan(1);
  });

  test('without a new map a command gives up after 5 s and says it was not executed', async () => {
    const { first, client } = await start();
    first.stop();
    await delay(20);
    const started = performance.now();
    const replies = client.pipeline([['SET', key, '1'], ['PING']]);
    expect(await replies).toEqual([
      expect.stringMatching(/^CLUSTERDOWN slot \d+ had no reachable primary for 5000 ms/),
      'PONG',
    ]);
    expect(performance.now() - started).toBeGreaterThan(4900);
  });

  test('a primary that hangs is left as soon as the map names another', async () => {
    const { first, second, client } = await start();
    await client.ask('SET', key, '1');
    first.frozen = true;
    const reader = await region.client();
    const write = client.ask('SET', key, '2');
    const read = reader.ask('GET', key);
    await delay(50);
    await promote();
    expect(await write).toMatch(/^UNKNOWNOUTCOME/);
    expect(await read).toBeNull();
    expect(await client.ask('SET', key, '3')).toBe('OK');
    expect(second.get(key)).toBe('3');
  });

  test('a split command tells what went wrong in a part', async () => {
    const { first, client } = await start();
    first.frozen = true;
    const reply = client.ask('MSET', key, '1', keyIn(1), '2');
    await delay(50);
    first.stop();
    expect(await reply).toMatch(/^UNKNOWNOUTCOME/);
    await promote();
  });

  test('no map yet: commands on data wait for it in their order, the connection is served', async () => {
    region = await startRegion({ mapped: false });
    const client = await region.client();
    expect(await client.ask('PING')).toBe('PONG');
    expect(await client.ask('CRDT.MAP', 'GET')).toBeNull();
    const written = client.ask('SET', key, '1');
    const read = client.ask('MGET', key, 'b');
    await delay(100);
    await region.setMap(region.shards.map(([member]) => member));
    expect(await written).toBe('OK');
    expect(await read).toEqual(['1', null]);
  });

  test('no map for long: commands on data are refused, and served when it comes', async () => {
    region = await startRegion({ mapped: false });
    const client = await region.client();
    expect(await client.ask('GET', 'a')).toBe('LOADING waiting for the map');
    expect(await client.ask('PING')).toBe('PONG');
    await region.setMap(region.shards.map(([member]) => member));
    expect(await client.ask('GET', 'a')).toBeNull();
  });

  test('CRDT.STATUS tells which members answer', async () => {
    const { first, client } = await start();
    const status = async () => JSON.parse(String(await client.ask('CRDT.STATUS', 'JSON')));
    const up = async () =>
      Object.fromEntries(
        (await status()).members.map((m: { name: string; up: boolean }) => [m.name, m.up]),
      );
    await delay(300);
    expect(await status()).toMatchObject({ role: 'proxy', region: 'eu', mapVersion: 1 });
    expect(await up()).toEqual({
      'carts-0-0': true,
      'carts-0-1': true,
      'carts-1-0': true,
      'carts-1-1': true,
    });
    first.stop();
    await delay(100);
    expect((await up())['carts-0-0']).toBe(false);
    region.shards[1][1].frozen = true;
    let silent = true;
    setTimeout(() => {
      silent = false;
    }, 1600);
    await until('three lost probes', () => !silent);
    expect((await up())['carts-1-1']).toBe(false);
    region.shards[1][1].thaw();
    await delay(400);
    expect((await up())['carts-1-1']).toBe(true);
  });

  test('maps: older, other and foreign ones are refused', async () => {
    const { client } = await start();
    const map = JSON.parse(String(await client.ask('CRDT.MAP', 'GET')));
    const set = (change: object) =>
      client.ask('CRDT.MAP', 'SET', JSON.stringify({ ...map, ...change }));
    expect(await set({})).toBe('OK');
    expect(await set({ version: 3 })).toBe('OK');
    expect(await set({ version: 2 })).toBe('STALEMAP have 3, got 2');
    expect(await set({ version: 3, regions: [{ name: 'us', number: 2, endpoint: 'u:1' }] })).toBe(
      'ERR invalid map: version: another map of this version is in force',
    );
    expect(await set({ version: 4, region: 'us' })).toContain(
      'ERR invalid map: region: must be eu',
    );
    expect(await client.ask('CRDT.MAP', 'SET', '{')).toContain('ERR invalid map: is not JSON');
  });
});
