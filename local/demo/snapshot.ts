/** What the demo shows of each region, gathered from the API servers and the nodes. */
import type { KubeObject, Open } from '../api-server/resource.ts';
import type { Regions } from '../regions.ts';
import type { LiveLinks } from './live-links.ts';

export interface PodView {
  name: string;
  /** "primary", "replica" or "proxy". */
  role: string;
  ready: boolean;
  lagOps: number;
}

export interface ZoneView {
  zone: string;
  node: string;
  nodeUp: boolean;
  pods: PodView[];
}

export interface LinkView {
  name: string;
  connected: boolean;
  lagMs: number;
  pendingOps: number;
}

export interface FailoverView {
  region: string;
  shard: number;
  from: string;
  to: string;
  reason: string;
  decidedAt: string;
  /** From the first failed probe until proxies route to the new primary; null while unknown. */
  gapMs: number | null;
}

export interface RegionView {
  name: string;
  port: number;
  /** '' when nothing is missing. */
  missing: string;
  cut: boolean;
  zones: ZoneView[];
  links: LinkView[];
}

export interface Snapshot {
  regions: RegionView[];
  /** Newest first. */
  failovers: FailoverView[];
}

const failoversShown = 5;

export function takeSnapshot(world: Regions, live: LiveLinks): Snapshot {
  const names = [...world.clientPorts.keys()];
  const failovers = names.flatMap((name) => failoversOf(world, name));
  failovers.sort((a, b) => (a.decidedAt < b.decidedAt ? 1 : -1));
  return {
    regions: names.map((name) => regionView(world, name, live.of(name))),
    failovers: failovers.slice(0, failoversShown),
  };
}

function regionView(world: Regions, name: string, live: LinkView[] | null): RegionView {
  const cluster = world.local.cluster(name);
  const { status } = world.resource(name);
  const pods = cluster.registry.store
    .list('pods', world.namespace)
    .filter((pod) => pod.metadata.labels?.['meridian.dev/database'] === world.database);
  const members: Open[] = (status?.shards ?? []).flatMap((shard: Open) => shard.members ?? []);
  const zones = [...cluster.kubelets.values()].map((kubelet) => {
    const { name: node, zone } = kubelet.options.node;
    const here = pods.filter((pod) => pod.spec.nodeName === node);
    const view = (pod: KubeObject) => podView(pod, members, kubelet.up);
    return { zone, node, nodeUp: kubelet.up, pods: here.map(view) };
  });
  return {
    name,
    port: world.clientPorts.get(name) as number,
    missing: missingNow(world.missing(name), live),
    cut: world.local.links.isCut(name),
    zones,
    links: live ?? status?.regions ?? [],
  };
}

/** The operator's sentence, unless it is about links and the primaries know better. */
function missingNow(missing: string, live: LinkView[] | null): string {
  if (live === null || (missing !== '' && !missing.startsWith('not connected'))) return missing;
  const lost = live.filter((link) => !link.connected).map((link) => link.name);
  return lost.length === 0 ? '' : `not connected to ${lost.join(', ')}`;
}

function podView(pod: KubeObject, members: Open[], nodeUp: boolean): PodView {
  const { name } = pod.metadata;
  const member = members.find((one) => one.name === name);
  const isProxy = pod.metadata.labels?.['meridian.dev/component'] === 'proxy';
  const conditions: Open[] = pod.status?.conditions ?? [];
  const ready = conditions.some((one) => one.type === 'Ready' && one.status === 'True');
  const role = isProxy ? 'proxy' : (member?.role ?? 'starting');
  // The API server still calls a pod ready whose node has just gone; people see that it is not.
  return { name, role, ready: ready && nodeUp, lagOps: member?.lagOps ?? 0 };
}

function failoversOf(world: Regions, region: string): FailoverView[] {
  const list: Open[] = world.resource(region).status?.failovers ?? [];
  return list.map(({ shard, from, to, reason, suspectedAt, decidedAt, routedAt }) => ({
    ...{ region, shard, from, to, reason, decidedAt },
    gapMs:
      suspectedAt === undefined || routedAt === undefined
        ? null
        : Date.parse(routedAt) - Date.parse(suspectedAt),
  }));
}
