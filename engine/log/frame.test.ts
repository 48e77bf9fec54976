import { FrameReader, frameBody, frameKind, scanFrame, sealFrame } from './frame.ts';

const frames = [sealFrame(1, new Uint8Array([1, 2, 3])), sealFrame(27, new Uint8Array(0))];
const stream = new Uint8Array(Buffer.concat(frames));

function readAll(reader: FrameReader, chunks: readonly Uint8Array[]): (Uint8Array | string)[] {
  const seen: (Uint8Array | string)[] = [];
  for (const chunk of chunks) {
    const problem = reader.push(chunk, (frame) => {
      seen.push(frame);
      return true;
    });
    if (problem !== null) return [...seen, problem];
  }
  return seen;
}

describe('frame reader', () => {
  test('frames come out whole however the stream is cut in two', () => {
    for (let cut = 0; cut <= stream.length; cut++) {
      const chunks = [stream.subarray(0, cut), stream.subarray(cut)];
      expect(readAll(new FrameReader(100), chunks)).toEqual(frames);
    }
  });

  test('frames come out whole byte by byte', () => {
    const chunks = Array.from(stream, (byte) => new Uint8Array([byte]));
    expect(readAll(new FrameReader(100), chunks)).toEqual(frames);
  });

  test('a frame is a copy: the chunk may be used again', () => {
    const chunk = stream.slice();
    const [frame] = readAll(new FrameReader(100), [chunk]) as Uint8Array[];
    chunk.fill(0);
    expect([...frameBody(frame)]).toEqual([1, 2, 3]);
    expect(frameKind(frame)).toBe(1);
  });

  test('frames of the lent kind are views until the reader goes on, others are copies', () => {
    const big = sealFrame(1, new Uint8Array(5000).fill(9));
    const both = new Uint8Array(Buffer.concat([big, frames[1], big, frames[0], big]));
    for (const cut of [1, 9, 700, big.length, big.length + 3, both.length - 1, both.length]) {
      const chunks = [both.slice(0, cut), both.slice(cut)];
      const reader = new FrameReader(10_000, 1);
      const seen: Uint8Array[] = [];
      const copies: Uint8Array[] = [];
      for (const chunk of chunks) {
        reader.push(chunk, (frame) => {
          seen.push(frame);
          return copies.push(frame.slice()) > 0;
        });
      }
      expect(copies).toEqual([big, frames[1], big, frames[0], big]);
      const isOwn = (frame: Uint8Array) => frame.length === frame.buffer.byteLength;
      expect(isOwn(seen[1])).toBe(true);
      expect(isOwn(seen[3])).toBe(false);
    }
  });

  test('a lent frame that fills its buffer is never overwritten', () => {
    const frame = sealFrame(1, new Uint8Array(4096 - 9).fill(3));
    const reader = new FrameReader(10_000, 1);
    const seen: Uint8Array[] = [];
    for (const chunk of [frame.slice(0, 100), frame.slice(100), stream.slice(0, 3)]) {
      reader.push(chunk, (whole) => seen.push(whole) > 0);
    }
    expect(seen).toEqual([frame]);
  });

  test('every flipped bit is noticed, or more bytes are waited for', () => {
    for (let bit = 0; bit < frames[0].length * 8; bit++) {
      const bad = frames[0].slice();
      bad[bit >> 3] ^= 1 << (bit & 7);
      const seen = readAll(new FrameReader(100), [bad]);
      expect(seen.every((item) => typeof item === 'string')).toBe(true);
    }
  });

  test('a frame beyond the limit is refused before its bytes come', () => {
    const seen = readAll(new FrameReader(100), [new Uint8Array([200, 0, 0, 0, 1, 2, 3, 4, 5])]);
    expect(seen).toEqual(['a frame of 208 bytes, at most 100 allowed']);
  });

  test('HTTP on the port is a frame far beyond the limit', () => {
    const [problem] = readAll(new FrameReader(65_536), [Buffer.from('GET / HTTP/1.1\r\n')]);
    expect(problem).toContain('at most 65536 allowed');
  });

  test('a length of zero is refused', () => {
    expect(readAll(new FrameReader(100), [new Uint8Array(9)])).toEqual(['a frame of no length']);
  });

  test('reading ends when the receiver has had enough', () => {
    let count = 0;
    new FrameReader(100).push(stream, () => ++count < 1);
    expect(count).toBe(1);
  });
});

test('scanning says whether bytes are cut short or wrong', () => {
  expect(scanFrame(stream, 0, stream.length, 100)).toEqual({ kind: 'frame', end: 12 });
  expect(scanFrame(stream, 0, 11, 100).kind).toBe('short');
  expect(scanFrame(stream, 1, stream.length, 100).kind).toBe('bad');
});
