/** One client in the words of CLIENT LIST and CLIENT INFO. */
import type { ClientSession } from './session.ts';

/** Names consist of printable ASCII without blanks; none is allowed, too. */
export function isClientName(name: string): boolean {
  return /^[!-~]*$/.test(name);
}

/** What kind of client it is, for filters by TYPE. */
export function clientType(session: ClientSession): 'normal' | 'pubsub' {
  return session.subscribed ? 'pubsub' : 'normal';
}

/** What a client costs beside its buffers, by estimate: the connection, and each name it is listed by. */
const CLIENT_BYTES = 2048;
const NAME_BYTES = 100;

/** Bytes that a client takes, by estimate. */
export function clientMemory(session: ClientSession): number {
  const { transaction, output, channels, patterns, shardChannels, watched } = session;
  const names = channels.size + patterns.size + shardChannels.size + watched.size;
  const unread = output.length + session.unreadBytes();
  const buffers = session.pendingBytes + unread + (transaction?.bytes ?? 0);
  return CLIENT_BYTES + buffers + names * NAME_BYTES;
}

/** The line that CLIENT LIST prints, without line end. */
export function describeClient(session: ClientSession, nowMs: number): string {
  const seconds = (sinceMs: number): number => Math.max(0, Math.floor((nowMs - sinceMs) / 1000));
  const { transaction, output } = session;
  const fields: [string, string | number][] = [
    ['id', session.id],
    ['addr', session.remote],
    ['laddr', session.local],
    ['fd', session.id],
    ['name', session.name],
    ['age', seconds(session.createdAtMs)],
    ['idle', seconds(session.lastCommandAtMs)],
    ['flags', flagsOf(session)],
    ['db', 0],
    ['sub', session.channels.size],
    ['psub', session.patterns.size],
    ['ssub', session.shardChannels.size],
    ['multi', transaction === null ? -1 : transaction.queue.length],
    ['qbuf', session.pendingBytes],
    ['qbuf-free', 0],
    ['argv-mem', 0],
    ['multi-mem', transaction?.bytes ?? 0],
    ['rbs', 0],
    ['rbp', 0],
    ['obl', output.length],
    ['oll', 0],
    ['omem', output.length + session.unreadBytes()],
    ['tot-mem', clientMemory(session)],
    ['events', 'r'],
    ['cmd', session.lastCommand],
    ['user', session.user.name],
    ['redir', session.tracker === null ? -1 : session.tracker.redirect],
    ['resp', output.protocol],
    ['lib-name', session.libraryName],
    ['lib-ver', session.libraryVersion],
  ];
  return fields.map(([name, value]) => `${name}=${value}`).join(' ');
}

function flagsOf(session: ClientSession): string {
  let flags = session.server.observer.monitors.has(session) ? 'O' : '';
  if (session.subscribed) flags += 'P';
  if (session.transaction !== null) flags += 'x';
  if (session.blocked) flags += 'b';
  if (session.watchBroken) flags += 'd';
  if (session.closing) flags += 'c';
  if (session.tracker !== null) flags += 't';
  if (session.tracker?.redirectBroken) flags += 'R';
  if (session.tracker?.broadcast) flags += 'B';
  if (session.noEvict) flags += 'e';
  if (session.noTouch) flags += 'T';
  return flags || 'N';
}
