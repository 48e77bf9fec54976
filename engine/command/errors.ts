/**
 * Every error that a command can answer, in one catalogue.
 *
 * The first word is the code that clients match on; the sentence is Redis' own where Redis has the
 * error. `%s` is filled in where the error is made. `docs/errors.md` is generated from here, and a
 * test checks that every entry is used and that no command makes up an error of its own.
 */

import { accessErrors } from './errors-access.ts';
import { keysErrors } from './errors-keys.ts';
import { listErrors } from './errors-list.ts';
import { scriptErrors } from './errors-script.ts';
import { zsetErrors } from './errors-zset-table.ts';
import { streamErrors } from './stream-errors.ts';

export type ErrorEntry = {
  /** The whole reply without the leading `-`. */
  readonly text: string;
  /** When a client sees it, and what to do; for the docs. */
  readonly meaning: string;
};

export const errorCatalogue = {
  ...accessErrors,
  syntax: {
    text: 'ERR syntax error',
    meaning: 'An option is unknown, is missing its value, or contradicts another one.',
  },
  arity: {
    text: "ERR wrong number of arguments for '%s' command",
    meaning: 'Too few or too many arguments for the command.',
  },
  unknownCommand: {
    text: "ERR unknown command '%s', with args beginning with: %s",
    meaning: 'There is no such command; see the list in commands.md.',
  },
  unknownSubcommand: {
    text: "ERR unknown subcommand '%s'. Try %s HELP.",
    meaning: 'The command exists but has no such subcommand.',
  },
  notInteger: {
    text: 'ERR value is not an integer or out of range',
    meaning: 'The argument, or the value stored at the key, is no signed 64-bit integer.',
  },
  int32Range: {
    text: 'ERR value is out of range, value must between -2147483648 and 2147483647',
    meaning: 'The number of a database is a 32-bit integer (and only 0 exists).',
  },
  int64Range: {
    text:
      'ERR value is out of range, value must between -9223372036854775807 and ' +
      '9223372036854775807',
    meaning: 'The smallest 64-bit integer has no opposite, so it cannot be a number of draws.',
  },
  notFloat: {
    text: 'ERR value is not a valid float',
    meaning: 'The argument, or the value stored at the key, is no decimal number.',
  },
  notFinite: {
    text: 'ERR increment would produce NaN or Infinity',
    meaning: 'The increment, or the sum, is beyond the range of decimal numbers.',
  },
  nanOrInfinity: {
    text: 'ERR value is NaN or Infinity',
    meaning: 'HINCRBYFLOAT by an infinite amount.',
  },
  overflow: {
    text: 'ERR increment or decrement would overflow',
    meaning: 'The result would lie outside the signed 64-bit integers; nothing was changed.',
  },
  decrementOverflow: {
    text: 'ERR decrement would overflow',
    meaning: 'DECRBY by the smallest 64-bit integer, which has no opposite.',
  },
  outOfRange: {
    text: 'ERR value is out of range',
    meaning: 'A count is beyond what the command accepts.',
  },
  mustBePositive: {
    text: 'ERR value is out of range, must be positive',
    meaning: 'A count must not be negative.',
  },
  invalidExpire: {
    text: "ERR invalid expire time in '%s' command",
    meaning: 'The expiry is zero, negative where it must not be, or beyond 2^53 ms.',
  },
  expireNxWithOthers: {
    text: 'ERR NX and XX, GT or LT options at the same time are not compatible',
    meaning: 'The conditions of EXPIRE exclude each other.',
  },
  expireGtLt: {
    text: 'ERR GT and LT options at the same time are not compatible',
    meaning: 'The conditions of EXPIRE exclude each other.',
  },
  unsupportedOption: {
    text: 'ERR Unsupported option %s',
    meaning: 'EXPIRE has no such option.',
  },
  noSuchKey: {
    text: 'ERR no such key',
    meaning: 'RENAME of a key that does not exist.',
  },
  invalidCursor: {
    text: 'ERR invalid cursor',
    meaning: 'The cursor of a SCAN must be one that the last SCAN returned, or 0.',
  },
  offsetRange: {
    text: 'ERR offset is out of range',
    meaning: 'SETRANGE at a negative offset.',
  },
  stringTooLong: {
    text: 'ERR string exceeds maximum allowed size (proto-max-bulk-len)',
    meaning: 'The result would be longer than proto-max-bulk-len, at most 512 MB.',
  },
  bitOffset: {
    text: 'ERR bit offset is not an integer or out of range',
    meaning: 'A bit offset is a whole number from 0 to 2^32 - 1.',
  },
  bitValue: {
    text: 'ERR bit is not an integer or out of range',
    meaning: 'SETBIT writes 0 or 1.',
  },
  bitArgument: {
    text: 'ERR The bit argument must be 1 or 0.',
    meaning: 'BITPOS looks for 0 or 1.',
  },
  ...zsetErrors,
  ...keysErrors,
  numKeysPositive: {
    text: 'ERR numkeys should be greater than 0',
    meaning: 'SINTERCARD, LMPOP and BLMPOP need at least one key.',
  },
  numKeysTooGreat: {
    text: "ERR Number of keys can't be greater than number of args",
    meaning: 'SINTERCARD counts more keys than follow.',
  },
  limitNegative: {
    text: "ERR LIMIT can't be negative",
    meaning: 'SINTERCARD LIMIT is 0 (none) or positive.',
  },
  dbIndexRange: {
    text: 'ERR DB index is out of range',
    meaning: 'There is one database per resource, number 0; use another resource for another one.',
  },
  sameObject: {
    text: 'ERR source and destination objects are the same',
    meaning: 'COPY of a key onto itself.',
  },
  protocolVersion: {
    text: 'NOPROTO unsupported protocol version',
    meaning: 'HELLO knows the protocols 2 and 3.',
  },
  protocolNotInteger: {
    text: 'ERR Protocol version is not an integer or out of range',
    meaning: 'The first argument of HELLO is 2 or 3.',
  },
  helloOption: {
    text: "ERR Syntax error in HELLO option '%s'",
    meaning: 'HELLO knows AUTH and SETNAME.',
  },
  clientName: {
    text: 'ERR Client names cannot contain spaces, newlines or special characters.',
    meaning: 'A connection name consists of printable ASCII without blanks.',
  },
  clientInfoValue: {
    text: 'ERR %s cannot contain spaces, newlines or special characters.',
    meaning: 'CLIENT SETINFO takes printable ASCII without blanks.',
  },
  clientInfoOption: {
    text: "ERR Unrecognized option '%s'",
    meaning: 'CLIENT SETINFO knows LIB-NAME and LIB-VER.',
  },
  clientId: {
    text: 'ERR Invalid client ID',
    meaning: 'CLIENT LIST ID takes positive integers.',
  },
  clientIdRange: {
    text: 'ERR client-id should be greater than 0',
    meaning: 'CLIENT KILL ID takes a positive integer.',
  },
  clientType: {
    text: "ERR Unknown client type '%s'",
    meaning: 'Client types are normal, master, replica and pubsub.',
  },
  noSuchClient: {
    text: 'ERR No such client',
    meaning: 'CLIENT KILL addr:port found nobody.',
  },
  noSuchUser: {
    text: "ERR No such user '%s'",
    meaning: 'CLIENT KILL USER of a user that does not exist; ACL USERS lists them.',
  },
  pauseMode: {
    text: 'ERR CLIENT PAUSE mode must be WRITE or ALL',
    meaning: 'The optional last argument of CLIENT PAUSE.',
  },
  timeoutNotInteger: {
    text: 'ERR timeout is not an integer or out of range',
    meaning: 'A timeout is a whole number of milliseconds.',
  },
  timeoutNegative: {
    text: 'ERR timeout is negative',
    meaning: 'A timeout is zero (no limit) or positive.',
  },
  unblockMode: {
    text: 'ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR',
    meaning: 'The optional last argument of CLIENT UNBLOCK.',
  },
  unblocked: {
    text: 'UNBLOCKED client unblocked via CLIENT UNBLOCK',
    meaning: 'Another connection ended the wait of this one by CLIENT UNBLOCK … ERROR.',
  },
  pubsubArity: {
    text: "ERR unknown subcommand or wrong number of arguments for '%s'. Try PUBSUB HELP.",
    meaning: 'PUBSUB CHANNELS takes at most one pattern.',
  },
  multiNested: {
    text: 'ERR MULTI calls can not be nested',
    meaning: 'EXEC or DISCARD first.',
  },
  watchInMulti: {
    text: 'ERR WATCH inside MULTI is not allowed',
    meaning: 'WATCH comes before MULTI.',
  },
  execWithoutMulti: { text: 'ERR EXEC without MULTI', meaning: 'There is nothing to execute.' },
  discardWithoutMulti: {
    text: 'ERR DISCARD without MULTI',
    meaning: 'There is nothing to discard.',
  },
  notInMulti: {
    text: 'ERR Command not allowed inside a transaction',
    meaning: 'The command would block or change the mode of the connection.',
  },
  queueFull: {
    text: 'ERR the commands queued by MULTI take more than %s bytes',
    meaning: 'Split the transaction; nothing of it was executed.',
  },
  execAborted: {
    text: 'EXECABORT Transaction discarded because of previous errors.',
    meaning: 'A command of the transaction was refused when it was queued; nothing was executed.',
  },
  execAbortedBy: {
    text: 'EXECABORT Transaction discarded because of: %s',
    meaning: 'EXEC itself was refused, for the reason given; nothing was executed.',
  },
  subscribeMode: {
    text:
      "ERR Can't execute '%s': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET " +
      'are allowed in this context',
    meaning: 'A RESP2 connection with subscriptions; use another connection, or RESP3.',
  },
  readOnly: {
    text: "READONLY You can't write against a read only replica.",
    meaning: 'This member is a replica: write through a proxy, or to the primary.',
  },
  loading: {
    text: 'LOADING %s',
    meaning: 'The member cannot serve data yet; try again in a moment.',
  },
  outOfMemory: {
    text: "OOM command not allowed when used memory > 'maxmemory'.",
    meaning:
      'The member is full and its eviction policy finds nothing to evict: delete keys, give the ' +
      'database more memory, or another maxmemory-policy.',
  },
  wrongType: {
    text: 'WRONGTYPE Operation against a key holding the wrong kind of value',
    meaning: 'The key holds another type than the command works on.',
  },
  hashNotInteger: {
    text: 'ERR hash value is not an integer',
    meaning: 'HINCRBY on a field that holds no integer.',
  },
  hashNotFloat: {
    text: 'ERR hash value is not a float',
    meaning: 'HINCRBYFLOAT on a field that holds no number.',
  },
  ...scriptErrors,
  replyTooLong: {
    text: 'ERR the replies that wait for this client would take more than %s bytes',
    meaning: 'Read less at once. If the command writes, it has taken effect.',
  },
  maxClients: {
    text: 'ERR max number of clients reached',
    meaning: 'The member has as many connections as it accepts; this one is closed.',
  },
  protocol: {
    text: 'ERR %s',
    meaning: 'The bytes received are no RESP; the connection is closed.',
  },
  debugRefused: {
    text: 'ERR DEBUG command not allowed. Meridian has none; see CRDT.STATUS and CRDT.EXPLAIN',
    meaning: 'DEBUG is refused in any case.',
  },
  crossSlot: {
    text: "CROSSSLOT Keys in request don't hash to the same slot",
    meaning:
      'Asked of a member itself, a command needs all of its keys in one slot: give them a common ' +
      'hash tag, as in {user1}:name and {user1}:mail.',
  },
  patternsOfAllShards: {
    text: 'ERR a member hears only the channels of its own slots: PSUBSCRIBE through a proxy',
    meaning: 'There is no cluster bus; a proxy listens to all shards. See clients.md.',
  },
  moved: {
    text: 'MOVED %s %s',
    meaning: 'Another member takes this slot; clients with a cluster mode follow by themselves.',
  },
  clusterDown: {
    text: 'CLUSTERDOWN Hash slot not served',
    meaning: 'The map gives the slot to no shard, or its shard has no primary at the moment.',
  },
  invalidSlot: {
    text: 'ERR Invalid slot',
    meaning: 'A slot is a number from 0 to 16383.',
  },
  invalidSlotOrCount: {
    text: 'ERR Invalid slot or number of keys',
    meaning: 'A slot is a number from 0 to 16383, and a count is not negative.',
  },
  unknownNode: {
    text: 'ERR Unknown node %s',
    meaning: 'No member has this id; see CLUSTER NODES.',
  },
  notAPrimary: {
    text: 'ERR The specified node is not a master',
    meaning: 'CLUSTER REPLICAS is asked of a primary.',
  },
  noCluster: {
    text: 'ERR This instance has cluster support disabled',
    meaning: 'The Redis Cluster API is not served yet; connect to a proxy.',
  },
  noShutdown: {
    text: 'ERR No shutdown in progress.',
    meaning: 'SHUTDOWN ABORT without a shutdown in progress.',
  },
  waitOnReplica: {
    text: 'ERR WAIT cannot be used with replica instances.',
    meaning: 'WAIT and CRDT.WAIT go to the primary, which took the writes.',
  },
  lfuPolicy: {
    text:
      'ERR An LFU maxmemory policy is not selected, access frequency not tracked. Please note ' +
      'that when switching between policies at runtime LRU and LFU data will take some time ' +
      'to adjust.',
    meaning: 'OBJECT FREQ needs an LFU policy: CONFIG SET maxmemory-policy allkeys-lfu.',
  },
  lruPolicy: {
    text:
      'ERR An LFU maxmemory policy is selected, idle time not tracked. Please note that when ' +
      'switching between policies at runtime LRU and LFU data will take some time to adjust.',
    meaning: 'OBJECT IDLETIME needs a policy that is not LFU; OBJECT FREQ answers now.',
  },
  configUnknown: {
    text: "ERR Unknown option or number of arguments for CONFIG SET - '%s'",
    meaning: 'There is no such setting; CONFIG GET * lists them.',
  },
  configDuplicate: {
    text: "ERR CONFIG SET failed (possibly related to argument '%s') - duplicate parameter",
    meaning: 'A setting is named twice.',
  },
  configFixed: {
    text: "ERR CONFIG SET failed (possibly related to argument '%s') - can't set immutable config",
    meaning: 'The setting is fixed at start by a flag or by the operator.',
  },
  configValue: {
    text: "ERR CONFIG SET failed (possibly related to argument '%s') - %s",
    meaning: 'The value does not fit the setting; nothing was changed.',
  },
  configRewrite: {
    text: 'ERR The server is running without a config file',
    meaning: 'Settings come from flags; the resource is where they are kept.',
  },
  getKeysUnknown: {
    text: 'ERR Invalid command specified',
    meaning: 'COMMAND GETKEYS of a command that does not exist.',
  },
  getKeysNone: {
    text: 'ERR The command has no key arguments',
    meaning: 'COMMAND GETKEYS of a command without keys.',
  },
  getKeysArity: {
    text: 'ERR Invalid number of arguments specified for command',
    meaning: 'COMMAND GETKEYS with too few or too many arguments.',
  },
  getKeysInvalid: {
    text: 'ERR Invalid arguments specified for command',
    meaning: 'COMMAND GETKEYS with a wrong count of keys.',
  },
  noSuchRegion: {
    text: 'ERR there is no peer region %s; CRDT.STATUS lists them',
    meaning: 'CRDT.LINK or CRDT.VERIFY names a region that this member has no link to.',
  },
  linkMode: {
    text: "ERR CRDT.LINK takes PAUSE or RESUME, not '%s'",
    meaning: 'The last argument of CRDT.LINK.',
  },
  verifyBusy: {
    text: 'BUSY other CRDT.VERIFY run here; try again when they have ended',
    meaning: 'Comparing costs time of the member, so only a few may run at once.',
  },
  verifyElsewhere: {
    text: 'ERR CRDT.VERIFY compares primaries; ask the primary of these slots, or a proxy',
    meaning: 'A replica has no sessions with other regions.',
  },
  verifyStopped: {
    text: 'ERR the comparison was given up before it had ended',
    meaning: 'CRDT.VERIFY inside MULTI, where nothing may block, or ended by CLIENT UNBLOCK.',
  },
  badToken: {
    text: 'ERR invalid token: %s; hand over what CRDT.TOKEN gave, unchanged',
    meaning: 'CRDT.AFTER with a text that is no token; what is wrong with it is said.',
  },
  tokenOfOtherDatabase: {
    text: 'ERR the token is of database %s, this is %s; a token is of use within its database only',
    meaning: 'CRDT.AFTER with a token that another database gave.',
  },
  tokenOfOtherSlots: {
    text: 'ERR the token is about slots %s, this member has %s; ask a proxy, or a member of those slots',
    meaning: 'CRDT.AFTER asked of a member that holds none of the slots which the token names.',
  },
  staleMap: {
    text: 'STALEMAP have %s, got %s',
    meaning: 'CRDT.MAP SET with an older version than the one held; nothing was changed.',
  },
  invalidMap: {
    text: 'ERR invalid map: %s',
    meaning: 'CRDT.MAP SET with a map that breaks a rule; path and rule are given.',
  },
  ...listErrors,
  ...streamErrors,
} as const satisfies Record<string, ErrorEntry>;

export type ErrorName = keyof typeof errorCatalogue;

/** The reply of an error with its `%s` filled in; like C, a value goes up to its first NUL. */
export function errorText(name: ErrorName, ...fill: readonly (string | number)[]): string {
  const text = errorCatalogue[name].text;
  if (fill.length === 0) return text;
  let next = 0;
  return text.replaceAll('%s', () => String(fill[next++]).split('\0', 1)[0]);
}

/** Ends a command with an error reply; whatever it had written of its reply is taken back. */
export class CommandError extends Error {}

/** The error to throw from a command. Throw it before anything was changed. */
export function commandError(name: ErrorName, ...fill: readonly (string | number)[]): CommandError {
  return new CommandError(errorText(name, ...fill));
}
