import fc from 'fast-check';
import { history } from '../op/arbitrary-history.ts';
import { checkKey } from './check.ts';
import { emptyKeyState, type KeyState, mergeKey } from './key-state.ts';
import { canonical, cloneKey, play } from './laws-history.ts';
import { joinStates, missingFloors, withFloors } from './repair.ts';

const RUNS = Number(process.env.LAWS_RUNS ?? 400);

/** Three states that have nothing to do with each other but the actors: what defects may leave. */
const states = fc
  .tuple(history, history, history)
  .map((worlds) => worlds.map((actions) => play(actions).replicas[0].state));

const law = (name: string, holds: (a: KeyState, b: KeyState, c: KeyState) => void): void => {
  test(name, () => {
    fc.assert(
      fc.property(states, ([a, b, c]) => holds(a as KeyState, b as KeyState, c as KeyState)),
      { numRuns: RUNS },
    );
  });
};

describe('joining states that should be equal', () => {
  law('is commutative', (a, b) => {
    expect(canonical(joinStates(a, b))).toEqual(canonical(joinStates(b, a)));
  });

  law('is associative', (a, b, c) => {
    const left = joinStates(joinStates(a, b), c);
    expect(canonical(left)).toEqual(canonical(joinStates(a, joinStates(b, c))));
  });

  law('is idempotent, and keeps the invariants of a state', (a, b) => {
    const joined = joinStates(a, b);
    checkKey(joined, null);
    expect(canonical(joinStates(joined, b))).toEqual(canonical(joined));
    expect(canonical(joinStates(a, a))).toEqual(canonical(a));
  });

  law('leaves what it is given as it was', (a, b) => {
    const before = [canonical(a), canonical(b)];
    joinStates(a, b);
    expect([canonical(a), canonical(b)]).toEqual(before);
  });
});

test('a state merge never lowers a floor that one of the two holds', () => {
  const property = fc.property(history, fc.nat(2), fc.nat(2), (actions, i, j) => {
    const { replicas } = play(actions);
    const [a, b] = [replicas[i % replicas.length], replicas[j % replicas.length]];
    const merged = mergeKey(cloneKey(a.state), a.vector, b.state, b.vector);
    expect(missingFloors(merged, a.state)).toEqual([]);
    expect(missingFloors(merged, b.state)).toEqual([]);
  });
  fc.assert(property, { numRuns: RUNS });
});

test('floors that are missing are found, and raising them is the whole repair', () => {
  const lost = counter(0, 0);
  const kept = counter(1, 30);
  const inMap = (state: KeyState, part: 'hash' | 'zset'): KeyState => {
    return { ...state, cell: null, [part]: new Map([['f', state.cell!]]) };
  };
  const floor = { actor: 0, seq: 1, cum: 30 };
  expect(missingFloors(lost, kept)).toEqual([{ part: 'cell', field: null, ...floor }]);
  for (const part of ['hash', 'zset'] as const) {
    const found = missingFloors(inMap(lost, part), inMap(kept, part));
    expect(found).toEqual([{ part, field: 'f', ...floor }]);
  }
  expect(missingFloors(kept, lost)).toEqual([]);
  for (const [mine, theirs] of [
    [lost, kept],
    [inMap(lost, 'hash'), inMap(kept, 'hash')],
    [inMap(lost, 'zset'), inMap(kept, 'zset')],
  ]) {
    const before = canonical(mine);
    const raised = withFloors(mine, missingFloors(mine, theirs));
    checkKey(raised, null);
    expect(canonical(raised)).toEqual(canonical(theirs));
    expect(canonical(joinStates(mine, theirs))).toEqual(canonical(theirs));
    expect(canonical(mine)).toEqual(before);
  }
});

/** A counter of one actor that stands at 50 and was reset when it stood at `floorCum`. */
function counter(floorSeq: number, floorCum: number): KeyState {
  const contribution = { actor: 0, seq: 2, hlc: 1, cum: 50, floorSeq, floorCum };
  const cell = { siblings: [], contributions: [contribution] };
  return { ...emptyKeyState(), cell };
}
