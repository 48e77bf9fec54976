/**
 * What commands do with each of their keys, in Redis' words: how the value is touched (RO, RW, OW
 * overwrites, RM removes) and what of the user's data is (access, insert, update, delete). ACL
 * patterns such as `%R~` ask for it, and COMMAND GETKEYSANDFLAGS shows it.
 *
 * One entry per key in the order of the keys; the last one stands for all that follow. What is not
 * here has 'RO access' when it only reads, else 'RW update'. Commands that we do not have yet are
 * here as well; redis.acl.compare.test.ts compares with Redis.
 */
import type { Command } from '../command/table.ts';

/** `RW access update`: touched as, then what is done to the data. */
export type KeyFlags = string;

const COUNTED = ['RO'];
const TAKEN = ['RW access delete'];
const REMOVED = ['RW delete'];
const CHANGED = ['RW access update'];
const ADDED = ['RW insert'];
const WRITTEN = ['OW update'];
const COMBINED = ['OW update', 'RO access'];
const MOVED = ['RW access delete', 'RW insert'];
const STORED_LAST = ['RO access', 'OW update'];

const groups: readonly (readonly [flags: readonly KeyFlags[], names: string])[] = [
  [COUNTED, 'TOUCH HSTRLEN EXISTS WATCH SCARD HEXISTS STRLEN XLEN ZCARD HLEN TYPE SISMEMBER LLEN'],
  [COUNTED, 'OBJECT|IDLETIME OBJECT|ENCODING OBJECT|FREQ OBJECT|REFCOUNT MEMORY|USAGE'],
  [TAKEN, 'BRPOP LMPOP BLMPOP BZMPOP LPOP BZPOPMAX BZPOPMIN RPOP BLPOP ZMPOP ZPOPMAX ZPOPMIN'],
  [TAKEN, 'SPOP GETDEL'],
  [REMOVED, 'ZREM LTRIM ZREMRANGEBYLEX HDEL XDEL LREM SREM ZREMRANGEBYSCORE XGROUP|DESTROY'],
  [REMOVED, 'XGROUP|DELCONSUMER ZREMRANGEBYRANK XTRIM XAUTOCLAIM'],
  [CHANGED, 'INCRBYFLOAT HINCRBYFLOAT GETSET INCRBY DECRBY HINCRBY INCR SETBIT ZINCRBY DECR GETEX'],
  [CHANGED, 'MOVE SET BITFIELD EVAL EVALSHA FCALL'],
  [ADDED, 'SADD LPUSH PFADD HSETNX LPUSHX LINSERT APPEND XGROUP|CREATE XGROUP|CREATECONSUMER'],
  [ADDED, 'RPUSH RPUSHX'],
  [COMBINED, 'ZUNIONSTORE GEOSEARCHSTORE SDIFFSTORE SUNIONSTORE ZRANGESTORE ZDIFFSTORE'],
  [COMBINED, 'ZINTERSTORE BITOP'],
  [WRITTEN, 'SETEX MSET PSETEX RESTORE RESTORE-ASKING'],
  [MOVED, 'SMOVE LMOVE RPOPLPUSH BLMOVE BRPOPLPUSH'],
  [STORED_LAST, 'COPY SORT GEORADIUS GEORADIUSBYMEMBER'],
  [['OW insert'], 'SETNX MSETNX'],
  [['RM delete'], 'DEL UNLINK'],
  [['RW update', 'RO access'], 'SINTERSTORE'],
  [['RW access insert', 'RO access'], 'PFMERGE'],
  [['RW access delete', 'OW update'], 'RENAME'],
  [['RW access delete', 'OW insert'], 'RENAMENX'],
  [['RW access'], 'PFCOUNT PFDEBUG'],
  [['RO access'], 'XREADGROUP'],
];

const byName = new Map(
  groups.flatMap(([flags, names]) => names.split(' ').map((name) => [name, flags] as const)),
);
const READ = ['RO access'];
const UPDATE = ['RW update'];

/** What the command does with its keys, in their order; the last one stands for the rest. */
export function keyFlagsOf(command: Command): readonly KeyFlags[] {
  return byName.get(command.name) ?? (command.flags.includes('write') ? UPDATE : READ);
}
