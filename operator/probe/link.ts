/**
 * Shell: one RESP connection to an engine. Replies come in the order of the calls; when one is
 * late the caller gives up on it, and its reply is dropped when it comes after all.
 */
import { connect, type Socket } from 'node:net';
import { type Reply, ReplyParser, RespError } from '../../engine/resp/reply-parser.ts';
import { encodeRequest } from '../../engine/resp/request-writer.ts';

const CONNECT_DEADLINE_MS = 500;
const PENDING_MAX = 64;

export type LinkFailure = 'refused' | 'timeout';

type Pending = { settle: (reply: Reply | Error) => void };

export class Link {
  private readonly socket: Socket;
  private readonly parser = new ReplyParser();
  private readonly pending: Pending[] = [];
  private failure: LinkFailure | null = null;
  private readonly onDown: (failure: LinkFailure) => void;

  /** Dials at once. `onUp` once connected; `onDown` once, when the connection is over. */
  constructor(
    address: { host: string; port: number },
    events: { onUp: () => void; onDown: (failure: LinkFailure) => void },
  ) {
    this.onDown = events.onDown;
    this.socket = connect({ ...address, noDelay: true });
    const late = setTimeout(() => this.end('timeout'), CONNECT_DEADLINE_MS);
    this.socket.on('connect', () => {
      clearTimeout(late);
      events.onUp();
    });
    this.socket.on('data', (chunk) => this.take(chunk));
    this.socket.on('error', (error: NodeJS.ErrnoException) => {
      const silent = error.code === 'ETIMEDOUT' || error.code === 'EHOSTUNREACH';
      this.end(silent ? 'timeout' : 'refused');
    });
    this.socket.on('close', () => {
      clearTimeout(late);
      this.end('refused');
    });
  }

  /** Sends one command; rejects when there is no reply in time or the connection breaks. */
  call(args: readonly (string | number)[], deadlineMs: number): Promise<Reply> {
    return new Promise((resolve, reject) => {
      if (this.failure !== null || this.pending.length >= PENDING_MAX) {
        reject(new Error('not connected'));
        return;
      }
      const timer = setTimeout(() => reject(new Error(`no reply in ${deadlineMs} ms`)), deadlineMs);
      this.pending.push({
        settle: (reply) => {
          clearTimeout(timer);
          if (reply instanceof Error) reject(reply);
          else resolve(reply);
        },
      });
      this.socket.write(encodeRequest(args));
    });
  }

  /** Closes without a word to onDown. */
  close(): void {
    this.failure ??= 'refused';
    this.socket.destroy();
    this.reject(new Error('closed'));
  }

  private take(chunk: Uint8Array): void {
    this.parser.push(chunk);
    for (;;) {
      const reply = this.parser.next();
      if (reply === undefined) break;
      this.pending.shift()?.settle(reply);
    }
    if (this.parser.error !== null) this.end('refused');
  }

  private end(failure: LinkFailure): void {
    if (this.failure !== null) return;
    this.failure = failure;
    this.socket.destroy();
    this.reject(new Error(`connection ${failure}`));
    this.onDown(failure);
  }

  private reject(error: Error): void {
    for (const { settle } of this.pending.splice(0)) settle(error);
  }
}

/** The text of a reply, or an exception with the error that the engine answered. */
export function textOf(reply: Reply): string {
  if (reply instanceof RespError) throw new Error(reply.error);
  if (typeof reply !== 'string') throw new Error('unexpected reply');
  return reply;
}
