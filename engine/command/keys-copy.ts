/** RENAME and COPY: the visible value and TTL are written afresh into the target. */
import type { Args } from '../resp/args.ts';
import { commandError } from './errors.ts';
import { readInt32 } from './numbers.ts';
import { flag, ok } from './reply-shape.ts';
import type { ClientSession } from './session.ts';
import type { Command } from './table.ts';

export const keyCopyCommands: readonly Command[] = [
  {
    name: 'RENAME',
    arity: 3,
    group: 'generic',
    flags: ['write'],
    keys: { first: 1, last: 2, step: 1 },
    since: '1.0.0',
    summary: 'Gives a value another key.',
    complexity: 'O(1)',
    conflict: 'Removes what this region has seen of the source, and writes the target afresh.',
    reply: ok,
    run: rename,
  },
  {
    name: 'RENAMENX',
    arity: 3,
    group: 'generic',
    flags: ['write', 'fast'],
    keys: { first: 1, last: 2, step: 1 },
    since: '1.0.0',
    summary: 'Gives a value another key that does not exist yet.',
    complexity: 'O(1)',
    conflict: 'As RENAME; whether the target exists is judged in this region.',
    reply: flag,
    run: renameNx,
  },
  {
    name: 'COPY',
    arity: -3,
    group: 'generic',
    flags: ['write', 'denyoom'],
    keys: { first: 1, last: 2, step: 1 },
    since: '6.2.0',
    summary: 'Copies a value to another key.',
    complexity: 'O(N) for N elements',
    conflict: 'Writes the value afresh into the target, as a SET, SADD or HSET by this region.',
    reply: flag,
    run: copy,
  },
  {
    name: 'MOVE',
    arity: 3,
    group: 'generic',
    flags: ['write', 'fast'],
    keys: { first: 1, last: 1, step: 1 },
    since: '1.0.0',
    summary: 'Is refused, for there is one database.',
    complexity: 'O(1)',
    conflict: 'Changes nothing.',
    reply: flag,
    run: moveToDatabase,
  },
  {
    name: 'SWAPDB',
    arity: 3,
    group: 'server',
    flags: ['write', 'fast'],
    keys: null,
    since: '4.0.0',
    summary: 'Swaps database 0 with itself, for there is one.',
    complexity: 'O(1)',
    conflict: 'Changes nothing.',
    reply: ok,
    run: swapDatabases,
  },
];

/** As in a Redis with `databases 1`: there is no other database to move to. */
function moveToDatabase(_session: ClientSession, args: Args): void {
  if (readInt32(args, 2) !== 0) throw commandError('dbIndexRange');
  throw commandError('sameObject');
}

/** Database 0 changes places with itself. */
function swapDatabases(session: ClientSession, args: Args): void {
  const [first, second] = [args.integer(1), args.integer(2)];
  if (Number.isNaN(first)) throw commandError('firstDbIndex');
  if (Number.isNaN(second)) throw commandError('secondDbIndex');
  if (first !== 0 || second !== 0) throw commandError('dbIndexRange');
  session.output.ok();
}

function rename(session: ClientSession, args: Args): void {
  move(session, args.text(1), args.text(2));
  session.output.ok();
}

function renameNx(session: ClientSession, args: Args): void {
  const { db } = session.server;
  const source = args.text(1);
  const target = args.text(2);
  if (db.type(source) === 'none') throw commandError('noSuchKey');
  const taken = db.type(target) !== 'none';
  if (!taken) move(session, source, target);
  session.output.integer(taken ? 0 : 1);
}

function move(session: ClientSession, source: string, target: string): void {
  const { db } = session.server;
  if (db.type(source) === 'none') throw commandError('noSuchKey');
  if (source !== target) db.rename(source, target);
}

function copy(session: ClientSession, args: Args): void {
  const { db } = session.server;
  let replace = false;
  for (let i = 3; i < args.count; i++) {
    if (args.equalsIgnoreCase(i, 'REPLACE')) replace = true;
    else if (args.equalsIgnoreCase(i, 'DB') && i + 1 < args.count) {
      if (readInt32(args, ++i) !== 0) throw commandError('dbIndexRange');
    } else throw commandError('syntax');
  }
  const source = args.text(1);
  const target = args.text(2);
  if (source === target) throw commandError('sameObject');
  const copied = db.type(source) !== 'none' && (replace || db.type(target) === 'none');
  if (copied) db.copy(source, target);
  session.output.integer(copied ? 1 : 0);
}
