/**
 * The one command table. Everything that must know about commands reads it: dispatch, arity errors,
 * MULTI, the proxy's routing, COMMAND, `docs/commands.md` and the tests.
 *
 * A command lives in the file of its group as one entry. To add one: write the entry, with the
 * `conflict` sentence if it writes, its cases, and run `make generate`.
 */
import type { Args } from '../resp/args.ts';
import { aclCommands } from './acl.ts';
import { argumentsTable } from './arguments-table.ts';
import { clientCommands } from './client.ts';
import { clusterCommands } from './cluster.ts';
import { configCommands } from './config-command.ts';
import { connectionCommands } from './connection.ts';
import { crdtCommands } from './crdt.ts';
import { functionCommands } from './function.ts';
import { geoCommands } from './geo.ts';
import { geoSearchCommands } from './geo-search.ts';
import { hashCommands } from './hash.ts';
import { hashCounterCommands } from './hash-counter.ts';
import { hashExpiryCommands } from './hash-expiry.ts';
import { hyperLogLogCommands } from './hyperloglog.ts';
import { infoCommands } from './info.ts';
import { introspectionCommands } from './introspection.ts';
import { keyCommands } from './keys.ts';
import { keyCopyCommands } from './keys-copy.ts';
import { keyDumpCommands } from './keys-dump.ts';
import { keyExpiryCommands } from './keys-expiry.ts';
import { listCommands } from './list.ts';
import { listEditCommands } from './list-edit.ts';
import { listMoveCommands } from './list-move.ts';
import { memoryCommands } from './memory-command.ts';
import { observeCommands } from './observe-commands.ts';
import { pubsubCommands } from './pubsub-commands.ts';
import type { ReplyShape } from './reply-shape.ts';
import { scanCommands } from './scan.ts';
import { scriptCommands } from './script.ts';
import { serverCommands } from './server.ts';
import type { ClientSession } from './session.ts';
import { setCommands } from './set.ts';
import { setAlgebraCommands } from './set-algebra.ts';
import { sortCommands } from './sort.ts';
import { streamCommands } from './stream.ts';
import { streamClaimCommands } from './stream-claim.ts';
import { streamGroupCommands } from './stream-group.ts';
import { streamInfoCommands } from './stream-info.ts';
import { streamReadCommands } from './stream-read.ts';
import { stringCommands } from './string.ts';
import { bitFieldCommands } from './string-bitfield.ts';
import { bitOpCommands } from './string-bitop.ts';
import { bitCommands } from './string-bits.ts';
import { counterCommands } from './string-counter.ts';
import { lcsCommands } from './string-lcs.ts';
import { stringRangeCommands } from './string-range.ts';
import { transactionCommands } from './transaction.ts';
import { zsetCommands } from './zset.ts';
import { zsetAlgebraCommands } from './zset-algebra.ts';
import { zsetPopCommands } from './zset-pop.ts';
import { zsetRangeCommands } from './zset-range.ts';

export type CommandFlag =
  /** May change data: refused on replicas, replicated. */
  | 'write'
  /** Reads data and never changes it. */
  | 'readonly'
  /** Refused when memory is full. */
  | 'denyoom'
  /** For operators, not applications. */
  | 'admin'
  | 'pubsub'
  /** Not allowed from scripts. */
  | 'noscript'
  /** Runs while the member has no data yet (role starting). */
  | 'loading'
  /** Runs on a replica that is not connected. */
  | 'stale'
  | 'fast'
  /** Runs before authentication. */
  | 'no_auth'
  /** May end the turn with the client blocked. */
  | 'blocking'
  /** Not allowed inside MULTI. */
  | 'no_multi'
  /** Keys are not at fixed places: see `keyCountAt`. */
  | 'movablekeys';

export type CommandGroup =
  | 'connection'
  | 'server'
  | 'cluster'
  | 'generic'
  | 'string'
  | 'bitmap'
  | 'hash'
  | 'hyperloglog'
  | 'set'
  | 'sorted-set'
  | 'geo'
  | 'stream'
  | 'list'
  | 'transactions'
  | 'scripting'
  | 'pubsub'
  | 'crdt';

/**
 * Which arguments are keys. `first` counts from 1 (0 is the name); `last` may be negative, -1 being
 * the last argument; every `step`th one between them is a key.
 */
export type KeyRange = { readonly first: number; readonly last: number; readonly step: number };

export type Command = {
  /** Upper case; a subcommand's is `CLIENT|ID`. */
  readonly name: string;
  /** Number of arguments, the name included; negative: at least that many. */
  readonly arity: number;
  readonly group: CommandGroup;
  readonly flags: readonly CommandFlag[];
  /** Null: no keys, or not at fixed places (flag movablekeys). */
  readonly keys: KeyRange | null;
  /** For movablekeys: the argument that counts the keys which follow it. */
  readonly keyCountAt?: number;
  /** For movablekeys: the word behind which keys stand, and then as many other arguments. */
  readonly keysAfter?: string;
  /** For movablekeys: the argument behind the last of such words, if one is there, is a key too. */
  readonly keyAfter?: readonly string[];
  readonly since?: string;
  readonly summary: string;
  readonly complexity: string;
  /** What happens when two regions do it at once; required of every command that writes. */
  readonly conflict?: string;
  readonly reply: ReplyShape;
  /** What it takes, in the notation of argument-grammar.ts; filled in from arguments-table.ts. */
  readonly args?: string;
  /** Named by the second argument; their arity counts both words. */
  readonly subcommands?: readonly Command[];
  /** Runs it: replies through `session.output`. Absent on containers of subcommands. */
  readonly run?: (session: ClientSession, args: Args) => void;
};

const all: readonly Command[] = [
  ...connectionCommands,
  ...clientCommands,
  ...aclCommands,
  ...serverCommands,
  ...infoCommands,
  ...configCommands,
  ...introspectionCommands,
  ...observeCommands,
  ...memoryCommands,
  ...keyCommands,
  ...keyExpiryCommands,
  ...keyCopyCommands,
  ...keyDumpCommands,
  ...scanCommands,
  ...sortCommands,
  ...stringCommands,
  ...stringRangeCommands,
  ...lcsCommands,
  ...counterCommands,
  ...bitCommands,
  ...bitFieldCommands,
  ...bitOpCommands,
  ...hashCommands,
  ...hashCounterCommands,
  ...hashExpiryCommands,
  ...hyperLogLogCommands,
  ...setCommands,
  ...setAlgebraCommands,
  ...streamCommands,
  ...streamReadCommands,
  ...streamGroupCommands,
  ...streamClaimCommands,
  ...streamInfoCommands,
  ...zsetCommands,
  ...zsetRangeCommands,
  ...zsetPopCommands,
  ...zsetAlgebraCommands,
  ...geoCommands,
  ...geoSearchCommands,
  ...listCommands,
  ...listEditCommands,
  ...listMoveCommands,
  ...transactionCommands,
  ...scriptCommands,
  ...functionCommands,
  ...pubsubCommands,
  ...clusterCommands,
  ...crdtCommands,
];

/** Every command by its name in upper case. */
export const commandTable: ReadonlyMap<string, Command> = new Map(
  all.map((command) => [command.name, withArguments(command)]),
);

function withArguments(command: Command): Command {
  const subcommands = command.subcommands?.map(withArguments);
  return { args: argumentsTable[command.name], ...command, subcommands };
}
