/**
 * The ActiveActiveDatabase resource: one zod schema from which come the TypeScript type, the
 * defaults, the validator, the CRD and docs/api.md (see generate.ts).
 *
 * Every list and string has a limit: the API server prices CEL rules by the largest value that the
 * schema admits, and refuses a CRD whose rules could cost too much.
 */
import { z } from 'zod';
import { DURATION_PATTERN, QUANTITY_PATTERN } from './quantity.ts';

export const GROUP = 'meridian.dev';
export const VERSION = 'v1alpha1';
export const KIND = 'ActiveActiveDatabase';
export const PLURAL = 'activeactivedatabases';
export const API_VERSION = `${GROUP}/${VERSION}`;

const LABEL_KEY_PATTERN =
  '^([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$';
const ENDPOINT_PATTERN =
  '^(\\[[0-9a-fA-F:]+\\]|[A-Za-z0-9]([-A-Za-z0-9.]*[A-Za-z0-9])?):[1-9][0-9]{0,4}$';

/** The names of Redis, which the engine's --maxmemory-policy takes. */
const EVICTION_POLICIES = [
  'noeviction',
  'allkeys-lru',
  'allkeys-lfu',
  'allkeys-random',
  'volatile-lru',
  'volatile-lfu',
  'volatile-random',
  'volatile-ttl',
] as const;

const bytes = (description: string) =>
  z.string().max(20).regex(new RegExp(QUANTITY_PATTERN)).describe(description);

const count = (min: number, max: number, description: string) =>
  z.int().min(min).max(max).describe(description);

const secretKey = (description: string) =>
  z
    .object({
      name: z.string().min(1).max(253).describe('Name of the Secret, in the same namespace.'),
      key: z.string().min(1).max(253).default('password').describe('Key inside the Secret.'),
    })
    .describe(description);

const service = (description: string) =>
  z
    .object({
      type: z
        .enum(['ClusterIP', 'NodePort', 'LoadBalancer'])
        .default('ClusterIP')
        .describe('Type of the Service.'),
      nodePort: count(
        1,
        65535,
        'Port on every node, to know an address in advance; Kubernetes chooses one when absent.',
      ).optional(),
      annotations: z
        .record(z.string().max(317), z.string().max(1024))
        .optional()
        .describe('Annotations of the Service, for example for a load balancer.'),
    })
    .describe(description);

const overrides = z
  .object({
    replicas: count(0, 5, 'Copies beside each primary in this region.').optional(),
    memory: bytes('Memory limit of a member in this region.').optional(),
    proxies: z
      .object({ replicas: count(1, 100, 'Number of proxies in this region.').optional() })
      .optional()
      .describe('Proxies in this region.'),
  })
  .describe('What differs in this region from the rest of the spec.');

const region = z
  .object({
    name: z
      .string()
      .min(1)
      .max(40)
      .regex(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/)
      .describe('Name of the region; the operator of its cluster is installed with the same name.'),
    number: count(
      1,
      16,
      'Stable for ever: it names the writers of this region and breaks ties between regions.',
    ),
    endpoint: z
      .string()
      .max(260)
      .regex(new RegExp(ENDPOINT_PATTERN))
      .optional()
      .describe('host:port where the other regions dial. Needed when there is more than one.'),
    overrides: overrides.optional(),
  })
  .describe('One region of the database.');

const persistence = z
  .object({
    fsync: z
      .enum(['Always', 'EverySecond', 'Never'])
      .default('EverySecond')
      .describe('When the op log is forced to disk: before each reply, each second, or never.'),
    storage: z
      .object({
        size: bytes('Size of the volume of each member; at least the memory.'),
        className: z
          .string()
          .max(253)
          .optional()
          .describe("Storage class; the cluster's default when absent."),
      })
      .optional()
      .describe('A volume for each member. Without it the database lives in memory only.'),
  })
  .describe('What is kept on disk.');

const proxies = z
  .object({
    replicas: count(1, 100, 'Number of proxies, spread over the zones.').default(2),
    service: service('The Service that clients use.').prefault({}),
    peerService: service('The Service behind the endpoint that other regions dial.').prefault({}),
  })
  .describe('The processes that clients and other regions connect to.');

const placement = z
  .object({
    zoneKey: z
      .string()
      .min(1)
      .max(317)
      .regex(new RegExp(LABEL_KEY_PATTERN))
      .default('topology.kubernetes.io/zone')
      .describe('Node label that names the zone of a node.'),
    whenZonesAreFew: z
      .enum(['Allow', 'Refuse'])
      .default('Allow')
      .describe(
        'Allow: members share a zone when there are fewer zones than members. Refuse: they wait.',
      ),
  })
  .describe('Where members run.');

const failover = z
  .object({
    replaceAfter: z
      .string()
      .min(2)
      .max(20)
      .regex(new RegExp(DURATION_PATTERN))
      .default('5m')
      .describe('How long a node must be gone before its members are made again elsewhere.'),
    abandonedVolumes: z
      .enum(['Delete', 'Keep'])
      .default('Delete')
      .describe(
        'Delete: a replaced member starts on a new volume. Keep: it waits for its old volume.',
      ),
  })
  .describe('What happens after a failure.');

/** The spec of the resource. Only `regions` has no default. */
export const specSchema = z.object({
  regions: z.array(region).min(1).max(16).describe('The regions of the database.'),
  shards: count(1, 128, 'Number of shards; hash slots are divided evenly. Fixed for now.').default(
    1,
  ),
  replicas: count(0, 5, 'Copies beside each primary.').default(1),
  memory: bytes(
    'Memory for data of each member (maxmemory), 64Mi to 32Gi; requests and limits follow.',
  ).default('512Mi'),
  evictionPolicy: z
    .enum(EVICTION_POLICIES)
    .default('noeviction')
    .describe(
      'What happens when memory is full. noeviction: growing writes are refused. allkeys-*: any key ' +
        "may be deleted, volatile-*: keys with a TTL, chosen by Redis' policy of that name. " +
        'Deletions reach all regions. A change replaces the members, one after the other.',
    ),
  minReplicas: count(
    0,
    5,
    'Copies in other zones that must have a write before its reply.',
  ).default(0),
  persistence: persistence.prefault({}),
  proxies: proxies.prefault({}),
  placement: placement.prefault({}),
  auth: z
    .object({
      passwordSecret: secretKey('Password of clients (AUTH).').optional(),
      peerSecret: secretKey(
        'Secret that regions prove to each other; the same value in every cluster.',
      ).optional(),
    })
    .prefault({})
    .describe('Who may connect.'),
  failover: failover.prefault({}),
  objectives: z
    .object({
      failoverSeconds: count(1, 60, 'A failover that takes longer is reported.').default(3),
    })
    .prefault({})
    .describe('What the database is held to; misses are shown in status and metrics.'),
  mode: z
    .enum(['Apply', 'Plan'])
    .default('Apply')
    .describe('Plan: the operator writes what it would do into status.plan and changes nothing.'),
});

export type Spec = z.output<typeof specSchema>;
export type SpecInput = z.input<typeof specSchema>;
export type Region = Spec['regions'][number];
export type ServiceSpec = Spec['proxies']['service'];
