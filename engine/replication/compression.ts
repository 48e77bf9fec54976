/**
 * Frames of a session, compressed together (`--peer-compression zstd`).
 *
 *     kind  name        from     body (little-endian)
 *       37  COMPRESSED  server   u32 bytes of the frames · zstd of whole frames, one after the other
 *
 * A server sends it instead of the frames themselves to a puller that has the feature `zstd`. The puller takes them
 * as if they had come one by one; flow control counts their own bytes. What is inside is bounded: a lie
 * about its size ends the session and costs no memory.
 */

import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { limits } from '../limits.ts';
import { FrameReader, frameBody, frameKind, sealFrame } from '../log/frame.ts';
import { MESSAGE } from './message.ts';

/** The quickest level: links between regions are slow, but not so slow that more work pays. */
const LEVEL = 1;
/** Fewer bytes are not worth the call. */
const BYTES_MIN = 256;

/** The frames as one COMPRESSED frame; null: it would not be smaller. */
export function compressFrames(frames: Uint8Array): Uint8Array | null {
  if (frames.length < BYTES_MIN || frames.length > limits.compressedBytesMax.value) return null;
  const packed = zstdCompressSync(frames, {
    params: { [constants.ZSTD_c_compressionLevel]: LEVEL },
  });
  if (packed.length > frames.length * 0.95) return null;
  const body = new Uint8Array(4 + packed.length);
  new DataView(body.buffer).setUint32(0, frames.length, true);
  body.set(packed, 4);
  return sealFrame(MESSAGE.compressed, body);
}

/** The frames in a COMPRESSED frame, each in a buffer of its own; or what is wrong with it. */
export function readCompressed(frame: Uint8Array): Uint8Array[] | string {
  const body = frameBody(frame);
  if (body.length < 4) return 'a COMPRESSED cut short';
  const length = new DataView(body.buffer, body.byteOffset).getUint32(0, true);
  const most = limits.compressedBytesMax.value;
  if (length > most) return `a COMPRESSED of ${length} bytes, at most ${most} allowed`;
  let bytes: Uint8Array;
  try {
    bytes = zstdDecompressSync(body.subarray(4), { maxOutputLength: Math.max(1, length) });
  } catch (error) {
    return `a COMPRESSED that cannot be read: ${(error as Error).message}`;
  }
  if (bytes.length !== length) return `a COMPRESSED of ${bytes.length} bytes, not ${length}`;
  const frames: Uint8Array[] = [];
  let whole = 0;
  const problem = new FrameReader(most).push(bytes, (inner) => {
    whole += inner.length;
    frames.push(inner);
    return true;
  });
  if (problem !== null) return `a COMPRESSED that holds no frames: ${problem}`;
  if (whole !== length) return 'a COMPRESSED whose last frame is cut short';
  if (frames.some((inner) => frameKind(inner) === MESSAGE.compressed))
    return 'a COMPRESSED in another';
  return frames;
}
