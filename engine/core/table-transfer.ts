/**
 * A table in the canonical encoding of key states (op/key-encoding.ts), without making the state:
 * `writeTable` writes what `writeKey` writes for it, byte for byte. Images, state merges and digests read
 * every table, so this must not cost an object for each of a million fields.
 *
 * Elements go out in the order of their names. They are sorted by the next four bytes of the name with
 * their number beside them, as 64-bit integers and so by the runtime itself; those that agree in
 * these are sorted by the four bytes behind, and so on.
 *
 * Measured under Bun: 0.7 s for 1,000,000 fields, as long as for a Map whose names are in order already.
 */

import type { Actor } from '../crdt/dot.ts';
import { CHUNK_SHIFT, UNIT_MASK } from '../keyspace/arena.ts';
import { elementHlc, formOf, isSimpleForm } from '../keyspace/element.ts';
import { readCell, readDots } from '../keyspace/element-cell.ts';
import type { ElementTables } from '../keyspace/element-table.ts';
import {
  dotActor,
  dotSeq,
  metaOf,
  TABLE_HASH,
  TABLE_SET,
  TABLE_ZSET,
  tableKind,
} from '../keyspace/entry.ts';
import type { Keyspace } from '../keyspace/keyspace.ts';
import { tableOf, tableTtls, walkTable } from '../keyspace/table-collection.ts';
import type { ByteWriter } from '../op/byte-writer.ts';
import {
  type ActorDictionary,
  addCellActors,
  indexOf,
  KEY_ENCODING_VERSION,
  PART,
  writeCell,
  writeDots,
  writeTtl,
} from '../op/key-encoding.ts';

const PART_OF: Readonly<Record<number, number>> = {
  [TABLE_SET]: PART.set,
  [TABLE_HASH]: PART.hash,
  [TABLE_ZSET]: PART.zset,
};

/** Bytes of a name that are compared at a time. */
const STEP = 4;
/** So few names, and names that are alike for so long, are compared with each other. */
const COMPARED_MAX = 4;
const DEPTH_MAX = 64;

/** As collectActors, of the table entry at `ref`. */
export function collectTableActors(keyspace: Keyspace, ref: number, actors: Set<Actor>): void {
  const { arena, tables } = keyspace;
  const isSet = tableKind(metaOf(arena, ref)) === TABLE_SET;
  const walk = walkTable(keyspace, ref);
  let last = -1;
  for (let element = walk.next(); element !== 0; element = walk.next()) {
    if (isSimpleForm(formOf(arena, element))) {
      const actor = dotActor(arena.u32[element >>> CHUNK_SHIFT], (element & UNIT_MASK) << 1);
      if (actor !== last) actors.add(actor);
      last = actor;
    } else if (!isSet) addCellActors(readCell(tables, element), actors);
    else for (const { actor } of readDots(tables, element)) actors.add(actor);
  }
  for (const { actor } of tableTtls(keyspace, ref)) actors.add(actor);
}

/** As writeKey, of the table entry at `ref`. */
export function writeTable(
  out: ByteWriter,
  keyspace: Keyspace,
  ref: number,
  { indexes }: ActorDictionary,
): void {
  const kind = tableKind(metaOf(keyspace.arena, ref));
  const isSet = kind === TABLE_SET;
  const ttl = tableTtls(keyspace, ref);
  out.u8(KEY_ENCODING_VERSION);
  out.u8(PART_OF[kind] | (ttl.length > 0 ? PART.ttl : 0));
  const elements = sortedElements(keyspace, ref);
  out.u32(elements.length);
  const { tables } = keyspace;
  for (const element of elements) {
    tables.locateName(element);
    writeText(out, tables);
    if (!isSimpleForm(formOf(tables.arena, element))) {
      if (isSet) writeDots(out, readDots(tables, element), indexes);
      else writeCell(out, readCell(tables, element), indexes);
      continue;
    }
    const words = tables.arena.u32[element >>> CHUNK_SHIFT];
    const word = (element & UNIT_MASK) << 1;
    out.u16(1);
    out.u16(indexOf(indexes, dotActor(words, word)));
    out.u48(dotSeq(words, word));
    out.f64(elementHlc(tables.arena, element));
    if (isSet) continue;
    tables.locateValue(element);
    writeText(out, tables);
    out.u16(0);
  }
  if (ttl.length > 0) writeTtl(out, ttl, indexes);
}

/** The text that was located last. */
function writeText(out: ByteWriter, { bytes, start, end }: ElementTables): void {
  out.u32(end - start);
  out.reserve(end - start);
  out.copyReserved(bytes, start, end);
}

function sortedElements(keyspace: Keyspace, ref: number): Uint32Array {
  const { tables } = keyspace;
  const count = tables.count(tableOf(keyspace, ref));
  const keys = new BigUint64Array(count);
  const words = new Uint32Array(keys.buffer);
  const walk = walkTable(keyspace, ref);
  for (let i = 0; i < count; i++) words[i * 2] = walk.next();
  sortRange(tables, keys, words, 0, count, 0);
  const sorted = new Uint32Array(count);
  for (let i = 0; i < count; i++) sorted[i] = words[i * 2];
  return sorted;
}

/**
 * Sorts elements `[from, to)`, whose names agree in their first `depth` bytes. A key has the element's ref in
 * its low word and four bytes of the name in its high one (all platforms of ours are little-endian).
 */
function sortRange(
  tables: ElementTables,
  keys: BigUint64Array,
  words: Uint32Array,
  from: number,
  to: number,
  depth: number,
): void {
  if (to - from < 2) return;
  if (to - from <= COMPARED_MAX || depth >= DEPTH_MAX) {
    sortByComparing(tables, words, from, to);
    return;
  }
  for (let i = from; i < to; i++) {
    tables.locateName(words[i * 2]);
    const { bytes, start, end } = tables;
    let part = 0;
    for (let at = start + depth; at < start + depth + STEP; at++) {
      part = (part << 8) | (at < end ? bytes[at] : 0);
    }
    words[i * 2 + 1] = part >>> 0;
  }
  keys.subarray(from, to).sort();
  for (let start = from; start < to; ) {
    let end = start + 1;
    while (end < to && words[end * 2 + 1] === words[start * 2 + 1]) end++;
    sortRange(tables, keys, words, start, end, depth + STEP);
    start = end;
  }
}

function sortByComparing(
  tables: ElementTables,
  words: Uint32Array,
  from: number,
  to: number,
): void {
  const nameOf = (element: number): Uint8Array => {
    tables.locateName(element);
    return tables.bytes.subarray(tables.start, tables.end);
  };
  const elements = Array.from({ length: to - from }, (_, i) => words[(from + i) * 2]);
  elements.sort((a, b) => Buffer.compare(nameOf(a), nameOf(b)));
  for (let i = from; i < to; i++) words[i * 2] = elements[i - from];
}
