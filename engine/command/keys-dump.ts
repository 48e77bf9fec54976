/** DUMP and RESTORE: values in Redis' own form, from and to a Redis or another database. */
import type { Db, KeyType } from '../core/db.ts';
import { dumpValue } from '../rdb/dump.ts';
import { isWholePayload, restoreValue } from '../rdb/restore.ts';
import type { RdbValue } from '../rdb/value.ts';
import type { Args } from '../resp/args.ts';
import { commandError } from './errors.ts';
import { listTexts } from './list-texts.ts';
import { readInteger } from './numbers.ts';
import { bulkOrNull, ok } from './reply-shape.ts';
import type { ClientSession } from './session.ts';
import type { Command } from './table.ts';

export const keyDumpCommands: readonly Command[] = [
  {
    name: 'DUMP',
    arity: 2,
    group: 'generic',
    flags: ['readonly'],
    keys: { first: 1, last: 1, step: 1 },
    since: '2.6.0',
    summary: 'Returns a value in the form in which RESTORE takes it.',
    complexity: 'O(N) for N elements',
    reply: bulkOrNull,
    run: dump,
  },
  {
    name: 'RESTORE',
    arity: -4,
    group: 'generic',
    flags: ['write', 'denyoom'],
    keys: { first: 1, last: 1, step: 1 },
    since: '2.6.0',
    summary: 'Makes a key of what DUMP of a Redis 7.2 or older, or of Meridian, returned.',
    complexity: 'O(N) for N elements',
    conflict: 'Writes the value afresh, as COPY does; REPLACE removes what this region has seen.',
    reply: ok,
    run: restore,
  },
];

/** What clients see of a key; null: no such key. Throws when its type has no payload here. */
function seenValue(db: Db, key: string): RdbValue | null {
  const type: KeyType = db.type(key);
  switch (type) {
    case 'none':
      return null;
    case 'string':
      return { type, text: db.getString(key) ?? '' };
    case 'set':
      return { type, members: db.setMembers(key) };
    case 'hash':
      return { type, entries: db.hashEntries(key) };
    case 'zset':
      return { type, members: db.zsets.entries(key) };
    case 'list':
      return { type, elements: listTexts(db, key) };
    case 'stream':
      throw commandError('dumpStream');
  }
}

/** Writes a value to a key that is not there. */
function writeValue(db: Db, key: string, value: RdbValue): void {
  switch (value.type) {
    case 'string':
      db.setStringText(key, value.text, Number.POSITIVE_INFINITY);
      return;
    case 'set':
      db.setAdd(key, value.members);
      return;
    case 'hash':
      db.hashSet(key, value.entries);
      return;
    case 'zset':
      db.zsets.set(key, value.members);
      return;
    case 'list':
      db.listPushTexts(key, false, [...value.elements]);
      return;
  }
}

function dump(session: ClientSession, args: Args): void {
  const value = seenValue(session.server.db, args.text(1));
  if (value === null) session.output.nullBulk();
  else session.output.bulkBytes(dumpValue(value));
}

type Options = { replace: boolean; absolute: boolean };

function restore(session: ClientSession, args: Args): void {
  const { db } = session.server;
  const key = args.text(1);
  const options = readOptions(args);
  const taken = db.type(key) !== 'none';
  if (taken && !options.replace) throw commandError('busyKey');
  const ttl = readInteger(args, 2);
  if (ttl < 0) throw commandError('restoreTtl');
  const payload = Buffer.from(args.bytes(3));
  if (!isWholePayload(payload)) throw commandError('payloadChecksum');
  const value = restoreValue(payload);
  if (value === null) throw commandError('payloadFormat');
  const expiryMs = ttl === 0 ? Number.POSITIVE_INFINITY : options.absolute ? ttl : db.nowMs + ttl;
  if (taken) db.delete(key);
  if (expiryMs > db.nowMs) {
    writeValue(db, key, value);
    if (expiryMs !== Number.POSITIVE_INFINITY) {
      db.expire(key, Math.min(expiryMs, Number.MAX_SAFE_INTEGER));
    }
  }
  session.output.ok();
}

/** IDLETIME and FREQ are checked and have no effect: a restored key counts as used now. */
function readOptions(args: Args): Options {
  const options: Options = { replace: false, absolute: false };
  let access: 'IDLETIME' | 'FREQ' | null = null;
  for (let i = 4; i < args.count; i++) {
    const more = i + 1 < args.count;
    if (args.equalsIgnoreCase(i, 'REPLACE')) options.replace = true;
    else if (args.equalsIgnoreCase(i, 'ABSTTL')) options.absolute = true;
    else if (args.equalsIgnoreCase(i, 'IDLETIME') && more && access !== 'FREQ') {
      access = 'IDLETIME';
      if (readInteger(args, ++i) < 0) throw commandError('restoreIdleTime');
    } else if (args.equalsIgnoreCase(i, 'FREQ') && more && access !== 'IDLETIME') {
      access = 'FREQ';
      const frequency = readInteger(args, ++i);
      if (frequency < 0 || frequency > 255) throw commandError('restoreFrequency');
    } else throw commandError('syntax');
  }
  return options;
}
