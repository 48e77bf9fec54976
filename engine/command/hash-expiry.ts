/**
 * The time to live of hash fields, as Redis has it since 7.4. Each command answers one number per field:
 * -2 there is no such field (or key), -1 it does not expire, and what else the command says.
 */
import type { Args } from '../resp/args.ts';
import { commandError, type ErrorName } from './errors.ts';
import type { TimeUnit } from './expiry-time.ts';
import { readInteger } from './numbers.ts';
import { arrayOf, integer } from './reply-shape.ts';
import type { ClientSession } from './session.ts';
import type { Command } from './table.ts';

const NEVER = Number.POSITIVE_INFINITY;
/** Redis keeps field expiries in 46 bits of ms. */
const EXPIRY_MS_MAX = 2 ** 46 - 1;

const NO_FIELD = -2;
const NO_TTL = -1;
const NOT_MET = 0;
const DONE = 1;
const DELETED = 2;

const shared = {
  group: 'hash',
  keys: { first: 1, last: 1, step: 1 },
  since: '7.4.0',
  complexity: 'O(N) for N fields',
  reply: arrayOf(integer),
} as const;

const writing = {
  ...shared,
  arity: -6,
  flags: ['write', 'denyoom', 'fast'],
  conflict:
    'Among concurrent TTL writes of a field the longest wins; HPERSIST and a concurrent HSET are infinite.',
} as const;

const reading = { ...shared, arity: -5, flags: ['readonly', 'fast'] } as const;

const SECONDS: TimeUnit = { kind: 'relative', scale: 1000 };
const MS: TimeUnit = { kind: 'relative', scale: 1 };
const UNIX_SECONDS: TimeUnit = { kind: 'absolute', scale: 1000 };
const UNIX_MS: TimeUnit = { kind: 'absolute', scale: 1 };

export const hashExpiryCommands: readonly Command[] = [
  {
    ...writing,
    name: 'HEXPIRE',
    summary: 'Lets fields of a hash expire after some seconds.',
    run: (session, args) => expire(session, args, SECONDS, 'hexpire'),
  },
  {
    ...writing,
    name: 'HPEXPIRE',
    summary: 'Lets fields of a hash expire after some milliseconds.',
    run: (session, args) => expire(session, args, MS, 'hpexpire'),
  },
  {
    ...writing,
    name: 'HEXPIREAT',
    summary: 'Lets fields of a hash expire at a Unix time in seconds.',
    run: (session, args) => expire(session, args, UNIX_SECONDS, 'hexpireat'),
  },
  {
    ...writing,
    name: 'HPEXPIREAT',
    summary: 'Lets fields of a hash expire at a Unix time in milliseconds.',
    run: (session, args) => expire(session, args, UNIX_MS, 'hpexpireat'),
  },
  {
    ...writing,
    name: 'HPERSIST',
    arity: -5,
    flags: ['write', 'fast'],
    summary: 'Lets fields of a hash stay for ever.',
    conflict: 'Is an infinite TTL write, so it wins over a concurrent HEXPIRE.',
    run: persist,
  },
  {
    ...reading,
    name: 'HTTL',
    summary: 'Returns in how many seconds fields of a hash expire.',
    run: (session, args) => times(session, args, SECONDS),
  },
  {
    ...reading,
    name: 'HPTTL',
    summary: 'Returns in how many milliseconds fields of a hash expire.',
    run: (session, args) => times(session, args, MS),
  },
  {
    ...reading,
    name: 'HEXPIRETIME',
    summary: 'Returns the Unix time, in seconds, at which fields of a hash expire.',
    run: (session, args) => times(session, args, UNIX_SECONDS),
  },
  {
    ...reading,
    name: 'HPEXPIRETIME',
    summary: 'Returns the Unix time, in milliseconds, at which fields of a hash expire.',
    run: (session, args) => times(session, args, UNIX_MS),
  },
];

type Condition = 'NX' | 'XX' | 'GT' | 'LT';

function expire(session: ClientSession, args: Args, unit: TimeUnit, name: string): void {
  const { db } = session.server;
  const key = args.text(1);
  // As in Redis, the type is seen before anything else.
  db.hashSize(key);
  const expiryMs = readExpiry(args, unit, db.nowMs, name);
  const condition = readCondition(args);
  const fields = readFields(args, condition === null ? 3 : 4, 'fieldCountPositive');
  const past = expiryMs <= db.nowMs;
  const chosen: string[] = [];
  const seen = new Map<string, number>();
  const held = db.fieldExpiries(key, fields);
  const outcomes = fields.map((field, i) => {
    // Of a field that is named twice the second finds what the first has done.
    const current = seen.get(field) ?? held[i];
    if (current === undefined || Number.isNaN(current)) return NO_FIELD;
    if (!allows(condition, current, expiryMs)) return NOT_MET;
    chosen.push(field);
    seen.set(field, past ? Number.NaN : expiryMs);
    return past ? DELETED : DONE;
  });
  if (past) db.hashRemove(key, chosen);
  else if (chosen.length > 0) db.expireFields(key, chosen, expiryMs);
  write(session, outcomes);
}

function persist(session: ClientSession, args: Args): void {
  const { db } = session.server;
  const key = args.text(1);
  db.hashSize(key);
  const fields = readFields(args, 2, 'fieldCountInteger');
  const chosen = new Set<string>();
  const held = db.fieldExpiries(key, fields);
  const outcomes = fields.map((field, i) => {
    const current = held[i];
    if (current === undefined) return NO_FIELD;
    if (current === NEVER || chosen.has(field)) return NO_TTL;
    chosen.add(field);
    return DONE;
  });
  if (chosen.size > 0) db.expireFields(key, [...chosen], NEVER);
  write(session, outcomes);
}

function times(session: ClientSession, args: Args, { kind, scale }: TimeUnit): void {
  const { db } = session.server;
  const key = args.text(1);
  db.hashSize(key);
  const fields = readFields(args, 2, 'fieldCountInteger');
  const since = kind === 'relative' ? db.nowMs : 0;
  const found = db.fieldExpiries(key, fields).map((expiryMs) => {
    if (expiryMs === undefined) return NO_FIELD;
    return expiryMs === NEVER ? NO_TTL : Math.ceil((expiryMs - since) / scale);
  });
  write(session, found);
}

function write(session: ClientSession, numbers: readonly number[]): void {
  session.output.array(numbers.length);
  for (const number of numbers) session.output.integer(number);
}

function readExpiry(args: Args, { kind, scale }: TimeUnit, nowMs: number, name: string): number {
  const time = readInteger(args, 2);
  if (time < 0) throw commandError('fieldExpireNegative');
  const expiryMs = time * scale + (kind === 'relative' ? nowMs : 0);
  if (!(expiryMs <= EXPIRY_MS_MAX)) throw commandError('invalidExpire', name);
  return expiryMs;
}

function readCondition(args: Args): Condition | null {
  for (const condition of ['NX', 'XX', 'GT', 'LT'] as const) {
    if (args.equalsIgnoreCase(3, condition)) return condition;
  }
  return null;
}

/** No TTL counts as an infinite one. */
function allows(condition: Condition | null, current: number, wanted: number): boolean {
  switch (condition) {
    case 'NX':
      return current === NEVER;
    case 'XX':
      return current !== NEVER;
    case 'GT':
      return wanted > current;
    case 'LT':
      return wanted < current;
    default:
      return true;
  }
}

/** The fields behind `FIELDS n` at `i`; they must be all that follows. */
function readFields(args: Args, i: number, countError: ErrorName): string[] {
  if (i >= args.count || !args.equalsIgnoreCase(i, 'FIELDS')) throw commandError('fieldsMissing');
  if (i + 1 >= args.count) throw commandError(countError);
  const count = readInteger(args, i + 1, countError);
  if (count < 1) throw commandError(countError);
  const first = i + 2;
  if (count !== args.count - first) throw commandError('fieldCountMismatch');
  return Array.from({ length: count }, (_, n) => args.text(first + n));
}
