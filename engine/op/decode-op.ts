/**
 * The inverse of encode-op.ts, for bytes of a peer: everything is checked while it is read, and
 * what is wrong stands in the reader's `problem` (then the op returned means nothing).
 *
 * Beyond form: dictionary indexes exist, sequence numbers are in range, and no op claims to have
 * seen a write of its own writer that comes after it.
 */
import type { Actor, Bytes, Dot } from '../crdt/dot.ts';
import { LIST_K_LIMIT, LIST_N_LIMIT, type ListId } from '../crdt/list-id.ts';
import {
  type FieldDrops,
  type FieldExpiry,
  type FieldFloor,
  type Floor,
  type ListSpan,
  type MemberDrops,
  NO_TTL,
  type Op,
  type Predecessor,
  type Removal,
  type TtlPart,
} from '../crdt/op.ts';
import { DENSE_BYTES, describeBadRegisters } from '../crdt/registers.ts';
import { isScore } from '../crdt/score.ts';
import { advance, emptyVector, type VersionVector } from '../crdt/version-vector.ts';
import type { ByteReader } from './byte-reader.ts';
import { FLAG, FLOOR_PARTS } from './encode-op.ts';
import { LIST_ID_BYTES_MIN, readListId } from './list-encoding.ts';
import { KEY_BYTES_MAX, OP_KIND, VALUE_BYTES_MAX } from './op.ts';
import { decodeStreamOp, FLAG_DELETED } from './stream-ops.ts';

const DOT_BYTES = 8;
const AMOUNT_BYTES_MIN = 4;
const TTL_FLAGS = FLAG.ttlInfinite | FLAG.ttlAt | FLAG.ttlDrops;

/** Flag bits that each kind may have, by kind byte; undefined: no such kind. */
const FLAGS_ALLOWED: readonly (number | undefined)[] = flagsAllowed();

/** Where an op stands in its batch: what its dots are checked against and translated by. */
export type OpContext = {
  /** Dictionary index → actor; index 0 is the writer. */
  readonly actors: ArrayLike<Actor>;
  /** Seq of the op. */
  seq: number;
};

/** What is wrong with a kind byte and its flags, or null. */
export function describeBadKind(kind: number, flags: number): string | null {
  const allowed = FLAGS_ALLOWED[kind];
  if (allowed === undefined) return `unknown op kind ${kind}`;
  if ((flags & ~allowed) !== 0) return `op kind ${kind} with unknown flags ${flags}`;
  const both = FLAG.ttlInfinite | FLAG.ttlAt;
  if ((flags & both) === both) return 'an op with two expiries';
  if (kind !== OP_KIND['string-set'] || (flags & FLAG.ttlSame) === 0) return null;
  if ((flags & FLAG.ttlDrops) !== 0) return 'an op with two lists of TTL writes';
  return (flags & FLAG.drops) !== 0 ? null : 'an op that refers to dots it does not have';
}

/** Reads the payload up to `reader.end` of an op whose kind and flags are good. */
export function decodePayload(
  reader: ByteReader,
  kind: number,
  flags: number,
  key: Bytes,
  context: OpContext,
): Op {
  const read = new PayloadReader(reader, flags, context);
  switch (kind) {
    case OP_KIND['string-set']:
      return stringSet(read, key);
    case OP_KIND['string-add']:
      return { kind: 'string-add', key, ...read.sum(), ttl: read.ttl([]) };
    case OP_KIND['set-add']:
      return { kind: 'set-add', key, members: read.members(), ttl: read.ttl([]) };
    case OP_KIND['set-remove']:
      return { kind: 'set-remove', key, members: read.members(), ttl: read.ttl([]) };
    case OP_KIND['hash-set']: {
      const fields = read.fields(true).map((field) => ({ ...field, value: field.value ?? '' }));
      return { kind: 'hash-set', key, fields, ttl: read.ttl([]) };
    }
    case OP_KIND['hash-add']: {
      const field = reader.text(KEY_BYTES_MAX);
      return { kind: 'hash-add', key, field, ...read.sum(), ttl: read.ttl([]) };
    }
    case OP_KIND['hash-remove']:
      return { kind: 'hash-remove', key, fields: read.fields(false), ttl: read.ttl([]) };
    case OP_KIND['zset-set']: {
      const fields = read.fields(true).map((field) => ({ ...field, value: read.score(field) }));
      return { kind: 'zset-set', key, fields, ttl: read.ttl([]) };
    }
    case OP_KIND['zset-add']: {
      const field = reader.text(KEY_BYTES_MAX);
      return { kind: 'zset-add', key, field, ...read.sum(), ttl: read.ttl([]) };
    }
    case OP_KIND['zset-remove']:
      return { kind: 'zset-remove', key, fields: read.fields(false), ttl: read.ttl([]) };
    case OP_KIND['hash-expire']:
      return { kind: 'hash-expire', key, ...read.fieldExpiries() };
    case OP_KIND['hll-add']:
      return hllAdd(read, key);
    case OP_KIND['list-push']:
      return {
        kind: 'list-push',
        key,
        left: read.has(FLAG.left),
        ...read.pushed(),
        ttl: read.ttl([]),
      };
    case OP_KIND['list-write']: {
      const id = readListId(reader);
      const drops = read.dots();
      const value = reader.text(VALUE_BYTES_MAX);
      return { kind: 'list-write', key, id, value, drops, ttl: read.ttl([]) };
    }
    case OP_KIND['list-remove']:
      return { kind: 'list-remove', key, spans: read.spans(), ttl: read.ttl([]) };
    case OP_KIND['list-trim']:
      return { kind: 'list-trim', key, ...read.range(), ttl: read.ttl([]) };
    case OP_KIND.delete:
      return { kind: 'delete', key, removal: read.removal() };
    case OP_KIND.expire:
      return { kind: 'expire', key, ttl: read.ttl([]) };
    case OP_KIND.flush:
      return { kind: 'flush', vector: read.vector() };
    default:
      return decodeStreamOp(read, kind, key);
  }
}

function stringSet(read: PayloadReader, key: Bytes): Op {
  const drops = read.has(FLAG.drops) ? read.dots() : [];
  const floors = read.has(FLAG.floors) ? read.floors() : [];
  const ttl = read.ttl(drops);
  const clear = read.has(FLAG.clear) ? read.removal() : null;
  const value = read.reader.text(VALUE_BYTES_MAX);
  return { kind: 'string-set', key, value, drops, floors, ttl, clear };
}

function hllAdd(read: PayloadReader, key: Bytes): Op {
  const instance = read.has(FLAG.instance) ? read.dot() : null;
  const drops = read.has(FLAG.drops) ? read.dots() : [];
  const floors = read.has(FLAG.floors) ? read.floors() : [];
  const ttl = read.ttl([]);
  const registers = read.reader.text(DENSE_BYTES);
  const problem = describeBadRegisters(registers);
  if (problem !== null) read.reader.fail(problem);
  return { kind: 'hll-add', key, instance, registers, drops, floors, ttl };
}

export class PayloadReader {
  readonly reader: ByteReader;
  private readonly flags: number;
  private readonly context: OpContext;

  constructor(reader: ByteReader, flags: number, context: OpContext) {
    this.reader = reader;
    this.flags = flags;
    this.context = context;
  }

  has(flag: number): boolean {
    return (this.flags & flag) !== 0;
  }

  dot(): Dot {
    const { reader, context } = this;
    const index = reader.u16();
    const seq = reader.seq();
    if (index >= context.actors.length) reader.fail('an actor that is not in the dictionary');
    else if (index === 0 && seq >= context.seq) reader.fail('an op that saw a later op');
    return { actor: context.actors[index] ?? 0, seq };
  }

  dots(): Dot[] {
    const count = this.reader.count(16, DOT_BYTES);
    const dots: Dot[] = [];
    for (let n = 0; n < count; n++) dots.push(this.dot());
    return dots;
  }

  floors(): Floor[] {
    const count = this.reader.count(16, DOT_BYTES + AMOUNT_BYTES_MIN);
    const floors: Floor[] = [];
    for (let n = 0; n < count; n++) floors.push({ ...this.dot(), cum: this.reader.amount() });
    return floors;
  }

  sum(): { cum: ReturnType<ByteReader['amount']>; pred: Predecessor | null } {
    const cum = this.reader.amount();
    if (!this.has(FLAG.pred)) return { cum, pred: null };
    const seq = this.reader.seq();
    if (seq >= this.context.seq) this.reader.fail('an increment that comes before its predecessor');
    return { cum, pred: { seq, cum: this.reader.amount() } };
  }

  ttl(drops: readonly Dot[]): TtlPart {
    let expiry: number | null = null;
    if (this.has(FLAG.ttlInfinite)) expiry = Number.POSITIVE_INFINITY;
    else if (this.has(FLAG.ttlAt)) {
      expiry = this.reader.f64();
      if (!Number.isInteger(expiry) || expiry < 0) this.reader.fail('an expiry that is no time');
    }
    if (this.has(FLAG.ttlDrops)) return { drops: this.dots(), expiry };
    if (drops.length > 0 && this.has(FLAG.ttlSame)) return { drops: [...drops], expiry };
    return expiry === null ? NO_TTL : { drops: [], expiry };
  }

  members(): MemberDrops[] {
    const count = this.countOfSome();
    const members: MemberDrops[] = [];
    for (let n = 0; n < count && this.reader.problem === null; n++) {
      members.push({ member: this.reader.text(KEY_BYTES_MAX), drops: this.dots() });
    }
    return members;
  }

  fields(withValue: boolean): (FieldDrops & { value?: Bytes })[] {
    const count = this.countOfSome();
    const fields: (FieldDrops & { value?: Bytes })[] = [];
    for (let n = 0; n < count && this.reader.problem === null; n++) {
      const field = this.reader.text(KEY_BYTES_MAX);
      const seen = { field, drops: this.dots(), floors: this.floors() };
      fields.push(withValue ? { ...seen, value: this.reader.text(VALUE_BYTES_MAX) } : seen);
    }
    return fields;
  }

  /** The value of a member. */
  score({ value = '' }: { value?: Bytes }): Bytes {
    if (!isScore(value)) this.reader.fail('a score that is none');
    return value;
  }

  fieldExpiries(): { fields: FieldExpiry[]; expiry: number } {
    const count = this.countOfSome();
    const fields: FieldExpiry[] = [];
    for (let n = 0; n < count && this.reader.problem === null; n++) {
      const field = this.reader.text(KEY_BYTES_MAX);
      const [drops, saw] = [this.dots(), this.dots()];
      if (saw.length === 0) this.reader.fail('a field TTL about nothing');
      fields.push({ field, drops, saw });
    }
    const expiry = this.reader.f64();
    const isTime = expiry === Number.POSITIVE_INFINITY || Number.isInteger(expiry);
    if (!isTime || expiry < 0) this.reader.fail('an expiry that is no time');
    return { fields, expiry };
  }

  pushed(): { n: number; tie: number; values: Bytes[] } {
    const { reader } = this;
    const n = reader.u48() - LIST_N_LIMIT;
    const tie = reader.u48();
    const count = reader.count(32, 4);
    if (count === 0) reader.fail('a push of no values');
    if (count >= LIST_K_LIMIT) reader.fail('a push of too many values');
    const values: Bytes[] = [];
    for (let i = 0; i < count && reader.problem === null; i++) {
      values.push(reader.text(VALUE_BYTES_MAX));
    }
    return { n, tie, values };
  }

  spans(): ListSpan[] {
    const { reader } = this;
    const count = reader.count(32, LIST_ID_BYTES_MIN + 4 + 2);
    if (count === 0) reader.fail('a removal of no elements');
    const spans: ListSpan[] = [];
    for (let i = 0; i < count && reader.problem === null; i++) {
      const id = readListId(reader);
      const length = reader.u32();
      const last = id[id.length - 1] + length;
      if (length === 0 || last > LIST_K_LIMIT) reader.fail('a span of impossible length');
      spans.push({ id, count: length, drops: this.dots() });
    }
    return spans;
  }

  range(): { from: ListId | null; to: ListId | null; vector: VersionVector } {
    const { reader } = this;
    const form = reader.u8();
    if (form > 3) reader.fail('a range of unknown form');
    const from = (form & 1) !== 0 ? readListId(reader) : null;
    const to = (form & 2) !== 0 ? readListId(reader) : null;
    return { from, to, vector: this.vector() };
  }

  vector(): VersionVector {
    const count = this.reader.count(16, DOT_BYTES);
    const vector = emptyVector();
    for (let n = 0; n < count; n++) {
      const { actor, seq } = this.dot();
      advance(vector, actor, seq);
    }
    return vector;
  }

  removal(): Removal {
    const { reader } = this;
    const form = reader.u8();
    if (form > 1) reader.fail('a removal of unknown form');
    const vector = form === 1 ? this.vector() : null;
    const dots = this.dots();
    const count = reader.count(32, 1 + DOT_BYTES + AMOUNT_BYTES_MIN);
    const floors: FieldFloor[] = [];
    for (let n = 0; n < count && reader.problem === null; n++) {
      const part = FLOOR_PARTS[reader.u8()];
      if (part === undefined) reader.fail('a floor of unknown form');
      const field = part === 'cell' ? null : reader.text(KEY_BYTES_MAX);
      floors.push({ part: part ?? 'cell', field, ...this.dot(), cum: reader.amount() });
    }
    return { vector, dots, floors };
  }

  private countOfSome(): number {
    const count = this.reader.count(32, 6);
    return count > 0 ? count : this.reader.fail('an op on no members');
  }
}

function flagsAllowed(): (number | undefined)[] {
  const allowed: (number | undefined)[] = [];
  for (const kind of Object.values(OP_KIND)) allowed[kind] = TTL_FLAGS;
  allowed[OP_KIND['string-set']] = TTL_FLAGS | FLAG.ttlSame | FLAG.drops | FLAG.floors | FLAG.clear;
  allowed[OP_KIND['string-add']] = TTL_FLAGS | FLAG.pred;
  allowed[OP_KIND['hash-add']] = TTL_FLAGS | FLAG.pred;
  allowed[OP_KIND['zset-add']] = TTL_FLAGS | FLAG.pred;
  allowed[OP_KIND['hll-add']] = TTL_FLAGS | FLAG.instance | FLAG.drops | FLAG.floors;
  allowed[OP_KIND['hash-expire']] = 0;
  allowed[OP_KIND['list-push']] = TTL_FLAGS | FLAG.left;
  allowed[OP_KIND.delete] = 0;
  allowed[OP_KIND.flush] = 0;
  allowed[OP_KIND['stream-add']] = TTL_FLAGS | FLAG_DELETED;
  for (const kind of ['stream-remove', 'stream-group', 'stream-deliver'] as const) {
    allowed[OP_KIND[kind]] = 0;
  }
  return allowed;
}
