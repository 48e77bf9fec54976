/**
 * What every builder is given and gives: a builder is a pure function from a Build to one object
 * for server-side apply, holding only the fields that the operator wants to own.
 */
import type { Spec } from '../api/schema.ts';
import type { Owner } from './names.ts';

/** A database in this region: the spec with the region's overrides already folded in. */
export type Build = {
  readonly owner: Owner;
  readonly spec: Spec;
  /** The spec as it was written, kept in the cluster as the one in force. */
  readonly fullSpec: Spec;
  readonly region: { readonly name: string; readonly number: number };
  readonly engineImage: string;
  /** False when no node has the zone label: then members can only be spread over hosts. */
  readonly zonesKnown: boolean;
};

/** An object for server-side apply. */
export type KubeObject = {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly labels: Record<string, string>;
    readonly annotations?: Record<string, string>;
    readonly ownerReferences: readonly object[];
  };
  readonly spec: Record<string, unknown>;
};

/** The spec as it holds in one region. */
export function specForRegion(spec: Spec, region: string): Spec {
  const overrides = spec.regions.find(({ name }) => name === region)?.overrides;
  if (overrides === undefined) return spec;
  return {
    ...spec,
    replicas: overrides.replicas ?? spec.replicas,
    memory: overrides.memory ?? spec.memory,
    proxies: { ...spec.proxies, replicas: overrides.proxies?.replicas ?? spec.proxies.replicas },
  };
}
