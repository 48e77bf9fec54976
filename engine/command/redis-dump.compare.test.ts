/** DUMP and RESTORE beside Redis: each restores what the other has dumped, and refuses in the same words. */
import { encodeRequest } from '../resp/request-writer.ts';
import { type RedisConnection, RedisProcess, redisVersion } from './redis-process.ts';
import type { ReplyTree } from './reply-tree.ts';
import { makeFixture, show, type TestClient } from './session-fixture.ts';
import { sortedReply } from './sorted-reply.ts';

const PORT = 22_240;
const withRedis = redisVersion()?.startsWith('7.0.') ? describe : describe.skip;

const many = (n: number, name: (i: number) => string[]): string[] =>
  Array.from({ length: n }, (_, i) => name(i)).flat();

/** What makes the key k, and what reads it. */
const VALUES: readonly [string, string[], string[]][] = [
  ['a string', ['SET', 'k', 'hello'], ['GET', 'k']],
  ['an empty string', ['SET', 'k', ''], ['GET', 'k']],
  ['bytes', ['SET', 'k', '\x00\xff\r\n'], ['GET', 'k']],
  ...['0', '-1', '127', '-129', '32768', '-2147483648', '2147483648', '12345678901', '007'].map(
    (number) =>
      [`the number ${number}`, ['SET', 'k', number], ['GET', 'k']] as [string, string[], string[]],
  ),
  ['a compressible string', ['SET', 'k', 'abcabc'.repeat(3000)], ['GET', 'k']],
  ['a long run', ['SET', 'k', 'x'.repeat(100_000)], ['GET', 'k']],
  ['a small set', ['SADD', 'k', 'a', '', 'b\x00'], ['SMEMBERS', 'k']],
  ['a set of numbers', ['SADD', 'k', '1', '-70000', '5000000000'], ['SMEMBERS', 'k']],
  ['a large set', ['SADD', 'k', ...many(1000, (i) => [`m${i}`])], ['SMEMBERS', 'k']],
  ['a small hash', ['HSET', 'k', 'f', 'v', 'n', '12', '', '-5000'], ['HGETALL', 'k']],
  [
    'a hash of numbers',
    ['HSET', 'k', ...many(60, (i) => [`${i * 999}`, `${-(2 ** i)}`])],
    ['HGETALL', 'k'],
  ],
  [
    'a hash of long texts',
    ['HSET', 'k', ...many(9, (i) => [`f${i}`, 'y'.repeat(i * 700)])],
    ['HGETALL', 'k'],
  ],
  ['a large hash', ['HSET', 'k', ...many(1000, (i) => [`f${i}`, `v${i}`])], ['HGETALL', 'k']],
  ['a small list', ['RPUSH', 'k', 'a', '1', '-99999', ''], ['LRANGE', 'k', '0', '-1']],
  [
    'a large list',
    ['RPUSH', 'k', ...many(5000, (i) => [`element ${i}`])],
    ['LRANGE', 'k', '0', '-1'],
  ],
  [
    'a list with a large element',
    ['RPUSH', 'k', 'z'.repeat(70_000), 'b'],
    ['LRANGE', 'k', '0', '-1'],
  ],
  [
    'a small sorted set',
    ['ZADD', 'k', '1.5', 'a', '-inf', 'b', '3', '17'],
    ['ZRANGE', 'k', '0', '-1', 'WITHSCORES'],
  ],
  [
    'a large sorted set',
    ['ZADD', 'k', ...many(1000, (i) => [`${i / 8}`, `m${i}`])],
    ['ZRANGE', 'k', '0', '-1', 'WITHSCORES'],
  ],
  ['a HyperLogLog', ['PFADD', 'k', ...many(3000, (i) => [`e${i}`])], ['PFCOUNT', 'k']],
];

withRedis('DUMP and RESTORE compared with Redis', () => {
  let redis: RedisProcess;
  let theirs: RedisConnection;
  let ours: TestClient;
  beforeAll(async () => {
    redis = await RedisProcess.start(PORT + Number(process.env.JEST_WORKER_ID ?? 0));
    theirs = await redis.connect();
    ours = makeFixture({}, Date.now()).connect();
  });
  afterAll(async () => {
    theirs.close();
    await redis.stop();
  });

  async function ask(...words: string[]): Promise<ReplyTree> {
    theirs.write(encodeRequest(words.map((word) => Buffer.from(word, 'latin1'))));
    return await theirs.next();
  }

  const payloadOf = (reply: ReplyTree | null): string => {
    if (reply?.kind !== 'bulk') throw new Error(`no payload: ${show(reply)}`);
    return reply.text;
  };
  const sorted = (reply: ReplyTree | null): string => show(sortedReply(reply as ReplyTree));

  test.each(VALUES)('%s', async (_, make, read) => {
    for (const client of [async (...w: string[]) => ours.send(...w), ask]) {
      await client('FLUSHALL');
      await client(...make);
    }
    const wanted = sorted(await ask(...read));
    const [ourDump, theirDump] = [
      payloadOf(ours.send('DUMP', 'k')),
      payloadOf(await ask('DUMP', 'k')),
    ];
    expect(show(await ask('RESTORE', 'k', '0', ourDump, 'REPLACE'))).toBe('OK');
    expect(sorted(await ask(...read))).toBe(wanted);
    expect(show(ours.send('RESTORE', 'k', '0', theirDump, 'REPLACE'))).toBe('OK');
    expect(sorted(ours.send(...read))).toBe(wanted);
    expect(show(ours.send('OBJECT', 'ENCODING', 'k'))).toBe(
      show(await ask('OBJECT', 'ENCODING', 'k')),
    );
  });

  test('options, TTLs and errors', async () => {
    await ask('FLUSHALL');
    ours.send('FLUSHALL');
    const payload = '\x00\xc0\x7b\x0a\x00\x48\xf7\x53\xc8\x09\x7a\x67\xba';
    await ask('SET', 'there', '123');
    ours.send('SET', 'there', '123');
    const good = payloadOf(await ask('DUMP', 'there'));
    for (const words of [
      ['DUMP', 'none'],
      ['RESTORE', 'there', '0', good],
      ['RESTORE', 'there', '0', 'junk'],
      ['RESTORE', 'a', '0', 'junk'],
      ['RESTORE', 'a', '0', payload.slice(0, 10)],
      ['RESTORE', 'a', '0', ''],
      ['RESTORE', 'a', '-1', good],
      ['RESTORE', 'a', 'x', good],
      ['RESTORE', 'a', '0', good, 'FOO'],
      ['RESTORE', 'a', '0', good, 'IDLETIME'],
      ['RESTORE', 'a', '0', good, 'IDLETIME', '-1'],
      ['RESTORE', 'a', '0', good, 'IDLETIME', 'x'],
      ['RESTORE', 'a', '0', good, 'FREQ', '256'],
      ['RESTORE', 'a', '0', good, 'FREQ', '5', 'IDLETIME', '5'],
      ['RESTORE', 'a', '0', good, 'IDLETIME', '5', 'FREQ', '5'],
      ['RESTORE', 'a', '0'],
      ['EXISTS', 'a'],
      ['RESTORE', 'a', '0', good, 'idletime', '1000'],
      ['TTL', 'a'],
      ['RESTORE', 'b', '100000', good, 'FREQ', '7'],
      ['TTL', 'b'],
      ['RESTORE', 'b', '9999999999999', good, 'ABSTTL', 'REPLACE'],
      ['EXPIRETIME', 'b'],
      ['RESTORE', 'b', '1', good, 'ABSTTL', 'REPLACE'],
      ['EXISTS', 'b'],
      ['RESTORE', 'c', '1', good, 'ABSTTL'],
      ['EXISTS', 'c'],
      ['GET', 'a'],
      ['INCR', 'a'],
      ['DUMP'],
    ]) {
      const other = show(await ask(...words));
      expect([words, show(ours.send(...words))]).toEqual([words, other]);
    }
  });
});
