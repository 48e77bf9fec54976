/**
 * What a container's process gets to see: its environment and its arguments, from the pod as
 * written. Paths are the one thing that differs from a container: where an image would have /data
 * mounted, the process has a directory of the host, so arguments and values that begin with a mount
 * path are rewritten to it.
 */
import type { KubeObject, Open } from '../api-server/resource.ts';

/** Reads an object that the pod refers to; null when there is none. */
export type Lookup = (storage: 'secrets' | 'configmaps', name: string) => KubeObject | null;

export interface Mount {
  mountPath: string;
  hostPath: string;
}

export type Resolved =
  | { kind: 'ready'; env: Record<string, string>; args: string[] }
  /** Something referred to is missing; the kubelet tries again. */
  | { kind: 'missing'; message: string };

/** Environment and arguments of `container`, given the pod as it will run (with its address). */
export function resolveContainer(
  pod: KubeObject,
  container: Open,
  mounts: readonly Mount[],
  lookup: Lookup,
): Resolved {
  const env: Record<string, string> = {};
  const missing: string[] = [];
  for (const source of container.envFrom ?? []) {
    const reference = source.secretRef ?? source.configMapRef;
    const storage = source.secretRef === undefined ? 'configmaps' : 'secrets';
    const object = lookup(storage, reference.name);
    if (object === null && reference.optional !== true) missing.push(notFound(storage, reference));
    for (const key of Object.keys(object?.data ?? {})) {
      env[`${source.prefix ?? ''}${key}`] = dataOf(object as KubeObject, key) as string;
    }
  }
  for (const { name, value, valueFrom } of container.env ?? []) {
    if (valueFrom === undefined) {
      env[name] = rewritePath(expand(value ?? '', env), mounts);
      continue;
    }
    const found = sourceValue(pod, container, valueFrom, lookup);
    if (found.missing !== undefined) missing.push(found.missing);
    if (found.value !== undefined) env[name] = found.value;
  }
  if (missing.length > 0) return { kind: 'missing', message: missing.join('; ') };
  const words = [...(container.command ?? []), ...(container.args ?? [])];
  const args = words.map((word) => rewritePath(expand(word, env), mounts));
  return { kind: 'ready', env, args };
}

interface Found {
  value?: string;
  missing?: string;
}

function sourceValue(pod: KubeObject, container: Open, from: Open, lookup: Lookup): Found {
  if (from.fieldRef !== undefined) return { value: fieldValue(pod, from.fieldRef.fieldPath) };
  if (from.resourceFieldRef !== undefined) {
    const path = from.resourceFieldRef.resource.split('.');
    const value = path.reduce((at: Open, name: string) => at?.[name], container.resources);
    return { value: String(value ?? '0') };
  }
  const storage = from.secretKeyRef === undefined ? 'configmaps' : 'secrets';
  const reference = from.secretKeyRef ?? from.configMapKeyRef;
  const object = lookup(storage, reference.name);
  if (object === null) return reference.optional ? {} : { missing: notFound(storage, reference) };
  const value = dataOf(object, reference.key);
  if (value !== undefined || reference.optional) return { value };
  return { missing: `couldn't find key ${reference.key} in ${storage} ${reference.name}` };
}

function notFound(storage: string, reference: Open): string {
  return `${storage.slice(0, -1)} "${reference.name}" not found`;
}

function dataOf(object: KubeObject, key: string): string | undefined {
  const value = object.data?.[key];
  if (value === undefined || object.kind !== 'Secret') return value;
  return Buffer.from(value, 'base64').toString();
}

/** metadata.name, status.podIP, metadata.labels['key'] … */
function fieldValue(pod: KubeObject, path: string): string {
  const keyed = /^(metadata\.(?:labels|annotations))\['(.+)'\]$/.exec(path);
  const names = keyed === null ? path.split('.') : [...keyed[1].split('.'), keyed[2]];
  const value = names.reduce((at: Open, name) => at?.[name], pod);
  return typeof value === 'string' ? value : '';
}

/** $(NAME) with a value that is known; $$(NAME) is a literal $(NAME); unknown ones stay. */
export function expand(text: string, env: Record<string, string>): string {
  return text.replace(/\$\$|\$\(([A-Za-z_.-][\w.-]*)\)/g, (whole, name) =>
    whole === '$$' ? '$' : (env[name] ?? whole),
  );
}

/** "/data/log" → "/host/dir/log", also behind "--flag=". */
export function rewritePath(text: string, mounts: readonly Mount[]): string {
  const longestFirst = [...mounts].sort((a, b) => b.mountPath.length - a.mountPath.length);
  const [, flag, path] = /^(--[\w-]+=)?(.*)$/s.exec(text) as RegExpExecArray;
  for (const { mountPath, hostPath } of longestFirst) {
    if (path === mountPath) return `${flag ?? ''}${hostPath}`;
    if (path.startsWith(`${mountPath}/`)) {
      return `${flag ?? ''}${hostPath}${path.slice(mountPath.length)}`;
    }
  }
  return text;
}
