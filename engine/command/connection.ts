/** What a client does first and last: greet, authenticate, ask whether we are there, leave. */
import { DEFAULT_USER } from '../acl/acl.ts';
import type { Args } from '../resp/args.ts';
import { isClientName } from './client-describe.ts';
import { commandError } from './errors.ts';
import { readInt32, readInteger } from './numbers.ts';
import { anyMap, bulk, bulks, either, ok, status } from './reply-shape.ts';
import type { ClientSession } from './session.ts';
import type { Command } from './table.ts';
import { endTransaction } from './transaction.ts';

export const connectionCommands: readonly Command[] = [
  {
    name: 'HELLO',
    arity: -1,
    group: 'connection',
    flags: ['noscript', 'loading', 'stale', 'fast', 'no_auth'],
    keys: null,
    since: '6.0.0',
    summary: 'Greets, and chooses the protocol.',
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
    summary: 'Proves the password.',
    complexity: 'O(1)',
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
    summary: 'Answers, if we are there.',
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
    summary: 'Answers what it was given.',
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
    summary: 'Chooses database 0, the only one.',
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
    summary: 'Closes the connection.',
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
    summary: 'Puts the connection back to how it began.',
    complexity: 'O(1)',
    reply: status('RESET'),
    run: reset,
  },
];

/** The version of Redis whose behaviour we show; clients switch features on by it. */
export const REDIS_VERSION = '7.0.15';

function hello(session: ClientSession, args: Args): void {
  const { output, server } = session;
  const version = args.count > 1 ? readInteger(args, 1, 'protocolNotInteger') : 0;
  if (args.count > 1 && version !== 2 && version !== 3) throw commandError('protocolVersion');
  let credentials: [string, string] | null = null;
  let name: string | null = null;
  for (let i = 2; i < args.count; i++) {
    if (args.equalsIgnoreCase(i, 'AUTH') && i + 2 < args.count) {
      credentials = [args.text(i + 1), args.text(i + 2)];
      i += 2;
    } else if (args.equalsIgnoreCase(i, 'SETNAME') && i + 1 < args.count) {
      name = args.text(++i);
      if (!isClientName(name)) throw commandError('clientName');
    } else {
      throw commandError('helloOption', args.text(i));
    }
  }
  if (credentials !== null) authenticate(session, credentials[0], credentials[1], args.text(0));
  if (!session.authenticated && server.acl.authRequired) throw commandError('helloNoAuth');
  if (name !== null) session.name = name;
  if (version !== 0) output.protocol = version as 2 | 3;
  output.map(7);
  output.bulk('server');
  output.bulk('redis');
  output.bulk('version');
  output.bulk(REDIS_VERSION);
  output.bulk('proto');
  output.integer(output.protocol);
  output.bulk('id');
  output.integer(session.id);
  output.bulk('mode');
  output.bulk('standalone');
  output.bulk('role');
  output.bulk(server.member.role() === 'primary' ? 'master' : 'replica');
  output.bulk('modules');
  output.array(0);
}

function auth(session: ClientSession, args: Args): void {
  if (args.count > 3) throw commandError('syntax');
  if (args.count === 2) {
    if (session.server.acl.defaultUser.nopass) throw commandError('noPasswordSet');
    authenticate(session, DEFAULT_USER, args.text(1), args.text(0));
  } else {
    authenticate(session, args.text(1), args.text(2), args.text(0));
  }
  session.output.ok();
}

/** `verb`: the command's name as it was written, for ACL LOG. */
function authenticate(session: ClientSession, user: string, password: string, verb: string): void {
  if (!session.server.acl.authenticate(session, user, password, verb)) {
    throw commandError('wrongPassword');
  }
}

function ping(session: ClientSession, args: Args): void {
  if (args.count > 2) throw commandError('arity', 'ping');
  const { output } = session;
  if (session.subscribed && output.protocol === 2) {
    output.array(2);
    output.bulk('pong');
    output.bulk(args.count === 2 ? args.text(1) : '');
  } else if (args.count === 2) {
    output.bulkBytes(args.buffer, args.start[1], args.end[1]);
  } else {
    output.simple('PONG');
  }
}

function echo(session: ClientSession, args: Args): void {
  session.output.bulkBytes(args.buffer, args.start[1], args.end[1]);
}

function select(session: ClientSession, args: Args): void {
  if (readInt32(args, 1) !== 0) throw commandError('dbIndexRange');
  session.output.ok();
}

function quit(session: ClientSession): void {
  session.output.ok();
  session.closing = true;
}

/** Back to how the connection began. */
function reset(session: ClientSession): void {
  const { server, output } = session;
  endTransaction(session);
  server.pubsub.leaveAll(session);
  server.tracking?.disable(session);
  server.observer.monitors.delete(session);
  output.protocol = 2;
  session.name = '';
  session.replyMode = 'on';
  session.noEvict = false;
  session.noTouch = false;
  session.user = server.acl.defaultUser;
  session.authenticated = !server.acl.authRequired;
  session.readsReplica = false;
  session.routed = false;
  output.simple('RESET');
}
