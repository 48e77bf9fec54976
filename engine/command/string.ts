/**
 * Strings as whole values: GET and SET with their relatives.
 *
 * GET, and SET without options, are the hot path: they hand offsets of the input buffer to the
 * database and make no object. Everything with options goes by text.
 */
import type { Args } from '../resp/args.ts';
import { commandError } from './errors.ts';
import { expiryFrom, type TimeUnit } from './expiry-time.ts';
import { readInteger } from './numbers.ts';
import { bulk, bulkOrNull, bulksOrNulls, either, flag, nil, ok } from './reply-shape.ts';
import type { ClientSession } from './session.ts';
import type { Command } from './table.ts';

export const stringCommands: readonly Command[] = [
  {
    name: 'GET',
    arity: 2,
    group: 'string',
    flags: ['readonly', 'fast'],
    keys: { first: 1, last: 1, step: 1 },
    since: '1.0.0',
    summary: 'Returns the value of a key.',
    complexity: 'O(1)',
    reply: bulkOrNull,
    run: get,
  },
  {
    name: 'SET',
    arity: -3,
    group: 'string',
    flags: ['write', 'denyoom'],
    keys: { first: 1, last: 1, step: 1 },
    since: '1.0.0',
    summary: 'Sets the value of a key.',
    complexity: 'O(1)',
    conflict:
      'The last writer wins; increments it had not seen add to it. NX and XX look at this region.',
    reply: either(ok, bulk, nil),
    run: set,
  },
  {
    name: 'SETNX',
    arity: 3,
    group: 'string',
    flags: ['write', 'denyoom', 'fast'],
    keys: { first: 1, last: 1, step: 1 },
    since: '1.0.0',
    summary: 'Sets the value of a key that does not exist yet.',
    complexity: 'O(1)',
    conflict: 'As SET; whether the key exists is judged in this region.',
    reply: flag,
    run: setNx,
  },
  {
    name: 'SETEX',
    arity: 4,
    group: 'string',
    flags: ['write', 'denyoom'],
    keys: { first: 1, last: 1, step: 1 },
    since: '2.0.0',
    summary: 'Sets a value that expires after seconds.',
    complexity: 'O(1)',
    conflict: 'As SET; of concurrent TTLs the longest wins.',
    reply: ok,
    run: setEx,
  },
  {
    name: 'PSETEX',
    arity: 4,
    group: 'string',
    flags: ['write', 'denyoom'],
    keys: { first: 1, last: 1, step: 1 },
    since: '2.6.0',
    summary: 'Sets a value that expires after milliseconds.',
    complexity: 'O(1)',
    conflict: 'As SETEX.',
    reply: ok,
    run: psetEx,
  },
  {
    name: 'GETSET',
    arity: 3,
    group: 'string',
    flags: ['write', 'denyoom', 'fast'],
    keys: { first: 1, last: 1, step: 1 },
    since: '1.0.0',
    summary: 'Sets a value and returns the old one.',
    complexity: 'O(1)',
    conflict: 'As SET; returns the value seen here.',
    reply: bulkOrNull,
    run: getSet,
  },
  {
    name: 'GETDEL',
    arity: 2,
    group: 'string',
    flags: ['write', 'fast'],
    keys: { first: 1, last: 1, step: 1 },
    since: '6.2.0',
    summary: 'Returns a value and deletes the key.',
    complexity: 'O(1)',
    conflict: 'As DEL; returns the value seen here.',
    reply: bulkOrNull,
    run: getDel,
  },
  {
    name: 'GETEX',
    arity: -2,
    group: 'string',
    flags: ['write', 'fast'],
    keys: { first: 1, last: 1, step: 1 },
    since: '6.2.0',
    summary: 'Returns a value and changes its expiry.',
    complexity: 'O(1)',
    conflict: 'Its TTL write competes with others as EXPIRE or PERSIST do.',
    reply: bulkOrNull,
    run: getEx,
  },
  {
    name: 'MGET',
    arity: -2,
    group: 'string',
    flags: ['readonly', 'fast'],
    keys: { first: 1, last: -1, step: 1 },
    since: '1.0.0',
    summary: 'Returns the values of several keys.',
    complexity: 'O(N) for N keys to retrieve',
    reply: bulksOrNulls,
    run: mget,
  },
  {
    name: 'MSET',
    arity: -3,
    group: 'string',
    flags: ['write', 'denyoom'],
    keys: { first: 1, last: -1, step: 2 },
    since: '1.0.1',
    summary: 'Sets the values of several keys.',
    complexity: 'O(N) for N keys to set',
    conflict: 'As SET for each key; all keys of one command appear together.',
    reply: ok,
    run: mset,
  },
  {
    name: 'MSETNX',
    arity: -3,
    group: 'string',
    flags: ['write', 'denyoom'],
    keys: { first: 1, last: -1, step: 2 },
    since: '1.0.1',
    summary: 'Sets the values of several keys, if none of them exists.',
    complexity: 'O(N) for N keys to set',
    conflict: 'As MSET; whether a key exists is judged in this region.',
    reply: flag,
    run: msetNx,
  },
];

/** Options of SET and GETEX. */
type StringOptions = {
  condition: 'NX' | 'XX' | null;
  get: boolean;
  keepTtl: boolean;
  persist: boolean;
  /** The argument that holds the time; 0: no TTL option. */
  timeAt: number;
  unit: TimeUnit;
  /** The word of that option: Redis takes it again, and the last one counts. */
  unitWord: string;
};

function get(session: ClientSession, args: Args): void {
  const { db } = session.server;
  if (!db.readString(args.buffer, args.start[1], args.end[1], session.output)) {
    throw commandError('wrongType');
  }
}

function set(session: ClientSession, args: Args): void {
  if (args.count !== 3) {
    setWithOptions(session, args);
    return;
  }
  const { buffer, start, end } = args;
  session.server.db.setString(
    buffer,
    start[1],
    end[1],
    buffer,
    start[2],
    end[2],
    Number.POSITIVE_INFINITY,
  );
  session.output.ok();
}

function setWithOptions(session: ClientSession, args: Args): void {
  const { server, output } = session;
  const { db } = server;
  const options = readOptions(args, 3, 'SET');
  let expiryMs = options.keepTtl ? Number.NaN : Number.POSITIVE_INFINITY;
  if (options.timeAt > 0) expiryMs = readExpiry(args, options, db.nowMs, 'set');
  const { buffer, start, end } = args;
  if (options.get) get(session, args);
  if (options.condition !== null) {
    const exists = db.exists(buffer, start[1], end[1]);
    if (exists !== (options.condition === 'XX')) {
      if (!options.get) output.nullBulk();
      return;
    }
  }
  // A value that expires before it could be read is no value.
  if (expiryMs <= db.nowMs) db.deleteKey(buffer, start[1], end[1]);
  else db.setString(buffer, start[1], end[1], buffer, start[2], end[2], expiryMs);
  if (!options.get) output.ok();
}

function setNx(session: ClientSession, args: Args): void {
  const { db } = session.server;
  const { buffer, start, end } = args;
  const exists = db.exists(buffer, start[1], end[1]);
  if (!exists) {
    const never = Number.POSITIVE_INFINITY;
    db.setString(buffer, start[1], end[1], buffer, start[2], end[2], never);
  }
  session.output.integer(exists ? 0 : 1);
}

function setEx(session: ClientSession, args: Args): void {
  setWithTtl(session, args, { kind: 'relative', scale: 1000 }, 'setex');
}

function psetEx(session: ClientSession, args: Args): void {
  setWithTtl(session, args, { kind: 'relative', scale: 1 }, 'psetex');
}

function setWithTtl(session: ClientSession, args: Args, unit: TimeUnit, name: string): void {
  const { db } = session.server;
  const expiryMs = expiryFrom(readInteger(args, 2), unit, db.nowMs, name);
  const { buffer, start, end } = args;
  db.setString(buffer, start[1], end[1], buffer, start[3], end[3], expiryMs);
  session.output.ok();
}

function getSet(session: ClientSession, args: Args): void {
  get(session, args);
  const { buffer, start, end } = args;
  const never = Number.POSITIVE_INFINITY;
  session.server.db.setString(buffer, start[1], end[1], buffer, start[2], end[2], never);
}

function getDel(session: ClientSession, args: Args): void {
  get(session, args);
  session.server.db.deleteKey(args.buffer, args.start[1], args.end[1]);
}

function getEx(session: ClientSession, args: Args): void {
  const { db } = session.server;
  const options = readOptions(args, 2, 'GETEX');
  const key = args.text(1);
  const value = db.getString(key);
  if (value === null) {
    session.output.nullBulk();
    return;
  }
  if (options.timeAt > 0) {
    db.expire(key, readExpiry(args, options, db.nowMs, 'getex'));
  } else if (options.persist && db.expiry(key) !== Number.POSITIVE_INFINITY) {
    db.expire(key, Number.POSITIVE_INFINITY);
  }
  session.output.bulk(value);
}

function mget(session: ClientSession, args: Args): void {
  const { output, server } = session;
  output.array(args.count - 1);
  for (let i = 1; i < args.count; i++) {
    const fits = server.db.readString(args.buffer, args.start[i], args.end[i], output);
    if (!fits) output.nullBulk();
    session.checkOutput();
  }
}

function mset(session: ClientSession, args: Args): void {
  if (args.count % 2 === 0) throw commandError('arity', 'mset');
  setPairs(session, args);
  session.output.ok();
}

function msetNx(session: ClientSession, args: Args): void {
  if (args.count % 2 === 0) throw commandError('arity', 'msetnx');
  const { db } = session.server;
  for (let i = 1; i < args.count; i += 2) {
    if (db.exists(args.buffer, args.start[i], args.end[i])) {
      session.output.integer(0);
      return;
    }
  }
  setPairs(session, args);
  session.output.integer(1);
}

function setPairs(session: ClientSession, args: Args): void {
  const { db } = session.server;
  const { buffer, start, end } = args;
  const never = Number.POSITIVE_INFINITY;
  for (let i = 1; i < args.count; i += 2) {
    db.setString(buffer, start[i], end[i], buffer, start[i + 1], end[i + 1], never);
  }
}

/** Reads the options from argument `first` on. Throws a syntax error as Redis does. */
function readOptions(args: Args, first: number, command: 'SET' | 'GETEX'): StringOptions {
  const options: StringOptions = {
    condition: null,
    get: false,
    keepTtl: false,
    persist: false,
    timeAt: 0,
    unit: { kind: 'relative', scale: 1 },
    unitWord: '',
  };
  const sets = command === 'SET';
  for (let i = first; i < args.count; i++) {
    const word = args.length(i) <= 7 ? args.text(i).toUpperCase() : '';
    const timed = options.timeAt > 0 || options.keepTtl || options.persist;
    const unit = timeUnits[word];
    if (sets && (word === 'NX' || word === 'XX') && (options.condition ?? word) === word) {
      options.condition = word;
    } else if (sets && word === 'GET') {
      options.get = true;
    } else if (sets && word === 'KEEPTTL' && (options.keepTtl || !timed)) {
      options.keepTtl = true;
    } else if (!sets && word === 'PERSIST' && (options.persist || !timed)) {
      options.persist = true;
    } else if (unit && (!timed || options.unitWord === word) && i + 1 < args.count) {
      options.timeAt = ++i;
      options.unit = unit;
      options.unitWord = word;
    } else {
      throw commandError('syntax');
    }
  }
  return options;
}

const timeUnits: Readonly<Record<string, TimeUnit | undefined>> = {
  EX: { kind: 'relative', scale: 1000 },
  PX: { kind: 'relative', scale: 1 },
  EXAT: { kind: 'absolute', scale: 1000 },
  PXAT: { kind: 'absolute', scale: 1 },
};

function readExpiry(args: Args, options: StringOptions, nowMs: number, name: string): number {
  return expiryFrom(readInteger(args, options.timeAt), options.unit, nowMs, name);
}
