/**
 * What the API server knows: one row per resource. Everything else (routes, discovery, storage
 * keys, which fields a write may touch) follows from this table; CustomResourceDefinitions add
 * rows while it runs.
 */
import type { CustomSchema } from './custom-resource.ts';

/** A part of a Kubernetes object. Objects are open by nature; the schemas check them, not tsc. */
// biome-ignore lint/suspicious/noExplicitAny: Kubernetes objects are open; see above.
export type Open = any;

export interface OwnerReference {
  apiVersion: string;
  kind: string;
  name: string;
  uid: string;
  controller?: boolean;
  blockOwnerDeletion?: boolean;
}

export interface ManagedFields {
  manager: string;
  operation: 'Apply' | 'Update';
  apiVersion: string;
  time?: string;
  fieldsType: 'FieldsV1';
  fieldsV1: Open;
  subresource?: string;
}

export interface Metadata {
  name: string;
  namespace?: string;
  generateName?: string;
  uid: string;
  resourceVersion: string;
  generation?: number;
  creationTimestamp: string;
  deletionTimestamp?: string;
  deletionGracePeriodSeconds?: number;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  finalizers?: string[];
  ownerReferences?: OwnerReference[];
  managedFields?: ManagedFields[];
}

export interface KubeObject {
  apiVersion: string;
  kind: string;
  metadata: Metadata;
  [field: string]: Open;
}

export interface ResourceType {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly plural: string;
  readonly singular: string;
  readonly shortNames: readonly string[];
  readonly namespaced: boolean;
  /** Has a /status subresource; the main resource then leaves status alone. */
  readonly status: boolean;
  /** metadata.generation counts changes of the spec. */
  readonly generation: boolean;
  /** Has a /scale subresource. */
  readonly scale: boolean;
  /** Where its objects are kept: the plural, with the group behind it for custom resources. */
  readonly storage: string;
  /** For a custom resource: what its definition demands of an object. */
  readonly custom?: CustomSchema;
}

type Row = [group: string, version: string, kind: string, plural: string, flags: string];

/** Flags: n namespaced, s status subresource, g generation, c scale. Then short names. */
const builtIn: readonly Row[] = [
  ['', 'v1', 'Namespace', 'namespaces', 's ns'],
  ['', 'v1', 'Node', 'nodes', 's no'],
  ['', 'v1', 'Pod', 'pods', 'nsg po'],
  ['', 'v1', 'Service', 'services', 'ns svc'],
  ['', 'v1', 'Endpoints', 'endpoints', 'n ep'],
  ['', 'v1', 'ConfigMap', 'configmaps', 'n cm'],
  ['', 'v1', 'Secret', 'secrets', 'n'],
  ['', 'v1', 'Event', 'events', 'n ev'],
  ['', 'v1', 'PersistentVolumeClaim', 'persistentvolumeclaims', 'ns pvc'],
  ['', 'v1', 'ServiceAccount', 'serviceaccounts', 'n sa'],
  ['apps', 'v1', 'StatefulSet', 'statefulsets', 'nsgc sts'],
  ['apps', 'v1', 'Deployment', 'deployments', 'nsgc deploy'],
  ['policy', 'v1', 'PodDisruptionBudget', 'poddisruptionbudgets', 'nsg pdb'],
  ['discovery.k8s.io', 'v1', 'EndpointSlice', 'endpointslices', 'ng'],
  ['coordination.k8s.io', 'v1', 'Lease', 'leases', 'n'],
  ['events.k8s.io', 'v1', 'Event', 'events', 'n ev'],
  ['rbac.authorization.k8s.io', 'v1', 'Role', 'roles', 'n'],
  ['rbac.authorization.k8s.io', 'v1', 'RoleBinding', 'rolebindings', 'n'],
  ['rbac.authorization.k8s.io', 'v1', 'ClusterRole', 'clusterroles', ''],
  ['rbac.authorization.k8s.io', 'v1', 'ClusterRoleBinding', 'clusterrolebindings', ''],
  ['apiextensions.k8s.io', 'v1', 'CustomResourceDefinition', 'customresourcedefinitions', 'sg crd'],
];

/** The resources being served; built-in ones and those that definitions added. */
export class Scheme {
  private readonly byPath = new Map<string, ResourceType>();

  constructor() {
    for (const [group, version, kind, plural, flags] of builtIn) {
      const [letters, ...shortNames] = flags.split(' ');
      const has = (letter: string) => letters.includes(letter);
      this.add({
        ...{ group, version, kind, plural, shortNames, storage: plural },
        ...{ singular: kind.toLowerCase(), namespaced: has('n'), status: has('s') },
        ...{ generation: has('g'), scale: has('c') },
      });
    }
  }

  add(type: ResourceType): void {
    this.byPath.set(`${type.group}/${type.version}/${type.plural}`, type);
  }

  remove(type: ResourceType): void {
    this.byPath.delete(`${type.group}/${type.version}/${type.plural}`);
  }

  find(group: string, version: string, plural: string): ResourceType | undefined {
    return this.byPath.get(`${group}/${version}/${plural}`);
  }

  /** By what an object says of itself. */
  findKind(apiVersion: string, kind: string): ResourceType | undefined {
    return this.all().find((type) => apiVersionOf(type) === apiVersion && type.kind === kind);
  }

  /** The row whose objects are kept under `storage`; the first where two groups share one. */
  getStored(storage: string): ResourceType {
    const type = this.all().find((row) => row.storage === storage);
    if (type === undefined) throw new Error(`no resource is stored under ${storage}`);
    return type;
  }

  all(): ResourceType[] {
    return [...this.byPath.values()];
  }
}

/** "v1" for the core group, "group/version" otherwise. */
export function apiVersionOf(type: { group: string; version: string }): string {
  return type.group === '' ? type.version : `${type.group}/${type.version}`;
}

/** "pods", "statefulsets.apps": how error messages name a resource. */
export function qualifiedResource(type: ResourceType): string {
  return type.group === '' ? type.plural : `${type.plural}.${type.group}`;
}
