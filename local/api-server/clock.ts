/**
 * Shell: the clock and the random names of a cluster, given to everything else as a parameter, so
 * that tests may hold time still.
 */
import { randomInt, randomUUID } from 'node:crypto';

export interface Clock {
  /** Milliseconds since 1970. */
  nowMs(): number;
  newUid(): string;
  /** `length` letters and digits as Kubernetes appends them to generated names. */
  newSuffix(length: number): string;
}

/** Without vowels and 0, 1, 3, so that no word comes out of it; as in Kubernetes. */
const suffixAlphabet = 'bcdfghjklmnpqrstvwxz2456789';

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  newUid: () => randomUUID(),
  newSuffix: (length) =>
    Array.from({ length }, () => suffixAlphabet[randomInt(suffixAlphabet.length)]).join(''),
};

/** metav1.Time: whole seconds. */
export function timestamp(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`;
}

/** metav1.MicroTime. */
export function microTimestamp(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 23)}000Z`;
}

/** Milliseconds since 1970 of either kind of time. */
export function parseTimestamp(text: string): number {
  return Date.parse(text);
}
