/**
 * What member pods and proxy pods have in common: one engine container that runs as nobody, sees
 * its own name and address, and reads secrets from the environment only.
 */
import { getBytes } from '../api/quantity.ts';
import type { Spec } from '../api/schema.ts';
import { fingerprint } from './fingerprint.ts';
import { CONTAINER, TEMPLATE_ANNOTATION } from './names.ts';

const USER_ID = 65532;

/** What a member needs beside its data: the runtime itself, buffers, an image being written. */
const RUNTIME_BYTES = getBytes('256Mi');
const HEADROOM = 1.25;

export type Variable =
  | { name: string; value: string }
  | { name: string; valueFrom: Record<string, unknown> };

/**
 * The resource has no certificates for peers yet: links are plain, proved by spec.auth.peerSecret,
 * and the engine wants that said.
 */
export const INSECURE_PEERS = '--insecure-peers';

/** Address and name of the pod, and the secrets that the spec names. */
export function environment(spec: Spec): Variable[] {
  const field = (name: string, fieldPath: string): Variable => ({
    name,
    valueFrom: { fieldRef: { apiVersion: 'v1', fieldPath } },
  });
  const { passwordSecret, peerSecret } = spec.auth;
  const secrets: Variable[] = [];
  if (passwordSecret) {
    secrets.push({ name: 'MERIDIAN_REQUIREPASS', valueFrom: { secretKeyRef: passwordSecret } });
  }
  if (peerSecret) {
    secrets.push({ name: 'MERIDIAN_PEER_SECRET', valueFrom: { secretKeyRef: peerSecret } });
  }
  return [field('POD_NAME', 'metadata.name'), field('POD_IP', 'status.podIP'), ...secrets];
}

/** Request and limit of a member: its data plus what the process needs beside it. */
export function memberMemoryBytes(memory: string): number {
  const wanted = getBytes(memory) * HEADROOM + RUNTIME_BYTES;
  const mebibyte = 2 ** 20;
  return Math.ceil(wanted / mebibyte) * mebibyte;
}

/**
 * The engine container. Liveness is a TCP connect and slow to judge: a busy engine must not be
 * killed, and the operator's own probe finds a dead one long before.
 */
export function engineContainer(options: {
  image: string;
  args: readonly string[];
  environment: readonly Variable[];
  memory: { request: string; limit: string };
  ports: readonly { name: string; containerPort: number }[];
  mounts: readonly object[];
}): Record<string, unknown> {
  const tcpSocket = { port: 'client' };
  return {
    name: CONTAINER,
    image: options.image,
    imagePullPolicy: 'IfNotPresent',
    args: options.args,
    env: options.environment,
    ports: options.ports.map((port) => ({ ...port, protocol: 'TCP' })),
    resources: {
      requests: { cpu: '100m', memory: options.memory.request },
      limits: { memory: options.memory.limit },
    },
    startupProbe: { tcpSocket, periodSeconds: 1, failureThreshold: 600 },
    readinessProbe: { tcpSocket, periodSeconds: 2, failureThreshold: 2 },
    livenessProbe: { tcpSocket, periodSeconds: 10, timeoutSeconds: 5, failureThreshold: 6 },
    securityContext: {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    },
    volumeMounts: [{ name: 'tmp', mountPath: '/tmp' }, ...options.mounts],
  };
}

/** The pod around the container; `spread` are its topology spread constraints. */
export function podTemplate(options: {
  labels: Record<string, string>;
  container: Record<string, unknown>;
  spread: readonly object[];
}): { metadata: Record<string, unknown>; spec: Record<string, unknown> } {
  const spec = {
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    terminationGracePeriodSeconds: 30,
    securityContext: {
      runAsNonRoot: true,
      runAsUser: USER_ID,
      runAsGroup: USER_ID,
      fsGroup: USER_ID,
      fsGroupChangePolicy: 'OnRootMismatch',
      seccompProfile: { type: 'RuntimeDefault' },
    },
    topologySpreadConstraints: options.spread,
    containers: [options.container],
    volumes: [{ name: 'tmp', emptyDir: { sizeLimit: '64Mi' } }],
  };
  return {
    metadata: {
      labels: options.labels,
      // The planner compares this with each pod to find those of an older template.
      annotations: { [TEMPLATE_ANNOTATION]: fingerprint(spec) },
    },
    spec,
  };
}
