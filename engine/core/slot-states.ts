/**
 * The states of whole slots: how an image, a state merge and the comparison of members take them out of a
 * database, put them in, and mend them. `Db.states` is the one of its database.
 */
import type { Bytes } from '../crdt/dot.ts';
import { joinVector, type VersionVector } from '../crdt/version-vector.ts';
import { SlotPrefetch } from '../keyspace/prefetch.ts';
import type { ByteWriter } from '../op/byte-writer.ts';
import type { Ground } from './ground.ts';
import { type KeyRepair, repairKey } from './key-repair.ts';
import { slotRefs } from './keys.ts';
import type { RemoteBatches } from './remote.ts';
import { restoreSlot } from './slot-restore.ts';
import {
  addException,
  decodeSlot,
  encodeEmptySlot,
  encodeSlot,
  encodeSlotKeys,
  keyDigests,
  mergeSlot,
  replaceSlot,
  slotDigest,
  slotFingerprint,
  writeSlot,
} from './slot-transfer.ts';

export class SlotStates {
  private readonly ground: Ground;
  private readonly remote: RemoteBatches;
  private readonly slotPrefetch = new SlotPrefetch();

  constructor(ground: Ground, remote: RemoteBatches) {
    this.ground = ground;
    this.remote = remote;
  }

  /** The slot's state as a SLOT_STATE body; null: the slot is empty. */
  exportSlot(slot: number): Uint8Array | null {
    return this.ground.keyspace.slots.counts[slot] === 0 ? null : encodeSlot(this.ground, slot);
  }
  /** Prepares to export some slots from this one on; returns the first slot after them. */
  prefetchSlots(slot: number): number {
    return this.slotPrefetch.fetch(this.ground.keyspace, slot);
  }
  /** Appends the slot's SLOT_STATE body; its vector leaves out what `base` covers. */
  writeSlot(out: ByteWriter, slot: number, base: VersionVector): void {
    writeSlot(out, this.ground, slot, base);
  }
  /**
   * Puts a SLOT_STATE body into a slot that is empty, as recovery does. Returns what is wrong: then
   * a part of it may be there, and this database must be given up.
   */
  restoreSlot(body: Uint8Array): string | null {
    return restoreSlot(this.ground, body);
  }
  /** As `exportSlot`; an empty slot as what it is, with what it has seen. */
  exportSlotOrEmpty(slot: number): Uint8Array {
    return this.exportSlot(slot) ?? this.emptySlot(slot, this.ground.slotVector(slot));
  }
  /**
   * A SLOT_STATE body that says "at `vector` this slot held nothing": what a receiver imports for
   * each slot that its sender, being empty there, did not send, and what a log keeps of an import
   * that emptied the slot.
   */
  emptySlot(slot: number, vector: VersionVector): Uint8Array {
    return encodeEmptySlot(this.ground.roster, slot, vector);
  }
  /**
   * Takes in a SLOT_STATE body: merged with what is here, or, with `replay`, put in its place and
   * followed by the given BATCH bodies (they must hold all ops applied here that the body's vector
   * does not cover; others are skipped). The body's vector becomes the slot's exception: ops it
   * covers are skipped in this slot from now on. Returns what is wrong with the bytes, or null.
   */
  importSlot(
    body: Uint8Array,
    replay: ((slot: number, covered: VersionVector) => Iterable<Uint8Array>) | null,
  ): string | null {
    const { ground } = this;
    const incoming = decodeSlot(body, ground.roster);
    if (typeof incoming === 'string') return incoming;
    let problem: string | null = null;
    if (replay === null) {
      mergeSlot(ground, incoming);
    } else {
      replaceSlot(ground, incoming);
      for (const batch of replay(incoming.slot, incoming.vector)) {
        problem ??= this.remote.replay(batch, incoming.slot, incoming.vector);
      }
    }
    if (ground.touchedAll !== null) ground.touchedAll();
    return problem;
  }
  /**
   * Ends a state merge. `vector` is what *every* slot taken in had seen: the sender's when it began
   * to send, not when it ended. Slots that are ahead of it keep their exceptions until ops have
   * brought the vector there.
   */
  finishStateMerge(vector: VersionVector): void {
    joinVector(this.ground.vector, vector);
    this.ground.pruneExceptions();
  }
  /** Number of slots whose state is ahead of `vector`. */
  get exceptionCount(): number {
    return this.ground.exceptions.size;
  }
  /** Grows whenever a slot comes ahead of `vector`, or further ahead. */
  get aheadChanges(): number {
    return this.ground.aheadChanges;
  }
  /** 8 bytes that tell the slot's state from all others; zeros: empty. */
  slotFingerprint(slot: number): Bytes {
    return slotFingerprint(this.ground, slot);
  }
  /** How often the slot's state was taken from elsewhere by `importSlot`. */
  importsOf(slot: number): number {
    return this.ground.imports[slot];
  }
  /**
   * The slot's state is what it is at `vector` too: a merge with an equal state. The vector becomes
   * part of the slot's exception; it must not be changed afterwards.
   */
  adoptVector(slot: number, vector: VersionVector): void {
    addException(this.ground, slot, vector);
  }
  /** What the slot has seen that `vector` need not cover; null: nothing. Do not change it. */
  aheadOf(slot: number): VersionVector | null {
    return this.ground.exceptions.get(slot) ?? null;
  }
  /** Whether the slot's state is ahead of `vector`. */
  isAhead(slot: number): boolean {
    return this.ground.exceptions.has(slot);
  }
  /** The first `count` keys of the slot by bytes, each with a hash of its state. */
  keyDigests(slot: number, count: number): [key: Bytes, digest: number][] {
    return keyDigests(this.ground, slot, count);
  }
  /** A hash of the slot's state that equals the hash of an equal state anywhere; 0: empty. */
  slotDigest(slot: number): number {
    return slotDigest(this.ground, slot);
  }

  /** Bytes that the slot's keys take. */
  slotBytes(slot: number): number {
    const { keyspace } = this.ground;
    return slotRefs(this.ground, slot).reduce((sum, ref) => sum + keyspace.entryBytes(ref), 0);
  }
  /** These keys of the slot, as a SLOT_STATE body that lacks all others: for `repairKeys` elsewhere. */
  exportKeys(slot: number, keys: readonly Bytes[]): Uint8Array {
    return encodeSlotKeys(this.ground, slot, keys);
  }
  /**
   * Compares `keys` of a slot with what another member holds of them (`body`, from its `exportKeys`), which must have applied
   * the same ops to their slot, and mends what this member lacks. Returns what was done to each, or what is
   * wrong with the bytes. The caller logs the slot when a state was changed.
   */
  repairKeys(slot: number, body: Uint8Array, keys: readonly Bytes[]): KeyRepair[] | string {
    const incoming = decodeSlot(body, this.ground.roster);
    if (typeof incoming === 'string') return incoming;
    if (incoming.slot !== slot) return `the state of slot ${incoming.slot} instead of ${slot}`;
    return keys.map((key) => repairKey(this.ground, key, incoming.keys.get(key) ?? null));
  }
}
