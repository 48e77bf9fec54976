/**
 * A hash: an observed-remove map from field to cell. A field exists while its cell has a
 * sibling or a live contribution, so HDEL removes what it has seen of a field and nothing else:
 * a concurrent HSET or HINCRBY survives it. HSET works on the cell as SET does on a string,
 * HINCRBY as INCRBY does.
 *
 * A sorted set is the same map with scores as values (score.ts): ZADD, ZINCRBY and ZREM in their place.
 */
import {
  addToCell,
  type Cell,
  dropCoveredSiblings,
  emptyCell,
  isEmptyCell,
  mergeCells,
  resetCell,
  setCell,
} from './cell.ts';
import type { Bytes, Dot, StampedDot } from './dot.ts';
import type { FieldDrops, FieldFloor, FieldWrite, HashAdd, ZsetAdd } from './op.ts';
import type { VersionVector } from './version-vector.ts';

/** Field → its cell, never an empty one. */
export type HashState = Map<Bytes, Cell>;

/** Applies HSET and ZADD. */
export function setFields(hash: HashState, stamp: StampedDot, fields: readonly FieldWrite[]): void {
  for (const { field, value, drops, floors } of fields) {
    setCell(cellOf(hash, field), stamp, value, drops, floors);
  }
}

/** Applies HINCRBY, HINCRBYFLOAT and ZINCRBY. */
export function addToField(hash: HashState, stamp: StampedDot, op: HashAdd | ZsetAdd): void {
  addToCell(cellOf(hash, op.field), stamp, op.cum, op.pred);
}

/** Applies HDEL and ZREM. */
export function removeFields(hash: HashState, fields: readonly FieldDrops[]): void {
  for (const { field, drops, floors } of fields) {
    const cell = hash.get(field);
    if (cell === undefined) continue;
    resetCell(cell, drops, floors);
    if (isEmptyCell(cell)) hash.delete(field);
  }
}

/** Applies a removal of the whole map: by dots, or by all that `vector` covers; floors of its own. */
export function removeFromHash(
  hash: HashState,
  vector: VersionVector | null,
  dots: readonly Dot[],
  floors: readonly FieldFloor[],
): void {
  for (const floor of floors) {
    const cell = floor.field === null ? undefined : hash.get(floor.field);
    if (cell !== undefined) resetCell(cell, [], [floor]);
  }
  for (const [field, cell] of hash) {
    if (vector !== null) dropCoveredSiblings(cell, vector);
    else if (dots.length > 0) resetCell(cell, dots, []);
    if (isEmptyCell(cell)) hash.delete(field);
  }
}

/** State merge into `mine`, field by field; `theirs` is left as it was. */
export function mergeHashes(
  mine: HashState,
  mineVector: VersionVector,
  theirs: HashState,
  theirsVector: VersionVector,
): void {
  for (const [field, cell] of mine) {
    const other = theirs.get(field) ?? emptyCell();
    keepOrDelete(mine, field, mergeCells(cell, mineVector, other, theirsVector));
  }
  for (const [field, other] of theirs) {
    if (mine.has(field)) continue;
    keepOrDelete(mine, field, mergeCells(emptyCell(), mineVector, other, theirsVector));
  }
}

function cellOf(hash: HashState, field: Bytes): Cell {
  let cell = hash.get(field);
  if (cell === undefined) {
    cell = emptyCell();
    hash.set(field, cell);
  }
  return cell;
}

function keepOrDelete(hash: HashState, field: Bytes, cell: Cell): void {
  if (isEmptyCell(cell)) hash.delete(field);
  else hash.set(field, cell);
}
