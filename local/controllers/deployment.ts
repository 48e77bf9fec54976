/**
 * Deployments: interchangeable pods. The pods are made directly; there are no ReplicaSets, and the
 * hash of the template in a label says which version a pod is of. A rolling update makes new pods
 * within maxSurge and takes old ones away as long as maxUnavailable allows it; Recreate takes all
 * old ones first.
 */

import { timestamp } from '../api-server/clock.ts';
import type { Registry } from '../api-server/registry.ts';
import type { KubeObject, Open } from '../api-server/resource.ts';
import type { Controller } from './manager.ts';
import {
  conditionOf,
  controllerReference,
  isControlledBy,
  isFinished,
  isReady,
  isTerminating,
  templateHash,
} from './pod-facts.ts';

const manager = 'kube-controller-manager';
const hashLabel = 'pod-template-hash';

export const deploymentController: Controller = {
  name: 'deployment',
  watches: ['deployments', 'pods'],
  sync: (registry) => {
    for (const deployment of registry.store.list('deployments')) {
      if (deployment.metadata.deletionTimestamp === undefined) reconcile(registry, deployment);
      writeStatus(registry, deployment.metadata.namespace ?? '', deployment.metadata.name);
    }
    return null;
  },
};

function podsOf(registry: Registry, deployment: KubeObject): KubeObject[] {
  return registry.store
    .list('pods', deployment.metadata.namespace)
    .filter((pod) => isControlledBy(pod, deployment) && !isTerminating(pod));
}

function reconcile(registry: Registry, deployment: KubeObject): void {
  const { replicas, strategy, template } = deployment.spec;
  const hash = templateHash(template);
  const all = podsOf(registry, deployment);
  for (const pod of all) if (isFinished(pod)) remove(registry, pod);
  const pods = all.filter((pod) => !isFinished(pod));
  const current = pods.filter((pod) => pod.metadata.labels?.[hashLabel] === hash);
  const old = pods.filter((pod) => !current.includes(pod));
  const rolling = strategy.type === 'RollingUpdate';
  const maxSurge = rolling ? share(strategy.rollingUpdate.maxSurge, replicas, Math.ceil) : 0;
  const unavailable = rolling
    ? share(strategy.rollingUpdate.maxUnavailable, replicas, Math.floor)
    : replicas;
  // Both zero would never move; Kubernetes refuses it, here one may be missing.
  const maxUnavailable = maxSurge === 0 && unavailable === 0 ? 1 : unavailable;

  const excess = leastUseful(current).slice(0, Math.max(0, current.length - replicas));
  for (const pod of excess) remove(registry, pod);
  const available = pods.filter((pod) => isReady(pod) && !excess.includes(pod)).length;
  let spare = Math.max(0, available - (replicas - maxUnavailable));
  for (const pod of leastUseful(old)) {
    if (isReady(pod) && spare === 0) continue;
    if (isReady(pod)) spare -= 1;
    remove(registry, pod);
  }
  if (!rolling && old.length > 0) return;
  const left = podsOf(registry, deployment).length;
  const room = Math.max(0, replicas + maxSurge - left);
  const missing = Math.min(room, replicas - Math.min(current.length, replicas));
  for (let count = 0; count < missing; count += 1) makePod(registry, deployment, hash);
}

/** "25%" or a number, of `total`. */
function share(value: number | string, total: number, round: (n: number) => number): number {
  return typeof value === 'number' ? value : round((Number.parseInt(value, 10) * total) / 100);
}

/** Those to take away first: not ready before ready, younger before older. */
function leastUseful(pods: KubeObject[]): KubeObject[] {
  const age = (pod: KubeObject) => Number(pod.metadata.resourceVersion);
  return [...pods].sort((a, b) => Number(isReady(a)) - Number(isReady(b)) || age(b) - age(a));
}

function makePod(registry: Registry, deployment: KubeObject, hash: string): void {
  const { scheme } = registry;
  const { metadata = {}, spec } = structuredClone(deployment.spec.template);
  const { name, namespace = '' } = deployment.metadata;
  const pod = {
    ...{ apiVersion: 'v1', kind: 'Pod', spec },
    metadata: {
      generateName: `${name}-${hash}-`,
      annotations: metadata.annotations,
      labels: { ...metadata.labels, [hashLabel]: hash },
      ownerReferences: [controllerReference(scheme.getStored('deployments'), deployment)],
    },
  };
  registry.create(scheme.getStored('pods'), namespace, pod as unknown as KubeObject, { manager });
}

function remove(registry: Registry, pod: KubeObject): void {
  const { name, namespace = '' } = pod.metadata;
  registry.delete(registry.scheme.getStored('pods'), namespace, name);
}

function writeStatus(registry: Registry, namespace: string, name: string): void {
  const deployment = registry.store.get('deployments', namespace, name);
  if (deployment === null) return;
  const { replicas, template } = deployment.spec;
  const pods = podsOf(registry, deployment);
  const hash = templateHash(template);
  const ready = pods.filter((pod) => isReady(pod)).length;
  const updated = pods.filter((pod) => pod.metadata.labels?.[hashLabel] === hash).length;
  const now = timestamp(registry.clock.nowMs());
  const condition = (type: string, holds: boolean, reason: string): Open => {
    const status = holds ? 'True' : 'False';
    const before = conditionOf(deployment, type);
    const lastTransitionTime = before?.status === status ? before.lastTransitionTime : now;
    return { type, status, reason, lastTransitionTime, lastUpdateTime: lastTransitionTime };
  };
  const enough = ready >= replicas;
  const done = enough && updated === replicas && pods.length === replicas;
  const progress = done ? 'NewReplicaSetAvailable' : 'ReplicaSetUpdated';
  const status = {
    ...{ observedGeneration: deployment.metadata.generation, replicas: pods.length },
    ...{ updatedReplicas: updated, readyReplicas: ready, availableReplicas: ready },
    unavailableReplicas: Math.max(0, replicas - ready),
    conditions: [
      condition(
        'Available',
        enough,
        enough ? 'MinimumReplicasAvailable' : 'MinimumReplicasUnavailable',
      ),
      condition('Progressing', true, progress),
    ],
  };
  const type = registry.scheme.getStored('deployments');
  const options = { manager, subresource: 'status' as const };
  registry.update(type, namespace, name, { ...deployment, status }, options);
}
