/**
 * Random elements as HRANDFIELD and SRANDMEMBER count them: a positive count asks for that many
 * different ones, a negative one for that many draws, which may repeat.
 */
import type { Args } from '../resp/args.ts';
import { commandError } from './errors.ts';
import { readInteger } from './numbers.ts';

/** Draws that one command may ask for; Redis has no limit here, and may be stopped that way. */
export const DRAWS_MAX = 10_000_000;

/** The count argument; below zero it is bounded by DRAWS_MAX. */
export function readRandomCount(args: Args, i: number): number {
  const count = readInteger(args, i);
  if (count < -DRAWS_MAX) throw commandError('outOfRange');
  return count;
}

/** Elements by Redis' count. Does not change `all`. */
export function pickRandom<T>(all: readonly T[], count: number, random: () => number): T[] {
  if (all.length === 0 || count === 0) return [];
  if (count < 0) {
    return Array.from({ length: -count }, () => all[Math.floor(random() * all.length)]);
  }
  if (count >= all.length) return [...all];
  // The first `count` steps of a Fisher-Yates shuffle.
  const pool = [...all];
  for (let i = 0; i < count; i++) {
    const j = i + Math.floor(random() * (pool.length - i));
    [pool[i], pool[j]] = [pool[j], pool[i]];
  }
  return pool.slice(0, count);
}
