/**
 * Shell: `make sim-soak`: hours of simulated mixed load in three regions; prints what is held at the end
 * of each cycle, and fails when anything has grown (soak.ts). Wants node --expose-gc.
 */
import { parseArgs } from 'node:util';
import { runSoak } from './soak.ts';

const { values } = parseArgs({
  options: {
    hours: { type: 'string', default: '12' },
    seed: { type: 'string', default: '1' },
  },
});
const cycles = 12;
const print = (line: string): void => {
  process.stdout.write(`${line}\n`);
};
const kb = (bytes: number): string => `${Math.round(bytes / 1000)}`;

/** Heap and buffers outside it that are in use. */
function heapBytes(): number {
  for (let i = 0; i < 3; i++) globalThis.gc?.();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

if (globalThis.gc === undefined) {
  print('sim-soak: start it with node --expose-gc: garbage would be counted as growth');
  process.exit(2);
}
print(
  `${values.hours} hours of three regions in ${cycles} cycles, seed ${values.seed}; KB, all regions together\n`,
);
print(
  '| cycle | expired keys | evicted | keyspaces at the peak | with all keys gone | arena in use | arena chunks | JS heap after gc |',
);
print(`|${' --- |'.repeat(8)}`);
const began = performance.now();
const problems = runSoak({
  cycles,
  cycleMinutes: (Number(values.hours) * 60) / cycles,
  seed: Number(values.seed),
  heapBytes,
  each: (row) => {
    const sizes = [row.peak, row.end, row.arena, row.reserved, row.heap].map(kb);
    print(`| ${[row.cycle, row.expired, row.evicted, ...sizes].join(' | ')} |`);
  },
});
print('');
for (const problem of problems) print(`GROWTH: ${problem}`);
const seconds = ((performance.now() - began) / 1000).toFixed(0);
print(problems.length === 0 ? `nothing has grown, ${seconds} s` : `${seconds} s`);
process.exitCode = problems.length === 0 ? 0 : 1;
