/**
 * Shell: the commands of lists, sorted sets, streams and HyperLogLogs beside redis-server: speed unpipelined and
 * pipelined by 16, bytes of a large key, and how the cost of a command grows with its key.
 *
 * Another type adds its rows to the three tables of this file.
 */

import { costOf, type Shape } from './memory.ts';
import { pipe, resp } from './pipe.ts';
import { benchmark, type Sample } from './redis-benchmark.ts';
import { type Server, startEngine, startRedis } from './servers.ts';
import { printSpread, spreadOf } from './spread.ts';

export type TypesOptions = { runs: number; seconds: number; keys: number };

/** A key that several rows use: made once in each server. */
type Filled = { readonly commands: number; command(i: number): string };
type Row = {
  readonly name: string;
  readonly command: readonly string[];
  /** `__rand_int__` in the command is below it. */
  readonly range: number;
};

const number = (value: number) => String(value).padStart(12, '0');
const write = (line: string) => process.stdout.write(`${line}\n`);
const DEPTHS = [1, 16];
const SPEED_MIN = 0.9;
const BYTES_MAX = 1.3;
const LARGE = 100_000;
const PAIRS_EACH = 100;

/** ZADD of `size` members of 19 bytes, their scores in no order. */
function zsetOf(key: string, size: number): Filled {
  return {
    commands: size / PAIRS_EACH,
    command(i) {
      const pairs = Array.from({ length: PAIRS_EACH }, (_, n) => {
        const member = i * PAIRS_EACH + n;
        return [String((member * 7919) % size), `member:${number(member)}`];
      });
      return resp('ZADD', key, ...pairs.flat());
    },
  };
}

/** Small sorted sets of 20 members. */
const smallZsets: Filled = {
  commands: 10_000,
  command(i) {
    const pairs = Array.from({ length: 20 }, (_, n) => [String((n * 7) % 20), `m${n}`]);
    return resp('ZADD', `small:${number(i)}`, ...pairs.flat());
  },
};

/** A stream of `size` entries with one field. */
function streamOf(key: string, size: number): Filled {
  return {
    commands: size,
    command: (i) => resp('XADD', key, `${1_767_225_600_000 + i}-0`, 'field', 'value-of-16-byte'),
  };
}

/** RPUSH of `size` elements of 12 bytes, `each` of them at a time. */
function listOf(key: string, size: number, each = PAIRS_EACH): Filled {
  return {
    commands: size / each,
    command: (i) =>
      resp('RPUSH', key, ...Array.from({ length: each }, (_, n) => number(i * each + n))),
  };
}

/** Small lists of 20 elements. */
const smallLists: Filled = {
  commands: 10_000,
  command: (i) =>
    resp('RPUSH', `list:${number(i)}`, ...Array.from({ length: 20 }, (_, n) => `e${n}`)),
};

const filled: readonly Filled[] = [
  listOf('list', LARGE),
  listOf('queue', 10 * LARGE),
  smallLists,
  zsetOf('zset', LARGE),
  smallZsets,
  streamOf('stream', LARGE),
];

const member = 'member:__rand_int__';
const rows: readonly Row[] = [
  { name: 'LPUSH', command: ['LPUSH', 'pushed', '__rand_int__'], range: LARGE },
  { name: 'RPOP', command: ['RPOP', 'queue'], range: 1 },
  { name: 'LRANGE 0 99, 100,000 elements', command: ['LRANGE', 'list', '0', '99'], range: 1 },
  {
    name: 'LINDEX of the middle, 100,000 elements',
    command: ['LINDEX', 'list', '50000'],
    range: 1,
  },
  {
    name: 'LSET of the middle, 100,000 elements',
    command: ['LSET', 'list', '50000', 'v'],
    range: 1,
  },
  {
    name: 'LMOVE, 20 elements',
    command: ['LMOVE', 'list:__rand_int__', 'list:__rand_int__', 'LEFT', 'RIGHT'],
    range: 10_000,
  },
  {
    name: 'ZADD, 100,000 members',
    command: ['ZADD', 'zset', '__rand_int__', member],
    range: LARGE,
  },
  {
    name: 'XADD, 100 streams',
    command: ['XADD', 'streams:__rand_int__', '*', 'field', 'value-of-16-byte'],
    range: 100,
  },
  {
    name: 'XRANGE of 10, 100,000 entries',
    command: ['XRANGE', 'stream', '1767225650000', '+', 'COUNT', '10'],
    range: 1,
  },
  { name: 'ZADD, 20 members', command: ['ZADD', 'small:__rand_int__', '7', 'm3'], range: 10_000 },
  { name: 'ZINCRBY, 100,000 members', command: ['ZINCRBY', 'counted', '1', member], range: LARGE },
  { name: 'ZSCORE, 100,000 members', command: ['ZSCORE', 'zset', member], range: LARGE },
  { name: 'ZRANK, 100,000 members', command: ['ZRANK', 'zset', member], range: LARGE },
  { name: 'ZRANGE 0 9, 100,000 members', command: ['ZRANGE', 'zset', '0', '9'], range: 1 },
  {
    name: 'ZRANGE 50000 50099, 100,000 members',
    command: ['ZRANGE', 'zset', '50000', '50099'],
    range: 1,
  },
  {
    name: 'ZRANGE 0 9, 20 members',
    command: ['ZRANGE', 'small:__rand_int__', '0', '9'],
    range: 10_000,
  },
];

function shapes(keys: number): Shape[] {
  const zset = zsetOf('zset', keys);
  return [
    {
      name: `a list of ${keys} elements (12 B), pushed one by one`,
      units: keys,
      unit: 'element',
      target: BYTES_MAX,
      ...listOf('list', keys, 1),
    },
    {
      name: '10,000 lists of 20 elements (2 B)',
      units: smallLists.commands,
      unit: 'list',
      target: null,
      ...smallLists,
    },
    {
      name: `a sorted set of ${keys} members (19 B)`,
      units: keys,
      unit: 'member',
      target: BYTES_MAX,
      ...zset,
    },
    {
      name: '10,000 sorted sets of 20 members (3 B)',
      units: smallZsets.commands,
      unit: 'sorted set',
      target: null,
      ...smallZsets,
    },
    {
      name: `a stream of ${keys} entries (one field of 5 B, 16 B)`,
      units: keys,
      unit: 'entry',
      target: BYTES_MAX,
      ...streamOf('stream', keys),
    },
  ];
}

type Growth = { readonly name: string; of(size: number): { fill: Filled; command: string[] } };

const growing: readonly Growth[] = [
  {
    name: 'LINDEX',
    of: (size) => ({
      fill: listOf(`list:${size}`, size),
      command: ['LINDEX', `list:${size}`, `${size / 2}`],
    }),
  },
  {
    name: 'LSET',
    of: (size) => ({
      fill: listOf(`set:${size}`, size),
      command: ['LSET', `set:${size}`, `${size / 2}`, 'v'],
    }),
  },
  {
    name: 'ZRANK',
    of: (size) => ({
      fill: zsetOf(`grown:${size}`, size),
      command: ['ZRANK', `grown:${size}`, member],
    }),
  },
  {
    name: 'ZADD of another score',
    of: (size) => ({
      fill: zsetOf(`moved:${size}`, size),
      command: ['ZADD', `moved:${size}`, 'CH', '__rand_int__', member],
    }),
  },
];

/** Prints the tables; returns sentences about targets that were missed. */
export async function measureTypes(options: TypesOptions): Promise<string[]> {
  const redis = await startRedis();
  const engine = await startEngine();
  const missed: string[] = [];
  try {
    for (const server of [redis, engine]) await fill(server, filled);
    write('');
    write(
      '| command | depth | ops/s ÷ Redis | CPU/op, Redis ÷ Meridian | target | µs CPU/op | Redis |',
    );
    write(`|${' --- |'.repeat(7)}`);
    for (const row of rows) {
      for (const depth of DEPTHS)
        missed.push(...(await compare(redis, engine, row, depth, options)));
    }
    await measureGrowth([engine, redis], options.keys);
  } finally {
    await Promise.all([redis.stop(), engine.stop()]);
  }
  missed.push(...(await measureBytes(options.keys)));
  return missed;
}

async function fill(server: Server, keys: readonly Filled[]): Promise<void> {
  for (const { commands, command } of keys) await pipe(server.port, commands, command);
}

async function compare(
  redis: Server,
  engine: Server,
  { name, command, range }: Row,
  depth: number,
  { runs, seconds }: TypesOptions,
): Promise<string[]> {
  const load = { command, depth, range };
  const rates = new Map<Server, number>();
  for (const server of [redis, engine]) {
    rates.set(server, (await benchmark(server, load, depth === 1 ? 10_000 : 40_000)).perSecond);
  }
  const pairs: [theirs: Sample, ours: Sample][] = [];
  for (let i = 0; i < runs; i++) {
    const run = (server: Server): Promise<Sample> =>
      benchmark(server, load, Math.ceil((rates.get(server) as number) * seconds));
    pairs.push([await run(redis), await run(engine)]);
  }
  const speed = spreadOf(pairs.map(([theirs, ours]) => ours.perSecond / theirs.perSecond));
  const cpu = spreadOf(pairs.map(([theirs, ours]) => theirs.cpuMicros / ours.cpuMicros));
  const micros = (side: 0 | 1) => spreadOf(pairs.map((pair) => pair[side].cpuMicros)).median;
  write(
    `| ${name} | ${depth} | ${printSpread(speed)} | ${printSpread(cpu)} | ${SPEED_MIN} | ` +
      `${micros(1).toFixed(2)} | ${micros(0).toFixed(2)} |`,
  );
  if (speed.median >= SPEED_MIN) return [];
  return [`${name}, depth ${depth}: ${speed.median.toFixed(2)} × Redis, target ${SPEED_MIN}`];
}

async function measureGrowth(servers: readonly Server[], keys: number): Promise<void> {
  const sizes = [1000, 10_000, 100_000, 1_000_000].filter((size) => size <= keys);
  write('');
  write(`| µs CPU/op by 16, elements | server | ${sizes.join(' | ')} |`);
  write(`|${' --- |'.repeat(sizes.length + 2)}`);
  for (const { name, of } of growing) {
    for (const server of servers) {
      const micros: string[] = [];
      for (const size of sizes) {
        const { fill: key, command } = of(size);
        await fill(server, [key]);
        const load = { command, depth: 16, range: size };
        await benchmark(server, load, 50_000);
        micros.push((await benchmark(server, load, 200_000)).cpuMicros.toFixed(2));
      }
      write(`| ${name} | ${server.name} | ${micros.join(' | ')} |`);
    }
  }
}

async function measureBytes(keys: number): Promise<string[]> {
  const missed: string[] = [];
  write('');
  write('| shape | bytes for a | Meridian, INFO | Redis | ratio | target |');
  write(`|${' --- |'.repeat(6)}`);
  for (const shape of shapes(keys)) {
    const extra = ['--auto-aof-rewrite-percentage', '0'];
    const theirs = await costOf(await startRedis({ extra }), shape);
    const ours = await costOf(await startEngine(), shape);
    const ratio = ours.used / theirs.used;
    write(
      `| ${shape.name} | ${shape.unit} | ${ours.used.toFixed(0)} | ${theirs.used.toFixed(0)} | ` +
        `${ratio.toFixed(2)} | ${shape.target === null ? '' : `≤ ${shape.target}`} |`,
    );
    if (shape.target !== null && ratio > shape.target) {
      missed.push(`${shape.name}: ${ratio.toFixed(2)} × Redis' bytes, target ≤ ${shape.target}`);
    }
  }
  return missed;
}
