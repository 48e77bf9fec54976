/**
 * Shell: runs seeds of the simulator and prints those that fail.
 *
 *     node engine/sim/main.ts --seeds 2000        seeds 1 to 2000
 *     node engine/sim/main.ts --seeds 500 --from 7000
 *     node engine/sim/main.ts --seed 123          one seed with its transcript
 *     node engine/sim/main.ts --minutes 60        fresh seeds for so long
 *     … --only pieces                             those that cut states into pieces, one in 16, and no others
 *
 * It ends early after `--failures` of them (5).
 */

import { parseArgs } from 'node:util';
import { cutsStatesOf, runSeed } from './run.ts';

const TRANSCRIPT_LINES = 120;

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '2000' },
    from: { type: 'string', default: '1' },
    seed: { type: 'string' },
    minutes: { type: 'string' },
    failures: { type: 'string', default: '5' },
    only: { type: 'string' },
  },
});
const print = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

function failure(seed: number): void {
  const outcome = runSeed(seed, TRANSCRIPT_LINES);
  print(`\nseed ${seed} FAILED: ${outcome.problem}`);
  print(`  ${outcome.summary}`);
  print(`  the end of its transcript (docs/simulation.md says how to read it):`);
  for (const line of outcome.transcript) print(`  ${line}`);
  print(`  replay: make sim SEED=${seed}`);
}

/** Runs seeds until `count` are done, too many have failed, or the time is over. */
function runMany(from: number, count: number, minutesMax: number): number {
  const startedMs = performance.now();
  let failed = 0;
  let done = 0;
  for (let seed = from; done < count; seed++) {
    if (values.only === 'pieces' && !cutsStatesOf(seed)) continue;
    if (performance.now() - startedMs > minutesMax * 60_000) break;
    done++;
    if (runSeed(seed).problem !== null) {
      failed++;
      failure(seed);
      if (failed >= Number(values.failures)) break;
    }
    if (done % 500 === 0) print(`  ${done} seeds`);
  }
  const seconds = (performance.now() - startedMs) / 1000;
  print(`${done} seeds from ${from}, ${failed} failed, ${seconds.toFixed(1)} s`);
  return failed;
}

if (values.only !== undefined && values.only !== 'pieces') {
  print(`--only ${values.only}: must be pieces`);
  process.exitCode = 2;
} else if (values.seed !== undefined) {
  const outcome = runSeed(Number(values.seed), 100_000);
  for (const line of outcome.transcript) print(line);
  print(`seed ${values.seed}: ${outcome.problem ?? 'holds'}`);
  print(`${outcome.summary}, fingerprint ${outcome.fingerprint}`);
  process.exitCode = outcome.problem === null ? 0 : 1;
} else if (values.minutes !== undefined) {
  // Fresh seeds each time: the second of the start says where they begin.
  const from = Math.floor(Date.now() / 1000) * 1000;
  const failed = runMany(from, Number.POSITIVE_INFINITY, Number(values.minutes));
  process.exitCode = failed === 0 ? 0 : 1;
} else {
  const failed = runMany(Number(values.from), Number(values.seeds), Number.POSITIVE_INFINITY);
  process.exitCode = failed === 0 ? 0 : 1;
}
