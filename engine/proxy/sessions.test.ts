import { readToken, slotsOf, writeToken } from '../replication/session-token.ts';
import { type RegionReport, reportOf } from '../replication/verify-report.ts';
import type { TestClient } from './test-client.ts';
import { delay, keyIn, startRegion, type TestRegion, until } from './test-region.ts';

describe('what a client keeps across commands', () => {
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
    // By the other one: it is a write to every shard, which WAIT would have to speak for.
    await other.ask('FLUSHALL');
  });
  afterEach(() => {
    client.close();
    other.close();
  });

  test('MULTI is queued at the proxy and run in one piece', async () => {
    expect(
      await client.pipeline([
        ['SET', b, 'x'],
        ['MULTI'],
        ['SET', a, '1'],
        ['INCR', a],
        ['EXEC'],
        ['GET', b],
      ]),
    ).toEqual(['OK', 'OK', 'QUEUED', 'QUEUED', ['OK', 2], 'x']);
    expect(await client.pipeline([['MULTI'], ['EXEC']])).toEqual(['OK', []]);
    expect(await client.pipeline([['MULTI'], ['PING'], ['EXEC']])).toEqual([
      'OK',
      'QUEUED',
      ['PONG'],
    ]);
    expect(await client.ask('EXEC')).toBe('ERR EXEC without MULTI');
  });

  test('a transaction keeps to one slot and to what a member may run for many clients', async () => {
    const aborted = 'EXECABORT Transaction discarded because of previous errors.';
    expect(await client.pipeline([['MULTI'], ['SET', a, '1'], ['SET', b, '1'], ['EXEC']])).toEqual([
      'OK',
      'QUEUED',
      "CROSSSLOT Keys in request don't hash to the same slot",
      aborted,
    ]);
    for (const command of [
      ['HELLO', '3'],
      ['CLIENT', 'REPLY', 'OFF'],
      ['FLUSHALL'],
      ['SUBSCRIBE', 'x'],
    ]) {
      const [, refused, exec] = await client.pipeline([['MULTI'], command, ['EXEC']]);
      expect(refused).toMatch(/^ERR /);
      expect(exec).toBe(aborted);
    }
    expect(await client.pipeline([['MULTI'], ['SET', a], ['EXEC']])).toEqual([
      'OK',
      "ERR wrong number of arguments for 'set' command",
      aborted,
    ]);
    expect(await client.pipeline([['MULTI'], ['SET', a, '1'], ['DISCARD'], ['GET', a]])).toEqual([
      'OK',
      'QUEUED',
      'OK',
      null,
    ]);
  });

  test('WATCH notices changes by others, and only those', async () => {
    expect(await client.ask('WATCH', a)).toBe('OK');
    expect(await client.pipeline([['MULTI'], ['SET', a, '1'], ['EXEC']])).toEqual([
      'OK',
      'QUEUED',
      ['OK'],
    ]);
    await client.ask('WATCH', a);
    await other.ask('SET', a, 'changed');
    expect(await client.pipeline([['MULTI'], ['SET', a, '2'], ['EXEC'], ['GET', a]])).toEqual([
      'OK',
      'QUEUED',
      null,
      'changed',
    ]);
    await client.ask('WATCH', a);
    await other.ask('SET', a, 'again');
    expect(await client.ask('UNWATCH')).toBe('OK');
    expect((await client.pipeline([['MULTI'], ['SET', a, '3'], ['EXEC']]))[2]).toEqual(['OK']);
    expect(await client.ask('WATCH', a, b)).toContain('CROSSSLOT');
  });

  test('connections lent for WATCH are used again', async () => {
    const accepted = () => region.shards[0][0].connectionsAccepted;
    await client.ask('WATCH', a);
    await client.pipeline([['MULTI'], ['GET', a], ['EXEC']]);
    const before = accepted();
    for (let i = 0; i < 5; i++) {
      await client.ask('WATCH', a);
      await client.pipeline([['MULTI'], ['INCR', `{${a}}n`], ['EXEC']]);
      await client.ask('WATCH', a);
      await client.ask('UNWATCH');
      await delay(5);
    }
    expect(accepted()).toBe(before);
  });

  test('WATCH on a connection that broke: EXEC says the keys changed, the next WATCH works', async () => {
    await client.ask('WATCH', a);
    const [primary] = region.shards[0];
    primary.breakConnections();
    await delay(50);
    expect((await client.pipeline([['MULTI'], ['SET', a, '1'], ['EXEC']]))[2]).toBeNull();
    await client.ask('WATCH', a);
    primary.breakConnections();
    await delay(50);
    expect(await client.ask('WATCH', a)).toMatch(/^CLUSTERDOWN the connection to the primary/);
    expect(await client.ask('WATCH', a)).toBe('OK');
    expect((await client.pipeline([['MULTI'], ['SET', a, '2'], ['EXEC']]))[2]).toEqual(['OK']);
  });

  test('a client that leaves while it watches leaves nothing behind', async () => {
    await other.ask('WATCH', a);
    other.close();
    await delay(30);
    await client.ask('SET', a, '1');
    await client.ask('WATCH', a);
    expect((await client.pipeline([['MULTI'], ['GET', a], ['EXEC']]))[2]).toEqual(['1']);
  });

  test('messages reach subscribers of channels and patterns exactly once', async () => {
    expect(await client.ask('SUBSCRIBE', 'one', 'two')).toEqual(['subscribe', 'one', 1]);
    expect(await client.reply()).toEqual(['subscribe', 'two', 2]);
    expect(await client.ask('PSUBSCRIBE', 'o*', '*e')).toEqual(['psubscribe', 'o*', 3]);
    expect(await client.reply()).toEqual(['psubscribe', '*e', 4]);
    const third = await region.client();
    expect(await third.ask('PSUBSCRIBE', '*')).toEqual(['psubscribe', '*', 1]);
    expect(await other.ask('PUBLISH', 'one', 'hi')).toBeGreaterThan(0);
    const got = [await client.reply(), await client.reply(), await client.reply()];
    expect(got).toEqual([
      ['message', 'one', 'hi'],
      ['pmessage', 'o*', 'one', 'hi'],
      ['pmessage', '*e', 'one', 'hi'],
    ]);
    expect(await third.reply()).toEqual(['pmessage', '*', 'one', 'hi']);
    await other.ask('PUBLISH', 'other', 'x');
    expect(await client.reply()).toEqual(['pmessage', 'o*', 'other', 'x']);
    expect(await third.reply()).toEqual(['pmessage', '*', 'other', 'x']);
    expect(await client.ask('GET', a)).toContain('only (P|S)SUBSCRIBE');
    expect(await other.ask('PUBSUB', 'NUMPAT')).toBe(3);
    expect(((await other.ask('PUBSUB', 'CHANNELS')) as string[]).sort()).toEqual(['one', 'two']);
    expect(await other.ask('PUBSUB', 'NUMSUB', 'one', 'none')).toEqual(['one', 1, 'none', 0]);
    third.close();
    client.close();
    await delay(50);
    expect(await other.ask('PUBLISH', 'one', 'nobody')).toBe(0);
    expect(await other.ask('PUBSUB', 'NUMPAT')).toBe(0);
  });

  test('in RESP3 a subscriber goes on asking', async () => {
    await client.ask('HELLO', 3);
    client.send('SUBSCRIBE', 'news');
    await until('the confirmation', () => client.pushes.length === 1);
    expect(await client.ask('GET', a)).toBeNull();
    await other.ask('PUBLISH', 'news', 'hi');
    await until('the message', () => client.pushes.length === 2);
    expect(client.pushes).toEqual([
      ['subscribe', 'news', 1],
      ['message', 'news', 'hi'],
    ]);
    client.send('UNSUBSCRIBE', 'news');
    await until('the end', () => client.pushes.length === 3);
  });

  test('shard channels', async () => {
    expect(await client.ask('SSUBSCRIBE', 's1')).toEqual(['ssubscribe', 's1', 1]);
    expect(await other.ask('SPUBLISH', 's1', 'x')).toBe(1);
    expect(await client.reply()).toEqual(['smessage', 's1', 'x']);
  });

  test('WAIT asks every primary written to for everything it has accepted', async () => {
    const [one, two] = [region.shards[0][0], region.shards[1][0]];
    one.waitCount = 2;
    two.waitCount = 1;
    one.waits.length = 0;
    two.waits.length = 0;
    await client.ask('SET', a, '1');
    expect(
      await client.pipeline([
        ['SET', a, '2'],
        ['WAIT', 2, 100],
      ]),
    ).toEqual(['OK', 2]);
    expect(one.waits).toEqual([['WAIT', '2', '100', 'ALL']]);
    expect(two.waits).toEqual([]);
    await client.ask('SET', b, '1');
    expect(await client.ask('CRDT.WAIT', 1, 100)).toBe(1);
    expect(two.waits).toEqual([['CRDT.WAIT', '1', '100', 'ALL']]);
    expect(await client.ask('WAIT', 'x', 100)).toContain('not an integer');
  });

  test('a token names what all shards have, and is waited for where its slots are', async () => {
    const [one, two] = [region.shards[0][0], region.shards[1][0]];
    await client.pipeline([
      ['SET', a, '1'],
      ['SET', b, '1'],
    ]);
    const token = (await client.ask('CRDT.TOKEN')) as string;
    const read = readToken(token);
    expect(typeof read === 'string' ? read : slotsOf(read)).toBe('0-8191, 8192-16383');
    expect(await client.ask('CRDT.AFTER', token, 700)).toBe(1);
    for (const { tokenWaits, memberApi } of [one, two]) {
      expect(tokenWaits).toEqual([{ parts: memberApi.tokenParts(), timeoutMs: 700 }]);
    }
    two.tokenReached = 0;
    expect(await client.ask('CRDT.AFTER', token, 700)).toBe(0);
    two.tokenReached = 1;
    // Of a region that is cut otherwise: only the upper shard has these slots.
    const part = { firstSlot: 9000, lastSlot: 9100, seqs: [] };
    const narrow = writeToken({ database: 'shop/carts', parts: [part] });
    one.tokenWaits.length = 0;
    two.tokenWaits.length = 0;
    expect(await client.ask('CRDT.AFTER', narrow, 700)).toBe(1);
    expect([one.tokenWaits, two.tokenWaits]).toEqual([[], [{ parts: [part], timeoutMs: 700 }]]);
    expect(await client.ask('CRDT.AFTER', `${token}x`, 700)).toContain('ERR invalid token: it is ');
    expect(await client.ask('CRDT.AFTER', token, -1)).toContain('timeout is negative');
    const foreign = writeToken({ database: 'x', parts: [part] });
    expect(await client.ask('CRDT.AFTER', foreign, 1)).toContain('of database "x", this is shop');
  });

  test('VERIFY asks every shard, and the reports become one', async () => {
    const [one, two] = [region.shards[0][0], region.shards[1][0]];
    const part = (changes: Partial<RegionReport>): RegionReport => ({
      region: 'us',
      verdict: 'converged',
      equalSlots: 8192,
      differentSlots: 0,
      busySlots: 0,
      differences: [],
      opsInFlight: 2,
      reason: '',
      ...changes,
    });
    one.verifyReport = reportOf([part({}), part({ region: 'ap' })]);
    const differences = [{ slot: 9000, keys: ['k\xff'] }];
    two.verifyReport = reportOf([
      part({ verdict: 'different', equalSlots: 8191, differentSlots: 1, differences }),
      part({ region: 'ap', verdict: 'unreachable', equalSlots: 0, busySlots: 8192, reason: 'cut' }),
    ]);
    const text = Buffer.from((await client.ask('CRDT.VERIFY', 'JSON')) as string, 'latin1');
    expect(JSON.parse(text.toString('utf8'))).toEqual({
      verdict: 'different',
      regions: [
        part({
          verdict: 'different',
          equalSlots: 16_383,
          differentSlots: 1,
          differences,
          opsInFlight: 4,
        }),
        part({
          region: 'ap',
          verdict: 'unreachable',
          busySlots: 8192,
          reason: 'cut',
          opsInFlight: 4,
        }),
      ],
    });
    expect(((await client.ask('CRDT.VERIFY')) as unknown[]).slice(0, 2)).toEqual([
      'verdict',
      'different',
    ]);
    expect(await client.ask('CRDT.VERIFY', 'mars')).toContain('no peer region mars');
    expect(await client.ask('CRDT.VERIFY', 'a', 'b')).toBe('ERR syntax error');
    one.verifyReport = reportOf([]);
    two.verifyReport = reportOf([]);
  });

  test('after a failover no token is given for writes that the old primary took', async () => {
    await client.ask('SET', a, '1');
    const [old, next] = region.shards[0];
    old.role = 'replica';
    next.role = 'primary';
    await region.setMap([next, region.shards[1][0]]);
    expect(await client.ask('CRDT.TOKEN')).toMatch(
      /^NOTOKEN the primary of slots 0-8191 has changed/,
    );
    expect(await client.ask('SET', a, '2')).toBe('OK');
    expect(await client.ask('SET', b, '2')).toBe('OK');
    expect(await client.ask('CRDT.TOKEN')).toMatch(/^m1\./);
    old.role = 'primary';
    next.role = 'replica';
    await region.setMap([old, region.shards[1][0]]);
  });

  test('after a failover WAIT does not let the new primary speak for writes of the old one', async () => {
    region.shards[0][1].waitCount = 1;
    await client.ask('SET', a, '1');
    region.shards[0][0].role = 'replica';
    region.shards[0][1].role = 'primary';
    await region.setMap([region.shards[0][1], region.shards[1][0]]);
    expect(await client.ask('WAIT', 1, 100)).toBe(0);
    expect(await client.ask('SET', a, '1')).toBe('OK');
    expect(await client.ask('WAIT', 1, 100)).toBe(1);
    expect(await client.ask('SUBSCRIBE', 'after')).toEqual(['subscribe', 'after', 1]);
  });
});

test('a proxy that ends answers what it has been asked before', async () => {
  const region = await startRegion();
  const client = await region.client();
  await client.ask('GET', keyIn(0));
  region.shards[0][0].frozen = true;
  const reply = client.ask('SET', keyIn(0), '1');
  await delay(30);
  const closed = region.proxy.close();
  await delay(30);
  region.shards[0][0].thaw();
  expect(await reply).toBe('OK');
  expect(await client.reply()).toBe('CLOSED');
  await closed;
  await region.stop();
});

describe('users of a proxy', () => {
  test('are checked at the proxy, in transactions and for channels too', async () => {
    const region = await startRegion({
      users: [
        `reader on >p +@read +@scripting +@connection +@transaction ~${keyIn(0)}* &news`,
        'all on >q +@all ~* &*',
      ],
    });
    try {
      const admin = await region.client();
      const client = await region.client();
      const key = keyIn(0);
      expect(await admin.ask('SET', key, '1')).toBe('OK');
      expect(await client.ask('AUTH', 'reader', 'wrong')).toContain('WRONGPASS');
      expect(await client.ask('AUTH', 'reader', 'p')).toBe('OK');
      const denied = [
        await client.ask('SET', key, '2'),
        await client.ask('GET', keyIn(1)),
        await client.ask('SUBSCRIBE', 'news'),
      ];
      const script = ['return redis.call("GET", "secret")', '0'];
      expect(await client.ask('EVAL', ...script)).toMatch(/^NOPERM .*no scripts through a proxy/);
      expect(await admin.ask('EVAL', ...script)).toBeNull();
      for (const reply of denied) expect(reply).toMatch(/^NOPERM this user has no permissions/);
      expect(await client.ask('GET', key)).toBe('1');
      expect(await client.pipeline([['MULTI'], ['GET', key], ['SET', key, '2'], ['EXEC']])).toEqual(
        ['OK', 'QUEUED', expect.stringMatching(/^NOPERM/), expect.stringMatching(/^EXECABORT/)],
      );
      expect(await client.pipeline([['MULTI'], ['GET', key]])).toEqual(['OK', 'QUEUED']);
      expect(await admin.ask('ACL', 'SETUSER', 'reader', '-get')).toBe('OK');
      expect(await client.ask('EXEC')).toMatch(/^EXECABORT .*ACLs rules changed/);
      expect(await admin.ask('ACL', 'DELUSER', 'reader')).toBe(1);
      expect(await client.reply()).toBe('CLOSED');
    } finally {
      await region.stop();
    }
  });
});

test('client tracking is refused by a proxy, with the cure', async () => {
  const region = await startRegion();
  const client = await region.client();
  expect(await client.ask('CLIENT', 'TRACKING', 'ON')).toMatch(/^ERR .*connect to a member/);
  expect(await client.ask('CLIENT', 'TRACKING', 'OFF')).toBe('OK');
  await region.stop();
});

describe('with a password', () => {
  test('clients must say it, and the proxy says it to the members', async () => {
    const region = await startRegion({ password: 'secret' });
    try {
      const client = await region.client();
      const key = keyIn(1);
      expect(await client.ask('SET', key, '1')).toBe('OK');
      const { TestClient } = await import('./test-client.ts');
      const stranger = await TestClient.connect(region.proxy.port);
      expect(await stranger.ask('GET', key)).toBe('NOAUTH Authentication required.');
      expect(await stranger.ask('AUTH', 'wrong')).toContain('WRONGPASS');
      stranger.raw('*11\r\n');
      expect(await stranger.reply()).toBe('ERR Protocol error: unauthenticated multibulk length');
      const late = await TestClient.connect(region.proxy.port);
      expect(
        await late.pipeline([
          ['HELLO', 3, 'AUTH', 'default', 'secret'],
          ['GET', key],
        ]),
      ).toEqual([expect.any(Map), '1']);
      expect(await late.pipeline([['WATCH', key], ['MULTI'], ['GET', key], ['EXEC']])).toEqual([
        'OK',
        'OK',
        'QUEUED',
        ['1'],
      ]);
      late.close();
    } finally {
      await region.stop();
    }
  });
});
