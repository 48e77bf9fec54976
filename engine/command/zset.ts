/** Sorted sets: members with scores. Ranges are in zset-range.ts, pops in zset-pop.ts. */
import type { ZaddRule } from '../core/zset-hot.ts';
import type { Args } from '../resp/args.ts';
import type { ReplyWriter } from '../resp/reply-writer.ts';
import { commandError } from './errors.ts';
import { readInt64 } from './numbers.ts';
import { DRAWS_MAX } from './random-pick.ts';
import {
  any,
  arrayOf,
  bulkOrNull,
  count,
  double,
  doubleOrNull,
  either,
  integerOrNull,
} from './reply-shape.ts';
import type { ClientSession } from './session.ts';
import type { Command } from './table.ts';
import { readScore } from './zset-args.ts';

export const zsetCommands: readonly Command[] = [
  {
    name: 'ZADD',
    arity: -4,
    group: 'sorted-set',
    flags: ['write', 'denyoom', 'fast'],
    keys: { first: 1, last: 1, step: 1 },
    since: '1.2.0',
    summary: 'Adds members with their scores, or gives members other scores.',
    complexity: 'O(log(N)) for each member added',
    conflict:
      'Each member is apart: of concurrent scores the last wins, concurrent ZINCRBYs add to it, and it survives a concurrent ZREM. NX, XX, GT, LT are judged in this region.',
    reply: either(count, doubleOrNull),
    run: (session, args) => zadd(session, args, false),
  },
  {
    name: 'ZINCRBY',
    arity: 4,
    group: 'sorted-set',
    flags: ['write', 'denyoom', 'fast'],
    keys: { first: 1, last: 1, step: 1 },
    since: '1.2.0',
    summary: 'Adds to the score of a member.',
    complexity: 'O(log(N))',
    conflict:
      'Increments of all regions add up. An increment that no decimal of 17 places says (infinite, tiny) is a ZADD of its result.',
    reply: double,
    run: (session, args) => zadd(session, args, true),
  },
  {
    name: 'ZREM',
    arity: -3,
    group: 'sorted-set',
    flags: ['write', 'fast'],
    keys: { first: 1, last: 1, step: 1 },
    since: '1.2.0',
    summary: 'Removes members.',
    complexity: 'O(M*log(N)) for M members removed',
    conflict:
      'Removes what this region has seen of the members; concurrent scores and increments survive.',
    reply: count,
    run: zrem,
  },
  {
    name: 'ZCARD',
    arity: 2,
    group: 'sorted-set',
    flags: ['readonly', 'fast'],
    keys: { first: 1, last: 1, step: 1 },
    since: '1.2.0',
    summary: 'Counts the members.',
    complexity: 'O(1)',
    reply: count,
    run: zcard,
  },
  {
    name: 'ZSCORE',
    arity: 3,
    group: 'sorted-set',
    flags: ['readonly', 'fast'],
    keys: { first: 1, last: 1, step: 1 },
    since: '1.2.0',
    summary: 'Returns the score of a member.',
    complexity: 'O(1)',
    reply: doubleOrNull,
    run: zscore,
  },
  {
    name: 'ZMSCORE',
    arity: -3,
    group: 'sorted-set',
    flags: ['readonly', 'fast'],
    keys: { first: 1, last: 1, step: 1 },
    since: '6.2.0',
    summary: 'Returns the scores of several members.',
    complexity: 'O(N) for N members being requested',
    reply: arrayOf(doubleOrNull),
    run: zmscore,
  },
  {
    name: 'ZRANK',
    arity: -3,
    group: 'sorted-set',
    flags: ['readonly', 'fast'],
    keys: { first: 1, last: 1, step: 1 },
    since: '2.0.0',
    summary: 'Returns the place of a member in ascending order, from 0.',
    complexity: 'O(log(N))',
    reply: either(integerOrNull, any),
    run: (session, args) => zrank(session, args, false),
  },
  {
    name: 'ZREVRANK',
    arity: -3,
    group: 'sorted-set',
    flags: ['readonly', 'fast'],
    keys: { first: 1, last: 1, step: 1 },
    since: '2.0.0',
    summary: 'Returns the place of a member in descending order, from 0.',
    complexity: 'O(log(N))',
    reply: either(integerOrNull, any),
    run: (session, args) => zrank(session, args, true),
  },
  {
    name: 'ZRANDMEMBER',
    arity: -2,
    group: 'sorted-set',
    flags: ['readonly'],
    keys: { first: 1, last: 1, step: 1 },
    since: '6.2.0',
    summary: 'Returns members at random.',
    complexity: 'O(N) for N members returned',
    reply: either(bulkOrNull, arrayOf(any)),
    run: zrandMember,
  },
];

type ZaddOptions = ZaddRule & { ch: boolean; incr: boolean };

function zadd(session: ClientSession, args: Args, increment: boolean): void {
  const options: { -readonly [N in keyof ZaddOptions]: boolean } = {
    nx: false,
    xx: false,
    gt: false,
    lt: false,
    ch: false,
    incr: increment,
  };
  let first = 2;
  for (; first < args.count; first++) {
    if (args.equalsIgnoreCase(first, 'NX')) options.nx = true;
    else if (args.equalsIgnoreCase(first, 'XX')) options.xx = true;
    else if (args.equalsIgnoreCase(first, 'GT')) options.gt = true;
    else if (args.equalsIgnoreCase(first, 'LT')) options.lt = true;
    else if (args.equalsIgnoreCase(first, 'CH')) options.ch = true;
    else if (args.equalsIgnoreCase(first, 'INCR')) options.incr = true;
    else break;
  }
  const words = args.count - first;
  if (words === 0 || words % 2 !== 0) throw commandError('syntax');
  const { nx, xx, gt, lt, incr } = options;
  if (nx && xx) throw commandError('zaddNxXx');
  if ((nx && (gt || lt)) || (gt && lt)) throw commandError('zaddGtLtNx');
  if (incr && words > 2) throw commandError('zaddIncrPairs');
  const { zsets } = session.server.db;
  if (incr) {
    const delta = readScore(args, first);
    if (increment && first === 2) {
      session.output.double(zsets.incrementArgs(args, delta));
      return;
    }
    const score = zsets.increment(args.text(1), args.text(first + 1), delta, options);
    writeScoreOrNull(session.output, score);
    return;
  }
  const scores: number[] = [];
  for (let i = first; i < args.count; i += 2) scores.push(readScore(args, i));
  const { added, updated } = zsets.addArgs(args, first, scores, options);
  session.output.integer(options.ch ? added + updated : added);
}

function zrem(session: ClientSession, args: Args): void {
  session.output.integer(session.server.db.zsets.removeArgs(args));
}

function zcard(session: ClientSession, args: Args): void {
  session.output.integer(session.server.db.zsets.see(args, 1).size);
}

function zscore(session: ClientSession, args: Args): void {
  const zset = session.server.db.zsets.see(args, 1);
  writeScoreOrNull(session.output, zset.scoreOf(args.buffer, args.start[2], args.end[2]));
}

function zmscore(session: ClientSession, args: Args): void {
  const zset = session.server.db.zsets.see(args, 1);
  session.output.array(args.count - 2);
  for (let i = 2; i < args.count; i++) {
    writeScoreOrNull(session.output, zset.scoreOf(args.buffer, args.start[i], args.end[i]));
  }
}

function writeScoreOrNull(output: ReplyWriter, score: number): void {
  if (Number.isNaN(score)) output.nullBulk();
  else output.double(score);
}

function zrank(session: ClientSession, args: Args, down: boolean): void {
  const { output, server } = session;
  if (args.count > 4) throw commandError('arity', down ? 'zrevrank' : 'zrank');
  const withScore = args.count === 4;
  if (withScore && !args.equalsIgnoreCase(3, 'WITHSCORE')) throw commandError('syntax');
  const zset = server.db.zsets.see(args, 1);
  const rank = zset.rankOf(args.buffer, args.start[2], args.end[2]);
  if (rank < 0) {
    if (withScore) output.nullArray();
    else output.nullBulk();
    return;
  }
  if (withScore) output.array(2);
  output.integer(down ? zset.size - 1 - rank : rank);
  if (withScore) output.double(zset.scoreOf(args.buffer, args.start[2], args.end[2]));
}

function zrandMember(session: ClientSession, args: Args): void {
  const { output, server } = session;
  const { zsets } = server.db;
  const key = args.text(1);
  if (args.count === 2) {
    const [picked] = zsets.random(key, 1);
    if (picked === undefined) output.nullBulk();
    else output.bulk(picked[0]);
    return;
  }
  const wanted = readInt64(args, 2);
  const withScores = args.count === 4 && args.equalsIgnoreCase(3, 'WITHSCORES');
  if (args.count > 4 || (args.count === 4 && !withScores)) throw commandError('syntax');
  if (wanted === -(2n ** 63n)) throw commandError('int64Range');
  if (withScores && (wanted < -(2n ** 62n) || wanted >= 2n ** 62n))
    throw commandError('outOfRange');
  if (wanted < BigInt(-DRAWS_MAX)) throw commandError('outOfRange');
  writeScored(session, zsets.random(key, Number(wanted)), withScores);
}

/** Members in an array, with their scores if wanted: as pairs in RESP3, one behind the other in RESP2. */
export function writeScored(
  session: ClientSession,
  members: readonly (readonly [string, number])[],
  withScores: boolean,
): void {
  const { output } = session;
  const nested = withScores && output.protocol === 3;
  output.array(withScores && !nested ? members.length * 2 : members.length);
  for (const [member, score] of members) {
    if (nested) output.array(2);
    output.bulk(member);
    if (withScores) output.double(score);
    session.checkOutput();
  }
}
