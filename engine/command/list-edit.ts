/** Lists by index and by value: LSET, LINSERT, LREM, LTRIM, LPOS. */
import type { Args } from '../resp/args.ts';
import { commandError, type ErrorName } from './errors.ts';
import { clampRange, fromStart } from './list.ts';
import { readInteger } from './numbers.ts';
import { arrayOf, count, either, integer, nil, ok } from './reply-shape.ts';
import type { ClientSession } from './session.ts';
import type { Command } from './table.ts';

const KEY = { first: 1, last: 1, step: 1 };

export const listEditCommands: readonly Command[] = [
  {
    name: 'LSET',
    arity: 4,
    group: 'list',
    flags: ['write', 'denyoom'],
    keys: KEY,
    since: '1.0.0',
    summary: 'Replaces the element at an index.',
    complexity: 'O(log L) in a list of L',
    conflict:
      'The last writer’s value shows; a concurrent removal of the element does not remove it.',
    reply: ok,
    run: lset,
  },
  {
    name: 'LINSERT',
    arity: 5,
    group: 'list',
    flags: ['write', 'denyoom'],
    keys: KEY,
    since: '2.2.0',
    summary: 'Inserts an element before or after the first one with a value.',
    complexity: 'O(N) for N elements before the one sought',
    conflict: 'Inserts of two regions at one place both stay, in one order everywhere.',
    reply: integer,
    run: linsert,
  },
  {
    name: 'LREM',
    arity: 4,
    group: 'list',
    flags: ['write'],
    keys: KEY,
    since: '1.0.0',
    summary: 'Removes elements with a value.',
    complexity: 'O(L) in a list of L',
    conflict: 'Removes what this region has seen; a concurrent LSET of an element keeps it.',
    reply: count,
    run: lrem,
  },
  {
    name: 'LTRIM',
    arity: 4,
    group: 'list',
    flags: ['write'],
    keys: KEY,
    since: '1.0.0',
    summary: 'Keeps only the elements between two indexes.',
    complexity: 'O(N) for N elements removed',
    conflict: 'Removes what this region has seen; elements pushed concurrently stay.',
    reply: ok,
    run: ltrim,
  },
  {
    name: 'LPOS',
    arity: -3,
    group: 'list',
    flags: ['readonly'],
    keys: KEY,
    since: '6.0.6',
    summary: 'Returns the indexes of elements with a value.',
    complexity: 'O(L) in a list of L',
    reply: either(count, arrayOf(count), nil),
    run: lpos,
  },
];

function lset(session: ClientSession, args: Args): void {
  const { db } = session.server;
  const list = db.listIn(args, 1);
  if (list === null) throw commandError('noSuchKey');
  const index = fromStart(readInteger(args, 2), list.size);
  if (index < 0 || index >= list.size) throw commandError('indexOutOfRange');
  db.listSet(args.text(1), index, args.text(3));
  session.output.ok();
}

function linsert(session: ClientSession, args: Args): void {
  const after = args.equalsIgnoreCase(2, 'AFTER');
  if (!after && !args.equalsIgnoreCase(2, 'BEFORE')) throw commandError('syntax');
  const { db } = session.server;
  const list = db.listIn(args, 1);
  if (list === null) {
    session.output.integer(0);
    return;
  }
  let found = -1;
  let index = 0;
  db.eachListValue(list, 0, list.size, (bytes, start, end) => {
    if (found < 0 && equalsBytes(args, 3, bytes, start, end)) found = index;
    index++;
  });
  if (found < 0) session.output.integer(-1);
  else {
    const at = after ? found + 1 : found;
    session.output.integer(db.listInsert(args.text(1), at, args.text(4)));
  }
}

function lrem(session: ClientSession, args: Args): void {
  const wanted = readInteger(args, 2);
  session.output.integer(session.server.db.listRemove(args.text(1), wanted, args.text(3)));
}

function ltrim(session: ClientSession, args: Args): void {
  const first = readInteger(args, 2);
  const last = readInteger(args, 3);
  const { db } = session.server;
  const list = db.listIn(args, 1);
  if (list !== null) {
    const { from, to } = clampRange(first, last, list.size);
    db.listTrim(args.text(1), from, to);
  }
  session.output.ok();
}

type Search = { rank: number; count: number | null; most: number };

function lpos(session: ClientSession, args: Args): void {
  const { output, server } = session;
  const search = readSearch(args);
  const list = server.db.listIn(args, 1);
  const found: number[] = [];
  if (list !== null) {
    const { rank, count: wanted, most } = search;
    const limit = most === 0 ? list.size : Math.min(most, list.size);
    const from = rank > 0 ? 0 : list.size - limit;
    const matches: number[] = [];
    let index = from;
    server.db.eachListValue(list, from, from + limit, (bytes, start, end) => {
      if (equalsBytes(args, 2, bytes, start, end)) matches.push(index);
      index++;
    });
    if (rank < 0) matches.reverse();
    const first = Math.abs(rank) - 1;
    const number = wanted === null ? 1 : wanted === 0 ? matches.length : wanted;
    found.push(...matches.slice(first, first + number));
  }
  if (search.count === null) {
    if (found.length === 0) output.nullBulk();
    else output.integer(found[0]);
    return;
  }
  output.array(found.length);
  for (const at of found) output.integer(at);
}

function readSearch(args: Args): Search {
  const search: Search = { rank: 1, count: null, most: 0 };
  for (let i = 3; i < args.count; i += 2) {
    if (i + 1 >= args.count) throw commandError('syntax');
    if (args.equalsIgnoreCase(i, 'RANK')) {
      search.rank = readInteger(args, i + 1);
      if (search.rank === 0) throw commandError('rankZero');
      if (search.rank <= -(2 ** 63) && args.text(i + 1) === INT64_MIN) {
        throw commandError('rankRange');
      }
    } else if (args.equalsIgnoreCase(i, 'COUNT')) {
      search.count = readCount(args, i + 1, 'countNegative');
    } else if (args.equalsIgnoreCase(i, 'MAXLEN')) {
      search.most = readCount(args, i + 1, 'lposMaxlenNegative');
    } else {
      throw commandError('syntax');
    }
  }
  return search;
}

const INT64_MIN = '-9223372036854775808';

function readCount(args: Args, i: number, error: ErrorName): number {
  const value = readInteger(args, i, error);
  if (value < 0) throw commandError(error);
  return value;
}

function equalsBytes(args: Args, i: number, bytes: Buffer, start: number, end: number): boolean {
  const from = args.start[i];
  if (args.end[i] - from !== end - start) return false;
  const { buffer } = args;
  for (let k = 0; k < end - start; k++) if (buffer[from + k] !== bytes[start + k]) return false;
  return true;
}
