/**
 * Intersections, unions and differences of sets. All keys are checked for their type before the
 * result is written or stored, also those that cannot change it any more.
 */
import type { Db } from '../core/db.ts';
import type { Args } from '../resp/args.ts';
import { commandError } from './errors.ts';
import { readInteger } from './numbers.ts';
import { bulkSet, count } from './reply-shape.ts';
import type { ClientSession } from './session.ts';
import { writeSet } from './set.ts';
import type { Command } from './table.ts';

export const setAlgebraCommands: readonly Command[] = [
  {
    name: 'SINTER',
    arity: -2,
    group: 'set',
    flags: ['readonly'],
    keys: { first: 1, last: -1, step: 1 },
    since: '1.0.0',
    summary: 'Returns the members common to all sets.',
    complexity: 'O(N*M)',
    reply: bulkSet,
    run: sinter,
  },
  {
    name: 'SUNION',
    arity: -2,
    group: 'set',
    flags: ['readonly'],
    keys: { first: 1, last: -1, step: 1 },
    since: '1.0.0',
    summary: 'Returns the members of any of the sets.',
    complexity: 'O(N) for N elements in all given sets',
    reply: bulkSet,
    run: sunion,
  },
  {
    name: 'SDIFF',
    arity: -2,
    group: 'set',
    flags: ['readonly'],
    keys: { first: 1, last: -1, step: 1 },
    since: '1.0.0',
    summary: 'Returns the members of the first set that no other has.',
    complexity: 'O(N) for N elements in all given sets',
    reply: bulkSet,
    run: sdiff,
  },
  {
    name: 'SINTERCARD',
    arity: -3,
    group: 'set',
    flags: ['readonly', 'movablekeys'],
    keys: null,
    keyCountAt: 1,
    since: '7.0.0',
    summary: 'Counts the members common to all sets.',
    complexity: 'O(N*M)',
    reply: count,
    run: sinterCard,
  },
  {
    name: 'SINTERSTORE',
    arity: -3,
    group: 'set',
    flags: ['write', 'denyoom'],
    keys: { first: 1, last: -1, step: 1 },
    since: '1.0.0',
    summary: 'Stores the members common to all sets.',
    complexity: 'O(N*M)',
    conflict: 'Replaces what this region has seen of the target by the result computed here.',
    reply: count,
    run: sinterStore,
  },
  {
    name: 'SUNIONSTORE',
    arity: -3,
    group: 'set',
    flags: ['write', 'denyoom'],
    keys: { first: 1, last: -1, step: 1 },
    since: '1.0.0',
    summary: 'Stores the members of any of the sets.',
    complexity: 'O(N) for N elements in all given sets',
    conflict: 'As SINTERSTORE.',
    reply: count,
    run: sunionStore,
  },
  {
    name: 'SDIFFSTORE',
    arity: -3,
    group: 'set',
    flags: ['write', 'denyoom'],
    keys: { first: 1, last: -1, step: 1 },
    since: '1.0.0',
    summary: 'Stores the members of the first set that no other has.',
    complexity: 'O(N) for N elements in all given sets',
    conflict: 'As SINTERSTORE.',
    reply: count,
    run: sdiffStore,
  },
];

function sinter(session: ClientSession, args: Args): void {
  writeSet(session, intersection(session.server.db, keysFrom(args, 1, args.count)));
}

function sunion(session: ClientSession, args: Args): void {
  writeSet(session, union(session.server.db, keysFrom(args, 1, args.count)));
}

function sdiff(session: ClientSession, args: Args): void {
  writeSet(session, difference(session.server.db, keysFrom(args, 1, args.count)));
}

function sinterStore(session: ClientSession, args: Args): void {
  store(session, args, intersection(session.server.db, keysFrom(args, 2, args.count)));
}

function sunionStore(session: ClientSession, args: Args): void {
  store(session, args, union(session.server.db, keysFrom(args, 2, args.count)));
}

function sdiffStore(session: ClientSession, args: Args): void {
  store(session, args, difference(session.server.db, keysFrom(args, 2, args.count)));
}

function sinterCard(session: ClientSession, args: Args): void {
  const keyCount = readInteger(args, 1, 'numKeysPositive');
  if (keyCount <= 0) throw commandError('numKeysPositive');
  if (keyCount > args.count - 2) throw commandError('numKeysTooGreat');
  let limit = 0;
  for (let i = 2 + keyCount; i < args.count; i += 2) {
    if (!args.equalsIgnoreCase(i, 'LIMIT') || i + 1 >= args.count) throw commandError('syntax');
    limit = readInteger(args, i + 1, 'limitNegative');
    if (limit < 0) throw commandError('limitNegative');
  }
  const members = intersection(session.server.db, keysFrom(args, 2, 2 + keyCount));
  session.output.integer(limit > 0 ? Math.min(limit, members.length) : members.length);
}

/** Puts the result in the place of whatever the target holds; an empty one deletes it. */
function store(session: ClientSession, args: Args, members: readonly string[]): void {
  const { db } = session.server;
  const target = args.text(1);
  db.delete(target);
  if (members.length > 0) db.setAdd(target, members);
  session.output.integer(members.length);
}

function intersection(db: Db, keys: readonly string[]): string[] {
  const sizes = keys.map((key) => db.setSize(key));
  const smallest = sizes.indexOf(Math.min(...sizes));
  if (sizes[smallest] === 0) return [];
  const others = keys.filter((_, i) => i !== smallest);
  return db
    .setMembers(keys[smallest])
    .filter((member) => others.every((key) => db.setHas(key, member)));
}

function union(db: Db, keys: readonly string[]): string[] {
  const members = new Set<string>();
  for (const key of keys) for (const member of db.setMembers(key)) members.add(member);
  return [...members];
}

function difference(db: Db, keys: readonly string[]): string[] {
  const others = keys.slice(1);
  for (const key of others) db.setSize(key);
  return db.setMembers(keys[0]).filter((member) => others.every((key) => !db.setHas(key, member)));
}

function keysFrom(args: Args, first: number, end: number): string[] {
  const keys: string[] = [];
  for (let i = first; i < end; i++) keys.push(args.text(i));
  return keys;
}
