/**
 * The messages by which two members compare their slots, as frames. A puller asks, the server of
 * its session answers each question at once, with what holds in that very turn.
 *
 *     kind  name           from     body (little-endian)
 *       28  COMPARE        puller   u32 id · u16 n · n × u16 slot · vector
 *       29  COMPARED       server   u32 id · u16 n · n × (u32 digest, u8 busy) · vector
 *       30  COMPARE_KEYS   puller   u32 id · u16 slot · vector
 *       31  KEYS_COMPARED  server   u32 id · u8 busy · u8 whole · u32 n · n × (u32 length, key,
 *                                   u32 digest) by key · vector
 *       34  SHOW_KEYS      puller   u32 id · u16 slot · u16 n · n × (u32 length, key) by key · vector
 *       35  KEYS_SHOWN     server   u32 id · u8 busy · u16 m · u32 length · SLOT_STATE body · vector
 *
 * The last two, for members with the feature `repair`, carry the states of keys that differ: the first m of
 * those that were asked for (at least one), of which the body holds those that exist.
 *
 * The vector is what the sender has applied. *Busy* says that the slot was touched by an op which the
 * server has applied and the asker's vector does not cover (or that the server cannot tell): then
 * a difference means nothing.
 */

import type { Bytes } from '../crdt/dot.ts';
import type { Roster } from '../crdt/roster.ts';
import type { VersionVector } from '../crdt/version-vector.ts';
import { SLOT_COUNT } from '../keyspace/slot.ts';
import { frameBody, sealFrame } from '../log/frame.ts';
import { decodeVector, encodeVector } from '../log/vector-bytes.ts';
import { ByteReader } from '../op/byte-reader.ts';
import { ByteWriter } from '../op/byte-writer.ts';
import { KEY_BYTES_MAX } from '../op/op.ts';
import { MESSAGE } from './message.ts';

/** Slots of one question; bounds what an answer costs. */
export const COMPARE_SLOTS_MAX = 2048;
/** Keys of one answer, the first by bytes. */
export const COMPARE_KEYS_MAX = 10_000;

export type Compare = {
  readonly id: number;
  readonly slots: readonly number[];
  readonly vector: VersionVector;
};

export type Compared = {
  readonly id: number;
  readonly digests: readonly number[];
  readonly busy: readonly boolean[];
  readonly vector: VersionVector;
};

export type CompareKeys = {
  readonly id: number;
  readonly slot: number;
  readonly vector: VersionVector;
};

/** Keys in order, each with a digest of its state. */
export type KeyDigests = readonly (readonly [key: Bytes, digest: number])[];

export type KeysCompared = {
  readonly id: number;
  readonly busy: boolean;
  /** False: the slot has more keys than these. */
  readonly whole: boolean;
  readonly keys: KeyDigests;
  readonly vector: VersionVector;
};

/** Keys of one SHOW_KEYS, and about the bytes of their states in the answer. */
export const SHOW_KEYS_MAX = 64;
export const SHOW_BYTES_MAX = 1024 * 1024;

export type ShowKeys = {
  readonly id: number;
  readonly slot: number;
  /** In order. */
  readonly keys: readonly Bytes[];
  readonly vector: VersionVector;
};

export type KeysShown = {
  readonly id: number;
  readonly busy: boolean;
  /** So many of the keys asked for are answered. */
  readonly count: number;
  /** A SLOT_STATE body with these keys alone. */
  readonly state: Uint8Array;
  readonly vector: VersionVector;
};

export function sealCompare({ id, slots, vector }: Compare, roster: Roster): Uint8Array {
  const out = new ByteWriter(256);
  out.u32(id);
  out.u16(slots.length);
  for (const slot of slots) out.u16(slot);
  return seal(MESSAGE.compare, out, vector, roster);
}

export function readCompare(frame: Uint8Array, roster: Roster): Compare | string {
  const reader = new ByteReader(frameBody(frame));
  const id = reader.u32();
  const count = reader.count(16, 2);
  if (count > COMPARE_SLOTS_MAX) reader.fail(`${count} slots at once`);
  const slots: number[] = [];
  for (let n = 0; n < count && reader.problem === null; n++) slots.push(readSlot(reader));
  const vector = readVectorAfter(reader, roster);
  return typeof vector === 'string' ? `a bad COMPARE: ${vector}` : { id, slots, vector };
}

export function sealCompared(compared: Compared, roster: Roster): Uint8Array {
  const { id, digests, busy, vector } = compared;
  const out = new ByteWriter(256);
  out.u32(id);
  out.u16(digests.length);
  for (const [n, digest] of digests.entries()) {
    out.u32(digest);
    out.u8(busy[n] ? 1 : 0);
  }
  return seal(MESSAGE.compared, out, vector, roster);
}

export function readCompared(frame: Uint8Array, roster: Roster): Compared | string {
  const reader = new ByteReader(frameBody(frame));
  const id = reader.u32();
  const digests: number[] = [];
  const busy: boolean[] = [];
  const count = reader.count(16, 5);
  for (let n = 0; n < count && reader.problem === null; n++) {
    digests.push(reader.u32());
    busy.push(reader.u8() !== 0);
  }
  const vector = readVectorAfter(reader, roster);
  return typeof vector === 'string' ? `a bad COMPARED: ${vector}` : { id, digests, busy, vector };
}

export function sealCompareKeys({ id, slot, vector }: CompareKeys, roster: Roster): Uint8Array {
  const out = new ByteWriter(256);
  out.u32(id);
  out.u16(slot);
  return seal(MESSAGE.compareKeys, out, vector, roster);
}

export function readCompareKeys(frame: Uint8Array, roster: Roster): CompareKeys | string {
  const reader = new ByteReader(frameBody(frame));
  const id = reader.u32();
  const slot = readSlot(reader);
  const vector = readVectorAfter(reader, roster);
  return typeof vector === 'string' ? `a bad COMPARE_KEYS: ${vector}` : { id, slot, vector };
}

export function sealKeysCompared(compared: KeysCompared, roster: Roster): Uint8Array {
  const { id, busy, whole, keys, vector } = compared;
  const out = new ByteWriter(1024);
  out.u32(id);
  out.u8(busy ? 1 : 0);
  out.u8(whole ? 1 : 0);
  out.u32(keys.length);
  for (const [key, digest] of keys) {
    out.text(key);
    out.u32(digest);
  }
  return seal(MESSAGE.keysCompared, out, vector, roster);
}

export function readKeysCompared(frame: Uint8Array, roster: Roster): KeysCompared | string {
  const reader = new ByteReader(frameBody(frame));
  const id = reader.u32();
  const busy = reader.u8() !== 0;
  const whole = reader.u8() !== 0;
  const keys: [Bytes, number][] = [];
  const count = reader.count(32, 8);
  if (count > COMPARE_KEYS_MAX) reader.fail(`${count} keys at once`);
  const names: Bytes[] = [];
  for (let n = 0; n < count && reader.problem === null; n++) {
    names.push(readNextKey(reader, names));
    keys.push([names[n], reader.u32()]);
  }
  const vector = readVectorAfter(reader, roster);
  if (typeof vector === 'string') return `a bad KEYS_COMPARED: ${vector}`;
  return { id, busy, whole, keys, vector };
}

export function sealShowKeys({ id, slot, keys, vector }: ShowKeys, roster: Roster): Uint8Array {
  const out = new ByteWriter(256);
  out.u32(id);
  out.u16(slot);
  out.u16(keys.length);
  for (const key of keys) out.text(key);
  return seal(MESSAGE.showKeys, out, vector, roster);
}

export function readShowKeys(frame: Uint8Array, roster: Roster): ShowKeys | string {
  const reader = new ByteReader(frameBody(frame));
  const id = reader.u32();
  const slot = readSlot(reader);
  const count = reader.count(16, 4);
  if (count < 1 || count > SHOW_KEYS_MAX) reader.fail(`${count} keys at once`);
  const keys: Bytes[] = [];
  for (let n = 0; n < count && reader.problem === null; n++) keys.push(readNextKey(reader, keys));
  const vector = readVectorAfter(reader, roster);
  return typeof vector === 'string' ? `a bad SHOW_KEYS: ${vector}` : { id, slot, keys, vector };
}

export function sealKeysShown(shown: KeysShown, roster: Roster): Uint8Array {
  const { id, busy, count, state, vector } = shown;
  const out = new ByteWriter(256 + state.length);
  out.u32(id);
  out.u8(busy ? 1 : 0);
  out.u16(count);
  out.u32(state.length);
  out.reserve(state.length);
  out.copyReserved(state, 0, state.length);
  return seal(MESSAGE.keysShown, out, vector, roster);
}

export function readKeysShown(frame: Uint8Array, roster: Roster): KeysShown | string {
  const body = frameBody(frame);
  const reader = new ByteReader(body);
  const id = reader.u32();
  const busy = reader.u8() !== 0;
  const count = reader.u16();
  const length = reader.count(32, 1);
  const state = body.subarray(reader.at, reader.at + length);
  reader.at += length;
  const vector = readVectorAfter(reader, roster);
  if (typeof vector === 'string') return `a bad KEYS_SHOWN: ${vector}`;
  return { id, busy, count, state, vector };
}

function seal(kind: number, out: ByteWriter, vector: VersionVector, roster: Roster): Uint8Array {
  const head = out.toBytes();
  const tail = encodeVector(vector, roster);
  const body = new Uint8Array(head.length + tail.length);
  body.set(head);
  body.set(tail, head.length);
  return sealFrame(kind, body);
}

function readSlot(reader: ByteReader): number {
  const slot = reader.u16();
  return slot < SLOT_COUNT ? slot : reader.fail(`there is no slot ${slot}`);
}

/** A key that comes after those before it. */
function readNextKey(reader: ByteReader, before: readonly Bytes[]): Bytes {
  const key = reader.text(KEY_BYTES_MAX);
  if (before.length > 0 && key <= before.at(-1)!) reader.fail('keys that are not in order');
  return key;
}

/** The vector that fills the rest of the body, or what is wrong with any of it. */
function readVectorAfter(reader: ByteReader, roster: Roster): VersionVector | string {
  return reader.problem ?? decodeVector(reader.bytes, reader.at, roster);
}
