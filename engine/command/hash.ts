/** Hashes: fields that are registers or counters of their own. */
import type { Args } from '../resp/args.ts';
import { commandError } from './errors.ts';
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
    summary: 'Sets fields.',
    complexity: 'O(1) for each field/value pair added',
    conflict:
      'Each field is apart: of concurrent writes the last wins, and survives a concurrent HDEL.',
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
    summary: 'Sets fields; older form of HSET.',
    complexity: 'O(N) for N fields being set',
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
    summary: 'Sets a field that does not exist yet.',
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
    summary: 'Returns the value of a field.',
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
    summary: 'Returns the values of several fields.',
    complexity: 'O(N) for N fields being requested',
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
    summary: 'Returns all fields with their values.',
    complexity: 'O(N) for N fields',
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
    summary: 'Returns all fields.',
    complexity: 'O(N) for N fields',
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
    summary: 'Returns all values.',
    complexity: 'O(N) for N fields',
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
    summary: 'Counts the fields.',
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
    summary: "Returns the length of a field's value.",
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
    summary: 'Says whether a field exists.',
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
    summary: 'Removes fields.',
    complexity: 'O(N) for N fields to be removed',
    conflict:
      'Removes what this region has seen of the fields; concurrent writes and increments survive.',
    reply: count,
    run: hdel,
  },
];

function hset(session: ClientSession, args: Args): void {
  session.output.integer(setFields(session, args, 'hset'));
}

function hmset(session: ClientSession, args: Args): void {
  setFields(session, args, 'hmset');
  session.output.ok();
}

function setFields(session: ClientSession, args: Args, name: string): number {
  if (args.count % 2 !== 0) throw commandError('arity', name);
  return session.server.db.setFields(args);
}

function hsetNx(session: ClientSession, args: Args): void {
  const { db } = session.server;
  const exists = db.fieldLength(args, 2) >= 0;
  if (!exists) db.setFields(args);
  session.output.integer(exists ? 0 : 1);
}

function hget(session: ClientSession, args: Args): void {
  session.server.db.readField(args, 2, session.output);
}

function hmget(session: ClientSession, args: Args): void {
  const { db } = session.server;
  session.output.array(args.count - 2);
  for (let i = 2; i < args.count; i++) {
    db.readField(args, i, session.output);
    session.checkOutput();
  }
}

function hgetAll(session: ClientSession, args: Args): void {
  session.server.db.writeEntries(args, session.output, true, true);
}

function hkeys(session: ClientSession, args: Args): void {
  session.server.db.writeEntries(args, session.output, true, false);
}

function hvals(session: ClientSession, args: Args): void {
  session.server.db.writeEntries(args, session.output, false, true);
}

function hlen(session: ClientSession, args: Args): void {
  session.output.integer(session.server.db.countFields(args));
}

function hstrlen(session: ClientSession, args: Args): void {
  session.output.integer(Math.max(0, session.server.db.fieldLength(args, 2)));
}

function hexists(session: ClientSession, args: Args): void {
  session.output.integer(session.server.db.fieldLength(args, 2) >= 0 ? 1 : 0);
}

function hdel(session: ClientSession, args: Args): void {
  session.output.integer(session.server.db.removeFields(args));
}
