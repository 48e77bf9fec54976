/**
 * Parts of strings: APPEND, STRLEN, GETRANGE, SETRANGE. A change writes the whole new value, for a
 * string is one register.
 */
import type { Args } from '../resp/args.ts';
import { commandError } from './errors.ts';
import { readInteger } from './numbers.ts';
import { bulk, count } from './reply-shape.ts';
import type { ClientSession } from './session.ts';
import type { Command } from './table.ts';

export const stringRangeCommands: readonly Command[] = [
  {
    name: 'APPEND',
    arity: 3,
    group: 'string',
    flags: ['write', 'denyoom', 'fast'],
    keys: { first: 1, last: 1, step: 1 },
    since: '2.0.0',
    summary: 'Appends to a string.',
    complexity: 'O(1)',
    conflict: 'Writes the whole new value, so the last of concurrent writers wins.',
    reply: count,
    run: append,
  },
  {
    name: 'STRLEN',
    arity: 2,
    group: 'string',
    flags: ['readonly', 'fast'],
    keys: { first: 1, last: 1, step: 1 },
    since: '2.2.0',
    summary: 'Returns the length of a string.',
    complexity: 'O(1)',
    reply: count,
    run: strlen,
  },
  {
    name: 'GETRANGE',
    arity: 4,
    group: 'string',
    flags: ['readonly'],
    keys: { first: 1, last: 1, step: 1 },
    since: '2.4.0',
    summary: 'Returns a part of a string.',
    complexity: 'O(N) for N bytes returned',
    reply: bulk,
    run: getRange,
  },
  {
    name: 'SUBSTR',
    arity: 4,
    group: 'string',
    flags: ['readonly'],
    keys: { first: 1, last: 1, step: 1 },
    since: '1.0.0',
    summary: 'Returns a part of a string; older name of GETRANGE.',
    complexity: 'O(N) for N bytes returned',
    reply: bulk,
    run: getRange,
  },
  {
    name: 'SETRANGE',
    arity: 4,
    group: 'string',
    flags: ['write', 'denyoom'],
    keys: { first: 1, last: 1, step: 1 },
    since: '2.2.0',
    summary: 'Overwrites a part of a string.',
    complexity: 'O(1)',
    conflict: 'Writes the whole new value, so the last of concurrent writers wins.',
    reply: count,
    run: setRange,
  },
];

/** Longest string: the longest latin1 text that both runtimes can hold. */
export const STRING_BYTES_MAX = 2 ** 29 - 64;

/** Expiry that keeps the TTL there is. */
const KEEP_TTL = Number.NaN;

function append(session: ClientSession, args: Args): void {
  const { db } = session.server;
  const key = args.text(1);
  const old = db.getString(key);
  checkLength(session, (old?.length ?? 0) + args.length(2));
  if (old === null || args.length(2) > 0) {
    db.setStringText(key, (old ?? '') + args.text(2), KEEP_TTL);
  }
  session.output.integer((old?.length ?? 0) + args.length(2));
}

function strlen(session: ClientSession, args: Args): void {
  session.output.integer(session.server.db.getString(args.text(1))?.length ?? 0);
}

function getRange(session: ClientSession, args: Args): void {
  const first = readInteger(args, 2);
  const last = readInteger(args, 3);
  const value = session.server.db.getString(args.text(1)) ?? '';
  const [start, end] = clampRange(first, last, value.length);
  session.output.bulk(value.slice(start, end));
}

function setRange(session: ClientSession, args: Args): void {
  const { db } = session.server;
  const offset = readInteger(args, 2);
  if (offset < 0) throw commandError('offsetRange');
  const key = args.text(1);
  const old = db.getString(key);
  const value = args.text(3);
  if (value.length === 0) {
    session.output.integer(old?.length ?? 0);
    return;
  }
  checkLength(session, offset + value.length);
  const before = (old ?? '').slice(0, offset).padEnd(offset, '\0');
  const changed = before + value + (old ?? '').slice(offset + value.length);
  db.setStringText(key, changed, KEEP_TTL);
  session.output.integer(changed.length);
}

/**
 * Redis' inclusive range, negative from the end, as [start, end) within `size`. Empty ranges come
 * back as [0, 0).
 */
export function clampRange(first: number, last: number, size: number): [number, number] {
  if (first < 0 && last < 0 && first > last) return [0, 0];
  const start = Math.max(0, first < 0 ? size + first : first);
  const end = Math.min(size - 1, Math.max(0, last < 0 ? size + last : last));
  return start > end || size === 0 ? [0, 0] : [start, end + 1];
}

/** Refuses a string that would be longer than the database takes. */
export function checkLength({ server }: ClientSession, bytes: number): void {
  if (bytes > server.limits.stringBytesMax) throw commandError('stringTooLong');
}
