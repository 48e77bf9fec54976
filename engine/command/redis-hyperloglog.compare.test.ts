/**
 * HyperLogLogs beside Redis' over many sizes: the same estimates for the same elements, and bytes that
 * each reads from the other.
 */
import { encodeRequest } from '../resp/request-writer.ts';
import { type RedisConnection, RedisProcess, redisVersion } from './redis-process.ts';
import type { ReplyTree } from './reply-tree.ts';
import { makeFixture, show, type TestClient } from './session-fixture.ts';

const PORT = 22_200;
const withRedis = redisVersion()?.startsWith('7.0.') ? describe : describe.skip;

withRedis('HyperLogLogs compared with Redis', () => {
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

  async function both(...words: string[]): Promise<string> {
    const other = show(await ask(...words));
    expect([words[0], show(ours.send(...words))]).toEqual([words[0], other]);
    return other;
  }

  test('estimates are the same from 1 to 200,000 elements, and their union too', async () => {
    let added = 0;
    for (let size = 1; added < 200_000; size = Math.ceil(size * 1.3)) {
      const count = Math.min(size, 5000);
      const elements = Array.from({ length: count }, (_, n) => `element-${added + n}`.slice(n % 9));
      await both('PFADD', 'h', ...elements);
      await both('PFCOUNT', 'h');
      added += count;
    }
    await both('PFADD', 'g', ...Array.from({ length: 3000 }, (_, n) => `other-${n}`));
    await both('PFCOUNT', 'g', 'h');
    await both('PFMERGE', 'm', 'g', 'h');
    await both('PFCOUNT', 'm');
  });

  test.each([0, 1, 30, 700, 2000, 60_000])(
    'each reads the bytes of the other: %i',
    async (size) => {
      const key = `k${size}`;
      await both('PFADD', key);
      for (let n = 0; n < size; n += 1000) {
        const count = Math.min(1000, size - n);
        await both('PFADD', key, ...Array.from({ length: count }, (_, i) => `${key}.${n + i}`));
      }
      const estimate = await both('PFCOUNT', key);
      const bytesOf = (reply: ReplyTree | null): string => {
        if (reply?.kind !== 'bulk') throw new Error('no bytes');
        return reply.text;
      };
      const ourBytes = bytesOf(ours.send('GET', key));
      const theirBytes = bytesOf(await ask('GET', key));
      expect(show(await ask('SET', 'copy', ourBytes))).toBe('OK');
      expect(show(await ask('PFCOUNT', 'copy'))).toBe(estimate);
      expect(show(ours.send('SET', 'copy', theirBytes))).toBe('OK');
      expect(show(ours.send('PFCOUNT', 'copy'))).toBe(estimate);
      await both('PFADD', 'copy', 'one', 'more', 'element');
      await both('PFCOUNT', 'copy');
      await both('PFMERGE', 'copy', 'h');
      await both('PFCOUNT', 'copy');
    },
  );
});
