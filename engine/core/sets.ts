/** Sets: reads from the packed block or the visible state, writes as ops. All throw WRONGTYPE. */

import type { Bytes } from '../crdt/dot.ts';
import type { SetState } from '../crdt/element-set.ts';
import { type KeyState, visibleType } from '../crdt/key-state.ts';
import type { SetAdd, SetRemove } from '../crdt/op.ts';
import { prepareSetAdd, prepareSetRemove } from '../crdt/prepare.ts';
import { BLOCK_SET } from '../keyspace/entry.ts';
import type { KeyPlace } from '../keyspace/key-place.ts';
import { loadState } from '../keyspace/packed-string.ts';
import type { Args } from '../resp/args.ts';
import type { ReplyWriter } from '../resp/reply-writer.ts';
import { wrongType } from './db-error.ts';
import type { Ground } from './ground.ts';
import { addElements } from './packed-hot.ts';

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
  return richSet(ground, ref)?.has(member) ?? false;
}

/** SISMEMBER from the input buffer: key at `args` 1, member at `i`. */
export function hasMember(ground: Ground, args: Args, i: number): boolean {
  const { buffer, start, end } = args;
  const ref = ground.findSeen(buffer, start[1], end[1]);
  if (ground.packed.see(ref, BLOCK_SET)) return ground.packed.view.find(buffer, start[i], end[i]);
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

export function setSize(ground: Ground, key: Bytes): number {
  const ref = ground.findVisible(key);
  if (ground.packed.see(ref, BLOCK_SET)) return ground.packed.view.count;
  return richSet(ground, ref)?.size ?? 0;
}

export function setMembers(ground: Ground, key: Bytes): Bytes[] {
  const ref = ground.findVisible(key);
  if (!ground.packed.see(ref, BLOCK_SET)) return [...(richSet(ground, ref)?.keys() ?? [])];
  const { view } = ground.packed;
  const members: Bytes[] = [];
  while (view.next()) members.push(view.bytes.latin1Slice(view.nameStart, view.nameEnd));
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
  const state = ground.load(place);
  if (visibleSet(ground, state) === null) return null;
  return prepareSetRemove(state, key, members);
}

/** `count` distinct members at random, all if there are fewer. O(size of the set). */
export function setRandom(ground: Ground, key: Bytes, count: number): Bytes[] {
  const members = setMembers(ground, key);
  const wanted = Math.min(count, members.length);
  // Fisher and Yates, as far as needed.
  for (let i = 0; i < wanted; i++) {
    const other = i + Math.floor(ground.random() * (members.length - i));
    const chosen = members[other];
    members[other] = members[i];
    members[i] = chosen;
  }
  members.length = wanted;
  return members;
}
