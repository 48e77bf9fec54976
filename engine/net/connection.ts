/**
 * What the engine asks of a TCP connection, whichever runtime carries it.
 *
 * `write` takes the bytes in any case: what the kernel does not accept at once is copied and sent,
 * in order, as soon as it can be. So writers may reuse their memory after each call, and a slow
 * reader shows only as `bufferedBytes` growing; limits on it are the caller's business.
 */

import type { PeerCertificate, Refused, TlsPolicy } from './tls.ts';

export interface Connection {
  /** The other side as `address:port`. */
  readonly remoteAddress: string;
  /** Our side as `address:port`. */
  readonly localAddress: string;
  /** Bytes that were written but not yet accepted by the kernel. */
  readonly bufferedBytes: number;
  /** The last so many bytes written have surely never left this process, even if it breaks now. */
  readonly unsentBytes: number;
  /** The other side's certificate, which has passed; null: none was shown, or this is plain TCP. */
  readonly certificate: PeerCertificate | null;
  /** True from close() or destroy() on, or when the other side has broken the connection. */
  readonly closed: boolean;

  /** Called with received bytes. They stay unchanged. Set it before returning to the event loop. */
  onData: (chunk: Uint8Array) => void;
  /** Called when nothing is buffered any more, after a write that returned false. */
  onDrain: () => void;
  /** Called when the other side will send no more. Unless replaced it closes the connection. */
  onEnd: () => void;
  /** Called once, whoever closed; null when nothing went wrong. */
  onClose: (error: Error | null) => void;

  /**
   * Sends the first `length` bytes (all, if it is absent). False: stop until onDrain, please; the
   * bytes are kept all the same.
   */
  write(bytes: Uint8Array, length?: number): boolean;
  /** After so many ms without a byte the kernel asks for one; 0: it does not. */
  keepAlive(ms: number): void;
  /** Stops reading, so that the kernel holds the sender back. */
  pause(): void;
  resume(): void;
  /** Sends what is buffered, then closes; received bytes are dropped. Gives up after 5 s. */
  close(): void;
  /** Closes at once and drops what is buffered. */
  destroy(): void;
}

export interface Listener {
  readonly host: string;
  /** The port really bound, also when 0 was asked for. */
  readonly port: number;
  /** Accepts no more connections; those that exist go on. */
  close(): void;
}

export type ListenOptions = {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  readonly onConnection: (connection: Connection) => void;
  /** Absent: plain TCP. With it, `onConnection` comes after the handshake. */
  readonly tls?: TlsPolicy;
  /** Hears of those that TLS kept out. */
  readonly onRefused?: Refused;
};

export type ConnectOptions = {
  readonly host: string;
  readonly port: number;
  /** The address to dial from; absent: the kernel chooses. */
  readonly localAddress?: string;
  /** Default 5000; the handshake included. */
  readonly timeoutMs?: number;
  /** Absent: plain TCP. A certificate that is refused rejects with the words for it. */
  readonly tls?: TlsPolicy;
};

/** One runtime's sockets. Both functions reject with the system's error where there is one (`code`). */
export interface Sockets {
  readonly runtime: 'bun' | 'node';
  listen(options: ListenOptions): Promise<Listener>;
  /** The caller must set the handlers before it awaits anything else. */
  connect(options: ConnectOptions): Promise<Connection>;
}

export const CONNECT_TIMEOUT_MS = 5000;
/** How long close() waits for the other side to take the rest. */
export const CLOSE_TIMEOUT_MS = 5000;
/** After so long without a byte the kernel asks whether the other side is still there. */
export const KEEP_ALIVE_MS = 60_000;
