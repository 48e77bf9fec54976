/**
 * A sorted set as clients see it, for one command: the same questions to a block, a table or the state of a
 * conflict. Blocks keep their elements in order, tables have an order-statistic tree; only what lies
 * on the JavaScript heap (a key of two types at once) is sorted for the command.
 *
 * What is returned is valid until the keyspace changes.
 */

import type { HashState } from '../crdt/field-map.ts';
import { visibleType } from '../crdt/key-state.ts';
import type { Roster } from '../crdt/roster.ts';
import { cellScore } from '../crdt/score.ts';
import { CHUNK_SHIFT, UNIT_MASK } from '../keyspace/arena.ts';
import { ELEMENT_HEADER_UNITS, FORM_SHIFT, FORM_WORD } from '../keyspace/element.ts';
import type { ElementTables } from '../keyspace/element-table.ts';
import { BLOCK_ZSET, TABLE_ZSET } from '../keyspace/entry.ts';
import { type BlockView, PACKED_ELEMENTS_MAX } from '../keyspace/packed-block.ts';
import { loadState } from '../keyspace/packed-string.ts';
import { compareNames } from '../keyspace/score-bytes.ts';
import { elementScore } from '../keyspace/scored-table.ts';
import { tableOf } from '../keyspace/table-collection.ts';
import type { ReplyWriter } from '../resp/reply-writer.ts';
import { wrongType } from './db-error.ts';
import type { Ground } from './ground.ts';

/** Called with a member's name, `bytes[start, end)`, and its score; false ends the walk. */
export type EachMember = (
  bytes: Buffer,
  start: number,
  end: number,
  score: number,
) => boolean | undefined;

export type ZsetView = {
  readonly size: number;
  /** NaN: there is no such member. */
  scoreOf(name: Uint8Array, start: number, end: number): number;
  /** Below 0: there is no such member. */
  rankOf(name: Uint8Array, start: number, end: number): number;
  /** Number of members below the score; `orEqual`: or equal to it. */
  countBelowScore(score: number, orEqual: boolean): number;
  /** Number of members before the name, where all scores are equal. */
  countBelowName(name: Uint8Array, orEqual: boolean): number;
  /** Walks `count` members from a rank on, upwards or downwards; that many are there. */
  walk(rank: number, count: number, down: boolean, each: EachMember): void;
  /** Writes the names of `count` members from a rank on, each as a bulk string; that many are there. */
  writeNames(rank: number, count: number, down: boolean, out: ReplyWriter): void;
};

/** The sorted set at `ref` (0: none). Throws WRONGTYPE when another type shows. */
export function viewZset(ground: Ground, ref: number): ZsetView {
  if (ground.packed.see(ref, BLOCK_ZSET)) return new BlockZset(ground.packed.view);
  const { keyspace, roster } = ground;
  if (ground.tables.sees(ref, TABLE_ZSET)) {
    return new TableZset(keyspace.tables, tableOf(keyspace, ref), roster);
  }
  const state = loadState(keyspace, ref);
  const type = visibleType(state, roster);
  if (type !== null && type !== 'zset') throw wrongType();
  return new ListZset(state.zset ?? new Map(), roster);
}

/** Where the lengths of an element without increments are. */
const LENGTHS_WORD = ELEMENT_HEADER_UNITS * 2;

const nameStarts = new Int32Array(PACKED_ELEMENTS_MAX);
const nameEnds = new Int32Array(PACKED_ELEMENTS_MAX);
const scores = new Float64Array(PACKED_ELEMENTS_MAX);

class BlockZset implements ZsetView {
  private readonly view: BlockView;

  constructor(view: BlockView) {
    this.view = view;
  }

  get size(): number {
    return this.view.count;
  }

  scoreOf(name: Uint8Array, start: number, end: number): number {
    return this.view.find(name, start, end) ? this.view.score : Number.NaN;
  }

  rankOf(name: Uint8Array, start: number, end: number): number {
    const { view } = this;
    view.rewind();
    for (let rank = 0; view.next(); rank++) {
      if (compareNames(view.bytes, view.nameStart, view.nameEnd, name, start, end) === 0) {
        return rank;
      }
    }
    return -1;
  }

  countBelowScore(score: number, orEqual: boolean): number {
    const { view } = this;
    let count = 0;
    if (view.count === 0) return 0;
    view.rewind();
    while (view.next() && (view.score < score || (orEqual && view.score === score))) count++;
    return count;
  }

  countBelowName(name: Uint8Array, orEqual: boolean): number {
    const { view } = this;
    let count = 0;
    if (view.count === 0) return 0;
    view.rewind();
    while (view.next()) {
      const { bytes, nameStart, nameEnd } = view;
      const order = compareNames(bytes, nameStart, nameEnd, name, 0, name.length);
      if (order > 0 || (order === 0 && !orEqual)) break;
      count++;
    }
    return count;
  }

  walk(rank: number, count: number, down: boolean, each: EachMember): void {
    const { view } = this;
    if (count === 0) return;
    const first = down ? rank - count + 1 : rank;
    view.rewind();
    for (let i = 0; i < first; i++) view.next();
    for (let i = 0; i < count; i++) {
      view.next();
      nameStarts[i] = view.nameStart;
      nameEnds[i] = view.nameEnd;
      scores[i] = view.score;
    }
    const { bytes } = view;
    for (let n = 0; n < count; n++) {
      const i = down ? count - 1 - n : n;
      if (each(bytes, nameStarts[i], nameEnds[i], scores[i]) === false) return;
    }
  }

  writeNames(rank: number, count: number, down: boolean, out: ReplyWriter): void {
    if (down) {
      this.walk(rank, count, true, (bytes, start, end) => {
        out.bulkBytes(bytes, start, end);
        return true;
      });
      return;
    }
    const { view } = this;
    if (count > 0) view.rewind();
    for (let i = 0; i < rank; i++) view.next();
    for (let i = 0; i < count; i++) {
      view.next();
      out.bulkBytes(view.bytes, view.nameStart, view.nameEnd);
    }
  }
}

class TableZset implements ZsetView {
  private readonly tables: ElementTables;
  private readonly table: number;
  private readonly roster: Roster;

  constructor(tables: ElementTables, table: number, roster: Roster) {
    this.tables = tables;
    this.table = table;
    this.roster = roster;
  }

  get size(): number {
    return this.tables.count(this.table);
  }

  scoreOf(name: Uint8Array, start: number, end: number): number {
    const element = this.tables.find(this.table, name, start, end);
    return element === 0 ? Number.NaN : elementScore(this.tables, element, this.roster);
  }

  rankOf(name: Uint8Array, start: number, end: number): number {
    const { tables, table } = this;
    const element = tables.find(table, name, start, end);
    if (element === 0) return -1;
    const score = elementScore(tables, element, this.roster);
    return tables.order.rankOf(tables.orderOf(table), score, element);
  }

  countBelowScore(score: number, orEqual: boolean): number {
    const { tables, table } = this;
    return tables.order.countBelowScore(tables.orderOf(table), score, orEqual);
  }

  countBelowName(name: Uint8Array, orEqual: boolean): number {
    const { tables, table } = this;
    return tables.order.countBelowName(tables.orderOf(table), name, 0, name.length, orEqual);
  }

  walk(rank: number, count: number, down: boolean, each: EachMember): void {
    const { tables, table } = this;
    tables.order.walk(tables.orderOf(table), rank, count, down, (element, score) => {
      tables.locateName(element);
      return each(tables.bytes, tables.start, tables.end, score);
    });
  }

  writeNames(rank: number, count: number, down: boolean, out: ReplyWriter): void {
    const { tables, table } = this;
    const { order } = tables;
    order.open(tables.orderOf(table), rank, down);
    const { u32, u8 } = tables.arena;
    for (let i = 0; i < count; i++) {
      const element = order.next();
      const words = u32[element >>> CHUNK_SHIFT];
      const word = (element & UNIT_MASK) << 1;
      if (words[word + FORM_WORD] >>> FORM_SHIFT === 0) {
        // The commonest form: one dot, name and score right behind it.
        const start = (word + LENGTHS_WORD + 1) << 2;
        const length = words[word + LENGTHS_WORD] & 0xffff;
        out.bulkBytes(u8[element >>> CHUNK_SHIFT], start, start + length);
        continue;
      }
      tables.locateName(element);
      out.bulkBytes(tables.bytes, tables.start, tables.end);
    }
  }
}

type Listed = { readonly name: Buffer; readonly score: number };

class ListZset implements ZsetView {
  private readonly list: readonly Listed[];

  constructor(zset: HashState, roster: Roster) {
    this.list = [...zset]
      .map(([name, cell]) => ({
        name: Buffer.from(name, 'latin1'),
        score: cellScore(cell, roster),
      }))
      .sort((a, b) =>
        a.score === b.score ? Buffer.compare(a.name, b.name) : a.score < b.score ? -1 : 1,
      );
  }

  get size(): number {
    return this.list.length;
  }

  scoreOf(name: Uint8Array, start: number, end: number): number {
    const rank = this.rankOf(name, start, end);
    return rank < 0 ? Number.NaN : this.list[rank].score;
  }

  rankOf(name: Uint8Array, start: number, end: number): number {
    const wanted = name.subarray(start, end);
    return this.list.findIndex((one) => one.name.equals(wanted));
  }

  countBelowScore(bound: number, orEqual: boolean): number {
    return this.list.filter(({ score }) => score < bound || (orEqual && score === bound)).length;
  }

  countBelowName(bound: Uint8Array, orEqual: boolean): number {
    const most = orEqual ? 0 : -1;
    return this.list.filter(({ name }) => Buffer.compare(name, bound) <= most).length;
  }

  walk(rank: number, count: number, down: boolean, each: EachMember): void {
    for (let i = 0; i < count; i++) {
      const { name, score } = this.list[down ? rank - i : rank + i];
      if (each(name, 0, name.length, score) === false) return;
    }
  }

  writeNames(rank: number, count: number, down: boolean, out: ReplyWriter): void {
    for (let i = 0; i < count; i++) out.bulkBytes(this.list[down ? rank - i : rank + i].name);
  }
}
