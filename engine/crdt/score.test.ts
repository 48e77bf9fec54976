import fc from 'fast-check';
import { applyOp } from './apply-op.ts';
import type { Bytes } from './dot.ts';
import type { KeyState } from './key-state.ts';
import { canonical, KEY, newWorld, pull, write } from './laws-history.ts';
import { prepareZsetAdd, prepareZsetSet } from './prepare.ts';
import { emptyRoster, internActor, makeActorId } from './roster.ts';
import { cellScore, decodeScore, encodeScore, isScore } from './score.ts';

const roster = emptyRoster();
const self = internActor(roster, makeActorId(1, 0, 1n));
const anyScore = fc.double({ noNaN: true });
/** Doubles as clients write them. */
const decimal = fc
  .tuple(fc.integer({ min: -100000, max: 100000 }), fc.nat(6))
  .map(([digits, places]) => Number(`${digits}e-${places}`));

function scoreOf(state: KeyState | null, member: Bytes): number {
  return cellScore(state!.zset!.get(member)!, roster);
}

test('a score survives as the bytes of its double', () => {
  fc.assert(
    fc.property(anyScore, (score) => {
      expect(decodeScore(encodeScore(score))).toBe(score);
      expect(isScore(encodeScore(score))).toBe(true);
    }),
  );
  for (const score of [-0, 5e-324, -1.7976931348623157e308, Number.POSITIVE_INFINITY]) {
    expect(Object.is(decodeScore(encodeScore(score)), score)).toBe(true);
  }
  expect(isScore(encodeScore(Number.NaN))).toBe(false);
  expect(isScore('1')).toBe(false);
});

test('whatever is added, the source shows the sum that doubles give', () => {
  const deltas = fc.array(fc.oneof(decimal, decimal, anyScore), { minLength: 1, maxLength: 8 });
  fc.assert(
    fc.property(fc.oneof(decimal, anyScore), deltas, (base, added) => {
      let seq = 1;
      const first = prepareZsetSet(null, KEY, [['m', base]])!;
      let state = applyOp(null, { actor: self, seq, hlc: seq, slot: 0, op: first });
      let expected = base;
      for (const delta of added) {
        if (Number.isNaN(expected + delta)) continue;
        expected += delta;
        const op = prepareZsetAdd(state, KEY, 'm', delta, self, roster);
        seq++;
        state = applyOp(state, { actor: self, seq, hlc: seq, slot: 0, op });
        expect(Object.is(scoreOf(state, 'm'), expected)).toBe(true);
      }
    }),
    { numRuns: 500 },
  );
});

test('concurrent increments add up as decimals', () => {
  const world = newWorld();
  const [a, b] = world.replicas;
  write(world, a, { kind: 'zadd', pairs: [['x', 1.1]] });
  pull(a, b);
  write(world, a, { kind: 'zincr', field: 'x', delta: 1 });
  write(world, b, { kind: 'zincr', field: 'x', delta: 1 });
  pull(a, b);
  pull(b, a);
  expect(scoreOf(a.state, 'x')).toBe(3.1);
  expect(canonical(a.state)).toEqual(canonical(b.state));
});

test('what no decimal says is a base, to which concurrent increments add', () => {
  const world = newWorld();
  const [a, b] = world.replicas;
  write(world, a, { kind: 'zadd', pairs: [['x', 1]] });
  pull(a, b);
  write(world, a, { kind: 'zincr', field: 'x', delta: Number.NEGATIVE_INFINITY });
  write(world, b, { kind: 'zincr', field: 'x', delta: 2 });
  pull(a, b);
  expect(scoreOf(b.state, 'x')).toBe(Number.NEGATIVE_INFINITY);
  write(world, b, { kind: 'zadd', pairs: [['x', 5]] });
  write(world, a, { kind: 'zincr', field: 'x', delta: 4 });
  pull(a, b);
  // Of what it saw nothing is left, the increment that it had not seen adds.
  expect(scoreOf(b.state, 'x')).toBe(9);
});
