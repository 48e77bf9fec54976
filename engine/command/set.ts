/** Sets: members that are added and removed one by one, also concurrently. */
import type { Args } from '../resp/args.ts';
import { commandError } from './errors.ts';
import { readInteger } from './numbers.ts';
import { readRandomCount } from './random-pick.ts';
import { arrayOf, bulkOrNull, bulkSet, bulks, count, either, flag } from './reply-shape.ts';
import type { ClientSession } from './session.ts';
import type { Command } from './table.ts';

export const setCommands: readonly Command[] = [
  {
    name: 'SADD',
    arity: -3,
    group: 'set',
    flags: ['write', 'denyoom', 'fast'],
    keys: { first: 1, last: 1, step: 1 },
    since: '1.0.0',
    summary: 'Adds members to a set.',
    complexity: 'O(1) for each element added',
    conflict: 'Add wins: a member added in one region survives a concurrent SREM elsewhere.',
    reply: count,
    run: sadd,
  },
  {
    name: 'SREM',
    arity: -3,
    group: 'set',
    flags: ['write', 'fast'],
    keys: { first: 1, last: 1, step: 1 },
    since: '1.0.0',
    summary: 'Removes members from a set.',
    complexity: 'O(N) for N members to be removed',
    conflict: 'Removes what this region has seen of the members; concurrent adds survive.',
    reply: count,
    run: srem,
  },
  {
    name: 'SMEMBERS',
    arity: 2,
    group: 'set',
    flags: ['readonly'],
    keys: { first: 1, last: 1, step: 1 },
    since: '1.0.0',
    summary: 'Returns all members.',
    complexity: 'O(N) for N members',
    reply: bulkSet,
    run: smembers,
  },
  {
    name: 'SISMEMBER',
    arity: 3,
    group: 'set',
    flags: ['readonly', 'fast'],
    keys: { first: 1, last: 1, step: 1 },
    since: '1.0.0',
    summary: 'Says whether a member is in the set.',
    complexity: 'O(1)',
    reply: flag,
    run: sisMember,
  },
  {
    name: 'SMISMEMBER',
    arity: -3,
    group: 'set',
    flags: ['readonly', 'fast'],
    keys: { first: 1, last: 1, step: 1 },
    since: '6.2.0',
    summary: 'Says of several members whether they are in the set.',
    complexity: 'O(N) for N elements being checked for membership',
    reply: arrayOf(flag),
    run: smisMember,
  },
  {
    name: 'SCARD',
    arity: 2,
    group: 'set',
    flags: ['readonly', 'fast'],
    keys: { first: 1, last: 1, step: 1 },
    since: '1.0.0',
    summary: 'Counts the members.',
    complexity: 'O(1)',
    reply: count,
    run: scard,
  },
  {
    name: 'SPOP',
    arity: -2,
    group: 'set',
    flags: ['write', 'fast'],
    keys: { first: 1, last: 1, step: 1 },
    since: '1.0.0',
    summary: 'Removes members at random and returns them.',
    complexity: 'O(N) for N elements returned',
    conflict:
      'The member is removed as by SREM: exactly once in a region, at least once across regions.',
    reply: either(bulkOrNull, bulkSet),
    run: spop,
  },
  {
    name: 'SRANDMEMBER',
    arity: -2,
    group: 'set',
    flags: ['readonly'],
    keys: { first: 1, last: 1, step: 1 },
    since: '1.0.0',
    summary: 'Returns members at random.',
    complexity: 'O(N) for N elements returned',
    reply: either(bulkOrNull, bulks),
    run: srandMember,
  },
  {
    name: 'SMOVE',
    arity: 4,
    group: 'set',
    flags: ['write', 'fast'],
    keys: { first: 1, last: 2, step: 1 },
    since: '1.0.0',
    summary: 'Moves a member to another set.',
    complexity: 'O(1)',
    conflict: 'SREM from the source and SADD to the target, which appear together.',
    reply: flag,
    run: smove,
  },
];

function sadd(session: ClientSession, args: Args): void {
  session.output.integer(session.server.db.addMembers(args));
}

function srem(session: ClientSession, args: Args): void {
  session.output.integer(session.server.db.removeMembers(args));
}

function smembers(session: ClientSession, args: Args): void {
  session.server.db.writeMembers(args, session.output);
}

function sisMember(session: ClientSession, args: Args): void {
  session.output.integer(session.server.db.hasMember(args, 2) ? 1 : 0);
}

function smisMember(session: ClientSession, args: Args): void {
  const { db } = session.server;
  session.output.array(args.count - 2);
  for (let i = 2; i < args.count; i++) {
    session.output.integer(db.hasMember(args, i) ? 1 : 0);
  }
}

function scard(session: ClientSession, args: Args): void {
  session.output.integer(session.server.db.countMembers(args));
}

function spop(session: ClientSession, args: Args): void {
  if (args.count > 3) throw commandError('syntax');
  const { db } = session.server;
  if (args.count === 2) {
    db.popOne(args, session.output);
    return;
  }
  const count = readInteger(args, 2, 'mustBePositive');
  if (count < 0) throw commandError('mustBePositive');
  const key = args.text(1);
  const members = db.setRandom(key, count);
  if (members.length > 0) db.setRemove(key, members);
  writeSet(session, members);
}

function srandMember(session: ClientSession, args: Args): void {
  if (args.count > 3) throw commandError('syntax');
  const { output, server } = session;
  const key = args.text(1);
  if (args.count === 2) {
    const [member] = server.db.setRandom(key, 1);
    if (member === undefined) output.nullBulk();
    else output.bulk(member);
    return;
  }
  const count = readRandomCount(args, 2);
  const members = server.db.setRandom(key, count);
  output.array(members.length);
  for (const member of members) {
    output.bulk(member);
    session.checkOutput();
  }
}

function smove(session: ClientSession, args: Args): void {
  const { db } = session.server;
  const source = args.text(1);
  const target = args.text(2);
  const member = args.text(3);
  if (db.type(source) === 'none') {
    session.output.integer(0);
    return;
  }
  const has = db.setHas(source, member);
  // Asked also for its type: a wrong one is an error before anything is moved.
  db.setHas(target, member);
  if (has && source !== target) {
    db.setRemove(source, [member]);
    db.setAdd(target, [member]);
  }
  session.output.integer(has ? 1 : 0);
}

/** Writes members as a set reply. */
export function writeSet(session: ClientSession, members: readonly string[]): void {
  session.output.set(members.length);
  for (const member of members) session.output.bulk(member);
}
