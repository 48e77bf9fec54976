/**
 * Every command's cases, played on our session and on a real redis-server, in RESP2 and RESP3.
 *
 *     same        both answer the same, types included
 *     sameSorted  the same up to the order of an array's elements (sets, fields, keys)
 *     sameError   both answer an error of the same first word
 *
 * What answers differently on purpose is not here but in docs/commands.md and in the unit tests.
 */
import { encodeRequest } from '../resp/request-writer.ts';
import { compareCases } from './redis-cases.ts';
import { type RedisConnection, RedisProcess, redisVersion } from './redis-process.ts';
import type { ReplyTree } from './reply-tree.ts';
import { type Fixture, makeFixture, show, type TestClient } from './session-fixture.ts';
import { sortedReply } from './sorted-reply.ts';

/** Several runs at once on one machine do not meet. */
const PORT = 22_550;
const version = redisVersion();
const withRedis = version?.startsWith('7.0.') ? describe : describe.skip;
if (withRedis === describe.skip) {
  process.stderr.write(`comparing with Redis is skipped: found ${version}, needs 7.0 on PATH\n`);
}

withRedis('compared with Redis', () => {
  let redis: RedisProcess;
  beforeAll(async () => {
    redis = await RedisProcess.start(PORT + (process.pid % 400));
  });
  afterAll(() => redis.stop());

  describe.each([2, 3])('RESP%i', (protocol) => {
    test.each(Object.keys(compareCases))('%s', async (title) => {
      const theirs = await redis.connect();
      const fixture = makeFixture({}, Date.now());
      const ours = fixture.connect();
      try {
        await both(fixture, ours, theirs, ['FLUSHALL']);
        await both(fixture, ours, theirs, ['HELLO', protocol]);
        const differences: string[] = [];
        for (const [verb, ...words] of compareCases[title]) {
          const [mine, other] = await both(fixture, ours, theirs, words);
          if (verb === 'run') continue;
          const [a, b] =
            verb === 'sameSorted' ? [sortedReply(mine), sortedReply(other)] : [mine, other];
          const equal = verb === 'sameError' ? sameCode(a, b) : show(a) === show(b);
          if (!equal) differences.push(`${words.join(' ')}: ours ${show(a)}, Redis ${show(b)}`);
        }
        expect(differences).toEqual([]);
      } finally {
        theirs.close();
        ours.session.closed();
      }
    });
  });
});

/** Runs a command on both; returns the replies. */
async function both(
  fixture: Fixture,
  ours: TestClient,
  theirs: RedisConnection,
  words: readonly (string | number)[],
): Promise<[ReplyTree, ReplyTree]> {
  theirs.write(encodeRequest(words.map((word) => Buffer.from(String(word), 'latin1'))));
  let mine = ours.send(...words);
  const other = await theirs.next();
  if (mine === null) {
    // It has blocked: let its timeout pass.
    fixture.advance(60_000);
    fixture.server.blockedKeys.tick(fixture.server.clockMs());
    mine = ours.received()[0] ?? null;
  }
  if (mine === null) throw new Error(`${words.join(' ')}: no reply`);
  return [mine, other];
}

function sameCode(a: ReplyTree, b: ReplyTree): boolean {
  if (a.kind !== 'error' || b.kind !== 'error') return false;
  return a.text.split(' ')[0] === b.text.split(' ')[0];
}
