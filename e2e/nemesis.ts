/**
 * Shell: what breaks things.
 */
import type { Cluster } from './cluster.ts';
import { REGIONS } from './cluster.ts';
import { run } from './command.ts';
import type { Clusters } from './database.ts';
import { readWorld } from './world.ts';

/** Kills the engine's process in a pod as the kernel would: SIGKILL, nothing said to anyone. */
export async function killProcess(cluster: Cluster, namespace: string, pod: string): Promise<void> {
  const { spec, status } = await cluster.kubectl.get('pod', namespace, pod);
  const id: string = status.containerStatuses[0].containerID.replace('containerd://', '');
  const kill = ['ctr', '-n', 'k8s.io', 'task', 'kill', '--signal', 'SIGKILL', id];
  await run(readWorld().machine.tool, ['exec', spec.nodeName, ...kill]);
}

/**
 * Cuts the two regions off from each other: their nodes drop each other's packets, before any
 * translation of addresses, so that pods behind node ports are cut off too.
 */
export async function cutRegions(clusters: Clusters): Promise<void> {
  await eachPair(clusters, (from) => `iptables -t raw -I PREROUTING -s ${from} -j DROP`);
}

/** Takes the cut away, if there is one. */
export async function healRegions(clusters: Clusters): Promise<void> {
  await eachPair(clusters, (from) => {
    const rule = `PREROUTING -s ${from} -j DROP`;
    return `while iptables -t raw -C ${rule} 2>/dev/null; do iptables -t raw -D ${rule}; done`;
  });
}

async function eachPair(clusters: Clusters, command: (from: string) => string): Promise<void> {
  const { tool } = readWorld().machine;
  await Promise.all(
    REGIONS.flatMap((region) => {
      const others = REGIONS.filter((other) => other !== region);
      const sources = others.flatMap((other) =>
        clusters[other].nodes.flatMap((node) => [node.address, node.podRange]),
      );
      const script = sources.map(command).join('\n');
      return clusters[region].nodes.map((node) =>
        run(tool, ['exec', node.name, 'sh', '-ec', script]),
      );
    }),
  );
}
