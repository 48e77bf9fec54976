/**
 * The CustomResourceDefinition as a value, made from the zod schemas and the table of rules.
 *
 * zod gives JSON Schema; the API server wants a *structural* schema, so what it does not know is
 * dropped and what it needs (list maps, int64, validations) is added here.
 */
import { z } from 'zod';
import { RULES } from './rule.ts';
import { GROUP, KIND, PLURAL, specSchema, VERSION } from './schema.ts';
import { statusSchema } from './status-schema.ts';

export type JsonSchema = {
  type?: string;
  description?: string;
  properties?: Record<string, JsonSchema>;
  items?: JsonSchema;
  required?: string[];
  default?: unknown;
  [key: string]: unknown;
};

/** Lists whose items have an identity; anything else is replaced as a whole. */
const LIST_KEYS: Readonly<Record<string, readonly string[]>> = {
  'spec.regions': ['name'],
  'status.conditions': ['type'],
  'status.regions': ['name'],
};

const KEPT = new Set([
  ...['type', 'description', 'properties', 'items', 'required', 'default', 'enum', 'pattern'],
  ...['minimum', 'maximum', 'minLength', 'maxLength', 'minItems', 'maxItems', 'format'],
]);

/** The schema of the whole resource as the API server will hold it. */
export function resourceSchema(): JsonSchema {
  const schema: JsonSchema = {
    type: 'object',
    description: 'One Redis-compatible database, writable in every region at once.',
    required: ['spec'],
    properties: {
      apiVersion: { type: 'string' },
      kind: { type: 'string' },
      metadata: { type: 'object' },
      spec: {
        ...structural(z.toJSONSchema(specSchema, { io: 'input' }) as JsonSchema, 'spec'),
        description: 'What is wanted; the same in every cluster.',
      },
      status: {
        ...structural(z.toJSONSchema(statusSchema, { io: 'input' }) as JsonSchema, 'status'),
        description: 'What the operator of this cluster found.',
      },
    },
  };
  for (const { at, cel, rule, cure } of RULES) {
    const place = find(schema, at);
    const list = (place['x-kubernetes-validations'] ?? []) as unknown[];
    place['x-kubernetes-validations'] = [...list, { rule: cel, message: `${rule}; ${cure}` }];
  }
  return schema;
}

/** The CustomResourceDefinition. */
export function customResourceDefinition(): Record<string, unknown> {
  const column = (name: string, type: string, jsonPath: string, description: string) => ({
    name,
    type,
    jsonPath,
    description,
  });
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${PLURAL}.${GROUP}`, labels: { 'app.kubernetes.io/name': 'meridian' } },
    spec: {
      group: GROUP,
      scope: 'Namespaced',
      names: {
        kind: KIND,
        listKind: `${KIND}List`,
        plural: PLURAL,
        singular: KIND.toLowerCase(),
        shortNames: ['aadb'],
        categories: ['meridian'],
      },
      versions: [
        {
          name: VERSION,
          served: true,
          storage: true,
          subresources: { status: {} },
          additionalPrinterColumns: [
            column(
              'Ready',
              'string',
              '.status.conditions[?(@.type=="Ready")].status',
              'Whether every shard takes writes.',
            ),
            column('Shards', 'string', '.status.shardsReady', 'Shards ready.'),
            column('Regions', 'string', '.status.regionsConnected', 'Other regions connected.'),
            column('Lag', 'string', '.status.worstLag', 'Largest lag behind another region.'),
            column('Age', 'date', '.metadata.creationTimestamp', 'Since creation.'),
          ],
          schema: { openAPIV3Schema: resourceSchema() },
        },
      ],
    },
  };
}

function structural(schema: JsonSchema, path: string): JsonSchema {
  const out: JsonSchema = {};
  for (const [key, value] of Object.entries(schema)) {
    if (KEPT.has(key)) out[key] = value;
  }
  if (schema.type === 'integer') out.format = 'int64';
  // A date-time already has a format; zod's own pattern for it is long and adds nothing.
  if (schema.format === 'date-time') delete out.pattern;
  if (schema.properties) {
    out.properties = Object.fromEntries(
      Object.entries(schema.properties).map(([name, child]) => [
        name,
        structural(child, `${path}.${name}`),
      ]),
    );
  } else if (schema.type === 'object' && typeof schema.additionalProperties === 'object') {
    out.additionalProperties = structural(schema.additionalProperties as JsonSchema, `${path}{}`);
    out.maxProperties = 64;
  }
  if (schema.items) out.items = structural(schema.items, `${path}[]`);
  const keys = LIST_KEYS[path];
  if (keys) {
    out['x-kubernetes-list-type'] = 'map';
    out['x-kubernetes-list-map-keys'] = keys;
  }
  return out;
}

/** The schema node at a path such as "spec.regions[].number". */
export function find(schema: JsonSchema, path: string): JsonSchema {
  let node = schema;
  for (const part of path === '' ? [] : path.split('.')) {
    const name = part.replace('[]', '');
    const next = node.properties?.[name];
    if (next === undefined) throw new Error(`no field ${path} in the schema`);
    node = part.endsWith('[]') ? (next.items as JsonSchema) : next;
  }
  return node;
}
