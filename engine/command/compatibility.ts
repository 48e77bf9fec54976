/**
 * What of Redis 7.2 is not here, and why: the part of docs/compatibility.md that a program can tell. A
 * test checks that every command of Redis is served or has its reason, and none has both.
 */
import { REDIS_COMMANDS } from './redis-commands-table.ts';
import type { Command } from './table.ts';

const BY_OPERATOR =
  'the operator (or `CRDT.MAP SET`) says who holds which slots and who is primary';
const BY_LOG =
  'the log is always written; images are begun by themselves, off the path of commands';
const BY_PEERS = 'members replicate by a protocol of their own (protocol.md)';
const NO_MODULES = 'there are no modules; functions and scripts are served';

/** Commands that are not served, each with its reason. A container stands for its subcommands. */
export const NOT_SERVED: Readonly<Record<string, string>> = {
  BGREWRITEAOF: BY_LOG,
  BGSAVE: BY_LOG,
  SAVE: BY_LOG,
  'CLUSTER|ADDSLOTS': BY_OPERATOR,
  'CLUSTER|ADDSLOTSRANGE': BY_OPERATOR,
  'CLUSTER|BUMPEPOCH': BY_OPERATOR,
  'CLUSTER|COUNT-FAILURE-REPORTS': BY_OPERATOR,
  'CLUSTER|DELSLOTS': BY_OPERATOR,
  'CLUSTER|DELSLOTSRANGE': BY_OPERATOR,
  'CLUSTER|FAILOVER': BY_OPERATOR,
  'CLUSTER|FLUSHSLOTS': BY_OPERATOR,
  'CLUSTER|FORGET': BY_OPERATOR,
  'CLUSTER|MEET': BY_OPERATOR,
  'CLUSTER|REPLICATE': BY_OPERATOR,
  'CLUSTER|RESET': BY_OPERATOR,
  'CLUSTER|SAVECONFIG': BY_OPERATOR,
  'CLUSTER|SET-CONFIG-EPOCH': BY_OPERATOR,
  'CLUSTER|SETSLOT': BY_OPERATOR,
  FAILOVER: BY_OPERATOR,
  REPLICAOF: BY_OPERATOR,
  SLAVEOF: BY_OPERATOR,
  PSYNC: BY_PEERS,
  REPLCONF: BY_PEERS,
  SYNC: BY_PEERS,
  MODULE: NO_MODULES,
  'RESTORE-ASKING': 'Redis Cluster moves keys one by one with it; slots move as states here',
  MIGRATE: 'an engine dials its peers only; use `DUMP` here and `RESTORE` there',
  PFDEBUG: 'is for the tests of Redis itself',
  PFSELFTEST: 'is for the tests of Redis itself',
  WAITAOF: '`--fsync always` answers after the disk has it; `WAIT` and `CRDT.WAIT` count copies',
};

/** Names of all commands and subcommands of a table. */
export function namesOf(commands: Iterable<Command>): Set<string> {
  const names = new Set<string>();
  for (const command of commands) {
    names.add(command.name);
    for (const { name } of command.subcommands ?? []) names.add(name);
  }
  return names;
}

/** Why a command of Redis is not served; null: no reason is known. */
export function reasonFor(name: string): string | null {
  return NOT_SERVED[name] ?? NOT_SERVED[name.split('|', 1)[0]] ?? null;
}

/** Commands of Redis 7.2 that `served` lacks, by their reason, in the order of the first of each. */
export function missingByReason(served: ReadonlySet<string>): ReadonlyMap<string, string[]> {
  const found = new Map<string, string[]>();
  for (const name of REDIS_COMMANDS) {
    if (served.has(name)) continue;
    const reason = reasonFor(name) ?? 'not served yet';
    const names = found.get(reason);
    if (names === undefined) found.set(reason, [name]);
    else names.push(name);
  }
  return found;
}

/** The text of docs/compatibility.md below its first line. `differences`: of replies and of limits. */
export function renderCompatibility(
  served: ReadonlySet<string>,
  differences: readonly string[],
): string[] {
  const known = new Set(REDIS_COMMANDS);
  const missing = missingByReason(served);
  const absent = [...missing.values()].reduce((sum, names) => sum + names.length, 0);
  const own = [...served].filter((name) => !known.has(name) && !name.startsWith('CRDT.'));
  const shown = (names: readonly string[]): string =>
    names.map((name) => `\`${name.replace('|', ' ')}\``).join(', ');
  return [
    '# Compatibility with Redis 7.2',
    '',
    `Of the ${known.size} commands and subcommands of Redis 7.2, ${known.size - absent} are served. Those`,
    'that a redis-server 7.0 has are compared with it, by cases and by random commands. Replies and errors are those of',
    'Redis to the letter but for what this page names. What is different because several regions write at',
    'once is in [semantics.md](semantics.md); every command with its cost and its rule is in',
    '[commands.md](commands.md).',
    '',
    '## One database',
    '',
    '`SELECT 0` is all there is: Meridian behaves as a Redis with `databases 1` (and as every Redis',
    'Cluster). A database is a resource here, with its own memory, log, users and regions; a second one costs',
    'a second resource, and an application that used `SELECT 1` gets another address. Sixteen databases inside one',
    'engine were weighed and left out ([Decision 19](decisions/0019-one-database.md)).',
    '',
    '## Commands that are not served',
    '',
    '| commands | why, and what to do |',
    '| --- | --- |',
    ...[...missing].map(([reason, names]) => `| ${shown(names)} | ${reason} |`),
    '',
    '## Served beyond 7.2',
    '',
    `${shown(own)}: field TTLs as in Redis 7.4. \`CRDT.*\` are Meridian's own.`,
    '',
    '## Answers that differ',
    '',
    ...differences.map((difference) => `- ${difference}`),
    '',
    '## Types',
    '',
    '- **HyperLogLog**: hash, registers and estimator are those of Redis, so counts are equal to the last digit. `GET`',
    "  gives Redis' bytes with an invalid cache, so other bytes than Redis may have; each reads those of the other.",
    '- **DUMP** writes the plain forms of RDB version 10, uncompressed; `RESTORE` reads every form of strings, lists, sets, hashes and',
    '  sorted sets up to 7.2. Streams have no payload yet. `IDLETIME` and `FREQ` are checked and have no effect. A payload with bytes',
    '  left over, or an element twice, is refused.',
    '- **Field TTLs**: a hash that has some is kept in memory as single objects and not packed: a few hundred bytes more for each field',
    '  of it. Such a hash counts among the keys that expire (`INFO`, `volatile-*` policies).',
    '- **LCS** takes strings whose lengths multiply to 2^24 at most, for its table is filled in one turn.',
    '- **SORT** orders texts by their bytes, as Redis does in the C locale. On a member with a part of the slots, `BY` and `GET` take',
    '  patterns whose hash tag is that of the key, as in Redis Cluster.',
  ];
}
