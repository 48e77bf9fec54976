/**
 * The time to live of a key: the set of TTL writes that no later TTL write has seen. EXPIRE
 * writes a moment, PERSIST and a plain SET write Infinity. Among concurrent TTL writes the
 * longest wins, so the visible expiry is the greatest of the live ones; no live TTL write at
 * all means no TTL as well.
 */
import { hasDot, type StampedDot, withoutDots } from './dot.ts';
import type { TtlPart } from './op.ts';
import { compareActors, type Roster } from './roster.ts';

/** One TTL write; `expiry` in ms since the Unix epoch, Infinity for "never". */
export type TtlWrite = StampedDot & { readonly expiry: number };

/** When the key expires, ms since the Unix epoch; Infinity when it does not. */
export function ttlExpiry(writes: readonly TtlWrite[]): number {
  if (writes.length === 0) return Number.POSITIVE_INFINITY;
  let longest = 0;
  for (const write of writes) if (write.expiry > longest) longest = write.expiry;
  return longest;
}

/**
 * The TTL write that decides, or null when there is none. Of equal expiries the greater hlc,
 * then the lower region: the actor of this write is the one that ships the expiry.
 */
export function winningTtlWrite(writes: readonly TtlWrite[], roster: Roster): TtlWrite | null {
  let best: TtlWrite | null = null;
  for (const write of writes) {
    if (best === null || outlasts(write, best, roster)) best = write;
  }
  return best;
}

/** The list after an op's TTL part; `stamp` is the op's dot and hlc. */
export function applyTtl(writes: TtlWrite[], part: TtlPart, stamp: StampedDot): TtlWrite[] {
  const kept = withoutDots(writes, part.drops);
  if (part.expiry === null || hasDot(kept, stamp.actor, stamp.seq)) return kept;
  return [...kept, { actor: stamp.actor, seq: stamp.seq, hlc: stamp.hlc, expiry: part.expiry }];
}

function outlasts(a: TtlWrite, b: TtlWrite, roster: Roster): boolean {
  if (a.expiry !== b.expiry) return a.expiry > b.expiry;
  if (a.hlc !== b.hlc) return a.hlc > b.hlc;
  return compareActors(roster, a.actor, b.actor) < 0;
}
