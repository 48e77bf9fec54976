/**
 * What happens if one zone or one node is lost now: how many shards would still have a member
 * that can take the writes, and how many would have no copy left in this region.
 */
import type { Loss } from '../api/status-schema.ts';
import { isComplete, membersOf, type Observed, type ObservedPod } from '../plan/observed.ts';

const LOSSES_MAX = 64;

/** One line for each zone and node that holds a member, zones first; the worst losses first. */
export function survivability(observed: Observed, shards: number): Loss[] {
  const members = observed.pods.filter(({ component }) => component === 'shard');
  const zones = distinct(members.map(({ zone }) => zone));
  const nodes = distinct(members.map(({ node }) => node));
  const losses = [
    ...zones.map((zone) => lossOf(observed, shards, `zone/${zone}`, (pod) => pod.zone === zone)),
    ...nodes.map((node) => lossOf(observed, shards, `node/${node}`, (pod) => pod.node === node)),
  ];
  return losses
    .sort((a, b) => b.lastCopies - a.lastCopies || a.writers - b.writers || compare(a.lose, b.lose))
    .slice(0, LOSSES_MAX);
}

function lossOf(
  observed: Observed,
  shards: number,
  lose: string,
  isLost: (pod: ObservedPod) => boolean,
): Loss {
  let writers = 0;
  let lastCopies = 0;
  for (let shard = 0; shard < shards; shard++) {
    const complete = membersOf(observed, shard).filter((pod) => isComplete(observed, pod));
    const left = complete.filter((pod) => !isLost(pod));
    if (left.length > 0) writers++;
    else if (complete.length > 0) lastCopies++;
  }
  return { lose, writers, lastCopies };
}

const distinct = (values: readonly string[]): string[] =>
  [...new Set(values.filter((value) => value !== ''))].sort();

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
