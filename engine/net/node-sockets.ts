/**
 * Shell: TCP by `node:net`, for Node.
 *
 * One write at a time is given to the socket; what comes meanwhile waits in a backlog of ours. That
 * joins small writes, and it tells the bytes that surely never left the process (the backlog) from
 * those of which the kernel may have sent a part.
 */
import { createConnection, createServer, type Socket } from 'node:net';
import { Backlog } from './backlog.ts';
import {
  CLOSE_TIMEOUT_MS,
  CONNECT_TIMEOUT_MS,
  type Connection,
  KEEP_ALIVE_MS,
  type Sockets,
} from './connection.ts';

/** Above this, writers are asked to wait. */
const HIGH_WATER_BYTES = 64 * 1024;

class NodeConnection implements Connection {
  readonly remoteAddress: string;
  readonly localAddress: string;
  onData: (chunk: Uint8Array) => void = () => {};
  onDrain: () => void = () => {};
  onEnd: () => void = () => this.close();
  onClose: (error: Error | null) => void = () => {};

  private readonly socket: Socket;
  private error: Error | null = null;
  private closing = false;
  private ended = false;
  private gone = false;
  private destroyed = false;
  private readonly backlog = new Backlog();
  private writingBytes = 0;
  private waiting = false;
  private timer: NodeJS.Timeout | undefined;

  constructor(socket: Socket) {
    this.socket = socket;
    this.remoteAddress = `${socket.remoteAddress}:${socket.remotePort}`;
    this.localAddress = `${socket.localAddress}:${socket.localPort}`;
    socket.setNoDelay(true);
    socket.setKeepAlive(true, KEEP_ALIVE_MS);
    socket.on('data', (chunk) => {
      if (!this.closing) this.onData(chunk as Buffer);
    });
    socket.on('end', () => this.sawEnd());
    socket.on('error', (error) => {
      this.error = error;
    });
    socket.on('close', () => {
      this.gone = true;
      clearTimeout(this.timer);
      this.onClose(this.error);
    });
  }

  get bufferedBytes(): number {
    return this.writingBytes + this.backlog.bytes;
  }

  get unsentBytes(): number {
    return this.backlog.bytes;
  }

  get closed(): boolean {
    return this.closing || this.gone;
  }

  write(bytes: Uint8Array): boolean {
    if (this.closed || !this.socket.writable) return false;
    if (this.writingBytes > 0) this.backlog.add(bytes);
    // libuv may keep the memory until later, and the caller is free to reuse it: hence the copy.
    else this.send(Buffer.from(bytes));
    if (this.bufferedBytes <= HIGH_WATER_BYTES) return true;
    this.waiting = true;
    return false;
  }

  pause(): void {
    this.socket.pause();
  }

  resume(): void {
    if (!this.closing) this.socket.resume();
  }

  close(): void {
    if (this.closed) return;
    this.closing = true;
    this.timer = setTimeout(() => this.socket.destroy(), CLOSE_TIMEOUT_MS);
    // Reading on avoids a reset, which could destroy the last reply on its way to the client.
    this.socket.resume();
    if (this.bufferedBytes === 0) this.sendFin();
  }

  destroy(): void {
    this.closing = true;
    this.destroyed = true;
    this.socket.destroy();
  }

  private send(bytes: Buffer): void {
    this.writingBytes = bytes.length;
    this.socket.write(bytes, (error) => {
      this.writingBytes = 0;
      if (!error && !this.destroyed && !this.gone) this.sent();
    });
  }

  private sent(): void {
    const part = this.backlog.first();
    if (part !== null) {
      // The block is not written to any more once dropped, so it needs no copy.
      this.backlog.drop(part.length);
      this.send(part);
    } else if (this.closing) {
      this.sendFin();
    } else if (this.waiting) {
      this.waiting = false;
      this.onDrain();
    }
  }

  private sendFin(): void {
    this.socket.end(() => {
      if (this.ended) this.socket.destroy();
    });
  }

  private sawEnd(): void {
    this.ended = true;
    if (this.closing) {
      if (this.socket.writableFinished) this.socket.destroy();
      return;
    }
    this.onEnd();
  }
}

export const nodeSockets: Sockets = {
  runtime: 'node',

  listen({ host, port, onConnection }) {
    return new Promise((resolve, reject) => {
      const server = createServer({ allowHalfOpen: true }, (socket) => {
        // A connection that is already reset has no address; it would be useless anyway.
        if (socket.remoteAddress === undefined) socket.destroy();
        else onConnection(new NodeConnection(socket));
      });
      server.once('error', reject);
      server.listen({ host, port, backlog: 511 }, () => {
        server.off('error', reject);
        const address = server.address() as { port: number };
        resolve({ host, port: address.port, close: () => void server.close() });
      });
    });
  },

  connect({ host, port, localAddress, timeoutMs = CONNECT_TIMEOUT_MS }) {
    return new Promise((resolve, reject) => {
      const socket = createConnection({ host, port, localAddress, allowHalfOpen: true });
      const timer = setTimeout(() => {
        socket.destroy(new Error(`no connection to ${host}:${port} within ${timeoutMs} ms`));
      }, timeoutMs);
      const failed = (error: Error) => {
        clearTimeout(timer);
        reject(error);
      };
      socket.once('error', failed);
      socket.once('connect', () => {
        clearTimeout(timer);
        socket.off('error', failed);
        resolve(new NodeConnection(socket));
      });
    });
  },
};
