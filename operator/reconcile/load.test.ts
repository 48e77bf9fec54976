import { API_VERSION, KIND } from '../api/schema.ts';
import { NO_HEALTH } from '../plan/observed.ts';
import { IN_FORCE_ANNOTATION } from '../specs/names.ts';
import { wantedObjects } from '../specs/objects.ts';
import { load, withMissingSecrets } from './load.ts';
import { observe } from './observe.ts';
import type { Caches, DatabaseResource, Node, OwnedObject } from './resource.ts';

const INSTALLED = { region: 'eu', engineImage: 'meridian-engine:1' };
const KEY = 'shop/carts';

const SPEC = {
  regions: [
    { name: 'eu', number: 1, endpoint: 'eu:7443' },
    { name: 'us', number: 2, endpoint: 'us:7443' },
  ],
  shards: 2,
};

const resource = (spec: unknown, more: object = {}): DatabaseResource => ({
  apiVersion: API_VERSION,
  kind: KIND,
  metadata: { name: 'carts', namespace: 'shop', uid: 'u1', resourceVersion: '1', ...more },
  spec,
});

const node = (name: string, zone: string | null, ready = true): Node => ({
  metadata: {
    name,
    uid: name,
    resourceVersion: '1',
    labels: zone === null ? {} : { 'topology.kubernetes.io/zone': zone },
  },
  status: {
    conditions: [
      {
        type: 'Ready',
        status: ready ? 'True' : 'Unknown',
        lastTransitionTime: '2026-01-01T00:00:00Z',
      },
    ],
  },
});

function cachesWith(
  database: DatabaseResource,
  nodes: readonly Node[] = [node('n1', 'a')],
  services: readonly OwnedObject[] = [],
): Caches {
  const byKey = <T extends { metadata: { name: string; namespace?: string } }>(
    items: readonly T[],
  ) =>
    new Map(
      items.map((item) => [
        [item.metadata.namespace, item.metadata.name].filter(Boolean).join('/'),
        item,
      ]),
    );
  return {
    databases: byKey([database]),
    nodes: byKey(nodes),
    services: byKey(services),
    statefulSets: new Map(),
    deployments: new Map(),
    budgets: new Map(),
    pods: new Map(),
    claims: new Map(),
  };
}

const get = (caches: Caches) => {
  const loaded = load(caches, KEY, INSTALLED);
  if (loaded === null) throw new Error('nothing was loaded');
  return loaded;
};

/** The Service that carries the spec in force, as it is after a first run with this spec. */
function inForce(spec: unknown, nodes?: readonly Node[]): OwnedObject {
  const { wanted } = get(cachesWith(resource(spec), nodes));
  if (wanted === null) throw new Error('the spec is wrong');
  const service = wantedObjects(wanted).find(({ metadata }) => metadata.name === 'carts-members');
  const metadata = { ...service?.metadata, uid: 's', resourceVersion: '1' };
  return { metadata: metadata as OwnedObject['metadata'] };
}

describe('loading', () => {
  test('a new and valid database puts the wanted spec in force', () => {
    const loaded = get(cachesWith(resource(SPEC)));
    expect(loaded).toMatchObject({ errors: [], frozen: null, missingZoneKey: null });
    expect(loaded.inForce).toBe(loaded.wanted);
    expect(loaded.inForce?.region).toEqual({ name: 'eu', number: 1 });
  });

  test('one that is being deleted or does not exist gives nothing', () => {
    const gone = resource(SPEC, { deletionTimestamp: '2026-01-01T00:00:00Z' });
    expect(load(cachesWith(gone), KEY, INSTALLED)).toBeNull();
    expect(load(cachesWith(resource(SPEC)), 'shop/other', INSTALLED)).toBeNull();
  });

  test('a wrong spec leaves the last valid one in force', () => {
    const before = inForce(SPEC);
    const loaded = get(cachesWith(resource({ ...SPEC, memory: '1Mi' }), undefined, [before]));
    expect(loaded.errors.map(({ path }) => path)).toEqual(['spec.memory']);
    expect(loaded.inForce?.spec.memory).toBe('512Mi');
    expect(loaded.wanted).toBeNull();
    expect(loaded.frozen).not.toBeNull();
  });

  test('a change that is not supported is found although the API server let it pass', () => {
    const before = inForce(SPEC);
    const loaded = get(cachesWith(resource({ ...SPEC, shards: 3 }), undefined, [before]));
    expect(loaded.errors.map(({ path }) => path)).toEqual(['spec.shards']);
    expect(loaded.inForce?.spec.shards).toBe(2);
  });

  test('the own region must be listed', () => {
    const regions = [{ name: 'mars', number: 4 }];
    const loaded = get(cachesWith(resource({ regions })));
    expect(loaded.errors.map(({ path }) => path)).toEqual(['spec.regions']);
    expect(loaded.inForce).toBeNull();
  });

  test('the spec in force of somebody else is not believed', () => {
    const { metadata } = inForce({ ...SPEC, shards: 7 });
    const stranger = { metadata: { ...metadata, ownerReferences: [{ uid: 'other' }] } };
    expect(get(cachesWith(resource(SPEC), undefined, [stranger])).errors).toEqual([]);
    const broken = {
      metadata: { ...metadata, annotations: { [IN_FORCE_ANNOTATION]: '{' } },
    };
    expect(get(cachesWith(resource(SPEC), undefined, [broken])).errors).toEqual([]);
  });

  test('mode Plan keeps what runs in force and still knows what is wanted', () => {
    const before = inForce(SPEC);
    const spec = { ...SPEC, replicas: 2, mode: 'Plan' };
    const loaded = get(cachesWith(resource(spec), undefined, [before]));
    expect(loaded.planOnly).toBe(true);
    expect(loaded.inForce?.spec.replicas).toBe(1);
    expect(loaded.wanted?.spec.replicas).toBe(2);
    expect(get(cachesWith(resource(spec))).inForce).toBeNull();
  });
});

describe('a zone label that no node has', () => {
  const bare = [node('n1', null)];
  const typo = { ...SPEC, placement: { zoneKey: 'topology.kubernetes.io/zon' } };

  test('lets a new database start without zones when few zones are allowed', () => {
    const loaded = get(cachesWith(resource(SPEC), bare));
    expect(loaded.missingZoneKey).toBe('topology.kubernetes.io/zone');
    expect(loaded.frozen).toBeNull();
    expect(loaded.inForce?.zonesKnown).toBe(false);
  });

  test('makes a new database wait when they are not', () => {
    const spec = { ...SPEC, placement: { whenZonesAreFew: 'Refuse' } };
    const loaded = get(cachesWith(resource(spec), bare));
    expect(loaded.frozen?.on).toBe('zones');
    expect(loaded.inForce).toBeNull();
  });

  test('does not touch a database that runs', () => {
    const loaded = get(cachesWith(resource(typo), undefined, [inForce(SPEC)]));
    expect(loaded.missingZoneKey).toBe('topology.kubernetes.io/zon');
    expect(loaded.frozen).not.toBeNull();
    expect(loaded.inForce?.spec.placement.zoneKey).toBe('topology.kubernetes.io/zone');
  });

  test('does not stop a database that was started without zones', () => {
    const before = inForce(SPEC, bare);
    expect(get(cachesWith(resource(SPEC), bare, [before])).frozen).toBeNull();
  });
});

describe('a secret that does not exist', () => {
  const missing = ['spec.auth.passwordSecret: Secret shop/nowhere has no key password'];

  test('leaves what runs as it is', () => {
    const spec = { ...SPEC, auth: { passwordSecret: { name: 'nowhere', key: 'password' } } };
    const loaded = get(cachesWith(resource(spec), undefined, [inForce(SPEC)]));
    const held = withMissingSecrets(loaded, missing);
    expect(held.inForce?.spec.auth.passwordSecret).toBeUndefined();
    expect(held.frozen).toEqual({ on: 'secrets', reason: missing[0] });
    expect(held.missingSecrets).toEqual(missing);
  });

  test('makes a new database wait', () => {
    const held = withMissingSecrets(get(cachesWith(resource(SPEC))), missing);
    expect(held.inForce).toBeNull();
    expect(held.frozen?.on).toBe('secrets');
    expect(held.wanted).not.toBeNull();
  });

  test('changes nothing when all exist', () => {
    const loaded = get(cachesWith(resource(SPEC)));
    expect(withMissingSecrets(loaded, [])).toBe(loaded);
  });
});

describe('observing', () => {
  test('takes zone, address, readiness and template of each pod', () => {
    const caches = cachesWith(resource(SPEC), [node('n1', 'a'), node('n2', 'b', false)]);
    const pods = new Map([
      [
        'shop/carts-1-0',
        {
          metadata: {
            name: 'carts-1-0',
            namespace: 'shop',
            uid: 'p',
            resourceVersion: '1',
            creationTimestamp: '2026-01-01T00:00:00Z',
            labels: {
              'meridian.dev/database': 'carts',
              'meridian.dev/component': 'shard',
              'meridian.dev/shard': '1',
            },
            annotations: { 'meridian.dev/template': 'abc' },
          },
          spec: { nodeName: 'n2' },
          status: {
            phase: 'Running',
            podIP: '10.0.0.7',
            conditions: [{ type: 'Ready', status: 'True' }],
          },
        },
      ],
    ]);
    const observed = observe({ ...caches, pods }, get(caches), 1_000, () => NO_HEALTH);
    expect(observed.pods).toMatchObject([
      {
        ...{ name: 'carts-1-0', shard: 1, ordinal: 0, node: 'n2', zone: 'b', ip: '10.0.0.7' },
        ...{ ready: true, running: true, deleting: false, template: 'abc', component: 'shard' },
      },
    ]);
    expect(observed.nodes[1]).toMatchObject({
      name: 'n2',
      ready: false,
      notReadySinceMs: Date.parse('2026-01-01T00:00:00Z'),
    });
  });
});
