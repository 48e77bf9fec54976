import type { Args } from '../resp/args.ts';
import { anyMap, bulk, count, either } from './reply-shape.ts';
import type { ClientSession } from './session.ts';
import type { Command } from './table.ts';

export const stringRangeCommands: readonly Command[] = [
  {
    name: 'APPEND',
    arity: 3,
    group: 'string',
    flags: ['write', 'denyoom', 'fast'],
    keys: { first: 1, last: 1, step: 1 },
    since: '2.0.0',
    summary: 'Append a value to a key.',
    complexity: 'O(1)',
    conflict: 'Writes the whole new value, so the last of concurrent writers wins.',
    reply: count,
    run: append,
  },
  {
    name: 'STRLEN',
    arity: 2,
    group: 'string',
    flags: ['readonly', 'fast'],
    keys: { first: 1, last: 1, step: 1 },
    since: '2.2.0',
    summary: 'Get the length of the value stored in a key.',
    complexity: 'O(1)',
    reply: count,
    run: strlen,
  },
  {
    name: 'GETRANGE',
    arity: 4,
    group: 'string',
    flags: ['readonly'],
    keys: { first: 1, last: 1, step: 1 },
    since: '2.4.0',
    summary: 'Get a substring of the string stored at a key.',
    complexity: 'O(N) where N is the length of the returned string',
    reply: bulk,
    run: getRange,
  },
  {
    name: 'SUBSTR',
    arity: 4,
    group: 'string',
    flags: ['readonly'],
    keys: { first: 1, last: 1, step: 1 },
    since: '1.0.0',
    summary: 'Get a substring of the string stored at a key.',
    complexity: 'O(N) where N is the length of the returned string',
    reply: bulk,
    run: getRange,
  },
  {
    name: 'SETRANGE',
    arity: 4,
    group: 'string',
    flags: ['write', 'denyoom'],
    keys: { first: 1, last: 1, step: 1 },
    since: '2.2.0',
    summary: 'Overwrite part of a string at key starting at the specified offset.',
    complexity: 'O(1)',
    conflict: 'Writes the whole new value, so the last of concurrent writers wins.',
    reply: count,
    run: setRange,
  },
  {
    name: 'LCS',
    arity: -3,
    group: 'string',
    flags: ['readonly'],
    keys: { first: 1, last: 2, step: 1 },
    since: '7.0.0',
    summary: 'Find longest common substring.',
    complexity: 'O(N*M) where N and M are the lengths of s1 and s2, respectively',
    reply: either(bulk, count, anyMap),
    run: lcs,
  },
];

function append(session: ClientSession, _args: Args): void {
  session.output.error('ERR not built yet');
}

function strlen(session: ClientSession, _args: Args): void {
  session.output.error('ERR not built yet');
}

function getRange(session: ClientSession, _args: Args): void {
  session.output.error('ERR not built yet');
}

function setRange(session: ClientSession, _args: Args): void {
  session.output.error('ERR not built yet');
}

function lcs(session: ClientSession, _args: Args): void {
  session.output.error('ERR not built yet');
}
