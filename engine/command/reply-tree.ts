/**
 * Replies decoded without losing their types, for the tests: a status is no bulk string, a set is
 * no array. (Clients want plain values instead: see engine/resp/reply-parser.ts.)
 */
export type ReplyTree =
  | { readonly kind: 'status' | 'error' | 'bulk' | 'double' | 'big'; readonly text: string }
  | { readonly kind: 'verbatim'; readonly format: string; readonly text: string }
  | { readonly kind: 'integer'; readonly value: bigint }
  | { readonly kind: 'boolean'; readonly value: boolean }
  | { readonly kind: 'null'; readonly as: 'bulk' | 'array' | 'null' }
  | {
      readonly kind: 'array' | 'set' | 'map' | 'push';
      /** Of a map: key, value, key, value … */
      readonly items: readonly ReplyTree[];
    };

/** Decodes all replies in `bytes`; throws when they do not end with a whole one. */
export function readReplies(bytes: Uint8Array): ReplyTree[] {
  const reader = new TreeReader(Buffer.from(bytes));
  const replies: ReplyTree[] = [];
  while (!reader.ended) replies.push(reader.read());
  return replies;
}

/** The first reply of `bytes` and where it ends; null: not all there yet. */
export function readReply(bytes: Uint8Array): { reply: ReplyTree; end: number } | null {
  const reader = new TreeReader(Buffer.from(bytes));
  try {
    return { reply: reader.read(), end: reader.at };
  } catch (error) {
    if (error instanceof Unfinished) return null;
    throw error;
  }
}

class Unfinished extends Error {}

class TreeReader {
  at = 0;
  private readonly bytes: Buffer;

  constructor(bytes: Buffer) {
    this.bytes = bytes;
  }

  get ended(): boolean {
    return this.at >= this.bytes.length;
  }

  read(): ReplyTree {
    const head = this.line();
    const rest = head.slice(1);
    switch (head[0]) {
      case '+':
        return { kind: 'status', text: rest };
      case '-':
        return { kind: 'error', text: rest };
      case ':':
        return { kind: 'integer', value: BigInt(rest) };
      case ',':
        return { kind: 'double', text: rest };
      case '(':
        return { kind: 'big', text: rest };
      case '#':
        return { kind: 'boolean', value: rest === 't' };
      case '_':
        return { kind: 'null', as: 'null' };
      case '$':
        return rest === '-1'
          ? { kind: 'null', as: 'bulk' }
          : { kind: 'bulk', text: this.take(rest) };
      case '=': {
        const text = this.take(rest);
        return { kind: 'verbatim', format: text.slice(0, 3), text: text.slice(4) };
      }
      case '*':
        if (rest === '-1') return { kind: 'null', as: 'array' };
        return { kind: 'array', items: this.items(Number(rest)) };
      case '~':
        return { kind: 'set', items: this.items(Number(rest)) };
      case '>':
        return { kind: 'push', items: this.items(Number(rest)) };
      case '%':
        return { kind: 'map', items: this.items(Number(rest) * 2) };
      default:
        throw new Error(`no reply begins with ${JSON.stringify(head)}`);
    }
  }

  private items(count: number): ReplyTree[] {
    const items: ReplyTree[] = [];
    for (let i = 0; i < count; i++) items.push(this.read());
    return items;
  }

  private line(): string {
    const end = this.bytes.indexOf('\r\n', this.at);
    if (end < 0) throw new Unfinished();
    const line = this.bytes.latin1Slice(this.at, end);
    this.at = end + 2;
    return line;
  }

  private take(size: string): string {
    const end = this.at + Number(size);
    if (end + 2 > this.bytes.length) throw new Unfinished();
    const text = this.bytes.latin1Slice(this.at, end);
    this.at = end + 2;
    return text;
  }
}
