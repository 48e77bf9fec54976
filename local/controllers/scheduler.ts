/**
 * The scheduler: binds each new pod to the node that `place` chooses. A claim belongs to the node
 * where it was first used: its data is a directory that only this node has.
 */
import { timestamp } from '../api-server/clock.ts';
import type { Registry } from '../api-server/registry.ts';
import type { KubeObject, Open } from '../api-server/resource.ts';
import type { Controller } from './manager.ts';
import { place } from './placement.ts';
import { isFinished, isTerminating } from './pod-facts.ts';

const manager = 'kube-scheduler';

/** As Kubernetes' WaitForFirstConsumer storage classes note it on the claim. */
export const selectedNodeAnnotation = 'volume.kubernetes.io/selected-node';

export const schedulerController: Controller = {
  name: 'scheduler',
  watches: ['pods', 'nodes', 'persistentvolumeclaims'],
  sync: (registry) => {
    for (const pod of registry.store.list('pods')) {
      if (pod.spec.nodeName || isTerminating(pod) || isFinished(pod)) continue;
      schedule(registry, pod);
    }
    return null;
  },
};

function schedule(registry: Registry, pod: KubeObject): void {
  const claims = claimsOf(registry, pod);
  const nodes = registry.store.list('nodes');
  const placed = registry.store.list('pods').filter((one) => one.spec.nodeName && !isFinished(one));
  const used = claims.found.map((claim) => claim.metadata.annotations?.[selectedNodeAnnotation]);
  const claimNode = used.find((name) => name !== undefined) ?? null;
  const placement =
    claims.missing === null
      ? place(pod, { nodes, placed, claimNode })
      : { reasons: [`persistentvolumeclaim "${claims.missing}" not found`] };
  if ('reasons' in placement) {
    const reasons = placement.reasons.join(', ');
    const message = `0/${nodes.length} nodes are available: ${reasons}.`;
    setScheduled(registry, pod, 'False', { reason: 'Unschedulable', message });
    return;
  }
  const nodeName = placement.node.metadata.name;
  for (const claim of claims.found) bindClaim(registry, claim, nodeName);
  bind(registry, pod, nodeName);
}

function claimsOf(
  registry: Registry,
  pod: KubeObject,
): { found: KubeObject[]; missing: string | null } {
  const found: KubeObject[] = [];
  for (const volume of pod.spec.volumes ?? []) {
    const name = volume.persistentVolumeClaim?.claimName;
    if (name === undefined) continue;
    const { namespace = '' } = pod.metadata;
    const claim = registry.store.get('persistentvolumeclaims', namespace, name);
    if (claim === null || claim.metadata.deletionTimestamp !== undefined) {
      return { found, missing: name };
    }
    found.push(claim);
  }
  return { found, missing: null };
}

function bindClaim(registry: Registry, claim: KubeObject, nodeName: string): void {
  const type = registry.scheme.getStored('persistentvolumeclaims');
  const { name, namespace = '', uid } = claim.metadata;
  if (claim.status?.phase === 'Bound') return;
  const annotations = { ...claim.metadata.annotations, [selectedNodeAnnotation]: nodeName };
  const spec = { ...claim.spec, volumeName: `pvc-${uid}` };
  const metadata = { ...claim.metadata, annotations };
  const bound = registry.update(type, namespace, name, { ...claim, metadata, spec }, { manager });
  const { accessModes, resources } = claim.spec;
  const status = { phase: 'Bound', accessModes, capacity: resources?.requests };
  const options = { manager, subresource: 'status' as const };
  registry.update(type, namespace, name, { ...bound, status }, options);
}

function bind(registry: Registry, pod: KubeObject, nodeName: string): void {
  const { name, namespace = '' } = pod.metadata;
  const type = registry.scheme.getStored('pods');
  const spec = { ...pod.spec, nodeName };
  const bound = registry.update(type, namespace, name, { ...pod, spec }, { manager });
  setScheduled(registry, bound, 'True');
}

function setScheduled(registry: Registry, pod: KubeObject, status: string, why: Open = {}): void {
  const type = registry.scheme.getStored('pods');
  const { name, namespace = '' } = pod.metadata;
  const conditions: Open[] = pod.status?.conditions ?? [];
  const before = conditions.find((one) => one.type === 'PodScheduled');
  const lastTransitionTime =
    before?.status === status ? before.lastTransitionTime : timestamp(registry.clock.nowMs());
  const condition = { type: 'PodScheduled', status, lastTransitionTime, ...why };
  const others = conditions.filter((one) => one !== before);
  const next = { ...pod.status, conditions: [...others, condition] };
  const options = { manager, subresource: 'status' as const };
  registry.update(type, namespace, name, { ...pod, status: next }, options);
}
