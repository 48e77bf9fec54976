/**
 * Field ownership: who set which field, kept in metadata.managedFields.
 *
 * An apply names the fields that its manager wants, and no others:
 *   1. a field that another manager owns with a different value is a conflict (or, with force,
 *      changes hands);
 *   2. what is applied is merged into the object, keyed lists by their keys;
 *   3. a field that this manager applied last time and no longer names is removed, unless
 *      somebody else owns it or something beneath it.
 * An update or patch owns what it changed, and whoever owned that before does no longer.
 *
 * Simpler than Kubernetes in one point: the fields of a manager are not converted between API
 * versions.
 */
import {
  displayField,
  type FieldSet,
  fieldsOf,
  fromTree,
  removeField,
  toTree,
  touches,
} from './field-set.ts';
import type { KubeObject, ManagedFields, Open } from './resource.ts';
import { findItem, isMap, type Shape } from './shape.ts';
import { applyConflict } from './status-error.ts';

export interface Writer {
  readonly manager: string;
  readonly subresource: string;
  readonly apiVersion: string;
  readonly time: string;
}

interface Owner {
  entry: ManagedFields;
  fields: Set<string>;
}

/** What the server itself sets; nobody owns it. */
const unownedMetadata = [
  ...['name', 'namespace', 'generateName', 'uid', 'resourceVersion', 'generation', 'selfLink'],
  ...['creationTimestamp', 'deletionTimestamp', 'deletionGracePeriodSeconds', 'managedFields'],
];

/**
 * The object after `writer` applied `wanted` to `live` (null: it does not exist yet), with new
 * managedFields. Throws 409 on a conflict unless `force`.
 */
export function applyFields(
  live: KubeObject | null,
  wanted: KubeObject,
  shape: Shape,
  writer: Writer,
  force: boolean,
): KubeObject {
  const config = ownable(wanted);
  const fields = fieldsOf(config, shape);
  const owners = ownersOf(live);
  const mine = owners.find((owner) => isEntryOf(owner.entry, writer, 'Apply'));
  const others = owners.filter((owner) => owner !== mine);
  settleConflicts(live, fields, shape, others, force);

  const merged = mergeFields(live ?? {}, config, shape) as KubeObject;
  const dropped = [...(mine?.fields ?? [])].filter((field) => !touches(keysOf(fields), field));
  for (const field of dropped) {
    if (!others.some((owner) => touches(owner.fields, field))) {
      removeField(merged, shape, field);
    }
  }
  const entry = entryOf(writer, 'Apply', new Set(fields.keys()));
  const unchanged = mine !== undefined && sameFields(mine.fields, fields);
  if (unchanged) entry.time = mine.entry.time;
  const kept = others.filter((owner) => owner.fields.size > 0).map(toEntry);
  const metadata = { ...wanted.metadata, ...merged.metadata, managedFields: [...kept, entry] };
  return { ...merged, apiVersion: wanted.apiVersion, kind: wanted.kind, metadata };
}

/** managedFields after `writer` changed `before` (null: created) into `after` by other means. */
export function recordUpdate(
  before: KubeObject | null,
  after: KubeObject,
  shape: Shape,
  writer: Writer,
): ManagedFields[] {
  const old = before === null ? new Map<string, string>() : fieldsOf(ownable(before), shape);
  const now = fieldsOf(ownable(after), shape);
  const changed = new Set<string>();
  for (const [field, value] of now) if (old.get(field) !== value) changed.add(field);
  const gone = new Set([...old.keys()].filter((field) => !now.has(field)));
  const owners = ownersOf(before);
  if (changed.size === 0 && gone.size === 0) return owners.map((owner) => owner.entry);

  const mine = owners.find((owner) => isEntryOf(owner.entry, writer, 'Update'));
  for (const owner of owners) {
    const before = owner.fields.size;
    for (const field of owner.fields) {
      if (gone.has(field) || (owner !== mine && changed.has(field))) owner.fields.delete(field);
    }
    if (owner.fields.size !== before) owner.entry = toEntry(owner);
  }
  const held = new Set([...(mine?.fields ?? []), ...changed]);
  const others = owners.filter((owner) => owner !== mine && owner.fields.size > 0);
  const entry = held.size === 0 ? [] : [entryOf(writer, 'Update', held)];
  return [...others.map((owner) => owner.entry), ...entry];
}

function settleConflicts(
  live: KubeObject | null,
  fields: FieldSet,
  shape: Shape,
  others: Owner[],
  force: boolean,
): void {
  const held = live === null ? new Map<string, string>() : fieldsOf(ownable(live), shape);
  const causes = [];
  for (const owner of others) {
    for (const [field, value] of fields) {
      if (!owner.fields.has(field) || held.get(field) === value) continue;
      if (force) owner.fields.delete(field);
      else {
        const message = `conflict with "${owner.entry.manager}"`;
        causes.push({ reason: 'FieldManagerConflict', message, field: displayField(field) });
      }
    }
  }
  if (causes.length > 0) throw applyConflict(causes);
}

/** `config` laid over `live`: maps by field, keyed lists by key, sets united, the rest replaced. */
export function mergeFields(live: Open, config: Open, shape: Shape): Open {
  if (isMap(config) && isMap(live) && !shape.atomicMap) {
    const merged = structuredClone(live);
    for (const [name, value] of Object.entries(config)) {
      merged[name] = name in live ? mergeFields(live[name], value, shape.field(name)) : value;
    }
    return merged;
  }
  if (!Array.isArray(config) || !Array.isArray(live)) return structuredClone(config);
  if (shape.list === 'atomic') return structuredClone(config);
  if (shape.list === 'set') {
    const added = config.filter((one) => !live.includes(one));
    return [...live, ...added];
  }
  return mergeItems(live, config, shape, shape.list);
}

function mergeItems(
  live: Open[],
  config: Open[],
  shape: Shape,
  rule: { keys: readonly string[] },
): Open[] {
  const merged = structuredClone(live);
  const places: number[] = [];
  for (const item of config) {
    const index = findItem(rule, live, item);
    if (index >= 0) places.push(index);
  }
  // Items of both lists keep the places they have in the object, in the order of the config.
  places.sort((a, b) => a - b);
  for (const item of config) {
    const index = findItem(rule, live, item);
    if (index < 0) merged.push(structuredClone(item));
    else merged[places.shift() as number] = mergeFields(live[index], item, shape.item());
  }
  return merged;
}

function ownable(object: KubeObject): Open {
  const { apiVersion: _a, kind: _k, metadata, ...rest } = object;
  const own: Open = { ...metadata };
  for (const name of unownedMetadata) delete own[name];
  return Object.keys(own).length === 0 ? rest : { metadata: own, ...rest };
}

function ownersOf(live: KubeObject | null): Owner[] {
  const entries = live?.metadata.managedFields ?? [];
  return entries.map((entry) => ({ entry, fields: fromTree(entry.fieldsV1) }));
}

function isEntryOf(entry: ManagedFields, writer: Writer, operation: string): boolean {
  return (
    entry.manager === writer.manager &&
    entry.operation === operation &&
    (entry.subresource ?? '') === writer.subresource
  );
}

function entryOf(
  writer: Writer,
  operation: 'Apply' | 'Update',
  fields: Set<string>,
): ManagedFields {
  const { manager, apiVersion, time, subresource } = writer;
  const fieldsV1 = toTree(fields);
  const entry = { manager, operation, apiVersion, time, fieldsType: 'FieldsV1' as const, fieldsV1 };
  return subresource === '' ? entry : { ...entry, subresource };
}

function toEntry(owner: Owner): ManagedFields {
  return { ...owner.entry, fieldsV1: toTree(owner.fields) };
}

function keysOf(fields: FieldSet): Set<string> {
  return new Set(fields.keys());
}

function sameFields(a: Set<string>, b: FieldSet): boolean {
  return a.size === b.size && [...a].every((field) => b.has(field));
}
