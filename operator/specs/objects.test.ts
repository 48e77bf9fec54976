import { type SpecInput, specSchema } from '../api/schema.ts';
import { findDifference } from '../plan/difference.ts';
import { type Build, type KubeObject, specForRegion } from './build.ts';
import { slotRange } from './names.ts';
import { wantedObjects } from './objects.ts';

const BASE: SpecInput = {
  regions: [
    { name: 'eu', number: 1, endpoint: 'eu:7443' },
    { name: 'us', number: 2, endpoint: 'us:7443', overrides: { replicas: 2, memory: '1Gi' } },
  ],
  shards: 2,
  persistence: { fsync: 'Always', storage: { size: '4Gi', className: 'fast' } },
};

function build(spec: SpecInput = BASE, region = 'eu', zonesKnown = true): Build {
  const fullSpec = specSchema.parse(spec);
  return {
    owner: { name: 'carts', namespace: 'shop', uid: 'u1' },
    spec: specForRegion(fullSpec, region),
    fullSpec,
    region: { name: region, number: region === 'eu' ? 1 : 2 },
    engineImage: 'meridian-engine:1',
    zonesKnown,
  };
}

type Open = { [key: string]: Open };

const find = (kind: string, name: string, from = build()): KubeObject & { spec: Open } =>
  wantedObjects(from).find((o) => o.kind === kind && o.metadata.name === name) as never;

const podOf = (object: { spec: Open }): Open => object.spec.template.spec;
const containerOf = (object: { spec: Open }): Open => podOf(object).containers[0];
const argsOf = (object: { spec: Open }): string[] => containerOf(object).args as never;

const flag = (args: readonly string[], name: string): string | undefined =>
  args.includes(name) ? args[args.indexOf(name) + 1] : undefined;

describe('every object', () => {
  test('belongs to the resource, so that deleting it leaves nothing behind', () => {
    for (const { metadata } of wantedObjects(build())) {
      expect(metadata.ownerReferences).toEqual([
        expect.objectContaining({ uid: 'u1', controller: true }),
      ]);
      expect(metadata.labels['meridian.dev/database']).toBe('carts');
      expect(metadata.namespace).toBe('shop');
    }
  });

  test('is the same for the same input and differs from itself in nothing', () => {
    expect(wantedObjects(build())).toEqual(wantedObjects(build()));
    for (const object of wantedObjects(build())) {
      expect(findDifference(object, structuredClone(object))).toBeNull();
    }
  });
});

describe('the StatefulSet of a shard', () => {
  test('passes the flags of the engine contract', () => {
    const args = argsOf(find('StatefulSet', 'carts-1'));
    expect(args).toContain('--managed');
    // Pods listen beyond loopback, and the engine refuses plain peer links there unless told.
    expect(args).toContain('--insecure-peers');
    expect(argsOf(find('Deployment', 'carts-proxy'))).toContain('--insecure-peers');
    const flags = ['--role', '--region', '--region-number', '--database', '--member', '--bind'];
    expect(flags.map((name) => flag(args, name))).toEqual([
      ...['shard', 'eu', '1', 'shop/carts', '$(POD_NAME)', '$(POD_IP)'],
    ]);
    expect(flag(args, '--slots')).toBe('8192-16383');
    expect(flag(args, '--fsync')).toBe('always');
    expect(flag(args, '--dir')).toBe('/data');
    expect(flag(args, '--maxmemory')).toBe(String(512 * 2 ** 20));
  });

  test('has the eviction policy, and without one the pods it always had', () => {
    const args = argsOf(find('StatefulSet', 'carts-0'));
    expect(flag(args, '--maxmemory-policy')).toBe('noeviction');
    const named = build({ ...BASE, evictionPolicy: 'noeviction' });
    const template = (from: Build) => find('StatefulSet', 'carts-0', from).spec.template;
    expect(template(named)).toEqual(template(build()));
    const evicting = build({ ...BASE, evictionPolicy: 'volatile-lfu' });
    expect(flag(argsOf(find('StatefulSet', 'carts-0', evicting)), '--maxmemory-policy')).toBe(
      'volatile-lfu',
    );
    expect(template(evicting).metadata).not.toEqual(template(build()).metadata);
  });

  test('without storage keeps nothing', () => {
    const object = find('StatefulSet', 'carts-0', build({ ...BASE, persistence: {} }));
    expect(argsOf(object)).not.toContain('--dir');
    expect(object.spec.volumeClaimTemplates).toBeUndefined();
  });

  test('follows the overrides of its region', () => {
    const object = find('StatefulSet', 'carts-0', build(BASE, 'us'));
    expect(object.spec.replicas).toBe(3);
    expect(flag(argsOf(object), '--maxmemory')).toBe(String(2 ** 30));
  });

  test('leaves the replacement of pods to the planner and takes its volumes along', () => {
    const { spec } = find('StatefulSet', 'carts-0');
    expect(spec.updateStrategy).toEqual({ type: 'OnDelete' });
    expect(spec.persistentVolumeClaimRetentionPolicy).toEqual({
      whenDeleted: 'Delete',
      whenScaled: 'Delete',
    });
  });

  test('runs as nobody on a root filesystem that cannot be written', () => {
    const object = find('StatefulSet', 'carts-0');
    expect(podOf(object).securityContext).toMatchObject({ runAsNonRoot: true, runAsUser: 65532 });
    expect(containerOf(object).securityContext).toMatchObject({
      readOnlyRootFilesystem: true,
      allowPrivilegeEscalation: false,
      capabilities: { drop: ['ALL'] },
    });
  });

  test('spreads over zones, and over hosts alone while no zone is known', () => {
    const keys = (from: Build) => {
      const constraints = podOf(find('StatefulSet', 'carts-0', from)).topologySpreadConstraints;
      return (constraints as unknown as { topologyKey: string }[]).map((one) => one.topologyKey);
    };
    expect(keys(build())).toEqual(['topology.kubernetes.io/zone', 'kubernetes.io/hostname']);
    expect(keys(build(BASE, 'eu', false))).toEqual(['kubernetes.io/hostname']);
  });

  test('reads secrets from the environment and never from arguments', () => {
    const auth = { passwordSecret: { name: 's' }, peerSecret: { name: 'p', key: 'k' } };
    const object = find('StatefulSet', 'carts-0', build({ ...BASE, auth }));
    expect(containerOf(object).env).toContainEqual({
      name: 'MERIDIAN_REQUIREPASS',
      valueFrom: { secretKeyRef: { name: 's', key: 'password' } },
    });
    expect(containerOf(object).env).toContainEqual({
      name: 'MERIDIAN_PEER_SECRET',
      valueFrom: { secretKeyRef: { name: 'p', key: 'k' } },
    });
    expect(argsOf(object).join(' ')).not.toContain('requirepass');
  });
});

describe('the Services', () => {
  test('of clients and peers take type, port and annotations from the spec', () => {
    const proxies = {
      service: { type: 'LoadBalancer', annotations: { a: 'b' } },
      peerService: { type: 'NodePort', nodePort: 30743 },
    } as const;
    const from = build({ ...BASE, proxies });
    expect(find('Service', 'carts', from).spec.type).toBe('LoadBalancer');
    expect(find('Service', 'carts', from).metadata.annotations).toMatchObject({ a: 'b' });
    const [port] = find('Service', 'carts-peers', from).spec.ports as unknown as Open[];
    expect(port).toMatchObject({ port: 7443, nodePort: 30743 });
  });

  test('of members publishes addresses before they are ready', () => {
    const { spec } = find('Service', 'carts-members');
    expect(spec).toMatchObject({ clusterIP: 'None', publishNotReadyAddresses: true });
  });
});

describe('a difference', () => {
  test('is found in a changed, missing or shortened part, by path', () => {
    const wanted = { spec: { replicas: 2, list: [{ a: 1 }] } };
    expect(findDifference(wanted, { spec: { replicas: 3, list: [{ a: 1 }] } })).toBe(
      'spec.replicas',
    );
    expect(findDifference(wanted, { spec: { replicas: 2, list: [] } })).toBe('spec.list');
    expect(findDifference(wanted, { spec: { replicas: 2, list: [{ a: 2 }] } })).toBe(
      'spec.list[0].a',
    );
  });

  test('is not what the server added or wrote differently', () => {
    const wanted = { resources: { requests: { memory: '1024Mi' } } };
    const live = { resources: { requests: { memory: '1Gi' } }, added: true };
    expect(findDifference(wanted, live)).toBeNull();
  });
});

describe('slots', () => {
  test.each([1, 2, 3, 7, 128])('are all divided among %d shards without a gap', (shards) => {
    let next = 0;
    for (let shard = 0; shard < shards; shard++) {
      const [first, last] = slotRange(shard, shards).split('-').map(Number);
      expect(first).toBe(next);
      next = last + 1;
    }
    expect(next).toBe(16384);
  });
});
