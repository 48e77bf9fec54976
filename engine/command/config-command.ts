/** CONFIG: settings by name. What cannot change while running says so. */
import type { Args } from '../resp/args.ts';
import type { Setting } from './config-store.ts';
import { commandError } from './errors.ts';
import { globMatches } from './glob.ts';
import { writeHelp } from './help.ts';
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
    summary: 'Reads and changes settings.',
    complexity: 'Depends on subcommand',
    reply: any,
    subcommands: [
      {
        name: 'CONFIG|GET',
        arity: -3,
        group: 'server',
        flags: ['admin', 'noscript', 'loading', 'stale'],
        keys: null,
        since: '2.0.0',
        summary: 'Returns the settings that fit the patterns.',
        complexity: 'O(N) for N settings',
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
        summary: 'Changes settings, all of them or none.',
        complexity: 'O(N) for N settings',
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
        summary: 'Sets the counts of INFO to zero.',
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
        summary: 'Is refused, for there is no file.',
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
        summary: 'Lists the subcommands.',
        complexity: 'O(1)',
        reply: arrayOf(any),
        run: configHelp,
      },
    ],
  },
];

function configGet(session: ClientSession, args: Args): void {
  const { config } = session.server;
  const patterns: string[] = [];
  for (let i = 2; i < args.count; i++) patterns.push(args.text(i).toLowerCase());
  const found = config
    .list()
    .filter(({ name }) => patterns.some((pattern) => globMatches(pattern, name)));
  session.output.map(found.length);
  for (const setting of found) {
    session.output.bulk(setting.name);
    session.output.bulk(setting.get());
  }
}

/** All settings of one command hold, or none. */
function configSet(session: ClientSession, args: Args): void {
  if (args.count % 2 !== 0) throw commandError('arity', 'config|set');
  const { config } = session.server;
  const changes: { setting: Setting; value: string; before: string }[] = [];
  for (let i = 2; i < args.count; i += 2) {
    const name = args.text(i);
    const setting = config.find(name);
    if (setting === null) throw commandError('configUnknown', name);
    if (changes.some((change) => change.setting === setting)) {
      throw commandError('configDuplicate', name);
    }
    const value = args.text(i + 1);
    // A client may write what holds anyway; that is no change.
    if (!setting.set && setting.get() !== value) throw commandError('configFixed', name);
    changes.push({ setting, value, before: setting.get() });
  }
  changes.forEach(({ setting, value }, i) => {
    const wrong = setting.set?.(value) ?? null;
    if (wrong === null) return;
    for (const done of changes.slice(0, i)) done.setting.set?.(done.before);
    throw commandError('configValue', setting.name, wrong);
  });
  session.output.ok();
}

function configResetStat(session: ClientSession): void {
  const { clients, commands, db, limits, member, observer } = session.server;
  member.resetStats?.();
  db.evictor.resetCounts();
  limits.evicted = 0;
  observer.reset();
  for (const { stats } of commands.entries()) stats.reset();
  clients.commandsProcessed = 0;
  clients.connectionsReceived = 0;
  clients.inputBytes = 0;
  session.output.ok();
}

/** There is no file: flags and the resource hold the settings. */
function configRewrite(_session: ClientSession): void {
  throw commandError('configRewrite');
}

function configHelp(session: ClientSession): void {
  writeHelp(session, 'CONFIG');
}
