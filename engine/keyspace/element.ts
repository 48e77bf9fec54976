/**
 * One element of a table (element-table.ts) in the arena: a member of a set, a field of a hash.
 *
 *     words 0-1  dot of the one sibling or add (entry.ts); seq 0: there is none
 *     word 2     u32 low half of its hlc
 *     word 3     bits 0-20 high part of the hlc, 24-27 contributions (CELL_OUTSIDE: see below),
 *                28 name outside, 29 value outside
 *     then       n × 5 units of contributions (contributions.ts)
 *     then       u16 length of the name as stored here | u16 of the value | name | value
 *
 * A 12-byte field with a 16-byte value takes 48 bytes, a 12-byte member 32, metadata included.
 *
 * What goes beyond this form (two dots after a conflict, sums that are no safe integers, more
 * actors than CONTRIBUTIONS_MAX) is an *outside cell* of this one element: its value is a number in
 * the table's store of JS cells, its dot is 0. A name or value that would make the block too large
 * lies outside likewise.
 */

import { type Arena, CHUNK_SHIFT, CLASS_OF_UNITS, UNIT_MASK } from './arena.ts';
import { CONTRIBUTION_UNITS, OUTSIDE_BYTES, writeDot } from './entry.ts';

/** In the place of the number of contributions: the cell lies outside. */
export const CELL_OUTSIDE = 15;
export const NAME_OUTSIDE = 0x10;
export const VALUE_OUTSIDE = 0x20;
export const FORM_COUNT_MASK = 0x0f;
export const ELEMENT_HEADER_UNITS = 2;
/** Longer ones lie outside, so that both always fit a block with all its contributions. */
export const NAME_INLINE_MAX = 16 * 1024;
export const VALUE_INLINE_MAX = 32 * 1024;

/** Where the form of an element is. */
export const FORM_WORD = 3;
export const FORM_SHIFT = 24;
const HLC_HIGH_MASK = 0x1fffff;
const TWO_32 = 4294967296;
const LENGTHS_BYTES = 4;

/** The element's form: number of contributions and flags. */
export function formOf(arena: Arena, ref: number): number {
  return arena.u32[ref >>> CHUNK_SHIFT][((ref & UNIT_MASK) << 1) + 3] >>> FORM_SHIFT;
}

/** Whether all there is to know of an element of this form is its dot and its value. */
export function isSimpleForm(form: number): boolean {
  return (form & FORM_COUNT_MASK) === 0;
}

export function elementHlc(arena: Arena, ref: number): number {
  const words = arena.u32[ref >>> CHUNK_SHIFT];
  const at = (ref & UNIT_MASK) << 1;
  return (words[at + 3] & HLC_HIGH_MASK) * TWO_32 + words[at + 2];
}

/** Writes dot, hlc and form. */
export function writeStamp(
  arena: Arena,
  ref: number,
  actor: number,
  seq: number,
  hlc: number,
  form: number,
): void {
  const words = arena.u32[ref >>> CHUNK_SHIFT];
  const at = (ref & UNIT_MASK) << 1;
  writeDot(words, at, actor, seq);
  words[at + 2] = hlc >>> 0;
  words[at + 3] = ((form << FORM_SHIFT) | (hlc / TWO_32)) >>> 0;
}

/** Unit index, in its chunk, of the element's first contribution. */
export function tallyUnit(ref: number): number {
  return (ref & UNIT_MASK) + ELEMENT_HEADER_UNITS;
}

/** Word index, in its chunk, of the element's two lengths. */
export function lengthsWord(ref: number, form: number): number {
  const count = form & FORM_COUNT_MASK;
  const units = count === CELL_OUTSIDE ? 0 : count * CONTRIBUTION_UNITS;
  return ((ref & UNIT_MASK) + ELEMENT_HEADER_UNITS + units) << 1;
}

/** Size class of an element of this form whose name and value take so many bytes in it. */
export function elementClass(form: number, nameStored: number, valueStored: number): number {
  const words = lengthsWord(0, form);
  return CLASS_OF_UNITS[(words >>> 1) + ((LENGTHS_BYTES + nameStored + valueStored + 7) >>> 3)];
}

/** Size class with which the element was allocated. */
export function classOfElement(arena: Arena, ref: number): number {
  const form = formOf(arena, ref);
  const lengths = arena.u32[ref >>> CHUNK_SHIFT][lengthsWord(ref, form)];
  return elementClass(form, lengths & 0xffff, lengths >>> 16);
}

/** Bytes that a name takes in its element. */
export function nameStored(length: number): number {
  return length > NAME_INLINE_MAX ? OUTSIDE_BYTES : length;
}

/** Bytes that a value takes in its element. */
export function valueStored(length: number): number {
  return length > VALUE_INLINE_MAX ? OUTSIDE_BYTES : length;
}
