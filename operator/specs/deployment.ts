/** The proxies: a Deployment, because they hold nothing and any of them will do. */
import type { Build, KubeObject } from './build.ts';
import {
  databaseName,
  ownerReference,
  PROXY_PEER_PORT,
  PROXY_PORT,
  proxyLabels,
  proxyName,
} from './names.ts';
import { engineContainer, environment, INSECURE_PEERS, podTemplate } from './pod-template.ts';

/** The Deployment of the proxies of one region. */
export function proxyDeployment(build: Build): KubeObject {
  const { owner, spec, region } = build;
  const labels = proxyLabels(owner);
  const container = engineContainer({
    image: build.engineImage,
    args: [
      ...['--role', 'proxy', '--region', region.name],
      ...['--region-number', String(region.number), '--database', databaseName(owner)],
      ...['--member', '$(POD_NAME)', '--bind', '$(POD_IP)'],
      INSECURE_PEERS,
      ...['--port', String(PROXY_PORT), '--peer-port', String(PROXY_PEER_PORT)],
    ],
    environment: environment(spec),
    memory: { request: '128Mi', limit: '512Mi' },
    ports: [
      { name: 'client', containerPort: PROXY_PORT },
      { name: 'peer', containerPort: PROXY_PEER_PORT },
    ],
    mounts: [],
  });
  // Soft constraints: a proxy in a crowded zone serves better than one that waits.
  const spread = [spec.placement.zoneKey, 'kubernetes.io/hostname'].map((topologyKey) => ({
    labelSelector: { matchLabels: labels },
    matchLabelKeys: ['pod-template-hash'],
    maxSkew: 1,
    topologyKey,
    whenUnsatisfiable: 'ScheduleAnyway',
  }));
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: {
      name: proxyName(owner),
      namespace: owner.namespace,
      labels,
      ownerReferences: [ownerReference(owner)],
    },
    spec: {
      replicas: spec.proxies.replicas,
      revisionHistoryLimit: 3,
      selector: { matchLabels: labels },
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
      template: podTemplate({ labels, container, spread }),
    },
  };
}
