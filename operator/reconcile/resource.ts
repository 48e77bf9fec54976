/** Objects as the API server sends them: only the fields that the operator reads. */
import type { Item } from '../kube/reflector.ts';

type Metadata = Item['metadata'] & {
  readonly labels?: Record<string, string>;
  readonly annotations?: Record<string, string>;
  readonly creationTimestamp?: string;
  readonly deletionTimestamp?: string;
  readonly generation?: number;
  readonly ownerReferences?: readonly { readonly uid: string }[];
};

type ConditionOf = { type: string; status: string; lastTransitionTime?: string };

export type DatabaseResource = {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: Metadata;
  readonly spec?: unknown;
  readonly status?: unknown;
};

/** List items come without apiVersion and kind; a reflector knows them by its path. */
export type OwnedObject = {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata: Metadata;
  readonly spec?: unknown;
};

export type Pod = {
  readonly metadata: Metadata;
  readonly spec?: { readonly nodeName?: string };
  readonly status?: {
    readonly phase?: string;
    readonly podIP?: string;
    readonly conditions?: readonly ConditionOf[];
  };
};

export type Node = {
  readonly metadata: Metadata;
  readonly status?: { readonly conditions?: readonly ConditionOf[] };
};

export type Claim = { readonly metadata: Metadata };

/** Everything that the operator follows, by "namespace/name". */
export type Caches = {
  readonly databases: ReadonlyMap<string, DatabaseResource>;
  readonly statefulSets: ReadonlyMap<string, OwnedObject>;
  readonly deployments: ReadonlyMap<string, OwnedObject>;
  readonly services: ReadonlyMap<string, OwnedObject>;
  readonly budgets: ReadonlyMap<string, OwnedObject>;
  readonly pods: ReadonlyMap<string, Pod>;
  readonly claims: ReadonlyMap<string, Claim>;
  readonly nodes: ReadonlyMap<string, Node>;
};
