/**
 * Commands that block, through a proxy: BLPOP, BLMOVE, BZPOPMIN, XREAD BLOCK …
 *
 * The shared connections must not be blocked, so such a command gets one for itself, which goes back
 * when the reply is there. A client that leaves takes the connection with it: the member must not pop
 * an element for somebody who is gone. CLIENT UNBLOCK is passed on, since only the member knows
 * whether it comes too late; for that it is asked first which of its clients this one is.
 */
import type { Entry } from '../command/dispatch.ts';
import type { Args } from '../resp/args.ts';
import { encodeRequest } from '../resp/request-writer.ts';
import type { ProxyClient } from './client.ts';
import { LentConnection } from './dedicated.ts';
import { proxyError } from './errors.ts';
import { commonSlot, forward } from './forward.ts';
import type { Member } from './member.ts';
import { planOf } from './plan.ts';
import type { ReplySink } from './request.ts';

const CLIENT_ID = encodeRequest(['CLIENT', 'ID']);

/** Runs a command that may block; all earlier ones of the client were answered. */
export function runBlocking(client: ProxyClient, entry: Entry, args: Args): void {
  const { session, core } = client;
  const plan = planOf(entry);
  if (!mayBlock(entry, args)) {
    forward(client, plan, args);
    return;
  }
  const slot = commonSlot(plan, args);
  const member = slot < 0 ? null : core.router.primary(core.router.shardOf(slot));
  if (member === null) {
    client.failWith(proxyError(slot < 0 ? 'crossSlot' : 'slotNotServed'));
    return;
  }
  const lent = new LentConnection(member, session.output.protocol);
  const who = askWho(client, member, lent, slot);
  const sink: ReplySink = {
    gone: false,
    resent: () => {},
    replied(request, buffer, start, end) {
      session.blocked = false;
      session.blocking = null;
      client.replied(request, buffer, start, end);
    },
  };
  const request = core.request(client, slot, plan.write, sink);
  client.enqueue(request);
  if (plan.write) client.noteWrite(slot);
  session.block({ cancel: () => lent.giveBack(), expire: () => {}, forward: who.unblock });
  const words = Array.from({ length: args.count }, (_, i) => args.bytes(i));
  lent.send(request, encodeRequest(words), () => lent.giveBack());
  client.blockUntilReplied();
}

/** XREAD and XREADGROUP block only when they say so. */
function mayBlock(entry: Entry, args: Args): boolean {
  if (!entry.command.name.startsWith('XREAD')) return true;
  for (let i = 1; i < args.count && !args.equalsIgnoreCase(i, 'STREAMS'); i++) {
    if (args.equalsIgnoreCase(i, 'BLOCK')) return true;
  }
  return false;
}

/** Asks the member for the number of this connection, and unblocks it by that number when told to. */
function askWho(
  client: ProxyClient,
  member: Member,
  lent: LentConnection,
  slot: number,
): { unblock(withError: boolean): void } {
  let id = '';
  let wanted: 'TIMEOUT' | 'ERROR' | null = null;
  const pass = (): void => {
    if (id === '' || wanted === null) return;
    const other = new LentConnection(member, 2);
    const request = client.core.request(client, slot, false, IGNORED);
    const command = encodeRequest(['CLIENT', 'UNBLOCK', id, wanted]);
    other.send(request, command, () => other.giveBack());
  };
  const sink: ReplySink = {
    gone: false,
    resent: () => {},
    replied(_request, buffer, start, end) {
      const text = buffer.latin1Slice(start, end);
      if (text.startsWith(':')) id = text.slice(1).trim();
      pass();
    },
  };
  lent.send(client.core.request(client, slot, false, sink), CLIENT_ID);
  return {
    unblock(withError) {
      wanted = withError ? 'ERROR' : 'TIMEOUT';
      pass();
    },
  };
}

const IGNORED: ReplySink = { gone: false, replied: () => {}, resent: () => {} };
