/** What CRDT.STATUS and INFO say of a member, from a view of its parts. */

import type { InfoSection, ReplicationView } from '../command/context.ts';
import type { Config } from '../config.ts';
import type { Db } from '../core/db.ts';
import { actorText } from '../crdt/roster.ts';
import { countOps, seqOf, type VersionVector } from '../crdt/version-vector.ts';
import { limits } from '../limits.ts';
import { vectorObject } from '../log/vector-bytes.ts';
import type { Dialled, Peers } from './peers.ts';
import type { RepairCounts } from './repairer.ts';
import type { Placement } from './role.ts';
import { STALL_CAUSES, type StallCause, type Stalls } from './stalls.ts';
import type { Storage } from './storage.ts';

export type MemberView = {
  readonly config: Config;
  readonly db: Db;
  readonly storage: Storage;
  readonly stalls: Stalls;
  readonly peers: Peers;
  readonly placement: Placement;
  readonly mapVersion: number;
  readonly startedEmpty: boolean;
  readonly upMs: number;
  readonly firstWriteAtMs: number | null;
  readonly paused: ReadonlySet<string>;
  /** What each region has confirmed. */
  readonly regionAcked: ReadonlyMap<string, VersionVector>;
  readonly repairs: RepairCounts;
  readonly nowMs: number;
};

/** The object of CRDT.STATUS. */
export function memberStatus(view: MemberView): object {
  const { config, db, placement } = view;
  return {
    role: placement.role,
    name: config.member,
    region: config.region,
    regionNumber: config.regionNumber,
    actor: actorText(db.roster.ids[db.actor]),
    database: config.database,
    slots: placement.slots,
    mapVersion: view.mapVersion,
    epoch: placement.epoch,
    vector: vectorObject(db.vector, db.roster),
    appliedOps: countOps(db.vector),
    keys: db.size,
    memoryBytes: db.memoryBytes,
    startedEmpty: view.startedEmpty,
    uptimeMs: view.upMs,
    firstWriteAtMs: view.firstWriteAtMs,
    repairs: { ...view.repairs },
    upstream: upstreamStatus(view),
    replicas: replicaStatus(view),
    peers: placement.regions.map(({ name }) => regionStatus(view, name)),
  };
}

function upstreamStatus(view: MemberView): object | null {
  if (view.placement.role !== 'replica' || view.placement.primary === '') return null;
  const link = view.peers.dialled.find(({ target }) => target.purpose === 'member');
  const connected = link?.puller?.state === 'streaming';
  const silentMs = link?.port?.silentMs(view.nowMs) ?? Number.POSITIVE_INFINITY;
  return {
    name: view.placement.primary,
    connected,
    // The link itself is given up much later; the operator wants to know now.
    answering: connected && silentMs < limits.upstreamSilence.value,
    lagOps: link === undefined ? 0 : lagOps(view.db.vector, link),
  };
}

function replicaStatus(view: MemberView): object[] {
  if (view.placement.role !== 'primary') return [];
  const links = view.peers.dialled.filter(({ target }) => target.purpose === 'member');
  return links.map(({ target }) => {
    const server = findServer(view, (remote) => remote.member === target.member);
    const lacking = server === null ? 0 : missingOps(view.db.vector, server.acked);
    return { name: target.member, connected: server !== null, lagOps: lacking };
  });
}

function regionStatus(view: MemberView, region: string): object {
  const { db, config } = view;
  const link = view.peers.dialled.find((held) => held.target.key === `region ${region}`);
  const behind = link === undefined ? 0 : lagOps(db.vector, link);
  const connected = link?.puller?.state === 'streaming';
  const caughtUpMs = link?.puller?.caughtUpAtMs ?? view.nowMs;
  const acked = view.regionAcked.get(region) ?? [];
  let pendingOps = 0;
  for (let actor = 0; actor < db.vector.length; actor++) {
    if (db.roster.regions[actor] !== config.regionNumber) continue;
    pendingOps += Math.max(0, db.vector[actor] - seqOf(acked, actor));
  }
  return {
    region,
    connected,
    paused: view.paused.has(region),
    lagOps: behind,
    lagMs: connected && behind > 0 ? Math.max(0, Math.round(view.nowMs - caughtUpMs)) : 0,
    pendingOps,
    ...(connected ? {} : { reason: link?.lastError ?? 'not dialled' }),
  };
}

/** The server session whose puller is `wanted`, if it streams. */
function findServer(
  view: MemberView,
  wanted: (remote: { member: string; purpose: string }) => boolean,
) {
  const found = view.peers.accepted.find(
    ({ server }) => server.state === 'streaming' && server.remote !== null && wanted(server.remote),
  );
  return found?.server ?? null;
}

function lagOps(vector: VersionVector, link: Dialled): number {
  return link.puller === null ? 0 : missingOps(link.puller.heard, vector);
}

/** How many ops of `wanted` are not in `have`. */
export function missingOps(wanted: VersionVector, have: VersionVector): number {
  let missing = 0;
  for (let actor = 0; actor < wanted.length; actor++) {
    missing += Math.max(0, wanted[actor] - seqOf(have, actor));
  }
  return missing;
}

/** Meridian's own sections of INFO. */
export function memberInfo(view: MemberView): InfoSection[] {
  const regions = view.placement.regions.map(({ name }): [string, string] => {
    const status = regionStatus(view, name) as Record<string, unknown>;
    const fields = ['connected', 'paused', 'lagOps', 'lagMs', 'pendingOps'];
    return [`region_${name}`, fields.map((field) => `${field}=${status[field]}`).join(',')];
  });
  return [
    {
      title: 'Regions',
      lines: [
        ['region', view.config.region],
        ['region_number', view.config.regionNumber],
        ['actor', actorText(view.db.roster.ids[view.db.actor])],
        ['actors', view.db.roster.ids.length],
        ...regions,
      ],
    },
    {
      title: 'Repair',
      lines: [
        ['repair_rounds', view.repairs.rounds],
        ['repair_keys', view.repairs.keys],
        ['repair_unexplained_keys', view.repairs.unexplainedKeys],
      ],
    },
    {
      title: 'Log',
      lines: [
        ['log_position', view.storage.position],
        ['log_safe_position', view.storage.safe],
        ['log_bytes_since_image', view.storage.bytesSinceImage],
        ['log_writing_image', view.storage.writingImage ? 1 : 0],
        ['log_image_failures', view.storage.imageFailures],
        ['log_image_failure', view.storage.imageFailure],
        ['log_fsync', view.config.dir === null ? 'none' : view.config.fsync],
      ],
    },
    { title: 'Stalls', lines: STALL_CAUSES.map((cause) => stallLine(view.stalls, cause)) },
  ];
}

/** Since the start or CONFIG RESETSTAT; stalls.ts says what the causes are. */
function stallLine(stalls: Stalls, cause: StallCause): [string, string] {
  const { longestMs, longestCpuMs, longestBlockedMs, count, cpuCount } = stalls.of(cause);
  const longest = { ms: longestMs, cpu_ms: longestCpuMs, blocked_ms: longestBlockedMs };
  const fields = Object.entries(longest).map(([name, ms]) => `longest_${name}=${ms.toFixed(2)}`);
  return [`stall_${cause}`, [...fields, `over_5ms=${count}`, `over_5ms_cpu=${cpuCount}`].join(',')];
}

export function replicationView(view: MemberView): ReplicationView {
  const link = view.peers.dialled.find(({ target }) => target.purpose === 'member');
  const isReplica = view.placement.role === 'replica';
  return {
    position: view.storage.position,
    upstream:
      !isReplica || link === undefined
        ? null
        : {
            host: link.target.address.host,
            port: link.target.clientPort,
            connected: link.puller?.state === 'streaming',
          },
    replicas: view.peers.dialled
      .filter(({ target }) => !isReplica && target.purpose === 'member')
      .filter(({ target }) => findServer(view, (remote) => remote.member === target.member))
      .map(({ target }) => ({
        host: target.address.host,
        port: target.clientPort,
        position: view.storage.position,
      })),
  };
}
