import { zstdCompressSync } from 'node:zlib';
import { limits } from '../limits.ts';
import { sealFrame } from '../log/frame.ts';
import { compressFrames, readCompressed } from './compression.ts';
import { MESSAGE } from './message.ts';

const batch = (n: number): Uint8Array =>
  sealFrame(MESSAGE.batch, Buffer.from(`key:${n} value that is much like the others`));
const many = Array.from({ length: 200 }, (_, n) => batch(n));

/** A COMPRESSED that says it holds `length` bytes. */
function lie(bytes: Uint8Array, length: number): Uint8Array {
  const body = Buffer.alloc(4 + bytes.length);
  body.writeUInt32LE(length);
  body.set(bytes, 4);
  return sealFrame(MESSAGE.compressed, body);
}

test('frames come back as they were, in a third of their bytes', () => {
  const bytes = Buffer.concat(many);
  const packed = compressFrames(bytes)!;
  expect(packed.length).toBeLessThan(bytes.length / 3);
  expect(readCompressed(packed)).toEqual(many.map((frame) => new Uint8Array(frame)));
});

test('what is short, large or would not become smaller goes as it is', () => {
  expect(compressFrames(batch(1))).toBeNull();
  const noise = new Uint8Array(5000).map((_, n) => (n * n * 7919) >>> 5);
  const chaos = Buffer.concat(Array.from({ length: 20 }, () => zstdCompressSync(noise)));
  expect(compressFrames(sealFrame(MESSAGE.batch, zstdCompressSync(chaos)))).toBeNull();
  expect(compressFrames(Buffer.alloc(limits.compressedBytesMax.value + 1))).toBeNull();
});

describe('hostile bytes cost no memory and are refused in words', () => {
  const frames = Buffer.concat(many);
  const bomb = zstdCompressSync(Buffer.alloc(50_000_000));
  test.each([
    ['a bomb that says how large it is', lie(bomb, 50_000_000), /at most 4194304/],
    ['a bomb that lies', lie(bomb, 1000), /cannot be read/],
    ['a bomb that says nothing', lie(bomb, 0), /cannot be read/],
    ['less than it says', lie(zstdCompressSync(frames), frames.length + 1), /not \d+/],
    ['no zstd', lie(Buffer.from('no zstd at all'), 100), /cannot be read/],
    ['no frames', lie(zstdCompressSync(Buffer.alloc(100, 1)), 100), /holds no frames|cut short/],
    ['half a frame', lie(zstdCompressSync(many[0].subarray(0, 20)), 20), /cut short/],
    [
      'itself',
      lie(zstdCompressSync(compressFrames(frames)!), compressFrames(frames)!.length),
      /in/,
    ],
    ['nothing', sealFrame(MESSAGE.compressed, new Uint8Array(2)), /cut short/],
  ])('%s', (_, frame, words) => {
    expect(readCompressed(frame)).toMatch(words);
  });

  test('any flipped bit of it is an error or other frames, never more', () => {
    const packed = compressFrames(frames)!;
    for (let at = 9; at < packed.length; at += 7) {
      const bent = new Uint8Array(packed);
      bent[at] ^= 1 << (at % 8);
      const read = readCompressed(bent);
      if (typeof read === 'string') continue;
      expect(read.reduce((sum, frame) => sum + frame.length, 0)).toBeLessThanOrEqual(frames.length);
    }
  });
});
