/** COMMAND: the table, as clients and redis-cli ask for it. */

import { type Category, categoriesOf } from '../acl/categories.ts';
import { keysWithFlags } from '../acl/check.ts';
import type { KeyFlags } from '../acl/key-rights-table.ts';
import { Args } from '../resp/args.ts';
import { hasKeys, writeCommand } from './command-describe.ts';
import { arityFits } from './dispatch.ts';
import { commandError } from './errors.ts';
import { globMatches } from './glob.ts';
import { writeHelp } from './help.ts';
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
    summary: 'Describes all commands.',
    complexity: 'O(N) for N commands',
    reply: arrayOf(any),
    subcommands: [
      {
        name: 'COMMAND|COUNT',
        arity: 2,
        group: 'server',
        flags: ['loading', 'stale'],
        keys: null,
        since: '2.8.13',
        summary: 'Counts the commands.',
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
        summary: 'Lists the names of commands.',
        complexity: 'O(N) for N commands',
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
        summary: 'Describes the commands named.',
        complexity: 'O(N) for N commands to look up',
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
        summary: 'Documents the commands named.',
        complexity: 'O(N) for N commands to look up',
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
        summary: 'Returns the keys in a command.',
        complexity: 'O(N) for N arguments',
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
        summary: 'Returns the keys in a command, and what it does with each.',
        complexity: 'O(N) for N arguments',
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
        summary: 'Lists the subcommands.',
        complexity: 'O(1)',
        reply: arrayOf(any),
        run: commandHelp,
      },
    ],
    run: command,
  },
];

function command(session: ClientSession): void {
  const all = session.server.commands.list();
  session.output.array(all.length);
  for (const each of all) writeCommand(session.output, each);
}

function commandCount(session: ClientSession): void {
  session.output.integer(session.server.commands.list().length);
}

function commandList(session: ClientSession, args: Args): void {
  let found = session.server.commands.list();
  const all = found.flatMap((each) => [each, ...(each.subcommands ?? [])]);
  if (args.count === 5 && args.equalsIgnoreCase(2, 'FILTERBY')) {
    const wanted = args.text(4);
    if (args.equalsIgnoreCase(3, 'PATTERN')) {
      const pattern = wanted.toLowerCase();
      found = all.filter((each) => globMatches(pattern, each.name.toLowerCase()));
    } else if (args.equalsIgnoreCase(3, 'ACLCAT')) {
      const category = wanted.toLowerCase() as Category;
      found = all.filter((each) => categoriesOf(each).includes(category));
    } else if (args.equalsIgnoreCase(3, 'MODULE')) {
      found = [];
    } else {
      throw commandError('syntax');
    }
  } else if (args.count !== 2) {
    throw commandError('syntax');
  }
  session.output.array(found.length);
  for (const each of found) session.output.bulk(each.name.toLowerCase());
}

function commandInfo(session: ClientSession, args: Args): void {
  if (args.count === 2) {
    command(session);
    return;
  }
  session.output.array(args.count - 2);
  for (let i = 2; i < args.count; i++) {
    const entry = session.server.commands.findByName(args.text(i));
    if (entry === null) session.output.nullBulk();
    else writeCommand(session.output, entry.command);
  }
}

function commandDocs(session: ClientSession, args: Args): void {
  const wanted: Command[] = [];
  for (let i = 2; i < args.count; i++) {
    const entry = session.server.commands.findByName(args.text(i));
    if (entry !== null) wanted.push(entry.command);
  }
  writeDocs(session, args.count === 2 ? session.server.commands.list() : wanted);
}

function writeDocs(session: ClientSession, commands: readonly Command[]): void {
  const { output } = session;
  output.map(commands.length);
  for (const each of commands) {
    output.bulk(each.name.toLowerCase());
    const fields: [string, string][] = [
      ['summary', each.summary],
      ['since', each.since ?? '0.1.0'],
      ['group', each.group],
      ['complexity', each.complexity],
    ];
    if (each.conflict !== undefined) fields.push(['conflict', each.conflict]);
    output.map(fields.length + (each.subcommands ? 1 : 0));
    for (const [name, value] of fields) {
      output.bulk(name);
      output.bulkUtf8(value);
    }
    if (each.subcommands) {
      output.bulk('subcommands');
      writeDocs(session, each.subcommands);
    }
  }
}

function commandGetKeys(session: ClientSession, args: Args): void {
  const { inner, keys } = readKeys(session, args);
  session.output.array(keys.length);
  for (const [at] of keys) session.output.bulk(inner.text(at));
}

function commandGetKeysAndFlags(session: ClientSession, args: Args): void {
  const { output } = session;
  const { inner, keys } = readKeys(session, args);
  output.array(keys.length);
  for (const [at, flags] of keys) {
    output.array(2);
    output.bulk(inner.text(at));
    const words = flags.split(' ');
    output.set(words.length);
    for (const word of words) output.simple(word);
  }
}

/** The command that follows, and its keys with their flags. */
function readKeys(session: ClientSession, args: Args): { inner: Args; keys: [number, KeyFlags][] } {
  const inner = new Args();
  inner.buffer = args.buffer;
  for (let i = 2; i < args.count; i++) inner.add(args.start[i], args.end[i]);
  const entry = session.server.commands.resolve(inner);
  if (entry === null) throw commandError('getKeysUnknown');
  if (!hasKeys(entry.command)) throw commandError('getKeysNone');
  if (!arityFits(entry, inner.count)) throw commandError('getKeysArity');
  const keys = keysWithFlags(entry.command, inner);
  if (keys === null) throw commandError('getKeysInvalid');
  return { inner, keys };
}

function commandHelp(session: ClientSession): void {
  writeHelp(session, 'COMMAND');
}
