/** Positions of members: a sorted set whose scores are geohashes. Searches are in geo-search.ts. */
import type { Args } from '../resp/args.ts';
import type { ReplyWriter } from '../resp/reply-writer.ts';
import { commandError } from './errors.ts';
import { readPosition, readUnit } from './geo-args.ts';
import {
  distance,
  geohashText,
  type Position,
  positionOfScore,
  scoreOfPosition,
} from './geo-hash.ts';
import { any, arrayOf, bulkOrNull, bulksOrNulls, count } from './reply-shape.ts';
import type { ClientSession } from './session.ts';
import type { Command } from './table.ts';

export const geoCommands: readonly Command[] = [
  {
    name: 'GEOADD',
    arity: -5,
    group: 'geo',
    flags: ['write', 'denyoom'],
    keys: { first: 1, last: 1, step: 1 },
    since: '3.2.0',
    summary: 'Adds members with their positions, or moves them.',
    complexity: 'O(log(N)) for each member added',
    conflict: 'As ZADD: of concurrent positions the last wins, and survives a concurrent ZREM.',
    reply: count,
    run: geoAdd,
  },
  {
    name: 'GEOPOS',
    arity: -2,
    group: 'geo',
    flags: ['readonly'],
    keys: { first: 1, last: 1, step: 1 },
    since: '3.2.0',
    summary: 'Returns the positions of members.',
    complexity: 'O(1) for each member requested',
    reply: arrayOf(any),
    run: geoPos,
  },
  {
    name: 'GEODIST',
    arity: -4,
    group: 'geo',
    flags: ['readonly'],
    keys: { first: 1, last: 1, step: 1 },
    since: '3.2.0',
    summary: 'Returns the distance between two members.',
    complexity: 'O(1)',
    reply: bulkOrNull,
    run: geoDist,
  },
  {
    name: 'GEOHASH',
    arity: -2,
    group: 'geo',
    flags: ['readonly'],
    keys: { first: 1, last: 1, step: 1 },
    since: '3.2.0',
    summary: 'Returns the geohashes of members as texts.',
    complexity: 'O(1) for each member requested',
    reply: bulksOrNulls,
    run: geoHash,
  },
];

function geoAdd(session: ClientSession, args: Args): void {
  const rule = { nx: false, xx: false, gt: false, lt: false };
  let changes = false;
  let first = 2;
  for (; first < args.count; first++) {
    if (args.equalsIgnoreCase(first, 'NX')) rule.nx = true;
    else if (args.equalsIgnoreCase(first, 'XX')) rule.xx = true;
    else if (args.equalsIgnoreCase(first, 'CH')) changes = true;
    else break;
  }
  const words = args.count - first;
  if (words === 0 || words % 3 !== 0 || (rule.nx && rule.xx)) throw commandError('syntax');
  const scores: number[] = [];
  for (let i = first; i < args.count; i += 3) scores.push(scoreOfPosition(readPosition(args, i)));
  const outcome = session.server.db.zsets.addArgs(asPairs(args, first), 2, scores, rule);
  session.output.integer(changes ? outcome.added + outcome.updated : outcome.added);
}

/** The arguments of a ZADD of the same members; their scores are given beside them. */
function asPairs(args: Args, first: number): Args {
  const pairs = args.clone();
  pairs.count = 2;
  const from = args.clone();
  for (let i = first; i < args.count; i += 3) {
    pairs.add(from.start[i], from.end[i]);
    pairs.add(from.start[i + 2], from.end[i + 2]);
  }
  return pairs;
}

function geoPos(session: ClientSession, args: Args): void {
  const { output, server } = session;
  const zset = server.db.zsets.see(args, 1);
  output.array(args.count - 2);
  for (let i = 2; i < args.count; i++) {
    const score = zset.scoreOf(args.buffer, args.start[i], args.end[i]);
    if (Number.isNaN(score)) output.nullArray();
    else writePosition(output, positionOfScore(score));
  }
}

function geoDist(session: ClientSession, args: Args): void {
  if (args.count > 5) throw commandError('syntax');
  const { output, server } = session;
  const unit = args.count === 5 ? readUnit(args, 4) : 1;
  const zset = server.db.zsets.see(args, 1);
  const [from, to] = [2, 3].map((i) => zset.scoreOf(args.buffer, args.start[i], args.end[i]));
  if (Number.isNaN(from) || Number.isNaN(to)) output.nullBulk();
  else writeDistance(output, distance(positionOfScore(from), positionOfScore(to)) / unit);
}

function geoHash(session: ClientSession, args: Args): void {
  const { output, server } = session;
  const zset = server.db.zsets.see(args, 1);
  output.array(args.count - 2);
  for (let i = 2; i < args.count; i++) {
    const score = zset.scoreOf(args.buffer, args.start[i], args.end[i]);
    if (Number.isNaN(score)) output.nullBulk();
    else output.bulk(geohashText(score));
  }
}

/** A pair of longitude and latitude, to 17 places. */
export function writePosition(output: ReplyWriter, { lon, lat }: Position): void {
  output.array(2);
  output.decimal(seventeenPlaces(lon));
  output.decimal(seventeenPlaces(lat));
}

export function writeDistance(output: ReplyWriter, value: number): void {
  output.bulk(value.toFixed(4));
}

/** As Redis prints a long double for people: %.17Lf without the zeros at its end. */
function seventeenPlaces(value: number): string {
  return value.toFixed(17).replace(/\.?0+$/, '');
}
