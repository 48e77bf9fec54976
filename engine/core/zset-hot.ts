/**
 * ZADD on blocks and tables straight from the input buffer: what `prepare…`, the general form of ops and
 * their application do, without an object or a string. zsets.test.ts compares the two.
 *
 * Each pair is judged first (NX, XX, GT, LT), since an op says how many elements it has; then those that
 * write do. A member that has its score already is written again, with the score that it has: so
 * it survives a concurrent ZREM, as every ZADD does.
 */

import { CHUNK_SHIFT, UNIT_MASK } from '../keyspace/arena.ts';
import { formOf, isSimpleForm } from '../keyspace/element.ts';
import {
  BLOCK_ZSET,
  collectionKind,
  dotActor,
  dotSeq,
  metaOf,
  TABLE_ZSET,
} from '../keyspace/entry.ts';
import type { KeyPlace } from '../keyspace/key-place.ts';
import { editBlock, openBlock, replaceBlock } from '../keyspace/packed-collection.ts';
import { writeScore } from '../keyspace/score-bytes.ts';
import { simpleScore, writeScored } from '../keyspace/scored-table.ts';
import { spreadBlock, tableOf } from '../keyspace/table-collection.ts';
import type { Args } from '../resp/args.ts';
import { type Ground, latin1 } from './ground.ts';
import { HOT_ELEMENTS_MAX } from './packed-hot.ts';

/** Which members a ZADD writes. */
export type ZaddRule = {
  readonly nx: boolean;
  readonly xx: boolean;
  readonly gt: boolean;
  readonly lt: boolean;
};

/** How many members a ZADD has added, and how many of those that were there have another score now. */
export type ZaddOutcome = { added: number; updated: number };

const KEY = 1;
/** Which pairs write, and what. */
const writes = new Uint8Array(HOT_ELEMENTS_MAX);
const written = new Float64Array(HOT_ELEMENTS_MAX);
const score8 = new Uint8Array(8);

/** Whether a pair writes; `held` is NaN when there is no such member. */
export function isWritten(rule: ZaddRule, held: number, score: number): boolean {
  if (Number.isNaN(held)) return !rule.xx;
  return !rule.nx && !(rule.gt && score <= held) && !(rule.lt && score >= held);
}

/**
 * ZADD of the pairs from `args` `first` on, whose scores are `scores`; the key is at `place`, and may be
 * written. Null: nothing was done, it takes the general way.
 */
export function addScores(
  ground: Ground,
  place: KeyPlace,
  args: Args,
  first: number,
  scores: readonly number[],
  rule: ZaddRule,
): ZaddOutcome | null {
  const { keyspace } = ground;
  const count = scores.length;
  if (!ground.packing || count > HOT_ELEMENTS_MAX || hasTwins(args, first)) return null;
  const kind = place.ref === 0 ? BLOCK_ZSET : collectionKind(metaOf(keyspace.arena, place.ref));
  if (kind !== BLOCK_ZSET && kind !== TABLE_ZSET) return null;
  const outcome = { added: 0, updated: 0 };
  let wanted = 0;
  let bytes = 0;
  if (place.ref !== 0 && kind === BLOCK_ZSET) openBlock(keyspace, place.ref, ground.packed.view);
  for (let i = 0; i < count; i++) {
    const held =
      place.ref === 0 ? Number.NaN : heldScore(ground, place.ref, kind, args, first + i * 2 + 1);
    if (held === TAKES_STATE) return null;
    writes[i] = isWritten(rule, held, scores[i]) ? 1 : 0;
    if (writes[i] === 0) continue;
    wanted++;
    bytes += args.end[first + i * 2 + 1] - args.start[first + i * 2 + 1] + score8.length;
    // 0 is not put in the place of -0, nor the other way round.
    written[i] = held === scores[i] ? held : scores[i];
    if (Number.isNaN(held)) outcome.added++;
    else if (held !== scores[i]) outcome.updated++;
  }
  if (wanted === 0) return outcome;
  if (count === 1 && kind === BLOCK_ZSET && writeInPlace(ground, place, args, first)) {
    if (ground.touched !== null) ground.touched(latin1(place));
    return outcome;
  }
  if (!write(ground, place, args, first, count, wanted, bytes, kind)) return null;
  if (ground.touched !== null) ground.touched(latin1(place));
  return outcome;
}

/** Writes a member that has its score already where its block lies; false: that is not possible. */
function writeInPlace(ground: Ground, place: KeyPlace, args: Args, first: number): boolean {
  const { batch, packed, actor } = ground;
  const { view } = packed;
  const { buffer, start, end } = args;
  const i = first + 1;
  if (place.ref === 0 || !view.find(buffer, start[i], end[i])) return false;
  if (!Object.is(view.score, written[0]) || !view.ownsStamp) return false;
  writeScore(score8, 0, written[0]);
  const hlc = begin(ground, place, args, 1);
  batch.element(buffer, start[i], end[i], view.actor, view.seq);
  batch.value(score8, 0, score8.length);
  batch.endElements();
  view.overwrite(actor, ground.seq, hlc, score8, 0, score8.length);
  return true;
}

/** In the place of a score: the member has increments or several dots. */
const TAKES_STATE = null;

function heldScore(
  ground: Ground,
  ref: number,
  kind: number,
  { buffer, start, end }: Args,
  i: number,
): number | null {
  if (kind === BLOCK_ZSET) {
    const { view } = ground.packed;
    return view.find(buffer, start[i], end[i]) ? view.score : Number.NaN;
  }
  const { tables } = ground.keyspace;
  const element = tables.find(tableOf(ground.keyspace, ref), buffer, start[i], end[i]);
  if (element === 0) return Number.NaN;
  return isSimpleForm(formOf(tables.arena, element)) ? simpleScore(tables, element) : TAKES_STATE;
}

function write(
  ground: Ground,
  place: KeyPlace,
  args: Args,
  first: number,
  count: number,
  wanted: number,
  bytes: number,
  kind: number,
): boolean {
  const { keyspace, packed } = ground;
  if (kind === BLOCK_ZSET) {
    if (place.ref === 0) packed.editor.openEmpty(BLOCK_ZSET);
    else editBlock(keyspace, place.ref, packed.editor);
    if (packed.editor.hasRoom(wanted, bytes)) {
      writeToBlock(ground, place, args, first, count, wanted);
      return true;
    }
    if (place.ref === 0) return false;
    spreadBlock(keyspace, place);
  }
  writeToTable(ground, place, args, first, count, wanted);
  return true;
}

function writeToBlock(
  ground: Ground,
  place: KeyPlace,
  args: Args,
  first: number,
  count: number,
  wanted: number,
): void {
  const { batch, packed } = ground;
  const { editor } = packed;
  const { buffer, start, end } = args;
  const hlc = begin(ground, place, args, wanted);
  editor.beginWrite(ground.actor, ground.seq, hlc);
  for (let n = 0, i = first + 1; n < count; n++, i += 2) {
    if (writes[n] === 0) continue;
    writeScore(score8, 0, written[n]);
    const element = editor.find(buffer, start[i], end[i]);
    let fits = true;
    if (element < 0) {
      batch.element(buffer, start[i], end[i], 0, 0);
      fits = editor.append(buffer, start[i], end[i], score8, 0, score8.length);
    } else {
      batch.element(buffer, start[i], end[i], editor.actorOf(element), editor.seqOf(element));
      fits = editor.replace(element, score8, 0, score8.length);
    }
    if (!fits) throw new Error('a block had room and has none');
    batch.value(score8, 0, score8.length);
  }
  batch.endElements();
  replaceBlock(ground.keyspace, place, editor);
}

function writeToTable(
  ground: Ground,
  place: KeyPlace,
  args: Args,
  first: number,
  count: number,
  wanted: number,
): void {
  const { batch, keyspace, actor } = ground;
  const { tables } = keyspace;
  const { buffer, start, end } = args;
  const table = tableOf(keyspace, place.ref);
  const hlc = begin(ground, place, args, wanted);
  const { seq } = ground;
  for (let n = 0, i = first + 1; n < count; n++, i += 2) {
    if (writes[n] === 0) continue;
    const element = tables.find(table, buffer, start[i], end[i]);
    if (element === 0) batch.element(buffer, start[i], end[i], 0, 0);
    else {
      const words = tables.arena.u32[element >>> CHUNK_SHIFT];
      const word = (element & UNIT_MASK) << 1;
      batch.element(buffer, start[i], end[i], dotActor(words, word), dotSeq(words, word));
    }
    writeScore(score8, 0, written[n]);
    batch.value(score8, 0, score8.length);
    writeScored(tables, table, element, buffer, start[i], end[i], written[n], actor, seq, hlc);
  }
  batch.endElements();
}

function begin(ground: Ground, place: KeyPlace, args: Args, wanted: number): number {
  const { buffer, start, end } = args;
  const hlc = ground.stamp();
  ground.batch.beginElements('zset-set', place.slot, hlc, buffer, start[KEY], end[KEY], wanted);
  return hlc;
}

/** Whether a member is given twice: in an op each stands once. */
function hasTwins({ buffer, start, end, count }: Args, first: number): boolean {
  for (let i = first + 3; i < count; i += 2) {
    const length = end[i] - start[i];
    for (let k = first + 1; k < i; k += 2) {
      if (end[k] - start[k] !== length) continue;
      let at = 0;
      while (at < length && buffer[start[k] + at] === buffer[start[i] + at]) at++;
      if (at === length) return true;
    }
  }
  return false;
}
