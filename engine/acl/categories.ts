/**
 * The ACL categories of a command: from its group and flags, and what Redis puts elsewhere.
 *
 * The exceptions also name commands that we do not have yet: a command that comes later is sorted
 * as in Redis from its first day. redis.acl.compare.test.ts compares every command with Redis.
 */
import type { Command, CommandFlag } from '../command/table.ts';

/** In the order in which ACL CAT lists them. */
export const CATEGORIES = [
  'keyspace',
  'read',
  'write',
  'set',
  'sortedset',
  'list',
  'hash',
  'string',
  'bitmap',
  'hyperloglog',
  'geo',
  'stream',
  'pubsub',
  'admin',
  'fast',
  'slow',
  'blocking',
  'dangerous',
  'connection',
  'transaction',
  'scripting',
] as const;

export type Category = (typeof CATEGORIES)[number];

const byGroup: Readonly<Record<string, Category>> = {
  connection: 'connection',
  generic: 'keyspace',
  string: 'string',
  bitmap: 'bitmap',
  hash: 'hash',
  set: 'set',
  'sorted-set': 'sortedset',
  list: 'list',
  hyperloglog: 'hyperloglog',
  geo: 'geo',
  stream: 'stream',
  transactions: 'transaction',
  scripting: 'scripting',
};

const byFlag: Partial<Record<CommandFlag, readonly Category[]>> = {
  write: ['write'],
  readonly: ['read'],
  admin: ['admin', 'dangerous'],
  pubsub: ['pubsub'],
  blocking: ['blocking'],
};

/** Instead of the category of the group, by name or by container. */
const insteadOfGroup: Readonly<Record<string, readonly Category[]>> = {
  WAIT: ['connection'],
  FLUSHALL: ['keyspace', 'dangerous'],
  FLUSHDB: ['keyspace', 'dangerous'],
  SWAPDB: ['keyspace', 'dangerous'],
  DBSIZE: ['keyspace'],
  KEYS: ['keyspace', 'dangerous'],
  MIGRATE: ['keyspace', 'dangerous'],
  RESTORE: ['keyspace', 'dangerous'],
  'RESTORE-ASKING': ['keyspace', 'dangerous'],
  SORT: ['set', 'sortedset', 'list', 'dangerous'],
  SORT_RO: ['set', 'sortedset', 'list', 'dangerous'],
  READONLY: ['connection'],
  READWRITE: ['connection'],
  ASKING: ['connection'],
  ROLE: ['admin', 'dangerous'],
  LASTSAVE: ['admin', 'dangerous'],
  INFO: ['dangerous'],
  COMMAND: ['connection'],
  'OBJECT|': ['keyspace'],
  'COMMAND|': ['connection'],
};

/** The categories of a command, in the order of CATEGORIES. */
export function categoriesOf(command: Command): Category[] {
  const { name, flags, group, subcommands, run } = command;
  const found = new Set<Category>();
  for (const flag of flags) for (const category of byFlag[flag] ?? []) found.add(category);
  const container = `${name.split('|', 1)[0]}|`;
  const special = insteadOfGroup[name] ?? (name.includes('|') ? insteadOfGroup[container] : null);
  // A container runs nothing itself: only its subcommands are sorted.
  const ofGroup = subcommands && !run ? [] : [byGroup[group]].filter((one) => one !== undefined);
  for (const category of special ?? ofGroup) found.add(category);
  // What a script may do is decided command by command, whatever the script as a whole is called.
  if (found.has('scripting')) found.delete('read');
  if (group === 'crdt') found.add('dangerous');
  found.add(flags.includes('fast') ? 'fast' : 'slow');
  return CATEGORIES.filter((category) => found.has(category));
}
