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
];

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
