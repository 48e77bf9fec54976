/** Random ops for the tests of this folder, and what is needed to compare them across rosters. */
import fc from 'fast-check';
import { type Amount, fromUnits } from '../crdt/amount.ts';
import type { Bytes, Dot } from '../crdt/dot.ts';
import { NO_TTL, type Op } from '../crdt/op.ts';
import {
  NO_REGISTERS,
  packRegisters,
  REGISTER_COUNT,
  REGISTER_VALUE_MAX,
  type Registers,
  raise,
} from '../crdt/registers.ts';
import { actorText, emptyRoster, internActor, makeActorId, type Roster } from '../crdt/roster.ts';
import { encodeScore } from '../crdt/score.ts';
import type { VersionVector } from '../crdt/version-vector.ts';
import { slotOf } from '../keyspace/slot.ts';

/** Test actors; index 0 is the writer. */
export const ACTOR_IDS = [
  makeActorId(1, 0, 0x18f2a11c0ffee001n),
  makeActorId(2, 3, 0x18f2a11c0ffee002n),
  makeActorId(1, 1, 0x18f2a11c0ffee003n),
  makeActorId(16, 65535, 0xffffffffffffffffn),
];

/** A roster with the test actors, first in the order given. */
export function rosterOf(order: readonly number[]): Roster {
  const roster = emptyRoster();
  for (const index of order) internActor(roster, ACTOR_IDS[index]);
  return roster;
}

export const FIRST_SEQ = 2 ** 33;

export const bytes: fc.Arbitrary<Bytes> = fc
  .uint8Array({ maxLength: 70 })
  .map((array) => Buffer.from(array).toString('latin1'));

export const amount: fc.Arbitrary<Amount> = fc.oneof(
  fc.maxSafeInteger().map((whole) => (Object.is(whole, -0) ? 0 : whole)),
  fc.bigInt({ min: -(2n ** 200n), max: 2n ** 200n }).map(fromUnits),
);

const seq = fc.oneof(fc.integer({ min: 1, max: FIRST_SEQ - 1 }), fc.constant(1));
const dot: fc.Arbitrary<Dot> = fc.record({ actor: fc.nat(ACTOR_IDS.length - 1), seq });
const dots = fc.array(dot, { maxLength: 3 });
const floors = fc.array(fc.record({ actor: fc.nat(3), seq, cum: amount }), { maxLength: 2 });
const expiry = fc.constantFrom(null, Number.POSITIVE_INFINITY, 0, 1767225600000);
const ttl = fc.oneof(fc.constant(NO_TTL), fc.record({ drops: dots, expiry }));
const vector: fc.Arbitrary<VersionVector> = fc.array(fc.oneof(fc.constant(0), seq), {
  maxLength: ACTOR_IDS.length,
});
const removal = fc.record({
  vector: fc.option(vector),
  dots,
  floors: fc.array(
    fc
      .record({
        part: fc.constantFrom('cell' as const, 'hash' as const, 'zset' as const),
        field: bytes,
        actor: fc.nat(3),
        seq,
        cum: amount,
      })
      .map((floor) => (floor.part === 'cell' ? { ...floor, field: null } : floor)),
    { maxLength: 2 },
  ),
});
const pred = fc.option(fc.record({ seq, cum: amount }));
const members = fc.array(fc.record({ member: bytes, drops: dots }), {
  minLength: 1,
  maxLength: 3,
});
const fieldDrops = { field: bytes, drops: dots, floors };
export const score: fc.Arbitrary<Bytes> = fc.double({ noNaN: true }).map(encodeScore);

const packedRegisters = fc
  .array(fc.tuple(fc.nat(REGISTER_COUNT - 1), fc.integer({ min: 1, max: REGISTER_VALUE_MAX })))
  .map((pairs) => packRegisters(registersFrom(pairs)));

/** So many that they are dense. */
const manyRegisters = packRegisters(
  registersFrom(Array.from({ length: 5000 }, (_, n) => [n * 3, 1 + (n % REGISTER_VALUE_MAX)])),
);

function registersFrom(pairs: readonly (readonly [index: number, value: number])[]): Registers {
  let registers: Registers = NO_REGISTERS;
  for (const [index, value] of pairs) registers = raise(registers, index, value);
  return registers;
}

const plainSet: fc.Arbitrary<Op> = fc
  .record({ key: bytes, value: bytes, drops: fc.array(dot, { maxLength: 1 }), expiry })
  .chain(({ drops, expiry: at, ...rest }) =>
    fc.constantFrom(drops, []).map((ttlDrops): Op => {
      const own = { drops: ttlDrops, expiry: at };
      return { kind: 'string-set', ...rest, drops, floors: [], ttl: own, clear: null };
    }),
  );

const seen = { drops: fc.array(dot, { maxLength: 1 }) };
const plainElements: fc.Arbitrary<Op> = fc.oneof(
  fc.record({
    kind: fc.constant('set-add' as const),
    key: bytes,
    members: fc.array(fc.record({ member: bytes, ...seen }), { minLength: 1, maxLength: 4 }),
    ttl: fc.constant(NO_TTL),
  }),
  fc.record({
    kind: fc.constant('hash-set' as const),
    key: bytes,
    fields: fc.array(fc.record({ field: bytes, value: bytes, ...seen, floors: fc.constant([]) }), {
      minLength: 1,
      maxLength: 4,
    }),
    ttl: fc.constant(NO_TTL),
  }),
  fc.record({
    kind: fc.constant('zset-set' as const),
    key: bytes,
    fields: fc.array(fc.record({ field: bytes, value: score, ...seen, floors: fc.constant([]) }), {
      minLength: 1,
      maxLength: 4,
    }),
    ttl: fc.constant(NO_TTL),
  }),
);

const streamId = fc
  .uint8Array({ minLength: 16, maxLength: 16 })
  .map((array) => Buffer.from(array).toString('latin1'));
const count = fc.nat(2 ** 31 - 1);
const ids = fc.array(fc.record({ id: streamId, drops: dots }), { maxLength: 2 });
const position = { last: streamId, read: fc.integer({ min: -1, max: 9 }), seen: dots };

const streamOp: fc.Arbitrary<Op> = fc.oneof(
  fc.record({
    kind: fc.constant('stream-add' as const),
    key: bytes,
    id: streamId,
    fields: fc
      .array(fc.tuple(bytes, bytes), { minLength: 1, maxLength: 3 })
      .map((all) => all.flat()),
    added: fc.integer({ min: 1, max: 2 ** 31 }),
    deleted: fc.oneof(fc.constant('\0'.repeat(16)), streamId),
    ttl,
  }),
  fc.record({
    kind: fc.constant('stream-remove' as const),
    key: bytes,
    entries: ids,
    range: fc.option(fc.record({ to: streamId, vector })),
    raise: fc.option(fc.record({ mark: dot, deleted: streamId })),
  }),
  fc.record({
    kind: fc.constant('stream-mark' as const),
    key: bytes,
    last: streamId,
    added: count,
    deleted: streamId,
    drops: dots,
    ttl,
  }),
  fc.record({
    kind: fc.constant('stream-group' as const),
    key: bytes,
    group: bytes,
    ...position,
    gone: dots,
    vector: fc.option(vector),
  }),
  fc.record({
    kind: fc.constant('stream-ungroup' as const),
    key: bytes,
    group: bytes,
    vector,
    ttl,
  }),
  fc.record({
    kind: fc.constant('stream-deliver' as const),
    key: bytes,
    group: bytes,
    cursor: fc.option(
      fc.record({
        ...position,
        left: fc.array(fc.record({ id: streamId, actor: fc.nat(3), seq }), { maxLength: 2 }),
        drops: dots,
      }),
    ),
    consumer: fc.option(fc.record({ name: bytes, atMs: count, drops: dots })),
    forget: fc.option(fc.record({ name: bytes, drops: dots })),
    owner: bytes,
    atMs: count,
    claims: fc.array(fc.record({ id: streamId, drops: dots, count }), { maxLength: 2 }),
    acks: ids,
  }),
);
const listN = fc.constantFrom(0, -1, 7, 2 ** 47 - 1, -(2 ** 47));
const listId = fc
  .array(
    fc.tuple(
      listN,
      fc.constantFrom(1, 2 ** 48 - 1),
      fc.oneof(
        seq,
        seq.map((one) => -one),
      ),
      fc.constantFrom(0, 1, -1, 2 ** 31 - 10, 1 - 2 ** 31),
    ),
    { minLength: 1, maxLength: 3 },
  )
  .map((components) => components.flat());

/** An op of any kind that a good writer could make as op number `FIRST_SEQ` or later. */
export const anyOp: fc.Arbitrary<Op> = fc.oneof(
  plainSet,
  plainElements,
  fc.record({
    kind: fc.constant('string-set' as const),
    key: bytes,
    value: bytes,
    drops: dots,
    floors,
    ttl,
    clear: fc.option(removal),
  }),
  fc.record({
    kind: fc.constant('string-add' as const),
    key: bytes,
    cum: amount,
    pred,
    ttl: fc.oneof(fc.constant(NO_TTL), ttl),
  }),
  fc.record({ kind: fc.constant('set-add' as const), key: bytes, members, ttl }),
  fc.record({ kind: fc.constant('set-remove' as const), key: bytes, members, ttl }),
  fc.record({
    kind: fc.constant('hash-set' as const),
    key: bytes,
    fields: fc.array(fc.record({ ...fieldDrops, value: bytes }), { minLength: 1, maxLength: 2 }),
    ttl,
  }),
  fc.record({
    kind: fc.constant('hash-add' as const),
    key: bytes,
    field: bytes,
    cum: amount,
    pred,
    ttl,
  }),
  fc.record({
    kind: fc.constant('hash-remove' as const),
    key: bytes,
    fields: fc.array(fc.record(fieldDrops), { minLength: 1, maxLength: 2 }),
    ttl,
  }),
  fc.record({
    kind: fc.constant('zset-set' as const),
    key: bytes,
    fields: fc.array(fc.record({ ...fieldDrops, value: score }), { minLength: 1, maxLength: 2 }),
    ttl,
  }),
  fc.record({
    kind: fc.constant('zset-add' as const),
    key: bytes,
    field: bytes,
    cum: amount,
    pred,
    ttl,
  }),
  fc.record({
    kind: fc.constant('zset-remove' as const),
    key: bytes,
    fields: fc.array(fc.record(fieldDrops), { minLength: 1, maxLength: 2 }),
    ttl,
  }),
  fc.record({
    kind: fc.constant('hash-expire' as const),
    key: bytes,
    fields: fc.array(
      fc.record({ field: bytes, drops: dots, saw: fc.array(dot, { minLength: 1, maxLength: 2 }) }),
      { minLength: 1, maxLength: 2 },
    ),
    expiry: fc.constantFrom(Number.POSITIVE_INFINITY, 0, 1767225600000),
  }),
  fc.record({
    kind: fc.constant('hll-add' as const),
    key: bytes,
    instance: fc.option(dot),
    registers: fc.oneof(packedRegisters, fc.constantFrom('', manyRegisters)),
    drops: dots,
    floors,
    ttl,
  }),
  fc.record({
    kind: fc.constant('list-push' as const),
    key: bytes,
    left: fc.boolean(),
    n: listN,
    tie: fc.nat(2 ** 31),
    values: fc.array(bytes, { minLength: 1, maxLength: 3 }),
    ttl,
  }),
  fc.record({
    kind: fc.constant('list-write' as const),
    key: bytes,
    id: listId,
    value: bytes,
    drops: dots,
    ttl,
  }),
  fc.record({
    kind: fc.constant('list-remove' as const),
    key: bytes,
    spans: fc.array(fc.record({ id: listId, count: fc.integer({ min: 1, max: 9 }), drops: dots }), {
      minLength: 1,
      maxLength: 2,
    }),
    ttl,
  }),
  fc.record({
    kind: fc.constant('list-trim' as const),
    key: bytes,
    from: fc.option(listId),
    to: fc.option(listId),
    vector,
    ttl,
  }),
  fc.record({ kind: fc.constant('delete' as const), key: bytes, removal }),
  dot.chain(({ actor, seq: at }) =>
    bytes.map((key): Op => {
      const one = { vector: null, dots: [{ actor, seq: at }], floors: [] };
      return { kind: 'delete', key, removal: one };
    }),
  ),
  streamOp,
  fc.record({ kind: fc.constant('expire' as const), key: bytes, ttl }),
  fc.record({ kind: fc.constant('flush' as const), vector }),
);

export function slotOfOp(op: Op): number {
  if (op.kind === 'flush') return 0;
  const key = Buffer.from(op.key, 'latin1');
  return slotOf(key, 0, key.length);
}

/** The op with actor ids in place of roster indexes, so that two members' views can be compared. */
export function named(value: unknown, roster: Roster): unknown {
  if (Array.isArray(value)) return value.map((item) => named(item, roster));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => {
      if (name === 'actor') return [name, actorText(roster.ids[item as number])];
      if (name !== 'vector' || item === null) return [name, named(item, roster)];
      const entries = (item as VersionVector)
        .map((at, actor): [string, number] => [actorText(roster.ids[actor]), at])
        .filter(([, at]) => at > 0);
      return [name, Object.fromEntries(entries)];
    }),
  );
}
