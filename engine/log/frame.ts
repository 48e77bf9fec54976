/**
 * A frame is the unit of everything that is stored or sent between members: the log on disk, the
 * image, and the sessions of replicas and regions carry the same bytes.
 *
 *     offset  0  u32  length: bytes after the crc field (kind and body), little-endian
 *             4  u32  crc32 of kind and body
 *             8  u8   kind
 *             9       body
 *
 * A reader trusts nothing: a length beyond the limit or a wrong crc ends the reading with words
 * that say which. Memory is taken as bytes arrive, never on the say-so of a length field.
 */

import { crc32 } from 'node:zlib';
import type { ByteWriter } from '../op/byte-writer.ts';
import { FRAME_HEADER_BYTES } from '../op/op.ts';

/** Kinds that only the log has; 1 to 4 are in op.ts, session messages count from 10. */
export const LOG_KIND = { stateEnd: 5, slotsSame: 6, ahead: 7 } as const;

/** A reader gives its memory, up to twice as much, back after a greater frame. */
const KEPT_BYTES_MAX = 1024 * 1024;

/** Body and header in one new buffer. */
export function sealFrame(kind: number, body: Uint8Array): Uint8Array {
  const frame = new Uint8Array(FRAME_HEADER_BYTES + body.length);
  frame.set(body, FRAME_HEADER_BYTES);
  frame[8] = kind;
  const view = new DataView(frame.buffer);
  view.setUint32(0, body.length + 1, true);
  view.setUint32(4, crc32(frame.subarray(8)), true);
  return frame;
}

/** Completes the frame that begins at `start` of `out`: its body was written behind room for the header. */
export function sealInPlace(kind: number, out: ByteWriter, start: number): void {
  const { bytes, view, length } = out;
  bytes[start + 8] = kind;
  view.setUint32(start, length - start - 8, true);
  view.setUint32(start + 4, crc32(bytes.subarray(start + 8, length)), true);
}

/** A frame whose body is JSON in UTF-8. */
export function sealJson(kind: number, value: unknown): Uint8Array {
  return sealFrame(kind, new TextEncoder().encode(JSON.stringify(value)));
}

export function frameKind(frame: Uint8Array): number {
  return frame[8];
}

/** A view on the body of a whole frame. */
export function frameBody(frame: Uint8Array): Uint8Array {
  return frame.subarray(FRAME_HEADER_BYTES);
}

/** The JSON in a frame's body, or undefined when it is none. */
export function frameJson(frame: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(frameBody(frame)));
  } catch {
    return undefined;
  }
}

export type Scan =
  | { readonly kind: 'frame'; readonly end: number }
  | { readonly kind: 'short' }
  | { readonly kind: 'bad'; readonly why: string };

/**
 * Looks for a whole frame at `start` of bytes that end at `end`. 'short': it is cut off (or its
 * length says so); 'bad': it can be no frame.
 */
export function scanFrame(
  bytes: Uint8Array,
  start: number,
  end: number,
  frameBytesMax: number,
): Scan {
  if (end - start < FRAME_HEADER_BYTES) return { kind: 'short' };
  const length = readU32(bytes, start);
  if (length < 1) return { kind: 'bad', why: 'a frame of no length' };
  if (length + 8 > frameBytesMax) {
    return { kind: 'bad', why: `a frame of ${length + 8} bytes, at most ${frameBytesMax} allowed` };
  }
  const frameEnd = start + 8 + length;
  if (frameEnd > end) return { kind: 'short' };
  const expected = readU32(bytes, start + 4);
  const checked = new Uint8Array(bytes.buffer, bytes.byteOffset + start + 8, length);
  const actual = crc32(checked);
  if (actual !== expected) return { kind: 'bad', why: 'a frame whose crc does not match' };
  return { kind: 'frame', end: frameEnd };
}

/**
 * Cuts a stream of chunks into frames. Each frame given out is a buffer of its own, but those of the kind that
 * is *lent*, which most bytes belong to, are views that are good only until `each` returns.
 */
export class FrameReader {
  /** The greatest frame taken; raised once the peer has proved who it is. */
  frameBytesMax: number;
  private readonly lentKind: number;
  private pending = new Uint8Array(0);
  private filled = 0;

  /** `lentKind` -1: none is lent. */
  constructor(frameBytesMax: number, lentKind = -1) {
    this.frameBytesMax = frameBytesMax;
    this.lentKind = lentKind;
  }

  /**
   * Takes the next chunk and calls `each` for every whole frame, until `each` returns false.
   * Returns what is wrong with the stream, or null; after an error the reader must not be used.
   */
  push(chunk: Uint8Array, each: (frame: Uint8Array) => boolean): string | null {
    let at = 0;
    while (at < chunk.length) {
      if (this.filled > 0) {
        at += this.fill(chunk, at);
        const problem = this.checkLength();
        if (problem !== null) return problem;
        if (this.missing() > 0) continue;
        const scan = scanFrame(this.pending, 0, this.filled, this.frameBytesMax);
        if (scan.kind !== 'frame') return scan.kind === 'bad' ? scan.why : 'a frame cut short';
        if (!each(this.takePending())) return null;
        continue;
      }
      const scan = scanFrame(chunk, at, chunk.length, this.frameBytesMax);
      if (scan.kind === 'bad') return scan.why;
      if (scan.kind === 'short') {
        at += this.fill(chunk, at);
        continue;
      }
      const frame = this.given(chunk, at, scan.end);
      at = scan.end;
      if (!each(frame)) return null;
    }
    return null;
  }

  /** The frame that was collected from several chunks. */
  private takePending(): Uint8Array {
    const { pending, filled } = this;
    const frame = this.given(pending, 0, filled);
    this.filled = 0;
    // A view of all of the buffer must not be overwritten: who gets one may take it for the frame's own.
    if (filled > KEPT_BYTES_MAX || filled === pending.length) this.pending = new Uint8Array(0);
    return frame;
  }

  private given(bytes: Uint8Array, start: number, end: number): Uint8Array {
    if (bytes[start + 8] !== this.lentKind) return new Uint8Array(bytes.subarray(start, end));
    // Buffer.subarray costs four times as much in Bun.
    return new Uint8Array(bytes.buffer, bytes.byteOffset + start, end - start);
  }

  /** Copies what the frame at hand still needs; returns how many bytes were taken. */
  private fill(chunk: Uint8Array, at: number): number {
    const take = Math.min(chunk.length - at, this.missing());
    if (this.filled + take > this.pending.length) {
      const bigger = new Uint8Array(Math.max(this.filled + take, this.pending.length * 2, 4096));
      bigger.set(this.pending.subarray(0, this.filled));
      this.pending = bigger;
    }
    this.pending.set(chunk.subarray(at, at + take), this.filled);
    this.filled += take;
    return take;
  }

  private missing(): number {
    if (this.filled < FRAME_HEADER_BYTES) return FRAME_HEADER_BYTES - this.filled;
    return Math.max(0, readU32(this.pending, 0) + 8 - this.filled);
  }

  private checkLength(): string | null {
    if (this.filled < FRAME_HEADER_BYTES) return null;
    const length = readU32(this.pending, 0);
    if (length < 1) return 'a frame of no length';
    if (length + 8 <= this.frameBytesMax) return null;
    return `a frame of ${length + 8} bytes, at most ${this.frameBytesMax} allowed`;
  }
}

function readU32(bytes: Uint8Array, at: number): number {
  return (bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16)) + bytes[at + 3] * 0x1000000;
}
