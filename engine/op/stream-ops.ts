/**
 * The payloads of ops on streams (encode-op.ts draws the others). Ids are 16 bytes, counts and times f64.
 *
 *     stream-add      id | added | [id deleted if DELETED] | u32 n × (name | value) | TTL
 *     stream-remove   u32 n × (id | dots) | u8 form: 1 range, 2 raise | [id to | vector] | [dot | id]
 *     stream-mark     id last | added | id deleted | dots | TTL
 *     stream-group    group | id last | read | dots seen | dots gone | u8 (1: with a vector) | [vector]
 *     stream-ungroup  group | vector | TTL
 *     stream-deliver  group | u8 form: 1 cursor, 2 consumer, 4 forget
 *                     | [id last | read | dots seen | u16 n × (id | dot) | dots]
 *                     | [name | time | dots] | [name | dots]
 *                     | owner | time | u32 n × (id | count | dots) | u32 n × (id | dots)
 */
import type { Bytes, Dot } from '../crdt/dot.ts';
import type {
  Op,
  StreamAdd,
  StreamDeliver,
  StreamGroup,
  StreamMark,
  StreamRemove,
} from '../crdt/op.ts';
import { STREAM_ID_BYTES, STREAM_ID_MIN } from '../crdt/stream-id.ts';
import type { ByteReader } from './byte-reader.ts';
import type { ByteWriter } from './byte-writer.ts';
import type { PayloadReader } from './decode-op.ts';
import { dot, dots, type IndexOf, vector } from './encode-op.ts';
import { KEY_BYTES_MAX, OP_KIND, VALUE_BYTES_MAX } from './op.ts';

/** Flag of stream-add: the mark has a greatest id deleted. */
export const FLAG_DELETED = 0x10;
const FORM_RANGE = 1;
const FORM_RAISE = 2;
const FORM_CURSOR = 1;
const FORM_CONSUMER = 2;
const FORM_FORGET = 4;
const DOT_BYTES = 8;

export type StreamOp = Extract<Op, { kind: `stream-${string}` }>;

export function isStreamOp(op: Op): op is StreamOp {
  const kind = OP_KIND[op.kind];
  return kind >= OP_KIND['stream-add'] && kind <= OP_KIND['stream-deliver'];
}

/** Writes what stands before the TTL. */
export function encodeStreamOp(out: ByteWriter, op: StreamOp, indexOf: IndexOf): void {
  switch (op.kind) {
    case 'stream-add':
      encodeAdd(out, op);
      return;
    case 'stream-remove':
      encodeRemove(out, op, indexOf);
      return;
    case 'stream-mark':
      out.raw(op.last);
      out.f64(op.added);
      out.raw(op.deleted);
      dots(out, op.drops, indexOf);
      return;
    case 'stream-group':
      out.text(op.group);
      out.raw(op.last);
      out.f64(op.read);
      dots(out, op.seen, indexOf);
      dots(out, op.gone, indexOf);
      out.u8(op.vector === null ? 0 : 1);
      if (op.vector !== null) vector(out, op.vector, indexOf);
      return;
    case 'stream-ungroup':
      out.text(op.group);
      vector(out, op.vector, indexOf);
      return;
    default:
      encodeDeliver(out, op, indexOf);
  }
}

function encodeAdd(out: ByteWriter, op: StreamAdd): void {
  out.raw(op.id);
  out.f64(op.added);
  if (op.deleted !== STREAM_ID_MIN) out.raw(op.deleted);
  out.u32(op.fields.length / 2);
  for (const text of op.fields) out.text(text);
}

function encodeRemove(out: ByteWriter, op: StreamRemove, indexOf: IndexOf): void {
  removals(out, op.entries, indexOf);
  out.u8((op.range === null ? 0 : FORM_RANGE) | (op.raise === null ? 0 : FORM_RAISE));
  if (op.range !== null) {
    out.raw(op.range.to);
    vector(out, op.range.vector, indexOf);
  }
  if (op.raise !== null) {
    dot(out, op.raise.mark, indexOf);
    out.raw(op.raise.deleted);
  }
}

function encodeDeliver(out: ByteWriter, op: StreamDeliver, indexOf: IndexOf): void {
  const { cursor, consumer, forget } = op;
  out.text(op.group);
  out.u8(
    (cursor === null ? 0 : FORM_CURSOR) |
      (consumer === null ? 0 : FORM_CONSUMER) |
      (forget === null ? 0 : FORM_FORGET),
  );
  if (cursor !== null) {
    out.raw(cursor.last);
    out.f64(cursor.read);
    dots(out, cursor.seen, indexOf);
    out.u16(cursor.left.length);
    for (const one of cursor.left) {
      out.raw(one.id);
      dot(out, one, indexOf);
    }
    dots(out, cursor.drops, indexOf);
  }
  if (consumer !== null) {
    out.text(consumer.name);
    out.f64(consumer.atMs);
    dots(out, consumer.drops, indexOf);
  }
  if (forget !== null) {
    out.text(forget.name);
    dots(out, forget.drops, indexOf);
  }
  out.text(op.owner);
  out.f64(op.atMs);
  out.u32(op.claims.length);
  for (const claim of op.claims) {
    out.raw(claim.id);
    out.f64(claim.count);
    dots(out, claim.drops, indexOf);
  }
  removals(out, op.acks, indexOf);
}

function removals(
  out: ByteWriter,
  items: readonly { readonly id: Bytes; readonly drops: readonly Dot[] }[],
  indexOf: IndexOf,
): void {
  out.u32(items.length);
  for (const { id, drops } of items) {
    out.raw(id);
    dots(out, drops, indexOf);
  }
}

/** Reads the payload of a stream op, TTL included. */
export function decodeStreamOp(read: PayloadReader, kind: number, key: Bytes): StreamOp {
  switch (kind) {
    case OP_KIND['stream-add']:
      return decodeAdd(read, key);
    case OP_KIND['stream-remove']:
      return decodeRemove(read, key);
    case OP_KIND['stream-mark']:
      return decodeMark(read, key);
    case OP_KIND['stream-group']:
      return decodeGroup(read, key);
    case OP_KIND['stream-ungroup']: {
      const group = read.reader.text(KEY_BYTES_MAX);
      return { kind: 'stream-ungroup', key, group, vector: read.vector(), ttl: read.ttl([]) };
    }
    default:
      return decodeDeliver(read, key);
  }
}

export function readId(reader: ByteReader): Bytes {
  return reader.raw(STREAM_ID_BYTES);
}

/** A count or a time: a whole number that is not negative. */
export function readWhole(reader: ByteReader, least = 0): number {
  const value = reader.f64();
  return Number.isInteger(value) && value >= least ? value : reader.fail('no whole number');
}

/** Names and values of an entry, at least one pair. */
export function readFields(reader: ByteReader): Bytes[] {
  const pairs = reader.count(32, 8);
  if (pairs === 0) reader.fail('an entry without fields');
  const fields: Bytes[] = [];
  for (let n = 0; n < pairs && reader.problem === null; n++) {
    fields.push(reader.text(KEY_BYTES_MAX), reader.text(VALUE_BYTES_MAX));
  }
  return fields;
}

function decodeAdd(read: PayloadReader, key: Bytes): StreamAdd {
  const { reader } = read;
  const id = readId(reader);
  const added = readWhole(reader, 1);
  const has = read.has(FLAG_DELETED);
  const deleted = has ? readId(reader) : STREAM_ID_MIN;
  if (has && deleted === STREAM_ID_MIN) reader.fail('an id that is said for nothing');
  const fields = readFields(reader);
  return { kind: 'stream-add', key, id, fields, added, deleted, ttl: read.ttl([]) };
}

function decodeRemove(read: PayloadReader, key: Bytes): StreamRemove {
  const { reader } = read;
  const entries = decodeRemovals(read);
  const form = reader.u8();
  if (form > (FORM_RANGE | FORM_RAISE)) reader.fail('a removal of unknown form');
  const range = (form & FORM_RANGE) === 0 ? null : { to: readId(reader), vector: read.vector() };
  const raise = (form & FORM_RAISE) === 0 ? null : { mark: read.dot(), deleted: readId(reader) };
  return { kind: 'stream-remove', key, entries, range, raise };
}

function decodeMark(read: PayloadReader, key: Bytes): StreamMark {
  const { reader } = read;
  const last = readId(reader);
  const added = readWhole(reader);
  const deleted = readId(reader);
  const drops = read.dots();
  return { kind: 'stream-mark', key, last, added, deleted, drops, ttl: read.ttl([]) };
}

function decodeGroup(read: PayloadReader, key: Bytes): StreamGroup {
  const { reader } = read;
  const group = reader.text(KEY_BYTES_MAX);
  const last = readId(reader);
  const count = readWhole(reader, -1);
  const seen = read.dots();
  const gone = read.dots();
  const form = reader.u8();
  if (form > 1) reader.fail('a group of unknown form');
  const vector = form === 1 ? read.vector() : null;
  return { kind: 'stream-group', key, group, last, read: count, seen, gone, vector };
}

function decodeDeliver(read: PayloadReader, key: Bytes): StreamDeliver {
  const { reader } = read;
  const group = reader.text(KEY_BYTES_MAX);
  const form = reader.u8();
  if (form > (FORM_CURSOR | FORM_CONSUMER | FORM_FORGET)) reader.fail('a delivery of unknown form');
  const cursor = (form & FORM_CURSOR) === 0 ? null : decodeCursor(read);
  const consumer =
    (form & FORM_CONSUMER) === 0
      ? null
      : { name: reader.text(KEY_BYTES_MAX), atMs: readWhole(reader), drops: read.dots() };
  const forget =
    (form & FORM_FORGET) === 0 ? null : { name: reader.text(KEY_BYTES_MAX), drops: read.dots() };
  const owner = reader.text(KEY_BYTES_MAX);
  const atMs = readWhole(reader);
  const count = reader.count(32, STREAM_ID_BYTES + 10);
  const claims = [];
  for (let n = 0; n < count && reader.problem === null; n++) {
    claims.push({ id: readId(reader), count: readWhole(reader), drops: read.dots() });
  }
  const acks = decodeRemovals(read);
  return {
    kind: 'stream-deliver',
    key,
    group,
    cursor,
    consumer,
    forget,
    owner,
    atMs,
    claims,
    acks,
  };
}

function decodeCursor(read: PayloadReader): NonNullable<StreamDeliver['cursor']> {
  const { reader } = read;
  const last = readId(reader);
  const count = readWhole(reader, -1);
  const seen = read.dots();
  const left = [];
  for (let n = reader.count(16, STREAM_ID_BYTES + DOT_BYTES); n > 0; n--) {
    left.push({ id: readId(reader), ...read.dot() });
  }
  return { last, read: count, seen, left, drops: read.dots() };
}

function decodeRemovals(read: PayloadReader): { id: Bytes; drops: Dot[] }[] {
  const { reader } = read;
  const count = reader.count(32, STREAM_ID_BYTES + 2);
  const items = [];
  for (let n = 0; n < count && reader.problem === null; n++) {
    items.push({ id: readId(reader), drops: read.dots() });
  }
  return items;
}
