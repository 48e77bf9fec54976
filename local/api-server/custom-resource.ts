/**
 * CustomResourceDefinitions: what a definition adds to the resources being served, and the shape
 * of the schemas in it.
 */
import type { KubeObject, Open, ResourceType } from './resource.ts';
import { type Cause, requiredValue } from './status-error.ts';

/** A structural schema: the part of OpenAPI v3 that definitions may use. */
export interface Schema {
  type?: 'object' | 'array' | 'string' | 'integer' | 'number' | 'boolean';
  nullable?: boolean;
  default?: Open;
  properties?: Record<string, Schema>;
  additionalProperties?: Schema | boolean;
  required?: string[];
  items?: Schema;
  enum?: Open[];
  minimum?: number;
  maximum?: number;
  exclusiveMinimum?: boolean;
  exclusiveMaximum?: boolean;
  multipleOf?: number;
  minLength?: number;
  maxLength?: number;
  pattern?: string;
  format?: string;
  minItems?: number;
  maxItems?: number;
  minProperties?: number;
  maxProperties?: number;
  allOf?: Schema[];
  anyOf?: Schema[];
  oneOf?: Schema[];
  not?: Schema;
  'x-kubernetes-int-or-string'?: boolean;
  'x-kubernetes-preserve-unknown-fields'?: boolean;
  'x-kubernetes-embedded-resource'?: boolean;
  'x-kubernetes-list-type'?: 'atomic' | 'set' | 'map';
  'x-kubernetes-list-map-keys'?: string[];
  'x-kubernetes-map-type'?: 'granular' | 'atomic';
  'x-kubernetes-validations'?: Rule[];
}

export interface Rule {
  rule: string;
  message?: string;
  messageExpression?: string;
  reason?: string;
  fieldPath?: string;
  optionalOldSelf?: boolean;
}

export interface CustomSchema {
  readonly schema: Schema | undefined;
  readonly scale?: { specReplicasPath: string; statusReplicasPath: string };
}

/** The rows that a definition adds: one per served version. */
export function customResourceTypes(definition: KubeObject): ResourceType[] {
  const { group, names, scope, versions } = definition.spec;
  return versions
    .filter((version: Open) => version.served)
    .map((version: Open) => ({
      ...{ group, version: version.name, kind: names.kind, plural: names.plural },
      singular: names.singular ?? names.kind.toLowerCase(),
      shortNames: names.shortNames ?? [],
      ...{ namespaced: scope === 'Namespaced', generation: true },
      status: version.subresources?.status !== undefined,
      scale: version.subresources?.scale !== undefined,
      storage: `${names.plural}.${group}`,
      custom: {
        schema: version.schema?.openAPIV3Schema,
        scale: version.subresources?.scale,
      },
    }));
}

/** The status that a definition gets once it is served, which here is at once. */
export function establishedStatus(definition: KubeObject, time: string): Open {
  const { names, versions } = definition.spec;
  const condition = (type: string, reason: string, message: string) => ({
    ...{ type, status: 'True', lastTransitionTime: time, reason, message },
  });
  const singular = names.singular ?? names.kind.toLowerCase();
  const listKind = names.listKind ?? `${names.kind}List`;
  return {
    conditions: [
      condition('NamesAccepted', 'NoConflicts', 'no conflicts found'),
      condition('Established', 'InitialNamesAccepted', 'the initial names have been accepted'),
    ],
    acceptedNames: { ...names, singular, listKind },
    storedVersions: versions.filter((one: Open) => one.storage).map((one: Open) => one.name),
  };
}

/** What must hold before a definition can be served. */
export function checkDefinition(definition: KubeObject): Cause[] {
  const causes: Cause[] = [];
  const { spec } = definition;
  for (const field of ['group', 'names', 'scope', 'versions']) {
    if (spec?.[field] === undefined) causes.push(requiredValue(`spec.${field}`));
  }
  if (causes.length > 0) return causes;
  const name = `${spec.names.plural}.${spec.group}`;
  if (definition.metadata.name !== name) {
    const message = `Invalid value: "${definition.metadata.name}": must be spec.names.plural+"."+spec.group`;
    causes.push({ reason: 'FieldValueInvalid', message, field: 'metadata.name' });
  }
  if (spec.versions.filter((one: Open) => one.storage).length !== 1) {
    const message = 'Invalid value: must have exactly one version marked as storage version';
    causes.push({ reason: 'FieldValueInvalid', message, field: 'spec.versions' });
  }
  spec.versions.forEach((version: Open, index: number) => {
    const field = `spec.versions[${index}].schema.openAPIV3Schema`;
    if (version.schema?.openAPIV3Schema === undefined) {
      causes.push(requiredValue(field, 'schemas are required'));
    } else checkStructural(version.schema.openAPIV3Schema, field, causes);
  });
  return causes;
}

/** Every node of a structural schema has a type, unless it says int-or-string or keeps unknowns. */
function checkStructural(schema: Schema, field: string, causes: Cause[]): void {
  const free =
    schema['x-kubernetes-int-or-string'] || schema['x-kubernetes-preserve-unknown-fields'];
  if (schema.type === undefined && !free) {
    causes.push(requiredValue(`${field}.type`, 'must not be empty for specified object fields'));
  }
  for (const [name, child] of Object.entries(schema.properties ?? {})) {
    checkStructural(child, `${field}.properties[${name}]`, causes);
  }
  if (schema.items !== undefined) checkStructural(schema.items, `${field}.items`, causes);
  if (typeof schema.additionalProperties === 'object') {
    checkStructural(schema.additionalProperties, `${field}.additionalProperties`, causes);
  }
  if (schema['x-kubernetes-list-type'] === 'map') {
    for (const key of schema['x-kubernetes-list-map-keys'] ?? []) {
      const held = schema.items?.properties?.[key];
      const demanded = schema.items?.required?.includes(key) || held?.default !== undefined;
      if (held === undefined || !demanded) {
        const message = `Invalid value: "${key}": list map key must be required or have a default`;
        causes.push({ reason: 'FieldValueInvalid', message, field });
      }
    }
  }
}
