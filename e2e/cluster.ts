/**
 * Shell: the two kind clusters, one per region.
 *
 *     region  cluster       pods           services       zones of its three workers
 *     eu      meridian-eu   10.110.0.0/16  10.111.0.0/16  eu-a eu-b eu-c
 *     us      meridian-us   10.120.0.0/16  10.121.0.0/16  us-a us-b us-c
 *
 * All nodes share one container network, so the nodes of both clusters reach each other. Ranges
 * differ, so that pods may too: every node gets a route to the pods of each node of the other
 * cluster. Databases here use a NodePort on the control-plane node as the region's endpoint, since
 * no feature takes that node away; an endpoint on a worker would die with the worker.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ContainerTool } from '../images/container-tool.ts';
import { run } from './command.ts';
import { eventually, notYet } from './eventually.ts';
import { type Kubectl, kubectlFor, type Manifest } from './kubectl.ts';

export type Region = 'eu' | 'us';

export const REGIONS: readonly Region[] = ['eu', 'us'];

export const ARTIFACTS = join(import.meta.dirname, '..', '.artifacts', 'e2e');

const RANGES: Readonly<Record<Region, { pods: string; services: string }>> = {
  eu: { pods: '10.110.0.0/16', services: '10.111.0.0/16' },
  us: { pods: '10.120.0.0/16', services: '10.121.0.0/16' },
};

const ZONE_LABEL = 'topology.kubernetes.io/zone';
const CREATE_LIMIT_MS = 240_000;
const READY_LIMIT_MS = 120_000;

export type ClusterNode = {
  readonly name: string;
  readonly address: string;
  readonly zone: string;
  readonly podRange: string;
  readonly controlPlane: boolean;
};

export type Cluster = {
  readonly region: Region;
  readonly name: string;
  readonly kubeconfig: string;
  readonly kubectl: Kubectl;
  readonly nodes: readonly ClusterNode[];
};

/** The tools' surroundings: which container tool, and from which image nodes are made. */
export type Machine = {
  readonly tool: ContainerTool;
  /** null: the image that this release of kind comes with. */
  readonly nodeImage: string | null;
};

export function clusterName(region: Region): string {
  return `meridian-${region}`;
}

export function kubeconfigOf(region: Region): string {
  return join(ARTIFACTS, `${clusterName(region)}.kubeconfig`);
}

/** The cluster's definition for kind. */
function definition(region: Region): string {
  const worker = (zone: string) => ({ role: 'worker', labels: { [ZONE_LABEL]: zone } });
  return JSON.stringify({
    kind: 'Cluster',
    apiVersion: 'kind.x-k8s.io/v1alpha4',
    networking: { podSubnet: RANGES[region].pods, serviceSubnet: RANGES[region].services },
    nodes: [
      { role: 'control-plane' },
      ...['a', 'b', 'c'].map((letter) => worker(`${region}-${letter}`)),
    ],
  });
}

/** Makes the region's cluster, in place of one of that name if there is one. */
export async function createCluster(machine: Machine, region: Region): Promise<void> {
  await deleteCluster(machine, region);
  mkdirSync(ARTIFACTS, { recursive: true });
  const file = join(ARTIFACTS, `${clusterName(region)}.yaml`);
  writeFileSync(file, definition(region));
  const args = ['create', 'cluster', '--name', clusterName(region), '--config', file];
  args.push('--kubeconfig', kubeconfigOf(region), '--wait', '120s');
  if (machine.nodeImage !== null) args.push('--image', machine.nodeImage);
  await kind(machine, args, CREATE_LIMIT_MS);
}

export async function deleteCluster(machine: Machine, region: Region): Promise<void> {
  const args = ['delete', 'cluster', '--name', clusterName(region)];
  await kind(machine, [...args, '--kubeconfig', kubeconfigOf(region)], CREATE_LIMIT_MS);
}

/** Which of the suite's clusters exist, running or not. */
export async function existingRegions(machine: Machine): Promise<Region[]> {
  const names = (await kind(machine, ['get', 'clusters'])).split('\n');
  return REGIONS.filter((region) => names.includes(clusterName(region)));
}

/** Connects to a cluster that exists: waits for its nodes and reads their addresses. */
export async function connect(region: Region): Promise<Cluster> {
  const kubeconfig = kubeconfigOf(region);
  const kubectl = kubectlFor(kubeconfig);
  const what = `the nodes of ${clusterName(region)}`;
  const nodes = await eventually(what, READY_LIMIT_MS, () => readNodes(kubectl));
  await letNodesWatchNodes(kubectl);
  return { region, name: clusterName(region), kubeconfig, kubectl, nodes };
}

/**
 * Lets kubelets' identities watch all nodes. A node image without a network plugin of its own sets routes
 * by watching nodes; since Kubernetes 1.34 a node may read only itself, so that the watch ends and starts
 * again each second on every node, which costs a whole core on a small machine.
 */
async function letNodesWatchNodes(kubectl: Kubectl): Promise<void> {
  const name = 'meridian-e2e-nodes-watch';
  const rbac = 'rbac.authorization.k8s.io';
  const rules = [{ apiGroups: [''], resources: ['nodes'], verbs: ['get', 'list', 'watch'] }];
  await kubectl.apply(
    { apiVersion: `${rbac}/v1`, kind: 'ClusterRole', metadata: { name }, rules },
    {
      apiVersion: `${rbac}/v1`,
      kind: 'ClusterRoleBinding',
      metadata: { name },
      roleRef: { apiGroup: rbac, kind: 'ClusterRole', name },
      subjects: [{ apiGroup: rbac, kind: 'Group', name: 'system:nodes' }],
    },
  );
}

async function readNodes(kubectl: Kubectl): Promise<ClusterNode[]> {
  const nodes = await kubectl.list('nodes');
  if (nodes.length !== 4) notYet(`4 nodes expected, ${nodes.length} there`);
  return nodes.map((node) => {
    const name = node.metadata.name;
    const ready = node.status?.conditions?.find((c: Manifest) => c.type === 'Ready');
    if (ready?.status !== 'True') notYet(`${name} is not Ready`);
    const addresses: { type: string; address: string }[] = node.status.addresses;
    const address = addresses.find(({ type }) => type === 'InternalIP')?.address;
    if (address === undefined) notYet(`${name} has no address`);
    const labels: Record<string, string> = node.metadata.labels;
    const controlPlane = 'node-role.kubernetes.io/control-plane' in labels;
    const zone = labels[ZONE_LABEL] ?? '';
    return { name, address, zone, podRange: node.spec.podCIDR, controlPlane };
  });
}

/** Gives every node a route to the pods on each node of the other clusters. */
export async function routePods(machine: Machine, clusters: readonly Cluster[]): Promise<void> {
  for (const from of clusters) {
    const others = clusters.filter((to) => to !== from).flatMap((to) => to.nodes);
    const script = others.map((to) => `ip route replace ${to.podRange} via ${to.address}`);
    for (const node of from.nodes) {
      await run(machine.tool, ['exec', node.name, 'sh', '-ec', script.join('\n')]);
    }
  }
}

/** Puts an image archive on the workers of a cluster. */
export async function loadImage(
  machine: Machine,
  cluster: Cluster,
  archive: string,
): Promise<void> {
  const workers = cluster.nodes.filter((node) => !node.controlPlane).map((node) => node.name);
  const args = ['load', 'image-archive', archive, '--name', cluster.name];
  await kind(machine, [...args, '--nodes', workers.join(',')], CREATE_LIMIT_MS);
}

/** Whether every worker holds the image. */
export async function hasImage(
  machine: Machine,
  cluster: Cluster,
  image: string,
): Promise<boolean> {
  const workers = cluster.nodes.filter((node) => !node.controlPlane);
  const found = await Promise.all(
    workers.map(async (node) => {
      const ctr = ['ctr', '-n', 'k8s.io', 'images', 'ls', '-q'];
      const names = await run(machine.tool, ['exec', node.name, ...ctr]);
      return names.split('\n').includes(`docker.io/library/${image}`);
    }),
  );
  return found.every(Boolean);
}

/** The address that clients and the other region dial. */
export function entryAddress(cluster: Cluster): string {
  const node = cluster.nodes.find(({ controlPlane }) => controlPlane);
  if (node === undefined) throw new Error(`${cluster.name} has no control-plane node`);
  return node.address;
}

/** The zone of a node by name; '' for a node without one. */
export function zoneOf(cluster: Cluster, nodeName: string): string {
  return cluster.nodes.find(({ name }) => name === nodeName)?.zone ?? '';
}

async function kind(machine: Machine, args: readonly string[], limitMs = 60_000): Promise<string> {
  return run('kind', args, { limitMs, env: { KIND_EXPERIMENTAL_PROVIDER: machine.tool } });
}

/** The chart as it lies in the checkout. */
export const CHART = join(import.meta.dirname, '..', 'charts', 'meridian');

/** Reads a file of the checkout, path from its root. */
export function readRepositoryFile(path: string): string {
  return readFileSync(join(import.meta.dirname, '..', path), 'utf8');
}
