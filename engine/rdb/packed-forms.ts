/**
 * The packed forms inside payloads: each is one string of bytes with a head, elements, and an end mark that
 * must be where the head says. Numbers among the elements come out as their decimal text.
 *
 *     listpack   u32 bytes | u16 elements (65535: not known) | elements | 255       Redis 7
 *     ziplist    u32 bytes | u32 last | u16 elements | elements | 255               before
 *     zipmap     u8 pairs (254: not known) | (length, key, length, free, value)* | 255
 *     intset     u32 width | u32 elements | elements
 */
import type { Bytes } from '../crdt/dot.ts';
import { BadPayload } from './payload-reader.ts';

const END = 0xff;
const COUNT_UNKNOWN = 0xffff;
const LISTPACK_HEAD_BYTES = 6;
const ZIPLIST_HEAD_BYTES = 10;
/** A byte of LZF stands for at most so many. */
const LZF_RATIO_MAX = 264;
/** As long as a string may be. */
const UNPACKED_BYTES_MAX = 2 ** 29 - 64;

/** Bytes with a place in them; everything is checked against the end. */
class Cursor {
  readonly bytes: Buffer;
  at: number;

  constructor(bytes: Buffer, at: number) {
    this.bytes = bytes;
    this.at = at;
  }

  u8(): number {
    return this.take(1)[0];
  }

  take(length: number): Buffer {
    if (this.at + length > this.bytes.length) throw new BadPayload();
    this.at += length;
    return this.bytes.subarray(this.at - length, this.at);
  }

  text(length: number): Bytes {
    return this.take(length).latin1Slice();
  }

  /** A signed number of 1 to 8 bytes, low byte first. */
  signed(width: number): Bytes {
    const bytes = this.take(width);
    return width === 8 ? String(bytes.readBigInt64LE()) : String(bytes.readIntLE(0, width));
  }
}

export function readListpack(bytes: Buffer): Bytes[] {
  if (bytes.length < LISTPACK_HEAD_BYTES + 1) throw new BadPayload();
  if (bytes.readUInt32LE(0) !== bytes.length) throw new BadPayload();
  const cursor = new Cursor(bytes, LISTPACK_HEAD_BYTES);
  return readUntilEnd(cursor, bytes.readUInt16LE(4), () => {
    const start = cursor.at;
    const element = listpackElement(cursor);
    skipBackLength(cursor, cursor.at - start);
    return element;
  });
}

function listpackElement(cursor: Cursor): Bytes {
  const byte = cursor.u8();
  if (byte < 0x80) return String(byte);
  if (byte < 0xc0) return cursor.text(byte & 0x3f);
  if (byte < 0xe0) return String(((((byte & 0x1f) << 8) | cursor.u8()) << 19) >> 19);
  if (byte < 0xf0) return cursor.text(((byte & 0x0f) << 8) | cursor.u8());
  switch (byte) {
    case 0xf0:
      return cursor.text(cursor.take(4).readUInt32LE());
    case 0xf1:
      return cursor.signed(2);
    case 0xf2:
      return cursor.signed(3);
    case 0xf3:
      return cursor.signed(4);
    case 0xf4:
      return cursor.signed(8);
    default:
      throw new BadPayload();
  }
}

/** Behind each element stands its length for those who come from the end: 7 bits a byte. */
function skipBackLength(cursor: Cursor, length: number): void {
  const bits = 32 - Math.clz32(length);
  const bytes = cursor.take(Math.max(1, Math.ceil(bits / 7)));
  let told = 0;
  for (const byte of bytes) told = told * 128 + (byte & 0x7f);
  if (told !== length) throw new BadPayload();
}

export function readZiplist(bytes: Buffer): Bytes[] {
  if (bytes.length < ZIPLIST_HEAD_BYTES + 1) throw new BadPayload();
  if (bytes.readUInt32LE(0) !== bytes.length) throw new BadPayload();
  const cursor = new Cursor(bytes, ZIPLIST_HEAD_BYTES);
  let before = 0;
  return readUntilEnd(cursor, bytes.readUInt16LE(8), () => {
    const start = cursor.at;
    const first = cursor.u8();
    const told = first < 254 ? first : cursor.take(4).readUInt32LE();
    if (told !== before) throw new BadPayload();
    const element = ziplistElement(cursor);
    before = cursor.at - start;
    return element;
  });
}

function ziplistElement(cursor: Cursor): Bytes {
  const byte = cursor.u8();
  if (byte < 0x40) return cursor.text(byte);
  if (byte < 0x80) return cursor.text(((byte & 0x3f) << 8) | cursor.u8());
  switch (byte) {
    case 0x80:
      return cursor.text(cursor.take(4).readUInt32BE());
    case 0xc0:
      return cursor.signed(2);
    case 0xd0:
      return cursor.signed(4);
    case 0xe0:
      return cursor.signed(8);
    case 0xf0:
      return cursor.signed(3);
    case 0xfe:
      return cursor.signed(1);
    default:
      if (byte > 0xf0 && byte < 0xfe) return String(byte - 0xf1);
      throw new BadPayload();
  }
}

/** Elements up to the end mark, which must be the last byte; `count` must be true if it is known. */
function readUntilEnd(cursor: Cursor, count: number, element: () => Bytes): Bytes[] {
  const elements: Bytes[] = [];
  const end = cursor.bytes.length - 1;
  while (cursor.at < end) elements.push(element());
  if (cursor.at !== end || cursor.u8() !== END) throw new BadPayload();
  if (count !== COUNT_UNKNOWN && count !== elements.length) throw new BadPayload();
  return elements;
}

/** Keys and values in turn. */
export function readZipmap(bytes: Buffer): Bytes[] {
  const cursor = new Cursor(bytes, 1);
  const texts: Bytes[] = [];
  const length = (): number => {
    const byte = cursor.u8();
    if (byte === END) throw new BadPayload();
    return byte < 254 ? byte : cursor.take(4).readUInt32LE();
  };
  while (cursor.at < bytes.length - 1) {
    texts.push(cursor.text(length()));
    const size = length();
    const free = cursor.u8();
    texts.push(cursor.text(size));
    cursor.take(free);
  }
  if (cursor.u8() !== END) throw new BadPayload();
  if (bytes[0] < 254 && bytes[0] * 2 !== texts.length) throw new BadPayload();
  return texts;
}

export function readIntset(bytes: Buffer): Bytes[] {
  if (bytes.length < 8) throw new BadPayload();
  const width = bytes.readUInt32LE(0);
  const count = bytes.readUInt32LE(4);
  if (![2, 4, 8].includes(width) || count * width !== bytes.length - 8) throw new BadPayload();
  const cursor = new Cursor(bytes, 8);
  return Array.from({ length: count }, () => cursor.signed(width));
}

/** LZF: literal runs, and copies of what came before. */
export function decompress(packed: Buffer, length: number): Buffer {
  if (length > Math.min(packed.length * LZF_RATIO_MAX, UNPACKED_BYTES_MAX)) throw new BadPayload();
  const out = Buffer.alloc(length);
  let to = 0;
  const cursor = new Cursor(packed, 0);
  while (cursor.at < packed.length) {
    const control = cursor.u8();
    if (control < 32) {
      const literal = cursor.take(control + 1);
      if (to + literal.length > length) throw new BadPayload();
      literal.copy(out, to);
      to += literal.length;
      continue;
    }
    let size = control >> 5;
    if (size === 7) size += cursor.u8();
    size += 2;
    const from = to - (((control & 0x1f) << 8) | cursor.u8()) - 1;
    if (from < 0 || to + size > length) throw new BadPayload();
    // What is copied may overlap what it makes.
    for (let n = 0; n < size; n++) out[to++] = out[from + n];
  }
  if (to !== length) throw new BadPayload();
  return out;
}
