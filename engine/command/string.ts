import type { Args } from '../resp/args.ts';
import { bulk, bulkOrNull, bulksOrNulls, either, flag, nil, ok } from './reply-shape.ts';
import type { ClientSession } from './session.ts';
import type { Command } from './table.ts';

export const stringCommands: readonly Command[] = [
  {
    name: 'GET',
    arity: 2,
    group: 'string',
    flags: ['readonly', 'fast'],
    keys: { first: 1, last: 1, step: 1 },
    since: '1.0.0',
    summary: 'Get the value of a key.',
    complexity: 'O(1)',
    reply: bulkOrNull,
    run: get,
  },
  {
    name: 'SET',
    arity: -3,
    group: 'string',
    flags: ['write', 'denyoom'],
    keys: { first: 1, last: 1, step: 1 },
    since: '1.0.0',
    summary: 'Set the string value of a key.',
    complexity: 'O(1)',
    conflict:
      'Last writer wins on the whole value; increments it had not seen are added to it. NX and XX are judged in this region.',
    reply: either(ok, bulk, nil),
    run: set,
  },
  {
    name: 'SETNX',
    arity: 3,
    group: 'string',
    flags: ['write', 'denyoom', 'fast'],
    keys: { first: 1, last: 1, step: 1 },
    since: '1.0.0',
    summary: 'Set the value of a key, only if the key does not exist.',
    complexity: 'O(1)',
    conflict: 'As SET; whether the key exists is judged in this region.',
    reply: flag,
    run: setNx,
  },
  {
    name: 'SETEX',
    arity: 4,
    group: 'string',
    flags: ['write', 'denyoom'],
    keys: { first: 1, last: 1, step: 1 },
    since: '2.0.0',
    summary: 'Set the value and expiration of a key.',
    complexity: 'O(1)',
    conflict: 'As SET; of concurrent TTLs the longest wins.',
    reply: ok,
    run: setEx,
  },
  {
    name: 'PSETEX',
    arity: 4,
    group: 'string',
    flags: ['write', 'denyoom'],
    keys: { first: 1, last: 1, step: 1 },
    since: '2.6.0',
    summary: 'Set the value and expiration in milliseconds of a key.',
    complexity: 'O(1)',
    conflict: 'As SETEX.',
    reply: ok,
    run: psetEx,
  },
  {
    name: 'GETSET',
    arity: 3,
    group: 'string',
    flags: ['write', 'denyoom', 'fast'],
    keys: { first: 1, last: 1, step: 1 },
    since: '1.0.0',
    summary: 'Set the string value of a key and return its old value.',
    complexity: 'O(1)',
    conflict: 'As SET; returns the value seen here.',
    reply: bulkOrNull,
    run: getSet,
  },
  {
    name: 'GETDEL',
    arity: 2,
    group: 'string',
    flags: ['write', 'fast'],
    keys: { first: 1, last: 1, step: 1 },
    since: '6.2.0',
    summary: 'Get the value of a key and delete the key.',
    complexity: 'O(1)',
    conflict: 'As DEL; returns the value seen here.',
    reply: bulkOrNull,
    run: getDel,
  },
  {
    name: 'GETEX',
    arity: -2,
    group: 'string',
    flags: ['write', 'fast'],
    keys: { first: 1, last: 1, step: 1 },
    since: '6.2.0',
    summary: 'Get the value of a key and optionally set its expiration.',
    complexity: 'O(1)',
    conflict: 'Its TTL write competes with others as EXPIRE or PERSIST do.',
    reply: bulkOrNull,
    run: getEx,
  },
  {
    name: 'MGET',
    arity: -2,
    group: 'string',
    flags: ['readonly', 'fast'],
    keys: { first: 1, last: -1, step: 1 },
    since: '1.0.0',
    summary: 'Get the values of all the given keys.',
    complexity: 'O(N) where N is the number of keys to retrieve.',
    reply: bulksOrNulls,
    run: mget,
  },
  {
    name: 'MSET',
    arity: -3,
    group: 'string',
    flags: ['write', 'denyoom'],
    keys: { first: 1, last: -1, step: 2 },
    since: '1.0.1',
    summary: 'Set multiple keys to multiple values.',
    complexity: 'O(N) where N is the number of keys to set.',
    conflict: 'As SET for each key; all keys of one command appear together.',
    reply: ok,
    run: mset,
  },
  {
    name: 'MSETNX',
    arity: -3,
    group: 'string',
    flags: ['write', 'denyoom'],
    keys: { first: 1, last: -1, step: 2 },
    since: '1.0.1',
    summary: 'Set multiple keys to multiple values, only if none of the keys exist.',
    complexity: 'O(N) where N is the number of keys to set.',
    conflict: 'As MSET; whether a key exists is judged in this region.',
    reply: flag,
    run: msetNx,
  },
];

function get(session: ClientSession, _args: Args): void {
  session.output.error('ERR not built yet');
}

function set(session: ClientSession, _args: Args): void {
  session.output.error('ERR not built yet');
}

function setNx(session: ClientSession, _args: Args): void {
  session.output.error('ERR not built yet');
}

function setEx(session: ClientSession, _args: Args): void {
  session.output.error('ERR not built yet');
}

function psetEx(session: ClientSession, _args: Args): void {
  session.output.error('ERR not built yet');
}

function getSet(session: ClientSession, _args: Args): void {
  session.output.error('ERR not built yet');
}

function getDel(session: ClientSession, _args: Args): void {
  session.output.error('ERR not built yet');
}

function getEx(session: ClientSession, _args: Args): void {
  session.output.error('ERR not built yet');
}

function mget(session: ClientSession, _args: Args): void {
  session.output.error('ERR not built yet');
}

function mset(session: ClientSession, _args: Args): void {
  session.output.error('ERR not built yet');
}

function msetNx(session: ClientSession, _args: Args): void {
  session.output.error('ERR not built yet');
}
