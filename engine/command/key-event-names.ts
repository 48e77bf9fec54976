/**
 * Which events a command makes of a key that it changed: the words of Redis' keyspace notifications.
 *
 * Most are named after their command. A key that is gone after a command which takes things away has
 * a `del` besides; a command that replaces a key by nothing makes only that.
 */
import type { Args } from '../resp/args.ts';

/** Named otherwise than the command: `event: COMMANDS`. */
const named: Readonly<Record<string, string>> = {
  set: 'SET SETNX SETEX PSETEX GETSET MSET MSETNX BITOP',
  del: 'DEL UNLINK GETDEL',
  incrby: 'INCR DECR INCRBY DECRBY',
  hset: 'HSET HMSET HSETNX',
  expire: 'EXPIRE PEXPIRE EXPIREAT PEXPIREAT',
  hexpire: 'HEXPIRE HPEXPIRE HEXPIREAT HPEXPIREAT',
  setbit: 'SETBIT BITFIELD',
  copy_to: 'COPY',
  sortstore: 'SORT',
  pfadd: 'PFADD PFMERGE',
  zadd: 'ZADD GEOADD',
  zincr: 'ZINCRBY',
  zpopmin: 'ZPOPMIN BZPOPMIN',
  zpopmax: 'ZPOPMAX BZPOPMAX',
  lpush: 'LPUSH LPUSHX',
  rpush: 'RPUSH RPUSHX',
  lpop: 'LPOP BLPOP',
  rpop: 'RPOP BRPOP',
  'xgroup-create': 'XGROUP|CREATE',
  'xgroup-setid': 'XGROUP|SETID',
  'xgroup-destroy': 'XGROUP|DESTROY',
  'xgroup-createconsumer': 'XGROUP|CREATECONSUMER',
  'xgroup-delconsumer': 'XGROUP|DELCONSUMER',
};

const nameOf = new Map(
  Object.entries(named).flatMap(([event, commands]) =>
    commands.split(' ').map((command) => [command, event] as const),
  ),
);

/** Commands that leave nothing of a key but `del`, when they leave nothing. */
const REPLACES = /STORE$|^(BITOP|SORT|EXPIRE|PEXPIRE|EXPIREAT|PEXPIREAT|GETEX)$/;
const SETS_EXPIRY = new Set(['SET', 'SETEX', 'PSETEX']);

/** What is known of a key after a command. */
export type ChangedKey = { readonly exists: boolean; readonly expires: boolean };

/** The events of one key, in order. `key` tells sources from destinations. */
export function eventsOf(command: string, args: Args, key: string, now: ChangedKey): string[] {
  const moved = moveEvent(command, args, key);
  const event = moved ?? optionEvent(command, args) ?? nameOf.get(command) ?? command.toLowerCase();
  if (!now.exists && (event === 'del' || REPLACES.test(command))) return ['del'];
  if (now.exists) {
    return SETS_EXPIRY.has(command) && now.expires ? [event, 'expire'] : [event];
  }
  return event === 'rename_from' ? [event] : [event, 'del'];
}

/** Commands with two keys: what was taken from one, and put into the other. */
function moveEvent(command: string, args: Args, key: string): string | null {
  const isSource = args.count > 1 && args.text(1) === key;
  switch (command) {
    case 'RENAME':
    case 'RENAMENX':
      return isSource ? 'rename_from' : 'rename_to';
    case 'SMOVE':
      return isSource ? 'srem' : 'sadd';
    case 'RPOPLPUSH':
    case 'BRPOPLPUSH':
      return isSource ? 'rpop' : 'lpush';
    case 'LMOVE':
    case 'BLMOVE': {
      const end = args.text(isSource ? 3 : 4).toLowerCase();
      return `${end[0]}${isSource ? 'pop' : 'push'}`;
    }
  }
  return null;
}

/** Commands whose words decide. */
function optionEvent(command: string, args: Args): string | null {
  const has = (word: string): boolean => {
    for (let i = 2; i < args.count; i++) if (args.equalsIgnoreCase(i, word)) return true;
    return false;
  };
  switch (command) {
    case 'GETEX':
      return has('PERSIST') ? 'persist' : 'expire';
    case 'ZADD':
      return has('INCR') ? 'zincr' : 'zadd';
    case 'LMPOP':
    case 'BLMPOP':
      return has('LEFT') ? 'lpop' : 'rpop';
    case 'ZMPOP':
    case 'BZMPOP':
      return has('MIN') ? 'zpopmin' : 'zpopmax';
  }
  return null;
}

/** What is said of a key that another region or the primary has changed: nobody knows by what. */
export const eventByType: Readonly<Record<string, string>> = {
  none: 'del',
  string: 'set',
  hash: 'hset',
  set: 'sadd',
  zset: 'zadd',
  list: 'rpush',
  stream: 'xadd',
};

const GENERIC = new Set([
  'del',
  'expire',
  'persist',
  'rename_from',
  'rename_to',
  'copy_to',
  'restore',
]);
const letterByGroup: Readonly<Record<string, string>> = {
  string: '$',
  bitmap: '$',
  hyperloglog: '$',
  hash: 'h',
  set: 's',
  'sorted-set': 'z',
  geo: 'z',
  list: 'l',
  stream: 't',
};
const letterByName: Readonly<Record<string, string>> = {
  expired: 'x',
  hexpired: 'h',
  evicted: 'e',
  keymiss: 'm',
  new: 'n',
  sortstore: 'l',
  set: '$',
  hset: 'h',
  sadd: 's',
  zadd: 'z',
  rpush: 'l',
  xadd: 't',
};

/** The letter of notify-keyspace-events that lets an event through. */
export function letterOf(event: string, group: string): string {
  if (GENERIC.has(event)) return 'g';
  return letterByName[event] ?? letterByGroup[group] ?? 'g';
}
