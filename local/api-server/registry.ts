/**
 * Reading and writing objects with the semantics of the Kubernetes API, without HTTP: what a
 * create, update, patch, apply and delete keep, refuse and number. The HTTP server, the controllers
 * and the kubelets all write through here, so that there is one set of rules.
 *
 * Every method is synchronous: a read-modify-write in one turn cannot lose to another writer, and
 * resourceVersion conflicts only come from clients that read earlier.
 */
import { admit, type FieldValidation } from './admission.ts';
import { type Clock, timestamp } from './clock.ts';
import { customResourceTypes } from './custom-resource.ts';
import { type DeleteOptions, deletionStep } from './deletion.ts';
import { inFormatOf } from './event-format.ts';
import { equal } from './field-set.ts';
import { initialObject } from './initial-object.ts';
import { jsonPatch, mergePatch, strategicMergePatch } from './patch.ts';
import type {
  KubeObject,
  ManagedFields,
  Metadata,
  Open,
  ResourceType,
  Scheme,
} from './resource.ts';
import { apiVersionOf } from './resource.ts';
import { applyFields, recordUpdate, type Writer } from './server-side-apply.ts';
import { shapeOf } from './shape.ts';
import {
  ApiError,
  alreadyExists,
  badRequest,
  conflict,
  forbidden,
  forbiddenValue,
  invalid,
  invalidValue,
  modifiedMeanwhile,
  notFound,
  requiredValue,
  unsupportedMediaType,
} from './status-error.ts';
import type { Store } from './store.ts';

export interface WriteOptions {
  /** Who writes, for field ownership. */
  manager?: string;
  subresource?: 'status';
  dryRun?: boolean;
  fieldValidation?: FieldValidation;
  /** Warnings for the client are added here. */
  warnings?: string[];
}

export interface PatchOptions extends WriteOptions {
  /** Server-side apply takes fields from other managers. */
  force?: boolean;
}

export type PatchKind = 'json' | 'merge' | 'strategic' | 'apply';

export class Registry {
  readonly scheme: Scheme;
  readonly store: Store;
  readonly clock: Clock;
  /** "127.16.254.": services get their cluster addresses here. */
  readonly servicePrefix: string;

  constructor(scheme: Scheme, store: Store, clock: Clock, servicePrefix: string) {
    this.scheme = scheme;
    this.store = store;
    this.clock = clock;
    this.servicePrefix = servicePrefix;
    store.subscribe(({ storage, type, object, previous }) => {
      if (storage !== 'customresourcedefinitions') return;
      for (const row of customResourceTypes(previous ?? object)) scheme.remove(row);
      if (type !== 'DELETED') for (const row of customResourceTypes(object)) scheme.add(row);
    });
  }

  /** Throws 404. */
  get(type: ResourceType, namespace: string, name: string): KubeObject {
    const found = this.store.get(type.storage, namespace, name);
    if (found === null) throw notFound(type, name);
    return found;
  }

  create(
    type: ResourceType,
    namespace: string,
    body: KubeObject,
    options: WriteOptions = {},
  ): KubeObject {
    const object = this.checkEnvelope(type, namespace, body);
    const { name, generateName } = object.metadata;
    if (!name && !generateName) {
      throw invalid(type, '', [requiredValue('metadata.name', 'name or generateName is required')]);
    }
    if (!name) object.metadata.name = `${generateName}${this.clock.newSuffix(5)}`;
    return this.insert(type, object, options, null);
  }

  update(
    type: ResourceType,
    namespace: string,
    name: string,
    body: KubeObject,
    options: WriteOptions = {},
  ): KubeObject {
    const next = this.checkEnvelope(type, namespace, body);
    if (next.metadata.name !== name) {
      const why = `the name of the object (${next.metadata.name}) does not match the name on the URL (${name})`;
      throw badRequest(why);
    }
    const old = this.get(type, namespace, name);
    if (type.custom !== undefined && !next.metadata.resourceVersion) {
      const why = 'must be specified for an update';
      throw invalid(type, name, [invalidValue('metadata.resourceVersion', 0, why)]);
    }
    return this.replace(type, old, next, options, null);
  }

  patch(
    type: ResourceType,
    namespace: string,
    name: string,
    kind: PatchKind,
    body: Open,
    options: PatchOptions = {},
  ): KubeObject {
    if (kind === 'apply') return this.apply(type, namespace, name, body, options);
    const old = inFormatOf(type, this.get(type, namespace, name));
    const next = this.patched(type, old, kind, body);
    // A patch changes what it names: an old version in the object is not a precondition.
    const asked = kind === 'json' ? undefined : body?.metadata?.resourceVersion;
    next.metadata.resourceVersion = asked ?? old.metadata.resourceVersion;
    return this.replace(type, old, this.checkEnvelope(type, namespace, next), options, null);
  }

  delete(
    type: ResourceType,
    namespace: string,
    name: string,
    options: DeleteOptions = {},
  ): { object: KubeObject; gone: boolean } {
    const old = this.get(type, namespace, name);
    const { uid, resourceVersion } = options.preconditions ?? {};
    if (uid && uid !== old.metadata.uid) {
      const why = `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${old.metadata.uid}`;
      throw conflict(type, name, why);
    }
    if (resourceVersion && resourceVersion !== old.metadata.resourceVersion) {
      const why = `Precondition failed: ResourceVersion in precondition: ${resourceVersion}, ResourceVersion in object meta: ${old.metadata.resourceVersion}`;
      throw conflict(type, name, why);
    }
    const next = deletionStep(old, options, this.clock.nowMs());
    if (options.dryRun) return { object: next ?? old, gone: next === null };
    if (next === null) return { object: this.store.remove(type.storage, old), gone: true };
    const object = equal(next, old) ? old : this.store.put(type.storage, next);
    return { object, gone: false };
  }

  private apply(
    type: ResourceType,
    namespace: string,
    name: string,
    body: Open,
    options: PatchOptions,
  ): KubeObject {
    const { manager, subresource, force } = options;
    if (!manager)
      throw badRequest(
        'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required for apply patch',
      );
    const wanted = this.checkEnvelope(type, namespace, body);
    wanted.metadata.name ||= name;
    if (wanted.metadata.managedFields?.length)
      throw badRequest('metadata.managedFields must be nil');
    const live = this.store.get(type.storage, namespace, name);
    if (live === null && subresource === 'status') throw notFound(type, name);
    const { status, ...rest } = wanted;
    const { apiVersion, kind, metadata } = wanted;
    const part = (
      subresource === 'status'
        ? { apiVersion, kind, metadata: { name: metadata.name }, status }
        : type.status
          ? rest
          : wanted
    ) as KubeObject;
    const shape = shapeOf(type);
    const merged = applyFields(live, part, shape, this.writer(type, options), force === true);
    const { managedFields } = merged.metadata;
    if (live === null) return this.insert(type, merged, options, managedFields ?? []);
    // Only a version in the applied configuration itself is a precondition.
    const version = metadata.resourceVersion ?? live.metadata.resourceVersion;
    merged.metadata = { ...merged.metadata, resourceVersion: version };
    return this.replace(type, live, merged, options, managedFields ?? []);
  }

  private patched(type: ResourceType, old: KubeObject, kind: PatchKind, body: Open): KubeObject {
    if (kind === 'json') return jsonPatch(old, body);
    if (kind === 'merge') return structuredClone(mergePatch(old, body));
    if (type.custom !== undefined) {
      throw unsupportedMediaType(
        'the body of the request was in an unknown format - accepted media types include: ' +
          'application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml',
      );
    }
    return structuredClone(strategicMergePatch(old, body, shapeOf(type)));
  }

  /** A copy of the body whose kind, version and namespace fit the request. */
  private checkEnvelope(type: ResourceType, namespace: string, body: KubeObject): KubeObject {
    if (typeof body !== 'object' || body === null) throw badRequest('the body must be an object');
    const object = structuredClone(body);
    const apiVersion = apiVersionOf(type);
    const held = { apiVersion: object.apiVersion || apiVersion, kind: object.kind || type.kind };
    if (held.apiVersion !== apiVersion || held.kind !== type.kind) {
      const message = `the object provided is ${held.apiVersion} ${held.kind}, expected ${apiVersion} ${type.kind}`;
      throw badRequest(message);
    }
    const metadata: Metadata = { ...object.metadata };
    if (type.namespaced) {
      if (metadata.namespace && metadata.namespace !== namespace) {
        throw badRequest(
          `the namespace of the provided object does not match the namespace sent on the request`,
        );
      }
      metadata.namespace = namespace;
    } else delete metadata.namespace;
    return { ...object, ...held, metadata };
  }

  private insert(
    type: ResourceType,
    object: KubeObject,
    options: WriteOptions,
    managedFields: ManagedFields[] | null,
  ): KubeObject {
    const { name, namespace = '' } = object.metadata;
    if (type.namespaced) this.checkNamespace(type, name, namespace);
    if (this.store.get(type.storage, namespace, name) !== null) throw alreadyExists(type, name);
    const started = initialObject(type, object, this);
    const admitted = this.admit(type, started, null, options);
    admitted.metadata.managedFields =
      managedFields ?? recordUpdate(null, admitted, shapeOf(type), this.writer(type, options));
    if (options.dryRun) return admitted;
    return this.store.put(type.storage, admitted);
  }

  private replace(
    type: ResourceType,
    old: KubeObject,
    next: KubeObject,
    options: WriteOptions,
    managedFields: ManagedFields[] | null,
  ): KubeObject {
    const { name } = old.metadata;
    const { resourceVersion, uid } = next.metadata;
    if (resourceVersion && resourceVersion !== old.metadata.resourceVersion) {
      throw conflict(type, name, modifiedMeanwhile);
    }
    if (uid && uid !== old.metadata.uid) {
      const why = `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${old.metadata.uid}`;
      throw conflict(type, name, why);
    }
    const carried = carryOver(type, old, next, options.subresource);
    this.checkFinalizers(type, old, carried);
    const admitted = this.admit(type, carried, old, options);
    if (type.generation && !sameIntent(old, admitted)) {
      admitted.metadata.generation = (old.metadata.generation ?? 0) + 1;
    }
    admitted.metadata.managedFields =
      managedFields ?? recordUpdate(old, admitted, shapeOf(type), this.writer(type, options));
    admitted.metadata.resourceVersion = old.metadata.resourceVersion;
    // A write that changes nothing is not a change: no new version, no event.
    if (options.dryRun || equal(withoutTimes(admitted), withoutTimes(old))) {
      return options.dryRun ? admitted : old;
    }
    const { deletionTimestamp, finalizers, deletionGracePeriodSeconds } = admitted.metadata;
    const free = deletionTimestamp !== undefined && (finalizers ?? []).length === 0;
    if (free && !((deletionGracePeriodSeconds ?? 0) > 0)) {
      return this.store.remove(type.storage, admitted);
    }
    return this.store.put(type.storage, admitted);
  }

  private admit(
    type: ResourceType,
    object: KubeObject,
    old: KubeObject | null,
    options: WriteOptions,
  ): KubeObject {
    const { fieldValidation = 'Warn', warnings = [] } = options;
    return admit(type, object, old, fieldValidation, warnings);
  }

  private checkNamespace(type: ResourceType, name: string, namespace: string): void {
    const namespaces = this.scheme.getStored('namespaces');
    const found = this.store.get('namespaces', '', namespace);
    if (found === null) throw notFound(namespaces, namespace);
    if (found.metadata.deletionTimestamp !== undefined) {
      const why = `unable to create new content in namespace ${namespace} because it is being terminated`;
      throw forbidden(type, name, why);
    }
  }

  private checkFinalizers(type: ResourceType, old: KubeObject, next: KubeObject): void {
    if (old.metadata.deletionTimestamp === undefined) return;
    const held = old.metadata.finalizers ?? [];
    const added = (next.metadata.finalizers ?? []).filter((one) => !held.includes(one));
    if (added.length === 0) return;
    const why = `no new finalizers can be added if the object is being deleted, found new finalizers ${JSON.stringify(added)}`;
    throw invalid(type, old.metadata.name, [forbiddenValue('metadata.finalizers', why)]);
  }

  private writer(type: ResourceType, options: WriteOptions): Writer {
    return {
      ...{ manager: options.manager ?? 'unknown', subresource: options.subresource ?? '' },
      ...{ apiVersion: apiVersionOf(type), time: timestamp(this.clock.nowMs()) },
    };
  }
}

/** What an update may not change comes from the old object; what is the server's does too. */
function carryOver(
  type: ResourceType,
  old: KubeObject,
  next: KubeObject,
  subresource: 'status' | undefined,
): KubeObject {
  if (subresource === 'status') {
    if (!type.status) throw new ApiError(404, 'NotFound', 'no such subresource: status');
    const { status: _, ...rest } = structuredClone(old);
    return (next.status === undefined ? rest : { ...rest, status: next.status }) as KubeObject;
  }
  const { namespace, uid, generation, creationTimestamp } = old.metadata;
  const { deletionTimestamp, deletionGracePeriodSeconds, generateName } = old.metadata;
  const system = { namespace, uid, generation, creationTimestamp, generateName };
  const metadata: Open = { ...next.metadata, ...system };
  metadata.deletionTimestamp = deletionTimestamp;
  metadata.deletionGracePeriodSeconds = deletionGracePeriodSeconds;
  for (const [name, value] of Object.entries(metadata)) {
    if (value === undefined) delete metadata[name];
  }
  const carried = { ...next, metadata } as KubeObject;
  if (!type.status) return carried;
  delete carried.status;
  if (old.status !== undefined) carried.status = structuredClone(old.status);
  return keepAllocated(carried, old);
}

/** A service keeps the address it was given when an update does not name one. */
function keepAllocated(next: KubeObject, old: KubeObject): KubeObject {
  if (next.kind !== 'Service' || next.spec?.type === 'ExternalName') return next;
  const { clusterIP, clusterIPs } = old.spec;
  if (clusterIP !== undefined && !next.spec.clusterIP) {
    next.spec = { ...next.spec, clusterIP, clusterIPs };
  }
  return next;
}

function sameIntent(a: KubeObject, b: KubeObject): boolean {
  const { metadata: _m, status: _s, ...intentA } = a;
  const { metadata: _n, status: _t, ...intentB } = b;
  return equal(intentA, intentB);
}

/** Without the times in managedFields, which say when a field was written, not what it is. */
function withoutTimes(object: KubeObject): KubeObject {
  const { managedFields, ...metadata } = object.metadata;
  const entries = (managedFields ?? []).map(({ time: _, ...entry }) => entry);
  return { ...object, metadata: { ...metadata, managedFields: entries } as Metadata };
}
