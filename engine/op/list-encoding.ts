/**
 * Lists in ops and in key states.
 *
 *     id     u8 components | of each: u48 n + 2^47, u48 tie, u8 (1: before), u48 |r|, u32 k + 2^31
 *
 *     list   u32 n × element, in the order of their ids
 *            u8 0 | value                                 the next k of the same push
 *            u8 1 | component | u16 actor | f64 hlc | value   as its push left it: the dot is (actor, |r|)
 *            u8 2 | id | u16 n × (dot | f64 hlc | value)  anything else
 *
 * The first form that fits is the one to use, so equal lists give equal bytes.
 */
import type { Sibling } from '../crdt/cell.ts';
import type { Actor } from '../crdt/dot.ts';
import { append, eachElement, emptyList, type ListState } from '../crdt/list.ts';
import type { ListElement } from '../crdt/list-chunk.ts';
import {
  COMPONENT,
  compareIds,
  describeBadId,
  LIST_DEPTH_MAX,
  LIST_K_LIMIT,
  LIST_N_LIMIT,
  type ListId,
} from '../crdt/list-id.ts';
import type { ByteReader } from './byte-reader.ts';
import type { ByteWriter } from './byte-writer.ts';
import type { Indexes, PartEncoding } from './key-encoding.ts';
import { VALUE_BYTES_MAX } from './op.ts';

export const COMPONENT_BYTES = 6 + 6 + 1 + 6 + 4;
/** Shortest id. */
export const LIST_ID_BYTES_MIN = 1 + COMPONENT_BYTES;

export function writeListId(out: ByteWriter, id: ListId): void {
  out.u8(id.length / COMPONENT);
  for (let at = 0; at < id.length; at += COMPONENT) writeComponent(out, id, at);
}

export function writeComponent(out: ByteWriter, id: ArrayLike<number>, at: number): void {
  out.u48(id[at] + LIST_N_LIMIT);
  out.u48(id[at + 1]);
  out.u8(id[at + 2] < 0 ? 1 : 0);
  out.u48(Math.abs(id[at + 2]));
  out.u32(id[at + 3] + LIST_K_LIMIT);
}

export function readListId(reader: ByteReader): number[] {
  const components = reader.u8();
  if (components > LIST_DEPTH_MAX) reader.fail('a list id that is too deep');
  const id: number[] = [];
  for (let n = 0; n < components && reader.problem === null; n++) readComponent(reader, id);
  const problem = reader.problem === null ? describeBadId(id) : null;
  if (problem !== null) reader.fail(problem);
  return id;
}

function readComponent(reader: ByteReader, id: number[]): void {
  const n = reader.u48() - LIST_N_LIMIT;
  const tie = reader.u48();
  const before = reader.u8();
  if (before > 1) reader.fail('a list id of unknown form');
  const seq = reader.seq();
  id.push(n, tie, before === 1 ? -seq : seq, reader.u32() - LIST_K_LIMIT);
}

export const listEncoding: PartEncoding<ListState> = { write: writeList, read: readList };

function writeList(out: ByteWriter, list: ListState, indexes: Indexes): void {
  out.u32(list.size);
  let before: ListElement | null = null;
  eachElement(list, (element): undefined => {
    const { id, siblings } = element;
    const [push] = siblings;
    const plain = isPlain(id, siblings);
    if (plain && before !== null && follows(before, element)) {
      out.u8(0);
      out.text(push.value);
    } else if (plain) {
      out.u8(1);
      writeComponent(out, id, 0);
      out.u16(indexIn(indexes, push.actor));
      out.f64(push.hlc);
      out.text(push.value);
    } else {
      out.u8(2);
      writeListId(out, id);
      writeSiblings(out, siblings, indexes);
    }
    before = plain ? element : null;
  });
}

/** Whether the element is as its push has left it. */
function isPlain(id: ListId, siblings: readonly Sibling[]): boolean {
  return id.length === COMPONENT && siblings.length === 1 && siblings[0].seq === Math.abs(id[2]);
}

/** Whether a plain element is the next value of the push of the plain one before it. */
function follows(before: ListElement, { id, siblings }: ListElement): boolean {
  const [a] = before.siblings;
  const [b] = siblings;
  const same = a.actor === b.actor && a.seq === b.seq && a.hlc === b.hlc;
  const [n, tie, r, k] = before.id;
  return same && n === id[0] && tie === id[1] && r === id[2] && k + 1 === id[3];
}

function writeSiblings(out: ByteWriter, siblings: readonly Sibling[], indexes: Indexes): void {
  out.u16(siblings.length);
  const sorted = [...siblings].sort(
    (a, b) => indexIn(indexes, a.actor) - indexIn(indexes, b.actor),
  );
  for (const { actor, seq, hlc, value } of sorted) {
    out.u16(indexIn(indexes, actor));
    out.u48(seq);
    out.f64(hlc);
    out.text(value);
  }
}

function readList(reader: ByteReader, actors: readonly Actor[]): ListState {
  const list = emptyList();
  const count = reader.count(32, 5);
  if (count === 0) reader.fail('an empty list');
  let before: ListElement | null = null;
  for (let n = 0; n < count && reader.problem === null; n++) {
    const element = readElement(reader, actors, before);
    if (reader.problem !== null) return list;
    const problem = describeBadId(element.id);
    if (problem !== null) reader.fail(problem);
    else if (before !== null && compareIds(before.id, element.id) >= 0) {
      reader.fail('list elements that are not in order');
    }
    if (reader.problem !== null) return list;
    append(list, element);
    before = element;
  }
  return list;
}

function readElement(
  reader: ByteReader,
  actors: readonly Actor[],
  before: ListElement | null,
): ListElement {
  const form = reader.u8();
  if (form === 0) {
    if (before === null || !isPlain(before.id, before.siblings)) {
      reader.fail('a list element that follows none');
      return NOTHING;
    }
    const [n, tie, r, k] = before.id;
    const { actor, seq, hlc } = before.siblings[0];
    const value = reader.text(VALUE_BYTES_MAX);
    return { id: [n, tie, r, k + 1], siblings: [{ actor, seq, hlc, value }] };
  }
  if (form === 1) {
    const id: number[] = [];
    readComponent(reader, id);
    const actor = readActor(reader, actors);
    const hlc = reader.hlc();
    const value = reader.text(VALUE_BYTES_MAX);
    return { id, siblings: [{ actor, seq: Math.abs(id[2]), hlc, value }] };
  }
  if (form !== 2) reader.fail('a list element of unknown form');
  return { id: readListId(reader), siblings: readSiblings(reader, actors) };
}

const NOTHING: ListElement = { id: [], siblings: [] };

function readSiblings(reader: ByteReader, actors: readonly Actor[]): Sibling[] {
  const count = reader.count(16, 2 + 6 + 8 + 4);
  if (count === 0) reader.fail('a list element without writes');
  const siblings: Sibling[] = [];
  let last = -1;
  for (let n = 0; n < count && reader.problem === null; n++) {
    const index = reader.u16();
    if (index >= actors.length) reader.fail('an actor that is not in the dictionary');
    if (index <= last) reader.fail('dots that are not in order of their actors');
    last = index;
    const seq = reader.seq();
    const hlc = reader.hlc();
    siblings.push({ actor: actors[index] ?? 0, seq, hlc, value: reader.text(VALUE_BYTES_MAX) });
  }
  return siblings;
}

function readActor(reader: ByteReader, actors: readonly Actor[]): Actor {
  const index = reader.u16();
  if (index >= actors.length) reader.fail('an actor that is not in the dictionary');
  return actors[index] ?? 0;
}

function indexIn(indexes: Indexes, actor: Actor): number {
  const index = indexes.get(actor);
  if (index === undefined) throw new RangeError(`actor ${actor} is not in the dictionary`);
  return index;
}
