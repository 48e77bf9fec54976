/**
 * Sends a client's command to the member, or the members, that have its keys.
 */
import { errorText } from '../command/errors.ts';
import { slotOf } from '../keyspace/slot.ts';
import type { Args } from '../resp/args.ts';
import { encodeRequest } from '../resp/request-writer.ts';
import type { ProxyClient } from './client.ts';
import { proxyError } from './errors.ts';
import { Gather } from './gather.ts';
import { mergeReplies } from './merge.ts';
import { type CommandPlan, keyIndexes } from './plan.ts';
import type { Request } from './request.ts';

/** The slot of argument `i`. */
export function slotOfArgument(args: Args, i: number): number {
  return slotOf(args.buffer, args.start[i], args.end[i]);
}

/**
 * The one slot that all keys of a command lie in; -1: they lie in several. A command whose keys
 * cannot be told (a wrong count of them) goes anywhere: the member knows what to say to it.
 */
export function commonSlot(plan: CommandPlan, args: Args): number {
  const { keys } = plan;
  if (keys !== null && keys.first === keys.last && plan.keyCountAt === 0) {
    return slotOfArgument(args, keys.first);
  }
  const indexes = keyIndexes(plan, args);
  if (indexes.length === 0) return 0;
  const slot = slotOfArgument(args, indexes[0]);
  for (const i of indexes) if (slotOfArgument(args, i) !== slot) return -1;
  return slot;
}

/** A command whose keys lie in one slot: its bytes go on as they came. */
export function forward(client: ProxyClient, plan: CommandPlan, args: Args): void {
  const slot = commonSlot(plan, args);
  if (slot < 0) {
    client.failWith(proxyError('crossSlot'));
    return;
  }
  forwardBySlot(client, slot, plan.write, args);
}

/** A command whose keys may lie anywhere: one part for each shard that has some of them. */
export function split(client: ProxyClient, plan: CommandPlan, args: Args): void {
  const { router } = client.core;
  const indexes = keyIndexes(plan, args);
  const step = plan.keys!.step;
  const slots = indexes.map((i) => slotOfArgument(args, i));
  const shards = slots.map((slot) => router.shardOf(slot));
  // One shard for all of it, or a MSET without its last value, of which the member complains.
  if (shards.every((shard) => shard === shards[0]) || (args.count - 1) % step !== 0) {
    forwardBySlot(client, slots[0], plan.write, args);
    return;
  }
  const involved = [...new Set(shards)];
  const order = shards.map((shard) => involved.indexOf(shard));
  const whole = client.core.request(client, -1, false);
  client.enqueue(whole);
  const merge = plan.merge!;
  const gather = new Gather(client, whole, involved.length, (replies) =>
    mergeReplies(merge, replies, order),
  );
  for (const [part, shard] of involved.entries()) {
    const words: Uint8Array[] = [args.bytes(0)];
    for (const [k, i] of indexes.entries()) {
      if (shards[k] !== shard) continue;
      for (let j = 0; j < step; j++) words.push(args.bytes(i + j));
    }
    const slot = slots[shards.indexOf(shard)];
    const request = client.core.request(client, slot, plan.write, gather);
    request.part = part;
    if (plan.write) client.noteWrite(slot);
    dispatch(client, request, encodeRequest(words));
  }
}

/** A command that concerns all keys: every shard gets it as it came. */
export function forwardToAll(client: ProxyClient, plan: CommandPlan, args: Args): void {
  const { router, context } = client.core;
  const shards = router.map?.shards ?? [];
  if (shards.length === 0) {
    client.fail(errorText('loading', context.member.startingReason()));
    return;
  }
  const whole = client.core.request(client, -1, false);
  client.enqueue(whole);
  const merge = plan.merge!;
  const gather = new Gather(client, whole, shards.length, (replies) =>
    mergeReplies(merge, replies, [], context.random()),
  );
  const bytes = asResp(args);
  for (const [part, shard] of shards.entries()) {
    const request = client.core.request(client, shard.firstSlot, plan.write, gather);
    request.part = part;
    if (plan.write) client.noteWrite(shard.firstSlot);
    dispatch(client, request, bytes);
  }
}

/** Sends bytes made here. */
export function dispatch(client: ProxyClient, request: Request, bytes: Buffer): void {
  client.went(client.core.router.dispatch(request, bytes, 0, bytes.length));
}

/** The command as RESP in memory of its own or in the client's input. */
function asResp(args: Args): Buffer {
  if (args.rawStart >= 0) return args.buffer.subarray(args.rawStart, args.rawEnd);
  return encodeRequest(Array.from({ length: args.count }, (_, i) => args.bytes(i)));
}

/** Sends a command as it came to the primary of a slot. */
export function forwardBySlot(client: ProxyClient, slot: number, write: boolean, args: Args): void {
  const { core } = client;
  const request = core.request(client, slot, write);
  client.enqueue(request);
  if (write) client.noteWrite(slot);
  if (args.rawStart >= 0) {
    client.went(core.router.dispatch(request, args.buffer, args.rawStart, args.rawEnd));
  } else {
    dispatch(client, request, asResp(args));
  }
}
