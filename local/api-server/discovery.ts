/** The documents by which clients such as kubectl learn what a server has. */
import { apiVersionOf, type Open, type ResourceType, type Scheme } from './resource.ts';

/** The answer for a discovery path, or null when the path is none. */
export function discover(scheme: Scheme, path: string): Open {
  const parts = path.split('/').filter((part) => part !== '');
  if (path === '/version') return version;
  if (parts[0] === 'api' && parts.length === 1) {
    return { kind: 'APIVersions', versions: ['v1'], serverAddressByClientCIDRs: [] };
  }
  if (parts[0] === 'api' && parts.length === 2 && parts[1] === 'v1') {
    return resourceList(scheme, '', 'v1');
  }
  if (parts[0] !== 'apis') return null;
  if (parts.length === 1) {
    const groups = groupNames(scheme).map((name) => group(scheme, name));
    return { kind: 'APIGroupList', apiVersion: 'v1', groups };
  }
  if (!groupNames(scheme).includes(parts[1])) return null;
  if (parts.length === 2) return { kind: 'APIGroup', apiVersion: 'v1', ...group(scheme, parts[1]) };
  const known = versionsOf(scheme, parts[1]).includes(parts[2]);
  return parts.length === 3 && known ? resourceList(scheme, parts[1], parts[2]) : null;
}

/** The API level that is imitated. */
const version = {
  major: '1',
  minor: '33',
  gitVersion: 'v1.33.0+meridian-local',
  gitCommit: '',
  gitTreeState: 'clean',
  buildDate: '2025-04-23T00:00:00Z',
  goVersion: 'none',
  compiler: 'none',
  platform: 'linux/amd64',
};

function groupNames(scheme: Scheme): string[] {
  return [...new Set(scheme.all().map((type) => type.group))].filter((name) => name !== '');
}

function versionsOf(scheme: Scheme, name: string): string[] {
  const types = scheme.all().filter((type) => type.group === name);
  return [...new Set(types.map((type) => type.version))];
}

function group(scheme: Scheme, name: string): Open {
  const versions = versionsOf(scheme, name).map((one) => ({
    groupVersion: `${name}/${one}`,
    version: one,
  }));
  return { name, versions, preferredVersion: versions[0] };
}

const verbs = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'];

function resourceList(scheme: Scheme, name: string, versionName: string): Open {
  const types = scheme.all().filter((type) => type.group === name && type.version === versionName);
  return {
    kind: 'APIResourceList',
    apiVersion: 'v1',
    groupVersion: apiVersionOf({ group: name, version: versionName }),
    resources: types.flatMap(entries),
  };
}

function entries(type: ResourceType): Open[] {
  const { kind, namespaced, plural, singular, shortNames } = type;
  const base = { name: plural, singularName: singular, namespaced, kind, verbs, shortNames };
  const sub = (name: string, subKind: string, more: Open = {}) => ({
    ...{ name: `${plural}/${name}`, singularName: '', namespaced, kind: subKind },
    ...{ verbs: ['get', 'patch', 'update'], ...more },
  });
  const list: Open[] = [base];
  if (type.status) list.push(sub('status', kind));
  if (type.scale) list.push(sub('scale', 'Scale', { group: 'autoscaling', version: 'v1' }));
  if (plural === 'pods') {
    list.push(sub('eviction', 'Eviction', { group: 'policy', version: 'v1', verbs: ['create'] }));
    list.push(sub('log', 'Pod', { verbs: ['get'] }));
  }
  return list;
}
