/**
 * Incremental, bounded parser of RESP requests (arrays of bulk strings) and inline commands.
 *
 * It allocates nothing per command. A chunk that begins at a command's border is parsed in place;
 * only the unfinished command at its end is copied (see input-buffer.ts). Where parsing stopped is remembered (arguments so far, length of the bulk string being
 * read, how far a line was searched for its end), so no byte is looked at twice and a 512 MB bulk
 * string in 64 KB chunks costs linear time.
 *
 *     push(chunk) → next() true: a whole command is in args → … → next() false: needs more
 *
 * Rules for the memory: a pushed chunk must not change until next() has returned false or another
 * chunk was pushed; `args` is valid until then, too. Error texts and limits are those of Redis.
 * After an error the parser is dead: send the error (unless `silent`) and close.
 */
import { Args } from './args.ts';
import { splitInline } from './inline-command.ts';
import { InputBuffer } from './input-buffer.ts';

export { Args } from './args.ts';

/** Limits of one client's requests; all are in bytes except `argumentsMax`. */
export type RequestLimits = {
  /** Longest inline command, and longest line that announces a length. */
  readonly inlineBytesMax: number;
  /** Most arguments of a command. */
  readonly argumentsMax: number;
  /** Longest argument. */
  readonly bulkBytesMax: number;
  /** Longest command as a whole; what Redis calls client-query-buffer-limit. */
  readonly commandBytesMax: number;
  /** Limits for clients that still have to authenticate. */
  readonly unauthenticatedArgumentsMax: number;
  readonly unauthenticatedBulkBytesMax: number;
};

export const defaultRequestLimits: RequestLimits = {
  inlineBytesMax: 64 * 1024,
  argumentsMax: 1024 * 1024,
  bulkBytesMax: 512 * 1024 * 1024,
  commandBytesMax: 1024 * 1024 * 1024,
  unauthenticatedArgumentsMax: 10,
  unauthenticatedBulkBytesMax: 16384,
};

const CR = 0x0d;
const LF = 0x0a;
const STAR = 0x2a;
/** The first byte of a TLS connection; no command begins with a control character. */
const TLS_HANDSHAKE = 0x16;
const DOLLAR = 0x24;
const MINUS = 0x2d;

/** Results of readLength that are no length. */
const MORE = -2147483648;
const BAD = -2147483647;

export class RequestParser {
  readonly args = new Args();
  /** The protocol error that ended this stream, without the leading `-ERR `; null while all is well. */
  error: string | null = null;
  /** Whether to close without sending `error`, as Redis does to a web browser. */
  silent = false;
  /** False while the client must still authenticate: then the tighter limits hold. */
  authenticated = true;

  private readonly limits: RequestLimits;
  private readonly input = new InputBuffer();
  private at = 0;
  private argumentsLeft = 0;
  private bulkLength = -1;
  private scanned = 0;
  private lineEnd = 0;

  constructor(limits: RequestLimits = defaultRequestLimits) {
    this.limits = limits;
  }

  /** Bytes received that belong to no finished command yet. */
  get pendingBytes(): number {
    return this.input.pending;
  }

  /** Takes received bytes. They are not copied if the parser stands between commands. */
  push(chunk: Uint8Array): void {
    if (this.error !== null || chunk.length === 0) return;
    if (this.input.pending + chunk.length > this.limits.commandBytesMax) {
      this.fail('too big request');
      return;
    }
    const unfinished = this.at - this.input.start;
    const wanted = this.bulkLength < 0 ? 0 : unfinished + this.bulkLength + 2;
    this.moved(this.input.push(chunk, wanted));
  }

  /** Reads the next whole command into `args`. False: more bytes are needed, or `error` is set. */
  next(): boolean {
    if (this.error !== null) return false;
    const args = this.args;
    while (this.argumentsLeft === 0) {
      this.input.start = this.at;
      args.clear();
      if (this.at >= this.input.limit) return false;
      if (this.input.data[this.at] !== STAR) {
        const found = this.readInline();
        if (found !== null) return found;
      } else if (!this.readCount()) {
        return this.pause();
      }
    }
    if (!this.readArguments()) return this.pause();
    args.rawStart = this.input.start;
    args.rawEnd = this.at;
    this.input.start = this.at;
    return true;
  }

  /** Reads `*<count>`; false when it is not there yet or wrong. */
  private readCount(): boolean {
    const count = this.readLength(this.at + 1, 'too big mbulk count string');
    if (count === MORE) return false;
    if (count === BAD || count > this.limits.argumentsMax) {
      return this.fail('invalid multibulk length');
    }
    if (!this.authenticated && count > this.limits.unauthenticatedArgumentsMax) {
      return this.fail('unauthenticated multibulk length');
    }
    this.at = this.lineEnd;
    this.argumentsLeft = Math.max(count, 0);
    this.args.buffer = this.input.data;
    return true;
  }

  /** Reads the arguments still missing; false when bytes are missing, or on error. */
  private readArguments(): boolean {
    const data = this.input.data;
    const limit = this.input.limit;
    const args = this.args;
    while (this.argumentsLeft > 0) {
      if (this.bulkLength < 0) {
        if (this.at >= limit) return false;
        if (data[this.at] !== DOLLAR) {
          return this.fail(`expected '$', got '${String.fromCharCode(data[this.at])}'`);
        }
        const length = this.readLength(this.at + 1, 'too big bulk count string');
        if (length === MORE) return false;
        if (length < 0 || length > this.limits.bulkBytesMax) {
          return this.fail('invalid bulk length');
        }
        if (!this.authenticated && length > this.limits.unauthenticatedBulkBytesMax) {
          return this.fail('unauthenticated bulk length');
        }
        this.at = this.lineEnd;
        this.bulkLength = length;
      }
      const end = this.at + this.bulkLength;
      if (limit < end + 2) return false;
      args.add(this.at, end);
      this.at = end + 2;
      this.bulkLength = -1;
      this.argumentsLeft--;
    }
    return true;
  }

  /** Reads digits up to CRLF at `at`. Sets `lineEnd`. MORE: not all there; BAD: no number. */
  private readLength(at: number, tooLong: string): number {
    const data = this.input.data;
    const limit = this.input.limit;
    // No valid length is longer, so a line that trickles in is not read again from its start.
    const digitsEnd = Math.min(limit, at + 11);
    let i = at;
    let value = 0;
    while (i < digitsEnd) {
      const digit = data[i] - 0x30;
      if (digit >>> 0 > 9) break;
      value = value * 10 + digit;
      i++;
    }
    const digits = i - at;
    if (i + 1 < limit && data[i] === CR && digits > 0 && digits < 11) {
      this.lineEnd = i + 2;
      return data[at] === 0x30 && digits > 1 ? BAD : value;
    }
    return this.readOddLength(at, tooLong);
  }

  /** The rare cases of readLength: an unfinished line, a negative number, nonsense. */
  private readOddLength(at: number, tooLong: string): number {
    const { data, limit } = this.input;
    let i = Math.max(at, this.scanned);
    while (i < limit && data[i] !== CR) i++;
    this.scanned = i;
    if (i + 1 >= limit) {
      if (limit - at > this.limits.inlineBytesMax) this.fail(tooLong);
      return MORE;
    }
    this.lineEnd = i + 2;
    const digits = i - at - 1;
    if (data[at] !== MINUS || digits < 1 || digits > 18 || data[at + 1] === 0x30) return BAD;
    for (let k = at + 1; k < i; k++) if ((data[k] - 0x30) >>> 0 > 9) return BAD;
    return -1;
  }

  /** Reads an inline command. Null: an empty line was skipped; else what next() answers. */
  private readInline(): boolean | null {
    const { data, limit } = this.input;
    const start = this.at;
    // A client that begins with a TLS handshake would wait for an answer to half a line for ever.
    if (data[start] === TLS_HANDSHAKE) return this.fail('this port does not speak TLS');
    let newline = Math.max(start, this.scanned);
    while (newline < limit && data[newline] !== LF) newline++;
    this.scanned = newline;
    if (newline === limit) {
      if (newline - start > this.limits.inlineBytesMax) {
        return this.fail('too big inline request');
      }
      return this.pause();
    }
    const end = newline > start && data[newline - 1] === CR ? newline - 1 : newline;
    if (!splitInline(data, start, end, this.args)) {
      return this.fail('unbalanced quotes in request');
    }
    this.at = newline + 1;
    this.input.start = this.at;
    if (this.args.count === 0) return null;
    if (this.args.equalsIgnoreCase(0, 'POST') || this.args.equalsIgnoreCase(0, 'HOST:')) {
      // A web browser was led to this port. It must not get to run the commands in its body.
      this.silent = true;
      this.error = 'Possible SECURITY ATTACK detected: HTTP on the port of the database';
      return false;
    }
    return true;
  }

  private fail(rule: string): false {
    this.error = `Protocol error: ${rule}`;
    return false;
  }

  /** Keeps the unfinished command in memory of our own, because the chunk's may be reused. */
  private pause(): false {
    if (this.error === null) this.moved(this.input.keep());
    return false;
  }

  /** Follows the bytes after the input moved them `distance` towards its beginning. */
  private moved(distance: number): void {
    this.args.buffer = this.input.data;
    this.at -= distance;
    this.scanned = Math.max(0, this.scanned - distance);
    if (distance > 0) this.args.shift(distance);
  }
}
