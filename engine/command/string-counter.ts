import type { Args } from '../resp/args.ts';
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
    summary: 'Increment the integer value of a key by one.',
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
    summary: 'Decrement the integer value of a key by one.',
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
    summary: 'Increment the integer value of a key by the given amount.',
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
    summary: 'Decrement the integer value of a key by the given number.',
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
    summary: 'Increment the float value of a key by the given amount.',
    complexity: 'O(1)',
    conflict: 'Increments of all regions add up, in exact decimals.',
    reply: bulk,
    run: incrByFloat,
  },
];

function incr(session: ClientSession, _args: Args): void {
  session.output.error('ERR not built yet');
}

function decr(session: ClientSession, _args: Args): void {
  session.output.error('ERR not built yet');
}

function incrBy(session: ClientSession, _args: Args): void {
  session.output.error('ERR not built yet');
}

function decrBy(session: ClientSession, _args: Args): void {
  session.output.error('ERR not built yet');
}

function incrByFloat(session: ClientSession, _args: Args): void {
  session.output.error('ERR not built yet');
}
