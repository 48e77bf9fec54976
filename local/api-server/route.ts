/**
 * From a URL path to what it names:
 *
 *   /api/v1/…  or  /apis/GROUP/VERSION/…
 *     PLURAL[/NAME[/SUBRESOURCE]]
 *     namespaces/NAMESPACE/PLURAL[/NAME[/SUBRESOURCE]]
 */
import type { ResourceType, Scheme } from './resource.ts';
import { noSuchPath } from './status-error.ts';

export interface Route {
  type: ResourceType;
  namespace: string;
  /** '' for the collection. */
  name: string;
  subresource: string;
}

/** Throws 404 for a path that names nothing served here. */
export function route(scheme: Scheme, path: string): Route {
  const parts = path
    .split('/')
    .filter((part) => part !== '')
    .map(decodeURIComponent);
  const core = parts[0] === 'api';
  if (!core && parts[0] !== 'apis') throw noSuchPath();
  const [group, version] = core ? ['', parts[1]] : [parts[1], parts[2]];
  const rest = parts.slice(core ? 2 : 3);
  // /namespaces/shop/status is the namespace's own status, not a resource in it.
  const ownParts = rest[2] === 'status' || rest[2] === 'finalize';
  const inNamespace = rest[0] === 'namespaces' && rest.length >= 3 && !ownParts;
  const [plural, name = '', subresource = '', ...more] = inNamespace ? rest.slice(2) : rest;
  const type = plural === undefined ? undefined : scheme.find(group, version ?? '', plural);
  if (type === undefined || more.length > 0) throw noSuchPath();
  if (inNamespace !== type.namespaced && (inNamespace || name !== '')) throw noSuchPath();
  return { type, namespace: inNamespace ? rest[1] : '', name, subresource };
}
