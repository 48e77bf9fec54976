import { Backlog } from './backlog.ts';

const frame = (bytes: number): Uint8Array => new Uint8Array(bytes);

describe('backlog', () => {
  test('entries are numbered from the first, and the base covers what was dropped', () => {
    const backlog = new Backlog(1000);
    for (let seq = 1; seq <= 10; seq++) backlog.appendBatch(0, seq, seq, frame(100));
    expect(backlog.end).toBe(10);
    expect(backlog.first).toBeGreaterThan(0);
    expect(backlog.base[0]).toBe(backlog.first);
    expect(backlog.entryAt(backlog.first)).toMatchObject({
      kind: 'batch',
      firstSeq: backlog.first + 1,
    });
    expect(backlog.bytesHeld).toBeLessThanOrEqual(1000);
  });

  test('a jump that is dropped joins the base', () => {
    const backlog = new Backlog(600);
    backlog.appendJump([0, 7]);
    for (let seq = 1; seq <= 5; seq++) backlog.appendBatch(0, seq, seq, frame(100));
    expect(backlog.base[1]).toBe(7);
  });

  test('a frame greater than the limit is not held, and counts as dropped', () => {
    const backlog = new Backlog(100);
    backlog.appendBatch(2, 1, 3, frame(500));
    expect(backlog.first).toBe(backlog.end);
    expect(backlog.base[2]).toBe(3);
  });

  test('numbers go on after a reset', () => {
    const backlog = new Backlog(1000);
    backlog.appendBatch(0, 1, 1, frame(10));
    backlog.reset([5]);
    expect([backlog.first, backlog.end]).toEqual([1, 1]);
    expect([...backlog.base]).toEqual([5]);
  });

  test('thousands of entries pass through without loss of order', () => {
    const backlog = new Backlog(200 * 170);
    for (let seq = 1; seq <= 10_000; seq++) {
      backlog.appendBatch(0, seq, seq, frame(10));
      const last = backlog.entryAt(backlog.end - 1);
      expect(last.kind === 'batch' && last.lastSeq).toBe(seq);
    }
    expect(backlog.base[0]).toBe(backlog.first);
  });

  test('frames come back as they were, however long they are and however many have gone', () => {
    const backlog = new Backlog(100_000);
    const lengths = [1, 90, 700, 16_000, 20_000, 50_000];
    for (let number = 0; number < 600; number++) {
      const sent = frame(lengths[number % lengths.length]).fill(number);
      const held = backlog.appendBatch(number % 3, number + 1, number + 1, sent);
      // The sender uses its memory again, unless the frame is great and has a buffer of its own.
      if (sent.length < 12_500) sent.fill(0xff);
      expect(held.every((byte) => byte === number % 256)).toBe(true);
      for (const seen of new Set([backlog.first, (backlog.first + number) >> 1, number])) {
        const entry = backlog.entryAt(seen);
        if (entry.kind !== 'batch') throw new Error('a batch was appended');
        const { actor, firstSeq, frame: bytes } = entry;
        expect([actor, firstSeq, bytes.length]).toEqual([
          seen % 3,
          seen + 1,
          lengths[seen % lengths.length],
        ]);
        expect(bytes.every((byte) => byte === seen % 256)).toBe(true);
      }
    }
  });

  test('a jump keeps its place among batches', () => {
    const backlog = new Backlog(1_000_000);
    for (let round = 1; round <= 1000; round++) {
      backlog.appendBatch(0, round, round, frame(10));
      backlog.appendJump([round, round]);
    }
    expect(backlog.first).toBe(0);
    expect(backlog.entryAt(1001)).toEqual({ kind: 'jump', vector: [501, 501], isAhead: false });
    expect(backlog.entryAt(1002)).toMatchObject({ kind: 'batch', firstSeq: 502 });
  });
});
