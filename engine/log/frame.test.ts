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
