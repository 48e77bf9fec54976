/**
 * EVAL and its like, and SCRIPT.
 *
 * A script runs in the turn of its client, so that all it writes is one batch, and no time passes
 * within it. The cache of scripts is the process' own, as in Redis.
 */
import type { Args } from '../resp/args.ts';
import type { Script } from '../script/scripts.ts';
import { commandError } from './errors.ts';
import { any, arrayOf, bulk, flag, ok } from './reply-shape.ts';
import type { ClientSession } from './session.ts';
import type { Command, CommandFlag } from './table.ts';

const SHA_LENGTH = 40;
const KEY_COUNT_AT = 2;

const evalFlags: readonly CommandFlag[] = ['noscript', 'stale', 'movablekeys'];

const evaluation = {
  arity: -3,
  group: 'scripting',
  keys: null,
  keyCountAt: KEY_COUNT_AT,
  complexity: 'Depends on the script that is executed',
  reply: any,
} as const;

export const scriptCommands: readonly Command[] = [
  {
    ...evaluation,
    name: 'EVAL',
    flags: evalFlags,
    since: '2.6.0',
    summary: 'Runs a Lua script; all that it writes is one batch, applied whole everywhere.',
    run: (session, args) => evaluate(session, args, false, false),
  },
  {
    ...evaluation,
    name: 'EVALSHA',
    flags: evalFlags,
    since: '2.6.0',
    summary: 'Runs a Lua script of the cache, named by its SHA1.',
    run: (session, args) => evaluate(session, args, true, false),
  },
  {
    ...evaluation,
    name: 'EVAL_RO',
    flags: [...evalFlags, 'readonly'],
    since: '7.0.0',
    summary: 'Runs a Lua script that may not write.',
    run: (session, args) => evaluate(session, args, false, true),
  },
  {
    ...evaluation,
    name: 'EVALSHA_RO',
    flags: [...evalFlags, 'readonly'],
    since: '7.0.0',
    summary: 'Runs a Lua script of the cache that may not write.',
    run: (session, args) => evaluate(session, args, true, true),
  },
  {
    name: 'SCRIPT',
    arity: -2,
    group: 'scripting',
    flags: [],
    keys: null,
    since: '2.6.0',
    summary: 'The cache of scripts.',
    complexity: 'Depends on the subcommand',
    reply: any,
    subcommands: [
      {
        name: 'SCRIPT|LOAD',
        arity: 3,
        group: 'scripting',
        flags: ['noscript', 'stale'],
        keys: null,
        since: '2.6.0',
        summary: 'Takes a script into the cache of this process and returns its SHA1.',
        complexity: 'O(N) for N bytes of the script',
        reply: bulk,
        run: load,
      },
      {
        name: 'SCRIPT|EXISTS',
        arity: -3,
        group: 'scripting',
        flags: ['noscript'],
        keys: null,
        since: '2.6.0',
        summary: 'Says of each SHA1 whether its script is in the cache.',
        complexity: 'O(N) for N scripts',
        reply: arrayOf(flag),
        run: exists,
      },
      {
        name: 'SCRIPT|FLUSH',
        arity: -2,
        group: 'scripting',
        flags: ['noscript'],
        keys: null,
        since: '2.6.0',
        summary: 'Forgets all scripts of the cache.',
        complexity: 'O(N) for N scripts',
        reply: ok,
        run: flush,
      },
      {
        name: 'SCRIPT|KILL',
        arity: 2,
        group: 'scripting',
        flags: ['noscript'],
        keys: null,
        since: '2.6.0',
        summary: 'Ends the script that runs, if it has not written.',
        complexity: 'O(1)',
        reply: ok,
        run: kill,
      },
      {
        name: 'SCRIPT|DEBUG',
        arity: 3,
        group: 'scripting',
        flags: ['noscript'],
        keys: null,
        since: '3.2.0',
        summary: 'Refused: there is no debugger of scripts; NO is answered.',
        complexity: 'O(1)',
        reply: ok,
        run: debug,
      },
      {
        name: 'SCRIPT|HELP',
        arity: 2,
        group: 'scripting',
        flags: ['loading', 'stale'],
        keys: null,
        since: '5.0.0',
        summary: 'Lists the subcommands.',
        complexity: 'O(1)',
        reply: arrayOf(any),
        run: help,
      },
    ],
  },
];

function evaluate(session: ClientSession, args: Args, bySha: boolean, readOnly: boolean): void {
  const keyCount = readKeyCount(args, 'notInteger');
  const { scripting } = session.server;
  let script: Script | null;
  if (bySha) {
    script =
      args.length(1) === SHA_LENGTH ? scripting.scripts.find(args.text(1).toLowerCase()) : null;
    if (script === null) throw commandError('noScript');
  } else {
    script = scripting.bySource(args.text(1));
  }
  scripting.runScript(session, script, args, keyCount, readOnly);
}

/** How many keys follow the count; an error, `notNumber` if it is none, when they cannot. */
export function readKeyCount(args: Args, notNumber: 'notInteger' | 'functionKeys'): number {
  const count = args.int64(KEY_COUNT_AT);
  if (count === null) throw commandError(notNumber);
  if (count > args.count - KEY_COUNT_AT - 1) throw commandError('scriptKeysTooMany');
  if (count < 0) throw commandError('scriptKeysNegative');
  return Number(count);
}

function load(session: ClientSession, args: Args): void {
  session.output.bulk(session.server.scripting.bySource(args.text(2)).sha);
}

function exists(session: ClientSession, args: Args): void {
  const { scripts } = session.server.scripting;
  session.output.array(args.count - 2);
  for (let i = 2; i < args.count; i++) {
    session.output.integer(scripts.find(args.text(i).toLowerCase()) ? 1 : 0);
  }
}

function flush(session: ClientSession, args: Args): void {
  const known = args.equalsIgnoreCase(2, 'SYNC') || args.equalsIgnoreCase(2, 'ASYNC');
  if (args.count > 3 || (args.count === 3 && !known)) throw commandError('scriptFlushMode');
  session.server.scripting.scripts.flush();
  session.output.ok();
}

function kill(): void {
  throw commandError('scriptNotBusy');
}

function debug(session: ClientSession, args: Args): void {
  if (!args.equalsIgnoreCase(2, 'NO')) throw commandError('scriptDebug');
  session.output.ok();
}

const HELP = [
  'SCRIPT <subcommand> [<arg> [value] [opt] ...]. Subcommands are:',
  'DEBUG (YES|SYNC|NO)',
  '    Set the debug mode for subsequent scripts executed.',
  'EXISTS <sha1> [<sha1> ...]',
  '    Return information about the existence of the scripts in the script cache.',
  'FLUSH [ASYNC|SYNC]',
  '    Flush the Lua scripts cache. Very dangerous on replicas.',
  '    When called without the optional mode argument, the behavior is determined by the',
  '    lazyfree-lazy-user-flush configuration directive. Valid modes are:',
  '    * ASYNC: Asynchronously flush the scripts cache.',
  '    * SYNC: Synchronously flush the scripts cache.',
  'KILL',
  '    Kill the currently executing Lua script.',
  'LOAD <script>',
  '    Load a script into the scripts cache without executing it.',
  'HELP',
  '    Prints this help.',
];

function help({ output }: ClientSession): void {
  output.array(HELP.length);
  for (const line of HELP) output.simple(line);
}
