import { isUp, membersOf } from './observed.ts';
import { describe as describeStep } from './step.ts';
import {
  carryOut,
  change,
  kill,
  killNode,
  newWorld,
  pass,
  planOf,
  primaryOf,
  report,
  settle,
  type World,
  withReport,
  write,
} from './world.ts';

const running = (spec: Parameters<typeof newWorld>[0] = {}): World => {
  const world = newWorld(spec);
  settle(world);
  write(world, 100);
  return world;
};

const failovers = (world: World) => world.observed.record.failovers;
const storage = { persistence: { storage: { size: '2Gi' } } };

describe('a new database', () => {
  test('gets all its objects in one plan', () => {
    const names = planOf(newWorld()).steps.map(describeStep);
    expect(names).toEqual([
      'Service/carts-members',
      'PodDisruptionBudget/carts-0',
      'PodDisruptionBudget/carts-1',
      'StatefulSet/carts-0',
      'StatefulSet/carts-1',
      'PodDisruptionBudget/carts-proxy',
      'Deployment/carts-proxy',
      'Service/carts',
      'Service/carts-peers',
    ]);
  });

  test('gets a first primary of each shard in different zones, and everyone the map', () => {
    const world = running();
    const zones = [0, 1].map(
      (shard) =>
        membersOf(world.observed, shard).find(({ name }) => name === primaryOf(world, shard))?.zone,
    );
    expect(new Set(zones).size).toBe(2);
    const { version } = world.observed.record;
    expect(world.observed.pods.map((pod) => pod.health.report?.mapVersion)).toEqual(
      world.observed.pods.map(() => version),
    );
    expect(failovers(world)).toEqual([]);
  });

  test('waits for both members before the first election, but not for ever', () => {
    const world = newWorld({ shards: 1 });
    for (const step of planOf(world).steps) carryOut(world, step);
    pass(world, 1_000);
    change(world, (pod) =>
      pod.name === 'carts-0-0'
        ? {
            ...pod,
            health: { ...pod.health, liveness: 'up', report: report(), reportAtMs: 1 },
          }
        : pod,
    );
    expect(planOf(world).waitingFor[0].reason).toBe('1 of 2 members are up');
    world.observed = { ...world.observed, nowMs: world.observed.nowMs + 31_000 };
    const record = planOf(world).steps.find((step) => step.kind === 'record');
    expect(record?.kind === 'record' && record.record.shards[0].primary).toBe('carts-0-0');
  });

  test('prefers a member that already has data', () => {
    const world = newWorld({ shards: 1 });
    for (const step of planOf(world).steps) carryOut(world, step);
    pass(world, 1_000);
    pass(world, 1_000);
    change(world, (pod) =>
      pod.name === 'carts-0-1' ? withReport(pod, { appliedOps: 9, startedEmpty: false }) : pod,
    );
    settle(world);
    expect(primaryOf(world, 0)).toBe('carts-0-1');
  });
});

describe('failover', () => {
  test('promotes the replica and pushes the map in one plan', () => {
    const world = running();
    kill(world, primaryOf(world, 0));
    const { steps } = planOf(world);
    expect(steps.map(({ kind }) => kind)).toEqual(['record', 'push']);
    for (const step of steps) carryOut(world, step);
    expect(primaryOf(world, 0)).toBe('carts-0-1');
    expect(failovers(world)[0]).toMatchObject({
      shard: 0,
      from: 'carts-0-0',
      to: 'carts-0-1',
      reason: 'ProcessDied',
    });
  });

  test('raises the epoch above anything a member ever reported', () => {
    const world = running();
    change(world, (pod) => (pod.name === 'carts-0-1' ? withReport(pod, { epoch: 41 }) : pod));
    kill(world, 'carts-0-0');
    settle(world);
    expect(world.observed.record.shards[0].epoch).toBe(42);
  });

  test('only suspects as long as nobody agrees', () => {
    const world = running();
    change(world, (pod) =>
      pod.name === 'carts-0-0'
        ? { ...pod, health: { ...pod.health, liveness: 'suspected', failure: 'timeout' } }
        : pod,
    );
    expect(planOf(world).steps).toEqual([]);
  });

  test('chooses the most applied ops before the balance of zones', () => {
    const world = running({ shards: 1, replicas: 2 });
    change(world, (pod) => (pod.name === 'carts-0-2' ? withReport(pod, { appliedOps: 101 }) : pod));
    kill(world, 'carts-0-0');
    settle(world);
    expect(primaryOf(world, 0)).toBe('carts-0-2');
  });

  test('chooses the zone with fewer primaries among equals', () => {
    const world = running({ shards: 2, replicas: 2 });
    const [first, other] = [primaryOf(world, 0), primaryOf(world, 1)];
    const zoneOf = (name: string) => world.observed.pods.find((pod) => pod.name === name)?.zone;
    kill(world, first);
    settle(world);
    expect(zoneOf(primaryOf(world, 0))).not.toBe(zoneOf(other));
  });

  test('says NodeUnreachable when everything on the node is silent', () => {
    const world = running();
    killNode(world, 'node-a');
    settle(world);
    expect(failovers(world)[0].reason).toBe('NodeUnreachable');
  });

  test('hands over when the pod of the primary is being deleted', () => {
    const world = running();
    change(world, (pod) => (pod.name === 'carts-0-0' ? { ...pod, deleting: true } : pod));
    settle(world);
    expect(failovers(world)[0]).toMatchObject({ to: 'carts-0-1', reason: 'PodDeleting' });
  });

  test('moves away from a primary that was restarted in place without its data', () => {
    const world = running();
    change(world, (pod) =>
      pod.name === 'carts-0-0'
        ? { ...pod, health: { ...pod.health, report: report(), reportAtMs: 5_000 } }
        : pod,
    );
    settle(world);
    expect(failovers(world)[0]).toMatchObject({ to: 'carts-0-1', reason: 'StartedEmpty' });
  });

  test('does not take a first write that reached the replica first for lost data', () => {
    const world = newWorld();
    settle(world);
    change(world, (pod) =>
      pod.name === 'carts-0-1'
        ? withReport(
            { ...pod, health: { ...pod.health, reportAtMs: 2_000 } },
            { appliedOps: 1, startedEmpty: false },
          )
        : pod,
    );
    expect(planOf(world).steps).toEqual([]);
  });

  test('never elects a member that started empty while a volume may hold data', () => {
    const world = running(storage);
    change(world, (pod) =>
      pod.name === 'carts-0-1' ? withReport(pod, { appliedOps: 0, startedEmpty: true }) : pod,
    );
    kill(world, 'carts-0-0');
    expect(planOf(world).steps).toEqual([]);
    expect(
      planOf(world)
        .waitingFor.map(({ reason }) => reason)
        .join(),
    ).toContain('carts-0-0 may have data');
  });

  test('elects an empty member when the data was only in memory and is gone', () => {
    const world = running();
    change(world, (pod) =>
      pod.name === 'carts-0-1' ? withReport(pod, { appliedOps: 0, startedEmpty: true }) : pod,
    );
    kill(world, 'carts-0-0');
    settle(world);
    expect(primaryOf(world, 0)).toBe('carts-0-1');
  });

  test('goes on while objects are frozen by a wrong spec', () => {
    const world = running();
    kill(world, 'carts-0-0');
    const { steps, waitingFor } = planOf(world, { on: 'spec', reason: 'it is wrong' });
    expect(steps.map(({ kind }) => kind)).toEqual(['record', 'push']);
    expect(waitingFor[0].on).toBe('spec');
  });

  test('keeps the last ten failovers', () => {
    const world = running();
    for (let i = 0; i < 12; i++) {
      kill(world, primaryOf(world, 0));
      settle(world);
      change(world, (pod) =>
        pod.health.liveness === 'dead'
          ? { ...pod, health: { ...pod.health, liveness: 'up', suspectedAtMs: null } }
          : pod,
      );
      settle(world);
    }
    expect(failovers(world)).toHaveLength(10);
  });
});

describe('the map', () => {
  test('gets a new version when a pod comes back under another address', () => {
    const world = running();
    const { version } = world.observed.record;
    change(world, (pod) => (pod.name === 'carts-0-1' ? { ...pod, ip: '10.9.9.9' } : pod));
    settle(world);
    expect(world.observed.record.version).toBe(version + 1);
    expect(failovers(world)).toEqual([]);
  });

  test('is pushed again to one that reports an older version, without a new one', () => {
    const world = running();
    change(world, (pod) => (pod.name === 'carts-1-1' ? withReport(pod, { mapVersion: 0 }) : pod));
    const { steps } = planOf(world);
    expect(steps.map(describeStep)).toEqual([`map ${world.observed.record.version} to carts-1-1`]);
  });

  test('jumps over a version that a member has from before the status was lost', () => {
    const world = running();
    const before = world.observed.record;
    world.observed = { ...world.observed, record: { ...before, version: 0, digest: '' } };
    settle(world);
    expect(world.observed.record.version).toBe(before.version + 1);
  });
});

describe('pods that must go', () => {
  const upgraded = (world: World) => {
    world.build = { ...world.build, engineImage: 'meridian-engine:next' };
  };

  test('a new image replaces every member, one at a time, replicas first', () => {
    const world = running(storage);
    upgraded(world);
    const order: string[] = [];
    settle(world, 90, (step) => {
      if (step.kind !== 'delete') return;
      order.push(step.name);
      expect(world.observed.pods.filter((pod) => pod.shard >= 0).every(isUp)).toBe(true);
    });
    expect(order).toHaveLength(4);
    expect(order[0]).toBe('carts-0-1');
    expect(failovers(world)).toEqual([]);
  });

  test('a member that has not caught up holds up the rollout', () => {
    const world = running(storage);
    upgraded(world);
    for (const step of planOf(world).steps) carryOut(world, step);
    change(world, (pod) =>
      pod.name === 'carts-0-1'
        ? withReport(pod, { upstream: { connected: true, lagOps: 5_000 } })
        : pod,
    );
    const { steps, waitingFor } = planOf(world);
    expect(steps).toEqual([]);
    expect(waitingFor[0].reason).toBe('members of the shard have not caught up');
  });

  test('the only copy in memory is not replaced', () => {
    const world = running({ replicas: 0, shards: 1 });
    upgraded(world);
    expect(() => settle(world)).not.toThrow();
    expect(planOf(world).waitingFor[0].reason).toContain('the only copy');
  });

  test('a node that is gone for replaceAfter gives up its members, with their volumes', () => {
    const world = running(storage);
    killNode(world, 'node-b');
    settle(world);
    const lost = world.observed.pods.filter(({ node, shard }) => node === 'node-b' && shard >= 0);
    expect(lost.length).toBeGreaterThan(0);
    expect(planOf(world).requeueAfterMs).toBeGreaterThan(0);
    world.observed = { ...world.observed, nowMs: world.observed.nowMs + 300_000 };
    const deleted = planOf(world).steps.filter((step) => step.kind === 'delete');
    expect(deleted.map((step) => describeStep(step)).sort()).toEqual(
      lost.flatMap(({ name }) => [`PersistentVolumeClaim/data-${name}`, `Pod/${name}`]).sort(),
    );
    expect(deleted.filter((step) => step.object === 'Pod').every(({ force }) => force)).toBe(true);
  });

  test('the last copy is not given up with its node', () => {
    const world = running({ ...storage, replicas: 0, shards: 1 });
    killNode(world, world.observed.pods.find(({ shard }) => shard === 0)?.node ?? '');
    world.observed = { ...world.observed, nowMs: world.observed.nowMs + 900_000 };
    expect(planOf(world).steps.filter(({ kind }) => kind === 'delete')).toEqual([]);
    expect(
      planOf(world)
        .waitingFor.map(({ reason }) => reason)
        .join(),
    ).toContain('last copy');
  });

  test('scaling in goes one member at a time and never takes the primary', () => {
    const world = running({ shards: 1, replicas: 2 });
    kill(world, 'carts-0-0');
    kill(world, 'carts-0-1');
    settle(world);
    expect(primaryOf(world, 0)).toBe('carts-0-2');
    change(world, (pod) => ({ ...pod, health: { ...pod.health, liveness: 'up' } }));
    settle(world);
    world.build = { ...world.build, spec: { ...world.build.spec, replicas: 0 } };
    settle(world, 60, (step) => {
      if (step.kind !== 'apply' || step.object.kind !== 'StatefulSet') return;
      const replicas = Number(step.object.spec.replicas);
      expect(membersOf(world.observed, 0).length - replicas).toBeLessThanOrEqual(1);
      expect(Number(primaryOf(world, 0).split('-').pop())).toBeLessThan(replicas);
    });
    expect(membersOf(world.observed, 0).map(({ name }) => name)).toEqual(['carts-0-0']);
  });
});

describe('objects', () => {
  test('a field that somebody changed is put back', () => {
    const world = running();
    world.observed = {
      ...world.observed,
      objects: world.observed.objects.map((object) =>
        object.kind === 'Deployment'
          ? { ...object, spec: { ...(object.spec as object), replicas: 9 } }
          : object,
      ),
    };
    const { steps } = planOf(world);
    expect(steps).toMatchObject([{ kind: 'apply', reason: 'spec.replicas differs' }]);
  });

  test('an object of the same name that belongs to someone else is left alone', () => {
    const world = running();
    world.observed = {
      ...world.observed,
      objects: world.observed.objects.map((object) =>
        object.metadata.name === 'carts' && object.kind === 'Service'
          ? { ...object, metadata: { ...object.metadata, ownerReferences: [] } }
          : object,
      ),
    };
    const { steps, waitingFor } = planOf(world);
    expect(steps).toEqual([]);
    expect(waitingFor).toEqual([
      { on: 'Service/carts', reason: 'an object of this name belongs to someone else' },
    ]);
  });
});

describe('balance', () => {
  test('primaries move back to empty zones, one at a time, after a quiet minute', () => {
    const world = running({ shards: 3, replicas: 2 });
    killNode(world, 'node-a');
    settle(world);
    killNode(world, 'node-b');
    settle(world);
    const nodes = world.observed.nodes.map((node) => ({
      ...node,
      ready: true,
      notReadySinceMs: null,
    }));
    world.observed = { ...world.observed, nodes };
    change(world, (pod) => ({ ...pod, ready: true, health: { ...pod.health, liveness: 'up' } }));
    settle(world);
    const zones = () =>
      [0, 1, 2].map(
        (shard) =>
          world.observed.pods.find(({ name }) => name === primaryOf(world, shard))?.zone ?? '',
      );
    expect(new Set(zones()).size).toBe(1);
    world.observed = { ...world.observed, nowMs: world.observed.nowMs + 61_000 };
    const { steps } = planOf(world);
    expect(steps[0].kind === 'record' && steps[0].elections).toHaveLength(1);
    settle(world);
    expect(new Set(zones()).size).toBe(3);
  });
});
