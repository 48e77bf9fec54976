/**
 * TLS as the engine asks for it, and the judgement of a certificate, the same for both runtimes.
 *
 * The runtime's TLS checks signatures and dates but never refuses by itself: what it found comes
 * here. So the one who is refused can be told why in the words of the protocol that it speaks,
 * encrypted, before the connection ends; a TLS alert could say hardly more than "bad certificate".
 * Nothing that it sent is looked at, and no connection is handed over before its certificate passed.
 *
 * Host names are not checked: members are dialled by addresses that change with every pod. A client
 * CA vouches for clients; peers are told apart by a URI in their certificate (`accept`).
 */

import { limits } from '../limits.ts';

/** Texts in PEM. The object is a new one whenever a text has changed. */
export type TlsMaterial = {
  /** The certificate, then intermediate ones; '' shows none (only who dials may do so). */
  readonly cert: string;
  readonly key: string;
  /** Who may sign the other side's certificate; null: whom the system trusts. */
  readonly ca: string | null;
};

export type PeerCertificate = {
  /** Such as "CN=carts". */
  readonly subject: string;
  /** Its URI names. */
  readonly uris: readonly string[];
};

export type TlsPolicy = {
  /** Asked for each new connection: renewed files serve at once, and older connections go on. */
  material(): TlsMaterial;
  readonly minVersion: 'TLSv1.2' | 'TLSv1.3';
  /** Whether the other side must show a certificate. Who dials always sees one, unless 'no'. */
  readonly certificate: 'no' | 'optional' | 'required';
  /** Why a certificate that the CA signed is not accepted all the same; null: it is. */
  accept?(certificate: PeerCertificate): string | null;
  /** The last words to the one whose certificate is refused. */
  farewell?(reason: string): Uint8Array;
};

/** A connection that never came to be: the handshake failed or the certificate was refused. */
export type Refused = (remoteAddress: string, reason: string) => void;

/**
 * Why the other side is refused; null: it is not. `problem` is what the runtime says about the
 * certificate (a code such as CERT_HAS_EXPIRED), null when the CA signed it and it is in time.
 */
export function judgeCertificate(
  policy: TlsPolicy,
  certificate: PeerCertificate | null,
  problem: string | null,
): string | null {
  if (policy.certificate === 'no') return null;
  if (certificate === null) {
    return policy.certificate === 'required' ? 'no certificate was shown; one is required' : null;
  }
  if (problem !== null) {
    return `the certificate "${certificate.subject}" is not trusted: ${wordsFor(problem)}`;
  }
  return policy.accept?.(certificate) ?? null;
}

const NOT_SIGNED = 'none of the CAs given here has signed it';

const problemWords: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: 'it has expired',
  CERT_NOT_YET_VALID: 'it is not valid yet; compare the clocks',
  DEPTH_ZERO_SELF_SIGNED_CERT: NOT_SIGNED,
  SELF_SIGNED_CERT_IN_CHAIN: NOT_SIGNED,
  UNABLE_TO_GET_ISSUER_CERT: NOT_SIGNED,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: NOT_SIGNED,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: NOT_SIGNED,
  CERT_SIGNATURE_FAILURE: NOT_SIGNED,
  INVALID_PURPOSE:
    'its extended key usage does not allow this; peers need serverAuth and clientAuth',
};

function wordsFor(problem: string): string {
  return problemWords[problem] ?? problem;
}

/** Said to who dials; on a port it is no news, for probes of a port do that all day. */
export const LEFT = 'the other side left before the TLS handshake was over';

/** What a failed handshake most likely means, from the words of the TLS library. */
export function handshakeWords(error: string): string {
  if (/wrong.version.number|http.request|unexpected.message|https.proxy/i.test(error)) {
    return 'it does not speak TLS';
  }
  if (/unsupported.protocol|protocol.version|version.too.low|no.protocols/i.test(error)) {
    return 'it offers no TLS version that is allowed here';
  }
  if (/alert.(unknown.ca|bad.certificate|certificate)/i.test(error)) {
    return 'it does not trust the certificate shown here';
  }
  if (/ECONNRESET|ECONNABORTED|EPIPE|socket hang up|before secure TLS/i.test(error)) return LEFT;
  if (/handshake timeout/i.test(error))
    return `no TLS handshake within ${limits.tlsHandshake.value} ms`;
  return `the TLS handshake failed: ${error}`;
}

/** What we look at in a certificate; null when there is none. */
export function describeCertificate(
  certificate: { readonly subject?: string; readonly subjectAltName?: string } | undefined,
): PeerCertificate | null {
  if (certificate === undefined) return null;
  const { subject = '', subjectAltName } = certificate;
  return { subject: subject.trim().replaceAll('\n', ', '), uris: uriNames(subjectAltName) };
}

/**
 * The URI names of a certificate from its text form ("DNS:a, URI:b"). A name with a comma or a
 * quote in it stands there as a JSON string. No name of ours needs that: who uses it gets none.
 */
export function uriNames(subjectAltName: string | undefined): string[] {
  if (subjectAltName === undefined || subjectAltName.includes('"')) return [];
  const names = subjectAltName.split(', ').filter((name) => name.startsWith('URI:'));
  return names.map((name) => name.slice('URI:'.length));
}
