/**
 * Thousands of random commands on our session and on a real redis-server: all replies are equal,
 * but for the differences in the table below.
 */
import { encodeRequest } from '../resp/request-writer.ts';
import { drawFrom, randomCommand } from './random-commands.ts';
import { RedisProcess, redisVersion } from './redis-process.ts';
import type { ReplyTree } from './reply-tree.ts';
import { makeFixture, seededRandom, show } from './session-fixture.ts';
import { sortedReply } from './sorted-reply.ts';

const PORT = 22_020;
const COMMANDS = 5000;
/** Commands sent at once: so short a time that the clocks of both agree. */
const BURST = 100;

type Difference = {
  readonly commands: RegExp;
  readonly reason: string;
  allows(ours: ReplyTree, theirs: ReplyTree): boolean;
};

const differences: readonly Difference[] = [
  {
    commands: /^(SMEMBERS|SINTER|SUNION|SDIFF|SPOP|SRANDMEMBER|SSCAN|HSCAN|SCAN|KEYS)$/,
    reason: 'sets, hashes and the keyspace have no order',
    allows: (ours, theirs) => show(sortedReply(ours)) === show(sortedReply(theirs)),
  },
  {
    commands: /^(HGETALL|HKEYS|HVALS|HRANDFIELD|EXEC)$/,
    reason: 'hashes have no order; EXEC may hold any of these replies',
    allows: (ours, theirs) => show(sortedReply(ours)) === show(sortedReply(theirs)),
  },
  {
    commands: /^(TTL|PTTL|EXPIRETIME|PEXPIRETIME|EXEC)$/,
    reason: 'our clock stands still within a burst, that of Redis does not',
    allows: (ours, theirs) => near(sortedReply(ours), sortedReply(theirs)),
  },
];

const version = redisVersion();
const withRedis = version?.startsWith('7.0.') ? describe : describe.skip;

withRedis('random commands', () => {
  let redis: RedisProcess;
  beforeAll(async () => {
    redis = await RedisProcess.start(PORT + Number(process.env.JEST_WORKER_ID ?? 0));
  });
  afterAll(() => redis.stop());

  test.each([
    [2, 1],
    [3, 2],
    [3, Number(process.env.SEED ?? 3)],
  ])('RESP%i, seed %i', async (protocol, seed) => {
    const draw = drawFrom(seededRandom(seed));
    const theirs = await redis.connect();
    const fixture = makeFixture({}, Date.now());
    const ours = fixture.connect();
    const hello = [['FLUSHALL'], ['HELLO', String(protocol)]];
    const commands = [...hello, ...Array.from({ length: COMMANDS }, () => randomCommand(draw))];
    const found: string[] = [];
    for (let at = 0; at < commands.length && found.length === 0; at += BURST) {
      const burst = commands.slice(at, at + BURST);
      fixture.advance(Date.now() - fixture.server.clockMs());
      theirs.write(Buffer.concat(burst.map((words) => encodeLatin1(words))));
      for (const [i, words] of burst.entries()) {
        const mine = ours.send(...words);
        const other = await theirs.next();
        // HELLO and FLUSHALL are no part of the comparison.
        if (at + i < hello.length || (mine !== null && same(words[0], mine, other))) continue;
        const before = commands.slice(Math.max(0, at + i - 5), at + i).map((w) => w.join(' '));
        found.push(`${at + i}: ${JSON.stringify(words)} after ${JSON.stringify(before)}`);
        found.push(`ours ${show(mine)}, Redis ${show(other)}`);
        break;
      }
    }
    theirs.close();
    expect(found).toEqual([]);
  });
});

function same(name: string, ours: ReplyTree, theirs: ReplyTree): boolean {
  if (show(ours) === show(theirs)) return true;
  return differences.some((d) => d.commands.test(name) && d.allows(ours, theirs));
}

/** Equal but for integers, which may lie as far apart as two seconds. */
function near(a: ReplyTree, b: ReplyTree): boolean {
  if (a.kind === 'integer' && b.kind === 'integer') {
    const gap = a.value - b.value;
    return gap > -2000n && gap < 2000n;
  }
  if ('items' in a && 'items' in b) {
    return a.items.length === b.items.length && a.items.every((item, i) => near(item, b.items[i]));
  }
  return show(a) === show(b);
}

function encodeLatin1(words: readonly string[]): Buffer {
  return encodeRequest(words.map((word) => Buffer.from(word, 'latin1')));
}
