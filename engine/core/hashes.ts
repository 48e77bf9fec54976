/** Hashes: reads from the block, the table or the visible state, writes as ops. All throw WRONGTYPE. */

import type { Amount } from '../crdt/amount.ts';
import { cellAmount, cellText } from '../crdt/cell.ts';
import type { Bytes } from '../crdt/dot.ts';
import type { HashState } from '../crdt/field-map.ts';
import { type KeyState, visibleType } from '../crdt/key-state.ts';
import type { HashRemove, HashSet } from '../crdt/op.ts';
import { prepareHashAdd, prepareHashRemove, prepareHashSet } from '../crdt/prepare.ts';
import { formOf, isSimpleForm } from '../keyspace/element.ts';
import { nameText, readCell, valueText } from '../keyspace/element-cell.ts';
import { randomElement, scanElements } from '../keyspace/element-walk.ts';
import { BLOCK_HASH, TABLE_HASH } from '../keyspace/entry.ts';
import type { KeyPlace } from '../keyspace/key-place.ts';
import { loadState } from '../keyspace/packed-string.ts';
import { tableOf, walkTable } from '../keyspace/table-collection.ts';
import type { Args } from '../resp/args.ts';
import type { ReplyWriter } from '../resp/reply-writer.ts';
import { incrementField } from './counter-hot.ts';
import { hashNotAFloat, hashNotAnInteger, wrongType } from './db-error.ts';
import { shownState } from './field-expiry.ts';
import type { Ground } from './ground.ts';
import { addElements } from './packed-hot.ts';
import { type Page, randomElements, shuffled } from './random-elements.ts';
import { removeElements } from './remove-hot.ts';
import { checkSum } from './strings.ts';

type Pairs = readonly (readonly [Bytes, Bytes])[];

function visibleHash(ground: Ground, state: KeyState | null): HashState | null {
  const type = visibleType(state, ground.roster);
  if (type !== null && type !== 'hash') throw wrongType();
  return state === null ? null : state.hash;
}

/** The hash of a rich entry. */
function richHash(ground: Ground, ref: number): HashState | null {
  return visibleHash(ground, shownState(ground, loadState(ground.keyspace, ref)));
}

export function hashGet(ground: Ground, key: Bytes, field: Bytes): Bytes | null {
  const ref = ground.findVisible(key);
  const { packed } = ground;
  if (packed.see(ref, BLOCK_HASH)) {
    if (!packed.find(field)) return null;
    return packed.view.bytes.latin1Slice(packed.view.valueStart, packed.view.valueEnd);
  }
  if (ground.tables.sees(ref, TABLE_HASH)) {
    const element = ground.tables.find(ref, field);
    return element === 0 ? null : elementText(ground, element);
  }
  const cell = richHash(ground, ref)?.get(field);
  return cell === undefined ? null : cellText(cell, ground.roster);
}

/** HGET: writes the value of the field at `args` `i` of the key at 1, or null. */
export function readField(ground: Ground, args: Args, i: number, out: ReplyWriter): void {
  const { buffer, start, end } = args;
  const ref = ground.findSeen(buffer, start[1], end[1]);
  const { packed } = ground;
  if (packed.see(ref, BLOCK_HASH)) {
    const { view } = packed;
    if (!view.find(buffer, start[i], end[i])) out.nullBulk();
    else out.bulkBytes(view.bytes, view.valueStart, view.valueEnd);
    return;
  }
  if (ground.tables.sees(ref, TABLE_HASH)) {
    const { tables } = ground.keyspace;
    const element = tables.find(tableOf(ground.keyspace, ref), buffer, start[i], end[i]);
    if (element === 0) out.nullBulk();
    else writeElement(ground, element, out);
    return;
  }
  const cell = richHash(ground, ref)?.get(args.text(i));
  if (cell === undefined) out.nullBulk();
  else out.bulk(cellText(cell, ground.roster) ?? '');
}

/** The visible value of a table's element. */
function writeElement(ground: Ground, element: number, out: ReplyWriter): void {
  const { tables } = ground.keyspace;
  if (!isSimpleForm(formOf(tables.arena, element))) {
    out.bulk(elementText(ground, element));
    return;
  }
  tables.locateValue(element);
  out.bulkBytes(tables.bytes, tables.start, tables.end);
}

function elementText(ground: Ground, element: number): Bytes {
  const { tables } = ground.keyspace;
  if (isSimpleForm(formOf(tables.arena, element))) return valueText(tables, element);
  return cellText(readCell(tables, element), ground.roster) ?? '';
}

/** HGETALL, HKEYS and HVALS: writes all fields, values or both of the key at `args` 1. */
export function writeEntries(
  ground: Ground,
  args: Args,
  out: ReplyWriter,
  fields: boolean,
  values: boolean,
): void {
  const ref = ground.findSeen(args.buffer, args.start[1], args.end[1]);
  const head = (size: number): void => (fields && values ? out.map(size) : out.array(size));
  if (ground.packed.see(ref, BLOCK_HASH)) {
    const { view } = ground.packed;
    head(view.count);
    while (view.next()) {
      if (fields) out.bulkBytes(view.bytes, view.nameStart, view.nameEnd);
      if (values) out.bulkBytes(view.bytes, view.valueStart, view.valueEnd);
    }
    return;
  }
  if (ground.tables.sees(ref, TABLE_HASH)) {
    const { tables } = ground.keyspace;
    head(ground.tables.count(ref));
    const walk = walkTable(ground.keyspace, ref);
    for (let element = walk.next(); element !== 0; element = walk.next()) {
      tables.locateName(element);
      if (fields) out.bulkBytes(tables.bytes, tables.start, tables.end);
      if (values) writeElement(ground, element, out);
    }
    return;
  }
  const hash = richHash(ground, ref);
  head(hash?.size ?? 0);
  for (const [field, cell] of hash ?? []) {
    if (fields) out.bulk(field);
    if (values) out.bulk(cellText(cell, ground.roster) ?? '');
  }
}

/** HSET of the pairs that follow the key in `args`. Returns how many fields were not there. */
export function setFields(ground: Ground, args: Args): number {
  ground.checkGrowth();
  const place = ground.findLive(args.buffer, args.start[1], args.end[1]);
  const added = addElements(ground, place, args, BLOCK_HASH);
  if (added >= 0) return added;
  const fields: [Bytes, Bytes][] = [];
  for (let i = 2; i + 1 < args.count; i += 2) fields.push([args.text(i), args.text(i + 1)]);
  return hashSet(ground, args.text(1), fields);
}

/** HDEL of the fields that follow the key in `args`. Returns how many were there. */
export function removeFields(ground: Ground, args: Args): number {
  ground.checkWritable();
  const place = ground.findLive(args.buffer, args.start[1], args.end[1]);
  const removed = removeElements(ground, place, args, BLOCK_HASH);
  if (removed >= 0) return removed;
  const fields: Bytes[] = [];
  for (let i = 2; i < args.count; i++) fields.push(args.text(i));
  return hashRemove(ground, args.text(1), fields);
}

/** Length of the value of the field at `args` `i` of the key at 1; -1: there is no such field. */
export function fieldLength(ground: Ground, args: Args, i: number): number {
  const { buffer, start, end } = args;
  const ref = ground.findSeen(buffer, start[1], end[1]);
  const { packed } = ground;
  if (packed.see(ref, BLOCK_HASH)) {
    const { view } = packed;
    return view.find(buffer, start[i], end[i]) ? view.valueEnd - view.valueStart : -1;
  }
  if (ground.tables.sees(ref, TABLE_HASH)) {
    const { tables } = ground.keyspace;
    const element = tables.find(tableOf(ground.keyspace, ref), buffer, start[i], end[i]);
    if (element === 0) return -1;
    if (!isSimpleForm(formOf(tables.arena, element))) return elementText(ground, element).length;
    tables.locateValue(element);
    return tables.end - tables.start;
  }
  const cell = richHash(ground, ref)?.get(args.text(i));
  return cell === undefined ? -1 : (cellText(cell, ground.roster) ?? '').length;
}

export function hashSize(ground: Ground, key: Bytes): number {
  return sizeAt(ground, ground.findVisible(key));
}

/** HLEN of the key at `args` 1. */
export function countFields(ground: Ground, args: Args): number {
  return sizeAt(ground, ground.findSeen(args.buffer, args.start[1], args.end[1]));
}

function sizeAt(ground: Ground, ref: number): number {
  if (ground.packed.see(ref, BLOCK_HASH)) return ground.packed.view.count;
  if (ground.tables.sees(ref, TABLE_HASH)) return ground.tables.count(ref);
  return richHash(ground, ref)?.size ?? 0;
}

export function hashEntries(ground: Ground, key: Bytes): [Bytes, Bytes][] {
  const entries: [Bytes, Bytes][] = [];
  const ref = ground.findVisible(key);
  if (ground.packed.see(ref, BLOCK_HASH)) {
    const { view } = ground.packed;
    while (view.next()) {
      const field = view.bytes.latin1Slice(view.nameStart, view.nameEnd);
      entries.push([field, view.bytes.latin1Slice(view.valueStart, view.valueEnd)]);
    }
    return entries;
  }
  if (ground.tables.sees(ref, TABLE_HASH)) {
    const walk = walkTable(ground.keyspace, ref);
    for (let element = walk.next(); element !== 0; element = walk.next()) {
      entries.push(entryOf(ground, element));
    }
    return entries;
  }
  for (const [field, cell] of richHash(ground, ref) ?? []) {
    entries.push([field, cellText(cell, ground.roster) ?? '']);
  }
  return entries;
}

/** Returns the number of fields that were not there. */
export function hashSet(ground: Ground, key: Bytes, fields: Pairs): number {
  ground.checkGrowth();
  const place = ground.findForWrite(key);
  const op = hashSetOf(ground, place, key, fields);
  if (op === null) return 0;
  ground.commitUnseen(place, op);
  let added = 0;
  for (const { drops, floors } of op.fields) if (drops.length + floors.length === 0) added++;
  return added;
}

function hashSetOf(ground: Ground, place: KeyPlace, key: Bytes, fields: Pairs): HashSet | null {
  if (ground.packed.see(place.ref, BLOCK_HASH)) return ground.packed.prepareHashSet(key, fields);
  if (ground.tables.sees(place.ref, TABLE_HASH)) {
    const names = fields.map(([field]) => field);
    return prepareHashSet(ground.tables.stateOf(place.ref, names), key, fields);
  }
  const state = ground.load(place);
  visibleHash(ground, state);
  return prepareHashSet(state, key, fields);
}

/** HINCRBY and HINCRBYFLOAT. Returns the value that shows afterwards. */
export function hashAdd(
  ground: Ground,
  key: Bytes,
  field: Bytes,
  delta: Amount,
  float: boolean,
): Amount {
  ground.checkGrowth();
  checkSum(hashGet(ground, key, field), delta, float, hashNotAnInteger, hashNotAFloat);
  const place = ground.findForWrite(key);
  if (ground.tables.sees(place.ref, TABLE_HASH)) {
    const seen = ground.tables.stateOf(place.ref, [field]);
    ground.commitUnseen(place, prepareHashAdd(seen, key, field, delta, ground.actor));
    const element = ground.tables.find(place.ref, field);
    return cellAmount(readCell(ground.keyspace.tables, element), ground.roster) ?? 0;
  }
  const state = ground.load(place);
  const next = ground.commit(place, state, prepareHashAdd(state, key, field, delta, ground.actor));
  const cell = next?.hash?.get(field);
  return cell === undefined ? 0 : (cellAmount(cell, ground.roster) ?? 0);
}

/**
 * HINCRBY of the field at `args` 2 of the key at 1 by a safe integer. Returns the value that shows
 * afterwards; NaN: nothing was done, only `hashAdd` can do it.
 */
export function hashIncrement(ground: Ground, args: Args, delta: number): number {
  ground.checkGrowth();
  if (!ground.packing) return Number.NaN;
  const place = ground.findLive(args.buffer, args.start[1], args.end[1]);
  return incrementField(ground, place, args, delta);
}

/** Returns the number of fields removed. */
export function hashRemove(ground: Ground, key: Bytes, fields: readonly Bytes[]): number {
  ground.checkWritable();
  const place = ground.findForWrite(key);
  if (place.ref === 0) return 0;
  const op = hashRemoveOf(ground, place, key, fields);
  if (op === null) return 0;
  ground.commitUnseen(place, op);
  return op.fields.length;
}

function hashRemoveOf(
  ground: Ground,
  place: KeyPlace,
  key: Bytes,
  fields: readonly Bytes[],
): HashRemove | null {
  const { packed } = ground;
  if (packed.see(place.ref, BLOCK_HASH) && !packed.mayOrphanTtl(place.ref, fields.length)) {
    return packed.prepareHashRemove(key, fields);
  }
  if (ground.tables.sees(place.ref, TABLE_HASH)) {
    return prepareHashRemove(ground.tables.stateOf(place.ref, fields), key, fields);
  }
  const state = ground.load(place);
  if (visibleHash(ground, state) === null) return null;
  return prepareHashRemove(state, key, fields);
}

/** `count` distinct fields with their values at random, all if there are fewer. */
export function hashRandom(ground: Ground, key: Bytes, count: number): [Bytes, Bytes][] {
  const ref = ground.findVisible(key);
  if (!ground.packed.see(ref, BLOCK_HASH) && ground.tables.sees(ref, TABLE_HASH)) {
    const elements = randomElements(ground, ref, count);
    if (elements !== null) return elements.map((element) => entryOf(ground, element));
  }
  return shuffled(hashEntries(ground, key), count, ground.random);
}

/** `draws` fields with their values at random, which may repeat. */
export function hashDraws(ground: Ground, key: Bytes, draws: number): [Bytes, Bytes][] {
  const ref = ground.findVisible(key);
  const { tables } = ground.keyspace;
  if (!ground.packed.see(ref, BLOCK_HASH) && ground.tables.sees(ref, TABLE_HASH)) {
    const root = tables.rootOf(tableOf(ground.keyspace, ref));
    return Array.from({ length: draws }, () =>
      entryOf(ground, randomElement(tables.arena, root, ground.random)),
    );
  }
  const entries = hashEntries(ground, key);
  if (entries.length === 0) return [];
  return Array.from({ length: draws }, () => entries[Math.floor(ground.random() * entries.length)]);
}

/** HSCAN of a table; null: the hash is none, and is small enough to be returned whole. */
export function scanFields(
  ground: Ground,
  key: Bytes,
  cursor: number,
  count: number,
): Page<[Bytes, Bytes]> | null {
  const ref = ground.findVisible(key);
  if (ground.packed.see(ref, BLOCK_HASH) || !ground.tables.sees(ref, TABLE_HASH)) return null;
  const { tables } = ground.keyspace;
  const entries: [Bytes, Bytes][] = [];
  const root = tables.rootOf(tableOf(ground.keyspace, ref));
  const next = scanElements(tables.arena, root, cursor, count, (element) => {
    entries.push(entryOf(ground, element));
  });
  return { next, elements: entries };
}

function entryOf(ground: Ground, element: number): [Bytes, Bytes] {
  return [nameText(ground.keyspace.tables, element), elementText(ground, element)];
}
