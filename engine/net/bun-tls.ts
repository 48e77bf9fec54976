/**
 * Shell: TLS for Bun's sockets. A connection is accepted as plain TCP and then upgraded: Bun cannot
 * change the certificate of a listener, but each upgrade takes the newest one, and costs 13 µs (Bun
 * keeps the contexts that it has made).
 *
 * Bun calls `error` for what a handler of ours throws and for what the other side breaks alike. The
 * first is a defect and must end the process, the second is the weather: so our own calls are
 * guarded here, and `error` means the other side.
 */
import { constants } from 'node:crypto';
import { limits } from '../limits.ts';
import type { BunHandlers, BunSocket } from './bun-api.ts';
import {
  describeCertificate,
  handshakeWords,
  judgeCertificate,
  LEFT,
  type PeerCertificate,
  type Refused,
  type TlsPolicy,
} from './tls.ts';

/** Bun says so only of a certificate that has passed otherwise; host names are not checked here. */
const OTHER_HOST = 'ERR_TLS_CERT_ALTNAME_INVALID';

type Problem = (Error & { code?: string }) | null;

/** Gets the socket whose certificate has passed, and sets its `data`. */
type Opened = (socket: BunSocket, certificate: PeerCertificate | null) => void;

/** Handlers of a plain listener that put TLS on every connection. */
export function tlsAcceptor(policy: TlsPolicy, opened: Opened, refused: Refused): BunHandlers {
  let handshakes = 0;
  const upgrade = (raw: BunSocket) => {
    if (handshakes >= limits.tlsHandshakesMax.value) {
      raw.terminate();
      return;
    }
    handshakes++;
    const address = `${raw.remoteAddress}:${raw.remotePort}`;
    const timer = setTimeout(() => {
      refused(address, `no TLS handshake within ${limits.tlsHandshake.value} ms`);
      secure.terminate();
    }, limits.tlsHandshake.value);
    let over = false;
    const done = () => {
      if (over) return;
      over = true;
      clearTimeout(timer);
      handshakes--;
    };
    const told = (why: string) => {
      if (why !== LEFT) refused(address, why);
    };
    const socket = secureHandlers(policy, opened, told, done);
    const [, secure] = raw.upgradeTLS({
      isServer: true,
      data: undefined,
      tls: { ...contextOptions(policy), requestCert: policy.certificate !== 'no' },
      socket,
    });
  };
  // After the upgrade only the secure socket counts; Bun asks for at least one more handler.
  const ignore = () => {};
  return {
    open: (raw) => guarded(() => upgrade(raw)),
    drain: ignore,
    end: ignore,
    close: ignore,
    error: ignore,
  } as Partial<BunHandlers> as BunHandlers;
}

/** Options and handlers of a connection that is dialled. */
export function dialTls(
  policy: TlsPolicy,
  opened: Opened,
  refused: (why: string) => void,
): { tls: object; socket: BunHandlers } {
  return { tls: contextOptions(policy), socket: secureHandlers(policy, opened, refused) };
}

function secureHandlers(
  policy: TlsPolicy,
  opened: Opened,
  refused: (why: string) => void,
  over: () => void = () => {},
): BunHandlers {
  let error: Error | null = null;
  let judged = false;
  const judge = (socket: BunSocket, success: boolean, problem: Problem) => {
    over();
    if (judged) return;
    judged = true;
    const certificate = describeCertificate(socket.getPeerX509Certificate());
    if (!success && (certificate === null || !isAboutCertificate(problem))) {
      refused(handshakeWords(`${problem?.code} ${problem?.message}`));
      // A reset at once could overtake the alert, by which the other side learns what is wrong.
      terminateSoon(socket);
      return;
    }
    const found = problem === null || problem.code === OTHER_HOST ? null : String(problem.code);
    const reason = judgeCertificate(policy, certificate, found);
    if (reason === null) {
      opened(socket, certificate);
      return;
    }
    refused(reason);
    sayFarewell(socket, policy, reason);
  };
  return {
    open: () => {},
    handshake: (socket, success, problem) => guarded(() => judge(socket, success, problem)),
    data: (socket, chunk) => guarded(() => socket.data?.received(chunk)),
    drain: (socket) => guarded(() => socket.data?.drained()),
    end: (socket) =>
      guarded(() => (socket.data === undefined ? socket.end() : socket.data.sawEnd())),
    close: (socket, closeError) =>
      guarded(() => {
        over();
        if (!judged) refused(LEFT);
        judged = true;
        socket.data?.sawClose(closeError ?? error);
      }),
    error: (_socket, problem) => {
      error = problem;
    },
  };
}

function contextOptions(policy: TlsPolicy): object {
  const { cert, key, ca } = policy.material();
  let forbidden = constants.SSL_OP_NO_TLSv1 | constants.SSL_OP_NO_TLSv1_1;
  if (policy.minVersion === 'TLSv1.3') forbidden |= constants.SSL_OP_NO_TLSv1_2;
  // A resumed session would show no certificate again, and a CA that was taken away would go on
  // to vouch for it.
  if (policy.certificate !== 'no') forbidden |= constants.SSL_OP_NO_TICKET;
  return {
    cert: cert || undefined,
    key: key || undefined,
    ca: ca ?? undefined,
    rejectUnauthorized: false,
    secureOptions: forbidden,
  };
}

function sayFarewell(socket: BunSocket, policy: TlsPolicy, reason: string): void {
  const words = policy.farewell?.(reason);
  if (words !== undefined) socket.write(words, 0, words.length);
  socket.shutdown();
  // Nobody looks at what comes until then; a reset at once could destroy the words.
  terminateSoon(socket);
}

function terminateSoon(socket: BunSocket): void {
  setTimeout(() => socket.terminate(), limits.tlsFarewell.value).unref();
}

/** A handshake that a dialler has done also "fails" when only its certificate did not pass. */
function isAboutCertificate(problem: Problem): boolean {
  return problem !== null && problem.code !== 'EPROTO' && problem.code !== 'ECONNRESET';
}

/** What our own code throws must not be swallowed: fail as Node does. */
function guarded(call: () => void): void {
  try {
    call();
  } catch (error) {
    setImmediate(() => {
      throw error;
    });
  }
}
