/** What every disk does, whatever it is made of; run by disk.test.ts over both kinds. */

import { type Disk, type DiskDone, DiskError } from '../env.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const ended = (run: (done: DiskDone) => void): Promise<DiskError | null> => new Promise(run);
const text = (value: Uint8Array): string => new TextDecoder().decode(value);

/** `open` gives a fresh, empty disk. */
export function diskContract(name: string, open: () => Disk): void {
  describe(`disk contract: ${name}`, () => {
    let disk: Disk;
    beforeEach(() => {
      disk = open();
    });
    afterEach(() => disk.close());

    test('a file that was never written has size -1 and is not listed', () => {
      expect(disk.size('absent')).toBe(-1);
      expect(disk.list()).toEqual([]);
    });

    test('appends add up and are read back by part', () => {
      disk.append('a', bytes('hello '));
      disk.append('a', bytes('world'));
      expect(disk.size('a')).toBe(11);
      expect(text(disk.read('a', 0, 100))).toBe('hello world');
      expect(text(disk.read('a', 6, 3))).toBe('wor');
      expect(disk.read('a', 11, 3).length).toBe(0);
    });

    test('reading what is not there is an error of the disk', () => {
      expect(() => disk.read('absent', 0, 1)).toThrow(DiskError);
    });

    test('sync calls back without error', async () => {
      disk.append('a', bytes('x'));
      expect(await ended((done) => disk.sync('a', done))).toBeNull();
      expect(await ended((done) => disk.sync('a', done))).toBeNull();
    });

    test('appends that end later add up with those that end at once', async () => {
      disk.append('a', bytes('1'));
      expect(await ended((done) => disk.appendLater('a', bytes('23'), done))).toBeNull();
      disk.append('a', bytes('4'));
      expect(text(disk.read('a', 0, 10))).toBe('1234');
      expect(await ended((done) => disk.appendLater('b', bytes('x'.repeat(3e6)), done))).toBeNull();
      expect(disk.size('b')).toBe(3e6);
    });

    test('what cannot be done later is told, not thrown', async () => {
      const renamed = await ended((done) => disk.rename('absent', 'b', done));
      expect(renamed).toBeInstanceOf(DiskError);
    });

    test('there is room for more', () => {
      expect(disk.freeBytes()).toBeGreaterThan(0);
    });

    test('a sync that is under way when the disk is closed does not call back with an error', async () => {
      disk.append('a', bytes('x'));
      const errors: unknown[] = [];
      for (let i = 0; i < 50; i++) disk.sync('a', (error) => error !== null && errors.push(error));
      disk.close();
      await new Promise((resolve) => setTimeout(resolve, 50));
      expect(errors).toEqual([]);
    });

    test('replace puts a file in place of another', () => {
      disk.replace('a', bytes('one'));
      disk.replace('a', bytes('2'));
      expect(text(disk.read('a', 0, 10))).toBe('2');
      expect(disk.list()).toEqual(['a']);
    });

    test('rename keeps the bytes, and later appends go to the new name', async () => {
      disk.append('a', bytes('1'));
      expect(await ended((done) => disk.rename('a', 'b', done))).toBeNull();
      disk.append('b', bytes('2'));
      expect(text(disk.read('b', 0, 10))).toBe('12');
      expect(disk.size('a')).toBe(-1);
    });

    test('truncate cuts, and appends go on from there', () => {
      disk.append('a', bytes('12345'));
      disk.truncate('a', 2);
      disk.append('a', bytes('x'));
      expect(text(disk.read('a', 0, 10))).toBe('12x');
    });

    test('remove forgets a file, and is no error without one, now or later', async () => {
      disk.append('a', bytes('1'));
      disk.append('b', bytes('1'));
      disk.remove('a');
      disk.remove('a');
      for (let i = 0; i < 2; i++) {
        expect(await ended((done) => disk.removeLater('b', done))).toBeNull();
      }
      expect(disk.list()).toEqual([]);
      disk.append('a', bytes('2'));
      expect(text(disk.read('a', 0, 10))).toBe('2');
    });
  });
}
