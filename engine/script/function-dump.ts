/**
 * Libraries as FUNCTION DUMP gives them: the payload of Redis 7.0, so that libraries move both ways.
 *
 *     245 · string · 245 · string · …   then   u16 version · u64 CRC of all before it, little-endian
 *
 *     string:  length · bytes     or, compressed by LZF,  0xC3 · compressed length · length · bytes
 *     length:  00xxxxxx           01xxxxxx · u8           0x80 · u32 big-endian
 */
const FUNCTION = 245;
const LZF = 0xc3;
/** Written by Redis 7.0; newer ones read it. */
const VERSION = 10;
const VERSION_MAX = 12;
const FOOTER_BYTES = 10;
const SOURCE_BYTES_MAX = 64 * 1024 * 1024;

/** The payload, one character per byte. */
export function dumpLibraries(sources: readonly string[]): string {
  const parts: Buffer[] = [];
  for (const source of sources) {
    parts.push(Buffer.from([FUNCTION]), lengthBytes(source.length), Buffer.from(source, 'latin1'));
  }
  parts.push(Buffer.from([VERSION, 0]));
  const body = Buffer.concat(parts);
  const footer = Buffer.alloc(8);
  footer.writeBigUInt64LE(crc64(body));
  return Buffer.concat([body, footer]).latin1Slice();
}

/** The sources of a payload; null: it is none, or it is damaged. */
export function readLibraries(payload: string): string[] | null {
  const bytes = Buffer.from(payload, 'latin1');
  const end = bytes.length - FOOTER_BYTES;
  if (end < 0 || bytes.readUInt16LE(end) > VERSION_MAX) return null;
  if (bytes.readBigUInt64LE(end + 2) !== crc64(bytes.subarray(0, end + 2))) return null;
  const reader = new Reader(bytes.subarray(0, end));
  const sources: string[] = [];
  while (reader.at < end) {
    if (reader.byte() !== FUNCTION) return null;
    const source = reader.string();
    if (source === null) return null;
    sources.push(source.latin1Slice());
  }
  return sources;
}

function lengthBytes(length: number): Buffer {
  if (length < 64) return Buffer.from([length]);
  if (length < 16_384) return Buffer.from([0x40 | (length >> 8), length & 0xff]);
  const bytes = Buffer.alloc(5);
  bytes[0] = 0x80;
  bytes.writeUInt32BE(length, 1);
  return bytes;
}

class Reader {
  at = 0;
  private readonly bytes: Buffer;

  constructor(bytes: Buffer) {
    this.bytes = bytes;
  }

  /** The next byte; -1 at the end. */
  byte(): number {
    return this.bytes[this.at++] ?? -1;
  }

  string(): Buffer | null {
    if (this.bytes[this.at] !== LZF) return this.take(this.length());
    this.at++;
    const packed = this.length();
    const size = this.length();
    const source = this.take(packed);
    return source === null || !(size <= SOURCE_BYTES_MAX) ? null : unpackLzf(source, size);
  }

  /** NaN when it is none. */
  private length(): number {
    const first = this.byte();
    if (first < 0) return Number.NaN;
    if (first < 0x40) return first;
    if (first < 0x80) return ((first & 0x3f) << 8) | this.byte();
    if (first !== 0x80 || this.at + 4 > this.bytes.length) return Number.NaN;
    this.at += 4;
    return this.bytes.readUInt32BE(this.at - 4);
  }

  private take(size: number): Buffer | null {
    if (!(this.at + size <= this.bytes.length)) return null;
    this.at += size;
    return this.bytes.subarray(this.at - size, this.at);
  }
}

/** Literal runs and references backwards, as liblzf writes them; null: damaged. */
function unpackLzf(source: Buffer, size: number): Buffer | null {
  const out = Buffer.alloc(size);
  let to = 0;
  let at = 0;
  while (at < source.length) {
    const control = source[at++];
    if (control < 32) {
      const run = control + 1;
      if (at + run > source.length || to + run > size) return null;
      source.copy(out, to, at, at + run);
      at += run;
      to += run;
      continue;
    }
    let run = control >> 5;
    if (run === 7) run += source[at++] ?? 0;
    let from = to - ((control & 0x1f) << 8) - (source[at++] ?? 0) - 1;
    run += 2;
    if (from < 0 || to + run > size) return null;
    while (run-- > 0) out[to++] = out[from++];
  }
  return to === size ? out : null;
}

/** CRC-64 of Jones, reflected, as Redis has it; in halves of 32 bits. */
const table = makeTable();

function makeTable(): { low: Uint32Array; high: Uint32Array } {
  const low = new Uint32Array(256);
  const high = new Uint32Array(256);
  const polynomial = 0x95ac9329ac4bc9b5n;
  for (let n = 0; n < 256; n++) {
    let crc = BigInt(n);
    for (let bit = 0; bit < 8; bit++) crc = crc & 1n ? (crc >> 1n) ^ polynomial : crc >> 1n;
    low[n] = Number(crc & 0xffffffffn);
    high[n] = Number(crc >> 32n);
  }
  return { low, high };
}

function crc64(bytes: Uint8Array): bigint {
  let low = 0;
  let high = 0;
  for (const byte of bytes) {
    const index = (low ^ byte) & 0xff;
    low = ((low >>> 8) | (high << 24)) ^ table.low[index];
    high = (high >>> 8) ^ table.high[index];
  }
  return (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0);
}
