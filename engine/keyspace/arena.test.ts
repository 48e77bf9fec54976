import {
  Arena,
  BLOCK_UNITS_MAX,
  CHUNK_SHIFT,
  CLASS_OF_UNITS,
  CLASS_UNITS,
  UNIT_MASK,
} from './arena.ts';
import { seededChance } from './test-chance.ts';

describe('Arena', () => {
  test('a class holds what it is asked for and wastes at most an eighth', () => {
    const wrong: number[] = [];
    for (let units = 1; units <= BLOCK_UNITS_MAX; units++) {
      const held = CLASS_UNITS[CLASS_OF_UNITS[units]];
      if (held < units || held - units > units / 8) wrong.push(units);
    }
    expect(wrong).toEqual([]);
  });

  test('an empty arena is small', () => {
    expect(new Arena().reservedBytes).toBeLessThanOrEqual(256 * 1024);
  });

  test('live blocks never overlap and keep their bytes, whatever is freed', () => {
    const random = seededChance(3);
    const arena = new Arena();
    const live = new Map<number, { sizeClass: number; mark: number }>();
    let used = 0;
    const wrong: number[] = [];
    for (let step = 1; step <= 5000; step++) {
      if (random() < 0.55 || live.size === 0) {
        const units = 1 + Math.floor(random() ** 6 * (BLOCK_UNITS_MAX - 1));
        const sizeClass = CLASS_OF_UNITS[units];
        const ref = arena.allocate(sizeClass);
        if (ref <= 0 || live.has(ref)) wrong.push(ref);
        const words = arena.u32[ref >>> CHUNK_SHIFT];
        const base = (ref & UNIT_MASK) << 1;
        words.fill(step, base, base + CLASS_UNITS[sizeClass] * 2);
        live.set(ref, { sizeClass, mark: step });
        used += CLASS_UNITS[sizeClass] * 8;
      } else {
        const refs = [...live.keys()];
        const ref = refs[Math.floor(random() * refs.length)];
        const { sizeClass, mark } = live.get(ref) as { sizeClass: number; mark: number };
        const base = (ref & UNIT_MASK) << 1;
        const words = arena.u32[ref >>> CHUNK_SHIFT];
        const block = words.subarray(base, base + CLASS_UNITS[sizeClass] * 2);
        if (!block.every((word) => word === mark)) wrong.push(ref);
        if (CLASS_UNITS[sizeClass] > 100 && random() < 0.5) arena.recycle(ref, sizeClass);
        else arena.free(ref, sizeClass);
        live.delete(ref);
        used -= CLASS_UNITS[sizeClass] * 8;
      }
      if (arena.usedBytes !== used) wrong.push(step);
    }
    expect(wrong).toEqual([]);
  });

  test('a recycled block serves small ones before memory that was never used', () => {
    const arena = new Arena();
    const large = CLASS_OF_UNITS[2048];
    const [first, second] = [arena.allocate(large), arena.allocate(large)];
    arena.recycle(first, large);
    arena.recycle(second, large);
    const small = CLASS_OF_UNITS[10];
    for (let i = 0; i < 400; i++) {
      const ref = arena.allocate(small);
      const inFirst = ref >= first && ref < first + 2048;
      const inSecond = ref >= second && ref < second + 2048;
      expect(inFirst || inSecond).toBe(true);
    }
    expect(arena.usedBytes).toBe(400 * 80);
  });

  test('freed memory of large blocks serves small ones before a new chunk is made', () => {
    const arena = new Arena();
    const large = CLASS_OF_UNITS[4096];
    const refs: number[] = [];
    while (arena.u8.length < 3) refs.push(arena.allocate(large));
    for (const ref of refs) arena.free(ref, large);
    const reserved = arena.reservedBytes;
    const small = CLASS_OF_UNITS[8];
    for (let bytes = 0; bytes < (refs.length - 1) * 4096 * 8; bytes += 64) arena.allocate(small);
    expect(arena.reservedBytes).toBe(reserved);
  });
});
