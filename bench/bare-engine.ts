/**
 * Shell: the engine without what makes it a replicated database, to see what that costs: no ops are
 * written, nothing is stamped by the hybrid clock, and so there are no frames, no backlog and (started
 * without --dir) no log. Everything else is the very same code. It takes the flags of engine/main.ts.
 *
 * It can serve nobody but overhead.ts: what it holds could not be merged with anything.
 */
import { Ground } from '../engine/core/ground.ts';
import { BatchWriter } from '../engine/op/batch-writer.ts';

const nothing = () => {};

Object.assign(BatchWriter.prototype, {
  op: nothing,
  stringSet: nothing,
  stringAdd: nothing,
  deleteDot: nothing,
  beginElements: nothing,
  element: nothing,
  value: nothing,
  endElements: nothing,
});

// Dots are counted on: packed sets and hashes know an element by its dot.
Ground.prototype.stamp = function (this: Ground): number {
  this.seq++;
  return 0;
};

await import('../engine/main.ts');
