import type { Args } from '../resp/args.ts';
import { flag, integer } from './reply-shape.ts';
import type { ClientSession } from './session.ts';
import type { Command } from './table.ts';

export const keyExpiryCommands: readonly Command[] = [
  {
    name: 'EXPIRE',
    arity: -3,
    group: 'generic',
    flags: ['write', 'fast'],
    keys: { first: 1, last: 1, step: 1 },
    since: '1.0.0',
    summary: "Set a key's time to live in seconds.",
    complexity: 'O(1)',
    conflict:
      'Among concurrent TTL writes the longest wins; NX, XX, GT and LT are judged in this region.',
    reply: flag,
    run: expire,
  },
  {
    name: 'PEXPIRE',
    arity: -3,
    group: 'generic',
    flags: ['write', 'fast'],
    keys: { first: 1, last: 1, step: 1 },
    since: '2.6.0',
    summary: "Set a key's time to live in milliseconds.",
    complexity: 'O(1)',
    conflict: 'As EXPIRE.',
    reply: flag,
    run: pexpire,
  },
  {
    name: 'EXPIREAT',
    arity: -3,
    group: 'generic',
    flags: ['write', 'fast'],
    keys: { first: 1, last: 1, step: 1 },
    since: '1.2.0',
    summary: 'Set the expiration for a key as a UNIX timestamp.',
    complexity: 'O(1)',
    conflict: 'As EXPIRE.',
    reply: flag,
    run: expireAt,
  },
  {
    name: 'PEXPIREAT',
    arity: -3,
    group: 'generic',
    flags: ['write', 'fast'],
    keys: { first: 1, last: 1, step: 1 },
    since: '2.6.0',
    summary: 'Set the expiration for a key as a UNIX timestamp specified in milliseconds.',
    complexity: 'O(1)',
    conflict: 'As EXPIRE.',
    reply: flag,
    run: pexpireAt,
  },
  {
    name: 'TTL',
    arity: 2,
    group: 'generic',
    flags: ['readonly', 'fast'],
    keys: { first: 1, last: 1, step: 1 },
    since: '1.0.0',
    summary: 'Get the time to live for a key in seconds.',
    complexity: 'O(1)',
    reply: integer,
    run: ttl,
  },
  {
    name: 'PTTL',
    arity: 2,
    group: 'generic',
    flags: ['readonly', 'fast'],
    keys: { first: 1, last: 1, step: 1 },
    since: '2.6.0',
    summary: 'Get the time to live for a key in milliseconds.',
    complexity: 'O(1)',
    reply: integer,
    run: pttl,
  },
  {
    name: 'EXPIRETIME',
    arity: 2,
    group: 'generic',
    flags: ['readonly', 'fast'],
    keys: { first: 1, last: 1, step: 1 },
    since: '7.0.0',
    summary: 'Get the expiration Unix timestamp for a key.',
    complexity: 'O(1)',
    reply: integer,
    run: expireTime,
  },
  {
    name: 'PEXPIRETIME',
    arity: 2,
    group: 'generic',
    flags: ['readonly', 'fast'],
    keys: { first: 1, last: 1, step: 1 },
    since: '7.0.0',
    summary: 'Get the expiration Unix timestamp for a key in milliseconds.',
    complexity: 'O(1)',
    reply: integer,
    run: pexpireTime,
  },
  {
    name: 'PERSIST',
    arity: 2,
    group: 'generic',
    flags: ['write', 'fast'],
    keys: { first: 1, last: 1, step: 1 },
    since: '2.2.0',
    summary: 'Remove the expiration from a key.',
    complexity: 'O(1)',
    conflict: 'Is an infinite TTL write, so it wins over a concurrent EXPIRE.',
    reply: flag,
    run: persist,
  },
];

function expire(session: ClientSession, _args: Args): void {
  session.output.error('ERR not built yet');
}

function pexpire(session: ClientSession, _args: Args): void {
  session.output.error('ERR not built yet');
}

function expireAt(session: ClientSession, _args: Args): void {
  session.output.error('ERR not built yet');
}

function pexpireAt(session: ClientSession, _args: Args): void {
  session.output.error('ERR not built yet');
}

function ttl(session: ClientSession, _args: Args): void {
  session.output.error('ERR not built yet');
}

function pttl(session: ClientSession, _args: Args): void {
  session.output.error('ERR not built yet');
}

function expireTime(session: ClientSession, _args: Args): void {
  session.output.error('ERR not built yet');
}

function pexpireTime(session: ClientSession, _args: Args): void {
  session.output.error('ERR not built yet');
}

function persist(session: ClientSession, _args: Args): void {
  session.output.error('ERR not built yet');
}
