/**
 * Finds where each reply in a stream ends, without decoding it: the proxy forwards replies as the
 * bytes they are, and the client-side parser decodes a reply once it is whole.
 *
 * One counter is enough, whatever the nesting: the number of values that the reply still lacks.
 * It begins at 1, each value takes one off, and an aggregate of n elements adds n (a map 2n).
 */
import { InputBuffer } from './input-buffer.ts';

const CR = 0x0d;
const LF = 0x0a;
const LINE_BYTES_MAX = 64 * 1024;
const REPLY_BYTES_MAX = 1024 * 1024 * 1024;
const ELEMENTS_MAX = 2 ** 31 - 1;

const bytesOf = (letters: string): ReadonlySet<number> =>
  new Set([...letters].map((letter) => letter.charCodeAt(0)));
const LINES = bytesOf('+-:_,#(');
const BULKS = bytesOf('$!=');
const AGGREGATES = bytesOf('*%~>|');

const DOLLAR = 0x24;
const STAR = 0x2a;
const PERCENT = 0x25;
const ATTRIBUTE = 0x7c;

export class ReplyFramer {
  /** The reply found by next() is `buffer[start, end)`; valid until next() or push(). */
  start = 0;
  end = 0;
  /** What is wrong with the stream; null while all is well. After an error nothing more is read. */
  error: string | null = null;

  private readonly input = new InputBuffer();
  private readonly replyBytesMax: number;
  private at = 0;
  private valuesLeft = 0;
  private skip = 0;
  private scanned = 0;

  constructor(replyBytesMax = REPLY_BYTES_MAX) {
    this.replyBytesMax = replyBytesMax;
  }

  get buffer(): Buffer {
    return this.input.data;
  }

  /** First byte of the reply: `-` an error, `>` a push message, `|` one with attributes. */
  get first(): number {
    return this.input.data[this.start];
  }

  /** Takes received bytes, under the same rules for their memory as RequestParser. */
  push(chunk: Uint8Array): void {
    if (this.error !== null || chunk.length === 0) return;
    if (this.input.pending + chunk.length > this.replyBytesMax) {
      this.error = 'Protocol error: too big reply';
      return;
    }
    const wanted = this.skip === 0 ? 0 : this.at - this.input.start + this.skip;
    this.moved(this.input.push(chunk, wanted));
  }

  /** Finds the next whole reply. False: more bytes are needed, or `error` is set. */
  next(): boolean {
    if (this.error !== null) return false;
    if (this.valuesLeft === 0) {
      this.input.start = this.at;
      if (this.at >= this.input.limit) return false;
      this.valuesLeft = 1;
    }
    while (this.valuesLeft > 0) {
      if (this.skip > 0 ? this.skipped() : this.readValue()) continue;
      if (this.error === null) this.moved(this.input.keep());
      return false;
    }
    this.start = this.input.start;
    this.end = this.at;
    this.input.start = this.at;
    return true;
  }

  /** Passes over the body of a bulk string; false when it is not all there. */
  private skipped(): boolean {
    const there = Math.min(this.skip, this.input.limit - this.at);
    this.at += there;
    this.skip -= there;
    if (this.skip > 0) return false;
    this.valuesLeft--;
    return true;
  }

  /** Reads one line: a whole value or the beginning of one; false when it is not all there. */
  private readValue(): boolean {
    const { data, limit } = this.input;
    const start = this.at;
    if (start >= limit) return false;
    const kind = data[start];
    let i = Math.max(start + 1, this.scanned);
    while (i < limit && data[i] !== CR) i++;
    this.scanned = i;
    if (i + 1 >= limit) {
      if (limit - start > LINE_BYTES_MAX && !LINES.has(kind)) return this.fail('endless line');
      return false;
    }
    if (data[i + 1] !== LF) return this.fail('line feed expected');
    if (LINES.has(kind)) this.valuesLeft--;
    else if (!this.readHead(kind, start + 1, i)) return false;
    this.at = i + 2;
    return true;
  }

  /** Reads the length or count of a value of several parts. */
  private readHead(kind: number, from: number, to: number): boolean {
    if (!BULKS.has(kind) && !AGGREGATES.has(kind)) {
      return this.fail(`unknown type '${String.fromCharCode(kind)}'`);
    }
    const n = readCount(this.input.data, from, to);
    const isNull = n === -1 && (kind === DOLLAR || kind === STAR);
    if (n === null || (n < 0 && !isNull)) return this.fail('invalid length');
    if (isNull) {
      this.valuesLeft--;
    } else if (BULKS.has(kind)) {
      if (n > this.replyBytesMax) return this.fail('too big reply');
      this.skip = n + 2;
    } else {
      const pairs = kind === PERCENT || kind === ATTRIBUTE;
      // Attributes stand before a value: they do not count as one.
      this.valuesLeft += (pairs ? 2 * n : n) - (kind === ATTRIBUTE ? 0 : 1);
      if (this.valuesLeft > ELEMENTS_MAX) return this.fail('too many elements');
    }
    return true;
  }

  private fail(rule: string): false {
    this.error = `Protocol error: ${rule}`;
    return false;
  }

  private moved(distance: number): void {
    this.at -= distance;
    this.scanned = Math.max(0, this.scanned - distance);
  }
}

/** Digits, or -1; null for anything else. */
function readCount(data: Uint8Array, from: number, to: number): number | null {
  if (to - from === 2 && data[from] === 0x2d && data[from + 1] === 0x31) return -1;
  if (to === from || to - from > 10) return null;
  let n = 0;
  for (let i = from; i < to; i++) {
    const digit = data[i] - 0x30;
    if (digit >>> 0 > 9) return null;
    n = n * 10 + digit;
  }
  return n;
}
