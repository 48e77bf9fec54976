/**
 * Shell: a client for tests that sends what it is told and hands out replies in order.
 */
import type { Connection } from '../net/connection.ts';
import { nodeSockets } from '../net/node-sockets.ts';
import { PushMessage, type Reply, ReplyParser, RespError } from '../resp/reply-parser.ts';
import { encodeRequest } from '../resp/request-writer.ts';

const REPLY_TIMEOUT_MS = 8000;

export class TestClient {
  readonly pushes: Reply[][] = [];
  closed = false;
  readonly connection: Connection;
  private readonly parser = new ReplyParser();
  private readonly replies: Reply[] = [];
  private waiting: ((reply: Reply) => void)[] = [];

  constructor(connection: Connection) {
    this.connection = connection;
    connection.onData = (chunk) => {
      this.parser.push(chunk);
      for (let r = this.parser.next(); r !== undefined; r = this.parser.next()) this.received(r);
    };
    connection.onClose = () => {
      this.closed = true;
      for (const give of this.waiting.splice(0)) give(new RespError('CLOSED'));
    };
  }

  static async connect(port: number): Promise<TestClient> {
    return new TestClient(await nodeSockets.connect({ host: '127.0.0.1', port }));
  }

  /** Sends one command and waits for its reply; errors come back as their text. */
  async ask(...words: (string | number)[]): Promise<Reply> {
    this.send(...words);
    return this.reply();
  }

  /** Sends all commands in one piece and waits for all replies. */
  async pipeline(commands: (string | number)[][]): Promise<Reply[]> {
    this.connection.write(Buffer.concat(commands.map(encodeRequest)));
    const replies: Reply[] = [];
    for (const _ of commands) replies.push(await this.reply());
    return replies;
  }

  send(...words: (string | number)[]): void {
    this.connection.write(encodeRequest(words));
  }

  raw(text: string): void {
    this.connection.write(Buffer.from(text, 'latin1'));
  }

  reply(): Promise<Reply> {
    const ready = this.replies.shift();
    if (ready !== undefined) return Promise.resolve(plain(ready));
    if (this.closed) return Promise.resolve('CLOSED');
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error('no reply came')), REPLY_TIMEOUT_MS);
      this.waiting.push((reply) => {
        clearTimeout(timer);
        resolve(plain(reply));
      });
    });
  }

  close(): void {
    this.connection.destroy();
  }

  private received(reply: Reply): void {
    if (reply instanceof PushMessage) {
      this.pushes.push(reply.items);
      return;
    }
    const give = this.waiting.shift();
    if (give) give(reply);
    else this.replies.push(reply);
  }
}

function plain(reply: Reply): Reply {
  if (reply instanceof RespError) return reply.error;
  return Array.isArray(reply) ? reply.map(plain) : reply;
}
