/**
 * A stream in the canonical encoding of key states (key-encoding.ts).
 *
 *     u32 n × (id | stamp | u32 m × (name | value))             entries, by id and actor
 *     u16 n × (stamp | id last | f64 added | id deleted)        marks
 *     u32 n × (name | group)                                    by name
 *
 *     group   u16 n × (stamp | position | u16 m × dot)          CREATEs, with the DESTROYs they had seen
 *             u16 n × stamp                                     DESTROYs
 *             u16 n × (stamp | position | u16 m × (id | dot))   cursors, with what they left behind
 *             u32 n × (name | u16 m × (stamp | f64 time))       consumers
 *             u32 n × (id | u16 m × (stamp | consumer | f64 time | f64 count))
 *     position  id last | f64 read | u16 n × dot
 *     stamp     u16 dictionary index | u48 seq | f64 hlc
 *
 * Lists of dots are in the order of their actors, one of each.
 */
import type { Actor, Bytes, Dot } from '../crdt/dot.ts';
import type { Mark, StreamState } from '../crdt/stream.ts';
import { BlockReader, type StreamBlock, type StreamEntry } from '../crdt/stream-block.ts';
import { compareEntries, entriesOf } from '../crdt/stream-entries.ts';
import {
  type EntryName,
  type Group,
  isEmptyGroup,
  newGroup,
  type Position,
} from '../crdt/stream-group.ts';
import { STREAM_ID_BYTES } from '../crdt/stream-id.ts';
import type { ByteReader } from './byte-reader.ts';
import type { ByteWriter } from './byte-writer.ts';
import {
  type Indexes,
  indexOf,
  type PartEncoding,
  readMap,
  readStamps,
  sortDots,
  sortKeys,
  writeStamp,
} from './key-encoding.ts';
import { KEY_BYTES_MAX } from './op.ts';
import { readFields, readId, readWhole } from './stream-ops.ts';

const TWO_32 = 4294967296;
const STAMP_BYTES = 16;
const DOT_BYTES = 8;
const GROUP_BYTES_MIN = 14;

export const streamEncoding: PartEncoding<StreamState> = { write: writeStream, read: readStream };

function writeStream(out: ByteWriter, stream: StreamState, indexes: Indexes): void {
  const { blocks, count } = stream.entries;
  out.u32(count);
  if (haveTwins(blocks)) writeInOrder(out, blocks, indexes);
  else for (const block of blocks) writeBlock(out, block, indexes);
  out.u16(stream.marks.length);
  for (const mark of sortDots(stream.marks, indexes)) {
    writeStamp(out, mark, indexes);
    out.raw(mark.last);
    out.f64(mark.added);
    out.raw(mark.deleted);
  }
  out.u32(stream.groups.size);
  for (const [name, group] of sortKeys(stream.groups)) {
    out.text(name);
    writeGroup(out, group, indexes);
  }
}

/** Whether any two entries may have one id; ids that are no safe numbers count as such. */
function haveTwins(blocks: readonly StreamBlock[]): boolean {
  let [ms, idSeq] = [-1, -1];
  for (const block of blocks) {
    const reader = new BlockReader(block);
    while (reader.next()) {
      if (Number.isNaN(reader.ms) || (reader.ms === ms && reader.idSeq === idSeq)) return true;
      ms = reader.ms;
      idSeq = reader.idSeq;
    }
  }
  return false;
}

/** Writes the entries of a block as they are, without making them. */
function writeBlock(out: ByteWriter, block: StreamBlock, indexes: Indexes): void {
  const reader = new BlockReader(block);
  let [actor, index] = [-1, -1];
  while (reader.next()) {
    if (reader.actor !== actor) index = indexOf(indexes, reader.actor);
    actor = reader.actor;
    out.reserve(STREAM_ID_BYTES + STAMP_BYTES);
    writeHalf(out, reader.ms);
    writeHalf(out, reader.idSeq);
    out.u16(index);
    out.u48(reader.seq);
    out.f64(reader.hlc);
    out.u32(reader.beginFields());
    while (reader.nextText()) {
      const { name, textStart, textEnd } = reader;
      if (name !== null) {
        out.u32(name.length);
        out.short(name);
      } else {
        out.u32(textEnd - textStart);
        out.reserve(textEnd - textStart);
        out.copyReserved(block.bytes, textStart, textEnd);
      }
    }
  }
}

/** Half of an id, big-endian; room is reserved. */
function writeHalf(out: ByteWriter, value: number): void {
  out.view.setUint32(out.length, Math.floor(value / TWO_32), false);
  out.view.setUint32(out.length + 4, value % TWO_32, false);
  out.length += 8;
}

/** Entries of one id go by the dictionary's order of their actors. */
function writeInOrder(out: ByteWriter, blocks: readonly StreamBlock[], indexes: Indexes): void {
  let run: StreamEntry[] = [];
  const flush = (): void => {
    for (const entry of sortDots(run, indexes)) writeEntry(out, entry, indexes);
    run = [];
  };
  for (const block of blocks) {
    const reader = new BlockReader(block);
    while (reader.next()) {
      const entry = reader.entry();
      // Only entries of one id depend on the order of actors.
      if (run.length > 0 && run[0].id !== entry.id) flush();
      run.push(entry);
    }
  }
  flush();
}

function writeEntry(out: ByteWriter, entry: StreamEntry, indexes: Indexes): void {
  out.raw(entry.id);
  writeStamp(out, entry, indexes);
  out.u32(entry.fields.length / 2);
  for (const text of entry.fields) out.text(text);
}

function writeGroup(out: ByteWriter, group: Group, indexes: Indexes): void {
  out.u16(group.made.length);
  for (const made of sortDots(group.made, indexes)) {
    writeStamp(out, made, indexes);
    writePosition(out, made, indexes);
    writePlainDots(out, made.gone, indexes);
  }
  out.u16(group.gone.length);
  for (const gone of sortDots(group.gone, indexes)) writeStamp(out, gone, indexes);
  out.u16(group.cursors.length);
  for (const cursor of sortDots(group.cursors, indexes)) {
    writeStamp(out, cursor, indexes);
    writePosition(out, cursor, indexes);
    out.u16(cursor.left.length);
    for (const one of cursor.left) {
      out.raw(one.id);
      writePlainDot(out, one, indexes);
    }
  }
  out.u32(group.consumers.size);
  for (const [name, held] of sortKeys(group.consumers)) {
    out.text(name);
    out.u16(held.length);
    for (const consumer of sortDots(held, indexes)) {
      writeStamp(out, consumer, indexes);
      out.f64(consumer.atMs);
    }
  }
  out.u32(group.pending.length);
  for (const { id, claims } of group.pending) {
    out.raw(id);
    out.u16(claims.length);
    for (const claim of sortDots(claims, indexes)) {
      writeStamp(out, claim, indexes);
      out.text(claim.consumer);
      out.f64(claim.atMs);
      out.f64(claim.count);
    }
  }
}

function writePosition(out: ByteWriter, { last, read, seen }: Position, indexes: Indexes): void {
  out.raw(last);
  out.f64(read);
  writePlainDots(out, seen, indexes);
}

function writePlainDots(out: ByteWriter, dots: readonly Dot[], indexes: Indexes): void {
  out.u16(dots.length);
  for (const dot of sortDots(dots, indexes)) writePlainDot(out, dot, indexes);
}

function writePlainDot(out: ByteWriter, dot: Dot, indexes: Indexes): void {
  out.u16(indexOf(indexes, dot.actor));
  out.u48(dot.seq);
}

function readStream(reader: ByteReader, actors: readonly Actor[]): StreamState {
  const count = reader.count(32, STREAM_ID_BYTES + STAMP_BYTES + 12);
  const held: StreamEntry[] = [];
  let [lastId, lastIndex, sorted] = ['', -1, true];
  for (let n = 0; n < count && reader.problem === null; n++) {
    const id = readId(reader);
    const index = reader.u16();
    const seq = reader.seq();
    const hlc = reader.hlc();
    if (index >= actors.length) reader.fail('an actor that is not in the dictionary');
    if (id < lastId || (id === lastId && index <= lastIndex)) reader.fail('entries out of order');
    if (id === lastId) sorted = false;
    [lastId, lastIndex] = [id, index];
    held.push({ id, actor: actors[index] ?? 0, seq, hlc, fields: readFields(reader) });
  }
  if (!sorted) held.sort(compareEntries);
  const marks = readStamps<Mark>(reader, actors, 0, (stamp) => {
    const last = readId(reader);
    const added = readWhole(reader);
    return { ...stamp, last, added, deleted: readId(reader) };
  });
  const groups = readMap(reader, GROUP_BYTES_MIN, () => readGroup(reader, actors), 0);
  if (held.length + marks.length + groups.size === 0) reader.fail('an empty stream');
  return { entries: entriesOf(reader.problem === null ? held : []), marks, groups };
}

function readGroup(reader: ByteReader, actors: readonly Actor[]): Group {
  const group = newGroup();
  group.made = readStamps(reader, actors, 0, (stamp) => {
    const position = readPosition(reader, actors);
    return { ...stamp, ...position, left: [], gone: readPlainDots(reader, actors) };
  });
  group.gone = readStamps(reader, actors, 0, (stamp) => stamp);
  group.cursors = readStamps(reader, actors, 0, (stamp) => {
    const position = readPosition(reader, actors);
    const left: EntryName[] = [];
    for (let n = reader.count(16, STREAM_ID_BYTES + DOT_BYTES); n > 0; n--) {
      left.push({ id: readId(reader), ...readPlainDot(reader, actors) });
    }
    return { ...stamp, ...position, left };
  });
  group.consumers = readMap(
    reader,
    6 + STAMP_BYTES + 8,
    () => readStamps(reader, actors, 1, (stamp) => ({ ...stamp, atMs: readWhole(reader) })),
    0,
  );
  const count = reader.count(32, STREAM_ID_BYTES + 2 + STAMP_BYTES + 20);
  let last: Bytes | null = null;
  for (let n = 0; n < count && reader.problem === null; n++) {
    const id = readId(reader);
    if (last !== null && id <= last) reader.fail('pending ids out of order');
    last = id;
    const claims = readStamps(reader, actors, 1, (stamp) => {
      const consumer = reader.text(KEY_BYTES_MAX);
      const atMs = readWhole(reader);
      return { ...stamp, consumer, atMs, count: readWhole(reader) };
    });
    group.pending.push({ id, claims });
  }
  if (isEmptyGroup(group)) reader.fail('an empty group');
  return group;
}

function readPosition(
  reader: ByteReader,
  actors: readonly Actor[],
): { last: Bytes; read: number; seen: Dot[] } {
  const last = readId(reader);
  const read = readWhole(reader, -1);
  return { last, read, seen: readPlainDots(reader, actors) };
}

function readPlainDots(reader: ByteReader, actors: readonly Actor[]): Dot[] {
  const dots: Dot[] = [];
  let last = -1;
  for (let n = reader.count(16, DOT_BYTES); n > 0 && reader.problem === null; n--) {
    const index = reader.u16();
    if (index <= last) reader.fail('dots that are not in order of their actors');
    last = index;
    reader.at -= 2;
    dots.push(readPlainDot(reader, actors));
  }
  return dots;
}

function readPlainDot(reader: ByteReader, actors: readonly Actor[]): Dot {
  const index = reader.u16();
  const seq = reader.seq();
  if (index >= actors.length) reader.fail('an actor that is not in the dictionary');
  return { actor: actors[index] ?? 0, seq };
}
