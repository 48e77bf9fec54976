/**
 * The commands that a proxy runs in a way of its own. They start when all earlier commands of the
 * client were answered, so their replies can be written at once.
 */
import type { Entry } from '../command/dispatch.ts';
import { errorText } from '../command/errors.ts';
import type { SubscriptionKind } from '../command/pubsub.ts';
import { ownNames } from '../command/pubsub.ts';
import { SLOT_COUNT } from '../keyspace/slot.ts';
import type { Args } from '../resp/args.ts';
import { encodeRequest } from '../resp/request-writer.ts';
import { runBlocking } from './blocking.ts';
import type { ProxyClient } from './client.ts';
import { LentConnection } from './dedicated.ts';
import { dispatch, forwardBySlot } from './forward.ts';
import { Gather } from './gather.ts';
import { elementsOf, mergeReplies } from './merge.ts';
import type { Special } from './plan.ts';
import { nextCursor, readCursor } from './scan-cursor.ts';
import { giveToken, waitForToken } from './token.ts';
import { endWatching, runExec, runWatch } from './transaction.ts';
import { verify } from './verify.ts';

export function runSpecial(client: ProxyClient, special: Special, entry: Entry, args: Args): void {
  switch (special) {
    case 'scan':
      scan(client, args);
      break;
    case 'blocking':
      runBlocking(client, entry, args);
      break;
    case 'wait':
      wait(client, args);
      break;
    case 'token':
      giveToken(client);
      break;
    case 'after':
      waitForToken(client, args);
      break;
    case 'verify':
      verify(client, args);
      break;
    case 'subscribe':
      subscribe(client, entry, args);
      break;
    case 'unsubscribe':
      unsubscribe(client, entry, args);
      break;
    case 'slot':
      askOwner(client, entry, args);
      break;
    case 'watch':
      runWatch(client, entry, args);
      break;
    case 'exec':
      runExec(client, entry, args);
      break;
    case 'multi':
      client.transactionSlot = -1;
      client.runLocally(entry, args);
      break;
    case 'reset':
      reset(client, entry, args);
      break;
    case 'discard':
    case 'unwatch':
      endWatching(client);
      client.runLocally(entry, args);
      break;
  }
}

/** Gives back what the client had beyond its session: to be called when it leaves. */
export function endSpecial(client: ProxyClient): void {
  endWatching(client);
}

function reset(client: ProxyClient, entry: Entry, args: Args): void {
  endWatching(client);
  unsubscribe(client, entry, args);
  client.session.routed = true;
}

/** SCAN goes through the shards one after the other. */
function scan(client: ProxyClient, args: Args): void {
  const shards = client.core.router.map?.shards ?? [];
  const cursor = readCursor(args.text(1), shards.length);
  if (cursor === null) {
    client.fail(errorText('invalidCursor'));
    return;
  }
  const whole = client.core.request(client, -1, false);
  client.enqueue(whole);
  const gather = new Gather(client, whole, 1, ([reply]) =>
    withCursor(reply, (inner) => nextCursor(cursor.shard, inner, shards.length)),
  );
  const request = client.core.request(client, shards[cursor.shard].firstSlot, false, gather);
  const rest = Array.from({ length: args.count - 2 }, (_, i) => args.bytes(i + 2));
  dispatch(client, request, encodeRequest(['SCAN', cursor.inner, ...rest]));
}

/** The reply of SCAN with another cursor; an error stays as it is. */
function withCursor(reply: Buffer, change: (inner: bigint) => string): Buffer {
  const elements = elementsOf(reply);
  if (elements === null || elements.length !== 2) return reply;
  const [head, inner] = elements[0].latin1Slice().split('\r\n');
  const text = head.startsWith('$') ? inner : head.slice(1);
  const cursor = change(BigInt(text));
  return Buffer.concat([
    Buffer.from(`*2\r\n$${cursor.length}\r\n${cursor}\r\n`, 'latin1'),
    elements[1],
  ]);
}

/**
 * WAIT and CRDT.WAIT: asked of every primary this client wrote to (of all, if it wrote nothing); the
 * reply is the smallest count. A shard whose primary has changed since counts 0: the new one may
 * not know the write, so it cannot speak for it.
 */
function wait(client: ProxyClient, args: Args): void {
  const timeoutMs = args.integer(2);
  const wanted = args.integer(1);
  const wrong = waitError(wanted, timeoutMs);
  if (wrong !== null) {
    client.fail(wrong);
    return;
  }
  const { router } = client.core;
  const all = router.map?.shards ?? [];
  const written = all.filter((shard) => client.writes.has(shard.slots));
  const asked = client.writes.size > 0 ? written : all;
  const whole = client.core.request(client, -1, false);
  client.enqueue(whole);
  if (asked.length < (client.writes.size || 1)) {
    whole.answer(ZERO);
    return;
  }
  const gather = new Gather(client, whole, asked.length, (replies) => mergeReplies('min', replies));
  // ALL: for everything the member has accepted, since other connections wrote for this client.
  const command = encodeRequest([args.text(0), wanted, timeoutMs, 'ALL']);
  for (const [part, shard] of asked.entries()) {
    const request = client.core.request(client, shard.firstSlot, false, gather);
    request.part = part;
    const member = router.primary(all.indexOf(shard));
    const epoch = client.writes.get(shard.slots) ?? shard.epoch;
    if (member === null || epoch !== shard.epoch) {
      request.answer(ZERO);
      continue;
    }
    const lent = new LentConnection(member, request.protocol);
    lent.send(request, command, () => lent.giveBack());
  }
}

function waitError(wanted: number, timeoutMs: number): string | null {
  if (Number.isNaN(wanted)) return errorText('notInteger');
  if (Number.isNaN(timeoutMs)) return errorText('timeoutNotInteger');
  return timeoutMs < 0 ? errorText('timeoutNegative') : null;
}

const ZERO = Buffer.from(':0\r\n');

const KINDS: Readonly<Record<string, SubscriptionKind>> = {
  SUBSCRIBE: 'channel',
  UNSUBSCRIBE: 'channel',
  PSUBSCRIBE: 'pattern',
  PUNSUBSCRIBE: 'pattern',
  SSUBSCRIBE: 'shard',
  SUNSUBSCRIBE: 'shard',
};

/** Confirmed to the client once the members that will send the messages have confirmed it. */
function subscribe(client: ProxyClient, entry: Entry, args: Args): void {
  const kind = KINDS[entry.command.name];
  const names = Array.from({ length: args.count - 1 }, (_, i) => args.text(i + 1));
  const kept = args.clone();
  client.block();
  client.core.subscriptions.ensure(kind, names, () => {
    if (!client.gone) {
      client.runLocally(entry, kept);
      client.unblock();
    }
    client.core.subscriptions.review(kind, names);
  });
}

function unsubscribe(client: ProxyClient, entry: Entry, args: Args): void {
  const { session, core } = client;
  const kinds = ['channel', 'pattern', 'shard'] as const;
  const before = kinds.map((kind) => [...ownNames(session, kind)]);
  client.runLocally(entry, args);
  for (const [i, kind] of kinds.entries()) core.subscriptions.review(kind, before[i]);
}

/** What only the primary of a slot can tell; of no slot, or without a map, this process complains. */
function askOwner(client: ProxyClient, entry: Entry, args: Args): void {
  const slot = args.integer(2);
  const { map } = client.core.router;
  if (map !== null && slot >= 0 && slot < SLOT_COUNT) forwardBySlot(client, slot, false, args);
  else client.runLocally(entry, args);
}
