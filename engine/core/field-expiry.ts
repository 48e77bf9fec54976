/**
 * When fields of a hash expire. A hash with field TTLs is a rich state; its entry waits in the expiry
 * index for the first of its fields. Whose TTL won, that region removes the field; others hide it, and remove
 * it after the same grace as a key (ground.ts), or before they write to the hash.
 *
 * What is due first is found by a walk over the TTLs, which is kept until one of them changes. So reads, and
 * writes to fields without TTL, do not walk.
 */
import type { Bytes } from '../crdt/dot.ts';
import { type FieldTtls, fieldTtlWinner } from '../crdt/field-ttl.ts';
import { emptyKeyState, type KeyState, visibleType } from '../crdt/key-state.ts';
import { prepareHashExpire, prepareHashRemove } from '../crdt/prepare.ts';
import { BLOCK_HASH, TABLE_HASH } from '../keyspace/entry.ts';
import { loadState } from '../keyspace/packed-string.ts';
import { wrongType } from './db-error.ts';
import type { Ground } from './ground.ts';

const NEVER = Number.POSITIVE_INFINITY;
/** Fields of one hash that a tick removes at most, in one op. */
export const FIELDS_EXPIRED_AT_ONCE_MAX = 1000;

type Clock = {
  changes: number;
  /** When the first field is hidden, and when the first one is removed here; Infinity: none. */
  hiddenMs: number;
  removedMs: number;
};

const clocks = new WeakMap<FieldTtls, Clock>();

function clockOf(ground: Ground, state: KeyState, ttls: FieldTtls): Clock {
  const held = clocks.get(ttls);
  if (held !== undefined && held.changes === ttls.changes) return held;
  const clock: Clock = { changes: ttls.changes, hiddenMs: NEVER, removedMs: NEVER };
  for (const field of ttls.writes.keys()) {
    const winner = fieldTtlWinner(ttls, state.hash, field, ground.roster);
    if (winner === null) continue;
    clock.hiddenMs = Math.min(clock.hiddenMs, winner.expiry);
    clock.removedMs = Math.min(clock.removedMs, winner.expiry + ground.graceMs(winner.actor));
  }
  clocks.set(ttls, clock);
  return clock;
}

/** When this member has to remove the first field; Infinity: never. */
export function fieldsDueMs(ground: Ground, state: KeyState): number {
  return state.fieldTtl === null ? NEVER : clockOf(ground, state, state.fieldTtl).removedMs;
}

/** Whether fields of the state have expired and are still there. */
export function hasExpiredFields(ground: Ground, state: KeyState): boolean {
  const { fieldTtl } = state;
  return fieldTtl !== null && clockOf(ground, state, fieldTtl).hiddenMs <= ground.nowMs;
}

/** The state without fields that have expired: what clients see. Do not change it. */
export function shownState(ground: Ground, state: KeyState): KeyState {
  if (!hasExpiredFields(ground, state)) return state;
  const hash = new Map(state.hash);
  for (const field of expiredFields(ground, state, false)) hash.delete(field);
  return { ...state, hash: hash.size === 0 ? null : hash };
}

function expiredFields(ground: Ground, state: KeyState, here: boolean): Bytes[] {
  const expired: Bytes[] = [];
  const ttls = state.fieldTtl!;
  for (const field of ttls.writes.keys()) {
    const winner = fieldTtlWinner(ttls, state.hash, field, ground.roster);
    if (winner === null) continue;
    const grace = here ? ground.graceMs(winner.actor) : 0;
    if (winner.expiry + grace <= ground.nowMs) expired.push(field);
  }
  return expired;
}

/** Removes the expired fields of the entry at `ref`, before it is written to. */
export function removeExpiredFields(ground: Ground, ref: number): void {
  const state = loadState(ground.keyspace, ref);
  remove(ground, ref, state, expiredFields(ground, state, false));
}

/** Removes fields that are due here, some at a time; the entry is back in the expiry index after it. */
export function expireFieldsDue(ground: Ground, ref: number): number {
  const state = loadState(ground.keyspace, ref);
  const due = expiredFields(ground, state, true).slice(0, FIELDS_EXPIRED_AT_ONCE_MAX);
  // It is handed out only once: whatever becomes of its fields, it waits again.
  ground.keyspace.arm(ref);
  remove(ground, ref, state, due);
  return due.length;
}

function remove(ground: Ground, ref: number, state: KeyState, fields: readonly Bytes[]): void {
  const place = ground.findEntry(ref);
  const op = prepareHashRemove(state, ground.keyspace.keyText(ref), fields);
  if (op !== null) ground.commit(place, state, op);
}

// ── Commands ────────────────────────────────────────────────────────────────────────────────

/**
 * When each of these fields expires, ms since the epoch; Infinity: never; undefined: there is no such
 * field. Throws WRONGTYPE. Hashes without field TTLs are looked at where they lie.
 */
export function fieldExpiries(
  ground: Ground,
  key: Bytes,
  fields: readonly Bytes[],
): (number | undefined)[] {
  const ref = ground.findVisible(key);
  const { packed, tables } = ground;
  if (packed.see(ref, BLOCK_HASH)) {
    return fields.map((field) => (packed.find(field) ? NEVER : undefined));
  }
  if (tables.sees(ref, TABLE_HASH)) {
    return fields.map((field) => (tables.find(ref, field) !== 0 ? NEVER : undefined));
  }
  const state = ref === 0 ? null : shownState(ground, loadState(ground.keyspace, ref));
  const type = visibleType(state, ground.roster);
  if (type !== null && type !== 'hash') throw wrongType();
  const { hash, fieldTtl } = state ?? emptyKeyState();
  return fields.map((field) => {
    if (hash?.has(field) !== true) return undefined;
    if (fieldTtl === null) return NEVER;
    return fieldTtlWinner(fieldTtl, hash, field, ground.roster)?.expiry ?? NEVER;
  });
}

/** Sets the expiry (Infinity: HPERSIST) of fields that are there. Throws WRONGTYPE. */
export function expireFields(
  ground: Ground,
  key: Bytes,
  fields: readonly Bytes[],
  expiryMs: number,
): void {
  ground.checkWritable();
  const place = ground.findForWrite(key);
  const state = ground.load(place);
  const op = prepareHashExpire(state, key, fields, expiryMs);
  if (op !== null) ground.commit(place, state, op);
}
