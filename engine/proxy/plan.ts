/**
 * What the proxy does with each command, decided once per entry of the command table.
 *
 *     keys       all keys in one slot → forwarded as it came
 *     split      the keys may be anywhere → one part per shard, replies merged
 *     all        asked of every shard, replies merged
 *     special    the proxy has its own way (SCAN, MULTI, SUBSCRIBE, WAIT …)
 *     local      the proxy answers for itself, with the engine's own code
 */
import { keyAfterWord, keysAfterWord } from '../command/command-describe.ts';
import { type Entry, WRITE } from '../command/dispatch.ts';
import type { KeyRange } from '../command/table.ts';
import type { Args } from '../resp/args.ts';
import type { Merge } from './merge.ts';

export type Special =
  | 'scan'
  | 'wait'
  | 'blocking'
  | 'token'
  | 'after'
  | 'verify'
  | 'multi'
  | 'exec'
  | 'discard'
  | 'watch'
  | 'unwatch'
  | 'reset'
  | 'subscribe'
  | 'unsubscribe'
  | 'slot';

export type CommandPlan = {
  readonly kind: 'keys' | 'split' | 'all' | 'special' | 'local';
  readonly keys: KeyRange | null;
  /** The argument that counts the keys behind it; 0: none does. */
  readonly keyCountAt: number;
  /** The argument behind the last such word is a key too; null: there is no such word. */
  readonly keyAfter: readonly string[] | null;
  /** Keys are the first half of what stands behind this word; null: there is no such word. */
  readonly keysAfter: string | null;
  readonly merge: Merge | null;
  readonly special: Special | null;
  /** Sending it twice could do harm. */
  readonly write: boolean;
  /** May be queued in a transaction, which the member runs. */
  readonly inMulti: boolean;
};

const SPLIT: Readonly<Record<string, Merge>> = {
  MGET: 'elements',
  MSET: 'ok',
  DEL: 'sum',
  UNLINK: 'sum',
  EXISTS: 'sum',
  TOUCH: 'sum',
};

const ALL: Readonly<Record<string, Merge>> = {
  DBSIZE: 'sum',
  KEYS: 'concat',
  FLUSHALL: 'ok',
  FLUSHDB: 'ok',
  SWAPDB: 'ok',
  RANDOMKEY: 'any',
  'PUBSUB|CHANNELS': 'concat',
  'PUBSUB|SHARDCHANNELS': 'concat',
  'PUBSUB|NUMSUB': 'counts',
  'PUBSUB|SHARDNUMSUB': 'counts',
  'PUBSUB|NUMPAT': 'max',
  'CRDT.LINK': 'ok',
  'SCRIPT|LOAD': 'any',
  'SCRIPT|EXISTS': 'each-min',
  'SCRIPT|FLUSH': 'ok',
  'FUNCTION|LOAD': 'any',
  'FUNCTION|DELETE': 'ok',
  'FUNCTION|FLUSH': 'ok',
  'FUNCTION|RESTORE': 'ok',
};

const SPECIAL: Readonly<Record<string, Special>> = {
  SCAN: 'scan',
  WAIT: 'wait',
  'CRDT.WAIT': 'wait',
  'CRDT.TOKEN': 'token',
  'CRDT.AFTER': 'after',
  'CRDT.VERIFY': 'verify',
  MULTI: 'multi',
  EXEC: 'exec',
  DISCARD: 'discard',
  WATCH: 'watch',
  UNWATCH: 'unwatch',
  RESET: 'reset',
  SUBSCRIBE: 'subscribe',
  PSUBSCRIBE: 'subscribe',
  SSUBSCRIBE: 'subscribe',
  UNSUBSCRIBE: 'unsubscribe',
  PUNSUBSCRIBE: 'unsubscribe',
  SUNSUBSCRIBE: 'unsubscribe',
  'CLUSTER|COUNTKEYSINSLOT': 'slot',
  'CLUSTER|GETKEYSINSLOT': 'slot',
};

/** Commands whose channel is routed like a key. */
const BY_CHANNEL = new Set(['PUBLISH', 'SPUBLISH']);
/** Commands without keys that do no harm on a connection that clients share. */
const HARMLESS_IN_MULTI = new Set(['PING', 'ECHO', 'TIME', 'SELECT']);
/** They may write, although that is not in their flags: a replica runs them too. */
const MAY_WRITE = new Set([...BY_CHANNEL, 'CRDT.LINK', 'EVAL', 'EVALSHA', 'FCALL']);
/** All shards know the same, so one is asked: that of the first slot. */
const ASKED_OF_ONE = new Set(['FUNCTION|LIST', 'FUNCTION|STATS', 'FUNCTION|DUMP']);
const FIRST_ARGUMENT: KeyRange = { first: 1, last: 1, step: 1 };

const plans = new Map<Entry, CommandPlan>();

/** The plan of an entry. */
export function planOf(entry: Entry): CommandPlan {
  let plan = plans.get(entry);
  if (plan === undefined) {
    plan = makePlan(entry);
    plans.set(entry, plan);
  }
  return plan;
}

function makePlan(entry: Entry): CommandPlan {
  const { command } = entry;
  const { name } = command;
  const keys = BY_CHANNEL.has(name) ? FIRST_ARGUMENT : command.keys;
  const keyCountAt = command.keyCountAt ?? 0;
  const keysAfter = command.keysAfter ?? null;
  const keyed = keys !== null || keyCountAt > 0 || keysAfter !== null;
  const blocks = keyed && command.flags.includes('blocking');
  const own = SPECIAL[name] ?? SPECIAL[name.split('|', 1)[0]] ?? null;
  const special = own ?? (blocks ? 'blocking' : null);
  const merge = SPLIT[name] ?? ALL[name] ?? null;
  let kind: CommandPlan['kind'] = 'local';
  if (special !== null) kind = 'special';
  else if (name in SPLIT) kind = 'split';
  else if (name in ALL) kind = 'all';
  else if (keyed || ASKED_OF_ONE.has(name)) kind = 'keys';
  return {
    kind,
    keys,
    keyCountAt,
    keyAfter: command.keyAfter ?? null,
    keysAfter,
    merge,
    special,
    write: (entry.bits & WRITE) !== 0 || MAY_WRITE.has(name),
    inMulti: (keyed && own === null) || HARMLESS_IN_MULTI.has(name),
  };
}

/** Indexes of the arguments that are keys, in order; empty when the counts do not fit. */
export function keyIndexes(plan: CommandPlan, args: Args): number[] {
  const found: number[] = [];
  const { keys, keyCountAt } = plan;
  if (keys !== null) {
    const last = keys.last < 0 ? args.count + keys.last : Math.min(keys.last, args.count - 1);
    for (let i = keys.first; i <= last; i += keys.step) found.push(i);
    const after = keyAfterWord(plan.keyAfter, keys, args);
    if (after > 0) found.push(after);
  }
  if (plan.keysAfter !== null) found.push(...(keysAfterWord(plan.keysAfter, args) ?? []));
  if (keyCountAt > 0 && keyCountAt < args.count) {
    const count = args.integer(keyCountAt);
    const fits = count > 0 && keyCountAt + count < args.count;
    for (let i = 1; fits && i <= count; i++) found.push(keyCountAt + i);
  }
  return found;
}
