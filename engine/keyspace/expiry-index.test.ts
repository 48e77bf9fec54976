import { Arena, CHUNK_SHIFT, CLASS_OF_UNITS, UNIT_MASK } from './arena.ts';
import { ExpiryIndex } from './expiry-index.ts';
import { seededChance } from './test-chance.ts';

const ENTRY_CLASS = CLASS_OF_UNITS[6];
const START_MS = Date.UTC(2026, 0, 1);

function setUp() {
  const arena = new Arena();
  const due = new Map<number, number>();
  const index = new ExpiryIndex(arena, (ref) => due.get(ref) as number);
  const add = (dueMs: number): number => {
    const ref = arena.allocate(ENTRY_CLASS);
    due.set(ref, dueMs);
    index.add(ref);
    return ref;
  };
  return { arena, due, index, add };
}

describe('ExpiryIndex', () => {
  test('hands out each entry once, not early and not later than the tick after it is due', () => {
    const random = seededChance(1);
    const { due, index, add } = setUp();
    const spans = [10, 300, 70_000, 20_000_000, 5_000_000_000, 10 ** 13];
    let nowMs = START_MS;
    const live = new Set<number>();
    for (let step = 0; step < 2000; step++) {
      const span = spans[Math.floor(random() * spans.length)];
      if (random() < 0.6) live.add(add(nowMs + 1 + Math.floor(random() * span)));
      else if (random() < 0.3 && live.size > 0) {
        const ref = [...live][Math.floor(random() * live.size)];
        index.remove(ref);
        live.delete(ref);
      }
      nowMs += Math.floor(random() ** 8 * 100_000_000);
      const wrong: number[] = [];
      const done = index.advance(nowMs, 1_000_000, (ref) => {
        if ((due.get(ref) as number) > nowMs || !live.delete(ref)) wrong.push(ref);
      });
      for (const ref of live) if ((due.get(ref) as number) <= nowMs) wrong.push(ref);
      expect([done, wrong, index.size]).toEqual([true, [], live.size]);
    }
  });

  test('does no more work at once than its budget allows', () => {
    const { index, add } = setUp();
    for (let i = 0; i < 5000; i++) add(START_MS + 1000);
    let handedOut = 0;
    let turns = 0;
    while (!index.advance(START_MS + 2000, 100, () => handedOut++)) {
      turns++;
      expect(handedOut).toBeLessThanOrEqual(turns * 100);
    }
    expect(handedOut).toBe(5000);
    expect(turns).toBeGreaterThan(50);
  });

  test('entries may be removed and moved while a bucket is being emptied', () => {
    const { arena, due, index, add } = setUp();
    const refs = Array.from({ length: 1000 }, (_, i) => add(START_MS + 500 + (i % 3)));
    const handedOut = new Set<number>();
    index.advance(START_MS + 501, 150, (ref) => handedOut.add(ref));
    const waiting = refs.filter((ref) => !handedOut.has(ref));
    const expected = new Set(waiting);
    for (let i = 0; i < waiting.length; i++) {
      const ref = waiting[i];
      if (i % 2 === 0) {
        index.remove(ref);
        expected.delete(ref);
      } else if (i % 3 === 0) {
        const to = arena.allocate(ENTRY_CLASS);
        const words = arena.u32[ref >>> CHUNK_SHIFT];
        const from = (ref & UNIT_MASK) << 1;
        words.copyWithin((to & UNIT_MASK) << 1, from, from + 12);
        due.set(to, due.get(ref) as number);
        index.moved(ref, to);
        expected.delete(ref);
        expected.add(to);
      }
    }
    const later = new Set<number>();
    index.advance(START_MS + 10_000, 1_000_000, (ref) => later.add(ref));
    expect([...later].sort()).toEqual([...expected].sort());
    expect(index.size).toBe(0);
  });

  test('a clock that goes back hands out nothing early', () => {
    const { index, add } = setUp();
    index.advance(START_MS + 10_000, 1000, () => {});
    add(START_MS + 20_000);
    let handedOut = 0;
    index.advance(START_MS, 1000, () => handedOut++);
    expect(handedOut).toBe(0);
    index.advance(START_MS + 20_000, 1000, () => handedOut++);
    expect(handedOut).toBe(1);
  });
});
