/**
 * Peers prove to each other that they hold the same secret, without showing it.
 *
 * Each HMAC-SHA256 covers the whole HELLO and the whole CHALLENGE, so that it vouches for names,
 * slots and both nonces, and a word for the direction, so that neither can be sent back as the
 * other. Without a secret the same exchange runs with an empty one: a side that has a secret and
 * one that has none refuse each other in clear words.
 */

import { createHmac, timingSafeEqual } from 'node:crypto';
import { frameBody } from '../log/frame.ts';

export const NONCE_BYTES = 16;

/** `hello` and `challenge` are the frames as they went over the link. */
export function prove(
  secret: string,
  side: 'puller' | 'server',
  hello: Uint8Array,
  challenge: Uint8Array,
): Uint8Array {
  const hmac = createHmac('sha256', secret);
  hmac.update(`meridian ${side} 1\n`);
  hmac.update(frameBody(hello));
  hmac.update('\n');
  hmac.update(frameBody(challenge));
  return new Uint8Array(hmac.digest());
}

/** Whether two proofs are equal, in a time that does not depend on where they differ. */
export function sameProof(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}
