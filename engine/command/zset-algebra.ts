/**
 * Unions, intersections and differences of sorted sets and sets (whose members have the score 1). All keys
 * are checked for their type before anything else, as in Redis; sums are made in the order of the
 * sets' sizes, since doubles depend on it.
 */
import type { Db } from '../core/db.ts';
import { wrongType } from '../core/db-error.ts';
import type { Args } from '../resp/args.ts';
import { commandError } from './errors.ts';
import { readInteger } from './numbers.ts';
import { any, arrayOf, count } from './reply-shape.ts';
import type { ClientSession } from './session.ts';
import type { Command, CommandFlag } from './table.ts';
import { writeScored } from './zset.ts';
import { readScore } from './zset-args.ts';
import { storeMembers } from './zset-range.ts';

type Kind = 'union' | 'inter' | 'diff';
type Output = 'reply' | 'store' | 'count';

export const zsetAlgebraCommands: readonly Command[] = [
  command('ZUNION', 'union', 'reply', '6.2.0', 'Returns the members of any of the sorted sets.'),
  command('ZINTER', 'inter', 'reply', '6.2.0', 'Returns the members common to all sorted sets.'),
  command('ZDIFF', 'diff', 'reply', '6.2.0', 'Returns the members of the first that no other has.'),
  command('ZINTERCARD', 'inter', 'count', '7.0.0', 'Counts the members common to all sorted sets.'),
  command(
    'ZUNIONSTORE',
    'union',
    'store',
    '2.0.0',
    'Stores the members of any of the sorted sets.',
  ),
  command(
    'ZINTERSTORE',
    'inter',
    'store',
    '2.0.0',
    'Stores the members common to all sorted sets.',
  ),
  command(
    'ZDIFFSTORE',
    'diff',
    'store',
    '6.2.0',
    'Stores the members of the first that no other has.',
  ),
];

function command(
  name: string,
  kind: Kind,
  output: Output,
  since: string,
  summary: string,
): Command {
  const stores = output === 'store';
  const flags: readonly CommandFlag[] = stores
    ? ['write', 'denyoom', 'movablekeys']
    : ['readonly', 'movablekeys'];
  return {
    name,
    arity: stores ? -4 : -3,
    group: 'sorted-set',
    flags,
    keys: stores ? { first: 1, last: 1, step: 1 } : null,
    keyCountAt: stores ? 2 : 1,
    since,
    summary,
    complexity: 'O(N*K)+O(M*log(M)) for K sets of N members and M in the result',
    ...(stores && {
      conflict: 'Replaces what this region has seen of the target by the result computed here.',
    }),
    reply: output === 'reply' ? arrayOf(any) : count,
    run: (session, args) => run(session, args, name, kind, output),
  };
}

type Source = { readonly members: ReadonlyMap<string, number>; weight: number };
type Options = { aggregate: Aggregate; withScores: boolean; limit: number };
type Aggregate = (a: number, b: number) => number;

const AGGREGATES: Readonly<Record<string, Aggregate>> = {
  SUM: (a, b) => orZero(a + b),
  MIN: Math.min,
  MAX: Math.max,
};

function run(session: ClientSession, args: Args, name: string, kind: Kind, output: Output): void {
  const countAt = output === 'store' ? 2 : 1;
  const keyCount = readInteger(args, countAt);
  if (keyCount < 1) throw commandError('noInputKeys', name.toLowerCase());
  const optionsAt = countAt + 1 + keyCount;
  if (optionsAt > args.count) throw commandError('syntax');
  const { db } = session.server;
  const sources: Source[] = [];
  for (let i = countAt + 1; i < optionsAt; i++) sources.push(readSource(db, args.text(i)));
  const options = readOptions(args, optionsAt, sources, kind, output);
  const result = combine(sources, kind, options);
  if (output === 'count') {
    const { limit } = options;
    session.output.integer(limit > 0 ? Math.min(limit, result.size) : result.size);
    return;
  }
  if (output === 'store') storeMembers(session, args.text(1), [...result]);
  else writeScored(session, [...result].sort(byScore), options.withScores);
}

function readSource(db: Db, key: string): Source {
  switch (db.type(key)) {
    case 'none':
      return { members: new Map(), weight: 1 };
    case 'set':
      return { members: new Map(db.setMembers(key).map((member) => [member, 1])), weight: 1 };
    case 'zset':
      return { members: new Map(db.zsets.entries(key)), weight: 1 };
    default:
      throw wrongType();
  }
}

function readOptions(
  args: Args,
  first: number,
  sources: Source[],
  kind: Kind,
  output: Output,
): Options {
  const options: Options = { aggregate: AGGREGATES.SUM, withScores: false, limit: 0 };
  const weighs = kind !== 'diff' && output !== 'count';
  for (let i = first; i < args.count; i++) {
    const left = args.count - i;
    if (weighs && left > sources.length && args.equalsIgnoreCase(i, 'WEIGHTS')) {
      for (const source of sources) source.weight = readScore(args, ++i, 'weightNotFloat');
    } else if (weighs && left >= 2 && args.equalsIgnoreCase(i, 'AGGREGATE')) {
      const name = ['SUM', 'MIN', 'MAX'].find((word) => args.equalsIgnoreCase(i + 1, word));
      if (name === undefined) throw commandError('syntax');
      options.aggregate = AGGREGATES[name];
      i++;
    } else if (output === 'reply' && args.equalsIgnoreCase(i, 'WITHSCORES')) {
      options.withScores = true;
    } else if (output === 'count' && left >= 2 && args.equalsIgnoreCase(i, 'LIMIT')) {
      options.limit = readInteger(args, ++i, 'limitNegative');
      if (options.limit < 0) throw commandError('limitNegative');
    } else throw commandError('syntax');
  }
  return options;
}

function combine(sources: Source[], kind: Kind, { aggregate }: Options): Map<string, number> {
  const [first, ...others] = sources;
  if (kind === 'diff') {
    const left = [...first.members].filter(
      ([name]) => !others.some((one) => one.members.has(name)),
    );
    return new Map(left);
  }
  const result = new Map<string, number>();
  const bySize = [...sources].sort((a, b) => a.members.size - b.members.size);
  if (kind === 'union') {
    for (const { members, weight } of bySize) {
      for (const [name, score] of members) {
        const value = orZero(weight * score);
        const held = result.get(name);
        result.set(name, held === undefined ? value : aggregate(held, value));
      }
    }
    return result;
  }
  const [smallest, ...rest] = bySize;
  for (const [name, score] of smallest.members) {
    let value = orZero(smallest.weight * score);
    const isCommon = rest.every(({ members, weight }) => {
      const other = members.get(name);
      if (other === undefined) return false;
      value = aggregate(value, orZero(weight * other));
      return true;
    });
    if (isCommon) result.set(name, value);
  }
  return result;
}

/** Infinity times 0, or the sum of both infinities, is 0 here. */
function orZero(score: number): number {
  return Number.isNaN(score) ? 0 : score;
}

/** The order of a sorted set; names are latin1 texts, so their order is that of their bytes. */
export function byScore(a: readonly [string, number], b: readonly [string, number]): number {
  if (a[1] !== b[1]) return a[1] < b[1] ? -1 : 1;
  return a[0] < b[0] ? -1 : 1;
}
