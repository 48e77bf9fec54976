/**
 * A dot names one write for ever: the actor that made it and that actor's running number.
 * Every piece of state carries the dot of the write that put it there, and a removal is nothing
 * but a list of dots that its source had seen. So "newer" is never guessed from a clock, and
 * no tombstones are needed: a version vector remembers which dots were ever seen.
 */
import { covers, type VersionVector } from './version-vector.ts';

/** A string with one character per byte (latin1). Keys, members, fields and values. */
export type Bytes = string;

/** Index of an actor in this member's roster, 0..65535. It means nothing outside the member. */
export type Actor = number;

/** One write. Sequence numbers of an actor are 1.. without gaps, below 2^48. */
export type Dot = { readonly actor: Actor; readonly seq: number };

/** A dot with the hybrid logical clock of its write (see hlc.ts). */
export type StampedDot = Dot & { readonly hlc: number };

/** Sequence numbers are below this bound, so that they fit 48 bits on the wire. */
export const SEQ_LIMIT = 2 ** 48;

/** Whether `dots` holds the dot `(actor, seq)`. */
export function hasDot(dots: readonly Dot[], actor: Actor, seq: number): boolean {
  for (let index = 0; index < dots.length; index++) {
    const dot = dots[index];
    if (dot.seq === seq && dot.actor === actor) return true;
  }
  return false;
}

/** The items whose dot is not in `drops`; the same array when nothing goes. */
export function withoutDots<T extends Dot>(items: T[], drops: readonly Dot[]): T[] {
  if (drops.length === 0 || items.length === 0) return items;
  const kept = items.filter((item) => !hasDot(drops, item.actor, item.seq));
  return kept.length === items.length ? items : kept;
}

/** The bare dots of richer items, as ops carry them. */
export function dotsOf(items: readonly Dot[]): Dot[] {
  return items.map((item) => ({ actor: item.actor, seq: item.seq }));
}

/** ORSWOT merge of items that are nothing but their dot: the shared rule of all dotted lists. */
export function mergeDotted<T extends Dot>(
  mine: T[],
  mineVector: VersionVector,
  theirs: readonly T[],
  theirsVector: VersionVector,
): T[] {
  const merged = mine.filter(
    (item) => hasDot(theirs, item.actor, item.seq) || !covers(theirsVector, item.actor, item.seq),
  );
  for (const item of theirs) {
    if (covers(mineVector, item.actor, item.seq) || hasDot(mine, item.actor, item.seq)) continue;
    merged.push(item);
  }
  return merged;
}
