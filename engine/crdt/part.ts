/**
 * What a key can hold of each type, and what every type must be able to do with its state so that the
 * key as a whole works: removal by DEL and by another type's SET, type clashes, state merge.
 *
 * To add a type: a file with its state and its `Part`, a field in `KeyState`, a line in `PARTS`; the
 * compiler then names the other tables that lack it (check.ts, explain.ts, repair.ts, and the
 * encoding and the size in op/key-encoding.ts and core/rich-size.ts).
 */
import {
  type Cell,
  cellFloors,
  dropCoveredSiblings,
  emptyCell,
  isEmptyCell,
  mergeCells,
  resetCell,
} from './cell.ts';
import { type Actor, type Dot, type StampedDot, withoutDots } from './dot.ts';
import { dropCoveredFromSet, dropDotsFromSet, mergeSets, type SetState } from './element-set.ts';
import { type HashState, mergeHashes, removeFromHash } from './field-map.ts';
import { type HllState, mergeHlls } from './hyperloglog.ts';
import type { ListState } from './list.ts';
import { listPart } from './list-part.ts';
import type { FieldFloor, FloorPart, Removal } from './op.ts';
import { type StreamState, streamPart } from './stream.ts';
import { covers, type VersionVector } from './version-vector.ts';

/** The parts of a key's state that are data: field of KeyState → what it holds when it is not null. */
export type PartStates = {
  cell: Cell;
  set: SetState;
  hash: HashState;
  zset: HashState;
  list: ListState;
  stream: StreamState;
  hll: HllState;
};

export type PartName = keyof PartStates;

/** The types that clients see, in the order that breaks full ties between concurrent types. */
export type ValueType = 'string' | 'set' | 'hash' | 'zset' | 'list' | 'stream';

export type Part<S> = {
  /** The type that clients see when this part shows. */
  readonly type: ValueType;
  isEmpty(state: S): boolean;
  /** Whether it makes the key exist for clients; absent: whenever it is not empty. */
  shows?(state: S): boolean;
  /** Number of elements (0: it is no collection); of a large part a removal does not look at the dots. */
  size(state: S): number;
  /** Every live write: what decides which type shows. */
  eachStamp(state: S, each: (stamp: StampedDot) => void): void;
  /** The actors that the state names, where stamps are not all that does. */
  eachActor?(state: S, each: (actor: Actor) => void): void;
  /** The dots by which a removal names what it has seen; contributions go by floors instead. */
  eachDot(state: S, each: (dots: readonly Dot[]) => void): void;
  /** The live contributions that a removal of all has seen. */
  eachFloor(state: S, each: (floor: FieldFloor) => void): void;
  /** Drops what a removal of the whole key has seen. */
  removeSeen(state: S, removal: Removal): void;
  /** State merge into `mine`, which may be changed; `theirs` is left as it was. Null: nothing there. */
  merge(
    mine: S | null,
    mineVector: VersionVector,
    theirs: S | null,
    theirsVector: VersionVector,
  ): S;
};

const cellPart: Part<Cell> = {
  type: 'string',
  isEmpty: isEmptyCell,
  size: () => 0,
  eachStamp: eachCellStamp,
  eachDot: (cell, each) => each(cell.siblings),
  eachFloor(cell, each) {
    for (const floor of cellFloors(cell)) each({ part: 'cell', field: null, ...floor });
  },
  removeSeen(cell, { vector, dots, floors }) {
    const own = floors.filter((floor) => floor.part === 'cell');
    resetCell(cell, dots, own);
    if (vector !== null) dropCoveredSiblings(cell, vector);
  },
  merge: (mine, mineVector, theirs, theirsVector) =>
    mergeCells(mine ?? emptyCell(), mineVector, theirs ?? emptyCell(), theirsVector),
};

const setPart: Part<SetState> = {
  type: 'set',
  isEmpty: (set) => set.size === 0,
  size: (set) => set.size,
  eachStamp(set, each) {
    for (const dots of set.values()) dots.forEach(each);
  },
  eachDot(set, each) {
    for (const dots of set.values()) each(dots);
  },
  eachFloor() {},
  removeSeen(set, { vector, dots }) {
    if (vector === null) dropDotsFromSet(set, dots);
    else dropCoveredFromSet(set, vector);
  },
  merge(mine, mineVector, theirs, theirsVector) {
    const merged: SetState = mine ?? new Map();
    mergeSets(merged, mineVector, theirs ?? new Map(), theirsVector);
    return merged;
  },
};

/** A map of cells: hashes and sorted sets. */
function fieldsPart(type: 'hash' | 'zset'): Part<HashState> {
  const part: FloorPart = type;
  return {
    type,
    isEmpty: (hash) => hash.size === 0,
    size: (hash) => hash.size,
    eachStamp(hash, each) {
      for (const cell of hash.values()) eachCellStamp(cell, each);
    },
    eachDot(hash, each) {
      for (const cell of hash.values()) each(cell.siblings);
    },
    eachFloor(hash, each) {
      for (const [field, cell] of hash) {
        for (const floor of cellFloors(cell)) each({ part, field, ...floor });
      }
    },
    removeSeen(hash, { vector, dots, floors }) {
      const own = floors.filter((floor) => floor.part === part);
      removeFromHash(hash, vector, dots, own);
    },
    merge(mine, mineVector, theirs, theirsVector) {
      const merged: HashState = mine ?? new Map();
      mergeHashes(merged, mineVector, theirs ?? new Map(), theirsVector);
      return merged;
    },
  };
}

/** For clients a string: GET gives its bytes, and SET of such bytes makes one. */
const hllPart: Part<HllState> = {
  type: 'string',
  isEmpty: ({ instances }) => instances.length === 0,
  size: () => 0,
  eachStamp({ instances }, each) {
    for (const instance of instances) {
      each(instance);
      instance.writers.forEach(each);
    }
  },
  eachDot: ({ instances }, each) => each(instances),
  eachFloor() {},
  removeSeen(hll, { vector, dots }) {
    hll.instances =
      vector === null
        ? withoutDots(hll.instances, dots)
        : hll.instances.filter(({ actor, seq }) => !covers(vector, actor, seq));
  },
  merge(mine, mineVector, theirs, theirsVector) {
    const merged: HllState = mine ?? { instances: [] };
    mergeHlls(merged, mineVector, theirs ?? { instances: [] }, theirsVector);
    return merged;
  },
};

export const PARTS: { readonly [N in PartName]: Part<PartStates[N]> } = {
  cell: cellPart,
  set: setPart,
  hash: fieldsPart('hash'),
  zset: fieldsPart('zset'),
  list: listPart,
  stream: streamPart,
  hll: hllPart,
};

/** In the order that breaks full ties between types. */
export const PART_NAMES = Object.keys(PARTS) as readonly PartName[];

/** The part of that name, for code that treats all parts alike. */
export function partNamed(name: PartName): Part<unknown> {
  return PARTS[name] as Part<unknown>;
}

function eachCellStamp(cell: Cell, each: (stamp: StampedDot) => void): void {
  cell.siblings.forEach(each);
  cell.contributions.forEach(each);
}
