/**
 * entries-read and lag of a consumer group, as Redis 7 computes them: a count of entries behind an id is known
 * only where no XDEL has left a hole ahead of it.
 */
import type { Bytes } from '../crdt/dot.ts';
import { addedCount, lastGiven, maxDeleted, type StreamState } from '../crdt/stream.ts';
import { firstId } from '../crdt/stream-entries.ts';
import { STREAM_ID_MIN } from '../crdt/stream-id.ts';

/** Not known. */
export const NO_COUNT = -1;

/** How many entries were ever added up to and with this id; NO_COUNT: nobody can say. */
export function countUpTo(stream: StreamState, id: Bytes): number {
  const added = addedCount(stream);
  if (added === 0) return 0;
  const { count } = stream.entries;
  const last = lastGiven(stream);
  if (count === 0 && id <= last) return added;
  if (id === last) return added;
  if (id > last) return NO_COUNT;
  const first = firstId(stream.entries) ?? STREAM_ID_MIN;
  const deleted = maxDeleted(stream);
  if (deleted === STREAM_ID_MIN || deleted < first) {
    if (id < first) return added - count;
    if (id === first) return added - count + 1;
  }
  return NO_COUNT;
}

/** Whether an XDEL may have left a hole from this id on. */
export function hasHolesAfter(stream: StreamState, id: Bytes): boolean {
  const deleted = maxDeleted(stream);
  if (stream.entries.count === 0 || deleted === STREAM_ID_MIN) return false;
  if ((firstId(stream.entries) ?? STREAM_ID_MIN) > deleted) return false;
  return id <= deleted;
}

/** The count of a group that was at `read` when it has delivered the entry `id`. */
export function countAfter(stream: StreamState, read: number, id: Bytes): number {
  if (read !== NO_COUNT && !hasHolesAfter(stream, id)) return read + 1;
  return addedCount(stream) > 0 ? countUpTo(stream, id) : read;
}

/** Entries that a group has not delivered yet; null: nobody can say. */
export function lagOf(stream: StreamState, read: number, last: Bytes): number | null {
  const added = addedCount(stream);
  if (added === 0) return 0;
  if (read !== NO_COUNT && !hasHolesAfter(stream, last)) return added - read;
  const count = countUpTo(stream, last);
  return count === NO_COUNT ? null : added - count;
}
