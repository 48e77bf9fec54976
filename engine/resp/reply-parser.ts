/**
 * Client-side parser: RESP2 and RESP3 replies as JavaScript values.
 *
 * The framer finds a whole reply first, so decoding never has to stop half-way.
 */
import { ReplyFramer } from './reply-framer.ts';

/** An error that the server answered. */
export class RespError {
  /** The whole text, its code first: `WRONGTYPE Operation against …`. */
  readonly error: string;

  constructor(error: string) {
    this.error = error;
  }

  /** The first word. */
  get code(): string {
    return this.error.split(' ', 1)[0];
  }
}

/** A message that answers no command (RESP3): pub/sub, invalidation. */
export class PushMessage {
  readonly items: Reply[];

  constructor(items: Reply[]) {
    this.items = items;
  }
}

/**
 * One reply. Strings are latin1: one character per byte. Integers beyond ±(2^53 - 1) and big
 * numbers are bigint; sets are arrays; attributes are dropped.
 */
export type Reply =
  | null
  | number
  | bigint
  | string
  | boolean
  | RespError
  | PushMessage
  | Reply[]
  | Map<Reply, Reply>;

const DEPTH_MAX = 64;

export class ReplyParser {
  /** What is wrong with the stream; null while all is well. Then close the connection. */
  error: string | null = null;
  private readonly framer: ReplyFramer;
  private at = 0;

  /** `replyBytesMax`: larger replies are an error. */
  constructor(replyBytesMax?: number) {
    this.framer = new ReplyFramer(replyBytesMax);
  }

  push(chunk: Uint8Array): void {
    this.framer.push(chunk);
  }

  /** The next whole reply; undefined: more bytes are needed, or `error` is set. */
  next(): Reply | undefined {
    if (this.error !== null) return undefined;
    if (!this.framer.next()) {
      this.error = this.framer.error;
      return undefined;
    }
    this.at = this.framer.start;
    const reply = this.read(0);
    return this.error === null ? reply : undefined;
  }

  private read(depth: number): Reply {
    if (depth > DEPTH_MAX) {
      this.error ??= 'Protocol error: nested too deeply';
      return null;
    }
    const data = this.framer.buffer;
    const kind = String.fromCharCode(data[this.at]);
    const lineEnd = data.indexOf('\r\n', this.at);
    const line = data.latin1Slice(this.at + 1, lineEnd);
    this.at = lineEnd + 2;
    switch (kind) {
      case '+':
        return line;
      case '-':
        return new RespError(line);
      case ':':
        return toInteger(line);
      case ',':
        return toDouble(line);
      case '#':
        return line === 't';
      case '(':
        return this.toBig(line);
      case '$':
        return line === '-1' ? null : this.readBulk(Number(line));
      case '!':
        return new RespError(this.readBulk(Number(line)));
      case '=':
        return this.readBulk(Number(line)).slice(4);
      case '*':
        return line === '-1' ? null : this.readItems(Number(line), depth);
      case '~':
        return this.readItems(Number(line), depth);
      case '>':
        return new PushMessage(this.readItems(Number(line), depth));
      case '%':
        return this.readMap(Number(line), depth);
      case '|':
        this.readMap(Number(line), depth);
        return this.read(depth);
      default:
        return null; // `_`: the framer lets nothing else through.
    }
  }

  private readBulk(length: number): string {
    const start = this.at;
    this.at = start + length + 2;
    return this.framer.buffer.latin1Slice(start, start + length);
  }

  private readItems(count: number, depth: number): Reply[] {
    const items: Reply[] = [];
    for (let i = 0; i < count && this.error === null; i++) items.push(this.read(depth + 1));
    return items;
  }

  private readMap(count: number, depth: number): Map<Reply, Reply> {
    const map = new Map<Reply, Reply>();
    for (let i = 0; i < count && this.error === null; i++) {
      const key = this.read(depth + 1);
      map.set(key, this.read(depth + 1));
    }
    return map;
  }

  private toBig(line: string): bigint {
    if (/^[+-]?\d+$/.test(line)) return BigInt(line.replace('+', ''));
    this.error ??= 'Protocol error: invalid big number';
    return 0n;
  }
}

function toInteger(line: string): number | bigint {
  const value = Number(line);
  if (Number.isSafeInteger(value) || !/^[+-]?\d+$/.test(line)) return value;
  return BigInt(line.replace('+', ''));
}

function toDouble(line: string): number {
  if (/^[+-]?inf$/i.test(line)) {
    return line.startsWith('-') ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  }
  return Number(line);
}
