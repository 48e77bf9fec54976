/**
 * How lists and maps of an object merge: what Kubernetes keeps in its OpenAPI types as
 * x-kubernetes-list-type and x-kubernetes-map-type. Custom resources say it in their schema;
 * for built-in ones the table below says it by field name, which is enough because Kubernetes uses
 * the same names for the same things. What is not listed is an atomic list or a map by field.
 */
import type { Schema } from './custom-resource.ts';
import type { Open, ResourceType } from './resource.ts';

export type ListRule = 'atomic' | 'set' | { keys: readonly string[] };

export interface Shape {
  readonly list: ListRule;
  /** The map is one value: it is replaced, never merged. */
  readonly atomicMap: boolean;
  field(name: string): Shape;
  item(): Shape;
}

const keyedLists: Record<string, readonly string[]> = {
  containers: ['name'],
  initContainers: ['name'],
  volumes: ['name'],
  env: ['name'],
  volumeMounts: ['mountPath'],
  imagePullSecrets: ['name'],
  hostAliases: ['ip'],
  podIPs: ['ip'],
  topologySpreadConstraints: ['topologyKey', 'whenUnsatisfiable'],
  conditions: ['type'],
  ownerReferences: ['uid'],
  addresses: ['type'],
  'containers/ports': ['containerPort', 'protocol'],
  'initContainers/ports': ['containerPort', 'protocol'],
  'Service/ports': ['port', 'protocol'],
};

const atomicMaps = new Set([
  ...['selector', 'nodeSelector', 'labelSelector', 'namespaceSelector', 'claimRef'],
  ...['fieldRef', 'secretKeyRef', 'configMapKeyRef', 'resourceFieldRef'],
]);

/** The values that the server would have filled in for an absent key of a list item. */
const keyDefaults: Record<string, Open> = { protocol: 'TCP' };

/** The shape of a whole object of this type. */
export function shapeOf(type: ResourceType): Shape {
  if (type.custom === undefined) return builtInShape('', type.kind);
  const { schema } = type.custom;
  return customShape(schema, true);
}

function builtInShape(name: string, owner: string): Shape {
  const keys = keyedLists[`${owner}/${name}`] ?? keyedLists[name];
  const list: ListRule = name === 'finalizers' ? 'set' : keys === undefined ? 'atomic' : { keys };
  return {
    list,
    atomicMap: atomicMaps.has(name),
    // "spec" hands its owner's name down: a Service's ports are at spec.ports.
    field: (child) => builtInShape(child, name === 'spec' || name === '' ? owner : name),
    item: () => builtInShape('', name),
  };
}

function customShape(schema: Schema | undefined, top: boolean): Shape {
  const listType = schema?.['x-kubernetes-list-type'];
  const keys = schema?.['x-kubernetes-list-map-keys'] ?? [];
  return {
    list: listType === 'map' ? { keys } : listType === 'set' ? 'set' : 'atomic',
    atomicMap: schema?.['x-kubernetes-map-type'] === 'atomic',
    field: (name) => {
      if (top && name === 'metadata') return builtInShape('metadata', '');
      const more = schema?.additionalProperties;
      return customShape(
        schema?.properties?.[name] ?? (typeof more === 'object' ? more : undefined),
        false,
      );
    },
    item: () => customShape(schema?.items, false),
  };
}

/** The key of a list item as its fields say it, in the order of the rule. */
export function itemKey(rule: { keys: readonly string[] }, item: Open): Record<string, Open> {
  const key: Record<string, Open> = {};
  for (const name of [...rule.keys].sort()) key[name] = item?.[name] ?? keyDefaults[name] ?? null;
  return key;
}

/** The position of the item with the same key, or -1. */
export function findItem(rule: { keys: readonly string[] }, list: Open[], item: Open): number {
  const wanted = JSON.stringify(itemKey(rule, item));
  return list.findIndex((one) => JSON.stringify(itemKey(rule, one)) === wanted);
}

export function isMap(value: Open): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
