/**
 * Random histories for the laws of crdt/ and the tests of this folder. Each history uses only a few
 * kinds of intents, so that they meet in every way (swarm testing), and a value set small enough for
 * them to collide.
 */
import fc from 'fast-check';
import type { Amount } from '../crdt/amount.ts';
import { parseAmount } from '../crdt/amount-text.ts';
import type { Action, Intent } from '../crdt/laws-history.ts';

const value = fc.constantFrom('5', '-7', '2.5', 'abc', '', '9223372036854775807');
const delta = fc
  .constantFrom('1', '3', '-4', '0.1', '0', '-2.75', '9000000000000000000')
  .map((text) => parseAmount(text) as Amount);
// Sums of these are exact in doubles, so that the spec needs no rounding: zset.test.ts has the others.
// No 5e-324: an increment of what no decimal says is a new base, which the spec of sums cannot know (score.test.ts does).
const score = fc.constantFrom(5, -7, 2.5, -0, Number.POSITIVE_INFINITY, -1e308, 1e-9);
const scoreDelta = fc.constantFrom(1, 3, -4, 0.25, 0, -2.75);
const member = fc.constantFrom('a', 'b', 'c');
const group = fc.constantFrom('g', 'h');
const members = fc.uniqueArray(member, { minLength: 1, maxLength: 2 });
const expiry = fc.constantFrom(1000, 2000, 3000, Number.POSITIVE_INFINITY);

const intents: fc.Arbitrary<Intent>[] = [
  fc.record({
    kind: fc.constant('set' as const),
    value,
    expiry: fc.oneof(fc.constant(Number.POSITIVE_INFINITY), fc.constant(null), expiry),
  }),
  fc.record({ kind: fc.constant('incr' as const), delta }),
  fc.record({ kind: fc.constant('sadd' as const), members }),
  fc.record({ kind: fc.constant('srem' as const), members }),
  fc.record({
    kind: fc.constant('hset' as const),
    pairs: fc.array(fc.tuple(member, value), { minLength: 1, maxLength: 2 }),
  }),
  fc.record({ kind: fc.constant('hincr' as const), field: member, delta }),
  fc.record({ kind: fc.constant('hdel' as const), fields: members }),
  fc.record({
    kind: fc.constant('zadd' as const),
    pairs: fc.array(fc.tuple(member, score), { minLength: 1, maxLength: 2 }),
  }),
  fc.record({ kind: fc.constant('zincr' as const), field: member, delta: scoreDelta }),
  fc.record({ kind: fc.constant('zrem' as const), fields: members }),
  fc.record({ kind: fc.constant('xadd' as const), value }),
  fc.record({ kind: fc.constant('xdel' as const), at: fc.nat(3) }),
  fc.record({ kind: fc.constant('xtrim' as const), keep: fc.nat(2) }),
  fc.record({ kind: fc.constant('xgroup' as const), group, end: fc.boolean() }),
  fc.record({ kind: fc.constant('xdestroy' as const), group }),
  fc.record({ kind: fc.constant('xread' as const), group, count: fc.integer({ min: 1, max: 3 }) }),
  fc.record({ kind: fc.constant('xack' as const), group, at: fc.nat(2) }),
  fc.record({ kind: fc.constant('hexpire' as const), fields: members, expiry }),
  fc.record({
    kind: fc.constant('pfadd' as const),
    registers: fc.array(
      fc.tuple(fc.constantFrom(0, 1, 255, 256, 16_383), fc.constantFrom(1, 2, 51)),
      { maxLength: 3 },
    ),
  }),
  fc.record({
    kind: fc.constant('push' as const),
    left: fc.boolean(),
    values: fc.array(member, { minLength: 1, maxLength: 3 }),
  }),
  fc.record({ kind: fc.constant('linsert' as const), at: fc.nat(9), value: member }),
  fc.record({ kind: fc.constant('lset' as const), at: fc.nat(9), value: member }),
  fc.record({
    kind: fc.constant('lrem' as const),
    at: fc.nat(9),
    count: fc.integer({ min: 1, max: 3 }),
    trim: fc.boolean(),
  }),
  fc.constant<Intent>({ kind: 'del' }),
  fc.constant<Intent>({ kind: 'flush' }),
  fc.record({ kind: fc.constant('expire' as const), expiry }),
];

const replica = fc.nat(2);

const pulls: fc.Arbitrary<Action> = fc.record({
  kind: fc.constant('pull' as const),
  from: replica,
  to: replica,
  count: fc.constantFrom(1, 2, 100),
});

function actionOf(kinds: readonly fc.Arbitrary<Intent>[]): fc.Arbitrary<Action> {
  const intent = fc.oneof(...kinds);
  const writes = fc.record({ kind: fc.constant('do' as const), replica, intent, ms: fc.nat(2) });
  return fc.oneof({ weight: 3, arbitrary: writes }, { weight: 2, arbitrary: pulls });
}

/** Many adds of one replica, so that removals name a vector and not dots. */
const fill = fc.tuple(replica, fc.nat(2)).map(([at, type]) =>
  Array.from({ length: 18 }, (_, n): Action => {
    const name = `f${n}`;
    const adds: Intent[] = [
      { kind: 'hset', pairs: [[name, '1']] },
      { kind: 'sadd', members: [name] },
      { kind: 'zadd', pairs: [[name, n]] },
    ];
    return { kind: 'do', replica: at, intent: adds[type], ms: 0 };
  }),
);

/** Actions of three replicas on one key. */
export const history: fc.Arbitrary<Action[]> = fc
  .subarray(intents, { minLength: 2, maxLength: 5 })
  .chain((kinds) =>
    fc.array(
      fc.oneof(
        { weight: 40, arbitrary: actionOf(kinds).map((one) => [one]) },
        { weight: 1, arbitrary: fill },
      ),
      { minLength: 1, maxLength: 24, size: 'max' },
    ),
  )
  .map((parts) => parts.flat());
