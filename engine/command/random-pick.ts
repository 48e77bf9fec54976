/**
 * Random elements as HRANDFIELD and SRANDMEMBER count them: a positive count asks for that many
 * different ones, a negative one for that many draws, which may repeat.
 */
import type { Args } from '../resp/args.ts';
import { commandError } from './errors.ts';
import { readInteger } from './numbers.ts';

/** Draws that one command may ask for; Redis has no limit here, and may be stopped that way. */
export const DRAWS_MAX = 10_000_000;

const INT64_MIN = -(2n ** 63n);

/** The count argument; below zero it is bounded by DRAWS_MAX. */
export function readRandomCount(args: Args, i: number): number {
  const count = readInteger(args, i);
  if (args.int64(i) === INT64_MIN) throw commandError('int64Range');
  if (count < -DRAWS_MAX) throw commandError('outOfRange');
  return count;
}
