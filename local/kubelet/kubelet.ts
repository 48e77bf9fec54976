/**
 * Shell: the agent of one node. It runs the pods that are bound to its node as processes, writes
 * their status, and renews the node's heartbeat. A killed kubelet says nothing more: what the API
 * server shows of its pods is then as stale as it would be in a cluster.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Registry } from '../api-server/registry.ts';
import type { KubeObject, Open, ResourceType } from '../api-server/resource.ts';
import { Container } from './container.ts';
import { resolveContainer } from './environment.ts';
import { findImage, type ImageEntry } from './image-table.ts';
import { type NodeSpec, nodeLease, nodeObject, nodeStatus } from './node-object.ts';
import { type PodRun, podStatus } from './pod-status.ts';
import type { ProcessSpec, ProcessTable } from './process.ts';
import { mountsOf, podDirectory, prepareVolumes } from './volumes.ts';

export interface KubeletOptions {
  readonly registry: Registry;
  readonly processes: ProcessTable;
  readonly node: NodeSpec;
  /** "127.16.3.": the pods of this node get addresses here. */
  readonly podPrefix: string;
  readonly stateDir: string;
  readonly logDir: string;
  readonly images: readonly ImageEntry[];
  readonly heartbeatIntervalMs: number;
}

interface Worker extends PodRun {
  pod: KubeObject;
  containers: Container[];
  blocked: string | null;
  stopping: boolean;
}

const manager = 'kubelet';
const retryMs = 500;

export class Kubelet {
  readonly options: KubeletOptions;
  private readonly workers = new Map<string, Worker>();
  private readonly types: { pods: ResourceType; nodes: ResourceType; leases: ResourceType };
  private heartbeat: NodeJS.Timeout | null = null;
  private unsubscribe: (() => void) | null = null;
  private scheduled: NodeJS.Immediate | null = null;
  private lastAddress = 0;
  private state: 'down' | 'up' | 'paused' = 'down';

  constructor(options: KubeletOptions) {
    this.options = options;
    const { scheme } = options.registry;
    this.types = {
      pods: scheme.getStored('pods'),
      nodes: scheme.getStored('nodes'),
      leases: scheme.getStored('leases'),
    };
  }

  get up(): boolean {
    return this.state === 'up';
  }

  /** The processes running on this node by pod name. */
  pids(podName: string): number[] {
    const worker = [...this.workers.values()].find((one) => one.pod.metadata.name === podName);
    return (worker?.containers ?? []).map((one) => one.pid).filter((pid) => pid !== null);
  }

  start(): void {
    if (this.state !== 'down') return;
    this.state = 'up';
    this.register();
    this.beat();
    const { heartbeatIntervalMs, registry } = this.options;
    this.heartbeat = setInterval(() => this.beat(), heartbeatIntervalMs);
    this.unsubscribe = registry.store.subscribe(({ storage, object }) => {
      const mine = object.spec?.nodeName === this.options.node.name;
      if (storage === 'pods' && mine) this.schedule();
    });
    // After a pause: what has changed meanwhile was not written.
    for (const worker of this.workers.values()) this.writeStatus(worker);
    this.schedule();
  }

  /** The node loses its power: every process dies at once and nothing is written any more. */
  async kill(): Promise<void> {
    this.silence('down');
    const workers = [...this.workers.values()];
    this.workers.clear();
    await Promise.all(workers.flatMap((one) => one.containers).map((one) => one.kill()));
  }

  /** The node hangs: its processes stand still, connections stay open, heartbeats stop. */
  pause(): void {
    if (this.state !== 'up') return;
    this.silence('paused');
    this.signalAll('SIGSTOP');
  }

  resume(): void {
    if (this.state !== 'paused') return;
    this.state = 'down';
    this.signalAll('SIGCONT');
    this.start();
  }

  /** Sends a signal to the processes of a pod; false when the pod has none here. */
  signalPod(podName: string, signal: NodeJS.Signals): boolean {
    const worker = [...this.workers.values()].find((one) => one.pod.metadata.name === podName);
    for (const container of worker?.containers ?? []) container.signal(signal);
    return (worker?.containers ?? []).some((one) => one.pid !== null);
  }

  private silence(state: 'down' | 'paused'): void {
    this.state = state;
    if (this.heartbeat !== null) clearInterval(this.heartbeat);
    if (this.scheduled !== null) clearImmediate(this.scheduled);
    this.scheduled = null;
    this.unsubscribe?.();
  }

  private signalAll(signal: NodeJS.Signals): void {
    for (const worker of this.workers.values()) {
      for (const container of worker.containers) container.signal(signal);
    }
  }

  private register(): void {
    const { registry, node } = this.options;
    const { nodes } = this.types;
    const held = registry.store.get('nodes', '', node.name);
    const object = held ?? registry.create(nodes, '', nodeObject(node), { manager });
    const status = nodeStatus(node, object.status, registry.clock.nowMs());
    registry.update(
      nodes,
      '',
      node.name,
      { ...object, status },
      { manager, subresource: 'status' },
    );
  }

  private beat(): void {
    const { registry, node } = this.options;
    const { leases, nodes } = this.types;
    const lease = nodeLease(node, registry.clock.nowMs());
    const held = registry.store.get('leases', 'kube-node-lease', node.name);
    if (held === null) registry.create(leases, 'kube-node-lease', lease, { manager });
    else {
      const next = { ...held, spec: lease.spec };
      registry.update(leases, 'kube-node-lease', node.name, next, { manager });
    }
    const ready = registry
      .get(nodes, '', node.name)
      .status?.conditions?.some((one: Open) => one.type === 'Ready' && one.status === 'True');
    if (!ready) this.register();
  }

  private schedule(): void {
    if (this.state !== 'up' || this.scheduled !== null) return;
    this.scheduled = setImmediate(() => {
      this.scheduled = null;
      this.sync();
    });
  }

  private sync(): void {
    const { registry, node } = this.options;
    const pods = registry.store.list('pods').filter((pod) => pod.spec.nodeName === node.name);
    const uids = new Set(pods.map((pod) => pod.metadata.uid));
    for (const [uid, worker] of this.workers) {
      if (uids.has(uid)) continue;
      this.workers.delete(uid);
      for (const container of worker.containers) void container.kill();
    }
    for (const pod of pods) this.syncPod(pod);
  }

  private syncPod(pod: KubeObject): void {
    const { uid, deletionTimestamp } = pod.metadata;
    const worker = this.workers.get(uid);
    const finished = pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed';
    if (worker === undefined) {
      if (deletionTimestamp !== undefined) this.removePod(pod);
      else if (!finished) this.startPod(pod);
      return;
    }
    worker.pod = pod;
    if (deletionTimestamp !== undefined && !worker.stopping) void this.stopPod(worker);
  }

  private startPod(pod: KubeObject): void {
    const { registry, node } = this.options;
    const worker: Worker = {
      pod,
      address: this.takeAddress(),
      hostAddress: node.address,
      startedAtMs: registry.clock.nowMs(),
      ...{ containers: [], blocked: null, stopping: false },
    };
    this.workers.set(pod.metadata.uid, worker);
    this.startContainers(worker);
  }

  private startContainers(worker: Worker): void {
    const { pod } = worker;
    if (this.workers.get(pod.metadata.uid) !== worker || worker.stopping) return;
    const { stateDir, processes } = this.options;
    const { namespace = '' } = pod.metadata;
    const directories = prepareVolumes(
      stateDir,
      pod,
      (name) => this.options.registry.store.get('persistentvolumeclaims', namespace, name),
      (storage, name) => this.options.registry.store.get(storage, namespace, name),
    );
    worker.blocked = 'missing' in directories ? directories.missing : null;
    if ('missing' in directories) {
      this.writeStatus(worker);
      setTimeout(() => this.startContainers(worker), retryMs).unref();
      return;
    }
    const ran: Open[] = pod.status?.containerStatuses ?? [];
    worker.containers = pod.spec.containers.map((spec: Open) => {
      const before = ran.find((one) => one.name === spec.name);
      // A pod that had run here before (the node was down) counts this start as a restart.
      const restarts = before?.state?.running || before?.lastState?.terminated ? 1 : 0;
      const context = {
        ...{ processes, spec, restartPolicy: pod.spec.restartPolicy, address: worker.address },
        resolve: () => this.resolve(worker, spec, directories),
        changed: () => this.writeStatus(worker),
      };
      return new Container(context, (before?.restartCount ?? 0) + restarts);
    });
    for (const container of worker.containers) container.start();
  }

  private resolve(
    worker: Worker,
    spec: Open,
    directories: Map<string, string>,
  ): ProcessSpec | { reason: string; message: string } {
    const { images, registry, stateDir, logDir } = this.options;
    const image = findImage(images, spec.image);
    if (image === null) {
      const message = `no program is known for image "${spec.image}"`;
      return { reason: 'ErrImagePull', message };
    }
    const { name, namespace = '' } = worker.pod.metadata;
    // The address is not in the stored status yet, but the environment must have it.
    const status = { ...worker.pod.status, podIP: worker.address, hostIP: worker.hostAddress };
    const pod = { ...worker.pod, status };
    const mounts = mountsOf(spec, directories);
    const resolved = resolveContainer(pod, spec, mounts, (storage, key) =>
      registry.store.get(storage, namespace, key),
    );
    if (resolved.kind === 'missing') {
      return { reason: 'CreateContainerConfigError', message: resolved.message };
    }
    const cwd = podDirectory(stateDir, pod);
    return {
      command: [...image.command, ...resolved.args],
      env: {
        ...{ PATH: process.env.PATH ?? '', HOME: cwd, TMPDIR: cwd },
        ...image.env,
        ...resolved.env,
      },
      cwd,
      logPath: join(logDir, logName(namespace, name, spec.name)),
    };
  }

  private async stopPod(worker: Worker): Promise<void> {
    worker.stopping = true;
    const graceMs = (worker.pod.metadata.deletionGracePeriodSeconds ?? 30) * 1000;
    await Promise.all(worker.containers.map((one) => one.stop(graceMs)));
    if (this.state !== 'up') return;
    this.workers.delete(worker.pod.metadata.uid);
    this.removePod(worker.pod);
  }

  private removePod(pod: KubeObject): void {
    const { registry } = this.options;
    const { name, namespace = '', uid } = pod.metadata;
    const held = registry.store.get('pods', namespace, name);
    if (held === null || held.metadata.uid !== uid) return;
    registry.delete(this.types.pods, namespace, name, { gracePeriodSeconds: 0 });
  }

  private writeStatus(worker: Worker): void {
    if (this.state !== 'up') return;
    const { registry } = this.options;
    const { name, namespace = '', uid } = worker.pod.metadata;
    const held = registry.store.get('pods', namespace, name);
    if (held === null || held.metadata.uid !== uid) return;
    const status = podStatus(held, worker, registry.clock.nowMs());
    const options = { manager, subresource: 'status' as const };
    worker.pod = registry.update(this.types.pods, namespace, name, { ...held, status }, options);
  }

  private takeAddress(): string {
    const taken = new Set([...this.workers.values()].map((one) => one.address));
    for (let tries = 0; tries < 250; tries += 1) {
      this.lastAddress = (this.lastAddress % 250) + 1;
      const address = this.options.podPrefix + this.lastAddress;
      if (!taken.has(address)) return address;
    }
    throw new Error(`node ${this.options.node.name} has no address left: 250 pods are the most`);
  }
}

export function logName(namespace: string, pod: string, container: string): string {
  return `${namespace}_${pod}_${container}.log`;
}

/** What a container printed since its pod's name was first used; null when it never ran. */
export function readLog(
  logDir: string,
  namespace: string,
  pod: string,
  name: string,
): string | null {
  try {
    return readFileSync(join(logDir, logName(namespace, pod, name)), 'utf8');
  } catch {
    return null;
  }
}
