/**
 * The laws that every type of a key obeys, over random histories of three replicas (see
 * laws-history.ts) with strings, counters and their floors, sets, hashes, sorted sets, TTLs, type clashes, DEL
 * and FLUSH mixed on one key. laws-spec.ts says what the values must be.
 *
 * One law has one exception, the *straddle* of cell.ts: states are merged, one of them has dropped an
 * actor's contribution after seeing some of its increments, and the other holds that contribution
 * with a later increment and a floor below what the first had seen. `straddles` finds exactly
 * these (actor, cell) pairs; the laws of merging compare everything else.
 */
import fc from 'fast-check';
import { history } from '../op/arbitrary-history.ts';
import { applyOp } from './apply-op.ts';
import type { Cell } from './cell.ts';
import type { Actor, Bytes } from './dot.ts';
import { type KeyState, mergeKey, normalise } from './key-state.ts';
import {
  type Action,
  allOps,
  canonical,
  cloneKey,
  type HistoryOp,
  newReplica,
  play,
  pull,
  type Replica,
  read,
  receiveOp,
  type World,
} from './laws-history.ts';
import { spec } from './laws-spec.ts';
import type { FloorPart } from './op.ts';
import { copyVector, covers, joinVector, seqOf, type VersionVector } from './version-vector.ts';

/** Histories per law; a long run is `LAWS_RUNS=20000`. */
const RUNS = Number(process.env.LAWS_RUNS ?? 400);

type Seen = { state: KeyState | null; vector: VersionVector };
type Straddle = { actor: Actor; part: FloorPart; field: Bytes | null };

const law = (name: string, holds: (actions: Action[]) => void, runs = RUNS): void => {
  test(name, () => fc.assert(fc.property(history, holds), { numRuns: runs }));
};

describe('laws of ops', () => {
  law('values equal the spec of the visible ops, after every step', (actions) => {
    const roster = play([]).roster;
    play(actions, (replica) => {
      expect(read(replica.state, roster)).toEqual(spec(replica.log, roster));
    });
  });

  law('apply is idempotent: an op twice in a row is the op once', (actions) => {
    const world = play(actions);
    for (const { log } of world.replicas) {
      let state: KeyState | null = null;
      for (const { envelope } of log) {
        state = applyOp(state, envelope);
        const once = canonical(state);
        state = applyOp(state, envelope);
        expect(canonical(state)).toEqual(once);
      }
    }
  });

  test('ops in any causal order converge', () => {
    fc.assert(
      fc.property(history, fc.infiniteStream(fc.nat(99)), (actions, choices) => {
        const world = play(actions);
        const ops = allOps(world);
        const first = replay(ops, choices);
        const second = replay(ops, choices);
        expect(canonical(second.state)).toEqual(canonical(first.state));
        expect(read(first.state, world.roster)).toEqual(spec(ops, world.roster));
      }),
      { numRuns: RUNS },
    );
  });

  law('replicas that pull everything from each other are equal', (actions) => {
    const { replicas } = play(actions);
    for (const from of replicas) for (const to of replicas) pull(from, to);
    for (const from of replicas) for (const to of replicas) pull(from, to);
    for (const replica of replicas) {
      expect(canonical(replica.state)).toEqual(canonical(replicas[0].state));
    }
  });

  law('prepare leaves the state as it was and ops are not tied to it', (actions) => {
    const { replicas } = play(actions);
    for (const replica of replicas) {
      const again = newReplica(replica.actor);
      for (const op of structuredClone(replica.log)) receiveOp(again, op);
      expect(canonical(again.state)).toEqual(canonical(replica.state));
    }
  });
});

describe('laws of merge', () => {
  law('merge is commutative', (actions) => {
    forPairs(play(actions), (a, b, ignore) => {
      expect(comparable(merge(a, b).state, ignore)).toEqual(comparable(merge(b, a).state, ignore));
    });
  });

  law('merge is associative', (actions) => {
    const world = play(actions);
    const [a, b, c] = world.replicas;
    const ignore = [...pairStraddles(world, a, b), ...pairStraddles(world, b, c)].concat(
      pairStraddles(world, a, c),
    );
    const left = merge(merge(a, b), c).state;
    const right = merge(a, merge(b, c)).state;
    expect(comparable(left, ignore)).toEqual(comparable(right, ignore));
  });

  law('merge is idempotent', (actions) => {
    forPairs(play(actions), (a, b, ignore) => {
      expect(canonical(merge(a, a).state)).toEqual(canonical(a.state));
      const once = merge(a, b);
      expect(canonical(merge(once, once).state)).toEqual(canonical(once.state));
      expect(comparable(merge(once, b).state, ignore)).toEqual(comparable(once.state, ignore));
    });
  });

  law('exchange of ops equals merge of states', (actions) => {
    forPairs(play(actions), (a, b, ignore) => {
      const exchanged = exchange(a, b);
      expect(comparable(merge(a, b).state, ignore)).toEqual(comparable(exchanged.state, ignore));
    });
  });

  law('a state that is ahead replaces one that is behind, counters included', (actions) => {
    forPairs(play(actions), (a, b) => {
      const ahead = exchange(a, b);
      expect(canonical(merge(a, ahead).state)).toEqual(canonical(ahead.state));
      expect(canonical(merge(ahead, a).state)).toEqual(canonical(ahead.state));
    });
  });

  law(
    'a state followed by the ops it lacks equals exchange of ops, counters included',
    (actions) => {
      forPairs(play(actions), (a, b) => {
        let state = cloneKey(b.state);
        for (const { envelope } of (a as Replica).log) {
          if (!covers(b.vector, envelope.actor, envelope.seq)) state = applyOp(state, envelope);
        }
        expect(canonical(state)).toEqual(canonical(exchange(a, b).state));
      });
    },
  );

  law('merge leaves the other state as it was', (actions) => {
    forPairs(play(actions), (a, b) => {
      const before = canonical(b.state);
      const mine = cloneKey(a.state);
      const merged = mergeKey(mine, a.vector, b.state, b.vector);
      const log = (a as Replica).log.concat((b as Replica).log);
      for (const { envelope } of log) applyOp(merged, envelope);
      expect(canonical(b.state)).toEqual(before);
    });
  });

  test('histories do reach the straddle, and most do not', () => {
    const seen = { straddles: 0, histories: 0 };
    fc.assert(
      fc.property(history, (actions) => {
        const world = play(actions);
        const [a, b] = world.replicas;
        seen.histories++;
        if (pairStraddles(world, a, b).length > 0) seen.straddles++;
      }),
      { numRuns: 1500, seed: 7 },
    );
    expect(seen.straddles).toBeGreaterThan(0);
    expect(seen.straddles).toBeLessThan(seen.histories / 20);
  });
});

// ── What the laws are written with ──────────────────────────────────────────────────────────

/** The canonical form without the contributions in `ignore`. */
function comparable(state: KeyState | null, ignore: readonly Straddle[]): unknown {
  if (state === null) return null;
  return canonical(normalise(withoutContributions(cloneKey(state) as KeyState, ignore)));
}

function withoutContributions(state: KeyState, ignore: readonly Straddle[]): KeyState {
  for (const { actor, part, field } of ignore) {
    const cell = cellOf(state, part, field);
    if (cell === null) continue;
    cell.contributions = cell.contributions.filter((one) => one.actor !== actor);
    if (field !== null && cell.contributions.length + cell.siblings.length === 0) {
      (part === 'zset' ? state.zset : state.hash)?.delete(field);
    }
  }
  return state;
}

function cellOf(state: KeyState | null, part: FloorPart, field: Bytes | null): Cell | null {
  if (state === null) return null;
  return part === 'cell' ? state.cell : (state[part]?.get(field ?? '') ?? null);
}

function merge(a: Seen, b: Seen): Seen {
  const vector = copyVector(a.vector);
  joinVector(vector, b.vector);
  const mine = cloneKey(a.state);
  return { state: mergeKey(mine, a.vector, cloneKey(b.state), b.vector), vector };
}

/** A fresh replica that has applied the ops of both. */
function exchange(a: Seen, b: Seen): Replica {
  const both = newReplica(0);
  pull(a as Replica, both);
  pull(b as Replica, both);
  return both;
}

function forPairs(
  world: World,
  holds: (a: Seen, b: Seen, ignore: readonly Straddle[]) => void,
): void {
  const { replicas } = world;
  for (const [a, b] of [
    [replicas[0], replicas[1]],
    [replicas[1], replicas[2]],
    [replicas[2], replicas[0]],
  ]) {
    holds(a, b, pairStraddles(world, a, b));
  }
}

function pairStraddles(world: World, a: Seen, b: Seen): Straddle[] {
  const ops = allOps(world);
  return [...straddles(ops, a, b), ...straddles(ops, b, a)];
}

/** The contributions that `holder` has, `other` dropped, and `holder` saw grow beyond that. */
function straddles(ops: readonly HistoryOp[], holder: Seen, other: Seen): Straddle[] {
  const found: Straddle[] = [];
  const look = (cell: Cell, part: FloorPart, field: Bytes | null): void => {
    for (const { actor, seq, floorSeq } of cell.contributions) {
      const lack = cellOf(other.state, part, field)?.contributions.some(
        (one) => one.actor === actor,
      );
      const known = seqOf(other.vector, actor);
      if (lack === true || known >= seq) continue;
      const dropped = ops.some(({ envelope, intent }) => {
        const here = field === null ? intent.kind === 'incr' : isFieldAdd(intent, part, field);
        const { seq: at } = envelope;
        return here && envelope.actor === actor && at > floorSeq && at <= known;
      });
      if (dropped) found.push({ actor, part, field });
    }
  };
  if (holder.state?.cell != null) look(holder.state.cell, 'cell', null);
  for (const part of ['hash', 'zset'] as const) {
    for (const [field, cell] of holder.state?.[part] ?? []) look(cell, part, field);
  }
  return found;
}

function isFieldAdd(intent: HistoryOp['intent'], part: FloorPart, field: Bytes): boolean {
  if (intent.kind !== 'hincr' && intent.kind !== 'zincr') return false;
  return (intent.kind === 'hincr') === (part === 'hash') && intent.field === field;
}

/** Applies all ops in some order that respects causality, chosen by `choices`. */
function replay(ops: readonly HistoryOp[], choices: Iterator<number>): Replica {
  const replica = newReplica(0);
  let rest = [...ops];
  while (rest.length > 0) {
    const ready = rest.filter(
      ({ envelope, saw }) =>
        seqOf(replica.vector, envelope.actor) === envelope.seq - 1 &&
        saw.every((seq, actor) => seqOf(replica.vector, actor) >= seq),
    );
    const next = ready[choices.next().value % ready.length];
    receiveOp(replica, next);
    rest = rest.filter((op) => op !== next);
  }
  return replica;
}
