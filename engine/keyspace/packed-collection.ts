/**
 * A set, hash or sorted set as a packed block in the arena, and back: `unpackBlock(packState(state))` equals
 * the state in every field, in the order of its elements too.
 */

import type { StampedDot } from '../crdt/dot.ts';
import type { SetState } from '../crdt/element-set.ts';
import type { HashState } from '../crdt/field-map.ts';
import { emptyKeyState, type KeyState } from '../crdt/key-state.ts';
import type { TtlWrite } from '../crdt/ttl.ts';
import { CHUNK_SHIFT, UNIT_MASK } from './arena.ts';
import type { BlockEditor } from './block-editor.ts';
import {
  BLOCK_HASH,
  BLOCK_SET,
  BLOCK_ZSET,
  blockKind,
  dotActor,
  dotSeq,
  entryClass,
  expiryOf,
  HEADER_UNITS,
  hasValues,
  META_RICH,
  metaOf,
  TTL_KIND_MASK,
  TTL_NONE,
  TTL_SEPARATE,
  ttlDotUnit,
  writeDot,
} from './entry.ts';
import type { KeyPlace } from './key-place.ts';
import type { Keyspace } from './keyspace.ts';
import { BlockView, PACKED_BYTES_MAX } from './packed-block.ts';

const view = new BlockView();
const nameScratch = Buffer.allocUnsafeSlow(PACKED_BYTES_MAX);
const valueScratch = Buffer.allocUnsafeSlow(PACKED_BYTES_MAX);
/** Up to here a loop beats a call into the runtime (see reply-writer.ts). */
const LOOP_TEXT_MAX = 16;

/** Opens `block` on the block of an entry that has one. */
export function openBlock(keyspace: Keyspace, ref: number, block: BlockView): void {
  const kind = blockKind(metaOf(keyspace.arena, ref));
  keyspace.locateValue(ref);
  block.open(keyspace.bytes, keyspace.start, hasValues(kind));
}

/** Opens the editor on the block of an entry that has one. */
export function editBlock(keyspace: Keyspace, ref: number, editor: BlockEditor): void {
  const kind = blockKind(metaOf(keyspace.arena, ref));
  keyspace.locateValue(ref);
  editor.open(keyspace.bytes, keyspace.start, keyspace.end, kind);
}

/** The parts of a block entry's state, its TTL writes left out. */
export function unpackBlock(keyspace: Keyspace, ref: number): KeyState {
  const state = emptyKeyState();
  openBlock(keyspace, ref, view);
  const { bytes } = view;
  const kind = blockKind(metaOf(keyspace.arena, ref));
  if (kind === BLOCK_SET) {
    const set: SetState = new Map();
    state.set = set;
    while (view.next()) {
      const { actor, seq, hlc } = view;
      set.set(bytes.latin1Slice(view.nameStart, view.nameEnd), [{ actor, seq, hlc }]);
    }
    return state;
  }
  const fields: HashState = new Map();
  if (kind === BLOCK_HASH) state.hash = fields;
  else state.zset = fields;
  while (view.next()) {
    const { actor, seq, hlc } = view;
    const name = bytes.latin1Slice(view.nameStart, view.nameEnd);
    const value = bytes.latin1Slice(view.valueStart, view.valueEnd);
    fields.set(name, { siblings: [{ actor, seq, hlc, value }], contributions: [] });
  }
  return state;
}

/**
 * Stores the state at `place` as a block entry. False: it has no such form, and nothing was done.
 * `elementsMax`: of larger collections it is not even tried.
 */
export function packState(
  keyspace: Keyspace,
  place: KeyPlace,
  state: KeyState,
  editor: BlockEditor,
  elementsMax: number,
): boolean {
  const { set, hash, zset, ttl } = state;
  const part = set ?? hash ?? zset;
  if (ttl.length > 1 || part === null || part.size > elementsMax) return false;
  // Exactly one part, of whatever types there are.
  let parts = 0;
  for (const other of Object.values(state)) if (other !== null && other !== ttl) parts++;
  if (parts !== 1 || !hasOneDotEach(state) || !fillEditor(state, editor)) return false;
  const { kind } = editor;
  const layout = kind | (ttl.length === 0 ? TTL_NONE : TTL_SEPARATE);
  const ref = keyspace.shape(place, layout, META_RICH, editor.byteLength);
  writeBlock(keyspace, ref, editor);
  if (ttl.length === 1) writeTtl(keyspace, ref, ttl[0]);
  return true;
}

/** Puts the edited block, which is not empty, in the place of the one there or in a new entry. */
export function replaceBlock(keyspace: Keyspace, place: KeyPlace, editor: BlockEditor): void {
  const { kind } = editor;
  let { ref } = place;
  if (ref === 0) {
    ref = keyspace.shape(place, kind, META_RICH, editor.byteLength);
  } else if (!noteBlockLength(keyspace, ref, editor.byteLength)) {
    const layout = metaOf(keyspace.arena, ref) & 0xff;
    const ttl = blockTtl(keyspace, ref);
    ref = keyspace.shape(place, layout, META_RICH, editor.byteLength);
    if (ttl !== null) writeTtl(keyspace, ref, ttl);
  }
  writeBlock(keyspace, ref, editor);
}

/** The TTL write of a block or table entry; null: it has none. */
export function blockTtl(keyspace: Keyspace, ref: number): TtlWrite | null {
  const { arena } = keyspace;
  if ((metaOf(arena, ref) & TTL_KIND_MASK) === TTL_NONE) return null;
  const words = arena.u32[ref >>> CHUNK_SHIFT];
  const unit = ttlDotUnit(ref);
  const hlc = arena.f64[ref >>> CHUNK_SHIFT][unit + 1];
  const expiry = expiryOf(arena, ref);
  return { actor: dotActor(words, unit << 1), seq: dotSeq(words, unit << 1), hlc, expiry };
}

/** Gives a block entry another TTL write, or none. */
export function setBlockTtl(
  keyspace: Keyspace,
  place: KeyPlace,
  editor: BlockEditor,
  ttl: TtlWrite | null,
): void {
  const meta = metaOf(keyspace.arena, place.ref);
  const kind = ttl === null ? TTL_NONE : TTL_SEPARATE;
  if ((meta & TTL_KIND_MASK) === kind) {
    if (ttl === null) return;
    keyspace.disarm(place.ref);
    writeTtl(keyspace, place.ref, ttl);
    return;
  }
  editBlock(keyspace, place.ref, editor);
  const layout = (meta & 0xff & ~TTL_KIND_MASK) | kind;
  const ref = keyspace.shape(place, layout, META_RICH, editor.byteLength);
  writeBlock(keyspace, ref, editor);
  if (ttl !== null) writeTtl(keyspace, ref, ttl);
}

/** Writes text of at most PACKED_BYTES_MAX bytes to a buffer. */
export function writeLatin1(text: string, out: Buffer): void {
  const { length } = text;
  if (length > LOOP_TEXT_MAX) out.latin1Write(text, 0, length);
  else for (let i = 0; i < length; i++) out[i] = text.charCodeAt(i);
}

/** Looked at first, since a rich hash with a counter is stored again with each increment. */
function hasOneDotEach({ set, hash, zset }: KeyState): boolean {
  if (set !== null) for (const dots of set.values()) if (dots.length !== 1) return false;
  for (const { siblings, contributions } of (hash ?? zset)?.values() ?? []) {
    if (siblings.length !== 1 || contributions.length > 0) return false;
  }
  return true;
}

function fillEditor({ set, hash, zset }: KeyState, editor: BlockEditor): boolean {
  editor.openEmpty(set !== null ? BLOCK_SET : hash !== null ? BLOCK_HASH : BLOCK_ZSET);
  for (const [member, [dot]] of set ?? []) {
    if (!appendText(editor, member, '', dot)) return false;
  }
  for (const [field, { siblings }] of hash ?? zset ?? []) {
    if (!appendText(editor, field, siblings[0].value, siblings[0])) return false;
  }
  return true;
}

function appendText(editor: BlockEditor, name: string, value: string, stamp: StampedDot): boolean {
  if (name.length + value.length > PACKED_BYTES_MAX) return false;
  writeLatin1(name, nameScratch);
  writeLatin1(value, valueScratch);
  editor.beginWrite(stamp.actor, stamp.seq, stamp.hlc);
  editor.shareStamp();
  return editor.append(nameScratch, 0, name.length, valueScratch, 0, value.length);
}

/** Whether a block of so many bytes can lie where the old one does; then its length is noted. */
export function noteBlockLength(keyspace: Keyspace, ref: number, length: number): boolean {
  const words = keyspace.arena.u32[ref >>> CHUNK_SHIFT];
  const word = (ref & UNIT_MASK) << 1;
  const meta = words[word + 2];
  const keyLength = words[word + 3] & 0xffff;
  const lengths = (keyLength | (length << 16)) >>> 0;
  if (entryClass(meta, lengths) !== entryClass(meta, words[word + 3])) return false;
  words[word + 3] = lengths;
  return true;
}

function writeBlock(keyspace: Keyspace, ref: number, editor: BlockEditor): void {
  keyspace.locateValue(ref);
  editor.write(keyspace.bytes, keyspace.start);
}

/** Writes the TTL write of an entry whose layout says that it has one. */
export function writeTtl(keyspace: Keyspace, ref: number, ttl: TtlWrite): void {
  const floats = keyspace.arena.f64[ref >>> CHUNK_SHIFT];
  const unit = ttlDotUnit(ref);
  floats[(ref & UNIT_MASK) + HEADER_UNITS] = ttl.expiry;
  writeDot(keyspace.arena.u32[ref >>> CHUNK_SHIFT], unit << 1, ttl.actor, ttl.seq);
  floats[unit + 1] = ttl.hlc;
  keyspace.arm(ref);
}
