/**
 * Shell: what is saved of both clusters when a sentence fails.
 *
 *     <folder>/<cluster>/resources.yaml   everything of ours, and the nodes
 *     <folder>/<cluster>/events.txt       by time
 *     <folder>/<cluster>/logs/<namespace>.<pod>.log, .previous.log
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { clusterName, kubeconfigOf, REGIONS, type Region } from './cluster.ts';
import { type Kubectl, kubectlFor } from './kubectl.ts';

const KINDS = [
  'nodes,namespaces,pods,statefulsets,deployments,services,endpointslices,poddisruptionbudgets',
  'persistentvolumeclaims,persistentvolumes,leases,activeactivedatabases',
].join(',');

/** Names of pods whose logs are worth keeping; those of Kubernetes itself are not. */
const SYSTEM_NAMESPACES = ['kube-system', 'local-path-storage'];

/**
 * Saves resources, events and logs of every cluster that answers.
 *
 * What cannot be had is noted in the folder instead: the failure that led here matters more.
 */
export async function saveState(folder: string): Promise<void> {
  await Promise.all(
    REGIONS.map((region) => saveCluster(region, join(folder, clusterName(region)))),
  );
}

async function saveCluster(region: Region, folder: string): Promise<void> {
  mkdirSync(join(folder, 'logs'), { recursive: true });
  const kubectl = kubectlFor(kubeconfigOf(region));
  const events = ['get', 'events', '-A', '--sort-by=.lastTimestamp'];
  await save(join(folder, 'events.txt'), () => kubectl(events));
  await save(join(folder, 'resources.yaml'), () => kubectl(['get', KINDS, '-A', '-o', 'yaml']));
  await save(join(folder, 'pods.txt'), () => kubectl(['get', 'pods', '-A', '-o', 'wide']));
  await saveLogs(kubectl, join(folder, 'logs')).catch((error) => {
    writeFileSync(join(folder, 'logs', 'missing.txt'), `${error}\n`);
  });
}

async function saveLogs(kubectl: Kubectl, folder: string): Promise<void> {
  for (const pod of await kubectl.list('pods')) {
    const { name, namespace } = pod.metadata;
    if (SYSTEM_NAMESPACES.includes(namespace)) continue;
    const logs = ['logs', name, '-n', namespace, '--all-containers', '--timestamps'];
    await save(join(folder, `${namespace}.${name}.log`), () => kubectl(logs));
    const restarts = pod.status?.containerStatuses?.some(
      (container: { restartCount: number }) => container.restartCount > 0,
    );
    if (!restarts) continue;
    await save(join(folder, `${namespace}.${name}.previous.log`), () =>
      kubectl([...logs, '--previous']),
    );
  }
}

async function save(file: string, read: () => Promise<string>): Promise<void> {
  writeFileSync(file, await read().catch((error) => `not to be had: ${error}\n`));
}
