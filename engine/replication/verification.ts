/**
 * Compares our slots with those of another member while both take writes: the asking side.
 *
 * A question names some slots and our vector. We keep our digests of that moment, the answer has the
 * other side's digests of its moment, with its vector. Between the two moments lie the ops that one
 * of us had and the other had not: the answer marks slots touched by those that we lacked (busy), we
 * find those that it lacked in our backlog. In every other slot both had applied the same ops, so the
 * digests must be equal, whatever else was written meanwhile. Busy slots are asked again, round by
 * round. Of slots that differ the keys are compared in the same way.
 *
 * Pure: answers come in by `receive`, time by `tick`. How many keys are digested in one turn, and how often,
 * is its pace: CRDT.VERIFY has a client that waits, the repairer has time.
 */

import type { Bytes } from '../crdt/dot.ts';
import type { Roster } from '../crdt/roster.ts';
import { copyVector, type VersionVector } from '../crdt/version-vector.ts';
import { limits } from '../limits.ts';
import type { Backlog } from '../log/backlog.ts';
import { frameKind } from '../log/frame.ts';
import {
  COMPARE_KEYS_MAX,
  COMPARE_SLOTS_MAX,
  type Compared,
  type KeyDigests,
  type KeysCompared,
  readCompared,
  readKeysCompared,
  sealCompare,
  sealCompareKeys,
} from './compare-message.ts';
import { MESSAGE } from './message.ts';
import { countMissing, touchedSlots } from './touched-slots.ts';
import { DIFFERENT_KEYS_MAX, DIFFERENT_SLOTS_MAX, type RegionReport } from './verify-report.ts';

export type VerificationHost = {
  readonly roster: Roster;
  readonly backlog: Backlog;
  /** The slots to compare. */
  readonly slots: readonly number[];
  /** Never the same again on this member. */
  nextId(): number;
  vector(): VersionVector;
  /** What a digest of the slot costs, in keys; Infinity: leave it out. */
  slotWork(slot: number): number;
  slotDigest(slot: number): number;
  /** The first keys of a slot by bytes, with digests. */
  keyDigests(slot: number, count: number): KeyDigests;
  /** The slot's state is ahead of the vector: a state merge has not ended. */
  isAhead(slot: number): boolean;
  /** Puts what was written in this turn into the backlog. */
  sealLocal(): void;
  /** False: the session does not stand. */
  send(frame: Uint8Array): boolean;
  /** Called once, with the slots that were not found equal. */
  done(report: RegionReport, left: readonly number[]): void;
};

/** How much at once, and how much is told of what differs. */
export type Pace = {
  /** Keys digested for one question. */
  readonly questionKeys: number;
  /** Between two questions. */
  readonly intervalMs: number;
  readonly differentSlotsMax: number;
  readonly differentKeysMax: number;
};

/** As quick as answers come: a client waits. */
export const AT_ONCE: Pace = {
  questionKeys: 1000,
  intervalMs: 0,
  differentSlotsMax: DIFFERENT_SLOTS_MAX,
  differentKeysMax: DIFFERENT_KEYS_MAX,
};

type Question = {
  readonly slots: readonly number[];
  readonly digests: readonly number[];
  /** Of the only slot, when its keys were asked for. */
  readonly keys: KeyDigests | null;
  readonly vector: VersionVector;
};

/** Questions under way at once, so that a long way does not slow it down. */
const WINDOW = 16;
/** Rounds over slots that were busy, and the pause between them. */
const ROUNDS_MAX = 20;
const ROUND_PAUSE_MS = 100;

export class Verification {
  private readonly region: string;
  private readonly host: VerificationHost;
  private readonly pace: Pace;
  private askAtMs = 0;
  /** Slots not found equal so far. */
  private readonly open: Set<number>;
  private pending: number[];
  /** Busy in this round. */
  private again: number[] = [];
  private round = 1;
  private roundAtMs = 0;
  private readonly asked = new Map<number, Question>();
  private equal = 0;
  private readonly different: number[] = [];
  private readonly named = new Map<number, readonly Bytes[]>();
  /** Slots that were busy in all rounds. */
  private busyAtEnd = 0;
  private inFlight = 0;
  private nowMs: number;
  private heardAtMs: number;
  private over = false;
  private stage: 'slots' | 'keys' = 'slots';

  constructor(region: string, host: VerificationHost, pace: Pace, nowMs: number) {
    this.region = region;
    this.host = host;
    this.pace = pace;
    this.pending = [...host.slots];
    this.open = new Set(host.slots);
    this.nowMs = nowMs;
    this.heardAtMs = nowMs;
  }

  /** Asks what may be asked now; to be called at the start and then now and then. */
  tick(nowMs: number): void {
    this.nowMs = nowMs;
    if (this.asked.size > 0 && nowMs - this.heardAtMs > limits.verifySilence.value) {
      this.end('unreachable', `no answer for ${limits.verifySilence.value} ms`);
    }
    this.ask();
  }

  /** Takes an answer; those to questions of others are left alone. Returns what is wrong with it. */
  receive(frame: Uint8Array): string | null {
    const { roster } = this.host;
    const isKeys = frameKind(frame) === MESSAGE.keysCompared;
    const answer = isKeys ? readKeysCompared(frame, roster) : readCompared(frame, roster);
    if (typeof answer === 'string') return answer;
    const question = this.asked.get(answer.id);
    if (question === undefined || this.over) return null;
    this.asked.delete(answer.id);
    this.heardAtMs = this.nowMs;
    const touched = touchedSlots(this.host.backlog, question.vector, answer.vector);
    this.inFlight =
      countMissing(question.vector, answer.vector) + countMissing(answer.vector, question.vector);
    if ('keys' in answer) this.takeKeys(question, answer, touched);
    else if (answer.digests.length !== question.slots.length) return 'an answer of other slots';
    else this.takeSlots(question, answer, touched);
    this.ask();
    return null;
  }

  /** The region cannot be asked. */
  giveUp(reason: string): void {
    this.end('unreachable', reason);
  }

  private takeSlots(
    { slots, digests }: Question,
    answer: Compared,
    touched: ReadonlySet<number> | null,
  ): void {
    for (const [n, slot] of slots.entries()) {
      const busy = touched === null || touched.has(slot) || answer.busy[n];
      if (busy) this.again.push(slot);
      else if (digests[n] !== answer.digests[n]) this.different.push(slot);
      else {
        this.equal++;
        this.open.delete(slot);
      }
    }
  }

  private takeKeys(
    { slots: [slot], keys: mine }: Question,
    answer: KeysCompared,
    touched: ReadonlySet<number> | null,
  ): void {
    const isWhole = answer.whole && mine!.length < COMPARE_KEYS_MAX;
    if (touched === null || touched.has(slot) || answer.busy) this.again.push(slot);
    else {
      const keys = differentKeys(mine!, answer.keys, isWhole);
      this.named.set(slot, keys.slice(0, this.pace.differentKeysMax));
    }
  }

  private ask(): void {
    if (this.over) return;
    if (this.pending.length === 0 && this.asked.size === 0 && !this.nextRound()) return;
    if (this.nowMs < this.askAtMs) return;
    if (this.nowMs < this.roundAtMs || this.asked.size >= WINDOW || this.pending.length === 0) {
      return;
    }
    this.host.sealLocal();
    const frame = this.stage === 'slots' ? this.askSlots() : this.askKeys();
    // Nothing but slots that are ahead: they come again in the next round.
    if (frame === null) return;
    this.askAtMs = this.nowMs + this.pace.intervalMs;
    if (!this.host.send(frame)) this.end('unreachable', 'the link has ended');
  }

  /** Begins the next round, or the next stage. False: all is said. */
  private nextRound(): boolean {
    if (this.again.length > 0 && this.round < ROUNDS_MAX) {
      this.pending = this.again;
      this.again = [];
      this.round++;
      this.roundAtMs = this.nowMs + ROUND_PAUSE_MS;
      return true;
    }
    if (this.stage === 'slots' && this.different.length > 0) {
      this.stage = 'keys';
      this.pending = this.different.slice(0, this.pace.differentSlotsMax);
      this.busyAtEnd = this.again.length;
      this.again = [];
      this.round = 1;
      return true;
    }
    if (this.stage === 'slots') this.busyAtEnd = this.again.length;
    this.end(this.different.length > 0 ? 'different' : this.busyAtEnd > 0 ? 'busy' : 'converged');
    return false;
  }

  private askSlots(): Uint8Array | null {
    const { host, pending } = this;
    const { questionKeys } = this.pace;
    const slots: number[] = [];
    const digests: number[] = [];
    let work = 0;
    while (pending.length > 0 && slots.length < COMPARE_SLOTS_MAX && work < questionKeys) {
      const slot = pending.pop()!;
      if (host.isAhead(slot)) {
        this.again.push(slot);
        continue;
      }
      const slotWork = host.slotWork(slot);
      if (slotWork === Number.POSITIVE_INFINITY) {
        this.open.delete(slot);
        continue;
      }
      work += slotWork;
      slots.push(slot);
      digests.push(host.slotDigest(slot));
    }
    if (slots.length === 0) return null;
    const vector = copyVector(host.vector());
    const id = this.remember({ slots, digests, keys: null, vector });
    return sealCompare({ id, slots, vector }, host.roster);
  }

  private askKeys(): Uint8Array | null {
    const { host } = this;
    const slot = this.pending.pop()!;
    const vector = copyVector(host.vector());
    const keys = host.keyDigests(slot, COMPARE_KEYS_MAX);
    const id = this.remember({ slots: [slot], digests: [], keys, vector });
    return sealCompareKeys({ id, slot, vector }, host.roster);
  }

  private remember(question: Question): number {
    const id = this.host.nextId();
    this.asked.set(id, question);
    // Silence counts from the oldest question on.
    if (this.asked.size === 1) this.heardAtMs = this.nowMs;
    return id;
  }

  private end(verdict: RegionReport['verdict'], reason = ''): void {
    if (this.over) return;
    this.over = true;
    const different = this.different.sort((a, b) => a - b);
    const named = different.slice(0, this.pace.differentSlotsMax);
    const report: RegionReport = {
      region: this.region,
      verdict: different.length > 0 ? 'different' : verdict,
      equalSlots: this.equal,
      differentSlots: different.length,
      busySlots: this.host.slots.length - this.equal - different.length,
      differences: named.map((slot) => ({ slot, keys: this.named.get(slot) ?? [] })),
      opsInFlight: this.inFlight,
      reason: reason || (verdict === 'busy' ? 'writes to these slots are always under way' : ''),
    };
    this.host.done(report, [...this.open]);
  }
}

/** The keys that only one list has, or both with other digests, in order. */
function differentKeys(mine: KeyDigests, theirs: KeyDigests, isWhole: boolean): readonly Bytes[] {
  // Where a list was cut, what lies beyond its end says nothing.
  const [a, b] = [mine.at(-1)?.[0], theirs.at(-1)?.[0]];
  const until = isWhole || a === undefined || b === undefined ? null : [a, b].sort()[0];
  const there = new Map(theirs);
  const found: Bytes[] = [];
  for (const [key, digest] of mine) {
    if (there.get(key) !== digest) found.push(key);
    there.delete(key);
  }
  found.push(...there.keys());
  return found.filter((key) => until === null || key <= until).sort((x, y) => (x < y ? -1 : 1));
}
