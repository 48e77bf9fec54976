/**
 * A disk whose failures are told to one place, whichever part of the member met them.
 *
 * After a failed call nobody knows what is stored, so nothing may go on as if it had worked: the
 * error is reported first and then thrown; a failed sync is reported and does not call back.
 */
import { type Disk, DiskError } from '../env.ts';

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
  return {
    list: () => told(() => disk.list()),
    size: (name) => told(() => disk.size(name)),
    read: (name, offset, length) => told(() => disk.read(name, offset, length)),
    append: (name, bytes) => told(() => disk.append(name, bytes)),
    sync: (name, done) =>
      told(() =>
        disk.sync(name, (error) => {
          if (error === null) done(null);
          else failed(error);
        }),
      ),
    replace: (name, bytes) => told(() => disk.replace(name, bytes)),
    rename: (from, to) => told(() => disk.rename(from, to)),
    truncate: (name, length) => told(() => disk.truncate(name, length)),
    remove: (name) => told(() => disk.remove(name)),
    close: () => disk.close(),
  };
}
