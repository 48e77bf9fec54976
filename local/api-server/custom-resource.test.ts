import { type Fixture, patchAs, startFixture } from './fixture.ts';
import type { KubeObject, Open } from './resource.ts';

let fixture: Fixture;
const place = { group: 'test.dev', version: 'v1', namespace: 'default', plural: 'boxes' };

const definition = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'boxes.test.dev' },
  spec: {
    ...{ group: 'test.dev', scope: 'Namespaced' },
    names: { kind: 'Box', plural: 'boxes', shortNames: ['bx'] },
    versions: [
      {
        ...{ name: 'v1', served: true, storage: true, subresources: { status: {} } },
        schema: {
          openAPIV3Schema: {
            type: 'object',
            required: ['spec'],
            properties: {
              spec: {
                type: 'object',
                required: ['size'],
                properties: {
                  size: { type: 'integer', minimum: 1, maximum: 16 },
                  colour: { type: 'string', enum: ['Red', 'Blue'], default: 'Red' },
                  memory: { type: 'string', pattern: '^[0-9]+Mi$' },
                  inner: {
                    type: 'object',
                    default: {},
                    properties: { depth: { type: 'integer', default: 3 } },
                  },
                  parts: {
                    type: 'array',
                    ...{ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['name'] },
                    items: {
                      type: 'object',
                      required: ['name'],
                      properties: { name: { type: 'string' }, count: { type: 'integer' } },
                    },
                  },
                  free: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
                },
              },
              status: {
                type: 'object',
                properties: { ready: { type: 'boolean' } },
              },
            },
          },
        },
      },
    ],
  },
};

beforeAll(async () => {
  fixture = await startFixture();
  const { registry } = fixture.server;
  const type = registry.scheme.getStored('customresourcedefinitions');
  registry.create(type, '', definition as unknown as KubeObject);
});
afterAll(() => fixture.server.close());

function box(name: string, spec: Open): Open {
  return { apiVersion: 'test.dev/v1', kind: 'Box', metadata: { name }, spec };
}

async function create(name: string, spec: Open, more: Open = {}): Promise<Open> {
  return fixture.custom.createNamespacedCustomObject({ ...place, body: box(name, spec), ...more });
}

async function refusal(name: string, spec: Open): Promise<string> {
  const error = await create(name, spec).catch((thrown: Open) => thrown);
  expect(error.code).toBe(422);
  return JSON.parse(error.body).message;
}

describe('custom resources', () => {
  test('the definition is established', () => {
    const { registry } = fixture.server;
    const type = registry.scheme.getStored('customresourcedefinitions');
    const { status } = registry.get(type, '', 'boxes.test.dev');
    expect(status.conditions[1]).toMatchObject({ type: 'Established', status: 'True' });
  });

  test('defaults are filled in, unknown fields dropped', async () => {
    const made = await create('filled', { size: 1, unknown: 1, free: { any: 'thing' } });
    const inner = { depth: 3 };
    expect(made.spec).toEqual({ size: 1, colour: 'Red', inner, free: { any: 'thing' } });
    const strict = { fieldValidation: 'Strict' };
    const error = await create('strict', { size: 1, nope: 1 }, strict).catch((e: Open) => e);
    expect(error.code).toBe(400);
    expect(JSON.parse(error.body).message).toContain('unknown field "spec.nope"');
  });

  test.each([
    [{}, 'spec.size: Required value'],
    [{ size: 0 }, 'spec.size in body should be greater than or equal to 1'],
    [{ size: 17 }, 'spec.size in body should be less than or equal to 16'],
    [{ size: 'big' }, 'spec.size in body must be of type integer: "string"'],
    [{ size: 1, colour: 'Green' }, 'Unsupported value: "Green": supported values: "Red", "Blue"'],
    [{ size: 1, memory: '5' }, "spec.memory in body should match '^[0-9]+Mi$'"],
    [
      { size: 1, parts: [{ name: 'a' }, { name: 'a' }] },
      'spec.parts[1]: Duplicate value: {"name":"a"}',
    ],
  ])('%j is refused', async (spec, message) => {
    expect(await refusal('refused', spec)).toContain(message);
  });

  test('every violation is listed', async () => {
    const message = await refusal('two', { size: 0, colour: 'Green' });
    expect(message).toMatch(/^Box.test.dev "two" is invalid: \[.*spec.size.*, .*spec.colour.*\]$/);
  });

  test('status and spec do not touch each other; only the spec counts a generation', async () => {
    const made = await create('parts', { size: 1 });
    const name = 'parts';
    const body = { ...made, status: { ready: true }, spec: { size: 9 } };
    const after: Open = await fixture.custom.replaceNamespacedCustomObjectStatus({
      ...{ ...place, name, body },
    });
    expect(after).toMatchObject({ status: { ready: true }, spec: { size: 1 } });
    expect(after.metadata.generation).toBe(1);
    const changed: Open = await fixture.custom.patchNamespacedCustomObject(
      { ...place, name, body: { spec: { size: 2 }, status: null } },
      patchAs.merge,
    );
    expect(changed).toMatchObject({ status: { ready: true }, spec: { size: 2 } });
    expect(changed.metadata.generation).toBe(2);
  });

  test('apply merges lists by the keys of the schema', async () => {
    const apply = async (parts: Open[], fieldManager: string): Promise<Open> =>
      fixture.custom.patchNamespacedCustomObject(
        { ...place, name: 'keyed', body: box('keyed', { size: 1, parts }), fieldManager },
        patchAs.apply,
      );
    await apply([{ name: 'a', count: 1 }], 'one');
    const both = await apply([{ name: 'b' }], 'two');
    expect(both.spec.parts).toEqual([{ name: 'a', count: 1 }, { name: 'b' }]);
    const left = await apply([], 'one');
    expect(left.spec.parts).toEqual([{ name: 'b' }]);
  });

  test('an update must name the version it read', async () => {
    const made = await create('versioned', { size: 1 });
    delete made.metadata.resourceVersion;
    const request = { ...place, name: 'versioned', body: made };
    const error = await fixture.custom
      .replaceNamespacedCustomObject(request)
      .catch((thrown: Open) => thrown);
    expect(error.code).toBe(422);
  });
});
