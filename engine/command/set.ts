import type { Args } from '../resp/args.ts';
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
    summary: 'Add one or more members to a set.',
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
    summary: 'Remove one or more members from a set.',
    complexity: 'O(N) where N is the number of members to be removed.',
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
    summary: 'Get all the members in a set.',
    complexity: 'O(N) where N is the set cardinality.',
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
    summary: 'Determine if a given value is a member of a set.',
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
    summary: 'Returns the membership associated with the given elements for a set.',
    complexity: 'O(N) where N is the number of elements being checked for membership',
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
    summary: 'Get the number of members in a set.',
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
    summary: 'Remove and return one or multiple random members from a set.',
    complexity: 'Without the count argument O(1)',
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
    summary: 'Get one or multiple random members from a set.',
    complexity: 'Without the count argument O(1)',
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
    summary: 'Move a member from one set to another.',
    complexity: 'O(1)',
    conflict: 'SREM from the source and SADD to the target, which appear together.',
    reply: flag,
    run: smove,
  },
];

function sadd(session: ClientSession, _args: Args): void {
  session.output.error('ERR not built yet');
}

function srem(session: ClientSession, _args: Args): void {
  session.output.error('ERR not built yet');
}

function smembers(session: ClientSession, _args: Args): void {
  session.output.error('ERR not built yet');
}

function sisMember(session: ClientSession, _args: Args): void {
  session.output.error('ERR not built yet');
}

function smisMember(session: ClientSession, _args: Args): void {
  session.output.error('ERR not built yet');
}

function scard(session: ClientSession, _args: Args): void {
  session.output.error('ERR not built yet');
}

function spop(session: ClientSession, _args: Args): void {
  session.output.error('ERR not built yet');
}

function srandMember(session: ClientSession, _args: Args): void {
  session.output.error('ERR not built yet');
}

function smove(session: ClientSession, _args: Args): void {
  session.output.error('ERR not built yet');
}
