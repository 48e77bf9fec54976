/**
 * The rules that a schema alone cannot say: one table, each rule twice.
 *
 * `cel` goes into the CRD at the place `at`, where the API server evaluates it on every write.
 * `check` is its twin for the operator, which must not trust that the CRD in the cluster is the
 * one it was built with. cases.ts is run through both, so that they cannot drift apart.
 *
 * A rule with `transition` speaks of a change: it is evaluated only when there is an old value.
 * In `at`, "[]" stands for each item of a list.
 */
import { getBytes, parseDurationMs } from './quantity.ts';
import type { Region, Spec } from './schema.ts';

/** What a rule finds wrong: where, and the value there. */
export type Finding = { readonly path: string; readonly value: unknown };

export type Subject = { readonly name: string; readonly spec: Spec; readonly old: Spec | null };

export type Rule = {
  readonly id: string;
  readonly at: string;
  readonly cel: string;
  readonly transition: boolean;
  /** What must hold, as the end of a sentence. */
  readonly rule: string;
  /** What to do about it. */
  readonly cure: string;
  readonly check: (subject: Subject) => readonly Finding[];
};

export const NAME_LENGTH_MAX = 48;
const MEMORY_MIN = '64Mi';
const MEMORY_MAX = '32Gi';
const REPLACE_AFTER_MIN_MS = 30_000;

const memoryAtLeast = `quantity(self).compareTo(quantity('${MEMORY_MIN}')) >= 0`;
const memoryAtMost = `quantity(self).compareTo(quantity('${MEMORY_MAX}')) <= 0`;

const ALL_REPLICAS = 'self.regions.all(r, !has(r.overrides) || !has(r.overrides.replicas)';
const STORAGE = 'quantity(self.persistence.storage.size)';
const ALL_MEMORY = 'self.regions.all(r, !has(r.overrides) || !has(r.overrides.memory)';

export const RULES: readonly Rule[] = [
  {
    id: 'name',
    at: '',
    cel:
      "self.metadata.name.matches('^[a-z]([-a-z0-9]*[a-z0-9])?$') && " +
      `self.metadata.name.size() <= ${NAME_LENGTH_MAX}`,
    transition: false,
    rule:
      'metadata.name must begin with a letter, hold only a-z, 0-9 and "-", ' +
      `and have at most ${NAME_LENGTH_MAX} characters`,
    cure: 'choose a shorter or plainer name; Services and pods are named after it',
    check: ({ name }) =>
      /^[a-z]([-a-z0-9]*[a-z0-9])?$/.test(name) && name.length <= NAME_LENGTH_MAX
        ? []
        : [{ path: 'metadata.name', value: name }],
  },
  {
    id: 'region-names-unique',
    at: 'spec.regions',
    cel: 'self.all(r, self.exists_one(o, o.name == r.name))',
    transition: false,
    rule: 'region names must be unique',
    cure: 'remove or rename one of them',
    check: ({ spec }) => repeated(spec.regions, 'name'),
  },
  {
    id: 'region-numbers-unique',
    at: 'spec.regions',
    cel: 'self.all(r, self.exists_one(o, o.number == r.number))',
    transition: false,
    rule: 'region numbers must be unique',
    cure: 'give each region its own number from 1 to 16',
    check: ({ spec }) => repeated(spec.regions, 'number'),
  },
  {
    id: 'region-number-fixed',
    at: 'spec.regions[].number',
    cel: 'self == oldSelf',
    transition: true,
    rule: 'the number of a region cannot change, because its writes are named after it',
    cure: 'put the old number back, or add a region with another name',
    check: ({ spec, old }) =>
      spec.regions.flatMap((region, index) => {
        const before = old?.regions.find((other) => other.name === region.name);
        return before === undefined || before.number === region.number
          ? []
          : [{ path: `spec.regions[${index}].number`, value: region.number }];
      }),
  },
  {
    id: 'endpoints-given',
    at: 'spec.regions',
    cel: 'self.size() == 1 || self.all(r, has(r.endpoint))',
    transition: false,
    rule: 'each region needs an endpoint when there is more than one',
    cure: 'set endpoint to the host:port of the peer Service of that cluster',
    check: ({ spec }) =>
      spec.regions.length === 1
        ? []
        : spec.regions.flatMap((region, index) =>
            region.endpoint === undefined
              ? [{ path: `spec.regions[${index}].endpoint`, value: undefined }]
              : [],
          ),
  },
  {
    id: 'endpoints-unique',
    at: 'spec.regions',
    cel:
      'self.all(r, !has(r.endpoint) || ' +
      'self.exists_one(o, has(o.endpoint) && o.endpoint == r.endpoint))',
    transition: false,
    rule: 'two regions cannot have the same endpoint',
    cure: 'give each region the address of its own cluster',
    check: ({ spec }) => repeated(spec.regions, 'endpoint'),
  },
  {
    id: 'endpoint-port',
    at: 'spec.regions[].endpoint',
    cel: "int(self.substring(self.lastIndexOf(':') + 1)) <= 65535",
    transition: false,
    rule: 'the port of an endpoint must be at most 65535',
    cure: 'correct the number after the last colon',
    check: ({ spec }) =>
      spec.regions.flatMap(({ endpoint }, index) =>
        endpoint === undefined || Number(endpoint.slice(endpoint.lastIndexOf(':') + 1)) <= 65535
          ? []
          : [{ path: `spec.regions[${index}].endpoint`, value: endpoint }],
      ),
  },
  {
    id: 'shards-fixed',
    at: 'spec.shards',
    cel: 'self == oldSelf',
    transition: true,
    rule:
      'the number of shards cannot change yet, neither shrink nor grow; ' +
      'any number from 1 to 128 is supported when a database is created',
    cure:
      'put the old number back, or create a database with the shards you need ' +
      'and copy the data',
    check: ({ spec, old }) =>
      old === null || old.shards === spec.shards
        ? []
        : [{ path: 'spec.shards', value: spec.shards }],
  },
  {
    id: 'memory-minimum',
    at: 'spec.memory',
    cel: memoryAtLeast,
    transition: false,
    rule: `memory must be at least ${MEMORY_MIN}`,
    cure: `set it to ${MEMORY_MIN} or more`,
    check: ({ spec }) =>
      getBytes(spec.memory) >= getBytes(MEMORY_MIN)
        ? []
        : [{ path: 'spec.memory', value: spec.memory }],
  },
  {
    id: 'memory-maximum',
    at: 'spec.memory',
    cel: memoryAtMost,
    transition: false,
    rule: `memory must be at most ${MEMORY_MAX}`,
    cure: 'use more shards instead of larger members',
    check: ({ spec }) =>
      getBytes(spec.memory) <= getBytes(MEMORY_MAX)
        ? []
        : [{ path: 'spec.memory', value: spec.memory }],
  },
  {
    id: 'override-memory-range',
    at: 'spec.regions[].overrides.memory',
    cel: `${memoryAtLeast} && ${memoryAtMost}`,
    transition: false,
    rule: `memory must be from ${MEMORY_MIN} to ${MEMORY_MAX}`,
    cure: 'choose a value in that range, or remove the override',
    check: ({ spec }) =>
      overrideFindings(spec, 'memory', (memory) => {
        const bytes = getBytes(String(memory));
        return bytes >= getBytes(MEMORY_MIN) && bytes <= getBytes(MEMORY_MAX);
      }),
  },
  {
    id: 'min-replicas',
    at: 'spec',
    cel:
      `self.minReplicas <= self.replicas && ${ALL_REPLICAS} || ` +
      'self.minReplicas <= r.overrides.replicas)',
    transition: false,
    rule:
      'minReplicas cannot be more than replicas in any region, ' +
      'or no write could ever be answered',
    cure: 'lower minReplicas or raise replicas',
    check: ({ spec }) => [
      ...(spec.minReplicas <= spec.replicas
        ? []
        : [{ path: 'spec.minReplicas', value: spec.minReplicas }]),
      ...overrideFindings(spec, 'replicas', (replicas) => spec.minReplicas <= Number(replicas)),
    ],
  },
  {
    id: 'storage-kept',
    at: 'spec.persistence',
    cel: 'has(self.storage) == has(oldSelf.storage)',
    transition: true,
    rule: 'storage cannot be added or removed on a running database',
    cure: 'put it back as it was, or create a new database and copy the data',
    check: ({ spec, old }) =>
      old === null ||
      (old.persistence.storage === undefined) === (spec.persistence.storage === undefined)
        ? []
        : [{ path: 'spec.persistence.storage', value: spec.persistence.storage }],
  },
  {
    id: 'storage-not-shrunk',
    at: 'spec.persistence.storage.size',
    cel: 'quantity(self).compareTo(quantity(oldSelf)) >= 0',
    transition: true,
    rule: 'a volume cannot shrink',
    cure: 'put the old size back',
    check: (subject) => storageSize(subject, (now, before) => now >= before),
  },
  {
    id: 'storage-not-grown',
    at: 'spec.persistence.storage.size',
    cel: 'quantity(self).compareTo(quantity(oldSelf)) <= 0',
    transition: true,
    rule: 'growing a volume is not supported yet',
    cure: 'put the old size back, or create a new database and copy the data',
    check: (subject) => storageSize(subject, (now, before) => now <= before),
  },
  {
    id: 'storage-class-fixed',
    at: 'spec.persistence.storage',
    cel:
      'has(self.className) == has(oldSelf.className) && ' +
      '(!has(self.className) || self.className == oldSelf.className)',
    transition: true,
    rule: 'the storage class cannot change',
    cure: 'put the old class back',
    check: ({ spec, old }) => {
      const [now, before] = [spec.persistence.storage, old?.persistence.storage];
      return now === undefined || before === undefined || now.className === before.className
        ? []
        : [{ path: 'spec.persistence.storage.className', value: now.className }];
    },
  },
  {
    id: 'storage-holds-memory',
    at: 'spec',
    cel:
      `!has(self.persistence.storage) || (${STORAGE}.compareTo(quantity(self.memory)) >= 0 && ` +
      `${ALL_MEMORY} || ${STORAGE}.compareTo(quantity(r.overrides.memory)) >= 0))`,
    transition: false,
    rule: 'a volume must be at least as large as the memory of a member',
    cure: 'raise persistence.storage.size; four times the memory is a good start',
    check: ({ spec }) => {
      const size = spec.persistence.storage?.size;
      if (size === undefined) return [];
      const memories = [spec.memory, ...spec.regions.map((r) => r.overrides?.memory ?? '0')];
      return memories.some((memory) => getBytes(memory) > getBytes(size))
        ? [{ path: 'spec.persistence.storage.size', value: size }]
        : [];
    },
  },
  ...(['service', 'peerService'] as const).map(
    (field): Rule => ({
      id: `node-port-${field}`,
      at: `spec.proxies.${field}`,
      cel: "!has(self.nodePort) || self.type != 'ClusterIP'",
      transition: false,
      rule: 'nodePort needs type NodePort or LoadBalancer',
      cure: 'change the type or remove nodePort',
      check: ({ spec }) => {
        const { nodePort, type } = spec.proxies[field];
        return nodePort === undefined || type !== 'ClusterIP'
          ? []
          : [{ path: `spec.proxies.${field}.nodePort`, value: nodePort }];
      },
    }),
  ),
  {
    id: 'replace-after',
    at: 'spec.failover.replaceAfter',
    cel: "duration(self) >= duration('30s')",
    transition: false,
    rule: 'replaceAfter must be at least 30s, or a node that restarts would lose its members',
    cure: 'use 30s or more; 5m is the default',
    check: ({ spec }) =>
      (parseDurationMs(spec.failover.replaceAfter) ?? 0) >= REPLACE_AFTER_MIN_MS
        ? []
        : [{ path: 'spec.failover.replaceAfter', value: spec.failover.replaceAfter }],
  },
];

function repeated(
  regions: readonly Region[],
  field: 'name' | 'number' | 'endpoint',
): readonly Finding[] {
  const seen = new Set<string | number>();
  return regions.flatMap((region, index) => {
    const value = region[field];
    if (value === undefined) return [];
    const again = seen.has(value);
    seen.add(value);
    return again ? [{ path: `spec.regions[${index}].${field}`, value }] : [];
  });
}

function overrideFindings(
  spec: Spec,
  field: 'memory' | 'replicas',
  holds: (value: string | number) => boolean,
): readonly Finding[] {
  return spec.regions.flatMap((region, index) => {
    const value = region.overrides?.[field];
    return value === undefined || holds(value)
      ? []
      : [{ path: `spec.regions[${index}].overrides.${field}`, value }];
  });
}

function storageSize(
  { spec, old }: Subject,
  holds: (now: number, before: number) => boolean,
): readonly Finding[] {
  const [now, before] = [spec.persistence.storage, old?.persistence.storage];
  return now === undefined ||
    before === undefined ||
    holds(getBytes(now.size), getBytes(before.size))
    ? []
    : [{ path: 'spec.persistence.storage.size', value: now.size }];
}
