/**
 * `prepare…` runs at the source only: from the state that the source sees and what its client
 * wants it makes the op that says so to everyone. It changes nothing; null means that there is
 * nothing to change and no op to ship.
 *
 * `self` is the actor that will write the op. `vector` is what the source has applied in this
 * key's slot, with all its own ops.
 *
 * TTL: a key without data may still hold TTL writes; whoever writes to it drops them, since to
 * a client it is a new key. A write that leaves the key without data drops them too.
 */
import { type Amount, addAmounts } from './amount.ts';
import { type Cell, cellFloors, emptyCell, findContribution } from './cell.ts';
import { type Actor, type Bytes, type Dot, dotsOf, hasDot } from './dot.ts';
import { dotsOfCell } from './field-ttl.ts';
import { holdsOtherThan, isDead, type KeyState, showsOtherThan } from './key-state.ts';
import type {
  Delete,
  Expire,
  FieldDrops,
  FieldExpiry,
  FieldFloor,
  FieldWrite,
  HashAdd,
  HashExpire,
  HashRemove,
  HashSet,
  HllAdd,
  MemberDrops,
  Predecessor,
  Removal,
  SetAdd,
  SetRemove,
  StringAdd,
  StringSet,
  TtlPart,
  ZsetAdd,
  ZsetRemove,
  ZsetSet,
} from './op.ts';
import { NO_TTL } from './op.ts';
import { PART_NAMES, partNamed } from './part.ts';
import type { Roster } from './roster.ts';
import { cellScore, encodeScore, incrementOf } from './score.ts';
import { ttlExpiry } from './ttl.ts';
import { copyVector, type VersionVector } from './version-vector.ts';

/** A removal names its dots up to this many, and the source's vector beyond. */
export const REMOVAL_DOTS_MAX = 16;
/** Of larger collections the dots are not even looked at, so that DEL of a million fields is no walk. */
export const REMOVAL_ELEMENTS_MAX = 128;

/** SET. `expiry`: ms since the Unix epoch, Infinity for none, null to keep the key's TTL. */
export function prepareStringSet(
  state: KeyState | null,
  key: Bytes,
  value: Bytes,
  expiry: number | null,
  vector: VersionVector,
): StringSet {
  const cell = state?.cell ?? null;
  const ttl = expiry === null ? keepTtl(state) : { drops: dotsOf(state?.ttl ?? []), expiry };
  const clashes = state !== null && holdsOtherThan(state, 'cell');
  return {
    kind: 'string-set',
    key,
    value,
    drops: cell === null ? [] : dotsOf(cell.siblings),
    floors: cell === null ? [] : cellFloors(cell),
    ttl,
    clear: clashes ? removalOf({ ...state, cell: null, ttl: [] }, vector) : null,
  };
}

/** INCRBY, INCRBYFLOAT. An increment by 0 is a write too: it makes the key exist. */
export function prepareStringAdd(
  state: KeyState | null,
  key: Bytes,
  delta: Amount,
  self: Actor,
): StringAdd {
  const sum = addTo(state?.cell ?? null, delta, self);
  return { kind: 'string-add', key, ...sum, ttl: keepTtl(state) };
}

/** SADD. Members that are there already are written again, so that they survive removals. */
export function prepareSetAdd(
  state: KeyState | null,
  key: Bytes,
  members: readonly Bytes[],
): SetAdd | null {
  if (members.length === 0) return null;
  const adds = [...new Set(members)].map((member) => ({
    member,
    drops: dotsOf(state?.set?.get(member) ?? []),
  }));
  return { kind: 'set-add', key, members: adds, ttl: keepTtl(state) };
}

/** SREM, SPOP. Null when none of the members is there. */
export function prepareSetRemove(
  state: KeyState | null,
  key: Bytes,
  members: readonly Bytes[],
): SetRemove | null {
  const set = state?.set ?? null;
  if (state === null || set === null) return null;
  const removals: MemberDrops[] = [];
  for (const member of new Set(members)) {
    const dots = set.get(member);
    if (dots !== undefined) removals.push({ member, drops: dotsOf(dots) });
  }
  if (removals.length === 0) return null;
  const empties = removals.length === set.size && !showsOtherThan(state, 'set');
  return { kind: 'set-remove', key, members: removals, ttl: ttlOfRemoval(state, empties) };
}

/** HSET. Of a field named twice the last value counts. */
export function prepareHashSet(
  state: KeyState | null,
  key: Bytes,
  pairs: readonly (readonly [field: Bytes, value: Bytes])[],
): HashSet | null {
  if (pairs.length === 0) return null;
  const fields: FieldWrite[] = [];
  for (const [field, value] of new Map(pairs)) {
    fields.push({ value, ...seenOfField(state?.hash?.get(field) ?? emptyCell(), field) });
  }
  return { kind: 'hash-set', key, fields, ttl: keepTtl(state) };
}

/** HINCRBY, HINCRBYFLOAT. */
export function prepareHashAdd(
  state: KeyState | null,
  key: Bytes,
  field: Bytes,
  delta: Amount,
  self: Actor,
): HashAdd {
  const sum = addTo(state?.hash?.get(field) ?? null, delta, self);
  return { kind: 'hash-add', key, field, ...sum, ttl: keepTtl(state) };
}

/** HDEL. Null when none of the fields is there. */
export function prepareHashRemove(
  state: KeyState | null,
  key: Bytes,
  fields: readonly Bytes[],
): HashRemove | null {
  const removal = removalOfFields(state, 'hash', fields);
  return removal === null ? null : { kind: 'hash-remove', key, ...removal };
}

/** ZADD. Of a member named twice the last score counts. */
export function prepareZsetSet(
  state: KeyState | null,
  key: Bytes,
  pairs: readonly (readonly [member: Bytes, score: number])[],
): ZsetSet | null {
  if (pairs.length === 0) return null;
  const fields: FieldWrite[] = [];
  for (const [field, score] of new Map(pairs)) {
    const seen = seenOfField(state?.zset?.get(field) ?? emptyCell(), field);
    fields.push({ value: encodeScore(score), ...seen });
  }
  return { kind: 'zset-set', key, fields, ttl: keepTtl(state) };
}

/** ZINCRBY, whose result is a number: an increment, or where no sum can say it, a ZADD of the result. */
export function prepareZsetAdd(
  state: KeyState | null,
  key: Bytes,
  field: Bytes,
  delta: number,
  self: Actor,
  roster: Roster,
): ZsetAdd | ZsetSet {
  const cell = state?.zset?.get(field) ?? null;
  const amount = incrementOf(cell, delta, roster);
  if (amount !== null) {
    return { kind: 'zset-add', key, field, ...addTo(cell, amount, self), ttl: keepTtl(state) };
  }
  const before = cell === null ? 0 : cellScore(cell, roster);
  const seen = seenOfField(cell ?? emptyCell(), field);
  const fields = [{ value: encodeScore(before + delta), ...seen }];
  return { kind: 'zset-set', key, fields, ttl: keepTtl(state) };
}

/** ZREM, ZPOPMIN and all their like. Null when none of the members is there. */
export function prepareZsetRemove(
  state: KeyState | null,
  key: Bytes,
  members: readonly Bytes[],
): ZsetRemove | null {
  const removal = removalOfFields(state, 'zset', members);
  return removal === null ? null : { kind: 'zset-remove', key, ...removal };
}

/** HEXPIRE, and HPERSIST with `expiry` Infinity. Null when none of the fields is there. */
export function prepareHashExpire(
  state: KeyState | null,
  key: Bytes,
  fields: readonly Bytes[],
  expiry: number,
): HashExpire | null {
  const found: FieldExpiry[] = [];
  for (const field of new Set(fields)) {
    const cell = state?.hash?.get(field);
    if (cell === undefined) continue;
    const drops = dotsOf(state?.fieldTtl?.writes.get(field) ?? []);
    found.push({ field, drops, saw: dotsOfCell(cell) });
  }
  return found.length === 0 ? null : { kind: 'hash-expire', key, fields: found, expiry };
}

/**
 * PFADD, PFMERGE: raises `registers` in the instance that is there, else in a new one. `replaces`: the
 * string's cell has the bytes of a HyperLogLog, which are in `registers`, and makes way.
 */
export function prepareHllAdd(
  state: KeyState | null,
  key: Bytes,
  registers: Bytes,
  replaces: boolean,
): HllAdd {
  const cell = replaces ? (state?.cell ?? null) : null;
  const held = state?.hll?.instances[0];
  return {
    kind: 'hll-add',
    key,
    instance: held === undefined ? null : { actor: held.actor, seq: held.seq },
    registers,
    drops: cell === null ? [] : dotsOf(cell.siblings),
    floors: cell === null ? [] : cellFloors(cell),
    ttl: keepTtl(state),
  };
}

/**
 * DEL, expiry, eviction: all that was seen, of every type, TTL writes too. Null only when there
 * is no state; a key with nothing but TTL writes gives an op (expiry cleans it up with that).
 */
export function prepareDelete(
  state: KeyState | null,
  key: Bytes,
  vector: VersionVector,
): Delete | null {
  if (state === null) return null;
  return { kind: 'delete', key, removal: removalOf(state, vector) };
}

/** EXPIRE and PERSIST (`expiry` Infinity). Null when there is no key, or no TTL to persist. */
export function prepareExpire(state: KeyState | null, key: Bytes, expiry: number): Expire | null {
  if (state === null || isDead(state)) return null;
  const forever = Number.POSITIVE_INFINITY;
  if (expiry === forever && ttlExpiry(state.ttl) === forever) return null;
  return { kind: 'expire', key, ttl: { drops: dotsOf(state.ttl), expiry } };
}

/** Whether the key holds live increments, so that a flush needs a delete of its own for it. */
export function holdsIncrements(state: KeyState): boolean {
  let holds = false;
  for (const name of PART_NAMES) {
    const part = state[name];
    if (part === null) continue;
    partNamed(name).eachFloor(part, () => {
      holds = true;
    });
  }
  return holds;
}

/** The removal of everything in `state`. */
function removalOf(state: KeyState, vector: VersionVector): Removal {
  const floors: FieldFloor[] = [];
  const dots: Dot[] = [];
  let elements = 0;
  const add = (items: readonly Dot[]): void => {
    for (const { actor, seq } of items) {
      if (dots.length > REMOVAL_DOTS_MAX) return;
      if (!hasDot(dots, actor, seq)) dots.push({ actor, seq });
    }
  };
  for (const name of PART_NAMES) {
    const held = state[name];
    if (held === null) continue;
    const part = partNamed(name);
    elements += part.size(held);
    if (elements <= REMOVAL_ELEMENTS_MAX) part.eachDot(held, add);
    part.eachFloor(held, (floor) => floors.push(floor));
  }
  add(state.ttl);
  return dots.length > REMOVAL_DOTS_MAX || elements > REMOVAL_ELEMENTS_MAX
    ? { vector: copyVector(vector), dots: [], floors }
    : { vector: null, dots, floors };
}

/** What a removal has seen of fields of a hash or members of a sorted set; null: none is there. */
function removalOfFields(
  state: KeyState | null,
  part: 'hash' | 'zset',
  fields: readonly Bytes[],
): { fields: FieldDrops[]; ttl: TtlPart } | null {
  const held = state?.[part] ?? null;
  if (state === null || held === null) return null;
  const removals: FieldDrops[] = [];
  for (const field of new Set(fields)) {
    const cell = held.get(field);
    if (cell !== undefined) removals.push(seenOfField(cell, field));
  }
  if (removals.length === 0) return null;
  const empties = removals.length === held.size && !showsOtherThan(state, part);
  return { fields: removals, ttl: ttlOfRemoval(state, empties) };
}

function seenOfField(cell: Cell, field: Bytes): FieldDrops {
  return { field, drops: dotsOf(cell.siblings), floors: cellFloors(cell) };
}

function addTo(
  cell: Cell | null,
  delta: Amount,
  self: Actor,
): { cum: Amount; pred: Predecessor | null } {
  const own = cell === null ? null : findContribution(cell, self);
  if (own === null) return { cum: delta, pred: null };
  return { cum: addAmounts(own.cum, delta), pred: { seq: own.seq, cum: own.cum } };
}

/** The TTL part of a write that leaves the TTL alone. */
export function keepTtl(state: KeyState | null): TtlPart {
  if (state === null || state.ttl.length === 0 || !isDead(state)) return NO_TTL;
  return { drops: dotsOf(state.ttl), expiry: null };
}

/** The TTL part of a removal that may leave the key without data. */
export function ttlOfRemoval(state: KeyState, empties: boolean): TtlPart {
  if (!empties || state.ttl.length === 0) return NO_TTL;
  return { drops: dotsOf(state.ttl), expiry: null };
}
