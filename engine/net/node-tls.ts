/**
 * Shell: TLS by `node:tls`, for Node. The runtime never refuses a certificate (rejectUnauthorized is
 * off); judgeCertificate does, before the connection is handed to anyone.
 */

import { constants } from 'node:crypto';
import type { Socket } from 'node:net';
import {
  type ConnectionOptions,
  connect,
  createServer,
  type SecureContextOptions,
  type Server,
  type TLSSocket,
} from 'node:tls';
import { limits } from '../limits.ts';
import {
  describeCertificate,
  handshakeWords,
  judgeCertificate,
  LEFT,
  type PeerCertificate,
  type Refused,
  type TlsMaterial,
  type TlsPolicy,
} from './tls.ts';

/** A server that gives each socket over when its handshake is done and its certificate accepted. */
export function createTlsServer(
  policy: TlsPolicy,
  accepted: (socket: TLSSocket, certificate: PeerCertificate | null) => void,
  refused: Refused,
): Server {
  let material = policy.material();
  // By address, for Node reports the end of one handshake in several ways, some of them twice.
  const handshakes = new Set<string>();
  const server = createServer({
    ...contextOptions(policy, material),
    requestCert: policy.certificate !== 'no',
    rejectUnauthorized: false,
    handshakeTimeout: limits.tlsHandshake.value,
    allowHalfOpen: true,
  });
  const [handshake] = server.listeners('connection');
  server.removeAllListeners('connection');
  server.on('connection', (raw: Socket) => {
    if (handshakes.size >= limits.tlsHandshakesMax.value || raw.remoteAddress === undefined) {
      raw.destroy();
      return;
    }
    const newest = policy.material();
    if (newest !== material) {
      material = newest;
      server.setSecureContext(contextOptions(policy, material));
    }
    const address = addressOf(raw);
    handshakes.add(address);
    raw.once('close', () => handshakes.delete(address));
    handshake.call(server, raw);
  });
  server.on('secureConnection', (socket) => {
    handshakes.delete(addressOf(socket));
    const certificate = certificateOf(socket);
    const reason = judgeCertificate(policy, certificate, problemOf(socket));
    if (reason === null) {
      accepted(socket, certificate);
      return;
    }
    refused(addressOf(socket), reason);
    sayFarewell(socket, policy, reason);
  });
  server.on('tlsClientError', (error, socket) => {
    handshakes.delete(addressOf(socket));
    const why = handshakeWords(error.message);
    if (why !== LEFT) refused(addressOf(socket), why);
    socket.destroy();
  });
  return server;
}

/** Dials; the socket is still in its handshake. `tlsProblem` judges it when that is done. */
export function connectTls(
  address: { host: string; port: number; localAddress?: string },
  policy: TlsPolicy,
): TLSSocket {
  const options: ConnectionOptions & { localAddress?: string; allowHalfOpen: boolean } = {
    ...address,
    ...contextOptions(policy, policy.material()),
    rejectUnauthorized: false,
    checkServerIdentity: () => undefined,
    allowHalfOpen: true,
  };
  return connect(options);
}

/** Judges the one that was dialled. Who is refused has been told then. */
export function judgeDialled(
  socket: TLSSocket,
  policy: TlsPolicy,
): { readonly certificate: PeerCertificate | null; readonly refusal: string | null } {
  // Node gives the certificate only once.
  const certificate = certificateOf(socket);
  const refusal = judgeCertificate(policy, certificate, problemOf(socket));
  if (refusal !== null) sayFarewell(socket, policy, refusal);
  return { certificate, refusal };
}

function certificateOf(socket: TLSSocket): PeerCertificate | null {
  return describeCertificate(socket.getPeerX509Certificate());
}

function contextOptions(policy: TlsPolicy, { cert, key, ca }: TlsMaterial): SecureContextOptions {
  return {
    cert: cert || undefined,
    key: key || undefined,
    ca: ca ?? undefined,
    minVersion: policy.minVersion,
    // A resumed session would show no certificate again, and a CA that was taken away would go on
    // to vouch for it.
    secureOptions: policy.certificate === 'no' ? 0 : constants.SSL_OP_NO_TICKET,
  };
}

function problemOf(socket: TLSSocket): string | null {
  // The type says Error; what it holds is the code.
  return socket.authorized ? null : String(socket.authorizationError ?? 'it was not checked');
}

function sayFarewell(socket: TLSSocket, policy: TlsPolicy, reason: string): void {
  const timer = setTimeout(() => socket.destroy(), limits.tlsFarewell.value);
  socket.on('error', () => {});
  socket.once('close', () => clearTimeout(timer));
  // What the other side has sent already is read and dropped: a reset could destroy the words.
  socket.resume();
  socket.once('end', () => socket.destroySoon());
  const words = policy.farewell?.(reason);
  if (words === undefined) socket.end();
  else socket.end(words);
}

function addressOf(socket: Socket): string {
  return socket.remoteAddress === undefined
    ? 'an address that is gone'
    : `${socket.remoteAddress}:${socket.remotePort}`;
}
