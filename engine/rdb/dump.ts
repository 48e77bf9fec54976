/**
 * DUMP: a value as Redis 7.0 would write it into a payload.
 *
 *     u8 type | value | u16 version, low byte first | u64 CRC-64 of all before it
 *
 * Of the forms that Redis reads the plainest is written: every element as a string of its own, nothing
 * compressed. Redis packs small values again when it restores them.
 */
import type { Bytes } from '../crdt/dot.ts';
import { crc64 } from './crc64.ts';
import { RDB_FOOTER_BYTES, RDB_TYPE, RDB_VERSION_WRITTEN, type RdbValue } from './value.ts';

/** The payload of a value. */
export function dumpValue(value: RdbValue): Buffer {
  const parts: Buffer[] = [Buffer.of(RDB_TYPE[value.type])];
  switch (value.type) {
    case 'string':
      pushText(parts, value.text);
      break;
    case 'list':
      pushTexts(parts, value.elements);
      break;
    case 'set':
      pushTexts(parts, value.members);
      break;
    case 'hash':
      parts.push(lengthBytes(value.entries.length));
      for (const [field, text] of value.entries) {
        pushText(parts, field);
        pushText(parts, text);
      }
      break;
    case 'zset':
      parts.push(lengthBytes(value.members.length));
      for (const [member, score] of value.members) {
        pushText(parts, member);
        const bytes = Buffer.alloc(8);
        bytes.writeDoubleLE(score);
        parts.push(bytes);
      }
      break;
  }
  parts.push(Buffer.of(RDB_VERSION_WRITTEN & 0xff, RDB_VERSION_WRITTEN >> 8), Buffer.alloc(8));
  const payload = Buffer.concat(parts);
  const end = payload.length - RDB_FOOTER_BYTES + 2;
  crc64(payload, end).copy(payload, end);
  return payload;
}

function pushTexts(parts: Buffer[], texts: readonly Bytes[]): void {
  parts.push(lengthBytes(texts.length));
  for (const text of texts) pushText(parts, text);
}

function pushText(parts: Buffer[], text: Bytes): void {
  parts.push(lengthBytes(text.length), Buffer.from(text, 'latin1'));
}

/** 00 and 6 bits, 01 and 14 bits, or 0x80 and 32 bits; high byte first. */
function lengthBytes(length: number): Buffer {
  if (length < 64) return Buffer.of(length);
  if (length < 16_384) return Buffer.of(0x40 | (length >> 8), length & 0xff);
  const bytes = Buffer.alloc(5);
  bytes[0] = 0x80;
  bytes.writeUInt32BE(length, 1);
  return bytes;
}
