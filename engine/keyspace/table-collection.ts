/**
 * A set or hash as a table in the arena, and back: `unpackTable(storeTable(state))` equals the state
 * in every field. The order of elements is that of their hashes.
 */

import { emptyKeyState, type KeyState } from '../crdt/key-state.ts';
import type { Roster } from '../crdt/roster.ts';
import { type TtlWrite, winningTtlWrite } from '../crdt/ttl.ts';
import { nameText, readCell, readDots, writeCell, writeDots } from './element-cell.ts';
import type { ElementTables } from './element-table.ts';
import { ElementWalk } from './element-walk.ts';
import {
  BLOCK_HASH,
  blockKind,
  META_RICH,
  metaOf,
  OUTSIDE_BYTES,
  TABLE_HASH,
  TABLE_SET,
  TTL_KIND_MASK,
  TTL_NONE,
  TTL_SEPARATE,
  tableKind,
} from './entry.ts';
import type { KeyPlace } from './key-place.ts';
import type { Keyspace } from './keyspace.ts';
import { BlockView } from './packed-block.ts';
import { blockTtl, openBlock, writeTtl } from './packed-collection.ts';

const view = new BlockView();

/** The table of an entry that has one. */
export function tableOf(keyspace: Keyspace, ref: number): number {
  return keyspace.richIndex(ref);
}

/** Opens a walk over the table of an entry. */
export function walkTable(keyspace: Keyspace, ref: number): ElementWalk {
  const { tables } = keyspace;
  const walk = new ElementWalk(tables.arena);
  walk.open(tables.rootOf(tableOf(keyspace, ref)));
  return walk;
}

/** The state of a table entry. */
export function unpackTable(keyspace: Keyspace, ref: number): KeyState {
  const state = emptyKeyState();
  state.ttl = tableTtls(keyspace, ref);
  const { tables } = keyspace;
  const walk = walkTable(keyspace, ref);
  if (tableKind(metaOf(keyspace.arena, ref)) === TABLE_HASH) {
    state.hash = new Map();
    for (let element = walk.next(); element !== 0; element = walk.next()) {
      state.hash.set(nameText(tables, element), readCell(tables, element));
    }
  } else {
    state.set = new Map();
    for (let element = walk.next(); element !== 0; element = walk.next()) {
      state.set.set(nameText(tables, element), readDots(tables, element));
    }
  }
  return state;
}

/** All TTL writes of a table entry. */
export function tableTtls(keyspace: Keyspace, ref: number): TtlWrite[] {
  const held = blockTtl(keyspace, ref);
  if (held === null) return [];
  return [held, ...(keyspace.tables.otherTtls.get(tableOf(keyspace, ref)) ?? [])];
}

/**
 * Stores the state at `place` as a table entry. False: it has no such form, and nothing was done: it is
 * not exactly one set or hash.
 */
export function storeTable(
  keyspace: Keyspace,
  place: KeyPlace,
  state: KeyState,
  roster: Roster,
): boolean {
  const { set, hash, ttl } = state;
  // Exactly one part, of whatever types there are.
  let parts = 0;
  for (const part of Object.values(state)) if (part !== null && part !== ttl) parts++;
  if (parts !== 1 || (set === null && hash === null)) return false;
  const table = fill(keyspace.tables, state);
  const kind = set !== null ? TABLE_SET : TABLE_HASH;
  const layout = kind | (ttl.length === 0 ? TTL_NONE : TTL_SEPARATE);
  const ref = keyspace.shape(place, layout, META_RICH, OUTSIDE_BYTES);
  keyspace.writeIndex(ref, table);
  const winner = winningTtlWrite(ttl, roster);
  if (winner !== null) writeTtl(keyspace, ref, winner);
  keepOthers(keyspace, table, ttl, winner);
  return true;
}

/** Makes the block entry at `place` a table of the same elements, without the state between them. */
export function spreadBlock(keyspace: Keyspace, place: KeyPlace): void {
  const { tables } = keyspace;
  const isHash = blockKind(metaOf(keyspace.arena, place.ref)) === BLOCK_HASH;
  const ttl = blockTtl(keyspace, place.ref);
  openBlock(keyspace, place.ref, view);
  const { bytes } = view;
  const table = tables.create();
  while (view.next()) {
    const { nameStart, nameEnd, actor, seq, hlc } = view;
    const valueStart = isHash ? view.valueStart : 0;
    const valueEnd = isHash ? view.valueEnd : 0;
    // The table notes the name's hash.
    tables.find(table, bytes, nameStart, nameEnd);
    tables.write(table, 0, bytes, nameStart, nameEnd, bytes, valueStart, valueEnd, actor, seq, hlc);
  }
  const layout = (isHash ? TABLE_HASH : TABLE_SET) | (ttl === null ? TTL_NONE : TTL_SEPARATE);
  const ref = keyspace.shape(place, layout, META_RICH, OUTSIDE_BYTES);
  keyspace.writeIndex(ref, table);
  if (ttl !== null) writeTtl(keyspace, ref, ttl);
}

/** Puts an empty table at `place`, which has no entry, and returns it. */
export function createTable(
  keyspace: Keyspace,
  place: KeyPlace,
  kind: typeof TABLE_SET | typeof TABLE_HASH,
): number {
  const table = keyspace.tables.create();
  const ref = keyspace.shape(place, kind, META_RICH, OUTSIDE_BYTES);
  keyspace.writeIndex(ref, table);
  return table;
}

/** Gives a table entry these TTL writes. */
export function setTableTtls(
  keyspace: Keyspace,
  place: KeyPlace,
  writes: readonly TtlWrite[],
  roster: Roster,
): void {
  const held = blockTtl(keyspace, place.ref);
  const winner = winningTtlWrite(writes, roster);
  const table = tableOf(keyspace, place.ref);
  keepOthers(keyspace, table, writes, winner);
  if (held === null && winner === null) return;
  if (held !== null && winner !== null) {
    keyspace.disarm(place.ref);
    writeTtl(keyspace, place.ref, winner);
    return;
  }
  const meta = metaOf(keyspace.arena, place.ref);
  // So that the old entry does not take the table along.
  keyspace.writeIndex(place.ref, 0);
  const layout = (meta & 0xff & ~TTL_KIND_MASK) | (winner === null ? TTL_NONE : TTL_SEPARATE);
  const ref = keyspace.shape(place, layout, META_RICH, OUTSIDE_BYTES);
  keyspace.writeIndex(ref, table);
  if (winner !== null) writeTtl(keyspace, ref, winner);
}

function keepOthers(
  { tables }: Keyspace,
  table: number,
  writes: readonly TtlWrite[],
  winner: TtlWrite | null,
): void {
  if (writes.length < 2) tables.otherTtls.delete(table);
  else
    tables.otherTtls.set(
      table,
      writes.filter((write) => write !== winner),
    );
}

function fill(tables: ElementTables, { set, hash }: KeyState): number {
  const table = tables.create();
  for (const [member, dots] of set ?? []) {
    const name = bytesOf(member);
    tables.find(table, name.buf, 0, name.end);
    writeDots(tables, table, 0, name, dots);
  }
  for (const [field, cell] of hash ?? []) {
    const name = bytesOf(field);
    tables.find(table, name.buf, 0, name.end);
    writeCell(tables, table, 0, name, cell);
  }
  return table;
}

function bytesOf(name: string): { buf: Buffer; start: number; end: number } {
  const buf = Buffer.from(name, 'latin1');
  return { buf, start: 0, end: buf.length };
}
