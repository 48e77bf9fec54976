/**
 * One table of specs, right and wrong, that is run through both twins of every rule: through
 * validate() in cases.test.ts, and through the CEL of the CRD by sending them to a real API server.
 *
 * A case changes the base spec at some paths (undefined removes the field). With `before`, the
 * resource is created with those changes first and then updated.
 */
import type { SpecInput } from './schema.ts';

export type Changes = Readonly<Record<string, unknown>>;

export type Case = {
  readonly name: string;
  readonly resourceName?: string;
  readonly before?: Changes;
  readonly change: Changes;
  /** Paths that must be named in the refusal; empty: the resource is accepted. */
  readonly refused: readonly string[];
};

export const BASE: SpecInput = {
  regions: [
    { name: 'eu', number: 1, endpoint: 'eu.example.com:7443' },
    { name: 'us', number: 2, endpoint: 'us.example.com:7443', overrides: { replicas: 2 } },
  ],
  shards: 2,
  memory: '512Mi',
  persistence: { storage: { size: '2Gi' } },
};

export const CASES: readonly Case[] = [
  { name: 'the base', change: {}, refused: [] },
  {
    name: 'one region without an endpoint',
    change: { regions: [{ name: 'eu', number: 1 }] },
    refused: [],
  },
  {
    name: 'everything set',
    change: {
      replicas: 2,
      minReplicas: 1,
      evictionPolicy: 'noeviction',
      'persistence.fsync': 'Always',
      'persistence.storage.className': 'fast',
      proxies: {
        replicas: 3,
        service: { type: 'LoadBalancer', annotations: { 'example.com/a': 'b' } },
        peerService: { type: 'NodePort', nodePort: 30743 },
      },
      placement: { zoneKey: 'zone', whenZonesAreFew: 'Refuse' },
      auth: { passwordSecret: { name: 'a' }, peerSecret: { name: 'b', key: 'k' } },
      failover: { replaceAfter: '1m30s', abandonedVolumes: 'Keep' },
      objectives: { failoverSeconds: 5 },
      mode: 'Plan',
    },
    refused: [],
  },
  ...(['allkeys', 'volatile'] as const).flatMap((keys) =>
    ['lru', 'lfu', 'random', 'ttl'].map((order): Case => {
      const policy = `${keys}-${order}`;
      const refused = policy === 'allkeys-ttl' ? ['spec.evictionPolicy'] : [];
      return { name: `eviction by ${policy}`, change: { evictionPolicy: policy }, refused };
    }),
  ),
  { name: 'no regions', change: { regions: [] }, refused: ['spec.regions'] },
  { name: 'regions missing', change: { regions: undefined }, refused: ['spec.regions'] },
  {
    name: 'a region twice',
    change: { 'regions.1.name': 'eu' },
    refused: ['spec.regions[1]'],
  },
  {
    name: 'a region number twice',
    change: { 'regions.1.number': 1 },
    refused: ['spec.regions'],
  },
  {
    name: 'region number 0',
    change: { 'regions.0.number': 0 },
    refused: ['spec.regions[0].number'],
  },
  {
    name: 'region number 17',
    change: { 'regions.0.number': 17 },
    refused: ['spec.regions[0].number'],
  },
  {
    name: 'a region name with capitals',
    change: { 'regions.0.name': 'EU' },
    refused: ['spec.regions[0].name'],
  },
  {
    name: 'two regions and one endpoint',
    change: { 'regions.1.endpoint': undefined },
    refused: ['spec.regions'],
  },
  {
    name: 'the same endpoint twice',
    change: { 'regions.1.endpoint': 'eu.example.com:7443' },
    refused: ['spec.regions'],
  },
  {
    name: 'an endpoint without a port',
    change: { 'regions.1.endpoint': 'us.example.com' },
    refused: ['spec.regions[1].endpoint'],
  },
  {
    name: 'an endpoint with a port that is too large',
    change: { 'regions.1.endpoint': 'us.example.com:70000' },
    refused: ['spec.regions[1].endpoint'],
  },
  {
    name: 'an IPv6 endpoint',
    change: { 'regions.1.endpoint': '[fd00::1]:7443' },
    refused: [],
  },
  { name: 'no shards', change: { shards: 0 }, refused: ['spec.shards'] },
  { name: 'too many shards', change: { shards: 129 }, refused: ['spec.shards'] },
  { name: 'half a shard', change: { shards: 1.5 }, refused: ['spec.shards'] },
  { name: 'fewer shards', before: {}, change: { shards: 1 }, refused: ['spec.shards'] },
  { name: 'more shards', before: {}, change: { shards: 4 }, refused: ['spec.shards'] },
  { name: 'memory below the minimum', change: { memory: '63Mi' }, refused: ['spec.memory'] },
  { name: 'memory at the minimum', change: { memory: '64Mi' }, refused: [] },
  {
    name: 'memory above the maximum',
    change: { memory: '33Gi', 'persistence.storage.size': '100Gi' },
    refused: ['spec.memory'],
  },
  { name: 'memory that is no quantity', change: { memory: 'much' }, refused: ['spec.memory'] },
  {
    name: 'too little memory in one region',
    change: { 'regions.1.overrides.memory': '1Mi' },
    refused: ['spec.regions[1].overrides.memory'],
  },
  {
    name: 'more copies awaited than there are',
    change: { minReplicas: 2 },
    refused: ['spec'],
  },
  {
    name: 'more copies awaited than one region has',
    change: { minReplicas: 1, 'regions.1.overrides.replicas': 0 },
    refused: ['spec'],
  },
  { name: 'too many copies', change: { replicas: 6 }, refused: ['spec.replicas'] },
  {
    name: 'an unknown eviction policy',
    change: { evictionPolicy: 'allkeys-fifo' },
    refused: ['spec.evictionPolicy'],
  },
  {
    name: 'an unknown fsync',
    change: { 'persistence.fsync': 'Sometimes' },
    refused: ['spec.persistence.fsync'],
  },
  {
    name: 'a volume smaller than the memory',
    change: { 'persistence.storage.size': '256Mi' },
    refused: ['spec'],
  },
  {
    name: 'a volume smaller than the memory of one region',
    change: { 'regions.1.overrides.memory': '4Gi' },
    refused: ['spec'],
  },
  {
    name: 'a volume that shrinks',
    before: {},
    change: { 'persistence.storage.size': '1Gi' },
    refused: ['spec.persistence.storage.size'],
  },
  {
    name: 'a volume that grows',
    before: {},
    change: { 'persistence.storage.size': '4Gi' },
    refused: ['spec.persistence.storage.size'],
  },
  {
    name: 'the same size written differently',
    before: {},
    change: { 'persistence.storage.size': '2048Mi' },
    refused: [],
  },
  {
    name: 'storage removed',
    before: {},
    change: { 'persistence.storage': undefined },
    refused: ['spec.persistence'],
  },
  {
    name: 'another storage class',
    before: { 'persistence.storage.className': 'slow' },
    change: { 'persistence.storage.className': 'fast' },
    refused: ['spec.persistence.storage'],
  },
  {
    name: 'a changed region number',
    before: {},
    change: { 'regions.1.number': 3 },
    refused: ['spec.regions[1].number'],
  },
  {
    name: 'a region more',
    before: {},
    change: { 'regions.2': { name: 'ap', number: 3, endpoint: 'ap.example.com:7443' } },
    refused: [],
  },
  {
    name: 'more copies and memory',
    before: {},
    change: { replicas: 2, memory: '1Gi' },
    refused: [],
  },
  {
    name: 'a node port on a ClusterIP service',
    change: { proxies: { service: { nodePort: 30001 } } },
    refused: ['spec.proxies.service'],
  },
  {
    name: 'a node port on a ClusterIP peer service',
    change: { proxies: { peerService: { nodePort: 30001 } } },
    refused: ['spec.proxies.peerService'],
  },
  {
    name: 'a zone key that is no label key',
    change: { placement: { zoneKey: 'not a key' } },
    refused: ['spec.placement.zoneKey'],
  },
  {
    name: 'replaceAfter too short',
    change: { failover: { replaceAfter: '10s' } },
    refused: ['spec.failover.replaceAfter'],
  },
  {
    name: 'replaceAfter that is no duration',
    change: { failover: { replaceAfter: 'soon' } },
    refused: ['spec.failover.replaceAfter'],
  },
  {
    name: 'a secret without a name',
    change: { auth: { passwordSecret: { key: 'password' } } },
    refused: ['spec.auth.passwordSecret.name'],
  },
  { name: 'an unknown mode', change: { mode: 'Maybe' }, refused: ['spec.mode'] },
  {
    name: 'a name that begins with a digit',
    resourceName: '1carts',
    change: {},
    refused: [''],
  },
  {
    name: 'a name that is too long for its pods',
    resourceName: 'a'.repeat(49),
    change: {},
    refused: [''],
  },
];

/** The base spec with the changes applied; the base itself stays as it is. */
export function changed(changes: Changes, base: unknown = BASE): unknown {
  const copy = structuredClone(base) as Record<string, unknown>;
  for (const [path, value] of Object.entries(changes)) {
    const parts = path.split('.');
    let node = copy;
    for (const part of parts.slice(0, -1)) {
      node[part] ??= {};
      node = node[part] as Record<string, unknown>;
    }
    const last = parts[parts.length - 1];
    if (value === undefined) delete node[last];
    else node[last] = structuredClone(value);
  }
  return copy;
}
