/**
 * `applyOp` is what happens at every member, the source included: the op says what its source
 * had seen, and only that is replaced or removed. Ops arrive in an order that respects
 * causality, each once (the member's version vector sees to that); applying the same op twice
 * in a row changes nothing.
 */
import { addToCell, emptyCell, resetCell, setCell } from './cell.ts';
import { type StampedDot, withoutDots } from './dot.ts';
import { addMembers, removeMembers } from './element-set.ts';
import { addToField, type HashState, removeFields, setFields } from './field-map.ts';
import { emptyFieldTtls, expireFields, pruneFieldTtls } from './field-ttl.ts';
import { addToHll } from './hyperloglog.ts';
import { emptyKeyState, type KeyState, normalise, type PartName } from './key-state.ts';
import { applyListOp } from './list-part.ts';
import type { Envelope, KeyOp, Removal } from './op.ts';
import { PART_NAMES, partNamed } from './part.ts';
import { applyStreamOp, newStream, type StreamOp } from './stream.ts';
import { applyTtl } from './ttl.ts';
import { covers, type VersionVector } from './version-vector.ts';

/**
 * The key's state after the op: changes `state` and returns it, or null when nothing is left.
 * `envelope.op` must be an op on this key, or a flush.
 */
export function applyOp(state: KeyState | null, envelope: Envelope): KeyState | null {
  const { op } = envelope;
  if (op.kind === 'flush') return applyFlush(state, op.vector);
  const next = state ?? emptyKeyState();
  applyToParts(next, op, envelope);
  pruneFieldTtlsAfter(next, op);
  return normalise(next);
}

/** The key's state after a flush: everything that `vector` covers goes, increments excepted. */
export function applyFlush(state: KeyState | null, vector: VersionVector): KeyState | null {
  if (state === null) return null;
  removeSeen(state, { vector, dots: [], floors: [] });
  pruneFieldTtlsAfter(state, null);
  return normalise(state);
}

function applyToParts(state: KeyState, op: KeyOp, stamp: StampedDot): void {
  switch (op.kind) {
    case 'string-set':
      if (op.clear !== null) removeParts(state, op.clear, 'cell');
      state.cell ??= emptyCell();
      setCell(state.cell, stamp, op.value, op.drops, op.floors);
      break;
    case 'string-add':
      state.cell ??= emptyCell();
      addToCell(state.cell, stamp, op.cum, op.pred);
      break;
    case 'set-add':
      state.set ??= new Map();
      addMembers(state.set, stamp, op.members);
      break;
    case 'set-remove':
      if (state.set !== null) removeMembers(state.set, op.members);
      break;
    case 'hash-set':
    case 'hash-add':
    case 'hash-remove':
      state.hash = applyFields(state.hash, op, stamp);
      break;
    case 'zset-set':
    case 'zset-add':
    case 'zset-remove':
      state.zset = applyFields(state.zset, op, stamp);
      break;
    case 'stream-add':
    case 'stream-mark':
    case 'stream-remove':
    case 'stream-group':
    case 'stream-ungroup':
    case 'stream-deliver':
      applyStream(state, op, stamp);
      if (!('ttl' in op)) return;
      break;
    case 'hll-add':
      if (state.cell !== null) resetCell(state.cell, op.drops, op.floors);
      state.hll ??= { instances: [] };
      addToHll(state.hll, stamp, op.instance, op.registers);
      break;
    case 'hash-expire':
      state.fieldTtl ??= emptyFieldTtls();
      expireFields(state.fieldTtl, state.hash, stamp, op.fields, op.expiry);
      return;
    case 'list-push':
    case 'list-write':
    case 'list-remove':
    case 'list-trim':
      state.list = applyListOp(state.list, stamp, op);
      break;
    case 'delete':
      removeSeen(state, op.removal);
      return;
    case 'expire':
      break;
    default:
      unreachable(op);
  }
  state.ttl = applyTtl(state.ttl, op.ttl, stamp);
}

type FieldsOp = Extract<KeyOp, { kind: `${'hash' | 'zset'}-${'set' | 'add' | 'remove'}` }>;

/** Fields of a hash and members of a sorted set: maps of cells, which `fields` is, or null. */
function applyFields(fields: HashState | null, op: FieldsOp, stamp: StampedDot): HashState | null {
  if (op.kind === 'hash-remove' || op.kind === 'zset-remove') {
    if (fields !== null) removeFields(fields, op.fields);
    return fields;
  }
  const written: HashState = fields ?? new Map();
  if (op.kind === 'hash-set' || op.kind === 'zset-set') setFields(written, stamp, op.fields);
  else addToField(written, stamp, op);
  return written;
}

/** Drops the TTLs of fields whose data the op (null: a flush) has removed. */
function pruneFieldTtlsAfter({ fieldTtl, hash }: KeyState, op: KeyOp | null): void {
  if (fieldTtl === null) return;
  switch (op?.kind) {
    case 'hash-set':
    case 'hash-remove':
      // A value that no TTL write has seen makes a field infinite, and leaves the list as it is.
      fieldTtl.changes++;
      pruneFieldTtls(
        fieldTtl,
        hash,
        op.fields.map(({ field }) => field),
      );
      return;
    case undefined:
    case 'delete':
    case 'string-set':
      fieldTtl.changes++;
      pruneFieldTtls(fieldTtl, hash, null);
      return;
    default:
  }
}

function applyStream(state: KeyState, op: StreamOp, stamp: StampedDot): void {
  if (op.kind === 'stream-remove' && state.stream === null) return;
  state.stream ??= newStream();
  applyStreamOp(state.stream, stamp, op);
}

/** Removes all that the source saw, of every type, and the TTL writes it saw. */
function removeSeen(state: KeyState, removal: Removal): void {
  removeParts(state, removal, null);
  const { vector, dots } = removal;
  state.ttl =
    vector === null
      ? withoutDots(state.ttl, dots)
      : state.ttl.filter(({ actor, seq }) => !covers(vector, actor, seq));
}

/** Removes what the source saw of every part but the one named `except`. */
function removeParts(state: KeyState, removal: Removal, except: PartName | null): void {
  for (const name of PART_NAMES) {
    const part = state[name];
    if (part !== null && name !== except) partNamed(name).removeSeen(part, removal);
  }
}

function unreachable(op: never): never {
  throw new Error(`unknown op ${JSON.stringify(op)}`);
}
