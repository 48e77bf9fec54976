/**
 * Scores of a sorted set. A member is a hash field whose value is its score: ZADD sets the base (last
 * writer wins), ZINCRBY adds, so a member's state is a cell (cell.ts) and everything that is said there
 * of floors and merging holds here.
 *
 *     base        the 8 bytes of the double, little-endian: -0, infinities and denormals as they are
 *     score       the base, or with increments: base + Σ increments as exact decimals, then one double
 *
 * At the region that increments, the reply must be what Redis computes: before + delta in doubles, one
 * rounding each. So an increment ships the decimal that takes the exact sum to exactly that double;
 * nearly always it is the delta itself, else (0.1 + 0.2) it differs in the last digits. What no sum of
 * decimals can say (infinities, -0, digits below 1e-17) is written as a base instead, which has
 * seen what it replaces: increments of other regions still add to it.
 */
import { type Amount, addAmounts, subtractAmounts } from './amount.ts';
import { formatAmount, parseAmount } from './amount-text.ts';
import { type Cell, lastSibling, liveAmount } from './cell.ts';
import type { Bytes } from './dot.ts';
import type { Roster } from './roster.ts';

export const SCORE_BYTES = 8;
/** 10^17, exact as a double: what units of 1e-17 are divided by. */
const UNITS = 1e17;

const scoreOf = new Float64Array(1);
const bytesOf = new Uint8Array(scoreOf.buffer);

/** The score as the value of a sibling; all platforms of ours are little-endian. */
export function encodeScore(score: number): Bytes {
  scoreOf[0] = score;
  return String.fromCharCode(...bytesOf);
}

/** The score of a sibling's value, which has SCORE_BYTES. */
export function decodeScore(value: Bytes): number {
  for (let i = 0; i < SCORE_BYTES; i++) bytesOf[i] = value.charCodeAt(i);
  return scoreOf[0];
}

/** Whether a value (of a peer, perhaps) is a score. */
export function isScore(value: Bytes): boolean {
  return value.length === SCORE_BYTES && !Number.isNaN(decodeScore(value));
}

/** The score that shows of a member; its cell is not empty. */
export function cellScore(cell: Cell, roster: Roster): number {
  const base = baseScore(cell, roster);
  if (cell.contributions.length === 0 || !Number.isFinite(base)) return base;
  return toScore(exactScore(cell, base));
}

/**
 * What an increment by `delta` ships: the amount, or null when the member must get `before + delta` as a
 * new base. `cell` null: there is no such member. The sum is a number (the caller has looked).
 */
export function incrementOf(cell: Cell | null, delta: number, roster: Roster): Amount | null {
  const base = cell === null ? 0 : baseScore(cell, roster);
  const amount = toAmount(delta);
  if (!Number.isFinite(base)) return amount;
  const exact = cell === null ? 0 : exactScore(cell, base);
  const before = cell === null ? 0 : cellScore(cell, roster);
  const after = before + delta;
  if (amount !== null && Object.is(toScore(addAmounts(exact, amount)), after)) return amount;
  const wanted = Object.is(after, -0) ? null : toAmount(after);
  return wanted === null ? null : subtractAmounts(wanted, exact);
}

/** The nearest double. */
export function toScore(amount: Amount): number {
  if (typeof amount === 'number') return amount;
  const units = Number(amount);
  // Both are exact, so the quotient is the nearest double.
  return Number.isSafeInteger(units) ? units / UNITS : Number(formatAmount(amount));
}

function baseScore(cell: Cell, roster: Roster): number {
  const base = lastSibling(cell, roster);
  return base === null ? 0 : decodeScore(base.value);
}

function exactScore({ contributions }: Cell, base: number): Amount {
  let sum = Number.isSafeInteger(base) ? base + 0 : (parseAmount(String(base)) as Amount);
  for (const contribution of contributions) sum = addAmounts(sum, liveAmount(contribution));
  return sum;
}

/** The decimal of a double that says all of it, or null. */
function toAmount(score: number): Amount | null {
  if (Number.isSafeInteger(score)) return score + 0;
  if (!Number.isFinite(score)) return null;
  const amount = parseAmount(String(score));
  return amount !== null && toScore(amount) === score ? amount : null;
}
