/** Shell: the copies of all kinds that a database consists of, and who is told of a change. */
import type { Logger } from 'pino';
import { GROUP, PLURAL, VERSION } from './api/schema.ts';
import type { Client } from './kube/client.ts';
import { type Item, keyOf, type Reflector, startReflector } from './kube/reflector.ts';
import type {
  Caches,
  Claim,
  DatabaseResource,
  Node,
  OwnedObject,
  Pod,
} from './reconcile/resource.ts';
import { DATABASE_LABEL, MANAGED_BY_LABEL } from './specs/names.ts';

export type CacheOptions = {
  readonly client: Client;
  /** Null: all namespaces. */
  readonly watchNamespace: string | null;
  readonly log: Logger;
  readonly signal: AbortSignal;
  /** Something of one database changed. */
  readonly onDatabase: (key: string) => void;
  /** Something that concerns every database changed, or all caches are filled now. */
  readonly onAll: () => void;
};

export type FilledCaches = {
  readonly caches: Caches;
  readonly put: (resource: DatabaseResource) => void;
  readonly synced: () => boolean;
};

const MANAGED = { labelSelector: `${MANAGED_BY_LABEL}=meridian-operator` };

/** Starts to follow all kinds. */
export function startCaches(options: CacheOptions): FilledCaches {
  const { client, log, signal } = options;
  const scope = options.watchNamespace === null ? '' : `/namespaces/${options.watchNamespace}`;
  const reflect = <T extends Item>(
    path: string,
    query: Record<string, string>,
    onChange: (now: T | null, before: T | null) => void,
  ): Reflector<T> =>
    startReflector<T>({ client, path, query, log, signal, onChange, onSynced: () => onSynced() });
  const owned = <T extends Item & Labelled>(group: string, plural: string): Reflector<T> =>
    reflect<T>(`${group}${scope}/${plural}`, MANAGED, (now, before) => {
      const { namespace, labels } = (now ?? before)?.metadata ?? {};
      const name = labels?.[DATABASE_LABEL];
      if (name !== undefined) options.onDatabase(`${namespace}/${name}`);
    });
  const reflectors = {
    databases: reflect<DatabaseResource>(
      `/apis/${GROUP}/${VERSION}${scope}/${PLURAL}`,
      {},
      (now, before) => {
        const changed = now ?? before;
        if (changed !== null) options.onDatabase(keyOf(changed));
      },
    ),
    nodes: reflect<Node>('/api/v1/nodes', {}, (now, before) => {
      if (nodeFacts(now) !== nodeFacts(before)) options.onAll();
    }),
    pods: owned<Pod>('/api/v1', 'pods'),
    services: owned<OwnedObject>('/api/v1', 'services'),
    claims: owned<Claim>('/api/v1', 'persistentvolumeclaims'),
    statefulSets: owned<OwnedObject>('/apis/apps/v1', 'statefulsets'),
    deployments: owned<OwnedObject>('/apis/apps/v1', 'deployments'),
    budgets: owned<OwnedObject>('/apis/policy/v1', 'poddisruptionbudgets'),
  };
  const synced = (): boolean => Object.values(reflectors).every((one) => one.synced());
  const onSynced = (): void => {
    // The last of them calls this before it says so itself.
    queueMicrotask(() => synced() && options.onAll());
  };
  const entries = Object.entries(reflectors).map(([name, { items }]) => [name, items]);
  return {
    caches: Object.fromEntries(entries) as unknown as Caches,
    put: reflectors.databases.put,
    synced,
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
