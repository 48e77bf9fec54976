/**
 * Shell: thousands of random commands on our session and on a real redis-server; the long run is
 * `make differential`. And: every command of the table has a grammar from which it can be drawn.
 */
import { kindsOf, parseGrammar } from '../command/argument-grammar.ts';
import { RedisProcess, redisVersion } from '../command/redis-process.ts';
import { drawFrom, kinds } from './kinds.ts';
import { randomCommand } from './random-command.ts';
import { allCommands, asCase, drawable, playSegment, SEGMENT } from './run.ts';

const PORT = 22_060;
const COMMANDS = 10_000;
/** The machine may be busy. */
const MS_MAX = 180_000;

const version = redisVersion();
const withRedis = version?.startsWith('7.0.') ? describe : describe.skip;

describe('the grammar of arguments', () => {
  test('every command has one', () => {
    const without = allCommands().filter(
      ({ run, args }) => run !== undefined && args === undefined,
    );
    expect(without.map(({ name }) => `${name}: add its line to arguments-table.ts`)).toEqual([]);
  });

  test('is read, and names kinds that have values', () => {
    const unknown = allCommands().flatMap(({ name, args }) =>
      kindsOf(parseGrammar(args ?? ''))
        .filter((kind) => kind !== 'key' && kinds[kind] === undefined)
        .map((kind) => `${name}: ${kind} has no values in kinds.ts`),
    );
    expect(unknown).toEqual([]);
  });

  test.each(['(a', 'a)', '[NX | XX', '<A]'])('%s is refused', (text) => {
    expect(() => parseGrammar(text)).toThrow(text);
  });

  test('draws what it says', () => {
    const draw = drawFrom(() => 0.4);
    const drawn = (text: string) =>
      randomCommand(draw, { name: ['C'], group: 'string', grammar: parseGrammar(text) });
    expect(drawn('key <MIN | MAX> (field value)...')).toHaveLength(1 + 1 + 1 + 4);
    expect(drawn('key#').slice(0, 2)).toEqual(['C', '2']);
    expect(drawn('')).toEqual(['C']);
  });
});

withRedis('random commands', () => {
  let redis: RedisProcess;
  beforeAll(async () => {
    redis = await RedisProcess.start(PORT + Number(process.env.JEST_WORKER_ID ?? 0));
  });
  afterAll(() => redis.stop());

  test(
    'are answered as by Redis, in RESP2 and RESP3',
    async () => {
      const connection = await redis.connect();
      const commands = await drawable(connection);
      expect(commands.length).toBeGreaterThan(80);
      for (let seed = 1; seed <= COMMANDS / SEGMENT; seed++) {
        const finding = await playSegment(connection, commands, seed);
        if (finding !== null) throw new Error(`\n${asCase(finding)}`);
      }
      connection.close();
    },
    MS_MAX,
  );

  test(
    'a reply that differs is found, and shrunk to what it needs',
    async () => {
      const connection = await redis.connect();
      const commands = await drawable(connection);
      // As if our SETNX forgot what it was told.
      const faulty = (words: readonly string[]) =>
        words[0] === 'SETNX' ? ['EXISTS', ...words.slice(1)] : words;
      const found = await playSegment(connection, commands, 4, faulty);
      expect(found?.script.length).toBeLessThanOrEqual(4);
      expect(found?.script.map(([name]) => name)).toContain('SETNX');
      expect(asCase(found!)).toMatch(/^ {2}\/\/ Ours .*, Redis .*\n {2}'difference of seed 4 at /);
      connection.close();
    },
    MS_MAX,
  );
});
