import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { eventually, patchAs } from './api-server/fixture.ts';
import type { KubeObject, Open } from './api-server/resource.ts';
import { ask, echoSet, type LocalFixture, startLocalFixture } from './fixture.ts';

let fixture: LocalFixture;
const namespace = 'default';

beforeAll(async () => {
  fixture = await startLocalFixture({ nodeGraceMs: 400 });
});
afterAll(() => fixture.stop());

function pod(name: string): KubeObject | null {
  return fixture.cluster.registry.store.get('pods', namespace, name);
}

function isReady(name: string): boolean {
  const conditions: Open[] = pod(name)?.status.conditions ?? [];
  return conditions.some((one) => one.type === 'Ready' && one.status === 'True');
}

async function answer(name: string): Promise<string | null> {
  return ask(pod(name)?.status.podIP ?? '127.0.0.1', 6379, 'hello');
}

async function create(set: KubeObject): Promise<void> {
  await fixture.apps.createNamespacedStatefulSet({ namespace, body: set as Open });
}

async function remove(name: string): Promise<void> {
  await fixture.apps.deleteNamespacedStatefulSet({ namespace, name });
  await eventually(() => pod(`${name}-0`) === null && pod(`${name}-1`) === null);
}

describe('a StatefulSet', () => {
  test('in order: the second pod waits for the first; both keep name and claim', async () => {
    const seen: string[] = [];
    const stop = fixture.cluster.registry.store.subscribe(({ storage, type, object }) => {
      if (storage !== 'pods') return;
      const ready = object.status?.conditions?.some(
        (one: Open) => one.type === 'Ready' && one.status === 'True',
      );
      if (type === 'ADDED') seen.push(`made ${object.metadata.name}`);
      else if (ready) seen.push(`ready ${object.metadata.name}`);
    });
    await create(echoSet('ordered'));
    await eventually(() => isReady('ordered-0') && isReady('ordered-1'));
    stop();
    expect(seen.slice(0, 4)).toEqual([
      ...['made ordered-0', 'ready ordered-0', 'made ordered-1', 'ready ordered-1'],
    ]);
    expect(await answer('ordered-0')).toBe('ordered-0 1 hello');
    const claim = await fixture.core.readNamespacedPersistentVolumeClaim({
      ...{ namespace, name: 'data-ordered-0' },
    });
    expect(claim.status?.phase).toBe('Bound');
    await remove('ordered');
  });

  test('a deleted pod comes back with its data, on the same node', async () => {
    await create(echoSet('stable', { podManagementPolicy: 'Parallel' }));
    await eventually(() => isReady('stable-0') && isReady('stable-1'));
    const before = pod('stable-1');
    await fixture.core.deleteNamespacedPod({ namespace, name: 'stable-1' });
    await eventually(
      () => isReady('stable-1') && pod('stable-1')?.metadata.uid !== before?.metadata.uid,
    );
    expect(await answer('stable-1')).toBe('stable-1 2 hello');
    expect(pod('stable-1')?.spec.nodeName).toBe(before?.spec.nodeName);
    await remove('stable');
  });

  test('a new template rolls through from the highest ordinal', async () => {
    await create(echoSet('rolled', { podManagementPolicy: 'Parallel' }));
    await eventually(() => isReady('rolled-0') && isReady('rolled-1'));
    const removed: string[] = [];
    const stop = fixture.cluster.registry.store.subscribe(({ storage, type, object }) => {
      if (storage === 'pods' && type === 'DELETED') removed.push(object.metadata.name);
    });
    const body = { spec: { template: { metadata: { annotations: { v: '2' } } } } };
    await fixture.apps.patchNamespacedStatefulSet(
      { namespace, name: 'rolled', body },
      patchAs.merge,
    );
    const version = (name: string) => pod(name)?.metadata.annotations?.v;
    await eventually(() => version('rolled-0') === '2' && isReady('rolled-0'));
    stop();
    expect(removed).toEqual(['rolled-1', 'rolled-0']);
    const set = await eventually(async () => {
      const read = await fixture.apps.readNamespacedStatefulSet({ namespace, name: 'rolled' });
      return read.status?.updatedReplicas === 2 && read.status.readyReplicas === 2 ? read : null;
    });
    expect(set.status?.currentRevision).toBe(set.status?.updateRevision);
    await remove('rolled');
  });

  test('claims go with the set when the policy says so, and their directories with them', async () => {
    const policy = { whenDeleted: 'Delete', whenScaled: 'Delete' };
    const claims = { persistentVolumeClaimRetentionPolicy: policy };
    await create(echoSet('gone', { podManagementPolicy: 'Parallel', ...claims }));
    await eventually(() => isReady('gone-0') && isReady('gone-1'));
    const volumes = () =>
      readdirSync(join(fixture.stateDir, 'eu/volumes')).filter((one) => one.includes('-gone-'));
    expect(volumes()).toHaveLength(2);
    await fixture.apps.patchNamespacedStatefulSet(
      { namespace, name: 'gone', body: { spec: { replicas: 1 } } },
      patchAs.merge,
    );
    await eventually(() => pod('gone-1') === null && volumes().length === 1);
    await remove('gone');
    await eventually(() => volumes().length === 0);
  });
});

describe('a Deployment', () => {
  const names = () =>
    fixture.cluster.registry.store
      .list('pods', namespace)
      .filter((one) => one.metadata.labels?.app === 'web')
      .map((one) => one.metadata.name);

  test('rolls over to a new template without losing a ready pod, and replaces deleted ones', async () => {
    const { template } = echoSet('web').spec;
    const [container] = template.spec.containers;
    // No claims here: the program gets no directory.
    template.spec.containers = [{ ...container, args: [], volumeMounts: [] }];
    const selector = { matchLabels: { app: 'web' } };
    const body = { metadata: { name: 'web' }, spec: { replicas: 2, selector, template } };
    await fixture.apps.createNamespacedDeployment({ namespace, body });
    const deployment = () => fixture.cluster.registry.store.get('deployments', namespace, 'web');
    await eventually(() => deployment()?.status?.readyReplicas === 2);
    const old = names();
    let fewest = 2;
    const stop = fixture.cluster.registry.store.subscribe(({ storage }) => {
      if (storage !== 'pods') return;
      const ready = names().filter(
        (name) => isReady(name) && !pod(name)?.metadata.deletionTimestamp,
      );
      fewest = Math.min(fewest, ready.length);
    });
    const change = { spec: { template: { metadata: { annotations: { v: '2' } } } } };
    await fixture.apps.patchNamespacedDeployment(
      { namespace, name: 'web', body: change },
      patchAs.merge,
    );
    await eventually(() => names().length === 2 && names().every((name) => !old.includes(name)));
    stop();
    expect(fewest).toBe(2);
    const [first] = names();
    await fixture.core.deleteNamespacedPod({ namespace, name: first });
    await eventually(() => !names().includes(first) && deployment()?.status?.readyReplicas === 2);
    await fixture.apps.deleteNamespacedDeployment({ namespace, name: 'web' });
    await eventually(() => names().length === 0);
  });
});

describe('a kubelet', () => {
  test('restarts a process that ends, with growing delay, and says so', async () => {
    await create(echoSet('crash', { replicas: 1 }));
    await eventually(() => isReady('crash-0'));
    const endedAt = Date.now();
    await ask(pod('crash-0')?.status.podIP, 6379, 'exit');
    await eventually(() => !isReady('crash-0'));
    await eventually(() => isReady('crash-0'));
    expect(Date.now() - endedAt).toBeGreaterThanOrEqual(450);
    const [status] = pod('crash-0')?.status.containerStatuses ?? [];
    expect(status.restartCount).toBe(1);
    expect(status.lastState.terminated.exitCode).toBe(3);
    expect(await answer('crash-0')).toBe('crash-0 2 hello');
    const log = await fixture.core.readNamespacedPodLog({ namespace, name: 'crash-0' });
    expect(log).toBe('started 1\nstarted 2\n');
    await remove('crash');
  });

  test('waits for a secret that is missing', async () => {
    const set = echoSet('secret', { replicas: 1 });
    const secretKeyRef = { name: 'password', key: 'value' };
    set.spec.template.spec.containers[0].env.push({
      name: 'PASSWORD',
      valueFrom: { secretKeyRef },
    });
    await create(set);
    await eventually(() => {
      const [status] = pod('secret-0')?.status.containerStatuses ?? [];
      return status?.state.waiting?.reason === 'CreateContainerConfigError';
    });
    const body = { metadata: { name: 'password' }, stringData: { value: 'open' } };
    await fixture.core.createNamespacedSecret({ namespace, body });
    await eventually(() => isReady('secret-0'));
    await remove('secret');
  });
});

describe('a node that is killed', () => {
  test('is noticed by its heartbeat; brought back it runs its pods on their data', async () => {
    await create(echoSet('power', { podManagementPolicy: 'Parallel' }));
    await eventually(() => isReady('power-0') && isReady('power-1'));
    const node = pod('power-0')?.spec.nodeName;
    const { uid } = pod('power-0')?.metadata ?? {};
    await fixture.local.killNode('eu', node);
    expect(await answer('power-0')).toBeNull();
    // Nobody has told the API server: the pod still shows as ready.
    expect(isReady('power-0')).toBe(true);
    await eventually(() => !isReady('power-0'));
    const read = await fixture.core.readNode({ name: node });
    expect(read.spec?.taints?.[0]).toMatchObject({ key: 'node.kubernetes.io/unreachable' });
    expect(read.status?.conditions?.[0]).toMatchObject({ type: 'Ready', status: 'Unknown' });
    fixture.local.startNode('eu', node);
    await eventually(() => isReady('power-0'));
    expect(pod('power-0')?.metadata.uid).toBe(uid);
    expect(await answer('power-0')).toBe('power-0 2 hello');
    expect((await fixture.core.readNode({ name: node })).spec?.taints).toBeUndefined();
    await remove('power');
  });

  test('holds its pod until it is forced, then the set makes it again elsewhere', async () => {
    const set = echoSet('moved', { replicas: 1 });
    await create(set);
    await eventually(() => isReady('moved-0'));
    const { nodeName } = pod('moved-0')?.spec ?? {};
    await fixture.local.killNode('eu', nodeName);
    await fixture.core.deleteNamespacedPod({ namespace, name: 'moved-0' });
    expect(pod('moved-0')?.metadata.deletionTimestamp).toBeDefined();
    await fixture.core.deleteNamespacedPersistentVolumeClaim({ namespace, name: 'data-moved-0' });
    await eventually(async () => {
      const { spec } = await fixture.core.readNode({ name: nodeName });
      return spec?.taints !== undefined;
    });
    const gracePeriodSeconds = 0;
    await fixture.core.deleteNamespacedPod({ namespace, name: 'moved-0', gracePeriodSeconds });
    await eventually(() => isReady('moved-0'));
    expect(pod('moved-0')?.spec.nodeName).not.toBe(nodeName);
    expect(await answer('moved-0')).toBe('moved-0 1 hello');
    fixture.local.startNode('eu', nodeName);
    await remove('moved');
  });
});

test('a paused node stands still with its connections, and goes on', async () => {
  await create(echoSet('paused', { replicas: 1 }));
  await eventually(() => isReady('paused-0'));
  const { nodeName } = pod('paused-0')?.spec ?? {};
  fixture.local.pauseNode('eu', nodeName);
  expect(await answer('paused-0')).toBeNull();
  fixture.local.resumeNode('eu', nodeName);
  expect(await answer('paused-0')).toBe('paused-0 1 hello');
  await remove('paused');
});

test('deleting a namespace takes everything in it', async () => {
  const { core, apps } = fixture;
  await core.createNamespace({ body: { metadata: { name: 'shop' } } });
  await apps.createNamespacedStatefulSet({ namespace: 'shop', body: echoSet('x') as Open });
  const { store } = fixture.cluster.registry;
  await eventually(() => store.get('pods', 'shop', 'x-0'));
  await core.deleteNamespace({ name: 'shop' });
  await eventually(() => store.get('namespaces', '', 'shop') === null);
  expect(store.list('pods', 'shop')).toEqual([]);
});
