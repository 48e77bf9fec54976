/** The three Services of a database: for clients, for other regions, and for members' names. */
import type { ServiceSpec } from '../api/schema.ts';
import type { Build, KubeObject } from './build.ts';
import { canonicalJson } from './fingerprint.ts';
import {
  COMPONENT_LABEL,
  databaseLabels,
  IN_FORCE_ANNOTATION,
  MEMBER_PEER_PORT,
  MEMBER_PORT,
  membersServiceName,
  ownerReference,
  PROXY_PEER_PORT,
  PROXY_PORT,
  peerServiceName,
  proxyLabels,
} from './names.ts';

/** What clients connect to; prefers a proxy in the client's own zone. */
export function clientService({ owner, spec }: Build): KubeObject {
  const port = { name: 'client', port: PROXY_PORT, targetPort: 'client' };
  return exposed(owner, owner.name, spec.proxies.service, port);
}

/** What stands behind the endpoint that other regions dial. */
export function peerService({ owner, spec }: Build): KubeObject {
  const port = { name: 'peer', port: PROXY_PEER_PORT, targetPort: 'peer' };
  return exposed(owner, peerServiceName(owner), spec.proxies.peerService, port);
}

/**
 * Gives each member a DNS name; also before it is ready, since members find each other early.
 *
 * It is the first object to be applied, so it carries the spec in force: what a later spec is
 * compared with, and what goes on being run while a later one is wrong.
 */
export function membersService({ owner, fullSpec, zonesKnown }: Build): KubeObject {
  const inForce = canonicalJson({ spec: fullSpec, zonesKnown });
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: {
      ...metadata(owner, membersServiceName(owner)),
      annotations: { [IN_FORCE_ANNOTATION]: inForce },
    },
    spec: {
      type: 'ClusterIP',
      clusterIP: 'None',
      publishNotReadyAddresses: true,
      selector: { ...databaseLabels(owner), [COMPONENT_LABEL]: 'shard' },
      ports: [
        { name: 'client', port: MEMBER_PORT, protocol: 'TCP', targetPort: 'client' },
        { name: 'peer', port: MEMBER_PEER_PORT, protocol: 'TCP', targetPort: 'peer' },
      ],
    },
  };
}

function exposed(
  owner: Build['owner'],
  name: string,
  { type, nodePort, annotations }: ServiceSpec,
  port: { name: string; port: number; targetPort: string },
): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { ...metadata(owner, name), ...(annotations ? { annotations } : {}) },
    spec: {
      type,
      selector: proxyLabels(owner),
      trafficDistribution: 'PreferClose',
      ports: [{ ...port, protocol: 'TCP', ...(nodePort === undefined ? {} : { nodePort }) }],
    },
  };
}

function metadata(owner: Build['owner'], name: string): KubeObject['metadata'] {
  return {
    name,
    namespace: owner.namespace,
    labels: databaseLabels(owner),
    ownerReferences: [ownerReference(owner)],
  };
}
