import { statusSchema } from '../api/status-schema.ts';
import {
  change,
  kill,
  newWorld,
  planOf,
  settle,
  type World,
  withReport,
  write,
} from '../plan/world.ts';
import { changeBetween } from './material.ts';
import { computeStatus, recordIn, type StatusInput, withRecord } from './status.ts';

const EMPTY = statusSchema.parse({});

const regions = [
  { name: 'eu', number: 1, endpoint: 'eu:7443' },
  { name: 'us', number: 2, endpoint: 'us:7443' },
];

function inputOf(world: World, changes: Partial<StatusInput> = {}): StatusInput {
  return {
    spec: world.build.spec,
    observed: world.observed,
    plan: planOf(world),
    errors: [],
    missingSecrets: [],
    missingZoneKey: null,
    failure: null,
    planOnly: false,
    region: 'eu',
    generation: 3,
    before: EMPTY,
    ...changes,
  };
}

const conditionsOf = (input: StatusInput) =>
  Object.fromEntries(
    computeStatus(input).conditions.map(({ type, status, reason }) => [
      type,
      `${status} ${reason}`,
    ]),
  );

const running = (): World => {
  const world = newWorld({ regions });
  settle(world);
  write(world, 100);
  return world;
};

const linked = (world: World, lagMs: number, connected = true) =>
  change(world, (pod) =>
    withReport(pod, {
      peers: [{ region: 'us', connected, paused: false, lagOps: 3, lagMs, pendingOps: 2 }],
    }),
  );

describe('status', () => {
  test('of a healthy database has every condition as it should be', () => {
    const world = running();
    linked(world, 41);
    expect(conditionsOf(inputOf(world))).toEqual({
      Ready: 'True Serving',
      Progressing: 'False UpToDate',
      Degraded: 'False FullRedundancy',
      Converged: 'True CaughtUp',
      ZonesSpread: 'True Spread',
      PeersConnected: 'True AllConnected',
      SpecValid: 'True Valid',
    });
    const status = computeStatus(inputOf(world));
    expect(status).toMatchObject({
      shardsReady: '2/2',
      regionsConnected: '1/1',
      worstLag: '50ms',
      regions: [{ name: 'us', connected: true, lagMs: 50, lagOps: 6, pendingOps: 4 }],
    });
    expect(statusSchema.parse(status)).toEqual(status);
  });

  test('of a new database is not ready and says what it waits for', () => {
    expect(conditionsOf(inputOf(newWorld()))).toMatchObject({
      Ready: 'False Starting',
      Progressing: 'True Changing',
    });
  });

  test('without a primary that answers names the shard', () => {
    const world = running();
    kill(world, 'carts-0-0');
    const ready = computeStatus(inputOf(world)).conditions.find(({ type }) => type === 'Ready');
    expect(ready).toMatchObject({ status: 'False', reason: 'ShardWithoutPrimary' });
    expect(ready?.message).toContain('0');
  });

  test('after a failover is ready but degraded', () => {
    const world = running();
    kill(world, 'carts-0-0');
    settle(world);
    expect(conditionsOf(inputOf(world))).toMatchObject({
      Ready: 'True Serving',
      Degraded: 'True MembersDown',
    });
  });

  test('shows a region that is cut off', () => {
    const world = running();
    linked(world, 90_000, false);
    expect(conditionsOf(inputOf(world))).toMatchObject({
      PeersConnected: 'False RegionDisconnected',
      Converged: 'False RegionDisconnected',
    });
  });

  test('names the path of a wrong field, and the rest goes on', () => {
    const errors = [{ path: 'spec.memory', value: '1Mi', rule: 'too small', cure: 'more' }];
    const status = computeStatus(inputOf(running(), { errors }));
    const valid = status.conditions.find(({ type }) => type === 'SpecValid');
    expect(valid).toMatchObject({ status: 'False', reason: 'Invalid' });
    expect(valid?.message).toContain('spec.memory');
    expect(status.shardsReady).toBe('2/2');
  });

  test('says which label no node has, and the cure', () => {
    const status = computeStatus(inputOf(running(), { missingZoneKey: 'rack' }));
    const spread = status.conditions.find(({ type }) => type === 'ZonesSpread');
    expect(spread).toMatchObject({ status: 'False', reason: 'ZoneKeyMissing' });
    expect(spread?.message).toContain('label the nodes');
  });

  test('in mode Plan lists the steps', () => {
    const status = computeStatus(inputOf(newWorld(), { planOnly: true }));
    expect(status.plan?.[0]).toEqual({
      step: 'apply',
      object: 'Service/carts-members',
      reason: 'it does not exist',
    });
  });

  test('keeps the time of a condition that did not change', () => {
    const world = running();
    const first = computeStatus(inputOf(world));
    world.observed = { ...world.observed, nowMs: world.observed.nowMs + 60_000 };
    const second = computeStatus(inputOf(world, { before: first }));
    expect(second.conditions).toEqual(first.conditions);
  });

  test('fills in the first write after a failover', () => {
    const world = running();
    kill(world, 'carts-0-0');
    settle(world);
    const atMs = world.observed.nowMs + 1_000;
    change(world, (pod) =>
      pod.name === 'carts-0-1' ? withReport(pod, { firstWriteAtMs: atMs }) : pod,
    );
    expect(computeStatus(inputOf(world)).failovers[0].firstWriteAt).toBe(
      new Date(atMs).toISOString(),
    );
  });

  test('gives back the record that was written into it', () => {
    const world = running();
    const { record } = world.observed;
    expect(recordIn(withRecord(EMPTY, record, 2))).toEqual(record);
    expect(recordIn(computeStatus(inputOf(world)))).toEqual(record);
  });

  test('counts what is left when a zone is lost', () => {
    const world = newWorld({ shards: 1, replicas: 0 });
    settle(world);
    const { survivability } = computeStatus(inputOf(world));
    expect(survivability[0]).toEqual({ lose: 'node/node-a', writers: 0, lastCopies: 1 });
    expect(computeStatus(inputOf(running())).survivability.every((l) => l.writers === 2)).toBe(
      true,
    );
  });
});

describe('a write of the status', () => {
  test('is not made when nothing changed', () => {
    const world = running();
    const first = computeStatus(inputOf(world));
    const second = computeStatus(inputOf(world, { before: first }));
    expect(changeBetween(first, second)).toBe('none');
  });

  test('waits when only numbers flicker', () => {
    const world = running();
    linked(world, 41);
    const first = computeStatus(inputOf(world));
    linked(world, 300);
    expect(changeBetween(first, computeStatus(inputOf(world, { before: first })))).toBe('volatile');
  });

  test('is made at once when a member goes down', () => {
    const world = running();
    const first = computeStatus(inputOf(world));
    kill(world, 'carts-1-1');
    expect(changeBetween(first, computeStatus(inputOf(world, { before: first })))).toBe('material');
  });
});
