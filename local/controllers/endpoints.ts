/**
 * Which pods stand behind each Service: one EndpointSlice and one (older) Endpoints object per
 * service. Load balancers get their address here too: it is the cluster address, since everything
 * is on one machine.
 */
import type { Registry } from '../api-server/registry.ts';
import type { KubeObject, Open } from '../api-server/resource.ts';
import { portNumber } from '../kubelet/probe.ts';
import type { Controller } from './manager.ts';
import { isFinished, isReady, isTerminating } from './pod-facts.ts';

const manager = 'endpoint-controller';

export const endpointsController: Controller = {
  name: 'endpoints',
  watches: ['services', 'pods', 'nodes', 'endpointslices', 'endpoints'],
  sync: (registry) => {
    for (const service of registry.store.list('services')) {
      const { selector, type } = service.spec;
      if (service.metadata.deletionTimestamp !== undefined) continue;
      if (type === 'LoadBalancer') assignLoadBalancer(registry, service);
      if (selector === undefined || Object.keys(selector).length === 0) continue;
      const pods = registry.store
        .list('pods', service.metadata.namespace)
        .filter((pod) => selects(selector, pod) && pod.status?.podIP && !isFinished(pod));
      writeSlice(registry, service, pods);
      writeEndpoints(registry, service, pods);
    }
    return null;
  },
};

function selects(selector: Record<string, string>, pod: KubeObject): boolean {
  const { labels = {} } = pod.metadata;
  return Object.entries(selector).every(([key, value]) => labels[key] === value);
}

function isServed(service: KubeObject, pod: KubeObject): boolean {
  const anyway = service.spec.publishNotReadyAddresses === true;
  return anyway || (isReady(pod) && !isTerminating(pod));
}

/** The service's ports as these pods have them; a named target port is looked up in the pod. */
function portsOf(service: KubeObject, pods: KubeObject[]): Open[] {
  const known = pods[0]?.spec.containers.flatMap((one: Open) => one.ports ?? []) ?? [];
  return (service.spec.ports ?? []).map((port: Open) => ({
    name: port.name ?? '',
    port: portNumber(port.targetPort ?? port.port, known),
    protocol: port.protocol,
  }));
}

function writeSlice(registry: Registry, service: KubeObject, pods: KubeObject[]): void {
  const { name, namespace = '' } = service.metadata;
  const slice = {
    addressType: 'IPv4',
    ports: portsOf(service, pods),
    endpoints: pods.map((pod) => ({
      addresses: [pod.status.podIP],
      conditions: {
        ready: isServed(service, pod),
        serving: isReady(pod),
        terminating: isTerminating(pod),
      },
      hostname: pod.spec.subdomain === name ? pod.spec.hostname : undefined,
      nodeName: pod.spec.nodeName,
      zone: zoneOf(registry, pod),
      targetRef: reference(pod),
    })),
  };
  const labels = {
    ...service.metadata.labels,
    'kubernetes.io/service-name': name,
    'endpointslice.kubernetes.io/managed-by': 'endpointslice-controller.k8s.io',
  };
  write(registry, 'endpointslices', service, `${name}-${service.metadata.uid.slice(0, 5)}`, {
    ...{ namespace, labels, fields: slice },
  });
}

function writeEndpoints(registry: Registry, service: KubeObject, pods: KubeObject[]): void {
  const { name, namespace = '', labels } = service.metadata;
  const address = (pod: KubeObject) => ({
    ...{ ip: pod.status.podIP, nodeName: pod.spec.nodeName, targetRef: reference(pod) },
  });
  const served = pods.filter((pod) => isServed(service, pod)).map(address);
  const waiting = pods.filter((pod) => !isServed(service, pod)).map(address);
  const subset = {
    ...(served.length > 0 ? { addresses: served } : {}),
    ...(waiting.length > 0 ? { notReadyAddresses: waiting } : {}),
    ports: portsOf(service, pods),
  };
  const fields = { subsets: pods.length === 0 ? [] : [subset] };
  write(registry, 'endpoints', service, name, { namespace, labels, fields });
}

function write(
  registry: Registry,
  storage: string,
  service: KubeObject,
  name: string,
  content: { namespace: string; labels: Record<string, string> | undefined; fields: Open },
): void {
  const type = registry.scheme.getStored(storage);
  const { namespace, labels } = content;
  // Undefined fields would look like a change each time.
  const fields = JSON.parse(JSON.stringify(content.fields));
  const owner = { apiVersion: 'v1', kind: 'Service', name: service.metadata.name };
  const ownerReferences = [
    { ...owner, uid: service.metadata.uid, controller: true, blockOwnerDeletion: true },
  ];
  const held = registry.store.get(storage, namespace, name);
  if (held === null) {
    const metadata = { name, labels, ownerReferences };
    registry.create(type, namespace, { metadata, ...fields }, { manager });
    return;
  }
  const metadata = { ...held.metadata, ownerReferences };
  if (labels !== undefined) metadata.labels = labels;
  registry.update(type, namespace, name, { ...held, ...fields, metadata }, { manager });
}

function reference(pod: KubeObject): Open {
  const { name, namespace, uid } = pod.metadata;
  return { kind: 'Pod', name, namespace, uid };
}

function zoneOf(registry: Registry, pod: KubeObject): string | undefined {
  const node = registry.store.get('nodes', '', pod.spec.nodeName);
  return node?.metadata.labels?.['topology.kubernetes.io/zone'];
}

function assignLoadBalancer(registry: Registry, service: KubeObject): void {
  const { name, namespace = '' } = service.metadata;
  const status = { loadBalancer: { ingress: [{ ip: service.spec.clusterIP, ipMode: 'VIP' }] } };
  const type = registry.scheme.getStored('services');
  const options = { manager, subresource: 'status' as const };
  registry.update(type, namespace, name, { ...service, status }, options);
}
