/** Blocking commands through a proxy: they hold up nobody else, and end in every way that a wait can. */
import type { TestClient } from './test-client.ts';
import { delay, keyIn, startRegion, type TestRegion, until } from './test-region.ts';

describe('blocking commands through a proxy', () => {
  let region: TestRegion;
  let client: TestClient;
  let other: TestClient;
  const [a, b] = [keyIn(0), keyIn(1)];

  beforeAll(async () => {
    region = await startRegion({ members: 2 });
  });
  afterAll(() => region.stop());
  beforeEach(async () => {
    client = await region.client();
    other = await region.client();
    await other.ask('FLUSHALL');
  });
  afterEach(() => {
    client.close();
    other.close();
  });

  const blocked = (): number => region.shards[0][0].context.blockedKeys.count;
  const isBlocked = (): Promise<void> => until('the client to block', () => blocked() === 1);

  test('wait without holding up anybody, and what follows them waits for them', async () => {
    client.send('BLPOP', a, '0');
    client.send('SET', b, 'after');
    await isBlocked();
    expect(await other.ask('GET', b)).toBeNull();
    expect(await other.ask('RPUSH', a, 'x')).toBe(1);
    expect(await client.reply()).toEqual([a, 'x']);
    expect(await client.reply()).toBe('OK');
    expect(await other.ask('EXISTS', a)).toBe(0);
    client.send('BLMOVE', a, a, 'LEFT', 'LEFT', '0.01');
    await isBlocked();
    region.shards[0][0].context.blockedKeys.tick(Date.now() + 1000);
    expect(await client.reply()).toBeNull();
    expect(await client.ask('BLPOP', a, 'x')).toBe('ERR timeout is not a float or out of range');
    expect(await client.ask('BLPOP', a, b, '1')).toMatch(/^CROSSSLOT/);
    expect(await client.pipeline([['MULTI'], ['BLPOP', a, '0'], ['EXEC']])).toEqual([
      'OK',
      'QUEUED',
      [null],
    ]);
  });

  test('nothing is popped for a client that has gone', async () => {
    client.send('BLPOP', a, '0');
    await isBlocked();
    client.close();
    await until('the member to notice', () => blocked() === 0);
    expect(await other.ask('RPUSH', a, 'x')).toBe(1);
    expect(await other.ask('LLEN', a)).toBe(1);
  });

  test('CLIENT UNBLOCK reaches the member', async () => {
    const id = await client.ask('CLIENT', 'ID');
    client.send('BRPOP', a, '0');
    await isBlocked();
    expect(await other.ask('CLIENT', 'UNBLOCK', String(id), 'ERROR')).toBe(1);
    expect(await client.reply()).toBe('UNBLOCKED client unblocked via CLIENT UNBLOCK');
    client.send('BRPOP', a, '0');
    await isBlocked();
    expect(await other.ask('CLIENT', 'UNBLOCK', String(id))).toBe(1);
    expect(await client.reply()).toBeNull();
    expect(await other.ask('CLIENT', 'UNBLOCK', String(id))).toBe(0);
    expect(await client.ask('PING')).toBe('PONG');
    await delay(5);
    expect(blocked()).toBe(0);
  });
});
