/**
 * MULTI, EXEC and WATCH through a proxy.
 *
 * Commands are queued here, in the session, and must all lie in one slot. EXEC sends MULTI, the
 * commands and EXEC in one piece; a connection answers in order and executes a piece without
 * anything in between, so transactions can share it with all other clients. Only WATCH needs a
 * connection of its own, because the member keeps the watched keys by connection. When that breaks,
 * nobody knows whether the keys changed: EXEC then says they did.
 */
import { type Entry, WRITE } from '../command/dispatch.ts';
import { errorText } from '../command/errors.ts';
import {
  abortExec,
  endTransaction,
  queueCommand,
  type Transaction,
} from '../command/transaction.ts';
import type { Args } from '../resp/args.ts';
import { encodeRequest } from '../resp/request-writer.ts';
import type { ProxyClient } from './client.ts';
import { LentConnection } from './dedicated.ts';
import { proxyError, proxyErrorCatalogue } from './errors.ts';
import { commonSlot, dispatch } from './forward.ts';
import { type CommandPlan, keyIndexes } from './plan.ts';
import type { ReplySink, Request } from './request.ts';

export type Watching = { readonly slot: number; readonly connection: LentConnection };

const MULTI = encodeRequest(['MULTI']);
const EXEC = encodeRequest(['EXEC']);
const UNWATCH = encodeRequest(['UNWATCH']);

/** Keeps a command until EXEC, or refuses it and with it the transaction. */
export function queueInTransaction(
  client: ProxyClient,
  entry: Entry,
  plan: CommandPlan,
  args: Args,
): void {
  const { session } = client;
  const transaction = session.transaction!;
  if (!plan.inMulti) {
    transaction.broken = true;
    client.fail(errorText('notInMulti'));
    return;
  }
  if (keyIndexes(plan, args).length > 0) {
    const slot = commonSlot(plan, args);
    const pinned = client.watching?.slot ?? client.transactionSlot;
    if (slot < 0 || (pinned >= 0 && slot !== pinned)) {
      transaction.broken = true;
      client.fail(proxyErrorCatalogue.crossSlot.text);
      return;
    }
    client.transactionSlot = slot;
  }
  queueCommand(session, entry, args);
  client.core.turn.add(client);
}

export function runExec(client: ProxyClient, entry: Entry, args: Args): void {
  const { session, core } = client;
  const { transaction } = session;
  if (transaction === null || transaction.broken) {
    endWatching(client);
    client.runLocally(entry, args);
    return;
  }
  // The member knows nothing of this client's user: what was taken back since is refused here.
  for (const queued of transaction.queue) {
    const denied = core.context.acl.refusalAtExec(session, queued.entry, queued.args);
    if (denied === null) continue;
    abortExec(session, denied);
    endWatching(client);
    core.turn.add(client);
    return;
  }
  endTransaction(session);
  const { watching } = client;
  const slot = watching?.slot ?? Math.max(client.transactionSlot, 0);
  const write = (transaction.bits & WRITE) !== 0;
  const request = core.request(client, slot, write);
  request.repliesWanted = transaction.queue.length + 2;
  request.repliesLeft = request.repliesWanted;
  client.enqueue(request);
  client.watching = null;
  if (write) client.noteWrite(slot);
  if (watching === null) dispatch(client, request, encodeTransaction(transaction));
  else execWatched(client, watching.connection, request, transaction);
}

/** EXEC on the connection that watches, and what follows it only afterwards. */
function execWatched(
  client: ProxyClient,
  connection: LentConnection,
  request: Request,
  transaction: Transaction,
): void {
  if (!connection.alive) {
    request.answer(client.session.output.protocol === 3 ? NULL_3 : NULL_2);
    return;
  }
  connection.send(request, encodeTransaction(transaction), () => connection.giveBack());
  client.blockUntilReplied();
}

const NULL_2 = Buffer.from('*-1\r\n');
const NULL_3 = Buffer.from('_\r\n');

export function runWatch(client: ProxyClient, entry: Entry, args: Args): void {
  const { session, core } = client;
  if (session.transaction !== null) {
    // Refused by the engine's own words.
    client.runLocally(entry, args);
    return;
  }
  const plan = {
    keys: entry.command.keys,
    keyCountAt: 0,
    keyAfter: null,
    keysAfter: null,
  } as CommandPlan;
  const slot = commonSlot(plan, args);
  if (slot < 0 || (client.watching !== null && client.watching.slot !== slot)) {
    client.failWith(proxyError('crossSlot'));
    return;
  }
  if (client.watching === null) {
    const member = core.router.primary(core.router.shardOf(slot));
    if (member === null) {
      client.failWith(proxyError('slotNotServed'));
      return;
    }
    const { protocol } = session.output;
    client.watching = { slot, connection: new LentConnection(member, protocol) };
  }
  const sink: ReplySink = {
    gone: false,
    resent: () => {},
    replied(reply, buffer, start, end) {
      // An error: nothing is watched, and the next WATCH shall choose its connection afresh.
      if (buffer[start] === 0x2d) endWatching(client);
      client.replied(reply, buffer, start, end);
    },
  };
  const request = core.request(client, slot, false, sink);
  client.enqueue(request);
  const words = Array.from({ length: args.count }, (_, i) => args.bytes(i));
  client.watching.connection.send(request, encodeRequest(words));
  // Reads that follow must not be faster on another connection.
  client.blockUntilReplied();
}

/** Forgets what the client watches; the connection goes back once the member has, too. */
export function endWatching(client: ProxyClient): void {
  const { watching } = client;
  if (watching === null) return;
  client.watching = null;
  const { connection } = watching;
  const ignored = { gone: false, replied: () => {}, resent: () => {} };
  const request = client.core.request(client, watching.slot, false, ignored);
  connection.send(request, UNWATCH, () => connection.giveBack());
}

function encodeTransaction(transaction: Transaction): Buffer {
  const parts: Buffer[] = [MULTI];
  for (const { args } of transaction.queue) {
    parts.push(encodeRequest(Array.from({ length: args.count }, (_, i) => args.bytes(i))));
  }
  parts.push(EXEC);
  return Buffer.concat(parts);
}
