/**
 * The part of Bun's API used here; its published types would clash with Node's.
 */
import type { X509Certificate } from 'node:crypto';
import type { BunConnection } from './bun-sockets.ts';

export type BunSocket = {
  /** Absent until a TLS handshake is over. */
  data: BunConnection | undefined;
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly localAddress: string;
  readonly localPort: number;
  /** Bytes taken; -1 when the socket is closed. */
  write(bytes: Uint8Array, offset: number, length: number): number;
  pause(): void;
  resume(): void;
  end(): void;
  shutdown(): void;
  terminate(): void;
  setNoDelay(on: boolean): void;
  setKeepAlive(on: boolean, delayMs: number): void;
  /** TLS only; undefined when none was shown. */
  getPeerX509Certificate(): X509Certificate | undefined;
  /** Returns the socket itself and the one with TLS. */
  upgradeTLS(options: object): [BunSocket, BunSocket];
};
export type BunHandlers = {
  open(socket: BunSocket): void;
  /** TLS only: the handshake is over, well or not; `error` may also tell of the certificate. */
  handshake?(socket: BunSocket, success: boolean, error: (Error & { code?: string }) | null): void;
  data(socket: BunSocket, chunk: Buffer): void;
  drain(socket: BunSocket): void;
  end(socket: BunSocket): void;
  close(socket: BunSocket, error?: Error): void;
  error(socket: BunSocket, error: Error): void;
  connectError?(socket: BunSocket, error: Error): void;
};
export type BunTcp = {
  listen(options: object): { readonly port: number; stop(closeAll?: boolean): void };
  connect(options: object): Promise<BunSocket>;
};
