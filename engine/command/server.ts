import type { Args } from '../resp/args.ts';
import {
  any,
  arrayOf,
  bulk,
  bulkOrNull,
  bulks,
  count,
  either,
  nil,
  nothing,
  ok,
} from './reply-shape.ts';
import type { ClientSession } from './session.ts';
import type { Command } from './table.ts';

export const serverCommands: readonly Command[] = [
  {
    name: 'DBSIZE',
    arity: 1,
    group: 'server',
    flags: ['readonly', 'fast'],
    keys: null,
    since: '1.0.0',
    summary: 'Return the number of keys in the selected database.',
    complexity: 'O(1)',
    reply: count,
    run: dbSize,
  },
  {
    name: 'FLUSHALL',
    arity: -1,
    group: 'server',
    flags: ['write'],
    keys: null,
    since: '1.0.0',
    summary: 'Remove all keys from all databases.',
    complexity: 'O(N) where N is the total number of keys in all databases',
    conflict:
      'Removes all that this region has seen, as one op; writes that it had not seen survive.',
    reply: ok,
    run: flushAll,
  },
  {
    name: 'FLUSHDB',
    arity: -1,
    group: 'server',
    flags: ['write'],
    keys: null,
    since: '1.0.0',
    summary: 'Remove all keys from the current database.',
    complexity: 'O(N) where N is the number of keys in the selected database',
    conflict: 'As FLUSHALL: removes all that this region has seen, as one op.',
    reply: ok,
    run: flushDb,
  },
  {
    name: 'TIME',
    arity: 1,
    group: 'server',
    flags: ['loading', 'stale', 'fast'],
    keys: null,
    since: '2.6.0',
    summary: 'Return the current server time.',
    complexity: 'O(1)',
    reply: bulks,
    run: time,
  },
  {
    name: 'LASTSAVE',
    arity: 1,
    group: 'server',
    flags: ['loading', 'stale', 'fast'],
    keys: null,
    since: '1.0.0',
    summary: 'Get the UNIX time stamp of the last successful save to disk.',
    complexity: 'O(1)',
    reply: count,
    run: lastSave,
  },
  {
    name: 'ROLE',
    arity: 1,
    group: 'server',
    flags: ['noscript', 'loading', 'stale', 'fast'],
    keys: null,
    since: '2.8.12',
    summary: 'Return the role of the instance in the context of replication.',
    complexity: 'O(1)',
    reply: arrayOf(any),
    run: role,
  },
  {
    name: 'LOLWUT',
    arity: -1,
    group: 'server',
    flags: ['readonly', 'fast'],
    keys: null,
    since: '5.0.0',
    summary: 'Display some computer art and the Redis version.',
    complexity: 'O(1)',
    reply: bulk,
    run: lolwut,
  },
  {
    name: 'DEBUG',
    arity: -2,
    group: 'server',
    flags: ['admin', 'noscript', 'loading', 'stale'],
    keys: null,
    since: '1.0.0',
    summary: 'A container for debugging commands.',
    complexity: 'Depends on subcommand.',
    reply: any,
    run: debug,
  },
  {
    name: 'SHUTDOWN',
    arity: -1,
    group: 'server',
    flags: ['admin', 'noscript', 'loading', 'stale', 'no_multi'],
    keys: null,
    since: '1.0.0',
    summary: 'Synchronously save the dataset to disk and then shut down the server.',
    complexity: 'O(N) when saving',
    reply: nothing,
    run: shutdown,
  },
  {
    name: 'WAIT',
    arity: 3,
    group: 'generic',
    flags: ['noscript'],
    keys: null,
    since: '3.0.0',
    summary:
      'Wait for the synchronous replication of all the write commands sent in the context of the current connection.',
    complexity: 'O(1)',
    reply: count,
    run: wait,
  },
  {
    name: 'MEMORY',
    arity: -2,
    group: 'server',
    flags: [],
    keys: null,
    since: '4.0.0',
    summary: 'A container for memory diagnostics commands.',
    complexity: 'Depends on subcommand.',
    reply: any,
    subcommands: [
      {
        name: 'MEMORY|USAGE',
        arity: -3,
        group: 'server',
        flags: ['readonly'],
        keys: { first: 2, last: 2, step: 1 },
        since: '4.0.0',
        summary: 'Estimate the memory usage of a key.',
        complexity: 'O(N) where N is the number of samples.',
        reply: either(count, nil),
        run: memoryUsage,
      },
      {
        name: 'MEMORY|HELP',
        arity: 2,
        group: 'server',
        flags: ['loading', 'stale'],
        keys: null,
        since: '4.0.0',
        summary: 'Show helpful text about the different subcommands.',
        complexity: 'O(1)',
        reply: arrayOf(any),
        run: memoryHelp,
      },
    ],
  },
  {
    name: 'OBJECT',
    arity: -2,
    group: 'generic',
    flags: [],
    keys: null,
    since: '2.2.3',
    summary: 'A container for object introspection commands.',
    complexity: 'Depends on subcommand.',
    reply: any,
    subcommands: [
      {
        name: 'OBJECT|ENCODING',
        arity: 3,
        group: 'server',
        flags: ['readonly'],
        keys: { first: 2, last: 2, step: 1 },
        since: '2.2.3',
        summary: 'Inspect the internal encoding of a Redis object.',
        complexity: 'O(1)',
        reply: bulkOrNull,
        run: objectEncoding,
      },
      {
        name: 'OBJECT|REFCOUNT',
        arity: 3,
        group: 'server',
        flags: ['readonly'],
        keys: { first: 2, last: 2, step: 1 },
        since: '2.2.3',
        summary: 'Get the number of references to the value of the key.',
        complexity: 'O(1)',
        reply: either(count, nil),
        run: objectRefcount,
      },
      {
        name: 'OBJECT|IDLETIME',
        arity: 3,
        group: 'server',
        flags: ['readonly'],
        keys: { first: 2, last: 2, step: 1 },
        since: '2.2.3',
        summary: 'Get the time since a Redis object was last accessed.',
        complexity: 'O(1)',
        reply: either(count, nil),
        run: objectIdleTime,
      },
      {
        name: 'OBJECT|FREQ',
        arity: 3,
        group: 'server',
        flags: ['readonly'],
        keys: { first: 2, last: 2, step: 1 },
        since: '4.0.0',
        summary: 'Get the logarithmic access frequency counter of a Redis object.',
        complexity: 'O(1)',
        reply: either(count, nil),
        run: objectFreq,
      },
      {
        name: 'OBJECT|HELP',
        arity: 2,
        group: 'server',
        flags: ['loading', 'stale'],
        keys: null,
        since: '6.2.0',
        summary: 'Show helpful text about the different subcommands.',
        complexity: 'O(1)',
        reply: arrayOf(any),
        run: objectHelp,
      },
    ],
  },
  {
    name: 'CLUSTER',
    arity: -2,
    group: 'server',
    flags: [],
    keys: null,
    since: '3.0.0',
    summary: 'A container for cluster commands.',
    complexity: 'Depends on subcommand.',
    reply: any,
    run: cluster,
  },
];

function dbSize(session: ClientSession, _args: Args): void {
  session.output.error('ERR not built yet');
}

function flushAll(session: ClientSession, _args: Args): void {
  session.output.error('ERR not built yet');
}

function flushDb(session: ClientSession, _args: Args): void {
  session.output.error('ERR not built yet');
}

function time(session: ClientSession, _args: Args): void {
  session.output.error('ERR not built yet');
}

function lastSave(session: ClientSession, _args: Args): void {
  session.output.error('ERR not built yet');
}

function role(session: ClientSession, _args: Args): void {
  session.output.error('ERR not built yet');
}

function lolwut(session: ClientSession, _args: Args): void {
  session.output.error('ERR not built yet');
}

function debug(session: ClientSession, _args: Args): void {
  session.output.error('ERR not built yet');
}

function shutdown(session: ClientSession, _args: Args): void {
  session.output.error('ERR not built yet');
}

function wait(session: ClientSession, _args: Args): void {
  session.output.error('ERR not built yet');
}

function memoryUsage(session: ClientSession, _args: Args): void {
  session.output.error('ERR not built yet');
}

function memoryHelp(session: ClientSession, _args: Args): void {
  session.output.error('ERR not built yet');
}

function objectEncoding(session: ClientSession, _args: Args): void {
  session.output.error('ERR not built yet');
}

function objectRefcount(session: ClientSession, _args: Args): void {
  session.output.error('ERR not built yet');
}

function objectIdleTime(session: ClientSession, _args: Args): void {
  session.output.error('ERR not built yet');
}

function objectFreq(session: ClientSession, _args: Args): void {
  session.output.error('ERR not built yet');
}

function objectHelp(session: ClientSession, _args: Args): void {
  session.output.error('ERR not built yet');
}

function cluster(session: ClientSession, _args: Args): void {
  session.output.error('ERR not built yet');
}
