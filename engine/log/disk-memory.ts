/**
 * A disk in memory for tests and the simulator, with the faults that real ones have.
 *
 * A file has bytes that the system has taken (they survive the process) and a mark up to where they
 * are synced (they survive the machine). `crash` takes away what a power cut may take: of every
 * file a random part of the unsynced end goes, and what stays may end in damaged bytes. Files that
 * were made since the last sync may be gone altogether, the newest first: file systems with a
 * journal keep the order of names.
 */

import { type Disk, type DiskDone, DiskError, type Random } from '../env.ts';

/** `named`: a power cut leaves the file's name, if not all of its bytes. */
type MemoryFile = { bytes: Uint8Array; length: number; synced: number; named: boolean };

/** How a power cut or a broken disk treats what was not synced. */
export type DiskFaults = {
  /** Runs later, when the simulator says that a sync is over. */
  readonly later: (run: () => void) => void;
};

const immediately: DiskFaults = { later: (run) => run() };

export class MemoryDisk implements Disk {
  private readonly faults: DiskFaults;
  private files = new Map<string, MemoryFile>();
  private readonly underWay = new Set<{ readonly name: string; readonly bytes: Uint8Array }>();
  /** Appends or syncs that fail from now on; for tests. */
  failing: 'append' | 'sync' | null = null;
  /** Syncs say that all is well and do nothing; for tests. */
  lying = false;
  /** All files together cannot be greater than this. */
  capacityBytes: number = Number.POSITIVE_INFINITY;
  /** Grows with each crash, so that syncs of an earlier life do not call back. */
  private life = 0;

  constructor(faults: DiskFaults = immediately) {
    this.faults = faults;
  }

  list(): string[] {
    return [...this.files.keys()];
  }

  size(name: string): number {
    return this.files.get(name)?.length ?? -1;
  }

  read(name: string, offset: number, length: number): Uint8Array {
    const file = this.get(name);
    return new Uint8Array(file.bytes.subarray(offset, Math.min(offset + length, file.length)));
  }

  freeBytes(): number {
    if (this.capacityBytes === Number.POSITIVE_INFINITY) return this.capacityBytes;
    let used = 0;
    for (const file of this.files.values()) used += file.length;
    return Math.max(0, this.capacityBytes - used);
  }

  /** What does not fit any more is cut, as by write(2), and then refused. */
  append(name: string, bytes: Uint8Array): void {
    const room = this.failing === 'append' ? 0 : Math.min(bytes.length, this.freeBytes());
    if (this.failing !== 'append') this.add(name, bytes.subarray(0, room));
    if (room < bytes.length) throw noSpace(`write ${name}`);
  }

  appendLater(name: string, bytes: Uint8Array, done: DiskDone): void {
    const write = { name, bytes };
    this.underWay.add(write);
    this.later(`write ${name}`, done, () => {
      this.underWay.delete(write);
      this.append(name, bytes);
    });
  }

  sync(name: string, done: DiskDone): void {
    const file = this.files.get(name);
    const upTo = file?.length ?? 0;
    this.later(`fsync ${name}`, done, () => {
      if (file === undefined) throw new DiskError(`open ${name}: no such file`);
      if (this.failing === 'sync') throw new DiskError(`fsync ${name}: input/output error`);
      if (this.lying) return;
      if (upTo > file.synced) file.synced = upTo;
      this.nameAll();
    });
  }

  replace(name: string, bytes: Uint8Array): void {
    if (this.failing === 'append' || this.freeBytes() < bytes.length)
      throw noSpace(`write ${name}`);
    const { length } = bytes;
    this.files.set(name, { bytes: new Uint8Array(bytes), length, synced: length, named: true });
    this.nameAll();
  }

  rename(from: string, to: string, done: DiskDone): void {
    this.later(`rename ${from}`, done, () => {
      this.files.set(to, this.get(from));
      this.files.delete(from);
      this.nameAll();
    });
  }

  truncate(name: string, length: number): void {
    const file = this.get(name);
    file.length = Math.min(file.length, length);
    file.synced = Math.min(file.synced, file.length);
  }

  remove(name: string): void {
    this.files.delete(name);
  }

  removeLater(name: string, done: DiskDone): void {
    this.later(`remove ${name}`, done, () => this.remove(name));
  }

  close(): void {}

  /**
   * The process died: what was written stays, of what was being written a random part, and what was
   * being synced is forgotten.
   */
  kill(random: Random): void {
    this.life++;
    for (const { name, bytes } of this.underWay) {
      const taken = random.uint32() % (bytes.length + 1);
      if (taken > 0) this.add(name, bytes.subarray(0, Math.min(taken, this.freeBytes())));
    }
    this.underWay.clear();
  }

  /** Somebody put an empty disk in its place. */
  wipe(): void {
    this.life++;
    this.files.clear();
    this.underWay.clear();
  }

  /** The machine lost power: of each file a part of what was not synced is lost or damaged. */
  crash(random: Random): void {
    this.kill(random);
    this.loseNames(random);
    for (const file of this.files.values()) {
      const unsynced = file.length - file.synced;
      if (unsynced === 0) continue;
      const kept = random.uint32() % (unsynced + 1);
      file.length = file.synced + kept;
      if (kept > 0 && random.uint32() % 4 === 0) {
        const damagedBytes = 1 + (random.uint32() % Math.min(kept, 64));
        for (let i = 1; i <= damagedBytes; i++) file.bytes[file.length - i] ^= 0x5a;
      }
      // What is found after the restart is on the disk for good.
      file.synced = file.length;
    }
  }

  /** Of the files whose names are not safe, all from a random one on are gone. */
  private loseNames(random: Random): void {
    const unnamed = [...this.files].filter(([, file]) => !file.named).map(([name]) => name);
    if (unnamed.length === 0) return;
    for (const name of unnamed.slice(random.uint32() % (unnamed.length + 1))) {
      this.files.delete(name);
    }
    this.nameAll();
  }

  private nameAll(): void {
    for (const file of this.files.values()) file.named = true;
  }

  /** Does something when the simulator says so, unless the process has ended by then. */
  private later(what: string, done: DiskDone, run: () => void): void {
    const { life } = this;
    this.faults.later(() => {
      if (life !== this.life) return;
      try {
        run();
      } catch (error) {
        done(error instanceof DiskError ? error : new DiskError(`${what}: ${error}`));
        return;
      }
      done(null);
    });
  }

  private add(name: string, bytes: Uint8Array): void {
    let file = this.files.get(name);
    if (file === undefined) {
      file = { bytes: new Uint8Array(1024), length: 0, synced: 0, named: false };
      this.files.set(name, file);
    }
    const length = file.length + bytes.length;
    if (length > file.bytes.length) {
      const bigger = new Uint8Array(Math.max(length, file.bytes.length * 2));
      bigger.set(file.bytes.subarray(0, file.length));
      file.bytes = bigger;
    }
    file.bytes.set(bytes, file.length);
    file.length = length;
  }

  private get(name: string): MemoryFile {
    const file = this.files.get(name);
    if (file === undefined) throw new DiskError(`open ${name}: no such file`);
    return file;
  }
}

function noSpace(what: string): DiskError {
  return new DiskError(`${what}: no space left on device`);
}
