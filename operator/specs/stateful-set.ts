/**
 * One StatefulSet per shard. Its pods are replaced by the planner (OnDelete), never by the
 * controller: only the planner knows whether the other members have caught up.
 */
import { formatBytes, getBytes } from '../api/quantity.ts';
import type { Spec } from '../api/schema.ts';
import type { Build, KubeObject } from './build.ts';
import {
  databaseName,
  MEMBER_PEER_PORT,
  MEMBER_PORT,
  membersServiceName,
  ownerReference,
  shardLabels,
  shardName,
  slotRange,
} from './names.ts';
import {
  engineContainer,
  environment,
  INSECURE_PEERS,
  memberMemoryBytes,
  podTemplate,
} from './pod-template.ts';

const FSYNC_FLAG = { Always: 'always', EverySecond: 'everysec', Never: 'no' } as const;
const DATA_PATH = '/data';

/** The StatefulSet of one shard. */
export function statefulSet(build: Build, shard: number): KubeObject {
  const { owner, spec } = build;
  const labels = shardLabels(owner, shard);
  const { storage } = spec.persistence;
  const memory = formatBytes(memberMemoryBytes(spec.memory));
  const container = engineContainer({
    image: build.engineImage,
    args: memberArguments(build, shard),
    environment: environment(spec),
    memory: { request: memory, limit: memory },
    ports: [
      { name: 'client', containerPort: MEMBER_PORT },
      { name: 'peer', containerPort: MEMBER_PEER_PORT },
    ],
    mounts: storage ? [{ name: 'data', mountPath: DATA_PATH }] : [],
  });
  return {
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: {
      name: shardName(owner, shard),
      namespace: owner.namespace,
      labels,
      ownerReferences: [ownerReference(owner)],
    },
    spec: {
      replicas: spec.replicas + 1,
      serviceName: membersServiceName(owner),
      podManagementPolicy: 'Parallel',
      updateStrategy: { type: 'OnDelete' },
      persistentVolumeClaimRetentionPolicy: { whenDeleted: 'Delete', whenScaled: 'Delete' },
      selector: { matchLabels: labels },
      template: podTemplate({ labels, container, spread: memberSpread(build, labels) }),
      ...(storage ? { volumeClaimTemplates: [claimTemplate(storage, labels)] } : {}),
    },
  };
}

function memberArguments({ owner, spec, region }: Build, shard: number): string[] {
  const flags: [string, string][] = [
    ['--role', 'shard'],
    ['--region', region.name],
    ['--region-number', String(region.number)],
    ['--database', databaseName(owner)],
    ['--member', '$(POD_NAME)'],
    ['--bind', '$(POD_IP)'],
    ['--port', String(MEMBER_PORT)],
    ['--peer-port', String(MEMBER_PEER_PORT)],
    ['--slots', slotRange(shard, spec.shards)],
    ['--maxmemory', String(getBytes(spec.memory))],
    ['--maxmemory-policy', spec.evictionPolicy],
    ['--min-replicas', String(spec.minReplicas)],
  ];
  if (spec.persistence.storage) {
    flags.push(['--fsync', FSYNC_FLAG[spec.persistence.fsync]], ['--dir', DATA_PATH]);
  }
  return ['--managed', INSECURE_PEERS, ...flags.flat()];
}

/**
 * Zones first, hosts second. Tainted nodes (those of a dead zone) do not count as a place that
 * must be filled, so a lost member can be made again where there is still room.
 */
function memberSpread({ spec, zonesKnown }: Build, labels: Record<string, string>): object[] {
  const constraint = { labelSelector: { matchLabels: labels }, maxSkew: 1 };
  const { zoneKey, whenZonesAreFew } = spec.placement;
  const hosts = {
    ...constraint,
    topologyKey: 'kubernetes.io/hostname',
    whenUnsatisfiable: 'ScheduleAnyway',
  };
  if (!zonesKnown && whenZonesAreFew === 'Allow') return [hosts];
  const zones = {
    ...constraint,
    topologyKey: zoneKey,
    whenUnsatisfiable: 'DoNotSchedule',
    nodeTaintsPolicy: 'Honor',
    ...(whenZonesAreFew === 'Refuse' ? { minDomains: spec.replicas + 1 } : {}),
  };
  return [zones, hosts];
}

function claimTemplate(
  storage: NonNullable<Spec['persistence']['storage']>,
  labels: Record<string, string>,
): object {
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name: 'data', labels },
    spec: {
      accessModes: ['ReadWriteOnce'],
      resources: { requests: { storage: storage.size } },
      ...(storage.className === undefined ? {} : { storageClassName: storage.className }),
    },
  };
}
