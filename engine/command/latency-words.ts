/** LATENCY DOCTOR and GRAPH: what took long, for people. */
import type { LatencyEvents, LatencySample } from './latency-events.ts';

const ROWS = 4;
const MARKS = ['_', 'o', '#'];

/** What the events say, one line each. */
export function latencyDoctor(latency: LatencyEvents): string {
  if (latency.thresholdMs === 0) {
    return (
      'Latency monitoring is off: CONFIG SET latency-monitor-threshold <milliseconds> turns it on. ' +
      'LATENCY HISTOGRAM and INFO latencystats tell how long commands take in any case.\n'
    );
  }
  const events = latency.latest();
  if (events.length === 0) {
    return `Nothing took ${latency.thresholdMs} ms or more since latency monitoring began.\n`;
  }
  const lines = events.map(({ name, longest }) => {
    const samples = latency.history(name);
    const sum = samples.reduce((total, { milliseconds }) => total + milliseconds, 0);
    const mean = Math.round(sum / samples.length);
    return `${name}: ${samples.length} seconds with ${mean} ms on average, ${longest} ms at most.`;
  });
  const cure =
    'Look at SLOWLOG GET for the commands: those that walk large values (KEYS, SMEMBERS, SORT, SUNION) ' +
    'hold up all others; SCAN and its kin go in small steps.';
  return `${lines.join('\n')}\n${cure}\n`;
}

/** Samples as columns, the oldest first, with their age below. */
export function latencyGraph(name: string, samples: readonly LatencySample[], now: number): string {
  const times = samples.map(({ milliseconds }) => milliseconds);
  const [low, high] = [Math.min(...times), Math.max(...times)];
  const last = samples.at(-1)!.milliseconds;
  const steps = ROWS * MARKS.length - 1;
  const heights = times.map((ms) =>
    high === low ? steps : Math.round(((ms - low) * steps) / (high - low)),
  );
  const rows = Array.from({ length: ROWS }, (_, row) => {
    const bottom = (ROWS - 1 - row) * MARKS.length;
    return heights
      .map((height) => markAt(height - bottom))
      .join('')
      .trimEnd();
  });
  const ages = samples.map(({ second }) => age(now - second));
  const longest = Math.max(...ages.map((text) => text.length));
  const below = Array.from({ length: longest }, (_, i) =>
    ages.map((text) => text[i] ?? ' ').join(''),
  );
  const head = `${name} - high ${high} ms, low ${low} ms (all time high ${high} ms), last ${last} ms`;
  return [head, '-'.repeat(80), ...rows, '', ...below, ''].join('\n');
}

function markAt(height: number): string {
  if (height < 0) return ' ';
  return height >= MARKS.length ? '|' : MARKS[height];
}

function age(seconds: number): string {
  if (seconds < 60) return `${seconds}s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m`;
  return seconds < 86_400 ? `${Math.floor(seconds / 3600)}h` : `${Math.floor(seconds / 86_400)}d`;
}
