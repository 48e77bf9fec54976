/** The conditions of a database as a pure function of what was seen and planned. */

import type { ConditionType, ReasonOf } from '../api/condition.ts';
import type { Spec } from '../api/schema.ts';
import type { Condition, RegionStatus } from '../api/status-schema.ts';
import { explain, type FieldError } from '../api/validate.ts';
import { isUp, membersOf, type Observed, proxiesOf } from '../plan/observed.ts';
import { describe, isRouting, type Plan } from '../plan/step.ts';

const MESSAGE_LENGTH_MAX = 1_000;

export type Judged = {
  readonly type: ConditionType;
  readonly status: 'True' | 'False' | 'Unknown';
  readonly reason: string;
  readonly message: string;
};

export type ConditionInput = {
  /** The spec in force, with overrides folded in; null when there never was a valid one. */
  readonly spec: Spec | null;
  readonly observed: Observed;
  readonly plan: Plan;
  readonly errors: readonly FieldError[];
  readonly missingSecrets: readonly string[];
  /** The zone label that no node has, or null. */
  readonly missingZoneKey: string | null;
  /** The step that failed this time and why, or null. */
  readonly failure: string | null;
  readonly regions: readonly RegionStatus[];
  readonly planOnly: boolean;
};

/** All conditions, in a fixed order. */
export function judgeConditions(input: ConditionInput): Judged[] {
  const valid = specValid(input);
  if (input.spec === null) {
    const message = 'there is no valid spec yet';
    const reason = 'Starting';
    return [{ type: 'Ready', status: 'False', reason, message }, valid];
  }
  return [
    ready(input, input.spec),
    progressing(input),
    degraded(input, input.spec),
    converged(input),
    zonesSpread(input, input.spec),
    peersConnected(input),
    valid,
  ];
}

/** Keeps the time of each condition whose status has not changed. */
export function withTimes(
  judged: readonly Judged[],
  before: readonly Condition[],
  generation: number,
  nowMs: number,
): Condition[] {
  return judged.map((one) => {
    const last = before.find(({ type }) => type === one.type);
    return {
      ...one,
      message: one.message.slice(0, MESSAGE_LENGTH_MAX),
      observedGeneration: generation,
      lastTransitionTime:
        last?.status === one.status ? last.lastTransitionTime : new Date(nowMs).toISOString(),
    };
  });
}

/** Shards whose recorded primary answers, knows it is primary, and is not on its way out. */
export function shardsServing(observed: Observed, shards: number): number[] {
  return Array.from({ length: shards }, (_, shard) => shard).filter((shard) => {
    const name = observed.record.shards[shard]?.primary ?? '';
    const pod = membersOf(observed, shard).find((member) => member.name === name);
    return pod !== undefined && isUp(pod) && pod.health.report?.role === 'primary';
  });
}

function judged<Type extends ConditionType>(
  type: Type,
  status: Judged['status'],
  reason: ReasonOf<Type>,
  message: string,
): Judged {
  return { type, status, reason, message };
}

function ready({ observed }: ConditionInput, spec: Spec): Judged {
  const serving = shardsServing(observed, spec.shards);
  const proxies = proxiesOf(observed).filter((pod) => isUp(pod) && pod.ready);
  if (observed.record.version === 0) {
    return judged('Ready', 'False', 'Starting', 'no primary has been chosen yet');
  }
  if (serving.length < spec.shards) {
    const missing = observed.record.shards.map((_, shard) => shard);
    const list = missing.filter((shard) => !serving.includes(shard)).join(', ');
    return judged('Ready', 'False', 'ShardWithoutPrimary', `shards without a primary: ${list}`);
  }
  if (proxies.length === 0) {
    return judged('Ready', 'False', 'NoProxyReady', 'no proxy is ready');
  }
  return judged('Ready', 'True', 'Serving', `${spec.shards} shards take writes`);
}

function progressing({ plan, failure, planOnly }: ConditionInput): Judged {
  if (failure !== null) return judged('Progressing', 'True', 'StepFailed', failure);
  const steps = plan.steps.filter((step) => !isRouting(step));
  if (planOnly && steps.length > 0) {
    const message = `${steps.length} steps are planned; see status.plan`;
    return judged('Progressing', 'False', 'PlanOnly', message);
  }
  if (steps.length > 0) {
    const message = steps.map((step) => `${describe(step)}: ${step.reason}`).join('; ');
    return judged('Progressing', 'True', 'Changing', message);
  }
  if (plan.waitingFor.length > 0) {
    const message = plan.waitingFor.map(({ on, reason }) => `${on}: ${reason}`).join('; ');
    return judged('Progressing', 'True', 'Waiting', message);
  }
  return judged('Progressing', 'False', 'UpToDate', 'everything is as the spec wants it');
}

function degraded({ observed }: ConditionInput, spec: Spec): Judged {
  if (observed.record.version === 0) {
    return judged('Degraded', 'True', 'Starting', 'members are being made');
  }
  const down: string[] = [];
  for (let shard = 0; shard < spec.shards; shard++) {
    const up = membersOf(observed, shard).filter(isUp).length;
    if (up < spec.replicas + 1) down.push(`shard ${shard} has ${up} of ${spec.replicas + 1}`);
  }
  if (down.length > 0) {
    return judged('Degraded', 'True', 'MembersDown', `members up: ${down.join(', ')}`);
  }
  const proxies = proxiesOf(observed).filter(isUp).length;
  if (proxies < spec.proxies.replicas) {
    const message = `${proxies} of ${spec.proxies.replicas} proxies are up`;
    return judged('Degraded', 'True', 'ProxiesDown', message);
  }
  return judged('Degraded', 'False', 'FullRedundancy', 'all members and proxies are up');
}

function converged({ spec, regions }: ConditionInput): Judged {
  if (spec?.regions.length === 1) {
    return judged('Converged', 'True', 'NoOtherRegion', 'there is only this region');
  }
  if (regions.length === 0) {
    return judged('Converged', 'Unknown', 'NotKnown', 'no primary has reported on its links');
  }
  const apart = regions.filter(({ connected }) => !connected).map(({ name }) => name);
  if (apart.length > 0) {
    const message = `no exchange with ${apart.join(', ')}`;
    return judged('Converged', 'False', 'RegionDisconnected', message);
  }
  // Ops in flight under load are no divergence: only what is older than a second counts.
  const behind = regions.filter(({ lagMs }) => lagMs > 1_000).map(({ name }) => name);
  return behind.length > 0
    ? judged('Converged', 'False', 'Behind', `more than 1 s behind ${behind.join(', ')}`)
    : judged('Converged', 'True', 'CaughtUp', 'ops of all regions have arrived');
}

function peersConnected({ spec, regions }: ConditionInput): Judged {
  if (spec?.regions.length === 1) {
    return judged('PeersConnected', 'True', 'NoOtherRegion', 'there is only this region');
  }
  if (regions.length === 0) {
    return judged('PeersConnected', 'Unknown', 'NotKnown', 'no primary has reported on its links');
  }
  const apart = regions.filter(({ connected }) => !connected).map(({ name }) => name);
  return apart.length > 0
    ? judged('PeersConnected', 'False', 'RegionDisconnected', `cut off from ${apart.join(', ')}`)
    : judged('PeersConnected', 'True', 'AllConnected', `${regions.length} regions connected`);
}

function zonesSpread({ observed, missingZoneKey }: ConditionInput, spec: Spec): Judged {
  if (missingZoneKey !== null) {
    const message =
      `spec.placement.zoneKey: no node has the label "${missingZoneKey}"; ` +
      'label the nodes or correct the key';
    return judged('ZonesSpread', 'False', 'ZoneKeyMissing', message);
  }
  const zones = new Set(observed.nodes.map(({ zone }) => zone).filter((zone) => zone !== ''));
  const shared: number[] = [];
  for (let shard = 0; shard < spec.shards; shard++) {
    const members = membersOf(observed, shard);
    if (members.length === 0 || members.some(({ zone }) => zone === '')) {
      return judged('ZonesSpread', 'Unknown', 'NotKnown', 'members have not been placed yet');
    }
    if (new Set(members.map(({ zone }) => zone)).size < members.length) shared.push(shard);
  }
  if (shared.length === 0) {
    return judged('ZonesSpread', 'True', 'Spread', 'members of each shard are in different zones');
  }
  const list = shared.join(', ');
  return zones.size < spec.replicas + 1
    ? judged(
        'ZonesSpread',
        'False',
        'TooFewZones',
        `${zones.size} zones for ${spec.replicas + 1} members of a shard; ` +
          'add zones or lower replicas',
      )
    : judged('ZonesSpread', 'False', 'ZoneShared', `members of shards ${list} share a zone`);
}

function specValid({ errors, missingSecrets }: ConditionInput): Judged {
  if (errors.length > 0) {
    return judged('SpecValid', 'False', 'Invalid', errors.map(explain).join('; '));
  }
  if (missingSecrets.length > 0) {
    const message = `${missingSecrets.join('; ')}; create it`;
    return judged('SpecValid', 'False', 'SecretMissing', message);
  }
  return judged('SpecValid', 'True', 'Valid', 'the spec can be run');
}
