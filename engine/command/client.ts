/** CLIENT: the connections of this process, seen and steered from one of them. */
import type { Args } from '../resp/args.ts';
import { clientType, describeClient, isClientName } from './client-describe.ts';
import { trackingCommands } from './client-tracking.ts';
import { commandError, errorText } from './errors.ts';
import { writeHelp } from './help.ts';
import { readInteger } from './numbers.ts';
import { any, arrayOf, bulk, bulkOrNull, count, either, flag, nothing, ok } from './reply-shape.ts';
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
    summary: 'Steers the connections of this process.',
    complexity: 'Depends on subcommand',
    reply: any,
    subcommands: [
      {
        name: 'CLIENT|ID',
        arity: 2,
        group: 'connection',
        flags: ['noscript', 'loading', 'stale'],
        keys: null,
        since: '5.0.0',
        summary: 'Returns the id of this connection.',
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
        summary: 'Returns the name of this connection.',
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
        summary: 'Names this connection.',
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
        summary: 'Tells which library this connection comes from.',
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
        summary: 'Lists connections.',
        complexity: 'O(N) for N client connections',
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
        summary: 'Describes this connection.',
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
        summary: 'Closes connections.',
        complexity: 'O(N) for N client connections',
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
        summary: 'Holds commands on data back for some time.',
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
        summary: 'Ends a pause.',
        complexity: 'O(N) for N paused clients',
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
        summary: 'Keeps this connection when clients must go.',
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
        summary: 'Leaves access times alone.',
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
        summary: 'Turns replies on or off.',
        complexity: 'O(1)',
        reply: either(ok, nothing),
        run: clientReply,
      },
      ...trackingCommands,
      {
        name: 'CLIENT|UNBLOCK',
        arity: -3,
        group: 'connection',
        flags: ['admin', 'noscript', 'loading', 'stale'],
        keys: null,
        since: '5.0.0',
        summary: 'Ends the wait of another connection.',
        complexity: 'O(1)',
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
        summary: 'Lists the subcommands.',
        complexity: 'O(1)',
        reply: arrayOf(any),
        run: clientHelp,
      },
    ],
  },
];

const CLIENT_TYPES = new Set(['normal', 'master', 'replica', 'slave', 'pubsub']);

function clientId(session: ClientSession): void {
  session.output.integer(session.id);
}

function clientGetName(session: ClientSession): void {
  if (session.name === '') session.output.nullBulk();
  else session.output.bulk(session.name);
}

function clientSetName(session: ClientSession, args: Args): void {
  const name = args.text(2);
  if (!isClientName(name)) throw commandError('clientName');
  session.name = name;
  session.output.ok();
}

function clientSetInfo(session: ClientSession, args: Args): void {
  const value = args.text(3);
  const isName = args.equalsIgnoreCase(2, 'LIB-NAME');
  if (!isName && !args.equalsIgnoreCase(2, 'LIB-VER')) {
    throw commandError('clientInfoOption', args.text(2));
  }
  if (!isClientName(value)) throw commandError('clientInfoValue', args.text(2));
  if (isName) session.libraryName = value;
  else session.libraryVersion = value;
  session.output.ok();
}

function clientList(session: ClientSession, args: Args): void {
  const { clients, clockMs } = session.server;
  let sessions = clients.list();
  if (args.count === 4 && args.equalsIgnoreCase(2, 'TYPE')) {
    const type = readClientType(args, 3);
    sessions = sessions.filter((client) => clientType(client) === type);
  } else if (args.count > 3 && args.equalsIgnoreCase(2, 'ID')) {
    const ids = new Set<number>();
    for (let i = 3; i < args.count; i++) {
      const id = readInteger(args, i, 'clientId');
      if (id < 1) throw commandError('clientId');
      ids.add(id);
    }
    sessions = sessions.filter((client) => ids.has(client.id));
  } else if (args.count !== 2) {
    throw commandError('syntax');
  }
  const now = clockMs.call(session.server);
  const lines = sessions.map((client) => `${describeClient(client, now)}\n`);
  session.output.verbatim('txt', lines.join(''));
}

function clientInfo(session: ClientSession): void {
  const now = session.server.clockMs();
  session.output.verbatim('txt', `${describeClient(session, now)}\n`);
}

function clientKill(session: ClientSession, args: Args): void {
  const { clients } = session.server;
  if (args.count === 3) {
    const address = args.text(2);
    const found = clients.list().find((client) => client.remote === address);
    if (!found) throw commandError('noSuchClient');
    session.output.ok();
    clients.kill(found);
    return;
  }
  const filter = readKillFilter(session, args);
  const victims = clients.list().filter(filter);
  session.output.integer(victims.length);
  for (const client of victims) clients.kill(client);
}

function readKillFilter(session: ClientSession, args: Args): (client: ClientSession) => boolean {
  const tests: ((client: ClientSession) => boolean)[] = [];
  let skipMe = true;
  for (let i = 2; i < args.count; i += 2) {
    if (i + 1 >= args.count) throw commandError('syntax');
    const value = args.text(i + 1);
    if (args.equalsIgnoreCase(i, 'ID')) {
      const id = readInteger(args, i + 1, 'clientIdRange');
      if (id < 1) throw commandError('clientIdRange');
      tests.push((client) => client.id === id);
    } else if (args.equalsIgnoreCase(i, 'TYPE')) {
      const type = readClientType(args, i + 1);
      tests.push((client) => clientType(client) === type);
    } else if (args.equalsIgnoreCase(i, 'ADDR')) {
      tests.push((client) => client.remote === value);
    } else if (args.equalsIgnoreCase(i, 'LADDR')) {
      tests.push((client) => client.local === value);
    } else if (args.equalsIgnoreCase(i, 'USER')) {
      const user = session.server.acl.find(value);
      if (user === null) throw commandError('noSuchUser', value);
      tests.push((client) => client.user === user);
    } else if (args.equalsIgnoreCase(i, 'SKIPME') && /^(yes|no)$/i.test(value)) {
      skipMe = value.toLowerCase() === 'yes';
    } else {
      throw commandError('syntax');
    }
  }
  return (client) => !(skipMe && client === session) && tests.every((test) => test(client));
}

function readClientType(args: Args, i: number): string {
  const type = args.text(i).toLowerCase();
  if (!CLIENT_TYPES.has(type)) throw commandError('clientType', args.text(i));
  return type;
}

function clientPause(session: ClientSession, args: Args): void {
  const { clients } = session.server;
  const writes = args.count === 4 && args.equalsIgnoreCase(3, 'WRITE');
  if (args.count > 4) throw commandError('syntax');
  if (args.count === 4 && !writes && !args.equalsIgnoreCase(3, 'ALL')) {
    throw commandError('pauseMode');
  }
  const timeoutMs = readInteger(args, 2, 'timeoutNotInteger');
  if (timeoutMs < 0) throw commandError('timeoutNegative');
  clients.pause(writes ? 'write' : 'all', session.server.clockMs() + timeoutMs);
  session.output.ok();
}

function clientUnpause(session: ClientSession): void {
  session.output.ok();
  session.server.clients.unpause();
}

function clientNoEvict(session: ClientSession, args: Args): void {
  session.noEvict = readOnOff(args, 2);
  session.output.ok();
}

function clientNoTouch(session: ClientSession, args: Args): void {
  session.noTouch = readOnOff(args, 2);
  session.output.ok();
}

function readOnOff(args: Args, i: number): boolean {
  if (args.equalsIgnoreCase(i, 'ON')) return true;
  if (args.equalsIgnoreCase(i, 'OFF')) return false;
  throw commandError('syntax');
}

function clientReply(session: ClientSession, args: Args): void {
  if (args.equalsIgnoreCase(2, 'ON')) {
    session.replyMode = 'on';
    session.output.ok();
  } else if (args.equalsIgnoreCase(2, 'OFF')) {
    session.replyMode = 'off';
  } else if (args.equalsIgnoreCase(2, 'SKIP')) {
    if (session.replyMode !== 'off') session.replyMode = 'skip-next';
  } else {
    throw commandError('syntax');
  }
}

function clientUnblock(session: ClientSession, args: Args): void {
  const withError = args.count === 4 && args.equalsIgnoreCase(3, 'ERROR');
  if (args.count > 4) throw commandError('arity', 'client|unblock');
  if (args.count === 4 && !withError && !args.equalsIgnoreCase(3, 'TIMEOUT')) {
    throw commandError('unblockMode');
  }
  const target = session.server.clients.sessions.get(readInteger(args, 2));
  const blocking = target?.blocking;
  if (!target || !blocking) {
    session.output.integer(0);
    return;
  }
  if (blocking.forward !== undefined) {
    blocking.forward(withError);
  } else {
    blocking.cancel();
    if (withError) target.output.error(errorText('unblocked'));
    else blocking.expire();
    target.unblock();
  }
  session.output.integer(1);
}

function clientHelp(session: ClientSession): void {
  writeHelp(session, 'CLIENT');
}
