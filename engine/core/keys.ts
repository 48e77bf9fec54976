/** What works on keys of any type: existence, expiry, removal, rename, walks over the keyspace. */

import type { Bytes } from '../crdt/dot.ts';
import { unionOf } from '../crdt/hyperloglog.ts';
import {
  isDead,
  type KeyState,
  type PartName,
  type ValueType,
  visiblePart,
  visibleType,
} from '../crdt/key-state.ts';
import type { Expire } from '../crdt/op.ts';
import { holdsIncrements, prepareExpire } from '../crdt/prepare.ts';
import { ttlExpiry, winningTtlWrite } from '../crdt/ttl.ts';
import { copyVector } from '../crdt/version-vector.ts';
import { CHUNK_SHIFT } from '../keyspace/arena.ts';
import {
  BLOCK_HASH,
  BLOCK_SET,
  BLOCK_ZSET,
  blockKind,
  collectionKind,
  dotActor,
  dotSeq,
  expiryOf,
  LAYOUT_COUNT_SHIFT,
  META_RICH,
  metaOf,
  siblingUnit,
  TABLE_HASH,
  TABLE_SET,
  TABLE_ZSET,
  tableKind,
} from '../keyspace/entry.ts';
import type { KeyPlace } from '../keyspace/key-place.ts';
import { loadState } from '../keyspace/packed-string.ts';
import { randomEntry, scanTable } from '../keyspace/scan.ts';
import { SLOT_COUNT } from '../keyspace/slot.ts';
import { tableOf } from '../keyspace/table-collection.ts';
import { noSuchKey } from './db-error.ts';
import { expireFields, expireFieldsDue, fieldExpiries, shownState } from './field-expiry.ts';
import { type Ground, latin1 } from './ground.ts';
import { hashEntries, hashSet } from './hashes.ts';
import { createHyperLogLog } from './hyperloglogs.ts';
import { listValues, pushTexts } from './lists.ts';
import { isBlock, isTable, prepareBlockExpire } from './packed-whole.ts';
import { isPlain } from './plain-write.ts';
import { setAdd, setMembers } from './sets.ts';
import { copyStream } from './stream-copy.ts';
import { getString, setStringText } from './strings.ts';
import { zsetEntries, zsetSet } from './zsets.ts';

const RANDOM_TRIES = 100;
const TYPES: Readonly<Record<number, ValueType>> = {
  [BLOCK_SET]: 'set',
  [TABLE_SET]: 'set',
  [BLOCK_HASH]: 'hash',
  [TABLE_HASH]: 'hash',
  [BLOCK_ZSET]: 'zset',
  [TABLE_ZSET]: 'zset',
};

/** Whether clients see the entry. */
function isVisible(ground: Ground, ref: number): boolean {
  if (ref === 0 || ground.isExpired(ref)) return false;
  if (!ground.keyspace.isRich(ref)) return true;
  return !isDead(shownState(ground, loadState(ground.keyspace, ref)));
}

export function exists(ground: Ground, buf: Uint8Array, start: number, end: number): boolean {
  const { keyspace } = ground;
  return isVisible(ground, keyspace.find(keyspace.hash.of(buf, start, end), buf, start, end));
}

/** TOUCH. False: there is no such key. */
export function touch(ground: Ground, key: Bytes): boolean {
  const ref = ground.peek(key);
  if (!isVisible(ground, ref)) return false;
  ground.keyspace.touch(ref);
  return true;
}

/** DEL. False: there was no such key. */
export function deleteKey(ground: Ground, buf: Uint8Array, start: number, end: number): boolean {
  ground.checkWritable();
  const place = ground.find(buf, start, end);
  if (place.ref === 0) return false;
  const seen = isVisible(ground, place.ref);
  if (seen || ground.isExpired(place.ref)) deleteAt(ground, place);
  return seen;
}

/** Removes what is at `place`, which holds something, as one op. */
export function deleteAt(ground: Ground, place: KeyPlace): void {
  const { keyspace } = ground;
  const { ref, buf, start, end } = place;
  const meta = metaOf(keyspace.arena, ref);
  if (!isPlain(meta)) {
    ground.deletePlace(place);
    return;
  }
  const words = keyspace.arena.u32[ref >>> CHUNK_SHIFT];
  const word = siblingUnit(ref, meta) << 1;
  const hlc = ground.stamp();
  const actor = dotActor(words, word);
  ground.batch.deleteDot(place.slot, hlc, buf, start, end, actor, dotSeq(words, word));
  keyspace.remove(place.hash, ref);
  if (ground.touched !== null) ground.touched(latin1(place));
}

export function deleteText(ground: Ground, key: Bytes): boolean {
  const bytes = Buffer.from(key, 'latin1');
  return deleteKey(ground, bytes, 0, bytes.length);
}

/** The type that clients see; null: no such key. */
export function typeOf(ground: Ground, key: Bytes): ValueType | null {
  const ref = ground.peekVisible(key);
  if (ref === 0) return null;
  const meta = metaOf(ground.keyspace.arena, ref);
  if ((meta & META_RICH) === 0) return 'string';
  const kind = collectionKind(meta);
  if (kind !== 0) return TYPES[kind];
  return visibleType(shownState(ground, loadState(ground.keyspace, ref)), ground.roster);
}

/** ms since the epoch; Infinity: no TTL; undefined: no such key. */
export function expiryOfKey(ground: Ground, key: Bytes): number | undefined {
  const ref = ground.peekVisible(key);
  if (ref === 0) return undefined;
  if (!ground.keyspace.isRich(ref)) return expiryOf(ground.keyspace.arena, ref);
  const state = shownState(ground, loadState(ground.keyspace, ref));
  return isDead(state) ? undefined : ttlExpiry(state.ttl);
}

/** EXPIRE and PERSIST. False: no such key, or nothing to persist. */
export function expire(ground: Ground, key: Bytes, expiryMs: number): boolean {
  ground.checkWritable();
  const place = ground.findForWrite(key);
  const packed = isBlock(ground.keyspace, place.ref);
  const table = isTable(ground.keyspace, place.ref);
  const state = packed || table ? null : ground.load(place);
  if (!packed && !table && isDead(state)) return false;
  if (expiryMs <= ground.nowMs) {
    ground.deletePlace(place);
    return true;
  }
  let op: Expire | null;
  if (packed) op = prepareBlockExpire(ground.keyspace, place.ref, key, expiryMs);
  else if (table) op = ground.tables.prepareExpire(place.ref, key, expiryMs);
  else op = prepareExpire(state, key, expiryMs);
  if (op === null) return false;
  ground.commitUnseen(place, op);
  return true;
}

/** Removes the source and writes its visible value and TTL afresh into the target. */
export function rename(ground: Ground, source: Bytes, target: Bytes): void {
  ground.checkGrowth();
  if (!copy(ground, source, target)) throw noSuchKey();
  if (source !== target) deleteText(ground, source);
}

/** Writes the visible value and TTL of the source into the target. False: no such source. */
export function copy(ground: Ground, source: Bytes, target: Bytes): boolean {
  ground.checkGrowth();
  const state = ground.visible(source);
  const part = visiblePart(state, ground.roster);
  if (part === null) return false;
  if (source === target) return true;
  const expiry = ttlExpiry(state?.ttl ?? []);
  if (part === 'cell') {
    setStringText(ground, target, getString(ground, source) ?? '', expiry);
    return true;
  }
  const write = COPIES[part](ground, source);
  deleteText(ground, target);
  write(target);
  if (expiry !== Number.POSITIVE_INFINITY) expire(ground, target, expiry);
  return true;
}

/** Reads what clients see of the source, and gives back what writes it into an empty target. */
const COPIES: {
  readonly [N in Exclude<PartName, 'cell'>]: (
    ground: Ground,
    source: Bytes,
  ) => (target: Bytes) => void;
} = {
  set(ground, source) {
    const members = setMembers(ground, source);
    return (target) => setAdd(ground, target, members);
  },
  hash(ground, source) {
    const entries = hashEntries(ground, source);
    const byExpiry = new Map<number, Bytes[]>();
    const expiring = [...(ground.visible(source)?.fieldTtl?.writes.keys() ?? [])];
    for (const [i, expiry] of fieldExpiries(ground, source, expiring).entries()) {
      if (expiry === undefined || expiry === Number.POSITIVE_INFINITY) continue;
      const fields = byExpiry.get(expiry);
      if (fields === undefined) byExpiry.set(expiry, [expiring[i]]);
      else fields.push(expiring[i]);
    }
    return (target) => {
      hashSet(ground, target, entries);
      for (const [expiry, fields] of byExpiry) expireFields(ground, target, fields, expiry);
    };
  },
  list(ground, source) {
    const values = listValues(ground, source);
    return (target) => pushTexts(ground, target, false, values);
  },
  zset(ground, source) {
    const members = zsetEntries(ground, source);
    return (target) => zsetSet(ground, target, members);
  },
  stream: copyStream,
  hll(ground, source) {
    const registers = unionOf(ground.visible(source)!.hll!).slice();
    return (target) => createHyperLogLog(ground, target, registers);
  },
};

/**
 * FLUSHALL: one op that removes everything this member has seen. What a vector cannot tell gets
 * deletes of its own before it: live increments, and slots that are ahead of the vector.
 */
export function flush(ground: Ground): void {
  ground.checkWritable();
  for (let slot = 0; slot < SLOT_COUNT; slot++) {
    const ahead = ground.exceptions.has(slot);
    for (const ref of slotRefs(ground, slot)) {
      if (ahead || refHoldsIncrements(ground, ref)) ground.deletePlace(ground.findEntry(ref));
    }
  }
  const vector = copyVector(ground.vector);
  const hlc = ground.stamp();
  ground.batch.op(0, hlc, { kind: 'flush', vector });
  ground.keyspace.reset();
  if (ground.touchedAll !== null) ground.touchedAll();
}

function refHoldsIncrements(ground: Ground, ref: number): boolean {
  const { keyspace } = ground;
  if (keyspace.isRich(ref)) return holdsIncrements(loadState(keyspace, ref));
  const meta = metaOf(keyspace.arena, ref);
  if (tableKind(meta) !== 0) return keyspace.tables.counters(tableOf(keyspace, ref)) > 0;
  return blockKind(meta) === 0 && (meta & 0xff) >>> LAYOUT_COUNT_SHIFT > 0;
}

/** All entries of a slot; they may be removed while the list is walked. */
export function slotRefs(ground: Ground, slot: number): number[] {
  const { slots } = ground.keyspace;
  const refs: number[] = [];
  for (let ref = slots.heads[slot]; ref !== 0; ref = slots.next(ref)) refs.push(ref);
  return refs;
}

/** Up to `count` visible keys of the slot. */
export function slotKeys(ground: Ground, slot: number, count: number): Bytes[] {
  const keys: Bytes[] = [];
  for (const ref of slotRefs(ground, slot)) {
    if (keys.length >= count) break;
    if (isVisible(ground, ref)) keys.push(ground.keyspace.keyText(ref));
  }
  return keys;
}

/** SCAN: calls `each` for about `count` visible keys; returns the next cursor, 0 at the end. */
export function scan(
  ground: Ground,
  cursor: number,
  count: number,
  each: (key: Bytes) => void,
): number {
  const { keyspace } = ground;
  const keys: Bytes[] = [];
  const next = scanTable(keyspace.arena, keyspace.table, cursor, count, (ref) => {
    if (isVisible(ground, ref)) keys.push(keyspace.keyText(ref));
  });
  // Only now, so that `each` may change the keyspace.
  for (const key of keys) each(key);
  return next;
}

/** A visible key at random; null when there is none to be found. */
export function randomKey(ground: Ground): Bytes | null {
  const { keyspace } = ground;
  for (let tries = 0; tries < RANDOM_TRIES; tries++) {
    const ref = randomEntry(keyspace.arena, keyspace.table, ground.random);
    if (ref === 0) return null;
    if (isVisible(ground, ref)) return keyspace.keyText(ref);
  }
  return null;
}

/** Deletes up to `budget` keys that are due. Returns how many. */
export function expireDue(ground: Ground, budget: number): number {
  let deleted = 0;
  ground.keyspace.expiry.advance(ground.nowMs, budget, (ref) => {
    const state = ground.keyspace.isRich(ref) ? loadState(ground.keyspace, ref) : null;
    if (state !== null && state.fieldTtl !== null && !isKeyDue(ground, state)) {
      ground.cause = 'hexpired';
      expireFieldsDue(ground, ref);
      return;
    }
    ground.cause = 'expired';
    deleteAt(ground, ground.findEntry(ref));
    deleted++;
  });
  ground.cause = null;
  ground.expired += deleted;
  return deleted;
}

/** Whether the TTL of the key itself is due here. */
function isKeyDue(ground: Ground, state: KeyState): boolean {
  const winner = winningTtlWrite(state.ttl, ground.roster);
  return winner !== null && winner.expiry + ground.graceMs(winner.actor) <= ground.nowMs;
}
