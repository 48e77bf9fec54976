/**
 * FUNCTION and FCALL: libraries of functions. They are kept by this process alone: neither its
 * replicas nor other regions have them, and a restart forgets them.
 */
import type { Args } from '../resp/args.ts';
import { dumpLibraries, readLibraries } from '../script/function-dump.ts';
import type { Library } from '../script/functions.ts';
import { commandError } from './errors.ts';
import { globMatches } from './glob.ts';
import { any, anyMap, arrayOf, bulk, ok } from './reply-shape.ts';
import { readKeyCount } from './script.ts';
import { loadJudge } from './scripting.ts';
import type { ClientSession } from './session.ts';
import type { Command, CommandFlag } from './table.ts';

const CONFLICT = 'None: a library is local to the member, and to all shards through a proxy.';

const changes: readonly CommandFlag[] = ['write', 'noscript'];

const onCall = {
  arity: -3,
  group: 'scripting',
  keys: null,
  keyCountAt: 2,
  since: '7.0.0',
  complexity: 'Depends on the function that is executed',
  reply: any,
} as const;

const onLibraries = { group: 'scripting', keys: null, since: '7.0.0' } as const;

export const functionCommands: readonly Command[] = [
  {
    ...onCall,
    name: 'FCALL',
    flags: ['noscript', 'stale', 'movablekeys'],
    summary: 'Calls a function of a library.',
    run: (session, args) => call(session, args, false),
  },
  {
    ...onCall,
    name: 'FCALL_RO',
    flags: ['readonly', 'noscript', 'stale', 'movablekeys'],
    summary: 'Calls a function of a library that may not write.',
    run: (session, args) => call(session, args, true),
  },
  {
    ...onLibraries,
    name: 'FUNCTION',
    arity: -2,
    flags: [],
    summary: 'Libraries of functions; local to this member, and forgotten by a restart.',
    complexity: 'Depends on the subcommand',
    reply: any,
    subcommands: [
      {
        ...onLibraries,
        name: 'FUNCTION|LOAD',
        arity: -3,
        flags: [...changes, 'denyoom'],
        summary: 'Takes a library in and returns its name.',
        complexity: 'O(1), and what its code does',
        conflict: CONFLICT,
        reply: bulk,
        run: load,
      },
      {
        ...onLibraries,
        name: 'FUNCTION|DELETE',
        arity: 3,
        flags: changes,
        summary: 'Forgets a library.',
        complexity: 'O(1)',
        conflict: CONFLICT,
        reply: ok,
        run: remove,
      },
      {
        ...onLibraries,
        name: 'FUNCTION|FLUSH',
        arity: -2,
        flags: changes,
        summary: 'Forgets all libraries.',
        complexity: 'O(N) for N functions',
        conflict: CONFLICT,
        reply: ok,
        run: flush,
      },
      {
        ...onLibraries,
        name: 'FUNCTION|LIST',
        arity: -2,
        flags: ['noscript'],
        summary: 'Lists libraries and their functions.',
        complexity: 'O(N) for N functions',
        reply: arrayOf(anyMap),
        run: list,
      },
      {
        ...onLibraries,
        name: 'FUNCTION|STATS',
        arity: 2,
        flags: ['noscript'],
        summary: 'Counts libraries and functions; what runs is always null here.',
        complexity: 'O(1)',
        reply: anyMap,
        run: stats,
      },
      {
        ...onLibraries,
        name: 'FUNCTION|DUMP',
        arity: 2,
        flags: ['noscript'],
        summary: 'Returns all libraries as a payload, which Redis 7 reads too.',
        complexity: 'O(N) for N bytes of code',
        reply: bulk,
        run: dump,
      },
      {
        ...onLibraries,
        name: 'FUNCTION|RESTORE',
        arity: -3,
        flags: [...changes, 'denyoom'],
        summary: 'Takes in the libraries of a payload of FUNCTION DUMP, of Redis too.',
        complexity: 'O(N) for N functions',
        conflict: CONFLICT,
        reply: ok,
        run: restore,
      },
      {
        ...onLibraries,
        name: 'FUNCTION|KILL',
        arity: 2,
        flags: ['noscript'],
        summary: 'Ends the function that runs; none can be seen to run.',
        complexity: 'O(1)',
        reply: ok,
        run: kill,
      },
      {
        ...onLibraries,
        name: 'FUNCTION|HELP',
        arity: 2,
        flags: ['loading', 'stale'],
        summary: 'Lists the subcommands.',
        complexity: 'O(1)',
        reply: arrayOf(any),
        run: help,
      },
    ],
  },
];

function call(session: ClientSession, args: Args, readOnly: boolean): void {
  const { functions } = session.server.scripting;
  const found = functions.find(args.text(1));
  if (found === null) throw commandError('functionUnknown');
  const keyCount = readKeyCount(args, 'functionKeys');
  session.server.scripting.callFunction(session, found, args, keyCount, readOnly);
}

function load(session: ClientSession, args: Args): void {
  let at = 2;
  let replaces = false;
  for (; at < args.count - 1; at++) {
    if (!args.equalsIgnoreCase(at, 'REPLACE')) {
      throw commandError('functionOption', args.text(at));
    }
    replaces = true;
  }
  const { functions } = session.server.scripting;
  const library = functions.load(args.text(at), replaces, loadJudge(session));
  if (typeof library === 'string') throw commandError('scriptWrong', library);
  session.output.bulk(library.name);
}

function remove(session: ClientSession, args: Args): void {
  if (!session.server.scripting.functions.delete(args.text(2))) {
    throw commandError('functionNoLibrary');
  }
  session.output.ok();
}

function flush(session: ClientSession, args: Args): void {
  const known = args.equalsIgnoreCase(2, 'SYNC') || args.equalsIgnoreCase(2, 'ASYNC');
  if (args.count > 3 || (args.count === 3 && !known)) throw commandError('functionFlushMode');
  session.server.scripting.functions.flush();
  session.output.ok();
}

function list(session: ClientSession, args: Args): void {
  let withCode = false;
  let pattern = '*';
  for (let i = 2; i < args.count; i++) {
    if (args.equalsIgnoreCase(i, 'WITHCODE')) {
      withCode = true;
    } else if (args.equalsIgnoreCase(i, 'LIBRARYNAME')) {
      if (i + 1 === args.count) throw commandError('functionListName');
      pattern = args.text(++i);
    } else {
      throw commandError('functionListOption', args.text(i));
    }
  }
  const libraries = session.server.scripting.functions
    .list()
    .filter(({ name }) => globMatches(pattern.toLowerCase(), name.toLowerCase()));
  session.output.array(libraries.length);
  for (const library of libraries) writeLibrary(session, library, withCode);
}

function writeLibrary({ output }: ClientSession, library: Library, withCode: boolean): void {
  output.map(withCode ? 4 : 3);
  output.bulk('library_name');
  output.bulk(library.name);
  output.bulk('engine');
  output.bulk('LUA');
  output.bulk('functions');
  output.array(library.functions.length);
  for (const { name, description, flags } of library.functions) {
    output.map(3);
    output.bulk('name');
    output.bulk(name);
    output.bulk('description');
    if (description === null) output.nullBulk();
    else output.bulk(description);
    output.bulk('flags');
    output.set(flags.size);
    for (const flag of flags) output.simple(flag);
  }
  if (!withCode) return;
  output.bulk('library_code');
  output.bulk(library.source);
}

function stats(session: ClientSession): void {
  const { output } = session;
  const { functions } = session.server.scripting;
  output.map(2);
  output.bulk('running_script');
  output.nullBulk();
  output.bulk('engines');
  output.map(1);
  output.bulk('LUA');
  output.map(2);
  output.bulk('libraries_count');
  output.integer(functions.list().length);
  output.bulk('functions_count');
  output.integer(functions.functionCount);
}

function dump(session: ClientSession): void {
  const libraries = session.server.scripting.functions.list();
  session.output.bulk(dumpLibraries(libraries.map(({ source }) => source)));
}

function restore(session: ClientSession, args: Args): void {
  if (args.count > 4) throw commandError('functionRestoreArguments');
  const word = args.count === 4 ? args.text(3).toLowerCase() : 'append';
  if (word !== 'flush' && word !== 'append' && word !== 'replace') {
    throw commandError('functionRestorePolicy');
  }
  const sources = readLibraries(args.text(2));
  if (sources === null) throw commandError('functionPayload');
  const { functions } = session.server.scripting;
  const wrong = functions.restore(sources, word, loadJudge(session));
  if (wrong !== null) throw commandError('scriptWrong', wrong);
  session.output.ok();
}

function kill(): void {
  throw commandError('scriptNotBusy');
}

const HELP = [
  'FUNCTION <subcommand> [<arg> [value] [opt] ...]. Subcommands are:',
  'LOAD [REPLACE] <FUNCTION CODE>',
  '    Create a new library with the given library name and code.',
  'DELETE <LIBRARY NAME>',
  '    Delete the given library.',
  'LIST [LIBRARYNAME PATTERN] [WITHCODE]',
  '    Return general information on all the libraries.',
  'STATS',
  '    Count libraries and functions.',
  'KILL',
  '    Kill the current running function.',
  'FLUSH [ASYNC|SYNC]',
  '    Delete all the libraries.',
  'DUMP',
  '    Return a serialized payload representing the current libraries.',
  'RESTORE <PAYLOAD> [FLUSH|APPEND|REPLACE]',
  '    Restore the libraries represented by the given payload; default APPEND.',
  'HELP',
  '    Prints this help.',
];

function help({ output }: ClientSession): void {
  output.array(HELP.length);
  for (const line of HELP) output.simple(line);
}
