/** Ranges of sorted sets by rank, score and name: returned, stored, counted and removed. */
import type { ZsetView } from '../core/zset-read.ts';
import type { Args } from '../resp/args.ts';
import { commandError } from './errors.ts';
import { readInteger } from './numbers.ts';
import { any, arrayOf, count } from './reply-shape.ts';
import type { ClientSession } from './session.ts';
import type { Command, CommandFlag, KeyRange } from './table.ts';
import { clampRanks, type Ranks, readNameRange, readScoreRange } from './zset-args.ts';

/** Members between two looks at how much the client has not read. */
const CHECKED_EACH = 256;

type By = 'rank' | 'score' | 'name';
const ONE_KEY: KeyRange = { first: 1, last: 1, step: 1 };
const READ: readonly CommandFlag[] = ['readonly'];
const PAGE = 'O(log(N)+M) for M members returned';
const REMOVES = 'ZREM of the members that are in the range here and now.';

export const zsetRangeCommands: readonly Command[] = [
  {
    name: 'ZRANGE',
    arity: -4,
    group: 'sorted-set',
    flags: READ,
    keys: ONE_KEY,
    since: '1.2.0',
    summary: 'Returns members by rank, score (BYSCORE) or name (BYLEX).',
    complexity: PAGE,
    reply: arrayOf(any),
    run: (session, args) => zrange(session, args, 1, null, null),
  },
  {
    name: 'ZRANGESTORE',
    arity: -5,
    group: 'sorted-set',
    flags: ['write', 'denyoom'],
    keys: { first: 1, last: 2, step: 1 },
    since: '6.2.0',
    summary: 'Stores the members that ZRANGE would return.',
    complexity: 'O(log(N)+M) for M members stored',
    conflict: 'Replaces what this region has seen of the target by the result computed here.',
    reply: count,
    run: (session, args) => zrange(session, args, 2, null, null),
  },
  {
    name: 'ZREVRANGE',
    arity: -4,
    group: 'sorted-set',
    flags: READ,
    keys: ONE_KEY,
    since: '1.2.0',
    summary: 'Returns members by rank, in descending order.',
    complexity: PAGE,
    reply: arrayOf(any),
    run: (session, args) => zrange(session, args, 1, 'rank', true),
  },
  {
    name: 'ZRANGEBYSCORE',
    arity: -4,
    group: 'sorted-set',
    flags: READ,
    keys: ONE_KEY,
    since: '1.0.5',
    summary: 'Returns members by score.',
    complexity: PAGE,
    reply: arrayOf(any),
    run: (session, args) => zrange(session, args, 1, 'score', false),
  },
  {
    name: 'ZREVRANGEBYSCORE',
    arity: -4,
    group: 'sorted-set',
    flags: READ,
    keys: ONE_KEY,
    since: '2.2.0',
    summary: 'Returns members by score, in descending order.',
    complexity: PAGE,
    reply: arrayOf(any),
    run: (session, args) => zrange(session, args, 1, 'score', true),
  },
  {
    name: 'ZRANGEBYLEX',
    arity: -4,
    group: 'sorted-set',
    flags: READ,
    keys: ONE_KEY,
    since: '2.8.9',
    summary: 'Returns members by name, where all scores are equal.',
    complexity: PAGE,
    reply: arrayOf(any),
    run: (session, args) => zrange(session, args, 1, 'name', false),
  },
  {
    name: 'ZREVRANGEBYLEX',
    arity: -4,
    group: 'sorted-set',
    flags: READ,
    keys: ONE_KEY,
    since: '2.8.9',
    summary: 'Returns members by name, in descending order.',
    complexity: PAGE,
    reply: arrayOf(any),
    run: (session, args) => zrange(session, args, 1, 'name', true),
  },
  {
    name: 'ZCOUNT',
    arity: 4,
    group: 'sorted-set',
    flags: ['readonly', 'fast'],
    keys: ONE_KEY,
    since: '2.0.0',
    summary: 'Counts the members with scores in a range.',
    complexity: 'O(log(N))',
    reply: count,
    run: (session, args) => zcount(session, args, 'score'),
  },
  {
    name: 'ZLEXCOUNT',
    arity: 4,
    group: 'sorted-set',
    flags: ['readonly', 'fast'],
    keys: ONE_KEY,
    since: '2.8.9',
    summary: 'Counts the members with names in a range.',
    complexity: 'O(log(N))',
    reply: count,
    run: (session, args) => zcount(session, args, 'name'),
  },
  {
    name: 'ZREMRANGEBYRANK',
    arity: 4,
    group: 'sorted-set',
    flags: ['write'],
    keys: ONE_KEY,
    since: '2.0.0',
    summary: 'Removes members by rank.',
    complexity: 'O(log(N)+M*log(N)) for M members removed',
    conflict: REMOVES,
    reply: count,
    run: (session, args) => zremRange(session, args, 'rank'),
  },
  {
    name: 'ZREMRANGEBYSCORE',
    arity: 4,
    group: 'sorted-set',
    flags: ['write'],
    keys: ONE_KEY,
    since: '1.2.0',
    summary: 'Removes members by score.',
    complexity: 'O(log(N)+M*log(N)) for M members removed',
    conflict: REMOVES,
    reply: count,
    run: (session, args) => zremRange(session, args, 'score'),
  },
  {
    name: 'ZREMRANGEBYLEX',
    arity: 4,
    group: 'sorted-set',
    flags: ['write'],
    keys: ONE_KEY,
    since: '2.8.9',
    summary: 'Removes members by name, where all scores are equal.',
    complexity: 'O(log(N)+M*log(N)) for M members removed',
    conflict: REMOVES,
    reply: count,
    run: (session, args) => zremRange(session, args, 'name'),
  },
];

type RangeOptions = {
  by: By | null;
  down: boolean | null;
  withScores: boolean;
  offset: number;
  /** Below 0: all. */
  limit: number;
};

/** All commands that return or store a range. `by` and `down` null: the options say so. */
function zrange(
  session: ClientSession,
  args: Args,
  source: number,
  by: By | null,
  down: boolean | null,
): void {
  const stores = source === 2;
  if (!stores && args.count === 4 && (by ?? 'rank') === 'rank') {
    writeRanks(session, args, down ?? false);
    return;
  }
  const options = readOptions(args, source + 3, stores, { by, down });
  const isDown = options.down ?? false;
  if ((options.by ?? 'rank') === 'rank') {
    if (options.limit !== -1) throw commandError('limitByRank');
    // As Redis has it: LIMIT n -1 is no mistake by rank, and says nothing.
    options.offset = 0;
  }
  if (options.withScores && options.by === 'name') throw commandError('scoresByLex');
  const ranksOf = readRange(args, source + 1, options.by ?? 'rank', isDown);
  const zset = session.server.db.zsets.see(args, source);
  const ranks = limited(ranksOf(zset), options, isDown);
  if (stores) store(session, args.text(1), zset, ranks);
  else writeRange(session, zset, ranks, isDown, options.withScores);
}

/** By rank and without options, as nearly all are. */
function writeRanks(session: ClientSession, args: Args, down: boolean): void {
  const start = readInteger(args, 2);
  const stop = readInteger(args, 3);
  const zset = session.server.db.zsets.see(args, 1);
  const { size } = zset;
  const { from, to } = clampRanks(start, stop, size);
  writeNames(session, zset, down ? size - 1 - from : from, to - from, down);
}

function writeNames(
  session: ClientSession,
  zset: ZsetView,
  rank: number,
  count: number,
  down: boolean,
): void {
  const { output } = session;
  output.array(count);
  for (let done = 0; done < count; done += CHECKED_EACH) {
    const wanted = Math.min(CHECKED_EACH, count - done);
    zset.writeNames(down ? rank - done : rank + done, wanted, down, output);
    session.checkOutput();
  }
}

function readOptions(
  args: Args,
  first: number,
  stores: boolean,
  { by, down }: { by: By | null; down: boolean | null },
): RangeOptions {
  const options: RangeOptions = { by, down, withScores: false, offset: 0, limit: -1 };
  for (let i = first; i < args.count; i++) {
    if (!stores && args.equalsIgnoreCase(i, 'WITHSCORES')) options.withScores = true;
    else if (args.equalsIgnoreCase(i, 'LIMIT') && i + 2 < args.count) {
      options.offset = readInteger(args, i + 1);
      options.limit = readInteger(args, i + 2);
      i += 2;
    } else if (options.down === null && args.equalsIgnoreCase(i, 'REV')) options.down = true;
    else if (options.by === null && args.equalsIgnoreCase(i, 'BYLEX')) options.by = 'name';
    else if (options.by === null && args.equalsIgnoreCase(i, 'BYSCORE')) options.by = 'score';
    else throw commandError('syntax');
  }
  return options;
}

/** The range that begins at `args` `i`, as ranks in ascending order. */
function readRange(args: Args, i: number, by: By, down: boolean): (zset: ZsetView) => Ranks {
  if (by === 'rank') {
    const start = readInteger(args, i);
    const stop = readInteger(args, i + 1);
    return ({ size }) => {
      const { from, to } = clampRanks(start, stop, size);
      return down ? { from: size - to, to: size - from } : { from, to };
    };
  }
  const [min, max] = down ? [i + 1, i] : [i, i + 1];
  const range = by === 'score' ? readScoreRange(args, min, max) : readNameRange(args, min, max);
  return (zset) => range.ranksIn(zset);
}

function limited({ from, to }: Ranks, { offset, limit }: RangeOptions, down: boolean): Ranks {
  if (offset < 0 || offset >= to - from) return offset === 0 ? { from, to } : { from: 0, to: 0 };
  const left = to - from - offset;
  const count = limit < 0 ? left : Math.min(limit, left);
  return down
    ? { from: to - offset - count, to: to - offset }
    : { from: from + offset, to: from + offset + count };
}

function writeRange(
  session: ClientSession,
  zset: ZsetView,
  { from, to }: Ranks,
  down: boolean,
  withScores: boolean,
): void {
  const { output } = session;
  if (!withScores) {
    writeNames(session, zset, down ? to - 1 : from, to - from, down);
    return;
  }
  const nested = output.protocol === 3;
  output.array(nested ? to - from : (to - from) * 2);
  zset.walk(down ? to - 1 : from, to - from, down, (bytes, start, end, score) => {
    if (nested) output.array(2);
    output.bulkBytes(bytes, start, end);
    output.double(score);
    session.checkOutput();
    return true;
  });
}

function store(session: ClientSession, target: string, zset: ZsetView, ranks: Ranks): void {
  const members: [string, number][] = [];
  zset.walk(ranks.from, ranks.to - ranks.from, false, (bytes, start, end, score) => {
    members.push([bytes.latin1Slice(start, end), score]);
    return true;
  });
  storeMembers(session, target, members);
}

/** Puts the result in the place of whatever the target holds; an empty one deletes it. */
export function storeMembers(
  session: ClientSession,
  target: string,
  members: readonly (readonly [string, number])[],
): void {
  const { db } = session.server;
  db.delete(target);
  if (members.length > 0) db.zsets.set(target, members);
  session.output.integer(members.length);
}

function zcount(session: ClientSession, args: Args, by: By): void {
  const ranksOf = readRange(args, 2, by, false);
  const { from, to } = ranksOf(session.server.db.zsets.see(args, 1));
  session.output.integer(to - from);
}

function zremRange(session: ClientSession, args: Args, by: By): void {
  const ranksOf = readRange(args, 2, by, false);
  const { zsets } = session.server.db;
  const { from, to } = ranksOf(zsets.see(args, 1));
  if (to > from) zsets.take(args.text(1), from, to - from, false);
  session.output.integer(to - from);
}
