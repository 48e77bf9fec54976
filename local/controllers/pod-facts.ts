/** Questions that every controller asks of pods, and how a pod is made from a template. */
import { createHash } from 'node:crypto';
import { canonicalJson } from '../api-server/field-set.ts';
import type { ResourceType } from '../api-server/resource.ts';
import { apiVersionOf, type KubeObject, type Open } from '../api-server/resource.ts';

export function isReady(pod: KubeObject): boolean {
  return conditionOf(pod, 'Ready')?.status === 'True';
}

export function isTerminating(pod: KubeObject): boolean {
  return pod.metadata.deletionTimestamp !== undefined;
}

export function isFinished(pod: KubeObject): boolean {
  return pod.status?.phase === 'Failed' || pod.status?.phase === 'Succeeded';
}

export function conditionOf(object: KubeObject, type: string): Open {
  return (object.status?.conditions ?? []).find((one: Open) => one.type === type);
}

export function isControlledBy(object: KubeObject, owner: KubeObject): boolean {
  const { ownerReferences = [] } = object.metadata;
  return ownerReferences.some((one) => one.controller === true && one.uid === owner.metadata.uid);
}

export function controllerReference(type: ResourceType, owner: KubeObject): Open {
  return {
    ...{ apiVersion: apiVersionOf(type), kind: type.kind },
    ...{ name: owner.metadata.name, uid: owner.metadata.uid },
    ...{ controller: true, blockOwnerDeletion: true },
  };
}

/** A short name for a template: equal templates have equal hashes. */
export function templateHash(template: Open): string {
  const digest = createHash('sha256').update(canonicalJson(template)).digest('hex');
  return digest.slice(0, 10);
}

/** The index of the ordinal at the end of a pod's name, or -1. */
export function ordinalOf(pod: KubeObject): number {
  const match = /-(\d+)$/.exec(pod.metadata.name);
  return match === null ? -1 : Number(match[1]);
}
