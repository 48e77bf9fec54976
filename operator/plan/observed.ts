/**
 * What the planner is given: everything that the operator sees of one database at one moment, as
 * plain data. observe.ts fills it in; tests write it down.
 */
import type { FailoverRecord } from '../api/status-schema.ts';

/** `CRDT.STATUS JSON` of a member or proxy, reduced to what decisions need. */
export type EngineReport = {
  readonly role: 'primary' | 'replica' | 'starting' | 'proxy';
  readonly mapVersion: number;
  readonly epoch: number;
  readonly appliedOps: number;
  readonly memoryBytes: number;
  /** Started without data and has not completed a sync since. */
  readonly startedEmpty: boolean;
  readonly uptimeMs: number;
  readonly firstWriteAtMs: number | null;
  readonly upstream: { readonly connected: boolean; readonly lagOps: number } | null;
  readonly peers: readonly PeerReport[];
};

export type PeerReport = {
  readonly region: string;
  readonly connected: boolean;
  readonly paused: boolean;
  readonly lagOps: number;
  readonly lagMs: number;
  readonly pendingOps: number;
};

/** dead: the own probe failed and the others agree; suspected: only the own probe so far. */
export type Liveness = 'unknown' | 'up' | 'suspected' | 'dead';

export type Health = {
  readonly liveness: Liveness;
  readonly suspectedAtMs: number | null;
  readonly failure: 'refused' | 'timeout' | null;
  readonly report: EngineReport | null;
  readonly reportAtMs: number;
};

export const NO_HEALTH: Health = {
  liveness: 'unknown',
  suspectedAtMs: null,
  failure: null,
  report: null,
  reportAtMs: 0,
};

export type ObservedPod = {
  readonly name: string;
  readonly uid: string;
  readonly component: 'shard' | 'proxy';
  /** Number of the shard, -1 for a proxy. */
  readonly shard: number;
  readonly ordinal: number;
  /** Empty while the pod has none. */
  readonly node: string;
  readonly zone: string;
  readonly ip: string;
  readonly ready: boolean;
  readonly deleting: boolean;
  /** False once the pod has ended for good (phase Failed or Succeeded). */
  readonly running: boolean;
  /** Digest of the pod template that it was made from. */
  readonly template: string;
  readonly createdAtMs: number;
  readonly health: Health;
};

export type ObservedNode = {
  readonly name: string;
  readonly zone: string;
  readonly ready: boolean;
  readonly notReadySinceMs: number | null;
};

export type ObservedClaim = {
  readonly name: string;
  readonly uid: string;
  /** Node that the volume is held to, when it was provisioned for one. */
  readonly node: string;
  readonly deleting: boolean;
};

/** An object as the API server holds it. */
export type LiveObject = {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly labels?: Record<string, string>;
    readonly annotations?: Record<string, string>;
    readonly ownerReferences?: readonly { readonly uid: string }[];
  };
  readonly spec?: unknown;
};

/** The persisted part of the map: who is primary, since which epoch, and which version was last. */
export type MapRecord = {
  readonly version: number;
  readonly digest: string;
  readonly shards: readonly { readonly epoch: number; readonly primary: string }[];
  readonly failovers: readonly FailoverRecord[];
};

export type Observed = {
  readonly nowMs: number;
  readonly objects: readonly LiveObject[];
  readonly pods: readonly ObservedPod[];
  readonly nodes: readonly ObservedNode[];
  readonly claims: readonly ObservedClaim[];
  readonly record: MapRecord;
};

/** Pods of one shard by ordinal. */
export function membersOf(observed: Observed, shard: number): ObservedPod[] {
  return observed.pods
    .filter((pod) => pod.component === 'shard' && pod.shard === shard)
    .sort((a, b) => a.ordinal - b.ordinal);
}

/** Proxies by name. */
export function proxiesOf(observed: Observed): ObservedPod[] {
  return observed.pods
    .filter((pod) => pod.component === 'proxy')
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** Whether a pod answers on the data path and is not on its way out. */
export function isUp(pod: ObservedPod): boolean {
  return pod.running && !pod.deleting && pod.health.liveness === 'up' && pod.health.report !== null;
}

/**
 * Whether a member is up and holds the whole data of its shard. The primary does by definition,
 * even that of a new database, which started empty and has nobody to sync from; and while the
 * primary has nothing, so does a replica that follows it.
 */
export function isComplete(observed: Observed, pod: ObservedPod): boolean {
  const { report } = pod.health;
  if (!isUp(pod) || report === null) return false;
  if (!report.startedEmpty) return true;
  const name = observed.record.shards[pod.shard]?.primary;
  if (name === pod.name) return report.role === 'primary';
  const primary = membersOf(observed, pod.shard).find((other) => other.name === name);
  const source = primary !== undefined && isUp(primary) ? primary.health.report : null;
  return source?.appliedOps === 0 && report.upstream?.connected === true;
}
