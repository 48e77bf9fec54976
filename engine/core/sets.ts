/** Sets: reads from the block, the table or the visible state, writes as ops. All throw WRONGTYPE. */

import type { Bytes } from '../crdt/dot.ts';
import type { SetState } from '../crdt/element-set.ts';
import { type KeyState, visibleType } from '../crdt/key-state.ts';
import type { SetAdd, SetRemove } from '../crdt/op.ts';
import { prepareSetAdd, prepareSetRemove } from '../crdt/prepare.ts';
import { nameText } from '../keyspace/element-cell.ts';
import { randomElement, scanElements } from '../keyspace/element-walk.ts';
import { BLOCK_SET, TABLE_SET } from '../keyspace/entry.ts';
import type { KeyPlace } from '../keyspace/key-place.ts';
import { loadState } from '../keyspace/packed-string.ts';
import { tableOf, walkTable } from '../keyspace/table-collection.ts';
import type { Args } from '../resp/args.ts';
import type { ReplyWriter } from '../resp/reply-writer.ts';
import { wrongType } from './db-error.ts';
import type { Ground } from './ground.ts';
import { addElements } from './packed-hot.ts';
import { type Page, randomElements, shuffled } from './random-elements.ts';
import { popMember, removeElements } from './remove-hot.ts';

function visibleSet(ground: Ground, state: KeyState | null): SetState | null {
  const type = visibleType(state, ground.roster);
  if (type !== null && type !== 'set') throw wrongType();
  return state === null ? null : state.set;
}

/** The set of a rich entry. */
function richSet(ground: Ground, ref: number): SetState | null {
  return visibleSet(ground, loadState(ground.keyspace, ref));
}

export function setHas(ground: Ground, key: Bytes, member: Bytes): boolean {
  const ref = ground.findVisible(key);
  if (ground.packed.see(ref, BLOCK_SET)) return ground.packed.find(member);
  if (ground.tables.sees(ref, TABLE_SET)) return ground.tables.find(ref, member) !== 0;
  return richSet(ground, ref)?.has(member) ?? false;
}

/** SISMEMBER from the input buffer: key at `args` 1, member at `i`. */
export function hasMember(ground: Ground, args: Args, i: number): boolean {
  const { buffer, start, end } = args;
  const ref = ground.findSeen(buffer, start[1], end[1]);
  if (ground.packed.see(ref, BLOCK_SET)) return ground.packed.view.find(buffer, start[i], end[i]);
  if (ground.tables.sees(ref, TABLE_SET)) {
    const { tables } = ground.keyspace;
    return tables.find(tableOf(ground.keyspace, ref), buffer, start[i], end[i]) !== 0;
  }
  return richSet(ground, ref)?.has(args.text(i)) ?? false;
}

/** SMEMBERS: writes all members of the key at `args` 1. */
export function writeMembers(ground: Ground, args: Args, out: ReplyWriter): void {
  const ref = ground.findSeen(args.buffer, args.start[1], args.end[1]);
  if (ground.packed.see(ref, BLOCK_SET)) {
    const { view } = ground.packed;
    out.set(view.count);
    while (view.next()) out.bulkBytes(view.bytes, view.nameStart, view.nameEnd);
    return;
  }
  if (ground.tables.sees(ref, TABLE_SET)) {
    const { tables } = ground.keyspace;
    out.set(ground.tables.count(ref));
    const walk = walkTable(ground.keyspace, ref);
    for (let element = walk.next(); element !== 0; element = walk.next()) {
      tables.locateName(element);
      out.bulkBytes(tables.bytes, tables.start, tables.end);
    }
    return;
  }
  const set = richSet(ground, ref);
  out.set(set?.size ?? 0);
  for (const member of set?.keys() ?? []) out.bulk(member);
}

/** SADD of the members that follow the key in `args`. Returns how many were not there. */
export function addMembers(ground: Ground, args: Args): number {
  ground.checkGrowth();
  const place = ground.findLive(args.buffer, args.start[1], args.end[1]);
  const added = addElements(ground, place, args, BLOCK_SET);
  if (added >= 0) return added;
  const members: Bytes[] = [];
  for (let i = 2; i < args.count; i++) members.push(args.text(i));
  return setAdd(ground, args.text(1), members);
}

/** SREM of the members that follow the key in `args`. Returns how many were there. */
export function removeMembers(ground: Ground, args: Args): number {
  ground.checkWritable();
  const place = ground.findLive(args.buffer, args.start[1], args.end[1]);
  const removed = removeElements(ground, place, args, BLOCK_SET);
  if (removed >= 0) return removed;
  const members: Bytes[] = [];
  for (let i = 2; i < args.count; i++) members.push(args.text(i));
  return setRemove(ground, args.text(1), members);
}

/** SPOP of one member of the key at `args` 1: writes it, or null. */
export function popOne(ground: Ground, args: Args, out: ReplyWriter): void {
  ground.checkWritable();
  const place = ground.findLive(args.buffer, args.start[1], args.end[1]);
  if (popMember(ground, place, out)) return;
  const key = args.text(1);
  const members = setRandom(ground, key, 1);
  if (members.length === 0) out.nullBulk();
  else {
    setRemove(ground, key, members);
    out.bulk(members[0]);
  }
}

export function setSize(ground: Ground, key: Bytes): number {
  return sizeAt(ground, ground.findVisible(key));
}

/** SCARD of the key at `args` 1. */
export function countMembers(ground: Ground, args: Args): number {
  return sizeAt(ground, ground.findSeen(args.buffer, args.start[1], args.end[1]));
}

function sizeAt(ground: Ground, ref: number): number {
  if (ground.packed.see(ref, BLOCK_SET)) return ground.packed.view.count;
  if (ground.tables.sees(ref, TABLE_SET)) return ground.tables.count(ref);
  return richSet(ground, ref)?.size ?? 0;
}

export function setMembers(ground: Ground, key: Bytes): Bytes[] {
  const ref = ground.findVisible(key);
  const members: Bytes[] = [];
  if (ground.packed.see(ref, BLOCK_SET)) {
    const { view } = ground.packed;
    while (view.next()) members.push(view.bytes.latin1Slice(view.nameStart, view.nameEnd));
    return members;
  }
  if (!ground.tables.sees(ref, TABLE_SET)) return [...(richSet(ground, ref)?.keys() ?? [])];
  const walk = walkTable(ground.keyspace, ref);
  for (let element = walk.next(); element !== 0; element = walk.next()) {
    members.push(nameText(ground.keyspace.tables, element));
  }
  return members;
}

/** Returns the number of members that were not there. */
export function setAdd(ground: Ground, key: Bytes, members: readonly Bytes[]): number {
  ground.checkGrowth();
  const place = ground.findForWrite(key);
  const op = setAddOf(ground, place, key, members);
  if (op === null) return 0;
  ground.commitUnseen(place, op);
  let added = 0;
  for (const { drops } of op.members) if (drops.length === 0) added++;
  return added;
}

function setAddOf(
  ground: Ground,
  place: KeyPlace,
  key: Bytes,
  members: readonly Bytes[],
): SetAdd | null {
  if (ground.packed.see(place.ref, BLOCK_SET)) return ground.packed.prepareSetAdd(key, members);
  if (ground.tables.sees(place.ref, TABLE_SET)) {
    return prepareSetAdd(ground.tables.stateOf(place.ref, members), key, members);
  }
  const state = ground.load(place);
  visibleSet(ground, state);
  return prepareSetAdd(state, key, members);
}

/** Returns the number of members removed. */
export function setRemove(ground: Ground, key: Bytes, members: readonly Bytes[]): number {
  ground.checkWritable();
  const place = ground.findForWrite(key);
  if (place.ref === 0) return 0;
  const op = setRemoveOf(ground, place, key, members);
  if (op === null) return 0;
  ground.commitUnseen(place, op);
  return op.members.length;
}

function setRemoveOf(
  ground: Ground,
  place: KeyPlace,
  key: Bytes,
  members: readonly Bytes[],
): SetRemove | null {
  const { packed } = ground;
  if (packed.see(place.ref, BLOCK_SET) && !packed.mayOrphanTtl(place.ref, members.length)) {
    return packed.prepareSetRemove(key, members);
  }
  if (ground.tables.sees(place.ref, TABLE_SET)) {
    return prepareSetRemove(ground.tables.stateOf(place.ref, members), key, members);
  }
  const state = ground.load(place);
  if (visibleSet(ground, state) === null) return null;
  return prepareSetRemove(state, key, members);
}

/** `count` distinct members at random, all if there are fewer. O(count), or of a small set O(its size). */
export function setRandom(ground: Ground, key: Bytes, count: number): Bytes[] {
  const ref = ground.findVisible(key);
  if (!ground.packed.see(ref, BLOCK_SET) && ground.tables.sees(ref, TABLE_SET)) {
    const elements = randomElements(ground, ref, count);
    if (elements !== null) return elements.map((one) => nameText(ground.keyspace.tables, one));
  }
  return shuffled(setMembers(ground, key), count, ground.random);
}

/** `draws` members at random, which may repeat. */
export function setDraws(ground: Ground, key: Bytes, draws: number): Bytes[] {
  const ref = ground.findVisible(key);
  const { tables } = ground.keyspace;
  if (!ground.packed.see(ref, BLOCK_SET) && ground.tables.sees(ref, TABLE_SET)) {
    const root = tables.rootOf(tableOf(ground.keyspace, ref));
    return Array.from({ length: draws }, () =>
      nameText(tables, randomElement(tables.arena, root, ground.random)),
    );
  }
  const members = setMembers(ground, key);
  if (members.length === 0) return [];
  return Array.from({ length: draws }, () => members[Math.floor(ground.random() * members.length)]);
}

/** SSCAN of a table; null: the set is none, and is small enough to be returned whole. */
export function scanMembers(
  ground: Ground,
  key: Bytes,
  cursor: number,
  count: number,
): Page<Bytes> | null {
  const ref = ground.findVisible(key);
  if (ground.packed.see(ref, BLOCK_SET) || !ground.tables.sees(ref, TABLE_SET)) return null;
  const { tables } = ground.keyspace;
  const members: Bytes[] = [];
  const root = tables.rootOf(tableOf(ground.keyspace, ref));
  const next = scanElements(tables.arena, root, cursor, count, (element) => {
    members.push(nameText(tables, element));
  });
  return { next, elements: members };
}
