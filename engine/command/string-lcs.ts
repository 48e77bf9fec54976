/**
 * LCS: the longest common subsequence of two strings, by the table of Wagner and Fischer.
 *
 * The table takes 4 bytes for each pair of positions and is filled in one turn, so its size is
 * bounded much lower than Redis does: nobody else is served meanwhile.
 */
import type { Args } from '../resp/args.ts';
import type { ReplyWriter } from '../resp/reply-writer.ts';
import { commandError } from './errors.ts';
import { readInteger } from './numbers.ts';
import { any, bulk, count, either } from './reply-shape.ts';
import type { ClientSession } from './session.ts';
import type { Command } from './table.ts';

export const lcsCommands: readonly Command[] = [
  {
    name: 'LCS',
    arity: -3,
    group: 'string',
    flags: ['readonly'],
    keys: { first: 1, last: 2, step: 1 },
    since: '7.0.0',
    summary: 'Finds the longest common subsequence of two strings.',
    complexity: 'O(N*M) for strings of N and M bytes',
    reply: either(bulk, count, any),
    run: lcs,
  },
];

/** Cells of the table: 64 MB, filled in about 50 ms. */
export const LCS_CELLS_MAX = 2 ** 24;

type Options = { length: boolean; indexes: boolean; matchMin: number; withLength: boolean };
/** The last positions in both strings and the length of a run that they share. */
type Match = { readonly endA: number; readonly endB: number; readonly length: number };

function lcs(session: ClientSession, args: Args): void {
  const { db } = session.server;
  const [a, b] = [1, 2].map((i) => {
    const type = db.type(args.text(i));
    if (type !== 'none' && type !== 'string') throw commandError('lcsType');
    return Buffer.from(db.getString(args.text(i)) ?? '', 'latin1');
  });
  const options = readOptions(args);
  if ((a.length + 1) * (b.length + 1) > LCS_CELLS_MAX) throw commandError('lcsTooLong');
  const table = fillTable(a, b);
  const length = table[table.length - 1];
  const { output } = session;
  if (options.indexes) writeMatches(output, matchesOf(a, b, table).matches, length, options);
  else if (options.length) output.integer(length);
  else output.bulkBytes(matchesOf(a, b, table).text, 0, length);
}

function readOptions(args: Args): Options {
  const options: Options = { length: false, indexes: false, matchMin: 0, withLength: false };
  for (let i = 3; i < args.count; i++) {
    if (args.equalsIgnoreCase(i, 'IDX')) options.indexes = true;
    else if (args.equalsIgnoreCase(i, 'LEN')) options.length = true;
    else if (args.equalsIgnoreCase(i, 'WITHMATCHLEN')) options.withLength = true;
    else if (args.equalsIgnoreCase(i, 'MINMATCHLEN') && i + 1 < args.count) {
      options.matchMin = Math.max(0, readInteger(args, ++i));
    } else throw commandError('syntax');
  }
  if (options.length && options.indexes) throw commandError('lcsLengthAndIndexes');
  return options;
}

/** Row i, column j: the length for the first i bytes of `a` and the first j of `b`. */
function fillTable(a: Buffer, b: Buffer): Uint32Array {
  const width = b.length + 1;
  const table = new Uint32Array((a.length + 1) * width);
  for (let i = 1; i <= a.length; i++) {
    const byte = a[i - 1];
    let at = i * width + 1;
    for (let j = 1; j <= b.length; j++, at++) {
      if (byte === b[j - 1]) table[at] = table[at - width - 1] + 1;
      else table[at] = Math.max(table[at - width], table[at - 1]);
    }
  }
  return table;
}

/**
 * Walks back through the table. Where a run ends because another match follows that does not
 * continue it, Redis counts that match to no run; so do we.
 */
function matchesOf(a: Buffer, b: Buffer, table: Uint32Array): { text: Buffer; matches: Match[] } {
  const width = b.length + 1;
  let left = table[table.length - 1];
  const text = Buffer.alloc(left);
  const matches: Match[] = [];
  let run: { a: number; b: number; endA: number; endB: number } | null = null;
  for (let i = a.length, j = b.length; i > 0 && j > 0; ) {
    let ends = false;
    if (a[i - 1] === b[j - 1]) {
      text[--left] = a[i - 1];
      if (run === null) run = { a: i - 1, b: j - 1, endA: i - 1, endB: j - 1 };
      else if (run.a === i && run.b === j) {
        run.a--;
        run.b--;
      } else ends = true;
      if (run.a === 0 || run.b === 0) ends = true;
      i--;
      j--;
    } else {
      ends = run !== null;
      if (table[(i - 1) * width + j] > table[i * width + j - 1]) i--;
      else j--;
    }
    if (ends && run !== null) {
      matches.push({ endA: run.endA, endB: run.endB, length: run.endA - run.a + 1 });
      run = null;
    }
  }
  return { text, matches };
}

function writeMatches(
  output: ReplyWriter,
  matches: readonly Match[],
  length: number,
  { matchMin, withLength }: Options,
): void {
  const shown = matches.filter((match) => match.length >= matchMin);
  output.map(2);
  output.bulk('matches');
  output.array(shown.length);
  for (const match of shown) {
    output.array(withLength ? 3 : 2);
    for (const end of [match.endA, match.endB]) {
      output.array(2);
      output.integer(end - match.length + 1);
      output.integer(end);
    }
    if (withLength) output.integer(match.length);
  }
  output.bulk('len');
  output.integer(length);
}
