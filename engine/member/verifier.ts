/**
 * CRDT.VERIFY at a member: asks the other regions over the sessions by which it pulls from them, and
 * answers those who ask here. What is asked and how is in replication/verification.ts.
 */

import type { Db } from '../core/db.ts';
import type { VersionVector } from '../crdt/version-vector.ts';
import type { Backlog } from '../log/backlog.ts';
import { frameKind } from '../log/frame.ts';
import {
  COMPARE_KEYS_MAX,
  readCompare,
  readCompareKeys,
  readShowKeys,
  SHOW_BYTES_MAX,
  sealCompared,
  sealKeysCompared,
  sealKeysShown,
} from '../replication/compare-message.ts';
import { COMPARE_FEATURE, MESSAGE } from '../replication/message.ts';
import { touchedSlots } from '../replication/touched-slots.ts';
import { AT_ONCE, Verification } from '../replication/verification.ts';
import { type RegionReport, reportOf, type VerifyReport } from '../replication/verify-report.ts';
import type { Dialled, Peers } from './peers.ts';
import type { Placement } from './role.ts';

export type VerifierHost = {
  readonly db: Db;
  readonly backlog: Backlog;
  readonly peers: Peers;
  placement(): Placement;
  isPaused(region: string): boolean;
  sealLocal(): void;
  monotonicMs(): number;
  /** A number for a question, never the same again on this member. */
  readonly nextQuestion: () => number;
};

export function slotsFrom(firstSlot: number, lastSlot: number): number[] {
  return Array.from({ length: lastSlot - firstSlot + 1 }, (_, n) => firstSlot + n);
}

export class Verifier {
  private readonly host: VerifierHost;
  private readonly running = new Set<Verification>();

  constructor(host: VerifierHost) {
    this.host = host;
  }

  get count(): number {
    return this.running.size;
  }

  /** Compares with these regions; `done` is called once, perhaps at once. The result gives it up. */
  begin(regions: readonly string[], done: (report: VerifyReport) => void): () => void {
    const reports = new Map<string, RegionReport>();
    const mine = new Set<Verification>();
    const take = (report: RegionReport): void => {
      reports.set(report.region, report);
      if (reports.size < regions.length) return;
      done(reportOf(regions.map((region) => reports.get(region)!)));
    };
    for (const region of regions) this.start(region, mine, take);
    if (regions.length === 0) done(reportOf([]));
    for (const verification of mine) verification.tick(this.host.monotonicMs());
    return () => {
      for (const verification of mine) this.running.delete(verification);
    };
  }

  tick(): void {
    const nowMs = this.host.monotonicMs();
    for (const verification of [...this.running]) verification.tick(nowMs);
  }

  /** An answer to one of our questions. Returns what is wrong with it, or null. */
  receive(frame: Uint8Array): string | null {
    for (const verification of [...this.running]) {
      const problem = verification.receive(frame);
      if (problem !== null) return problem;
    }
    return null;
  }

  /** The answer to a question of a peer, with what holds in this turn; or what is wrong with it. */
  answer(frame: Uint8Array): Uint8Array | string {
    const { db } = this.host;
    this.host.sealLocal();
    if (frameKind(frame) === MESSAGE.showKeys) return this.showKeys(frame);
    const isKeys = frameKind(frame) === MESSAGE.compareKeys;
    const question = isKeys ? readCompareKeys(frame, db.roster) : readCompare(frame, db.roster);
    if (typeof question === 'string') return question;
    const { id, vector: lacking } = question;
    const { vector } = db;
    const isBusy = this.busyFor(lacking);
    if ('slot' in question) {
      const { slot } = question;
      const busy = isBusy(slot);
      const keys = busy ? [] : db.states.keyDigests(slot, COMPARE_KEYS_MAX);
      const whole = db.slotSize(slot) <= COMPARE_KEYS_MAX;
      return sealKeysCompared({ id, busy, whole, keys, vector }, db.roster);
    }
    const busy = question.slots.map(isBusy);
    const digests = question.slots.map((slot, n) => (busy[n] ? 0 : db.states.slotDigest(slot)));
    return sealCompared({ id, digests, busy, vector }, db.roster);
  }

  /** Which slots were touched by ops that we have and the asker lacks. */
  private busyFor(lacking: VersionVector): (slot: number) => boolean {
    const { db, backlog } = this.host;
    const touched = touchedSlots(backlog, db.vector, lacking);
    return (slot) => touched === null || touched.has(slot) || db.states.isAhead(slot);
  }

  /** The states of keys for who mends its own by them. */
  private showKeys(frame: Uint8Array): Uint8Array | string {
    const { db } = this.host;
    const question = readShowKeys(frame, db.roster);
    if (typeof question === 'string') return question;
    const { id, slot, keys, vector: lacking } = question;
    const busy = this.busyFor(lacking)(slot);
    let count = 0;
    for (let bytes = 0; count < keys.length && bytes < SHOW_BYTES_MAX; count++) {
      bytes += db.keyMemory(keys[count]);
    }
    const state = db.states.exportKeys(slot, busy ? [] : keys.slice(0, count));
    return sealKeysShown({ id, busy, count, state, vector: db.vector }, db.roster);
  }

  private start(
    region: string,
    mine: Set<Verification>,
    done: (report: RegionReport) => void,
  ): void {
    const { db, backlog, peers } = this.host;
    const { firstSlot, lastSlot } = this.host.placement();
    const link = peers.dialled.find(({ target }) => target.key === `region ${region}`);
    const hindrance = this.hindrance(region, link);
    const verification: Verification = new Verification(
      region,
      {
        roster: db.roster,
        backlog,
        slots: slotsFrom(firstSlot, lastSlot),
        nextId: this.host.nextQuestion,
        vector: () => db.vector,
        slotWork: (slot) => db.slotSize(slot),
        slotDigest: (slot) => db.states.slotDigest(slot),
        keyDigests: (slot, count) => db.states.keyDigests(slot, count),
        isAhead: (slot) => db.states.isAhead(slot),
        sealLocal: () => this.host.sealLocal(),
        send: (frame) => link?.puller?.ask(frame) ?? false,
        done: (report) => {
          this.running.delete(verification);
          mine.delete(verification);
          done(report);
        },
      },
      AT_ONCE,
      this.host.monotonicMs(),
    );
    if (hindrance !== null) {
      verification.giveUp(hindrance);
      return;
    }
    mine.add(verification);
    this.running.add(verification);
  }

  /** Why the region cannot be asked; null: it can. */
  private hindrance(region: string, link: Dialled | undefined): string | null {
    if (this.host.isPaused(region)) return 'the link is paused: CRDT.LINK RESUME starts it again';
    if (link?.puller?.state !== 'streaming') return link?.lastError || 'there is no session';
    const features = link.puller.remote?.features ?? [];
    return features.includes(COMPARE_FEATURE) ? null : 'its version cannot compare slots';
  }
}
