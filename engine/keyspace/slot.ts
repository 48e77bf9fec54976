/**
 * Hash slots, as in Redis Cluster: CRC16 (XMODEM: polynomial 0x1021, start 0) of the key, or of
 * its hash tag, modulo 16384. The tag is what stands between the first `{` and the next `}`, if it
 * is not empty; keys with the same tag lie in the same slot.
 */

export const SLOT_COUNT = 16384;

const OPEN = 0x7b;
const CLOSE = 0x7d;

// What a byte does to the sum when no, one, two or three more follow: four bytes are taken at once, since
// each step waits for the one before it.
const TABLE = new Uint16Array(256);
const [TABLE_1, TABLE_2, TABLE_3] = [TABLE.slice(), TABLE.slice(), TABLE.slice()];
for (let byte = 0; byte < 256; byte++) {
  let crc = byte << 8;
  for (let bit = 0; bit < 8; bit++) crc = crc & 0x8000 ? (crc << 1) ^ 0x1021 : crc << 1;
  TABLE[byte] = crc;
}
for (let byte = 0; byte < 256; byte++) {
  TABLE_1[byte] = (TABLE[byte] << 8) ^ TABLE[TABLE[byte] >>> 8];
  TABLE_2[byte] = (TABLE_1[byte] << 8) ^ TABLE[TABLE_1[byte] >>> 8];
  TABLE_3[byte] = (TABLE_2[byte] << 8) ^ TABLE[TABLE_2[byte] >>> 8];
}

/** Slot 0–16383 of the key `buf[start, end)`. */
export function slotOf(buf: Uint8Array, start: number, end: number): number {
  for (let open = start; open < end; open++) {
    if (buf[open] !== OPEN) continue;
    for (let close = open + 1; close < end; close++) {
      if (buf[close] !== CLOSE) continue;
      return close > open + 1 ? crc16(buf, open + 1, close) & 0x3fff : hashAll(buf, start, end);
    }
    break;
  }
  return hashAll(buf, start, end);
}

function hashAll(buf: Uint8Array, start: number, end: number): number {
  return crc16(buf, start, end) & 0x3fff;
}

function crc16(buf: Uint8Array, start: number, end: number): number {
  let crc = 0;
  let i = start;
  for (const last = end - 4; i <= last; i += 4) {
    const first = TABLE_3[(crc >>> 8) ^ buf[i]] ^ TABLE_2[(crc & 0xff) ^ buf[i + 1]];
    crc = first ^ TABLE_1[buf[i + 2]] ^ TABLE[buf[i + 3]];
  }
  for (; i < end; i++) {
    crc = ((crc << 8) & 0xffff) ^ TABLE[(crc >>> 8) ^ buf[i]];
  }
  return crc;
}
