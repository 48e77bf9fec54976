/**
 * The elements of a SADD, HSET or ZADD as nearly all are: no TTL, each element with at most one dot that its
 * source saw, no increments. They are walked in the bytes of the batch, without an object.
 */

import type { Actor } from '../crdt/dot.ts';
import { SCORE_BYTES } from '../crdt/score.ts';
import { KEY_BYTES_MAX, OP_KIND, VALUE_BYTES_MAX } from './op.ts';

const TWO_32 = 4294967296;
const DOT_BYTES = 8;

export class ElementReader {
  /** Number of elements. */
  count = 0;
  /** OP_KIND of the op. */
  kind = 0;
  /** Whether elements have values: a hash or a sorted set. */
  hasValues = false;
  /** The current element: a member, or a field with its value. */
  nameStart = 0;
  nameEnd = 0;
  valueStart = 0;
  valueEnd = 0;
  /** The dot it replaces; `dropSeq` 0: none. */
  dropActor: Actor = 0;
  dropSeq = 0;
  private view: DataView = new DataView(new ArrayBuffer(0));
  private start = 0;
  private end = 0;
  private at = 0;
  private left = 0;
  private actors: readonly Actor[] = [];
  private opSeq = 0;

  /**
   * Takes the payload `[start, end)` of an op with this seq and without flags. True only when it has
   * this form and is good to its last byte; whatever is false is judged by the general form.
   */
  open(
    view: DataView,
    start: number,
    end: number,
    kind: number,
    actors: readonly Actor[],
    opSeq: number,
  ): boolean {
    this.count = 0;
    if (end - start < 4) return false;
    const count = view.getUint32(start, true);
    if (count === 0) return false;
    this.view = view;
    this.start = start;
    this.end = end;
    this.kind = kind;
    this.hasValues = kind !== OP_KIND['set-add'];
    this.actors = actors;
    this.opSeq = opSeq;
    this.at = start + 4;
    for (let n = 0; n < count; n++) if (!this.read()) return false;
    if (this.at !== end) return false;
    this.count = count;
    this.rewind();
    return true;
  }

  rewind(): void {
    this.at = this.start + 4;
    this.left = this.count;
  }

  /** Goes to the next element; false: there is none. */
  next(): boolean {
    if (this.left === 0) return false;
    this.left--;
    return this.read();
  }

  /** Reads the element at `at`; false: it has another form or is bad. */
  private read(): boolean {
    const { view, end } = this;
    let at = this.at;
    if (end - at < 6) return false;
    const nameLength = view.getUint32(at, true);
    at += 4;
    if (nameLength > end - at - 2 || nameLength > KEY_BYTES_MAX) return false;
    this.nameStart = at;
    at += nameLength;
    this.nameEnd = at;
    const drops = view.getUint16(at, true);
    at += 2;
    this.dropSeq = 0;
    if (drops === 1) {
      if (end - at < DOT_BYTES) return false;
      const index = view.getUint16(at, true);
      const seq = view.getUint32(at + 2, true) + view.getUint16(at + 6, true) * TWO_32;
      if (index >= this.actors.length || seq === 0) return false;
      if (index === 0 && seq >= this.opSeq) return false;
      this.dropActor = this.actors[index];
      this.dropSeq = seq;
      at += DOT_BYTES;
    } else if (drops !== 0) return false;
    if (this.hasValues) {
      if (end - at < 6 || view.getUint16(at, true) !== 0) return false;
      const valueLength = view.getUint32(at + 2, true);
      at += 6;
      if (valueLength > end - at || valueLength > VALUE_BYTES_MAX) return false;
      if (this.kind === OP_KIND['zset-set'] && !isScoreAt(view, at, valueLength)) return false;
      this.valueStart = at;
      at += valueLength;
      this.valueEnd = at;
    }
    this.at = at;
    return true;
  }
}

function isScoreAt(view: DataView, at: number, length: number): boolean {
  return length === SCORE_BYTES && !Number.isNaN(view.getFloat64(at, true));
}
