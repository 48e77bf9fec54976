/**
 * What the server adds to an object when it is created: identity, generation, the status it starts
 * with, and what it allocates (a service's address, a claim's protection).
 */
import { timestamp } from './clock.ts';
import { establishedStatus } from './custom-resource.ts';
import type { Registry } from './registry.ts';
import type { KubeObject, Metadata, Open, ResourceType } from './resource.ts';
import { ApiError } from './status-error.ts';

/** `object` (which is changed) as it starts out. */
export function initialObject(
  type: ResourceType,
  object: KubeObject,
  registry: Registry,
): KubeObject {
  const { clock } = registry;
  const { name, namespace, generateName, labels, annotations } = object.metadata;
  const { finalizers, ownerReferences } = object.metadata;
  const kept = { generateName, namespace, labels, annotations, finalizers, ownerReferences };
  const metadata: Open = { name, uid: clock.newUid(), resourceVersion: '' };
  metadata.creationTimestamp = timestamp(clock.nowMs());
  if (type.generation) metadata.generation = 1;
  for (const [field, value] of Object.entries(kept)) {
    if (value !== undefined && value !== null && value !== '') metadata[field] = value;
  }
  object.metadata = metadata as Metadata;
  if (type.status) {
    delete object.status;
    const status = initialStatus(object, metadata.creationTimestamp);
    if (status !== undefined) object.status = status;
  }
  if (type.kind === 'Service') allocateAddress(object, registry);
  if (type.kind === 'PersistentVolumeClaim') protect(object, 'kubernetes.io/pvc-protection');
  return object;
}

function initialStatus(object: KubeObject, time: string): Open {
  switch (object.kind) {
    case 'Pod':
      return { phase: 'Pending', qosClass: 'Burstable' };
    case 'Namespace':
      return { phase: 'Active' };
    case 'PersistentVolumeClaim':
      return { phase: 'Pending' };
    case 'CustomResourceDefinition':
      return object.spec?.names === undefined || !Array.isArray(object.spec?.versions)
        ? undefined
        : establishedStatus(object, time);
    default:
      return undefined;
  }
}

function allocateAddress(service: KubeObject, registry: Registry): void {
  const { spec } = service;
  if (spec === undefined || spec.type === 'ExternalName') return;
  if (spec.clusterIP === undefined || spec.clusterIP === '') {
    const taken = new Set(registry.store.list('services').map((one) => one.spec.clusterIP));
    const numbers = Array.from({ length: 253 }, (_, index) => index + 1);
    const free = numbers.find((number) => !taken.has(registry.servicePrefix + number));
    if (free === undefined) {
      throw new ApiError(
        500,
        'InternalError',
        'no free service address: 253 services are the most',
      );
    }
    spec.clusterIP = registry.servicePrefix + free;
  }
  spec.clusterIPs = [spec.clusterIP];
}

function protect(object: KubeObject, finalizer: string): void {
  const { finalizers = [] } = object.metadata;
  if (!finalizers.includes(finalizer)) object.metadata.finalizers = [...finalizers, finalizer];
}
