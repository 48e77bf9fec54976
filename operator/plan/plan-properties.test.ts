/** The planner's promises, over random databases, disasters, and crashes of the operator. */
import fc from 'fast-check';
import { isComplete, isUp, membersOf } from './observed.ts';
import type { Step } from './step.ts';
import {
  carryOut,
  change,
  kill,
  killNode,
  newWorld,
  pass,
  planOf,
  primaryOf,
  settle,
  type World,
  write,
} from './world.ts';

const database = fc.record({
  shards: fc.integer({ min: 1, max: 3 }),
  replicas: fc.integer({ min: 0, max: 2 }),
  stored: fc.boolean(),
});

const disaster = fc.oneof(
  fc.record({ kind: fc.constant('kill' as const), at: fc.nat(8) }),
  fc.record({ kind: fc.constant('node' as const), at: fc.nat(2) }),
  fc.record({ kind: fc.constant('heal' as const), at: fc.constant(0) }),
  fc.record({ kind: fc.constant('image' as const), at: fc.nat(3) }),
  fc.record({ kind: fc.constant('replicas' as const), at: fc.nat(2) }),
  fc.record({ kind: fc.constant('later' as const), at: fc.constant(0) }),
);

type Disaster = typeof disaster extends fc.Arbitrary<infer T> ? T : never;

const RUNS = { numRuns: 60, seed: 7 };

function start({
  shards,
  replicas,
  stored,
}: {
  shards: number;
  replicas: number;
  stored: boolean;
}) {
  const persistence = stored ? { storage: { size: '2Gi' } } : {};
  const world = newWorld({ shards, replicas, persistence });
  settle(world);
  write(world, 100);
  return world;
}

function strike(world: World, { kind, at }: Disaster): void {
  const { observed } = world;
  switch (kind) {
    case 'kill': {
      const members = observed.pods.filter(({ shard }) => shard >= 0);
      if (members.length > 0) kill(world, members[at % members.length].name);
      break;
    }
    case 'node':
      killNode(world, observed.nodes[at].name);
      break;
    case 'heal':
      heal(world);
      break;
    case 'image':
      world.build = { ...world.build, engineImage: `meridian-engine:${at}` };
      break;
    case 'replicas':
      world.build = { ...world.build, spec: { ...world.build.spec, replicas: at } };
      break;
    case 'later':
      world.observed = { ...observed, nowMs: observed.nowMs + 400_000 };
  }
}

function heal(world: World): void {
  const nodes = world.observed.nodes.map((node) => ({
    ...node,
    ready: true,
    notReadySinceMs: null,
  }));
  world.observed = { ...world.observed, nodes };
  change(world, (pod) =>
    pod.health.liveness === 'dead'
      ? { ...pod, ready: true, health: { ...pod.health, liveness: 'up', suspectedAtMs: null } }
      : pod,
  );
}

/** What must hold at the moment when a step is carried out. */
function check(world: World, step: Step): void {
  if (step.kind === 'delete' && step.object === 'Pod') {
    const pod = world.observed.pods.find(({ uid }) => uid === step.uid);
    if (pod === undefined) return;
    const others = membersOf(world.observed, pod.shard).filter(({ uid }) => uid !== pod.uid);
    const otherCopy = others.some((other) => isComplete(world.observed, other));
    const keepsData = world.observed.claims.some(({ name }) => name === `data-${pod.name}`);
    const held = (pod.health.report?.appliedOps ?? 0) > 0;
    // Never the last copy.
    expect(otherCopy || keepsData || !held).toBe(true);
    // Never a second member down by our doing.
    if (isUp(pod)) expect(others.every(isUp)).toBe(true);
  }
  if (step.kind === 'delete' && step.object === 'PersistentVolumeClaim') {
    const member = step.name.slice('data-'.length);
    const pod = world.observed.pods.find(({ name }) => name === member);
    const others = membersOf(world.observed, pod?.shard ?? -1).filter((o) => o.name !== member);
    const held = (pod?.health.report?.appliedOps ?? 0) > 0;
    expect(!held || others.some((other) => isComplete(world.observed, other))).toBe(true);
  }
  if (step.kind === 'apply' && step.object.kind === 'StatefulSet') {
    const shard = Number(step.object.metadata.name.split('-').pop());
    const replicas = Number(step.object.spec.replicas);
    const members = membersOf(world.observed, shard);
    expect(members.filter(({ ordinal }) => ordinal >= replicas).length).toBeLessThanOrEqual(1);
  }
  if (step.kind === 'record') {
    for (const { shard, to } of step.elections) {
      const members = membersOf(world.observed, shard);
      const chosen = members.find(({ name }) => name === to);
      const better = members.some(
        (o) => isUp(o) && o.name !== to && o.health.report?.startedEmpty === false,
      );
      expect(chosen !== undefined && isUp(chosen)).toBe(true);
      expect(chosen?.health.report?.startedEmpty === true && better).toBe(false);
    }
  }
}

describe('the planner, whatever happens,', () => {
  test('comes to rest, and then has nothing to do', () => {
    fc.assert(
      fc.property(database, fc.array(disaster, { maxLength: 5 }), (spec, disasters) => {
        const world = start(spec);
        for (const one of disasters) {
          strike(world, one);
          settle(world, 120, (step) => check(world, step));
        }
        expect(planOf(world).steps).toEqual([]);
      }),
      RUNS,
    );
  });

  test('can crash after any step and still ends in the same place', () => {
    fc.assert(
      fc.property(
        database,
        fc.array(disaster, { maxLength: 4 }),
        fc.array(fc.nat(12), { minLength: 1, maxLength: 12 }),
        (spec, disasters, crashes) => {
          const world = start(spec);
          for (const one of disasters) strike(world, one);
          for (const count of crashes) {
            for (const step of planOf(world).steps.slice(0, count)) {
              check(world, step);
              carryOut(world, step);
            }
            pass(world, 500);
          }
          settle(world, 120, (step) => check(world, step));
          expect(planOf(world).steps).toEqual([]);
        },
      ),
      RUNS,
    );
  });

  test('ends with every shard that has a member up served by one of them', () => {
    fc.assert(
      fc.property(database, fc.array(disaster, { maxLength: 5 }), (spec, disasters) => {
        const world = start(spec);
        for (const one of disasters) strike(world, one);
        settle(world, 120);
        heal(world);
        settle(world, 120);
        for (let shard = 0; shard < spec.shards; shard++) {
          const primary = membersOf(world.observed, shard).find(
            ({ name }) => name === primaryOf(world, shard),
          );
          expect(primary !== undefined && isUp(primary)).toBe(true);
        }
      }),
      RUNS,
    );
  });

  test('never lowers an epoch or a version', () => {
    fc.assert(
      fc.property(database, fc.array(disaster, { maxLength: 5 }), (spec, disasters) => {
        const world = start(spec);
        for (const one of disasters) {
          strike(world, one);
          settle(world, 120, (step) => {
            if (step.kind !== 'record') return;
            const before = world.observed.record;
            expect(step.record.version).toBeGreaterThan(before.version);
            step.record.shards.forEach(({ epoch, primary }, shard) => {
              const was = before.shards[shard];
              if (was === undefined) return;
              expect(epoch).toBeGreaterThanOrEqual(was.epoch);
              if (primary !== was.primary) expect(epoch).toBeGreaterThan(was.epoch);
            });
          });
        }
      }),
      RUNS,
    );
  });

  test('does not change its inputs, and gives the same plan for the same input', () => {
    fc.assert(
      fc.property(database, fc.array(disaster, { maxLength: 3 }), (spec, disasters) => {
        const world = start(spec);
        for (const one of disasters) strike(world, one);
        const before = structuredClone(world);
        expect(planOf(world)).toEqual(planOf(world));
        expect(world).toEqual(before);
      }),
      RUNS,
    );
  });
});
