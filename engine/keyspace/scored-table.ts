/**
 * The table of a sorted set: its elements' values are scores, and each element stands in the order of the
 * table (score-tree.ts) with the score that shows. Whoever changes an element takes it out of the order
 * before and puts it in again after.
 */

import type { Roster } from '../crdt/roster.ts';
import { cellScore } from '../crdt/score.ts';
import { formOf, isSimpleForm } from './element.ts';
import { readCell } from './element-cell.ts';
import type { ElementTables } from './element-table.ts';
import { readScore, writeScore } from './score-bytes.ts';

const score8 = new Uint8Array(8);

/** The score that shows of an element. */
export function elementScore(tables: ElementTables, element: number, roster: Roster): number {
  if (isSimpleForm(formOf(tables.arena, element))) return simpleScore(tables, element);
  return cellScore(readCell(tables, element), roster);
}

/** The score of an element that has one dot and no increments. */
export function simpleScore(tables: ElementTables, element: number): number {
  tables.locateValue(element);
  return readScore(tables.bytes, tables.start);
}

/** Puts an element in its place by this score. */
export function linkScore(
  tables: ElementTables,
  table: number,
  element: number,
  score: number,
): void {
  const { order } = tables;
  order.grownBytes = 0;
  order.insert(tables.orderOf(table), score, element);
  tables.addBytes(table, order.grownBytes);
}

/** Takes an element, which has this score, out of its place. */
export function unlinkScore(
  tables: ElementTables,
  table: number,
  element: number,
  score: number,
): void {
  const { order } = tables;
  order.grownBytes = 0;
  order.remove(tables.orderOf(table), score, element);
  tables.addBytes(table, order.grownBytes);
}

/** As ElementTables.write, for the element (0: a new one) of the name found last, which is simple. */
export function writeScored(
  tables: ElementTables,
  table: number,
  element: number,
  name: Uint8Array,
  nameStart: number,
  nameEnd: number,
  score: number,
  actor: number,
  seq: number,
  hlc: number,
): void {
  const held = element === 0 ? 0 : simpleScore(tables, element);
  const moves = element !== 0 && !Object.is(held, score);
  if (moves) unlinkScore(tables, table, element, held);
  writeScore(score8, 0, score);
  const ref = tables.write(
    table,
    element,
    name,
    nameStart,
    nameEnd,
    score8,
    0,
    score8.length,
    actor,
    seq,
    hlc,
  );
  // A simple element with eight bytes of value stays where it is.
  if (moves || element === 0) linkScore(tables, table, ref, score);
}
