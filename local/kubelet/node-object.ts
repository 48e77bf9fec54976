/** What a kubelet says of its node. */
import { microTimestamp, timestamp } from '../api-server/clock.ts';
import type { KubeObject, Open } from '../api-server/resource.ts';

export interface NodeSpec {
  readonly name: string;
  readonly zone: string;
  /** The cluster's name. */
  readonly region: string;
  /** 127.<cluster>.<node>.0 is the node's own address; pods get the others. */
  readonly address: string;
}

export function nodeObject(node: NodeSpec): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      name: node.name,
      labels: {
        'kubernetes.io/hostname': node.name,
        'kubernetes.io/os': 'linux',
        'topology.kubernetes.io/zone': node.zone,
        'topology.kubernetes.io/region': node.region,
      },
    },
    spec: {},
  } as unknown as KubeObject;
}

export function nodeStatus(node: NodeSpec, old: Open, nowMs: number): Open {
  const before = (old?.conditions ?? []).find((one: Open) => one.type === 'Ready');
  const kept = before?.status === 'True' ? before.lastTransitionTime : null;
  const resources = { cpu: '8', memory: '32Gi', pods: '110' };
  return {
    ...{ capacity: resources, allocatable: resources },
    conditions: [
      {
        ...{ type: 'Ready', status: 'True', reason: 'KubeletReady' },
        message: 'kubelet is posting ready status',
        lastHeartbeatTime: timestamp(nowMs),
        lastTransitionTime: kept ?? timestamp(nowMs),
      },
    ],
    addresses: [
      { type: 'InternalIP', address: node.address },
      { type: 'Hostname', address: node.name },
    ],
    nodeInfo: {
      ...{ kubeletVersion: 'v1.33.0+meridian-local', operatingSystem: 'linux' },
      ...{ osImage: 'none', containerRuntimeVersion: 'process://1', architecture: 'amd64' },
    },
  };
}

/** The heartbeat: Kubernetes judges a node by when this was renewed. */
export function nodeLease(node: NodeSpec, nowMs: number): KubeObject {
  return {
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata: { name: node.name, namespace: 'kube-node-lease' },
    spec: {
      ...{ holderIdentity: node.name, leaseDurationSeconds: 40 },
      renewTime: microTimestamp(nowMs),
    },
  } as unknown as KubeObject;
}
