/**
 * Shell: one database over several regions: a cluster for each, with the operator in it and the same
 * resource applied, its clients' and peers' ports on 127.0.0.1. The demo, the failover measurement
 * and the end-to-end tests are this with different things done to it.
 */
import { dump, load } from 'js-yaml';
import type { KubeObject, Open } from './api-server/resource.ts';
import { type Local, type LocalOptions, startLocal } from './start-local.ts';

export interface RegionSetup {
  readonly name: string;
  readonly zones: readonly string[];
  /** Ports on 127.0.0.1; 0 takes a free one. */
  readonly clientPort: number;
  readonly peerPort: number;
}

export interface RegionsOptions extends Partial<LocalOptions> {
  readonly regions: readonly RegionSetup[];
  /** The resource; only the regions started are kept, with the ports taken as endpoints. */
  readonly yaml: string;
  readonly stateDir: string;
}

/** A service port as the operator names them; see the contract of the resource. */
const clientServicePort = 6379;
const peerServicePort = 7443;

export class Regions {
  readonly local: Local;
  readonly namespace: string;
  readonly database: string;
  readonly clientPorts: ReadonlyMap<string, number>;

  constructor(local: Local, resource: KubeObject, clientPorts: Map<string, number>) {
    this.local = local;
    this.namespace = resource.metadata.namespace ?? 'default';
    this.database = resource.metadata.name;
    this.clientPorts = clientPorts;
  }

  /** The resource as this region's API server has it. */
  resource(region: string): KubeObject {
    const { registry } = this.local.cluster(region);
    const type = registry.scheme.getStored('activeactivedatabases.meridian.dev');
    return registry.get(type, this.namespace, this.database);
  }

  /** What is still missing before the region is usable and linked to all others; '' for nothing. */
  missing(region: string): string {
    const { status, spec, metadata } = this.resource(region);
    const ready = (status?.conditions ?? []).find((one: Open) => one.type === 'Ready');
    if (ready === undefined) return 'waiting for the operator';
    if (ready.status !== 'True') return ready.message || ready.reason;
    if (ready.observedGeneration !== metadata.generation) return 'waiting for the operator';
    const links: Open[] = status.regions ?? [];
    const linked = links.filter((one) => one.connected).map((one) => one.name);
    const others = [...this.clientPorts.keys()].filter((name) => name !== region);
    const absent = others.filter((name) => !linked.includes(name));
    if (absent.length > 0) return `not connected to ${absent.join(', ')}`;
    const { services } = this.local.cluster(region);
    const proxies = services.targets(this.namespace, this.database, clientServicePort).length;
    const wanted = spec.proxies?.replicas ?? 1;
    return proxies < wanted ? `${proxies} of ${wanted} proxies ready` : '';
  }

  /** The pod that takes the writes of a shard; throws while there is none. */
  primary(region: string, shard: number): string {
    const name = this.resource(region).status?.shards?.[shard]?.primary;
    if (!name) throw new Error(`shard ${shard} of ${region} has no primary`);
    return name;
  }

  shardCount(region: string): number {
    return this.resource(region).spec.shards;
  }

  /** The node that a pod is bound to; throws when there is no such pod. */
  nodeOf(region: string, pod: string): string {
    return this.pod(region, pod).spec.nodeName;
  }

  addressOf(region: string, pod: string): string {
    return this.pod(region, pod).status.podIP;
  }

  private pod(region: string, name: string): KubeObject {
    const { registry } = this.local.cluster(region);
    const found = registry.store.get('pods', this.namespace, name);
    if (found === null) throw new Error(`${region} has no pod ${name}`);
    return found;
  }

  zoneOf(region: string, node: string): string {
    return this.local.cluster(region).getKubelet(node).options.node.zone;
  }

  /** Whether every member of the region answers and has all that its primary has. */
  isWhole(region: string): boolean {
    const shards: Open[] = this.resource(region).status?.shards ?? [];
    const { replicas } = this.resource(region).spec;
    return shards.every(
      ({ members }) =>
        members.length > replicas &&
        members.every((one: Open) => one.up && (one.lagOps ?? 0) === 0),
    );
  }

  /** Brings back every node of a region and its links. */
  heal(region: string): void {
    const cluster = this.local.cluster(region);
    this.local.healRegion(region);
    for (const [name, kubelet] of cluster.kubelets) {
      kubelet.resume();
      if (!kubelet.up) this.local.startNode(region, name);
    }
  }

  /** Waits until nothing is missing anywhere; throws with what is after `limitMs`. */
  async ready(limitMs: number): Promise<void> {
    const until = Date.now() + limitMs;
    for (;;) {
      const names = [...this.clientPorts.keys()];
      const gaps = names.map((name) => [name, this.missing(name)]).filter(([, gap]) => gap !== '');
      if (gaps.length === 0) return;
      if (Date.now() > until) {
        const list = gaps.map(([name, gap]) => `${name}: ${gap}`).join('; ');
        throw new Error(`not ready after ${limitMs / 1000} s: ${list}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  stop(): Promise<void> {
    return this.local.stop();
  }
}

export async function startRegions(options: RegionsOptions): Promise<Regions> {
  const { regions, yaml, ...rest } = options;
  const clusters = regions.map(({ name, zones }) => ({
    name,
    nodes: zones.map((zone) => ({ name: `${zone}-node`, zone })),
  }));
  const operatorArgs = ['--no-leader-election', ...(options.operatorArgs ?? [])];
  const local = await startLocal({ ...rest, clusters, operator: true, operatorArgs });
  try {
    const resource = load(yaml) as KubeObject;
    const { namespace = 'default', name } = resource.metadata;
    const clientPorts = new Map<string, number>();
    const started = regions.map((one) => one.name);
    resource.spec.regions = resource.spec.regions.filter((one: Open) => started.includes(one.name));
    for (const region of regions) {
      const at = { namespace, host: '127.0.0.1' };
      const client = { ...at, service: name, servicePort: clientServicePort };
      const peers = { ...at, service: `${name}-peers`, servicePort: peerServicePort };
      const port = await local.expose(region.name, { ...client, port: region.clientPort });
      const peerPort = await local.expose(region.name, { ...peers, port: region.peerPort });
      clientPorts.set(region.name, port);
      const entry = resource.spec.regions.find((one: Open) => one.name === region.name);
      if (entry !== undefined) entry.endpoint = `127.0.0.1:${peerPort}`;
    }
    local.apply(dump(resource));
    return new Regions(local, resource, clientPorts);
  } catch (error) {
    await local.stop();
    throw error;
  }
}
