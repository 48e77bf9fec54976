/**
 * Shell: throughput, latency under full load and CPU per operation, command by command, in turns with
 * redis-server.
 *
 * The servers take turns (Redis, Meridian, Redis, …) under the same clients, so that a machine that
 * slows down slows both; what counts is the ratio of neighbours. Where the client needs as much CPU
 * as the server and both share few cores, ops/s say little about the server: CPU per operation does, and
 * targets are judged by it.
 */

import { pipe, resp } from './pipe.ts';
import { benchmark, type Sample } from './redis-benchmark.ts';
import { type Server, startEngine, startRedis } from './servers.ts';
import { printSpread, type Spread, spreadOf } from './spread.ts';
import { ZipfLoad } from './zipf-load.ts';

export type ThroughputOptions = { runs: number; seconds: number; keys: number };

type Case = {
  readonly name: string;
  readonly depth: number;
  readonly bytes: number;
  /** Redis' CPU per operation ÷ ours that was promised; null: nothing was. */
  readonly target: number | null;
  readonly range: number;
  /** For redis-benchmark; null: the Zipf load. */
  readonly command: readonly string[] | null;
};

const depths = [1, 16, 100];
const fieldsEach = 10;
const field = 'field:0007';
const write = (line: string) => process.stdout.write(`${line}\n`);

/** Prints the table; returns sentences about targets that were missed. */
export async function measureThroughput(options: ThroughputOptions): Promise<string[]> {
  const redis = await startRedis();
  const engine = await startEngine();
  const load = new ZipfLoad(options.keys, 32);
  const missed: string[] = [];
  try {
    for (const server of [redis, engine]) await fill(server, load, options);
    write('');
    write(
      '| command | depth | value | ops/s ÷ Redis | CPU/op, Redis ÷ Meridian | target | k/s | Redis k/s | ' +
        'µs CPU/op | Redis | p50 / p99 / p99.9 ms | Redis |',
    );
    write(`|${' --- |'.repeat(12)}`);
    for (const one of cases(options)) {
      const verdict = await compare(redis, engine, one, load, options);
      if (verdict !== null) missed.push(verdict);
    }
  } finally {
    await Promise.all([redis.stop(), engine.stop()]);
  }
  return missed;
}

function cases({ keys }: ThroughputOptions): Case[] {
  const small = 'v'.repeat(32);
  const hashes = keys / fieldsEach;
  const rows: [name: string, range: number, command: string[] | null, targets: number[]][] = [
    ['SET', keys, ['SET', 'key:__rand_int__', small], [1, 1.3]],
    ['GET', keys, ['GET', 'key:__rand_int__'], [1, 1.3]],
    ['INCR', keys, ['INCR', 'counter:__rand_int__'], [1, 1]],
    ['MSET of 10', keys, ['MSET', ...Array(10).fill(['key:__rand_int__', small]).flat()], []],
    ['SET with EX', keys, ['SET', 'key:__rand_int__', small, 'EX', '1000'], []],
    ['HSET', hashes, ['HSET', 'hash:__rand_int__', field, small], [Number.NaN, 1]],
    ['HGET', hashes, ['HGET', 'hash:__rand_int__', field], [Number.NaN, 1]],
    ['SADD', hashes, ['SADD', 'set:__rand_int__', 'member:__rand_int__'], [Number.NaN, 1]],
    [
      'SISMEMBER',
      hashes,
      ['SISMEMBER', 'set:__rand_int__', 'member:__rand_int__'],
      [Number.NaN, 1],
    ],
    ['80 % GET, 20 % SET, zipf', keys, null, []],
  ];
  const table = rows.flatMap(([name, range, command, targets]) =>
    depths.map((depth, i): Case => {
      const target = targets[i];
      const promised = target === undefined || Number.isNaN(target) ? null : target;
      return { name, depth, bytes: 32, target: promised, range, command };
    }),
  );
  // Large values in keys of their own, few enough for memory.
  for (const [bytes, range] of [
    [512, 50_000],
    [16_384, 2000],
  ] as const) {
    const key = `value${bytes}:__rand_int__`;
    for (const depth of [1, 16]) {
      const shared = { depth, bytes, target: null, range };
      table.push({ ...shared, name: 'SET', command: ['SET', key, 'v'.repeat(bytes)] });
      table.push({ ...shared, name: 'GET', command: ['GET', key] });
    }
  }
  return table;
}

/** What the reading cases read. */
async function fill(server: Server, load: ZipfLoad, { keys }: ThroughputOptions): Promise<void> {
  const number = (i: number) => String(i).padStart(12, '0');
  const small = 'v'.repeat(32);
  await load.fill(server);
  await pipe(server.port, keys, (i) => resp('SET', `key:${number(i)}`, small));
  const pairs = Array.from({ length: fieldsEach }, (_, i) => [
    `field:${number(i).slice(8)}`,
    small,
  ]);
  const hashes = keys / fieldsEach;
  await pipe(server.port, hashes, (i) => resp('HSET', `hash:${number(i)}`, ...pairs.flat()));
  for (const [bytes, range] of [
    [512, 50_000],
    [16_384, 2000],
  ] as const) {
    const value = 'v'.repeat(bytes);
    await pipe(server.port, range, (i) => resp('SET', `value${bytes}:${number(i)}`, value));
  }
}

async function sample(server: Server, one: Case, load: ZipfLoad, seconds: number, rate: number) {
  if (one.command === null) return load.closedLoop(server, one.depth, seconds);
  const { command, depth, range } = one;
  return benchmark(server, { command, depth, range }, Math.ceil(rate * seconds));
}

async function compare(
  redis: Server,
  engine: Server,
  one: Case,
  load: ZipfLoad,
  { runs, seconds }: ThroughputOptions,
): Promise<string | null> {
  // A short run of each warms up, and tells how many requests a run of so many seconds is.
  const guess = (one.depth === 1 ? 20_000 : 60_000) / (one.bytes > 1000 ? 8 : 1);
  const rates = new Map<Server, number>();
  for (const server of [redis, engine]) {
    rates.set(server, (await sample(server, one, load, 0.5, guess)).perSecond);
  }
  const pairs: [theirs: Sample, ours: Sample][] = [];
  for (let i = 0; i < runs; i++) {
    const theirs = await sample(redis, one, load, seconds, rates.get(redis) as number);
    pairs.push([theirs, await sample(engine, one, load, seconds, rates.get(engine) as number)]);
  }
  const speed = spreadOf(pairs.map(([theirs, ours]) => ours.perSecond / theirs.perSecond));
  const cpu = spreadOf(pairs.map(([theirs, ours]) => theirs.cpuMicros / ours.cpuMicros));
  printRow(one, pairs, speed, cpu);
  if (one.target === null || cpu.median >= one.target) return null;
  const figures = `${cpu.median.toFixed(2)} × Redis by CPU per operation, ${speed.median.toFixed(2)} × by ops/s`;
  return `${one.name}, depth ${one.depth}: ${figures}, target ${one.target}`;
}

function printRow(one: Case, pairs: [Sample, Sample][], speed: Spread, cpu: Spread): void {
  const median = (side: 0 | 1, figure: keyof Sample) =>
    spreadOf(pairs.map((pair) => pair[side][figure])).median;
  const latency = (side: 0 | 1) =>
    (['p50', 'p99', 'p999'] as const).map((figure) => median(side, figure).toFixed(2)).join(' / ');
  const kilo = (side: 0 | 1) => (median(side, 'perSecond') / 1000).toFixed(0);
  write(
    `| ${one.name} | ${one.depth} | ${one.bytes} B | ${printSpread(speed)} | ${printSpread(cpu)} | ` +
      `${one.target ?? ''} | ${kilo(1)} | ${kilo(0)} | ${median(1, 'cpuMicros').toFixed(2)} | ` +
      `${median(0, 'cpuMicros').toFixed(2)} | ${latency(1)} | ${latency(0)} |`,
  );
}
