/**
 * Moments at which something took longer than latency-monitor-threshold, by what it was, for LATENCY.
 * At most 160 a kind, one for each second: the longest.
 */
const SAMPLES_MAX = 160;

export type LatencySample = { readonly second: number; milliseconds: number };

export class LatencyEvents {
  /** 0: nothing is noted. */
  thresholdMs = 0;
  private readonly byName = new Map<string, { samples: LatencySample[]; longest: number }>();

  note(name: string, milliseconds: number, nowMs: number): void {
    if (this.thresholdMs === 0 || milliseconds < this.thresholdMs) return;
    const event = this.byName.get(name) ?? { samples: [], longest: 0 };
    this.byName.set(name, event);
    const whole = Math.floor(milliseconds);
    event.longest = Math.max(event.longest, whole);
    const second = Math.floor(nowMs / 1000);
    const last = event.samples.at(-1);
    if (last?.second === second) last.milliseconds = Math.max(last.milliseconds, whole);
    else event.samples.push({ second, milliseconds: whole });
    if (event.samples.length > SAMPLES_MAX) event.samples.shift();
  }

  /** Kinds by name: the last sample and the longest ever. */
  latest(): { name: string; last: LatencySample; longest: number }[] {
    return [...this.byName]
      .map(([name, { samples, longest }]) => ({ name, last: samples.at(-1)!, longest }))
      .sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  history(name: string): readonly LatencySample[] {
    return this.byName.get(name)?.samples ?? [];
  }

  /** Forgets these kinds, or all; returns how many there were. */
  reset(names: readonly string[]): number {
    const wanted = names.length > 0 ? names : [...this.byName.keys()];
    return wanted.filter((name) => this.byName.delete(name)).length;
  }
}
