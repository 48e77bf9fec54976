/**
 * Sets of fields, as managedFields has them. A field is a path of segments:
 *
 *   f:image                 a field of a map
 *   k:{"name":"engine"}     the item of a keyed list
 *   v:"a"                   a member of a set
 *
 * In memory a set is flat: the path joined by newlines → the value at that leaf as JSON ('' for a
 * list item as such). Flat sets make union, difference and "what changed" one line each. On the
 * wire it is Kubernetes' FieldsV1 tree, in which "." says that an inner node is itself a member.
 */
import type { Open } from './resource.ts';
import { isMap, itemKey, type Shape } from './shape.ts';

export type FieldSet = Map<string, string>;

const separator = '\n';

/** Every leaf of `value`, with what it holds. */
export function fieldsOf(value: Open, shape: Shape): FieldSet {
  const fields: FieldSet = new Map();
  collect(value, shape, [], fields);
  return fields;
}

function collect(value: Open, shape: Shape, path: string[], into: FieldSet): void {
  if (isMap(value) && !shape.atomicMap) {
    const names = Object.keys(value);
    if (names.length === 0 && path.length > 0) into.set(path.join(separator), '{}');
    for (const name of names) {
      collect(value[name], shape.field(name), [...path, `f:${name}`], into);
    }
    return;
  }
  if (Array.isArray(value) && shape.list !== 'atomic' && value.length > 0) {
    for (const item of value) collectItem(item, shape, path, into);
    return;
  }
  into.set(path.join(separator), canonicalJson(value));
}

function collectItem(item: Open, shape: Shape, path: string[], into: FieldSet): void {
  if (shape.list === 'set') {
    into.set([...path, `v:${JSON.stringify(item)}`].join(separator), '');
    return;
  }
  const rule = shape.list as { keys: readonly string[] };
  const at = [...path, `k:${JSON.stringify(itemKey(rule, item))}`];
  into.set(at.join(separator), '');
  for (const name of Object.keys(item ?? {})) {
    collect(item[name], shape.item().field(name), [...at, `f:${name}`], into);
  }
}

/** JSON with sorted keys, so that equal values have equal text. */
export function canonicalJson(value: Open): string {
  return JSON.stringify(value, (_key, part) =>
    isMap(part) ? Object.fromEntries(Object.entries(part).sort(byKey)) : part,
  );
}

function byKey([a]: [string, unknown], [b]: [string, unknown]): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

export function equal(a: Open, b: Open): boolean {
  return a === b || canonicalJson(a ?? null) === canonicalJson(b ?? null);
}

export function toTree(fields: Iterable<string>): Open {
  const tree: Open = {};
  for (const field of [...fields].sort()) {
    let at = tree;
    const segments = field.split(separator);
    for (const segment of segments) {
      at[segment] ??= {};
      at = at[segment];
    }
    // A list item is a member beside its fields; mark it even before they come.
    if (segments[segments.length - 1].startsWith('k:')) at['.'] = {};
  }
  return tree;
}

export function fromTree(tree: Open): Set<string> {
  const fields = new Set<string>();
  const walk = (at: Open, path: string[]) => {
    const names = Object.keys(at);
    if (path.length > 0 && names.length === 0) fields.add(path.join(separator));
    for (const name of names) {
      if (name === '.') fields.add(path.join(separator));
      else walk(at[name], [...path, name]);
    }
  };
  walk(tree ?? {}, []);
  return fields;
}

/** Whether `field` or anything beneath it is in the set. */
export function touches(fields: Set<string>, field: string): boolean {
  if (fields.has(field)) return true;
  const prefix = field + separator;
  for (const one of fields) if (one.startsWith(prefix)) return true;
  return false;
}

/** ".spec.containers[name="engine"].image": how conflicts show a field. */
export function displayField(field: string): string {
  return field
    .split(separator)
    .map((segment) => {
      const rest = segment.slice(2);
      if (segment.startsWith('f:')) return `.${rest}`;
      if (segment.startsWith('v:')) return `[=${rest}]`;
      const pairs = Object.entries(JSON.parse(rest));
      return `[${pairs.map(([key, value]) => `${key}=${JSON.stringify(value)}`).join(',')}]`;
    })
    .join('');
}

/** Takes one field out of `object` (changed in place); containers left empty by it go too. */
export function removeField(object: Open, shape: Shape, field: string): void {
  removeAt(object, shape, field.split(separator));
}

function removeAt(at: Open, shape: Shape, path: string[]): void {
  const [segment, ...rest] = path;
  if (segment.startsWith('f:')) {
    const name = segment.slice(2);
    if (!isMap(at) || !(name in at)) return;
    if (rest.length > 0) removeAt(at[name], shape.field(name), rest);
    if (rest.length === 0 || isEmpty(at[name])) delete at[name];
    return;
  }
  if (!Array.isArray(at)) return;
  const wanted = segment.slice(2);
  const index = at.findIndex((item) =>
    segment.startsWith('v:')
      ? JSON.stringify(item) === wanted
      : typeof shape.list === 'object' && JSON.stringify(itemKey(shape.list, item)) === wanted,
  );
  if (index === -1) return;
  if (rest.length === 0) at.splice(index, 1);
  else removeAt(at[index], shape.item(), rest);
}

function isEmpty(value: Open): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0;
}
