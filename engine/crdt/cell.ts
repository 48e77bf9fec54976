/**
 * A cell is a register and a counter in one: a string value, or the value of a hash field.
 *
 *     cell = siblings       concurrent SETs, each with its dot; a later SET drops those it saw
 *          + contributions  per actor: cum = the sum of its increments so far, and the floor,
 *                           the part of that sum which resets have cancelled
 *
 *     value = base + Σ (cum − floorCum)      base: the last writer among the siblings, or 0
 *
 * An increment ships its actor's new `cum`, so one number per actor is enough whatever the
 * number of increments. A reset (SET, DEL, HDEL, …) ships for each contribution that it saw the
 * pair (seq, cum); receivers raise the floor to it. Increments that the reset had not seen
 * have a greater seq and stay in `cum − floorCum`. A contribution whose floor reaches its seq
 * is dead and dropped; nothing remains of it.
 *
 * Two rules make dropping safe:
 *  1. An increment on a contribution that its source still holds carries the predecessor
 *     (seq, cum). A receiver that has dropped the contribution meanwhile did so because a reset
 *     had seen it up to exactly that predecessor, and rebuilds the floor from it.
 *  2. An increment without predecessor starts again from zero. Its floor is its own seq − 1 and
 *     0, so that a reset which saw only the contribution's former life cannot cut into it.
 *
 * When the base is a text and no number, the text shows and the increments are lost to a
 * conflict (explain.ts counts them).
 *
 * State merge takes the greater seq's (seq, cum) and the greater floor. It is exact except for
 * the *straddle*: one side dropped the contribution when it had seen it up to seq s, while the
 * other side holds the same contribution at a seq beyond s and has not seen that reset. The
 * first side no longer knows cum at s, so the increments up to s come back. Exchanging
 * the ops does not have this gap; replication replays ops where it can for that reason.
 */
import { type Amount, addAmounts, clampInt64, isInt64, subtractAmounts } from './amount.ts';
import { formatAmount, parseAmount } from './amount-text.ts';
import {
  type Actor,
  type Bytes,
  type Dot,
  hasDot,
  mergeDotted,
  type StampedDot,
  withoutDots,
} from './dot.ts';
import type { Floor, Predecessor } from './op.ts';
import { compareActors, type Roster } from './roster.ts';
import { covers, type VersionVector } from './version-vector.ts';

/** One value written by SET or HSET that no later write has seen. */
export type Sibling = StampedDot & { readonly value: Bytes };

/** One actor's increments: live iff seq > floorSeq. `seq` and `hlc` are of the last one. */
export type Contribution = StampedDot & {
  readonly cum: Amount;
  readonly floorSeq: number;
  readonly floorCum: Amount;
};

/** The arrays may be replaced by the functions here; their items never change. */
export type Cell = { siblings: Sibling[]; contributions: Contribution[] };

export function emptyCell(): Cell {
  return { siblings: [], contributions: [] };
}

export function isEmptyCell(cell: Cell): boolean {
  return cell.siblings.length === 0 && cell.contributions.length === 0;
}

/** Whether stamp `a` was written after `b`: greater hlc, then lower region, lower actor, seq. */
export function isLater(a: StampedDot, b: StampedDot, roster: Roster): boolean {
  if (a.hlc !== b.hlc) return a.hlc > b.hlc;
  if (a.actor !== b.actor) return compareActors(roster, a.actor, b.actor) < 0;
  return a.seq > b.seq;
}

/** The sibling that shows: the last writer's, or null when there is none. */
export function lastSibling(cell: Cell, roster: Roster): Sibling | null {
  let last: Sibling | null = null;
  for (const sibling of cell.siblings) {
    if (last === null || isLater(sibling, last, roster)) last = sibling;
  }
  return last;
}

/** What a read shows; null when the cell is empty. */
export function cellText(cell: Cell, roster: Roster): Bytes | null {
  if (cell.contributions.length > 0) {
    const amount = cellAmount(cell, roster);
    if (amount !== null) return formatAmount(amount);
  }
  return lastSibling(cell, roster)?.value ?? null;
}

/**
 * The value as a number; 0 for an empty cell, null when the base is a text that is none.
 * A sum whose parts are all int64 and which itself is not reads as the nearest bound; parts
 * beyond int64 can only come from float commands, which know no such bound.
 */
export function cellAmount(cell: Cell, roster: Roster): Amount | null {
  const base = lastSibling(cell, roster);
  const baseAmount = base === null ? 0 : parseAmount(base.value);
  if (baseAmount === null) return null;
  let sum = baseAmount;
  let integers = isInt64(baseAmount);
  for (const contribution of cell.contributions) {
    const part = liveAmount(contribution);
    integers &&= isInt64(part);
    sum = addAmounts(sum, part);
  }
  return integers ? clampInt64(sum) : sum;
}

/** What one actor's increments add: its sum less what resets have cancelled. */
export function liveAmount(contribution: Contribution): Amount {
  return subtractAmounts(contribution.cum, contribution.floorCum);
}

/** The contribution of `actor`, or null. */
export function findContribution(cell: Cell, actor: Actor): Contribution | null {
  for (const contribution of cell.contributions) {
    if (contribution.actor === actor) return contribution;
  }
  return null;
}

/** What a reset that has seen this cell must name: all live contributions. */
export function cellFloors(cell: Cell): Floor[] {
  return cell.contributions.map(({ actor, seq, cum }) => ({ actor, seq, cum }));
}

/** Applies a SET: drops what it saw and adds its value as a sibling. */
export function setCell(
  cell: Cell,
  stamp: StampedDot,
  value: Bytes,
  drops: readonly Dot[],
  floors: readonly Floor[],
): void {
  resetCell(cell, drops, floors);
  if (hasDot(cell.siblings, stamp.actor, stamp.seq)) return;
  const { actor, seq, hlc } = stamp;
  cell.siblings = [...cell.siblings, { actor, seq, hlc, value }];
}

/** Applies an increment; see the two rules at the top for `pred`. */
export function addToCell(
  cell: Cell,
  stamp: StampedDot,
  cum: Amount,
  pred: Predecessor | null,
): void {
  const { actor, seq, hlc } = stamp;
  const held = findContribution(cell, actor);
  if (held !== null && held.seq >= seq) return;
  let floorSeq = seq - 1;
  let floorCum: Amount = 0;
  if (pred !== null) {
    floorSeq = held === null ? pred.seq : held.floorSeq;
    floorCum = held === null ? pred.cum : held.floorCum;
  }
  const next: Contribution = { actor, seq, hlc, cum, floorSeq, floorCum };
  cell.contributions =
    held === null
      ? [...cell.contributions, next]
      : cell.contributions.map((other) => (other === held ? next : other));
}

/** Applies a removal: drops siblings by dot and raises the floors of contributions. */
export function resetCell(cell: Cell, drops: readonly Dot[], floors: readonly Floor[]): void {
  cell.siblings = withoutDots(cell.siblings, drops);
  for (const floor of floors) raiseFloor(cell, floor);
}

/** Drops the siblings that `vector` covers. Contributions go by floors only. */
export function dropCoveredSiblings(cell: Cell, vector: VersionVector): void {
  cell.siblings = cell.siblings.filter(({ actor, seq }) => !covers(vector, actor, seq));
}

function raiseFloor(cell: Cell, floor: Floor): void {
  const held = findContribution(cell, floor.actor);
  if (held === null || held.floorSeq >= floor.seq) return;
  const raised = { ...held, floorSeq: floor.seq, floorCum: floor.cum };
  cell.contributions =
    held.seq <= floor.seq
      ? cell.contributions.filter((other) => other !== held)
      : cell.contributions.map((other) => (other === held ? raised : other));
}

/** State merge (see the top for the one case in which it is not exact). Returns a new cell. */
export function mergeCells(
  mine: Cell,
  mineVector: VersionVector,
  theirs: Cell,
  theirsVector: VersionVector,
): Cell {
  const contributions: Contribution[] = [];
  for (const one of mine.contributions) {
    const other = findContribution(theirs, one.actor);
    if (other !== null) contributions.push(joinContributions(one, other));
    else if (!covers(theirsVector, one.actor, one.seq)) contributions.push(one);
  }
  for (const other of theirs.contributions) {
    if (findContribution(mine, other.actor) !== null) continue;
    if (!covers(mineVector, other.actor, other.seq)) contributions.push(other);
  }
  return {
    siblings: mergeDotted(mine.siblings, mineVector, theirs.siblings, theirsVector),
    contributions,
  };
}

function joinContributions(one: Contribution, other: Contribution): Contribution {
  const newer = one.seq >= other.seq ? one : other;
  const floor = one.floorSeq >= other.floorSeq ? one : other;
  return newer === floor ? newer : { ...newer, floorSeq: floor.floorSeq, floorCum: floor.floorCum };
}
