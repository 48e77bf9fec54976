/** Scores and ranges among the arguments of sorted sets, read as Redis does and refused in its words. */
import type { ZsetView } from '../core/zset-read.ts';
import type { Args } from '../resp/args.ts';
import { commandError, type ErrorName } from './errors.ts';

const DECIMAL = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;
const INFINITE = /^[+-]?inf(inity)?$/i;
const HEX = /^([+-]?)0x([\da-f]*)\.?([\da-f]*)(?:p([+-]?\d+))?$/i;
const OPEN = 0x28;
const CLOSED = 0x5b;
const PLUS = 0x2b;
const MINUS = 0x2d;

/** A number as C's strtod reads all of the text; NaN: it does not. Beyond doubles it is infinite or 0. */
function readDouble(text: string): number {
  if (DECIMAL.test(text)) return Number(text);
  if (INFINITE.test(text)) return text[0] === '-' ? -Infinity : Infinity;
  const hex = HEX.exec(text);
  if (hex === null || hex[2] + hex[3] === '') return Number.NaN;
  const [, sign, whole, fraction, exponent] = hex;
  const power = Number(exponent ?? 0) - 4 * fraction.length;
  const value = Number(BigInt(`0x${whole}${fraction}`)) * 2 ** power;
  return sign === '-' ? -value : value;
}

/** Argument `i` as a score or an increment. Throws `error`. */
export function readScore(args: Args, i: number, error: ErrorName = 'notFloat'): number {
  const short = args.integer(i);
  if (!Number.isNaN(short)) return short;
  const text = args.text(i);
  const value = readDouble(text);
  const lost = value === 0 && /[1-9a-f]/i.test(text.split(/[ep]/i)[0].replace(/^[+-]?0x/i, ''));
  const tooGreat = !Number.isFinite(value) && !INFINITE.test(text);
  if (Number.isNaN(value) || lost || tooGreat) throw commandError(error);
  return value;
}

/** Members of ranks `[from, to)`. */
export type Ranks = { readonly from: number; readonly to: number };

/** What a range by score or by name says, before it is known of which set. */
export type Range = { ranksIn(zset: ZsetView): Ranks };

type ScoreBound = { readonly score: number; readonly exclusive: boolean };
type NameBound = { readonly name: Uint8Array; readonly exclusive: boolean } | '-' | '+';

/** The range from the score at `args` `min` to the one at `max`. */
export function readScoreRange(args: Args, min: number, max: number): Range {
  const low = readScoreBound(args, min);
  const high = readScoreBound(args, max);
  return {
    ranksIn(zset) {
      const from = zset.countBelowScore(low.score, low.exclusive);
      return { from, to: Math.max(from, zset.countBelowScore(high.score, !high.exclusive)) };
    },
  };
}

function readScoreBound(args: Args, i: number): ScoreBound {
  const exclusive = args.length(i) > 0 && args.buffer[args.start[i]] === OPEN;
  // As C sees it: up to the first NUL.
  const text = args
    .text(i)
    .slice(exclusive ? 1 : 0)
    .split('\0', 1)[0];
  const score = text === '' ? 0 : readDouble(text.replace(/^[ \t\n\v\f\r]+/, ''));
  if (Number.isNaN(score)) throw commandError('scoreRange');
  return { score, exclusive };
}

/** The range from the name at `args` `min` to the one at `max`. */
export function readNameRange(args: Args, min: number, max: number): Range {
  const low = readNameBound(args, min);
  const high = readNameBound(args, max);
  return {
    ranksIn(zset) {
      const from = countBefore(zset, low, true);
      return { from, to: Math.max(from, countBefore(zset, high, false)) };
    },
  };
}

function countBefore(zset: ZsetView, bound: NameBound, isLow: boolean): number {
  if (bound === '-') return 0;
  if (bound === '+') return zset.size;
  return zset.countBelowName(bound.name, isLow === bound.exclusive);
}

function readNameBound(args: Args, i: number): NameBound {
  const first = args.buffer[args.start[i]];
  const length = args.length(i);
  if (length === 1 && first === PLUS) return '+';
  if (length === 1 && first === MINUS) return '-';
  if (length === 0 || (first !== OPEN && first !== CLOSED)) throw commandError('nameRange');
  // A copy, since the input is gone when a blocked command looks again.
  return { name: Buffer.from(args.bytes(i).subarray(1)), exclusive: first === OPEN };
}

/** The ranks from `start` to `stop`, which may count from the end, of a set of `size`. */
export function clampRanks(start: number, stop: number, size: number): Ranks {
  const from = Math.max(0, start < 0 ? start + size : start);
  const last = Math.min(size - 1, stop < 0 ? stop + size : stop);
  return from > last ? { from: 0, to: 0 } : { from, to: last + 1 };
}
