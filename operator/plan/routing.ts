/**
 * The part of the plan that fails over: elections, the record of a new map, and pushing it.
 *
 * Record first, push after: what members were told must be what the next operator finds. A target
 * that reports an older version gets the map again, so a restarted pod needs no special case.
 */
import type { FailoverRecord } from '../api/status-schema.ts';
import type { Build } from '../specs/build.ts';
import { MEMBER_PORT } from '../specs/names.ts';
import { elect } from './election.ts';
import { withHandover } from './handover.ts';
import { buildMap, mapDigest } from './map.ts';
import type { MapRecord, Observed, ObservedPod } from './observed.ts';
import type { Election, Plan, Step } from './step.ts';

export const FAILOVERS_KEPT_MAX = 10;
const FIRST_ELECTION_RETRY_MS = 2_000;

/** Elections, record and pushes that are due now. */
export function planRouting(
  build: Build,
  observed: Observed,
  templateOf: (shard: number) => string | null,
): Plan {
  const { spec } = build;
  const members = spec.replicas + 1;
  const storage = spec.persistence.storage !== undefined;
  const wanted = { shards: spec.shards, members, storage };
  const elected = withHandover(observed, elect(observed, wanted), { members, templateOf });
  const steps: Step[] = [];
  const { record } = observed;
  let { version } = record;
  const reportedMax = Math.max(0, ...observed.pods.map((p) => p.health.report?.mapVersion ?? 0));
  const digest = mapDigest(buildMap(build, observed, elected.shards, 0));
  // Before there is any primary a map would tell nobody anything.
  const useful = elected.shards.some(({ primary }) => primary !== '');
  if (useful && (digest !== record.digest || reportedMax > record.version)) {
    version = Math.max(record.version, reportedMax) + 1;
    const next: MapRecord = {
      version,
      digest,
      shards: elected.shards,
      failovers: withFailovers(observed, elected.elections),
    };
    const reason = whyRecord(elected.elections, record, reportedMax);
    steps.push({ kind: 'record', record: next, elections: elected.elections, reason });
  }
  const targets = observed.pods.filter((pod) => needsMap(pod, version));
  if (version > 0 && targets.length > 0) {
    steps.push({
      kind: 'push',
      document: buildMap(build, observed, elected.shards, version),
      targets: targets.map(({ name, ip }) => ({ name, host: ip, port: MEMBER_PORT })),
      reason: 'they have an older map',
    });
  }
  return {
    steps,
    waitingFor: elected.waitingFor,
    requeueAfterMs: elected.waitingFor.length > 0 ? FIRST_ELECTION_RETRY_MS : null,
  };
}

function needsMap({ ip, running, health }: ObservedPod, version: number): boolean {
  if (ip === '' || !running || health.liveness === 'dead' || health.report === null) return false;
  return health.report.mapVersion < version;
}

function whyRecord(elections: readonly Election[], record: MapRecord, reportedMax: number): string {
  if (elections.length > 0) {
    return elections
      .map(({ shard, to, reason }) => `${to} becomes primary of shard ${shard}: ${reason}`)
      .join('; ');
  }
  if (reportedMax > record.version) return `a member has map ${reportedMax}, newer than the record`;
  return 'members, addresses or regions changed';
}

/** Planned moves are no failovers; everything else is kept, newest first. */
function withFailovers(observed: Observed, elections: readonly Election[]): FailoverRecord[] {
  const planned = new Set(['Initial', 'ZoneBalance', 'Rollout', 'ScaleIn']);
  const added = elections
    .filter(({ reason }) => !planned.has(reason))
    .map(({ shard, from, to, reason }) => {
      const pod = observed.pods.find(({ name }) => name === from);
      const suspectedAtMs = pod?.health.suspectedAtMs ?? null;
      return {
        shard,
        from,
        to,
        reason,
        ...(suspectedAtMs === null ? {} : { suspectedAt: new Date(suspectedAtMs).toISOString() }),
        decidedAt: new Date(observed.nowMs).toISOString(),
      };
    });
  return [...added, ...observed.record.failovers].slice(0, FAILOVERS_KEPT_MAX);
}
