/**
 * What a connection has written and seen, as a short text that travels with a user from region to
 * region: `CRDT.TOKEN` gives one, `CRDT.AFTER` waits until a member has applied what it names.
 *
 * A token is a version vector, and says for which slots: a region of several shards has one vector
 * for each, and the region where the token is shown may be cut into shards otherwise. A member must
 * reach every part that overlaps its own slots; others concern its neighbours.
 *
 *     text     "m1." and the bytes below in base64url; the 1 is the version
 *     offset   0  u32  crc32 of all that follows
 *              4       database, as u32 length and bytes
 *                 u16  n, n × part:
 *                        u16 first slot · u16 last slot
 *                        u16 m, m × (12 bytes actor id, f64 seq), by id
 *
 * Tokens come from clients: reading one changes nothing here, and never enters its actors into the
 * roster, which a stranger could fill up so. An actor that this member never heard of is simply one
 * whose ops have not come yet.
 */

import { crc32 } from 'node:zlib';
import type { Bytes } from '../crdt/dot.ts';
import { ACTOR_ID_BYTES, describeBadActorId, findActor, type Roster } from '../crdt/roster.ts';
import { covers, type VersionVector } from '../crdt/version-vector.ts';
import { SLOT_COUNT } from '../keyspace/slot.ts';
import { limits } from '../limits.ts';
import { ByteReader } from '../op/byte-reader.ts';
import { ByteWriter } from '../op/byte-writer.ts';

export type TokenPart = {
  readonly firstSlot: number;
  readonly lastSlot: number;
  /** By id: highest seq. Sorted. */
  readonly seqs: readonly (readonly [id: Bytes, seq: number])[];
};

export type SessionToken = { readonly database: string; readonly parts: readonly TokenPart[] };

const PREFIX = 'm1.';
const SEQ_MAX = 2 ** 48 - 1;
const DATABASE_BYTES_MAX = 512;
const PART_BYTES_MIN = 6;

/** The part of a member: what it has applied to its slots. */
export function tokenPart(
  firstSlot: number,
  lastSlot: number,
  vector: VersionVector,
  roster: Roster,
): TokenPart {
  const seqs: [Bytes, number][] = [];
  for (let actor = 0; actor < vector.length; actor++) {
    if (vector[actor] > 0) seqs.push([roster.ids[actor], vector[actor]]);
  }
  seqs.sort(([a], [b]) => (a < b ? -1 : 1));
  return { firstSlot, lastSlot, seqs };
}

export function writeToken(token: SessionToken): string {
  const out = new ByteWriter(256);
  out.u32(0);
  out.text(Buffer.from(token.database, 'utf8').latin1Slice());
  out.u16(token.parts.length);
  for (const { firstSlot, lastSlot, seqs } of token.parts) {
    out.u16(firstSlot);
    out.u16(lastSlot);
    out.u16(seqs.length);
    for (const [id, seq] of seqs) {
      out.raw(id);
      out.f64(seq);
    }
  }
  const bytes = Buffer.from(out.toBytes());
  bytes.writeUInt32LE(crc32(bytes.subarray(4)), 0);
  return PREFIX + bytes.toString('base64url');
}

/** The token in a text, or what is wrong with it. */
export function readToken(text: string): SessionToken | string {
  const max = limits.tokenBytesMax.value;
  if (text.length > max) return `it has ${text.length} bytes, at most ${max} are allowed`;
  if (!/^m\d+\./.test(text)) return 'it does not begin with "m1."';
  if (!text.startsWith(PREFIX)) return 'its version is not 1, the only one known here';
  const encoded = text.slice(PREFIX.length);
  const bytes = Buffer.from(encoded, 'base64url');
  if (bytes.toString('base64url') !== encoded) return 'it is no base64url';
  if (bytes.length < 4 || crc32(bytes.subarray(4)) !== bytes.readUInt32LE(0)) {
    return 'it is not whole, or was changed';
  }
  const reader = new ByteReader(bytes.subarray(4));
  const name = reader.text(DATABASE_BYTES_MAX);
  const parts: TokenPart[] = [];
  const count = reader.count(16, PART_BYTES_MIN);
  for (let n = 0; n < count && reader.problem === null; n++) parts.push(readPart(reader));
  if (reader.problem === null && reader.at !== reader.end) reader.fail('bytes left over');
  if (reader.problem !== null) return reader.problem;
  return { database: Buffer.from(name, 'latin1').toString('utf8'), parts };
}

function readPart(reader: ByteReader): TokenPart {
  const firstSlot = reader.u16();
  const lastSlot = reader.u16();
  if (firstSlot > lastSlot || lastSlot >= SLOT_COUNT) reader.fail('slots that are none');
  const seqs: [Bytes, number][] = [];
  const count = reader.count(16, ACTOR_ID_BYTES + 8);
  let previous = '';
  for (let n = 0; n < count && reader.problem === null; n++) {
    const id = reader.raw(ACTOR_ID_BYTES);
    const seq = reader.f64();
    const bad = describeBadActorId(id);
    if (bad !== null) reader.fail(bad);
    else if (id <= previous) reader.fail('actors that are not in order');
    else if (!Number.isInteger(seq) || seq < 1 || seq > SEQ_MAX) reader.fail('seq out of range');
    seqs.push([id, seq]);
    previous = id;
  }
  return { firstSlot, lastSlot, seqs };
}

/** Whether a part is about any of these slots. */
export function overlaps(part: TokenPart, firstSlot: number, lastSlot: number): boolean {
  return part.firstSlot <= lastSlot && part.lastSlot >= firstSlot;
}

/** The slots of a token in words: "0-8191, 8192-16383". */
export function slotsOf(token: SessionToken): string {
  return token.parts.map(({ firstSlot, lastSlot }) => `${firstSlot}-${lastSlot}`).join(', ');
}

/** What of a token a member still lacks. Vectors only grow, so what was reached is forgotten. */
export class TokenWatch {
  private readonly missing: (readonly [id: Bytes, seq: number])[];

  constructor(parts: readonly TokenPart[]) {
    this.missing = parts.flatMap(({ seqs }) => seqs);
  }

  /** Whether the member has applied all of it. */
  reached(vector: VersionVector, roster: Roster): boolean {
    const { missing } = this;
    while (missing.length > 0) {
      const [id, seq] = missing[missing.length - 1];
      const actor = findActor(roster, id);
      if (actor === undefined || !covers(vector, actor, seq)) return false;
      missing.pop();
    }
    return true;
  }
}
