/**
 * Files of a member's directory, and how to walk the frames in one.
 *
 *     identity.json               who writes here (identity.ts)
 *     map.json                    the last map that the operator sent
 *     log-<position>.mlog         a segment: header frame, then the log from that position on
 *     image-<position>.mimg       all slots, to be followed by the log from that position on
 *     image-<position>.mimg.part  an image that is being written; worthless after a crash
 *
 * A position counts the bytes of all frames ever appended, headers of files not included, so the
 * segment after this one begins at this one's position plus its bytes without the header. Every
 * image begins where a segment begins.
 *
 * Header body: JSON { format, kind: 'segment' | 'image', database, region, position, previous,
 * vector, safe, fsync }; `previous` is where the segment before began, so that a missing file is noticed;
 * up to `safe` the log had been synced when the segment began, under the policy `fsync`.
 */

import type { FsyncPolicy } from '../config.ts';
import type { Disk } from '../env.ts';
import { limits } from '../limits.ts';
import { FRAME_KIND } from '../op/op.ts';
import { frameJson, frameKind, LOG_KIND, scanFrame, sealJson } from './frame.ts';

export const LOG_FORMAT = 1;
const READ_BYTES = 4 * 1024 * 1024;

export type FileHeader = {
  readonly format: number;
  readonly kind: 'segment' | 'image';
  readonly database: string;
  readonly region: string;
  readonly position: number;
  /** Where the segment before this one began; -1: there was none, or this is an image. */
  readonly previous: number;
  readonly vector: Record<string, number>;
  /** Of segments: the log was synced up to here when this was written. Absent in old ones. */
  readonly safe?: number;
  readonly fsync?: FsyncPolicy;
};

export function segmentName(position: number): string {
  return `log-${String(position).padStart(16, '0')}.mlog`;
}

export function imageName(position: number): string {
  return `image-${String(position).padStart(16, '0')}.mimg`;
}

/** Positions of the files of one kind, ascending. */
export function filePositions(names: readonly string[], kind: 'segment' | 'image'): number[] {
  const pattern = kind === 'segment' ? /^log-(\d{16})\.mlog$/ : /^image-(\d{16})\.mimg$/;
  return names
    .flatMap((name) => {
      const match = pattern.exec(name);
      return match ? [Number(match[1])] : [];
    })
    .sort((a, b) => a - b);
}

export function sealHeader(header: FileHeader): Uint8Array {
  return sealJson(FRAME_KIND.segmentHeader, header);
}

/** The header in a frame, or what is wrong with it. */
export function readHeader(frame: Uint8Array): FileHeader | string {
  if (frameKind(frame) !== FRAME_KIND.segmentHeader) return 'it does not begin with a header';
  const header = frameJson(frame) as FileHeader | undefined;
  if (typeof header !== 'object' || header === null) return 'its header is no JSON';
  if (header.format !== LOG_FORMAT) {
    return `it has format ${header.format}, this engine reads format ${LOG_FORMAT}`;
  }
  return header;
}

/** Where walking a file ended: cleanly, cut short, or at bytes that are no frame. */
export type WalkEnd = {
  readonly kind: 'end' | 'short' | 'bad';
  /** Offset in the file after the last whole frame. */
  readonly offset: number;
  readonly why: string;
};

/** Calls `each` for every whole frame of a file, until it returns false. */
export function walkFrames(
  disk: Disk,
  name: string,
  each: (frame: Uint8Array, offset: number) => boolean,
): WalkEnd {
  const size = disk.size(name);
  let window: Uint8Array = new Uint8Array(0);
  let windowOffset = 0;
  let at = 0;
  for (;;) {
    const scan = scanFrame(window, at, window.length, limits.frameBytesMax.value);
    const offset = windowOffset + at;
    if (scan.kind === 'bad') return { kind: 'bad', offset, why: scan.why };
    if (scan.kind === 'frame') {
      const frame = window.subarray(at, scan.end);
      at = scan.end;
      if (!each(frame, offset)) return { kind: 'end', offset: windowOffset + at, why: '' };
      continue;
    }
    const readTo = windowOffset + window.length;
    if (readTo >= size) {
      const clean = offset === size;
      return { kind: clean ? 'end' : 'short', offset, why: clean ? '' : 'a frame cut short' };
    }
    // Frames given out stay valid as views: a new window never writes over the old one.
    const more = disk.read(name, readTo, Math.max(READ_BYTES, window.length - at));
    const next = new Uint8Array(window.length - at + more.length);
    next.set(window.subarray(at));
    next.set(more, window.length - at);
    windowOffset = offset;
    window = next;
    at = 0;
    if (more.length === 0) return { kind: 'short', offset, why: 'a file shorter than its size' };
  }
}

/** A later frame found by looking further than this is not worth the time. */
const LOOK_AHEAD_BYTES = 16 * 1024 * 1024;
const LOOK_FRAME_BYTES_MAX = 1024 * 1024;
const LOG_KIND_MAX = Math.max(...Object.values(LOG_KIND));

/**
 * Whether a whole frame of the log begins anywhere after `offset`: then the bytes at `offset` are
 * damage in the middle, and not the torn end of the last write.
 */
export function hasFrameAfter(disk: Disk, name: string, offset: number): boolean {
  const bytes = disk.read(name, offset, LOOK_AHEAD_BYTES);
  for (let at = 1; at + 9 < bytes.length; at++) {
    const kind = bytes[at + 8];
    if (kind < 1 || kind > LOG_KIND_MAX) continue;
    if (bytes[at + 3] !== 0 || bytes[at + 2] > 15) continue;
    const scan = scanFrame(bytes, at, bytes.length, LOOK_FRAME_BYTES_MAX);
    if (scan.kind === 'frame') return true;
  }
  return false;
}
