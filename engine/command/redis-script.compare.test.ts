/** Scripts give the same on our session and on a real redis-server, in RESP2 and RESP3. */
import { encodeRequest } from '../resp/request-writer.ts';
import { functionCases } from './redis-function-cases.ts';
import { type RedisConnection, RedisProcess, redisVersion } from './redis-process.ts';
import { scriptCases } from './redis-script-cases.ts';
import { libraryCases } from './redis-script-library-cases.ts';
import type { ReplyTree } from './reply-tree.ts';
import { makeFixture, show, type TestClient } from './session-fixture.ts';

const PORT = 21_100;
const version = redisVersion();
const withRedis = version?.startsWith('7.0.') ? describe : describe.skip;
const cases = { ...scriptCases, ...libraryCases };
const KEYS = ['k1', 'k2'];
const ARGUMENTS = ['a', '10', '-1.5'];

withRedis('scripts compared with Redis', () => {
  describe.each([2, 3])('RESP%i', (protocol) => {
    test.each(Object.keys(cases))('%s', async (title) => {
      // A server for each group: the random numbers of scripts go on from one to the next.
      const port = PORT + Number(process.env.JEST_WORKER_ID ?? 0);
      const redis = await RedisProcess.start(port);
      const theirs = await redis.connect();
      const ours = makeFixture({}, Date.now()).connect();
      try {
        await both(ours, theirs, ['HELLO', String(protocol)]);
        const differences: string[] = [];
        for (const source of cases[title]) {
          const words = ['EVAL', source, String(KEYS.length), ...KEYS, ...ARGUMENTS];
          const [mine, other] = (await both(ours, theirs, words)).map(show);
          if (mine !== other) differences.push(`${source}:\n    ours ${mine}\n    Redis ${other}`);
        }
        expect(differences).toEqual([]);
      } finally {
        theirs.close();
        await redis.stop();
        ours.session.closed();
      }
    });

    test('functions, and a payload of Redis with compressed code', async () => {
      const redis = await RedisProcess.start(PORT + Number(process.env.JEST_WORKER_ID ?? 0));
      const theirs = await redis.connect();
      const ours = makeFixture({}, Date.now()).connect();
      const differences: string[] = [];
      try {
        await both(ours, theirs, ['HELLO', String(protocol)]);
        for (const words of functionCases) {
          const [mine, other] = (await both(ours, theirs, words)).map(show);
          if (mine !== other) {
            differences.push(`${words.join(' ')}:\n    ours ${mine}\n    Redis ${other}`);
          }
        }
        const long = `#!lua name=long\n${'-- the same again\n'.repeat(200)}`;
        const code = `${long}redis.register_function("g", function() return 7 end)`;
        await both(ours, theirs, ['FUNCTION', 'LOAD', code]);
        const [, packed] = await both(ours, theirs, ['FUNCTION', 'DUMP']);
        ours.send('FUNCTION', 'FLUSH');
        expect(show(ours.send('FUNCTION', 'RESTORE', (packed as { text: string }).text))).toBe(
          'OK',
        );
        expect(show(ours.send('FCALL', 'g', 0))).toBe('7');
      } finally {
        theirs.close();
        await redis.stop();
        ours.session.closed();
      }
      expect(differences).toEqual([]);
    });
  });
});

async function both(
  ours: TestClient,
  theirs: RedisConnection,
  words: readonly string[],
): Promise<ReplyTree[]> {
  theirs.write(encodeRequest(words.map((word) => Buffer.from(word, 'latin1'))));
  const mine = ours.send(...words);
  const other = await theirs.next();
  if (mine === null) throw new Error(`${words.join(' ')}: no reply`);
  return [mine, other];
}
