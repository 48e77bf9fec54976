/**
 * Adds an element to a packed block (packed-block.ts) where the block lies. The editor would take the
 * block apart and write all of it anew; here its elements move up by the bytes of one stamp:
 *
 *     n | m | stamps |          elements             n + 1 | m + 1 | stamps | new stamp | elements | new
 *
 * Measured with SADD of new members to sets of some seventy, pipelined by 16: 3.2 µs of CPU
 * instead of 5.3. The result is that of the editor byte for byte (block-append.test.ts).
 */

import type { BlockEditor } from './block-editor.ts';
import { blockKind, hasValues, META_RICH, metaOf } from './entry.ts';
import type { KeyPlace } from './key-place.ts';
import { copyBytes, type Keyspace } from './keyspace.ts';
import {
  HEAD_BYTES,
  PACKED_BYTES_MAX,
  STAMP_BYTES,
  textBytes,
  writeStamp,
  writeText,
} from './packed-block.ts';
import { blockTtl, noteBlockLength, writeTtl } from './packed-collection.ts';

/** Whether the block entry at `ref` has room for one more element with this name and value. */
export function hasRoomForOne(
  keyspace: Keyspace,
  ref: number,
  { elementsMax }: BlockEditor,
  nameLength: number,
  valueLength: number,
): boolean {
  keyspace.locateValue(ref);
  const { bytes, start, end } = keyspace;
  const withValue = hasValues(blockKind(metaOf(keyspace.arena, ref)));
  const more = elementBytes(withValue, nameLength, valueLength) + STAMP_BYTES;
  return bytes[start] < elementsMax && end - start + more <= PACKED_BYTES_MAX;
}

/**
 * Adds an element with a stamp of its own, for which there must be room, to the block entry at
 * `place`, which is no sorted set. Its name must not be there. In a set the value is not looked at.
 */
export function appendToBlock(
  keyspace: Keyspace,
  place: KeyPlace,
  name: Uint8Array,
  nameStart: number,
  nameEnd: number,
  value: Uint8Array,
  valueStart: number,
  valueEnd: number,
  actor: number,
  seq: number,
  hlc: number,
): void {
  const meta = metaOf(keyspace.arena, place.ref);
  const withValue = hasValues(blockKind(meta));
  keyspace.locateValue(place.ref);
  const from = keyspace.bytes;
  const { start, end } = keyspace;
  const length = end - start;
  const stampCount = from[start + 1];
  const headBytes = HEAD_BYTES + stampCount * STAMP_BYTES;
  const more = elementBytes(withValue, nameEnd - nameStart, valueEnd - valueStart) + STAMP_BYTES;
  let bytes = from;
  let at = start;
  if (noteBlockLength(keyspace, place.ref, length + more)) {
    from.copyWithin(start + headBytes + STAMP_BYTES, start + headBytes, end);
  } else {
    const ttl = blockTtl(keyspace, place.ref);
    const ref = keyspace.shape(place, meta & 0xff, META_RICH, length + more);
    keyspace.locateValue(ref);
    bytes = keyspace.bytes;
    at = keyspace.start;
    // The block has just been freed: but for its first word it is as it was.
    copyBytes(from, start, start + headBytes, bytes, at);
    copyBytes(from, start + headBytes, end, bytes, at + headBytes + STAMP_BYTES);
    if (ttl !== null) writeTtl(keyspace, ref, ttl);
  }
  bytes[at]++;
  bytes[at + 1]++;
  writeStamp(bytes, at + headBytes, actor, seq, hlc);
  at += length + STAMP_BYTES;
  bytes[at] = stampCount;
  at = writeText(bytes, at + 1, name, nameStart, nameEnd);
  if (withValue) writeText(bytes, at, value, valueStart, valueEnd);
}

function elementBytes(withValue: boolean, nameLength: number, valueLength: number): number {
  return 1 + textBytes(nameLength) + (withValue ? textBytes(valueLength) : 0);
}
