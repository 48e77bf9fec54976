/**
 * Shell: a Redis client as small as measurements and tests need it: one command at a time, no
 * reconnects behind one's back, errors as values, so that what was acknowledged is never in doubt.
 */
import { connect, type Socket } from 'node:net';

export type Reply = string | number | null | Reply[] | RespError;

/** An error reply of the server. */
export class RespError {
  readonly message: string;

  constructor(message: string) {
    this.message = message;
  }
}

export class RespClient {
  private readonly socket: Socket;
  private input = Buffer.alloc(0);
  private waiting: { resolve: (reply: Reply) => void; reject: (error: Error) => void } | null =
    null;
  private closed: Error | null = null;

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (data) => this.receive(data));
    socket.on('error', (error) => this.end(error));
    socket.on('close', () => this.end(new Error('connection closed')));
  }

  /** Connects within `timeoutMs`; a reply that takes longer than that closes the connection. */
  static connect(port: number, timeoutMs: number, host = '127.0.0.1'): Promise<RespClient> {
    return new Promise((resolve, reject) => {
      const socket = connect({ host, port, noDelay: true });
      socket.setTimeout(timeoutMs, () => socket.destroy(new Error(`silent for ${timeoutMs} ms`)));
      socket.once('error', reject);
      socket.once('connect', () => {
        socket.off('error', reject);
        resolve(new RespClient(socket));
      });
    });
  }

  /** Rejects when the connection ends before the reply: the outcome is then unknown. */
  command(...args: (string | number)[]): Promise<Reply> {
    if (this.closed !== null) return Promise.reject(this.closed);
    if (this.waiting !== null) return Promise.reject(new Error('one command at a time'));
    const parts = args.map((arg) => `$${Buffer.byteLength(String(arg))}\r\n${arg}\r\n`);
    this.socket.write(`*${args.length}\r\n${parts.join('')}`);
    return new Promise((resolve, reject) => {
      this.waiting = { resolve, reject };
    });
  }

  close(): void {
    this.socket.destroy();
  }

  private receive(data: Buffer): void {
    this.input = Buffer.concat([this.input, data]);
    const parsed = parse(this.input, 0);
    if (parsed === null || this.waiting === null) return;
    this.input = this.input.subarray(parsed.end);
    const { resolve } = this.waiting;
    this.waiting = null;
    resolve(parsed.reply);
  }

  private end(error: Error): void {
    this.closed ??= error;
    this.waiting?.reject(error);
    this.waiting = null;
  }
}

/** The reply that begins at `from` and where it ends, or null when it is not complete. */
function parse(input: Buffer, from: number): { reply: Reply; end: number } | null {
  const lineEnd = input.indexOf('\r\n', from);
  if (lineEnd === -1) return null;
  const line = input.toString('utf8', from + 1, lineEnd);
  const after = lineEnd + 2;
  switch (String.fromCharCode(input[from])) {
    case '+':
      return { reply: line, end: after };
    case '-':
      return { reply: new RespError(line), end: after };
    case ':':
      return { reply: Number(line), end: after };
    case '_':
      return { reply: null, end: after };
    case '$': {
      const length = Number(line);
      if (length < 0) return { reply: null, end: after };
      if (input.length < after + length + 2) return null;
      return { reply: input.toString('utf8', after, after + length), end: after + length + 2 };
    }
    case '*': {
      if (Number(line) < 0) return { reply: null, end: after };
      const list: Reply[] = [];
      let at = after;
      for (let index = 0; index < Number(line); index += 1) {
        const item = parse(input, at);
        if (item === null) return null;
        list.push(item.reply);
        at = item.end;
      }
      return { reply: list, end: at };
    }
    default:
      throw new Error(`not a reply: ${line}`);
  }
}
