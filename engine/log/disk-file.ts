/**
 * Shell: one directory of a real file system.
 *
 * Appends are plain write(2) calls, which end in the page cache in a few microseconds. Whatever may
 * wait for the device runs in the thread pool of the runtime and calls back: fsync (a new file's
 * first one syncs the directory too, so that its name counts), rename, unlink, and the writes of an
 * image. Small files are put in place by writing a temporary one, syncing it, renaming it and syncing the
 * directory.
 */

import {
  close,
  closeSync,
  fdatasync,
  fsync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  open,
  openSync,
  readdirSync,
  readSync,
  rename,
  renameSync,
  rm,
  rmSync,
  statfsSync,
  statSync,
  write,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { type Disk, type DiskDone, DiskError } from '../env.ts';
import { lockDirectory } from './directory-lock.ts';

const LOCK_FILE = 'lock';

/** Opens (and makes) a directory and locks it. Throws `DiskError` when another process has it. */
export function openFileDisk(directory: string): Disk {
  checked(`open ${directory}`, () => mkdirSync(directory, { recursive: true }));
  const unlock = lockDirectory(join(directory, LOCK_FILE));
  const files = appendHandles(directory);
  return {
    ...callsAtOnce(directory, files),
    ...callsLater(directory, files),
    close: () => {
      files.close();
      unlock();
    },
  };
}

type Files = ReturnType<typeof appendHandles>;
type LaterNames = 'appendLater' | 'sync' | 'rename' | 'removeLater';

/** What ends before it returns. */
function callsAtOnce(directory: string, files: Files): Omit<Disk, LaterNames | 'close'> {
  const path = (name: string): string => join(directory, name);
  return {
    list: () =>
      checked(`list ${directory}`, () =>
        readdirSync(directory).filter((name) => name !== LOCK_FILE && !name.endsWith('.new')),
      ),
    size: (name) => checked(`stat ${name}`, () => sizeOf(path(name))),
    freeBytes: () => freeBytesOf(directory),
    read: (name, offset, length) =>
      checked(`read ${name}`, () => readPart(path(name), offset, length)),
    append: (name, bytes) =>
      checked(`write ${name}`, () => {
        const handle = files.handleOf(name);
        for (let at = 0; at < bytes.length; ) at += writeSync(handle, bytes, at);
      }),
    replace: (name, bytes) =>
      checked(`replace ${name}`, () => {
        writeSynced(path(`${name}.new`), bytes);
        renameSync(path(`${name}.new`), path(name));
        syncDirectory(directory);
      }),
    truncate: (name, length) =>
      checked(`truncate ${name}`, () => {
        files.forget(name);
        const handle = openSync(path(name), 'r+');
        ftruncateSync(handle, length);
        fsyncSync(handle);
        closeSync(handle);
      }),
    remove: (name) =>
      checked(`remove ${name}`, () => {
        files.forget(name);
        rmSync(path(name), { force: true });
      }),
  };
}

/** What a thread of the runtime does. */
function callsLater(directory: string, files: Files): Pick<Disk, LaterNames> {
  const path = (name: string): string => join(directory, name);
  /** Hands on how a call ended; nothing after `close`: its handle may be closed, or another's. */
  const ended =
    (what: string, done: DiskDone) =>
    (error: Error | null): void => {
      if (files.isClosed()) return;
      done(error === null ? null : new DiskError(`${what}: ${error.message}`));
    };
  /** The handle of a file; -1: `end` was told why there is none. */
  const handleFor = (name: string, end: (error: Error) => void): number => {
    try {
      return files.handleOf(name);
    } catch (error) {
      end(error as Error);
      return -1;
    }
  };
  return {
    appendLater: (name, bytes, done) => {
      const end = ended(`write ${name}`, done);
      files.openLater(name, (error, handle) => {
        if (error !== null) return end(error);
        const release = files.hold(handle);
        writeWhole(handle, bytes, 0, (problem) => {
          release();
          end(problem);
        });
      });
    },
    sync: (name, done) => {
      const end = ended(`fsync ${name}`, done);
      const handle = handleFor(name, end);
      if (handle < 0) return;
      fdatasync(handle, (error) => {
        if (error !== null || files.isClosed() || !files.isUnnamed(name)) return end(error);
        syncDirectoryLater(directory, (problem) => {
          if (problem === null) files.named(name);
          end(problem);
        });
      });
    },
    rename: (from, to, done) => {
      const end = ended(`rename ${from}`, done);
      files.forget(from);
      rename(path(from), path(to), (error) => {
        if (error !== null) end(error);
        else syncDirectoryLater(directory, end);
      });
    },
    removeLater: (name, done) => {
      files.forget(name);
      rm(path(name), { force: true }, ended(`remove ${name}`, done));
    },
  };
}

/** The files that are being appended to, opened when they are first asked for. */
function appendHandles(directory: string) {
  const handles = new Map<string, number>();
  /** Files made here whose name a power cut could still take. */
  const unnamed = new Set<string>();
  /** Handles that a thread is writing to: after `close` it is the thread's end that closes them. */
  const held = new Set<number>();
  let closed = false;
  const forget = (name: string): void => {
    unnamed.delete(name);
    const handle = handles.get(name);
    if (handle === undefined) return;
    handles.delete(name);
    if (!held.has(handle)) closeSync(handle);
  };
  return {
    handleOf(name: string): number {
      let handle = handles.get(name);
      if (handle === undefined) {
        const path = join(directory, name);
        if (sizeOf(path) < 0) unnamed.add(name);
        handle = openSync(path, 'a');
        handles.set(name, handle);
      }
      return handle;
    },
    /** As `handleOf`, but later: making a file may wait for the file system's journal. */
    openLater(name: string, done: (error: Error | null, handle: number) => void): void {
      const held = handles.get(name);
      if (held !== undefined) {
        done(null, held);
        return;
      }
      const path = join(directory, name);
      const isNew = sizeOf(path) < 0;
      open(path, 'a', (error, handle) => {
        if (error !== null) return done(error, -1);
        if (closed) return closeSync(handle);
        if (isNew) unnamed.add(name);
        handles.set(name, handle);
        done(null, handle);
      });
    },
    isUnnamed: (name: string): boolean => unnamed.has(name),
    named: (name: string): boolean => unnamed.delete(name),
    forget,
    hold(handle: number): () => void {
      held.add(handle);
      return () => {
        held.delete(handle);
        if (closed) closeSync(handle);
      };
    },
    isClosed: (): boolean => closed,
    close(): void {
      closed = true;
      for (const name of [...handles.keys()]) forget(name);
    },
  };
}

/** Writes all of the bytes from `at` on, in as many calls as the system wants. */
function writeWhole(
  handle: number,
  bytes: Uint8Array,
  at: number,
  done: (error: Error | null) => void,
): void {
  write(handle, bytes, at, bytes.length - at, null, (error, written) => {
    if (error !== null || at + written >= bytes.length) done(error);
    else writeWhole(handle, bytes, at + written, done);
  });
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

/** Infinity where the system cannot tell: then a write will. */
function freeBytesOf(directory: string): number {
  try {
    const { bavail, bsize } = statfsSync(directory);
    return bavail * bsize;
  } catch {
    return Number.POSITIVE_INFINITY;
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

function syncDirectoryLater(directory: string, done: (error: Error | null) => void): void {
  open(directory, 'r', (error, handle) => {
    if (error !== null) return done(error);
    fsync(handle, (problem) => close(handle, () => done(problem)));
  });
}

function checked<T>(what: string, run: () => T): T {
  try {
    return run();
  } catch (error) {
    if (error instanceof DiskError) throw error;
    throw new DiskError(`${what}: ${(error as Error).message}`);
  }
}
