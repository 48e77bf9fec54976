/**
 * The messages that spare equal slots in a state, as frames, for members with the feature `digests`.
 *
 *     kind  name          from     body (little-endian)
 *       32  SLOT_DIGESTS  puller   u32 epoch · u16 first slot · u16 n · n × 8 bytes
 *       33  SLOTS_SAME    server   u16 n · n × u16 slot · vector (log/slots-same.ts)
 *
 * After STATE_BEGIN the puller sends the digests of all its slots in order, a part at a time; the server
 * answers each part with the SLOT_STATEs of slots that differ, and lists the others. Zeros: empty.
 * 8 × 0xff: this slot must be shipped in any case.
 */

import { FINGERPRINT_BYTES } from '../core/slot-transfer.ts';
import type { Bytes } from '../crdt/dot.ts';
import { SLOT_COUNT } from '../keyspace/slot.ts';
import { frameBody, sealFrame } from '../log/frame.ts';
import { ByteReader } from '../op/byte-reader.ts';
import { ByteWriter } from '../op/byte-writer.ts';
import { MESSAGE } from './message.ts';

/** In the place of a digest: ship the slot. No digest is taken for it. */
export const SHIP_ANYWAY: Bytes = '\xff'.repeat(FINGERPRINT_BYTES);

export type SlotDigests = {
  readonly epoch: number;
  readonly firstSlot: number;
  readonly digests: readonly Bytes[];
};

export function sealSlotDigests({ epoch, firstSlot, digests }: SlotDigests): Uint8Array {
  const out = new ByteWriter(256);
  out.u32(epoch);
  out.u16(firstSlot);
  out.u16(digests.length);
  for (const digest of digests) out.raw(digest);
  return sealFrame(MESSAGE.slotDigests, out.toBytes());
}

export function readSlotDigests(frame: Uint8Array): SlotDigests | string {
  const reader = new ByteReader(frameBody(frame));
  const epoch = reader.u32();
  const firstSlot = reader.u16();
  const count = reader.count(16, FINGERPRINT_BYTES);
  if (firstSlot + count > SLOT_COUNT) reader.fail('slots that are none');
  const digests: Bytes[] = [];
  for (let n = 0; n < count && reader.problem === null; n++) {
    digests.push(reader.raw(FINGERPRINT_BYTES));
  }
  if (reader.problem === null && reader.at !== reader.end) reader.fail('bytes left over');
  return reader.problem === null
    ? { epoch, firstSlot, digests }
    : `a bad SLOT_DIGESTS: ${reader.problem}`;
}
