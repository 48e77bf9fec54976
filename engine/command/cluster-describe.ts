/** The map in the forms of CLUSTER SLOTS, SHARDS, NODES and INFO. */
import type { ClusterView } from '../map/cluster-view.ts';
import type { MapMember, MapShard } from '../map/database-map.ts';
import type { ReplyWriter } from '../resp/reply-writer.ts';
import type { ClientSession } from './session.ts';

/** The primary, if there is one, and then the others. */
function primaryFirst(shard: MapShard): readonly MapMember[] {
  const others = shard.members.filter(({ name }) => name !== shard.primary);
  return [...shard.members.filter(({ name }) => name === shard.primary), ...others];
}

/** Shards without a primary are left out, as Redis leaves failed nodes out: nobody serves them. */
export function writeSlots(output: ReplyWriter, cluster: ClusterView): void {
  const shards = cluster.map.shards.filter(({ primary }) => primary !== '');
  output.array(shards.length);
  for (const shard of shards) {
    const members = primaryFirst(shard);
    output.array(2 + members.length);
    output.integer(shard.firstSlot);
    output.integer(shard.lastSlot);
    for (const { name, host, port } of members) {
      output.array(4);
      output.bulk(host);
      output.integer(port);
      output.bulk(cluster.nodeId(name));
      output.map(0);
    }
  }
}

export function writeShards(output: ReplyWriter, cluster: ClusterView): void {
  output.array(cluster.map.shards.length);
  for (const shard of cluster.map.shards) {
    output.map(2);
    output.bulk('slots');
    output.array(2);
    output.integer(shard.firstSlot);
    output.integer(shard.lastSlot);
    output.bulk('nodes');
    output.array(shard.members.length);
    for (const { name, host, port } of primaryFirst(shard)) {
      output.map(7);
      output.bulk('id');
      output.bulk(cluster.nodeId(name));
      output.bulk('port');
      output.integer(port);
      const texts = {
        ip: host,
        endpoint: host,
        role: name === shard.primary ? 'master' : 'replica',
      };
      for (const [field, text] of Object.entries(texts)) {
        output.bulk(field);
        output.bulk(text);
      }
      output.bulk('replication-offset');
      output.integer(0);
      output.bulk('health');
      output.bulk('online');
    }
  }
}

/**
 * One line a member, as Redis' nodes.conf; of one shard only the replicas, for CLUSTER REPLICAS.
 * `id host:port@bus flags primary ping pong epoch link slots`
 */
export function nodesText(
  session: ClientSession,
  cluster: ClusterView,
  replicasOf: MapShard | null,
): string {
  const lines = cluster.map.shards.flatMap((shard) =>
    (replicasOf === null || shard === replicasOf ? shard.members : [])
      .filter(({ name }) => replicasOf === null || name !== shard.primary)
      .map((member) => nodeLine(cluster, shard, member)),
  );
  if (cluster.member === '' && replicasOf === null) {
    // A proxy: Redis knows primaries without slots, and some clients look for the one they asked.
    const { runId } = session.server.process;
    const epoch = Math.max(...cluster.map.shards.map((shard) => shard.epoch));
    lines.push(`${runId} ${session.local}@0 myself,master - 0 0 ${epoch} connected`);
  }
  return lines.map((line) => `${line}\n`).join('');
}

function nodeLine(cluster: ClusterView, shard: MapShard, member: MapMember): string {
  const isPrimary = member.name === shard.primary;
  const flags = isPrimary ? 'master' : 'slave';
  const of = isPrimary || shard.primary === '' ? '-' : cluster.nodeId(shard.primary);
  const slots = shard.firstSlot === shard.lastSlot ? `${shard.firstSlot}` : shard.slots;
  return [
    cluster.nodeId(member.name),
    `${member.host}:${member.port}@${member.peerPort}`,
    member.name === cluster.member ? `myself,${flags}` : flags,
    of,
    '0 0',
    shard.epoch,
    'connected',
    ...(isPrimary ? [slots] : []),
  ].join(' ');
}

export function clusterInfoText(cluster: ClusterView): string {
  const { map } = cluster;
  const assigned = map.shards.reduce((sum, s) => sum + s.lastSlot - s.firstSlot + 1, 0);
  const served = cluster.servedSlots;
  const lines = {
    cluster_state: served === 16_384 ? 'ok' : 'fail',
    cluster_slots_assigned: assigned,
    cluster_slots_ok: served,
    cluster_slots_pfail: 0,
    cluster_slots_fail: assigned - served,
    cluster_known_nodes: map.shards.flatMap((shard) => shard.members).length,
    cluster_size: map.shards.length,
    cluster_current_epoch: Math.max(...map.shards.map(({ epoch }) => epoch)),
    cluster_my_epoch: map.shards[cluster.ownShard]?.epoch ?? 0,
    cluster_stats_messages_sent: 0,
    cluster_stats_messages_received: 0,
    total_cluster_links_buffer_limit_exceeded: 0,
  };
  return Object.entries(lines)
    .map(([name, value]) => `${name}:${value}\r\n`)
    .join('');
}
