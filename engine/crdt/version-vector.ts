/**
 * A version vector says which dots were seen: for each actor the highest sequence number applied,
 * all lower ones included (ops of one actor are applied in order, without gaps).
 *
 * It is a dense array by roster index, because `covers` runs for every op that is applied.
 * Missing entries mean zero; trailing zeros mean nothing, so compare with `sameVector`.
 */
import type { Actor } from './dot.ts';

export type VersionVector = number[];

export function emptyVector(): VersionVector {
  return [];
}

export function copyVector(vector: VersionVector): VersionVector {
  return vector.slice();
}

/** The highest seq of `actor` that was seen, 0 for none. */
export function seqOf(vector: VersionVector, actor: Actor): number {
  return actor < vector.length ? vector[actor] : 0;
}

/** Whether the dot was seen. */
export function covers(vector: VersionVector, actor: Actor, seq: number): boolean {
  return actor < vector.length && vector[actor] >= seq;
}

/** Raises the entry of `actor` to `seq`; never lowers it. */
export function advance(vector: VersionVector, actor: Actor, seq: number): void {
  while (vector.length <= actor) vector.push(0);
  if (vector[actor] < seq) vector[actor] = seq;
}

/** Joins `from` into `into`: afterwards `into` covers what either covered. */
export function joinVector(into: VersionVector, from: VersionVector): void {
  while (into.length < from.length) into.push(0);
  for (let actor = 0; actor < from.length; actor++) {
    if (from[actor] > into[actor]) into[actor] = from[actor];
  }
}

/** Whether `a` covers everything that `b` covers. */
export function dominates(a: VersionVector, b: VersionVector): boolean {
  for (let actor = 0; actor < b.length; actor++) {
    if (b[actor] > seqOf(a, actor)) return false;
  }
  return true;
}

export function sameVector(a: VersionVector, b: VersionVector): boolean {
  return dominates(a, b) && dominates(b, a);
}

/** The sum of all entries: how many ops were applied. */
export function countOps(vector: VersionVector): number {
  let sum = 0;
  for (const seq of vector) sum += seq;
  return sum;
}
