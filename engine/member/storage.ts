/**
 * What a member keeps on its disk: identity, map, log and images; or nothing, without `--dir`.
 *
 * Opening recovers: afterwards the database holds what the directory held, and a fresh actor is
 * stored before anybody can use it. Images are begun when the log has grown enough since the last
 * one and written a little at a time. One that cannot be written is given up and tried again later:
 * the log has everything.
 */

import type { Config } from '../config.ts';
import type { Db } from '../core/db.ts';
import { actorText } from '../crdt/roster.ts';
import type { VersionVector } from '../crdt/version-vector.ts';
import type { Disk, DiskError, Env } from '../env.ts';
import { limits } from '../limits.ts';
import type { Backlog } from '../log/backlog.ts';
import { watchedDisk } from '../log/disk-watched.ts';
import {
  describeForeignIdentity,
  newActorId,
  readIdentity,
  storeIdentity,
} from '../log/identity.ts';
import { describeLackOfRoom, ImageWriter } from '../log/image.ts';
import { OpLog } from '../log/op-log.ts';
import { DamagedLog, recover } from '../log/recovery.ts';

const MAP_FILE = 'map.json';
/** An image leaves room for so many segments of the log. */
const RESERVE_SEGMENTS = 2;

export type StorageSizes = {
  readonly segmentBytesMax: number;
  /** An image is written when so many bytes were logged since the last one began. */
  readonly imageAfterBytes: number;
};

export class Storage {
  private readonly env: Env;
  private readonly config: Config;
  private readonly db: Db;
  private readonly sizes: StorageSizes;
  private readonly disk: Disk | null;
  private log: OpLog | null = null;
  private image: ImageWriter | null = null;
  private imagePosition = 0;
  private imageBytes = 0;
  private imageRetryAtMs = 0;
  private memoryPosition = 0;
  /** Images given up since the start, and why the last one was; '': the last one is in place. */
  imageFailures = 0;
  imageFailure = '';
  /** Called when `safe` has grown by itself, or when there is something to flush that had to wait. */
  progressed: () => void = () => {};
  /** The 12 bytes of the actor of this run. */
  readonly actorId: string;

  /** Recovers. Throws `DamagedLog` when the directory cannot be used. */
  constructor(env: Env, config: Config, db: Db, backlog: Backlog, sizes: StorageSizes) {
    this.env = env;
    this.config = config;
    this.db = db;
    this.sizes = sizes;
    this.disk = env.disk && watchedDisk(env.disk, (error) => this.failed(error));
    if (this.disk !== null) this.recover(this.disk, backlog);
    const { clock, random } = env;
    this.actorId = newActorId(config.regionNumber, config.member, clock.wallMs(), random);
    if (this.disk !== null) {
      const { database, region, regionNumber, member } = config;
      const actor = actorText(this.actorId);
      storeIdentity(this.disk, { database, region, regionNumber, member, actor });
    }
  }

  /** Bytes ever appended. */
  get position(): number {
    return this.log?.position ?? this.memoryPosition;
  }

  /** Replies that depend on the log up to here may go out. */
  get safe(): number {
    return this.log?.safe ?? this.memoryPosition;
  }

  /** Bytes logged since the last image began. */
  get bytesSinceImage(): number {
    return this.position - this.imagePosition;
  }

  /** From here on the log is read at the next start: where the newest image begins, finished or not. */
  get recoversFrom(): number {
    return this.imagePosition;
  }

  get writingImage(): boolean {
    return this.image !== null;
  }

  append(frame: Uint8Array): void {
    if (this.log === null) this.memoryPosition += frame.length;
    else this.log.append(frame);
  }

  /** Writes what this turn has appended. `vector`: what has been applied. */
  flush(vector: VersionVector): void {
    this.log?.flush(vector);
  }

  tick(monotonicMs: number): void {
    if (this.log === null) return;
    this.log.tick(monotonicMs);
    if (this.image !== null || monotonicMs < this.imageRetryAtMs) return;
    if (this.bytesSinceImage > Math.max(this.sizes.imageAfterBytes, this.imageBytes)) {
      this.startImage();
    }
  }

  /** Does a little of what is done beside serving: about a millisecond of an image. */
  pulse(): void {
    this.image?.step();
  }

  /** Begins an image now, unless one is being written, nothing is stored, or there is no room. */
  startImage(): void {
    const { log } = this;
    const { disk, clock, journal } = this.env;
    if (log === null || disk === null || this.image !== null || log.isWriting) return;
    const reserveBytes = this.sizes.segmentBytesMax * RESERVE_SEGMENTS;
    const lack = describeLackOfRoom(disk, this.imageBytes, reserveBytes);
    if (lack !== null) {
      this.imageGivenUp(lack.message);
      return;
    }
    const vector = this.db.vector.slice();
    const position = log.startSegment(vector);
    const before = this.imagePosition;
    this.imagePosition = position;
    const beganMs = clock.monotonicMs();
    this.image = new ImageWriter({
      disk,
      db: this.db,
      database: this.config.database,
      region: this.config.region,
      position,
      vector,
      logPosition: () => log.position,
      reserveBytes,
      spentMs: () => clock.cpuMs?.() ?? clock.monotonicMs(),
      syncLog: (done) => log.syncAll(done),
      finished: (bytes) => {
        this.image = null;
        this.imageBytes = bytes;
        this.imageFailure = '';
        const ms = Math.round(clock.monotonicMs() - beganMs);
        journal.info({ position, bytes, ms }, 'an image is in place');
      },
      failed: (reason) => {
        this.image = null;
        this.imagePosition = before;
        this.imageGivenUp(reason);
      },
    });
  }

  saveMap(json: string): void {
    this.disk?.replace(MAP_FILE, new TextEncoder().encode(json));
  }

  /** The map stored here as JSON text, or null. */
  loadMap(): string | null {
    const size = this.disk?.size(MAP_FILE) ?? -1;
    return size < 0 ? null : new TextDecoder().decode(this.disk!.read(MAP_FILE, 0, size));
  }

  private imageGivenUp(reason: string): void {
    const retryMs = limits.imageRetryAfter.value;
    this.imageRetryAtMs = this.env.clock.monotonicMs() + retryMs;
    this.imageFailures++;
    this.imageFailure = reason;
    const words =
      'an image was given up; the log has everything but grows: make room on its volume';
    this.env.journal.warn({ reason, retryMs, failures: this.imageFailures }, words);
  }

  /** Makes everything safe and gives the directory back. */
  close(done: () => void): void {
    this.image?.abandon();
    if (this.log === null) {
      done();
      return;
    }
    this.log.close(() => {
      this.disk!.close();
      done();
    });
  }

  private recover(disk: Disk, backlog: Backlog): void {
    const { database, region } = this.config;
    const { journal } = this.env;
    const stored = readIdentity(disk);
    if (stored !== null) {
      const problem =
        'invalid' in stored ? stored.invalid : describeForeignIdentity(stored, this.config);
      if (problem !== null) throw new DamagedLog(`${problem}; take another --dir`);
    }
    const recovered = recover({ disk, db: this.db, backlog, database, region, journal });
    this.imagePosition = recovered.imagePosition;
    this.imageBytes = recovered.imageBytes;
    this.log = new OpLog(
      {
        disk,
        fsync: this.config.fsync,
        database,
        region,
        roster: this.db.roster,
        segmentBytesMax: this.sizes.segmentBytesMax,
        isBusy: () => this.image?.isSyncing ?? false,
        progressed: () => this.progressed(),
      },
      recovered.segments,
      recovered.position,
    );
    this.log.startSegment(this.db.vector);
  }

  private failed(error: DiskError): void {
    this.env.fatal(
      `the disk failed, so nobody knows what it holds: ${error.message}. This process ends; make room or ` +
        'mend the volume, then start it again: it reads back all that was acknowledged',
    );
  }
}
