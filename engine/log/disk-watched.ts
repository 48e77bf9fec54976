/**
 * A disk whose failures are told to one place, whichever part of the member met them.
 *
 * After a failed call nobody knows what is stored, so nothing may go on as if it had worked: the
 * error is reported first and then thrown; what fails later is reported and does not call back.
 */
import { type Disk, type DiskDone, DiskError } from '../env.ts';

/** `failed` is called with every error of `disk`; in the real engine it does not return. */
export function watchedDisk(disk: Disk, failed: (error: DiskError) => void): Disk {
  const told = <T>(run: () => T): T => {
    try {
      return run();
    } catch (error) {
      if (error instanceof DiskError) failed(error);
      throw error;
    }
  };
  const heard =
    (done: DiskDone): DiskDone =>
    (error) => {
      if (error === null) done(null);
      else failed(error);
    };
  return {
    list: () => told(() => disk.list()),
    size: (name) => told(() => disk.size(name)),
    freeBytes: () => told(() => disk.freeBytes()),
    read: (name, offset, length) => told(() => disk.read(name, offset, length)),
    append: (name, bytes) => told(() => disk.append(name, bytes)),
    appendLater: (name, bytes, done) => told(() => disk.appendLater(name, bytes, heard(done))),
    sync: (name, done) => told(() => disk.sync(name, heard(done))),
    replace: (name, bytes) => told(() => disk.replace(name, bytes)),
    rename: (from, to, done) => told(() => disk.rename(from, to, heard(done))),
    truncate: (name, length) => told(() => disk.truncate(name, length)),
    remove: (name) => told(() => disk.remove(name)),
    removeLater: (name, done) => told(() => disk.removeLater(name, heard(done))),
    close: () => disk.close(),
  };
}
