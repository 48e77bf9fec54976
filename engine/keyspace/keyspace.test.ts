import { emptyKeyState, type KeyState } from '../crdt/key-state.ts';
import { Arena } from './arena.ts';
import { newKeyPlace } from './key-place.ts';
import { Keyspace } from './keyspace.ts';
import { loadState, packedLayout, storeState } from './packed-string.ts';
import { randomEntry, scanTable } from './scan.ts';
import { slotOf } from './slot.ts';
import { Table } from './table.ts';
import { seededChance } from './test-chance.ts';

const NEVER = Number.POSITIVE_INFINITY;
const place = newKeyPlace();

function find(keyspace: Keyspace, key: string): number {
  const buf = Buffer.from(key, 'latin1');
  const hash = keyspace.hash.of(buf, 0, buf.length);
  const ref = keyspace.find(hash, buf, 0, buf.length);
  Object.assign(place, { hash, ref, slot: slotOf(buf, 0, buf.length), buf, start: 0 });
  place.end = buf.length;
  return ref;
}

function put(keyspace: Keyspace, key: string, state: KeyState | null): void {
  find(keyspace, key);
  storeState(keyspace, place, state, 100, NEVER);
}

function plain(value: string): KeyState {
  const dot = { actor: 3, seq: 2 ** 40 + 5, hlc: 2 ** 52 + 1 };
  const cell = { siblings: [{ ...dot, value }], contributions: [] };
  return { ...emptyKeyState(), cell, ttl: [{ ...dot, expiry: NEVER }] };
}

const newKeyspace = (seed = 1): Keyspace => new Keyspace(seededChance(seed), () => 0);

describe('Keyspace', () => {
  test('holds what a Map holds, through growth, replacement and removal', () => {
    const random = seededChance(5);
    const keyspace = newKeyspace();
    const model = new Map<string, string>();
    for (let step = 0; step < 20_000; step++) {
      const key = `key:${Math.floor(random() * 8_000)}`;
      if (random() < 0.7) {
        const value = 'v'.repeat(Math.floor(random() ** 4 * 200)) + step;
        put(keyspace, key, plain(value));
        model.set(key, value);
      } else {
        put(keyspace, key, null);
        model.delete(key);
      }
    }
    expect(keyspace.size).toBe(model.size);
    const wrong: string[] = [];
    for (let i = 0; i < 8_000; i++) {
      const key = `key:${i}`;
      const ref = find(keyspace, key);
      const state = ref === 0 ? undefined : loadState(keyspace, ref);
      if (state?.cell?.siblings[0].value !== model.get(key)) wrong.push(key);
      if (ref !== 0 && keyspace.keyText(ref) !== key) wrong.push(key);
    }
    expect(wrong).toEqual([]);
  });

  test('gives all memory back when all keys are gone', () => {
    const keyspace = newKeyspace();
    for (let i = 0; i < 3000; i++) put(keyspace, `k${i}`, plain('x'.repeat(i % 500)));
    const tables = keyspace.arena.usedBytes;
    for (let i = 0; i < 3000; i++) put(keyspace, `k${i}`, null);
    expect(keyspace.size).toBe(0);
    // The first segment of the table.
    expect(keyspace.arena.usedBytes).toBe(256 * 8);
    expect(tables).toBeGreaterThan(3000 * 250);
    expect([...keyspace.slots.counts].every((count) => count === 0)).toBe(true);
  });

  test('keys and values of any size, also far beyond a block', () => {
    const keyspace = newKeyspace();
    const sizes = [0, 1, 7, 8, 1000, 16_384, 16_385, 60_000, 65_535, 65_536, 1_000_000];
    for (const size of sizes) {
      put(keyspace, `v${size}`, plain('v'.repeat(size)));
      put(keyspace, `k${size}`.padEnd(size, 'k'), plain(`of ${size}`));
    }
    for (const size of sizes) {
      const value = loadState(keyspace, find(keyspace, `v${size}`)).cell?.siblings[0].value;
      expect(value?.length).toBe(size);
      const key = `k${size}`.padEnd(size, 'k');
      const ref = find(keyspace, key);
      expect(keyspace.keyText(ref)).toBe(key);
      expect(loadState(keyspace, ref)).toEqual(plain(`of ${size}`));
    }
    expect(keyspace.memoryBytes).toBeGreaterThan(2_000_000);
    for (const size of sizes) {
      put(keyspace, `v${size}`, null);
      put(keyspace, `k${size}`.padEnd(size, 'k'), null);
    }
    expect(keyspace.size).toBe(0);
    expect(keyspace.memoryBytes).toBeLessThan(400_000);
  });

  test('slot lists hold exactly the keys of their slot', () => {
    const keyspace = newKeyspace();
    for (let i = 0; i < 500; i++) put(keyspace, `{tag${i % 5}}${i}`, plain('v'.repeat(i)));
    for (let i = 0; i < 500; i += 2) put(keyspace, `{tag${i % 5}}${i}`, plain('w'));
    for (let i = 0; i < 500; i += 3) put(keyspace, `{tag${i % 5}}${i}`, null);
    for (let tag = 0; tag < 5; tag++) {
      const name = Buffer.from(`{tag${tag}}`);
      const slot = slotOf(name, 0, name.length);
      const keys: string[] = [];
      const { slots } = keyspace;
      for (let ref = slots.heads[slot]; ref !== 0; ref = slots.next(ref)) {
        keys.push(keyspace.keyText(ref));
      }
      const expected: string[] = [];
      for (let i = tag; i < 500; i += 5) if (i % 3 !== 0) expected.push(`{tag${tag}}${i}`);
      expect(keys.sort()).toEqual(expected.sort());
      expect(slots.counts[slot]).toBe(expected.length);
    }
  });
});

describe('packed strings', () => {
  test('pack and unpack are inverse for every layout', () => {
    const random = seededChance(11);
    const keyspace = newKeyspace();
    const number = (max: number): number => Math.floor(random() * max);
    let packed = 0;
    for (let step = 0; step < 1500; step++) {
      const dot = () => ({
        actor: number(65_536),
        seq: 1 + number(2 ** 48 - 1),
        hlc: number(2 ** 53),
      });
      const sibling = { ...dot(), value: 'v'.repeat(number(60)) };
      const siblings = random() < 0.7 ? [sibling] : [];
      const contributions = Array.from({ length: number(10) }, () => ({
        ...dot(),
        cum: number(2 ** 53) - 2 ** 52,
        floorSeq: number(2 ** 48),
        floorCum: random() < 0.05 ? 3n : number(1000),
      }));
      const { value: _, ...own } = sibling;
      const expiry = random() < 0.5 ? NEVER : number(2 ** 42);
      const ttl = random() < 0.3 ? [] : [{ ...(random() < 0.5 ? own : dot()), expiry }];
      if (siblings.length + contributions.length === 0) continue;
      const state = { ...emptyKeyState(), cell: { siblings, contributions }, ttl };
      if (packedLayout(state) >= 0) packed++;
      put(keyspace, `k${number(50)}`, structuredClone(state));
      expect(loadState(keyspace, place.ref)).toEqual(state);
    }
    expect(packed).toBeGreaterThan(600);
  });
});

describe('SCAN', () => {
  test('returns a key that is there all the time exactly once, while the table grows', () => {
    const random = seededChance(17);
    const keyspace = newKeyspace();
    const steady = new Set<string>();
    for (let i = 0; i < 2000; i++) {
      put(keyspace, `steady${i}`, plain('v'));
      steady.add(`steady${i}`);
    }
    const seen = new Map<string, number>();
    let cursor = 0;
    let calls = 0;
    do {
      cursor = scanTable(keyspace.arena, keyspace.table, cursor, 10, (ref) => {
        const key = keyspace.keyText(ref);
        seen.set(key, (seen.get(key) ?? 0) + 1);
      });
      calls++;
      for (let i = 0; i < 40; i++) put(keyspace, `new${calls}:${i}`, plain('v'));
      put(keyspace, `new${1 + Math.floor(random() * calls)}:7`, null);
    } while (cursor !== 0);
    expect([...steady].filter((key) => seen.get(key) !== 1)).toEqual([]);
    expect(Math.max(...seen.values())).toBe(1);
    expect(keyspace.table.depthBits).toBeGreaterThan(2);
  });
});

describe('the table', () => {
  test('takes at most 11 bytes a key, whatever their number', () => {
    const random = seededChance(29);
    const arena = new Arena();
    const table = new Table(arena, () => false);
    let most = 0;
    for (let keys = 1; keys <= 300_000; keys++) {
      table.insert(Math.floor(random() * 2 ** 32), keys);
      if (keys > 2000) most = Math.max(most, (arena.usedBytes + table.heapBytes) / keys);
    }
    expect(most).toBeLessThan(11);
    expect(arena.usedBytes / table.size).toBeGreaterThan(8 / 0.86);
  });
});

describe('work at once', () => {
  test('an insert moves at most one segment, whatever the number of keys', () => {
    const random = seededChance(31);
    const arena = new Arena();
    const table = new Table(arena, () => false);
    const watched = table as unknown as { put(...args: number[]): void };
    const put = watched.put.bind(table);
    let moved = 0;
    watched.put = (...args) => {
      moved++;
      put(...args);
    };
    let most = 0;
    for (let keys = 1; keys <= 100_000; keys++) {
      moved = 0;
      table.insert(Math.floor(random() * 2 ** 32), keys);
      most = Math.max(most, moved);
    }
    expect(most).toBeLessThanOrEqual(4096 * 0.86);
    expect(table.depthBits).toBeGreaterThan(4);
  });

  test('SCAN goes on over a table that was emptied and filled again meanwhile', () => {
    const keyspace = newKeyspace();
    for (let i = 0; i < 9000; i++) put(keyspace, `k${i}`, plain('v'));
    const seen: string[] = [];
    const each = (ref: number) => seen.push(keyspace.keyText(ref));
    const cursor = scanTable(keyspace.arena, keyspace.table, 0, 4000, each);
    for (let i = 0; i < 9000; i++) put(keyspace, `k${i}`, null);
    for (let i = 0; i < 50; i++) put(keyspace, `k${i}`, plain('v'));
    let next = cursor;
    while (next !== 0) next = scanTable(keyspace.arena, keyspace.table, next, 100, each);
    expect(new Set(seen).size).toBe(seen.length);
    for (let i = 0; i < 50; i++) expect(seen).toContain(`k${i}`);
  });
});

describe('random keys', () => {
  test('every key has its chance, and the last one is found among empty segments', () => {
    const random = seededChance(23);
    const keyspace = newKeyspace();
    expect(randomEntry(keyspace.arena, keyspace.table, random)).toBe(0);
    for (let i = 0; i < 10; i++) put(keyspace, `k${i}`, plain('v'));
    const seen = new Set<string>();
    for (let i = 0; i < 500; i++) {
      seen.add(keyspace.keyText(randomEntry(keyspace.arena, keyspace.table, random)));
    }
    expect(seen.size).toBe(10);
    for (let i = 10; i < 20_000; i++) put(keyspace, `k${i}`, plain('v'));
    for (let i = 1; i < 20_000; i++) put(keyspace, `k${i}`, null);
    const last = randomEntry(keyspace.arena, keyspace.table, () => 0.5);
    expect(keyspace.keyText(last)).toBe('k0');
  });
});
