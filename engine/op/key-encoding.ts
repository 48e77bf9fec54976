/**
 * The canonical encoding of a key's state: equal states give equal bytes, on every member, so that
 * bytes can be compared instead of states.
 *
 *     u8 version 1 | u8 parts (1 cell, 2 set, 4 hash, 8 TTL, 16 sorted set, 32 list, 64 stream, 128 HyperLogLog) |
 *     the parts, TTL last
 *
 *     cell     u16 n × (dot | f64 hlc | value)                          siblings
 *              u16 n × (dot | f64 hlc | amount cum | u48 seq, amount cum of the floor)
 *     set      u32 n × (member | u16 n × (dot | f64 hlc))
 *     hash     u32 n × (field | cell)
 *     zset     as hash; each sibling's value is a score (crdt/score.ts)
 *     stream   stream-encoding.ts
 *     HLL      u16 n × (dot | f64 hlc | u16 n × (dot | f64 hlc) | registers)      instances, their writers
 *     fieldTTL u32 n × (field | u16 n × (dot | f64 hlc | f64 expiry | u16 n × dot))    dots of data
 *     list     list-encoding.ts
 *     TTL      u16 n × (dot | f64 hlc | f64 expiry)
 *
 * Dots, amounts and texts as in byte-writer.ts. Everything is sorted: dots by dictionary index (a
 * list has at most one of each actor), members and fields by their bytes. The dictionary lists the actors by id, so its order is the
 * same everywhere too; the caller stores it once for many keys.
 */

import type { Cell, Contribution, Sibling } from '../crdt/cell.ts';
import type { Actor, Bytes, Dot, StampedDot } from '../crdt/dot.ts';
import type { ElementDot, SetState } from '../crdt/element-set.ts';
import type { HashState } from '../crdt/field-map.ts';
import { type FieldTtls, type FieldTtlWrite, pruneFieldTtls } from '../crdt/field-ttl.ts';
import type { HllInstance, HllState } from '../crdt/hyperloglog.ts';
import { emptyKeyState, type KeyState } from '../crdt/key-state.ts';
import { PART_NAMES, type PartName, type PartStates, partNamed } from '../crdt/part.ts';
import {
  DENSE_BYTES,
  describeBadRegisters,
  NO_REGISTERS,
  packRegisters,
  unpackRegisters,
} from '../crdt/registers.ts';
import { actorId, type Roster } from '../crdt/roster.ts';
import { isScore } from '../crdt/score.ts';
import type { TtlWrite } from '../crdt/ttl.ts';
import { ByteReader } from './byte-reader.ts';
import { ByteWriter } from './byte-writer.ts';
import { listEncoding } from './list-encoding.ts';
import { KEY_BYTES_MAX, VALUE_BYTES_MAX } from './op.ts';
import { streamEncoding } from './stream-encoding.ts';

export const KEY_ENCODING_VERSION = 1;
/** With u16 parts; only of keys that need them, so that every key has one encoding. */
export const WIDE_ENCODING_VERSION = 2;

/** Bits of the second byte. */
export const PART = {
  cell: 1,
  set: 2,
  hash: 4,
  ttl: 8,
  zset: 16,
  list: 32,
  stream: 64,
  hll: 128,
  fieldTtl: 256,
} as const satisfies Record<PartName | 'ttl' | 'fieldTtl', number>;
const PARTS_KNOWN = Object.values(PART).reduce((bits, bit) => bits | bit, 0);
const STAMP_BYTES = 16;

/** Actors in the order of their ids, and the way back. */
export type ActorDictionary = {
  readonly actors: readonly Actor[];
  readonly indexes: ReadonlyMap<Actor, number>;
};

/** The dictionary of these actors; the order in which they are given does not matter. */
export function dictionaryOf(roster: Roster, actors: Iterable<Actor>): ActorDictionary {
  const sorted = [...new Set(actors)].sort((a, b) =>
    actorId(roster, a) < actorId(roster, b) ? -1 : 1,
  );
  return { actors: sorted, indexes: new Map(sorted.map((actor, index) => [actor, index])) };
}

/** Adds every actor that the state names to `actors`. */
export function collectActors(state: KeyState, actors: Set<Actor>): void {
  const add = (dots: readonly Dot[]): void => {
    for (const dot of dots) actors.add(dot.actor);
  };
  for (const name of PART_NAMES) {
    const part = state[name];
    if (part === null) continue;
    const { eachActor, eachStamp } = partNamed(name);
    if (eachActor !== undefined) eachActor(part, (actor) => actors.add(actor));
    else eachStamp(part, ({ actor }) => actors.add(actor));
  }
  add(state.ttl);
  for (const writes of state.fieldTtl?.writes.values() ?? []) add(writes);
}

/** Adds every actor that the cell names to `actors`. */
export function addCellActors({ siblings, contributions }: Cell, actors: Set<Actor>): void {
  for (const { actor } of siblings) actors.add(actor);
  for (const { actor } of contributions) actors.add(actor);
}

/** The bytes of a state all of whose actors are in the dictionary. */
export function encodeKey(state: KeyState, dictionary: ActorDictionary): Uint8Array {
  const out = new ByteWriter(256);
  writeKey(out, state, dictionary);
  return out.toBytes();
}

/** The state of these bytes, or what is wrong with them. */
export function decodeKey(
  bytes: Uint8Array,
  dictionary: ActorDictionary,
): KeyState | { problem: string } {
  const reader = new ByteReader(bytes);
  const state = readKey(reader, dictionary.actors);
  if (reader.problem === null && reader.at !== reader.end) reader.fail('bytes left over');
  return reader.problem === null ? state : { problem: reader.problem };
}

/** Appends the encoding of a state. */
export function writeKey(out: ByteWriter, state: KeyState, dictionary: ActorDictionary): void {
  const { indexes } = dictionary;
  out.u8(state.fieldTtl === null ? KEY_ENCODING_VERSION : WIDE_ENCODING_VERSION);
  let parts = state.ttl.length > 0 ? PART.ttl : 0;
  for (const name of PART_NAMES) if (state[name] !== null) parts |= PART[name];
  if (state.fieldTtl === null) out.u8(parts);
  else out.u16(parts | PART.fieldTtl);
  for (const name of PART_NAMES) {
    const part = state[name];
    if (part !== null) (ENCODINGS[name] as PartEncoding<unknown>).write(out, part, indexes);
  }
  if (state.fieldTtl !== null) writeFieldTtls(out, state.fieldTtl, indexes);
  if (state.ttl.length > 0) writeTtl(out, state.ttl, indexes);
}

/** Reads a state; `actors` by dictionary index. Look at `reader.problem` before using it. */
export function readKey(reader: ByteReader, actors: readonly Actor[]): KeyState {
  const state = emptyKeyState();
  const version = reader.u8();
  const wide = version === WIDE_ENCODING_VERSION;
  if (!wide && version !== KEY_ENCODING_VERSION) reader.fail('a key of unknown version');
  const parts = wide ? reader.u16() : reader.u8();
  if (wide && parts < 256) reader.fail('a key whose parts fit the other version');
  if (parts === 0 || (parts & ~PARTS_KNOWN) !== 0) reader.fail('a key with unknown parts');
  for (const name of PART_NAMES) {
    if ((parts & PART[name]) === 0) continue;
    (state as Record<PartName, unknown>)[name] = ENCODINGS[name].read(reader, actors);
  }
  if ((parts & PART.fieldTtl) !== 0) readFieldTtls(reader, actors, state);
  if ((parts & PART.ttl) !== 0) state.ttl = readTtl(reader, actors);
  return state;
}

export type Indexes = ActorDictionary['indexes'];

/** The bytes of one part; `read` leaves what is wrong in `reader.problem`. */
export type PartEncoding<S> = {
  write(out: ByteWriter, part: S, indexes: Indexes): void;
  read(reader: ByteReader, actors: readonly Actor[]): S;
};

export function sortDots<T extends Dot>(items: readonly T[], indexes: Indexes): readonly T[] {
  if (items.length < 2) return items;
  return [...items].sort((a, b) => indexOf(indexes, a.actor) - indexOf(indexes, b.actor));
}

/** The dictionary index of an actor that is in it. */
export function indexOf(indexes: Indexes, actor: Actor): number {
  const index = indexes.get(actor);
  if (index === undefined) throw new RangeError(`actor ${actor} is not in the dictionary`);
  return index;
}

export function sortKeys<T>(map: ReadonlyMap<Bytes, T>): [Bytes, T][] {
  return [...map].sort(([a], [b]) => (a < b ? -1 : 1));
}

export function writeStamp(out: ByteWriter, item: Dot & { hlc: number }, indexes: Indexes): void {
  out.u16(indexOf(indexes, item.actor));
  out.u48(item.seq);
  out.f64(item.hlc);
}

export function writeCell(out: ByteWriter, cell: Cell, indexes: Indexes): void {
  out.u16(cell.siblings.length);
  for (const sibling of sortDots(cell.siblings, indexes)) {
    writeStamp(out, sibling, indexes);
    out.text(sibling.value);
  }
  out.u16(cell.contributions.length);
  for (const contribution of sortDots(cell.contributions, indexes)) {
    writeStamp(out, contribution, indexes);
    out.amount(contribution.cum);
    out.u48(contribution.floorSeq);
    out.amount(contribution.floorCum);
  }
}

function writeSet(out: ByteWriter, set: SetState, indexes: Indexes): void {
  out.u32(set.size);
  for (const [member, dots] of sortKeys(set)) {
    out.text(member);
    writeDots(out, dots, indexes);
  }
}

export function writeDots(out: ByteWriter, dots: readonly ElementDot[], indexes: Indexes): void {
  out.u16(dots.length);
  for (const dot of sortDots(dots, indexes)) writeStamp(out, dot, indexes);
}

export function writeTtl(out: ByteWriter, writes: readonly TtlWrite[], indexes: Indexes): void {
  out.u16(writes.length);
  for (const write of sortDots(writes, indexes)) {
    writeStamp(out, write, indexes);
    out.f64(write.expiry);
  }
}

function writeHash(out: ByteWriter, hash: HashState, indexes: Indexes): void {
  out.u32(hash.size);
  for (const [field, cell] of sortKeys(hash)) {
    out.text(field);
    writeCell(out, cell, indexes);
  }
}

function writeHll(out: ByteWriter, { instances }: HllState, indexes: Indexes): void {
  out.u16(instances.length);
  for (const instance of sortDots(instances, indexes)) {
    writeStamp(out, instance, indexes);
    writeDots(out, instance.writers, indexes);
    out.text(packRegisters(instance.registers));
  }
}

/** Reads dots by dictionary index, at most one of each actor, and at least `least` of them. */
export function readStamps<T extends Dot>(
  reader: ByteReader,
  actors: readonly Actor[],
  least: number,
  rest: (stamp: { actor: Actor; seq: number; hlc: number }) => T,
): T[] {
  const count = reader.count(16, STAMP_BYTES);
  if (count < least) reader.fail('an empty list of dots');
  const items: T[] = [];
  let lastIndex = -1;
  for (let n = 0; n < count && reader.problem === null; n++) {
    const index = reader.u16();
    const seq = reader.seq();
    const hlc = reader.hlc();
    if (index >= actors.length) reader.fail('an actor that is not in the dictionary');
    if (index <= lastIndex) reader.fail('dots that are not in order of their actors');
    lastIndex = index;
    items.push(rest({ actor: actors[index] ?? 0, seq, hlc }));
  }
  return items;
}

function readCell(reader: ByteReader, actors: readonly Actor[], scores = false): Cell {
  const siblings = readStamps<Sibling>(reader, actors, 0, (stamp) => {
    const value = reader.text(VALUE_BYTES_MAX);
    if (scores && !isScore(value)) reader.fail('a score that is none');
    return { ...stamp, value };
  });
  const contributions = readStamps<Contribution>(reader, actors, 0, (stamp) => {
    const cum = reader.amount();
    const floorSeq = reader.u48();
    if (floorSeq >= stamp.seq) reader.fail('a contribution that is not live');
    return { ...stamp, cum, floorSeq, floorCum: reader.amount() };
  });
  if (siblings.length + contributions.length === 0) reader.fail('an empty cell');
  return { siblings, contributions };
}

/** Reads `u32 n × (name | value)` with names in order, at least `least` of them. */
export function readMap<T>(
  reader: ByteReader,
  bytesEach: number,
  value: () => T,
  least = 1,
): Map<Bytes, T> {
  const count = reader.count(32, bytesEach);
  if (count < least) reader.fail('an empty collection');
  const map = new Map<Bytes, T>();
  let last: Bytes | null = null;
  for (let n = 0; n < count && reader.problem === null; n++) {
    const name = reader.text(KEY_BYTES_MAX);
    if (last !== null && name <= last) reader.fail('names that are not in order');
    last = name;
    map.set(name, value());
  }
  return map;
}

function readSet(reader: ByteReader, actors: readonly Actor[]): SetState {
  return readMap(reader, 6 + STAMP_BYTES, () => readStamps(reader, actors, 1, (stamp) => stamp));
}

function readHash(reader: ByteReader, actors: readonly Actor[]): HashState {
  return readMap(reader, 8 + STAMP_BYTES, () => readCell(reader, actors));
}

function readZset(reader: ByteReader, actors: readonly Actor[]): HashState {
  return readMap(reader, 8 + STAMP_BYTES, () => readCell(reader, actors, true));
}

function readHll(reader: ByteReader, actors: readonly Actor[]): HllState {
  const instances = readStamps<HllInstance>(reader, actors, 1, (stamp) => {
    const writers = readStamps<StampedDot>(reader, actors, 1, (writer) => writer);
    const packed = reader.text(DENSE_BYTES);
    const problem = describeBadRegisters(packed);
    if (problem !== null) reader.fail(problem);
    return {
      ...stamp,
      writers,
      registers: problem === null ? unpackRegisters(packed) : NO_REGISTERS,
    };
  });
  return { instances };
}

/** Data that TTL writes name has an actor in the dictionary, for it is there. */
function writeFieldTtls(out: ByteWriter, { writes }: FieldTtls, indexes: Indexes): void {
  out.u32(writes.size);
  for (const [field, ofField] of sortKeys(writes)) {
    out.text(field);
    out.u16(ofField.length);
    for (const write of sortDots(ofField, indexes)) {
      writeStamp(out, write, indexes);
      out.f64(write.expiry);
      const saw = write.saw
        .map(({ actor, seq }) => [indexOf(indexes, actor), seq] as const)
        .sort((a, b) => a[0] - b[0] || a[1] - b[1]);
      out.u16(saw.length);
      for (const [index, seq] of saw) {
        out.u16(index);
        out.u48(seq);
      }
    }
  }
}

function readFieldTtls(reader: ByteReader, actors: readonly Actor[], state: KeyState): void {
  const writes = readMap(reader, 8 + STAMP_BYTES, () =>
    readStamps<FieldTtlWrite>(reader, actors, 1, (stamp) => {
      const expiry = readExpiry(reader);
      return { ...stamp, expiry, saw: readSaw(reader, actors) };
    }),
  );
  const ttls: FieldTtls = { writes, changes: 0 };
  if (reader.problem === null) pruneFieldTtls(ttls, state.hash, null);
  if (ttls.changes > 0) reader.fail('a field TTL about data that is not there');
  state.fieldTtl = ttls;
}

/** Dots in order of index and seq, at least one. */
function readSaw(reader: ByteReader, actors: readonly Actor[]): Dot[] {
  const count = reader.count(16, 8);
  if (count === 0) reader.fail('a field TTL about nothing');
  const saw: Dot[] = [];
  let [lastIndex, lastSeq] = [-1, 0];
  for (let n = 0; n < count && reader.problem === null; n++) {
    const [index, seq] = [reader.u16(), reader.seq()];
    if (index >= actors.length) reader.fail('an actor that is not in the dictionary');
    if (index < lastIndex || (index === lastIndex && seq <= lastSeq)) {
      reader.fail('dots that are not in order');
    }
    [lastIndex, lastSeq] = [index, seq];
    saw.push({ actor: actors[index] ?? 0, seq });
  }
  return saw;
}

function readExpiry(reader: ByteReader): number {
  const expiry = reader.f64();
  const isTime = expiry === Number.POSITIVE_INFINITY || Number.isInteger(expiry);
  if (!isTime || expiry < 0) reader.fail('an expiry that is no time');
  return expiry;
}

function readTtl(reader: ByteReader, actors: readonly Actor[]): TtlWrite[] {
  return readStamps(reader, actors, 1, (stamp) => ({ ...stamp, expiry: readExpiry(reader) }));
}

const ENCODINGS: { readonly [N in PartName]: PartEncoding<PartStates[N]> } = {
  cell: { write: writeCell, read: readCell },
  set: { write: writeSet, read: readSet },
  hash: { write: writeHash, read: readHash },
  zset: { write: writeHash, read: readZset },
  list: listEncoding,
  stream: streamEncoding,
  hll: { write: writeHll, read: readHll },
};
