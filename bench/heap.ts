/**
 * Shell: what commands leave on the JavaScript heap: bytes allocated for a command, over 10 million
 * commands of a member with its log on disk, in one turn for each request of 16 commands or of 1. The
 * socket is left out: the runtime makes a buffer of each chunk that it reads.
 *
 * It runs under Node, whose heap tells to the byte what was allocated when nothing is collected (Bun's
 * counts only what is alive), and which boxes numbers that JavaScriptCore does not: an upper bound.
 */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const root = join(import.meta.dirname, '..');
const write = (line: string) => process.stdout.write(`${line}\n`);

const COMMANDS = 10_000_000;
const KINDS = 9;
/** The share of the commands that come one by one: they take ten times as long. */
const SINGLE_SHARE = 0.1;
/**
 * V8 makes a number of 16 bytes of each float that it passes on or keeps (an hlc, a sum): a few of them for
 * a command. Names, lists or closures made for each command are hundreds of bytes, as GETEX shows.
 */
const BYTES_MAX = 96;
/** The one command here that is run by text, to see that the measurement sees. */
const CONTROL = 'GETEX';
/** What a row may leave behind: code that was compiled late, not something for each command. */
const KEPT_BYTES_MAX = 1024 * 1024;

type Row = { name: string; commands: number; depth: number; allocated: number; kept: number };

/** A young generation of gigabytes, so that no row ends in a collection. */
const flags = ['--expose-gc', '--min-semi-space-size=2048', '--max-semi-space-size=2048'];

/** Prints the table; returns sentences about targets that were missed. */
export async function measureHeap(): Promise<string[]> {
  const missed: string[] = [];
  write('');
  write('| command | depth | commands | bytes allocated a command | kept after a collection, KB |');
  write(`|${' --- |'.repeat(5)}`);
  for (const depth of [16, 1]) {
    const share = depth === 1 ? SINGLE_SHARE : 1 - SINGLE_SHARE;
    for (const row of await runWorker(Math.round((COMMANDS * share) / KINDS), depth)) {
      const bytes = row.allocated / row.commands;
      const kept = (row.kept / 1024).toFixed(0);
      write(`| ${row.name} | ${depth} | ${row.commands} | ${bytes.toFixed(1)} | ${kept} |`);
      if (depth > 1 && bytes > BYTES_MAX && row.name !== CONTROL) {
        missed.push(`${row.name}: ${bytes.toFixed(1)} bytes a command, target ≤ ${BYTES_MAX}`);
      }
      if (row.kept > KEPT_BYTES_MAX) missed.push(`${row.name}: the heap has grown by ${kept} KB`);
    }
  }
  return missed;
}

async function runWorker(commands: number, depth: number): Promise<Row[]> {
  const node = join(root, 'node_modules/.bin/node');
  const args = [...flags, join(root, 'bench/heap-worker.ts'), `${commands}`, `${depth}`];
  const { stdout } = await run(node, args);
  return stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Row);
}
