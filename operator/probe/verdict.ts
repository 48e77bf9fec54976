/**
 * Is it dead? The operator's own probe must have failed, and a majority of those who talk to the
 * process as well (proxies, members of its shard) must agree. Views that could not be had do not
 * count. When there is no view at all the own probe decides, but only after one failure more.
 *
 * Quick is safe here: a wrong verdict makes a second primary, whose writes merge.
 */
import type { Liveness } from '../plan/observed.ts';

/** Missed pings that make a failed probe; a refused or reset connection is one at once. */
export const MISSES_SUSPECT = 2;
const MISSES_ALONE = 3;

/** `views`: for each that could be asked, whether it sees the process up. */
export function judge(
  own: { readonly failing: boolean; readonly misses: number },
  views: readonly boolean[],
): Liveness {
  if (!own.failing) return 'up';
  if (views.length === 0) return own.misses >= MISSES_ALONE ? 'dead' : 'suspected';
  const against = views.filter((up) => !up).length;
  return against * 2 > views.length ? 'dead' : 'suspected';
}
