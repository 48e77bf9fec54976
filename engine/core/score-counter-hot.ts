/**
 * ZINCRBY of a member of a table by a whole number, straight from the input buffer, as counter-hot.ts does
 * HINCRBY: this actor has its increments there already, or the member is new, and all sums are safe
 * integers, which doubles and decimals add alike. collections.test.ts compares it with the general way.
 */

import { CHUNK_SHIFT, UNIT_MASK } from '../keyspace/arena.ts';
import { CELL_OUTSIDE, FORM_COUNT_MASK, formOf, tallyUnit } from '../keyspace/element.ts';
import {
  CONTRIBUTION_UNITS,
  collectionKind,
  dotSeq,
  metaOf,
  TABLE_ZSET,
  writeDot,
} from '../keyspace/entry.ts';
import type { KeyPlace } from '../keyspace/key-place.ts';
import { linkScore, simpleScore, unlinkScore } from '../keyspace/scored-table.ts';
import { tableOf } from '../keyspace/table-collection.ts';
import type { Args } from '../resp/args.ts';
import { addTally, tallyOf } from './counter-hot.ts';
import { type Ground, latin1 } from './ground.ts';

const KEY = 1;
const MEMBER = 3;

/**
 * Adds to the score of the member at `args` 3 of the sorted set at `place`, which may be written. Returns
 * the new score; NaN: nothing was done, it takes the general way.
 */
export function incrementMember(
  ground: Ground,
  place: KeyPlace,
  args: Args,
  delta: number,
): number {
  const { keyspace, actor } = ground;
  const { ref } = place;
  if (ref === 0 || collectionKind(metaOf(keyspace.arena, ref)) !== TABLE_ZSET) return Number.NaN;
  if (!Number.isSafeInteger(delta) || Object.is(delta, -0)) return Number.NaN;
  const { tables } = keyspace;
  const { buffer, start, end } = args;
  const table = tableOf(keyspace, ref);
  const element = tables.find(table, buffer, start[MEMBER], end[MEMBER]);
  if (element === 0) {
    const hlc = ground.stamp();
    writeOp(ground, place, args, hlc, delta, 0, 0);
    linkScore(tables, table, addTally(ground, table, args, MEMBER, hlc, delta), delta);
    return delta;
  }
  const unit = tallyOf(ground, element, actor);
  const held = wholeScore(ground, element);
  const sum = held + delta;
  if (unit < 0 || !Number.isSafeInteger(sum)) return Number.NaN;
  const words = tables.arena.u32[element >>> CHUNK_SHIFT];
  const floats = tables.arena.f64[element >>> CHUNK_SHIFT];
  const before = floats[unit + 2];
  const cum = before + delta;
  if (!Number.isSafeInteger(cum)) return Number.NaN;
  const hlc = ground.stamp();
  writeOp(ground, place, args, hlc, cum, dotSeq(words, unit << 1), before);
  unlinkScore(tables, table, element, held);
  writeDot(words, unit << 1, actor, ground.seq);
  floats[unit + 1] = hlc;
  // Adding 0 turns -0 into the 0 that readers take.
  floats[unit + 2] = cum + 0;
  linkScore(tables, table, element, sum);
  tables.noteAuthor(table, actor, ground.seq);
  return sum;
}

function writeOp(
  ground: Ground,
  place: KeyPlace,
  { buffer, start, end }: Args,
  hlc: number,
  cum: number,
  predSeq: number,
  predCum: number,
): void {
  ground.batch.fieldAdd(
    'zset-add',
    place.slot,
    hlc,
    buffer,
    start[KEY],
    end[KEY],
    start[MEMBER],
    end[MEMBER],
    cum,
    predSeq,
    predCum,
  );
  if (ground.touched !== null) ground.touched(latin1(place));
}

/** The score that shows of an element, if it and all that it is made of are whole; else NaN. */
function wholeScore({ keyspace }: Ground, element: number): number {
  const { arena, tables } = keyspace;
  const count = formOf(arena, element) & FORM_COUNT_MASK;
  if (count === CELL_OUTSIDE) return Number.NaN;
  const isBased = dotSeq(arena.u32[element >>> CHUNK_SHIFT], (element & UNIT_MASK) << 1) > 0;
  let sum = isBased ? simpleScore(tables, element) : 0;
  if (!Number.isSafeInteger(sum)) return Number.NaN;
  const floats = arena.f64[element >>> CHUNK_SHIFT];
  let unit = tallyUnit(element);
  for (let i = 0; i < count; i++, unit += CONTRIBUTION_UNITS) {
    sum += floats[unit + 2] - floats[unit + 4];
    if (!Number.isSafeInteger(sum)) return Number.NaN;
  }
  return sum;
}
