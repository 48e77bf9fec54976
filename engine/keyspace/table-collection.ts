/**
 * A set, hash or sorted set as a table in the arena, and back: `unpackTable(storeTable(state))` equals the state
 * in every field. The order of elements is that of their hashes.
 */

import type { HashState } from '../crdt/field-map.ts';
import { emptyKeyState, type KeyState } from '../crdt/key-state.ts';
import type { Roster } from '../crdt/roster.ts';
import { cellScore } from '../crdt/score.ts';
import { type TtlWrite, winningTtlWrite } from '../crdt/ttl.ts';
import { nameText, readCell, readDots, writeCell, writeDots } from './element-cell.ts';
import type { ElementTables } from './element-table.ts';
import { ElementWalk } from './element-walk.ts';
import {
  BLOCK_HASH,
  BLOCK_SET,
  BLOCK_ZSET,
  blockKind,
  hasValues,
  META_RICH,
  metaOf,
  OUTSIDE_BYTES,
  TABLE_HASH,
  TABLE_SET,
  TABLE_ZSET,
  TTL_KIND_MASK,
  TTL_NONE,
  TTL_SEPARATE,
  tableKind,
} from './entry.ts';
import type { KeyPlace } from './key-place.ts';
import type { Keyspace } from './keyspace.ts';
import { BlockView } from './packed-block.ts';
import { blockTtl, openBlock, writeTtl } from './packed-collection.ts';
import { linkScore } from './scored-table.ts';

export type TableKind = typeof TABLE_SET | typeof TABLE_HASH | typeof TABLE_ZSET;

/** Which table a block becomes when it grows. */
export const TABLE_OF: Readonly<Record<number, TableKind>> = {
  [BLOCK_SET]: TABLE_SET,
  [BLOCK_HASH]: TABLE_HASH,
  [BLOCK_ZSET]: TABLE_ZSET,
};

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
  const kind = tableKind(metaOf(keyspace.arena, ref));
  if (kind !== TABLE_SET) {
    const fields: HashState = new Map();
    if (kind === TABLE_HASH) state.hash = fields;
    else state.zset = fields;
    for (let element = walk.next(); element !== 0; element = walk.next()) {
      fields.set(nameText(tables, element), readCell(tables, element));
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
 * not exactly one set, hash or sorted set.
 */
export function storeTable(
  keyspace: Keyspace,
  place: KeyPlace,
  state: KeyState,
  roster: Roster,
): boolean {
  const { set, hash, zset, ttl } = state;
  // Exactly one part, of whatever types there are.
  let parts = 0;
  for (const part of Object.values(state)) if (part !== null && part !== ttl) parts++;
  if (parts !== 1 || (set === null && hash === null && zset === null)) return false;
  const table = fill(keyspace.tables, state, roster);
  const kind = set !== null ? TABLE_SET : hash !== null ? TABLE_HASH : TABLE_ZSET;
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
  const kind = TABLE_OF[blockKind(metaOf(keyspace.arena, place.ref))];
  const withValue = hasValues(kind);
  const ttl = blockTtl(keyspace, place.ref);
  openBlock(keyspace, place.ref, view);
  const { bytes } = view;
  const table = tables.create();
  while (view.next()) {
    const { nameStart, nameEnd, actor, seq, hlc } = view;
    const valueStart = withValue ? view.valueStart : 0;
    const valueEnd = withValue ? view.valueEnd : 0;
    // The table notes the name's hash.
    tables.find(table, bytes, nameStart, nameEnd);
    const element = tables.write(
      table,
      0,
      bytes,
      nameStart,
      nameEnd,
      bytes,
      valueStart,
      valueEnd,
      actor,
      seq,
      hlc,
    );
    if (kind === TABLE_ZSET) linkScore(tables, table, element, view.score);
  }
  const layout = kind | (ttl === null ? TTL_NONE : TTL_SEPARATE);
  const ref = keyspace.shape(place, layout, META_RICH, OUTSIDE_BYTES);
  keyspace.writeIndex(ref, table);
  if (ttl !== null) writeTtl(keyspace, ref, ttl);
}

/** Puts an empty table at `place`, which has no entry, and returns it. */
export function createTable(keyspace: Keyspace, place: KeyPlace, kind: TableKind): number {
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

function fill(tables: ElementTables, { set, hash, zset }: KeyState, roster: Roster): number {
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
  for (const [member, cell] of zset ?? []) {
    const name = bytesOf(member);
    tables.find(table, name.buf, 0, name.end);
    const element = writeCell(tables, table, 0, name, cell);
    linkScore(tables, table, element, cellScore(cell, roster));
  }
  return table;
}

function bytesOf(name: string): { buf: Buffer; start: number; end: number } {
  const buf = Buffer.from(name, 'latin1');
  return { buf, start: 0, end: buf.length };
}
