/**
 * A list of slots with one vector: "these slots hold what they held, and it is their state at this vector
 * too". Said by the sender of a state of slots that it need not ship, and kept in the log.
 *
 *     u16 n · n × u16 slot, ascending · vector
 */

import type { Roster } from '../crdt/roster.ts';
import type { VersionVector } from '../crdt/version-vector.ts';
import { SLOT_COUNT } from '../keyspace/slot.ts';
import { ByteReader } from '../op/byte-reader.ts';
import { decodeVector, encodeVector } from './vector-bytes.ts';

export type SlotsSame = { readonly slots: readonly number[]; readonly vector: VersionVector };

export function encodeSlotsSame({ slots, vector }: SlotsSame, roster: Roster): Uint8Array {
  const tail = encodeVector(vector, roster);
  const bytes = new Uint8Array(2 + slots.length * 2 + tail.length);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, slots.length, true);
  for (const [n, slot] of slots.entries()) view.setUint16(2 + n * 2, slot, true);
  bytes.set(tail, 2 + slots.length * 2);
  return bytes;
}

/** The list, or what is wrong with the bytes. */
export function decodeSlotsSame(body: Uint8Array, roster: Roster): SlotsSame | string {
  const reader = new ByteReader(body);
  const slots: number[] = [];
  const count = reader.count(16, 2);
  for (let n = 0; n < count && reader.problem === null; n++) {
    const slot = reader.u16();
    if (slot >= SLOT_COUNT || slot <= (slots.at(-1) ?? -1)) reader.fail('slots out of order');
    slots.push(slot);
  }
  if (reader.problem !== null) return `a bad list of equal slots: ${reader.problem}`;
  const vector = decodeVector(body, reader.at, roster);
  return typeof vector === 'string' ? vector : { slots, vector };
}
