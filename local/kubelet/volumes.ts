/**
 * Shell: volumes are directories of the host. A claim's directory outlives its pods and goes with
 * the claim; the rest of a pod's directories go with the pod.
 */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { KubeObject, Open } from '../api-server/resource.ts';
import type { Lookup, Mount } from './environment.ts';

/** The directory of a claim; named by uid, so that a claim made anew begins empty. */
export function claimDirectory(stateDir: string, claim: KubeObject): string {
  return join(stateDir, 'volumes', `${claim.metadata.name}-${claim.metadata.uid}`);
}

export function removeClaimDirectory(stateDir: string, claim: KubeObject): void {
  rmSync(claimDirectory(stateDir, claim), { recursive: true, force: true });
}

export function podDirectory(stateDir: string, pod: KubeObject): string {
  return join(stateDir, 'pods', `${pod.metadata.name}-${pod.metadata.uid}`);
}

/**
 * Makes the directories of the pod's volumes and returns them by volume name, or the name of what
 * is missing.
 */
export function prepareVolumes(
  stateDir: string,
  pod: KubeObject,
  findClaim: (name: string) => KubeObject | null,
  lookup: Lookup,
): Map<string, string> | { missing: string } {
  const directories = new Map<string, string>();
  mkdirSync(podDirectory(stateDir, pod), { recursive: true });
  for (const volume of pod.spec.volumes ?? []) {
    const claimName = volume.persistentVolumeClaim?.claimName;
    let directory = join(podDirectory(stateDir, pod), volume.name);
    if (claimName !== undefined) {
      const claim = findClaim(claimName);
      if (claim === null) return { missing: `persistentvolumeclaim "${claimName}" not found` };
      directory = claimDirectory(stateDir, claim);
    }
    mkdirSync(directory, { recursive: true });
    const missing = writeFiles(volume, directory, lookup);
    if (missing !== null) return { missing };
    directories.set(volume.name, directory);
  }
  return directories;
}

export function mountsOf(container: Open, directories: Map<string, string>): Mount[] {
  return (container.volumeMounts ?? []).map(({ name, mountPath, subPath }: Open) => {
    const directory = directories.get(name) as string;
    const hostPath = subPath === undefined ? directory : join(directory, subPath);
    mkdirSync(hostPath, { recursive: true });
    return { mountPath: mountPath.replace(/\/+$/, ''), hostPath };
  });
}

/** Secrets and config maps are written out once, when the pod starts; they are not refreshed. */
function writeFiles(volume: Open, directory: string, lookup: Lookup): string | null {
  const storage = volume.secret === undefined ? 'configmaps' : 'secrets';
  const source = volume.secret ?? volume.configMap;
  if (source === undefined) return null;
  const name = source.secretName ?? source.name;
  const object = lookup(storage, name);
  if (object === null) {
    return source.optional === true ? null : `${storage.slice(0, -1)} "${name}" not found`;
  }
  const keys = Object.keys(object.data ?? {});
  const items = source.items ?? keys.map((key) => ({ key, path: key }));
  for (const { key, path } of items) {
    const text = object.data?.[key] ?? '';
    writeFileSync(
      join(directory, path),
      storage === 'secrets' ? Buffer.from(text, 'base64') : text,
    );
  }
  return null;
}
