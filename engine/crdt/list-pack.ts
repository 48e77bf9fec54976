/**
 * A chunk of a list packed into one piece of memory: what the inner chunks of long lists look like.
 * Elements that one op or one run pushed differ little, so most take one to five bytes beside their value.
 *
 *     u32 where the values begin | notes … | values …
 *
 *     value   varint length | bytes
 *     note    0                                       the next k of the same push
 *             1 | varint Δr | varint Δhlc             k = 0 of the next push of the same run
 *             2 | varint Δr | varint Δhlc | f64 k     another k of it
 *             3 | f64 n, tie, r, k | u16 actor | f64 seq, hlc        anything else; always the first
 *
 * Notes 0 to 2 stand for elements that were not changed since their push: the dot is (actor, |r|). Δhlc
 * is zigzag. Elements with deeper ids or several values are not packed: such a chunk stays open.
 */

import {
  CHUNK_ELEMENTS_MAX,
  type Chunk,
  elementIn,
  newChunk,
  ROW,
  rowAt,
  STRIDE,
} from './list-chunk.ts';
import { COMPONENT } from './list-id.ts';

const HEAD_BYTES = 4;
const WHOLE_NOTE_BYTES = 1 + 4 * 8 + 2 + 2 * 8;

let scratch = Buffer.allocUnsafeSlow(64 * 1024);
let view = new DataView(scratch.buffer, scratch.byteOffset, scratch.length);
let at = 0;

/** Packs an open chunk in place, if it can be. */
export function packChunk(chunk: Chunk): void {
  if (chunk.packed !== null || chunk.count === 0) return;
  if (chunk.odd?.some((element) => element !== null)) return;
  reserve(HEAD_BYTES + chunk.count * (WHOLE_NOTE_BYTES + 5) + chunk.live);
  at = HEAD_BYTES;
  for (let i = 0; i < chunk.count; i++) writeNote(chunk, i);
  view.setUint32(0, at, true);
  const { rows, values } = chunk;
  for (let i = 0; i < chunk.count; i++) {
    const row = rowAt(chunk, i);
    const length = rows[row + ROW.length];
    writeVarint(length);
    const from = rows[row + ROW.offset];
    at += values.copy(scratch, at, from, from + length);
  }
  const packed = Buffer.allocUnsafeSlow(at);
  scratch.copy(packed, 0, 0, at);
  const empty = newChunk();
  chunk.first = elementIn(chunk, 0).id;
  chunk.packed = packed;
  chunk.rows = empty.rows;
  chunk.values = empty.values;
  chunk.low = 0;
  chunk.used = 0;
  chunk.odd = null;
}

function writeNote(chunk: Chunk, i: number): void {
  const { rows } = chunk;
  const row = rowAt(chunk, i);
  const before = row - STRIDE;
  const r = rows[row + ROW.r];
  const isPushed = rows[row + ROW.seq] === Math.abs(r);
  const sameRun =
    i > 0 &&
    isPushed &&
    rows[before + ROW.seq] === Math.abs(rows[before + ROW.r]) &&
    rows[row + ROW.n] === rows[before + ROW.n] &&
    rows[row + ROW.tie] === rows[before + ROW.tie] &&
    rows[row + ROW.actor] === rows[before + ROW.actor];
  if (!sameRun) {
    writeWhole(rows, row);
    return;
  }
  const dr = r - rows[before + ROW.r];
  const dhlc = rows[row + ROW.hlc] - rows[before + ROW.hlc];
  const k = rows[row + ROW.k];
  if (dr === 0 && dhlc === 0 && k === rows[before + ROW.k] + 1) {
    scratch[at++] = 0;
    return;
  }
  scratch[at++] = k === 0 ? 1 : 2;
  writeVarint(dr);
  writeVarint(dhlc < 0 ? -dhlc * 2 - 1 : dhlc * 2);
  if (k !== 0) writeFloat(k);
}

function writeWhole(rows: Float64Array, row: number): void {
  scratch[at++] = 3;
  for (let c = 0; c < COMPONENT; c++) writeFloat(rows[row + c]);
  view.setUint16(at, rows[row + ROW.actor], true);
  at += 2;
  writeFloat(rows[row + ROW.seq]);
  writeFloat(rows[row + ROW.hlc]);
}

/** Opens a packed chunk in place. */
export function openChunk(chunk: Chunk): void {
  const { packed, count } = chunk;
  if (packed === null) return;
  const notes = new DataView(packed.buffer, packed.byteOffset, packed.length);
  const capacity = Math.max(count + 8, Math.min(count * 2, CHUNK_ELEMENTS_MAX));
  // Room at both ends: it is opened because something will be pushed or popped.
  const low = (capacity - count) >>> 1;
  const rows = new Float64Array(capacity * STRIDE);
  const values = Buffer.allocUnsafeSlow(chunk.live + 64);
  cursor.bytes = packed;
  cursor.at = HEAD_BYTES;
  for (let i = 0; i < count; i++) readNote(notes, rows, (low + i) * STRIDE);
  cursor.at = notes.getUint32(0, true);
  let used = 0;
  for (let i = 0; i < count; i++) {
    const length = readVarint();
    const row = (low + i) * STRIDE;
    rows[row + ROW.offset] = used;
    rows[row + ROW.length] = length;
    used += packed.copy(values, used, cursor.at, cursor.at + length);
    cursor.at += length;
  }
  chunk.packed = null;
  chunk.first = null;
  chunk.rows = rows;
  chunk.low = low;
  chunk.values = values;
  chunk.used = used;
}

const cursor: { bytes: Buffer; at: number } = { bytes: Buffer.alloc(0), at: 0 };

function readNote(notes: DataView, rows: Float64Array, row: number): void {
  const note = cursor.bytes[cursor.at++];
  if (note === 3) {
    const from = cursor.at;
    for (let c = 0; c < COMPONENT; c++) rows[row + c] = notes.getFloat64(from + c * 8, true);
    rows[row + ROW.actor] = notes.getUint16(from + 32, true);
    rows[row + ROW.seq] = notes.getFloat64(from + 34, true);
    rows[row + ROW.hlc] = notes.getFloat64(from + 42, true);
    cursor.at += WHOLE_NOTE_BYTES - 1;
    return;
  }
  rows.copyWithin(row, row - STRIDE, row - STRIDE + ROW.offset);
  if (note === 0) {
    rows[row + ROW.k]++;
    return;
  }
  rows[row + ROW.r] += readVarint();
  rows[row + ROW.seq] = Math.abs(rows[row + ROW.r]);
  const zigzag = readVarint();
  rows[row + ROW.hlc] += zigzag % 2 === 1 ? -(zigzag + 1) / 2 : zigzag / 2;
  rows[row + ROW.k] = 0;
  if (note === 1) return;
  rows[row + ROW.k] = notes.getFloat64(cursor.at, true);
  cursor.at += 8;
}

/**
 * Calls `each` with the bytes of the values of elements [from, to) of a packed chunk, in order; what it
 * gets is valid during the call.
 */
export function eachPackedValue(
  chunk: Chunk,
  from: number,
  to: number,
  each: (bytes: Buffer, start: number, end: number) => void,
): void {
  const packed = chunk.packed!;
  let position = packed.readUInt32LE(0);
  for (let i = 0; i < to; i++) {
    let length = packed[position++];
    if (length >= 128) {
      cursor.bytes = packed;
      cursor.at = position - 1;
      length = readVarint();
      position = cursor.at;
    }
    if (i >= from) each(packed, position, position + length);
    position += length;
  }
}

function reserve(bytes: number): void {
  if (scratch.length >= bytes) return;
  scratch = Buffer.allocUnsafeSlow(bytes * 2);
  view = new DataView(scratch.buffer, scratch.byteOffset, scratch.length);
}

function writeFloat(value: number): void {
  view.setFloat64(at, value, true);
  at += 8;
}

function writeVarint(value: number): void {
  let rest = value;
  while (rest >= 128) {
    scratch[at++] = (rest % 128) + 128;
    rest = Math.floor(rest / 128);
  }
  scratch[at++] = rest;
}

function readVarint(): number {
  const { bytes } = cursor;
  let value = 0;
  let scale = 1;
  for (;;) {
    const byte = bytes[cursor.at++];
    value += (byte % 128) * scale;
    if (byte < 128) return value;
    scale *= 128;
  }
}
