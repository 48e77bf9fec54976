/**
 * SCAN, KEYS, and the scans inside a hash, a set or a sorted set.
 *
 * SCAN's cursor belongs to the keyspace. A hash or set of up to SMALL_MAX elements comes in one
 * page. Larger ones are paged in the order of a hash of each element: the cursor is the next hash
 * value, and a page ends only between two values. An element that is there all the time is so
 * returned exactly once, whatever comes and goes beside it, and no state is kept between pages.
 * A page costs a pass over the collection; so pages are at least PAGE_SHARE of it, whatever COUNT.
 */
import type { Args } from '../resp/args.ts';
import { formatDouble } from '../resp/format-double.ts';
import { commandError } from './errors.ts';
import { globMatches, isPlainText } from './glob.ts';
import { readInteger } from './numbers.ts';
import { bulks, page } from './reply-shape.ts';
import type { ClientSession } from './session.ts';
import type { Command } from './table.ts';

export const scanCommands: readonly Command[] = [
  {
    name: 'SCAN',
    arity: -2,
    group: 'generic',
    flags: ['readonly'],
    keys: null,
    since: '2.8.0',
    summary: 'Goes through all keys, page by page.',
    complexity: 'O(1) for every call',
    reply: page,
    run: scan,
  },
  {
    name: 'KEYS',
    arity: 2,
    group: 'generic',
    flags: ['readonly'],
    keys: null,
    since: '1.0.0',
    summary: 'Returns all keys that fit a pattern.',
    complexity: 'O(N) for N keys',
    reply: bulks,
    run: keys,
  },
  {
    name: 'HSCAN',
    arity: -3,
    group: 'hash',
    flags: ['readonly'],
    keys: { first: 1, last: 1, step: 1 },
    since: '2.8.0',
    summary: 'Goes through a hash, page by page.',
    complexity: 'O(1) for every call',
    reply: page,
    run: hashScan,
  },
  {
    name: 'SSCAN',
    arity: -3,
    group: 'set',
    flags: ['readonly'],
    keys: { first: 1, last: 1, step: 1 },
    since: '2.8.0',
    summary: 'Goes through a set, page by page.',
    complexity: 'O(1) for every call',
    reply: page,
    run: setScan,
  },
  {
    name: 'ZSCAN',
    arity: -3,
    group: 'sorted-set',
    flags: ['readonly'],
    keys: { first: 1, last: 1, step: 1 },
    since: '2.8.0',
    summary: 'Goes through a sorted set, page by page.',
    complexity: 'O(1) for every call',
    reply: page,
    run: zsetScan,
  },
];

const SMALL_MAX = 512;
const PAGE_SHARE = 1 / 32;
/** Keys of a page are bounded, so that one SCAN cannot stop the member. */
const SCAN_COUNT_MAX = 100_000;
/** Places of the keyspace that a SCAN looks at even for a small COUNT. */
const PLACES_MIN = 10_000;
const UINT64_MAX = 2n ** 64n - 1n;

type ScanOptions = { match: string | null; count: number; type: string | null };

function scan(session: ClientSession, args: Args): void {
  const { db } = session.server;
  const cursor = readCursor(args, 1);
  const options = readScanOptions(args, 2, true);
  const count = Math.min(options.count, SCAN_COUNT_MAX);
  const page: string[] = [];
  let next = cursor;
  // The keyspace steps over places, many of which may be empty: go on until the page has its size.
  for (let left = Math.max(PLACES_MIN, count * 10); left > 0; left -= count) {
    next = db.scan(next, count, (key) => page.push(key));
    if (next === 0 || page.length >= count) break;
  }
  const found = page.filter((key) => fits(options, key) && typeFits(session, options, key));
  writePage(session, next, found);
}

function typeFits(session: ClientSession, options: ScanOptions, key: string): boolean {
  return options.type === null || session.server.db.type(key) === options.type;
}

function keys(session: ClientSession, args: Args): void {
  const { db } = session.server;
  const { output } = session;
  const pattern = args.text(1);
  if (isPlainText(pattern)) {
    const exists = db.type(pattern) !== 'none';
    output.array(exists ? 1 : 0);
    if (exists) output.bulk(pattern);
    return;
  }
  const everything = pattern === '*';
  const mark = output.length;
  let found = 0;
  let cursor = 0;
  do {
    cursor = db.scan(cursor, SCAN_COUNT_MAX, (key) => {
      if (!everything && !globMatches(pattern, key)) return;
      output.bulk(key);
      found++;
    });
  } while (cursor !== 0);
  output.prepend(mark, 'array', found);
}

function setScan(session: ClientSession, args: Args): void {
  const { db } = session.server;
  const cursor = readCursor(args, 1 + 1);
  const key = args.text(1);
  if (db.setSize(key) > SMALL_MAX) {
    const options = readScanOptions(args, 3, false);
    const large = db.scanMembers(key, cursor, Math.min(options.count, SCAN_COUNT_MAX));
    if (large !== null) {
      writePage(
        session,
        large.next,
        large.elements.filter((member) => fits(options, member)),
      );
      return;
    }
  }
  const members = db.setMembers(key);
  if (members.length === 0) {
    writePage(session, 0, []);
    return;
  }
  const options = readScanOptions(args, 3, false);
  const page = pageOf(members, (member) => db.nameHash(member), cursor, options.count);
  writePage(
    session,
    page.next,
    page.elements.filter((member) => fits(options, member)),
  );
}

function hashScan(session: ClientSession, args: Args): void {
  const { db } = session.server;
  const cursor = readCursor(args, 1 + 1);
  const key = args.text(1);
  if (db.hashSize(key) > SMALL_MAX) {
    const options = readScanOptions(args, 3, false);
    const large = db.scanFields(key, cursor, Math.min(options.count, SCAN_COUNT_MAX));
    if (large !== null) {
      const fitting = large.elements.filter(([field]) => fits(options, field));
      writePage(session, large.next, fitting.flat());
      return;
    }
  }
  const entries = db.hashEntries(key);
  if (entries.length === 0) {
    writePage(session, 0, []);
    return;
  }
  const options = readScanOptions(args, 3, false);
  const page = pageOf(entries, ([field]) => db.nameHash(field), cursor, options.count);
  const fitting = page.elements.filter(([field]) => fits(options, field));
  writePage(session, page.next, fitting.flat());
}

function zsetScan(session: ClientSession, args: Args): void {
  const { db } = session.server;
  const cursor = readCursor(args, 1 + 1);
  const key = args.text(1);
  const { size } = db.zsets.of(key);
  if (size === 0) {
    writePage(session, 0, []);
    return;
  }
  const options = readScanOptions(args, 3, false);
  const large =
    size > SMALL_MAX ? db.zsets.scan(key, cursor, Math.min(options.count, SCAN_COUNT_MAX)) : null;
  const { next, elements } =
    large ??
    pageOf(db.zsets.entries(key), ([member]) => db.nameHash(member), cursor, options.count);
  const fitting = elements.filter(([member]) => fits(options, member));
  // Scores are texts here in RESP3 too, as in Redis.
  const texts = fitting.flatMap(([member, score]) => [member, formatDouble(score)]);
  writePage(session, next, texts);
}

/**
 * The elements whose hash lies from `cursor` on, about `count` of them, and where to go on: what
 * `scanFields` does to a table, also in the order of its hash, since a conflict may change the form of a
 * large hash between two calls.
 */
function pageOf<T>(
  all: readonly T[],
  hashOf: (element: T) => number,
  cursor: number,
  count: number,
): { next: number; elements: T[] } {
  if (all.length <= SMALL_MAX) return { next: 0, elements: [...all] };
  const size = Math.max(count, Math.ceil(all.length * PAGE_SHARE));
  const left = all
    .map((element) => ({ element, hash: hashOf(element) }))
    .filter(({ hash }) => hash >= cursor)
    .sort((a, b) => a.hash - b.hash);
  if (left.length <= size) return { next: 0, elements: left.map(({ element }) => element) };
  const last = left[size - 1].hash;
  const page = left.filter(({ hash }) => hash <= last);
  const next = page.length === left.length ? 0 : last + 1;
  return { next, elements: page.map(({ element }) => element) };
}

function fits(options: ScanOptions, name: string): boolean {
  return options.match === null || globMatches(options.match, name);
}

function writePage(session: ClientSession, cursor: number, elements: readonly string[]): void {
  const { output } = session;
  output.array(2);
  output.bulk(String(cursor));
  output.array(elements.length);
  for (const element of elements) output.bulk(element);
}

/** A cursor as strtoul reads it. Values that no scan has returned are taken as they are. */
function readCursor(args: Args, i: number): number {
  const text = args.text(i);
  if (!/^[+-]?\d*$/.test(text) || text.length > 40) throw commandError('invalidCursor');
  const digits = text.replace(/^[+-]/, '') || '0';
  const value = BigInt(digits);
  if (value > UINT64_MAX) throw commandError('invalidCursor');
  return Number(BigInt.asUintN(53, text.startsWith('-') ? -value : value));
}

function readScanOptions(args: Args, first: number, types: boolean): ScanOptions {
  const options: ScanOptions = { match: null, count: 10, type: null };
  for (let i = first; i < args.count; i += 2) {
    if (i + 1 >= args.count) throw commandError('syntax');
    if (args.equalsIgnoreCase(i, 'COUNT')) {
      options.count = readInteger(args, i + 1);
      if (options.count < 1) throw commandError('syntax');
    } else if (args.equalsIgnoreCase(i, 'MATCH')) {
      const pattern = args.text(i + 1);
      options.match = pattern === '*' ? null : pattern;
    } else if (types && args.equalsIgnoreCase(i, 'TYPE')) {
      options.type = args.text(i + 1).toLowerCase();
    } else {
      throw commandError('syntax');
    }
  }
  return options;
}
