/**
 * Shell: the line in the journal for connections that TLS kept out: once a minute for each address and
 * reason, for a peer with a wrong certificate dials again every two seconds, and a scanner never ends.
 */
import type { Journal } from '../env.ts';
import type { Refused } from './tls.ts';

const REPEAT_MS = 60_000;
const TOLD_MAX = 1000;

export function journalRefused(journal: Journal, message: string): Refused {
  const toldAtMs = new Map<string, number>();
  return (address, reason) => {
    const key = `${address.replace(/:\d+$/, '')} ${reason}`;
    const nowMs = performance.now();
    const before = toldAtMs.get(key);
    if (before !== undefined && nowMs - before < REPEAT_MS) return;
    if (toldAtMs.size >= TOLD_MAX) toldAtMs.clear();
    toldAtMs.set(key, nowMs);
    journal.warn({ from: address, reason }, message);
  };
}
