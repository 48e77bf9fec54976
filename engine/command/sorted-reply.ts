/** Replies without the order that sets, hashes and the keyspace do not promise; for the tests. */
import type { ReplyTree } from './reply-tree.ts';
import { show } from './session-fixture.ts';

/** Sorts the elements of the reply and of what is within it; pairs of a map stay together. */
export function sortedReply(reply: ReplyTree): ReplyTree {
  if (reply.kind === 'map') {
    const pairs: ReplyTree[][] = [];
    for (let i = 0; i < reply.items.length; i += 2) pairs.push(reply.items.slice(i, i + 2));
    pairs.sort((a, b) => (show(a[0]) < show(b[0]) ? -1 : 1));
    return { kind: 'map', items: pairs.flat() };
  }
  if (!('items' in reply)) return reply;
  const items = reply.items.map(sortedReply);
  items.sort((a, b) => (show(a) < show(b) ? -1 : 1));
  return { kind: reply.kind, items };
}
