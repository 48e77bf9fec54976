/**
 * Shell: one directory of a real file system.
 *
 * Appends are plain write(2) calls, which end in the page cache in a few microseconds; fsync runs
 * in the thread pool of the runtime and calls back. Small files are put in place by writing a
 * temporary one, syncing it, renaming it and syncing the directory.
 */

import {
  closeSync,
  fdatasync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { type Disk, DiskError } from '../env.ts';
import { lockDirectory } from './directory-lock.ts';

const LOCK_FILE = 'lock';

/** Opens (and makes) a directory and locks it. Throws `DiskError` when another process has it. */
export function openFileDisk(directory: string): Disk {
  checked(`open ${directory}`, () => mkdirSync(directory, { recursive: true }));
  const unlock = lockDirectory(join(directory, LOCK_FILE));
  const path = (name: string): string => join(directory, name);
  let closed = false;
  const { handleOf, forget, forgetAll } = appendHandles(directory);

  return {
    list: () =>
      checked(`list ${directory}`, () =>
        readdirSync(directory).filter((name) => name !== LOCK_FILE && !name.endsWith('.new')),
      ),
    size: (name) => checked(`stat ${name}`, () => sizeOf(path(name))),
    read: (name, offset, length) =>
      checked(`read ${name}`, () => readPart(path(name), offset, length)),
    append: (name, bytes) =>
      checked(`write ${name}`, () => {
        const handle = handleOf(name);
        for (let at = 0; at < bytes.length; ) at += writeSync(handle, bytes, at);
      }),
    sync: (name, done) => {
      const handle = checked(`fsync ${name}`, () => handleOf(name));
      fdatasync(handle, (error) => {
        if (closed) return; // The handle may have been closed before its turn came.
        done(error === null ? null : new DiskError(`fsync ${name}: ${error.message}`));
      });
    },
    replace: (name, bytes) =>
      checked(`replace ${name}`, () => {
        writeSynced(path(`${name}.new`), bytes);
        renameSync(path(`${name}.new`), path(name));
        syncDirectory(directory);
      }),
    rename: (from, to) =>
      checked(`rename ${from}`, () => {
        forget(from);
        renameSync(path(from), path(to));
        syncDirectory(directory);
      }),
    truncate: (name, length) =>
      checked(`truncate ${name}`, () => {
        forget(name);
        const handle = openSync(path(name), 'r+');
        ftruncateSync(handle, length);
        fsyncSync(handle);
        closeSync(handle);
      }),
    remove: (name) =>
      checked(`remove ${name}`, () => {
        forget(name);
        rmSync(path(name), { force: true });
      }),
    close: () => {
      closed = true;
      forgetAll();
      unlock();
    },
  };
}

/** The files that are being appended to, opened when they are first asked for. */
function appendHandles(directory: string) {
  const handles = new Map<string, number>();
  const forget = (name: string): void => {
    const handle = handles.get(name);
    if (handle === undefined) return;
    handles.delete(name);
    closeSync(handle);
  };
  return {
    handleOf(name: string): number {
      let handle = handles.get(name);
      if (handle === undefined) {
        const path = join(directory, name);
        const fresh = sizeOf(path) < 0;
        handle = openSync(path, 'a');
        handles.set(name, handle);
        // The name itself must survive a power cut before the first sync of the content counts.
        if (fresh) syncDirectory(directory);
      }
      return handle;
    },
    forget,
    forgetAll(): void {
      for (const name of [...handles.keys()]) forget(name);
    },
  };
}

function writeSynced(path: string, bytes: Uint8Array): void {
  const handle = openSync(path, 'w');
  try {
    for (let at = 0; at < bytes.length; ) at += writeSync(handle, bytes, at);
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? -1;
}

function readPart(path: string, offset: number, length: number): Uint8Array {
  const handle = openSync(path, 'r');
  try {
    const size = Math.max(0, Math.min(length, sizeOf(path) - offset));
    const bytes = new Uint8Array(size);
    let filled = 0;
    while (filled < size) {
      const got = readSync(handle, bytes, filled, size - filled, offset + filled);
      if (got === 0) break;
      filled += got;
    }
    return bytes.subarray(0, filled);
  } finally {
    closeSync(handle);
  }
}

function syncDirectory(directory: string): void {
  const handle = openSync(directory, 'r');
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}

function checked<T>(what: string, run: () => T): T {
  try {
    return run();
  } catch (error) {
    if (error instanceof DiskError) throw error;
    throw new DiskError(`${what}: ${(error as Error).message}`);
  }
}
