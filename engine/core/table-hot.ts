/**
 * SADD and HSET on tables straight from the input buffer or the batch of another member, as
 * packed-hot.ts does it on blocks: without an object or a string. Elements that hold more than one
 * dot and a value are left to table-write.ts.
 */

import { CHUNK_SHIFT, UNIT_MASK } from '../keyspace/arena.ts';
import { formOf, isSimpleForm } from '../keyspace/element.ts';
import { dotActor, dotSeq, metaOf, TABLE_HASH, TABLE_ZSET, tableKind } from '../keyspace/entry.ts';
import type { KeyPlace } from '../keyspace/key-place.ts';
import { readScore } from '../keyspace/score-bytes.ts';
import { writeScored } from '../keyspace/scored-table.ts';
import { type TableKind, tableOf } from '../keyspace/table-collection.ts';
import type { BatchReader } from '../op/batch-reader.ts';
import type { Args } from '../resp/args.ts';
import { type Ground, latin1 } from './ground.ts';

const KEY = 1;
const FIRST = 2;

/**
 * Adds the members, or sets the fields, that follow the key in `args` to the table at `place`; no name
 * stands there twice. Returns how many were not there; -1: nothing was done, it takes the general way.
 */
export function addToTable(ground: Ground, place: KeyPlace, args: Args, kind: TableKind): number {
  const { batch, keyspace } = ground;
  const { tables } = keyspace;
  const { arena } = tables;
  const { buffer, start, end, count } = args;
  const isHash = kind === TABLE_HASH;
  const step = isHash ? 2 : 1;
  const table = tableOf(keyspace, place.ref);
  const elements = ((count - FIRST) / step) | 0;
  let element = 0;
  for (let i = FIRST; i < count; i += step) {
    element = tables.find(table, buffer, start[i], end[i]);
    if (element !== 0 && !isSimpleForm(formOf(arena, element))) return -1;
  }
  const hlc = ground.stamp();
  const { actor, seq } = ground;
  const opKind = isHash ? 'hash-set' : 'set-add';
  batch.beginElements(opKind, place.slot, hlc, buffer, start[KEY], end[KEY], elements);
  let added = 0;
  for (let i = FIRST; i < count; i += step) {
    if (elements > 1) element = tables.find(table, buffer, start[i], end[i]);
    if (element === 0) {
      batch.element(buffer, start[i], end[i], 0, 0);
      added++;
    } else {
      const words = arena.u32[element >>> CHUNK_SHIFT];
      const word = (element & UNIT_MASK) << 1;
      batch.element(buffer, start[i], end[i], dotActor(words, word), dotSeq(words, word));
    }
    const valueStart = isHash ? start[i + 1] : 0;
    const valueEnd = isHash ? end[i + 1] : 0;
    if (isHash) batch.value(buffer, valueStart, valueEnd);
    tables.write(
      table,
      element,
      buffer,
      start[i],
      end[i],
      buffer,
      valueStart,
      valueEnd,
      actor,
      seq,
      hlc,
    );
  }
  batch.endElements();
  if (ground.touched !== null) ground.touched(latin1(place));
  return added;
}

/**
 * Applies a hot set-add, hash-set or zset-set of another member to the table at `place`. False: it takes the
 * general way, which leaves alone what was done here.
 */
export function applyToTable(ground: Ground, place: KeyPlace, op: BatchReader): boolean {
  const { keyspace } = ground;
  const { tables } = keyspace;
  const { arena } = tables;
  const { elements, bytes, writer, seq, hlc } = op;
  const isZset = tableKind(metaOf(arena, place.ref)) === TABLE_ZSET;
  const table = tableOf(keyspace, place.ref);
  elements.rewind();
  while (elements.next()) {
    const { nameStart, nameEnd } = elements;
    const element = tables.find(table, bytes, nameStart, nameEnd);
    if (element !== 0) {
      if (!isSimpleForm(formOf(arena, element))) return false;
      const words = arena.u32[element >>> CHUNK_SHIFT];
      const word = (element & UNIT_MASK) << 1;
      const heldSeq = dotSeq(words, word);
      const heldActor = dotActor(words, word);
      if (heldSeq === seq && heldActor === writer) continue;
      if (heldSeq !== elements.dropSeq || heldActor !== elements.dropActor) return false;
    }
    if (isZset) {
      const score = readScore(bytes, elements.valueStart);
      writeScored(tables, table, element, bytes, nameStart, nameEnd, score, writer, seq, hlc);
      continue;
    }
    const valueStart = elements.hasValues ? elements.valueStart : 0;
    const valueEnd = elements.hasValues ? elements.valueEnd : 0;
    tables.write(
      table,
      element,
      bytes,
      nameStart,
      nameEnd,
      bytes,
      valueStart,
      valueEnd,
      writer,
      seq,
      hlc,
    );
  }
  return true;
}
