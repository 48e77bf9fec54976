/** COPY and RENAME of a stream: fresh writes of its entries and groups into the target. */
import type { Bytes } from '../crdt/dot.ts';
import { prepareStreamAdd, prepareStreamGroup, prepareStreamMark } from '../crdt/prepare-stream.ts';
import { addedCount, lastGiven, maxDeleted, newStream } from '../crdt/stream.ts';
import {
  byOrigin,
  consumerNames,
  eachPending,
  emptyDeliver,
  positionOf,
} from '../crdt/stream-cursor.ts';
import { allEntries } from '../crdt/stream-entries.ts';
import { shows } from '../crdt/stream-group.ts';
import type { Ground } from './ground.ts';

/**
 * Reads what clients see of a stream, and gives back what writes it into an empty target. Of entries that
 * have one id in two regions the last is copied. Groups come along with consumers and pending entries, those of this region.
 */
export function copyStream(ground: Ground, source: Bytes): (target: Bytes) => void {
  const stream = ground.visible(source)?.stream ?? newStream();
  const { roster, region } = ground;
  const view = { roster, region };
  const entries = byOrigin(allEntries(stream.entries), roster);
  const [last, added, deleted] = [lastGiven(stream), addedCount(stream), maxDeleted(stream)];
  const groups = [...stream.groups].filter(([, group]) => shows(group));
  const copies = groups.map(([name, group]) => {
    const position = positionOf(group, view);
    const names = consumerNames(group, view);
    const pending: { id: Bytes; consumer: Bytes; atMs: number; count: number }[] = [];
    eachPending(group, view, 0, (id, { consumer, atMs, count }) => {
      pending.push({ id, consumer, atMs, count });
      return true;
    });
    return { name, last: position.last, read: position.read, names, pending };
  });
  return (target) => {
    for (const { id, fields } of entries) {
      const place = ground.findForWrite(target);
      const state = ground.load(place);
      ground.commit(place, state, prepareStreamAdd(state, target, id, fields, ground.actor));
    }
    const place = ground.findForWrite(target);
    const state = ground.load(place);
    ground.commit(place, state, prepareStreamMark(state, target, last, added, deleted));
    for (const { name, last: start, read, names, pending } of copies) {
      const made = ground.load(ground.findForWrite(target))?.stream ?? newStream();
      const vector = ground.slotVector(ground.findText(target).slot);
      const create = prepareStreamGroup(made, target, name, start, read, vector);
      ground.commitUnseen(ground.findText(target), create);
      const deliver = emptyDeliver(target, name);
      for (const consumer of names) {
        const own = { name: consumer, atMs: ground.nowMs, drops: [] };
        ground.commitUnseen(ground.findText(target), { ...deliver, consumer: own });
      }
      for (const { id, consumer, atMs, count } of pending) {
        const claims = [{ id, drops: [], count }];
        const claim = { ...deliver, owner: consumer, atMs, claims };
        ground.commitUnseen(ground.findText(target), claim);
      }
    }
  };
}
