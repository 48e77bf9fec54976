/** Sorted sets: reads by zset-read.ts, writes as ops. All throw WRONGTYPE. */

import type { Bytes } from '../crdt/dot.ts';
import { type KeyState, visibleType } from '../crdt/key-state.ts';
import type { ZsetRemove, ZsetSet } from '../crdt/op.ts';
import { prepareZsetAdd, prepareZsetRemove, prepareZsetSet } from '../crdt/prepare.ts';
import { nameText } from '../keyspace/element-cell.ts';
import { randomElement, scanElements } from '../keyspace/element-walk.ts';
import { BLOCK_ZSET, TABLE_ZSET } from '../keyspace/entry.ts';
import type { KeyPlace } from '../keyspace/key-place.ts';
import { elementScore } from '../keyspace/scored-table.ts';
import { tableOf } from '../keyspace/table-collection.ts';
import type { Args } from '../resp/args.ts';
import { scoreNotANumber, wrongType } from './db-error.ts';
import type { Ground } from './ground.ts';
import { type Page, randomElements, shuffled } from './random-elements.ts';
import { removeElements } from './remove-hot.ts';
import { incrementMember } from './score-counter-hot.ts';
import { addScores, isWritten, type ZaddOutcome, type ZaddRule } from './zset-hot.ts';
import { viewZset, type ZsetView } from './zset-read.ts';

const NO_RULE: ZaddRule = { nx: false, xx: false, gt: false, lt: false };

export type Scored = readonly [member: Bytes, score: number];

/** The sorted set of the key at `args` `i`. */
export function seeZset(ground: Ground, args: Args, i: number): ZsetView {
  return viewZset(ground, ground.findSeen(args.buffer, args.start[i], args.end[i]));
}

/** The sorted set of a key given as text. */
export function zsetOf(ground: Ground, key: Bytes): ZsetView {
  return viewZset(ground, ground.findVisible(key));
}

/** All members with their scores, in order. */
export function zsetEntries(ground: Ground, key: Bytes): Scored[] {
  return entriesOf(zsetOf(ground, key));
}

/** All members of a view with their scores, in order. */
export function entriesOf(zset: ZsetView): Scored[] {
  const entries: Scored[] = [];
  zset.walk(0, zset.size, false, (bytes, start, end, score) => {
    entries.push([bytes.latin1Slice(start, end), score]);
    return true;
  });
  return entries;
}

/** ZADD of the pairs from `args` `first` on, whose scores are `scores`, to the key at 1. */
export function zsetAddArgs(
  ground: Ground,
  args: Args,
  first: number,
  scores: readonly number[],
  rule: ZaddRule,
): ZaddOutcome {
  ground.checkGrowth();
  const place = ground.findLive(args.buffer, args.start[1], args.end[1]);
  const done = addScores(ground, place, args, first, scores, rule);
  if (done !== null) return done;
  const key = args.text(1);
  const held = zsetOf(ground, key);
  const outcome = { added: 0, updated: 0 };
  const pairs = new Map<Bytes, number>();
  for (const [i, given] of scores.entries()) {
    const at = first + i * 2 + 1;
    const member = args.text(at);
    const before = pairs.get(member) ?? held.scoreOf(args.buffer, args.start[at], args.end[at]);
    if (!isWritten(rule, before, given)) continue;
    pairs.set(member, before === given ? before : given);
    if (Number.isNaN(before)) outcome.added++;
    else if (before !== given) outcome.updated++;
  }
  if (pairs.size > 0) zsetSet(ground, key, [...pairs]);
  return outcome;
}

/** Gives the members these scores. */
export function zsetSet(ground: Ground, key: Bytes, members: readonly Scored[]): void {
  ground.checkGrowth();
  const place = ground.findForWrite(key);
  const op = zsetSetOf(ground, place, key, members);
  if (op !== null) ground.commitUnseen(place, op);
}

function zsetSetOf(
  ground: Ground,
  place: KeyPlace,
  key: Bytes,
  members: readonly Scored[],
): ZsetSet | null {
  if (ground.packed.see(place.ref, BLOCK_ZSET)) return ground.packed.prepareZsetSet(key, members);
  if (ground.tables.sees(place.ref, TABLE_ZSET)) {
    const names = members.map(([member]) => member);
    return prepareZsetSet(ground.tables.stateOf(place.ref, names), key, members);
  }
  return prepareZsetSet(visibleState(ground, place), key, members);
}

/** ZINCRBY of the member at `args` 3 of the key at 1. Returns the score afterwards. */
export function zsetAddOne(ground: Ground, args: Args, delta: number): number {
  ground.checkGrowth();
  if (ground.packing) {
    const place = ground.findLive(args.buffer, args.start[1], args.end[1]);
    const score = incrementMember(ground, place, args, delta);
    if (!Number.isNaN(score)) return score;
  }
  return zsetAdd(ground, args.text(1), args.text(3), delta, NO_RULE);
}

/**
 * ZINCRBY, and ZADD INCR with its rule. Returns the score afterwards; NaN: the rule forbids it. Throws when
 * the sum is no number.
 */
export function zsetAdd(
  ground: Ground,
  key: Bytes,
  member: Bytes,
  delta: number,
  rule: ZaddRule,
): number {
  ground.checkGrowth();
  const place = ground.findForWrite(key);
  const name = Buffer.from(member, 'latin1');
  const held = viewZset(ground, place.ref).scoreOf(name, 0, name.length);
  if (Number.isNaN(held) ? rule.xx : rule.nx) return Number.NaN;
  const score = Number.isNaN(held) ? delta : held + delta;
  if (Number.isNaN(score)) throw scoreNotANumber();
  if (!isWritten(rule, held, score)) return Number.NaN;
  const state = ground.tables.sees(place.ref, TABLE_ZSET)
    ? ground.tables.stateOf(place.ref, [member])
    : visibleState(ground, place);
  const { actor, roster } = ground;
  ground.commitUnseen(place, prepareZsetAdd(state, key, member, delta, actor, roster));
  return score;
}

/** ZREM of the members that follow the key in `args`. Returns how many were there. */
export function zsetRemoveArgs(ground: Ground, args: Args): number {
  ground.checkWritable();
  const place = ground.findLive(args.buffer, args.start[1], args.end[1]);
  const removed = removeElements(ground, place, args, BLOCK_ZSET);
  if (removed >= 0) return removed;
  const members: Bytes[] = [];
  for (let i = 2; i < args.count; i++) members.push(args.text(i));
  return zsetRemove(ground, args.text(1), members);
}

/** Returns the number of members removed. */
export function zsetRemove(ground: Ground, key: Bytes, members: readonly Bytes[]): number {
  ground.checkWritable();
  const place = ground.findForWrite(key);
  if (place.ref === 0) return 0;
  const op = zsetRemoveOf(ground, place, key, members);
  if (op === null) return 0;
  ground.commitUnseen(place, op);
  return op.fields.length;
}

function zsetRemoveOf(
  ground: Ground,
  place: KeyPlace,
  key: Bytes,
  members: readonly Bytes[],
): ZsetRemove | null {
  const { packed } = ground;
  if (packed.see(place.ref, BLOCK_ZSET) && !packed.mayOrphanTtl(place.ref, members.length)) {
    return packed.prepareZsetRemove(key, members);
  }
  if (ground.tables.sees(place.ref, TABLE_ZSET)) {
    return prepareZsetRemove(ground.tables.stateOf(place.ref, members), key, members);
  }
  return prepareZsetRemove(visibleState(ground, place), key, members);
}

/** The state at `place`, in which nothing or a sorted set shows. */
function visibleState(ground: Ground, place: KeyPlace): KeyState | null {
  const state = ground.load(place);
  const type = visibleType(state, ground.roster);
  if (type !== null && type !== 'zset') throw wrongType();
  return state;
}

/** Removes the members of ranks `[from, from + count)` and returns them. */
export function zsetTake(
  ground: Ground,
  key: Bytes,
  from: number,
  count: number,
  down: boolean,
): Scored[] {
  ground.checkWritable();
  const place = ground.findForWrite(key);
  const zset = viewZset(ground, place.ref);
  const taken: Scored[] = [];
  zset.walk(from, count, down, (bytes, start, end, score) => {
    taken.push([bytes.latin1Slice(start, end), score]);
    return true;
  });
  if (taken.length > 0)
    zsetRemove(
      ground,
      key,
      taken.map(([member]) => member),
    );
  return taken;
}

/** `count` distinct members at random, all if there are fewer; below 0 so many draws, which may repeat. */
export function zsetRandom(ground: Ground, key: Bytes, count: number): Scored[] {
  const ref = ground.findVisible(key);
  const zset = viewZset(ground, ref);
  const { keyspace, random, roster } = ground;
  const { tables } = keyspace;
  const isTable =
    ref !== 0 && !ground.packed.see(ref, BLOCK_ZSET) && ground.tables.sees(ref, TABLE_ZSET);
  const entryOf = (element: number): Scored => [
    nameText(tables, element),
    elementScore(tables, element, roster),
  ];
  if (count >= 0) {
    const elements = isTable ? randomElements(ground, ref, count) : null;
    if (elements !== null) return elements.map(entryOf);
    return shuffled(entriesOf(zset), count, random);
  }
  const draws = { length: zset.size === 0 ? 0 : -count };
  if (isTable) {
    const root = tables.rootOf(tableOf(keyspace, ref));
    return Array.from(draws, () => entryOf(randomElement(tables.arena, root, random)));
  }
  const entries = entriesOf(zset);
  return Array.from(draws, () => entries[Math.floor(random() * entries.length)]);
}

/** ZSCAN of a table; null: the sorted set is none, and is small enough to be returned whole. */
export function scanScores(
  ground: Ground,
  key: Bytes,
  cursor: number,
  count: number,
): Page<Scored> | null {
  const ref = ground.findVisible(key);
  if (ground.packed.see(ref, BLOCK_ZSET) || !ground.tables.sees(ref, TABLE_ZSET)) return null;
  const { keyspace, roster } = ground;
  const { tables } = keyspace;
  const elements: Scored[] = [];
  const root = tables.rootOf(tableOf(keyspace, ref));
  const next = scanElements(tables.arena, root, cursor, count, (element) => {
    elements.push([nameText(tables, element), elementScore(tables, element, roster)]);
  });
  return { next, elements };
}
