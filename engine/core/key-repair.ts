/**
 * Mends a key that differs from what another member holds of it, although both have applied the same
 * ops; crdt/repair.ts says which is right.
 *
 *     floors   a reset's floors are missing here. A member that may write makes an *op* of them: a DEL that
 *              has seen nothing but these floors. It raises them wherever they are missing and changes
 *              nothing anywhere else, and log, replicas and regions get it as they get every op.
 *     state    the state itself is changed: on a replica, and where more than floors differs
 */

import type { Actor, Bytes } from '../crdt/dot.ts';
import type { KeyState } from '../crdt/key-state.ts';
import { joinStates, missingFloors, withFloors } from '../crdt/repair.ts';
import { loadState } from '../keyspace/packed-string.ts';
import { collectActors, dictionaryOf, encodeKey } from '../op/key-encoding.ts';
import type { Ground } from './ground.ts';

export type KeyRepair = {
  readonly key: Bytes;
  readonly done: 'nothing' | 'op' | 'state';
  /** The only difference were floors that this member lacked. */
  readonly explained: boolean;
};

/** Mends one key by what another member holds of it; null: it holds nothing. */
export function repairKey(ground: Ground, key: Bytes, theirs: KeyState | null): KeyRepair {
  const place = ground.findText(key);
  const mine = place.ref === 0 ? null : loadState(ground.keyspace, place.ref);
  const joined = joinStates(mine, theirs);
  if (isSame(ground, mine, joined)) return { key, done: 'nothing', explained: true };
  const floors = missingFloors(mine, theirs);
  const explained = mine !== null && isSame(ground, withFloors(mine, floors), joined);
  if (explained && ground.writable && ground.actor >= 0) {
    ground.commit(place, mine, {
      kind: 'delete',
      key,
      removal: { vector: null, dots: [], floors },
    });
    return { key, done: 'op', explained };
  }
  ground.store(place, joined, -1);
  if (ground.touched !== null) ground.touched(key);
  return { key, done: 'state', explained };
}

function isSame({ roster }: Ground, a: KeyState | null, b: KeyState | null): boolean {
  if (a === null || b === null) return a === b;
  const actors = new Set<Actor>();
  collectActors(a, actors);
  collectActors(b, actors);
  const dictionary = dictionaryOf(roster, actors);
  return Buffer.compare(encodeKey(a, dictionary), encodeKey(b, dictionary)) === 0;
}
