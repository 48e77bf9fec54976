/** The least and greatest members of sorted sets, taken out; the commands with B wait for some. */
import type { Args } from '../resp/args.ts';
import { readTimeoutSeconds } from './blocking-timeout.ts';
import { commandError } from './errors.ts';
import { readInteger } from './numbers.ts';
import { any, arrayOf, either, nil } from './reply-shape.ts';
import type { ClientSession } from './session.ts';
import type { Command } from './table.ts';

const POPS =
  'ZREM of the members that are popped: once within a region, at least once across regions.';
const popped = arrayOf(any);
const poppedOrNull = either(popped, nil);

export const zsetPopCommands: readonly Command[] = [
  {
    name: 'ZPOPMIN',
    arity: -2,
    group: 'sorted-set',
    flags: ['write', 'fast'],
    keys: { first: 1, last: 1, step: 1 },
    since: '5.0.0',
    summary: 'Takes out the members with the lowest scores.',
    complexity: 'O(M*log(N)) for M members popped',
    conflict: POPS,
    reply: popped,
    run: (session, args) => zpop(session, args, false),
  },
  {
    name: 'ZPOPMAX',
    arity: -2,
    group: 'sorted-set',
    flags: ['write', 'fast'],
    keys: { first: 1, last: 1, step: 1 },
    since: '5.0.0',
    summary: 'Takes out the members with the highest scores.',
    complexity: 'O(M*log(N)) for M members popped',
    conflict: POPS,
    reply: popped,
    run: (session, args) => zpop(session, args, true),
  },
  {
    name: 'ZMPOP',
    arity: -4,
    group: 'sorted-set',
    flags: ['write', 'movablekeys'],
    keys: null,
    keyCountAt: 1,
    since: '7.0.0',
    summary: 'Takes members out of the first sorted set that has some.',
    complexity: 'O(K)+O(M*log(N)) for K keys and M members popped',
    conflict: POPS,
    reply: poppedOrNull,
    run: zmpop,
  },
  {
    name: 'BZPOPMIN',
    arity: -3,
    group: 'sorted-set',
    flags: ['write', 'fast', 'blocking', 'noscript'],
    keys: { first: 1, last: -2, step: 1 },
    since: '5.0.0',
    summary: 'Takes out the member with the lowest score, or waits for one.',
    complexity: 'O(log(N))',
    conflict: POPS,
    reply: poppedOrNull,
    run: (session, args) => bzpop(session, args, false),
  },
  {
    name: 'BZPOPMAX',
    arity: -3,
    group: 'sorted-set',
    flags: ['write', 'fast', 'blocking', 'noscript'],
    keys: { first: 1, last: -2, step: 1 },
    since: '5.0.0',
    summary: 'Takes out the member with the highest score, or waits for one.',
    complexity: 'O(log(N))',
    conflict: POPS,
    reply: poppedOrNull,
    run: (session, args) => bzpop(session, args, true),
  },
  {
    name: 'BZMPOP',
    arity: -5,
    group: 'sorted-set',
    flags: ['write', 'movablekeys', 'blocking'],
    keys: null,
    keyCountAt: 2,
    since: '7.0.0',
    summary: 'Takes members out of the first sorted set that has some, or waits for one.',
    complexity: 'O(K)+O(M*log(N)) for K keys and M members popped',
    conflict: POPS,
    reply: poppedOrNull,
    run: bzmpop,
  },
];

function zpop(session: ClientSession, args: Args, down: boolean): void {
  if (args.count > 3) throw commandError('syntax');
  const { output, server } = session;
  const withCount = args.count === 3;
  const wanted = withCount ? readInteger(args, 2, 'mustBePositive') : 1;
  if (wanted < 0) throw commandError('mustBePositive');
  const { size } = server.db.zsets.see(args, 1);
  const taken = take(session, args.text(1), size, wanted, down);
  const nested = withCount && output.protocol === 3;
  output.array(nested ? taken.length : taken.length * 2);
  for (const [member, score] of taken) {
    if (nested) output.array(2);
    output.bulk(member);
    output.double(score);
  }
}

function take(
  session: ClientSession,
  key: string,
  size: number,
  wanted: number,
  down: boolean,
): (readonly [string, number])[] {
  const count = Math.min(size, wanted);
  if (count === 0) return [];
  return session.server.db.zsets.take(key, down ? size - 1 : 0, count, down);
}

function bzpop(session: ClientSession, args: Args, down: boolean): void {
  const keys: string[] = [];
  for (let i = 1; i < args.count - 1; i++) keys.push(args.text(i));
  const timeoutMs = readTimeoutSeconds(args, args.count - 1, session.server.clockMs());
  const tryAgain = (key: string): boolean => popOne(session, key, down);
  tryOrWait(session, keys, timeoutMs, tryAgain);
}

/** Replies with a key and its least or greatest member; false: it has none. */
function popOne(session: ClientSession, key: string, down: boolean): boolean {
  const { output, server } = session;
  const [taken] = take(session, key, server.db.zsets.of(key).size, 1, down);
  if (taken === undefined) return false;
  output.array(3);
  output.bulk(key);
  output.bulk(taken[0]);
  output.double(taken[1]);
  return true;
}

type Mpop = { readonly keys: string[]; readonly down: boolean; readonly count: number };

function zmpop(session: ClientSession, args: Args): void {
  const wanted = readMpop(args, 1);
  for (const key of wanted.keys) if (popMany(session, key, wanted)) return;
  session.output.nullArray();
}

function bzmpop(session: ClientSession, args: Args): void {
  const wanted = readMpop(args, 2);
  const timeoutMs = readTimeoutSeconds(args, 1, session.server.clockMs());
  tryOrWait(session, wanted.keys, timeoutMs, (key) => popMany(session, key, wanted));
}

/** Replies with a key and members of it, each with its score; false: it has none. */
function popMany(session: ClientSession, key: string, { down, count }: Mpop): boolean {
  const { output, server } = session;
  const taken = take(session, key, server.db.zsets.of(key).size, count, down);
  if (taken.length === 0) return false;
  output.array(2);
  output.bulk(key);
  output.array(taken.length);
  for (const [member, score] of taken) {
    output.array(2);
    output.bulk(member);
    output.double(score);
  }
  return true;
}

/** What follows numkeys at `args` `at`. */
function readMpop(args: Args, at: number): Mpop {
  const keyCount = readInteger(args, at, 'numKeysPositive');
  if (keyCount < 1) throw commandError('numKeysPositive');
  const where = at + keyCount + 1;
  if (where >= args.count) throw commandError('syntax');
  const down = args.equalsIgnoreCase(where, 'MAX');
  if (!down && !args.equalsIgnoreCase(where, 'MIN')) throw commandError('syntax');
  let count = -1;
  for (let i = where + 1; i < args.count; i += 2) {
    const isCount = args.equalsIgnoreCase(i, 'COUNT') && count < 0 && i + 1 < args.count;
    if (!isCount) throw commandError('syntax');
    count = readInteger(args, i + 1, 'countPositive');
    if (count < 1) throw commandError('countPositive');
  }
  const keys: string[] = [];
  for (let i = at + 1; i < where; i++) keys.push(args.text(i));
  return { keys, down, count: Math.max(count, 1) };
}

/** Runs a command on the first key that lets it, or lets the client wait for one. */
function tryOrWait(
  session: ClientSession,
  keys: readonly string[],
  timeoutMs: number,
  tryAgain: (key: string) => boolean,
): void {
  for (const key of keys) if (tryAgain(key)) return;
  const timedOut = (): void => session.output.nullArray();
  if (session.mayBlock) {
    session.server.blockedKeys.wait(session, { keys, type: 'zset', timeoutMs, tryAgain, timedOut });
  } else timedOut();
}
