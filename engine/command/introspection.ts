import type { Args } from '../resp/args.ts';
import { any, anyMap, arrayOf, bulks, count } from './reply-shape.ts';
import type { ClientSession } from './session.ts';
import type { Command } from './table.ts';

export const introspectionCommands: readonly Command[] = [
  {
    name: 'COMMAND',
    arity: -1,
    group: 'server',
    flags: ['loading', 'stale'],
    keys: null,
    since: '2.8.13',
    summary: 'Get array of Redis command details.',
    complexity: 'O(N) where N is the total number of Redis commands',
    reply: arrayOf(any),
    subcommands: [
      {
        name: 'COMMAND|COUNT',
        arity: 2,
        group: 'server',
        flags: ['loading', 'stale'],
        keys: null,
        since: '2.8.13',
        summary: 'Get total number of Redis commands.',
        complexity: 'O(1)',
        reply: count,
        run: commandCount,
      },
      {
        name: 'COMMAND|LIST',
        arity: -2,
        group: 'server',
        flags: ['loading', 'stale'],
        keys: null,
        since: '7.0.0',
        summary: 'Get an array of Redis command names.',
        complexity: 'O(N) where N is the total number of Redis commands',
        reply: bulks,
        run: commandList,
      },
      {
        name: 'COMMAND|INFO',
        arity: -2,
        group: 'server',
        flags: ['loading', 'stale'],
        keys: null,
        since: '2.8.13',
        summary: 'Get array of specific Redis command details, or all when no argument is given.',
        complexity: 'O(N) where N is the number of commands to look up',
        reply: arrayOf(any),
        run: commandInfo,
      },
      {
        name: 'COMMAND|DOCS',
        arity: -2,
        group: 'server',
        flags: ['loading', 'stale'],
        keys: null,
        since: '7.0.0',
        summary: 'Get array of specific Redis command documentation.',
        complexity: 'O(N) where N is the number of commands to look up',
        reply: anyMap,
        run: commandDocs,
      },
      {
        name: 'COMMAND|GETKEYS',
        arity: -4,
        group: 'server',
        flags: ['loading', 'stale'],
        keys: null,
        since: '2.8.13',
        summary: 'Extract keys given a full Redis command.',
        complexity: 'O(N) where N is the number of arguments to the command',
        reply: bulks,
        run: commandGetKeys,
      },
      {
        name: 'COMMAND|GETKEYSANDFLAGS',
        arity: -4,
        group: 'server',
        flags: ['loading', 'stale'],
        keys: null,
        since: '7.0.0',
        summary: 'Extract keys and access flags given a full Redis command.',
        complexity: 'O(N) where N is the number of arguments to the command',
        reply: arrayOf(any),
        run: commandGetKeysAndFlags,
      },
      {
        name: 'COMMAND|HELP',
        arity: 2,
        group: 'server',
        flags: ['loading', 'stale'],
        keys: null,
        since: '5.0.0',
        summary: 'Show helpful text about the different subcommands.',
        complexity: 'O(1)',
        reply: arrayOf(any),
        run: commandHelp,
      },
    ],
    run: command,
  },
];

function command(session: ClientSession, _args: Args): void {
  session.output.error('ERR not built yet');
}

function commandCount(session: ClientSession, _args: Args): void {
  session.output.error('ERR not built yet');
}

function commandList(session: ClientSession, _args: Args): void {
  session.output.error('ERR not built yet');
}

function commandInfo(session: ClientSession, _args: Args): void {
  session.output.error('ERR not built yet');
}

function commandDocs(session: ClientSession, _args: Args): void {
  session.output.error('ERR not built yet');
}

function commandGetKeys(session: ClientSession, _args: Args): void {
  session.output.error('ERR not built yet');
}

function commandGetKeysAndFlags(session: ClientSession, _args: Args): void {
  session.output.error('ERR not built yet');
}

function commandHelp(session: ClientSession, _args: Args): void {
  session.output.error('ERR not built yet');
}
