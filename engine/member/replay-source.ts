/**
 * The BATCH bodies that are replayed on top of a state that came: what we have applied and its sender, by the state's
 * vector, had not. They must all be in our backlog, else the state cannot take the place of ours.
 *
 * A large state comes in over many turns, and what is written here meanwhile is missing in the slots that come later. So
 * the backlog is walked on before each slot.
 *
 * The order of the backlog must be causal. It is not where slots were ahead of the vector (ahead.ts): a write is there
 * before what it has overwritten, which would come back. An entry of what it may have seen goes before such a write.
 */

import { copyVector, dominates, seqOf, type VersionVector } from '../crdt/version-vector.ts';
import { limits } from '../limits.ts';
import type { Backlog } from '../log/backlog.ts';
import { batchSlots, EVERY_SLOT } from '../log/batch-meta.ts';
import { frameBody } from '../log/frame.ts';

/** Bodies held, also those that the backlog has dropped meanwhile; beyond it the rest of the state is merged. */
const HELD_BYTES_MAX = limits.replayBytesMax.value;
/** Batches with a FLUSHALL are looked through once for each slot: no more bytes of them than this. */
const FLUSH_REPLAY_BYTES_MAX = 64 * 1024;

export class ReplaySource {
  private readonly backlog: Backlog;
  /** What the sender's state covers. */
  private readonly covered: VersionVector;
  /** What state and bodies cover together. */
  private readonly reached: VersionVector;
  private readonly bySlot = new Map<number, Uint8Array[]>();
  /** A FLUSHALL concerns every slot: it goes between the others of a slot, in the order of the log. */
  private readonly order = new Map<Uint8Array, number>();
  private flushBytes = 0;
  private heldBytes = 0;
  /** Entries of the backlog before this one were looked at. */
  private walked = 0;
  private isBroken = false;

  constructor(backlog: Backlog, covered: VersionVector) {
    this.backlog = backlog;
    this.covered = covered;
    this.reached = copyVector(covered);
  }

  /** Whether everything that `vector` covers, which was applied by now, is in the state or in a body. */
  reaches(vector: VersionVector): boolean {
    this.walk();
    if (this.isBroken || this.flushBytes > FLUSH_REPLAY_BYTES_MAX) return false;
    return dominates(this.reached, vector);
  }

  /** The bodies that concern the slot, in order; some of their ops may be for other slots. */
  bodies(slot: number): Iterable<Uint8Array> {
    const { bySlot, order } = this;
    const bodies = bySlot.get(slot) ?? [];
    const flushes = bySlot.get(EVERY_SLOT) ?? [];
    if (flushes.length === 0) return bodies;
    return [...flushes, ...bodies].sort((a, b) => order.get(a)! - order.get(b)!);
  }

  private walk(): void {
    const { backlog, bySlot, covered, reached } = this;
    // The entries that were dropped may have said what those after them have seen.
    if (this.walked < backlog.first && !dominates(reached, backlog.base)) this.isBroken = true;
    for (let number = Math.max(this.walked, backlog.first); number < backlog.end; number++) {
      const entry = backlog.entryAt(number);
      if (entry.kind === 'jump') {
        if (!dominates(reached, entry.vector)) this.isBroken = true;
        continue;
      }
      if (entry.lastSeq <= seqOf(covered, entry.actor)) continue;
      if (entry.firstSeq > seqOf(reached, entry.actor) + 1) this.isBroken = true;
      while (reached.length <= entry.actor) reached.push(0);
      reached[entry.actor] = entry.lastSeq;
      const body = frameBody(entry.frame);
      this.order.set(body, number);
      this.heldBytes += body.length;
      const slots = batchSlots(entry.frame);
      if (slots.has(EVERY_SLOT)) this.flushBytes += body.length;
      for (const slot of slots.has(EVERY_SLOT) ? [EVERY_SLOT] : slots) {
        const bodies = bySlot.get(slot);
        if (bodies === undefined) bySlot.set(slot, [body]);
        else bodies.push(body);
      }
    }
    this.walked = backlog.end;
    if (this.heldBytes <= HELD_BYTES_MAX) return;
    this.isBroken = true;
    bySlot.clear();
    this.order.clear();
  }
}
