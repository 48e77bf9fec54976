import { ReplyWriter } from '../resp/reply-writer.ts';
import type { ServerContext } from './context.ts';

/** One client's connection: bytes in, replies out. */
export class ClientSession {
  readonly server: ServerContext;
  readonly id: number;
  readonly remote: string;
  readonly output = new ReplyWriter();
  /** True: flush the output and close. */
  closing = false;
  /** True: a command waits (WAIT, CLIENT PAUSE); bytes are kept and not run. */
  blocked = false;
  /** A write op was made since the last flush. */
  wrote = false;
  /** Our own actor's seq of this session's last write; 0: none. */
  lastSeq = 0;

  constructor(server: ServerContext, id: number, remote: string) {
    this.server = server;
    this.id = id;
    this.remote = remote;
  }

  /** Parses and runs all whole commands in `chunk`, replies go to `output`. */
  receive(_chunk: Uint8Array): void {
    throw new Error('not built yet');
  }

  /** Runs what was kept while the session was blocked. */
  unblock(): void {
    throw new Error('not built yet');
  }

  /** The connection is gone: forgets subscriptions, watches and waits. */
  closed(): void {
    throw new Error('not built yet');
  }
}
