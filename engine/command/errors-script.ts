/** The errors of scripts and functions, a part of the catalogue in errors.ts. */
import type { ErrorEntry } from './errors.ts';

export const scriptErrors = {
  noScript: {
    text: 'NOSCRIPT No matching script. Please use EVAL.',
    meaning:
      'The cache of this process has no such script: it is local, and empty after a restart.',
  },
  scriptKeysTooMany: {
    text: "ERR Number of keys can't be greater than number of args",
    meaning: 'EVAL with fewer keys than it announces.',
  },
  scriptKeysNegative: {
    text: "ERR Number of keys can't be negative",
    meaning: 'EVAL with a negative number of keys.',
  },
  scriptWrong: {
    text: 'ERR %s',
    meaning: 'The script does not compile, or its `#!` line is wrong; the sentence says where.',
  },
  scriptUnknownCommand: {
    text: 'ERR Unknown Redis command called from script',
    meaning: 'redis.call with a command that does not exist.',
  },
  scriptArity: {
    text: 'ERR Wrong number of args calling Redis command from script',
    meaning: 'redis.call with too few or too many arguments.',
  },
  scriptRefused: {
    text: 'ERR This Redis command is not allowed from script',
    meaning: 'Commands about connections, transactions, subscriptions and scripts, and admin ones.',
  },
  scriptReadOnly: {
    text: 'ERR Write commands are not allowed from read-only scripts.',
    meaning: 'A command that writes, in EVAL_RO or a script with the flag no-writes.',
  },
  scriptMayWrite: {
    text: 'ERR Can not execute a script with write flag using *_ro command.',
    meaning: 'The `#!` line of the script lacks the flag no-writes.',
  },
  scriptOnReplica: {
    text: 'READONLY Can not run script with write flag on readonly replica.',
    meaning: 'The `#!` line of the script lacks the flag no-writes, and this member is a replica.',
  },
  scriptNonLocalKey: {
    text: 'ERR Script attempted to access a non local key in a cluster node',
    meaning: 'The script made the name of a key that another shard holds: pass all keys in KEYS.',
  },
  scriptOutOfMemory: {
    text:
      'OOM allow-oom flag is not set on the script, can not run it when used memory > ' +
      "'maxmemory'",
    meaning: 'The member is full. A script that frees memory may say flags=allow-oom.',
  },
  scriptTooLong: {
    text: 'ERR Script ended after %s ms: it is limited to that; nothing was written',
    meaning: 'Scripts hold up all other clients. Split the work over several calls.',
  },
  scriptTooLongWritten: {
    text: 'ERR Script ended after %s ms: it is limited to that; what it had written stays',
    meaning: 'As for a script that raises an error: its writes up to there are in force.',
  },
  functionUnknown: {
    text: 'ERR Function not found',
    meaning: 'No library of this member has it: libraries are local, and forgotten by a restart.',
  },
  functionKeys: {
    text: 'ERR Bad number of keys provided',
    meaning: 'The second argument of FCALL counts the keys.',
  },
  functionNoLibrary: {
    text: 'ERR Library not found',
    meaning: 'FUNCTION DELETE of a library that this member does not have.',
  },
  functionOption: {
    text: 'ERR Unknown option given: %s',
    meaning: 'FUNCTION LOAD takes REPLACE and the code.',
  },
  functionFlushMode: {
    text: 'ERR FUNCTION FLUSH only supports SYNC|ASYNC option',
    meaning: 'FUNCTION FLUSH with another word.',
  },
  functionListName: {
    text: 'ERR library name argument was not given',
    meaning: 'FUNCTION LIST LIBRARYNAME without a pattern.',
  },
  functionListOption: {
    text: 'ERR Unknown argument %s',
    meaning: 'FUNCTION LIST takes LIBRARYNAME with a pattern, and WITHCODE.',
  },
  functionRestoreArguments: {
    text: "ERR Unknown subcommand or wrong number of arguments for 'function restore'. Try FUNCTION HELP.",
    meaning: 'FUNCTION RESTORE takes a payload and one policy.',
  },
  functionRestorePolicy: {
    text: 'ERR Wrong restore policy given, value should be either FLUSH, APPEND or REPLACE.',
    meaning: 'The second argument of FUNCTION RESTORE.',
  },
  functionPayload: {
    text: 'ERR DUMP payload version or checksum are wrong',
    meaning: 'FUNCTION RESTORE with something that FUNCTION DUMP did not make.',
  },
  scriptNotBusy: {
    text: 'NOTBUSY No scripts in execution right now.',
    meaning: 'SCRIPT KILL or FUNCTION KILL while none runs.',
  },
  scriptFlushMode: {
    text: 'ERR SCRIPT FLUSH only support SYNC|ASYNC option',
    meaning: 'SCRIPT FLUSH with another word.',
  },
  scriptDebug: {
    text: 'ERR scripts cannot be debugged here; use redis.log, or a redis-server',
    meaning: 'SCRIPT DEBUG YES or SYNC.',
  },
} as const satisfies Record<string, ErrorEntry>;
