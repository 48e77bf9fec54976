/**
 * Names, labels and ports of everything that belongs to a database, so that builders, the planner
 * and the observer agree without asking each other.
 */
import { API_VERSION, KIND } from '../api/schema.ts';

export const MEMBER_PORT = 6379;
export const MEMBER_PEER_PORT = 7380;
export const PROXY_PORT = 6379;
export const PROXY_PEER_PORT = 7443;
export const SLOT_COUNT = 16384;
export const FIELD_MANAGER = 'meridian-operator';
export const CONTAINER = 'engine';
export const TEMPLATE_ANNOTATION = 'meridian.dev/template';
export const SPEC_ANNOTATION = 'meridian.dev/built-from';
export const IN_FORCE_ANNOTATION = 'meridian.dev/in-force';
export const DATABASE_LABEL = 'meridian.dev/database';
export const SHARD_LABEL = 'meridian.dev/shard';
export const COMPONENT_LABEL = 'meridian.dev/component';
export const MANAGED_BY_LABEL = 'app.kubernetes.io/managed-by';

/** A database in one namespace; uid is that of the resource and goes into owner references. */
export type Owner = { readonly name: string; readonly namespace: string; readonly uid: string };

export type OwnerReference = {
  apiVersion: string;
  kind: string;
  name: string;
  uid: string;
  controller: boolean;
  blockOwnerDeletion: boolean;
};

export const shardName = (owner: Owner, shard: number): string => `${owner.name}-${shard}`;
export const memberName = (owner: Owner, shard: number, ordinal: number): string =>
  `${owner.name}-${shard}-${ordinal}`;
export const claimName = (member: string): string => `data-${member}`;
export const proxyName = (owner: Owner): string => `${owner.name}-proxy`;
export const membersServiceName = (owner: Owner): string => `${owner.name}-members`;
export const peerServiceName = (owner: Owner): string => `${owner.name}-peers`;

/** The name that the engine knows the database by; the same in every region. */
export const databaseName = (owner: Owner): string => `${owner.namespace}/${owner.name}`;

/** "first-last" of the hash slots of a shard; the 16384 slots are divided as evenly as can be. */
export function slotRange(shard: number, shards: number): string {
  const first = Math.floor((shard * SLOT_COUNT) / shards);
  const last = Math.floor(((shard + 1) * SLOT_COUNT) / shards) - 1;
  return `${first}-${last}`;
}

/** Labels that every object of a database has. */
export function databaseLabels(owner: Owner): Record<string, string> {
  return {
    'app.kubernetes.io/name': 'meridian',
    'app.kubernetes.io/instance': owner.name,
    [MANAGED_BY_LABEL]: 'meridian-operator',
    [DATABASE_LABEL]: owner.name,
  };
}

export function shardLabels(owner: Owner, shard: number): Record<string, string> {
  return {
    ...databaseLabels(owner),
    [COMPONENT_LABEL]: 'shard',
    [SHARD_LABEL]: String(shard),
  };
}

export function proxyLabels(owner: Owner): Record<string, string> {
  return { ...databaseLabels(owner), [COMPONENT_LABEL]: 'proxy' };
}

/** With this, deleting the resource deletes the object. */
export function ownerReference(owner: Owner): OwnerReference {
  return {
    apiVersion: API_VERSION,
    kind: KIND,
    name: owner.name,
    uid: owner.uid,
    controller: true,
    blockOwnerDeletion: true,
  };
}
