/**
 * Expiry of keys: to set it under conditions, and to ask for it in four units. The conditions are
 * judged where the command runs; what is shipped is the resulting TTL write.
 */
import type { Args } from '../resp/args.ts';
import { commandError } from './errors.ts';
import { anyExpiryFrom, type TimeUnit } from './expiry-time.ts';
import { readInteger } from './numbers.ts';
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
    summary: 'Lets a key expire after seconds.',
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
    summary: 'Lets a key expire after milliseconds.',
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
    summary: 'Lets a key expire at a Unix time in seconds.',
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
    summary: 'Lets a key expire at a Unix time in milliseconds.',
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
    summary: 'Returns the seconds a key has left.',
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
    summary: 'Returns the milliseconds a key has left.',
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
    summary: 'Returns the Unix time, in seconds, at which a key expires.',
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
    summary: 'Returns the Unix time, in milliseconds, at which a key expires.',
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
    summary: 'Lets a key stay for ever.',
    complexity: 'O(1)',
    conflict: 'Is an infinite TTL write, so it wins over a concurrent EXPIRE.',
    reply: flag,
    run: persist,
  },
];

const NEVER = Number.POSITIVE_INFINITY;

type Conditions = { nx: boolean; xx: boolean; gt: boolean; lt: boolean };

function expire(session: ClientSession, args: Args): void {
  setExpiry(session, args, { kind: 'relative', scale: 1000 }, 'expire');
}

function pexpire(session: ClientSession, args: Args): void {
  setExpiry(session, args, { kind: 'relative', scale: 1 }, 'pexpire');
}

function expireAt(session: ClientSession, args: Args): void {
  setExpiry(session, args, { kind: 'absolute', scale: 1000 }, 'expireat');
}

function pexpireAt(session: ClientSession, args: Args): void {
  setExpiry(session, args, { kind: 'absolute', scale: 1 }, 'pexpireat');
}

function setExpiry(session: ClientSession, args: Args, unit: TimeUnit, name: string): void {
  const { db } = session.server;
  const conditions = readConditions(args);
  const expiryMs = anyExpiryFrom(readInteger(args, 2), unit, db.nowMs, name);
  const key = args.text(1);
  const current = db.expiry(key);
  const sets = current !== undefined && allows(conditions, current, expiryMs);
  session.output.integer(sets && db.expire(key, expiryMs) ? 1 : 0);
}

/** No TTL counts as an infinite one, except that LT is then always fulfilled. */
function allows(conditions: Conditions, current: number, wanted: number): boolean {
  if (conditions.nx && current !== NEVER) return false;
  if (conditions.xx && current === NEVER) return false;
  if (conditions.gt && wanted <= current) return false;
  return !(conditions.lt && wanted >= current);
}

function readConditions(args: Args): Conditions {
  const found: Conditions = { nx: false, xx: false, gt: false, lt: false };
  for (let i = 3; i < args.count; i++) {
    if (args.equalsIgnoreCase(i, 'NX')) found.nx = true;
    else if (args.equalsIgnoreCase(i, 'XX')) found.xx = true;
    else if (args.equalsIgnoreCase(i, 'GT')) found.gt = true;
    else if (args.equalsIgnoreCase(i, 'LT')) found.lt = true;
    else throw commandError('unsupportedOption', args.text(i));
  }
  if (found.nx && (found.xx || found.gt || found.lt)) throw commandError('expireNxWithOthers');
  if (found.gt && found.lt) throw commandError('expireGtLt');
  return found;
}

function ttl(session: ClientSession, args: Args): void {
  writeTime(session, args, 1000, session.server.db.nowMs);
}

function pttl(session: ClientSession, args: Args): void {
  writeTime(session, args, 1, session.server.db.nowMs);
}

function expireTime(session: ClientSession, args: Args): void {
  writeTime(session, args, 1000, 0);
}

function pexpireTime(session: ClientSession, args: Args): void {
  writeTime(session, args, 1, 0);
}

/** The expiry counted from `sinceMs`, rounded to units of `scale` ms; -1: none; -2: no such key. */
function writeTime(session: ClientSession, args: Args, scale: number, sinceMs: number): void {
  const expiryMs = session.server.db.expiry(args.text(1));
  if (expiryMs === undefined) session.output.integer(-2);
  else if (expiryMs === NEVER) session.output.integer(-1);
  else {
    const left = Math.max(0, expiryMs - sinceMs);
    session.output.integer(Math.floor((left + scale / 2) / scale));
  }
}

function persist(session: ClientSession, args: Args): void {
  const { db } = session.server;
  const key = args.text(1);
  const expiryMs = db.expiry(key);
  const sets = expiryMs !== undefined && expiryMs !== NEVER;
  session.output.integer(sets && db.expire(key, NEVER) ? 1 : 0);
}
