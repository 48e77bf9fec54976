/** What every disk does, whatever it is made of; run by disk.test.ts over both kinds. */

import { type Disk, DiskError } from '../env.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
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
      const error = await new Promise((resolve) => disk.sync('a', resolve));
      expect(error).toBeNull();
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

    test('rename keeps the bytes, and later appends go to the new name', () => {
      disk.append('a', bytes('1'));
      disk.rename('a', 'b');
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

    test('remove forgets a file, and is no error without one', () => {
      disk.append('a', bytes('1'));
      disk.remove('a');
      disk.remove('a');
      expect(disk.list()).toEqual([]);
      disk.append('a', bytes('2'));
      expect(text(disk.read('a', 0, 10))).toBe('2');
    });
  });
}
