import { eventually } from '../api-server/fixture.ts';
import type { KubeObject, Open } from '../api-server/resource.ts';
import { ApiServer } from '../api-server/server.ts';
import { garbageCollector } from './garbage-collector.ts';
import { runControllers } from './manager.ts';

const server = new ApiServer({ host: '127.0.0.1', port: 0, servicePrefix: '127.16.254.' });
const { registry } = server;
const namespace = 'default';
const maps = registry.scheme.getStored('configmaps');
const failures: unknown[] = [];
const stop = runControllers(registry, [garbageCollector], (_, error) => failures.push(error));
afterAll(() => {
  stop();
  server.watches.close();
  expect(failures).toEqual([]);
});

function make(name: string, owner?: KubeObject, finalizers?: string[]): KubeObject {
  const { uid } = owner?.metadata ?? {};
  const reference = { apiVersion: 'v1', kind: 'ConfigMap', name: owner?.metadata.name, uid };
  const ownerReferences = owner === undefined ? undefined : [reference];
  const body: Open = { metadata: { name, ownerReferences, finalizers } };
  return registry.create(maps, namespace, body);
}

function exists(name: string): boolean {
  return registry.store.get('configmaps', namespace, name) !== null;
}

describe('deleting an owner', () => {
  test('in the background takes it first, then what it owns, at every depth', async () => {
    const owner = make('b1');
    const child = make('b2', owner);
    make('b3', child);
    registry.delete(maps, namespace, 'b1');
    expect([exists('b1'), exists('b2')]).toEqual([false, true]);
    await eventually(() => !exists('b2') && !exists('b3'));
  });

  test('in the foreground takes what it owns first, and waits for finalizers there', async () => {
    const owner = make('f1');
    make('f2', owner, ['meridian.dev/wait']);
    registry.delete(maps, namespace, 'f1', { propagationPolicy: 'Foreground' });
    await eventually(() => registry.get(maps, namespace, 'f2').metadata.deletionTimestamp ?? null);
    expect(exists('f1')).toBe(true);
    registry.patch(maps, namespace, 'f2', 'merge', { metadata: { finalizers: null } });
    await eventually(() => !exists('f1') && !exists('f2'));
  });

  test('as an orphan leaves what it owned, without the reference', async () => {
    const owner = make('o1');
    make('o2', owner);
    registry.delete(maps, namespace, 'o1', { propagationPolicy: 'Orphan' });
    await eventually(() => !exists('o1'));
    expect(registry.get(maps, namespace, 'o2').metadata.ownerReferences ?? []).toEqual([]);
  });

  test('an object with a second owner that lives stays', async () => {
    const [first, second] = [make('s1'), make('s2')];
    make('s3', first);
    const both = [first, second].map(({ metadata }) => ({
      ...{ apiVersion: 'v1', kind: 'ConfigMap', name: metadata.name, uid: metadata.uid },
    }));
    const patch = { metadata: { ownerReferences: both } };
    registry.patch(maps, namespace, 's3', 'merge', patch);
    registry.delete(maps, namespace, 's1');
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(exists('s3')).toBe(true);
  });
});

test('a claim in use goes when its pod does', async () => {
  const claims = registry.scheme.getStored('persistentvolumeclaims');
  const pods = registry.scheme.getStored('pods');
  const claim: Open = {
    metadata: { name: 'data' },
    spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
  };
  registry.create(claims, namespace, claim);
  const volumes = [{ name: 'data', persistentVolumeClaim: { claimName: 'data' } }];
  const pod: Open = {
    metadata: { name: 'user' },
    spec: { containers: [{ name: 'c', image: 'i' }], volumes },
  };
  registry.create(pods, namespace, pod);
  registry.delete(claims, namespace, 'data');
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(registry.store.get('persistentvolumeclaims', namespace, 'data')).not.toBeNull();
  registry.delete(pods, namespace, 'user');
  await eventually(() => registry.store.get('persistentvolumeclaims', namespace, 'data') === null);
});

test('a deleted definition takes its objects and its API with it', async () => {
  const definitions = registry.scheme.getStored('customresourcedefinitions');
  const schema = { openAPIV3Schema: { type: 'object' } };
  const definition: Open = {
    metadata: { name: 'boxes.test.dev' },
    spec: {
      ...{ group: 'test.dev', scope: 'Namespaced', names: { kind: 'Box', plural: 'boxes' } },
      versions: [{ name: 'v1', served: true, storage: true, schema }],
    },
  };
  registry.create(definitions, '', definition);
  const boxes = registry.scheme.getStored('boxes.test.dev');
  registry.create(boxes, namespace, { metadata: { name: 'one' } } as Open);
  registry.delete(definitions, '', 'boxes.test.dev');
  await eventually(
    () => registry.store.get('customresourcedefinitions', '', 'boxes.test.dev') === null,
  );
  expect(registry.store.list('boxes.test.dev')).toEqual([]);
  expect(registry.scheme.find('test.dev', 'v1', 'boxes')).toBeUndefined();
});
