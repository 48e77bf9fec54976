/** observe: what the caches and the probes hold of one database, as the planner wants it. */
import type { Health, LiveObject, Observed, ObservedNode, ObservedPod } from '../plan/observed.ts';
import {
  COMPONENT_LABEL,
  claimName,
  DATABASE_LABEL,
  type Owner,
  SHARD_LABEL,
  TEMPLATE_ANNOTATION,
} from '../specs/names.ts';
import { recordIn } from '../status/status.ts';
import { type Loaded, zoneOf } from './load.ts';
import type { Caches, Node, OwnedObject, Pod } from './resource.ts';

const SELECTED_NODE = 'volume.kubernetes.io/selected-node';

const KINDS = [
  ['statefulSets', 'apps/v1', 'StatefulSet'],
  ['deployments', 'apps/v1', 'Deployment'],
  ['services', 'v1', 'Service'],
  ['budgets', 'policy/v1', 'PodDisruptionBudget'],
] as const;

/** Pods of one database, with what the probes know of each. */
export function observePods(
  caches: Caches,
  owner: Owner,
  zoneKey: string,
  healthOf: (name: string) => Health,
): ObservedPod[] {
  return [...caches.pods.values()]
    .filter((pod) => belongsTo(pod.metadata, owner))
    .map((pod) => observedPod(pod, caches, zoneKey, healthOf(pod.metadata.name)))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** Everything the planner is given. */
export function observe(
  caches: Caches,
  loaded: Loaded,
  nowMs: number,
  healthOf: (name: string) => Health,
): Observed {
  const { owner } = loaded;
  const build = loaded.inForce ?? loaded.wanted;
  const zoneKey = build?.spec.placement.zoneKey ?? '';
  const pods = observePods(caches, owner, zoneKey, healthOf);
  const claims = [...caches.claims.values()]
    .filter(({ metadata }) => belongsTo(metadata, owner))
    .map(({ metadata }) => ({
      name: metadata.name,
      uid: metadata.uid,
      node: metadata.annotations?.[SELECTED_NODE] ?? '',
      deleting: metadata.deletionTimestamp !== undefined,
    }));
  return {
    nowMs,
    objects: KINDS.flatMap(([cache, apiVersion, kind]) =>
      [...caches[cache].values()]
        .filter(({ metadata }) => metadata.namespace === owner.namespace)
        .filter(({ metadata }) => metadata.name.startsWith(owner.name))
        .map((object) => liveObject(object, apiVersion, kind)),
    ),
    pods,
    nodes: [...caches.nodes.values()].map((node) => observedNode(node, zoneKey)),
    claims,
    record: recordIn(loaded.status),
  };
}

function belongsTo(
  metadata: { namespace?: string; labels?: Record<string, string> },
  owner: Owner,
): boolean {
  return metadata.namespace === owner.namespace && metadata.labels?.[DATABASE_LABEL] === owner.name;
}

function liveObject(object: OwnedObject, apiVersion: string, kind: string): LiveObject {
  return { apiVersion, kind, metadata: object.metadata, spec: object.spec };
}

function observedPod(
  { metadata, spec, status }: Pod,
  caches: Caches,
  zoneKey: string,
  health: Health,
): ObservedPod {
  const isShard = metadata.labels?.[COMPONENT_LABEL] === 'shard';
  const nodeName = spec?.nodeName ?? '';
  const node = caches.nodes.get(nodeName);
  const claim = caches.claims.get(`${metadata.namespace}/${claimName(metadata.name)}`);
  const heldTo = caches.nodes.get(claim?.metadata.annotations?.[SELECTED_NODE] ?? '');
  const place = node ?? heldTo;
  return {
    name: metadata.name,
    uid: metadata.uid,
    component: isShard ? 'shard' : 'proxy',
    shard: isShard ? Number(metadata.labels?.[SHARD_LABEL] ?? 0) : -1,
    ordinal: isShard ? Number(metadata.name.split('-').pop()) : 0,
    node: nodeName,
    zone: place === undefined ? '' : zoneOf(place, zoneKey),
    ip: status?.podIP ?? '',
    ready: isTrue(status?.conditions, 'Ready'),
    deleting: metadata.deletionTimestamp !== undefined,
    running: status?.phase !== 'Failed' && status?.phase !== 'Succeeded',
    template: metadata.annotations?.[TEMPLATE_ANNOTATION] ?? '',
    createdAtMs: Date.parse(metadata.creationTimestamp ?? '') || 0,
    health,
  };
}

function observedNode(node: Node, zoneKey: string): ObservedNode {
  const ready = node.status?.conditions?.find(({ type }) => type === 'Ready');
  const isReady = ready === undefined || ready.status === 'True';
  const since = Date.parse(ready?.lastTransitionTime ?? '');
  return {
    name: node.metadata.name,
    zone: zoneOf(node, zoneKey),
    ready: isReady,
    notReadySinceMs: isReady || Number.isNaN(since) ? null : since,
  };
}

function isTrue(conditions: readonly { type: string; status: string }[] | undefined, type: string) {
  return (
    conditions?.some((condition) => condition.type === type && condition.status === 'True') === true
  );
}
