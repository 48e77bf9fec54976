/**
 * The time to live of hash fields. The rules are those of a key's (ttl.ts): each write that sets or
 * clears a TTL is a TTL write; among concurrent ones the longest wins; HSET is an infinite one.
 *
 * A hash without field TTLs must not pay for this, so nothing is written for HSET. Instead a TTL write
 * is *attached* to the data that its source saw in the field, by their dots (`saw`):
 *
 *  1. When all that it saw is gone (HSET, HDEL, DEL, FLUSHALL or an expiry that saw it), so is the
 *     TTL write. No removal has to name it, and nothing remains of it.
 *  2. A value that no TTL write here has seen was written by an HSET at the same time: it counts as
 *     an infinite TTL write, and the field does not expire.
 *
 * HINCRBY is no TTL write: increments that no TTL write has seen do not make a field infinite.
 * HPERSIST stays as an infinite write, for it wins over a concurrent HEXPIRE.
 */
import type { Cell } from './cell.ts';
import { type Bytes, type Dot, hasDot, type StampedDot, withoutDots } from './dot.ts';
import type { HashState } from './field-map.ts';
import type { FieldExpiry } from './op.ts';
import type { Roster } from './roster.ts';
import { type TtlWrite, winningTtlWrite } from './ttl.ts';
import { covers, type VersionVector } from './version-vector.ts';

/** `saw`: dots of live siblings and contributions of the field; never empty. */
export type FieldTtlWrite = TtlWrite & { readonly saw: readonly Dot[] };

export type FieldTtls = {
  /** Field → its TTL writes, never an empty list. */
  readonly writes: Map<Bytes, FieldTtlWrite[]>;
  /** Grows with each change; no part of the state. */
  changes: number;
};

const NEVER = Number.POSITIVE_INFINITY;

export function emptyFieldTtls(): FieldTtls {
  return { writes: new Map(), changes: 0 };
}

/** The data of a field that a TTL write attaches itself to. */
export function dotsOfCell({ siblings, contributions }: Cell): Dot[] {
  return [...siblings, ...contributions].map(({ actor, seq }) => ({ actor, seq }));
}

/** Applies HEXPIRE and HPERSIST. What the source saw and is gone by now has no effect. */
export function expireFields(
  ttls: FieldTtls,
  hash: HashState | null,
  stamp: StampedDot,
  fields: readonly FieldExpiry[],
  expiry: number,
): void {
  const { actor, seq, hlc } = stamp;
  for (const { field, drops, saw } of fields) {
    const kept = withoutDots(ttls.writes.get(field) ?? [], drops);
    if (!hasDot(kept, actor, seq)) kept.push({ actor, seq, hlc, expiry, saw });
    ttls.writes.set(field, kept);
    ttls.changes++;
    pruneField(ttls, hash, field);
  }
}

/** Drops the TTL writes of these fields (null: of all) whose data is gone. */
export function pruneFieldTtls(
  ttls: FieldTtls,
  hash: HashState | null,
  fields: Iterable<Bytes> | null,
): void {
  for (const field of fields ?? [...ttls.writes.keys()]) pruneField(ttls, hash, field);
}

function pruneField(ttls: FieldTtls, hash: HashState | null, field: Bytes): void {
  const held = ttls.writes.get(field);
  if (held === undefined) return;
  const cell = hash?.get(field);
  const next: FieldTtlWrite[] = [];
  let changed = false;
  for (const write of held) {
    const saw = cell === undefined ? [] : write.saw.filter((dot) => isLive(cell, dot));
    changed ||= saw.length !== write.saw.length;
    if (saw.length > 0) next.push(saw.length === write.saw.length ? write : { ...write, saw });
  }
  if (!changed) return;
  ttls.changes++;
  if (next.length === 0) ttls.writes.delete(field);
  else ttls.writes.set(field, next);
}

/** Whether the cell still holds what this dot wrote. */
function isLive({ siblings, contributions }: Cell, { actor, seq }: Dot): boolean {
  if (hasDot(siblings, actor, seq)) return true;
  return contributions.some((one) => one.actor === actor && one.floorSeq < seq && seq <= one.seq);
}

/** The TTL write that decides about a field, or null: it does not expire. */
export function fieldTtlWinner(
  ttls: FieldTtls,
  hash: HashState | null,
  field: Bytes,
  roster: Roster,
): TtlWrite | null {
  const writes = ttls.writes.get(field);
  if (writes === undefined) return null;
  const seen = writes.flatMap(({ saw }) => saw);
  const siblings = hash?.get(field)?.siblings ?? [];
  if (siblings.some(({ actor, seq }) => !hasDot(seen, actor, seq))) return null;
  const winner = winningTtlWrite(writes, roster);
  return winner === null || winner.expiry === NEVER ? null : winner;
}

/** State merge into `mine`, before the dead ones are pruned; `theirs` is left as it was. */
export function mergeFieldTtls(
  mine: FieldTtls,
  mineVector: VersionVector,
  theirs: FieldTtls | null,
  theirsVector: VersionVector,
): void {
  mine.changes++;
  for (const field of new Set([...mine.writes.keys(), ...(theirs?.writes.keys() ?? [])])) {
    const held = mine.writes.get(field) ?? [];
    const others = theirs?.writes.get(field) ?? [];
    const merged: FieldTtlWrite[] = [];
    for (const write of held) {
      const same = others.find(({ actor, seq }) => actor === write.actor && seq === write.seq);
      if (same !== undefined) merged.push({ ...write, saw: joinDots(write.saw, same.saw) });
      else if (!covers(theirsVector, write.actor, write.seq)) merged.push(write);
    }
    for (const write of others) {
      const { actor, seq } = write;
      if (!hasDot(held, actor, seq) && !covers(mineVector, actor, seq)) merged.push(write);
    }
    if (merged.length === 0) mine.writes.delete(field);
    else mine.writes.set(field, merged);
  }
}

/** All of these dots, each once. */
export function joinDots(a: readonly Dot[], b: readonly Dot[]): Dot[] {
  return [...a, ...b.filter(({ actor, seq }) => !hasDot(a, actor, seq))];
}
