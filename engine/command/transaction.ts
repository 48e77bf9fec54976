import type { Args } from '../resp/args.ts';
import { any, arrayOf, either, nil, ok } from './reply-shape.ts';
import type { ClientSession } from './session.ts';
import type { Command } from './table.ts';

export const transactionCommands: readonly Command[] = [
  {
    name: 'MULTI',
    arity: 1,
    group: 'transactions',
    flags: ['noscript', 'loading', 'stale', 'fast'],
    keys: null,
    since: '1.2.0',
    summary: 'Mark the start of a transaction block.',
    complexity: 'O(1)',
    reply: ok,
    run: multi,
  },
  {
    name: 'EXEC',
    arity: 1,
    group: 'transactions',
    flags: ['noscript', 'loading', 'stale'],
    keys: null,
    since: '1.2.0',
    summary: 'Execute all commands issued after MULTI.',
    complexity: 'Depends on commands in the transaction',
    reply: either(arrayOf(any), nil),
    run: exec,
  },
  {
    name: 'DISCARD',
    arity: 1,
    group: 'transactions',
    flags: ['noscript', 'loading', 'stale', 'fast'],
    keys: null,
    since: '2.0.0',
    summary: 'Discard all commands issued after MULTI.',
    complexity: 'O(N), when N is the number of queued commands',
    reply: ok,
    run: discard,
  },
  {
    name: 'WATCH',
    arity: -2,
    group: 'transactions',
    flags: ['noscript', 'loading', 'stale', 'fast'],
    keys: { first: 1, last: -1, step: 1 },
    since: '2.2.0',
    summary: 'Watch the given keys to determine execution of the MULTI/EXEC block.',
    complexity: 'O(1) for every key.',
    reply: ok,
    run: watch,
  },
  {
    name: 'UNWATCH',
    arity: 1,
    group: 'transactions',
    flags: ['noscript', 'loading', 'stale', 'fast'],
    keys: null,
    since: '2.2.0',
    summary: 'Forget about all watched keys.',
    complexity: 'O(1)',
    reply: ok,
    run: unwatch,
  },
];

function multi(session: ClientSession, _args: Args): void {
  session.output.error('ERR not built yet');
}

function exec(session: ClientSession, _args: Args): void {
  session.output.error('ERR not built yet');
}

function discard(session: ClientSession, _args: Args): void {
  session.output.error('ERR not built yet');
}

function watch(session: ClientSession, _args: Args): void {
  session.output.error('ERR not built yet');
}

function unwatch(session: ClientSession, _args: Args): void {
  session.output.error('ERR not built yet');
}
