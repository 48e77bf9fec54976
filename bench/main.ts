/**
 * Shell: `make bench`: throughput and CPU per operation of the engine beside `redis-server`, in one run.
 *
 * The servers take turns (Redis, Meridian, Redis, …) under the same `redis-benchmark` with 50
 * connections, both with their log on disk and fsync each second, so that a machine that slows down
 * slows both. What counts is the ratio of neighbours; absolute numbers are printed for orientation.
 */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { Command, InvalidArgumentError } from 'commander';
import {
  cpuSeconds,
  isOnPath,
  residentBytes,
  type Server,
  startEngine,
  startRedis,
} from './servers.ts';
import { printSpread, spreadOf } from './spread.ts';

const run = promisify(execFile);
const write = (line: string) => process.stdout.write(`${line}\n`);

type Case = { readonly command: 'SET' | 'GET' | 'INCR'; readonly depth: number };
type Sample = { readonly perSecond: number; readonly cpuMicros: number };

const targets: Record<number, number> = { 1: 0.6, 16: 0.8 };

function wholeNumber(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1)
    throw new InvalidArgumentError('a whole number from 1');
  return value;
}

async function sample(server: Server, { command, depth }: Case, options: Options): Promise<Sample> {
  const requests = depth === 1 ? options.requests : options.requests * 4;
  const args = ['-p', `${server.port}`, '-t', command.toLowerCase(), '-n', `${requests}`];
  args.push(
    '-c',
    '50',
    '-P',
    `${depth}`,
    '-r',
    `${options.keys}`,
    '-d',
    `${options.bytes}`,
    '--csv',
  );
  const pid = server.process.pid as number;
  const before = cpuSeconds(pid);
  const { stdout } = await run('redis-benchmark', args);
  const line = stdout.split('\n').find((row) => row.startsWith(`"${command}"`));
  if (line === undefined)
    throw new Error(`redis-benchmark printed no row for ${command}: ${stdout}`);
  const perSecond = Number(line.split(',')[1]?.replaceAll('"', ''));
  return { perSecond, cpuMicros: ((cpuSeconds(pid) - before) / requests) * 1e6 };
}

type Options = { runs: number; requests: number; keys: number; bytes: number };

async function compare(
  redis: Server,
  engine: Server,
  one: Case,
  options: Options,
): Promise<boolean> {
  const pairs: [Sample, Sample][] = [];
  await sample(redis, one, { ...options, requests: options.requests / 4 });
  await sample(engine, one, { ...options, requests: options.requests / 4 });
  for (let i = 0; i < options.runs; i++) {
    pairs.push([await sample(redis, one, options), await sample(engine, one, options)]);
  }
  const ratio = spreadOf(pairs.map(([theirs, ours]) => ours.perSecond / theirs.perSecond));
  const theirs = spreadOf(pairs.map(([sampleOf]) => sampleOf.perSecond / 1000));
  const ours = spreadOf(pairs.map(([, sampleOf]) => sampleOf.perSecond / 1000));
  const theirCpu = spreadOf(pairs.map(([sampleOf]) => sampleOf.cpuMicros));
  const ourCpu = spreadOf(pairs.map(([, sampleOf]) => sampleOf.cpuMicros));
  const target = targets[one.depth] as number;
  write(
    `| ${one.command} | ${one.depth} | ${printSpread(ratio)} | ${target} | ${printSpread(ours, 0)} | ` +
      `${printSpread(theirs, 0)} | ${ourCpu.median.toFixed(1)} | ${theirCpu.median.toFixed(1)} |`,
  );
  return ratio.median >= target;
}

async function compareMemory(redis: Server, engine: Server, keys: number): Promise<void> {
  write('');
  for (const server of [redis, engine]) {
    await run('redis-cli', ['-p', `${server.port}`, 'flushall']);
    const before = residentBytes(server.process.pid as number);
    const script = Array.from({ length: keys }, (_, i) => `SET small:${i} value:${i}\r\n`).join('');
    const child = execFile('redis-cli', ['-p', `${server.port}`, '--pipe'], () => {});
    child.stdin?.end(script);
    await new Promise((resolve) => child.once('exit', resolve));
    const { stdout } = await run('redis-cli', ['-p', `${server.port}`, 'info', 'memory']);
    const used = Number(stdout.match(/used_memory:(\d+)/)?.[1] ?? 0);
    const grown = residentBytes(server.process.pid as number) - before;
    write(
      `${server.name}: ${keys} small strings: ${(used / keys).toFixed(0)} bytes a key by INFO memory, ` +
        `${(grown / keys).toFixed(0)} bytes of resident growth a key`,
    );
  }
}

async function main(options: Options): Promise<void> {
  for (const program of ['redis-server', 'redis-benchmark', 'redis-cli']) {
    if (isOnPath(program)) continue;
    write(`bench: ${program} is not on PATH, so there is nothing to compare with.`);
    write('Install it (Debian: apt-get install redis-server) and run make bench again.');
    process.exitCode = 1;
    return;
  }
  const redis = await startRedis(23_101);
  const engine = await startEngine(23_102);
  write(`${options.runs} interleaved runs, 50 connections, ${options.bytes}-byte values,`);
  write(`${options.keys} keys, log on disk with fsync each second in both; median (min to max)`);
  write('');
  write(
    '| command | pipeline | Meridian ÷ Redis | target | Meridian k/s | Redis k/s | µs CPU/op | Redis µs CPU/op |',
  );
  write('| --- | --- | --- | --- | --- | --- | --- | --- |');
  let reached = true;
  try {
    for (const depth of [1, 16]) {
      for (const command of ['SET', 'GET', 'INCR'] as const) {
        reached = (await compare(redis, engine, { command, depth }, options)) && reached;
      }
    }
    await compareMemory(redis, engine, options.keys);
  } finally {
    await Promise.all([redis.stop(), engine.stop()]);
  }
  write(reached ? 'every median reaches its target' : 'a median is below its target');
  if (!reached) process.exitCode = 1;
}

const program = new Command('bench')
  .description('throughput beside redis-server, interleaved, as ratios with their spread')
  .option('--runs <n>', 'pairs of runs for each row', wholeNumber, 5)
  .option(
    '--requests <n>',
    'requests of an unpipelined run; pipelined runs take four times as many',
    wholeNumber,
    200_000,
  )
  .option('--keys <n>', 'size of the key space', wholeNumber, 100_000)
  .option('--bytes <n>', 'size of a value in bytes', wholeNumber, 32)
  .parse();
await main(program.opts<Options>());
