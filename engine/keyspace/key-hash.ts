/**
 * The table's 32-bit hash of a key: four bytes at a time through two multiplications (after
 * MurmurHash3), with a final mix so that the high bits, which choose the table's segment, depend
 * on every byte. The multipliers and the start are drawn at random per keyspace: a client that
 * does not know them cannot make up keys that fall on one place.
 */

export class KeyHash {
  private readonly start: number;
  private readonly first: number;
  private readonly second: number;

  /** `random`: uniform in [0, 1). */
  constructor(random: () => number) {
    this.start = (random() * 0x100000000) | 0;
    this.first = ((random() * 0x100000000) ^ 0xcc9e2d51) | 1;
    this.second = ((random() * 0x100000000) ^ 0x1b873593) | 1;
  }

  /** Unsigned hash of `buf[start, end)`. */
  of(buf: Uint8Array, start: number, end: number): number {
    const first = this.first;
    const second = this.second;
    let hash = this.start ^ (end - start);
    let at = start;
    for (const last = end - 4; at <= last; at += 4) {
      let word = buf[at] | (buf[at + 1] << 8) | (buf[at + 2] << 16) | (buf[at + 3] << 24);
      word = Math.imul(word, first);
      word ^= word >>> 15;
      hash = Math.imul(hash ^ word, second);
      hash = (hash << 13) | (hash >>> 19);
    }
    for (; at < end; at++) {
      hash = Math.imul(hash ^ buf[at], first);
      hash = (hash << 11) | (hash >>> 21);
    }
    hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
    hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
    return (hash ^ (hash >>> 16)) >>> 0;
  }
}
