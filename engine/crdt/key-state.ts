/**
 * Everything that a member knows of one key. A key can hold several types at once, because two
 * regions may give it different types at the same time: the type written last shows everywhere,
 * the other states are kept until a write that has seen them removes them.
 *
 * A key may also have TTL writes and no data (`EXPIRE k` ‖ `DEL k`). Then it does not exist for
 * clients; the TTL writes stay until the next writer of the key drops them or they expire.
 */
import { type Cell, emptyCell, isEmptyCell, isLater, mergeCells } from './cell.ts';
import { type Bytes, mergeDotted, type StampedDot } from './dot.ts';
import { type ElementDot, mergeSets, type SetState } from './element-set.ts';
import { type HashState, mergeHashes } from './field-map.ts';
import type { Roster } from './roster.ts';
import type { TtlWrite } from './ttl.ts';
import type { VersionVector } from './version-vector.ts';

/** Absent parts are null, never empty; a state with no part at all is itself null. */
export type KeyState = {
  cell: Cell | null;
  set: SetState | null;
  hash: HashState | null;
  ttl: TtlWrite[];
};

export type ValueType = 'string' | 'set' | 'hash';

export function emptyKeyState(): KeyState {
  return { cell: null, set: null, hash: null, ttl: [] };
}

/** Whether the key does not exist for clients: no data of any type. */
export function isDead(state: KeyState | null): boolean {
  return state === null || (state.cell === null && state.set === null && state.hash === null);
}

/**
 * The type that shows, or null when the key does not exist: the one with the latest live write
 * (greatest hlc, then lower region), and on a full tie string before set before hash.
 */
export function visibleType(state: KeyState | null, roster: Roster): ValueType | null {
  if (state === null) return null;
  const { cell, set, hash } = state;
  if (set === null && hash === null) return cell === null ? null : 'string';
  if (cell === null && hash === null) return 'set';
  if (cell === null && set === null) return 'hash';
  let type: ValueType | null = null;
  let latest: StampedDot | null = null;
  for (const candidate of ['string', 'set', 'hash'] as const) {
    const stamp = latestWrite(state, candidate, roster);
    if (stamp === null || (latest !== null && !isLater(stamp, latest, roster))) continue;
    type = candidate;
    latest = stamp;
  }
  return type;
}

/** The latest live write of one type, or null when the key has nothing of it. O(its size). */
export function latestWrite(state: KeyState, type: ValueType, roster: Roster): StampedDot | null {
  let latest: StampedDot | null = null;
  const offer = (stamps: readonly StampedDot[]): void => {
    for (const stamp of stamps) {
      if (latest === null || isLater(stamp, latest, roster)) latest = stamp;
    }
  };
  const offerCell = (cell: Cell): void => {
    offer(cell.siblings);
    offer(cell.contributions);
  };
  if (type === 'string' && state.cell !== null) offerCell(state.cell);
  if (type === 'set' && state.set !== null) for (const dots of state.set.values()) offer(dots);
  if (type === 'hash' && state.hash !== null) state.hash.forEach(offerCell);
  return latest;
}

/** Puts absent parts in their one form: empty becomes null, and a state without parts too. */
export function normalise(state: KeyState): KeyState | null {
  if (state.cell !== null && isEmptyCell(state.cell)) state.cell = null;
  if (state.set !== null && state.set.size === 0) state.set = null;
  if (state.hash !== null && state.hash.size === 0) state.hash = null;
  return isDead(state) && state.ttl.length === 0 ? null : state;
}

/**
 * State merge: what both members know together. Changes `mine` and returns it (or null when
 * nothing is left); leaves `theirs` as it was. The vectors say what each side had seen in this
 * slot; a dot that only one side holds survives iff the other side has not seen it.
 * For the one case in which counters are not exact see cell.ts.
 */
export function mergeKey(
  mine: KeyState | null,
  mineVector: VersionVector,
  theirs: KeyState | null,
  theirsVector: VersionVector,
): KeyState | null {
  const merged = mine ?? emptyKeyState();
  const other = theirs ?? emptyKeyState();
  if (merged.cell !== null || other.cell !== null) {
    merged.cell = mergeCells(
      merged.cell ?? emptyCell(),
      mineVector,
      other.cell ?? emptyCell(),
      theirsVector,
    );
  }
  if (merged.set !== null || other.set !== null) {
    merged.set ??= new Map<Bytes, ElementDot[]>();
    mergeSets(merged.set, mineVector, other.set ?? new Map(), theirsVector);
  }
  if (merged.hash !== null || other.hash !== null) {
    merged.hash ??= new Map<Bytes, Cell>();
    mergeHashes(merged.hash, mineVector, other.hash ?? new Map(), theirsVector);
  }
  merged.ttl = mergeDotted(merged.ttl, mineVector, other.ttl, theirsVector);
  return normalise(merged);
}
