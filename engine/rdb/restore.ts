/**
 * RESTORE: the value in a payload that a Redis or a Meridian has dumped. Whoever may run the command
 * chooses the bytes, and Redis has had holes here more than once: so every length is held against the bytes
 * that are left before anything is made of it, counts that a packed form states must be true, and nothing
 * may be left over. What is wrong is never told in detail, as in Redis.
 */
import type { Bytes } from '../crdt/dot.ts';
import { crc64 } from './crc64.ts';
import { decompress, readIntset, readListpack, readZiplist, readZipmap } from './packed-forms.ts';
import { BadPayload, PayloadReader } from './payload-reader.ts';
import { RDB_FOOTER_BYTES, RDB_TYPE, RDB_VERSION_READ_MAX, type RdbValue } from './value.ts';

/** Whether version and checksum at the end of a payload are right. */
export function isWholePayload(payload: Buffer): boolean {
  if (payload.length < RDB_FOOTER_BYTES) return false;
  const end = payload.length - 8;
  if (payload.readUInt16LE(end - 2) > RDB_VERSION_READ_MAX) return false;
  return payload.subarray(end).equals(crc64(payload, end));
}

/** The value in a payload that `isWholePayload`; null: it holds none that can be read here. */
export function restoreValue(payload: Buffer): RdbValue | null {
  const reader = new PayloadReader(payload.subarray(0, payload.length - RDB_FOOTER_BYTES));
  try {
    const value = readValue(reader, reader.u8());
    if (value !== null && reader.left > 0) throw new BadPayload();
    return value;
  } catch (error) {
    if (error instanceof BadPayload) return null;
    throw error;
  }
}

function readValue(reader: PayloadReader, type: number): RdbValue | null {
  switch (type) {
    case RDB_TYPE.string:
      return { type: 'string', text: readText(reader) };
    case RDB_TYPE.list:
      return list(readTexts(reader, reader.length()));
    case RDB_TYPE.listZiplist:
      return list(readZiplist(readPacked(reader)));
    case RDB_TYPE.listQuicklist:
      return list(readNodes(reader, () => readZiplist(readPacked(reader))));
    case RDB_TYPE.listQuicklist2:
      return list(readNodes(reader, () => readNode(reader)));
    case RDB_TYPE.set:
      return set(readTexts(reader, reader.length()));
    case RDB_TYPE.setIntset:
      return set(readIntset(readPacked(reader)));
    case RDB_TYPE.setListpack:
      return set(readListpack(readPacked(reader)));
    case RDB_TYPE.hash:
      return hash(readTexts(reader, reader.length() * 2));
    case RDB_TYPE.hashZipmap:
      return hash(readZipmap(readPacked(reader)));
    case RDB_TYPE.hashZiplist:
      return hash(readZiplist(readPacked(reader)));
    case RDB_TYPE.hashListpack:
      return hash(readListpack(readPacked(reader)));
    case RDB_TYPE.zset:
      return zset(readScored(reader, () => reader.f64()));
    case RDB_TYPE.zsetOfTexts:
      return zset(readScored(reader, () => readOldDouble(reader)));
    case RDB_TYPE.zsetZiplist:
      return zset(scoredPairs(readZiplist(readPacked(reader))));
    case RDB_TYPE.zsetListpack:
      return zset(scoredPairs(readListpack(readPacked(reader))));
    default:
      return null;
  }
}

// ── Values: never empty, and nothing twice ──────────────────────────────────────────────────

function list(elements: Bytes[]): RdbValue {
  if (elements.length === 0) throw new BadPayload();
  return { type: 'list', elements };
}

function set(members: Bytes[]): RdbValue {
  checkNames(members);
  return { type: 'set', members };
}

function hash(texts: readonly Bytes[]): RdbValue {
  const entries = pairs(texts);
  checkNames(entries.map(([field]) => field));
  return { type: 'hash', entries };
}

function zset(members: [Bytes, number][]): RdbValue {
  checkNames(members.map(([member]) => member));
  if (members.some(([, score]) => Number.isNaN(score))) throw new BadPayload();
  return { type: 'zset', members };
}

function checkNames(names: readonly Bytes[]): void {
  if (names.length === 0 || new Set(names).size !== names.length) throw new BadPayload();
}

function pairs(texts: readonly Bytes[]): [Bytes, Bytes][] {
  if (texts.length % 2 !== 0) throw new BadPayload();
  return Array.from({ length: texts.length / 2 }, (_, n) => [texts[2 * n], texts[2 * n + 1]]);
}

function scoredPairs(texts: readonly Bytes[]): [Bytes, number][] {
  return pairs(texts).map(([member, score]) => [member, parseScore(score)]);
}

/** A score as text: a plain number, or an infinity. */
function parseScore(text: Bytes): number {
  if (/^[+-]?inf$/i.test(text)) return text[0] === '-' ? -Infinity : Infinity;
  const isNumber = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text);
  return isNumber ? Number(text) : Number.NaN;
}

// ── Parts ───────────────────────────────────────────────────────────────────────────────────

function readTexts(reader: PayloadReader, count: number): Bytes[] {
  // Each takes at least the byte of its length.
  if (count > reader.left) throw new BadPayload();
  return Array.from({ length: count }, () => readText(reader));
}

function readScored(reader: PayloadReader, score: () => number): [Bytes, number][] {
  const count = reader.length();
  if (count > reader.left) throw new BadPayload();
  return Array.from({ length: count }, () => [readText(reader), score()]);
}

function readNodes(reader: PayloadReader, node: () => Bytes[]): Bytes[] {
  const count = reader.length();
  if (count > reader.left) throw new BadPayload();
  const elements: Bytes[] = [];
  for (let n = 0; n < count; n++) for (const element of node()) elements.push(element);
  return elements;
}

const PLAIN_NODE = 1;
const PACKED_NODE = 2;

function readNode(reader: PayloadReader): Bytes[] {
  const container = reader.length();
  if (container === PLAIN_NODE) return [readText(reader)];
  if (container !== PACKED_NODE) throw new BadPayload();
  return readListpack(readPacked(reader));
}

/** A length byte of 253 is no number, 254 and 255 are the infinities. */
function readOldDouble(reader: PayloadReader): number {
  const length = reader.u8();
  if (length === 253) return Number.NaN;
  if (length >= 254) return length === 254 ? Infinity : -Infinity;
  return parseScore(reader.bytes(length).latin1Slice());
}

function readPacked(reader: PayloadReader): Buffer {
  return Buffer.from(readText(reader), 'latin1');
}

/** A string: its bytes, an integer in 1, 2 or 4 bytes, or compressed. */
function readText(reader: PayloadReader): Bytes {
  const encoding = reader.encoding();
  switch (encoding) {
    case null:
      return reader.bytes(reader.length()).latin1Slice();
    case 0:
      return String(reader.bytes(1).readInt8());
    case 1:
      return String(reader.bytes(2).readInt16LE());
    case 2:
      return String(reader.bytes(4).readInt32LE());
    case 3: {
      const [packed, unpacked] = [reader.length(), reader.length()];
      return decompress(reader.bytes(packed), unpacked).latin1Slice();
    }
    default:
      throw new BadPayload();
  }
}
