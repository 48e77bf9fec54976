/**
 * The op log on disk: appends frames to the last segment and knows up to where they are safe.
 *
 * A turn of the event loop appends any number of frames and then flushes once: one write. It is made
 * at once, which takes microseconds, unless the device is at work: while a file is being synced, a write
 * may have to wait until the file system's journal is done, tens of ms on a busy disk. Then a thread
 * makes it, and what comes meanwhile goes with the next one. What "safe" means is the fsync policy:
 *
 *     always    replies wait until `syncedPosition` has passed them. One sync runs at a time, and
 *               the next one covers everything that was written meanwhile (group commit).
 *     everysec  written before the reply, synced each second: a killed process loses nothing, a
 *               machine that loses power at most about a second.
 *     no        written before the reply, synced when the system likes.
 *
 * Segments are synced in order: the end of one segment can be torn only if no later segment was
 * ever synced. Recovery relies on that, and on each segment's header, which says how far that had come.
 */

import type { FsyncPolicy } from '../config.ts';
import type { Roster } from '../crdt/roster.ts';
import type { VersionVector } from '../crdt/version-vector.ts';
import type { Disk } from '../env.ts';
import { LOG_FORMAT, sealHeader, segmentName } from './segment.ts';
import { vectorObject } from './vector-bytes.ts';

export type OpLogOptions = {
  readonly disk: Disk;
  readonly fsync: FsyncPolicy;
  readonly database: string;
  readonly region: string;
  readonly roster: Roster;
  readonly segmentBytesMax: number;
  /** Whether others keep the device busy just now. */
  readonly isBusy: () => boolean;
  /** `safe` has grown, or what was appended can be written now: flush again soon. */
  readonly progressed: () => void;
};

/** A segment's first position and the position after its last frame. */
export type RecoveredSegment = { readonly position: number; readonly end: number };

const SYNC_INTERVAL_MS = 1000;

export class OpLog {
  private readonly options: OpLogOptions;
  private segmentPosition: number;
  private name: string;
  private writtenPosition: number;
  private appendedPosition: number;
  private safePosition: number;
  private readonly staged: Uint8Array[] = [];
  private stagedBytes = 0;
  /** Segments with bytes that were never synced, oldest first; the last one may be the current. */
  private readonly unsynced: { readonly name: string; end: number }[] = [];
  private syncing = false;
  /** A thread writes to the current segment. */
  private writing = false;
  private closed = false;
  private lastSyncAtMs = 0;
  private waiting: { readonly position: number; readonly done: () => void }[] = [];

  /**
   * `segments`: those that were recovered, oldest first. Their bytes were read back, but that does
   * not mean that they were ever synced: a process that was killed leaves them in the page cache.
   * So all are synced again, before anything that comes after them counts as safe; at once with
   * `always`, where the replies to reads wait for that too.
   *
   * `position`: where the log goes on. There may be no segment although there is an image: when all
   * that followed it was a header, and the machine lost power before that was synced. A log that
   * began at 0 then would lie before the image, where the next recovery does not look.
   */
  constructor(options: OpLogOptions, segments: readonly RecoveredSegment[], position: number) {
    this.options = options;
    const last = segments.at(-1) ?? { position, end: position };
    this.segmentPosition = last.position;
    this.name = segmentName(last.position);
    this.writtenPosition = last.end;
    this.appendedPosition = last.end;
    this.safePosition = segments[0]?.position ?? position;
    for (const { position, end } of segments) {
      this.unsynced.push({ name: segmentName(position), end });
    }
    if (options.fsync === 'always') this.sync();
  }

  /** Bytes ever appended. */
  get position(): number {
    return this.appendedPosition;
  }

  /** Up to here the log survives what the policy promises; replies up to here may go out. */
  get safe(): number {
    return this.options.fsync === 'always' ? this.safePosition : this.writtenPosition;
  }

  /** Bytes in the current segment. */
  get segmentBytes(): number {
    return this.appendedPosition - this.segmentPosition;
  }

  append(frame: Uint8Array): void {
    this.staged.push(frame);
    this.stagedBytes += frame.length;
    this.appendedPosition += frame.length;
  }

  /** Whether a new segment must wait: what was appended is still being written. */
  get isWriting(): boolean {
    return this.writing;
  }

  /**
   * Writes what was appended since the last flush. `vector`: what has been applied by now, for the
   * header should a new segment begin.
   */
  flush(vector: VersionVector): void {
    if (this.writing) return;
    if (this.segmentBytes >= this.options.segmentBytesMax) this.startSegment(vector);
    else if (this.stagedBytes > 0) this.writeStaged(this.syncing || this.options.isBusy());
    else return;
    if (this.options.fsync === 'always') this.sync();
  }

  /** Begins a new segment at the present position, which it returns; not while `isWriting`. */
  startSegment(vector: VersionVector): number {
    if (this.writing) throw new Error('a segment must not end while it is being written');
    if (this.stagedBytes > 0) this.writeStaged(false);
    if (this.segmentBytes === 0 && this.options.disk.size(this.name) > 0) return this.position;
    const { database, region, roster, disk } = this.options;
    const previous = this.options.disk.size(this.name) > 0 ? this.segmentPosition : -1;
    this.segmentPosition = this.appendedPosition;
    this.name = segmentName(this.segmentPosition);
    const position = this.segmentPosition;
    const named = vectorObject(vector, roster);
    // A file of that name can only be left from a crash while its header was written.
    disk.remove(this.name);
    const header = { format: LOG_FORMAT, kind: 'segment', database, region, position } as const;
    const synced = { safe: this.safePosition, fsync: this.options.fsync };
    disk.append(this.name, sealHeader({ ...header, previous, vector: named, ...synced }));
    this.markUnsynced();
    return position;
  }

  /** Syncs each second when the policy says so. */
  tick(monotonicMs: number): void {
    if (this.options.fsync !== 'everysec') return;
    if (monotonicMs - this.lastSyncAtMs < SYNC_INTERVAL_MS) return;
    this.lastSyncAtMs = monotonicMs;
    this.sync();
  }

  /** Syncs everything appended by now, whatever the policy; `done` is called when it is safe. */
  syncAll(done: () => void): void {
    if (this.safePosition >= this.appendedPosition) {
      done();
      return;
    }
    this.waiting.push({ position: this.appendedPosition, done });
    if (this.writing) return;
    if (this.stagedBytes > 0) this.writeStaged(this.syncing);
    this.sync();
  }

  /** Syncs everything and then touches the disk no more; `done` is called when all is safe. */
  close(done: () => void): void {
    this.syncAll(() => {
      this.closed = true;
      done();
    });
  }

  /** `later`: by a thread. */
  private writeStaged(later: boolean): void {
    const end = this.appendedPosition;
    const { disk } = this.options;
    if (!later) {
      disk.append(this.name, this.takeStaged());
      this.noteWritten(end);
      return;
    }
    this.writing = true;
    disk.appendLater(this.name, this.takeStaged(), (error) => {
      if (error !== null) throw error;
      this.writing = false;
      this.noteWritten(end);
      // Who waits for everything waits for what was appended meanwhile too.
      if (this.waiting.length > 0 && this.stagedBytes > 0) this.writeStaged(true);
      if (this.options.fsync === 'always' || this.waiting.length > 0) this.sync();
      this.options.progressed();
    });
  }

  private noteWritten(end: number): void {
    this.writtenPosition = end;
    this.markUnsynced();
  }

  private takeStaged(): Uint8Array {
    const bytes = joined(this.staged, this.stagedBytes);
    this.staged.length = 0;
    this.stagedBytes = 0;
    return bytes;
  }

  private markUnsynced(): void {
    const last = this.unsynced.at(-1);
    if (last?.name === this.name) last.end = this.writtenPosition;
    else this.unsynced.push({ name: this.name, end: this.writtenPosition });
  }

  /** Syncs the oldest segment that needs it, then the next one, and so on; one at a time. */
  private sync(): void {
    const segment = this.unsynced[0];
    if (this.syncing || this.closed || segment === undefined) return;
    this.syncing = true;
    const upTo = segment.end;
    this.options.disk.sync(segment.name, (error) => {
      this.syncing = false;
      if (error !== null) throw error;
      // What was written meanwhile needs another sync.
      if (segment.end === upTo) this.unsynced.shift();
      if (upTo > this.safePosition) {
        this.safePosition = upTo;
        this.options.progressed();
      }
      const isOld = segment.name !== this.name;
      const due = this.waiting.filter((wait) => wait.position <= this.safePosition);
      this.waiting = this.waiting.filter((wait) => wait.position > this.safePosition);
      for (const wait of due) wait.done();
      if (this.options.fsync === 'always' || isOld || this.waiting.length > 0) this.sync();
    });
  }
}

/** The frames one behind the other: without copying them when they lie so in one buffer, as the backlog keeps them. */
function joined(frames: readonly Uint8Array[], length: number): Uint8Array {
  const [first] = frames;
  if (frames.length === 1) return first;
  let end = first.byteOffset;
  const adjoin = frames.every((frame) => {
    const isNext = frame.buffer === first.buffer && frame.byteOffset === end;
    end += frame.length;
    return isNext;
  });
  if (adjoin) return new Uint8Array(first.buffer, first.byteOffset, length);
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const frame of frames) {
    bytes.set(frame, at);
    at += frame.length;
  }
  return bytes;
}
