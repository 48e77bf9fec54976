/**
 * A key's state as a packed entry and back. `unpack(pack(state))` equals the state in every field;
 * a state that has no packed form becomes a rich entry, which holds it as it is.
 *
 * Packed are strings as they nearly always are: no other type, at most one sibling, up to eight
 * contributions of safe integers, and a TTL of one of the kinds of entry.ts. Small sets and hashes have
 * a packed form of their own (packed-collection.ts), larger ones are tables (table-collection.ts).
 * Everything else comes from conflicts between regions about a key as a whole.
 */

import type { Cell } from '../crdt/cell.ts';
import { emptyKeyState, holdsOtherThan, isDead, type KeyState } from '../crdt/key-state.ts';
import type { TtlWrite } from '../crdt/ttl.ts';
import { CHUNK_SHIFT, UNIT_MASK } from './arena.ts';
import { isFlatCell, readContributions, writeContributions } from './contributions.ts';
import {
  collectionKind,
  contributionUnit,
  dotActor,
  dotSeq,
  expiryOf,
  HEADER_UNITS,
  isTableKind,
  LAYOUT_COUNT_SHIFT,
  LAYOUT_SIBLING,
  LAYOUT_VALUE_OUTSIDE,
  META_RICH,
  metaOf,
  OUTSIDE_BYTES,
  siblingUnit,
  TTL_KIND_MASK,
  TTL_NONE,
  TTL_OWN_FINITE,
  TTL_OWN_INFINITE,
  TTL_SEPARATE,
  ttlDotUnit,
  writeDot,
} from './entry.ts';
import type { KeyPlace } from './key-place.ts';
import { copyBytes, type Keyspace, valueLiesOutside } from './keyspace.ts';
import { unpackBlock } from './packed-collection.ts';
import { unpackTable } from './table-collection.ts';

const NONE = -1;
const EMPTY = Buffer.alloc(0);

/** The state of an entry: a copy for a packed one or a block, the state itself for a rich one. */
export function loadState(keyspace: Keyspace, ref: number): KeyState {
  const meta = metaOf(keyspace.arena, ref);
  if ((meta & META_RICH) !== 0) {
    const kind = collectionKind(meta);
    if (kind === 0) return keyspace.rich.get(keyspace.richIndex(ref)).state;
    if (isTableKind(kind)) return unpackTable(keyspace, ref);
    const state = unpackBlock(keyspace, ref);
    state.ttl = unpackTtl(keyspace, ref, meta);
    return state;
  }
  const count = (meta & 0xff) >>> LAYOUT_COUNT_SHIFT;
  const unit = contributionUnit(ref, meta);
  const contributions = readContributions(keyspace.arena, ref, unit, count);
  const cell: Cell = { siblings: [], contributions };
  const words = keyspace.arena.u32[ref >>> CHUNK_SHIFT];
  const floats = keyspace.arena.f64[ref >>> CHUNK_SHIFT];
  if ((meta & LAYOUT_SIBLING) !== 0) {
    const at = siblingUnit(ref, meta);
    keyspace.locateValue(ref);
    const value = keyspace.bytes.latin1Slice(keyspace.start, keyspace.end);
    const actor = dotActor(words, at << 1);
    cell.siblings.push({ actor, seq: dotSeq(words, at << 1), hlc: floats[at + 1], value });
  }
  return { ...emptyKeyState(), cell, ttl: unpackTtl(keyspace, ref, meta) };
}

/**
 * Stores a state that was changed and notes the key's entry in `place` (0: `state` is null, the
 * key is gone). `richBytes` estimates a state that is rich, `dueMs` says when it is due.
 */
export function storeState(
  keyspace: Keyspace,
  place: KeyPlace,
  state: KeyState | null,
  richBytes: number,
  dueMs: number,
): void {
  if (state === null) {
    if (place.ref !== 0) keyspace.remove(place.hash, place.ref);
    place.ref = 0;
    return;
  }
  const layout = packedLayout(state);
  if (layout === NONE) storeRich(keyspace, place, state, richBytes, dueMs);
  else pack(keyspace, place, state, layout);
}

/** Layout byte of the state's packed form, or -1 when it has none. */
export function packedLayout(state: KeyState): number {
  const { cell, ttl } = state;
  if (cell === null || holdsOtherThan(state, 'cell')) return NONE;
  if (ttl.length > 1 || !isFlatCell(cell)) return NONE;
  const sibling = cell.siblings.length === 1 ? LAYOUT_SIBLING : 0;
  return ttlKind(state) | sibling | (cell.contributions.length << LAYOUT_COUNT_SHIFT);
}

function ttlKind(state: KeyState): number {
  if (state.ttl.length === 0) return TTL_NONE;
  const write = state.ttl[0];
  const sibling = state.cell?.siblings[0];
  const own =
    sibling !== undefined &&
    sibling.actor === write.actor &&
    sibling.seq === write.seq &&
    sibling.hlc === write.hlc;
  if (!own) return TTL_SEPARATE;
  return write.expiry === Number.POSITIVE_INFINITY ? TTL_OWN_INFINITE : TTL_OWN_FINITE;
}

function pack(keyspace: Keyspace, place: KeyPlace, state: KeyState, layout: number): void {
  const cell = state.cell as Cell;
  const value = cell.siblings.length === 0 ? EMPTY : Buffer.from(cell.siblings[0].value, 'latin1');
  const outside = valueLiesOutside(layout, place.end - place.start, value.length);
  if (outside) layout |= LAYOUT_VALUE_OUTSIDE;
  const stored = outside ? OUTSIDE_BYTES : value.length;
  const entry = keyspace.shape(place, layout, 0, stored);
  const words = keyspace.arena.u32[entry >>> CHUNK_SHIFT];
  const floats = keyspace.arena.f64[entry >>> CHUNK_SHIFT];
  if ((layout & TTL_KIND_MASK) >= TTL_OWN_FINITE) {
    const ttl = state.ttl[0];
    floats[(entry & UNIT_MASK) + HEADER_UNITS] = ttl.expiry;
    if ((layout & TTL_KIND_MASK) === TTL_SEPARATE) {
      const unit = ttlDotUnit(entry);
      writeDot(words, unit << 1, ttl.actor, ttl.seq);
      floats[unit + 1] = ttl.hlc;
    }
  }
  if (cell.siblings.length === 1) {
    const { actor, seq, hlc } = cell.siblings[0];
    const unit = siblingUnit(entry, layout);
    writeDot(words, unit << 1, actor, seq);
    floats[unit + 1] = hlc;
    if (outside) keyspace.writeIndex(entry, keyspace.keepOutside(value, 0, value.length));
    else {
      keyspace.locateValue(entry);
      copyBytes(value, 0, value.length, keyspace.bytes, keyspace.start);
    }
  }
  const { contributions } = cell;
  writeContributions(keyspace.arena, entry, contributionUnit(entry, layout), contributions);
  keyspace.arm(entry);
}

function storeRich(
  keyspace: Keyspace,
  place: KeyPlace,
  state: KeyState,
  richBytes: number,
  dueMs: number,
): void {
  const ref = place.ref;
  const layout = dueMs === Number.POSITIVE_INFINITY ? TTL_NONE : TTL_OWN_FINITE;
  const dead = isDead(state);
  if (ref !== 0 && keyspace.isRich(ref) && (metaOf(keyspace.arena, ref) & 0xff) === layout) {
    // The common case, a change inside a set or hash: nothing moves.
    const index = keyspace.richIndex(ref);
    const held = keyspace.rich.get(index);
    keyspace.deadCount += Number(dead) - Number(held.dead);
    held.state = state;
    held.dead = dead;
    keyspace.rich.set(index, held, richBytes);
    if (layout === TTL_NONE || expiryOf(keyspace.arena, ref) === dueMs) return;
    keyspace.disarm(ref);
    keyspace.arena.f64[ref >>> CHUNK_SHIFT][(ref & UNIT_MASK) + HEADER_UNITS] = dueMs;
    keyspace.arm(ref);
    return;
  }
  const entry = keyspace.shape(place, layout, META_RICH, OUTSIDE_BYTES);
  keyspace.writeIndex(entry, keyspace.rich.add({ state, dead }, richBytes));
  if (dead) keyspace.deadCount++;
  if (layout === TTL_OWN_FINITE) {
    keyspace.arena.f64[entry >>> CHUNK_SHIFT][(entry & UNIT_MASK) + HEADER_UNITS] = dueMs;
    keyspace.arm(entry);
  }
}

function unpackTtl(keyspace: Keyspace, ref: number, meta: number): TtlWrite[] {
  const kind = meta & TTL_KIND_MASK;
  if (kind === TTL_NONE) return [];
  const unit = kind === TTL_SEPARATE ? ttlDotUnit(ref) : siblingUnit(ref, meta);
  const words = keyspace.arena.u32[ref >>> CHUNK_SHIFT];
  const actor = dotActor(words, unit << 1);
  const seq = dotSeq(words, unit << 1);
  const hlc = keyspace.arena.f64[ref >>> CHUNK_SHIFT][unit + 1];
  return [{ actor, seq, hlc, expiry: expiryOf(keyspace.arena, ref) }];
}
