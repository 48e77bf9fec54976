/**
 * SREM, HDEL, ZREM and SPOP on blocks and tables straight from the input buffer: what `prepare…`, the general
 * form of ops and their application do, without an object or a string. collections.test.ts compares
 * the two.
 *
 * Elements with increments or several dots, and removals that leave TTL writes to be dropped, go the
 * general way.
 */

import { CHUNK_SHIFT, UNIT_MASK } from '../keyspace/arena.ts';
import { formOf, isSimpleForm } from '../keyspace/element.ts';
import { randomElement } from '../keyspace/element-walk.ts';
import {
  BLOCK_HASH,
  BLOCK_SET,
  BLOCK_ZSET,
  collectionKind,
  dotActor,
  dotSeq,
  metaOf,
  TABLE_SET,
  TTL_KIND_MASK,
  TTL_NONE,
} from '../keyspace/entry.ts';
import type { KeyPlace } from '../keyspace/key-place.ts';
import { editBlock, openBlock, replaceBlock } from '../keyspace/packed-collection.ts';
import { simpleScore, unlinkScore } from '../keyspace/scored-table.ts';
import { TABLE_OF, tableOf } from '../keyspace/table-collection.ts';
import type { Args } from '../resp/args.ts';
import type { ReplyWriter } from '../resp/reply-writer.ts';
import { type Ground, latin1 } from './ground.ts';
import { HOT_ELEMENTS_MAX } from './packed-hot.ts';
import type { BlockKind } from './packed-write.ts';

const KEY = 1;
const FIRST = 2;
const REMOVE_OF = {
  [BLOCK_SET]: 'set-remove',
  [BLOCK_HASH]: 'hash-remove',
  [BLOCK_ZSET]: 'zset-remove',
} as const;
/** Which arguments of the command name an element that is there, each element once. */
const present = new Uint8Array(HOT_ELEMENTS_MAX + FIRST);

/**
 * Removes the elements that follow the key in `args`; the key is at `place`, and may be written. Returns
 * how many were there; -1: nothing was done, it takes the general way.
 */
export function removeElements(
  ground: Ground,
  place: KeyPlace,
  args: Args,
  kind: BlockKind,
): number {
  if (!ground.packing || args.count > HOT_ELEMENTS_MAX + FIRST) return -1;
  if (place.ref === 0) return 0;
  const held = collectionKind(metaOf(ground.keyspace.arena, place.ref));
  if (held === kind) return removeFromBlock(ground, place, args, kind);
  return held === TABLE_OF[kind] ? removeFromTable(ground, place, args, kind) : -1;
}

function removeFromBlock(ground: Ground, place: KeyPlace, args: Args, kind: BlockKind): number {
  const { keyspace, packed } = ground;
  const { view, editor } = packed;
  const { buffer, start, end, count } = args;
  openBlock(keyspace, place.ref, view);
  let found = 0;
  for (let i = FIRST; i < count; i++) {
    const there = view.find(buffer, start[i], end[i]) && !isTwin(args, i);
    present[i] = there ? 1 : 0;
    if (there) found++;
  }
  if (found === 0) return 0;
  if (found === view.count && hasTtl(ground, place.ref)) return -1;
  begin(ground, place, args, kind, found);
  for (let i = FIRST; i < count; i++) {
    if (present[i] === 0) continue;
    view.find(buffer, start[i], end[i]);
    name(ground, kind, buffer, start[i], end[i], view.actor, view.seq);
  }
  ground.batch.endElements();
  if (found === view.count) removeKey(ground, place);
  else {
    editBlock(keyspace, place.ref, editor);
    for (let i = FIRST; i < count; i++) {
      if (present[i] !== 0) editor.remove(editor.find(buffer, start[i], end[i]));
    }
    replaceBlock(keyspace, place, editor);
  }
  if (ground.touched !== null) ground.touched(latin1(place));
  return found;
}

function removeFromTable(ground: Ground, place: KeyPlace, args: Args, kind: BlockKind): number {
  const { keyspace } = ground;
  const { tables } = keyspace;
  const { arena } = tables;
  const { buffer, start, end, count } = args;
  const table = tableOf(keyspace, place.ref);
  let found = 0;
  for (let i = FIRST; i < count; i++) {
    const element = tables.find(table, buffer, start[i], end[i]);
    if (element !== 0 && !isSimpleForm(formOf(arena, element))) return -1;
    const there = element !== 0 && !isTwin(args, i);
    present[i] = there ? 1 : 0;
    if (there) found++;
  }
  if (found === 0) return 0;
  if (found === tables.count(table) && hasTtl(ground, place.ref)) return -1;
  begin(ground, place, args, kind, found);
  for (let i = FIRST; i < count; i++) {
    if (present[i] === 0) continue;
    const element = tables.find(table, buffer, start[i], end[i]);
    const words = arena.u32[element >>> CHUNK_SHIFT];
    const word = (element & UNIT_MASK) << 1;
    name(ground, kind, buffer, start[i], end[i], dotActor(words, word), dotSeq(words, word));
    if (kind === BLOCK_ZSET) {
      unlinkScore(tables, table, element, simpleScore(tables, element));
    }
    tables.remove(table, element);
  }
  ground.batch.endElements();
  settle(ground, place, table, found);
  if (ground.touched !== null) ground.touched(latin1(place));
  return found;
}

/**
 * SPOP of one member of the set at `place`, which may be written: writes it to `out`. False: nothing was
 * done, it takes the general way.
 */
export function popMember(ground: Ground, place: KeyPlace, out: ReplyWriter): boolean {
  const { keyspace, batch } = ground;
  if (!ground.packing || place.ref === 0) return false;
  const kind = collectionKind(metaOf(keyspace.arena, place.ref));
  if (kind === BLOCK_SET) return popFromBlock(ground, place, out);
  if (kind !== TABLE_SET) return false;
  const { tables } = keyspace;
  const table = tableOf(keyspace, place.ref);
  if (tables.count(table) === 1 && hasTtl(ground, place.ref)) return false;
  const element = randomElement(tables.arena, tables.rootOf(table), ground.random);
  if (!isSimpleForm(formOf(tables.arena, element))) return false;
  tables.rehash(element);
  const words = tables.arena.u32[element >>> CHUNK_SHIFT];
  const word = (element & UNIT_MASK) << 1;
  const { bytes, start, end } = tables;
  const hlc = ground.stamp();
  batch.beginElements('set-remove', place.slot, hlc, place.buf, place.start, place.end, 1);
  batch.element(bytes, start, end, dotActor(words, word), dotSeq(words, word));
  batch.endElements();
  out.bulkBytes(bytes, start, end);
  tables.remove(table, element);
  settle(ground, place, table, 1);
  if (ground.touched !== null) ground.touched(latin1(place));
  return true;
}

function popFromBlock(ground: Ground, place: KeyPlace, out: ReplyWriter): boolean {
  const { keyspace, batch, packed } = ground;
  const { view, editor } = packed;
  openBlock(keyspace, place.ref, view);
  if (view.count === 1 && hasTtl(ground, place.ref)) return false;
  for (let left = Math.floor(ground.random() * view.count); left >= 0; left--) view.next();
  const { bytes, nameStart, nameEnd } = view;
  const hlc = ground.stamp();
  batch.beginElements('set-remove', place.slot, hlc, place.buf, place.start, place.end, 1);
  batch.element(bytes, nameStart, nameEnd, view.actor, view.seq);
  batch.endElements();
  out.bulkBytes(bytes, nameStart, nameEnd);
  if (view.count === 1) removeKey(ground, place);
  else {
    editBlock(keyspace, place.ref, editor);
    editor.remove(editor.find(bytes, nameStart, nameEnd));
    replaceBlock(keyspace, place, editor);
  }
  if (ground.touched !== null) ground.touched(latin1(place));
  return true;
}

/** What is left of a table from which `removed` elements were taken. */
function settle(ground: Ground, place: KeyPlace, table: number, removed: number): void {
  const left = ground.keyspace.tables.count(table);
  const shrunkenMax = ground.blockElementsMax >>> 1;
  if (left === 0) removeKey(ground, place);
  else if (left <= shrunkenMax && left + removed > shrunkenMax) {
    ground.store(place, ground.load(place), -1);
  }
}

function removeKey(ground: Ground, place: KeyPlace): void {
  ground.keyspace.remove(place.hash, place.ref);
  place.ref = 0;
}

function begin(ground: Ground, place: KeyPlace, args: Args, kind: BlockKind, found: number): void {
  const { buffer, start, end } = args;
  const hlc = ground.stamp();
  ground.batch.beginElements(REMOVE_OF[kind], place.slot, hlc, buffer, start[KEY], end[KEY], found);
}

function name(
  { batch }: Ground,
  kind: BlockKind,
  bytes: Uint8Array,
  start: number,
  end: number,
  actor: number,
  seq: number,
): void {
  batch.element(bytes, start, end, actor, seq);
  if (kind !== BLOCK_SET) batch.noFloors();
}

function hasTtl({ keyspace }: Ground, ref: number): boolean {
  return (metaOf(keyspace.arena, ref) & TTL_KIND_MASK) !== TTL_NONE;
}

/** Whether an earlier argument of those that are there is the same. */
function isTwin({ buffer, start, end }: Args, i: number): boolean {
  const length = end[i] - start[i];
  for (let k = FIRST; k < i; k++) {
    if (present[k] === 0 || end[k] - start[k] !== length) continue;
    let at = 0;
    while (at < length && buffer[start[k] + at] === buffer[start[i] + at]) at++;
    if (at === length) return true;
  }
  return false;
}
