/**
 * The time tables of docs/semantics.md as cases that can be played. The grammar is explained to
 * readers in a comment at the top of that document; this file is the same grammar as a program.
 *
 *     ### RULE                       a rule; every one must have at least one table
 *     | t | eu | us |                a table: one column per region, regions 1, 2, 3 in this order
 *     | --- | --- | --- |
 *     | t1 | `SET k 5` | |           a moment: all cells at the same ms, commands left to right
 *     | *sync* | | |                 all regions that can reach each other exchange everything
 *     | *all* | `GET k → "5"` | |    the first cell, in every region
 *     | *never* | | `GET … → …` |    at no time from here on does the region answer that
 *     | *cut eu us* | | |            the link between two regions breaks; `*heal eu us*`
 *     | *wait 6 s* | | |             time passes (s or ms)
 *     | *clock us -60 s* | | |       from here on the clock of a region is that far off
 *
 * A cell holds code spans, each `COMMAND words → reply`, the arrow and reply optional. Words are
 * separated by spaces; "double quotes" keep them together. `RECEIVE` is no command: it takes
 * the next message that was pushed to the region's client.
 */
import { type Expected, parseExpected } from './expected-reply.ts';

export type TableCommand = {
  readonly text: string;
  readonly words: readonly string[];
  /** Null: any reply but an error. */
  readonly expected: Expected | null;
};

export type TableRow = {
  /** Line in the document, from 1. */
  readonly line: number;
  readonly label: string;
  readonly step: TableStep;
  /** One list of commands per region. */
  readonly cells: readonly (readonly TableCommand[])[];
};

export type TableStep =
  | { readonly kind: 'moment' | 'sync' | 'all' | 'never' }
  | { readonly kind: 'cut' | 'heal'; readonly between: readonly [string, string] }
  | { readonly kind: 'wait'; readonly ms: number }
  | { readonly kind: 'clock'; readonly region: string; readonly ms: number };

export type TableCase = {
  readonly section: string;
  readonly rule: string;
  readonly line: number;
  readonly regions: readonly string[];
  readonly rows: readonly TableRow[];
};

export type SemanticsTables = {
  readonly cases: readonly TableCase[];
  /** Every rule of the document, with or without a table. */
  readonly rules: readonly string[];
};

/** Reads all tables; throws a SyntaxError with the line where the document breaks the grammar. */
export function parseTables(markdown: string): SemanticsTables {
  const lines = markdown.split('\n');
  const cases: TableCase[] = [];
  const rules: string[] = [];
  let section = '';
  let rule = '';
  for (let index = 0; index < lines.length; index++) {
    const text = lines[index];
    if (text.startsWith('## ')) {
      section = text.slice(3);
      rule = '';
    } else if (text.startsWith('### ')) {
      rule = text.slice(4);
      rules.push(rule);
    } else if (/^\| t +\|/.test(text)) {
      let end = index;
      while (end < lines.length && lines[end].startsWith('|')) end++;
      cases.push(parseTable(lines.slice(index, end), index + 1, section, rule));
      index = end - 1;
    }
  }
  return { cases, rules };
}

function parseTable(
  lines: readonly string[],
  line: number,
  section: string,
  rule: string,
): TableCase {
  const regions = columnsOf(lines[0]).slice(1);
  if (rule === '') throw new SyntaxError(`line ${line}: a table without a rule above it`);
  const rows = lines.slice(2).map((text, index) => parseRow(text, line + index + 2, regions));
  return { section, rule, line, regions, rows };
}

function parseRow(text: string, line: number, regions: readonly string[]): TableRow {
  const columns = columnsOf(text);
  if (columns.length !== regions.length + 1) {
    throw new SyntaxError(
      `line ${line}: ${columns.length - 1} cells for ${regions.length} regions`,
    );
  }
  try {
    const cells = columns.slice(1).map(parseCell);
    return { line, label: columns[0], step: parseStep(columns[0], regions), cells };
  } catch (error) {
    throw new SyntaxError(`line ${line}: ${(error as Error).message}`);
  }
}

function columnsOf(text: string): string[] {
  return text
    .replace(/^\|/, '')
    .replace(/\|\s*$/, '')
    .split('|')
    .map((cell) => cell.trim());
}

function parseStep(label: string, regions: readonly string[]): TableStep {
  if (/^t\d+$/.test(label)) return { kind: 'moment' };
  const words = /^\*(.+)\*$/.exec(label)?.[1].split(' ') ?? [];
  const [kind, ...rest] = words;
  if ((kind === 'sync' || kind === 'all' || kind === 'never') && rest.length === 0) return { kind };
  if ((kind === 'cut' || kind === 'heal') && rest.length === 2) {
    for (const region of rest) known(region, regions);
    return { kind, between: [rest[0], rest[1]] };
  }
  if (kind === 'wait' && rest.length === 2) return { kind, ms: duration(rest[0], rest[1]) };
  if (kind === 'clock' && rest.length === 3) {
    return { kind, region: known(rest[0], regions), ms: duration(rest[1], rest[2]) };
  }
  throw new SyntaxError(`no such step: ${label}`);
}

function known(region: string, regions: readonly string[]): string {
  if (!regions.includes(region)) throw new SyntaxError(`no such region: ${region}`);
  return region;
}

function duration(number: string, unit: string): number {
  if (!/^[+-]?\d+$/.test(number) || (unit !== 's' && unit !== 'ms')) {
    throw new SyntaxError(`no time: ${number} ${unit}`);
  }
  return Number(number) * (unit === 's' ? 1000 : 1);
}

function parseCell(cell: string): TableCommand[] {
  const spans = [...cell.matchAll(/`([^`]+)`/g)].map((match) => match[1]);
  if (cell.replace(/`[^`]+`/g, '').trim() !== '') throw new SyntaxError(`not a command: ${cell}`);
  return spans.map(parseCommand);
}

function parseCommand(text: string): TableCommand {
  const [command, reply] = text.split('→').map((part) => part.trim());
  const words = [...command.matchAll(/"((?:[^"\\]|\\.)*)"|\S+/g)].map(([word, quoted]) =>
    quoted === undefined ? word : (JSON.parse(word) as string),
  );
  if (words.length === 0) throw new SyntaxError(`no command in: ${text}`);
  return { text, words, expected: reply === undefined ? null : parseExpected(reply) };
}
