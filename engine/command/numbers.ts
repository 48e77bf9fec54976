/**
 * Numbers among a command's arguments, refused in Redis' words.
 *
 * Redis reads them as signed 64-bit integers. Counts, ranges and times stay exact as JS numbers up
 * to 2^53; beyond that only comparisons matter, so `readInteger` rounds what lies between.
 */
import type { Args } from '../resp/args.ts';
import { commandError, type ErrorName } from './errors.ts';

const INT32_EDGE = 2 ** 31;
const INT64 = /^-?[1-9]\d{15,18}$/;

/** Argument `i` as an integer, rounded to the nearest JS number beyond 2^53. Throws `error`. */
export function readInteger(args: Args, i: number, error: ErrorName = 'notInteger'): number {
  const small = args.integer(i);
  if (!Number.isNaN(small)) return small;
  const wide = args.int64(i);
  if (wide === null) throw commandError(error);
  return Number(wide);
}

/** Argument `i` as a 32-bit integer, such as the number of a database. */
export function readInt32(args: Args, i: number): number {
  const value = readInteger(args, i);
  if (value < -INT32_EDGE || value >= INT32_EDGE) throw commandError('int32Range');
  return value;
}

/** Argument `i` as an exact 64-bit integer. Throws notInteger. */
export function readInt64(args: Args, i: number): bigint {
  const value = args.int64(i);
  if (value === null) throw commandError('notInteger');
  return value;
}

/** Whether `text` is an integer as Redis stores it: no sign `+`, no zeros in front, 64 bits. */
export function isInt64Text(text: string): boolean {
  if (text.length < 16) return text === '0' || /^-?[1-9]\d*$/.test(text);
  if (!INT64.test(text)) return false;
  const value = BigInt(text);
  return BigInt.asIntN(64, value) === value;
}
