/**
 * Shell: TCP by `node:net` and TLS by `node:tls`, for Node.
 *
 * One write at a time is given to the socket; what comes meanwhile waits in a backlog of ours. That
 * joins small writes, and it tells the bytes that surely never left the process (the backlog) from
 * those of which the kernel may have sent a part.
 */
import { createConnection, createServer, type Server, type Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { Backlog } from './backlog.ts';
import {
  CLOSE_TIMEOUT_MS,
  CONNECT_TIMEOUT_MS,
  type Connection,
  type ConnectOptions,
  KEEP_ALIVE_MS,
  type ListenOptions,
  type Sockets,
} from './connection.ts';
import { connectTls, createTlsServer, judgeDialled } from './node-tls.ts';
import { handshakeWords, type PeerCertificate } from './tls.ts';

/** Above this, writers are asked to wait. */
const HIGH_WATER_BYTES = 64 * 1024;

class NodeConnection implements Connection {
  readonly remoteAddress: string;
  readonly localAddress: string;
  readonly certificate: PeerCertificate | null;
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

  constructor(socket: Socket, certificate: PeerCertificate | null = null) {
    this.socket = socket;
    this.certificate = certificate;
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
      // After a TLS error Node leaves the socket open, deaf.
      socket.destroy();
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

  write(bytes: Uint8Array, length = bytes.length): boolean {
    if (this.closed || !this.socket.writable) return false;
    const part = length === bytes.length ? bytes : bytes.subarray(0, length);
    if (this.writingBytes > 0) this.backlog.add(part);
    // libuv may keep the memory until later, and the caller is free to reuse it: hence the copy.
    else this.send(Buffer.from(part));
    if (this.bufferedBytes <= HIGH_WATER_BYTES) return true;
    this.waiting = true;
    return false;
  }

  keepAlive(ms: number): void {
    if (!this.gone) this.socket.setKeepAlive(ms > 0, ms);
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

  listen(options) {
    const { host, port } = options;
    return new Promise((resolve, reject) => {
      const server = makeServer(options);
      server.once('error', reject);
      server.listen({ host, port, backlog: 511 }, () => {
        server.off('error', reject);
        const address = server.address() as { port: number };
        resolve({ host, port: address.port, close: () => void server.close() });
      });
    });
  },

  connect(options) {
    const { host, port, localAddress, timeoutMs = CONNECT_TIMEOUT_MS, tls } = options;
    return new Promise((resolve, reject) => {
      const socket =
        tls === undefined
          ? createConnection({ host, port, localAddress, allowHalfOpen: true })
          : connectTls({ host, port, localAddress }, tls);
      const timer = setTimeout(() => {
        socket.destroy(new Error(`no connection to ${host}:${port} within ${timeoutMs} ms`));
      }, timeoutMs);
      const failed = (error: Error) => {
        clearTimeout(timer);
        reject(error);
      };
      const problem = dialProblem(socket, options, failed);
      socket.once('error', problem);
      socket.once(tls === undefined ? 'connect' : 'secureConnect', () => {
        clearTimeout(timer);
        socket.off('error', problem);
        const judged = tls && judgeDialled(socket as TLSSocket, tls);
        if (judged?.refusal) reject(new Error(`${host}:${port}: ${judged.refusal}`));
        else resolve(new NodeConnection(socket, judged?.certificate));
      });
    });
  },
};

function makeServer({ onConnection, tls, onRefused = () => {} }: ListenOptions): Server {
  if (tls !== undefined) {
    const accepted = (socket: TLSSocket, certificate: PeerCertificate | null) =>
      onConnection(new NodeConnection(socket, certificate));
    return createTlsServer(tls, accepted, onRefused);
  }
  return createServer({ allowHalfOpen: true }, (socket) => {
    // A connection that is already reset has no address; it would be useless anyway.
    if (socket.remoteAddress === undefined) socket.destroy();
    else onConnection(new NodeConnection(socket));
  });
}

/** Puts into words what went wrong after the TCP connection stood: then it was the handshake. */
function dialProblem(
  socket: Socket,
  { host, port, tls }: ConnectOptions,
  failed: (error: Error) => void,
): (error: Error) => void {
  let connected = false;
  socket.once('connect', () => {
    connected = true;
  });
  return (error) => {
    if (tls === undefined || !connected || /^no connection to/.test(error.message)) failed(error);
    else failed(new Error(`${host}:${port}: ${handshakeWords(error.message)}`));
  };
}
