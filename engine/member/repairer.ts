/**
 * Keeps this member equal to those it pulls from: compares slots with each of them in the background, as
 * CRDT.VERIFY does, and mends keys that differ although both sides have applied the same ops.
 *
 *     check ── compare slots, then the keys of those that differ (replication/verification.ts)
 *       └────▶ SHOW_KEYS: what the peer holds of these keys ──▶ repair (core/key-repair.ts) ──▶ log
 *
 * One check runs at a time, at a pace that nobody notices. It is *urgent* after every state merge, and when a
 * link is compared for the first time in this process: a state merge is the one thing known to leave a
 * difference, and the member that merged may be another one than ran before. Slots that are busy or were mended come
 * again soon, until all were found equal. Apart from that all slots are compared once a round.
 *
 * Each member mends itself only. Where it cannot write (a replica), or more than floors differs, it changes its
 * state and logs the slot; whoever pulls from it compares, too.
 */

import type { KeyRepair } from '../core/key-repair.ts';
import type { Bytes } from '../crdt/dot.ts';
import { countOps } from '../crdt/version-vector.ts';
import type { Journal } from '../env.ts';
import { limits } from '../limits.ts';
import { LOG_KIND, sealFrame } from '../log/frame.ts';
import { encodeVector } from '../log/vector-bytes.ts';
import { FRAME_KIND } from '../op/op.ts';
import { readKeysShown, SHOW_KEYS_MAX, sealShowKeys } from '../replication/compare-message.ts';
import { COMPARE_FEATURE, REPAIR_FEATURE } from '../replication/message.ts';
import { countMissing, touchedSlots } from '../replication/touched-slots.ts';
import { type Pace, Verification } from '../replication/verification.ts';
import type { RegionReport } from '../replication/verify-report.ts';
import type { Dialled } from './peers.ts';
import { slotsFrom, type VerifierHost } from './verifier.ts';

export type RepairerHost = VerifierHost & {
  readonly journal: Journal;
  wallMs(): number;
  /** Appends to the log on disk only. */
  log(frame: Uint8Array): void;
};

/** What was found and mended since the process started. */
export type RepairCounts = {
  /** Comparisons with a peer that ended with all slots equal. */
  rounds: number;
  /** Keys whose counters lacked a reset: the known case. */
  keys: number;
  /** Keys that differed otherwise: each one shows a defect. */
  unexplainedKeys: number;
};

/** A link, as far as comparing goes. */
type Held = {
  /** How many states had been merged when the last check began that ended well; -1: none did. */
  checkedAt: number;
  /** Slots that the next check has to look at; null: all. */
  left: readonly number[] | null;
  dueMs: number;
  tries: number;
};

type Wanted = { readonly slot: number; readonly keys: readonly Bytes[] };

type Check = {
  readonly link: Dialled;
  readonly held: Held;
  readonly startedMs: number;
  readonly merges: number;
  readonly pace: Pace;
  /** While slots are compared; then null. */
  verification: Verification | null;
  left: readonly number[];
  readonly wanted: Wanted[];
  question: { readonly id: number; readonly wanted: Wanted; readonly askedMs: number } | null;
  askAtMs: number;
  mended: number;
};

/** A slot's work in keys is at least its bytes by this: large values cost by the byte. */
const BYTES_PER_KEY = 500;
/** Keys named in the journal for one check. */
const NAMED_MAX = 20;

export class Repairer {
  readonly counts: RepairCounts = { rounds: 0, keys: 0, unexplainedKeys: 0 };
  private readonly host: RepairerHost;
  private readonly held = new Map<string, Held>();
  private merges = 0;
  private check: Check | null = null;

  constructor(host: RepairerHost) {
    this.host = host;
  }

  /** A peer's state was merged here: everything is compared with everybody at once. */
  stateMerged(): void {
    this.merges++;
    for (const held of this.held.values()) {
      held.left = null;
      held.dueMs = 0;
      held.tries = 0;
    }
  }

  tick(): void {
    const nowMs = this.host.monotonicMs();
    this.check ??= this.begin(nowMs);
    const { check } = this;
    if (check === null) return;
    if (!this.isReady(check.link)) {
      this.check = null;
      check.held.dueMs = nowMs + limits.repairRetry.value;
    } else if (check.verification !== null) {
      check.verification.tick(nowMs);
    } else {
      this.askNext(check, nowMs);
    }
  }

  /** The answer to a question of a check's verification. Returns what is wrong with it, or null. */
  receive(frame: Uint8Array): string | null {
    return this.check?.verification?.receive(frame) ?? null;
  }

  /** What the peer holds of keys that differ. Returns what is wrong with it, or null. */
  receiveKeys(frame: Uint8Array): string | null {
    const { db, backlog } = this.host;
    const shown = readKeysShown(frame, db.roster);
    if (typeof shown === 'string') return shown;
    const { check } = this;
    if (check === null || check.question?.id !== shown.id) return null;
    const { slot, keys } = check.question.wanted;
    if (shown.count < 1 || shown.count > keys.length) return 'KEYS_SHOWN of other keys';
    check.question = null;
    if (shown.count < keys.length) check.wanted.unshift({ slot, keys: keys.slice(shown.count) });
    this.host.sealLocal();
    const touched = touchedSlots(backlog, db.vector, shown.vector);
    // Busy: it is among the slots that are left and comes again.
    if (shown.busy || touched === null || touched.has(slot) || db.states.isAhead(slot)) return null;
    db.beginTurn(this.host.wallMs());
    const repairs = db.states.repairKeys(slot, shown.state, keys.slice(0, shown.count));
    if (typeof repairs === 'string') return repairs;
    this.host.sealLocal();
    if (repairs.some(({ done }) => done === 'state')) this.logSlot(slot);
    for (const repair of repairs) this.note(check, slot, repair);
    return null;
  }

  /** Begins the check that is due, urgent ones first. */
  private begin(nowMs: number): Check | null {
    const { dialled } = this.host.peers;
    for (const key of this.held.keys()) {
      if (!dialled.some(({ target }) => target.key === key)) this.held.delete(key);
    }
    let next: Dialled | null = null;
    for (const link of dialled) {
      if (nowMs < this.heldOf(link).dueMs || !this.isReady(link)) continue;
      if (next === null || this.isUrgent(link)) next = link;
    }
    return next === null ? null : this.start(next, nowMs);
  }

  private start(link: Dialled, nowMs: number): Check {
    const held = this.heldOf(link);
    const { firstSlot, lastSlot } = this.host.placement();
    const slots = held.left ?? slotsFrom(firstSlot, lastSlot);
    const interval = this.isUrgent(link) ? limits.repairIntervalUrgent : limits.repairInterval;
    const pace: Pace = {
      questionKeys: limits.repairQuestionKeys.value,
      intervalMs: interval.value,
      differentSlotsMax: 1024,
      differentKeysMax: 256,
    };
    const check: Check = {
      link,
      held,
      startedMs: nowMs,
      merges: this.merges,
      pace,
      verification: null,
      left: slots,
      wanted: [],
      question: null,
      askAtMs: 0,
      mended: 0,
    };
    check.verification = this.makeVerification(check, slots);
    return check;
  }

  private makeVerification(check: Check, slots: readonly number[]): Verification {
    const { host } = this;
    const { db, backlog } = host;
    return new Verification(
      check.link.target.region,
      {
        roster: db.roster,
        backlog,
        slots,
        nextId: host.nextQuestion,
        vector: () => db.vector,
        slotWork: (slot) => this.slotWork(slot),
        slotDigest: (slot) => db.states.slotDigest(slot),
        keyDigests: (slot, count) => db.states.keyDigests(slot, count),
        isAhead: (slot) => db.states.isAhead(slot),
        sealLocal: () => host.sealLocal(),
        send: (frame) => check.link.puller?.ask(frame) ?? false,
        done: (report, left) => this.compared(check, report, left),
      },
      check.pace,
      host.monotonicMs(),
    );
  }

  private slotWork(slot: number): number {
    const { db } = this.host;
    const keys = db.slotSize(slot);
    if (keys === 0) return 0;
    const bytes = db.states.slotBytes(slot);
    const isLarge = bytes > limits.repairSlotBytesMax.value;
    return isLarge ? Number.POSITIVE_INFINITY : Math.max(keys, bytes / BYTES_PER_KEY);
  }

  /** All slots were compared: what differs is asked for. */
  private compared(check: Check, report: RegionReport, left: readonly number[]): void {
    check.verification = null;
    check.left = left;
    for (const { slot, keys } of report.differences) {
      for (let n = 0; n < keys.length; n += SHOW_KEYS_MAX) {
        check.wanted.push({ slot, keys: keys.slice(n, n + SHOW_KEYS_MAX) });
      }
    }
    if (check.wanted.length === 0) this.finish(check, left);
  }

  private askNext(check: Check, nowMs: number): void {
    const { host } = this;
    if (check.question !== null) {
      const silentMs = nowMs - check.question.askedMs;
      if (silentMs > limits.verifySilence.value) this.finish(check, check.left);
      return;
    }
    if (nowMs < check.askAtMs) return;
    const wanted = check.wanted.shift();
    if (wanted === undefined) {
      this.finish(check, check.left);
      return;
    }
    check.askAtMs = nowMs + check.pace.intervalMs;
    host.sealLocal();
    const id = host.nextQuestion();
    check.question = { id, wanted, askedMs: nowMs };
    const { roster, vector } = host.db;
    check.link.puller?.ask(sealShowKeys({ id, ...wanted, vector }, roster));
  }

  /** `left`: slots that were not found equal. */
  private finish(check: Check, left: readonly number[]): void {
    const { held, mended } = check;
    const nowMs = this.host.monotonicMs();
    this.check = null;
    if (mended > NAMED_MAX) {
      const peer = check.link.target.key;
      this.host.journal.warn({ peer, keys: mended }, 'so many keys that differed were mended');
    }
    // What has been merged meanwhile makes everything due.
    if (check.merges !== this.merges) return;
    if (left.length === 0) this.counts.rounds++;
    if (left.length === 0 || held.tries >= limits.repairTriesMax.value) {
      held.checkedAt = check.merges;
      held.left = null;
      held.tries = 0;
      held.dueMs = check.startedMs + limits.repairRound.value;
      return;
    }
    held.left = left;
    held.tries++;
    held.dueMs = nowMs + limits.repairRetry.value;
  }

  /** The slot as it is now goes to the log, to take effect by itself. */
  private logSlot(slot: number): void {
    const { db, log } = this.host;
    const state = db.states.exportSlotOrEmpty(slot);
    log(sealFrame(FRAME_KIND.slotState, state));
    log(sealFrame(LOG_KIND.stateEnd, encodeVector([], db.roster)));
  }

  private note(check: Check, slot: number, { key, done, explained }: KeyRepair): void {
    if (done === 'nothing') return;
    if (explained) this.counts.keys++;
    else this.counts.unexplainedKeys++;
    check.mended++;
    const about = { peer: check.link.target.key, slot, key };
    const { journal } = this.host;
    if (!explained) {
      const cure = 'this shows a defect: please report it with the journals of both';
      journal.error(about, `a key differed from a peer that has the same writes; joined, ${cure}`);
    } else if (check.mended <= NAMED_MAX) {
      journal.warn(about, 'a counter lacked a reset that a peer has seen; mended');
    }
  }

  private heldOf(link: Dialled): Held {
    const { key } = link.target;
    const held = this.held.get(key) ?? { checkedAt: -1, left: null, dueMs: 0, tries: 0 };
    this.held.set(key, held);
    return held;
  }

  private isUrgent(link: Dialled): boolean {
    return this.heldOf(link).checkedAt < this.merges;
  }

  /** Whether the link can be compared now: it stands, and neither side is far behind. */
  private isReady({ target, puller }: Dialled): boolean {
    if (
      puller?.state !== 'streaming' ||
      !this.host.peers.dialled.some((l) => l.puller === puller)
    ) {
      return false;
    }
    if (target.purpose === 'region' && this.host.isPaused(target.region)) return false;
    const features = puller.remote?.features ?? [];
    if (!features.includes(COMPARE_FEATURE) || !features.includes(REPAIR_FEATURE)) return false;
    const { vector } = this.host.db;
    const { heard } = puller;
    if (countOps(heard) === 0 && countOps(vector) > 0) return false;
    const apart = countMissing(heard, vector) + countMissing(vector, heard);
    return apart <= limits.repairLagMax.value;
  }
}
