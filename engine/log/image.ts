/**
 * An image is all slots of a member in one file, written a few slots at a time while the member
 * goes on serving. It is fuzzy: slot 0 is older than slot 16383. That does no harm, because every
 * slot carries the vector that it was captured at, and recovery replays the log from the position
 * where the image began: ops that a slot had already seen are skipped for that slot only.
 *
 *     header (vector V0, position P) · SLOT_STATE … · IMAGE_END JSON { slots, needs }
 *
 * A slot's vector leaves out what V0 covers: V0 is joined to all of them. So an image does not grow
 * by slots times actors.
 *
 * Written to `.part`, synced, then, when the log is synced up to the moment of the last capture,
 * renamed: an image with its final name is complete and knows no op that the log could still lose.
 * After that the segments before P and older images are removed.
 *
 * `needs` is the position of the log at the last capture. A log that ends before it belongs to a disk that
 * had not stored what it said: then slots show different moments and nothing brings them to one.
 * Recovery refuses that (docs/decisions/0014-an-image-names-the-log-it-needs.md).
 *
 * Two things keep it from disturbing. A step captures for a millisecond at most. And the bytes go
 * to the disk by threads of the runtime, from two buffers in turns, with a sync every few MB: a
 * sync of the log that met hundreds of MB of the image in the page cache would wait for all of them.
 *
 * No fault of the disk here says anything about the log. So an image that cannot be written is given
 * up, its bytes are removed, and the member goes on; the log has everything. An image also gives up
 * before it takes the last room from the log.
 */

import type { Db } from '../core/db.ts';
import type { VersionVector } from '../crdt/version-vector.ts';
import { type Disk, DiskError } from '../env.ts';
import { ByteWriter } from '../op/byte-writer.ts';
import { FRAME_HEADER_BYTES, FRAME_KIND } from '../op/op.ts';
import { sealInPlace, sealJson } from './frame.ts';
import { filePositions, imageName, LOG_FORMAT, sealHeader, segmentName } from './segment.ts';
import { vectorObject } from './vector-bytes.ts';

/** What one step captures at most, whichever comes first. */
const STEP_MS = 1;
const STEP_BYTES = 256 * 1024;
/** Slots looked at in one step, most of them may be empty. */
const STEP_SLOTS = 512;
/** Captured between two looks at the clock, some 10 µs: a look may itself take several of them. */
const CLOCK_BYTES = 2 * 1024;
/** Handed to the disk at once. */
const WRITE_BYTES = 1024 * 1024;
/** A buffer that a large slot has made greater than this is given back. */
const KEPT_BYTES_MAX = 4 * 1024 * 1024;
/** At most so much of an image waits in the page cache. */
const SYNC_BYTES = 8 * 1024 * 1024;
export const SLOT_COUNT = 16_384;

export type ImageOptions = {
  /** Whose failures end nothing: see above. */
  readonly disk: Disk;
  readonly db: Db;
  readonly database: string;
  readonly region: string;
  readonly position: number;
  readonly vector: VersionVector;
  /** Where the log ends now; all that `db` holds must be in it. */
  readonly logPosition: () => number;
  /** Room that must stay for the log. */
  readonly reserveBytes: number;
  /** CPU time where it is known: a step that had to wait for a core has done nothing yet. */
  readonly spentMs: () => number;
  /** Makes the log safe up to now. An image must never know an op that the log may yet lose. */
  readonly syncLog: (done: () => void) => void;
  /** The image is in place; its bytes are given. */
  readonly finished: (bytes: number) => void;
  /** It was given up, for this reason. */
  readonly failed: (reason: string) => void;
};

/** Writes one image; call `step` until it has called `finished` or `failed`. */
export class ImageWriter {
  private readonly options: ImageOptions;
  private readonly part: string;
  private filling = new ByteWriter(WRITE_BYTES + STEP_BYTES);
  private flying = new ByteWriter(WRITE_BYTES + STEP_BYTES);
  private slot = 0;
  /** Slots before this one were prepared. */
  private fetched = 0;
  private slots = 0;
  private bytes = 0;
  private unsyncedBytes = 0;
  private started = false;
  /** The disk is at work for us. */
  private busy = false;
  private syncing = false;
  private sealed = false;
  private over = false;

  constructor(options: ImageOptions) {
    this.options = options;
    this.part = `${imageName(options.position)}.part`;
    const { database, region, position, vector, db } = options;
    const named = vectorObject(vector, db.roster);
    const header = { format: LOG_FORMAT, kind: 'image', database, region, position } as const;
    this.add(sealHeader({ ...header, previous: -1, vector: named }));
  }

  /** The device is at work for the image: writes of others may have to wait. */
  get isSyncing(): boolean {
    return this.syncing;
  }

  /** Captures the next slots, unless the disk is behind. */
  step(): void {
    if (this.sealed || this.over) return;
    if (!this.started) this.start();
    const { filling } = this;
    const { spentMs, logPosition, db } = this.options;
    const bytesMax = Math.min(filling.length + STEP_BYTES, WRITE_BYTES);
    const until = Math.min(SLOT_COUNT, this.slot + STEP_SLOTS);
    const endMs = spentMs() + STEP_MS;
    let lookAt = filling.length + CLOCK_BYTES;
    while (this.slot < until && filling.length < bytesMax) {
      if (this.slot >= this.fetched) this.fetched = db.states.prefetchSlots(this.slot);
      this.capture(this.slot++);
      if (filling.length < lookAt) continue;
      if (spentMs() >= endMs) break;
      lookAt = filling.length + CLOCK_BYTES;
    }
    if (this.slot === SLOT_COUNT) {
      this.add(sealJson(FRAME_KIND.imageEnd, { slots: this.slots, needs: logPosition() }));
      this.sealed = true;
    }
    this.pump();
  }

  /** An image that was given up may have left a file of that name. */
  private start(): void {
    this.started = true;
    this.busy = true;
    this.options.disk.removeLater(this.part, (error) => this.diskEnded(error));
  }

  /** The member stops: nothing is called any more. */
  abandon(): void {
    this.over = true;
  }

  /**
   * Adds the slot's frame. An empty slot is left out, unless a state merge has brought it ahead of the
   * vector.
   */
  private capture(slot: number): void {
    const { db, vector } = this.options;
    if (db.slotSize(slot) === 0 && !db.states.isAhead(slot)) return;
    const start = this.filling.length;
    this.filling.reserve(FRAME_HEADER_BYTES);
    this.filling.length += FRAME_HEADER_BYTES;
    db.states.writeSlot(this.filling, slot, vector);
    sealInPlace(FRAME_KIND.slotState, this.filling, start);
    this.slots++;
  }

  private add(frame: Uint8Array): void {
    const { filling } = this;
    filling.reserve(frame.length);
    filling.copyReserved(frame, 0, frame.length);
  }

  /** Gives the disk its next piece of work, if it has none. */
  private pump(): void {
    if (this.busy || this.over) return;
    if (this.unsyncedBytes >= SYNC_BYTES) this.sync();
    else if (this.filling.length >= WRITE_BYTES || (this.sealed && this.filling.length > 0)) {
      this.write();
    } else if (this.sealed) this.unsyncedBytes > 0 ? this.sync() : this.finish();
  }

  private write(): void {
    const { disk } = this.options;
    [this.filling, this.flying] = [this.flying, this.filling];
    const { bytes, length } = this.flying;
    this.busy = true;
    disk.appendLater(this.part, bytes.subarray(0, length), (error) => {
      this.bytes += length;
      this.unsyncedBytes += length;
      this.flying.length = 0;
      if (bytes.length > KEPT_BYTES_MAX) this.flying = new ByteWriter(WRITE_BYTES + STEP_BYTES);
      this.diskEnded(error);
    });
  }

  private sync(): void {
    const { disk, reserveBytes } = this.options;
    this.busy = true;
    this.syncing = true;
    disk.sync(this.part, (error) => {
      this.syncing = false;
      this.unsyncedBytes = 0;
      const problem = error ?? describeLackOfRoom(disk, 0, reserveBytes);
      this.diskEnded(problem);
    });
  }

  private finish(): void {
    const { disk, position, finished, syncLog } = this.options;
    this.busy = true;
    syncLog(() => {
      if (this.over) return;
      disk.rename(this.part, imageName(position), (error) => {
        if (error !== null) {
          this.diskEnded(error);
          return;
        }
        this.over = true;
        removeBefore(disk, position);
        finished(this.bytes);
      });
    });
  }

  private diskEnded(error: DiskError | null): void {
    if (this.over) return;
    this.busy = false;
    if (error === null) {
      this.pump();
      return;
    }
    this.over = true;
    // What cannot be removed now is removed by the next start.
    this.options.disk.removeLater(this.part, () => {});
    this.options.failed(error.message);
  }
}

/** Why there is no room for so many bytes more beside the reserve; null: there is. */
export function describeLackOfRoom(
  disk: Disk,
  bytes: number,
  reserveBytes: number,
): DiskError | null {
  const free = disk.freeBytes();
  if (free >= bytes + reserveBytes) return null;
  return new DiskError(
    `write an image of ${bytes} bytes or more: ${free} bytes are free, of which ${reserveBytes} are the log's`,
  );
}

/**
 * Compaction: an image at `position` replaces all segments and images before it. One file after
 * the other; what cannot be removed now is tried again by the next image.
 */
export function removeBefore(disk: Disk, position: number): void {
  const names = disk.list();
  const old = [
    ...filePositions(names, 'image').map((at) => ({ at, name: imageName(at) })),
    ...filePositions(names, 'segment').map((at) => ({ at, name: segmentName(at) })),
  ].filter(({ at }) => at < position);
  const next = (): void => {
    const file = old.shift();
    if (file !== undefined) disk.removeLater(file.name, next);
  };
  next();
}
