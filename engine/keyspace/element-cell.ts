/**
 * What an element of a table says as plain data of crdt/, and back: `readCell(writeCell(cell))` equals
 * the cell in every field. The ways of bytes are in element-table.ts; these serve conflicts,
 * counters and everything rare.
 */

import type { Cell } from '../crdt/cell.ts';
import type { Bytes } from '../crdt/dot.ts';
import type { ElementDot } from '../crdt/element-set.ts';
import { CHUNK_SHIFT, UNIT_MASK } from './arena.ts';
import { isFlatCell, readContributions, writeContributions } from './contributions.ts';
import {
  CELL_OUTSIDE,
  elementHlc,
  FORM_COUNT_MASK,
  formOf,
  tallyUnit,
  VALUE_INLINE_MAX,
  VALUE_OUTSIDE,
  valueStored,
  writeStamp,
} from './element.ts';
import { type ElementTables, hasIncrements, type OutsideCell } from './element-table.ts';
import { dotActor, dotSeq, OUTSIDE_BYTES, readIndex, writeIndexAt } from './entry.ts';

/** A name in bytes: `buf[start, end)`. */
export type NameBytes = { buf: Uint8Array; start: number; end: number };

const NO_VALUE = Buffer.alloc(0);
/** What an outside cell takes, and each of its items (measured as in core/rich-size.ts). */
const CELL_BYTES = 160;
const ITEM_BYTES = 96;

/** The cell of a hash field. Do not change its items. */
export function readCell(tables: ElementTables, element: number): Cell {
  const { arena } = tables;
  const count = formOf(arena, element) & FORM_COUNT_MASK;
  if (count === CELL_OUTSIDE) {
    const { siblings, contributions } = outsideCell(tables, element) as Cell;
    return { siblings, contributions };
  }
  const cell: Cell = {
    siblings: [],
    contributions: readContributions(arena, element, tallyUnit(element), count),
  };
  const words = arena.u32[element >>> CHUNK_SHIFT];
  const word = (element & UNIT_MASK) << 1;
  const seq = dotSeq(words, word);
  if (seq > 0) {
    const actor = dotActor(words, word);
    const hlc = elementHlc(arena, element);
    cell.siblings.push({ actor, seq, hlc, value: valueText(tables, element) });
  }
  return cell;
}

/** The dots of a member. Do not change it. */
export function readDots(tables: ElementTables, element: number): ElementDot[] {
  const { arena } = tables;
  if ((formOf(arena, element) & FORM_COUNT_MASK) === CELL_OUTSIDE) {
    return outsideCell(tables, element) as ElementDot[];
  }
  const words = arena.u32[element >>> CHUNK_SHIFT];
  const word = (element & UNIT_MASK) << 1;
  const hlc = elementHlc(arena, element);
  return [{ actor: dotActor(words, word), seq: dotSeq(words, word), hlc }];
}

/** Stores the cell, which is not empty, in the element (0: a new one) of the name found last. Returns it. */
export function writeCell(
  tables: ElementTables,
  table: number,
  element: number,
  name: NameBytes,
  cell: Cell,
): number {
  for (const { actor, seq } of cell.siblings) tables.noteAuthor(table, actor, seq);
  for (const { actor, seq } of cell.contributions) tables.noteAuthor(table, actor, seq);
  if (!isFlatCell(cell)) {
    return writeOutside(tables, table, element, name, cell);
  }
  const { siblings, contributions } = cell;
  const [sibling] = siblings;
  const value = sibling === undefined ? NO_VALUE : Buffer.from(sibling.value, 'latin1');
  let form = contributions.length;
  if (value.length > VALUE_INLINE_MAX) form |= VALUE_OUTSIDE;
  const { buf, start, end } = name;
  const ref = tables.shape(table, element, form, buf, start, end, valueStored(value.length));
  form |= tables.nameFlag(end - start);
  const { actor, seq, hlc } = sibling ?? { actor: 0, seq: 0, hlc: 0 };
  writeStamp(tables.arena, ref, actor, seq, hlc, form);
  writeContributions(tables.arena, ref, tallyUnit(ref), contributions);
  tables.writeValue(table, ref, value, 0, value.length);
  if (contributions.length > 0) tables.noteCounter(table);
  return ref;
}

/** Stores the dots, at least one, in the element (0: a new one) of the name found last. */
export function writeDots(
  tables: ElementTables,
  table: number,
  element: number,
  name: NameBytes,
  dots: readonly ElementDot[],
): void {
  if (dots.length === 1) {
    const [{ actor, seq, hlc }] = dots;
    const { buf, start, end } = name;
    tables.write(table, element, buf, start, end, NO_VALUE, 0, 0, actor, seq, hlc);
    return;
  }
  for (const { actor, seq } of dots) tables.noteAuthor(table, actor, seq);
  writeOutside(tables, table, element, name, [...dots]);
}

/** The element's name as text. */
export function nameText(tables: ElementTables, element: number): Bytes {
  tables.locateName(element);
  return tables.bytes.latin1Slice(tables.start, tables.end);
}

/** The value of the element's one sibling as text. */
export function valueText(tables: ElementTables, element: number): Bytes {
  tables.locateValue(element);
  return tables.bytes.latin1Slice(tables.start, tables.end);
}

function writeOutside(
  tables: ElementTables,
  table: number,
  element: number,
  { buf, start, end }: NameBytes,
  cell: OutsideCell,
): number {
  let form = CELL_OUTSIDE;
  const ref = tables.shape(table, element, form, buf, start, end, OUTSIDE_BYTES);
  form |= tables.nameFlag(end - start);
  writeStamp(tables.arena, ref, 0, 0, 0, form);
  const bytes = cellBytes(cell);
  tables.locateValue(ref);
  writeIndexAt(tables.bytes, tables.start, tables.cells.add(cell, bytes));
  tables.addBytes(table, bytes);
  if (hasIncrements(cell)) tables.noteCounter(table);
  return ref;
}

function outsideCell(tables: ElementTables, element: number): OutsideCell {
  tables.locateValue(element);
  return tables.cells.get(readIndex(tables.bytes, tables.start));
}

function cellBytes(cell: OutsideCell): number {
  if (Array.isArray(cell)) return CELL_BYTES + cell.length * ITEM_BYTES;
  let bytes = CELL_BYTES + (cell.siblings.length + cell.contributions.length) * ITEM_BYTES;
  for (const { value } of cell.siblings) bytes += value.length;
  return bytes;
}
