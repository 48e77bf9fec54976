/**
 * Shell: Meridian on one machine: several clusters in this process, their pods as child processes.
 * This is what the demo, the measurements and the tests start.
 */
import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { KubeObject } from './api-server/resource.ts';
import { Cluster } from './cluster.ts';
import type { ImageEntry } from './kubelet/image-table.ts';
import { ProcessTable } from './kubelet/process.ts';
import { RegionLinks } from './network/links.ts';
import type { Exposure } from './network/services.ts';
import { claimOctets } from './octet.ts';

/** The repository. */
export const root = dirname(dirname(fileURLToPath(import.meta.url)));

const node = process.execPath;
const bun = join(root, 'node_modules/.bin/bun');

/** What stands for the images of the real thing. */
const standardImages: readonly ImageEntry[] = [
  {
    image: 'meridian-engine',
    command: [bun, join(root, 'engine/main.ts')],
    // As in images/engine.Dockerfile, which says why.
    env: { BUN_JSC_numberOfGCMarkers: '1' },
  },
  { image: 'meridian-operator', command: [node, join(root, 'operator/main.ts')] },
];

export interface LocalOptions {
  readonly clusters: readonly {
    name: string;
    nodes: readonly { name: string; zone: string }[];
  }[];
  /** Everything that is written goes here; the caller removes it. */
  readonly stateDir: string;
  /** Starts the operator in each cluster; default false. */
  readonly operator?: boolean;
  readonly operatorArgs?: readonly string[];
  /** More images, or other programs for the standard ones. */
  readonly images?: readonly ImageEntry[];
  /** How old a node's heartbeat may be; default 50,000 as in Kubernetes. */
  readonly nodeGraceMs?: number;
  /** Where the definitions are; default the repository's crds/. null loads none. */
  readonly definitions?: string | null;
  readonly report?: (message: string) => void;
}

export class Local {
  readonly clusters: ReadonlyMap<string, Cluster>;
  readonly links: RegionLinks;
  private readonly end: () => Promise<void>;

  constructor(clusters: Map<string, Cluster>, links: RegionLinks, end: () => Promise<void>) {
    this.clusters = clusters;
    this.links = links;
    this.end = end;
  }

  /** Throws with the names that exist when there is no such cluster. */
  cluster(name: string): Cluster {
    const cluster = this.clusters.get(name);
    if (cluster !== undefined) return cluster;
    throw new Error(`no region ${name}; the regions are ${[...this.clusters.keys()].join(', ')}`);
  }

  kubeconfig(name: string): string {
    return this.cluster(name).kubeconfigPath;
  }

  /** Applies YAML to the named clusters; without names to all, as a user of Meridian does. */
  apply(yaml: string, ...names: string[]): KubeObject[] {
    const chosen = names.length > 0 ? names : [...this.clusters.keys()];
    return chosen.flatMap((name) => this.cluster(name).apply(yaml));
  }

  expose(cluster: string, exposure: Exposure): Promise<number> {
    return this.cluster(cluster).services.expose(exposure);
  }

  /** SIGKILLs the processes of a pod; its kubelet starts them again. */
  killProcess(cluster: string, pod: string): void {
    const kubelets = [...this.cluster(cluster).kubelets.values()];
    if (!kubelets.some((one) => one.signalPod(pod, 'SIGKILL'))) {
      throw new Error(`no process of pod ${pod} runs in ${cluster}`);
    }
  }

  async killNode(cluster: string, name: string): Promise<void> {
    await this.cluster(cluster).getKubelet(name).kill();
  }

  startNode(cluster: string, name: string): void {
    this.cluster(cluster).getKubelet(name).start();
  }

  pauseNode(cluster: string, name: string): void {
    this.cluster(cluster).getKubelet(name).pause();
  }

  resumeNode(cluster: string, name: string): void {
    this.cluster(cluster).getKubelet(name).resume();
  }

  async killZone(cluster: string, zone: string): Promise<void> {
    await Promise.all(
      this.cluster(cluster)
        .zone(zone)
        .map((kubelet) => kubelet.kill()),
    );
  }

  startZone(cluster: string, zone: string): void {
    for (const kubelet of this.cluster(cluster).zone(zone)) kubelet.start();
  }

  /** Cuts a region off from the others: its connections are reset, or stand still. */
  cutRegion(name: string, how: 'reset' | 'silent' = 'reset'): void {
    this.links.cut(this.cluster(name).name, how);
  }

  healRegion(name: string): void {
    this.links.heal(this.cluster(name).name);
  }

  /** Ends every process and server. */
  stop(): Promise<void> {
    return this.end();
  }
}

export async function startLocal(options: LocalOptions): Promise<Local> {
  const { stateDir, nodeGraceMs = 50_000, definitions = join(root, 'crds') } = options;
  const report = options.report ?? ((message) => process.stderr.write(`${message}\n`));
  const images = [...(options.images ?? []), ...standardImages];
  const claims = await claimOctets(options.clusters.length);
  const processes = new ProcessTable();
  const links = new RegionLinks();
  const clusters = new Map<string, Cluster>();
  const end = async () => {
    await Promise.all([...clusters.values()].map((cluster) => cluster.stop()));
    await processes.close();
    await Promise.all(claims.map((claim) => claim.release()));
  };
  try {
    for (const [index, { name, nodes }] of options.clusters.entries()) {
      const directory = join(stateDir, name);
      mkdirSync(directory, { recursive: true });
      const { octet } = claims[index];
      const cluster = new Cluster({
        ...{ name, nodes, octet, stateDir: directory, processes, links, images },
        ...{ nodeGraceMs, report },
      });
      clusters.set(name, cluster);
      await cluster.start();
      if (definitions !== null) cluster.loadDefinitions(definitions);
      if (options.operator === true) {
        const entry = images.find((one) => one.image === 'meridian-operator') as ImageEntry;
        cluster.startOperator([...entry.command, ...(options.operatorArgs ?? [])]);
      }
    }
  } catch (error) {
    await end();
    throw error;
  }
  return new Local(clusters, links, end);
}
