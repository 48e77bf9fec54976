/**
 * Shell: watches one engine process over one connection.
 *
 * Each 250 ms a PING, each fourth time CRDT.STATUS instead. A connection that is refused or breaks
 * is a failure at once; a reply that is missing at the next beat is a missed ping, and two of them
 * are a failure. Any reply at all, an error too, shows that the process lives.
 */
import type { EngineReport } from '../plan/observed.ts';
import { Link, type LinkFailure, textOf } from './link.ts';
import { parseReport } from './report.ts';
import { MISSES_SUSPECT } from './verdict.ts';

export const BEAT_MS = 250;
const BEATS_PER_STATUS = 4;
const STATUS_DEADLINE_MS = 1_000;
const PUSH_DEADLINE_MS = 1_000;

export type ProbeEvents = {
  /** The probe began to fail, or failed again. */
  readonly onFailing: () => void;
  /** It answers (again), or its report says something new that decisions depend on. */
  readonly onNews: () => void;
};

export class Probe {
  misses = 0;
  failure: LinkFailure | null = null;
  suspectedAtMs: number | null = null;
  report: EngineReport | null = null;
  reportAtMs = 0;
  sees: ReadonlyMap<string, boolean> = new Map();
  readonly host: string;
  private readonly port: number;
  private readonly password: () => string | null;
  private readonly events: ProbeEvents;
  private link: Link | null = null;
  private connected = false;
  private awaiting = false;
  private beats = 0;
  private readonly timer: NodeJS.Timeout;

  constructor(
    address: { host: string; port: number },
    password: () => string | null,
    events: ProbeEvents,
  ) {
    this.host = address.host;
    this.port = address.port;
    this.password = password;
    this.events = events;
    this.timer = setInterval(() => this.beat(), BEAT_MS);
    this.dial();
  }

  get failing(): boolean {
    return this.failure !== null;
  }

  /** Whether anything was ever heard. */
  get known(): boolean {
    return this.report !== null || this.failure !== null;
  }

  /** Asks for a report now; false when none came in time. */
  async refresh(deadlineMs = STATUS_DEADLINE_MS): Promise<boolean> {
    if (this.link === null || !this.connected) return false;
    try {
      const reply = await this.link.call(['CRDT.STATUS', 'JSON'], deadlineMs);
      this.answered();
      const parsed = parseReport(textOf(reply));
      if (parsed === null) return false;
      this.take(parsed.report, parsed.sees);
      return true;
    } catch {
      return false;
    }
  }

  /** Sends a map; the milliseconds (wall clock) at which it was taken, or an exception. */
  async pushMap(version: number, document: string): Promise<number> {
    if (this.link === null) throw new Error('not connected');
    textOf(await this.link.call(['CRDT.MAP', 'SET', document], PUSH_DEADLINE_MS));
    const takenAtMs = Date.now();
    // Believed until the next report, so that it is not pushed once more in between.
    if (this.report !== null) this.report = { ...this.report, mapVersion: version };
    void this.refresh();
    return takenAtMs;
  }

  close(): void {
    clearInterval(this.timer);
    this.link?.close();
    this.link = null;
  }

  private dial(): void {
    this.connected = false;
    this.awaiting = false;
    const link = new Link(
      { host: this.host, port: this.port },
      {
        onUp: () => {
          this.connected = true;
          const password = this.password();
          // Its reply is of no interest: if it is refused, so is CRDT.STATUS.
          if (password !== null) link.call(['AUTH', password], STATUS_DEADLINE_MS).catch(() => {});
          void this.refresh();
        },
        onDown: (failure) => {
          if (this.link !== link) return;
          this.link = null;
          this.missed(failure, MISSES_SUSPECT);
        },
      },
    );
    this.link = link;
  }

  private beat(): void {
    if (this.link === null) {
      this.dial();
      return;
    }
    // Connecting has a deadline of its own.
    if (!this.connected) return;
    if (this.awaiting) {
      this.missed('timeout', 1);
      return;
    }
    this.beats++;
    if (this.beats % BEATS_PER_STATUS === 0 || this.report === null) void this.refresh();
    this.awaiting = true;
    this.link.call(['PING'], STATUS_DEADLINE_MS * 10).then(
      () => this.answered(),
      () => undefined,
    );
  }

  private missed(failure: LinkFailure, weight: number): void {
    this.misses = this.misses === 0 ? weight : this.misses + 1;
    this.suspectedAtMs ??= Date.now();
    if (this.misses < MISSES_SUSPECT) return;
    this.failure = failure;
    this.events.onFailing();
  }

  private answered(): void {
    this.awaiting = false;
    this.misses = 0;
    this.suspectedAtMs = null;
    if (this.failure === null) return;
    this.failure = null;
    this.events.onNews();
  }

  private take(report: EngineReport, sees: ReadonlyMap<string, boolean>): void {
    const before = this.report;
    this.report = report;
    this.reportAtMs = Date.now();
    this.sees = sees;
    const news =
      before === null ||
      before.role !== report.role ||
      before.mapVersion !== report.mapVersion ||
      before.epoch !== report.epoch ||
      before.startedEmpty !== report.startedEmpty ||
      before.uptimeMs > report.uptimeMs ||
      before.upstream?.connected !== report.upstream?.connected ||
      (before.firstWriteAtMs === null) !== (report.firstWriteAtMs === null);
    if (news) this.events.onNews();
  }
}
