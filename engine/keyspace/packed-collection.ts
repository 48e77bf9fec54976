/**
 * A set or hash as a packed block in the arena, and back: `unpackBlock(packState(state))` equals
 * the state in every field, in the order of its elements too.
 */

import type { StampedDot } from '../crdt/dot.ts';
import { emptyKeyState, type KeyState } from '../crdt/key-state.ts';
import type { TtlWrite } from '../crdt/ttl.ts';
import { CHUNK_SHIFT, UNIT_MASK } from './arena.ts';
import type { BlockEditor } from './block-editor.ts';
import {
  BLOCK_HASH,
  BLOCK_SET,
  blockKind,
  dotActor,
  dotSeq,
  entryClass,
  expiryOf,
  HEADER_UNITS,
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
  const isHash = blockKind(metaOf(keyspace.arena, ref)) === BLOCK_HASH;
  keyspace.locateValue(ref);
  block.open(keyspace.bytes, keyspace.start, isHash);
}

/** Opens the editor on the block of an entry that has one. */
export function editBlock(keyspace: Keyspace, ref: number, editor: BlockEditor): void {
  const isHash = blockKind(metaOf(keyspace.arena, ref)) === BLOCK_HASH;
  keyspace.locateValue(ref);
  editor.open(keyspace.bytes, keyspace.start, keyspace.end, isHash);
}

/** The parts of a block entry's state, its TTL writes left out. */
export function unpackBlock(keyspace: Keyspace, ref: number): KeyState {
  const state = emptyKeyState();
  openBlock(keyspace, ref, view);
  const { bytes } = view;
  const isHash = blockKind(metaOf(keyspace.arena, ref)) === BLOCK_HASH;
  if (isHash) state.hash = new Map();
  else state.set = new Map();
  while (view.next()) {
    const { actor, seq, hlc } = view;
    const name = bytes.latin1Slice(view.nameStart, view.nameEnd);
    if (isHash) {
      const value = bytes.latin1Slice(view.valueStart, view.valueEnd);
      state.hash?.set(name, { siblings: [{ actor, seq, hlc, value }], contributions: [] });
    } else {
      state.set?.set(name, [{ actor, seq, hlc }]);
    }
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
  const { set, hash, ttl } = state;
  if (ttl.length > 1 || (set ?? hash ?? { size: elementsMax + 1 }).size > elementsMax) return false;
  // Exactly one part, of whatever types there are.
  let parts = 0;
  for (const part of Object.values(state)) if (part !== null && part !== ttl) parts++;
  if (parts !== 1 || !hasOneDotEach(state) || !fillEditor(state, editor)) return false;
  const kind = set !== null ? BLOCK_SET : BLOCK_HASH;
  const layout = kind | (ttl.length === 0 ? TTL_NONE : TTL_SEPARATE);
  const ref = keyspace.shape(place, layout, META_RICH, editor.byteLength);
  writeBlock(keyspace, ref, editor);
  if (ttl.length === 1) writeTtl(keyspace, ref, ttl[0]);
  return true;
}

/** Puts the edited block, which is not empty, in the place of the one there or in a new entry. */
export function replaceBlock(keyspace: Keyspace, place: KeyPlace, editor: BlockEditor): void {
  const kind = editor.isHash ? BLOCK_HASH : BLOCK_SET;
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
function hasOneDotEach({ set, hash }: KeyState): boolean {
  if (set !== null) for (const dots of set.values()) if (dots.length !== 1) return false;
  if (hash === null) return true;
  for (const { siblings, contributions } of hash.values()) {
    if (siblings.length !== 1 || contributions.length > 0) return false;
  }
  return true;
}

function fillEditor({ set, hash }: KeyState, editor: BlockEditor): boolean {
  editor.openEmpty(hash !== null);
  for (const [member, [dot]] of set ?? []) {
    if (!appendText(editor, member, '', dot)) return false;
  }
  for (const [field, { siblings }] of hash ?? []) {
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
