/**
 * The three older kinds of patch: JSON merge patch (RFC 7386), JSON patch (RFC 6902) and the
 * strategic merge patch of built-in kinds, which merges keyed lists by their keys.
 */
import { equal } from './field-set.ts';
import type { Open } from './resource.ts';
import { findItem, isMap, type Shape } from './shape.ts';
import { ApiError, badRequest } from './status-error.ts';

/** RFC 7386: null removes, maps merge, anything else replaces. */
export function mergePatch(target: Open, patch: Open): Open {
  if (!isMap(patch)) return structuredClone(patch);
  const merged: Open = isMap(target) ? { ...target } : {};
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) delete merged[name];
    else merged[name] = mergePatch(merged[name], value);
  }
  return merged;
}

/** Like a merge patch, with lists merged as `shape` says; `$patch: delete` removes an item. */
export function strategicMergePatch(target: Open, patch: Open, shape: Shape): Open {
  if (Array.isArray(patch)) return mergeLists(Array.isArray(target) ? target : [], patch, shape);
  if (!isMap(patch)) return structuredClone(patch);
  const { $patch: directive, ...fields } = patch;
  if (directive === 'replace') return structuredClone(fields);
  if (directive === 'delete') return {};
  const merged: Open = isMap(target) ? { ...target } : {};
  for (const [name, value] of Object.entries(fields)) {
    // Order hints and set removals: the order is cosmetic, the removal is done below.
    if (name.startsWith('$setElementOrder/') || name === '$retainKeys') continue;
    if (name.startsWith('$deleteFromPrimitiveList/')) {
      const list = name.slice('$deleteFromPrimitiveList/'.length);
      merged[list] = (merged[list] ?? []).filter((one: Open) => !(value as Open[]).includes(one));
    } else if (value === null) delete merged[name];
    else merged[name] = strategicMergePatch(merged[name], value, shape.field(name));
  }
  return merged;
}

function mergeLists(target: Open[], patch: Open[], shape: Shape): Open[] {
  if (shape.list === 'atomic') return structuredClone(patch);
  if (shape.list === 'set') return [...new Set([...target, ...patch])];
  let merged = [...target];
  for (const item of patch) {
    const index = findItem(shape.list, merged, item);
    if (item.$patch === 'delete') merged = merged.filter((_, at) => at !== index);
    else if (index < 0) merged.push(structuredClone(item));
    else merged[index] = strategicMergePatch(merged[index], item, shape.item());
  }
  return merged;
}

interface Operation {
  op: string;
  path: string;
  from?: string;
  value?: Open;
}

/** RFC 6902. Throws 422 when an operation cannot be done, as a failed `test` does. */
export function jsonPatch(target: Open, operations: Open): Open {
  if (!Array.isArray(operations)) throw badRequest('a JSON patch is a list of operations');
  const document = { root: structuredClone(target) };
  for (const operation of operations) applyOperation(document, operation);
  return document.root;
}

function applyOperation(document: Open, { op, path, from = '', value }: Operation): void {
  const to = pointer(path);
  switch (op) {
    case 'add':
      put(document, to, structuredClone(value), true);
      break;
    case 'replace':
      take(document, to, false);
      put(document, to, structuredClone(value), false);
      break;
    case 'remove':
      take(document, to, true);
      break;
    case 'move':
      put(document, to, take(document, pointer(from), true), true);
      break;
    case 'copy':
      put(document, to, structuredClone(take(document, pointer(from), false)), true);
      break;
    case 'test':
      if (!equal(take(document, to, false), value)) throw cannot(`testing path ${path} failed`);
      break;
    default:
      throw badRequest(`unexpected kind of JSON patch operation: ${op}`);
  }
}

function pointer(path: string): string[] {
  const parts = path === '' ? [] : path.slice(1).split('/');
  return ['root', ...parts.map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))];
}

function parentOf(document: Open, path: string[]): Open {
  let at = document;
  for (const name of path.slice(0, -1)) {
    at = at?.[name];
    if (typeof at !== 'object' || at === null) throw cannot(`no such path ${shown(path)}`);
  }
  return at;
}

function put(document: Open, path: string[], value: Open, insert: boolean): void {
  const parent = parentOf(document, path);
  const name = path[path.length - 1];
  if (!Array.isArray(parent)) parent[name] = value;
  else if (name === '-') parent.push(value);
  else if (!/^\d+$/.test(name) || Number(name) > parent.length) {
    throw cannot(`no such index ${shown(path)}`);
  } else parent.splice(Number(name), insert ? 0 : 1, value);
}

/** The value at the path; it must exist. */
function take(document: Open, path: string[], remove: boolean): Open {
  const parent = parentOf(document, path);
  const name = path[path.length - 1];
  if (!(name in parent)) throw cannot(`no such path ${shown(path)}`);
  const value = parent[name];
  if (remove && Array.isArray(parent)) parent.splice(Number(name), 1);
  else if (remove) delete parent[name];
  return value;
}

function shown(path: string[]): string {
  return `/${path.slice(1).join('/')}`;
}

function cannot(why: string): ApiError {
  return new ApiError(422, 'Invalid', `the server rejected our request due to an error: ${why}`);
}
