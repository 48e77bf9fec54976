/**
 * Shell: `make mutants`: puts mistakes into a copy of the tree, one at a time, and looks whether the
 * test or the seeds that the table names notice. A mutant that survives is a finding: a check is
 * missing.
 *
 * The copy is made of what git knows (with changes that are not committed), in a temporary directory
 * with node_modules linked. A guard counts as having caught a mutant only when an assertion failed: a
 * suite that does not load, a name that matches no test or a seed runner that breaks is an error of
 * the table.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { type Guard, type Mutant, mutants } from './mutants-table.ts';

const root = join(import.meta.dirname, '..');
const node = join(root, 'node_modules/.bin/node');
const guardMsMax = 240_000;
const write = (line: string) => process.stdout.write(`${line}\n`);

type Verdict = { readonly kind: 'caught' | 'SURVIVED' | 'BROKEN'; readonly by: string };

/** Copies the working tree as far as git knows it. */
function copyTree(): string {
  const copy = mkdtempSync(join(tmpdir(), 'meridian-mutants-'));
  const listed = execFileSync('git', ['ls-files', '-co', '--exclude-standard', 'engine'], {
    cwd: root,
    encoding: 'utf8',
  });
  const files = [...listed.trim().split('\n'), 'package.json', 'tsconfig.json', 'jest.config.js'];
  for (const file of files.filter((name) => existsSync(join(root, name)))) {
    cpSync(join(root, file), join(copy, file), { recursive: true });
  }
  cpSync(join(root, 'docs'), join(copy, 'docs'), { recursive: true });
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
  return copy;
}

/** The mutated text, or what is wrong with the table. */
function mutate(text: string, { find, replace }: Mutant): string | null {
  const parts = text.split(find);
  return parts.length === 2 ? parts.join(replace) : null;
}

function run(copy: string, args: readonly string[]): string {
  const result = spawnSync(node, args, {
    cwd: copy,
    encoding: 'utf8',
    timeout: guardMsMax,
    killSignal: 'SIGKILL',
    maxBuffer: 256 * 1024 * 1024,
  });
  return `${result.stdout}\n${result.stderr}`;
}

function tryGuard(copy: string, guard: Guard): Verdict {
  return 'seeds' in guard ? trySeeds(copy, guard.seeds) : tryTest(copy, guard);
}

function trySeeds(copy: string, [from, to]: readonly [number, number]): Verdict {
  const count = String(to - from + 1);
  const args = ['engine/sim/main.ts', '--seeds', count, '--from', String(from), '--failures', '1'];
  const output = run(copy, args);
  const failed = /^seed (\d+) FAILED: (.*)$/m.exec(output);
  if (failed !== null) {
    const what = failed[2] as string;
    return { kind: 'caught', by: `seed ${failed[1]}: ${what.slice(0, 90)}` };
  }
  const isWhole = /^\d+ seeds from \d+, 0 failed/m.test(output);
  if (isWhole) return { kind: 'SURVIVED', by: `seeds ${from} to ${to}` };
  return { kind: 'BROKEN', by: `the simulator broke: ${output.trim().slice(-300)}` };
}

type JestResult = {
  numFailedTests: number;
  numRuntimeErrorTestSuites: number;
  numPassedTests: number;
  testResults: { message: string; assertionResults: { status: string; title: string }[] }[];
};

function tryTest(copy: string, { test, named }: { test: string; named: string }): Verdict {
  const outputFile = join(copy, 'jest.json');
  rmSync(outputFile, { force: true });
  const jest = ['--experimental-vm-modules', '--no-warnings', 'node_modules/jest/bin/jest.js'];
  const args = [...jest, '-w', '1', '--json', '--outputFile', outputFile, test];
  if (named !== '') args.push('-t', named);
  const output = run(copy, args);
  if (!existsSync(outputFile)) {
    return { kind: 'BROKEN', by: `Jest made no result: ${output.trim().slice(-300)}` };
  }
  const result = JSON.parse(readFileSync(outputFile, 'utf8')) as JestResult;
  const ran = result.numFailedTests + result.numPassedTests;
  if (result.numRuntimeErrorTestSuites > 0 || ran === 0) {
    const why = result.testResults[0]?.message.slice(0, 300) ?? 'no such test';
    return { kind: 'BROKEN', by: `${test} "${named}": ${why}` };
  }
  const cases = result.testResults.flatMap(({ assertionResults }) => assertionResults);
  const failed = cases.find(({ status }) => status === 'failed');
  if (failed === undefined) return { kind: 'SURVIVED', by: `${test} "${named}"` };
  return { kind: 'caught', by: `${test}: ${failed.title}` };
}

function tryMutant(copy: string, mutant: Mutant): Verdict {
  const path = join(copy, mutant.file);
  const original = readFileSync(path, 'utf8');
  const mutated = mutate(original, mutant);
  if (mutated === null) {
    return { kind: 'BROKEN', by: `${mutant.file} does not hold the text to change exactly once` };
  }
  writeFileSync(path, mutated);
  try {
    return tryGuard(copy, mutant.guard);
  } finally {
    writeFileSync(path, original);
  }
}

function main(only: string | undefined): void {
  const chosen = mutants.filter(({ name }) => only === undefined || name.includes(only));
  const copy = copyTree();
  let bad = 0;
  write('| mistake | caught by | s |');
  write('| --- | --- | --- |');
  try {
    for (const mutant of chosen) {
      const began = performance.now();
      const { kind, by } = tryMutant(copy, mutant);
      if (kind !== 'caught') bad++;
      const seconds = ((performance.now() - began) / 1000).toFixed(1);
      const verdict = kind === 'caught' ? by : `**${kind}** ${by}`;
      write(
        `| ${mutant.name} | ${verdict.replaceAll('|', '\\|').replaceAll('\n', ' ')} | ${seconds} |`,
      );
    }
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
  write(`${chosen.length} mutants, ${chosen.length - bad} caught, ${bad} not`);
  if (bad > 0 || chosen.length === 0) process.exitCode = 1;
}

const program = new Command('mutants')
  .description('puts mistakes into a copy of the engine and looks who notices')
  .option('--only <text>', 'only mutants whose name holds this text')
  .parse();
main(program.opts<{ only?: string }>().only);
