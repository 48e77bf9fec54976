/** Reads the bytes of a payload in order; beyond the end, or what makes no sense, is a BadPayload. */

/** The payload is not what it says; never seen outside this folder. */
export class BadPayload extends Error {}

export class PayloadReader {
  private readonly buffer: Buffer;
  private at = 0;

  constructor(buffer: Buffer) {
    this.buffer = buffer;
  }

  /** Bytes that were not read yet. */
  get left(): number {
    return this.buffer.length - this.at;
  }

  u8(): number {
    return this.bytes(1)[0];
  }

  f64(): number {
    return this.bytes(8).readDoubleLE();
  }

  /** The next bytes, as a view. */
  bytes(length: number): Buffer {
    if (length > this.left) throw new BadPayload();
    this.at += length;
    return this.buffer.subarray(this.at - length, this.at);
  }

  /** The next byte, without reading it. */
  peek(): number {
    if (this.left < 1) throw new BadPayload();
    return this.buffer[this.at];
  }

  /** The number of a special encoding of a string, or null: its length comes next. */
  encoding(): number | null {
    const byte = this.peek();
    if (byte >> 6 !== 3) return null;
    this.at++;
    return byte & 0x3f;
  }

  /** A length: 6, 14, 32 or 64 bits. Longer than any payload is refused. */
  length(): number {
    const byte = this.u8();
    if (byte >> 6 === 0) return byte;
    if (byte >> 6 === 1) return ((byte & 0x3f) << 8) | this.u8();
    if (byte === 0x80) return this.bytes(4).readUInt32BE();
    if (byte !== 0x81) throw new BadPayload();
    const wide = this.bytes(8).readBigUInt64BE();
    if (wide > 0xffffffffn) throw new BadPayload();
    return Number(wide);
  }
}
