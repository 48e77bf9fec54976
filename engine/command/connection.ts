import type { Args } from '../resp/args.ts';
import { anyMap, bulk, bulks, either, ok, status } from './reply-shape.ts';
import type { ClientSession } from './session.ts';
import type { Command } from './table.ts';

export const connectionCommands: readonly Command[] = [
  {
    name: 'HELLO',
    arity: -1,
    group: 'connection',
    flags: ['noscript', 'loading', 'stale', 'fast', 'no_auth'],
    keys: null,
    since: '6.0.0',
    summary: 'Handshake with Redis.',
    complexity: 'O(1)',
    reply: anyMap,
    run: hello,
  },
  {
    name: 'AUTH',
    arity: -2,
    group: 'connection',
    flags: ['noscript', 'loading', 'stale', 'fast', 'no_auth'],
    keys: null,
    since: '1.0.0',
    summary: 'Authenticate to the server.',
    complexity: 'O(N) where N is the number of passwords defined for the user',
    reply: ok,
    run: auth,
  },
  {
    name: 'PING',
    arity: -1,
    group: 'connection',
    flags: ['fast'],
    keys: null,
    since: '1.0.0',
    summary: 'Ping the server.',
    complexity: 'O(1)',
    reply: either(status('PONG'), bulk, bulks),
    run: ping,
  },
  {
    name: 'ECHO',
    arity: 2,
    group: 'connection',
    flags: ['loading', 'stale', 'fast'],
    keys: null,
    since: '1.0.0',
    summary: 'Echo the given string.',
    complexity: 'O(1)',
    reply: bulk,
    run: echo,
  },
  {
    name: 'SELECT',
    arity: 2,
    group: 'connection',
    flags: ['loading', 'stale', 'fast'],
    keys: null,
    since: '1.0.0',
    summary: 'Change the selected database for the current connection.',
    complexity: 'O(1)',
    reply: ok,
    run: select,
  },
  {
    name: 'QUIT',
    arity: -1,
    group: 'connection',
    flags: ['noscript', 'loading', 'stale', 'fast', 'no_auth'],
    keys: null,
    since: '1.0.0',
    summary: 'Close the connection.',
    complexity: 'O(1)',
    reply: ok,
    run: quit,
  },
  {
    name: 'RESET',
    arity: 1,
    group: 'connection',
    flags: ['noscript', 'loading', 'stale', 'fast', 'no_auth'],
    keys: null,
    since: '6.2.0',
    summary: 'Reset the connection.',
    complexity: 'O(1)',
    reply: status('RESET'),
    run: reset,
  },
];

function hello(session: ClientSession, _args: Args): void {
  session.output.error('ERR not built yet');
}

function auth(session: ClientSession, _args: Args): void {
  session.output.error('ERR not built yet');
}

function ping(session: ClientSession, _args: Args): void {
  session.output.error('ERR not built yet');
}

function echo(session: ClientSession, _args: Args): void {
  session.output.error('ERR not built yet');
}

function select(session: ClientSession, _args: Args): void {
  session.output.error('ERR not built yet');
}

function quit(session: ClientSession, _args: Args): void {
  session.output.error('ERR not built yet');
}

function reset(session: ClientSession, _args: Args): void {
  session.output.error('ERR not built yet');
}
