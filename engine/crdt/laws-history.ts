/**
 * The test bed of the laws: three replicas of one key in a world without network. A history is a
 * list of actions
 *
 *     do(replica, intent)      a client writes there; legal writes only, as the engine allows them
 *     pull(from, to, count)    `to` applies the next `count` ops that `from` has and it lacks
 *
 * Pulls take ops in the order in which `from` applied them, so deliveries are causal and may stop
 * anywhere. Two of the replicas share region 1 and the clocks stand nearly still, so that ties of
 * the hlc are common and are broken by region and by actor.
 */
import type { Amount } from './amount.ts';
import { applyOp } from './apply-op.ts';
import { type Cell, cellText } from './cell.ts';
import { checkKey } from './check.ts';
import type { Actor, Bytes, Dot } from './dot.ts';
import { fieldTtlWinner } from './field-ttl.ts';
import { HLC_EPOCH_MS, type HlcClock, newClock, receive, tick } from './hlc.ts';
import { type HllInstance, unionOf } from './hyperloglog.ts';
import { type KeyState, type PartName, visiblePart, visibleType } from './key-state.ts';
import type { SpecValue } from './laws-spec.ts';
import { canonicalStream, prepareStream, readStream } from './laws-stream.ts';
import { emptyList } from './list.ts';
import { tieOf } from './list-id.ts';
import { elementsOf, zipLists } from './list-part.ts';
import type { Envelope, Op } from './op.ts';
import {
  holdsIncrements,
  prepareDelete,
  prepareExpire,
  prepareHashAdd,
  prepareHashExpire,
  prepareHashRemove,
  prepareHashSet,
  prepareHllAdd,
  prepareSetAdd,
  prepareSetRemove,
  prepareStringAdd,
  prepareStringSet,
  prepareZsetAdd,
  prepareZsetRemove,
  prepareZsetSet,
} from './prepare.ts';
import {
  prepareListInsert,
  prepareListPush,
  prepareListRemove,
  prepareListSet,
  prepareListTrim,
} from './prepare-list.ts';
import { eachRegister, NO_REGISTERS, packRegisters, type Registers, raise } from './registers.ts';
import { actorId, emptyRoster, internActor, makeActorId, type Roster } from './roster.ts';
import { cellScore } from './score.ts';
import { ttlExpiry } from './ttl.ts';
import { advance, copyVector, covers, emptyVector, type VersionVector } from './version-vector.ts';

export const KEY = 'k';

export type Intent =
  | { kind: 'set'; value: Bytes; expiry: number | null }
  | { kind: 'incr'; delta: Amount }
  | { kind: 'sadd'; members: Bytes[] }
  | { kind: 'srem'; members: Bytes[] }
  | { kind: 'hset'; pairs: [Bytes, Bytes][] }
  | { kind: 'hincr'; field: Bytes; delta: Amount }
  | { kind: 'hdel'; fields: Bytes[] }
  | { kind: 'zadd'; pairs: [Bytes, number][] }
  | { kind: 'zincr'; field: Bytes; delta: number }
  | { kind: 'zrem'; fields: Bytes[] }
  | { kind: 'xadd'; value: Bytes }
  | { kind: 'xdel'; at: number }
  | { kind: 'xtrim'; keep: number }
  | { kind: 'xgroup'; group: Bytes; end: boolean }
  | { kind: 'xdestroy'; group: Bytes }
  | { kind: 'xread'; group: Bytes; count: number }
  | { kind: 'xack'; group: Bytes; at: number }
  | { kind: 'hexpire'; fields: Bytes[]; expiry: number }
  | { kind: 'pfadd'; registers: [index: number, value: number][] }
  | { kind: 'push'; left: boolean; values: Bytes[] }
  /** Places are taken modulo the length. */
  | { kind: 'linsert'; at: number; value: Bytes }
  | { kind: 'lset'; at: number; value: Bytes }
  | { kind: 'lrem'; at: number; count: number; trim: boolean }
  | { kind: 'del' }
  | { kind: 'flush' }
  | { kind: 'expire'; expiry: number };

/** An op with what a spec may know of it: the intent and what its source had applied. */
export type HistoryOp = {
  readonly envelope: Envelope;
  readonly intent: Intent;
  readonly saw: VersionVector;
};

export type Replica = {
  readonly actor: Actor;
  readonly clock: HlcClock;
  readonly vector: VersionVector;
  /** In the order of application. */
  readonly log: HistoryOp[];
  state: KeyState | null;
};

export type World = { readonly roster: Roster; readonly replicas: readonly Replica[] };

export type Action =
  | { kind: 'do'; replica: number; intent: Intent; ms: number }
  | { kind: 'pull'; from: number; to: number; count: number };

const WRITERS = [makeActorId(1, 0, 5n), makeActorId(2, 0, 3n), makeActorId(1, 1, 9n)];

export function newWorld(): World {
  const roster = emptyRoster();
  // The roster order differs from the id order, as it does in life.
  const actors = [...WRITERS].reverse().map((id) => internActor(roster, id));
  return { roster, replicas: actors.map((actor) => newReplica(actor)) };
}

export function newReplica(actor: Actor): Replica {
  return { actor, clock: newClock(), vector: emptyVector(), log: [], state: null };
}

/** Plays a history; `afterEach` is called with the replica that changed. */
export function play(actions: readonly Action[], afterEach?: (replica: Replica) => void): World {
  const world = newWorld();
  for (const action of actions) {
    if (action.kind === 'do') {
      const replica = world.replicas[action.replica];
      write(world, replica, action.intent, action.ms);
      afterEach?.(replica);
    } else {
      pull(world.replicas[action.from], world.replicas[action.to], action.count);
      afterEach?.(world.replicas[action.to]);
    }
  }
  return world;
}

/** Lets a client write at a replica. Writes of another type than the visible one are refused. */
export function write(world: World, replica: Replica, intent: Intent, ms = 0): void {
  const part = visiblePart(replica.state, world.roster);
  const wanted = partOf(intent);
  if (part !== null && wanted !== null && wanted !== part) return;
  if (intent.kind === 'flush' && replica.state !== null && holdsIncrements(replica.state)) {
    write(world, replica, { kind: 'del' }, ms);
  }
  const op = prepare(replica, intent, world.roster) ?? prepareStream(replica, intent, world.roster);
  if (op === null) return;
  const seq = (replica.vector[replica.actor] ?? 0) + 1;
  const hlc = tick(replica.clock, HLC_EPOCH_MS + ms);
  const envelope = { actor: replica.actor, seq, hlc, slot: 0, op };
  receiveOp(replica, { envelope, intent, saw: copyVector(replica.vector) });
}

/** Applies up to `count` ops that `from` has and `to` lacks. */
export function pull(from: Replica, to: Replica, count = Number.POSITIVE_INFINITY): void {
  let left = count;
  for (const op of [...from.log]) {
    if (left <= 0) return;
    if (covers(to.vector, op.envelope.actor, op.envelope.seq)) continue;
    receiveOp(to, op);
    left--;
  }
}

/** Applies one op that is next in causal order, and checks the invariants. */
export function receiveOp(replica: Replica, op: HistoryOp): void {
  const { envelope } = op;
  replica.state = applyOp(replica.state, envelope);
  receive(replica.clock, envelope.hlc);
  advance(replica.vector, envelope.actor, envelope.seq);
  replica.log.push(op);
  checkKey(replica.state, replica.vector);
}

/** Each op of all replicas once. */
export function allOps(world: World): HistoryOp[] {
  const seen = new Map<string, HistoryOp>();
  for (const { log } of world.replicas) {
    for (const op of log) seen.set(`${op.envelope.actor}:${op.envelope.seq}`, op);
  }
  return [...seen.values()];
}

/** What clients see, and the states that a type clash hides. */
export function read(state: KeyState | null, roster: Roster): SpecValue {
  const fields = [...(state?.hash ?? [])].map(([field, cell]): [Bytes, Bytes] => [
    field,
    cellText(cell, roster) as Bytes,
  ]);
  const scores = [...(state?.zset ?? [])].map(([member, one]): [Bytes, number] => [
    member,
    cellScore(one, roster),
  ]);
  return {
    type: visibleType(state, roster),
    string: state?.cell == null ? null : cellText(state.cell, roster),
    set: [...(state?.set?.keys() ?? [])].sort(),
    hash: Object.fromEntries(fields),
    zset: Object.fromEntries(scores),
    stream: readStream(state?.stream ?? null, roster),
    hll: state?.hll == null ? null : pairsOf(unionOf(state.hll)),
    list: listValues(state, roster),
    expiry: ttlExpiry(state?.ttl ?? []),
    fieldExpiry: fieldExpiries(state, roster),
  };
}

/** A form in which equal states are deeply equal, whatever the order of their lists. */
export function canonical(state: KeyState | null): unknown {
  if (state === null) return null;
  const dots = <T extends Dot>(items: readonly T[]) => [...items].sort((a, b) => a.actor - b.actor);
  const cell = (one: Cell) => [dots(one.siblings), dots(one.contributions)];
  const instance = (one: HllInstance) => [
    [one.actor, one.seq, one.hlc],
    dots(one.writers),
    packRegisters(one.registers),
  ];
  const byName = <T>(map: Map<Bytes, T> | null, each: (item: T) => unknown) =>
    [...(map ?? [])].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, item]) => [name, each(item)]);
  return {
    cell: state.cell === null ? null : cell(state.cell),
    set: byName(state.set, dots),
    hash: byName(state.hash, cell),
    zset: byName(state.zset, cell),
    stream: state.stream === null ? null : canonicalStream(state.stream),
    hll: dots(state.hll?.instances ?? []).map(instance),
    list: (state.list === null ? [] : elementsOf(state.list)).map(({ id, siblings }) => [
      id,
      dots(siblings),
    ]),
    ttl: dots(state.ttl),
    fieldTtl: byName(state.fieldTtl?.writes ?? null, (writes) =>
      dots(writes).map(({ saw, ...write }) => ({ ...write, saw: bySeq(saw) })),
    ),
  };
}

function partOf(intent: Intent): PartName | null {
  switch (intent.kind) {
    case 'incr':
      return 'cell';
    case 'pfadd':
      return 'hll';
    case 'sadd':
    case 'srem':
      return 'set';
    case 'hset':
    case 'hincr':
    case 'hdel':
    case 'hexpire':
      return 'hash';
    case 'zadd':
    case 'zincr':
    case 'zrem':
      return 'zset';
    case 'xadd':
    case 'xdel':
    case 'xtrim':
    case 'xgroup':
    case 'xdestroy':
    case 'xread':
    case 'xack':
      return 'stream';
    case 'push':
    case 'linsert':
    case 'lset':
    case 'lrem':
      return 'list';
    default:
      return null;
  }
}

function prepare({ state, vector, actor }: Replica, intent: Intent, roster: Roster): Op | null {
  const tie = tieOf(actorId(roster, actor));
  const seq = (vector[actor] ?? 0) + 1;
  switch (intent.kind) {
    case 'set':
      return prepareStringSet(state, KEY, intent.value, intent.expiry, vector);
    case 'incr':
      return prepareStringAdd(state, KEY, intent.delta, actor);
    case 'sadd':
      return prepareSetAdd(state, KEY, intent.members);
    case 'srem':
      return prepareSetRemove(state, KEY, intent.members);
    case 'hset':
      return prepareHashSet(state, KEY, intent.pairs);
    case 'hincr':
      return prepareHashAdd(state, KEY, intent.field, intent.delta, actor);
    case 'hdel':
      return prepareHashRemove(state, KEY, intent.fields);
    case 'zadd':
      return prepareZsetSet(state, KEY, intent.pairs);
    case 'zincr':
      return prepareZsetAdd(state, KEY, intent.field, intent.delta, actor, roster);
    case 'zrem':
      return prepareZsetRemove(state, KEY, intent.fields);
    case 'hexpire':
      return prepareHashExpire(state, KEY, intent.fields, intent.expiry);
    case 'pfadd':
      return prepareHllAdd(state, KEY, packRegisters(registersOf(intent.registers)), false);
    case 'push':
      return prepareListPush(state, KEY, intent.left, intent.values, tie, seq);
    case 'linsert':
    case 'lset':
    case 'lrem':
      return prepareInList(state, intent, vector, tie, seq);
    case 'del':
      return prepareDelete(state, KEY, vector);
    case 'flush':
      return { kind: 'flush', vector: copyVector(vector) };
    case 'expire':
      return prepareExpire(state, KEY, intent.expiry);
    default:
      return null;
  }
}

function registersOf(pairs: readonly (readonly [index: number, value: number])[]): Registers {
  let registers: Registers = NO_REGISTERS;
  for (const [index, value] of pairs) registers = raise(registers, index, value);
  return registers;
}

/** Registers above 0 as an object. */
function pairsOf(registers: Registers): Record<number, number> {
  const pairs: Record<number, number> = {};
  eachRegister(registers, (index, value) => {
    pairs[index] = value;
  });
  return pairs;
}

function bySeq(items: readonly Dot[]): Dot[] {
  return [...items].sort((a, b) => a.actor - b.actor || a.seq - b.seq);
}

/** Fields that expire, and when. */
function fieldExpiries(state: KeyState | null, roster: Roster): Record<Bytes, number> {
  const found: Record<Bytes, number> = {};
  for (const field of state?.fieldTtl?.writes.keys() ?? []) {
    const winner = fieldTtlWinner(state!.fieldTtl!, state!.hash, field, roster);
    if (winner !== null) found[field] = winner.expiry;
  }
  return found;
}

function prepareInList(
  state: KeyState | null,
  intent: Extract<Intent, { kind: 'linsert' | 'lset' | 'lrem' }>,
  vector: VersionVector,
  tie: number,
  seq: number,
): Op | null {
  if (state === null || state.list === null) return null;
  const { list } = state;
  const at = intent.at % list.size;
  if (intent.kind === 'linsert') return prepareListInsert(list, KEY, at, intent.value, tie, seq);
  if (intent.kind === 'lset') return prepareListSet(list, KEY, at, intent.value);
  const to = Math.min(list.size, at + intent.count) - 1;
  if (intent.trim) return prepareListTrim(state, KEY, at, to, vector);
  return prepareListRemove(
    state,
    KEY,
    Array.from({ length: to - at + 1 }, (_, i) => at + i),
  );
}

function listValues(state: KeyState | null, roster: Roster): Bytes[] {
  if (state === null || state.list === null) return [];
  return elementsOf(state.list).map(
    ({ siblings }) => cellText({ siblings: [...siblings], contributions: [] }, roster) as Bytes,
  );
}

/** A copy that shares nothing with the state. */
export function cloneKey(state: KeyState | null): KeyState | null {
  if (state === null) return null;
  const { list, ...rest } = state;
  // A list holds Buffers, which structuredClone makes plain arrays of.
  const copy = list === null ? null : zipLists(list, emptyList(), (siblings) => [...siblings]);
  return { ...structuredClone(rest), list: copy };
}
