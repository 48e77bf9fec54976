/** Sorted sets: reads from the visible state, writes as ops. All throw WRONGTYPE. */

import type { Bytes } from '../crdt/dot.ts';
import type { HashState } from '../crdt/field-map.ts';
import { type KeyState, visibleType } from '../crdt/key-state.ts';
import { prepareZsetSet } from '../crdt/prepare.ts';
import { cellScore } from '../crdt/score.ts';
import { loadState } from '../keyspace/packed-string.ts';
import { wrongType } from './db-error.ts';
import type { Ground } from './ground.ts';

function visibleZset(ground: Ground, state: KeyState | null): HashState | null {
  const type = visibleType(state, ground.roster);
  if (type !== null && type !== 'zset') throw wrongType();
  return state === null ? null : state.zset;
}

/** All members with their scores, in no order. */
export function zsetEntries(ground: Ground, key: Bytes): [Bytes, number][] {
  const ref = ground.findVisible(key);
  const zset = ref === 0 ? null : visibleZset(ground, loadState(ground.keyspace, ref));
  return [...(zset ?? [])].map(([member, cell]) => [member, cellScore(cell, ground.roster)]);
}

/** Gives the members these scores. */
export function zsetSet(
  ground: Ground,
  key: Bytes,
  members: readonly (readonly [Bytes, number])[],
): void {
  ground.checkGrowth();
  const place = ground.findForWrite(key);
  const state = ground.load(place);
  visibleZset(ground, state);
  const op = prepareZsetSet(state, key, members);
  if (op !== null) ground.commitUnseen(place, op);
}
