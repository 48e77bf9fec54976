/**
 * CRDT.TOKEN and CRDT.AFTER by way of a proxy: a region's shards each know their own slots, so the
 * token of a client holds a part of every shard, and each shard waits for the parts that overlap
 * its slots. Regions may be cut into shards differently: what counts are slots, not shard numbers.
 */
import { tokenPartsFor } from '../command/crdt.ts';
import { CommandError, errorText } from '../command/errors.ts';
import { SLOT_COUNT } from '../keyspace/slot.ts';
import type { MapShard } from '../map/database-map.ts';
import { overlaps, readToken, type TokenPart, writeToken } from '../replication/session-token.ts';
import type { Args } from '../resp/args.ts';
import { encodeRequest } from '../resp/request-writer.ts';
import type { ProxyClient } from './client.ts';
import { LentConnection } from './dedicated.ts';
import { proxyError } from './errors.ts';
import { dispatch } from './forward.ts';
import { Gather } from './gather.ts';
import { mergeReplies } from './merge.ts';

const MINUS = 0x2d;

/** Asks every shard: the client may have read anywhere, and only its writes are remembered. */
export function giveToken(client: ProxyClient): void {
  const { router, context } = client.core;
  const shards = router.map?.shards ?? [];
  if (shards.length === 0) {
    client.fail(errorText('loading', context.member.startingReason()));
    return;
  }
  const unknown = unknownWrites(client, shards);
  if (unknown !== null) {
    client.failWith(proxyError('tokenUnknown', unknown));
    return;
  }
  const whole = client.core.request(client, -1, false);
  client.enqueue(whole);
  const { database } = context.process;
  const gather = new Gather(client, whole, shards.length, (replies) => {
    // A failover while the shards were asked: the new primary may have answered.
    const changed = unknownWrites(client, router.map?.shards ?? []);
    return changed === null ? joinTokens(replies, database) : proxyError('tokenUnknown', changed);
  });
  const command = encodeRequest(['CRDT.TOKEN']);
  for (const [part, shard] of shards.entries()) {
    const request = client.core.request(client, shard.firstSlot, false, gather);
    request.part = part;
    dispatch(client, request, command);
  }
}

/** Slots written to, whose primary is another one since; null: there are none. */
function unknownWrites(client: ProxyClient, shards: readonly MapShard[]): string | null {
  for (const [slots, epoch] of client.writes) {
    if (!shards.some((shard) => shard.slots === slots && shard.epoch === epoch)) return slots;
  }
  return null;
}

/** One token of the tokens that shards gave, as RESP; an error among them is the reply. */
function joinTokens(replies: readonly Buffer[], database: string): Buffer {
  const parts: TokenPart[] = [];
  for (const reply of replies) {
    if (reply[0] === MINUS) return reply;
    const token = readToken(reply.latin1Slice(reply.indexOf('\r\n') + 2, reply.length - 2));
    if (typeof token === 'string') return proxyError('badUpstream', 'asked for a token');
    parts.push(...token.parts);
  }
  const text = writeToken({ database, parts });
  return Buffer.from(`$${text.length}\r\n${text}\r\n`, 'latin1');
}

/** Asks the shards that the token concerns, all at once; the smallest answer is the reply. */
export function waitForToken(client: ProxyClient, args: Args): void {
  const { router, context } = client.core;
  const shards = router.map?.shards ?? [];
  const timeoutMs = args.integer(2);
  const wrong = afterError(timeoutMs);
  if (wrong !== null) {
    client.fail(wrong);
    return;
  }
  const parts = partsOf(client, args);
  if (parts === null) return;
  const asked = shards.filter((shard) =>
    parts.some((part) => overlaps(part, shard.firstSlot, shard.lastSlot)),
  );
  if (asked.length === 0) {
    client.fail(errorText('loading', context.member.startingReason()));
    return;
  }
  const whole = client.core.request(client, -1, false);
  client.enqueue(whole);
  const gather = new Gather(client, whole, asked.length, (replies) => mergeReplies('min', replies));
  const command = encodeRequest(['CRDT.AFTER', args.text(1), timeoutMs]);
  for (const [part, shard] of asked.entries()) {
    const request = client.core.request(client, shard.firstSlot, false, gather);
    request.part = part;
    const member = router.primary(shards.indexOf(shard));
    if (member === null) {
      request.answer(proxyError('noPrimary', shard.firstSlot, 0));
      continue;
    }
    // It may block for long: never on a connection that other clients share.
    const lent = new LentConnection(member, request.protocol);
    lent.send(request, command, () => lent.giveBack());
  }
}

/** The token's parts; null: the client was told what is wrong with it. */
function partsOf(client: ProxyClient, args: Args): readonly TokenPart[] | null {
  try {
    const { database } = client.core.context.process;
    return tokenPartsFor(args.text(1), database, { firstSlot: 0, lastSlot: SLOT_COUNT - 1 });
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    client.fail(error.message);
    return null;
  }
}

function afterError(timeoutMs: number): string | null {
  if (Number.isNaN(timeoutMs)) return errorText('timeoutNotInteger');
  return timeoutMs < 0 ? errorText('timeoutNegative') : null;
}
