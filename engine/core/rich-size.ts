/**
 * Estimates what a key's state takes on the JS heap. Only rich states are kept there; packed ones
 * are counted exactly by the arena.
 *
 * A set of a million members must not be walked for each SADD, so `touchedBytes` tells what the
 * parts take that an op can change: before and after the op, the difference is what it added.
 */

import type { Cell } from '../crdt/cell.ts';
import type { ElementDot } from '../crdt/element-set.ts';
import type { HashState } from '../crdt/field-map.ts';
import type { HllState } from '../crdt/hyperloglog.ts';
import type { KeyState } from '../crdt/key-state.ts';
import type { Op } from '../crdt/op.ts';
import { PART_NAMES, type PartName, type PartStates } from '../crdt/part.ts';
import { streamBytes } from '../crdt/stream.ts';

// Measured as heap growth under Bun and Node over 10^5 items, rounded up.
const STATE_BYTES = 160;
/** Of a list beside its chunks. */
export const LIST_STATE_BYTES = 200;
const STRING_BYTES = 24;
const MAP_ENTRY_BYTES = 40;
const ARRAY_BYTES = 40;
const DOT_BYTES = 48;
const SIBLING_BYTES = 64;
const CONTRIBUTION_BYTES = 96;
const INSTANCE_BYTES = 240;

/** Bytes of the whole state; walks all of it. */
export function stateBytes(state: KeyState): number {
  let bytes = STATE_BYTES + state.ttl.length * SIBLING_BYTES;
  for (const field of state.fieldTtl?.writes.keys() ?? []) bytes += fieldTtlBytes(state, field);
  for (const name of PART_NAMES) {
    const part = state[name];
    if (part !== null) bytes += (SIZES[name] as (part: unknown) => number)(part);
  }
  return bytes;
}

/** Bytes of a whole part. */
const SIZES: { readonly [N in PartName]: (part: PartStates[N]) => number } = {
  cell: cellBytes,
  set(set) {
    let bytes = 0;
    for (const [member, dots] of set) bytes += memberBytes(member, dots);
    return bytes;
  },
  hash: fieldsBytes,
  zset: fieldsBytes,
  // A list counts its own bytes.
  list: (list) => LIST_STATE_BYTES + list.bytes,
  stream: streamBytes,
  hll: hllBytes,
};

function fieldsBytes(fields: HashState): number {
  let bytes = 0;
  for (const [field, cell] of fields) bytes += fieldBytes(field, cell);
  return bytes;
}

/** Bytes of the parts of the state that the op can change; the whole for ops on all of it. */
export function touchedBytes(state: KeyState | null, op: Op): number {
  if (state === null) return 0;
  let bytes = STATE_BYTES + state.ttl.length * SIBLING_BYTES;
  switch (op.kind) {
    case 'expire':
      return bytes;
    case 'string-add':
      return bytes + (state.cell === null ? 0 : cellBytes(state.cell));
    case 'set-add':
    case 'set-remove':
      for (const { member } of op.members) bytes += memberBytes(member, state.set?.get(member));
      return bytes;
    case 'hll-add':
      if (state.cell !== null) bytes += cellBytes(state.cell);
      return bytes + (state.hll === null ? 0 : hllBytes(state.hll));
    case 'hash-add':
      return bytes + fieldBytes(op.field, state.hash?.get(op.field));
    case 'hash-expire':
      for (const { field } of op.fields) bytes += fieldTtlBytes(state, field);
      return bytes;
    case 'hash-set':
    case 'hash-remove':
      for (const { field } of op.fields) {
        bytes += fieldBytes(field, state.hash?.get(field)) + fieldTtlBytes(state, field);
      }
      return bytes;
    case 'zset-add':
      return bytes + fieldBytes(op.field, state.zset?.get(op.field));
    case 'zset-set':
    case 'zset-remove':
      for (const { field } of op.fields) bytes += fieldBytes(field, state.zset?.get(field));
      return bytes;
    case 'stream-add':
    case 'stream-remove':
    case 'stream-mark':
    case 'stream-group':
    case 'stream-ungroup':
    case 'stream-deliver':
      return bytes + (state.stream === null ? 0 : streamBytes(state.stream));
    case 'list-push':
    case 'list-write':
    case 'list-remove':
    case 'list-trim':
      return bytes + (state.list === null ? 0 : LIST_STATE_BYTES + state.list.bytes);
    case 'string-set':
      if (op.clear === null) return bytes + (state.cell === null ? 0 : cellBytes(state.cell));
      return stateBytes(state);
    default:
      return stateBytes(state);
  }
}

function cellBytes(cell: Cell): number {
  let bytes = 2 * ARRAY_BYTES + cell.contributions.length * CONTRIBUTION_BYTES;
  for (const { value } of cell.siblings) bytes += SIBLING_BYTES + STRING_BYTES + value.length;
  return bytes;
}

function hllBytes({ instances }: HllState): number {
  let bytes = 2 * ARRAY_BYTES;
  for (const { writers, registers } of instances) {
    bytes += INSTANCE_BYTES + writers.length * DOT_BYTES + registers.length;
  }
  return bytes;
}

function fieldTtlBytes({ fieldTtl }: KeyState, field: string): number {
  let bytes = 0;
  for (const { saw } of fieldTtl?.writes.get(field) ?? []) {
    bytes += MAP_ENTRY_BYTES + ARRAY_BYTES + SIBLING_BYTES + saw.length * DOT_BYTES;
  }
  return bytes;
}

function memberBytes(member: string, dots: ElementDot[] | undefined): number {
  if (dots === undefined) return 0;
  return MAP_ENTRY_BYTES + STRING_BYTES + member.length + ARRAY_BYTES + dots.length * DOT_BYTES;
}

function fieldBytes(field: string, cell: Cell | undefined): number {
  if (cell === undefined) return 0;
  return MAP_ENTRY_BYTES + STRING_BYTES + field.length + cellBytes(cell);
}
