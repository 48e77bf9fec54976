/**
 * A slot's whole state as bytes: for images, and for members that lack more than a log reaches.
 *
 *     u8   version 1
 *     u16  slot
 *     u16  n, n × (12 bytes actor id, f64 seq), by id: what had been applied to the slot
 *     u16  n, n × 12 bytes: the dictionary, by id
 *     u32  n, n × (text key, key state), by key: key-encoding.ts
 *
 * Little-endian but for the ids. All is sorted, so equal states with equal vectors have equal
 * bytes; `slotDigest` leaves the vector out.
 */

import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import type { Actor, Bytes } from '../crdt/dot.ts';
import { type KeyState, mergeKey } from '../crdt/key-state.ts';
import {
  ACTOR_ID_BYTES,
  actorId,
  describeBadActorId,
  hasRoom,
  internActor,
  ROSTER_FULL,
  type Roster,
} from '../crdt/roster.ts';
import {
  advance,
  copyVector,
  joinVector,
  seqOf,
  type VersionVector,
} from '../crdt/version-vector.ts';
import { metaOf, tableKind } from '../keyspace/entry.ts';
import { loadState } from '../keyspace/packed-string.ts';
import { SLOT_COUNT, slotOf } from '../keyspace/slot.ts';
import { ByteReader } from '../op/byte-reader.ts';
import { ByteWriter } from '../op/byte-writer.ts';
import {
  type ActorDictionary,
  collectActors,
  dictionaryOf,
  readKey,
  writeKey,
} from '../op/key-encoding.ts';
import { KEY_BYTES_MAX } from '../op/op.ts';
import type { Ground } from './ground.ts';
import { slotRefs } from './keys.ts';
import { plainActor, writePlainKey } from './plain-bytes.ts';
import { isPlain } from './plain-write.ts';
import { collectTableActors, writeTable } from './table-transfer.ts';

const SLOT_STATE_VERSION = 1;
const SEQ_MAX = 2 ** 48 - 1;
/** Shortest key with its state. */
export const SLOT_KEY_BYTES_MIN = 6;

export const FINGERPRINT_BYTES = 8;
export const EMPTY_FINGERPRINT: Bytes = '\0'.repeat(FINGERPRINT_BYTES);

export type SlotState = {
  slot: number;
  vector: VersionVector;
  keys: Map<Bytes, KeyState>;
};

/** The slot's state as a SLOT_STATE body. */
export function encodeSlot(ground: Ground, slot: number): Uint8Array {
  const out = new ByteWriter(1024);
  writeSlot(out, ground, slot, []);
  return out.toBytes();
}

/** Appends a SLOT_STATE body. Its vector leaves out what `base` covers: the reader joins that. */
export function writeSlot(
  out: ByteWriter,
  ground: Ground,
  slot: number,
  base: VersionVector,
): void {
  out.u8(SLOT_STATE_VERSION);
  out.u16(slot);
  writeVector(out, ground.slotVector(slot), ground.roster, base);
  writeKeys(out, ground, slotRefs(ground, slot));
}

/** As `encodeSlot`, with nothing but these keys (those of them that are there). */
export function encodeSlotKeys(ground: Ground, slot: number, keys: readonly Bytes[]): Uint8Array {
  const out = new ByteWriter(1024);
  out.u8(SLOT_STATE_VERSION);
  out.u16(slot);
  writeVector(out, ground.slotVector(slot), ground.roster, []);
  const refs = keys.map((key) => ground.findText(key).ref);
  writeKeys(
    out,
    ground,
    refs.filter((ref) => ref !== 0 && ground.keyspace.slotOf(ref) === slot),
  );
  return out.toBytes();
}

/** A SLOT_STATE body that says: at `vector` this slot held nothing. */
export function encodeEmptySlot(roster: Roster, slot: number, vector: VersionVector): Uint8Array {
  const out = new ByteWriter(256);
  out.u8(SLOT_STATE_VERSION);
  out.u16(slot);
  writeVector(out, vector, roster, []);
  out.u16(0);
  out.u32(0);
  return out.toBytes();
}

/** Hash of the slot's keys and states, equal on all members that hold the same; 0: no keys. */
export function slotDigest(ground: Ground, slot: number): number {
  if (ground.keyspace.slots.counts[slot] === 0) return 0;
  const out = new ByteWriter(1024);
  writeKeys(out, ground, slotRefs(ground, slot));
  return crc32(out.bytes.subarray(0, out.length)) || 1;
}

/**
 * 8 bytes that tell the slot's keys and states from all others; zeros: no keys. Where a digest decides that
 * nothing is shipped, 32 bits are too few: one false match would be a difference for ever.
 */
export function slotFingerprint(ground: Ground, slot: number): Bytes {
  if (ground.keyspace.slots.counts[slot] === 0) return EMPTY_FINGERPRINT;
  const out = new ByteWriter(1024);
  writeKeys(out, ground, slotRefs(ground, slot));
  const hash = createHash('sha256').update(out.bytes.subarray(0, out.length)).digest();
  return hash.latin1Slice(0, FINGERPRINT_BYTES);
}

/** The first `count` keys of the slot by bytes, each with a hash of its state. */
export function keyDigests(ground: Ground, slot: number, count: number): [Bytes, number][] {
  const { keyspace, roster } = ground;
  const found = slotRefs(ground, slot).map((ref): [Bytes, number] => [keyspace.keyText(ref), ref]);
  found.sort(([a], [b]) => (a < b ? -1 : 1));
  return found.slice(0, count).map(([key, ref]) => {
    const out = new ByteWriter(256);
    const table = tableKind(metaOf(keyspace.arena, ref)) !== 0;
    const state = table ? null : loadState(keyspace, ref);
    const actors = new Set<Actor>();
    if (state === null) collectTableActors(keyspace, ref, actors);
    else collectActors(state, actors);
    const dictionary = dictionaryOf(roster, actors);
    for (const actor of dictionary.actors) out.raw(actorId(roster, actor));
    if (state === null) writeTable(out, keyspace, ref, dictionary);
    else writeKey(out, state, dictionary);
    return [key, crc32(out.bytes.subarray(0, out.length))];
  });
}

export type SlotHead = {
  readonly slot: number;
  readonly vector: VersionVector;
  /** The dictionary. */
  readonly actors: readonly Actor[];
};

/** Reads a SLOT_STATE body up to its keys. Look at `reader.problem` before using it. */
export function readSlotHead(reader: ByteReader, roster: Roster): SlotHead {
  if (reader.u8() !== SLOT_STATE_VERSION) reader.fail('a version that is not 1');
  const slot = reader.u16();
  if (slot >= SLOT_COUNT) reader.fail(`there is no slot ${slot}`);
  const vector: VersionVector = [];
  const seen = readIds(reader, roster, 8, (id) => {
    const seq = reader.f64();
    if (!Number.isInteger(seq) || seq < 1 || seq > SEQ_MAX) reader.fail('seq out of range');
    else advance(vector, internActor(roster, id), seq);
  });
  const actors: Actor[] = [];
  if (seen) readIds(reader, roster, 0, (id) => actors.push(internActor(roster, id)));
  return { slot, vector, actors };
}

/** Reads a SLOT_STATE body. Checks all of it; returns what is wrong instead of a state. */
export function decodeSlot(body: Uint8Array, roster: Roster): SlotState | string {
  const reader = new ByteReader(body);
  const { slot, vector, actors } = readSlotHead(reader, roster);
  const keys = new Map<Bytes, KeyState>();
  const count = reader.count(32, SLOT_KEY_BYTES_MIN);
  let previous: Bytes | null = null;
  for (let n = 0; n < count && reader.problem === null; n++) {
    const key = reader.text(KEY_BYTES_MAX);
    const state = readKey(reader, actors);
    if (previous !== null && key <= previous) reader.fail('keys that are not in order');
    const bytes = Buffer.from(key, 'latin1');
    if (slotOf(bytes, 0, bytes.length) !== slot) reader.fail('a key of another slot');
    keys.set(key, state);
    previous = key;
  }
  if (reader.problem === null && reader.at !== reader.end) reader.fail('bytes left over');
  return reader.problem === null ? { slot, vector, keys } : `bad slot state: ${reader.problem}`;
}

/**
 * Puts the state in the place of what the slot holds. The vector becomes the slot's exception and
 * replaces one that was held: what only the old state had seen is not in the slot any more.
 */
export function replaceSlot(ground: Ground, incoming: SlotState): void {
  ground.imports[incoming.slot]++;
  const { keyspace } = ground;
  for (const ref of slotRefs(ground, incoming.slot)) {
    const place = ground.findEntry(ref);
    keyspace.remove(place.hash, place.ref);
  }
  for (const [key, state] of incoming.keys) ground.store(ground.findText(key), state, -1);
  ground.exceptions.set(incoming.slot, incoming.vector);
  ground.aheadChanges++;
}

/** Merges the state into what the slot holds. The vector becomes part of the slot's exception. */
export function mergeSlot(ground: Ground, incoming: SlotState): void {
  const { slot, vector, keys } = incoming;
  ground.imports[slot]++;
  const mine = ground.slotVector(slot);
  for (const ref of slotRefs(ground, slot)) {
    const place = ground.findEntry(ref);
    const key = ground.keyspace.keyText(ref);
    const theirs = keys.get(key) ?? null;
    keys.delete(key);
    ground.store(place, mergeKey(loadState(ground.keyspace, ref), mine, theirs, vector), -1);
  }
  for (const [key, theirs] of keys) {
    const merged = mergeKey(null, mine, theirs, vector);
    if (merged !== null) ground.store(ground.findText(key), merged, -1);
  }
  addException(ground, slot, vector);
}

/** Makes the vector part of the slot's exception; it must not be changed afterwards. */
export function addException(ground: Ground, slot: number, vector: VersionVector): void {
  const held = ground.exceptions.get(slot);
  const joined = held === undefined ? vector : copyVector(held);
  if (held !== undefined) joinVector(joined, vector);
  ground.exceptions.set(slot, joined);
  ground.aheadChanges++;
}

/** A key on its way out; `state` is null for a plain string or a table, which go straight from the arena. */
type Outgoing = { readonly key: Bytes; readonly ref: number; readonly state: KeyState | null };

function writeKeys(out: ByteWriter, ground: Ground, refs: readonly number[]): void {
  const { keyspace, roster } = ground;
  const keys: Outgoing[] = [];
  const actors = new Set<Actor>();
  let last: Actor = -1;
  for (const ref of refs) {
    const meta = metaOf(keyspace.arena, ref);
    const table = tableKind(meta) !== 0;
    const state = table || isPlain(meta) ? null : loadState(keyspace, ref);
    if (table) collectTableActors(keyspace, ref, actors);
    else if (state !== null) collectActors(state, actors);
    else {
      const actor = plainActor(keyspace, ref, meta);
      if (actor !== last) actors.add(actor);
      last = actor;
    }
    keys.push({ key: keyspace.keyText(ref), ref, state });
  }
  keys.sort((a, b) => (a.key < b.key ? -1 : 1));
  const dictionary: ActorDictionary = dictionaryOf(roster, actors);
  out.u16(dictionary.actors.length);
  for (const actor of dictionary.actors) out.raw(actorId(roster, actor));
  out.u32(keys.length);
  for (const { ref, state } of keys) {
    keyspace.locateKey(ref);
    const { bytes, start, end } = keyspace;
    out.reserve(4 + end - start);
    out.u32(end - start);
    out.copyReserved(bytes, start, end);
    if (state !== null) writeKey(out, state, dictionary);
    else if (tableKind(metaOf(keyspace.arena, ref)) !== 0)
      writeTable(out, keyspace, ref, dictionary);
    else writePlainKey(out, keyspace, ref, dictionary);
  }
}

function writeVector(
  out: ByteWriter,
  vector: VersionVector,
  roster: Roster,
  base: VersionVector,
): void {
  const actors: Actor[] = [];
  for (let actor = 0; actor < vector.length; actor++) {
    if (vector[actor] > seqOf(base, actor)) actors.push(actor);
  }
  const sorted = dictionaryOf(roster, actors).actors;
  out.u16(sorted.length);
  for (const actor of sorted) {
    out.raw(actorId(roster, actor));
    out.f64(vector[actor]);
  }
}

/** Reads `u16 n`, then n ids in order, each followed by what `each` reads. */
function readIds(
  reader: ByteReader,
  roster: Roster,
  bytesAfter: number,
  each: (id: Bytes) => void,
): boolean {
  const count = reader.count(16, ACTOR_ID_BYTES + bytesAfter);
  let previous = '';
  for (let n = 0; n < count && reader.problem === null; n++) {
    const id = reader.raw(ACTOR_ID_BYTES);
    const bad = describeBadActorId(id);
    if (bad !== null) reader.fail(bad);
    else if (id <= previous) reader.fail('actors that are not in order');
    else if (!hasRoom(roster, id)) reader.fail(ROSTER_FULL);
    else each(id);
    previous = id;
  }
  return reader.problem === null;
}
