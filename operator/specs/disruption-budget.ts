/** Disruption budgets: a drain may take one member of a shard, and one proxy, at a time. */
import type { Build, KubeObject } from './build.ts';
import { ownerReference, proxyLabels, proxyName, shardLabels, shardName } from './names.ts';

/** The budget of one shard. */
export function shardDisruptionBudget(build: Build, shard: number): KubeObject {
  const { owner } = build;
  return budget(build, shardName(owner, shard), shardLabels(owner, shard));
}

/** The budget of the proxies. */
export function proxyDisruptionBudget(build: Build): KubeObject {
  return budget(build, proxyName(build.owner), proxyLabels(build.owner));
}

function budget({ owner }: Build, name: string, labels: Record<string, string>): KubeObject {
  return {
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: {
      name,
      namespace: owner.namespace,
      labels,
      ownerReferences: [ownerReference(owner)],
    },
    // AlwaysAllow: a pod that is not ready protects nothing and must not block a drain.
    spec: {
      maxUnavailable: 1,
      unhealthyPodEvictionPolicy: 'AlwaysAllow',
      selector: { matchLabels: labels },
    },
  };
}
