/** The checksum of RDB payloads: CRC-64 by Jones, reflected, from 0, in two 32-bit halves. */

const POLYNOMIAL_HIGH = 0x95ac9329;
const POLYNOMIAL_LOW = 0xac4bc9b5;
const HIGH = new Uint32Array(256);
const LOW = new Uint32Array(256);

for (let byte = 0; byte < 256; byte++) {
  let high = 0;
  let low = byte;
  for (let bit = 0; bit < 8; bit++) {
    const odd = (low & 1) !== 0;
    low = (low >>> 1) | (high << 31);
    high >>>= 1;
    if (odd) {
      high ^= POLYNOMIAL_HIGH;
      low ^= POLYNOMIAL_LOW;
    }
  }
  HIGH[byte] = high;
  LOW[byte] = low;
}

/** The checksum of `bytes[0, end)` as 8 bytes, low byte first. */
export function crc64(bytes: Uint8Array, end: number): Buffer {
  let high = 0;
  let low = 0;
  for (let at = 0; at < end; at++) {
    const entry = (low ^ bytes[at]) & 0xff;
    low = ((low >>> 8) | (high << 24)) ^ LOW[entry];
    high = (high >>> 8) ^ HIGH[entry];
  }
  const sum = Buffer.alloc(8);
  sum.writeUInt32LE(low >>> 0, 0);
  sum.writeUInt32LE(high >>> 0, 4);
  return sum;
}
