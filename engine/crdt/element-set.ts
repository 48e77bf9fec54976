/**
 * An observed-remove set without tombstones: each member holds the dots of the adds that no
 * later add or removal of this member has seen. An add replaces the dots it saw by its own
 * fresh one, a removal drops the dots it saw. A member is in the set while it has a dot; so an
 * add that the remover had not seen survives.
 *
 * One SADD of many members gives all of them the same dot.
 *
 * (Bieniusa et al., An optimized conflict-free replicated set, 2012.)
 */
import { type Bytes, type Dot, hasDot, mergeDotted, type StampedDot, withoutDots } from './dot.ts';
import type { MemberDrops } from './op.ts';
import { covers, type VersionVector } from './version-vector.ts';

export type ElementDot = StampedDot;

/** Member → its dots, never an empty list. */
export type SetState = Map<Bytes, ElementDot[]>;

/** Applies an add: each member loses the dots the source saw and gains the op's. */
export function addMembers(
  set: SetState,
  stamp: StampedDot,
  members: readonly MemberDrops[],
): void {
  const dot: ElementDot = { actor: stamp.actor, seq: stamp.seq, hlc: stamp.hlc };
  for (const { member, drops } of members) {
    const held = set.get(member);
    if (held === undefined) {
      set.set(member, [dot]);
      continue;
    }
    const kept = withoutDots(held, drops);
    set.set(member, hasDot(kept, dot.actor, dot.seq) ? kept : [...kept, dot]);
  }
}

/** Applies a removal: each member loses the dots the source saw. */
export function removeMembers(set: SetState, members: readonly MemberDrops[]): void {
  for (const { member, drops } of members) {
    const held = set.get(member);
    if (held !== undefined) keepOrDelete(set, member, withoutDots(held, drops));
  }
}

/** Drops these dots from all members. */
export function dropDotsFromSet(set: SetState, dots: readonly Dot[]): void {
  for (const [member, held] of set) keepOrDelete(set, member, withoutDots(held, dots));
}

/** Drops all dots that `vector` covers. */
export function dropCoveredFromSet(set: SetState, vector: VersionVector): void {
  for (const [member, held] of set) {
    const kept = held.filter(({ actor, seq }) => !covers(vector, actor, seq));
    if (kept.length !== held.length) keepOrDelete(set, member, kept);
  }
}

/** State merge into `mine`, member by member; `theirs` is left as it was. */
export function mergeSets(
  mine: SetState,
  mineVector: VersionVector,
  theirs: SetState,
  theirsVector: VersionVector,
): void {
  for (const [member, held] of mine) {
    const other = theirs.get(member) ?? [];
    keepOrDelete(mine, member, mergeDotted(held, mineVector, other, theirsVector));
  }
  for (const [member, other] of theirs) {
    // Members of both were merged above; merging the result once more changes nothing.
    if (mine.has(member)) continue;
    keepOrDelete(mine, member, mergeDotted([], mineVector, other, theirsVector));
  }
}

function keepOrDelete(set: SetState, member: Bytes, dots: ElementDot[]): void {
  if (dots.length === 0) set.delete(member);
  else set.set(member, dots);
}
