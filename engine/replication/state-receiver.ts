/**
 * Takes in a whole state: perhaps DIGESTS_ASKED, then STATE_BEGIN, any number of SLOT_STATE and SLOTS_SAME,
 * STATE_END.
 *
 * A state of up to `atomicStateBytesMax` is collected and merged in one turn, so that no client
 * sees one slot from before and another from after. A larger one is merged as it comes: each slot
 * is right at all times, but between slots an effect may show before its cause until the end.
 *
 * DIGESTS_ASKED is answered with the digests of our slots, a few thousand keys in a turn, and slots with equal
 * ones come as a list. If such a slot has changed since in a way that
 * the sender's word does not cover (same-slots.ts), the state is asked for once more, this slot
 * without a digest.
 */

import type { Bytes } from '../crdt/dot.ts';
import type { Roster } from '../crdt/roster.ts';
import type { VersionVector } from '../crdt/version-vector.ts';
import { frameBody, frameKind } from '../log/frame.ts';
import { decodeSlotsSame, type SlotsSame } from '../log/slots-same.ts';
import { SHIP_ANYWAY, sealSlotDigests } from './digest-message.ts';
import { MESSAGE, readVector } from './message.ts';

/** What merges a state into the database and the log (member/state-merge.ts). */
export type StateSink = {
  /** A state of up to so many bytes is merged in one turn. */
  readonly atomicBytesMax: number;
  /** `vector`: everything that the state covers. */
  begin(vector: VersionVector): void;
  /** One SLOT_STATE body. Returns what is wrong with it, or null. */
  slot(body: Uint8Array): string | null;
  /** Slots that the sender found equal. Returns what is wrong, or null. */
  same(same: SlotsSame): string | null;
  /** Which of these slots have changed since their digest so that they must be shipped. */
  changedOf(same: SlotsSame): number[];
  /** The state is whole: slots that did not come are empty at the sender. */
  end(): void;
  /** The rest will not come. */
  abort(): void;
  /** From now on digests are asked for. */
  beginDigests(): void;
  slotDigest(slot: number): Bytes;
  slotSize(slot: number): number;
  slotRange(): { readonly firstSlot: number; readonly lastSlot: number };
};

/** Keys digested in one turn. */
const TURN_KEYS = 5000;
/** After so many states that had to be asked for again, no digests are sent any more. */
const AGAIN_MAX = 3;

type Part =
  | { readonly kind: 'state'; readonly body: Uint8Array }
  | { readonly kind: 'same'; readonly same: SlotsSame };

export class StateReceiver {
  private readonly sink: StateSink;
  private isActive = false;
  /** Digests were asked for this state. */
  private withDigests = false;
  private begun = false;
  private vector: VersionVector = [];
  private collected: Part[] = [];
  private collectedBytes = 0;
  /** The next slot whose digest is to be sent; Infinity: all were. */
  private nextDigest = Number.POSITIVE_INFINITY;
  /** Slots to be shipped whatever they hold. */
  private readonly shipped = new Set<number>();
  private again = 0;
  private asksAgain = false;

  constructor(sink: StateSink) {
    this.sink = sink;
  }

  /** Between DIGESTS_ASKED or STATE_BEGIN and STATE_END. */
  get active(): boolean {
    return this.isActive || this.withDigests;
  }

  /** There are digests to be sent. */
  get owesDigests(): boolean {
    return this.withDigests && this.nextDigest <= this.sink.slotRange().lastSlot;
  }

  /** True: what came must be dropped and the stream be asked for anew. */
  get mustAskAgain(): boolean {
    return this.asksAgain;
  }

  /** Takes one of the five frames. Returns what is wrong with it, or null. */
  receive(frame: Uint8Array, roster: Roster): string | null {
    const kind = frameKind(frame);
    if (kind === MESSAGE.digestsAsked) {
      if (this.active) return 'DIGESTS_ASKED within a state';
      this.withDigests = true;
      this.nextDigest = this.sink.slotRange().firstSlot;
      this.sink.beginDigests();
      return null;
    }
    if (kind === MESSAGE.stateBegin) return this.begin(frame, roster);
    if (!this.isActive) return 'a state without STATE_BEGIN';
    if (kind === MESSAGE.stateEnd) return this.finish(frame, roster);
    const part = this.readPart(frame, roster);
    if (typeof part === 'string') return part;
    this.collected.push(part);
    this.collectedBytes += frame.length;
    return this.collectedBytes > this.sink.atomicBytesMax ? this.merge() : null;
  }

  /** The next part of the digests that the server waits for, as a frame. */
  takeDigests(epoch: number): Uint8Array {
    const { lastSlot } = this.sink.slotRange();
    const firstSlot = this.nextDigest;
    const digests: Bytes[] = [];
    for (let keys = 0; this.nextDigest <= lastSlot && keys < TURN_KEYS; this.nextDigest++) {
      const isShipped = this.again >= AGAIN_MAX || this.shipped.has(this.nextDigest);
      keys += isShipped ? 0 : this.sink.slotSize(this.nextDigest);
      digests.push(isShipped ? SHIP_ANYWAY : this.sink.slotDigest(this.nextDigest));
    }
    return sealSlotDigests({ epoch, firstSlot, digests });
  }

  /** The stream was started anew or ended. */
  abort(): void {
    if (this.begun) this.sink.abort();
    this.forget();
  }

  private begin(frame: Uint8Array, roster: Roster): string | null {
    if (this.isActive) return 'a STATE_BEGIN within a state';
    if (this.owesDigests) return 'a STATE_BEGIN before all digests were sent';
    const vector = readVector(frame, roster);
    if (typeof vector === 'string') return vector;
    this.vector = vector;
    this.isActive = true;
    return null;
  }

  private readPart(frame: Uint8Array, roster: Roster): Part | string {
    if (frameKind(frame) === MESSAGE.slotState) return { kind: 'state', body: frameBody(frame) };
    if (!this.withDigests) return 'slots called equal without digests';
    const same = decodeSlotsSame(frameBody(frame), roster);
    return typeof same === 'string' ? same : { kind: 'same', same };
  }

  private finish(frame: Uint8Array, roster: Roster): string | null {
    const vector = readVector(frame, roster);
    if (typeof vector === 'string') return vector;
    const problem = this.merge();
    if (problem !== null || this.asksAgain) return problem;
    this.sink.end();
    this.shipped.clear();
    this.again = 0;
    this.forget();
    return null;
  }

  private merge(): string | null {
    const changed = this.collected.flatMap((part) =>
      part.kind === 'same' ? this.sink.changedOf(part.same) : [],
    );
    if (changed.length > 0 && this.again >= AGAIN_MAX) {
      return `slots called equal without a digest: ${changed.slice(0, 5)}`;
    }
    if (changed.length > 0) {
      for (const slot of changed) this.shipped.add(slot);
      this.again++;
      this.asksAgain = true;
      return null;
    }
    if (!this.begun) this.sink.begin(this.vector);
    this.begun = true;
    for (const part of this.collected) {
      const problem = part.kind === 'same' ? this.sink.same(part.same) : this.sink.slot(part.body);
      if (problem !== null) return `an invalid state of a slot: ${problem}`;
    }
    this.collected = [];
    this.collectedBytes = 0;
    return null;
  }

  private forget(): void {
    this.isActive = false;
    this.withDigests = false;
    this.begun = false;
    this.asksAgain = false;
    this.nextDigest = Number.POSITIVE_INFINITY;
    this.collected = [];
    this.collectedBytes = 0;
  }
}
