/**
 * Shell: TCP by `Bun.listen` and `Bun.connect`, whose sockets cost less than half of node:net's.
 *
 * Bun writes straight to the kernel and says how much was taken; the rest is ours to keep (see
 * backlog.ts). Its handlers are shared by all sockets; `socket.data` leads to the connection.
 */
import { Backlog } from './backlog.ts';
import {
  CLOSE_TIMEOUT_MS,
  CONNECT_TIMEOUT_MS,
  type Connection,
  KEEP_ALIVE_MS,
  type Sockets,
} from './connection.ts';

/** The part of Bun's API used here; its published types would clash with Node's. */
type BunSocket = {
  data: BunConnection;
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly localAddress: string;
  readonly localPort: number;
  /** Bytes taken; -1 when the socket is closed. */
  write(bytes: Uint8Array): number;
  pause(): void;
  resume(): void;
  end(): void;
  shutdown(): void;
  terminate(): void;
  setNoDelay(on: boolean): void;
  setKeepAlive(on: boolean, delayMs: number): void;
};
type BunHandlers = {
  open(socket: BunSocket): void;
  data(socket: BunSocket, chunk: Buffer): void;
  drain(socket: BunSocket): void;
  end(socket: BunSocket): void;
  close(socket: BunSocket, error?: Error): void;
  error(socket: BunSocket, error: Error): void;
  connectError?(socket: BunSocket, error: Error): void;
};
type BunTcp = {
  listen(options: object): { readonly port: number; stop(closeAll?: boolean): void };
  connect(options: object): Promise<BunSocket>;
};

class BunConnection implements Connection {
  readonly remoteAddress: string;
  readonly localAddress: string;
  onData: (chunk: Uint8Array) => void = () => {};
  onDrain: () => void = () => {};
  onEnd: () => void = () => this.close();
  onClose: (error: Error | null) => void = () => {};

  private readonly socket: BunSocket;
  private readonly backlog = new Backlog();
  private closing = false;
  private finSent = false;
  private ended = false;
  private gone = false;
  private destroyed = false;
  private timer: NodeJS.Timeout | undefined;

  constructor(socket: BunSocket) {
    this.socket = socket;
    this.remoteAddress = `${socket.remoteAddress}:${socket.remotePort}`;
    this.localAddress = `${socket.localAddress}:${socket.localPort}`;
    socket.setNoDelay(true);
    socket.setKeepAlive(true, KEEP_ALIVE_MS);
  }

  get bufferedBytes(): number {
    return this.backlog.bytes;
  }

  get unsentBytes(): number {
    return this.backlog.bytes;
  }

  get closed(): boolean {
    return this.closing || this.gone;
  }

  write(bytes: Uint8Array): boolean {
    if (this.closed) return false;
    if (this.backlog.bytes > 0) {
      this.backlog.add(bytes);
      return false;
    }
    const taken = this.socket.write(bytes);
    if (taken === bytes.length) return true;
    this.backlog.add(taken > 0 ? bytes.subarray(taken) : bytes);
    return false;
  }

  pause(): void {
    if (!this.gone) this.socket.pause();
  }

  resume(): void {
    if (!this.closed) this.socket.resume();
  }

  close(): void {
    if (this.closed) return;
    this.closing = true;
    this.timer = setTimeout(() => this.socket.terminate(), CLOSE_TIMEOUT_MS);
    // Reading on avoids a reset, which could destroy the last reply on its way to the client.
    this.socket.resume();
    if (this.backlog.bytes === 0) this.sendFin();
  }

  destroy(): void {
    if (this.gone) return;
    this.closing = true;
    this.destroyed = true;
    this.socket.terminate();
  }

  received(chunk: Buffer): void {
    if (!this.closing) this.onData(chunk);
  }

  drained(): void {
    if (this.gone || this.destroyed || this.backlog.bytes === 0) return;
    for (let part = this.backlog.first(); part !== null; part = this.backlog.first()) {
      const taken = this.socket.write(part);
      if (taken > 0) this.backlog.drop(taken);
      if (taken < part.length) return;
    }
    if (this.closing) this.sendFin();
    else this.onDrain();
  }

  sawEnd(): void {
    this.ended = true;
    if (!this.closing) this.onEnd();
    else if (this.finSent) this.socket.end();
  }

  sawClose(error: Error | null): void {
    if (this.gone) return;
    this.gone = true;
    clearTimeout(this.timer);
    // Cleared only now: onClose may still ask what was unsent.
    this.onClose(error);
    this.backlog.clear();
  }

  private sendFin(): void {
    this.finSent = true;
    if (this.ended) this.socket.end();
    else this.socket.shutdown();
  }
}

/** Handlers for both directions; `opened` gets each connection before any of its data. */
function handlers(opened: (connection: BunConnection) => void): BunHandlers {
  return {
    open(socket) {
      socket.data = new BunConnection(socket);
      opened(socket.data);
    },
    data: (socket, chunk) => socket.data.received(chunk),
    drain: (socket) => socket.data.drained(),
    end: (socket) => socket.data.sawEnd(),
    close: (socket, error) => socket.data?.sawClose(error ?? null),
    error(_socket, error) {
      // What a handler of ours throws is a defect and must not be swallowed: fail as Node does.
      setImmediate(() => {
        throw error;
      });
    },
  };
}

const bun = (globalThis as { Bun?: BunTcp }).Bun;

export const bunSockets: Sockets = {
  runtime: 'bun',

  async listen({ host, port, onConnection }) {
    if (bun === undefined) throw new Error('these sockets exist only in Bun');
    const socket = handlers(onConnection);
    const server = bun.listen({ hostname: host, port, allowHalfOpen: true, socket });
    return { host, port: server.port, close: () => server.stop(false) };
  },

  connect({ host, port, localAddress, timeoutMs = CONNECT_TIMEOUT_MS }) {
    return new Promise((resolve, reject) => {
      if (bun === undefined) throw new Error('these sockets exist only in Bun');
      let late = false;
      const timer = setTimeout(() => {
        late = true;
        reject(new Error(`no connection to ${host}:${port} within ${timeoutMs} ms`));
      }, timeoutMs);
      const failed = (error: Error) => {
        clearTimeout(timer);
        reject(error);
      };
      const socket: BunHandlers = {
        ...handlers((connection) => {
          clearTimeout(timer);
          if (late) connection.destroy();
          else resolve(connection);
        }),
        connectError: (_socket, error) => failed(error),
      };
      const options = { hostname: host, port, localAddress, allowHalfOpen: true, socket };
      bun.connect(options).catch(failed);
    });
  },
};
