import type { Args } from '../resp/args.ts';
import { any, arrayOf, bulkMap, ok } from './reply-shape.ts';
import type { ClientSession } from './session.ts';
import type { Command } from './table.ts';

export const configCommands: readonly Command[] = [
  {
    name: 'CONFIG',
    arity: -2,
    group: 'server',
    flags: [],
    keys: null,
    since: '2.0.0',
    summary: 'A container for server configuration commands.',
    complexity: 'Depends on subcommand.',
    reply: any,
    subcommands: [
      {
        name: 'CONFIG|GET',
        arity: -3,
        group: 'server',
        flags: ['admin', 'noscript', 'loading', 'stale'],
        keys: null,
        since: '2.0.0',
        summary: 'Get the values of configuration parameters.',
        complexity: 'O(N) when N is the number of configuration parameters provided',
        reply: bulkMap,
        run: configGet,
      },
      {
        name: 'CONFIG|SET',
        arity: -4,
        group: 'server',
        flags: ['admin', 'noscript', 'loading', 'stale'],
        keys: null,
        since: '2.0.0',
        summary: 'Set configuration parameters to the given values.',
        complexity: 'O(N) when N is the number of configuration parameters provided',
        reply: ok,
        run: configSet,
      },
      {
        name: 'CONFIG|RESETSTAT',
        arity: 2,
        group: 'server',
        flags: ['admin', 'noscript', 'loading', 'stale'],
        keys: null,
        since: '2.0.0',
        summary: 'Reset the stats returned by INFO.',
        complexity: 'O(1)',
        reply: ok,
        run: configResetStat,
      },
      {
        name: 'CONFIG|REWRITE',
        arity: 2,
        group: 'server',
        flags: ['admin', 'noscript', 'loading', 'stale'],
        keys: null,
        since: '2.8.0',
        summary: 'Rewrite the configuration file with the in memory configuration.',
        complexity: 'O(1)',
        reply: ok,
        run: configRewrite,
      },
      {
        name: 'CONFIG|HELP',
        arity: 2,
        group: 'server',
        flags: ['loading', 'stale'],
        keys: null,
        since: '5.0.0',
        summary: 'Show helpful text about the different subcommands.',
        complexity: 'O(1)',
        reply: arrayOf(any),
        run: configHelp,
      },
    ],
  },
];

function configGet(session: ClientSession, _args: Args): void {
  session.output.error('ERR not built yet');
}

function configSet(session: ClientSession, _args: Args): void {
  session.output.error('ERR not built yet');
}

function configResetStat(session: ClientSession, _args: Args): void {
  session.output.error('ERR not built yet');
}

function configRewrite(session: ClientSession, _args: Args): void {
  session.output.error('ERR not built yet');
}

function configHelp(session: ClientSession, _args: Args): void {
  session.output.error('ERR not built yet');
}
