/** Keys of any type: there or not, of what type, gone. */
import type { Args } from '../resp/args.ts';
import { bulkOrNull, count, status } from './reply-shape.ts';
import type { ClientSession } from './session.ts';
import type { Command } from './table.ts';

export const keyCommands: readonly Command[] = [
  {
    name: 'DEL',
    arity: -2,
    group: 'generic',
    flags: ['write'],
    keys: { first: 1, last: -1, step: 1 },
    since: '1.0.0',
    summary: 'Deletes keys.',
    complexity: 'O(N) for N keys that will be removed',
    conflict: 'Removes what this region has seen of the keys; a concurrent write survives.',
    reply: count,
    run: del,
  },
  {
    name: 'UNLINK',
    arity: -2,
    group: 'generic',
    flags: ['write', 'fast'],
    keys: { first: 1, last: -1, step: 1 },
    since: '4.0.0',
    summary: 'Deletes keys.',
    complexity: 'O(N) for N keys that will be removed',
    conflict: 'As DEL.',
    reply: count,
    run: del,
  },
  {
    name: 'EXISTS',
    arity: -2,
    group: 'generic',
    flags: ['readonly', 'fast'],
    keys: { first: 1, last: -1, step: 1 },
    since: '1.0.0',
    summary: 'Counts those of the keys that exist.',
    complexity: 'O(N) for N keys to check',
    reply: count,
    run: exists,
  },
  {
    name: 'TOUCH',
    arity: -2,
    group: 'generic',
    flags: ['readonly', 'fast'],
    keys: { first: 1, last: -1, step: 1 },
    since: '3.2.1',
    summary: 'Marks keys as used now, and counts those that exist.',
    complexity: 'O(N) for N keys that will be touched',
    reply: count,
    run: touch,
  },
  {
    name: 'TYPE',
    arity: 2,
    group: 'generic',
    flags: ['readonly', 'fast'],
    keys: { first: 1, last: 1, step: 1 },
    since: '1.0.0',
    summary: 'Returns the type of a value.',
    complexity: 'O(1)',
    reply: status('none', 'string', 'set', 'hash', 'zset', 'list', 'stream'),
    run: type,
  },
  {
    name: 'RANDOMKEY',
    arity: 1,
    group: 'generic',
    flags: ['readonly'],
    keys: null,
    since: '1.0.0',
    summary: 'Returns a key at random.',
    complexity: 'O(1)',
    reply: bulkOrNull,
    run: randomKey,
  },
];

function del(session: ClientSession, args: Args): void {
  const { db } = session.server;
  let removed = 0;
  for (let i = 1; i < args.count; i++) {
    if (db.deleteKey(args.buffer, args.start[i], args.end[i])) removed++;
  }
  session.output.integer(removed);
}

function exists(session: ClientSession, args: Args): void {
  const { db } = session.server;
  let found = 0;
  for (let i = 1; i < args.count; i++) {
    if (db.exists(args.buffer, args.start[i], args.end[i])) found++;
  }
  session.output.integer(found);
}

function touch(session: ClientSession, args: Args): void {
  const { db } = session.server;
  let found = 0;
  // It is what NO-TOUCH does not concern.
  db.evictor.tracksAccess = true;
  for (let i = 1; i < args.count; i++) if (db.evictor.touch(args.text(i))) found++;
  session.output.integer(found);
}

function type(session: ClientSession, args: Args): void {
  session.output.simple(session.server.db.type(args.text(1)));
}

function randomKey(session: ClientSession): void {
  const key = session.server.db.randomKey();
  if (key === null) session.output.nullBulk();
  else session.output.bulk(key);
}
