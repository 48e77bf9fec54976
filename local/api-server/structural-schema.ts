/**
 * What the API server does to a custom resource on its way in, in this order:
 *   1. prune: drop fields that the schema does not name (and say which, for fieldValidation);
 *   2. default: nulls that are not allowed go, absent fields with a default get it;
 *   3. validate: every violation is listed with its path, worded as Kubernetes words it.
 * CEL rules come after these and only if they found nothing (see cel-rules.ts).
 */
import type { Schema } from './custom-resource.ts';
import { canonicalJson } from './field-set.ts';
import type { Open } from './resource.ts';
import { isMap } from './shape.ts';
import {
  type Cause,
  duplicateValue,
  invalidValue,
  requiredValue,
  unsupportedValue,
} from './status-error.ts';

/** The value without unknown fields, whose paths are added to `unknown`. */
export function prune(schema: Schema, value: Open, path: string, unknown: string[]): Open {
  if (Array.isArray(value)) {
    const { items } = schema;
    if (items === undefined) return value;
    return value.map((item, index) => prune(items, item, `${path}[${index}]`, unknown));
  }
  if (!isMap(value)) return value;
  const kept: Open = {};
  for (const [name, child] of Object.entries(value)) {
    const at = path === '' ? name : `${path}.${name}`;
    const known = childSchema(schema, name);
    // A schema may say something of metadata, but never which fields it has.
    if (isEnvelope(schema, path, name)) kept[name] = child;
    else if (known !== null) kept[name] = prune(known, child, at, unknown);
    else if (keepsUnknown(schema)) kept[name] = child;
    else unknown.push(at);
  }
  return kept;
}

function childSchema(schema: Schema, name: string): Schema | null {
  const property = schema.properties?.[name];
  if (property !== undefined) return property;
  return typeof schema.additionalProperties === 'object' ? schema.additionalProperties : null;
}

function keepsUnknown(schema: Schema): boolean {
  return (
    schema['x-kubernetes-preserve-unknown-fields'] === true || schema.additionalProperties === true
  );
}

/** apiVersion, kind and metadata are the server's own at the top and in embedded resources. */
function isEnvelope(schema: Schema, path: string, name: string): boolean {
  if (path !== '' && schema['x-kubernetes-embedded-resource'] !== true) return false;
  return name === 'apiVersion' || name === 'kind' || name === 'metadata';
}

/** The value with defaults filled in, at every depth that exists after defaulting. */
export function fillDefaults(schema: Schema, value: Open): Open {
  if (Array.isArray(value)) {
    const { items } = schema;
    return items === undefined ? value : value.map((item) => fillDefaults(items, item));
  }
  if (!isMap(value)) return value;
  const filled: Open = { ...value };
  for (const [name, child] of Object.entries(schema.properties ?? {})) {
    if (filled[name] === null && child.nullable !== true) delete filled[name];
    if (filled[name] === undefined && child.default !== undefined) {
      filled[name] = structuredClone(child.default);
    }
  }
  for (const name of Object.keys(filled)) {
    const child = childSchema(schema, name);
    if (child !== null) filled[name] = fillDefaults(child, filled[name]);
  }
  return filled;
}

/** All violations of the schema; an empty list when there are none. */
export function validate(schema: Schema, value: Open, path: string): Cause[] {
  const causes: Cause[] = [];
  check(schema, value, path, causes);
  return causes;
}

function check(schema: Schema, value: Open, path: string, causes: Cause[]): void {
  if (value === null) {
    if (schema.nullable !== true && schema.type !== undefined) {
      causes.push(wrongType(path, schema.type, null));
    }
    return;
  }
  if (!hasType(schema, value)) {
    causes.push(wrongType(path, schema.type ?? 'int-or-string', value));
    return;
  }
  if (schema.enum !== undefined && !schema.enum.some((one) => sameJson(one, value))) {
    causes.push(unsupportedValue(path, value, schema.enum));
  }
  if (typeof value === 'number') checkNumber(schema, value, path, causes);
  else if (typeof value === 'string') checkString(schema, value, path, causes);
  else if (Array.isArray(value)) checkList(schema, value, path, causes);
  else if (isMap(value)) checkMap(schema, value, path, causes);
  checkCombined(schema, value, path, causes);
}

function hasType(schema: Schema, value: Open): boolean {
  if (schema['x-kubernetes-int-or-string']) {
    return typeof value === 'string' || Number.isInteger(value);
  }
  switch (schema.type) {
    case undefined:
      return true;
    case 'object':
      return isMap(value);
    case 'array':
      return Array.isArray(value);
    case 'integer':
      return Number.isInteger(value);
    default:
      return typeof value === schema.type;
  }
}

function wrongType(path: string, wanted: string, value: Open): Cause {
  const held = value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value;
  return invalidValue(path, held, `${path} in body must be of type ${wanted}: "${held}"`);
}

function checkNumber(schema: Schema, value: number, path: string, causes: Cause[]): void {
  const { minimum, maximum, multipleOf } = schema;
  const fail = (rule: string) => causes.push(invalidValue(path, value, `${path} in body ${rule}`));
  if (minimum !== undefined) {
    const open = schema.exclusiveMinimum === true;
    if (value < minimum || (open && value === minimum)) {
      fail(`should be greater than ${open ? '' : 'or equal to '}${minimum}`);
    }
  }
  if (maximum !== undefined) {
    const open = schema.exclusiveMaximum === true;
    if (value > maximum || (open && value === maximum)) {
      fail(`should be less than ${open ? '' : 'or equal to '}${maximum}`);
    }
  }
  if (multipleOf !== undefined && value % multipleOf !== 0) {
    fail(`should be a multiple of ${multipleOf}`);
  }
  if (schema.format === 'int32' && Math.abs(value) > 2 ** 31) fail('must be of type int32');
}

function checkString(schema: Schema, value: string, path: string, causes: Cause[]): void {
  const { minLength, maxLength, pattern, format } = schema;
  const fail = (rule: string) => causes.push(invalidValue(path, value, `${path} in body ${rule}`));
  const length = [...value].length;
  if (minLength !== undefined && length < minLength) {
    fail(`should be at least ${minLength} chars long`);
  }
  if (maxLength !== undefined && length > maxLength) {
    const message = `Too long: may not be more than ${maxLength} bytes`;
    causes.push({ reason: 'FieldValueTooLong', message, field: path });
  }
  if (pattern !== undefined && !new RegExp(pattern, 'u').test(value)) {
    fail(`should match '${pattern}'`);
  }
  if (
    format === 'date-time' &&
    !/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/.test(value)
  ) {
    fail(`must be of type date-time: "${value}"`);
  }
}

function checkList(schema: Schema, value: Open[], path: string, causes: Cause[]): void {
  const { minItems, maxItems, items } = schema;
  if (minItems !== undefined && value.length < minItems) {
    causes.push(
      invalidValue(path, value.length, `${path} in body should have at least ${minItems} items`),
    );
  }
  if (maxItems !== undefined && value.length > maxItems) {
    const message = `Too many: ${value.length}: must have at most ${maxItems} items`;
    causes.push({ reason: 'FieldValueTooMany', message, field: path });
  }
  const keys = schema['x-kubernetes-list-map-keys'] ?? [];
  const listType = schema['x-kubernetes-list-type'];
  const seen = new Set<string>();
  value.forEach((item, index) => {
    const at = `${path}[${index}]`;
    if (items !== undefined) check(items, item, at, causes);
    if (listType !== 'map' && listType !== 'set') return;
    const id =
      listType === 'set' ? item : Object.fromEntries(keys.map((key) => [key, item?.[key]]));
    const text = canonicalJson(id);
    if (seen.has(text)) causes.push(duplicateValue(at, id));
    seen.add(text);
  });
}

function checkMap(schema: Schema, value: Open, path: string, causes: Cause[]): void {
  const inside = (name: string) => (path === '' ? name : `${path}.${name}`);
  const count = Object.keys(value).length;
  for (const name of schema.required ?? []) {
    if (value[name] === undefined) causes.push(requiredValue(inside(name)));
  }
  if (schema.minProperties !== undefined && count < schema.minProperties) {
    const rule = `should have at least ${schema.minProperties} properties`;
    causes.push(invalidValue(path, value, `${path} in body ${rule}`));
  }
  if (schema.maxProperties !== undefined && count > schema.maxProperties) {
    const message = `Too many: ${count}: must have at most ${schema.maxProperties} items`;
    causes.push({ reason: 'FieldValueTooMany', message, field: path });
  }
  for (const [name, child] of Object.entries(value)) {
    const known = childSchema(schema, name);
    if (known !== null && child !== undefined) check(known, child, inside(name), causes);
  }
}

function checkCombined(schema: Schema, value: Open, path: string, causes: Cause[]): void {
  const holds = (one: Schema) => validate(one, value, path).length === 0;
  for (const one of schema.allOf ?? []) check(one, value, path, causes);
  if (schema.anyOf !== undefined && !schema.anyOf.some(holds)) {
    causes.push(invalidValue(path, value, `${path} in body must validate at least one schema`));
  }
  if (schema.oneOf !== undefined && schema.oneOf.filter(holds).length !== 1) {
    const rule = 'must validate one and only one schema (oneOf)';
    causes.push(invalidValue(path, value, `${path} in body ${rule}`));
  }
  if (schema.not !== undefined && holds(schema.not)) {
    causes.push(invalidValue(path, value, `${path} in body must not validate the schema (not)`));
  }
}

function sameJson(a: Open, b: Open): boolean {
  return canonicalJson(a) === canonicalJson(b);
}
