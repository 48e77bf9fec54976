/**
 * Judges nodes by their heartbeats, as the node lifecycle controller does:
 *
 *   heartbeat older than the grace   Ready becomes Unknown, the node is tainted unreachable, and its
 *                                    pods are marked not ready
 *   then, after each pod's own       the pod is deleted; it stays terminating until the node
 *   toleration of the taint          returns or somebody forces it
 *   heartbeat again                  the kubelet says Ready, the taints go
 */
import { parseTimestamp, timestamp } from '../api-server/clock.ts';
import type { Registry } from '../api-server/registry.ts';
import type { KubeObject, Open } from '../api-server/resource.ts';
import type { Controller } from './manager.ts';
import { tolerates } from './placement.ts';
import { conditionOf, isReady, isTerminating } from './pod-facts.ts';

const manager = 'node-controller';
const unreachable = 'node.kubernetes.io/unreachable';

/** `graceMs`: how old a heartbeat may be; Kubernetes' default is 50 s. */
export function nodeLifecycleController(graceMs: number): Controller {
  return {
    name: 'node-lifecycle',
    watches: ['nodes', 'pods'],
    sync: (registry) => {
      const nodes = registry.store.list('nodes');
      const waits = nodes.map((node) => judge(registry, node, graceMs));
      // Silence is what is looked for here, so nobody calls when it happens.
      return Math.max(20, Math.min(graceMs / 4, ...waits));
    },
  };
}

/** Returns in how many ms there may be something new to do for this node. */
function judge(registry: Registry, node: KubeObject, graceMs: number): number {
  const now = registry.clock.nowMs();
  const lease = registry.store.get('leases', 'kube-node-lease', node.metadata.name);
  const since = lease?.spec.renewTime ?? node.metadata.creationTimestamp;
  const leftMs = parseTimestamp(since) + graceMs - now;
  if (leftMs > 0) {
    if (conditionOf(node, 'Ready')?.status === 'True') setTaints(registry, node, false);
    return leftMs;
  }
  if (conditionOf(node, 'Ready')?.status !== 'Unknown') markUnknown(registry, node, now);
  const type = registry.scheme.getStored('nodes');
  setTaints(registry, registry.get(type, '', node.metadata.name), true);
  const current = registry.get(type, '', node.metadata.name);
  const waits = registry.store
    .list('pods')
    .filter((pod) => pod.spec.nodeName === node.metadata.name && !isTerminating(pod))
    .map((pod) => evictLater(registry, current, pod, now));
  return Math.min(Number.MAX_SAFE_INTEGER, ...waits);
}

function markUnknown(registry: Registry, node: KubeObject, now: number): void {
  const type = registry.scheme.getStored('nodes');
  const before = conditionOf(node, 'Ready');
  const condition = {
    ...before,
    ...{ type: 'Ready', status: 'Unknown', reason: 'NodeStatusUnknown' },
    message: 'Kubelet stopped posting node status.',
    lastTransitionTime: timestamp(now),
  };
  const others = (node.status?.conditions ?? []).filter((one: Open) => one !== before);
  const status = { ...node.status, conditions: [...others, condition] };
  const options = { manager, subresource: 'status' as const };
  registry.update(type, '', node.metadata.name, { ...node, status }, options);
}

function setTaints(registry: Registry, node: KubeObject, gone: boolean): void {
  const held: Open[] = node.spec?.taints ?? [];
  const isTainted = held.some((one) => one.key === unreachable);
  if (isTainted === gone) return;
  const others = held.filter((one) => one.key !== unreachable);
  const timeAdded = timestamp(registry.clock.nowMs());
  const added = ['NoSchedule', 'NoExecute'].map((effect) => ({
    ...{ key: unreachable, effect, timeAdded },
  }));
  const spec = { ...node.spec, taints: gone ? [...others, ...added] : others };
  if (spec.taints.length === 0) delete spec.taints;
  const type = registry.scheme.getStored('nodes');
  registry.update(type, '', node.metadata.name, { ...node, spec }, { manager });
}

/** Marks the pod not ready, and deletes it once its toleration has run out. */
function evictLater(registry: Registry, node: KubeObject, pod: KubeObject, now: number): number {
  const { name, namespace = '' } = pod.metadata;
  const type = registry.scheme.getStored('pods');
  if (isReady(pod)) {
    const conditions = pod.status.conditions.map((one: Open) =>
      one.type === 'Ready'
        ? { ...one, status: 'False', lastTransitionTime: timestamp(now), reason: 'NodeNotReady' }
        : one,
    );
    const status = { ...pod.status, conditions };
    const options = { manager, subresource: 'status' as const };
    registry.update(type, namespace, name, { ...pod, status }, options);
  }
  const taint = node.spec.taints.find(
    (one: Open) => one.key === unreachable && one.effect === 'NoExecute',
  );
  const toleration = (pod.spec.tolerations ?? []).find((one: Open) => tolerates(one, taint));
  const seconds = toleration === undefined ? 0 : toleration.tolerationSeconds;
  if (seconds === undefined) return Number.MAX_SAFE_INTEGER;
  const leftMs = parseTimestamp(taint.timeAdded) + seconds * 1000 - now;
  if (leftMs <= 0) registry.delete(type, namespace, name);
  return leftMs <= 0 ? Number.MAX_SAFE_INTEGER : leftMs;
}
