/**
 * The arguments of one command as offsets into a buffer, so that a command costs no JS objects.
 *
 * The memory belongs to whoever filled it in (normally the request parser): it is valid until the
 * next `next()` or `push()` of that parser. What must live longer is copied with `clone()`.
 *
 *     buffer   *3 CRLF $3 CRLF S E T CRLF $1 CRLF k CRLF $2 CRLF v v CRLF
 *     start[1] ------------------------------------^
 *     end[1]   --------------------------------------^
 */

/** Both runtimes have these, but the published types of Node leave them out. */
declare global {
  interface Buffer<TArrayBuffer extends ArrayBufferLike = ArrayBufferLike> {
    latin1Slice(start?: number, end?: number): string;
    utf8Slice(start?: number, end?: number): string;
    latin1Write(text: string, offset?: number, length?: number): number;
  }
}

const INITIAL_ARGUMENTS = 16;
/** Index arrays larger than this are given back after the command that needed them. */
const KEPT_ARGUMENTS_MAX = 4096;

const DECIMAL = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;
const INFINITE = /^([+-]?)inf(inity)?$/i;

const INT64_MIN = -(2n ** 63n);
const INT64_MAX = 2n ** 63n - 1n;

export class Args {
  /** Backing memory of all arguments. */
  buffer: Buffer = Buffer.alloc(0);
  /** Number of arguments, the command's name included. */
  count = 0;
  start: Int32Array = new Int32Array(INITIAL_ARGUMENTS);
  end: Int32Array = new Int32Array(INITIAL_ARGUMENTS);
  /** Where the whole command lies in `buffer` as RESP; both are -1 for an inline command. */
  rawStart = -1;
  rawEnd = -1;

  /** Length in bytes of argument `i`. */
  length(i: number): number {
    return this.end[i] - this.start[i];
  }

  /** Argument `i` as a latin1 string: one character per byte, so nothing is lost. */
  text(i: number): string {
    return this.buffer.latin1Slice(this.start[i], this.end[i]);
  }

  /** Argument `i` as a view on the backing memory. */
  bytes(i: number): Uint8Array {
    return this.buffer.subarray(this.start[i], this.end[i]);
  }

  /** Argument `i` read as UTF-8, for text that people wrote (names, JSON). */
  utf8(i: number): string {
    return this.buffer.utf8Slice(this.start[i], this.end[i]);
  }

  /**
   * Argument `i` as an integer by Redis' strict rules (no sign `+`, no leading zero, no blanks).
   * NaN when it is none, or beyond ±(2^53 - 1); use `int64` where the whole range matters.
   */
  integer(i: number): number {
    const buffer = this.buffer;
    const end = this.end[i];
    let at = this.start[i];
    const negative = buffer[at] === 0x2d && at < end;
    if (negative) at++;
    const digits = end - at;
    if (digits <= 0 || digits > 16) return Number.NaN;
    if (buffer[at] === 0x30) return digits === 1 && !negative ? 0 : Number.NaN;
    let value = 0;
    for (; at < end; at++) {
      const digit = buffer[at] - 0x30;
      if (digit >>> 0 > 9) return Number.NaN;
      value = value * 10 + digit;
    }
    if (value > Number.MAX_SAFE_INTEGER) return Number.NaN;
    return negative ? -value : value;
  }

  /** Argument `i` as a signed 64-bit integer by the same rules; null when it is none. */
  int64(i: number): bigint | null {
    const small = this.integer(i);
    if (!Number.isNaN(small)) return BigInt(small);
    const text = this.text(i);
    if (!/^-?[1-9]\d{15,18}$/.test(text)) return null;
    const value = BigInt(text);
    return value >= INT64_MIN && value <= INT64_MAX ? value : null;
  }

  /** Argument `i` as a float as Redis reads it (`inf` allowed, blanks and `nan` not); else NaN. */
  float(i: number): number {
    const text = this.text(i);
    if (DECIMAL.test(text)) {
      const value = Number(text);
      return Number.isFinite(value) ? value : Number.NaN;
    }
    const infinite = INFINITE.exec(text);
    if (infinite === null) return Number.NaN;
    return infinite[1] === '-' ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  }

  /** Whether argument `i` is `word` in any case. `word` must be given in upper case ASCII. */
  equalsIgnoreCase(i: number, word: string): boolean {
    const start = this.start[i];
    const length = word.length;
    if (this.end[i] - start !== length) return false;
    const buffer = this.buffer;
    for (let k = 0; k < length; k++) {
      let byte = buffer[start + k];
      if (byte >= 0x61 && byte <= 0x7a) byte -= 0x20;
      if (byte !== word.charCodeAt(k)) return false;
    }
    return true;
  }

  /** Whether argument `i` consists of exactly these bytes. */
  equals(i: number, bytes: Uint8Array): boolean {
    const start = this.start[i];
    if (this.end[i] - start !== bytes.length) return false;
    for (let k = 0; k < bytes.length; k++) if (this.buffer[start + k] !== bytes[k]) return false;
    return true;
  }

  /** Appends an argument that lies in `buffer` at [start, end). */
  add(start: number, end: number): void {
    const count = this.count;
    if (count === this.start.length) this.growIndex();
    this.start[count] = start;
    this.end[count] = end;
    this.count = count + 1;
  }

  /** Forgets all arguments; the backing memory stays where it is. */
  clear(): void {
    this.count = 0;
    this.rawStart = -1;
    this.rawEnd = -1;
    if (this.start.length > KEPT_ARGUMENTS_MAX) {
      this.start = new Int32Array(INITIAL_ARGUMENTS);
      this.end = new Int32Array(INITIAL_ARGUMENTS);
    }
  }

  /** Moves every offset by `-distance`, after the backing memory was moved. */
  shift(distance: number): void {
    for (let i = 0; i < this.count; i++) {
      this.start[i] -= distance;
      this.end[i] -= distance;
    }
  }

  /** A copy with memory of its own, holding only the arguments' bytes: for MULTI queues. */
  clone(): Args {
    const copy = new Args();
    let size = 0;
    for (let i = 0; i < this.count; i++) size += this.end[i] - this.start[i];
    copy.buffer = Buffer.allocUnsafe(size);
    copy.start = new Int32Array(this.count);
    copy.end = new Int32Array(this.count);
    let at = 0;
    for (let i = 0; i < this.count; i++) {
      this.buffer.copy(copy.buffer, at, this.start[i], this.end[i]);
      const end = at + this.end[i] - this.start[i];
      copy.add(at, end);
      at = end;
    }
    return copy;
  }

  /** Arguments built from latin1 strings and bytes: for tests and for commands made inside. */
  static from(values: readonly (string | Uint8Array)[]): Args {
    const parts = values.map((v) => (typeof v === 'string' ? Buffer.from(v, 'latin1') : v));
    const made = new Args();
    made.buffer = Buffer.concat(parts);
    let at = 0;
    for (const part of parts) {
      made.add(at, at + part.length);
      at += part.length;
    }
    return made;
  }

  private growIndex(): void {
    const size = Math.max(INITIAL_ARGUMENTS, this.start.length * 2);
    const start = new Int32Array(size);
    const end = new Int32Array(size);
    start.set(this.start);
    end.set(this.end);
    this.start = start;
    this.end = end;
  }
}
