/**
 * HINCRBY on tables straight from the input buffer, and its op from other members: an element with a few
 * integer sums is changed in place. Everything else goes the general way.
 */

import { CHUNK_SHIFT, UNIT_MASK } from '../keyspace/arena.ts';
import {
  CELL_OUTSIDE,
  FORM_COUNT_MASK,
  formOf,
  tallyUnit,
  writeStamp,
} from '../keyspace/element.ts';
import {
  CONTRIBUTION_UNITS,
  collectionKind,
  dotActor,
  dotSeq,
  metaOf,
  TABLE_HASH,
  writeDot,
} from '../keyspace/entry.ts';
import type { KeyPlace } from '../keyspace/key-place.ts';
import { tableOf } from '../keyspace/table-collection.ts';
import type { Args } from '../resp/args.ts';
import { type Ground, latin1 } from './ground.ts';
import { parseShortInteger } from './plain-write.ts';

const KEY = 1;
const FIELD = 2;

/**
 * Adds a safe integer to the field at `args` 2 of the hash at `place`, which may be written. Returns the
 * new value; NaN: nothing was done, it takes the general way.
 */
export function incrementField(ground: Ground, place: KeyPlace, args: Args, delta: number): number {
  const { keyspace, actor } = ground;
  const { ref } = place;
  if (ref === 0 || collectionKind(metaOf(keyspace.arena, ref)) !== TABLE_HASH) return Number.NaN;
  const { tables } = keyspace;
  const { buffer, start, end } = args;
  const table = tableOf(keyspace, ref);
  const element = tables.find(table, buffer, start[FIELD], end[FIELD]);
  if (element === 0) {
    const hlc = ground.stamp();
    writeOp(ground, place, args, hlc, delta, 0, 0);
    addTally(ground, table, args, FIELD, hlc, delta);
    return delta;
  }
  const unit = tallyOf(ground, element, actor);
  const sum = shownInteger(ground, element) + delta;
  if (unit < 0 || !Number.isSafeInteger(sum)) return Number.NaN;
  const words = tables.arena.u32[element >>> CHUNK_SHIFT];
  const floats = tables.arena.f64[element >>> CHUNK_SHIFT];
  const before = floats[unit + 2];
  const cum = before + delta;
  if (!Number.isSafeInteger(cum)) return Number.NaN;
  const hlc = ground.stamp();
  writeOp(ground, place, args, hlc, cum, dotSeq(words, unit << 1), before);
  writeDot(words, unit << 1, actor, ground.seq);
  floats[unit + 1] = hlc;
  floats[unit + 2] = cum;
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
    'hash-add',
    place.slot,
    hlc,
    buffer,
    start[KEY],
    end[KEY],
    start[FIELD],
    end[FIELD],
    cum,
    predSeq,
    predCum,
  );
  if (ground.touched !== null) ground.touched(latin1(place));
}

/** Makes an element of the name at `args` `i`, whose one increment is this op. Returns it. */
export function addTally(
  ground: Ground,
  table: number,
  args: Args,
  i: number,
  hlc: number,
  cum: number,
): number {
  const { tables } = ground.keyspace;
  const { buffer, start, end } = args;
  const { actor, seq } = ground;
  const element = tables.shape(table, 0, 1, buffer, start[i], end[i], 0);
  writeStamp(tables.arena, element, 0, 0, 0, 1 | tables.nameFlag(end[i] - start[i]));
  const unit = tallyUnit(element);
  const floats = tables.arena.f64[element >>> CHUNK_SHIFT];
  writeDot(tables.arena.u32[element >>> CHUNK_SHIFT], unit << 1, actor, seq);
  floats[unit + 1] = hlc;
  // Adding 0 turns -0 into the 0 that readers take.
  floats[unit + 2] = cum + 0;
  floats[unit + 3] = seq - 1;
  floats[unit + 4] = 0;
  tables.noteCounter(table);
  tables.noteAuthor(table, actor, seq);
  return element;
}

/** Unit of the element's contribution of an actor; -1: it has none, or the cell lies outside. */
export function tallyOf({ keyspace }: Ground, element: number, actor: number): number {
  const { arena } = keyspace;
  const count = formOf(arena, element) & FORM_COUNT_MASK;
  if (count === CELL_OUTSIDE) return -1;
  const words = arena.u32[element >>> CHUNK_SHIFT];
  let unit = tallyUnit(element);
  for (let i = 0; i < count; i++, unit += CONTRIBUTION_UNITS) {
    if (dotActor(words, unit << 1) === actor) return unit;
  }
  return -1;
}

/** The element's value if it is an integer as short as they mostly are; else NaN. */
function shownInteger({ keyspace }: Ground, element: number): number {
  const { arena, tables } = keyspace;
  const count = formOf(arena, element) & FORM_COUNT_MASK;
  if (count === CELL_OUTSIDE) return Number.NaN;
  let sum = 0;
  if (dotSeq(arena.u32[element >>> CHUNK_SHIFT], (element & UNIT_MASK) << 1) > 0) {
    tables.locateValue(element);
    sum = parseShortInteger(tables.bytes, tables.start, tables.end);
  }
  const floats = arena.f64[element >>> CHUNK_SHIFT];
  let unit = tallyUnit(element);
  for (let i = 0; i < count; i++, unit += CONTRIBUTION_UNITS) {
    const part = floats[unit + 2] - floats[unit + 4];
    sum += part;
    if (!Number.isSafeInteger(part) || !Number.isSafeInteger(sum)) return Number.NaN;
  }
  return sum;
}
