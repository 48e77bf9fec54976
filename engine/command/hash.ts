import type { Args } from '../resp/args.ts';
import { bulkMap, bulkOrNull, bulks, bulksOrNulls, count, flag, ok } from './reply-shape.ts';
import type { ClientSession } from './session.ts';
import type { Command } from './table.ts';

export const hashCommands: readonly Command[] = [
  {
    name: 'HSET',
    arity: -4,
    group: 'hash',
    flags: ['write', 'denyoom', 'fast'],
    keys: { first: 1, last: 1, step: 1 },
    since: '2.0.0',
    summary: 'Set the string value of a hash field.',
    complexity: 'O(1) for each field/value pair added',
    conflict:
      'Fields are apart from each other; of concurrent writes to one field the last wins, and it survives a concurrent HDEL.',
    reply: count,
    run: hset,
  },
  {
    name: 'HMSET',
    arity: -4,
    group: 'hash',
    flags: ['write', 'denyoom', 'fast'],
    keys: { first: 1, last: 1, step: 1 },
    since: '2.0.0',
    summary: 'Set multiple hash fields to multiple values.',
    complexity: 'O(N) where N is the number of fields being set.',
    conflict: 'As HSET.',
    reply: ok,
    run: hmset,
  },
  {
    name: 'HSETNX',
    arity: 4,
    group: 'hash',
    flags: ['write', 'denyoom', 'fast'],
    keys: { first: 1, last: 1, step: 1 },
    since: '2.0.0',
    summary: 'Set the value of a hash field, only if the field does not exist.',
    complexity: 'O(1)',
    conflict: 'As HSET; whether the field exists is judged in this region.',
    reply: flag,
    run: hsetNx,
  },
  {
    name: 'HGET',
    arity: 3,
    group: 'hash',
    flags: ['readonly', 'fast'],
    keys: { first: 1, last: 1, step: 1 },
    since: '2.0.0',
    summary: 'Get the value of a hash field.',
    complexity: 'O(1)',
    reply: bulkOrNull,
    run: hget,
  },
  {
    name: 'HMGET',
    arity: -3,
    group: 'hash',
    flags: ['readonly', 'fast'],
    keys: { first: 1, last: 1, step: 1 },
    since: '2.0.0',
    summary: 'Get the values of all the given hash fields.',
    complexity: 'O(N) where N is the number of fields being requested.',
    reply: bulksOrNulls,
    run: hmget,
  },
  {
    name: 'HGETALL',
    arity: 2,
    group: 'hash',
    flags: ['readonly'],
    keys: { first: 1, last: 1, step: 1 },
    since: '2.0.0',
    summary: 'Get all the fields and values in a hash.',
    complexity: 'O(N) where N is the size of the hash.',
    reply: bulkMap,
    run: hgetAll,
  },
  {
    name: 'HKEYS',
    arity: 2,
    group: 'hash',
    flags: ['readonly'],
    keys: { first: 1, last: 1, step: 1 },
    since: '2.0.0',
    summary: 'Get all the fields in a hash.',
    complexity: 'O(N) where N is the size of the hash.',
    reply: bulks,
    run: hkeys,
  },
  {
    name: 'HVALS',
    arity: 2,
    group: 'hash',
    flags: ['readonly'],
    keys: { first: 1, last: 1, step: 1 },
    since: '2.0.0',
    summary: 'Get all the values in a hash.',
    complexity: 'O(N) where N is the size of the hash.',
    reply: bulks,
    run: hvals,
  },
  {
    name: 'HLEN',
    arity: 2,
    group: 'hash',
    flags: ['readonly', 'fast'],
    keys: { first: 1, last: 1, step: 1 },
    since: '2.0.0',
    summary: 'Get the number of fields in a hash.',
    complexity: 'O(1)',
    reply: count,
    run: hlen,
  },
  {
    name: 'HSTRLEN',
    arity: 3,
    group: 'hash',
    flags: ['readonly', 'fast'],
    keys: { first: 1, last: 1, step: 1 },
    since: '3.2.0',
    summary: 'Get the length of the value of a hash field.',
    complexity: 'O(1)',
    reply: count,
    run: hstrlen,
  },
  {
    name: 'HEXISTS',
    arity: 3,
    group: 'hash',
    flags: ['readonly', 'fast'],
    keys: { first: 1, last: 1, step: 1 },
    since: '2.0.0',
    summary: 'Determine if a hash field exists.',
    complexity: 'O(1)',
    reply: flag,
    run: hexists,
  },
  {
    name: 'HDEL',
    arity: -3,
    group: 'hash',
    flags: ['write', 'fast'],
    keys: { first: 1, last: 1, step: 1 },
    since: '2.0.0',
    summary: 'Delete one or more hash fields.',
    complexity: 'O(N) where N is the number of fields to be removed.',
    conflict:
      'Removes what this region has seen of the fields; concurrent writes and increments survive.',
    reply: count,
    run: hdel,
  },
];

function hset(session: ClientSession, _args: Args): void {
  session.output.error('ERR not built yet');
}

function hmset(session: ClientSession, _args: Args): void {
  session.output.error('ERR not built yet');
}

function hsetNx(session: ClientSession, _args: Args): void {
  session.output.error('ERR not built yet');
}

function hget(session: ClientSession, _args: Args): void {
  session.output.error('ERR not built yet');
}

function hmget(session: ClientSession, _args: Args): void {
  session.output.error('ERR not built yet');
}

function hgetAll(session: ClientSession, _args: Args): void {
  session.output.error('ERR not built yet');
}

function hkeys(session: ClientSession, _args: Args): void {
  session.output.error('ERR not built yet');
}

function hvals(session: ClientSession, _args: Args): void {
  session.output.error('ERR not built yet');
}

function hlen(session: ClientSession, _args: Args): void {
  session.output.error('ERR not built yet');
}

function hstrlen(session: ClientSession, _args: Args): void {
  session.output.error('ERR not built yet');
}

function hexists(session: ClientSession, _args: Args): void {
  session.output.error('ERR not built yet');
}

function hdel(session: ClientSession, _args: Args): void {
  session.output.error('ERR not built yet');
}
