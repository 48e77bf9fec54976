/**
 * Shell: TCP by `node:net`, for Node and as a fallback everywhere.
 */
import { createConnection, createServer, type Socket } from 'node:net';
import {
  CLOSE_TIMEOUT_MS,
  CONNECT_TIMEOUT_MS,
  type Connection,
  KEEP_ALIVE_MS,
  type Sockets,
} from './connection.ts';

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
    socket.on('drain', () => {
      if (!this.waiting) return;
      this.waiting = false;
      if (!this.closing) this.onDrain();
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
    return this.socket.writableLength;
  }

  get closed(): boolean {
    return this.closing || this.gone;
  }

  write(bytes: Uint8Array): boolean {
    if (this.closed || !this.socket.writable) return false;
    // libuv may keep the memory until later, and the caller is free to reuse it: hence the copy.
    const taken = this.socket.write(Buffer.from(bytes));
    if (!taken) this.waiting = true;
    return taken;
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
    this.socket.end(() => {
      if (this.ended) this.socket.destroy();
    });
  }

  destroy(): void {
    this.closing = true;
    this.socket.destroy();
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
