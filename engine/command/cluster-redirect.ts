/**
 * Whether this member may run a command, by the slot of its keys, or where the client must go: as
 * Redis Cluster's getNodeByQuery.
 *
 *     keys in several slots          CROSSSLOT
 *     a slot of another shard        MOVED to its primary
 *     a replica of the slot's shard  MOVED, but for reads of a client that said READONLY
 *     nobody takes the slot          CLUSTERDOWN
 *     a pattern of channels          an error: channels live at the shard of their slot
 *
 * Not asked of connections that said CRDT.ROUTED: proxies go by the map themselves, and split
 * commands by shards and not by slots.
 */
import { slotOf } from '../keyspace/slot.ts';
import type { ClusterView } from '../map/cluster-view.ts';
import type { Args } from '../resp/args.ts';
import { findKeys } from './command-describe.ts';
import { type Entry, EXEC, WRITE } from './dispatch.ts';
import { errorText } from './errors.ts';
import type { ClientSession } from './session.ts';

/** No key at all. */
const NONE = -1;
/** Keys of several slots. */
const SEVERAL = -2;

/** Commands on channels. There is no cluster bus: a channel lives at the shard of its slot. */
const BY_CHANNEL = new Set(['SSUBSCRIBE', 'SUNSUBSCRIBE', 'SPUBLISH', 'SUBSCRIBE', 'PUBLISH']);

/** The error that sends the client away; null: the command may run here. */
export function redirection(
  session: ClientSession,
  entry: Entry,
  args: Args,
  cluster: ClusterView,
): string | null {
  const { transaction } = session;
  const { name } = entry.command;
  let { bits } = entry;
  if (name === 'PSUBSCRIBE' && cluster.map.shards.length > 1)
    return errorText('patternsOfAllShards');
  let slot = NONE;
  if ((bits & EXEC) !== 0 && transaction !== null) {
    bits = transaction.bits;
    for (const queued of transaction.queue)
      slot = join(slot, slotOfKeys(queued.entry, queued.args));
  } else {
    slot = slotOfKeys(entry, args);
  }
  if (slot === NONE) return null;
  if (slot === SEVERAL) return errorText('crossSlot');
  const role = session.server.member.role();
  if (cluster.shardOf(slot) === cluster.ownShard && cluster.ownShard >= 0) {
    if (role !== 'replica') return null;
    if (session.readsReplica && (bits & WRITE) === 0) return null;
    // A replica is told every message of its primary.
    if (name.endsWith('SUBSCRIBE')) return null;
  }
  const primary = cluster.primaryOf(slot);
  if (primary === null || primary.name === cluster.member) return errorText('clusterDown');
  return errorText('moved', slot, `${primary.host}:${primary.port}`);
}

/** The slot of all keys of a command, NONE or SEVERAL. */
function slotOfKeys(entry: Entry, args: Args): number {
  const { command } = entry;
  const { keys, name, keyCountAt, keyAfter } = command;
  const isOne = keys !== null && keys.first === keys.last && keyCountAt === undefined;
  if (isOne && keyAfter === undefined) {
    return slotOf(args.buffer, args.start[keys.first], args.end[keys.first]);
  }
  let slot = NONE;
  if (BY_CHANNEL.has(name)) {
    const last = name.endsWith('PUBLISH') ? 1 : args.count - 1;
    for (let i = 1; i <= last; i++)
      slot = join(slot, slotOf(args.buffer, args.start[i], args.end[i]));
    return slot;
  }
  // A wrong count of keys is for the command itself to complain of.
  const found = findKeys(command, args) ?? [];
  for (const i of found) slot = join(slot, slotOf(args.buffer, args.start[i], args.end[i]));
  return slot;
}

function join(a: number, b: number): number {
  if (a === NONE || a === b) return b;
  return b === NONE ? a : SEVERAL;
}
