/**
 * Ops: what is replicated. An op tells what its source did *to what it had seen*: the dots it
 * replaces or removes (`drops`), and for counters how far each actor's sum had come (`floors`).
 * Nothing else is touched at the receiver, so a concurrent write always survives.
 *
 * The op's own dot and hlc are in its envelope; a batch gives consecutive seqs to its ops.
 */
import type { Amount } from './amount.ts';
import type { Actor, Bytes, Dot } from './dot.ts';
import type { ListId } from './list-id.ts';
import type { VersionVector } from './version-vector.ts';

/** The part of an actor's increments that a reset saw: its sum was `cum` after its op `seq`. */
export type Floor = { readonly actor: Actor; readonly seq: number; readonly cum: Amount };

/** What a floor inside a removal of a whole key belongs to: the string, a hash field, a member. */
export type FloorPart = 'cell' | 'hash' | 'zset';

/** A floor inside a removal of a whole key: `field` is null for the string's own cell only. */
export type FieldFloor = Floor & { readonly part: FloorPart; readonly field: Bytes | null };

/** The increment before this one: its seq and the sum at it. */
export type Predecessor = { readonly seq: number; readonly cum: Amount };

/**
 * TTL writes that this op replaces, and its own: ms since the Unix epoch, Infinity for PERSIST
 * and a plain SET, null when the op is no TTL write. The dot of the TTL write is the op's.
 */
export type TtlPart = { readonly drops: readonly Dot[]; readonly expiry: number | null };

/**
 * Everything its source saw: all dots covered by `vector` when it is given, else `dots`
 * (small states). `floors` names every live contribution that was seen, in either form.
 */
export type Removal = {
  readonly vector: VersionVector | null;
  readonly dots: readonly Dot[];
  readonly floors: readonly FieldFloor[];
};

export type MemberDrops = { readonly member: Bytes; readonly drops: readonly Dot[] };

export type FieldDrops = {
  readonly field: Bytes;
  readonly drops: readonly Dot[];
  readonly floors: readonly Floor[];
};

export type FieldWrite = FieldDrops & { readonly value: Bytes };

export type StringSet = {
  readonly kind: 'string-set';
  readonly key: Bytes;
  readonly value: Bytes;
  readonly drops: readonly Dot[];
  readonly floors: readonly Floor[];
  readonly ttl: TtlPart;
  /** What SET saw of the other types, when there was any. */
  readonly clear: Removal | null;
};

export type StringAdd = {
  readonly kind: 'string-add';
  readonly key: Bytes;
  /** The actor's sum including this increment. */
  readonly cum: Amount;
  /** Null: a new contribution, which starts from zero. */
  readonly pred: Predecessor | null;
  readonly ttl: TtlPart;
};

export type SetAdd = {
  readonly kind: 'set-add';
  readonly key: Bytes;
  readonly members: readonly MemberDrops[];
  readonly ttl: TtlPart;
};

export type SetRemove = {
  readonly kind: 'set-remove';
  readonly key: Bytes;
  readonly members: readonly MemberDrops[];
  readonly ttl: TtlPart;
};

export type HashSet = {
  readonly kind: 'hash-set';
  readonly key: Bytes;
  readonly fields: readonly FieldWrite[];
  readonly ttl: TtlPart;
};

export type HashAdd = {
  readonly kind: 'hash-add';
  readonly key: Bytes;
  readonly field: Bytes;
  readonly cum: Amount;
  readonly pred: Predecessor | null;
  readonly ttl: TtlPart;
};

export type HashRemove = {
  readonly kind: 'hash-remove';
  readonly key: Bytes;
  readonly fields: readonly FieldDrops[];
  readonly ttl: TtlPart;
};

/** ZADD; values are scores (score.ts). */
export type ZsetSet = {
  readonly kind: 'zset-set';
  readonly key: Bytes;
  readonly fields: readonly FieldWrite[];
  readonly ttl: TtlPart;
};

/** ZINCRBY. */
export type ZsetAdd = {
  readonly kind: 'zset-add';
  readonly key: Bytes;
  readonly field: Bytes;
  readonly cum: Amount;
  readonly pred: Predecessor | null;
  readonly ttl: TtlPart;
};

export type ZsetRemove = {
  readonly kind: 'zset-remove';
  readonly key: Bytes;
  readonly fields: readonly FieldDrops[];
  readonly ttl: TtlPart;
};

/** XADD. `added` and `deleted` are those of the writer's mark after it (stream.ts). */
export type StreamAdd = {
  readonly kind: 'stream-add';
  readonly key: Bytes;
  readonly id: Bytes;
  /** Names and values in turn. */
  readonly fields: readonly Bytes[];
  readonly added: number;
  readonly deleted: Bytes;
  readonly ttl: TtlPart;
};

/** XDEL and XTRIM: entries by name, or all up to an id that the source had seen. */
export type StreamRemove = {
  readonly kind: 'stream-remove';
  readonly key: Bytes;
  readonly entries: readonly { readonly id: Bytes; readonly drops: readonly Dot[] }[];
  readonly range: { readonly to: Bytes; readonly vector: VersionVector } | null;
  /** XDEL: the greatest id deleted, to be noted in this mark. */
  readonly raise: { readonly mark: Dot; readonly deleted: Bytes } | null;
};

/** XSETID, and an empty stream: the writer's mark, in the place of `drops`. */
export type StreamMark = {
  readonly kind: 'stream-mark';
  readonly key: Bytes;
  readonly last: Bytes;
  readonly added: number;
  readonly deleted: Bytes;
  readonly drops: readonly Dot[];
  readonly ttl: TtlPart;
};

/** XGROUP CREATE: starts behind `last`, as far as `seen` covers it; it has seen the DESTROYs `gone`. */
export type StreamGroup = {
  readonly kind: 'stream-group';
  readonly key: Bytes;
  readonly group: Bytes;
  readonly last: Bytes;
  readonly read: number;
  readonly seen: readonly Dot[];
  readonly gone: readonly Dot[];
  /** What is left of former groups of this name goes, as far as this covers it; null: nothing is. */
  readonly vector: VersionVector | null;
};

/** XGROUP DESTROY. */
export type StreamUngroup = {
  readonly kind: 'stream-ungroup';
  readonly key: Bytes;
  readonly group: Bytes;
  readonly vector: VersionVector;
  readonly ttl: TtlPart;
};

/** How far the writer's region is with a group (stream-group.ts). */
export type StreamDeliver = {
  readonly kind: 'stream-deliver';
  readonly key: Bytes;
  readonly group: Bytes;
  readonly cursor: {
    readonly last: Bytes;
    readonly read: number;
    readonly seen: readonly Dot[];
    readonly left: readonly (Dot & { readonly id: Bytes })[];
    readonly drops: readonly Dot[];
  } | null;
  readonly consumer: {
    readonly name: Bytes;
    readonly atMs: number;
    readonly drops: readonly Dot[];
  } | null;
  readonly forget: { readonly name: Bytes; readonly drops: readonly Dot[] } | null;
  /** Who gets the claims, and since when. */
  readonly owner: Bytes;
  readonly atMs: number;
  readonly claims: readonly {
    readonly id: Bytes;
    readonly drops: readonly Dot[];
    readonly count: number;
  }[];
  readonly acks: readonly { readonly id: Bytes; readonly drops: readonly Dot[] }[];
};

export type FieldExpiry = {
  readonly field: Bytes;
  /** TTL writes of the field that this one replaces. */
  readonly drops: readonly Dot[];
  /** The values and increments of the field that it is about. */
  readonly saw: readonly Dot[];
};

/** HEXPIRE; HPERSIST with `expiry` Infinity. Leaves the key's own TTL alone. */
export type HashExpire = {
  readonly kind: 'hash-expire';
  readonly key: Bytes;
  readonly fields: readonly FieldExpiry[];
  readonly expiry: number;
};

export type HllAdd = {
  readonly kind: 'hll-add';
  readonly key: Bytes;
  /** Null: creates an instance, named by the op's own dot. */
  readonly instance: Dot | null;
  /** What is raised, as registers.ts packs it. */
  readonly registers: Bytes;
  /** What was seen of the string that the registers were read from, when they were. */
  readonly drops: readonly Dot[];
  readonly floors: readonly Floor[];
  readonly ttl: TtlPart;
};

/** RPUSH and LPUSH: one id, from which those of all values follow (list-id.ts). */
export type ListPush = {
  readonly kind: 'list-push';
  readonly key: Bytes;
  readonly left: boolean;
  readonly n: number;
  readonly tie: number;
  readonly values: readonly Bytes[];
  readonly ttl: TtlPart;
};

/** LINSERT, and LSET of what was there: a write of the element with this id. */
export type ListWrite = {
  readonly kind: 'list-write';
  readonly key: Bytes;
  readonly id: ListId;
  readonly value: Bytes;
  readonly drops: readonly Dot[];
  readonly ttl: TtlPart;
};

/** `count` elements whose ids differ in k alone, which grows by one; each loses `drops`. */
export type ListSpan = {
  readonly id: ListId;
  readonly count: number;
  readonly drops: readonly Dot[];
};

export type ListRemove = {
  readonly kind: 'list-remove';
  readonly key: Bytes;
  readonly spans: readonly ListSpan[];
  readonly ttl: TtlPart;
};

/** Removes what `vector` covers of the elements from `from` to `to`, both included (null: the end). */
export type ListTrim = {
  readonly kind: 'list-trim';
  readonly key: Bytes;
  readonly from: ListId | null;
  readonly to: ListId | null;
  readonly vector: VersionVector;
  readonly ttl: TtlPart;
};

export type Delete = { readonly kind: 'delete'; readonly key: Bytes; readonly removal: Removal };

export type Expire = { readonly kind: 'expire'; readonly key: Bytes; readonly ttl: TtlPart };

/** Removes all dots covered by `vector` in every slot; live counters get deletes before it. */
export type Flush = { readonly kind: 'flush'; readonly vector: VersionVector };

/** Ops on one key. */
export type KeyOp =
  | StringSet
  | StringAdd
  | SetAdd
  | SetRemove
  | HashSet
  | HashAdd
  | HashRemove
  | ZsetSet
  | ZsetAdd
  | ZsetRemove
  | StreamAdd
  | StreamRemove
  | StreamMark
  | StreamGroup
  | StreamUngroup
  | StreamDeliver
  | HashExpire
  | HllAdd
  | ListPush
  | ListWrite
  | ListRemove
  | ListTrim
  | Delete
  | Expire;

export type Op = KeyOp | Flush;

/** An op with its stamp and its slot (0 for flush). */
export type Envelope = {
  readonly actor: Actor;
  readonly seq: number;
  readonly hlc: number;
  readonly slot: number;
  readonly op: Op;
};

/** A TTL part that changes nothing. */
export const NO_TTL: TtlPart = Object.freeze({ drops: Object.freeze([]), expiry: null });
