/**
 * A cluster on paper, for the tests of the planner: it carries out steps as Kubernetes and the
 * engines would, and keeps the truth that the planner must not violate.
 */
import { type SpecInput, specSchema } from '../api/schema.ts';
import { type Build, specForRegion } from '../specs/build.ts';
import { claimName, memberName, TEMPLATE_ANNOTATION } from '../specs/names.ts';
import {
  type EngineReport,
  isUp,
  type LiveObject,
  membersOf,
  type Observed,
  type ObservedPod,
} from './observed.ts';
import { type PlanInput, plan } from './plan.ts';
import type { Plan, Step } from './step.ts';

export const ZONES = ['a', 'b', 'c'];
export const START_MS = Date.UTC(2026, 0, 1);

export type World = {
  build: Build;
  observed: Observed;
  /** Grows with each pod made, for names of uids and addresses. */
  made: number;
};

export function report(changes: Partial<EngineReport> = {}): EngineReport {
  return {
    role: 'starting',
    mapVersion: 0,
    epoch: 0,
    appliedOps: 0,
    memoryBytes: 0,
    startedEmpty: true,
    uptimeMs: 1,
    firstWriteAtMs: null,
    upstream: null,
    peers: [],
    ...changes,
  };
}

/** A world with three nodes, one in each zone, and nothing made yet. */
export function newWorld(spec: Partial<SpecInput> = {}): World {
  const full = specSchema.parse({ regions: [{ name: 'eu', number: 1 }], shards: 2, ...spec });
  return {
    build: {
      owner: { name: 'carts', namespace: 'shop', uid: 'uid-carts' },
      spec: specForRegion(full, 'eu'),
      fullSpec: full,
      region: { name: 'eu', number: 1 },
      engineImage: 'meridian-engine:dev',
      zonesKnown: true,
    },
    observed: {
      nowMs: START_MS,
      objects: [],
      pods: [],
      nodes: ZONES.map((zone) => ({
        name: `node-${zone}`,
        zone,
        ready: true,
        notReadySinceMs: null,
      })),
      claims: [],
      record: { version: 0, digest: '', shards: [], failovers: [] },
    },
    made: 0,
  };
}

export const planOf = (world: World, frozen: PlanInput['frozen'] = null): Plan =>
  plan({ build: world.build, observed: world.observed, frozen });

/** Runs plans until there is nothing to do; fails when that takes too long. */
export function settle(world: World, roundsMax = 60, onStep?: (step: Step) => void): number {
  for (let round = 0; round < roundsMax; round++) {
    const { steps } = planOf(world);
    for (const step of steps) {
      onStep?.(step);
      carryOut(world, step);
    }
    const before = JSON.stringify(world.observed);
    pass(world, 1_000);
    if (steps.length === 0 && JSON.stringify({ ...world.observed, nowMs: 0 }) === zeroed(before)) {
      return round;
    }
  }
  const { steps } = planOf(world);
  throw new Error(`not settled after ${roundsMax} rounds: ${JSON.stringify(steps).slice(0, 600)}`);
}

const zeroed = (text: string) => JSON.stringify({ ...JSON.parse(text), nowMs: 0 });

/** Carries out one step. */
export function carryOut(world: World, step: Step): void {
  const { observed } = world;
  switch (step.kind) {
    case 'apply': {
      const object = structuredClone(step.object) as unknown as LiveObject;
      const others = observed.objects.filter(
        ({ kind, metadata }) => kind !== object.kind || metadata.name !== object.metadata.name,
      );
      world.observed = { ...observed, objects: [...others, object] };
      break;
    }
    case 'delete':
      if (step.object === 'Pod') {
        const pods = observed.pods.filter(({ uid }) => uid !== step.uid);
        world.observed = { ...observed, pods };
      } else {
        const claims = observed.claims.filter(({ uid }) => uid !== step.uid);
        world.observed = { ...observed, claims };
      }
      break;
    case 'record':
      world.observed = { ...observed, record: step.record };
      break;
    case 'push': {
      const names = new Set(step.targets.map(({ name }) => name));
      change(world, (pod) => {
        if (!names.has(pod.name) || pod.health.liveness !== 'up') return pod;
        const shard = step.document.shards[pod.shard];
        return withReport(pod, {
          mapVersion: step.document.version,
          epoch: shard?.epoch ?? 0,
          role: pod.shard < 0 ? 'proxy' : shard.primary === pod.name ? 'primary' : 'replica',
        });
      });
    }
  }
}

/** Lets time pass: controllers make pods, pods come up, replicas catch up. */
export function pass(world: World, ms: number): void {
  world.observed = { ...world.observed, nowMs: world.observed.nowMs + ms };
  change(world, (pod) => {
    const node = world.observed.nodes.find(({ name }) => name === pod.node);
    if (pod.health.liveness !== 'unknown' || node?.ready !== true) return pod;
    const hadData = pod.component === 'shard' && pod.health.reportAtMs === -1;
    const fresh = report({ startedEmpty: !hadData, appliedOps: hadData ? 50 : 0 });
    const up = { ...pod, ready: true };
    return { ...up, health: { ...pod.health, liveness: 'up', report: fresh, reportAtMs: 0 } };
  });
  catchUp(world);
  makePods(world);
}

function catchUp(world: World): void {
  const { shards } = world.observed.record;
  change(world, (pod) => {
    const primary = shards[pod.shard]?.primary;
    const source = world.observed.pods.find(({ name }) => name === primary);
    if (pod.shard < 0 || source === undefined || !isUp(source) || !isUp(pod)) return pod;
    if (source.health.report?.role !== 'primary') return pod;
    const ops = Math.max(source.health.report.appliedOps, pod.health.report?.appliedOps ?? 0);
    if (pod.name === primary) {
      const all = membersOf(world.observed, pod.shard).filter(isUp);
      const most = Math.max(...all.map(({ health }) => health.report?.appliedOps ?? 0));
      return withReport(pod, { appliedOps: most });
    }
    if (pod.health.report?.role !== 'replica') return pod;
    const upstream = { connected: true, lagOps: 0 };
    return withReport(pod, { appliedOps: ops, startedEmpty: false, upstream });
  });
}

function makePods(world: World): void {
  const { build, observed } = world;
  for (const object of observed.objects) {
    if (object.kind !== 'StatefulSet' && object.kind !== 'Deployment') continue;
    const spec = object.spec as {
      replicas: number;
      template: { metadata: LiveObject['metadata'] };
    };
    const isShard = object.kind === 'StatefulSet';
    const shard = isShard ? Number(object.metadata.name.split('-').pop()) : -1;
    for (let ordinal = 0; ordinal < spec.replicas; ordinal++) {
      const name = isShard
        ? memberName(build.owner, shard, ordinal)
        : `${build.owner.name}-proxy-${ordinal}`;
      if (world.observed.pods.some((pod) => pod.name === name)) continue;
      addPod(world, { name, shard, ordinal, template: spec.template.metadata.annotations ?? {} });
    }
    change(world, (pod) => (pod.shard === shard && pod.ordinal >= spec.replicas ? null : pod));
  }
}

function addPod(
  world: World,
  made: { name: string; shard: number; ordinal: number; template: Record<string, string> },
): void {
  const { observed, build } = world;
  const claim = observed.claims.find(({ name }) => name === claimName(made.name));
  const free = observed.nodes.filter(({ ready }) => ready);
  const node = claim
    ? observed.nodes.find(({ name }) => name === claim.node)
    : free[(made.ordinal + Math.max(0, made.shard)) % Math.max(1, free.length)];
  if (node === undefined) return;
  world.made++;
  const pod: ObservedPod = {
    name: made.name,
    uid: `pod-${world.made}`,
    component: made.shard < 0 ? 'proxy' : 'shard',
    shard: made.shard,
    ordinal: made.ordinal,
    node: node.name,
    zone: node.zone,
    ip: `10.0.0.${world.made}`,
    ready: false,
    deleting: false,
    running: true,
    template: made.template[TEMPLATE_ANNOTATION],
    createdAtMs: observed.nowMs,
    health: {
      liveness: 'unknown',
      suspectedAtMs: null,
      failure: null,
      report: null,
      // -1 marks a pod that finds data on its volume.
      reportAtMs: claim ? -1 : 0,
    },
  };
  const storage = made.shard >= 0 && build.spec.persistence.storage !== undefined;
  const added =
    storage && !claim
      ? [
          {
            name: claimName(made.name),
            uid: `claim-${world.made}`,
            node: node.name,
            deleting: false,
          },
        ]
      : [];
  world.observed = {
    ...observed,
    pods: [...observed.pods, pod],
    claims: [...observed.claims, ...added],
  };
}

/** Changes pods one by one; null removes. */
export function change(world: World, edit: (pod: ObservedPod) => ObservedPod | null): void {
  const pods = world.observed.pods.map(edit).filter((pod) => pod !== null);
  world.observed = { ...world.observed, pods };
}

export function withReport(pod: ObservedPod, changes: Partial<EngineReport>): ObservedPod {
  const merged = report({ ...(pod.health.report ?? {}), ...changes });
  return { ...pod, health: { ...pod.health, report: merged } };
}

/** The process of a member dies; its last report stays known, as it does in the operator. */
export function kill(world: World, name: string, failure: 'refused' | 'timeout' = 'refused'): void {
  const suspectedAtMs = world.observed.nowMs;
  change(world, (pod) =>
    pod.name === name
      ? {
          ...pod,
          ready: false,
          health: { ...pod.health, liveness: 'dead', failure, suspectedAtMs },
        }
      : pod,
  );
}

/** A node goes away and everything on it. */
export function killNode(world: World, node: string): void {
  for (const pod of world.observed.pods) if (pod.node === node) kill(world, pod.name, 'timeout');
  const nodes = world.observed.nodes.map((other) =>
    other.name === node ? { ...other, ready: false, notReadySinceMs: world.observed.nowMs } : other,
  );
  world.observed = { ...world.observed, nodes };
}

/** Gives every member that is up some data, as after a while of writes. */
export function write(world: World, ops: number): void {
  change(world, (pod) =>
    pod.shard >= 0 && isUp(pod) ? withReport(pod, { appliedOps: ops }) : pod,
  );
}

export const primaryOf = (world: World, shard: number): string =>
  world.observed.record.shards[shard]?.primary ?? '';
