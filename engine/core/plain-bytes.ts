/**
 * Plain strings (plain-write.ts) in the canonical encoding (op/key-encoding.ts), straight from the
 * arena and back, because nearly all keys of a large database are plain strings and each of them passes
 * here with every image and every start.
 *
 *     u8 version | u8 parts: cell, or cell and TTL
 *     u16 1 | dot | f64 hlc | text value     the sibling
 *     u16 0                                  no contributions
 *     u16 1 | dot | f64 hlc | f64 expiry     with TTL: the dot of the sibling
 *
 * What is written equals what `writeKey` makes of the loaded state, to the byte; what has any other
 * form is left to `readKey`. The slot tests compare both.
 */

import type { Actor } from '../crdt/dot.ts';
import { CHUNK_SHIFT, UNIT_MASK } from '../keyspace/arena.ts';
import {
  dotActor,
  dotSeq,
  HEADER_UNITS,
  metaOf,
  siblingUnit,
  TTL_KIND_MASK,
  TTL_NONE,
  TTL_OWN_FINITE,
} from '../keyspace/entry.ts';
import type { KeyPlace } from '../keyspace/key-place.ts';
import type { Keyspace } from '../keyspace/keyspace.ts';
import type { ByteReader } from '../op/byte-reader.ts';
import type { ByteWriter } from '../op/byte-writer.ts';
import { type ActorDictionary, KEY_ENCODING_VERSION, PART } from '../op/key-encoding.ts';
import { VALUE_BYTES_MAX } from '../op/op.ts';
import { writePlain } from './plain-write.ts';

const TWO_32 = 4294967296;
/** All of the encoding but the value. */
const FIXED_BYTES = 2 + 2 + 16 + 4 + 2 + 2 + 16 + 8;
/** From the start of the encoding to the bytes of the value. */
const VALUE_AT = 24;
const TTL_BYTES = 26;

/** Who wrote the plain string. */
export function plainActor(keyspace: Keyspace, ref: number, meta: number): Actor {
  return dotActor(keyspace.arena.u32[ref >>> CHUNK_SHIFT], siblingUnit(ref, meta) << 1);
}

/** Appends the encoding of the plain string at `ref`, whose actor is in the dictionary. */
export function writePlainKey(
  out: ByteWriter,
  keyspace: Keyspace,
  ref: number,
  dictionary: ActorDictionary,
): void {
  const meta = metaOf(keyspace.arena, ref);
  const words = keyspace.arena.u32[ref >>> CHUNK_SHIFT];
  const floats = keyspace.arena.f64[ref >>> CHUNK_SHIFT];
  const unit = siblingUnit(ref, meta);
  const index = dictionary.indexes.get(dotActor(words, unit << 1));
  if (index === undefined) throw new RangeError('an actor is not in the dictionary');
  const seq = dotSeq(words, unit << 1);
  const hlc = floats[unit + 1];
  const kind = meta & TTL_KIND_MASK;
  keyspace.locateValue(ref);
  const { bytes, start, end } = keyspace;
  out.reserve(FIXED_BYTES + end - start);
  out.u8(KEY_ENCODING_VERSION);
  out.u8(kind === TTL_NONE ? PART.cell : PART.cell | PART.ttl);
  out.u16(1);
  out.u16(index);
  out.u48(seq);
  out.f64(hlc);
  out.u32(end - start);
  out.copyReserved(bytes, start, end);
  out.u16(0);
  if (kind === TTL_NONE) return;
  out.u16(1);
  out.u16(index);
  out.u48(seq);
  out.f64(hlc);
  const hasExpiry = kind === TTL_OWN_FINITE;
  out.f64(hasExpiry ? floats[(ref & UNIT_MASK) + HEADER_UNITS] : Number.POSITIVE_INFINITY);
}

/**
 * Reads an encoding and makes the key at `place`, which has none yet, a plain string. False: it is no
 * plain string, or something is wrong with it; then nothing was done.
 */
export function restorePlainKey(
  reader: ByteReader,
  actors: readonly Actor[],
  keyspace: Keyspace,
  place: KeyPlace,
): boolean {
  const { view, bytes, at, end } = reader;
  if (end - at < VALUE_AT + 2) return false;
  const parts = bytes[at + 1];
  const hasTtl = parts === (PART.cell | PART.ttl);
  if (bytes[at] !== KEY_ENCODING_VERSION || !(hasTtl || parts === PART.cell)) return false;
  if (view.getUint16(at + 2, true) !== 1) return false;
  const index = view.getUint16(at + 4, true);
  const seq = readSeq(view, at + 6);
  const hlc = view.getFloat64(at + 12, true);
  const length = view.getUint32(at + 20, true);
  if (index >= actors.length || seq === 0 || length > VALUE_BYTES_MAX) return false;
  if (!Number.isSafeInteger(hlc) || hlc < 0) return false;
  const valueEnd = at + VALUE_AT + length;
  const next = valueEnd + 2 + (hasTtl ? TTL_BYTES : 0);
  if (next > end || view.getUint16(valueEnd, true) !== 0) return false;
  let expiry = Number.NaN;
  if (hasTtl) {
    const ttl = valueEnd + 2;
    const isOwn =
      view.getUint16(ttl, true) === 1 &&
      view.getUint16(ttl + 2, true) === index &&
      readSeq(view, ttl + 4) === seq &&
      view.getFloat64(ttl + 10, true) === hlc;
    expiry = view.getFloat64(ttl + 18, true);
    const isTime = expiry === Number.POSITIVE_INFINITY || Number.isInteger(expiry);
    if (!isOwn || !isTime || expiry < 0) return false;
  }
  writePlain(keyspace, place, actors[index], seq, hlc, bytes, at + VALUE_AT, valueEnd, expiry);
  reader.at = next;
  return true;
}

function readSeq(view: DataView, at: number): number {
  return view.getUint32(at, true) + view.getUint16(at + 4, true) * TWO_32;
}
