/**
 * Everything that a member knows of one key. A key can hold several types at once, because two
 * regions may give it different types at the same time: the type written last shows everywhere,
 * the other states are kept until a write that has seen them removes them.
 *
 * A key may also have TTL writes and no data (`EXPIRE k` ‖ `DEL k`). Then it does not exist for
 * clients; the TTL writes stay until the next writer of the key drops them or they expire.
 */
import { isLater } from './cell.ts';
import { mergeDotted, type StampedDot } from './dot.ts';
import { emptyFieldTtls, type FieldTtls, mergeFieldTtls, pruneFieldTtls } from './field-ttl.ts';
import { PART_NAMES, type PartName, type PartStates, partNamed, type ValueType } from './part.ts';
import type { Roster } from './roster.ts';
import type { TtlWrite } from './ttl.ts';
import type { VersionVector } from './version-vector.ts';

export type { PartName, ValueType } from './part.ts';

/** Absent parts are null, never empty; a state with no part at all is itself null. */
export type KeyState = { [N in PartName]: PartStates[N] | null } & {
  ttl: TtlWrite[];
  /** Of the fields of `hash`; null, never empty. */
  fieldTtl: FieldTtls | null;
};

export function emptyKeyState(): KeyState {
  return {
    ...{ cell: null, set: null, hash: null, zset: null, list: null, stream: null, hll: null },
    ...{ ttl: [], fieldTtl: null },
  };
}

/** Whether the key does not exist for clients: no data of any type. */
export function isDead(state: KeyState | null): boolean {
  return state === null || !showsOtherThan(state, null);
}

/** Whether the key exists for clients by what it has beside the part `name` (null: by anything). */
export function showsOtherThan(state: KeyState, name: PartName | null): boolean {
  for (const other of PART_NAMES) {
    if (other !== name && state[other] !== null && partShows(state, other)) return true;
  }
  return false;
}

/** Whether a part that is not null makes the key exist for clients. */
function partShows(state: KeyState, name: PartName): boolean {
  const part = partNamed(name);
  return part.shows === undefined || part.shows(state[name]);
}

/** Whether the key has data beside the part `name` (null: any data). */
export function holdsOtherThan(state: KeyState, name: PartName | null): boolean {
  for (const other of PART_NAMES) if (other !== name && state[other] !== null) return true;
  return false;
}

/** The part that shows, or null when the key does not exist: the one with the latest live write
 * (greatest hlc, then lower region), and on a full tie the first of `PART_NAMES`. */
export function visiblePart(state: KeyState | null, roster: Roster): PartName | null {
  if (state === null) return null;
  let only: PartName | null = null;
  let parts = 0;
  for (const name of PART_NAMES) {
    if (state[name] === null || !partShows(state, name)) continue;
    only = name;
    parts++;
  }
  return parts < 2 ? only : latestPart(state, roster);
}

function latestPart(state: KeyState, roster: Roster): PartName | null {
  let part: PartName | null = null;
  let latest: StampedDot | null = null;
  for (const name of PART_NAMES) {
    const shown = state[name] !== null && partShows(state, name);
    const stamp = shown ? latestWrite(state, name, roster) : null;
    if (stamp === null || (latest !== null && !isLater(stamp, latest, roster))) continue;
    part = name;
    latest = stamp;
  }
  return part;
}

/** The type that shows, or null when the key does not exist. */
export function visibleType(state: KeyState | null, roster: Roster): ValueType | null {
  const name = visiblePart(state, roster);
  return name === null ? null : partNamed(name).type;
}

/** The latest live write of one part, or null when the key has nothing of it. O(its size). */
export function latestWrite(state: KeyState, name: PartName, roster: Roster): StampedDot | null {
  const part = state[name];
  if (part === null) return null;
  let latest: StampedDot | null = null;
  partNamed(name).eachStamp(part, (stamp) => {
    if (latest === null || isLater(stamp, latest, roster)) latest = stamp;
  });
  return latest;
}

/** Puts absent parts in their one form: empty becomes null, and a state without parts too. */
export function normalise(state: KeyState): KeyState | null {
  let dead = true;
  for (const name of PART_NAMES) {
    const part = state[name];
    if (part === null) continue;
    if (partNamed(name).isEmpty(part)) state[name] = null;
    else dead = false;
  }
  if (state.fieldTtl !== null && (state.hash === null || state.fieldTtl.writes.size === 0)) {
    state.fieldTtl = null;
  }
  return dead && state.ttl.length === 0 ? null : state;
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
  const parts = merged as Record<PartName, unknown>;
  for (const name of PART_NAMES) {
    if (merged[name] === null && other[name] === null) continue;
    parts[name] = partNamed(name).merge(merged[name], mineVector, other[name], theirsVector);
  }
  if (merged.fieldTtl !== null || other.fieldTtl !== null) {
    merged.fieldTtl ??= emptyFieldTtls();
    mergeFieldTtls(merged.fieldTtl, mineVector, other.fieldTtl, theirsVector);
    pruneFieldTtls(merged.fieldTtl, merged.hash, null);
  }
  merged.ttl = mergeDotted(merged.ttl, mineVector, other.ttl, theirsVector);
  return normalise(merged);
}
