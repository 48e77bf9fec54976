/** Lists: pushes and pops at the ends, and reads. */
import type { Args } from '../resp/args.ts';
import { commandError } from './errors.ts';
import { readInteger } from './numbers.ts';
import { bulk, bulkOrNull, bulks, count, either, nil } from './reply-shape.ts';
import type { ClientSession } from './session.ts';
import type { Command } from './table.ts';

const PUSH_CONFLICT =
  'Both regions’ values stay, each in its order; the values that one region pushed stay together.';
export const POP_CONFLICT =
  'An element is popped exactly once in a region, at least once across regions; an LSET that the pop ' +
  'had not seen brings it back.';

export const listCommands: readonly Command[] = [
  pushCommand('RPUSH', 'Appends values to a list.', false, false),
  pushCommand('LPUSH', 'Puts values before a list, one after the other.', true, false),
  pushCommand('RPUSHX', 'Appends values to a list if there is one.', false, true),
  pushCommand('LPUSHX', 'Puts values before a list if there is one.', true, true),
  popCommand('LPOP', 'Removes the first elements and returns them.', true),
  popCommand('RPOP', 'Removes the last elements, the last one first, and returns them.', false),
  {
    name: 'LRANGE',
    arity: 4,
    group: 'list',
    flags: ['readonly'],
    keys: { first: 1, last: 1, step: 1 },
    since: '1.0.0',
    summary: 'Returns the elements between two indexes.',
    complexity: 'O(log L + N) for N elements of a list of L',
    reply: bulks,
    run: lrange,
  },
  {
    name: 'LLEN',
    arity: 2,
    group: 'list',
    flags: ['readonly', 'fast'],
    keys: { first: 1, last: 1, step: 1 },
    since: '1.0.0',
    summary: 'Counts the elements.',
    complexity: 'O(1)',
    reply: count,
    run: llen,
  },
  {
    name: 'LINDEX',
    arity: 3,
    group: 'list',
    flags: ['readonly'],
    keys: { first: 1, last: 1, step: 1 },
    since: '1.0.0',
    summary: 'Returns the element at an index, from the end when it is negative.',
    complexity: 'O(log L) in a list of L',
    reply: bulkOrNull,
    run: lindex,
  },
];

function pushCommand(name: string, summary: string, left: boolean, existing: boolean): Command {
  return {
    name,
    arity: -3,
    group: 'list',
    flags: ['write', 'denyoom', 'fast'],
    keys: { first: 1, last: 1, step: 1 },
    since: existing ? '2.2.0' : '1.0.0',
    summary,
    complexity: 'O(1) for each element added',
    conflict: PUSH_CONFLICT,
    reply: count,
    run(session, args) {
      session.output.integer(session.server.db.listPush(args, left, existing));
    },
  };
}

function popCommand(name: string, summary: string, left: boolean): Command {
  return {
    name,
    arity: -2,
    group: 'list',
    flags: ['write', 'fast'],
    keys: { first: 1, last: 1, step: 1 },
    since: '1.0.0',
    summary,
    complexity: 'O(N) for N elements returned',
    conflict: POP_CONFLICT,
    reply: either(bulk, bulks, nil),
    run: (session, args) => pop(session, args, left),
  };
}

function pop(session: ClientSession, args: Args, left: boolean): void {
  const { output, server } = session;
  const { db } = server;
  if (args.count === 2) {
    db.listPopOne(args, left, output);
    return;
  }
  if (args.count > 3) throw commandError('arity', left ? 'lpop' : 'rpop');
  const wanted = readInteger(args, 2, 'mustBePositive');
  if (wanted < 0) throw commandError('mustBePositive');
  const key = args.text(1);
  if (db.listAt(key) === null) output.nullArray();
  else writeBulks(session, db.listPop(key, left, wanted));
}

export function writeBulks(session: ClientSession, values: readonly string[]): void {
  session.output.array(values.length);
  for (const value of values) session.output.bulk(value);
}

function llen(session: ClientSession, args: Args): void {
  session.output.integer(session.server.db.listIn(args, 1)?.size ?? 0);
}

function lindex(session: ClientSession, args: Args): void {
  const { output, server } = session;
  const list = server.db.listIn(args, 1);
  if (list === null) {
    output.nullBulk();
    return;
  }
  const index = fromStart(readInteger(args, 2), list.size);
  if (index < 0 || index >= list.size) output.nullBulk();
  else server.db.writeListValue(list, index, output);
}

function lrange(session: ClientSession, args: Args): void {
  const { output, server } = session;
  const first = readInteger(args, 2);
  const last = readInteger(args, 3);
  const list = server.db.listIn(args, 1);
  const size = list?.size ?? 0;
  const { from, to } = clampRange(first, last, size);
  output.array(to - from);
  if (list === null || from === to) return;
  server.db.eachListValue(list, from, to, (bytes, start, end) => {
    output.bulkBytes(bytes, start, end);
    if (output.length > session.outputBytesMax) session.checkOutput();
  });
}

/** An index that counts from the end when it is negative, counted from the start. */
export function fromStart(index: number, size: number): number {
  return index < 0 ? index + size : index;
}

/** The elements [from, to) that a first and a last index name, as Redis clamps them. */
export function clampRange(
  first: number,
  last: number,
  size: number,
): { readonly from: number; readonly to: number } {
  const from = Math.max(fromStart(first, size), 0);
  const to = Math.min(fromStart(last, size), size - 1) + 1;
  return from >= to ? { from: 0, to: 0 } : { from, to };
}
