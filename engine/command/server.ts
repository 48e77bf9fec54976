/** The process and its data as a whole; and what operators and clients ask out of habit. */
import type { Args } from '../resp/args.ts';
import { commandError } from './errors.ts';
import { writeHelp } from './help.ts';
import { isInt64Text, readInteger } from './numbers.ts';
import {
  any,
  arrayOf,
  bulk,
  bulkOrNull,
  bulks,
  count,
  either,
  nil,
  nothing,
  ok,
} from './reply-shape.ts';
import type { ClientSession } from './session.ts';
import type { Command } from './table.ts';

export const serverCommands: readonly Command[] = [
  {
    name: 'DBSIZE',
    arity: 1,
    group: 'server',
    flags: ['readonly', 'fast'],
    keys: null,
    since: '1.0.0',
    summary: 'Counts the keys.',
    complexity: 'O(1)',
    reply: count,
    run: dbSize,
  },
  {
    name: 'FLUSHALL',
    arity: -1,
    group: 'server',
    flags: ['write'],
    keys: null,
    since: '1.0.0',
    summary: 'Removes all keys.',
    complexity: 'O(N) for N keys',
    conflict:
      'Removes all that this region has seen, as one op; writes that it had not seen survive.',
    reply: ok,
    run: flushAll,
  },
  {
    name: 'FLUSHDB',
    arity: -1,
    group: 'server',
    flags: ['write'],
    keys: null,
    since: '1.0.0',
    summary: 'Removes all keys.',
    complexity: 'O(N) for N keys',
    conflict: 'As FLUSHALL: removes all that this region has seen, as one op.',
    reply: ok,
    run: flushDb,
  },
  {
    name: 'TIME',
    arity: 1,
    group: 'server',
    flags: ['loading', 'stale', 'fast'],
    keys: null,
    since: '2.6.0',
    summary: 'Returns the time of the server.',
    complexity: 'O(1)',
    reply: bulks,
    run: time,
  },
  {
    name: 'LASTSAVE',
    arity: 1,
    group: 'server',
    flags: ['loading', 'stale', 'fast'],
    keys: null,
    since: '1.0.0',
    summary: 'Returns when the process started, for the log is never behind.',
    complexity: 'O(1)',
    reply: count,
    run: lastSave,
  },
  {
    name: 'ROLE',
    arity: 1,
    group: 'server',
    flags: ['noscript', 'loading', 'stale', 'fast'],
    keys: null,
    since: '2.8.12',
    summary: 'Says whether this is a primary or a replica, and of whom.',
    complexity: 'O(1)',
    reply: arrayOf(any),
    run: role,
  },
  {
    name: 'LOLWUT',
    arity: -1,
    group: 'server',
    flags: ['readonly', 'fast'],
    keys: null,
    since: '5.0.0',
    summary: 'Shows the version.',
    complexity: 'O(1)',
    reply: bulk,
    run: lolwut,
  },
  {
    name: 'DEBUG',
    arity: -2,
    group: 'server',
    flags: ['admin', 'noscript', 'loading', 'stale'],
    keys: null,
    since: '1.0.0',
    summary: 'Is refused.',
    complexity: 'Depends on subcommand',
    reply: any,
    run: debug,
  },
  {
    name: 'SHUTDOWN',
    arity: -1,
    group: 'server',
    flags: ['admin', 'noscript', 'loading', 'stale', 'no_multi'],
    keys: null,
    since: '1.0.0',
    summary: 'Ends the process in order.',
    complexity: 'O(1)',
    reply: nothing,
    run: shutdown,
  },
  {
    name: 'WAIT',
    arity: -3,
    group: 'generic',
    flags: ['noscript'],
    keys: null,
    since: '3.0.0',
    summary: "Waits until replicas have this connection's writes.",
    complexity: 'O(1)',
    reply: count,
    run: wait,
  },
  {
    name: 'OBJECT',
    arity: -2,
    group: 'generic',
    flags: [],
    keys: null,
    since: '2.2.3',
    summary: 'Shows how a value is kept.',
    complexity: 'Depends on subcommand',
    reply: any,
    subcommands: [
      {
        name: 'OBJECT|ENCODING',
        arity: 3,
        group: 'server',
        flags: ['readonly'],
        keys: { first: 2, last: 2, step: 1 },
        since: '2.2.3',
        summary: 'Returns the encoding that Redis would choose.',
        complexity: 'O(1)',
        reply: bulkOrNull,
        run: objectEncoding,
      },
      {
        name: 'OBJECT|REFCOUNT',
        arity: 3,
        group: 'server',
        flags: ['readonly'],
        keys: { first: 2, last: 2, step: 1 },
        since: '2.2.3',
        summary: 'Returns 1 for a key that exists.',
        complexity: 'O(1)',
        reply: either(count, nil),
        run: objectRefcount,
      },
      {
        name: 'OBJECT|IDLETIME',
        arity: 3,
        group: 'server',
        flags: ['readonly'],
        keys: { first: 2, last: 2, step: 1 },
        since: '2.2.3',
        summary: 'Returns the seconds since the last use of a key, in coarse steps.',
        complexity: 'O(1)',
        reply: either(count, nil),
        run: objectIdleTime,
      },
      {
        name: 'OBJECT|FREQ',
        arity: 3,
        group: 'server',
        flags: ['readonly'],
        keys: { first: 2, last: 2, step: 1 },
        since: '4.0.0',
        summary: 'Returns the logarithmic use counter of a key, under an LFU policy.',
        complexity: 'O(1)',
        reply: either(count, nil),
        run: objectFreq,
      },
      {
        name: 'OBJECT|HELP',
        arity: 2,
        group: 'server',
        flags: ['loading', 'stale'],
        keys: null,
        since: '6.2.0',
        summary: 'Lists the subcommands.',
        complexity: 'O(1)',
        reply: arrayOf(any),
        run: objectHelp,
      },
    ],
  },
];

/** Redis' limits between small and large encodings, for OBJECT ENCODING. */
const EMBSTR_BYTES_MAX = 44;
const INTSET_MEMBERS_MAX = 512;
const LISTPACK_MEMBERS_MAX = 128;
const LISTPACK_FIELDS_MAX = 128;
const LISTPACK_VALUE_BYTES_MAX = 64;

function dbSize(session: ClientSession): void {
  session.output.integer(session.server.db.size);
}

function flushAll(session: ClientSession, args: Args): void {
  const known = args.count === 1 || args.equalsIgnoreCase(1, 'SYNC');
  if (args.count > 2 || !(known || args.equalsIgnoreCase(1, 'ASYNC'))) {
    throw commandError('syntax');
  }
  session.server.db.flush();
  session.output.ok();
}

function flushDb(session: ClientSession, args: Args): void {
  flushAll(session, args);
}

function time(session: ClientSession): void {
  const now = session.server.clockMs();
  session.output.array(2);
  session.output.bulk(String(Math.floor(now / 1000)));
  session.output.bulk(String(Math.floor((now % 1000) * 1000)));
}

/** There are no snapshots to speak of: the log is the data. */
function lastSave(session: ClientSession): void {
  session.output.integer(Math.floor(session.server.process.startedAtMs / 1000));
}

function role(session: ClientSession): void {
  const { output, server } = session;
  const { position, upstream, replicas } = server.member.replication();
  if (server.member.role() === 'primary') {
    output.array(3);
    output.bulk('master');
    output.integer(position);
    output.array(replicas.length);
    for (const replica of replicas) {
      output.array(3);
      output.bulk(replica.host);
      output.bulk(String(replica.port));
      output.bulk(String(replica.position));
    }
    return;
  }
  output.array(5);
  output.bulk('slave');
  output.bulk(upstream?.host ?? '');
  output.integer(upstream?.port ?? 0);
  output.bulk(upstream?.connected ? 'connected' : 'connect');
  output.integer(position);
}

function lolwut(session: ClientSession): void {
  const { version, region } = session.server.process;
  session.output.verbatim('txt', `Meridian ver. ${version}, noon in ${region}\n`);
}

/** Never reached: the gate refuses DEBUG before it could run. */
function debug(_session: ClientSession, _args: Args): void {
  throw commandError('debugRefused');
}

function shutdown(session: ClientSession, args: Args): void {
  for (let i = 1; i < args.count; i++) {
    if (args.equalsIgnoreCase(i, 'ABORT') && args.count === 2) throw commandError('noShutdown');
    if (!/^(nosave|save|now|force)$/i.test(args.text(i))) throw commandError('syntax');
  }
  session.closing = true;
  session.server.member.shutdown();
}

function wait(session: ClientSession, args: Args): void {
  const { member } = session.server;
  waitFor(session, args, (...wanted) => member.waitReplicas(session, ...wanted));
}

type Waiter = (
  n: number,
  timeoutMs: number,
  all: boolean,
  done: (count: number) => void,
) => () => void;

/**
 * WAIT and CRDT.WAIT: `n timeoutMs [ALL]`. ALL means every write that this member has accepted so far, not
 * only this connection's: a proxy waits on a connection of its own. Inside EXEC nothing blocks: it
 * counts and goes on.
 */
export function waitFor(session: ClientSession, args: Args, begin: Waiter): void {
  if (session.server.member.role() === 'replica') throw commandError('waitOnReplica');
  const n = readInteger(args, 1);
  const timeoutMs = readInteger(args, 2, 'timeoutNotInteger');
  if (timeoutMs < 0) throw commandError('timeoutNegative');
  const all = args.count === 4 && args.equalsIgnoreCase(3, 'ALL');
  if (args.count > 3 && !all) throw commandError('syntax');
  session.noteWrites();
  const countNow = (): void => {
    begin(0, 1, false, (count) => session.output.integer(count));
  };
  if (session.executing) countNow();
  else session.blockOn((done) => begin(Math.max(0, n), timeoutMs, all, done), countNow);
}

function objectEncoding(session: ClientSession, args: Args): void {
  const encoding = encodingOf(session, args.text(2));
  if (encoding === null) session.output.nullBulk();
  else session.output.bulk(encoding);
}

/** What Redis would keep such a value as: clients and tests look at it, nothing depends on it. */
function encodingOf(session: ClientSession, key: string): string | null {
  const { db } = session.server;
  switch (db.type(key)) {
    case 'string': {
      if (db.isHyperLogLog(key)) return 'raw';
      const value = db.getString(key)!;
      if (isInt64Text(value)) return 'int';
      return value.length <= EMBSTR_BYTES_MAX ? 'embstr' : 'raw';
    }
    case 'set': {
      if (db.setSize(key) > INTSET_MEMBERS_MAX) return 'hashtable';
      return db.setMembers(key).every(isInt64Text) ? 'intset' : 'hashtable';
    }
    case 'hash': {
      if (db.hashSize(key) > LISTPACK_FIELDS_MAX) return 'hashtable';
      const short = (text: string): boolean => text.length <= LISTPACK_VALUE_BYTES_MAX;
      const small = db.hashEntries(key).every(([field, value]) => short(field) && short(value));
      return small ? 'listpack' : 'hashtable';
    }
    case 'stream':
      return 'stream';
    case 'zset': {
      if (db.zsets.of(key).size > LISTPACK_MEMBERS_MAX) return 'skiplist';
      const small = db.zsets
        .entries(key)
        .every(([member]) => member.length <= LISTPACK_VALUE_BYTES_MAX);
      return small ? 'listpack' : 'skiplist';
    }
    case 'list':
      return 'quicklist';
    default:
      return null;
  }
}

function objectRefcount(session: ClientSession, args: Args): void {
  if (session.server.db.type(args.text(2)) === 'none') session.output.nullBulk();
  else session.output.integer(1);
}

/** In steps of an epoch (keyspace/access.ts): at least so many seconds. */
function objectIdleTime(session: ClientSession, args: Args): void {
  const { db } = session.server;
  const byte = db.evictor.accessByte(args.text(2));
  if (byte >= 0 && db.evictor.policy.endsWith('-lfu')) throw commandError('lruPolicy');
  if (byte < 0) session.output.nullBulk();
  else session.output.integer(Math.floor(db.evictor.idleMs(byte) / 1000));
}

function objectFreq(session: ClientSession, args: Args): void {
  const { db } = session.server;
  const byte = db.evictor.accessByte(args.text(2));
  if (byte >= 0 && !db.evictor.policy.endsWith('-lfu')) throw commandError('lfuPolicy');
  if (byte < 0) session.output.nullBulk();
  else session.output.integer(byte);
}

function objectHelp(session: ClientSession): void {
  writeHelp(session, 'OBJECT');
}
