/** A database that writes a log and images to a disk, and recovers from it: what a member is to this folder. For tests. */

import type { FsyncPolicy } from '../config.ts';
import { Db } from '../core/db.ts';
import { makeActorId } from '../crdt/roster.ts';
import { silentJournal } from '../env.ts';
import { Backlog } from './backlog.ts';
import type { MemoryDisk } from './disk-memory.ts';
import { ImageWriter } from './image.ts';
import { OpLog } from './op-log.ts';
import { recover } from './recovery.ts';

const NOW_MS = 1_800_000_000_000;

export class Writer {
  readonly db: Db;
  readonly backlog = new Backlog(1_000_000);
  readonly log: OpLog;
  readonly disk: MemoryDisk;
  readonly recovered: ReturnType<typeof recover>;

  constructor(
    disk: MemoryDisk,
    incarnation: number,
    segmentBytesMax = 1_000_000,
    region = 'eu',
    fsync: FsyncPolicy = 'always',
  ) {
    this.disk = disk;
    this.db = new Db({ random: () => 0.5, region: 1 });
    const options = { disk, db: this.db, backlog: this.backlog, journal: silentJournal };
    this.recovered = recover({ ...options, database: 'd', region });
    this.log = new OpLog(
      {
        disk,
        fsync,
        database: 'd',
        region,
        roster: this.db.roster,
        segmentBytesMax,
        isBusy: () => false,
        progressed: () => this.log?.flush(this.db.vector),
      },
      this.recovered.segments,
      this.recovered.position,
    );
    this.log.startSegment(this.db.vector);
    this.db.beginTurn(NOW_MS);
    this.db.newActor(makeActorId(1, 0, BigInt(incarnation)));
    this.db.writable = true;
  }

  set(key: string, value: string): void {
    this.db.setStringText(key, value, Number.POSITIVE_INFINITY);
    this.flush();
  }

  flush(): void {
    const frame = this.db.takeFrame();
    if (frame !== null) this.log.append(frame);
    this.log.flush(this.db.vector);
  }

  image(finished: () => void = () => {}): ImageWriter {
    const { disk, db, log } = this;
    return new ImageWriter({
      disk,
      db,
      database: 'd',
      region: 'eu',
      position: log.startSegment(db.vector),
      vector: db.vector.slice(),
      logPosition: () => log.position,
      reserveBytes: 0,
      spentMs: () => 0,
      syncLog: (done) => log.syncAll(done),
      finished,
      failed: (reason) => {
        throw new Error(reason);
      },
    });
  }
}
