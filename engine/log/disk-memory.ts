/**
 * A disk in memory for tests and the simulator, with the faults that real ones have.
 *
 * A file has bytes that the system has taken (they survive the process) and a mark up to where they
 * are synced (they survive the machine). `crash` takes away what a power cut may take: of every
 * file a random part of the unsynced end goes, and what stays may end in damaged bytes.
 */

import { type Disk, DiskError, type Random } from '../env.ts';

type MemoryFile = { bytes: Uint8Array; length: number; synced: number };

/** How a power cut or a broken disk treats what was not synced. */
export type DiskFaults = {
  /** Runs later, when the simulator says that a sync is over. */
  readonly later: (run: () => void) => void;
};

const immediately: DiskFaults = { later: (run) => run() };

export class MemoryDisk implements Disk {
  private readonly faults: DiskFaults;
  private files = new Map<string, MemoryFile>();
  /** Appends or syncs that fail from now on; for tests. */
  failing: 'append' | 'sync' | null = null;
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
    return file.bytes.slice(offset, Math.min(offset + length, file.length));
  }

  append(name: string, bytes: Uint8Array): void {
    if (this.failing === 'append') throw new DiskError(`write ${name}: no space left on device`);
    let file = this.files.get(name);
    if (file === undefined) {
      file = { bytes: new Uint8Array(1024), length: 0, synced: 0 };
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

  sync(name: string, done: (error: DiskError | null) => void): void {
    const file = this.get(name);
    const upTo = file.length;
    const life = this.life;
    this.faults.later(() => {
      if (life !== this.life) return;
      if (this.failing === 'sync') {
        done(new DiskError(`fsync ${name}: input/output error`));
        return;
      }
      if (upTo > file.synced) file.synced = upTo;
      done(null);
    });
  }

  replace(name: string, bytes: Uint8Array): void {
    if (this.failing === 'append') throw new DiskError(`write ${name}: no space left on device`);
    this.files.set(name, { bytes: bytes.slice(), length: bytes.length, synced: bytes.length });
  }

  rename(from: string, to: string): void {
    this.files.set(to, this.get(from));
    this.files.delete(from);
  }

  truncate(name: string, length: number): void {
    const file = this.get(name);
    file.length = Math.min(file.length, length);
    file.synced = Math.min(file.synced, file.length);
  }

  remove(name: string): void {
    this.files.delete(name);
  }

  close(): void {}

  /** The process died: what was written stays, what was being synced is forgotten. */
  kill(): void {
    this.life++;
  }

  /** The machine lost power: of each file a part of what was not synced is lost or damaged. */
  crash(random: Random): void {
    this.life++;
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

  private get(name: string): MemoryFile {
    const file = this.files.get(name);
    if (file === undefined) throw new DiskError(`open ${name}: no such file`);
    return file;
  }
}
