/** Sets: reads from the visible state, writes as ops on members. All throw WRONGTYPE. */

import type { Bytes } from '../crdt/dot.ts';
import type { SetState } from '../crdt/element-set.ts';
import { type KeyState, visibleType } from '../crdt/key-state.ts';
import { prepareSetAdd, prepareSetRemove } from '../crdt/prepare.ts';
import { wrongType } from './db-error.ts';
import type { Ground } from './ground.ts';

function visibleSet(ground: Ground, state: KeyState | null): SetState | null {
  const type = visibleType(state, ground.roster);
  if (type !== null && type !== 'set') throw wrongType();
  return state === null ? null : state.set;
}

export function setHas(ground: Ground, key: Bytes, member: Bytes): boolean {
  return visibleSet(ground, ground.visible(key))?.has(member) ?? false;
}

export function setSize(ground: Ground, key: Bytes): number {
  return visibleSet(ground, ground.visible(key))?.size ?? 0;
}

export function setMembers(ground: Ground, key: Bytes): Bytes[] {
  const set = visibleSet(ground, ground.visible(key));
  return set === null ? [] : [...set.keys()];
}

/** Returns the number of members that were not there. */
export function setAdd(ground: Ground, key: Bytes, members: readonly Bytes[]): number {
  ground.checkGrowth();
  const place = ground.findForWrite(key);
  const state = ground.load(place);
  const before = visibleSet(ground, state)?.size ?? 0;
  const op = prepareSetAdd(state, key, members);
  if (op === null) return 0;
  return (ground.commit(place, state, op)?.set?.size ?? 0) - before;
}

/** Returns the number of members removed. */
export function setRemove(ground: Ground, key: Bytes, members: readonly Bytes[]): number {
  ground.checkWritable();
  const place = ground.findForWrite(key);
  const state = ground.load(place);
  if (visibleSet(ground, state) === null) return 0;
  const op = prepareSetRemove(state, key, members);
  if (op === null) return 0;
  const removed = op.members.length;
  ground.commit(place, state, op);
  return removed;
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
