/** Lists: LMOVE and LMPOP with their blocking forms, BLPOP and BRPOP (see blocked-keys.ts). */
import type { Args } from '../resp/args.ts';
import { readTimeoutSeconds } from './blocking-timeout.ts';
import { commandError } from './errors.ts';
import { POP_CONFLICT, writeBulks } from './list.ts';
import { readInteger } from './numbers.ts';
import { bulk, bulkOrNull, bulks, either, nil, type ReplyShape } from './reply-shape.ts';
import type { ClientSession } from './session.ts';
import type { Command, CommandFlag, KeyRange } from './table.ts';

const MOVE_CONFLICT = 'A pop and a push, which appear together everywhere.';
const BLOCKS = ' Waits until there is one.';
const popped: ReplyShape = either({ kind: 'tuple', of: [bulk, bulk] }, nil);
const poppedMany: ReplyShape = either({ kind: 'tuple', of: [bulk, bulks] }, nil);

type Shape = Pick<Command, 'name' | 'arity' | 'since' | 'summary' | 'reply'> & {
  readonly keys: KeyRange | null;
  readonly keyCountAt?: number;
  readonly conflict: string;
  readonly flags: readonly CommandFlag[];
  readonly run: (session: ClientSession, args: Args) => void;
};

const make = (shape: Shape): Command => ({
  ...shape,
  group: 'list',
  complexity: 'O(N) for N elements returned, and for the keys looked at',
});

const TWO_KEYS = { first: 1, last: 2, step: 1 };
const ALL_BUT_LAST = { first: 1, last: -2, step: 1 };

export const listMoveCommands: readonly Command[] = [
  make({
    name: 'LMOVE',
    arity: 5,
    keys: TWO_KEYS,
    since: '6.2.0',
    flags: ['write', 'denyoom'],
    summary: 'Takes an element from an end of a list and pushes it to an end of another.',
    conflict: MOVE_CONFLICT,
    reply: bulkOrNull,
    run: (session, args) => move(session, args, readMove(args), null),
  }),
  make({
    name: 'RPOPLPUSH',
    arity: 3,
    keys: TWO_KEYS,
    since: '1.2.0',
    flags: ['write', 'denyoom'],
    summary: 'LMOVE source target RIGHT LEFT.',
    conflict: MOVE_CONFLICT,
    reply: bulkOrNull,
    run: (session, args) => move(session, args, RIGHT_LEFT, null),
  }),
  make({
    name: 'BLMOVE',
    arity: 6,
    keys: TWO_KEYS,
    since: '6.2.0',
    flags: ['write', 'denyoom', 'noscript', 'blocking'],
    summary: `LMOVE.${BLOCKS}`,
    conflict: MOVE_CONFLICT,
    reply: bulkOrNull,
    run(session, args) {
      const ends = readMove(args);
      move(session, args, ends, readTimeoutSeconds(args, 5, session.server.clockMs()));
    },
  }),
  make({
    name: 'BRPOPLPUSH',
    arity: 4,
    keys: TWO_KEYS,
    since: '2.2.0',
    flags: ['write', 'denyoom', 'noscript', 'blocking'],
    summary: `RPOPLPUSH.${BLOCKS}`,
    conflict: MOVE_CONFLICT,
    reply: bulkOrNull,
    run: (session, args) =>
      move(session, args, RIGHT_LEFT, readTimeoutSeconds(args, 3, session.server.clockMs())),
  }),
  make({
    name: 'BLPOP',
    arity: -3,
    keys: ALL_BUT_LAST,
    since: '2.0.0',
    flags: ['write', 'noscript', 'blocking'],
    summary: `Removes the first element of the first of the lists that has one.${BLOCKS}`,
    conflict: POP_CONFLICT,
    reply: popped,
    run: (session, args) => blockingPop(session, args, true),
  }),
  make({
    name: 'BRPOP',
    arity: -3,
    keys: ALL_BUT_LAST,
    since: '2.0.0',
    flags: ['write', 'noscript', 'blocking'],
    summary: `Removes the last element of the first of the lists that has one.${BLOCKS}`,
    conflict: POP_CONFLICT,
    reply: popped,
    run: (session, args) => blockingPop(session, args, false),
  }),
  make({
    name: 'LMPOP',
    arity: -4,
    keys: null,
    keyCountAt: 1,
    since: '7.0.0',
    flags: ['write', 'movablekeys'],
    summary: 'Removes elements of the first of the lists that has some.',
    conflict: POP_CONFLICT,
    reply: poppedMany,
    run: (session, args) => popMany(session, args, 1, null),
  }),
  make({
    name: 'BLMPOP',
    arity: -5,
    keys: null,
    keyCountAt: 2,
    since: '7.0.0',
    flags: ['write', 'blocking', 'movablekeys'],
    summary: `LMPOP.${BLOCKS}`,
    conflict: POP_CONFLICT,
    reply: poppedMany,
    run: (session, args) =>
      popMany(session, args, 2, readTimeoutSeconds(args, 1, session.server.clockMs())),
  }),
];

type Ends = { readonly from: boolean; readonly to: boolean };
const RIGHT_LEFT: Ends = { from: false, to: true };

function readMove(args: Args): Ends {
  return { from: readEnd(args, 3), to: readEnd(args, 4) };
}

/** True: LEFT. */
function readEnd(args: Args, i: number): boolean {
  if (args.equalsIgnoreCase(i, 'LEFT')) return true;
  if (args.equalsIgnoreCase(i, 'RIGHT')) return false;
  throw commandError('syntax');
}

/** `timeoutMs` null: it does not block. */
function move(session: ClientSession, args: Args, ends: Ends, timeoutMs: number | null): void {
  const source = args.text(1);
  const target = args.text(2);
  if (moveOne(session, source, target, ends)) return;
  if (timeoutMs === null || !session.mayBlock) session.output.nullBulk();
  else waitForList(session, [source], timeoutMs, () => moveOne(session, source, target, ends));
}

function moveOne(session: ClientSession, source: string, target: string, ends: Ends): boolean {
  const { db } = session.server;
  const list = db.listAt(source);
  if (list === null) return false;
  // Asked for its type: a wrong one is an error before anything is moved.
  db.listAt(target);
  const value = db.listValue(list, ends.from ? 0 : list.size - 1);
  const turns = source === target && (list.size === 1 || ends.from === ends.to);
  if (!turns) {
    db.listPop(source, ends.from, 1);
    db.listPushTexts(target, ends.to, [value]);
  }
  session.output.bulk(value);
  return true;
}

function blockingPop(session: ClientSession, args: Args, left: boolean): void {
  const { db, clockMs } = session.server;
  const timeoutMs = readTimeoutSeconds(args, args.count - 1, clockMs.call(session.server));
  const keys: string[] = [];
  for (let i = 1; i < args.count - 1; i++) keys.push(args.text(i));
  const tryKey = (key: string): boolean => {
    const [value] = db.listPop(key, left, 1);
    if (value === undefined) return false;
    writeBulks(session, [key, value]);
    return true;
  };
  if (keys.some(tryKey)) return;
  if (session.mayBlock) waitForList(session, keys, timeoutMs, tryKey);
  else session.output.nullArray();
}

/** LMPOP and BLMPOP; `countAt`: the argument that counts the keys. */
function popMany(
  session: ClientSession,
  args: Args,
  countAt: number,
  timeoutMs: number | null,
): void {
  const { db } = session.server;
  const number = readInteger(args, countAt, 'numKeysPositive');
  if (number < 1) throw commandError('numKeysPositive');
  const endAt = countAt + number + 1;
  if (endAt >= args.count) throw commandError('syntax');
  const left = readEnd(args, endAt);
  const wanted = readPopCount(args, endAt + 1);
  const keys: string[] = [];
  for (let i = countAt + 1; i < endAt; i++) keys.push(args.text(i));
  const tryKey = (key: string): boolean => {
    const values = db.listPop(key, left, wanted);
    if (values.length === 0) return false;
    session.output.array(2);
    session.output.bulk(key);
    writeBulks(session, values);
    return true;
  };
  if (keys.some(tryKey)) return;
  if (timeoutMs === null || !session.mayBlock) session.output.nullArray();
  else waitForList(session, keys, timeoutMs, tryKey);
}

/** `COUNT n`, at most once, from argument `i` on. */
function readPopCount(args: Args, i: number): number {
  if (i === args.count) return 1;
  if (!args.equalsIgnoreCase(i, 'COUNT') || i + 2 !== args.count) throw commandError('syntax');
  const wanted = readInteger(args, i + 1, 'countPositive');
  if (wanted < 1) throw commandError('countPositive');
  return wanted;
}

function waitForList(
  session: ClientSession,
  keys: readonly string[],
  timeoutMs: number,
  tryAgain: (key: string) => boolean,
): void {
  session.server.blockedKeys.wait(session, {
    keys,
    type: 'list',
    timeoutMs,
    tryAgain,
    timedOut: () => session.output.nullArray(),
  });
}
