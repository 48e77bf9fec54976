/** Hashes: reads from the visible state, writes as ops on fields. All throw WRONGTYPE. */

import type { Amount } from '../crdt/amount.ts';
import { cellAmount, cellText } from '../crdt/cell.ts';
import type { Bytes } from '../crdt/dot.ts';
import type { HashState } from '../crdt/field-map.ts';
import { type KeyState, visibleType } from '../crdt/key-state.ts';
import { prepareHashAdd, prepareHashRemove, prepareHashSet } from '../crdt/prepare.ts';
import { hashNotAFloat, hashNotAnInteger, wrongType } from './db-error.ts';
import type { Ground } from './ground.ts';
import { checkSum } from './strings.ts';

function visibleHash(ground: Ground, state: KeyState | null): HashState | null {
  const type = visibleType(state, ground.roster);
  if (type !== null && type !== 'hash') throw wrongType();
  return state === null ? null : state.hash;
}

export function hashGet(ground: Ground, key: Bytes, field: Bytes): Bytes | null {
  const cell = visibleHash(ground, ground.visible(key))?.get(field);
  return cell === undefined ? null : cellText(cell, ground.roster);
}

export function hashSize(ground: Ground, key: Bytes): number {
  return visibleHash(ground, ground.visible(key))?.size ?? 0;
}

export function hashEntries(ground: Ground, key: Bytes): [Bytes, Bytes][] {
  const entries: [Bytes, Bytes][] = [];
  const hash = visibleHash(ground, ground.visible(key));
  if (hash === null) return entries;
  for (const [field, cell] of hash) entries.push([field, cellText(cell, ground.roster) ?? '']);
  return entries;
}

/** Returns the number of fields that were not there. */
export function hashSet(
  ground: Ground,
  key: Bytes,
  fields: readonly (readonly [Bytes, Bytes])[],
): number {
  ground.checkGrowth();
  const place = ground.findForWrite(key);
  const state = ground.load(place);
  const before = visibleHash(ground, state)?.size ?? 0;
  const op = prepareHashSet(state, key, fields);
  if (op === null) return 0;
  return (ground.commit(place, state, op)?.hash?.size ?? 0) - before;
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
  const state = ground.load(place);
  if (visibleHash(ground, state) === null) return 0;
  const op = prepareHashRemove(state, key, fields);
  if (op === null) return 0;
  const removed = op.fields.length;
  ground.commit(place, state, op);
  return removed;
}
