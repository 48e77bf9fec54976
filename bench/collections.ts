/**
 * Shell: `make bench-collections`: memory and speed of small hashes and sets beside `redis-server`.
 *
 * Every hash has 10 fields (8-byte names, 16-byte values), every set 10 members of 8 bytes. They are
 * written once with one command a key and once with one command an element, since the number of
 * different writes in a key is what our metadata costs. Then `redis-benchmark` runs single commands on
 * random keys, the servers taking turns; what counts is the ratio of neighbours.
 */
import { execFile } from 'node:child_process';
import { connect } from 'node:net';
import { promisify } from 'node:util';
import { Command } from 'commander';
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

const ELEMENTS = 10;
const PIPELINE_COMMANDS = 1000;

type Options = { keys: number; runs: number; requests: number };
type Sample = { perSecond: number; cpuMicros: number };
type Kind = 'hash' | 'set';
type Spelling = 'key' | 'element';

const keyOf = (kind: Kind, n: number): string => `${kind}:${`${n}`.padStart(12, '0')}`;
const pad = (n: number): string => `${n}`.padStart(2, '0');

/** The commands that write one key: one for all of it, or one for each element. */
function commandsOf(kind: Kind, n: number, by: Spelling): string[][] {
  const key = keyOf(kind, n);
  const elements = Array.from({ length: ELEMENTS }, (_, i) =>
    kind === 'hash' ? [`field:${pad(i)}`, `value:${pad(i)}:abcdefg`] : [`member${pad(i)}`],
  );
  const name = kind === 'hash' ? 'HSET' : 'SADD';
  if (by === 'key') return [[name, key, ...elements.flat()]];
  return elements.map((element) => [name, key, ...element]);
}

const encode = (words: readonly string[]): string =>
  `*${words.length}\r\n${words.map((word) => `$${word.length}\r\n${word}\r\n`).join('')}`;

/** Sends commands in pipelines over one connection and waits for all the (integer) replies. */
async function load(server: Server, commands: Iterable<string[]>): Promise<void> {
  const socket = connect(server.port, '127.0.0.1');
  let awaited = 0;
  let wake: () => void = () => {};
  socket.on('data', (chunk) => {
    for (const byte of chunk) if (byte === 0x0a) awaited--;
    if (awaited === 0) wake();
  });
  const flush = async (text: string, count: number): Promise<void> => {
    awaited += count;
    const done = new Promise<void>((resolve) => {
      wake = resolve;
    });
    socket.write(text);
    await done;
  };
  let batch: string[] = [];
  for (const command of commands) {
    batch.push(encode(command));
    if (batch.length < PIPELINE_COMMANDS) continue;
    await flush(batch.join(''), batch.length);
    batch = [];
  }
  if (batch.length > 0) await flush(batch.join(''), batch.length);
  socket.destroy();
}

async function usedBytes(server: Server): Promise<number> {
  const { stdout } = await run('redis-cli', ['-p', `${server.port}`, 'info', 'memory']);
  return Number(stdout.match(/used_memory:(\d+)/)?.[1] ?? 0);
}

/** Resident and counted bytes a key, in a server of its own. */
async function memory(
  start: () => Promise<Server>,
  kind: Kind,
  by: Spelling,
  keys: number,
): Promise<{ resident: number; counted: number }> {
  const server = await start();
  try {
    // Warms up what a process needs whatever it holds.
    await load(server, commandsOf(kind, 0, by));
    const resident = residentBytes(server.process.pid as number);
    const counted = await usedBytes(server);
    await load(
      server,
      (function* all() {
        for (let n = 0; n < keys; n++) yield* commandsOf(kind, n, by);
      })(),
    );
    // Buffers of the load are given back, and our runtime collects its garbage.
    await new Promise((resolve) => setTimeout(resolve, 2000));
    return {
      resident: (residentBytes(server.process.pid as number) - resident) / keys,
      counted: ((await usedBytes(server)) - counted) / keys,
    };
  } finally {
    await server.stop();
  }
}

async function sample(server: Server, words: readonly string[], options: Options): Promise<Sample> {
  const args = ['-p', `${server.port}`, '-n', `${options.requests}`, '-c', '50', '-P', '16'];
  args.push('-r', `${options.keys}`, '--csv', ...words);
  const pid = server.process.pid as number;
  const before = cpuSeconds(pid);
  const { stdout } = await run('redis-benchmark', args);
  const perSecond = Number(stdout.trim().split('\n').at(-1)?.split('","')[1]);
  return {
    perSecond,
    cpuMicros: ((cpuSeconds(pid) - before) / options.requests) * 1e6,
  };
}

async function compareSpeed(redis: Server, engine: Server, options: Options): Promise<void> {
  const hash = 'hash:__rand_int__';
  const set = 'set:__rand_int__';
  const rows: string[][] = [
    ['HSET', hash, 'field:05', 'value:05:changed'],
    ['HGET', hash, 'field:05'],
    ['HGETALL', hash],
    ['SADD', set, 'member05'],
    ['SISMEMBER', set, 'member05'],
    ['SMEMBERS', set],
  ];
  write('');
  write('| command | Meridian ÷ Redis | Meridian k/s | Redis k/s | µs CPU/op | Redis µs CPU/op |');
  write('| --- | --- | --- | --- | --- | --- |');
  for (const words of rows) {
    const pairs: [Sample, Sample][] = [];
    for (let i = 0; i <= options.runs; i++) {
      pairs.push([await sample(redis, words, options), await sample(engine, words, options)]);
    }
    // The first pair only warms up.
    pairs.shift();
    const ratio = spreadOf(pairs.map(([theirs, ours]) => ours.perSecond / theirs.perSecond));
    const [theirs, ours] = [0, 1].map((side) => ({
      speed: spreadOf(pairs.map((pair) => pair[side].perSecond / 1000)),
      cpu: spreadOf(pairs.map((pair) => pair[side].cpuMicros)),
    }));
    write(
      `| ${words[0]} | ${printSpread(ratio)} | ${printSpread(ours.speed, 0)} | ` +
        `${printSpread(theirs.speed, 0)} | ${ours.cpu.median.toFixed(2)} | ` +
        `${theirs.cpu.median.toFixed(2)} |`,
    );
  }
}

async function main(options: Options): Promise<void> {
  for (const program of ['redis-server', 'redis-benchmark', 'redis-cli']) {
    if (isOnPath(program)) continue;
    write(`bench: ${program} is not on PATH, so there is nothing to compare with.`);
    write('Install it (Debian: apt-get install redis-server) and run it again.');
    process.exitCode = 1;
    return;
  }
  const starts = [
    ['redis', () => startRedis()],
    // What is kept of the log in memory is no part of a key, and would hide it.
    ['meridian', () => startEngine({ extra: ['--backlog-bytes', '1mb'] })],
  ] as const;
  write(`${options.keys} keys of ${ELEMENTS} elements; bytes a key`);
  write('');
  write('| what | one command a | server | resident | by INFO memory |');
  write('| --- | --- | --- | --- | --- |');
  for (const kind of ['hash', 'set'] as const) {
    for (const by of ['key', 'element'] as const) {
      for (const [name, start] of starts) {
        const { resident, counted } = await memory(start, kind, by, options.keys);
        const bytes = `${resident.toFixed(0)} | ${counted.toFixed(0)}`;
        write(`| ${kind} | ${by} | ${name} | ${bytes} |`);
      }
    }
  }
  const redis = await startRedis();
  const engine = await startEngine();
  try {
    for (const server of [redis, engine]) {
      for (const kind of ['hash', 'set'] as const) {
        for (let n = 0; n < options.keys; n += PIPELINE_COMMANDS) {
          const some = Array.from({ length: Math.min(PIPELINE_COMMANDS, options.keys - n) });
          await load(
            server,
            some.flatMap((_, i) => commandsOf(kind, n + i, 'key')),
          );
        }
      }
    }
    await compareSpeed(redis, engine, options);
  } finally {
    await Promise.all([redis.stop(), engine.stop()]);
  }
}

const program = new Command('bench-collections')
  .description('small hashes and sets beside redis-server: bytes a key, and speed pipelined by 16')
  .option('--keys <n>', 'number of hashes and of sets', Number, 100_000)
  .option('--runs <n>', 'pairs of runs for each row', Number, 3)
  .option('--requests <n>', 'requests of a run', Number, 400_000)
  .parse();
await main(program.opts<Options>());
