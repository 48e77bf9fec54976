/**
 * About a hundred consecutive entries of a stream as bytes. What an entry shares with the one before
 * it costs next to nothing: ids, dots and clocks are differences, and field names that are those of
 * the block's first entry are not written again.
 *
 *     entry  u8      flags: 1 names of the block, 2 another actor than before, 4 whole id,
 *                    8 a dot's seq below that before, 16 an hlc below
 *            varint  ms less that before; varint seq (less that before if ms is the same)
 *                    | flag 4: 16 bytes
 *            varint  actor                               flag 2
 *            varint  how far the dot's seq is from that before
 *            varint  how far the hlc is from that before
 *            varint  n, n × (varint length | name | varint length | value)
 *                    | flag 1: for each name of the block varint length | value
 *
 * Before the entry at `start` stands `base`, and `tail` is what the next entry appended is written
 * against. So the first entry goes by moving `start` and `base`, and a new last one is only written;
 * any other change writes the block anew.
 *
 * Entries are in the order of their ids; of one id there is at most one entry of each actor, in the
 * order of the actors.
 */
import type { Actor, Bytes, StampedDot } from './dot.ts';
import { idNumber, STREAM_ID_BYTES, streamId } from './stream-id.ts';

/** As in Redis: stream-node-max-entries and stream-node-max-bytes. */
export const BLOCK_ENTRIES_MAX = 100;
export const BLOCK_BYTES_MAX = 4096;
const CAPACITY_MIN = 64;
/** What a block may have too much; more is given back when it is full. */
const SPARE_BYTES = 64;

const SAME_NAMES = 1;
const OTHER_ACTOR = 2;
const WHOLE_ID = 4;
const SEQ_BACK = 8;
const HLC_BACK = 16;

/** Names and values in turn. */
export type EntryFields = readonly Bytes[];

export type StreamEntry = StampedDot & { readonly id: Bytes; readonly fields: EntryFields };

/** What the next entry is written against; `ms` NaN: its id is written whole. */
type Base = { ms: number; idSeq: number; actor: Actor; seq: number; hlc: number };

export type StreamBlock = {
  bytes: Uint8Array;
  start: number;
  end: number;
  count: number;
  first: Bytes;
  last: Bytes;
  /** The actor of all entries, or -1: of several. */
  actor: Actor;
  /** The greatest seq of a dot in the block. */
  seqMax: number;
  names: readonly Bytes[];
  base: Base;
  tail: Base;
};

function newBlock(names: readonly Bytes[], capacity: number): StreamBlock {
  return {
    bytes: new Uint8Array(capacity),
    start: 0,
    end: 0,
    count: 0,
    first: '',
    last: '',
    actor: -1,
    seqMax: 0,
    names,
    base: { ms: 0, idSeq: 0, actor: 0, seq: 0, hlc: 0 },
    tail: { ms: 0, idSeq: 0, actor: 0, seq: 0, hlc: 0 },
  };
}

/** The names of an entry's fields; `like` itself if they are the same. */
export function namesOf(fields: EntryFields, like: readonly Bytes[] | null): readonly Bytes[] {
  if (like !== null && hasNames(fields, like)) return like;
  return fields.filter((_, index) => index % 2 === 0);
}

function hasNames(fields: EntryFields, names: readonly Bytes[]): boolean {
  if (fields.length !== names.length * 2) return false;
  for (let n = 0; n < names.length; n++) if (fields[n * 2] !== names[n]) return false;
  return true;
}

/** A block with this entry. `like`: a full neighbour, whose names and size it is likely to have. */
export function blockOf(entry: StreamEntry, like: StreamBlock | null): StreamBlock {
  const names = namesOf(entry.fields, like?.names ?? null);
  const block = newBlock(names, like === null ? CAPACITY_MIN : like.end - like.start + SPARE_BYTES);
  appendEntry(block, entry.id, entry.actor, entry.seq, entry.hlc, entry.fields);
  return block;
}

/** Whether an entry with these fields should begin a new block. */
export function isFull(block: StreamBlock): boolean {
  return block.count >= BLOCK_ENTRIES_MAX || block.end - block.start >= BLOCK_BYTES_MAX;
}

/** Gives back what a block that is not written any more has too much. */
export function seal(block: StreamBlock): void {
  if (block.bytes.length - (block.end - block.start) <= 2 * SPARE_BYTES) return;
  block.bytes = new Uint8Array(block.bytes.subarray(block.start, block.end));
  block.end -= block.start;
  block.start = 0;
}

/** Names and values as they lie in the bytes of a command: `start[from]` to `end[from]`, and so on. */
export type FieldBytes = {
  readonly buffer: Uint8Array;
  readonly start: ArrayLike<number>;
  readonly end: ArrayLike<number>;
  readonly from: number;
  readonly count: number;
};

/** As `appendEntry`, of fields whose names are the block's. False: they are not, nothing was done. */
export function appendBytes(
  block: StreamBlock,
  id: Bytes,
  actor: Actor,
  seq: number,
  hlc: number,
  fields: FieldBytes,
): boolean {
  const { buffer, start, end, from, count } = fields;
  if (!hasNameBytes(fields, block.names)) return false;
  let extra = HEAD_BYTES_MAX;
  for (let n = from + 1; n < from + count; n += 2) extra += end[n] - start[n] + 5;
  reserve(block, extra);
  let at = appendHead(block, id, actor, seq, hlc, true);
  const { bytes } = block;
  for (let n = from + 1; n < from + count; n += 2) {
    const length = end[n] - start[n];
    at = putVarint(bytes, at, length);
    if (length <= LOOP_BYTES_MAX) {
      for (let k = start[n]; k < end[n]; k++) bytes[at++] = buffer[k];
    } else {
      copy.call(buffer as Buffer, bytes, at, start[n], end[n]);
      at += length;
    }
  }
  block.end = at;
  return true;
}

function hasNameBytes(fields: FieldBytes, names: readonly Bytes[]): boolean {
  const { buffer, start, end, from, count } = fields;
  if (count !== names.length * 2) return false;
  for (let n = 0; n < names.length; n++) {
    const name = names[n];
    const at = start[from + n * 2];
    if (end[from + n * 2] - at !== name.length) return false;
    for (let k = 0; k < name.length; k++) if (buffer[at + k] !== name.charCodeAt(k)) return false;
  }
  return true;
}

/** Writes an entry behind the last one, which comes before it. */
export function appendEntry(
  block: StreamBlock,
  id: Bytes,
  actor: Actor,
  seq: number,
  hlc: number,
  fields: EntryFields,
): void {
  const same = hasNames(fields, block.names);
  reserve(block, entryBytesMax(fields));
  let at = appendHead(block, id, actor, seq, hlc, same);
  const { bytes } = block;
  if (!same) at = putVarint(bytes, at, fields.length / 2);
  for (let n = same ? 1 : 0; n < fields.length; n += same ? 2 : 1) {
    at = putText(bytes, at, fields[n]);
  }
  block.end = at;
}

/** Writes what stands before the fields, and counts the entry. Returns where they go. */
function appendHead(
  block: StreamBlock,
  id: Bytes,
  actor: Actor,
  seq: number,
  hlc: number,
  same: boolean,
): number {
  const { tail } = block;
  const first = block.count === 0;
  const ms = idNumber(id, 0);
  const idSeq = idNumber(id, 8);
  const whole = Number.isNaN(ms + idSeq + tail.ms);
  const other = first || actor !== tail.actor;
  const { bytes } = block;
  let at = block.end;
  const form = (same ? SAME_NAMES : 0) | (other ? OTHER_ACTOR : 0) | (whole ? WHOLE_ID : 0);
  bytes[at++] = form | (seq < tail.seq ? SEQ_BACK : 0) | (hlc < tail.hlc ? HLC_BACK : 0);
  if (whole) for (let n = 0; n < STREAM_ID_BYTES; n++) bytes[at++] = id.charCodeAt(n);
  else {
    at = putVarint(bytes, at, ms - tail.ms);
    at = putVarint(bytes, at, ms === tail.ms ? idSeq - tail.idSeq : idSeq);
  }
  if (other) at = putVarint(bytes, at, actor);
  at = putVarint(bytes, at, Math.abs(seq - tail.seq));
  at = putVarint(bytes, at, Math.abs(hlc - tail.hlc));
  if (first) block.first = id;
  block.last = id;
  block.actor = first || block.actor === actor ? actor : -1;
  block.count++;
  if (seq > block.seqMax) block.seqMax = seq;
  tail.ms = Number.isNaN(ms + idSeq) ? Number.NaN : ms;
  tail.idSeq = idSeq;
  tail.actor = actor;
  tail.seq = seq;
  tail.hlc = hlc;
  return at;
}

/** All entries, in order. */
export function readBlock(block: StreamBlock): StreamEntry[] {
  const entries: StreamEntry[] = [];
  const reader = new BlockReader(block);
  while (reader.next()) entries.push(reader.entry());
  return entries;
}

/** These entries, which are in order, as blocks. `like`: names of a neighbour. */
export function writeBlocks(
  entries: readonly StreamEntry[],
  like: StreamBlock | null,
): StreamBlock[] {
  const blocks: StreamBlock[] = [];
  let block: StreamBlock | null = null;
  for (const entry of entries) {
    if (block === null || isFull(block)) {
      block = blockOf(entry, block ?? like);
      blocks.push(block);
    } else appendEntry(block, entry.id, entry.actor, entry.seq, entry.hlc, entry.fields);
  }
  for (const one of blocks) seal(one);
  return blocks;
}

/** Takes the first of several entries away. */
export function dropFirst(block: StreamBlock): void {
  const reader = new BlockReader(block);
  reader.next();
  const { ms, idSeq, actor, seq, hlc } = reader;
  block.base = { ms, idSeq, actor, seq, hlc };
  block.start = reader.at;
  block.count--;
  reader.next();
  block.first = reader.id;
}

/** Walks the entries of a block; its fields are those of the current entry. */
export class BlockReader {
  at: number;
  ms: number;
  idSeq: number;
  actor: Actor;
  seq: number;
  hlc: number;
  private readonly block: StreamBlock;
  private readonly bytes: Uint8Array;
  /** The text that `nextText` came to. */
  name: Bytes | null = null;
  textStart = 0;
  textEnd = 0;
  private after = 0;
  private textsLeft = 0;
  private whole = '';
  private sameNames = false;
  private fieldsAt = 0;

  constructor(block: StreamBlock) {
    const { base } = block;
    this.block = block;
    this.bytes = block.bytes;
    this.at = block.start;
    this.ms = base.ms;
    this.idSeq = base.idSeq;
    this.actor = base.actor;
    this.seq = base.seq;
    this.hlc = base.hlc;
  }

  /** Goes to the next entry; false: there is none. */
  next(): boolean {
    if (this.at >= this.block.end) return false;
    const flags = this.bytes[this.at++];
    this.sameNames = (flags & SAME_NAMES) !== 0;
    if ((flags & WHOLE_ID) !== 0) this.readWholeId();
    else {
      const step = this.varint();
      const idSeq = this.varint();
      this.ms += step;
      this.idSeq = step === 0 ? this.idSeq + idSeq : idSeq;
      this.whole = '';
    }
    if ((flags & OTHER_ACTOR) !== 0) this.actor = this.varint();
    const seqStep = this.varint();
    this.seq += (flags & SEQ_BACK) !== 0 ? -seqStep : seqStep;
    const hlcStep = this.varint();
    this.hlc += (flags & HLC_BACK) !== 0 ? -hlcStep : hlcStep;
    this.fieldsAt = this.at;
    const texts = this.sameNames ? this.block.names.length : this.varint() * 2;
    for (let n = 0; n < texts; n++) {
      const length = this.varint();
      this.at += length;
    }
    return true;
  }

  get id(): Bytes {
    return this.whole !== '' ? this.whole : streamId(this.ms, this.idSeq);
  }

  fields(): Bytes[] {
    const end = this.at;
    this.at = this.fieldsAt;
    const fields: Bytes[] = [];
    if (this.sameNames) {
      for (const name of this.block.names) fields.push(name, this.text());
    } else {
      for (let texts = this.varint() * 2; texts > 0; texts--) fields.push(this.text());
    }
    this.at = end;
    return fields;
  }

  /** Goes before the fields of the current entry; returns how many there are. */
  beginFields(): number {
    this.after = this.at;
    this.at = this.fieldsAt;
    const { length } = this.block.names;
    this.textsLeft = this.sameNames ? length * 2 : this.varint() * 2;
    return this.textsLeft / 2;
  }

  /** Goes to the next name or value: `name`, or the block's bytes from `textStart` to `textEnd`. False at the end. */
  nextText(): boolean {
    if (this.textsLeft === 0) {
      this.at = this.after;
      return false;
    }
    const { names } = this.block;
    const isName = this.sameNames && this.textsLeft % 2 === 0;
    this.name = isName ? names[names.length - this.textsLeft / 2] : null;
    this.textsLeft--;
    if (isName) return true;
    const length = this.varint();
    this.textStart = this.at;
    this.at += length;
    this.textEnd = this.at;
    return true;
  }

  entry(): StreamEntry {
    const { actor, seq, hlc } = this;
    return { id: this.id, actor, seq, hlc, fields: this.fields() };
  }

  private readWholeId(): void {
    this.whole = latin1(this.bytes, this.at, this.at + STREAM_ID_BYTES);
    this.at += STREAM_ID_BYTES;
    const idSeq = idNumber(this.whole, 8);
    const ms = idNumber(this.whole, 0);
    this.ms = Number.isNaN(ms + idSeq) ? Number.NaN : ms;
    this.idSeq = idSeq;
  }

  private varint(): number {
    const { bytes } = this;
    let byte = bytes[this.at++];
    if (byte < 128) return byte;
    let value = byte & 127;
    let scale = 128;
    do {
      byte = bytes[this.at++];
      value += (byte & 127) * scale;
      scale *= 128;
    } while (byte >= 128);
    return value;
  }

  private text(): Bytes {
    const length = this.varint();
    this.at += length;
    return latin1(this.bytes, this.at - length, this.at);
  }
}

/** Flags, a whole id or two numbers, an actor, a seq, an hlc, a count: no more than this. */
const HEAD_BYTES_MAX = 64;
const { copy } = Buffer.prototype;
const latin1Slice = Buffer.prototype.latin1Slice;
const latin1Write = Buffer.prototype.latin1Write;
/** Up to here a loop is quicker than a call into the runtime. */
const LOOP_BYTES_MAX = 24;

function latin1(bytes: Uint8Array, start: number, end: number): Bytes {
  return latin1Slice.call(bytes as Buffer, start, end);
}

function putText(bytes: Uint8Array, at: number, text: Bytes): number {
  const { length } = text;
  const start = putVarint(bytes, at, length);
  if (length <= LOOP_BYTES_MAX) {
    for (let n = 0; n < length; n++) bytes[start + n] = text.charCodeAt(n);
  } else latin1Write.call(bytes as Buffer, text, start, length);
  return start + length;
}

function putVarint(bytes: Uint8Array, at: number, value: number): number {
  let rest = value;
  let to = at;
  while (rest >= 128) {
    bytes[to++] = (rest % 128) | 128;
    rest = Math.floor(rest / 128);
  }
  bytes[to++] = rest;
  return to;
}

function entryBytesMax(fields: EntryFields): number {
  let bytes = HEAD_BYTES_MAX;
  for (const text of fields) bytes += text.length + 5;
  return bytes;
}

function reserve(block: StreamBlock, extra: number): void {
  const needed = block.end + extra;
  if (needed <= block.bytes.length) return;
  let capacity = block.bytes.length * 2;
  while (capacity < needed) capacity *= 2;
  const grown = new Uint8Array(capacity);
  grown.set(block.bytes.subarray(0, block.end));
  block.bytes = grown;
}
