import { Stalls } from './stalls.ts';

/** Clocks that a test moves. */
function clocks() {
  const now = { wall: 1000, cpu: 50, waited: 7 };
  const clock = {
    wallMs: () => 0,
    monotonicMs: () => now.wall,
    cpuMs: () => now.cpu,
    waitedMs: () => now.waited,
  };
  return { now, stalls: new Stalls(clock) };
}

test('what a stretch used, what it waited for a core, and what it was blocked are told apart', () => {
  const { now, stalls } = clocks();
  const began = stalls.begin();
  now.wall += 40;
  now.cpu += 2;
  now.waited += 30;
  expect(stalls.end('log', began)).toBe(1040);
  const { longestMs, longestCpuMs, longestBlockedMs, count, cpuCount } = stalls.of('log');
  expect([longestMs, longestCpuMs, longestBlockedMs]).toEqual([40, 2, 8]);
  expect([count, cpuCount]).toEqual([1, 0]);
  stalls.reset();
  expect(stalls.of('log').longestMs).toBe(0);
});

test('readings inside of a stretch do not hide what it waited before them', () => {
  const { now, stalls } = clocks();
  const began = stalls.begin();
  now.wall += 30;
  now.waited += 30;
  stalls.tick(0);
  now.wall += 1;
  now.cpu += 1;
  stalls.end('input', began);
  expect(stalls.of('input')).toMatchObject({ longestMs: 31, longestCpuMs: 1, longestBlockedMs: 0 });
});

test('a stretch below 1 ms costs no reading, and a tick tells how late it came', () => {
  const { now, stalls } = clocks();
  now.cpu += 100;
  now.wall += 0.5;
  stalls.end('input', now.wall - 0.5);
  expect(stalls.of('input').longestMs).toBe(0);
  stalls.tick(20);
  // The CPU was used since the last reading, so the tick may be late because of it.
  expect(stalls.of('late')).toMatchObject({ longestMs: 20, longestCpuMs: 20, cpuCount: 1 });
});

test('without a clock of the thread all of a stretch counts as CPU', () => {
  let wall = 0;
  const stalls = new Stalls({ wallMs: () => 0, monotonicMs: () => wall });
  wall = 12;
  stalls.end('turn', 0);
  expect(stalls.of('turn')).toMatchObject({ longestMs: 12, longestCpuMs: 12, longestBlockedMs: 0 });
});
