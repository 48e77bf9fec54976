/**
 * SADD and HSET on packed blocks straight from the input buffer or the batch of another member: what
 * `prepare…`, the general form of ops and packed-write.ts do, without an object or a string.
 * collections.test.ts compares the two.
 *
 * One element is written in place when it is new (block-append.ts), or when its stamp is its own and a
 * value keeps its length, which is how the fields of a hash in use are mostly written.
 */

import { appendToBlock, hasRoomForOne } from '../keyspace/block-append.ts';
import { BLOCK_HASH, BLOCK_SET, BLOCK_ZSET, collectionKind, metaOf } from '../keyspace/entry.ts';
import type { KeyPlace } from '../keyspace/key-place.ts';
import { PACKED_ELEMENTS_MAX } from '../keyspace/packed-block.ts';
import { editBlock, openBlock, replaceBlock } from '../keyspace/packed-collection.ts';
import { spreadBlock, TABLE_OF } from '../keyspace/table-collection.ts';
import type { BatchReader } from '../op/batch-reader.ts';
import { OP_KIND } from '../op/op.ts';
import type { Args } from '../resp/args.ts';
import { type Ground, latin1 } from './ground.ts';
import type { BlockKind } from './packed-write.ts';
import { addToTable, applyToTable } from './table-hot.ts';

/** Commands with more elements go the general way: here each is compared with each. */
export const HOT_ELEMENTS_MAX = 16;
const KEY = 1;
const FIRST = 2;
/** What an op on elements makes of an absent key. */
const BLOCK_OF: Record<number, BlockKind> = {
  [OP_KIND['set-add']]: BLOCK_SET,
  [OP_KIND['hash-set']]: BLOCK_HASH,
  [OP_KIND['zset-set']]: BLOCK_ZSET,
};

/**
 * Adds the members, or sets the fields, that follow the key in `args`; the key is at `place`, and may
 * be written. Returns how many were not there; -1: nothing was done, it takes the general way.
 */
export function addElements(ground: Ground, place: KeyPlace, args: Args, kind: BlockKind): number {
  if (!ground.packing) return -1;
  const { keyspace } = ground;
  const { ref } = place;
  const elements = kind === BLOCK_HASH ? (args.count - FIRST) >> 1 : args.count - FIRST;
  if (elements > HOT_ELEMENTS_MAX || elements < 1) return -1;
  const held = ref === 0 ? kind : collectionKind(metaOf(keyspace.arena, ref));
  if (held !== kind) {
    const table = TABLE_OF[kind];
    if (held !== table || (elements > 1 && hasTwins(args, kind))) return -1;
    return addToTable(ground, place, args, table);
  }
  if (elements === 1) {
    const written = ref === 0 ? -1 : writeOne(ground, place, args, kind);
    if (written >= 0) return written;
  } else if (hasTwins(args, kind)) {
    return -1;
  }
  const { editor } = ground.packed;
  if (ref === 0) editor.openEmpty(kind);
  else editBlock(keyspace, ref, editor);
  if (!editor.hasRoom(elements, args.end[args.count - 1] - args.start[FIRST])) return -1;
  const added = writeElements(ground, place, args, kind, elements);
  replaceBlock(keyspace, place, editor);
  if (ground.touched !== null) ground.touched(latin1(place));
  return added;
}

/** Writes the op to the batch and its elements to the editor, which has room for them. */
function writeElements(
  ground: Ground,
  place: KeyPlace,
  args: Args,
  kind: BlockKind,
  elements: number,
): number {
  const { batch, packed } = ground;
  const { editor } = packed;
  const { buffer, start, end, count } = args;
  const isHash = kind === BLOCK_HASH;
  const opKind = isHash ? 'hash-set' : 'set-add';
  const hlc = ground.stamp();
  batch.beginElements(opKind, place.slot, hlc, buffer, start[KEY], end[KEY], elements);
  editor.beginWrite(ground.actor, ground.seq, hlc);
  let added = 0;
  for (let i = FIRST; i < count; i += isHash ? 2 : 1) {
    // In a set the value is not looked at.
    const value = isHash ? i + 1 : i;
    const element = editor.find(buffer, start[i], end[i]);
    let fits = true;
    if (element < 0) {
      batch.element(buffer, start[i], end[i], 0, 0);
      fits = editor.append(buffer, start[i], end[i], buffer, start[value], end[value]);
      added++;
    } else {
      batch.element(buffer, start[i], end[i], editor.actorOf(element), editor.seqOf(element));
      fits = editor.replace(element, buffer, start[value], end[value]);
    }
    if (!fits) throw new Error('a block had room and has none');
    if (isHash) batch.value(buffer, start[value], end[value]);
  }
  batch.endElements();
  return added;
}

/**
 * Applies a hot set-add, hash-set or zset-set of another member to the block at `place`. False: nothing was
 * done, it takes the general way.
 */
export function applyElements(ground: Ground, place: KeyPlace, op: BatchReader): boolean {
  const { keyspace, packed } = ground;
  const { elements, bytes } = op;
  const kind = BLOCK_OF[elements.kind];
  const { ref } = place;
  if (!ground.packing) return false;
  const held = ref === 0 ? kind : collectionKind(metaOf(keyspace.arena, ref));
  if (held === TABLE_OF[kind]) return applyToTable(ground, place, op);
  if (held !== kind || elements.count > PACKED_ELEMENTS_MAX) return false;
  const mayStay = ref !== 0 && elements.count === 1 && kind !== BLOCK_ZSET;
  if (mayStay && applyOne(ground, place, op)) return true;
  const { editor } = packed;
  if (ref === 0) editor.openEmpty(kind);
  else editBlock(keyspace, ref, editor);
  editor.beginWrite(op.writer, op.seq, op.hlc);
  elements.rewind();
  while (elements.next()) {
    const { nameStart, nameEnd, valueStart, valueEnd } = elements;
    const element = editor.find(bytes, nameStart, nameEnd);
    if (element < 0) {
      if (!editor.append(bytes, nameStart, nameEnd, bytes, valueStart, valueEnd)) return false;
      continue;
    }
    const actor = editor.actorOf(element);
    const seq = editor.seqOf(element);
    if (elements.dropSeq !== seq || elements.dropActor !== actor) {
      // A dot that the op's source had not seen stays beside the op's, unless it is the op's.
      if (actor === op.writer && seq === op.seq) continue;
      return false;
    }
    if (!editor.replace(element, bytes, valueStart, valueEnd)) return false;
  }
  replaceBlock(keyspace, place, editor);
  return true;
}

/**
 * Applies the op's one element where the block lies: it is new, or replaces exactly what is there. A block
 * that is full becomes a table.
 * False: neither, nothing was done.
 */
function applyOne(ground: Ground, place: KeyPlace, op: BatchReader): boolean {
  const { keyspace, packed } = ground;
  const { view } = packed;
  const { elements, bytes, writer, seq, hlc } = op;
  elements.rewind();
  elements.next();
  const { nameStart, nameEnd, valueStart, valueEnd } = elements;
  const valueLength = valueEnd - valueStart;
  openBlock(keyspace, place.ref, view);
  if (!view.find(bytes, nameStart, nameEnd)) {
    const { editor } = packed;
    if (!hasRoomForOne(keyspace, place.ref, editor, nameEnd - nameStart, valueLength)) {
      spreadBlock(keyspace, place);
      return applyToTable(ground, place, op);
    }
    appendToBlock(
      keyspace,
      place,
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
    return true;
  }
  if (view.seq !== elements.dropSeq || view.actor !== elements.dropActor) return false;
  if (elements.hasValues && view.valueEnd - view.valueStart !== valueLength) return false;
  if (!view.ownsStamp) return false;
  view.overwrite(writer, seq, hlc, bytes, valueStart, valueEnd);
  return true;
}

/**
 * Writes the one element where the block lies; one that is full becomes a table. Returns how many were not there; -1: that is not
 * possible, nothing was done.
 */
function writeOne(ground: Ground, place: KeyPlace, args: Args, kind: BlockKind): number {
  const { batch, keyspace, packed } = ground;
  const { view } = packed;
  const { buffer, start, end } = args;
  const isHash = kind === BLOCK_HASH;
  const nameStart = start[FIRST];
  const nameEnd = end[FIRST];
  const value = isHash ? FIRST + 1 : FIRST;
  const valueStart = start[value];
  const valueEnd = end[value];
  const valueLength = valueEnd - valueStart;
  openBlock(keyspace, place.ref, view);
  const isThere = view.find(buffer, nameStart, nameEnd);
  if (isThere) {
    if (isHash && view.valueEnd - view.valueStart !== valueLength) return -1;
    if (!view.ownsStamp) return -1;
  } else if (!hasRoomForOne(keyspace, place.ref, packed.editor, nameEnd - nameStart, valueLength)) {
    spreadBlock(keyspace, place);
    return addToTable(ground, place, args, TABLE_OF[kind]);
  }
  const hlc = ground.stamp();
  const { actor, seq } = ground;
  const opKind = isHash ? 'hash-set' : 'set-add';
  batch.beginElements(opKind, place.slot, hlc, buffer, start[KEY], end[KEY], 1);
  if (isThere) batch.element(buffer, nameStart, nameEnd, view.actor, view.seq);
  else batch.element(buffer, nameStart, nameEnd, 0, 0);
  if (isHash) batch.value(buffer, valueStart, valueEnd);
  batch.endElements();
  if (isThere) view.overwrite(actor, seq, hlc, buffer, valueStart, valueEnd);
  else {
    appendToBlock(
      keyspace,
      place,
      buffer,
      nameStart,
      nameEnd,
      buffer,
      valueStart,
      valueEnd,
      actor,
      seq,
      hlc,
    );
  }
  if (ground.touched !== null) ground.touched(latin1(place));
  return isThere ? 0 : 1;
}

/** Whether a name is given twice: in an op each stands once. */
function hasTwins({ buffer, start, end, count }: Args, kind: BlockKind): boolean {
  const step = kind === BLOCK_HASH ? 2 : 1;
  for (let i = FIRST + step; i < count; i += step) {
    const length = end[i] - start[i];
    for (let k = FIRST; k < i; k += step) {
      if (end[k] - start[k] !== length) continue;
      let at = 0;
      while (at < length && buffer[start[k] + at] === buffer[start[i] + at]) at++;
      if (at === length) return true;
    }
  }
  return false;
}
