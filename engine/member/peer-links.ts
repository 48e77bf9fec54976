/**
 * Shell: links to peers over TCP. Dials from the address this member is bound to, so that others
 * (and a fault injector on loopback) can tell who dials.
 */

import type { Link, LinkHandler, Transport } from '../env.ts';
import type { Connection, Sockets } from '../net/connection.ts';
import type { PeerTls } from './peer-tls.ts';

const DIAL_TIMEOUT_MS = 3000;
const TLS_ALERT = 0x15;
const TLS_MAJOR = 0x03;
const ANY_ADDRESS = new Set(['0.0.0.0', '::', '']);

export function socketTransport(
  sockets: Sockets,
  bind: string,
  tls: PeerTls | null = null,
): Transport {
  const localAddress = ANY_ADDRESS.has(bind) ? undefined : bind;
  return {
    dial({ host, port }, handler, region) {
      let connection: Connection | null = null;
      let closed = false;
      const options = { host, port, localAddress, timeoutMs: DIAL_TIMEOUT_MS };
      sockets.connect({ ...options, tls: tls?.dial(region) }).then(
        (made) => {
          if (closed) {
            made.destroy();
            return;
          }
          connection = made;
          attachHandler(made, tls === null ? hintingAtTls(made, handler) : handler);
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
export function linkOver(
  connection: Connection,
  certified?: readonly string[],
): {
  link: Link;
  attach: (handler: LinkHandler) => void;
} {
  return {
    link: {
      certified,
      send: (bytes) => {
        connection.write(bytes);
      },
      bufferedBytes: () => connection.bufferedBytes,
      close: () => connection.close(),
    },
    attach: (handler) => attachHandler(connection, handler),
  };
}

/** A plain link to a TLS port is closed without a word, or with an alert that is no frame. */
function hintingAtTls(connection: Connection, handler: LinkHandler): LinkHandler {
  const hint = 'if it speaks TLS, start this one with --peer-tls-cert, too';
  let heard = false;
  return {
    ...handler,
    received(chunk) {
      const isAlert = !heard && chunk[0] === TLS_ALERT && chunk[1] === TLS_MAJOR;
      heard = true;
      if (!isAlert) {
        handler.received(chunk);
        return;
      }
      handler.closed(`it answered with a TLS alert; ${hint}`);
      connection.destroy();
    },
    closed: (reason) => handler.closed(heard ? reason : `${reason} without a word; ${hint}`),
  };
}

function attachHandler(connection: Connection, handler: LinkHandler): void {
  connection.onData = (chunk) => handler.received(chunk);
  connection.onDrain = () => handler.drained();
  connection.onClose = (error) => {
    handler.closed(error === null ? 'the connection was closed' : error.message);
  };
}
