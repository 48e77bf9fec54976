/**
 * The messages that spare equal slots in a state, as frames, for members with the feature `digests`.
 *
 *     kind  name          from     body (little-endian)
 *       36  DIGESTS_ASKED server   u32 epoch
 *       32  SLOT_DIGESTS  puller   u32 epoch · u16 first slot · u16 n · n × 8 bytes
 *       33  SLOTS_SAME    server   u16 n · n × u16 slot · vector (log/slots-same.ts)
 *
 * When asked, the puller sends the digests of all its slots in order, a part at a time. Then STATE_BEGIN comes, the
 * SLOT_STATEs of slots that differ, and the others as lists. Zeros: empty. 8 × 0xff: this slot must be shipped
 * in any case.
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

export function sealDigestsAsked(epoch: number): Uint8Array {
  const out = new ByteWriter(4);
  out.u32(epoch);
  return sealFrame(MESSAGE.digestsAsked, out.toBytes());
}

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
