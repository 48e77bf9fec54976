/** Scores where they lie: the eight bytes of a double, little-endian (crdt/score.ts), at any byte. */

const doubles = new Float64Array(1);
const octets = new Uint8Array(doubles.buffer);

/** The score at byte `at`. */
export function readScore(bytes: Uint8Array, at: number): number {
  for (let i = 0; i < 8; i++) octets[i] = bytes[at + i];
  return doubles[0];
}

/** Writes the score at byte `at`. */
export function writeScore(bytes: Uint8Array, at: number, score: number): void {
  doubles[0] = score;
  for (let i = 0; i < 8; i++) bytes[at + i] = octets[i];
}

/** Below 0: `a[aStart, aEnd)` comes before `b[bStart, bEnd)`. */
export function compareNames(
  a: Uint8Array,
  aStart: number,
  aEnd: number,
  b: Uint8Array,
  bStart: number,
  bEnd: number,
): number {
  let i = aStart;
  let k = bStart;
  for (; i < aEnd && k < bEnd; i++, k++) if (a[i] !== b[k]) return a[i] - b[k];
  return aEnd - i - (bEnd - k);
}
