import { backoffMs } from './backoff.ts';
import { LineSplitter } from './line-splitter.ts';
import { WorkQueue } from './queue.ts';

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

describe('the work queue', () => {
  test('works once on a key that was added many times', async () => {
    const done: string[] = [];
    const queue = new WorkQueue(
      async (key) => {
        done.push(key);
        return null;
      },
      () => undefined,
    );
    for (let i = 0; i < 5; i++) queue.add('a');
    await pause(20);
    // The first add starts at once, the others fall together into one more run.
    expect(done.length).toBeLessThanOrEqual(2);
    queue.stop();
  });

  test('never works twice on one key at the same time, and forgets no add', async () => {
    let running = 0;
    let most = 0;
    let runs = 0;
    const queue = new WorkQueue(
      async () => {
        running++;
        runs++;
        most = Math.max(most, running);
        await pause(20);
        running--;
        return null;
      },
      () => undefined,
    );
    queue.add('a');
    await pause(5);
    queue.add('a');
    await pause(80);
    expect([most, runs]).toEqual([1, 2]);
    queue.stop();
  });

  test('tries a failed key again later, and at once when it is added', async () => {
    let runs = 0;
    const errors: string[] = [];
    const queue = new WorkQueue(
      async () => {
        runs++;
        if (runs < 3) throw new Error(`no ${runs}`);
        return null;
      },
      (_key, error) => errors.push(String(error)),
    );
    queue.add('a');
    await pause(1);
    queue.add('a');
    await pause(200);
    expect(runs).toBe(3);
    expect(errors).toEqual(['Error: no 1', 'Error: no 2']);
    queue.stop();
  });

  test('runs again after the time that the work asks for', async () => {
    let runs = 0;
    const queue = new WorkQueue(
      async () => (++runs < 3 ? 10 : null),
      () => undefined,
    );
    queue.add('a');
    await pause(100);
    expect(runs).toBe(3);
    queue.stop();
  });

  test('starts nothing after it was stopped', async () => {
    let runs = 0;
    const queue = new WorkQueue(
      async () => {
        runs++;
        return 5;
      },
      () => undefined,
    );
    queue.add('a');
    queue.stop();
    await pause(40);
    expect(runs).toBe(1);
  });
});

describe('backoff', () => {
  test('doubles up to the maximum', () => {
    const limits = { firstMs: 100, maxMs: 1_000 };
    const middle = () => 0.5;
    expect([1, 2, 3, 4, 5, 60].map((n) => backoffMs(n, limits, middle))).toEqual([
      100, 200, 400, 800, 1_000, 1_000,
    ]);
  });

  test('is jittered by a fifth', () => {
    const limits = { firstMs: 100, maxMs: 1_000 };
    expect(backoffMs(1, limits, () => 0)).toBe(80);
    expect(backoffMs(1, limits, () => 1)).toBe(120);
  });
});

describe('the line splitter', () => {
  test('puts lines together whatever the chunks, also inside a character', () => {
    const bytes = Buffer.from('{"a":"é"}\n\n{"b":1}\n{"c"');
    for (let size = 1; size < bytes.length; size++) {
      const splitter = new LineSplitter();
      const lines: string[] = [];
      for (let at = 0; at < bytes.length; at += size) {
        lines.push(...splitter.push(bytes.subarray(at, at + size)));
      }
      expect(lines).toEqual(['{"a":"é"}', '{"b":1}']);
    }
  });
});
