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

/** Stands where an entry was dropped until the array is shifted, so that its bytes go at once. */
const droppedEntry: BacklogEntry = { kind: 'jump', vector: [], isAhead: false };

/** What an entry costs besides its bytes, so that many small ones are counted fairly. */
const ENTRY_BYTES = 160;

export class Backlog {
  private readonly bytesMax: number;
  private entries: BacklogEntry[] = [];
  /** Number of the entry at `entries[head]`. */
  private firstEntry = 0;
  private head = 0;
  private bytes = 0;
  private baseVector: VersionVector = emptyVector();

  constructor(bytesMax: number) {
    this.bytesMax = bytesMax;
  }

  /** Number of the oldest entry held. */
  get first(): number {
    return this.firstEntry;
  }

  /** Number that the next entry will get. */
  get end(): number {
    return this.firstEntry + this.entries.length - this.head;
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
    this.firstEntry = this.end;
    this.entries = [];
    this.head = 0;
    this.bytes = 0;
    this.baseVector = copyVector(vector);
  }

  appendBatch(actor: number, firstSeq: number, lastSeq: number, frame: Uint8Array): void {
    this.entries.push({ kind: 'batch', actor, firstSeq, lastSeq, frame });
    this.bytes += frame.length + ENTRY_BYTES;
    this.trim();
  }

  /**
   * Notes that a state merge brought everything that `vector` covers; `isAhead`: to some slots, which what follows
   * may have seen.
   */
  appendJump(vector: VersionVector, isAhead = false): void {
    this.entries.push({ kind: 'jump', vector: copyVector(vector), isAhead });
    this.bytes += ENTRY_BYTES + vector.length * 8;
    this.trim();
  }

  /** The entry with this number, which must be in `first .. end - 1`. */
  entryAt(number: number): BacklogEntry {
    return this.entries[number - this.firstEntry + this.head];
  }

  private trim(): void {
    while (this.bytes > this.bytesMax && this.head < this.entries.length) this.dropFirst();
  }

  private dropFirst(): void {
    const entry = this.entries[this.head];
    if (entry.kind === 'batch') {
      advance(this.baseVector, entry.actor, entry.lastSeq);
      this.bytes -= entry.frame.length + ENTRY_BYTES;
    } else {
      joinVector(this.baseVector, entry.vector);
      this.bytes -= ENTRY_BYTES + entry.vector.length * 8;
    }
    this.entries[this.head] = droppedEntry;
    this.head++;
    this.firstEntry++;
    // Shifting the array for each entry would be quadratic: do it when half of it is dead.
    if (this.head > 1024 && this.head * 2 > this.entries.length) {
      this.entries = this.entries.slice(this.head);
      this.head = 0;
    }
  }
}
