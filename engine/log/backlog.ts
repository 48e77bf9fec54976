/**
 * The backlog is the end of the op log that is still in memory: what a peer that was away for a
 * moment is sent, instead of the whole state.
 *
 * Entries are numbered from 0 and never renumbered. An entry is either a BATCH frame, with actor
 * and seqs beside it, or a *jump*: a state merge took this member from one vector to another
 * without the ops in between. A peer can be served from an entry on when
 *
 *   1. it has all ops before the first entry (the base vector) of every actor it wants, and
 *   2. at each jump it has, by then, all that the jump brought of the actors it wants.
 *
 * Who reads walks `first .. end` with `entryAt`. Old entries are dropped when their bytes exceed
 * the limit; the base vector then covers them.
 *
 * A turn may be a single small write, so there may be hundreds of thousands of entries. None of
 * them is a JavaScript object: the frames lie one behind the other in slabs, and what belongs to
 * entry n lies in a ring of numbers.
 *
 *     ring     (n mod its size) × 5:  actor (-1: a jump) | first seq | last seq | place | bytes
 *     place    number of the slab × 2^32 + offset
 *     slab     frames, never changed once written; given up when its last entry is dropped
 */

import {
  advance,
  copyVector,
  emptyVector,
  joinVector,
  type VersionVector,
} from '../crdt/version-vector.ts';

export type BacklogEntry =
  | {
      readonly kind: 'batch';
      readonly actor: number;
      readonly firstSeq: number;
      readonly lastSeq: number;
      readonly frame: Uint8Array;
    }
  | {
      readonly kind: 'jump';
      readonly vector: VersionVector;
      /** The vector has not come there: only slots that are ahead of it have seen all this. */
      readonly isAhead: boolean;
    };

type Jump = Extract<BacklogEntry, { kind: 'jump' }>;

const FIELDS = 5;
const FIRST_SEQ = 1;
const LAST_SEQ = 2;
const PLACE = 3;
const BYTES = 4;
const JUMP = -1;
/**
 * What an entry counts besides its bytes, so that many small ones are counted fairly: four times its
 * numbers in the ring, since a ring that has grown is half empty, and a session makes objects of it.
 */
const ENTRY_BYTES = 160;
const RING_ENTRIES_MIN = 256;
const SLAB_BYTES_MIN = 16 * 1024;
const SLAB_BYTES_MAX = 1024 * 1024;
const TWO_32 = 4294967296;

export class Backlog {
  private readonly bytesMax: number;
  private readonly slabBytes: number;
  private ring = new Float64Array(RING_ENTRIES_MIN * FIELDS);
  private ringMask = RING_ENTRIES_MIN - 1;
  private readonly jumps = new Map<number, Jump>();
  private slabs: Uint8Array[] = [];
  /** Number of `slabs[0]`. */
  private firstSlab = 0;
  /** Bytes used of the last slab. */
  private slabFilled = 0;
  private firstEntry = 0;
  private endEntry = 0;
  private bytes = 0;
  private baseVector: VersionVector = emptyVector();

  constructor(bytesMax: number) {
    this.bytesMax = bytesMax;
    this.slabBytes = Math.max(SLAB_BYTES_MIN, Math.min(SLAB_BYTES_MAX, bytesMax >>> 3));
  }

  /** Number of the oldest entry held. */
  get first(): number {
    return this.firstEntry;
  }

  /** Number that the next entry will get. */
  get end(): number {
    return this.endEntry;
  }

  /** Everything applied before the oldest entry. Do not change it. */
  get base(): VersionVector {
    return this.baseVector;
  }

  /** Bytes held, with the overhead that is counted for each entry. */
  get bytesHeld(): number {
    return this.bytes;
  }

  /** Starts anew after recovery: nothing is held, `vector` has been applied. */
  reset(vector: VersionVector): void {
    this.firstEntry = this.endEntry;
    this.jumps.clear();
    this.firstSlab += this.slabs.length;
    this.slabs = [];
    this.slabFilled = 0;
    this.bytes = 0;
    this.baseVector = copyVector(vector);
  }

  /**
   * Takes a copy of the frame, which it returns: bytes that will not change, also when the entry
   * has been dropped. (Of a large frame with a buffer of its own the buffer, which must not change.)
   */
  appendBatch(actor: number, firstSeq: number, lastSeq: number, frame: Uint8Array): Uint8Array {
    const { length } = frame;
    const held = this.keep(frame);
    const at = this.addEntry(actor);
    this.ring[at + FIRST_SEQ] = firstSeq;
    this.ring[at + LAST_SEQ] = lastSeq;
    const slab = this.firstSlab + this.slabs.length - 1;
    this.ring[at + PLACE] = slab * TWO_32 + this.slabFilled - length;
    this.ring[at + BYTES] = length;
    this.bytes += length + ENTRY_BYTES;
    this.trim();
    return held;
  }

  /**
   * Notes that a state merge brought everything that `vector` covers; `isAhead`: to some slots, which what follows
   * may have seen.
   */
  appendJump(vector: VersionVector, isAhead = false): void {
    this.jumps.set(this.endEntry, { kind: 'jump', vector: copyVector(vector), isAhead });
    this.addEntry(JUMP);
    this.bytes += jumpBytes(vector);
    this.trim();
  }

  /** The entry with this number, which must be in `first .. end - 1`. */
  entryAt(number: number): BacklogEntry {
    const at = this.ringAt(number);
    const { ring } = this;
    const actor = ring[at];
    if (actor === JUMP) return this.jumps.get(number)!;
    const place = ring[at + PLACE];
    const slab = this.slabs[Math.floor(place / TWO_32) - this.firstSlab];
    const frame = new Uint8Array(slab.buffer, place % TWO_32, ring[at + BYTES]);
    const [firstSeq, lastSeq] = [ring[at + FIRST_SEQ], ring[at + LAST_SEQ]];
    return { kind: 'batch', actor, firstSeq, lastSeq, frame };
  }

  /** Puts the frame at the end of the last slab, or into a new one. */
  private keep(frame: Uint8Array): Uint8Array {
    const { length } = frame;
    if (length >= this.slabBytes && length === frame.buffer.byteLength) {
      this.slabs.push(frame);
      this.slabFilled = length;
      return frame;
    }
    let slab = this.slabs.at(-1);
    if (slab === undefined || slab.length - this.slabFilled < length) {
      slab = new Uint8Array(Math.max(this.slabBytes, length));
      this.slabs.push(slab);
      this.slabFilled = 0;
    }
    const offset = this.slabFilled;
    slab.set(frame, offset);
    this.slabFilled += length;
    return new Uint8Array(slab.buffer, offset, length);
  }

  /** Where the numbers of an entry are. */
  private ringAt(number: number): number {
    return (number & this.ringMask) * FIELDS;
  }

  private addEntry(actor: number): number {
    if (this.endEntry - this.firstEntry > this.ringMask) this.growRing();
    const at = this.ringAt(this.endEntry++);
    this.ring[at] = actor;
    return at;
  }

  private growRing(): void {
    const { ring, ringMask } = this;
    this.ring = new Float64Array(ring.length * 2);
    this.ringMask = ringMask * 2 + 1;
    for (let number = this.firstEntry; number < this.endEntry; number++) {
      const from = (number & ringMask) * FIELDS;
      this.ring.set(ring.subarray(from, from + FIELDS), this.ringAt(number));
    }
  }

  private trim(): void {
    while (this.bytes > this.bytesMax && this.firstEntry < this.endEntry) this.dropFirst();
  }

  private dropFirst(): void {
    const { ring } = this;
    const number = this.firstEntry++;
    const at = this.ringAt(number);
    if (ring[at] === JUMP) {
      const { vector } = this.jumps.get(number)!;
      this.jumps.delete(number);
      joinVector(this.baseVector, vector);
      this.bytes -= jumpBytes(vector);
      return;
    }
    advance(this.baseVector, ring[at], ring[at + LAST_SEQ]);
    this.bytes -= ring[at + BYTES] + ENTRY_BYTES;
    this.dropSlabs(Math.floor(ring[at + PLACE] / TWO_32));
  }

  /** Gives up the slabs before this one, that of the entry just dropped. */
  private dropSlabs(slab: number): void {
    while (this.firstSlab < slab) this.dropSlab();
    // Nothing is held, and it was made for one great frame: it would stay for as long as all is quiet.
    const isLast = this.slabs.length === 1 && this.firstEntry === this.endEntry;
    if (isLast && this.slabs[0].length > this.slabBytes) this.dropSlab();
  }

  private dropSlab(): void {
    this.slabs.shift();
    this.firstSlab++;
  }
}

function jumpBytes(vector: VersionVector): number {
  return ENTRY_BYTES + vector.length * 8;
}
