/**
 * Shell: `make bench`: the engine beside the `redis-server` on PATH, both with their log on disk and
 * fsync each second, as Markdown. `PART=throughput|overhead|heap|latency|memory|restart|stall|replication|
 * types` picks one.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { measureTypes } from './data-types.ts';
import { measureHeap } from './heap.ts';
import { measureLatency } from './latency.ts';
import { measureMemory } from './memory.ts';
import { measureOverhead } from './overhead.ts';
import { measureReplication } from './replication.ts';
import { measureRestart } from './restart.ts';
import { isOnPath } from './servers.ts';
import { measureStall } from './stall.ts';
import { measureThroughput } from './throughput.ts';

const write = (line: string) => process.stdout.write(`${line}\n`);

type Options = {
  part?: Part;
  runs: number;
  seconds: number;
  keys: number;
  rate: number;
};

/** Each prints its tables and returns the targets that it missed, in sentences. */
const parts = {
  throughput: (options: Options) =>
    measureThroughput({ ...options, keys: Math.min(options.keys, 100_000) }),
  overhead: (options: Options) =>
    measureOverhead({ ...options, keys: Math.min(options.keys, 100_000) }),
  heap: () => measureHeap(),
  latency: (options: Options) =>
    measureLatency({ ...options, keys: Math.min(options.keys, 100_000) }),
  memory: (options: Options) => measureMemory(options),
  restart: (options: Options) => measureRestart(options),
  stall: (options: Options) => measureStall(options),
  replication: (options: Options) => measureReplication(options),
  types: (options: Options) => measureTypes(options),
} as const;
type Part = keyof typeof parts;

const about: Record<Part, string> = {
  throughput:
    '50 connections of redis-benchmark (the mixed load: of our own client), 100,000 keys. Figures are medians; ' +
    'ratios with (least to greatest).',
  overhead:
    'The engine as it is beside itself without ops, stamps, backlog and log; 50 connections, 100,000 keys.',
  heap: 'Bytes of the JavaScript heap that a command allocates, its connection aside.',
  latency: 'A fixed rate, 80 % GET and 20 % SET by Zipf’s law over 100,000 keys.',
  memory: 'A fresh, warmed-up server for each shape.',
  restart: 'Strings of 16 B key and 32 B value; from SIGTERM and start to the first +PONG.',
  stall: 'What holds up the event loop while an image is written and the table grows.',
  replication:
    'Two regions of one member each on this machine, strings of 16 B key and 32 B value.',
  types: 'Sorted sets; 50 connections of redis-benchmark.',
};

function machine(): string {
  const [core] = cpus();
  const memory = Math.round(totalmem() / 2 ** 30);
  const redis = execFileSync('redis-server', ['--version']).toString().split(' ')[2];
  const bun = execFileSync(join(import.meta.dirname, '../node_modules/.bin/bun'), ['--version']);
  const load = readFileSync('/proc/loadavg', 'utf8').split(' ').slice(0, 3).join(', ');
  return (
    `${new Date().toISOString().slice(0, 16)} UTC, ${cpus().length} × ${core?.model.trim()}, ${memory} GB, ` +
    `Redis ${redis?.replace('v=', '')}, Bun ${bun.toString().trim()}, load average ${load} at the start`
  );
}

async function main(options: Options): Promise<void> {
  for (const program of ['redis-server', 'redis-benchmark', 'redis-cli']) {
    if (isOnPath(program)) continue;
    write(`bench: ${program} is not on PATH, so there is nothing to compare with.`);
    write('Install it (Debian: apt-get install redis-server) and run make bench again.');
    process.exitCode = 1;
    return;
  }
  const began = performance.now();
  const missed: string[] = [];
  write(machine());
  for (const part of options.part === undefined ? (Object.keys(parts) as Part[]) : [options.part]) {
    write(`\n## ${part[0]?.toUpperCase()}${part.slice(1)}\n\n${about[part]}`);
    missed.push(...(await parts[part](options)));
  }
  write('');
  write(missed.length === 0 ? 'Every target was reached.' : 'Targets that were missed:\n');
  for (const line of missed) write(`- ${line}`);
  write(`\n${((performance.now() - began) / 60_000).toFixed(1)} minutes.`);
}

function wholeNumber(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1)
    throw new InvalidArgumentError('a whole number from 1');
  return value;
}

function partName(text: string): Part {
  if (text in parts) return text as Part;
  throw new InvalidArgumentError(`one of ${Object.keys(parts).join(', ')}`);
}

const program = new Command('bench')
  .description('beside redis-server, interleaved, as ratios with their spread')
  .option('--part <name>', `one of ${Object.keys(parts).join(', ')}; all when absent`, partName)
  .option('--runs <n>', 'pairs of runs for each row', wholeNumber, 3)
  .option('--seconds <n>', 'length of a run', wholeNumber, 1)
  .option('--keys <n>', 'keys of memory, restart, stall and replication', wholeNumber, 1_000_000)
  .option('--rate <n>', 'requests a second of the part on latency', wholeNumber, 20_000)
  .parse();
await main(program.opts<Options>());
