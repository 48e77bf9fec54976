import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { diskContract } from './disk.contract.ts';
import { openFileDisk } from './disk-file.ts';
import { MemoryDisk } from './disk-memory.ts';

const made: string[] = [];
const directory = (): string => {
  const path = mkdtempSync(join(tmpdir(), 'meridian-disk-'));
  made.push(path);
  return path;
};
afterAll(() => {
  for (const path of made) rmSync(path, { recursive: true, force: true });
});

diskContract('memory', () => new MemoryDisk());
diskContract('file', () => openFileDisk(directory()));

describe('directory lock', () => {
  test('a live process holds it: the other is refused with its number', () => {
    const path = directory();
    const holder = process.ppid;
    const stat = spawnSync('cat', [`/proc/${holder}/stat`]).stdout.toString();
    const start = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
    writeFileSync(join(path, 'lock'), `${holder} ${start}\n`);
    expect(() => openFileDisk(path)).toThrow(`process ${holder} uses this directory`);
  });

  test('the lock of a dead process is taken over', () => {
    const path = directory();
    const dead = spawnSync('true').pid;
    writeFileSync(join(path, 'lock'), `${dead} 12345\n`);
    openFileDisk(path).close();
  });

  test('a process id that was given to somebody else holds nothing', () => {
    const path = directory();
    writeFileSync(join(path, 'lock'), `${process.ppid} 1\n`);
    openFileDisk(path).close();
  });

  test('closing gives it back', () => {
    const path = directory();
    openFileDisk(path).close();
    openFileDisk(path).close();
  });
});

describe('memory disk', () => {
  const random = { uint32: () => 0, bytes: (length: number) => new Uint8Array(length) };

  test('a power cut takes what was not synced, a killed process loses nothing', () => {
    const disk = new MemoryDisk();
    disk.append('a', new Uint8Array([1, 2]));
    disk.sync('a', () => {});
    disk.append('a', new Uint8Array([3]));
    disk.kill(random);
    expect([...disk.read('a', 0, 9)]).toEqual([1, 2, 3]);
    disk.crash(random);
    expect([...disk.read('a', 0, 9)]).toEqual([1, 2]);
  });

  test('a power cut may take the names that no sync has made safe, the newest first', () => {
    const disk = new MemoryDisk();
    disk.append('a', new Uint8Array([1]));
    disk.sync('a', () => {});
    disk.append('b', new Uint8Array([1]));
    disk.append('c', new Uint8Array([1]));
    disk.crash({ ...random, uint32: () => 1 });
    expect(disk.list()).toEqual(['a', 'b']);
  });

  test('a full disk takes what fits and refuses the rest', () => {
    const disk = new MemoryDisk();
    disk.capacityBytes = 3;
    disk.append('a', new Uint8Array([1, 2]));
    expect(disk.freeBytes()).toBe(1);
    expect(() => disk.append('a', new Uint8Array([3, 4]))).toThrow('no space left');
    expect(disk.size('a')).toBe(3);
  });

  test('a failing disk throws on append and reports on sync', () => {
    const disk = new MemoryDisk();
    disk.append('a', new Uint8Array([1]));
    disk.failing = 'sync';
    let reported = '';
    disk.sync('a', (error) => {
      reported = error?.message ?? '';
    });
    expect(reported).toContain('fsync a');
    disk.failing = 'append';
    expect(() => disk.append('a', new Uint8Array([1]))).toThrow('no space');
  });
});
