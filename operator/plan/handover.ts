/**
 * Planned changes of a primary: because its pod is about to be replaced or removed, or to balance
 * primaries over zones. Never while anything is unwell, and one at a time: each costs the clients
 * of one shard a moment.
 */
import { type Elected, nextEpoch, zoneLoad } from './election.ts';
import { isUp, membersOf, type Observed, type ObservedPod } from './observed.ts';
import type { ElectionReason } from './step.ts';

/** After any failover, this long without balancing: a zone that flaps must not drag primaries. */
export const BALANCE_QUIET_MS = 60_000;

/** A replica this close behind its primary counts as caught up. */
export const CAUGHT_UP_LAG_OPS_MAX = 100;

/** Adds at most one planned handover to the elections of this round. */
export function withHandover(
  observed: Observed,
  elected: Elected,
  wanted: { members: number; templateOf: (shard: number) => string | null },
): Elected {
  if (elected.elections.length > 0 || elected.waitingFor.length > 0) return elected;
  for (let shard = 0; shard < elected.shards.length; shard++) {
    const move = forReplacement(observed, elected, shard, wanted);
    if (move !== null) return moved(observed, elected, shard, move.to, move.reason);
  }
  const balance = forBalance(observed, elected, wanted);
  return balance === null
    ? elected
    : moved(observed, elected, balance.shard, balance.to, 'ZoneBalance');
}

/** Whether every wanted member of a shard is up and has what the primary has. */
export function isCaughtUp(
  members: readonly ObservedPod[],
  primary: string,
  membersWanted: number,
): boolean {
  const source = members.find(({ name }) => name === primary);
  if (members.length < membersWanted || source === undefined) return false;
  return members.every((pod) => isUp(pod) && (pod === source || follows(pod, source)));
}

/**
 * Whether a replica and its primary have the same ops. Both ways: one that was primary a moment
 * ago may still have ops that the new primary lacks.
 */
function follows(pod: ObservedPod, source: ObservedPod): boolean {
  const { report } = pod.health;
  if (report === null || report.startedEmpty || report.upstream?.connected !== true) return false;
  const sourceOps = source.health.report?.appliedOps ?? 0;
  return (
    report.upstream.lagOps <= CAUGHT_UP_LAG_OPS_MAX &&
    report.appliedOps <= sourceOps + CAUGHT_UP_LAG_OPS_MAX
  );
}

/** The primary is the only member left to replace, or is about to be scaled away. */
function forReplacement(
  observed: Observed,
  { shards }: Elected,
  shard: number,
  wanted: { members: number; templateOf: (shard: number) => string | null },
): { to: string; reason: ElectionReason } | null {
  const members = membersOf(observed, shard);
  const { primary } = shards[shard];
  const source = members.find(({ name }) => name === primary);
  if (source === undefined || !isCaughtUp(members, primary, wanted.members)) return null;
  const staying = members.filter(
    (pod) => pod !== source && pod.ordinal < wanted.members && isUp(pod),
  );
  if (staying.length === 0) return null;
  if (source.ordinal >= wanted.members) return { to: staying[0].name, reason: 'ScaleIn' };
  const template = wanted.templateOf(shard);
  if (template === null || source.template === template) return null;
  const renewed = staying.filter((pod) => pod.template === template);
  return renewed.length === staying.length ? { to: renewed[0].name, reason: 'Rollout' } : null;
}

function forBalance(
  observed: Observed,
  { shards }: Elected,
  wanted: { members: number; templateOf: (shard: number) => string | null },
): { shard: number; to: string } | null {
  const last = Math.max(0, ...observed.record.failovers.map((f) => Date.parse(f.decidedAt)));
  if (observed.nowMs - last < BALANCE_QUIET_MS) return null;
  const well = shards.every(({ primary }, shard) => {
    const members = membersOf(observed, shard);
    // During a rollout primaries move for another reason; the two must not pull both ways.
    const current = members.every(({ template }) => template === wanted.templateOf(shard));
    return current && isCaughtUp(members, primary, wanted.members);
  });
  if (!well) return null;
  const load = zoneLoad(observed, shards);
  const of = (zone: string) => load.get(zone) ?? 0;
  for (let shard = 0; shard < shards.length; shard++) {
    const members = membersOf(observed, shard);
    const source = members.find(({ name }) => name === shards[shard].primary);
    const better = members
      .filter((pod) => source !== undefined && of(source.zone) - of(pod.zone) >= 2)
      .sort((a, b) => of(a.zone) - of(b.zone) || a.ordinal - b.ordinal);
    if (better.length > 0) return { shard, to: better[0].name };
  }
  return null;
}

function moved(
  observed: Observed,
  elected: Elected,
  shard: number,
  to: string,
  reason: ElectionReason,
): Elected {
  const now = elected.shards[shard];
  const next = { epoch: nextEpoch(now.epoch, membersOf(observed, shard)), primary: to };
  return {
    shards: elected.shards.with(shard, next),
    elections: [{ shard, from: now.primary, to, reason }],
    waitingFor: elected.waitingFor,
  };
}
