/**
 * What concerns a packed block as a whole: DEL, expiry and TTL, without making the key's state. As in
 * packed-write.ts, what leaves the form of a block is refused before anything has changed.
 */

import { type Bytes, type Dot, hasDot, type StampedDot } from '../crdt/dot.ts';
import type { Delete, Expire, Removal, TtlPart } from '../crdt/op.ts';
import { REMOVAL_DOTS_MAX } from '../crdt/prepare.ts';
import { copyVector, covers, type VersionVector } from '../crdt/version-vector.ts';
import { blockKind, metaOf, tableKind } from '../keyspace/entry.ts';
import type { KeyPlace } from '../keyspace/key-place.ts';
import type { Keyspace } from '../keyspace/keyspace.ts';
import type { BlockView } from '../keyspace/packed-block.ts';
import { blockTtl, openBlock, setBlockTtl } from '../keyspace/packed-collection.ts';
import type { PackedWriter } from './packed-write.ts';

const NEVER = Number.POSITIVE_INFINITY;

/** Whether the entry at `ref` (0: none) is a packed block. */
export function isBlock(keyspace: Keyspace, ref: number): boolean {
  return ref !== 0 && blockKind(metaOf(keyspace.arena, ref)) !== 0;
}

/** Whether the entry at `ref` (0: none) is a table. */
export function isTable(keyspace: Keyspace, ref: number): boolean {
  return ref !== 0 && tableKind(metaOf(keyspace.arena, ref)) !== 0;
}

/** As prepareDelete, of the block at `ref`. */
export function prepareBlockDelete(
  keyspace: Keyspace,
  view: BlockView,
  ref: number,
  key: Bytes,
  vector: VersionVector,
): Delete {
  const dots: Dot[] = [];
  const add = ({ actor, seq }: Dot): void => {
    if (dots.length <= REMOVAL_DOTS_MAX && !hasDot(dots, actor, seq)) dots.push({ actor, seq });
  };
  openBlock(keyspace, ref, view);
  while (dots.length <= REMOVAL_DOTS_MAX && view.next()) add(view);
  const ttl = blockTtl(keyspace, ref);
  if (ttl !== null) add(ttl);
  const removal: Removal =
    dots.length > REMOVAL_DOTS_MAX
      ? { vector: copyVector(vector), dots: [], floors: [] }
      : { vector: null, dots, floors: [] };
  return { kind: 'delete', key, removal };
}

/** As prepareExpire, of the block at `ref`. */
export function prepareBlockExpire(
  keyspace: Keyspace,
  ref: number,
  key: Bytes,
  expiry: number,
): Expire | null {
  const held = blockTtl(keyspace, ref);
  if (expiry === NEVER && (held === null || held.expiry === NEVER)) return null;
  const drops = held === null ? [] : [{ actor: held.actor, seq: held.seq }];
  return { kind: 'expire', key, ttl: { drops, expiry } };
}

/** Applies a removal that has seen all of the block at `place`; false: it has not. */
export function applyBlockDelete(
  keyspace: Keyspace,
  view: BlockView,
  place: KeyPlace,
  { vector, dots }: Removal,
): boolean {
  const sees = (dot: Dot): boolean =>
    vector === null ? hasDot(dots, dot.actor, dot.seq) : covers(vector, dot.actor, dot.seq);
  const ttl = blockTtl(keyspace, place.ref);
  if (ttl !== null && !sees(ttl)) return false;
  openBlock(keyspace, place.ref, view);
  let last = -1;
  while (view.next()) {
    // Neighbours mostly have one stamp.
    if (view.stamp === last) continue;
    last = view.stamp;
    if (!sees(view)) return false;
  }
  keyspace.remove(place.hash, place.ref);
  place.ref = 0;
  return true;
}

/** Applies EXPIRE and PERSIST to the block at `place`; false: there would be two TTL writes. */
export function applyBlockExpire(
  keyspace: Keyspace,
  { editor }: PackedWriter,
  place: KeyPlace,
  stamp: StampedDot,
  { drops, expiry }: TtlPart,
): boolean {
  const held = blockTtl(keyspace, place.ref);
  if (held !== null && !hasDot(drops, held.actor, held.seq)) {
    return expiry === null || (held.actor === stamp.actor && held.seq === stamp.seq);
  }
  const { actor, seq, hlc } = stamp;
  const next = expiry === null ? null : { actor, seq, hlc, expiry };
  if (held !== null || next !== null) setBlockTtl(keyspace, place, editor, next);
  return true;
}
