/**
 * The status of a database: a pure function of what was seen, planned, and written before.
 *
 * The persisted part of the map (version, digest, epochs, primaries, failovers) is copied from the
 * record and never made up here.
 */
import type { FailoverRecord, ShardStatus, Status } from '../api/status-schema.ts';
import { isUp, type MapRecord, membersOf, type Observed } from '../plan/observed.ts';
import { describe, type Plan } from '../plan/step.ts';
import { slotRange } from '../specs/names.ts';
import { type ConditionInput, judgeConditions, shardsServing, withTimes } from './conditions.ts';
import { regionLinks, worstLag } from './links.ts';
import { survivability } from './survivability.ts';

const MEBIBYTE = 2 ** 20;
const PLAN_STEPS_MAX = 128;

export type StatusInput = Omit<ConditionInput, 'regions'> & {
  readonly region: string;
  readonly generation: number;
  readonly before: Status;
};

/** The whole status. */
export function computeStatus(input: StatusInput): Status {
  const { spec, observed, before, plan } = input;
  const regions = spec === null ? [] : regionLinks(spec, input.region, observed);
  const judged = judgeConditions({ ...input, regions });
  const connected = regions.filter((region) => region.connected).length;
  const others = (spec?.regions.length ?? 1) - 1;
  const { record } = observed;
  const count = spec?.shards ?? record.shards.length;
  return {
    observedGeneration: input.generation,
    shardsReady: `${shardsServing(observed, count).length}/${count}`,
    regionsConnected: `${connected}/${others}`,
    worstLag: worstLag(regions),
    ...recordFields(record, before),
    conditions: withTimes(judged, before.conditions, input.generation, observed.nowMs),
    regions,
    shards: record.shards.map((shard, index) => shardStatus(observed, shard, index, count)),
    survivability: survivability(observed, count),
    failovers: withFirstWrites(observed),
    ...(input.planOnly ? { plan: plannedSteps(plan) } : {}),
  };
}

/** The status with a new record in it and nothing else changed; for the write before a push. */
export function withRecord(before: Status, record: MapRecord, shards: number): Status {
  return {
    ...before,
    ...recordFields(record, before),
    shards: record.shards.map(({ epoch, primary }, shard) => ({
      slots: slotRange(shard, shards),
      epoch,
      primary,
      members: (before.shards[shard]?.members ?? []).map((member) => ({
        ...member,
        role: member.name === primary ? 'primary' : 'replica',
      })),
    })),
    failovers: [...record.failovers],
  };
}

/** The record in a status that was read back. */
export function recordIn(status: Status): MapRecord {
  return {
    version: status.mapVersion ?? 0,
    digest: status.mapDigest ?? '',
    shards: status.shards.map(({ epoch, primary }) => ({ epoch, primary })),
    failovers: status.failovers,
  };
}

function recordFields(record: MapRecord, before: Status): Partial<Status> {
  if (record.version === 0 && before.mapVersion === undefined) return {};
  return { mapVersion: record.version, mapDigest: record.digest };
}

function shardStatus(
  observed: Observed,
  { epoch, primary }: MapRecord['shards'][number],
  shard: number,
  shards: number,
): ShardStatus {
  return {
    slots: slotRange(shard, shards),
    epoch,
    primary,
    members: membersOf(observed, shard)
      .slice(0, 6)
      .map((pod) => {
        const { report } = pod.health;
        const lagOps = report?.upstream?.lagOps;
        return {
          name: pod.name,
          node: pod.node,
          zone: pod.zone,
          role: pod.name === primary ? ('primary' as const) : ('replica' as const),
          up: isUp(pod),
          ...(lagOps === undefined ? {} : { lagOps: Math.max(0, Math.round(lagOps)) }),
          ...(report === null
            ? {}
            : { memoryBytes: Math.ceil(report.memoryBytes / MEBIBYTE) * MEBIBYTE }),
        };
      }),
  };
}

/** Fills in when the new primary took its first write, once it says so. */
function withFirstWrites({ record, pods }: Observed): FailoverRecord[] {
  return record.failovers.map((failover) => {
    if (failover.firstWriteAt !== undefined) return failover;
    const isLast = record.failovers.find(({ shard }) => shard === failover.shard) === failover;
    const report = pods.find(({ name }) => name === failover.to)?.health.report ?? null;
    const atMs = report?.role === 'primary' ? report.firstWriteAtMs : null;
    if (!isLast || atMs === null || atMs < Date.parse(failover.decidedAt)) return failover;
    return { ...failover, firstWriteAt: new Date(atMs).toISOString() };
  });
}

function plannedSteps(plan: Plan): Status['plan'] {
  return plan.steps.slice(0, PLAN_STEPS_MAX).map((step) => ({
    step: step.kind,
    object: describe(step).slice(0, 300),
    reason: step.reason,
  }));
}
