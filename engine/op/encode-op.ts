/**
 * The payload of each op kind, after the fixed head that batch-writer.ts draws. Lists are
 * `u16 n | n items` unless said otherwise; dots, amounts and texts as in byte-writer.ts.
 *
 *     TTL     [f64 expiry if TTL_AT] | [dots dropped if TTL_DROPS]
 *     floor   dot | amount
 *     vector  n × dot
 *     removal u8 (1: with a vector) | [vector] | dots
 *             | u32 n × (u8 (0 the string, 1 a hash field, 2 a sorted set's member) | [name] | floor)
 *
 *     string-set   [dots if DROPS] | [floors if FLOORS] | TTL | [removal if CLEAR] | value
 *     string-add   amount cum | [u48 seq, amount cum of the predecessor if PRED] | TTL
 *     set-add      u32 n × (member | dots) | TTL           set-remove the same
 *     hash-set     u32 n × (field | dots | floors | value) | TTL
 *     hash-add     field | amount cum | [predecessor if PRED] | TTL
 *     hash-remove  u32 n × (field | dots | floors) | TTL
 *     zset-set     as hash-set; values are 8 bytes: scores (crdt/score.ts)
 *     zset-add     as hash-add                             zset-remove as hash-remove
 *     hash-expire  u32 n × (field | dots of TTL writes | dots of data) | f64 expiry
 *     hll-add      [dot of the instance if INSTANCE] | [dots if DROPS] | [floors if FLOORS] | TTL | registers
 *     list-push    u48 n + 2^47 | u48 tie | u32 n × value | TTL          to the left if LEFT
 *     list-write   id | dots | value | TTL
 *     list-remove  u32 n × (id | u32 count | dots) | TTL
 *     list-trim    u8 (1: from, 2: to) | [id] | [id] | vector | TTL
 *     delete       removal
 *     expire       TTL
 *     flush        vector
 *     stream-…     stream-ops.ts
 *
 * Flags: TTL_SAME says that the TTL writes dropped are exactly the dots dropped, which is how
 * every plain SET over a plain SET looks.
 */
import type { Actor, Dot } from '../crdt/dot.ts';
import { LIST_N_LIMIT } from '../crdt/list-id.ts';
import type {
  FieldDrops,
  Floor,
  FloorPart,
  HashExpire,
  ListPush,
  ListRemove,
  ListSpan,
  ListTrim,
  ListWrite,
  MemberDrops,
  Op,
  Predecessor,
  Removal,
  TtlPart,
} from '../crdt/op.ts';
import { STREAM_ID_MIN } from '../crdt/stream-id.ts';
import type { VersionVector } from '../crdt/version-vector.ts';
import type { ByteWriter } from './byte-writer.ts';
import { writeListId } from './list-encoding.ts';
import { encodeStreamOp, FLAG_DELETED, isStreamOp } from './stream-ops.ts';

export const FLAG = {
  ttlInfinite: 0x01,
  ttlAt: 0x02,
  ttlDrops: 0x04,
  ttlSame: 0x08,
  /** string-add, hash-add, zset-add. */
  pred: 0x10,
  /** string-set. */
  drops: 0x10,
  floors: 0x20,
  clear: 0x40,
  /** hll-add; `drops` and `floors` as for string-set. */
  instance: 0x40,
  /** list-push. */
  left: 0x10,
} as const;

/** What the byte before a floor of a removal says. */
export const FLOOR_PARTS: readonly FloorPart[] = ['cell', 'hash', 'zset'];

/** Gives an actor its index in the dictionary of the batch. */
export type IndexOf = (actor: Actor) => number;

/** The flags byte of an op. */
export function opFlags(op: Op): number {
  switch (op.kind) {
    case 'delete':
    case 'flush':
    case 'hash-expire':
      return 0;
    case 'string-set':
      return (
        (op.drops.length > 0 ? FLAG.drops : 0) |
        (op.floors.length > 0 ? FLAG.floors : 0) |
        (op.clear !== null ? FLAG.clear : 0) |
        ttlFlags(op.ttl, op.drops)
      );
    case 'hll-add':
      return (
        (op.instance !== null ? FLAG.instance : 0) |
        (op.drops.length > 0 ? FLAG.drops : 0) |
        (op.floors.length > 0 ? FLAG.floors : 0) |
        ttlFlags(op.ttl, null)
      );
    case 'string-add':
    case 'hash-add':
    case 'zset-add':
      return (op.pred !== null ? FLAG.pred : 0) | ttlFlags(op.ttl, null);
    case 'stream-add':
      return (op.deleted !== STREAM_ID_MIN ? FLAG_DELETED : 0) | ttlFlags(op.ttl, null);
    case 'list-push':
      return (op.left ? FLAG.left : 0) | ttlFlags(op.ttl, null);
    default:
      return 'ttl' in op ? ttlFlags(op.ttl, null) : 0;
  }
}

/** Writes the payload; `flags` are those of `opFlags(op)`. */
export function encodePayload(out: ByteWriter, op: Op, flags: number, indexOf: IndexOf): void {
  switch (op.kind) {
    case 'string-set':
      if (op.drops.length > 0) dots(out, op.drops, indexOf);
      if (op.floors.length > 0) floors(out, op.floors, indexOf);
      ttl(out, op.ttl, flags, indexOf);
      if (op.clear !== null) removal(out, op.clear, indexOf);
      out.text(op.value);
      return;
    case 'string-add':
      out.amount(op.cum);
      predecessor(out, op.pred);
      break;
    case 'set-add':
    case 'set-remove':
      members(out, op.members, indexOf);
      break;
    case 'hash-set':
    case 'zset-set':
      out.u32(op.fields.length);
      for (const field of op.fields) {
        fieldDrops(out, field, indexOf);
        out.text(field.value);
      }
      break;
    case 'hash-add':
    case 'zset-add':
      out.text(op.field);
      out.amount(op.cum);
      predecessor(out, op.pred);
      break;
    case 'hash-remove':
    case 'zset-remove':
      out.u32(op.fields.length);
      for (const field of op.fields) fieldDrops(out, field, indexOf);
      break;
    case 'hash-expire':
      fieldExpiries(out, op, indexOf);
      return;
    case 'hll-add':
      if (op.instance !== null) dot(out, op.instance, indexOf);
      if (op.drops.length > 0) dots(out, op.drops, indexOf);
      if (op.floors.length > 0) floors(out, op.floors, indexOf);
      ttl(out, op.ttl, flags, indexOf);
      out.text(op.registers);
      return;
    case 'list-push':
    case 'list-write':
    case 'list-remove':
    case 'list-trim':
      listOp(out, op, indexOf);
      break;
    case 'delete':
      removal(out, op.removal, indexOf);
      return;
    case 'flush':
      vector(out, op.vector, indexOf);
      return;
    case 'expire':
      break;
    default:
      if (!isStreamOp(op)) throw new Error(`unknown op ${(op as Op).kind}`);
      encodeStreamOp(out, op, indexOf);
      if (!('ttl' in op)) return;
  }
  ttl(out, op.ttl, flags, indexOf);
}

function fieldExpiries(out: ByteWriter, op: HashExpire, indexOf: IndexOf): void {
  out.u32(op.fields.length);
  for (const { field, drops, saw } of op.fields) {
    out.text(field);
    dots(out, drops, indexOf);
    dots(out, saw, indexOf);
  }
  out.f64(op.expiry);
}

function ttlFlags(part: TtlPart, drops: readonly Dot[] | null): number {
  let flags = 0;
  if (part.expiry === Number.POSITIVE_INFINITY) flags |= FLAG.ttlInfinite;
  else if (part.expiry !== null) flags |= FLAG.ttlAt;
  if (part.drops.length === 0) return flags;
  return flags | (drops !== null && sameDots(part.drops, drops) ? FLAG.ttlSame : FLAG.ttlDrops);
}

function sameDots(a: readonly Dot[], b: readonly Dot[]): boolean {
  return (
    a.length === b.length &&
    a.every((dot, index) => dot.seq === b[index].seq && dot.actor === b[index].actor)
  );
}

function ttl(out: ByteWriter, part: TtlPart, flags: number, indexOf: IndexOf): void {
  if ((flags & FLAG.ttlAt) !== 0) out.f64(part.expiry as number);
  if ((flags & FLAG.ttlDrops) !== 0) dots(out, part.drops, indexOf);
}

export function dot(out: ByteWriter, { actor, seq }: Dot, indexOf: IndexOf): void {
  out.u16(indexOf(actor));
  out.u48(seq);
}

export function dots(out: ByteWriter, list: readonly Dot[], indexOf: IndexOf): void {
  out.u16(list.length);
  for (const item of list) dot(out, item, indexOf);
}

function floors(out: ByteWriter, list: readonly Floor[], indexOf: IndexOf): void {
  out.u16(list.length);
  for (const floor of list) {
    dot(out, floor, indexOf);
    out.amount(floor.cum);
  }
}

function predecessor(out: ByteWriter, pred: Predecessor | null): void {
  if (pred === null) return;
  out.u48(pred.seq);
  out.amount(pred.cum);
}

function members(out: ByteWriter, list: readonly MemberDrops[], indexOf: IndexOf): void {
  out.u32(list.length);
  for (const { member, drops } of list) {
    out.text(member);
    dots(out, drops, indexOf);
  }
}

function listOp(
  out: ByteWriter,
  op: ListPush | ListWrite | ListRemove | ListTrim,
  indexOf: IndexOf,
): void {
  switch (op.kind) {
    case 'list-push':
      out.u48(op.n + LIST_N_LIMIT);
      out.u48(op.tie);
      out.u32(op.values.length);
      for (const value of op.values) out.text(value);
      return;
    case 'list-write':
      writeListId(out, op.id);
      dots(out, op.drops, indexOf);
      out.text(op.value);
      return;
    case 'list-remove':
      spans(out, op.spans, indexOf);
      return;
    default:
      out.u8((op.from === null ? 0 : 1) | (op.to === null ? 0 : 2));
      if (op.from !== null) writeListId(out, op.from);
      if (op.to !== null) writeListId(out, op.to);
      vector(out, op.vector, indexOf);
  }
}

function spans(out: ByteWriter, list: readonly ListSpan[], indexOf: IndexOf): void {
  out.u32(list.length);
  for (const { id, count, drops } of list) {
    writeListId(out, id);
    out.u32(count);
    dots(out, drops, indexOf);
  }
}

function fieldDrops(out: ByteWriter, field: FieldDrops, indexOf: IndexOf): void {
  out.text(field.field);
  dots(out, field.drops, indexOf);
  floors(out, field.floors, indexOf);
}

export function vector(out: ByteWriter, entries: VersionVector, indexOf: IndexOf): void {
  const countAt = out.length;
  let count = 0;
  out.u16(0);
  for (let actor = 0; actor < entries.length; actor++) {
    if (entries[actor] === 0) continue;
    dot(out, { actor, seq: entries[actor] }, indexOf);
    count++;
  }
  out.view.setUint16(countAt, count, true);
}

function removal(out: ByteWriter, seen: Removal, indexOf: IndexOf): void {
  out.u8(seen.vector === null ? 0 : 1);
  if (seen.vector !== null) vector(out, seen.vector, indexOf);
  dots(out, seen.dots, indexOf);
  out.u32(seen.floors.length);
  for (const floor of seen.floors) {
    out.u8(FLOOR_PARTS.indexOf(floor.part));
    if (floor.field !== null) out.text(floor.field);
    dot(out, floor, indexOf);
    out.amount(floor.cum);
  }
}
