/**
 * Shell: a database in both regions, as a feature needs one.
 *
 * Each feature has a namespace and node ports of its own, so that what an interrupted run left
 * behind does not stand in another feature's way.
 */
import { Redis } from 'ioredis';
import { restrictedNamespace } from './chart.ts';
import { type Cluster, connect, entryAddress, REGIONS, type Region } from './cluster.ts';
import { eventually, notYet } from './eventually.ts';
import type { Manifest } from './kubectl.ts';

const PORTS = {
  install: { client: 30379, peer: 30743 },
  replication: { client: 30380, peer: 30744 },
  failover: { client: 30381, peer: 30745 },
  'wrong-resource': { client: 30382, peer: 30746 },
  delete: { client: 30383, peer: 30747 },
} as const;

export type Feature = keyof typeof PORTS;

export const API_VERSION = 'meridian.dev/v1alpha1';
export const KIND = 'ActiveActiveDatabase';
const PASSWORD = 'correct-horse';
const REGION_NUMBERS: Readonly<Record<Region, number>> = { eu: 1, us: 2 };

const READY_LIMIT_MS = 180_000;
const DELETE_LIMIT_MS = 120_000;

export type Clusters = Readonly<Record<Region, Cluster>>;

export type Database = {
  readonly feature: Feature;
  readonly namespace: string;
  readonly name: string;
  readonly clusters: Clusters;
};

export async function connectBoth(): Promise<Clusters> {
  return { eu: await connect('eu'), us: await connect('us') };
}

/** The feature's database, not yet applied anywhere; its namespace is made anew, and empty. */
export async function prepareDatabase(feature: Feature): Promise<Database> {
  const clusters = await connectBoth();
  const database = { feature, namespace: `e2e-${feature}`, name: 'carts', clusters };
  await removeNamespaces(database);
  for (const region of REGIONS) {
    const { kubectl } = clusters[region];
    await kubectl.apply(restrictedNamespace(database.namespace));
    await kubectl.apply(secret(database, 'carts-password', PASSWORD));
    await kubectl.apply(secret(database, 'carts-peers', 'the same in every cluster'));
  }
  return database;
}

/** The feature's database, applied and Ready in both regions, which are connected. */
export async function createDatabase(feature: Feature): Promise<Database> {
  const database = await prepareDatabase(feature);
  await applyDatabase(database);
  return database;
}

/** Applies the database in both regions and waits until they are Ready and connected. */
export async function applyDatabase(database: Database): Promise<void> {
  for (const region of REGIONS) {
    await database.clusters[region].kubectl.apply(resource(database));
  }
  for (const region of REGIONS) {
    await conditionIs(database, region, 'Ready', 'True', READY_LIMIT_MS);
    await conditionIs(database, region, 'PeersConnected', 'True', READY_LIMIT_MS);
  }
}

/** Takes the database and its namespace away in both clusters. */
export async function removeNamespaces(database: Database): Promise<void> {
  for (const region of REGIONS) {
    const { kubectl } = database.clusters[region];
    await kubectl(
      ['delete', 'namespace', database.namespace, '--ignore-not-found', '--wait=true'],
      undefined,
      DELETE_LIMIT_MS,
    );
  }
}

/** The resource as a user writes it: the same in every cluster. */
export function resource(database: Database): Manifest {
  const ports = PORTS[database.feature];
  const regions = REGIONS.map((name) => ({
    name,
    number: REGION_NUMBERS[name],
    endpoint: `${entryAddress(database.clusters[name])}:${ports.peer}`,
  }));
  return {
    apiVersion: API_VERSION,
    kind: KIND,
    metadata: { name: database.name, namespace: database.namespace },
    spec: {
      regions,
      shards: 2,
      replicas: 1,
      memory: '64Mi',
      persistence: { fsync: 'EverySecond', storage: { size: '256Mi' } },
      proxies: {
        replicas: 2,
        service: { type: 'NodePort', nodePort: ports.client },
        peerService: { type: 'NodePort', nodePort: ports.peer },
      },
      auth: {
        passwordSecret: { name: 'carts-password', key: 'password' },
        peerSecret: { name: 'carts-peers', key: 'password' },
      },
    },
  };
}

function secret(database: Database, name: string, password: string): Manifest {
  const metadata = { name, namespace: database.namespace };
  return { apiVersion: 'v1', kind: 'Secret', metadata, stringData: { password } };
}

/** The resource as the region's API server has it; fails when it is not there. */
export async function readResource(database: Database, region: Region): Promise<Manifest> {
  const { kubectl } = database.clusters[region];
  const found = await kubectl.get('aadb', database.namespace, database.name);
  return found ?? notYet(`there is no aadb ${database.namespace}/${database.name} in ${region}`);
}

/**
 * Waits until a condition of the current generation has this status.
 *
 * @returns the condition
 */
export async function conditionIs(
  database: Database,
  region: Region,
  type: string,
  status: 'True' | 'False',
  limitMs: number,
): Promise<Manifest> {
  return eventually(
    `${type}=${status} of ${database.namespace} in ${region}`,
    limitMs,
    async () => {
      const { metadata, status: found } = await readResource(database, region);
      const condition = found?.conditions?.find((one: Manifest) => one.type === type);
      if (condition === undefined) notYet(`no ${type} among the conditions`);
      if (condition.observedGeneration !== metadata.generation) {
        notYet(`${type} is of generation ${condition.observedGeneration}, not of the current one`);
      }
      if (condition.status !== status) {
        notYet(`${type}=${condition.status} ${condition.reason}: ${condition.message}`);
      }
      return condition;
    },
  );
}

/** A client of the region, connected through its node port as an application outside would be. */
export async function openClient(database: Database, region: Region): Promise<Redis> {
  const host = entryAddress(database.clusters[region]);
  const port = PORTS[database.feature].client;
  const client = new Redis({
    host,
    port,
    password: PASSWORD,
    lazyConnect: true,
    connectTimeout: 2_000,
    commandTimeout: 15_000,
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    retryStrategy: () => 100,
  });
  // Broken connections show in the commands that fail; the client dials again by itself.
  client.on('error', () => {});
  await eventually(`a client of ${region} at ${host}:${port}`, 60_000, () => client.ping());
  return client;
}
