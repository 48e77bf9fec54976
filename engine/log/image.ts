/**
 * An image is all slots of a member in one file, written a few slots at a time while the member
 * goes on serving. It is fuzzy: slot 0 is older than slot 16383. That does no harm, because every
 * slot carries the vector that it was captured at, and recovery replays the log from the position
 * where the image began: ops that a slot had already seen are skipped for that slot only.
 *
 *     header (vector V0, position P) · SLOT_STATE … · IMAGE_END JSON { slots }
 *
 * Written to `.part`, synced, then, when the log is synced up to the moment of the last capture,
 * renamed: an image with its final name is complete and knows no op that the log could still lose.
 * After that the segments before P and older images are removed.
 */

import type { Db } from '../core/db.ts';
import type { VersionVector } from '../crdt/version-vector.ts';
import type { Disk } from '../env.ts';
import { FRAME_KIND } from '../op/op.ts';
import { sealFrame, sealJson } from './frame.ts';
import { filePositions, imageName, LOG_FORMAT, sealHeader, segmentName } from './segment.ts';
import { vectorObject } from './vector-bytes.ts';

/** Bytes captured in one tick: about a millisecond of work. */
const TICK_BYTES = 128 * 1024;
/** Slots looked at in one tick, most of them may be empty. */
const TICK_SLOTS = 512;
export const SLOT_COUNT = 16_384;

export type ImageOptions = {
  readonly disk: Disk;
  readonly db: Db;
  readonly database: string;
  readonly region: string;
  readonly position: number;
  readonly vector: VersionVector;
  /** Makes the log safe up to now. An image must never know an op that the log may yet lose. */
  readonly syncLog: (done: () => void) => void;
  /** The image is in place; its bytes are given. */
  readonly finished: (bytes: number) => void;
};

/** Writes one image; call `tick` until it has called `finished`. */
export class ImageWriter {
  private readonly options: ImageOptions;
  private readonly part: string;
  private slot = 0;
  private slots = 0;
  private bytes = 0;
  private sealed = false;

  constructor(options: ImageOptions) {
    this.options = options;
    this.part = `${imageName(options.position)}.part`;
    const { disk, database, region, position, vector, db } = options;
    disk.remove(this.part);
    const named = vectorObject(vector, db.roster);
    const header = { format: LOG_FORMAT, kind: 'image', database, region, position } as const;
    this.write([sealHeader({ ...header, previous: -1, vector: named })]);
  }

  /** Captures the next slots. */
  tick(): void {
    if (this.sealed) return;
    const frames: Uint8Array[] = [];
    let bytes = 0;
    const until = Math.min(SLOT_COUNT, this.slot + TICK_SLOTS);
    while (this.slot < until && bytes < TICK_BYTES) {
      const body = this.capture(this.slot++);
      if (body === null) continue;
      const frame = sealFrame(FRAME_KIND.slotState, body);
      frames.push(frame);
      bytes += frame.length;
      this.slots++;
    }
    if (this.slot === SLOT_COUNT) frames.push(sealJson(FRAME_KIND.imageEnd, { slots: this.slots }));
    if (frames.length > 0) this.write(frames);
    if (this.slot === SLOT_COUNT) this.finish();
  }

  /** An empty slot is left out, unless a state merge has brought it ahead of the vector. */
  private capture(slot: number): Uint8Array | null {
    const { db } = this.options;
    const body = db.exportSlot(slot);
    if (body !== null || db.exceptionCount === 0) return body;
    const vector = db.slotVector(slot);
    return vector === db.vector ? null : db.emptySlot(slot, vector);
  }

  private finish(): void {
    this.sealed = true;
    const { disk, position, finished, syncLog } = this.options;
    disk.sync(this.part, (error) => {
      if (error !== null) throw error;
      syncLog(() => {
        disk.rename(this.part, imageName(position));
        removeBefore(disk, position);
        finished(this.bytes);
      });
    });
  }

  private write(frames: readonly Uint8Array[]): void {
    const bytes = Buffer.concat(frames);
    this.bytes += bytes.length;
    this.options.disk.append(this.part, bytes);
  }
}

/** Compaction: an image at `position` replaces all segments and images before it. */
export function removeBefore(disk: Disk, position: number): void {
  const names = disk.list();
  for (const old of filePositions(names, 'image')) {
    if (old < position) disk.remove(imageName(old));
  }
  for (const old of filePositions(names, 'segment')) {
    if (old < position) disk.remove(segmentName(old));
  }
}
