/**
 * INFO: Redis' sections with what clients and dashboards read of them, then Meridian's own from the
 * member. `INFO section …` picks; `all`, `default` and `everything` mean all of them.
 */
import type { Args } from '../resp/args.ts';
import { REDIS_VERSION } from './connection.ts';
import type { InfoSection, ServerContext } from './context.ts';
import { statsSections } from './info-stats.ts';
import { bulk } from './reply-shape.ts';
import type { ClientSession } from './session.ts';
import type { Command } from './table.ts';

export const infoCommands: readonly Command[] = [
  {
    name: 'INFO',
    arity: -1,
    group: 'server',
    flags: ['loading', 'stale'],
    keys: null,
    since: '1.0.0',
    summary: 'Describes the server in sections.',
    complexity: 'O(1)',
    reply: bulk,
    run: info,
  },
];

/** Shown only when asked for, or by `all`. */
const ON_DEMAND = new Set(['commandstats', 'latencystats']);

function info(session: ClientSession, args: Args): void {
  const wanted = new Set<string>();
  for (let i = 1; i < args.count; i++) wanted.add(args.text(i).toLowerCase());
  const everything = wanted.has('all') || wanted.has('everything');
  const usual = wanted.size === 0 || wanted.has('default');
  const { server } = session;
  const sections = [...ownSections(server), ...statsSections(server), ...server.member.info()];
  const texts = sections
    .filter(({ title }) => {
      const name = title.toLowerCase();
      return everything || wanted.has(name) || (usual && !ON_DEMAND.has(name));
    })
    .map(({ title, lines }) => {
      const body = lines.map(([name, value]) => `${name}:${value}\r\n`).join('');
      return `# ${title}\r\n${body}`;
    });
  session.output.verbatim('txt', texts.join('\r\n'));
}

/** The sections that need nothing but the process and its data. */
function ownSections(server: ServerContext): InfoSection[] {
  const { db, clients, limits, process: facts } = server;
  const upSeconds = Math.max(0, Math.floor((server.clockMs() - facts.startedAtMs) / 1000));
  const blocked = clients.list().filter((session) => session.blocked).length;
  const pubsub = clients.list().filter((session) => session.subscribed).length;
  const keys = db.size;
  const tracking = server.tracking?.sizes;
  return [
    {
      title: 'Server',
      lines: [
        ['redis_version', REDIS_VERSION],
        ['redis_mode', 'standalone'],
        ['meridian_version', facts.version],
        ['meridian_runtime', facts.runtime],
        ['meridian_region', facts.region],
        ['meridian_database', facts.database],
        ['os', facts.os],
        ['arch_bits', 64],
        ['process_id', facts.pid],
        ['run_id', facts.runId],
        ['tcp_port', facts.port],
        ['uptime_in_seconds', upSeconds],
        ['uptime_in_days', Math.floor(upSeconds / 86_400)],
      ],
    },
    {
      title: 'Clients',
      lines: [
        ['connected_clients', clients.sessions.size],
        ['maxclients', limits.clientsMax],
        ['blocked_clients', blocked],
        ['total_blocking_keys', server.blockedKeys.keyCount],
        ['pubsub_clients', pubsub],
        ['tracking_clients', tracking?.clients ?? 0],
      ],
    },
    memorySection(server),
    { title: 'Persistence', lines: [['loading', server.member.role() === 'starting' ? 1 : 0]] },
    {
      title: 'Stats',
      lines: [
        ['total_connections_received', clients.connectionsReceived],
        ['total_commands_processed', clients.commandsProcessed],
        ['total_net_input_bytes', clients.inputBytes],
        ['expired_keys', db.evictor.expired],
        ['evicted_keys', db.evictor.evicted],
        ['evicted_clients', limits.evicted],
        ['total_error_replies', server.observer.errorCount],
        ['pubsub_channels', server.pubsub.names('channel', null).length],
        ['pubsub_patterns', server.pubsub.names('pattern', null).length],
        ['tracking_total_keys', tracking?.keys ?? 0],
        ['tracking_total_items', tracking?.items ?? 0],
        ['tracking_total_prefixes', tracking?.prefixes ?? 0],
      ],
    },
    replicationSection(server),
    { title: 'Cluster', lines: [['cluster_enabled', server.member.cluster ? 1 : 0]] },
    {
      title: 'Keyspace',
      lines: keys > 0 ? [['db0', `keys=${keys},expires=${db.expiringSize},avg_ttl=0`]] : [],
    },
  ];
}

/**
 * `used_memory` is the keyspace, exactly: what maxmemory limits and MEMORY USAGE divides. The rest of
 * the process (runtime, backlog, buffers, garbage not yet collected) shows in `used_memory_rss` only.
 */
function memorySection({ db, config, scripting, process: facts }: ServerContext): InfoSection {
  const used = db.memoryBytes;
  const resident = facts.residentBytes?.() ?? 0;
  const { usedBytes, reservedBytes } = db.arenaBytes;
  return {
    title: 'Memory',
    lines: [
      ['used_memory', used],
      ['used_memory_human', humanBytes(used)],
      ['used_memory_rss', resident],
      ['used_memory_rss_human', humanBytes(resident)],
      ['used_memory_vm_total', scripting.keeper.bytes],
      ['used_memory_scripts', scripting.scripts.bytes],
      ['number_of_cached_scripts', scripting.scripts.count],
      ['number_of_functions', scripting.functions.functionCount],
      ['number_of_libraries', scripting.functions.list().length],
      ['maxmemory', config.maxMemoryBytes],
      ['maxmemory_human', humanBytes(config.maxMemoryBytes)],
      ['maxmemory_policy', db.evictor.policy],
      ['allocator_allocated', usedBytes],
      ['allocator_active', reservedBytes],
      ['allocator_frag_ratio', (reservedBytes / Math.max(1, usedBytes)).toFixed(2)],
      ['mem_fragmentation_ratio', (resident / Math.max(1, used)).toFixed(2)],
      ['mem_fragmentation_bytes', Math.max(0, resident - used)],
    ],
  };
}

function replicationSection(server: ServerContext): InfoSection {
  const { position, upstream, replicas } = server.member.replication();
  const lines: [string, string | number][] = [
    ['role', server.member.role() === 'primary' ? 'master' : 'slave'],
  ];
  if (upstream !== null) {
    lines.push(
      ['master_host', upstream.host],
      ['master_port', upstream.port],
      ['master_link_status', upstream.connected ? 'up' : 'down'],
    );
  }
  lines.push(['connected_slaves', replicas.length]);
  replicas.forEach((replica, i) => {
    const { host, port } = replica;
    lines.push([`slave${i}`, `ip=${host},port=${port},state=online,offset=${replica.position}`]);
  });
  lines.push(['master_repl_offset', position]);
  return { title: 'Replication', lines };
}

/** As Redis prints sizes: `1.50M`. */
function humanBytes(bytes: number): string {
  const units = ['B', 'K', 'M', 'G', 'T'];
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return unit === 0 ? `${bytes}B` : `${value.toFixed(2)}${units[unit]}`;
}
