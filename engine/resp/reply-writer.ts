/**
 * Writes RESP2 or RESP3 replies into one growing buffer that is reused between flushes.
 *
 * Callers say what they mean (map, set, double, null) and the writer puts it in the words of the
 * protocol that the client speaks. Strings are latin1: one character per byte.
 *
 *     writer.bulk('v'); socket.write(writer.take()); writer.reset()
 *
 * What `take` returns is a view on the writer's memory: it must be written, or copied, before
 * `reset` or any other method is called.
 */
import { formatDouble } from './format-double.ts';

const BYTES_MIN = 4096;
/** A buffer that grew beyond this is given back at the next reset. */
const BYTES_KEPT_MAX = 1024 * 1024;
/**
 * Up to here a loop in JavaScript beats a call into the runtime. Measured in Bun and Node: 8 bytes
 * take 12 ns by a loop and 100 by `copy`, 64 bytes 207 and 61; for text the two meet at 16 to 24.
 */
const LOOP_TEXT_MAX = 16;
const LOOP_BYTES_MAX = 32;
const NUMBER_BYTES_MAX = 24;

const OK = Buffer.from('+OK\r\n');
const QUEUED = Buffer.from('+QUEUED\r\n');
const NULL_BULK_2 = Buffer.from('$-1\r\n');
const NULL_ARRAY_2 = Buffer.from('*-1\r\n');
const NULL_3 = Buffer.from('_\r\n');
const TRUE_3 = Buffer.from('#t\r\n');
const FALSE_3 = Buffer.from('#f\r\n');

const COLON = 0x3a;
const DOLLAR = 0x24;
const STAR = 0x2a;
const PERCENT = 0x25;
const TILDE = 0x7e;
const GREATER = 0x3e;

export class ReplyWriter {
  /** What the client speaks; changed by HELLO. */
  protocol: 2 | 3 = 2;
  /** Bytes written since the last reset. */
  length = 0;
  /** What was written lies in its first `length` bytes, as `take` says: `take` without the view. */
  buffer: Buffer;
  private readonly bytesMin: number;

  /** `bytesMin`: the size kept while replies are small. */
  constructor(bytesMin = BYTES_MIN) {
    this.bytesMin = Math.max(64, bytesMin);
    this.buffer = Buffer.allocUnsafeSlow(this.bytesMin);
  }

  /** The bytes written so far, as a view that is valid until the writer is used again. */
  take(): Uint8Array {
    return this.buffer.subarray(0, this.length);
  }

  /** Forgets what was written, and gives memory back after a big reply. */
  reset(): void {
    this.length = 0;
    if (this.buffer.length > BYTES_KEPT_MAX) {
      this.buffer = Buffer.allocUnsafeSlow(this.bytesMin);
    }
  }

  /** Takes back everything after `length`: for a reply that turned into an error half-way. */
  truncate(length: number): void {
    this.length = length;
  }

  ok(): void {
    this.raw(OK);
  }

  queued(): void {
    this.raw(QUEUED);
  }

  /** A status such as `PONG`. Line ends in it become blanks. */
  simple(text: string): void {
    this.line(0x2b, text);
  }

  /** An error; `text` begins with its code (`ERR …`). Line ends in it become blanks. */
  error(text: string): void {
    this.line(0x2d, text);
  }

  integer(value: number | bigint): void {
    if (typeof value === 'bigint') this.line(COLON, value.toString());
    else this.header(COLON, value);
  }

  /** A string of one character per byte. */
  bulk(text: string): void {
    const size = text.length;
    this.header(DOLLAR, size);
    this.ensure(size + 2);
    this.latin1(text);
    this.crlf();
  }

  /** The bytes of `source` in [start, end). */
  bulkBytes(source: Uint8Array, start = 0, end = source.length): void {
    this.header(DOLLAR, end - start);
    this.ensure(end - start + 2);
    this.copy(source, start, end);
    this.crlf();
  }

  /** Text of any characters, sent as UTF-8. */
  bulkUtf8(text: string): void {
    this.bulkBytes(Buffer.from(text, 'utf8'));
  }

  nullBulk(): void {
    this.raw(this.protocol === 3 ? NULL_3 : NULL_BULK_2);
  }

  nullArray(): void {
    this.raw(this.protocol === 3 ? NULL_3 : NULL_ARRAY_2);
  }

  /** Announces `n` elements, which the caller writes next. */
  array(n: number): void {
    this.header(STAR, n);
  }

  /** Announces `n` pairs: a flat array of 2n in RESP2. */
  map(n: number): void {
    if (this.protocol === 3) this.header(PERCENT, n);
    else this.header(STAR, n * 2);
  }

  /** Announces `n` members: an array in RESP2. */
  set(n: number): void {
    this.header(this.protocol === 3 ? TILDE : STAR, n);
  }

  /** Announces a message that answers no command: an array in RESP2. */
  push(n: number): void {
    this.header(this.protocol === 3 ? GREATER : STAR, n);
  }

  /** A float: a bulk string of the shortest digits in RESP2. */
  double(value: number): void {
    this.decimal(formatDouble(value));
  }

  /** A float whose digits the caller has chosen. */
  decimal(text: string): void {
    if (this.protocol === 3) this.line(0x2c, text);
    else this.bulk(text);
  }

  boolean(value: boolean): void {
    if (this.protocol === 3) this.raw(value ? TRUE_3 : FALSE_3);
    else this.header(COLON, value ? 1 : 0);
  }

  bigNumber(value: bigint): void {
    if (this.protocol === 3) this.line(0x28, value.toString());
    else this.bulk(value.toString());
  }

  /** Text for people; `format` has three characters, `txt` or `mkd`. Latin1. */
  verbatim(format: string, text: string): void {
    if (this.protocol === 2) {
      this.bulk(text);
      return;
    }
    this.header(0x3d, text.length + 4);
    this.ensure(text.length + 6);
    this.latin1(format);
    this.buffer[this.length++] = COLON;
    this.latin1(text);
    this.crlf();
  }

  /** Bytes that are RESP already. */
  raw(bytes: Uint8Array, start = 0, end = bytes.length): void {
    this.ensure(end - start);
    this.copy(bytes, start, end);
  }

  /**
   * Puts `*<n>` (or `%`, `~` as by `kind`) before everything written since `mark`, a former
   * `length`: for replies whose size is known only at their end.
   */
  prepend(mark: number, kind: 'array' | 'map' | 'set', n: number): void {
    const end = this.length;
    if (kind === 'array') this.array(n);
    else if (kind === 'map') this.map(n);
    else this.set(n);
    const size = this.length - end;
    this.ensure(size);
    const buffer = this.buffer;
    // The header now stands behind the elements: swap the two through the free space at the end.
    buffer.copyWithin(end + size, end, end + size);
    buffer.copyWithin(mark + size, mark, end);
    buffer.copyWithin(mark, end + size, end + size + size);
  }

  private header(kind: number, n: number): void {
    this.ensure(NUMBER_BYTES_MAX);
    const buffer = this.buffer;
    let at = this.length;
    buffer[at++] = kind;
    if (n >= 0 && n < 10) {
      buffer[at++] = 0x30 + n;
    } else if (n < 1_000_000_000 && n > 0) {
      at = writeDigits(buffer, at, n);
    } else {
      const text = String(n);
      for (let i = 0; i < text.length; i++) buffer[at++] = text.charCodeAt(i);
    }
    buffer[at++] = 0x0d;
    buffer[at++] = 0x0a;
    this.length = at;
  }

  private line(kind: number, text: string): void {
    this.ensure(text.length + 3);
    const buffer = this.buffer;
    let at = this.length;
    buffer[at++] = kind;
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i);
      buffer[at++] = code === 0x0a || code === 0x0d ? 0x20 : code;
    }
    this.length = at;
    this.crlf();
  }

  private latin1(text: string): void {
    const size = text.length;
    const buffer = this.buffer;
    const at = this.length;
    if (size <= LOOP_TEXT_MAX) {
      for (let i = 0; i < size; i++) buffer[at + i] = text.charCodeAt(i);
    } else {
      buffer.latin1Write(text, at, size);
    }
    this.length = at + size;
  }

  private copy(source: Uint8Array, start: number, end: number): void {
    const size = end - start;
    const buffer = this.buffer;
    const at = this.length;
    if (size <= LOOP_BYTES_MAX) {
      for (let i = 0; i < size; i++) buffer[at + i] = source[start + i];
    } else {
      copyBytes.call(source as Buffer, buffer, at, start, end);
    }
    this.length = at + size;
  }

  private crlf(): void {
    const at = this.length;
    this.buffer[at] = 0x0d;
    this.buffer[at + 1] = 0x0a;
    this.length = at + 2;
  }

  private ensure(size: number): void {
    if (this.length + size > this.buffer.length) this.grow(size);
  }

  private grow(size: number): void {
    const wanted = Math.max(this.buffer.length * 2, this.length + size);
    const bigger = Buffer.allocUnsafeSlow(wanted);
    this.buffer.copy(bigger, 0, 0, this.length);
    this.buffer = bigger;
  }
}

/** Works on any Uint8Array in both runtimes, and needs no view as `set` does. */
const copyBytes = Buffer.prototype.copy;

/** Writes a positive integer below 10^9 at `at`; returns where it ends. */
function writeDigits(buffer: Buffer, at: number, n: number): number {
  let rest = n | 0;
  let power = 10;
  let digits = 1;
  while (power <= rest) {
    power *= 10;
    digits++;
  }
  for (let i = at + digits - 1; i >= at; i--) {
    const quotient = (rest / 10) | 0;
    buffer[i] = 0x30 + rest - quotient * 10;
    rest = quotient;
  }
  return at + digits;
}
