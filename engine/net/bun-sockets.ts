/**
 * Shell: TCP by `Bun.listen` and `Bun.connect`, whose sockets cost less than half of node:net's.
 *
 * Bun writes straight to the kernel and says how much was taken; the rest is ours to keep (see
 * backlog.ts). Its handlers are shared by all sockets; `socket.data` leads to the connection.
 * bun-tls.ts puts TLS on top.
 */
import { Backlog } from './backlog.ts';
import type { BunHandlers, BunSocket, BunTcp } from './bun-api.ts';
import { dialTls, tlsAcceptor } from './bun-tls.ts';
import {
  CLOSE_TIMEOUT_MS,
  CONNECT_TIMEOUT_MS,
  type Connection,
  KEEP_ALIVE_MS,
  type ListenOptions,
  type Sockets,
} from './connection.ts';
import type { PeerCertificate } from './tls.ts';

export class BunConnection implements Connection {
  readonly remoteAddress: string;
  readonly localAddress: string;
  readonly certificate: PeerCertificate | null;
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

  constructor(socket: BunSocket, certificate: PeerCertificate | null = null) {
    this.socket = socket;
    this.certificate = certificate;
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

  write(bytes: Uint8Array, length = bytes.length): boolean {
    if (this.closing || this.gone) return false;
    if (this.backlog.bytes > 0) {
      this.backlog.add(bytes.subarray(0, length));
      return false;
    }
    const taken = this.socket.write(bytes, 0, length);
    if (taken === length) return true;
    this.backlog.add(bytes.subarray(Math.max(0, taken), length));
    return false;
  }

  keepAlive(ms: number): void {
    if (!this.gone) this.socket.setKeepAlive(ms > 0, ms);
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
      const taken = this.socket.write(part, 0, part.length);
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

/** Makes the connection of a socket and hands it over. */
function opener(opened: (connection: BunConnection) => void) {
  return (socket: BunSocket, certificate: PeerCertificate | null = null) => {
    socket.data = new BunConnection(socket, certificate);
    opened(socket.data);
  };
}

/** Handlers for both directions; `opened` gets each connection before any of its data. */
function handlers(opened: (connection: BunConnection) => void): BunHandlers {
  const open = opener(opened);
  return {
    open: (socket) => open(socket),
    data: (socket, chunk) => socket.data!.received(chunk),
    drain: (socket) => socket.data!.drained(),
    end: (socket) => socket.data!.sawEnd(),
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

  async listen(options) {
    if (bun === undefined) throw new Error('these sockets exist only in Bun');
    const { host, port } = options;
    const socket = acceptor(options);
    const server = bun.listen({ hostname: host, port, allowHalfOpen: true, socket });
    return { host, port: server.port, close: () => server.stop(false) };
  },

  connect({ host, port, localAddress, timeoutMs = CONNECT_TIMEOUT_MS, tls }) {
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
      const opened = (connection: BunConnection) => {
        clearTimeout(timer);
        if (late) connection.destroy();
        else resolve(connection);
      };
      const secure =
        tls && dialTls(tls, opener(opened), (why) => failed(new Error(`${host}:${port}: ${why}`)));
      const socket: BunHandlers = {
        ...(secure?.socket ?? handlers(opened)),
        connectError: (_socket, error) => failed(error),
      };
      const address = { hostname: host, port, localAddress, allowHalfOpen: true };
      bun.connect({ ...address, tls: secure?.tls, socket }).catch(failed);
    });
  },
};

function acceptor({ onConnection, tls, onRefused = () => {} }: ListenOptions): BunHandlers {
  return tls === undefined
    ? handlers(onConnection)
    : tlsAcceptor(tls, opener(onConnection), onRefused);
}
