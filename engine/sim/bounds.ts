/**
 * What a member holds besides its data must not grow with the past: looked at again and again while
 * faults come, and once more when all has settled and nothing should be waiting any more.
 */

import { limits } from '../limits.ts';
import type { SimProcess } from './process.ts';

/** Turns whose writes were not safe when they ended; a sync takes 25 ms here. */
const UNSAFE_VECTORS_MAX = 1000;
/** Frames behind a mark: less than a run has in all. */
const HELD_FRAMES_MAX = 5000;
/** Each member has a link to each other one; dead ones are noticed after some seconds. */
const LINKS_EACH_MAX = 16;

/** The bound that a member has broken; null: none. */
export function checkBounds(process: SimProcess, processes: readonly SimProcess[]): string | null {
  const { member, config } = process;
  if (member === null) return null;
  const held = member.footprint;
  const startsInAll = processes.reduce((sum, { starts }) => sum + starts, 0);
  const bounds: Record<keyof typeof held, number> = {
    backlogBytes: config.backlogBytesMax,
    // One frame more may be sent than fits.
    unackedBytes: limits.unackedBytesMax.value * 2,
    heldFrames: HELD_FRAMES_MAX,
    heldReplyBytes: limits.clientHeldBytesMax.value,
    unsafeVectors: UNSAFE_VECTORS_MAX,
    acceptedPeers: LINKS_EACH_MAX * processes.length,
    actors: startsInAll,
  };
  for (const [name, bound] of Object.entries(bounds)) {
    const value = held[name as keyof typeof held];
    if (value > bound) return `holds ${value} ${name}, at most ${bound} are expected`;
  }
  return null;
}

/** The same when nothing has moved for a while: what still waits, waits for ever. */
export function checkIdle(process: SimProcess): string | null {
  const { member } = process;
  if (member === null) return null;
  const { heldFrames, heldReplyBytes, unsafeVectors } = member.footprint;
  if (heldFrames > 0) return `still holds ${heldFrames} frames behind a mark`;
  if (heldReplyBytes > 0) return `still holds ${heldReplyBytes} bytes of replies`;
  return unsafeVectors > 1 ? `still remembers ${unsafeVectors} vectors that are not safe` : null;
}
