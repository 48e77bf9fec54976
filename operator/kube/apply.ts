/**
 * Shell: server-side apply, delete, and the conditional status write, through the typed calls
 * (the generic ones drop fields that they do not know).
 */
import { PatchStrategy, setHeaderOptions } from '@kubernetes/client-node';
import { GROUP, PLURAL, VERSION } from '../api/schema.ts';
import type { KubeObject } from '../specs/build.ts';
import { FIELD_MANAGER } from '../specs/names.ts';
import { isStatus } from './api-error.ts';
import { type Client, call } from './client.ts';
import type { Item } from './reflector.ts';

const ssa = () => setHeaderOptions('Content-Type', PatchStrategy.ServerSideApply);

/** Options for a JSON merge patch. */
export const mergePatch = () => setHeaderOptions('Content-Type', PatchStrategy.MergePatch);

/** Makes or changes one object, with force: fields that the operator wants are the operator's. */
export async function applyObject(client: Client, object: KubeObject): Promise<void> {
  const { name, namespace } = object.metadata;
  const at = { name, namespace, body: object, fieldManager: FIELD_MANAGER, force: true };
  await call(async () => {
    switch (object.kind) {
      case 'StatefulSet':
        return client.apps.patchNamespacedStatefulSet(at, ssa());
      case 'Deployment':
        return client.apps.patchNamespacedDeployment(at, ssa());
      case 'Service':
        return client.core.patchNamespacedService(at, ssa());
      case 'PodDisruptionBudget':
        return client.policy.patchNamespacedPodDisruptionBudget(at, ssa());
      default:
        throw new Error(`nobody knows how to apply a ${object.kind}`);
    }
  });
}

/** Deletes exactly the object with this uid; one that is gone already is no error. */
export async function deleteObject(
  client: Client,
  target: {
    kind: 'Pod' | 'PersistentVolumeClaim';
    namespace: string;
    name: string;
    uid: string;
    force: boolean;
  },
): Promise<void> {
  const { name, namespace, uid, force } = target;
  const body = { preconditions: { uid }, ...(force ? { gracePeriodSeconds: 0 } : {}) };
  try {
    await call(async () =>
      target.kind === 'Pod'
        ? client.core.deleteNamespacedPod({ name, namespace, body })
        : client.core.deleteNamespacedPersistentVolumeClaim({ name, namespace, body }),
    );
  } catch (error) {
    // 409: another object has the name by now, which is as good as gone.
    if (!isStatus(error, 404) && !isStatus(error, 409)) throw error;
  }
}

/** Writes the status on condition that the resource is still the one given; else ApiError 409. */
export async function replaceStatus<T extends Item>(client: Client, body: T): Promise<T> {
  const { name, namespace } = body.metadata;
  const at = { group: GROUP, version: VERSION, plural: PLURAL, name, namespace: namespace ?? '' };
  return call(
    async () => (await client.custom.replaceNamespacedCustomObjectStatus({ ...at, body })) as T,
  );
}

/** Reads the resource from the API server, past any cache; null when it is gone. */
export async function readResource<T>(
  client: Client,
  namespace: string,
  name: string,
): Promise<T | null> {
  const at = { group: GROUP, version: VERSION, plural: PLURAL, name, namespace };
  try {
    return await call(async () => (await client.custom.getNamespacedCustomObject(at)) as T);
  } catch (error) {
    if (isStatus(error, 404)) return null;
    throw error;
  }
}
