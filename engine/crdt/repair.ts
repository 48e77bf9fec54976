/**
 * Two members have applied the same ops to a key and hold different states. Which is right?
 *
 * One case is known and has an answer. A state merge can lose the *floor* of a counter's contribution
 * (the straddle of cell.ts), never invent one. So of two floors the greater is right, and
 * `missingFloors` are what a reset said that this side has lost.
 *
 * Any other difference is a defect of code or memory, and nobody can tell a removal that one side
 * missed from a write that it lost. Then nothing that either side holds is dropped: what was removed may come
 * back, what was acknowledged is not lost. `joinStates` says what both hold together: of each actor
 * the later dot, the greater floor, and for one dot with two contents always the same of the two.
 * It is commutative, associative and idempotent, so that members that repair themselves from each other
 * in any order end up with one state.
 */
import { type Amount, toUnits } from './amount.ts';
import { type Cell, type Contribution, emptyCell, findContribution } from './cell.ts';
import type { Bytes, Dot, StampedDot } from './dot.ts';
import type { HashState } from './field-map.ts';
import {
  emptyFieldTtls,
  type FieldTtls,
  type FieldTtlWrite,
  pruneFieldTtls,
  joinDots as uniteDots,
} from './field-ttl.ts';
import { findInstance, type HllState } from './hyperloglog.ts';
import { emptyKeyState, type KeyState, normalise } from './key-state.ts';
import { emptyList } from './list.ts';
import { zipLists } from './list-part.ts';
import type { FieldFloor, FloorPart } from './op.ts';
import { PART_NAMES, type PartName, type PartStates } from './part.ts';
import { mergeRegisters, NO_REGISTERS } from './registers.ts';
import { newStream, type StreamState, unionEntries, withRaised } from './stream.ts';
import { combineGroups, newGroup } from './stream-group.ts';

/** Which floors of `theirs` are above those of the same contributions in `mine`. */
export function missingFloors(mine: KeyState | null, theirs: KeyState | null): FieldFloor[] {
  const floors: FieldFloor[] = [];
  const compare = (
    part: FloorPart,
    field: Bytes | null,
    held: Cell | null,
    other: Cell | null,
  ): void => {
    if (held === null || other === null) return;
    for (const { actor, seq, floorSeq, floorCum } of other.contributions) {
      const own = findContribution(held, actor);
      if (own === null || own.seq !== seq || own.floorSeq >= floorSeq) continue;
      floors.push({ part, field, actor, seq: floorSeq, cum: floorCum });
    }
  };
  compare('cell', null, mine?.cell ?? null, theirs?.cell ?? null);
  for (const part of ['hash', 'zset'] as const) {
    for (const [field, cell] of mine?.[part] ?? [])
      compare(part, field, cell, theirs?.[part]?.get(field) ?? null);
  }
  return floors;
}

/** The state with these floors raised: what a DEL that saw nothing but them makes of it. */
export function withFloors(state: KeyState, floors: readonly FieldFloor[]): KeyState {
  const raised: KeyState = {
    ...state,
    hash: state.hash === null ? null : new Map(state.hash),
    zset: state.zset === null ? null : new Map(state.zset),
  };
  for (const { part, field, actor, seq, cum } of floors) {
    const fields = part === 'cell' ? null : raised[part];
    const cell = field === null ? raised.cell : (fields?.get(field) ?? null);
    if (cell === null) continue;
    const contributions = cell.contributions.map((held) =>
      held.actor === actor ? { ...held, floorSeq: seq, floorCum: cum } : held,
    );
    if (field === null) raised.cell = { ...cell, contributions };
    else fields!.set(field, { ...cell, contributions });
  }
  return raised;
}

/** What two members hold together of a key. A new state; null: neither holds anything. */
export function joinStates(mine: KeyState | null, theirs: KeyState | null): KeyState | null {
  const a = mine ?? emptyKeyState();
  const b = theirs ?? emptyKeyState();
  const joined: Record<PartName, unknown> & Pick<KeyState, 'ttl' | 'fieldTtl'> = emptyKeyState();
  for (const name of PART_NAMES) {
    joined[name] = (JOINS[name] as (a: unknown, b: unknown) => unknown)(a[name], b[name]);
  }
  joined.ttl = joinDots(a.ttl, b.ttl, (x, y) => compareNumbers(x.expiry, y.expiry));
  joined.fieldTtl = joinFieldTtls(a.fieldTtl, b.fieldTtl, joined.hash as HashState | null);
  return normalise(joined as KeyState);
}

/** Of each field and actor the later TTL write, about all that either says it saw. */
function joinFieldTtls(
  a: FieldTtls | null,
  b: FieldTtls | null,
  hash: HashState | null,
): FieldTtls | null {
  if (a === null && b === null) return null;
  const joined = emptyFieldTtls();
  for (const field of new Set([...(a?.writes.keys() ?? []), ...(b?.writes.keys() ?? [])])) {
    const [x, y] = [a?.writes.get(field) ?? [], b?.writes.get(field) ?? []];
    const sawOf = (writes: readonly FieldTtlWrite[], { actor, seq }: Dot) =>
      writes.find((write) => write.actor === actor && write.seq === seq)?.saw ?? [];
    const writes = joinDots(x, y, (s, t) => compareNumbers(s.expiry, t.expiry)).map((write) => ({
      ...write,
      saw: uniteDots(sawOf(x, write), sawOf(y, write)),
    }));
    joined.writes.set(field, writes);
  }
  pruneFieldTtls(joined, hash, null);
  return joined;
}

/** Null when neither has anything of the part. */
const JOINS: {
  readonly [N in PartName]: (
    a: PartStates[N] | null,
    b: PartStates[N] | null,
  ) => PartStates[N] | null;
} = {
  cell: joinCells,
  set: (a, b) => joinMaps(a, b, (x, y) => joinDots(x ?? [], y ?? [], () => 0)),
  hash: (a, b) => joinMaps(a, b, (x, y) => joinCells(x, y)!),
  zset: (a, b) => joinMaps(a, b, (x, y) => joinCells(x, y)!),
  stream: joinStreams,
  hll: joinHlls,
  list(a, b) {
    if (a === null && b === null) return null;
    return zipLists(a ?? emptyList(), b ?? emptyList(), (x, y) =>
      joinDots(x, y, (s, t) => (s.value < t.value ? -1 : 1)),
    );
  },
};

function joinStreams(a: StreamState | null, b: StreamState | null): StreamState | null {
  if (a === null && b === null) return null;
  const [x, y] = [a ?? newStream(), b ?? newStream()];
  // What an actor is called here means nothing elsewhere.
  const text = (one: object): string =>
    JSON.stringify(one, (name, value) => (name === 'actor' ? undefined : value));
  const content = (one: object, other: object): number => (text(one) < text(other) ? -1 : 1);
  const groups = joinMaps(x.groups, y.groups, (one, other) =>
    combineGroups(one ?? newGroup(), other ?? newGroup(), (m, t) => joinDots(m, t, content)),
  );
  return {
    entries: unionEntries(x.entries, y.entries),
    marks: joinDots(withRaised(x.marks, y.marks), withRaised(y.marks, x.marks), content),
    groups: groups ?? new Map(),
  };
}

function joinMaps<T>(
  a: ReadonlyMap<Bytes, T> | null,
  b: ReadonlyMap<Bytes, T> | null,
  join: (x: T | null, y: T | null) => T,
): Map<Bytes, T> | null {
  if (a === null && b === null) return null;
  const joined = new Map<Bytes, T>();
  for (const [name, x] of a ?? []) joined.set(name, join(x, b?.get(name) ?? null));
  for (const [name, y] of b ?? []) if (!joined.has(name)) joined.set(name, join(null, y));
  return joined;
}

/** Of each actor the later instance; of one instance what both know. */
function joinHlls(a: HllState | null, b: HllState | null): HllState | null {
  if (a === null && b === null) return null;
  const [x, y] = [a ?? { instances: [] }, b ?? { instances: [] }];
  const instances = joinDots(x.instances, y.instances, () => 0).map((held) => {
    const [one, other] = [findInstance(x, held), findInstance(y, held)];
    return {
      ...held,
      writers: joinDots(one?.writers ?? [], other?.writers ?? [], () => 0),
      registers: mergeRegisters(
        (one?.registers ?? NO_REGISTERS).slice(),
        other?.registers ?? NO_REGISTERS,
      ),
    };
  });
  return { instances };
}

function joinCells(a: Cell | null, b: Cell | null): Cell | null {
  if (a === null && b === null) return null;
  const [x, y] = [a ?? emptyCell(), b ?? emptyCell()];
  return {
    siblings: joinDots(x.siblings, y.siblings, (s, t) => (s.value < t.value ? -1 : 1)),
    contributions: joinDots(x.contributions, y.contributions, (s, t) => compare(s.cum, t.cum)).map(
      (held) =>
        withGreaterFloor(held, findContribution(x, held.actor), findContribution(y, held.actor)),
    ),
  };
}

function withGreaterFloor(
  held: Contribution,
  a: Contribution | null,
  b: Contribution | null,
): Contribution {
  if (a === null || b === null) return held;
  const { floorSeq, floorCum } =
    (compareNumbers(a.floorSeq, b.floorSeq) || compare(a.floorCum, b.floorCum)) > 0 ? a : b;
  return { ...held, floorSeq, floorCum };
}

/** Of each actor the later dot; `content` orders two things that one dot names. */
function joinDots<T extends StampedDot>(
  a: readonly T[],
  b: readonly T[],
  content: (x: T, y: T) => number,
): T[] {
  const joined = [...a];
  for (const item of b) {
    const at = joined.findIndex(({ actor }) => actor === item.actor);
    if (at < 0) {
      joined.push(item);
      continue;
    }
    const held = joined[at];
    const order =
      compareNumbers(held.seq, item.seq) ||
      compareNumbers(held.hlc, item.hlc) ||
      content(held, item);
    if (order < 0) joined[at] = item;
  }
  return joined;
}

function compareNumbers(a: number, b: number): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

function compare(a: Amount, b: Amount): number {
  const [x, y] = [toUnits(a), toUnits(b)];
  if (x === y) return 0;
  return x < y ? -1 : 1;
}
