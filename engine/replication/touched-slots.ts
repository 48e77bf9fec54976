/**
 * Which slots are touched by the ops that one vector covers and another does not.
 *
 * Two members whose vectors differ hold equal states in every slot that the ops between the two
 * vectors leave alone. So slots can be compared while both take writes: only those few that such an
 * op touches have to wait. The ops are found by walking the backlog from its end, for they came last.
 */

import { dominates, seqOf, type VersionVector } from '../crdt/version-vector.ts';
import type { Backlog } from '../log/backlog.ts';
import { batchSlots } from '../log/batch-meta.ts';

/** So many entries are looked at; two members further apart are not compared now. */
const WALK_MAX = 50_000;

/**
 * The slots touched by ops that `have` covers and `lacking` does not; null: it cannot be told, because the
 * backlog does not hold them all, or one of them touches every slot (FLUSHALL). `have` must be a
 * vector that this member had at some time.
 */
export function touchedSlots(
  backlog: Backlog,
  have: VersionVector,
  lacking: VersionVector,
): ReadonlySet<number> | null {
  const touched = new Set<number>();
  let missing = countMissing(have, lacking);
  const until = Math.max(backlog.first, backlog.end - WALK_MAX);
  for (let number = backlog.end - 1; number >= until && missing > 0; number--) {
    const entry = backlog.entryAt(number);
    if (entry.kind === 'jump') {
      // A state brought these ops without telling which slots they touch.
      if (!dominates(lacking, entry.vector)) return null;
      continue;
    }
    const from = Math.max(entry.firstSeq, seqOf(lacking, entry.actor) + 1);
    const to = Math.min(entry.lastSeq, seqOf(have, entry.actor));
    if (from > to) continue;
    missing -= to - from + 1;
    for (const slot of batchSlots(entry.frame)) {
      if (slot < 0) return null;
      touched.add(slot);
    }
  }
  return missing > 0 ? null : touched;
}

/** How many ops `have` covers and `lacking` does not. */
export function countMissing(have: VersionVector, lacking: VersionVector): number {
  let missing = 0;
  for (let actor = 0; actor < have.length; actor++) {
    missing += Math.max(0, have[actor] - seqOf(lacking, actor));
  }
  return missing;
}
