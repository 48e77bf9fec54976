/**
 * Shell: what replication metadata and log cost: the engine as it is, with its log on disk, beside the
 * same engine that makes no ops and has no log (bare-engine.ts), in turns, by CPU per operation.
 */
import { benchmark, type Load } from './redis-benchmark.ts';
import { type Server, startEngine } from './servers.ts';
import { printSpread, spreadOf } from './spread.ts';

export type OverheadOptions = { runs: number; seconds: number; keys: number };

const TARGET = 0.8;
const value = 'v'.repeat(32);
const write = (line: string) => process.stdout.write(`${line}\n`);

/** Prints the table; returns sentences about targets that were missed. */
export async function measureOverhead(options: OverheadOptions): Promise<string[]> {
  const bare = await startEngine({ bare: true });
  const full = await startEngine();
  const missed: string[] = [];
  write('');
  write('| command | depth | CPU/op, off ÷ on | target | µs CPU/op on | off |');
  write(`|${' --- |'.repeat(6)}`);
  try {
    for (const depth of [16, 1]) {
      for (const load of loads(options.keys, depth)) {
        const verdict = await compare(bare, full, load, options);
        if (verdict !== null) missed.push(verdict);
      }
    }
  } finally {
    await Promise.all([bare.stop(), full.stop()]);
  }
  return missed;
}

function loads(keys: number, depth: number): Load[] {
  const elements = keys / 10;
  return [
    { command: ['SET', 'key:__rand_int__', value], depth, range: keys },
    { command: ['GET', 'key:__rand_int__'], depth, range: keys },
    { command: ['INCR', 'counter:__rand_int__'], depth, range: keys },
    { command: ['HSET', 'hash:__rand_int__', 'field:0007', value], depth, range: elements },
    { command: ['SADD', 'set:__rand_int__', 'member:0007'], depth, range: elements },
  ];
}

async function compare(
  bare: Server,
  full: Server,
  load: Load,
  { runs, seconds }: OverheadOptions,
): Promise<string | null> {
  const requests = (load.depth === 1 ? 30_000 : 200_000) * seconds;
  // The first run of each fills the keys and compiles the code.
  for (const server of [bare, full]) await benchmark(server, load, requests);
  const [off, on]: [number[], number[]] = [[], []];
  for (let i = 0; i < runs; i++) {
    off.push((await benchmark(bare, load, requests)).cpuMicros);
    on.push((await benchmark(full, load, requests)).cpuMicros);
  }
  const ratio = spreadOf(off.map((micros, i) => micros / (on[i] as number)));
  const name = load.command[0];
  const [onMicros, offMicros] = [on, off].map((all) => spreadOf(all).median.toFixed(2));
  write(
    `| ${name} | ${load.depth} | ${printSpread(ratio)} | ${TARGET} | ${onMicros} | ${offMicros} |`,
  );
  if (ratio.median >= TARGET) return null;
  return `CRDT and log on, ${name}, depth ${load.depth}: ${ratio.median.toFixed(2)} × off, target ${TARGET}`;
}
