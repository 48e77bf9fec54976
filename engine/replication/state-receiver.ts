/**
 * Takes in a whole state: STATE_BEGIN, any number of SLOT_STATE, STATE_END.
 *
 * A state of up to `atomicStateBytesMax` is collected and merged in one turn, so that no client
 * sees one slot from before and another from after. A larger one is merged as it comes: each slot
 * is right at all times, but between slots an effect may show before its cause until the end.
 */

import { limits } from '../config.ts';
import type { Roster } from '../crdt/roster.ts';
import type { VersionVector } from '../crdt/version-vector.ts';
import { frameBody, frameKind } from '../log/frame.ts';
import { MESSAGE, readVector } from './message.ts';

/** What merges a state into the database and the log (member/state-merge.ts). */
export type StateSink = {
  /** `vector`: everything that the state covers. */
  begin(vector: VersionVector): void;
  /** One SLOT_STATE body. Returns what is wrong with it, or null. */
  slot(body: Uint8Array): string | null;
  /** The state is whole: slots that did not come are empty at the sender. */
  end(): void;
  /** The rest will not come. */
  abort(): void;
};

export class StateReceiver {
  private readonly sink: StateSink;
  private isActive = false;
  private begun = false;
  private vector: VersionVector = [];
  private collected: Uint8Array[] = [];
  private collectedBytes = 0;

  constructor(sink: StateSink) {
    this.sink = sink;
  }

  /** Between STATE_BEGIN and STATE_END. */
  get active(): boolean {
    return this.isActive;
  }

  /** Takes one of the three frames. Returns what is wrong with it, or null. */
  receive(frame: Uint8Array, roster: Roster): string | null {
    const kind = frameKind(frame);
    if (kind === MESSAGE.stateBegin) {
      if (this.isActive) return 'a STATE_BEGIN within a state';
      const vector = readVector(frame, roster);
      if (typeof vector === 'string') return vector;
      this.vector = vector;
      this.isActive = true;
      return null;
    }
    if (!this.isActive) return 'a state without STATE_BEGIN';
    if (kind === MESSAGE.slotState) {
      this.collected.push(frameBody(frame));
      this.collectedBytes += frame.length;
      return this.collectedBytes > limits.atomicStateBytesMax.value ? this.merge() : null;
    }
    const vector = readVector(frame, roster);
    if (typeof vector === 'string') return vector;
    const problem = this.merge();
    if (problem !== null) return problem;
    this.sink.end();
    this.forget();
    return null;
  }

  /** The stream was started anew or ended. */
  abort(): void {
    if (this.begun) this.sink.abort();
    this.forget();
  }

  private merge(): string | null {
    if (!this.begun) this.sink.begin(this.vector);
    this.begun = true;
    for (const body of this.collected) {
      const problem = this.sink.slot(body);
      if (problem !== null) return `an invalid SLOT_STATE: ${problem}`;
    }
    this.collected = [];
    this.collectedBytes = 0;
    return null;
  }

  private forget(): void {
    this.isActive = false;
    this.begun = false;
    this.collected = [];
    this.collectedBytes = 0;
  }
}
