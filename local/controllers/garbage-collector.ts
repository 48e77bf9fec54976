/**
 * What goes with what: objects whose owners are all gone; dependents of an owner that is deleted in
 * the foreground, before it; everything in a namespace that is deleted; the objects of a definition
 * that is deleted; a claim, once no pod uses it.
 */
import { parseTimestamp } from '../api-server/clock.ts';
import { cleanupFinalizer } from '../api-server/deletion.ts';
import type { Registry } from '../api-server/registry.ts';
import type { KubeObject, ResourceType } from '../api-server/resource.ts';
import type { Controller } from './manager.ts';

const manager = 'garbage-collector';
const claimFinalizer = 'kubernetes.io/pvc-protection';

export const garbageCollector: Controller = {
  name: 'garbage-collector',
  watches: ['*'],
  sync: (registry) => {
    const all = everything(registry);
    const uids = new Set(all.map(({ object }) => object.metadata.uid));
    for (const { type, object } of all) {
      const { deletionTimestamp, finalizers = [] } = object.metadata;
      if (deletionTimestamp === undefined) collectOrphan(registry, type, object, uids);
      else for (const one of finalizers) finalize(registry, type, object, one, all);
    }
    return null;
  },
};

const eventLifetimeMs = 60 * 60 * 1000;

/** Events are kept for an hour. */
export const eventExpiry: Controller = {
  name: 'event-expiry',
  watches: [],
  sync: (registry) => {
    const type = registry.scheme.getStored('events');
    const before = registry.clock.nowMs() - eventLifetimeMs;
    for (const event of registry.store.list('events')) {
      if (parseTimestamp(event.metadata.creationTimestamp) > before) continue;
      registry.delete(type, event.metadata.namespace ?? '', event.metadata.name);
    }
    return eventLifetimeMs / 60;
  },
};

interface Entry {
  type: ResourceType;
  object: KubeObject;
}

function everything(registry: Registry): Entry[] {
  const { store, scheme } = registry;
  const types = new Map(scheme.all().map((type) => [type.storage, type]));
  return [...types.values()].flatMap((type) =>
    store.list(type.storage).map((object) => ({ type, object })),
  );
}

function collectOrphan(
  registry: Registry,
  type: ResourceType,
  object: KubeObject,
  uids: Set<string>,
): void {
  const owners = object.metadata.ownerReferences ?? [];
  if (owners.length === 0 || owners.some((one) => uids.has(one.uid))) return;
  const { name, namespace = '' } = object.metadata;
  registry.delete(type, namespace, name, { propagationPolicy: 'Background' });
}

/** Does what a finalizer stands for and takes it away when it is done; others' are left alone. */
function finalize(
  registry: Registry,
  type: ResourceType,
  object: KubeObject,
  finalizer: string,
  all: Entry[],
): void {
  const held = findHeld(registry, type, object);
  if (held === null) return;
  const done = workOf(registry, type, held, finalizer, all);
  if (!done) return;
  const current = findHeld(registry, type, held);
  if (current === null) return;
  const finalizers = (current.metadata.finalizers ?? []).filter((one) => one !== finalizer);
  const { name, namespace = '' } = current.metadata;
  const metadata = { ...current.metadata, finalizers };
  registry.update(type, namespace, name, { ...current, metadata }, { manager });
}

function findHeld(registry: Registry, type: ResourceType, object: KubeObject): KubeObject | null {
  const { name, namespace = '', uid } = object.metadata;
  const held = registry.store.get(type.storage, namespace, name);
  return held?.metadata.uid === uid ? held : null;
}

function workOf(
  registry: Registry,
  type: ResourceType,
  object: KubeObject,
  finalizer: string,
  all: Entry[],
): boolean {
  const { uid, name } = object.metadata;
  const owned = () =>
    all.filter((entry) =>
      (entry.object.metadata.ownerReferences ?? []).some((one) => one.uid === uid),
    );
  switch (finalizer) {
    case 'foregroundDeletion':
      return deleteAll(registry, owned(), 'Foreground');
    case 'orphan':
      for (const entry of owned()) disown(registry, entry, uid);
      return true;
    case 'kubernetes':
      if (type.kind !== 'Namespace') return false;
      return deleteAll(
        registry,
        all.filter((entry) => entry.object.metadata.namespace === name),
        'Background',
      );
    case cleanupFinalizer:
      return deleteAll(
        registry,
        all.filter((entry) => entry.type.storage === name),
        'Background',
      );
    case claimFinalizer:
      return !isClaimUsed(registry, object);
    default:
      return false;
  }
}

/** Deletes what is not yet being deleted; true when nothing was left to delete. */
function deleteAll(
  registry: Registry,
  entries: Entry[],
  propagationPolicy: 'Background' | 'Foreground',
): boolean {
  for (const { type, object } of entries) {
    const held = findHeld(registry, type, object);
    if (held === null || held.metadata.deletionTimestamp !== undefined) continue;
    registry.delete(type, held.metadata.namespace ?? '', held.metadata.name, { propagationPolicy });
  }
  return entries.every(({ type, object }) => findHeld(registry, type, object) === null);
}

function disown(registry: Registry, { type, object }: Entry, uid: string): void {
  const held = findHeld(registry, type, object);
  if (held === null) return;
  const owners = (held.metadata.ownerReferences ?? []).filter((one) => one.uid !== uid);
  const metadata = { ...held.metadata, ownerReferences: owners };
  const { name, namespace = '' } = held.metadata;
  registry.update(type, namespace, name, { ...held, metadata }, { manager });
}

function isClaimUsed(registry: Registry, claim: KubeObject): boolean {
  return registry.store
    .list('pods', claim.metadata.namespace)
    .some((pod) =>
      (pod.spec.volumes ?? []).some(
        (one: { persistentVolumeClaim?: { claimName: string } }) =>
          one.persistentVolumeClaim?.claimName === claim.metadata.name,
      ),
    );
}
