/**
 * Ops on tables (keyspace/element-table.ts): what the source sees for `prepare…`, and what `applyOp` does.
 *
 * An op on elements changes only those that it names. So a small state is made of these alone,
 * crdt/ does to it what it does to any state, and they are written back: the rules are those of
 * crdt/ because they are its code. What concerns the whole table (DEL, expiry, TTL) is done
 * without touching its elements where that is possible; what is not possible is refused before
 * anything has changed, or left so that applying the op once more to the key's state comes to the same.
 */

import { applyOp } from '../crdt/apply-op.ts';
import type { Cell } from '../crdt/cell.ts';
import { type Bytes, type Dot, hasDot } from '../crdt/dot.ts';
import type { ElementDot } from '../crdt/element-set.ts';
import type { HashState } from '../crdt/field-map.ts';
import { emptyKeyState, type KeyState } from '../crdt/key-state.ts';
import type { Delete, Envelope, Expire, KeyOp, Removal } from '../crdt/op.ts';
import { prepareExpire, REMOVAL_DOTS_MAX, REMOVAL_ELEMENTS_MAX } from '../crdt/prepare.ts';
import type { Roster } from '../crdt/roster.ts';
import { applyTtl, type TtlWrite } from '../crdt/ttl.ts';
import { copyVector, covers, type VersionVector } from '../crdt/version-vector.ts';
import {
  type NameBytes,
  readCell,
  readDots,
  writeCell,
  writeDots,
} from '../keyspace/element-cell.ts';
import type { ElementTables } from '../keyspace/element-table.ts';
import { metaOf, TABLE_HASH, TABLE_SET, TABLE_ZSET, tableKind } from '../keyspace/entry.ts';
import type { KeyPlace } from '../keyspace/key-place.ts';
import type { Keyspace } from '../keyspace/keyspace.ts';
import { writeLatin1 } from '../keyspace/packed-collection.ts';
import { elementScore, linkScore, unlinkScore } from '../keyspace/scored-table.ts';
import {
  setTableTtls,
  type TableKind,
  tableOf,
  tableTtls,
  walkTable,
} from '../keyspace/table-collection.ts';
import { wrongType } from './db-error.ts';

const NAME_BYTES = 4096;
/** Up to here it is worth looking at all elements before their states are made. */
const WALKED_MAX = 1024;

export class TableWriter {
  readonly tables: ElementTables;
  /** Whether the last `apply` took the table down to `shrunkenMax` elements. */
  shrank = false;
  private readonly keyspace: Keyspace;
  private readonly roster: Roster;
  private readonly name: NameBytes = { buf: Buffer.allocUnsafeSlow(NAME_BYTES), start: 0, end: 0 };

  constructor(keyspace: Keyspace, roster: Roster) {
    this.keyspace = keyspace;
    this.roster = roster;
    this.tables = keyspace.tables;
  }

  // ── What the source sees ──────────────────────────────────────────────────────────────────

  /** Whether the entry at `ref` is a table. Throws WRONGTYPE when it is one of another type. */
  sees(ref: number, kind: TableKind): boolean {
    if (ref === 0) return false;
    const held = tableKind(metaOf(this.keyspace.arena, ref));
    if (held !== 0 && held !== kind) throw wrongType();
    return held !== 0;
  }

  /** Number of elements of the table entry at `ref`. */
  count(ref: number): number {
    return this.tables.count(tableOf(this.keyspace, ref));
  }

  /** The element of this name in the table entry at `ref`; 0: there is none. */
  find(ref: number, name: Bytes): number {
    return this.findIn(tableOf(this.keyspace, ref), name);
  }

  /**
   * The state of the table entry at `ref` with none but these elements. Its TTL is left out unless
   * they are all there are, which is what `prepare…` of a removal asks.
   */
  stateOf(ref: number, names: Iterable<Bytes>): KeyState {
    const state = this.partOf(ref, names);
    const held = elementsOf(state)?.size ?? 0;
    if (held === this.count(ref)) state.ttl = tableTtls(this.keyspace, ref);
    return state;
  }

  /** As prepareExpire, of the table at `ref`. */
  prepareExpire(ref: number, key: Bytes, expiry: number): Expire | null {
    const ttl = tableTtls(this.keyspace, ref);
    return prepareExpire({ ...this.partOf(ref, []), ttl }, key, expiry);
  }

  /** As prepareDelete, of the table at `ref`; null: its increments have to be named one by one. */
  prepareDelete(ref: number, key: Bytes, vector: VersionVector): Delete | null {
    const { keyspace, tables } = this;
    if (tables.counters(tableOf(keyspace, ref)) > 0) return null;
    const dots: Dot[] = [];
    const add = ({ actor, seq }: Dot): void => {
      if (dots.length <= REMOVAL_DOTS_MAX && !hasDot(dots, actor, seq)) dots.push({ actor, seq });
    };
    if (this.count(ref) > REMOVAL_ELEMENTS_MAX) {
      return deleteOp(key, { vector: copyVector(vector), dots: [], floors: [] });
    }
    this.eachDot(ref, add);
    for (const write of tableTtls(keyspace, ref)) add(write);
    return deleteOp(
      key,
      dots.length > REMOVAL_DOTS_MAX
        ? { vector: copyVector(vector), dots: [], floors: [] }
        : { vector: null, dots, floors: [] },
    );
  }

  // ── Applying ──────────────────────────────────────────────────────────────────────────────

  /** Applies an op to the table at `place`. False: it takes the key's state. */
  apply(place: KeyPlace, envelope: Envelope, op: KeyOp, shrunkenMax: number): boolean {
    this.shrank = false;
    if (place.ref === 0) return false;
    const kind = tableKind(metaOf(this.keyspace.arena, place.ref));
    if (kind === 0) return false;
    switch (op.kind) {
      case 'set-add':
      case 'set-remove':
        if (kind !== TABLE_SET) return false;
        return this.applyTo(place, envelope, namesOf(op), shrunkenMax);
      case 'hash-set':
      case 'hash-add':
      case 'hash-remove':
        if (kind !== TABLE_HASH) return false;
        return this.applyTo(place, envelope, namesOf(op), shrunkenMax);
      case 'zset-set':
      case 'zset-add':
      case 'zset-remove':
        if (kind !== TABLE_ZSET) return false;
        return this.applyTo(place, envelope, namesOf(op), shrunkenMax);
      case 'delete':
        return this.applyDelete(place, op.removal);
      case 'expire': {
        const held = tableTtls(this.keyspace, place.ref);
        this.storeTtls(place, held, applyTtl(held, op.ttl, envelope));
        return true;
      }
      default:
        return false;
    }
  }

  /** Removes the table at `place` if `vector` covers all of it; false: it does not, or may not. */
  removeCovered(place: KeyPlace, vector: VersionVector): boolean {
    if (place.ref === 0 || tableKind(metaOf(this.keyspace.arena, place.ref)) === 0) return false;
    return this.applyDelete(place, { vector, dots: [], floors: [] });
  }

  private applyTo(
    place: KeyPlace,
    envelope: Envelope,
    names: readonly Bytes[],
    shrunkenMax: number,
  ): boolean {
    const { keyspace } = this;
    const { ref } = place;
    const kind = tableKind(metaOf(keyspace.arena, ref));
    const before = this.partOf(ref, names);
    const held = new Map<Bytes, unknown>(elementsOf(before) ?? []);
    const ttl = tableTtls(keyspace, ref);
    before.ttl = ttl;
    const next = applyOp(before, envelope);
    const ttlAfter = next?.ttl ?? [];
    const table = tableOf(keyspace, ref);
    const countBefore = this.tables.count(table);
    const elements = next === null ? null : elementsOf(next);
    for (const name of names) {
      if (kind === TABLE_ZSET) this.unlink(table, name);
      this.writeBack(table, name, elements?.get(name), held.get(name));
      if (kind === TABLE_ZSET) this.link(table, name);
    }
    const count = this.tables.count(table);
    if (count === 0) {
      // TTL writes that outlive their data are a state of their own.
      if (ttlAfter.length > 0) return false;
      keyspace.remove(place.hash, ref);
      place.ref = 0;
      return true;
    }
    this.shrank = countBefore > shrunkenMax && count <= shrunkenMax;
    this.storeTtls(place, ttl, ttlAfter);
    return true;
  }

  private writeBack(
    table: number,
    name: Bytes,
    next: Cell | ElementDot[] | undefined,
    held: unknown,
  ): void {
    if (next === undefined && held === undefined) return;
    const { tables } = this;
    const element = this.findIn(table, name);
    if (next === undefined) {
      // A peer may have named it twice.
      if (element !== 0) tables.remove(table, element);
    } else if (Array.isArray(next)) {
      if (next !== held) writeDots(tables, table, element, this.name, next);
    } else writeCell(tables, table, element, this.name, next);
  }

  /** Takes a member, if it is there, out of the order of its sorted set. */
  private unlink(table: number, name: Bytes): void {
    const element = this.findIn(table, name);
    if (element === 0) return;
    unlinkScore(this.tables, table, element, elementScore(this.tables, element, this.roster));
  }

  /** Puts a member, if it is there, where its score belongs. */
  private link(table: number, name: Bytes): void {
    const element = this.findIn(table, name);
    if (element === 0) return;
    linkScore(this.tables, table, element, elementScore(this.tables, element, this.roster));
  }

  private findIn(table: number, name: Bytes): number {
    this.toBytes(name);
    return this.tables.find(table, this.name.buf, 0, this.name.end);
  }

  private storeTtls(place: KeyPlace, held: readonly TtlWrite[], next: readonly TtlWrite[]): void {
    // crdt/ returns the same list when nothing has changed.
    if (next === held || held.length + next.length === 0) return;
    setTableTtls(this.keyspace, place, next, this.roster);
  }

  /** Applies a removal that has seen all of the table; false: it has not, or that is not known. */
  private applyDelete(place: KeyPlace, { vector, dots }: Removal): boolean {
    const { keyspace, tables } = this;
    const sees = ({ actor, seq }: Dot): boolean =>
      vector === null ? hasDot(dots, actor, seq) : covers(vector, actor, seq);
    const table = tableOf(keyspace, place.ref);
    if (tables.counters(table) > 0) return false;
    if (!tableTtls(keyspace, place.ref).every(sees)) return false;
    if (vector === null || !tables.coveredBy(table, vector)) {
      if (this.count(place.ref) > WALKED_MAX || !this.everyDot(place.ref, sees)) return false;
    }
    keyspace.remove(place.hash, place.ref);
    place.ref = 0;
    return true;
  }

  /** The parts of a table entry's state that these names have. */
  private partOf(ref: number, names: Iterable<Bytes>): KeyState {
    const { keyspace, tables } = this;
    const state = emptyKeyState();
    const kind = tableKind(metaOf(keyspace.arena, ref));
    if (kind !== TABLE_SET) {
      const fields: HashState = new Map();
      if (kind === TABLE_HASH) state.hash = fields;
      else state.zset = fields;
      for (const name of names) {
        const element = this.find(ref, name);
        if (element !== 0) fields.set(name, readCell(tables, element));
      }
    } else {
      state.set = new Map();
      for (const name of names) {
        const element = this.find(ref, name);
        if (element !== 0) state.set.set(name, readDots(tables, element));
      }
    }
    return state;
  }

  private eachDot(ref: number, each: (dot: Dot) => void): void {
    this.everyDot(ref, (dot) => {
      each(dot);
      return true;
    });
  }

  /** Whether all dots of the table at `ref`, which has no increments, are as `fits` says. */
  private everyDot(ref: number, fits: (dot: Dot) => boolean): boolean {
    const { tables } = this;
    const isSet = tableKind(metaOf(this.keyspace.arena, ref)) === TABLE_SET;
    const walk = walkTable(this.keyspace, ref);
    for (let element = walk.next(); element !== 0; element = walk.next()) {
      const dots = isSet ? readDots(tables, element) : readCell(tables, element).siblings;
      if (!dots.every(fits)) return false;
    }
    return true;
  }

  private toBytes(name: Bytes): void {
    if (name.length > this.name.buf.length) this.name.buf = Buffer.allocUnsafeSlow(name.length * 2);
    writeLatin1(name, this.name.buf as Buffer);
    this.name.end = name.length;
  }
}

function deleteOp(key: Bytes, removal: Removal): Delete {
  return { kind: 'delete', key, removal };
}

/** The elements of the one collection of a state. */
function elementsOf({ set, hash, zset }: KeyState): Map<Bytes, Cell | ElementDot[]> | null {
  return set ?? hash ?? zset;
}

/** The elements that the op names, each once. */
function namesOf(op: KeyOp): readonly Bytes[] {
  switch (op.kind) {
    case 'set-add':
    case 'set-remove':
      return op.members.map(({ member }) => member);
    case 'hash-set':
    case 'hash-remove':
    case 'zset-set':
    case 'zset-remove':
      return op.fields.map(({ field }) => field);
    case 'hash-add':
    case 'zset-add':
      return [op.field];
    default:
      return [];
  }
}
