/**
 * Changes a packed block: a copy of it with its elements and stamps apart, so that a new stamp moves
 * no element. The copy is written back as a whole (packed-collection.ts), since the block's size and so
 * its place in the arena changes with most edits.
 */

import { BLOCK_ZSET, hasValues } from './entry.ts';
import { copyBytes } from './keyspace.ts';
import {
  HEAD_BYTES,
  PACKED_BYTES_MAX,
  PACKED_ELEMENTS_MAX,
  readSeq,
  SHORT_LENGTH_MAX,
  STAMP_BYTES,
  STAMP_SEQ_AT,
  sameBytes,
  textBytes,
  writeStamp,
  writeText,
} from './packed-block.ts';
import { compareNames, readScore } from './score-bytes.ts';

/**
 * A copy of a block that is being changed. A change that does not fit returns false, and then the
 * whole copy is to be thrown away. One write at a time: `beginWrite` names its stamp.
 */
export class BlockEditor {
  count = 0;
  /** BLOCK_SET, BLOCK_HASH or BLOCK_ZSET. */
  kind = 0;
  private hasValues = false;
  readonly elementsMax: number;
  private readonly elements = Buffer.allocUnsafeSlow(PACKED_BYTES_MAX);
  /** An element of a sorted set on its way to another place. */
  private readonly moved = Buffer.allocUnsafeSlow(PACKED_BYTES_MAX);
  private readonly stamps = Buffer.allocUnsafeSlow((PACKED_ELEMENTS_MAX + 1) * STAMP_BYTES);
  /** Bytes of all elements. */
  private length = 0;
  private stampCount = 0;
  /** Element → its offset in `elements`. */
  private readonly at = new Uint16Array(PACKED_ELEMENTS_MAX + 1);
  /** Stamp → number of elements that have it. */
  private readonly users = new Uint8Array(PACKED_ELEMENTS_MAX + 1);
  private actor = 0;
  private seq = 0;
  private hlc = 0;
  /** Number of the stamp of this write; -1: no element has it yet. */
  private fresh = -1;

  /** `elementsMax`: refuses more elements, at most PACKED_ELEMENTS_MAX. */
  constructor(elementsMax: number = PACKED_ELEMENTS_MAX) {
    this.elementsMax = elementsMax;
  }

  /** Begins with nothing. */
  openEmpty(kind: number): void {
    this.kind = kind;
    this.hasValues = hasValues(kind);
    this.count = 0;
    this.length = 0;
    this.stampCount = 0;
  }

  /** Begins with the block `bytes[start, end)`. */
  open(bytes: Uint8Array, start: number, end: number, kind: number): void {
    const { elements, at, users } = this;
    const stampCount = bytes[start + 1];
    const elementsAt = start + HEAD_BYTES + stampCount * STAMP_BYTES;
    copyBytes(bytes, start + HEAD_BYTES, elementsAt, this.stamps, 0);
    copyBytes(bytes, elementsAt, end, elements, 0);
    this.kind = kind;
    this.hasValues = hasValues(kind);
    this.count = bytes[start];
    this.length = end - elementsAt;
    this.stampCount = stampCount;
    for (let stamp = 0; stamp < stampCount; stamp++) users[stamp] = 0;
    let offset = 0;
    for (let element = 0; element < this.count; element++) {
      at[element] = offset;
      users[elements[offset]]++;
      offset = this.endOf(offset);
    }
  }

  /** Names the dot and hlc of what `put` writes from now on. */
  beginWrite(actor: number, seq: number, hlc: number): void {
    this.actor = actor;
    this.seq = seq;
    this.hlc = hlc;
    this.fresh = -1;
  }

  /** Bytes of the block. */
  get byteLength(): number {
    return HEAD_BYTES + this.stampCount * STAMP_BYTES + this.length;
  }

  /** Number of the element `name[start, end)`; -1: there is none. */
  find(name: Uint8Array, start: number, end: number): number {
    const { elements, at, count } = this;
    for (let element = 0; element < count; element++) {
      let offset = at[element] + 1;
      let length = elements[offset++];
      if (length > SHORT_LENGTH_MAX) length = ((length & 0x7f) << 8) | elements[offset++];
      if (length === end - start && sameBytes(elements, offset, name, start, end)) return element;
    }
    return -1;
  }

  actorOf(element: number): number {
    const at = this.elements[this.at[element]] * STAMP_BYTES;
    return this.stamps[at] | (this.stamps[at + 1] << 8);
  }

  seqOf(element: number): number {
    return readSeq(this.stamps, this.elements[this.at[element]] * STAMP_BYTES);
  }

  /** Whether so many elements more with so many bytes of names and values surely fit. */
  hasRoom(elements: number, textLength: number): boolean {
    // Each with its stamp number and two lengths of two bytes; and a stamp for all of them.
    const bytes = this.byteLength + STAMP_BYTES + elements * 5 + textLength;
    return this.count + elements <= this.elementsMax && bytes <= PACKED_BYTES_MAX;
  }

  /** Adds an element at the end, which must not be there. False: no room for it. */
  append(
    name: Uint8Array,
    nameStart: number,
    nameEnd: number,
    value: Uint8Array,
    valueStart: number,
    valueEnd: number,
  ): boolean {
    if (this.count >= this.elementsMax) return false;
    let needed = 1 + textBytes(nameEnd - nameStart);
    if (this.hasValues) needed += textBytes(valueEnd - valueStart);
    if (this.fresh < 0) needed += STAMP_BYTES;
    if (this.byteLength + needed > PACKED_BYTES_MAX) return false;
    if (this.fresh < 0) this.addStamp();
    this.users[this.fresh]++;
    const { elements } = this;
    this.at[this.count++] = this.length;
    elements[this.length++] = this.fresh;
    this.length = writeText(elements, this.length, name, nameStart, nameEnd);
    if (this.hasValues) {
      this.length = writeText(elements, this.length, value, valueStart, valueEnd);
    }
    if (this.kind === BLOCK_ZSET) this.settle(this.count - 1);
    return true;
  }

  /** Gives an element the stamp of this write and, in a hash, the value. False: no room for it. */
  replace(element: number, value: Uint8Array, valueStart: number, valueEnd: number): boolean {
    if (this.hasValues) {
      const valueAt = this.valueAt(element);
      const oldEnd = this.endOf(this.at[element]);
      const change = textBytes(valueEnd - valueStart) - (oldEnd - valueAt);
      // A stamp more, for the moment in which the old one is still there.
      if (this.byteLength + change + STAMP_BYTES > PACKED_BYTES_MAX) return false;
      if (change !== 0) this.shift(element, oldEnd, change);
      writeText(this.elements, valueAt, value, valueStart, valueEnd);
    } else if (this.byteLength + STAMP_BYTES > PACKED_BYTES_MAX) return false;
    this.restamp(element);
    if (this.kind === BLOCK_ZSET) this.settle(element);
    return true;
  }

  remove(element: number): void {
    const offset = this.at[element];
    const end = this.endOf(offset);
    const stamp = this.elements[offset];
    this.shift(element, end, offset - end);
    for (let other = element + 1; other < this.count; other++) this.at[other - 1] = this.at[other];
    this.count--;
    if (--this.users[stamp] === 0) this.dropStamp(stamp);
  }

  /** Writes the block, `byteLength` bytes, to `out` at `at`. */
  write(out: Uint8Array, at: number): void {
    out[at] = this.count;
    out[at + 1] = this.stampCount;
    const elementsAt = at + HEAD_BYTES + this.stampCount * STAMP_BYTES;
    copyBytes(this.stamps, 0, this.stampCount * STAMP_BYTES, out, at + HEAD_BYTES);
    copyBytes(this.elements, 0, this.length, out, elementsAt);
  }

  /** Finds or makes the stamp of this write. */
  shareStamp(): void {
    const { stamps } = this;
    const candidate = this.stampCount * STAMP_BYTES;
    this.stampAs(this.stampCount);
    for (let stamp = this.stampCount - 1; stamp >= 0; stamp--) {
      const at = stamp * STAMP_BYTES;
      if (stamps[at + STAMP_SEQ_AT] !== stamps[candidate + STAMP_SEQ_AT]) continue;
      if (!sameBytes(stamps, at, stamps, candidate, candidate + STAMP_BYTES)) continue;
      this.fresh = stamp;
      return;
    }
  }

  private addStamp(): void {
    this.fresh = this.stampCount;
    this.users[this.fresh] = 0;
    this.stampAs(this.fresh);
    this.stampCount++;
  }

  private restamp(element: number): void {
    const { elements, users } = this;
    const offset = this.at[element];
    const old = elements[offset];
    if (this.fresh < 0) {
      if (users[old] === 1) {
        this.fresh = old;
        this.stampAs(old);
        return;
      }
      this.addStamp();
    }
    if (old === this.fresh) return;
    elements[offset] = this.fresh;
    users[this.fresh]++;
    if (--users[old] === 0) this.dropStamp(old);
  }

  /** Takes out a stamp that no element has; the last one gets its number. */
  private dropStamp(stamp: number): void {
    const last = --this.stampCount;
    if (stamp === last) return;
    const { elements, stamps, at } = this;
    copyBytes(stamps, last * STAMP_BYTES, (last + 1) * STAMP_BYTES, stamps, stamp * STAMP_BYTES);
    this.users[stamp] = this.users[last];
    for (let element = 0; element < this.count; element++) {
      if (elements[at[element]] === last) elements[at[element]] = stamp;
    }
    if (this.fresh === last) this.fresh = stamp;
  }

  private stampAs(stamp: number): void {
    writeStamp(this.stamps, stamp * STAMP_BYTES, this.actor, this.seq, this.hlc);
  }

  /** Moves what lies behind `end`, the end of `element`, by `change` bytes. */
  private shift(element: number, end: number, change: number): void {
    this.elements.copyWithin(end + change, end, this.length);
    this.length += change;
    for (let other = element + 1; other < this.count; other++) this.at[other] += change;
  }

  /** Moves an element of a sorted set, all others being in order, to where its score belongs. */
  private settle(element: number): void {
    const { elements, at, count, moved } = this;
    let place = element;
    while (place > 0 && this.isBefore(element, place - 1)) place--;
    if (place === element) while (place < count - 1 && this.isBefore(place + 1, element)) place++;
    if (place === element) return;
    const offset = at[element];
    const length = this.endOf(offset) - offset;
    const to = place < element ? at[place] : this.endOf(at[place]) - length;
    elements.copy(moved, 0, offset, offset + length);
    if (to < offset) elements.copyWithin(to + length, to, offset);
    else elements.copyWithin(offset, offset + length, to + length);
    moved.copy(elements, to, 0, length);
    for (let other = 0, next = 0; other < count; other++) {
      at[other] = next;
      next = this.endOf(next);
    }
  }

  /** Whether one element of a sorted set comes before another. */
  private isBefore(one: number, other: number): boolean {
    const { elements } = this;
    const a = this.valueAt(one);
    const b = this.valueAt(other);
    const score = readScore(elements, a + 1);
    const otherScore = readScore(elements, b + 1);
    if (score !== otherScore) return score < otherScore;
    const aAt = this.nameAt(one);
    const bAt = this.nameAt(other);
    return compareNames(elements, aAt, a, elements, bAt, b) < 0;
  }

  private nameAt(element: number): number {
    const at = this.at[element] + 1;
    return this.elements[at] > SHORT_LENGTH_MAX ? at + 2 : at + 1;
  }

  /** Offset of the length of the element's value. */
  private valueAt(element: number): number {
    const { elements } = this;
    const at = this.at[element] + 1;
    const length = elements[at];
    if (length <= SHORT_LENGTH_MAX) return at + 1 + length;
    return at + 2 + (((length & 0x7f) << 8) | elements[at + 1]);
  }

  /** End of the element that begins at `offset`. */
  private endOf(offset: number): number {
    const { elements } = this;
    let at = offset + 1;
    let length = elements[at++];
    if (length > SHORT_LENGTH_MAX) length = ((length & 0x7f) << 8) | elements[at++];
    at += length;
    if (!this.hasValues) return at;
    length = elements[at++];
    if (length > SHORT_LENGTH_MAX) length = ((length & 0x7f) << 8) | elements[at++];
    return at + length;
  }
}
