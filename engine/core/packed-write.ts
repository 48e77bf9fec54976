/**
 * Ops on packed blocks (keyspace/packed-block.ts) without making the key's state: what the source
 * sees for `prepare…`, and what `applyOp` does, for the common ops on small sets and hashes.
 * Whatever leaves the form of a block (a second dot, a TTL write, too many elements) is
 * refused before anything has changed, and then goes through the state.
 *
 * collections.test.ts checks that both ways come to the same.
 */

import { type Bytes, type Dot, hasDot, type StampedDot } from '../crdt/dot.ts';
import type {
  FieldDrops,
  FieldWrite,
  HashRemove,
  HashSet,
  KeyOp,
  MemberDrops,
  SetAdd,
  SetRemove,
  TtlPart,
  ZsetRemove,
  ZsetSet,
} from '../crdt/op.ts';
import { NO_TTL } from '../crdt/op.ts';
import { encodeScore } from '../crdt/score.ts';
import { BlockEditor } from '../keyspace/block-editor.ts';
import {
  BLOCK_HASH,
  BLOCK_SET,
  BLOCK_ZSET,
  blockKind,
  META_RICH,
  metaOf,
  TTL_KIND_MASK,
  TTL_NONE,
} from '../keyspace/entry.ts';
import type { KeyPlace } from '../keyspace/key-place.ts';
import type { Keyspace } from '../keyspace/keyspace.ts';
import { BlockView, PACKED_BYTES_MAX, PACKED_ELEMENTS_MAX } from '../keyspace/packed-block.ts';
import { editBlock, openBlock, replaceBlock, writeLatin1 } from '../keyspace/packed-collection.ts';
import { wrongType } from './db-error.ts';
import { applyBlockDelete, applyBlockExpire, isBlock } from './packed-whole.ts';

export type BlockKind = typeof BLOCK_SET | typeof BLOCK_HASH | typeof BLOCK_ZSET;

const NO_DROPS: readonly Dot[] = [];

/** The view and the editor of one database, and where names and values as text become bytes. */
export class PackedWriter {
  readonly view = new BlockView();
  readonly editor: BlockEditor;
  private readonly keyspace: Keyspace;
  private readonly name = Buffer.allocUnsafeSlow(PACKED_BYTES_MAX);
  private readonly value = Buffer.allocUnsafeSlow(PACKED_BYTES_MAX);

  constructor(keyspace: Keyspace, elementsMax: number) {
    this.keyspace = keyspace;
    this.editor = new BlockEditor(elementsMax);
  }

  // ── What the source sees ──────────────────────────────────────────────────────────────────

  /**
   * Opens `view` on the block at `ref` (0: on nothing). False: the entry is a table or rich. Throws WRONGTYPE when the entry shows as another type.
   */
  see(ref: number, kind: BlockKind): boolean {
    if (ref === 0) {
      this.view.openEmpty();
      return true;
    }
    const meta = metaOf(this.keyspace.arena, ref);
    const held = blockKind(meta);
    if (held === 0 && (meta & META_RICH) !== 0) return false;
    if (held !== kind) throw wrongType();
    openBlock(this.keyspace, ref, this.view);
    return true;
  }

  /** Goes to the element of this name in the opened view; false: there is none. */
  find(name: Bytes): boolean {
    if (name.length > PACKED_BYTES_MAX) return false;
    writeLatin1(name, this.name);
    return this.view.find(this.name, 0, name.length);
  }

  /** As prepareSetAdd, on the opened view. */
  prepareSetAdd(key: Bytes, members: readonly Bytes[]): SetAdd | null {
    if (members.length === 0) return null;
    const unique = members.length === 1 ? members : [...new Set(members)];
    const adds = unique.map((member) => ({ member, drops: this.dropsOf(member) }));
    return { kind: 'set-add', key, members: adds, ttl: NO_TTL };
  }

  /** As prepareHashSet, on the opened view. */
  prepareHashSet(key: Bytes, pairs: readonly (readonly [Bytes, Bytes])[]): HashSet | null {
    if (pairs.length === 0) return null;
    const fields: FieldWrite[] = [];
    for (const [field, value] of pairs.length === 1 ? pairs : new Map(pairs)) {
      fields.push({ field, value, drops: this.dropsOf(field), floors: [] });
    }
    return { kind: 'hash-set', key, fields, ttl: NO_TTL };
  }

  /**
   * Whether a removal of so many elements from the opened block at `ref` may leave TTL writes
   * behind: then only the state tells what to drop of them.
   */
  mayOrphanTtl(ref: number, removals: number): boolean {
    if (removals < this.view.count) return false;
    return (metaOf(this.keyspace.arena, ref) & TTL_KIND_MASK) !== TTL_NONE;
  }

  /** As prepareSetRemove, on the opened view of a key without TTL. */
  prepareSetRemove(key: Bytes, members: readonly Bytes[]): SetRemove | null {
    const removals: MemberDrops[] = [];
    for (const member of new Set(members)) {
      const drops = this.dropsOf(member);
      if (drops.length > 0) removals.push({ member, drops });
    }
    return removals.length === 0
      ? null
      : { kind: 'set-remove', key, members: removals, ttl: NO_TTL };
  }

  /** As prepareHashRemove, on the opened view of a key without TTL. */
  prepareHashRemove(key: Bytes, fields: readonly Bytes[]): HashRemove | null {
    const removals = this.removalsOf(fields);
    return removals.length === 0
      ? null
      : { kind: 'hash-remove', key, fields: removals, ttl: NO_TTL };
  }

  /** As prepareZsetSet, on the opened view. */
  prepareZsetSet(
    key: Bytes,
    pairs: readonly (readonly [member: Bytes, score: number])[],
  ): ZsetSet | null {
    if (pairs.length === 0) return null;
    const fields: FieldWrite[] = [];
    for (const [field, score] of pairs.length === 1 ? pairs : new Map(pairs)) {
      fields.push({ field, value: encodeScore(score), drops: this.dropsOf(field), floors: [] });
    }
    return { kind: 'zset-set', key, fields, ttl: NO_TTL };
  }

  /** As prepareZsetRemove, on the opened view of a key without TTL. */
  prepareZsetRemove(key: Bytes, members: readonly Bytes[]): ZsetRemove | null {
    const removals = this.removalsOf(members);
    return removals.length === 0
      ? null
      : { kind: 'zset-remove', key, fields: removals, ttl: NO_TTL };
  }

  private removalsOf(names: readonly Bytes[]): FieldDrops[] {
    const removals: FieldDrops[] = [];
    for (const field of new Set(names)) {
      const drops = this.dropsOf(field);
      if (drops.length > 0) removals.push({ field, drops, floors: [] });
    }
    return removals;
  }

  private dropsOf(name: Bytes): readonly Dot[] {
    if (!this.find(name)) return NO_DROPS;
    return [{ actor: this.view.actor, seq: this.view.seq }];
  }

  // ── Applying ──────────────────────────────────────────────────────────────────────────────

  /** Applies an op to the block at `place`. False: nothing was done, it takes the key's state. */
  apply(place: KeyPlace, stamp: StampedDot, op: KeyOp): boolean {
    switch (op.kind) {
      case 'set-add':
        return this.open(place, BLOCK_SET, op.members.length, op.ttl) && this.add(place, stamp, op);
      case 'hash-set':
        return this.open(place, BLOCK_HASH, op.fields.length, op.ttl) && this.set(place, stamp, op);
      case 'set-remove':
        return this.open(place, BLOCK_SET, 0, op.ttl) && this.removeMembers(place, op.members);
      case 'hash-remove':
        return this.open(place, BLOCK_HASH, 0, op.ttl) && this.removeFields(place, op.fields);
      case 'zset-set':
        return this.open(place, BLOCK_ZSET, op.fields.length, op.ttl) && this.set(place, stamp, op);
      case 'zset-remove':
        return this.open(place, BLOCK_ZSET, 0, op.ttl) && this.removeFields(place, op.fields);
      case 'delete':
        if (!isBlock(this.keyspace, place.ref)) return false;
        return applyBlockDelete(this.keyspace, this.view, place, op.removal);
      case 'expire':
        if (!isBlock(this.keyspace, place.ref)) return false;
        return applyBlockExpire(this.keyspace, this, place, stamp, op.ttl);
      default:
        return false;
    }
  }

  /** Opens the editor; false: the entry is no block of this kind, or the op writes TTLs. */
  private open(place: KeyPlace, kind: BlockKind, elements: number, ttl: TtlPart): boolean {
    if (elements > PACKED_ELEMENTS_MAX || ttl.expiry !== null || ttl.drops.length > 0) return false;
    if (place.ref === 0) {
      this.editor.openEmpty(kind);
      return elements > 0;
    }
    if (blockKind(metaOf(this.keyspace.arena, place.ref)) !== kind) return false;
    editBlock(this.keyspace, place.ref, this.editor);
    return true;
  }

  private add(place: KeyPlace, stamp: StampedDot, op: SetAdd): boolean {
    this.editor.beginWrite(stamp.actor, stamp.seq, stamp.hlc);
    for (const { member, drops } of op.members) {
      if (!this.put(stamp, member, '', drops)) return false;
    }
    replaceBlock(this.keyspace, place, this.editor);
    return true;
  }

  private set(place: KeyPlace, stamp: StampedDot, op: HashSet | ZsetSet): boolean {
    this.editor.beginWrite(stamp.actor, stamp.seq, stamp.hlc);
    for (const { field, value, drops } of op.fields) {
      if (!this.put(stamp, field, value, drops)) return false;
    }
    replaceBlock(this.keyspace, place, this.editor);
    return true;
  }

  private put(stamp: StampedDot, name: Bytes, value: Bytes, drops: readonly Dot[]): boolean {
    if (name.length + value.length > PACKED_BYTES_MAX) return false;
    const { editor } = this;
    writeLatin1(name, this.name);
    writeLatin1(value, this.value);
    const element = editor.find(this.name, 0, name.length);
    if (element < 0) {
      return editor.append(this.name, 0, name.length, this.value, 0, value.length);
    }
    const actor = editor.actorOf(element);
    const seq = editor.seqOf(element);
    if (!hasDot(drops, actor, seq)) return actor === stamp.actor && seq === stamp.seq;
    return editor.replace(element, this.value, 0, value.length);
  }

  private removeMembers(place: KeyPlace, members: readonly MemberDrops[]): boolean {
    for (const { member, drops } of members) this.remove(member, drops);
    return this.storeRest(place);
  }

  private removeFields(place: KeyPlace, fields: readonly FieldDrops[]): boolean {
    for (const { field, drops } of fields) this.remove(field, drops);
    return this.storeRest(place);
  }

  private remove(name: Bytes, drops: readonly Dot[]): void {
    if (name.length > PACKED_BYTES_MAX) return;
    const { editor } = this;
    writeLatin1(name, this.name);
    const element = editor.find(this.name, 0, name.length);
    if (element < 0 || !hasDot(drops, editor.actorOf(element), editor.seqOf(element))) return;
    editor.remove(element);
  }

  private storeRest(place: KeyPlace): boolean {
    const { keyspace, editor } = this;
    if (editor.count > 0) {
      replaceBlock(keyspace, place, editor);
      return true;
    }
    // TTL writes that outlive their data are a state of their own.
    if ((metaOf(keyspace.arena, place.ref) & TTL_KIND_MASK) !== TTL_NONE) return false;
    keyspace.remove(place.hash, place.ref);
    place.ref = 0;
    return true;
  }
}
