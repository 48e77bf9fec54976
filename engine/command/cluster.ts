/**
 * The Redis Cluster API of a region: what a cluster client asks to find the members, and how it says
 * that it reads from replicas. The members and slots are those of the map; the operator changes them,
 * so nothing here does.
 */
import { slotOf } from '../keyspace/slot.ts';
import type { ClusterView } from '../map/cluster-view.ts';
import type { Args } from '../resp/args.ts';
import { clusterInfoText, nodesText, writeShards, writeSlots } from './cluster-describe.ts';
import { commandError } from './errors.ts';
import { writeHelp } from './help.ts';
import { readInteger } from './numbers.ts';
import { any, arrayOf, bulk, bulks, count, ok } from './reply-shape.ts';
import type { ClientSession } from './session.ts';
import type { Command, CommandFlag } from './table.ts';

const SLOTS = 16_384;

type Subcommand = Pick<Command, 'name' | 'arity' | 'since' | 'summary' | 'reply'> & {
  readonly complexity?: string;
  readonly flags?: readonly CommandFlag[];
  readonly run: (session: ClientSession, args: Args) => void;
};

/** What all subcommands have in common. */
function subcommand(entry: Subcommand): Command {
  return {
    group: 'cluster',
    flags: ['loading', 'stale'],
    keys: null,
    complexity: 'O(N) for N members',
    ...entry,
  };
}

export const clusterCommands: readonly Command[] = [
  {
    name: 'CLUSTER',
    arity: -2,
    group: 'cluster',
    flags: [],
    keys: null,
    since: '3.0.0',
    summary: 'Tells cluster clients who has which slots.',
    complexity: 'Depends on subcommand',
    reply: any,
    subcommands: [
      subcommand({
        name: 'CLUSTER|SLOTS',
        arity: 2,
        since: '3.0.0',
        summary: 'Returns each range of slots with its members, the primary first.',
        reply: arrayOf(any),
        run: (session) => writeSlots(session.output, view(session)),
      }),
      subcommand({
        name: 'CLUSTER|SHARDS',
        arity: 2,
        since: '7.0.0',
        summary: 'Returns each shard with its slots and members.',
        reply: arrayOf(any),
        run: (session) => writeShards(session.output, view(session)),
      }),
      subcommand({
        name: 'CLUSTER|NODES',
        arity: 2,
        since: '3.0.0',
        summary: 'Returns all members, one a line; a proxy adds itself, without slots.',
        reply: bulk,
        run: (session) => session.output.verbatim('txt', nodesText(session, view(session), null)),
      }),
      subcommand({
        name: 'CLUSTER|INFO',
        arity: 2,
        since: '3.0.0',
        summary: 'Returns how many slots are served, and by how many members.',
        reply: bulk,
        run: (session) => session.output.verbatim('txt', clusterInfoText(view(session))),
      }),
      subcommand({
        name: 'CLUSTER|KEYSLOT',
        arity: 3,
        since: '3.0.0',
        summary: 'Returns the slot of a key.',
        complexity: 'O(N) for N bytes of the key',
        reply: count,
        run: keySlot,
      }),
      subcommand({
        name: 'CLUSTER|COUNTKEYSINSLOT',
        arity: 3,
        since: '3.0.0',
        summary: 'Counts the keys of a slot in this member; a proxy asks its primary.',
        complexity: 'O(1)',
        reply: count,
        run: countKeysInSlot,
      }),
      subcommand({
        name: 'CLUSTER|GETKEYSINSLOT',
        arity: 4,
        since: '3.0.0',
        summary: 'Returns keys of a slot in this member; a proxy asks its primary.',
        complexity: 'O(N) for N keys',
        reply: bulks,
        run: getKeysInSlot,
      }),
      subcommand({
        name: 'CLUSTER|MYID',
        arity: 2,
        since: '3.0.0',
        summary: 'Returns the id of this member.',
        complexity: 'O(1)',
        reply: bulk,
        run: (session) => session.output.bulk(myId(session, view(session))),
      }),
      subcommand({
        name: 'CLUSTER|MYSHARDID',
        arity: 2,
        since: '7.2.0',
        summary: "Returns the id of this member's shard.",
        complexity: 'O(1)',
        reply: bulk,
        run: myShardId,
      }),
      subcommand({
        name: 'CLUSTER|LINKS',
        arity: 2,
        since: '7.0.0',
        summary: 'Is empty: members have no cluster bus; see CRDT.STATUS for their links.',
        complexity: 'O(1)',
        reply: arrayOf(any),
        run: (session) => {
          view(session);
          session.output.array(0);
        },
      }),
      subcommand({
        name: 'CLUSTER|REPLICAS',
        arity: 3,
        flags: ['admin', 'loading', 'stale'],
        since: '5.0.0',
        summary: 'Returns the replicas of a primary.',
        reply: bulks,
        run: replicas,
      }),
      subcommand({
        name: 'CLUSTER|SLAVES',
        arity: 3,
        flags: ['admin', 'loading', 'stale'],
        since: '3.0.0',
        summary: 'Older name of CLUSTER REPLICAS.',
        reply: bulks,
        run: replicas,
      }),
      subcommand({
        name: 'CLUSTER|HELP',
        arity: 2,
        since: '5.0.0',
        summary: 'Lists the subcommands.',
        complexity: 'O(1)',
        reply: arrayOf(any),
        run: (session) => writeHelp(session, 'CLUSTER'),
      }),
    ],
  },
  {
    name: 'READONLY',
    arity: 1,
    group: 'cluster',
    flags: ['loading', 'stale', 'fast'],
    keys: null,
    since: '3.0.0',
    summary: 'Lets this connection read from a replica.',
    complexity: 'O(1)',
    reply: ok,
    run: (session) => readFrom(session, true),
  },
  {
    name: 'READWRITE',
    arity: 1,
    group: 'cluster',
    flags: ['loading', 'stale', 'fast'],
    keys: null,
    since: '3.0.0',
    summary: 'Takes READONLY back.',
    complexity: 'O(1)',
    reply: ok,
    run: (session) => readFrom(session, false),
  },
  {
    name: 'ASKING',
    arity: 1,
    group: 'cluster',
    flags: ['fast'],
    keys: null,
    since: '3.0.0',
    summary: 'Is accepted; no slot is ever half moved, so that nothing depends on it.',
    complexity: 'O(1)',
    reply: ok,
    run: (session) => {
      view(session);
      session.output.ok();
    },
  },
  {
    name: 'CRDT.ROUTED',
    arity: 1,
    group: 'crdt',
    flags: ['loading', 'stale', 'fast'],
    keys: null,
    since: '0.1.0',
    summary:
      'Says that the sender goes by the map itself, as proxies do: no command of this connection is answered MOVED or CROSSSLOT.',
    complexity: 'O(1)',
    reply: ok,
    run: (session) => {
      session.routed = true;
      session.output.ok();
    },
  },
];

/** The map, or why there is none. */
function view(session: ClientSession): ClusterView {
  const { member } = session.server;
  const { cluster } = member;
  if (cluster) return cluster;
  if (member.role() !== 'starting') throw commandError('noCluster');
  throw commandError('loading', member.startingReason());
}

function myId(session: ClientSession, cluster: ClusterView): string {
  return cluster.member === '' ? session.server.process.runId : cluster.nodeId(cluster.member);
}

function myShardId(session: ClientSession): void {
  const cluster = view(session);
  const shard = cluster.map.shards[cluster.ownShard];
  session.output.bulk(shard === undefined ? myId(session, cluster) : cluster.shardId(shard));
}

function keySlot(session: ClientSession, args: Args): void {
  view(session);
  session.output.integer(slotOf(args.buffer, args.start[2], args.end[2]));
}

function countKeysInSlot(session: ClientSession, args: Args): void {
  view(session);
  const slot = readInteger(args, 2);
  if (!isSlot(slot)) throw commandError('invalidSlot');
  session.output.integer(session.server.db.slotSize(slot));
}

function getKeysInSlot(session: ClientSession, args: Args): void {
  view(session);
  const slot = readInteger(args, 2);
  const wanted = readInteger(args, 3);
  if (!isSlot(slot) || wanted < 0) throw commandError('invalidSlotOrCount');
  const { db } = session.server;
  const keys = db.slotKeys(slot, Math.min(wanted, db.slotSize(slot)));
  session.output.array(keys.length);
  for (const key of keys) session.output.bulk(key);
}

function isSlot(slot: number): boolean {
  return slot >= 0 && slot < SLOTS;
}

function replicas(session: ClientSession, args: Args): void {
  const cluster = view(session);
  const id = args.text(2).toLowerCase();
  const members = cluster.map.shards.flatMap((shard) => shard.members);
  const primary = members.find(({ name }) => cluster.nodeId(name) === id);
  if (primary === undefined) throw commandError('unknownNode', args.text(2));
  const shard = cluster.map.shards.find((one) => one.primary === primary.name);
  if (shard === undefined) throw commandError('notAPrimary');
  const lines = nodesText(session, cluster, shard)
    .split('\n')
    .filter((line) => line !== '');
  session.output.array(lines.length);
  for (const line of lines) session.output.bulk(line);
}

function readFrom(session: ClientSession, replica: boolean): void {
  view(session);
  session.readsReplica = replica;
  session.output.ok();
}
