/**
 * Shell: follows everything that a database consists of, and turns each change into work.
 *
 *   reflectors ─┬─> routing queue ─> Database.route       (every replica)
 *   probes ─────┴─> objects queue ─> Database.reconcile   (the leader)
 */
import type { Logger } from 'pino';
import { GROUP, PLURAL, VERSION } from './api/schema.ts';
import type { Client } from './kube/client.ts';
import type { EventRecorder } from './kube/event.ts';
import { WorkQueue } from './kube/queue.ts';
import { type Item, keyOf, type Reflector, startReflector } from './kube/reflector.ts';
import type { Metrics } from './metrics.ts';
import { Database } from './reconcile/database.ts';
import type {
  Caches,
  Claim,
  DatabaseResource,
  Node,
  OwnedObject,
  Pod,
} from './reconcile/resource.ts';
import { DATABASE_LABEL, MANAGED_BY_LABEL } from './specs/names.ts';

export type ControllerOptions = {
  readonly client: Client;
  readonly region: string;
  readonly engineImage: string;
  /** Null: all namespaces. */
  readonly watchNamespace: string | null;
  readonly isLeader: () => boolean;
  readonly log: Logger;
  readonly event: EventRecorder;
  readonly metrics: Metrics;
  readonly signal: AbortSignal;
};

export type Controller = {
  readonly synced: () => boolean;
  /** Puts every database to both queues, as after becoming leader. */
  readonly wakeAll: () => void;
  readonly stop: () => void;
};

const MANAGED = { labelSelector: `${MANAGED_BY_LABEL}=meridian-operator` };

/** Starts to look after all databases. */
export function startController(options: ControllerOptions): Controller {
  const { client, log, metrics, signal, isLeader } = options;
  const databases = new Map<string, Database>();
  const scope = options.watchNamespace === null ? '' : `/namespaces/${options.watchNamespace}`;

  const wake = (key: string): void => {
    routing.add(key);
    if (isLeader()) objects.add(key);
  };
  const wakeOwner = (item: Labelled | null): void => {
    const name = item?.metadata.labels?.[DATABASE_LABEL];
    if (name !== undefined) wake(`${item?.metadata.namespace}/${name}`);
  };
  const wakeAll = (): void => {
    for (const key of resources.items.keys()) wake(key);
  };

  const reflect = <T extends Item>(
    path: string,
    query: Record<string, string>,
    onChange: (now: T | null, before: T | null) => void,
  ): Reflector<T> =>
    startReflector<T>({ client, path, query, log, signal, onChange, onSynced: () => onSynced() });
  const owned = <T extends Item & Labelled>(group: string, plural: string): Reflector<T> =>
    reflect<T>(`${group}${scope}/${plural}`, MANAGED, (now, before) => wakeOwner(now ?? before));

  const resources = reflect<DatabaseResource>(
    `/apis/${GROUP}/${VERSION}${scope}/${PLURAL}`,
    {},
    (now, before) => {
      const changed = now ?? before;
      if (changed !== null) wake(keyOf(changed));
      metrics.databases.set(resources?.items.size ?? 0);
    },
  );
  const nodes = reflect<Node>('/api/v1/nodes', {}, (now, before) => {
    if (nodeFacts(now) !== nodeFacts(before)) wakeAll();
  });
  const reflectors = {
    databases: resources,
    nodes,
    pods: owned<Pod>('/api/v1', 'pods'),
    services: owned<OwnedObject>('/api/v1', 'services'),
    claims: owned<Claim>('/api/v1', 'persistentvolumeclaims'),
    statefulSets: owned<OwnedObject>('/apis/apps/v1', 'statefulsets'),
    deployments: owned<OwnedObject>('/apis/apps/v1', 'deployments'),
    budgets: owned<OwnedObject>('/apis/policy/v1', 'poddisruptionbudgets'),
  };
  const all = Object.values(reflectors);
  const synced = (): boolean => all.every((reflector) => reflector.synced());
  const onSynced = (): void => {
    // The last of them calls this before it says so itself.
    queueMicrotask(() => synced() && wakeAll());
  };
  const caches = Object.fromEntries(
    Object.entries(reflectors).map(([name, { items }]) => [name, items]),
  ) as unknown as Caches;

  const databaseOf = (key: string): Database => {
    let database = databases.get(key);
    if (database === undefined) {
      database = new Database(key, { ...options, caches, wake, put: resources.put });
      databases.set(key, database);
    }
    return database;
  };
  const lane = (name: 'routing' | 'objects', run: (one: Database) => Promise<number | null>) =>
    new WorkQueue(
      async (key) => {
        if (!synced()) return null;
        if (!resources.items.has(key)) {
          databases.get(key)?.close();
          databases.delete(key);
          return null;
        }
        const end = metrics.runSeconds.startTimer({ lane: name });
        const againMs = await run(databaseOf(key)).finally(end);
        metrics.runs.inc({ lane: name, result: 'done' });
        return againMs;
      },
      (key, error) => {
        metrics.runs.inc({ lane: name, result: 'failed' });
        log.warn({ database: key, lane: name, error: String(error) }, 'run failed');
      },
    );
  const routing = lane('routing', (one) => one.route());
  const objects = lane('objects', async (one) => (isLeader() ? one.reconcile() : null));

  return {
    synced,
    wakeAll,
    stop: () => {
      routing.stop();
      objects.stop();
      for (const database of databases.values()) database.close();
      databases.clear();
    },
  };
}

type Labelled = {
  readonly metadata: { readonly namespace?: string; readonly labels?: Record<string, string> };
};

/** What of a node matters here; its heartbeats do not. */
function nodeFacts(node: Node | null): string {
  const ready = node?.status?.conditions?.find(({ type }) => type === 'Ready')?.status;
  return JSON.stringify([node?.metadata.labels, ready]);
}
