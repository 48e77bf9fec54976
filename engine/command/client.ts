import type { Args } from '../resp/args.ts';
import {
  any,
  anyMap,
  arrayOf,
  bulk,
  bulkOrNull,
  count,
  either,
  flag,
  integer,
  nothing,
  ok,
} from './reply-shape.ts';
import type { ClientSession } from './session.ts';
import type { Command } from './table.ts';

export const clientCommands: readonly Command[] = [
  {
    name: 'CLIENT',
    arity: -2,
    group: 'connection',
    flags: [],
    keys: null,
    since: '2.4.0',
    summary: 'A container for client connection commands.',
    complexity: 'Depends on subcommand.',
    reply: any,
    subcommands: [
      {
        name: 'CLIENT|ID',
        arity: 2,
        group: 'connection',
        flags: ['noscript', 'loading', 'stale'],
        keys: null,
        since: '5.0.0',
        summary: 'Returns the client ID for the current connection.',
        complexity: 'O(1)',
        reply: count,
        run: clientId,
      },
      {
        name: 'CLIENT|GETNAME',
        arity: 2,
        group: 'connection',
        flags: ['noscript', 'loading', 'stale'],
        keys: null,
        since: '2.6.9',
        summary: 'Get the current connection name.',
        complexity: 'O(1)',
        reply: bulkOrNull,
        run: clientGetName,
      },
      {
        name: 'CLIENT|SETNAME',
        arity: 3,
        group: 'connection',
        flags: ['noscript', 'loading', 'stale'],
        keys: null,
        since: '2.6.9',
        summary: 'Set the current connection name.',
        complexity: 'O(1)',
        reply: ok,
        run: clientSetName,
      },
      {
        name: 'CLIENT|SETINFO',
        arity: 4,
        group: 'connection',
        flags: ['noscript', 'loading', 'stale'],
        keys: null,
        since: '7.2.0',
        summary: 'Set client or connection specific info.',
        complexity: 'O(1)',
        reply: ok,
        run: clientSetInfo,
      },
      {
        name: 'CLIENT|LIST',
        arity: -2,
        group: 'connection',
        flags: ['admin', 'noscript', 'loading', 'stale'],
        keys: null,
        since: '2.4.0',
        summary: 'Get the list of client connections.',
        complexity: 'O(N) where N is the number of client connections',
        reply: bulk,
        run: clientList,
      },
      {
        name: 'CLIENT|INFO',
        arity: 2,
        group: 'connection',
        flags: ['noscript', 'loading', 'stale'],
        keys: null,
        since: '6.2.0',
        summary: 'Returns information about the current client connection.',
        complexity: 'O(1)',
        reply: bulk,
        run: clientInfo,
      },
      {
        name: 'CLIENT|KILL',
        arity: -3,
        group: 'connection',
        flags: ['admin', 'noscript', 'loading', 'stale'],
        keys: null,
        since: '2.4.0',
        summary: 'Kill the connection of a client.',
        complexity: 'O(N) where N is the number of client connections',
        reply: either(ok, count),
        run: clientKill,
      },
      {
        name: 'CLIENT|PAUSE',
        arity: -3,
        group: 'connection',
        flags: ['admin', 'noscript', 'loading', 'stale'],
        keys: null,
        since: '2.9.50',
        summary: 'Stop processing commands from clients for some time.',
        complexity: 'O(1)',
        reply: ok,
        run: clientPause,
      },
      {
        name: 'CLIENT|UNPAUSE',
        arity: 2,
        group: 'connection',
        flags: ['admin', 'noscript', 'loading', 'stale'],
        keys: null,
        since: '6.2.0',
        summary: 'Resume processing of clients that were paused.',
        complexity: 'O(N) Where N is the number of paused clients',
        reply: ok,
        run: clientUnpause,
      },
      {
        name: 'CLIENT|NO-EVICT',
        arity: 3,
        group: 'connection',
        flags: ['admin', 'noscript', 'loading', 'stale'],
        keys: null,
        since: '7.0.0',
        summary: 'Set client eviction mode for the current connection.',
        complexity: 'O(1)',
        reply: ok,
        run: clientNoEvict,
      },
      {
        name: 'CLIENT|NO-TOUCH',
        arity: 3,
        group: 'connection',
        flags: ['noscript', 'loading', 'stale'],
        keys: null,
        since: '7.2.0',
        summary: 'Control whether commands sent by the client alter the idle time of keys.',
        complexity: 'O(1)',
        reply: ok,
        run: clientNoTouch,
      },
      {
        name: 'CLIENT|REPLY',
        arity: 3,
        group: 'connection',
        flags: ['noscript', 'loading', 'stale'],
        keys: null,
        since: '3.2.0',
        summary: 'Instruct the server whether to reply to commands.',
        complexity: 'O(1)',
        reply: either(ok, nothing),
        run: clientReply,
      },
      {
        name: 'CLIENT|TRACKING',
        arity: -3,
        group: 'connection',
        flags: ['noscript', 'loading', 'stale'],
        keys: null,
        since: '6.0.0',
        summary: 'Enable or disable server assisted client side caching support.',
        complexity: 'O(1). Some options may introduce additional complexity.',
        reply: ok,
        run: clientTracking,
      },
      {
        name: 'CLIENT|TRACKINGINFO',
        arity: 2,
        group: 'connection',
        flags: ['noscript', 'loading', 'stale'],
        keys: null,
        since: '6.2.0',
        summary:
          'Return information about server assisted client side caching for the current connection.',
        complexity: 'O(1)',
        reply: anyMap,
        run: clientTrackingInfo,
      },
      {
        name: 'CLIENT|CACHING',
        arity: 3,
        group: 'connection',
        flags: ['noscript', 'loading', 'stale'],
        keys: null,
        since: '6.0.0',
        summary: 'Instruct the server about tracking or not keys in the next request.',
        complexity: 'O(1)',
        reply: ok,
        run: clientCaching,
      },
      {
        name: 'CLIENT|GETREDIR',
        arity: 2,
        group: 'connection',
        flags: ['noscript', 'loading', 'stale'],
        keys: null,
        since: '6.0.0',
        summary: 'Get tracking notifications redirection client ID if any.',
        complexity: 'O(1)',
        reply: integer,
        run: clientGetRedir,
      },
      {
        name: 'CLIENT|UNBLOCK',
        arity: -3,
        group: 'connection',
        flags: ['admin', 'noscript', 'loading', 'stale'],
        keys: null,
        since: '5.0.0',
        summary: 'Unblock a client blocked in a blocking command from a different connection.',
        complexity: 'O(log N) where N is the number of client connections',
        reply: flag,
        run: clientUnblock,
      },
      {
        name: 'CLIENT|HELP',
        arity: 2,
        group: 'connection',
        flags: ['loading', 'stale'],
        keys: null,
        since: '5.0.0',
        summary: 'Show helpful text about the different subcommands.',
        complexity: 'O(1)',
        reply: arrayOf(any),
        run: clientHelp,
      },
    ],
  },
];

function clientId(session: ClientSession, _args: Args): void {
  session.output.error('ERR not built yet');
}

function clientGetName(session: ClientSession, _args: Args): void {
  session.output.error('ERR not built yet');
}

function clientSetName(session: ClientSession, _args: Args): void {
  session.output.error('ERR not built yet');
}

function clientSetInfo(session: ClientSession, _args: Args): void {
  session.output.error('ERR not built yet');
}

function clientList(session: ClientSession, _args: Args): void {
  session.output.error('ERR not built yet');
}

function clientInfo(session: ClientSession, _args: Args): void {
  session.output.error('ERR not built yet');
}

function clientKill(session: ClientSession, _args: Args): void {
  session.output.error('ERR not built yet');
}

function clientPause(session: ClientSession, _args: Args): void {
  session.output.error('ERR not built yet');
}

function clientUnpause(session: ClientSession, _args: Args): void {
  session.output.error('ERR not built yet');
}

function clientNoEvict(session: ClientSession, _args: Args): void {
  session.output.error('ERR not built yet');
}

function clientNoTouch(session: ClientSession, _args: Args): void {
  session.output.error('ERR not built yet');
}

function clientReply(session: ClientSession, _args: Args): void {
  session.output.error('ERR not built yet');
}

function clientTracking(session: ClientSession, _args: Args): void {
  session.output.error('ERR not built yet');
}

function clientTrackingInfo(session: ClientSession, _args: Args): void {
  session.output.error('ERR not built yet');
}

function clientCaching(session: ClientSession, _args: Args): void {
  session.output.error('ERR not built yet');
}

function clientGetRedir(session: ClientSession, _args: Args): void {
  session.output.error('ERR not built yet');
}

function clientUnblock(session: ClientSession, _args: Args): void {
  session.output.error('ERR not built yet');
}

function clientHelp(session: ClientSession, _args: Args): void {
  session.output.error('ERR not built yet');
}
