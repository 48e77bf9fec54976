/**
 * Counters: a string whose value is a number. INCR and DECR go by offsets and plain JS numbers;
 * steps or results beyond 2^53, and floats, go by exact amounts.
 */
import { type Amount, fromInteger, UNITS_PER_ONE } from '../crdt/amount.ts';
import { formatAmount, isInfinityText, parseAmount } from '../crdt/amount-text.ts';
import type { Args } from '../resp/args.ts';
import { commandError } from './errors.ts';
import { readInt64 } from './numbers.ts';
import { bulk, integer } from './reply-shape.ts';
import type { ClientSession } from './session.ts';
import type { Command } from './table.ts';

export const counterCommands: readonly Command[] = [
  {
    name: 'INCR',
    arity: 2,
    group: 'string',
    flags: ['write', 'denyoom', 'fast'],
    keys: { first: 1, last: 1, step: 1 },
    since: '1.0.0',
    summary: 'Adds 1 to a number.',
    complexity: 'O(1)',
    conflict: 'Increments of all regions add up.',
    reply: integer,
    run: incr,
  },
  {
    name: 'DECR',
    arity: 2,
    group: 'string',
    flags: ['write', 'denyoom', 'fast'],
    keys: { first: 1, last: 1, step: 1 },
    since: '1.0.0',
    summary: 'Takes 1 from a number.',
    complexity: 'O(1)',
    conflict: 'Decrements of all regions add up.',
    reply: integer,
    run: decr,
  },
  {
    name: 'INCRBY',
    arity: 3,
    group: 'string',
    flags: ['write', 'denyoom', 'fast'],
    keys: { first: 1, last: 1, step: 1 },
    since: '1.0.0',
    summary: 'Adds an integer to a number.',
    complexity: 'O(1)',
    conflict: 'Increments of all regions add up.',
    reply: integer,
    run: incrBy,
  },
  {
    name: 'DECRBY',
    arity: 3,
    group: 'string',
    flags: ['write', 'denyoom', 'fast'],
    keys: { first: 1, last: 1, step: 1 },
    since: '1.0.0',
    summary: 'Takes an integer from a number.',
    complexity: 'O(1)',
    conflict: 'Decrements of all regions add up.',
    reply: integer,
    run: decrBy,
  },
  {
    name: 'INCRBYFLOAT',
    arity: 3,
    group: 'string',
    flags: ['write', 'denyoom', 'fast'],
    keys: { first: 1, last: 1, step: 1 },
    since: '2.6.0',
    summary: 'Adds a decimal number to a number.',
    complexity: 'O(1)',
    conflict: 'Increments of all regions add up, in exact decimals.',
    reply: bulk,
    run: incrByFloat,
  },
];

const INT64_MIN = -(2n ** 63n);

function incr(session: ClientSession, args: Args): void {
  step(session, args, 1);
}

function decr(session: ClientSession, args: Args): void {
  step(session, args, -1);
}

function incrBy(session: ClientSession, args: Args): void {
  const delta = args.integer(2);
  if (Number.isNaN(delta)) stepWide(session, args, readInt64(args, 2));
  else step(session, args, delta);
}

function decrBy(session: ClientSession, args: Args): void {
  const delta = args.integer(2);
  if (!Number.isNaN(delta)) {
    step(session, args, 0 - delta);
    return;
  }
  const wide = readInt64(args, 2);
  if (wide === INT64_MIN) throw commandError('decrementOverflow');
  stepWide(session, args, -wide);
}

function step(session: ClientSession, args: Args, delta: number): void {
  const { db } = session.server;
  const value = db.increment(args.buffer, args.start[1], args.end[1], delta);
  session.output.integer(Number.isNaN(value) ? BigInt(db.wideResult) : value);
}

function stepWide(session: ClientSession, args: Args, delta: bigint): void {
  const value = session.server.db.addAmount(args.text(1), fromInteger(delta), false);
  session.output.integer(wholeOf(value));
}

function incrByFloat(session: ClientSession, args: Args): void {
  const { db } = session.server;
  const key = args.text(1);
  const text = args.text(2);
  const delta = parseAmount(text);
  if (delta === null) {
    // As in Redis the stored value is judged before the increment is.
    const stored = db.getString(key);
    if (stored !== null && parseAmount(stored) === null) throw commandError('notFloat');
    throw commandError(isInfinityText(text) ? 'notFinite' : 'notFloat');
  }
  session.output.bulk(formatAmount(db.addAmount(key, delta, true)));
}

/** A whole amount as the integer reply wants it. */
export function wholeOf(amount: Amount): number | bigint {
  return typeof amount === 'number' ? amount : amount / UNITS_PER_ONE;
}
