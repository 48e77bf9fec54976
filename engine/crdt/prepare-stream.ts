/** As prepare.ts, for streams: what clients want as ops on what the source has seen. */
import { type Actor, type Bytes, dotsOf } from './dot.ts';
import { type KeyState, showsOtherThan } from './key-state.ts';
import type { StreamAdd, StreamGroup, StreamMark, StreamRemove, StreamUngroup } from './op.ts';
import { keepTtl, ttlOfRemoval } from './prepare.ts';
import { addedCount, maxDeleted, newStream, type StreamState, streamShows } from './stream.ts';
import { dotsUpTo, entriesAt, firstId } from './stream-entries.ts';
import { STREAM_ID_MIN } from './stream-id.ts';
import { copyVector, type VersionVector } from './version-vector.ts';

/** XADD with an id that is greater than the last one given. */
export function prepareStreamAdd(
  state: KeyState | null,
  key: Bytes,
  id: Bytes,
  fields: readonly Bytes[],
  self: Actor,
): StreamAdd {
  const stream = state?.stream ?? null;
  const own = stream?.marks.find(({ actor }) => actor === self);
  return {
    kind: 'stream-add',
    key,
    id,
    fields,
    added: (own?.added ?? 0) + 1,
    deleted: stream === null ? STREAM_ID_MIN : maxDeleted(stream),
    ttl: keepTtl(state),
  };
}

/** XDEL. Null when none of the ids is there. */
export function prepareStreamRemove(
  stream: StreamState,
  key: Bytes,
  ids: readonly Bytes[],
): StreamRemove | null {
  const entries = [];
  let deleted = maxDeleted(stream);
  for (const id of new Set(ids)) {
    const held = entriesAt(stream.entries, id);
    if (held.length === 0) continue;
    entries.push({ id, drops: dotsOf(held) });
    if (id > deleted) deleted = id;
  }
  if (entries.length === 0) return null;
  const [mark] = stream.marks;
  const raises = mark !== undefined && deleted > maxDeleted(stream);
  const raise = raises ? { mark: { actor: mark.actor, seq: mark.seq }, deleted } : null;
  return { kind: 'stream-remove', key, entries, range: null, raise };
}

/** XTRIM of all entries up to and with `to`. Null when there is none. */
export function prepareStreamTrim(
  stream: StreamState,
  key: Bytes,
  to: Bytes,
  vector: VersionVector,
): StreamRemove | null {
  const first = firstId(stream.entries);
  if (first === null || first > to) return null;
  const range = { to, vector: copyVector(vector) };
  return { kind: 'stream-remove', key, entries: [], range, raise: null };
}

/** XSETID, and an empty stream where there is none. `added` is the count that all marks together make. */
export function prepareStreamMark(
  state: KeyState | null,
  key: Bytes,
  last: Bytes,
  added: number,
  deleted: Bytes,
): StreamMark {
  const drops = dotsOf(state?.stream?.marks ?? []);
  return { kind: 'stream-mark', key, last, added, deleted, drops, ttl: keepTtl(state) };
}

/** The mark of a stream that is made empty. */
export function prepareEmptyStream(state: KeyState | null, key: Bytes): StreamMark {
  const stream = state?.stream ?? newStream();
  return prepareStreamMark(state, key, STREAM_ID_MIN, addedCount(stream), STREAM_ID_MIN);
}

/** XGROUP CREATE of a group that does not show. */
export function prepareStreamGroup(
  stream: StreamState,
  key: Bytes,
  name: Bytes,
  last: Bytes,
  read: number,
  vector: VersionVector,
): StreamGroup {
  const held = stream.groups.get(name);
  return {
    kind: 'stream-group',
    key,
    group: name,
    last,
    read,
    seen: dotsUpTo(stream.entries, last),
    gone: dotsOf(held?.gone ?? []),
    vector: held === undefined ? null : copyVector(vector),
  };
}

/** XGROUP DESTROY of a group that shows. */
export function prepareStreamUngroup(
  state: KeyState,
  key: Bytes,
  group: Bytes,
  vector: VersionVector,
): StreamUngroup {
  const stream = state.stream ?? newStream();
  const groups = new Map(stream.groups);
  groups.delete(group);
  const empties = !streamShows({ ...stream, groups }) && !showsOtherThan(state, 'stream');
  const ttl = ttlOfRemoval(state, empties);
  return { kind: 'stream-ungroup', key, group, vector: copyVector(vector), ttl };
}
