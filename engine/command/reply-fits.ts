/** Whether a reply that was seen fits the shape that the table declares; for the tests. */
import type { ReplyShape } from './reply-shape.ts';
import type { ReplyTree } from './reply-tree.ts';

/** True when it fits in the given protocol. Errors fit every shape. */
export function replyFits(shape: ReplyShape, reply: ReplyTree, protocol: 2 | 3): boolean {
  if (reply.kind === 'error') return true;
  switch (shape.kind) {
    case 'any':
      return true;
    case 'nothing':
      return false;
    case 'status':
      return reply.kind === 'status' && shape.values.includes(reply.text);
    case 'integer':
      return reply.kind === 'integer' && within(reply.value, shape.min, shape.max);
    case 'bulk':
      return reply.kind === 'bulk' || (protocol === 3 && reply.kind === 'verbatim');
    case 'double':
      return reply.kind === (protocol === 3 ? 'double' : 'bulk');
    case 'null':
      return reply.kind === 'null';
    case 'either':
      return shape.of.some((one) => replyFits(one, reply, protocol));
    case 'tuple':
      return (
        reply.kind === 'array' &&
        reply.items.length === shape.of.length &&
        shape.of.every((one, i) => replyFits(one, reply.items[i], protocol))
      );
    case 'array':
      return reply.kind === 'array' && itemsFit(shape.of, reply.items, protocol);
    case 'set':
      return (
        reply.kind === (protocol === 3 ? 'set' : 'array') &&
        itemsFit(shape.of, reply.items, protocol)
      );
    case 'map':
      return (
        reply.kind === (protocol === 3 ? 'map' : 'array') &&
        reply.items.length % 2 === 0 &&
        itemsFit(
          shape.of,
          reply.items.filter((_, i) => i % 2 === 1),
          protocol,
        )
      );
    case 'push':
      return reply.kind === (protocol === 3 ? 'push' : 'array');
  }
}

function itemsFit(shape: ReplyShape, items: readonly ReplyTree[], protocol: 2 | 3): boolean {
  return items.every((item) => replyFits(shape, item, protocol));
}

function within(value: bigint, min: number | undefined, max: number | undefined): boolean {
  return (min === undefined || value >= BigInt(min)) && (max === undefined || value <= BigInt(max));
}
