import { type Fixture, patchAs, startFixture } from './fixture.ts';
import type { Open } from './resource.ts';

let fixture: Fixture;
const namespace = 'default';

beforeAll(async () => {
  fixture = await startFixture();
});
afterAll(() => fixture.server.close());

const template = (containers: Open[]): Open => ({
  metadata: { labels: { app: 'x' } },
  spec: { containers },
});

function statefulSet(name: string, containers: Open[], spec: Open = {}): Open {
  return {
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: { name, labels: { app: 'x' } },
    spec: {
      ...{ serviceName: 'x', selector: { matchLabels: { app: 'x' } } },
      ...{ template: template(containers), ...spec },
    },
  };
}

async function apply(body: Open, fieldManager: string, force = false): Promise<Open> {
  const { name } = body.metadata;
  const request = { namespace, name, body, fieldManager, force };
  return fixture.apps.patchNamespacedStatefulSet(request, patchAs.apply);
}

const engine = { name: 'engine', image: 'engine:1', env: [{ name: 'A', value: '1' }] };

describe('server-side apply', () => {
  test('creates, then changes nothing when applied again', async () => {
    const first = await apply(statefulSet('again', [engine]), 'operator');
    expect(first.metadata.generation).toBe(1);
    expect(first.spec.podManagementPolicy).toBe('OrderedReady');
    const second = await apply(statefulSet('again', [engine]), 'operator');
    expect(second.metadata.resourceVersion).toBe(first.metadata.resourceVersion);
    expect(first.metadata.managedFields).toMatchObject([
      { manager: 'operator', operation: 'Apply', apiVersion: 'apps/v1', fieldsType: 'FieldsV1' },
    ]);
    const fields = first.metadata.managedFields[0].fieldsV1['f:spec']['f:template']['f:spec'];
    const containers = fields['f:containers'];
    expect(containers['k:{"name":"engine"}']).toEqual({
      '.': {},
      'f:name': {},
      'f:image': {},
      'f:env': { 'k:{"name":"A"}': { '.': {}, 'f:name': {}, 'f:value': {} } },
    });
  });

  test('merges lists by key and leaves what others added', async () => {
    await apply(statefulSet('merged', [engine]), 'operator');
    const sidecar = { name: 'sidecar', image: 'sidecar:1' };
    await apply({ ...statefulSet('merged', [sidecar]), metadata: { name: 'merged' } }, 'injector');
    const env = [
      { name: 'B', value: '2' },
      { name: 'A', value: '1' },
    ];
    const after = await apply(statefulSet('merged', [{ ...engine, env }]), 'operator');
    const names = after.spec.template.spec.containers.map((one: Open) => one.name);
    expect(names).toEqual(['engine', 'sidecar']);
    const held = after.spec.template.spec.containers[0].env;
    expect(held.map((one: Open) => one.name).sort()).toEqual(['A', 'B']);
  });

  test('removes a field that its only manager no longer applies', async () => {
    const labelled = statefulSet('dropped', [engine], { minReadySeconds: 5 });
    labelled.metadata.labels.extra = 'yes';
    await apply(labelled, 'operator');
    const after = await apply(statefulSet('dropped', [{ ...engine, env: undefined }]), 'operator');
    expect(after.spec.minReadySeconds).toBeUndefined();
    expect(after.metadata.labels).toEqual({ app: 'x' });
    expect(after.spec.template.spec.containers[0].env).toBeUndefined();
  });

  test('keeps a field that another manager also applies', async () => {
    const shared = statefulSet('shared', [engine], { minReadySeconds: 5 });
    await apply(shared, 'operator');
    await apply(shared, 'other');
    const after = await apply(statefulSet('shared', [engine]), 'operator');
    expect(after.spec.minReadySeconds).toBe(5);
  });

  test('a field of another manager is a conflict; force takes it', async () => {
    await apply(statefulSet('fought', [engine], { replicas: 1 }), 'operator');
    const body = { spec: { replicas: 5 } };
    const name = 'fought';
    await fixture.apps.patchNamespacedStatefulSet(
      { namespace, name, body, fieldManager: 'kubectl' },
      patchAs.merge,
    );
    const again = statefulSet(name, [engine], { replicas: 2 });
    const error = await apply(again, 'operator').then(
      () => null,
      (thrown: Open) => thrown,
    );
    expect(error.code).toBe(409);
    const status = JSON.parse(error.body);
    expect(status.details.causes).toEqual([
      {
        reason: 'FieldManagerConflict',
        message: 'conflict with "kubectl"',
        field: '.spec.replicas',
      },
    ]);
    const forced = await apply(again, 'operator', true);
    expect(forced.spec.replicas).toBe(2);
    const others = forced.metadata.managedFields.filter((one: Open) => one.manager === 'kubectl');
    expect(others).toEqual([]);
  });

  test('status has its own ownership and does not touch the spec', async () => {
    await apply(statefulSet('status', [engine]), 'operator');
    const body = {
      ...{ apiVersion: 'apps/v1', kind: 'StatefulSet', metadata: { name: 'status' } },
      status: { replicas: 1, conditions: [{ type: 'A', status: 'True' }] },
    };
    const request = { namespace, name: 'status', body, fieldManager: 'operator', force: true };
    const after: Open = await fixture.apps.patchNamespacedStatefulSetStatus(request, patchAs.apply);
    expect(after.status.replicas).toBe(1);
    expect(after.metadata.generation).toBe(1);
    const again: Open = await apply(statefulSet('status', [engine]), 'operator');
    expect(again.status.conditions).toHaveLength(1);
    const entries = again.metadata.managedFields.map((one: Open) => one.subresource ?? '');
    expect(entries.sort()).toEqual(['', 'status']);
  });

  test('what a StatefulSet cannot change is refused', async () => {
    await apply(statefulSet('fixed', [engine]), 'operator');
    const changed = statefulSet('fixed', [engine], { podManagementPolicy: 'Parallel' });
    const error = await apply(changed, 'operator').catch((thrown: Open) => thrown);
    expect(error.code).toBe(422);
    expect(JSON.parse(error.body).message).toContain('updates to statefulset spec');
  });

  test('the generation counts changes of the spec only', async () => {
    await apply(statefulSet('counted', [engine]), 'operator');
    const labelled = statefulSet('counted', [engine]);
    labelled.metadata.labels.more = 'yes';
    expect((await apply(labelled, 'operator')).metadata.generation).toBe(1);
    const scaled = statefulSet('counted', [engine], { replicas: 3 });
    expect((await apply(scaled, 'operator')).metadata.generation).toBe(2);
    const scale = await fixture.apps.readNamespacedStatefulSetScale({ namespace, name: 'counted' });
    expect(scale.spec?.replicas).toBe(3);
  });
});
