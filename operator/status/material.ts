/**
 * Is a new status worth a write? Every write goes to etcd and wakes every watcher, so numbers that
 * only flicker wait for a while, and nothing is written when nothing changed.
 */
import type { Status } from '../api/status-schema.ts';
import { canonicalJson } from '../specs/fingerprint.ts';

/** Flickering numbers are written at most this often. */
export const VOLATILE_REFRESH_MS = 5_000;

export type Change = 'none' | 'volatile' | 'material';

/** How much differs between the status in the resource and the new one. */
export function changeBetween(before: Status, after: Status): Change {
  if (canonicalJson(steady(before)) !== canonicalJson(steady(after))) return 'material';
  return canonicalJson(before) === canonicalJson(after) ? 'none' : 'volatile';
}

/** The status without the numbers that flicker. */
function steady(status: Status): unknown {
  return {
    ...status,
    worstLag: undefined,
    regions: status.regions.map(({ name, number, connected }) => ({ name, number, connected })),
    shards: status.shards.map((shard) => ({
      ...shard,
      members: shard.members.map(({ lagOps: _lag, memoryBytes: _memory, ...rest }) => rest),
    })),
  };
}
