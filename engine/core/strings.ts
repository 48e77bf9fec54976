/**
 * Strings and counters. Commands on plain strings and integer counters, nearly all there are,
 * change the packed entry in place and write their op from bytes; the others go through the
 * key's state (ground.ts).
 *
 * Measured by db-bench.ts.
 */

import { type Amount, addAmounts, isInt64 } from '../crdt/amount.ts';
import { isInFloatRange, isInfinityText, parseAmount, parseInteger } from '../crdt/amount-text.ts';
import { cellAmount, cellText } from '../crdt/cell.ts';
import type { Bytes } from '../crdt/dot.ts';
import { unionOf } from '../crdt/hyperloglog.ts';
import { type KeyState, visiblePart, visibleType } from '../crdt/key-state.ts';
import { prepareStringAdd, prepareStringSet } from '../crdt/prepare.ts';
import { CHUNK_SHIFT } from '../keyspace/arena.ts';
import {
  dotActor,
  dotSeq,
  LAYOUT_COUNT_SHIFT,
  LAYOUT_SIBLING,
  META_RICH,
  metaOf,
  siblingUnit,
  TTL_KIND_MASK,
  TTL_NONE,
  writeDot,
} from '../keyspace/entry.ts';
import type { KeyPlace } from '../keyspace/key-place.ts';
import { loadState } from '../keyspace/packed-string.ts';
import type { ReplyWriter } from '../resp/reply-writer.ts';
import { infiniteResult, notAFloat, notAnInteger, overflow, wrongType } from './db-error.ts';
import { type Ground, latin1 } from './ground.ts';
import { writeHyll } from './hyll-text.ts';
import {
  findTally,
  isPlain,
  parseShortInteger,
  tallySum,
  writePlain,
  writeTally,
} from './plain-write.ts';

const COUNT_MASK = 0xff & ~((1 << LAYOUT_COUNT_SHIFT) - 1);

// ── Reading ─────────────────────────────────────────────────────────────────────────────────

/** Writes the value of the key as a bulk string or null; false: wrong type. */
export function readString(
  ground: Ground,
  buf: Uint8Array,
  start: number,
  end: number,
  out: ReplyWriter,
): boolean {
  const { keyspace } = ground;
  const ref = keyspace.find(keyspace.hash.of(buf, start, end), buf, start, end);
  if (ref === 0 || ground.isExpired(ref)) {
    out.nullBulk();
    return true;
  }
  keyspace.touch(ref);
  const meta = metaOf(keyspace.arena, ref);
  if ((meta & (COUNT_MASK | META_RICH)) === 0) {
    keyspace.locateValue(ref);
    out.bulkBytes(keyspace.bytes, keyspace.start, keyspace.end);
    return true;
  }
  const number = packedNumber(ground, ref, meta);
  if (!Number.isNaN(number)) {
    out.bulk(String(number));
    return true;
  }
  const state = loadState(keyspace, ref);
  const type = visibleType(state, ground.roster);
  if (type === null) out.nullBulk();
  else if (type === 'string') out.bulk(textOf(ground, state) ?? '');
  return type === null || type === 'string';
}

/** Null when absent. Throws WRONGTYPE. */
export function getString(ground: Ground, key: Bytes): Bytes | null {
  return textOf(ground, stringState(ground, ground.visible(key)));
}

/** The state if it shows as a string or not at all; else throws WRONGTYPE. */
function stringState(ground: Ground, state: KeyState | null): KeyState | null {
  const type = visibleType(state, ground.roster);
  if (type !== null && type !== 'string') throw wrongType();
  return state;
}

/** The text of a state that shows as a string. */
export function textOf(ground: Ground, state: KeyState | null): Bytes | null {
  if (state === null) return null;
  if (state.hll !== null && visiblePart(state, ground.roster) === 'hll') {
    return writeHyll(unionOf(state.hll));
  }
  return state.cell === null ? null : cellText(state.cell, ground.roster);
}

/** Value of a packed counter; NaN when it is rich, no number, or beyond ±(2^53 - 1). */
function packedNumber(ground: Ground, ref: number, meta: number): number {
  if ((meta & META_RICH) !== 0) return Number.NaN;
  const { keyspace } = ground;
  let sum = tallySum(keyspace, ref, meta);
  if ((meta & LAYOUT_SIBLING) !== 0) {
    keyspace.locateValue(ref);
    sum += parseShortInteger(keyspace.bytes, keyspace.start, keyspace.end);
  }
  return Number.isSafeInteger(sum) ? sum : Number.NaN;
}

// ── SET ─────────────────────────────────────────────────────────────────────────────────────

/** SET. `expiry`: ms, Infinity for none, NaN to keep the TTL. */
export function setString(
  ground: Ground,
  buf: Uint8Array,
  keyStart: number,
  keyEnd: number,
  valueBuf: Uint8Array,
  valueStart: number,
  valueEnd: number,
  expiry: number,
): void {
  ground.checkGrowth();
  const place = ground.findLive(buf, keyStart, keyEnd);
  const { keyspace } = ground;
  let dropActor = 0;
  let dropSeq = 0;
  let ttlDropSeq = 0;
  if (place.ref !== 0) {
    const meta = metaOf(keyspace.arena, place.ref);
    if (!isPlain(meta) || Number.isNaN(expiry)) {
      const value = Buffer.from(valueBuf.subarray(valueStart, valueEnd)).latin1Slice();
      setGeneral(ground, place, value, expiry);
      return;
    }
    const words = keyspace.arena.u32[place.ref >>> CHUNK_SHIFT];
    const word = siblingUnit(place.ref, meta) << 1;
    dropActor = dotActor(words, word);
    dropSeq = dotSeq(words, word);
    if ((meta & TTL_KIND_MASK) !== TTL_NONE) ttlDropSeq = dropSeq;
  }
  const hlc = ground.stamp();
  ground.batch.stringSet(
    place.slot,
    hlc,
    buf,
    keyStart,
    keyEnd,
    valueBuf,
    valueStart,
    valueEnd,
    dropActor,
    dropSeq,
    dropActor,
    ttlDropSeq,
    expiry,
  );
  const { actor, seq } = ground;
  writePlain(keyspace, place, actor, seq, hlc, valueBuf, valueStart, valueEnd, expiry);
  if (ground.touched !== null) ground.touched(latin1(place));
}

/** SET with key and value as text. */
export function setStringText(ground: Ground, key: Bytes, value: Bytes, expiry: number): void {
  ground.checkGrowth();
  setGeneral(ground, ground.findForWrite(key), value, expiry);
}

function setGeneral(ground: Ground, place: KeyPlace, value: Bytes, expiry: number): void {
  const state = ground.load(place);
  const kept = !Number.isNaN(expiry) ? expiry : null;
  const vector = ground.slotVector(place.slot);
  ground.commit(place, state, prepareStringSet(state, latin1(place), value, kept, vector));
}

// ── Counters ────────────────────────────────────────────────────────────────────────────────

/** INCRBY of a safe integer. Returns the new value; NaN: only `addAmount` can do it. */
export function incrementFast(
  ground: Ground,
  buf: Uint8Array,
  start: number,
  end: number,
  delta: number,
): number {
  ground.checkGrowth();
  const place = ground.findLive(buf, start, end);
  const { keyspace } = ground;
  const { ref } = place;
  if (ref === 0) {
    const hlc = ground.stamp();
    ground.batch.stringAdd(place.slot, hlc, buf, start, end, delta, 0, 0);
    writeTally(keyspace, place, ground.actor, ground.seq, hlc, delta, ground.seq - 1, 0);
    if (ground.touched !== null) ground.touched(latin1(place));
    return delta;
  }
  const meta = metaOf(keyspace.arena, ref);
  const sum = packedNumber(ground, ref, meta) + delta;
  if (!Number.isSafeInteger(sum)) return Number.NaN;
  const unit = findTally(keyspace, ref, meta, ground.actor);
  if (unit < 0) return Number.NaN;
  const words = keyspace.arena.u32[ref >>> CHUNK_SHIFT];
  const floats = keyspace.arena.f64[ref >>> CHUNK_SHIFT];
  const before = floats[unit + 2];
  const cum = before + delta;
  if (!Number.isSafeInteger(cum)) return Number.NaN;
  const hlc = ground.stamp();
  ground.batch.stringAdd(place.slot, hlc, buf, start, end, cum, dotSeq(words, unit << 1), before);
  writeDot(words, unit << 1, ground.actor, ground.seq);
  floats[unit + 1] = hlc;
  floats[unit + 2] = cum;
  if (ground.touched !== null) ground.touched(latin1(place));
  return sum;
}

/** INCRBY and INCRBYFLOAT of any amount. Returns the value that shows afterwards. */
export function addAmount(ground: Ground, key: Bytes, delta: Amount, float: boolean): Amount {
  ground.checkGrowth();
  const state = stringState(ground, ground.visible(key));
  const text = textOf(ground, state);
  checkSum(text, delta, float, notAnInteger, notAFloat);
  const place = ground.findForWrite(key);
  const held = ground.load(place);
  const next = ground.commit(place, held, prepareStringAdd(held, key, delta, ground.actor));
  return next?.cell ? (cellAmount(next.cell, ground.roster) ?? 0) : 0;
}

/** Throws unless Redis would add `delta` to a value with this text (null: absent). */
export function checkSum(
  text: Bytes | null,
  delta: Amount,
  float: boolean,
  noInteger: () => Error,
  noFloat: () => Error,
): void {
  const current = text === null ? 0 : float ? parseAmount(text) : parseInteger(text);
  if (current === null) {
    if (float && text !== null && isInfinityText(text)) throw infiniteResult();
    throw float ? noFloat() : noInteger();
  }
  const sum = addAmounts(current, delta);
  if (!float && !isInt64(sum)) throw overflow();
  if (float && !isInFloatRange(sum)) throw infiniteResult();
}
