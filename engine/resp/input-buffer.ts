/**
 * The bytes that an incremental parser looks at: the received chunk itself, or a buffer of our own
 * that carries an unfinished message over to the next chunk.
 *
 *     chunk in place    [ done | done | unfinished ]       keep() copies the unfinished part
 *     carry             [ unfinished | next chunk  ]       push() appends
 *
 * A chunk that arrives between messages is not copied at all. Appending is amortised: the carry
 * doubles when it is full, and is compacted only when at least half of it has been read, so that a
 * message of n bytes costs O(n) in any division into chunks.
 *
 * Positions that the owner holds on `data` move when the bytes do: both methods return by how much
 * to lower them.
 */

const EMPTY = Buffer.alloc(0);
const CARRY_BYTES_MIN = 1024;
/** A carry above this size is given back when it has been read to its end. */
const CARRY_BYTES_KEPT_MAX = 128 * 1024;

export class InputBuffer {
  /** What is parsed; bytes beyond `limit` mean nothing. */
  data: Buffer = EMPTY;
  /** Where the unfinished message begins; its owner moves this on. */
  start = 0;
  limit = 0;
  private carry: Buffer = EMPTY;

  /** Bytes that belong to no finished message yet. */
  get pending(): number {
    return this.limit - this.start;
  }

  /**
   * Takes a chunk. `wantedBytes`: how long the unfinished message is known to become (0: unknown),
   * so that the carry grows no further than that. Returns how far pending bytes moved down.
   */
  push(chunk: Uint8Array, wantedBytes = 0): number {
    const distance = this.start;
    if (this.limit === distance) {
      this.data = asBuffer(chunk);
      this.start = 0;
      this.limit = chunk.length;
      if (this.carry.length > CARRY_BYTES_KEPT_MAX) this.carry = EMPTY;
      return distance;
    }
    const inCarry = this.data === this.carry;
    const fits = inCarry && this.limit + chunk.length <= this.carry.length;
    if (!fits) this.makeRoom(this.pending + chunk.length, inCarry, wantedBytes);
    this.carry.set(chunk, this.limit);
    this.limit += chunk.length;
    return fits ? 0 : distance;
  }

  /** Copies the unfinished message into the carry, because the chunk's memory may be reused. */
  keep(): number {
    const pending = this.pending;
    if (pending === 0 || this.data === this.carry) return 0;
    if (this.carry.length < pending) {
      this.carry = Buffer.allocUnsafeSlow(Math.max(CARRY_BYTES_MIN, pending * 2));
    }
    return this.moveToCarry();
  }

  private makeRoom(needed: number, inCarry: boolean, wantedBytes: number): void {
    const compacts = inCarry && this.start * 2 >= this.limit;
    if (needed > this.carry.length || (inCarry && !compacts)) {
      const doubled = Math.max(CARRY_BYTES_MIN, needed * 2);
      const enough = wantedBytes + CARRY_BYTES_MIN;
      this.carry = Buffer.allocUnsafeSlow(
        wantedBytes >= needed && enough < doubled ? enough : doubled,
      );
    }
    this.moveToCarry();
  }

  /** `data` may be the carry itself or a former one; Buffer.copy allows overlaps. */
  private moveToCarry(): number {
    const distance = this.start;
    this.data.copy(this.carry, 0, this.start, this.limit);
    this.data = this.carry;
    this.limit -= distance;
    this.start = 0;
    return distance;
  }
}

function asBuffer(chunk: Uint8Array): Buffer {
  if (Buffer.isBuffer(chunk)) return chunk;
  return Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
}
