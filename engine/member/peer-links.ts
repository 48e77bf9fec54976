/**
 * Shell: links to peers over TCP. Dials from the address this member is bound to, so that others
 * (and a fault injector on loopback) can tell who dials.
 */

import type { Link, LinkHandler, Transport } from '../env.ts';
import type { Connection, Sockets } from '../net/connection.ts';

const DIAL_TIMEOUT_MS = 3000;
const ANY_ADDRESS = new Set(['0.0.0.0', '::', '']);

export function socketTransport(sockets: Sockets, bind: string): Transport {
  const localAddress = ANY_ADDRESS.has(bind) ? undefined : bind;
  return {
    dial({ host, port }, handler) {
      let connection: Connection | null = null;
      let closed = false;
      sockets.connect({ host, port, localAddress, timeoutMs: DIAL_TIMEOUT_MS }).then(
        (made) => {
          if (closed) {
            made.destroy();
            return;
          }
          connection = made;
          attachHandler(made, handler);
          handler.opened();
        },
        (error: Error) => {
          if (!closed) handler.closed(`cannot connect to ${host}:${port}: ${error.message}`);
        },
      );
      return {
        send: (bytes) => connection?.write(bytes),
        bufferedBytes: () => connection?.bufferedBytes ?? 0,
        close: () => {
          closed = true;
          connection?.close();
        },
      };
    },
  };
}

/** A link over a connection that was accepted. */
export function linkOver(connection: Connection): {
  link: Link;
  attach: (handler: LinkHandler) => void;
} {
  return {
    link: {
      send: (bytes) => {
        connection.write(bytes);
      },
      bufferedBytes: () => connection.bufferedBytes,
      close: () => connection.close(),
    },
    attach: (handler) => attachHandler(connection, handler),
  };
}

function attachHandler(connection: Connection, handler: LinkHandler): void {
  connection.onData = (chunk) => handler.received(chunk);
  connection.onDrain = () => handler.drained();
  connection.onClose = (error) => {
    handler.closed(error === null ? 'the connection was closed' : error.message);
  };
}
