/**
 * A slot's state into a fresh database: what recovery does with each slot of an image.
 *
 * `decodeSlot` and `replaceSlot` would do it too, by way of a state and a map entry for each key. Here
 * nothing is merged and nothing of the slot is there, so a plain string goes from the bytes into
 * the arena, and its key is hashed once. All is checked as there.
 */

import { newKeyPlace } from '../keyspace/key-place.ts';
import { slotOf } from '../keyspace/slot.ts';
import { ByteReader } from '../op/byte-reader.ts';
import { readKey } from '../op/key-encoding.ts';
import { KEY_BYTES_MAX } from '../op/op.ts';
import type { Ground } from './ground.ts';
import { restorePlainKey } from './plain-bytes.ts';
import { readSlotHead, SLOT_KEY_BYTES_MIN } from './slot-transfer.ts';

/**
 * Puts a SLOT_STATE body into its slot, which must be empty; the body's vector becomes the slot's
 * exception. Returns what is wrong, or null; after an error a part may be there.
 */
export function restoreSlot(ground: Ground, body: Uint8Array): string | null {
  const { keyspace, roster } = ground;
  const reader = new ByteReader(body);
  const { slot, vector, actors } = readSlotHead(reader, roster);
  if (reader.problem === null && keyspace.slots.counts[slot] > 0) reader.fail('a slot comes twice');
  const count = reader.count(32, SLOT_KEY_BYTES_MIN);
  const { bytes } = reader;
  const place = newKeyPlace();
  let [previousStart, previousEnd] = [0, -1];
  for (let n = 0; n < count && reader.problem === null; n++) {
    const length = reader.u32();
    const start = reader.at;
    const end = start + length;
    if (length > KEY_BYTES_MAX || end > reader.end) {
      reader.fail('a key beyond the end');
      break;
    }
    const isFirst = previousEnd < 0;
    if (!isFirst && bytes.compare(bytes, previousStart, previousEnd, start, end) <= 0) {
      reader.fail('keys that are not in order');
    } else if (slotOf(bytes, start, end) !== slot) reader.fail('a key of another slot');
    if (reader.problem !== null) break;
    [previousStart, previousEnd] = [start, end];
    reader.at = end;
    place.buf = bytes;
    place.start = start;
    place.end = end;
    place.slot = slot;
    place.ref = 0;
    place.hash = keyspace.hash.of(bytes, start, end);
    if (restorePlainKey(reader, actors, keyspace, place)) continue;
    const state = readKey(reader, actors);
    if (reader.problem === null) ground.store(ground.find(bytes, start, end), state, -1);
  }
  if (reader.problem === null && reader.at !== reader.end) reader.fail('bytes left over');
  if (reader.problem !== null) return `bad slot state: ${reader.problem}`;
  ground.exceptions.set(slot, vector);
  return null;
}
