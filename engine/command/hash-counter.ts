import type { Args } from '../resp/args.ts';
import { arrayOf, bulk, bulkOrNull, bulks, either, integer } from './reply-shape.ts';
import type { ClientSession } from './session.ts';
import type { Command } from './table.ts';

export const hashCounterCommands: readonly Command[] = [
  {
    name: 'HINCRBY',
    arity: 4,
    group: 'hash',
    flags: ['write', 'denyoom', 'fast'],
    keys: { first: 1, last: 1, step: 1 },
    since: '2.0.0',
    summary: 'Increment the integer value of a hash field by the given number.',
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
    summary: 'Increment the float value of a hash field by the given amount.',
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
    summary: 'Get one or multiple random fields from a hash.',
    complexity: 'O(N) where N is the number of fields returned',
    reply: either(bulkOrNull, bulks, arrayOf(bulks)),
    run: hrandField,
  },
];

function hincrBy(session: ClientSession, _args: Args): void {
  session.output.error('ERR not built yet');
}

function hincrByFloat(session: ClientSession, _args: Args): void {
  session.output.error('ERR not built yet');
}

function hrandField(session: ClientSession, _args: Args): void {
  session.output.error('ERR not built yet');
}
