/** Hashes: reads from the packed block or the visible state, writes as ops. All throw WRONGTYPE. */

import type { Amount } from '../crdt/amount.ts';
import { cellAmount, cellText } from '../crdt/cell.ts';
import type { Bytes } from '../crdt/dot.ts';
import type { HashState } from '../crdt/field-map.ts';
import { type KeyState, visibleType } from '../crdt/key-state.ts';
import type { HashRemove, HashSet } from '../crdt/op.ts';
import { prepareHashAdd, prepareHashRemove, prepareHashSet } from '../crdt/prepare.ts';
import { BLOCK_HASH } from '../keyspace/entry.ts';
import type { KeyPlace } from '../keyspace/key-place.ts';
import { loadState } from '../keyspace/packed-string.ts';
import type { Args } from '../resp/args.ts';
import type { ReplyWriter } from '../resp/reply-writer.ts';
import { hashNotAFloat, hashNotAnInteger, wrongType } from './db-error.ts';
import type { Ground } from './ground.ts';
import { addElements } from './packed-hot.ts';
import { checkSum } from './strings.ts';

type Pairs = readonly (readonly [Bytes, Bytes])[];

function visibleHash(ground: Ground, state: KeyState | null): HashState | null {
  const type = visibleType(state, ground.roster);
  if (type !== null && type !== 'hash') throw wrongType();
  return state === null ? null : state.hash;
}

/** The hash of a rich entry. */
function richHash(ground: Ground, ref: number): HashState | null {
  return visibleHash(ground, loadState(ground.keyspace, ref));
}

export function hashGet(ground: Ground, key: Bytes, field: Bytes): Bytes | null {
  const ref = ground.findVisible(key);
  const { packed } = ground;
  if (packed.see(ref, BLOCK_HASH)) {
    if (!packed.find(field)) return null;
    return packed.view.bytes.latin1Slice(packed.view.valueStart, packed.view.valueEnd);
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
  const cell = richHash(ground, ref)?.get(args.text(i));
  if (cell === undefined) out.nullBulk();
  else out.bulk(cellText(cell, ground.roster) ?? '');
}

/** HGETALL: writes all fields and values of the key at `args` 1. */
export function writeEntries(ground: Ground, args: Args, out: ReplyWriter): void {
  const ref = ground.findSeen(args.buffer, args.start[1], args.end[1]);
  if (ground.packed.see(ref, BLOCK_HASH)) {
    const { view } = ground.packed;
    out.map(view.count);
    while (view.next()) {
      out.bulkBytes(view.bytes, view.nameStart, view.nameEnd);
      out.bulkBytes(view.bytes, view.valueStart, view.valueEnd);
    }
    return;
  }
  const hash = richHash(ground, ref);
  out.map(hash?.size ?? 0);
  for (const [field, cell] of hash ?? []) {
    out.bulk(field);
    out.bulk(cellText(cell, ground.roster) ?? '');
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

export function hashSize(ground: Ground, key: Bytes): number {
  const ref = ground.findVisible(key);
  if (ground.packed.see(ref, BLOCK_HASH)) return ground.packed.view.count;
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
  const state = ground.load(place);
  const next = ground.commit(place, state, prepareHashAdd(state, key, field, delta, ground.actor));
  const cell = next?.hash?.get(field);
  return cell === undefined ? 0 : (cellAmount(cell, ground.roster) ?? 0);
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
  const state = ground.load(place);
  if (visibleHash(ground, state) === null) return null;
  return prepareHashRemove(state, key, fields);
}
