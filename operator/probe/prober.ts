/**
 * Shell: all probes of one database, and the verdicts.
 *
 * When a probe fails, those who talk to the same process are asked at once what they see, and
 * again at each beat while it goes on failing. A verdict that changes is told to the controller:
 * failover reacts to the event, not to a timer.
 */
import { type Health, type Liveness, NO_HEALTH, type ObservedPod } from '../plan/observed.ts';
import { MEMBER_PORT } from '../specs/names.ts';
import { Probe } from './probe.ts';
import { judge } from './verdict.ts';

const VIEW_DEADLINE_MS = 200;

type Watched = {
  readonly uid: string;
  readonly shard: number;
  readonly probe: Probe;
  liveness: Liveness;
  judging: boolean;
};

export class Prober {
  private readonly watched = new Map<string, Watched>();
  private readonly onChange: (member: string, liveness: Liveness) => void;
  private password: string | null = null;

  /** `onChange` is called when a verdict changes or a report says something new. */
  constructor(onChange: (member: string, liveness: Liveness) => void) {
    this.onChange = onChange;
  }

  setPassword(password: string | null): void {
    this.password = password;
  }

  /** Probes exactly these pods from now on; one with a new address or uid starts afresh. */
  follow(pods: readonly Pick<ObservedPod, 'name' | 'uid' | 'ip' | 'shard' | 'running'>[]): void {
    const wanted = new Map(
      pods.filter(({ ip, running }) => ip !== '' && running).map((pod) => [pod.name, pod]),
    );
    for (const [name, { uid, probe }] of this.watched) {
      const pod = wanted.get(name);
      if (pod?.uid === uid && pod.ip === probe.host) continue;
      probe.close();
      this.watched.delete(name);
    }
    for (const [name, { uid, ip, shard }] of wanted) {
      if (this.watched.has(name)) continue;
      const probe = new Probe({ host: ip, port: MEMBER_PORT }, () => this.password, {
        onFailing: () => void this.judgeNow(name, probe),
        onNews: () => this.news(name, probe),
      });
      this.watched.set(name, { uid, shard, probe, liveness: 'unknown', judging: false });
    }
  }

  /** What is known of one pod now. */
  health(name: string): Health {
    const watched = this.watched.get(name);
    if (watched === undefined) return NO_HEALTH;
    const { probe, liveness } = watched;
    return {
      liveness,
      suspectedAtMs: probe.suspectedAtMs,
      failure: probe.failure,
      report: probe.report,
      reportAtMs: probe.reportAtMs,
    };
  }

  /** Sends the map to one; the wall-clock milliseconds at which it was taken, or null. */
  async pushMap(name: string, version: number, document: string): Promise<number | null> {
    const watched = this.watched.get(name);
    if (watched === undefined) return null;
    try {
      return await watched.probe.pushMap(version, document);
    } catch {
      return null;
    }
  }

  close(): void {
    for (const { probe } of this.watched.values()) probe.close();
    this.watched.clear();
  }

  private news(name: string, probe: Probe): void {
    const watched = this.watched.get(name);
    if (watched?.probe !== probe) return;
    if (!probe.failing) watched.liveness = probe.report === null ? 'unknown' : 'up';
    this.onChange(name, watched.liveness);
  }

  private async judgeNow(name: string, probe: Probe): Promise<void> {
    const watched = this.watched.get(name);
    if (watched?.probe !== probe || watched.judging) return;
    watched.judging = true;
    try {
      const views = watched.liveness === 'dead' ? [false] : await this.views(name, watched.shard);
      if (this.watched.get(name) !== watched) return;
      const verdict = judge(probe, views);
      if (verdict === watched.liveness) return;
      watched.liveness = verdict;
      this.onChange(name, verdict);
    } finally {
      watched.judging = false;
    }
  }

  /** What proxies and the other members of the shard see, asked now. */
  private async views(name: string, shard: number): Promise<boolean[]> {
    const witnesses = [...this.watched].filter(
      ([other, { shard: s, probe }]) => other !== name && (s < 0 || s === shard) && !probe.failing,
    );
    const answers = await Promise.all(
      witnesses.map(async ([, { probe }]) => {
        const answered = await probe.refresh(VIEW_DEADLINE_MS);
        return answered ? probe.sees.get(name) : undefined;
      }),
    );
    return answers.filter((view) => view !== undefined);
  }
}
