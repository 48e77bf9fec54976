/** The status that a kubelet writes for a pod, from the states of its containers. */
import { timestamp } from '../api-server/clock.ts';
import type { KubeObject, Open } from '../api-server/resource.ts';
import type { Container, ContainerState } from './container.ts';

export interface PodRun {
  readonly address: string;
  readonly hostAddress: string;
  readonly startedAtMs: number;
  readonly containers: readonly Container[];
  /** Why nothing has been started yet, if so. */
  readonly blocked: string | null;
}

/** `pod.status` anew; conditions keep their transition time while their status stays. */
export function podStatus(pod: KubeObject, run: PodRun, nowMs: number): Open {
  const { containers } = run;
  const ready = containers.length > 0 && containers.every((one) => one.ready);
  const phase = phaseOf(pod, containers);
  const finished = phase === 'Succeeded' || phase === 'Failed';
  const notReady = finished ? 'PodCompleted' : 'ContainersNotReady';
  const old: Open[] = pod.status?.conditions ?? [];
  const condition = (type: string, holds: boolean, reason?: string): Open => {
    const status = holds ? 'True' : 'False';
    const before = old.find((one) => one.type === type);
    const lastTransitionTime =
      before?.status === status ? before.lastTransitionTime : timestamp(nowMs);
    const because = holds || reason === undefined ? {} : { reason };
    return { type, status, lastProbeTime: null, lastTransitionTime, ...because };
  };
  const own = ['Initialized', 'ContainersReady', 'Ready', 'PodReadyToStartContainers'];
  return {
    ...pod.status,
    phase,
    conditions: [
      ...old.filter((one) => !own.includes(one.type)),
      condition('PodReadyToStartContainers', run.blocked === null),
      condition('Initialized', true),
      condition('ContainersReady', ready, notReady),
      condition('Ready', ready, notReady),
    ],
    ...{ hostIP: run.hostAddress, hostIPs: [{ ip: run.hostAddress }] },
    ...{ podIP: run.address, podIPs: [{ ip: run.address }] },
    startTime: pod.status?.startTime ?? timestamp(run.startedAtMs),
    containerStatuses: pod.spec.containers.map((spec: Open) => {
      const container = containers.find((one) => one.name === spec.name);
      return containerStatus(spec, container, run.blocked);
    }),
  };
}

function phaseOf(pod: KubeObject, containers: readonly Container[]): string {
  const { restartPolicy } = pod.spec;
  if (containers.length === 0) return 'Pending';
  const ended = containers.map((one) => (one.state.kind === 'terminated' ? one.state.exit : null));
  if (restartPolicy !== 'Always' && ended.every((exit) => exit !== null)) {
    const failed = ended.some((exit) => exit?.code !== 0);
    if (!failed) return 'Succeeded';
    if (restartPolicy === 'Never') return 'Failed';
  }
  const creating = containers.some(
    (one) => one.state.kind === 'waiting' && one.state.reason === 'ContainerCreating',
  );
  return creating ? 'Pending' : 'Running';
}

function containerStatus(
  spec: Open,
  container: Container | undefined,
  blocked: string | null,
): Open {
  const state: ContainerState = container?.state ?? {
    ...{ kind: 'waiting', reason: 'ContainerCreating' },
    ...(blocked === null ? {} : { message: blocked }),
  };
  return {
    name: spec.name,
    image: spec.image,
    imageID: spec.image,
    ready: container?.ready ?? false,
    started: state.kind === 'running',
    restartCount: container?.restarts ?? 0,
    ...(state.kind === 'running' ? { containerID: `process://${state.pid}` } : {}),
    state: stateOf(state),
    lastState: container?.lastState ? stateOf(container.lastState) : {},
  };
}

function stateOf(state: ContainerState): Open {
  if (state.kind === 'waiting') {
    const { reason, message } = state;
    return { waiting: message === undefined ? { reason } : { reason, message } };
  }
  if (state.kind === 'running') return { running: { startedAt: timestamp(state.startedAtMs) } };
  const { exit } = state;
  const exitCode = exit.code ?? 128 + (signalNumbers[exit.signal ?? ''] ?? 0);
  return {
    terminated: {
      exitCode,
      reason: exitCode === 0 ? 'Completed' : 'Error',
      startedAt: timestamp(state.startedAtMs),
      finishedAt: timestamp(state.finishedAtMs),
    },
  };
}

/** The signals that end processes here; the exit code is 128 and the number. */
const signalNumbers: Record<string, number> = {
  ...{ SIGINT: 2, SIGABRT: 6, SIGKILL: 9, SIGSEGV: 11, SIGTERM: 15 },
};
