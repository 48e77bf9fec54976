/**
 * A version vector outside the process, where roster indexes mean nothing.
 *
 *     offset  0  u16  n, little-endian
 *             2       n × (12 bytes actor id, f64 seq little-endian), sorted by id, no id twice
 *
 * Entries of seq 0 are left out, so equal vectors have equal bytes.
 */

import {
  ACTOR_ID_BYTES,
  actorText,
  describeBadActorId,
  hasRoom,
  internActor,
  parseActorText,
  ROSTER_FULL,
  type Roster,
} from '../crdt/roster.ts';
import { advance, emptyVector, type VersionVector } from '../crdt/version-vector.ts';

const ENTRY_BYTES = ACTOR_ID_BYTES + 8;
const SEQ_MAX = 2 ** 48;

export function encodeVector(vector: VersionVector, roster: Roster): Uint8Array {
  const actors: number[] = [];
  for (let actor = 0; actor < vector.length; actor++) if (vector[actor] > 0) actors.push(actor);
  actors.sort((a, b) => (roster.ids[a] < roster.ids[b] ? -1 : 1));
  const bytes = new Uint8Array(2 + actors.length * ENTRY_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, actors.length, true);
  let at = 2;
  for (const actor of actors) {
    const id = roster.ids[actor];
    for (let i = 0; i < ACTOR_ID_BYTES; i++) bytes[at + i] = id.charCodeAt(i);
    view.setFloat64(at + ACTOR_ID_BYTES, vector[actor], true);
    at += ENTRY_BYTES;
  }
  return bytes;
}

/**
 * Reads a vector that fills `bytes` from `start` to its end. Actors that are new enter the roster.
 * Returns what is wrong instead when the bytes are no vector.
 */
export function decodeVector(
  bytes: Uint8Array,
  start: number,
  roster: Roster,
): VersionVector | string {
  if (bytes.length - start < 2) return 'a vector cut short';
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const count = view.getUint16(start, true);
  if (bytes.length !== start + 2 + count * ENTRY_BYTES) return 'a vector of the wrong length';
  const vector = emptyVector();
  let previous = '';
  for (let at = start + 2; at < bytes.length; at += ENTRY_BYTES) {
    let id = '';
    for (let i = 0; i < ACTOR_ID_BYTES; i++) id += String.fromCharCode(bytes[at + i]);
    const seq = view.getFloat64(at + ACTOR_ID_BYTES, true);
    const problem = describeBadActorId(id);
    if (problem !== null) return problem;
    if (id <= previous) return 'a vector whose actors are not in order';
    if (!Number.isSafeInteger(seq) || seq < 1 || seq >= SEQ_MAX) return `a vector with seq ${seq}`;
    if (!hasRoom(roster, id)) return ROSTER_FULL;
    advance(vector, internActor(roster, id), seq);
    previous = id;
  }
  return vector;
}

/** For people and JSON: `{ "1.0.18f2a": 12 }`, sorted. */
export function vectorObject(vector: VersionVector, roster: Roster): Record<string, number> {
  const entries: [string, number][] = [];
  for (let actor = 0; actor < vector.length; actor++) {
    if (vector[actor] > 0) entries.push([actorText(roster.ids[actor]), vector[actor]]);
  }
  entries.sort((a, b) => (a[0] < b[0] ? -1 : 1));
  return Object.fromEntries(entries);
}

/** The inverse of `vectorObject`; null when it is no such object. */
export function parseVectorObject(value: unknown, roster: Roster): VersionVector | null {
  if (typeof value !== 'object' || value === null) return null;
  const vector = emptyVector();
  for (const [text, seq] of Object.entries(value)) {
    const id = parseActorText(text);
    if (id === null || !Number.isSafeInteger(seq) || seq < 1) return null;
    advance(vector, internActor(roster, id), seq);
  }
  return vector;
}
