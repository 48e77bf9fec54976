/** Hash fields as counters, and fields at random. */
import { fromInteger } from '../crdt/amount.ts';
import { formatAmount, isInfinityText, parseAmount } from '../crdt/amount-text.ts';
import type { Args } from '../resp/args.ts';
import { commandError } from './errors.ts';
import { readInt64 } from './numbers.ts';
import { readRandomCount } from './random-pick.ts';
import { arrayOf, bulk, bulkOrNull, bulks, either, integer } from './reply-shape.ts';
import type { ClientSession } from './session.ts';
import { wholeOf } from './string-counter.ts';
import type { Command } from './table.ts';

export const hashCounterCommands: readonly Command[] = [
  {
    name: 'HINCRBY',
    arity: 4,
    group: 'hash',
    flags: ['write', 'denyoom', 'fast'],
    keys: { first: 1, last: 1, step: 1 },
    since: '2.0.0',
    summary: 'Adds an integer to a field.',
    complexity: 'O(1)',
    conflict: 'Increments of all regions to a field add up.',
    reply: integer,
    run: hincrBy,
  },
  {
    name: 'HINCRBYFLOAT',
    arity: 4,
    group: 'hash',
    flags: ['write', 'denyoom', 'fast'],
    keys: { first: 1, last: 1, step: 1 },
    since: '2.6.0',
    summary: 'Adds a decimal number to a field.',
    complexity: 'O(1)',
    conflict: 'Increments of all regions to a field add up, in exact decimals.',
    reply: bulk,
    run: hincrByFloat,
  },
  {
    name: 'HRANDFIELD',
    arity: -2,
    group: 'hash',
    flags: ['readonly'],
    keys: { first: 1, last: 1, step: 1 },
    since: '6.2.0',
    summary: 'Returns fields at random.',
    complexity: 'O(N) for N fields returned',
    reply: either(bulkOrNull, bulks, arrayOf(bulks)),
    run: hrandField,
  },
];

function hincrBy(session: ClientSession, args: Args): void {
  const short = args.integer(3);
  if (!Number.isNaN(short)) {
    const sum = session.server.db.hashIncrement(args, short);
    if (!Number.isNaN(sum)) {
      session.output.integer(sum);
      return;
    }
  }
  const delta = fromInteger(readInt64(args, 3));
  const value = session.server.db.hashAdd(args.text(1), args.text(2), delta, false);
  session.output.integer(wholeOf(value));
}

function hincrByFloat(session: ClientSession, args: Args): void {
  const text = args.text(3);
  const delta = parseAmount(text);
  if (delta === null) throw commandError(isInfinityText(text) ? 'nanOrInfinity' : 'notFloat');
  const value = session.server.db.hashAdd(args.text(1), args.text(2), delta, true);
  session.output.bulk(formatAmount(value));
}

function hrandField(session: ClientSession, args: Args): void {
  const { output, server } = session;
  const count = args.count > 2 ? readRandomCount(args, 2) : null;
  const withValues = args.count === 4 && args.equalsIgnoreCase(3, 'WITHVALUES');
  if (args.count > 4 || (args.count === 4 && !withValues)) throw commandError('syntax');
  const { db } = server;
  const key = args.text(1);
  if (count === null) {
    const [entry] = db.hashRandom(key, 1);
    if (entry === undefined) output.nullBulk();
    else output.bulk(entry[0]);
    return;
  }
  const picked = db.hashRandom(key, count);
  const nested = withValues && output.protocol === 3;
  output.array(withValues && !nested ? picked.length * 2 : picked.length);
  for (const [field, value] of picked) {
    if (nested) output.array(2);
    output.bulk(field);
    if (withValues) output.bulk(value);
    session.checkOutput();
  }
}
