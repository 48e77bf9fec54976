/**
 * StatefulSets: pods with stable names and claims of their own.
 *
 * OrderedReady makes pod n only when all before it are ready and takes the highest away first, one
 * at a time; Parallel does all at once. A rolling update replaces pods that were made from an older
 * template from the highest ordinal down, one at a time, and goes on only when every pod is ready,
 * under either policy. Not imitated: ControllerRevisions; a pod below the update partition that is
 * made anew gets the new template.
 */
import type { Registry } from '../api-server/registry.ts';
import type { KubeObject, Open, ResourceType } from '../api-server/resource.ts';
import type { Controller } from './manager.ts';
import {
  controllerReference,
  isControlledBy,
  isFinished,
  isReady,
  isTerminating,
  ordinalOf,
  templateHash,
} from './pod-facts.ts';

const manager = 'kube-controller-manager';
const revisionLabel = 'controller-revision-hash';

export const statefulSetController: Controller = {
  name: 'statefulset',
  watches: ['statefulsets', 'pods', 'persistentvolumeclaims'],
  sync: (registry) => {
    for (const set of registry.store.list('statefulsets')) {
      const pods = podsOf(registry, set);
      if (set.metadata.deletionTimestamp === undefined) {
        retainClaims(registry, set);
        reconcile(registry, set, pods);
      }
      writeStatus(registry, set.metadata.namespace ?? '', set.metadata.name);
    }
    return null;
  },
};

function podsOf(registry: Registry, set: KubeObject): KubeObject[] {
  return registry.store
    .list('pods', set.metadata.namespace)
    .filter((pod) => isControlledBy(pod, set))
    .sort((a, b) => ordinalOf(a) - ordinalOf(b));
}

/** One pass: the next thing that the policy allows, or everything for Parallel. */
function reconcile(registry: Registry, set: KubeObject, pods: KubeObject[]): void {
  const { replicas, podManagementPolicy, ordinals } = set.spec;
  const ordered = podManagementPolicy !== 'Parallel';
  const start = ordinals?.start ?? 0;
  for (const pod of pods) if (isFinished(pod) && !isTerminating(pod)) remove(registry, pod);
  for (let ordinal = start; ordinal < start + replicas; ordinal += 1) {
    const pod = pods.find((one) => ordinalOf(one) === ordinal);
    if (pod === undefined) makePod(registry, set, ordinal);
    const settled = pod !== undefined && isReady(pod) && !isTerminating(pod);
    if (ordered && !settled) return;
  }
  const excess = pods.filter((pod) => {
    const ordinal = ordinalOf(pod);
    return ordinal < start || ordinal >= start + replicas;
  });
  for (const pod of excess.reverse()) {
    if (!isTerminating(pod)) condemn(registry, set, pod);
    if (ordered) return;
  }
  if (excess.length === 0) update(registry, set, pods);
}

function update(registry: Registry, set: KubeObject, pods: KubeObject[]): void {
  const { updateStrategy, replicas, template } = set.spec;
  if (updateStrategy.type !== 'RollingUpdate') return;
  const partition = updateStrategy.rollingUpdate?.partition ?? 0;
  const revision = revisionOf(set, template);
  if (pods.length < replicas) return;
  for (const pod of [...pods].reverse()) {
    if (ordinalOf(pod) < partition) return;
    if (pod.metadata.labels?.[revisionLabel] !== revision && !isTerminating(pod)) {
      remove(registry, pod);
      return;
    }
    // The one that was replaced last must be up before the next.
    if (isTerminating(pod) || !isReady(pod)) return;
  }
}

function revisionOf(set: KubeObject, template: Open): string {
  return `${set.metadata.name}-${templateHash(template)}`;
}

function makePod(registry: Registry, set: KubeObject, ordinal: number): void {
  const { namespace = '', name } = set.metadata;
  const podName = `${name}-${ordinal}`;
  // A pod of the same name that is not ours, or a claim on its way out: wait for it to go.
  if (registry.store.get('pods', namespace, podName) !== null) return;
  const templates: Open[] = set.spec.volumeClaimTemplates ?? [];
  const claims = templates.map((claim) => `${claim.metadata.name}-${podName}`);
  const leaving = claims.some((claim) => {
    const held = registry.store.get('persistentvolumeclaims', namespace, claim);
    return held !== null && held.metadata.deletionTimestamp !== undefined;
  });
  if (leaving) return;
  templates.forEach((claim, index) => {
    makeClaim(registry, set, claim, claims[index]);
  });
  const { scheme } = registry;
  const { metadata = {}, spec } = structuredClone(set.spec.template);
  const volumes = templates.map((claim, index) => ({
    name: claim.metadata.name,
    persistentVolumeClaim: { claimName: claims[index] },
  }));
  const named = volumes.map((volume) => volume.name);
  const others = (spec.volumes ?? []).filter((one: Open) => !named.includes(one.name));
  const pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: podName,
      annotations: metadata.annotations,
      labels: {
        ...metadata.labels,
        'statefulset.kubernetes.io/pod-name': podName,
        'apps.kubernetes.io/pod-index': String(ordinal),
        [revisionLabel]: revisionOf(set, set.spec.template),
      },
      ownerReferences: [controllerReference(scheme.getStored('statefulsets'), set)],
    },
    spec: {
      ...spec,
      ...{ hostname: podName, subdomain: set.spec.serviceName },
      volumes: [...volumes, ...others],
    },
  };
  registry.create(scheme.getStored('pods'), namespace, pod as unknown as KubeObject, { manager });
}

function makeClaim(registry: Registry, set: KubeObject, template: Open, name: string): void {
  const { namespace = '' } = set.metadata;
  if (registry.store.get('persistentvolumeclaims', namespace, name) !== null) return;
  const labels = { ...set.spec.selector.matchLabels, ...template.metadata.labels };
  const { annotations } = template.metadata;
  const claim = {
    ...{ apiVersion: 'v1', kind: 'PersistentVolumeClaim' },
    ...{ metadata: { name, labels, annotations }, spec: structuredClone(template.spec) },
  };
  const type = registry.scheme.getStored('persistentvolumeclaims');
  registry.create(type, namespace, claim as unknown as KubeObject, { manager });
}

/** Claims that are to go with the set are owned by it; the garbage collector does the rest. */
function retainClaims(registry: Registry, set: KubeObject): void {
  const { whenDeleted, whenScaled } = set.spec.persistentVolumeClaimRetentionPolicy;
  const wanted = whenDeleted === 'Delete';
  const { replicas } = set.spec;
  const type = registry.scheme.getStored('statefulsets');
  for (const claim of claimsOf(registry, set)) {
    // One that goes with its pod belongs to the pod alone (see condemn).
    if (whenScaled === 'Delete' && ordinalOf(claim) >= replicas) continue;
    const held = claim.metadata.ownerReferences ?? [];
    const others = held.filter((one) => one.uid !== set.metadata.uid);
    const { controller: _, ...reference } = controllerReference(type, set);
    // A claim of an ordinal that is wanted again does not go with its former pod.
    const kept = ordinalOf(claim) < replicas ? others.filter((one) => one.kind !== 'Pod') : others;
    setOwners(registry, claim, wanted ? [...kept, reference] : kept);
  }
}

function claimsOf(registry: Registry, set: KubeObject): KubeObject[] {
  const { namespace, name } = set.metadata;
  const prefixes = (set.spec.volumeClaimTemplates ?? []).map(
    (claim: Open) => `${claim.metadata.name}-${name}-`,
  );
  return registry.store
    .list('persistentvolumeclaims', namespace)
    .filter((claim) =>
      prefixes.some(
        (prefix: string) =>
          claim.metadata.name.startsWith(prefix) &&
          /^\d+$/.test(claim.metadata.name.slice(prefix.length)),
      ),
    );
}

/** Takes a pod away because the set shrank; its claims follow if the policy says so. */
function condemn(registry: Registry, set: KubeObject, pod: KubeObject): void {
  if (set.spec.persistentVolumeClaimRetentionPolicy.whenScaled === 'Delete') {
    const reference: Open = {
      ...{ apiVersion: 'v1', kind: 'Pod', name: pod.metadata.name, uid: pod.metadata.uid },
    };
    for (const claim of claimsOf(registry, set)) {
      if (ordinalOf(claim) !== ordinalOf(pod)) continue;
      setOwners(registry, claim, [reference]);
    }
  }
  remove(registry, pod);
}

function setOwners(registry: Registry, claim: KubeObject, ownerReferences: Open[]): void {
  const type: ResourceType = registry.scheme.getStored('persistentvolumeclaims');
  const { name, namespace = '' } = claim.metadata;
  const metadata = { ...claim.metadata, ownerReferences };
  if (ownerReferences.length === 0) delete (metadata as Open).ownerReferences;
  registry.update(type, namespace, name, { ...claim, metadata }, { manager });
}

function remove(registry: Registry, pod: KubeObject): void {
  const { name, namespace = '' } = pod.metadata;
  registry.delete(registry.scheme.getStored('pods'), namespace, name);
}

function writeStatus(registry: Registry, namespace: string, name: string): void {
  const set = registry.store.get('statefulsets', namespace, name);
  if (set === null) return;
  const pods = podsOf(registry, set);
  const updateRevision = revisionOf(set, set.spec.template);
  const updated = pods.filter((pod) => pod.metadata.labels?.[revisionLabel] === updateRevision);
  const ready = pods.filter((pod) => isReady(pod));
  const settled = updated.length === pods.length && ready.length === set.spec.replicas;
  const currentRevision = settled
    ? updateRevision
    : (set.status?.currentRevision ?? updateRevision);
  const status = {
    ...set.status,
    ...{ observedGeneration: set.metadata.generation, replicas: pods.length },
    ...{ readyReplicas: ready.length, availableReplicas: ready.length },
    ...{ updatedReplicas: updated.length, collisionCount: 0, currentRevision, updateRevision },
    currentReplicas: pods.filter((pod) => pod.metadata.labels?.[revisionLabel] === currentRevision)
      .length,
  };
  const options = { manager, subresource: 'status' as const };
  registry.update(
    registry.scheme.getStored('statefulsets'),
    namespace,
    name,
    { ...set, status },
    options,
  );
}
