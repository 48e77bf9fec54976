import fc from 'fast-check';
import type { Cell } from '../crdt/cell.ts';
import { nameText, readCell, writeCell } from './element-cell.ts';
import { ElementWalk, randomElement, scanElements } from './element-walk.ts';
import { Keyspace } from './keyspace.ts';
import { seededChance } from './test-chance.ts';

const bytes = (text: string): Buffer => Buffer.from(text, 'latin1');
const NOTHING = Buffer.alloc(0);

/** A table with names as text, as a Map is used. */
class Model {
  readonly keyspace = new Keyspace(seededChance(3), () => 0);
  readonly tables = this.keyspace.tables;
  readonly baseBytes = this.keyspace.memoryBytes;
  readonly table = this.tables.create();
  private seq = 0;

  find(name: string): number {
    const buf = bytes(name);
    return this.tables.find(this.table, buf, 0, buf.length);
  }

  set(name: string, value: string): void {
    const [n, v] = [bytes(name), bytes(value)];
    this.seq++;
    const element = this.find(name);
    const { tables, table, seq } = this;
    tables.write(table, element, n, 0, n.length, v, 0, v.length, seq % 3, seq, 2 ** 52 + seq);
  }

  delete(name: string): void {
    const element = this.find(name);
    if (element !== 0) this.tables.remove(this.table, element);
  }

  cell(name: string): Cell | null {
    const element = this.find(name);
    return element === 0 ? null : readCell(this.tables, element);
  }

  get root(): number {
    return this.tables.rootOf(this.table);
  }

  names(): string[] {
    const walk = new ElementWalk(this.tables.arena);
    walk.open(this.root);
    const names: string[] = [];
    for (let element = walk.next(); element !== 0; element = walk.next()) {
      names.push(nameText(this.tables, element));
    }
    return names;
  }

  /** What the table counts for itself must be what it takes of the keyspace. */
  expectExact(): void {
    const taken = this.keyspace.memoryBytes - this.baseBytes;
    expect(this.tables.bytesOf(this.table)).toBe(taken);
  }
}

const steps = fc.array(
  fc.record({
    name: fc.oneof(
      { weight: 20, arbitrary: fc.integer({ min: 0, max: 3000 }).map((n) => `name${n}`) },
      { weight: 1, arbitrary: fc.constantFrom('', 'n'.repeat(16_384), 'o'.repeat(16_385)) },
    ),
    value: fc.oneof(
      { weight: 20, arbitrary: fc.integer({ min: 0, max: 40 }).map((n) => 'v'.repeat(n)) },
      { weight: 1, arbitrary: fc.constantFrom('w'.repeat(32_768), 'x'.repeat(32_769)) },
    ),
    times: fc.constantFrom(1, 1, 1, 30, 400),
    remove: fc.boolean(),
  }),
  { maxLength: 40, size: 'max' },
);

describe('a table of elements', () => {
  test('holds what a Map holds, counts its bytes exactly and gives all of them back', () => {
    fc.assert(
      fc.property(steps, (list) => {
        const model = new Model();
        const map = new Map<string, string>();
        for (const { name, value, times, remove } of list) {
          for (let i = 0; i < times; i++) {
            const one = times === 1 ? name : `${name.slice(0, 8)}:${i}`;
            if (remove) {
              model.delete(one);
              map.delete(one);
            } else {
              model.set(one, value);
              map.set(one, value);
            }
          }
          model.expectExact();
        }
        expect(model.tables.count(model.table)).toBe(map.size);
        expect(model.names().sort()).toEqual([...map.keys()].sort());
        for (const [name, value] of map) {
          expect(model.cell(name)?.siblings[0].value).toBe(value);
        }
        for (const name of map.keys()) model.delete(name);
        model.tables.release(model.table);
        expect(model.keyspace.memoryBytes).toBe(model.baseBytes);
        expect(model.keyspace.arena.usedBytes).toBe(model.keyspace.memoryBytes - heapOf(model));
      }),
      { numRuns: 40 },
    );
  });

  test('grows to 50,000 elements and shrinks again, never with many empty places', () => {
    const model = new Model();
    for (let i = 0; i < 50_000; i++) model.set(`field:${i}`, 'sixteen bytes...');
    expect(model.tables.bytesOf(model.table) / 50_000).toBeLessThan(100);
    expect(new Set(model.names()).size).toBe(50_000);
    for (let i = 0; i < 49_990; i++) model.delete(`field:${i}`);
    expect(model.names().sort()).toEqual(
      Array.from({ length: 10 }, (_, i) => `field:${49_990 + i}`),
    );
    expect(model.tables.bytesOf(model.table)).toBeLessThan(10 * 100 + 56 + 16 * 8 + 1024);
    model.expectExact();
  });

  test('cells of any form are what they were, and what lies outside is counted', () => {
    const model = new Model();
    const dot = (actor: number, seq: number) => ({ actor, seq, hlc: 2 ** 52 + seq });
    const tally = (actor: number, cum: number | bigint) => ({
      ...dot(actor, 2 ** 40 + actor),
      cum,
      floorSeq: 7,
      floorCum: -3,
    });
    const cells: Cell[] = [
      { siblings: [{ ...dot(65_535, 2 ** 47), value: '' }], contributions: [] },
      { siblings: [], contributions: [tally(1, 5)] },
      { siblings: [{ ...dot(2, 3), value: '12' }], contributions: [tally(1, 5), tally(2, -9)] },
      { siblings: [], contributions: Array.from({ length: 8 }, (_, i) => tally(i, i)) },
      { siblings: [], contributions: Array.from({ length: 9 }, (_, i) => tally(i, i)) },
      { siblings: [], contributions: [tally(1, 5n * 10n ** 16n)] },
      { siblings: [1, 2].map((n) => ({ ...dot(n, n), value: 'v'.repeat(n) })), contributions: [] },
      { siblings: [{ ...dot(1, 9), value: 'x'.repeat(40_000) }], contributions: [tally(3, 1)] },
    ];
    const name = { buf: bytes('counter'), start: 0, end: 7 };
    let others = 0;
    for (const [was, cell] of cells.entries()) {
      for (const next of cells) {
        for (const one of [cell, next]) {
          writeCell(model.tables, model.table, model.find('counter'), name, structuredClone(one));
          expect(model.cell('counter')).toEqual(one);
          const counts = others + Number(one.contributions.length > 0);
          expect(model.tables.counters(model.table)).toBe(counts);
          model.expectExact();
        }
      }
      writeCell(model.tables, model.table, model.find(`f${was}`), nameOf(`f${was}`), cell);
      others += Number(cell.contributions.length > 0);
    }
    for (let i = 0; i < cells.length; i++) model.delete(`f${i}`);
    model.delete('counter');
    model.tables.release(model.table);
    expect(model.keyspace.memoryBytes).toBe(model.baseBytes);
  });

  test('knows who has seen all of it', () => {
    const { tables } = new Model();
    const table = tables.create();
    const write = (actor: number, seq: number): void => {
      const buf = bytes(`${actor}`);
      const element = tables.find(table, buf, 0, buf.length);
      tables.write(table, element, buf, 0, buf.length, NOTHING, 0, 0, actor, seq, 1);
    };
    for (const seq of [3, 5, 4]) write(1, seq);
    write(3, 2 ** 45);
    expect(tables.coveredBy(table, [0, 5, 0, 2 ** 45])).toBe(true);
    expect(tables.coveredBy(table, [0, 4, 0, 2 ** 45])).toBe(false);
    expect(tables.coveredBy(table, [0, 5])).toBe(false);
    for (let actor = 0; actor < 5; actor++) write(actor, 1);
    expect(tables.coveredBy(table, [9, 9, 9, 2 ** 46, 9])).toBe(false);
  });

  test('a large one is freed little by little, and is not counted meanwhile', () => {
    const model = new Model();
    for (let i = 0; i < 20_000; i++) model.set(`field:${i}`, 'v');
    model.set('large', 'x'.repeat(50_000));
    const { arena } = model.keyspace;
    const full = arena.usedBytes;
    model.tables.release(model.table);
    expect(model.keyspace.memoryBytes).toBe(model.baseBytes);
    expect(arena.usedBytes).toBeGreaterThan(full * 0.9);
    let turns = 0;
    for (let before = full; model.tables.releasedBytes > 0; turns++) {
      model.tables.reclaim(500);
      // 500 elements, one leaf more, and their places.
      expect(before - arena.usedBytes).toBeLessThan((500 + 819) * 100);
      before = arena.usedBytes;
    }
    expect(turns).toBeGreaterThan(10);
    expect(model.keyspace.memoryBytes).toBe(model.baseBytes);
  });
});

describe('scanElements', () => {
  test('returns what is there all the time exactly once, while the table grows and shrinks', () => {
    for (const growing of [true, false]) {
      const model = new Model();
      const random = seededChance(9);
      const steady = Array.from({ length: 700 }, (_, i) => `steady${i}`);
      for (const name of steady) model.set(name, '');
      for (let i = 0; i < 5000; i++) if (!growing) model.set(`other${i}`, '');
      const seen = new Map<string, number>();
      let cursor = 0;
      let calls = 0;
      do {
        cursor = scanElements(model.tables.arena, model.root, cursor, 10, (element) => {
          const name = nameText(model.tables, element);
          seen.set(name, (seen.get(name) ?? 0) + 1);
        });
        for (let i = 0; i < 60; i++) {
          const name = `other${Math.floor(random() * 5000)}`;
          if (growing) model.set(name, '');
          else model.delete(name);
        }
        calls++;
      } while (cursor !== 0);
      expect(steady.filter((name) => seen.get(name) !== 1)).toEqual([]);
      expect(Math.max(...seen.values())).toBe(1);
      expect(calls).toBeGreaterThan(50);
    }
  });

  test('ends for any cursor, also of an empty table', () => {
    const model = new Model();
    for (const cursor of [0, 1, 2 ** 32 - 1, 2 ** 32, 2 ** 53 - 1]) {
      expect(scanElements(model.tables.arena, model.root, cursor, 10, () => {})).toBe(0);
    }
  });
});

describe('randomElement', () => {
  test('gives each element the same chance, whatever the shape of the table', () => {
    const model = new Model();
    for (let i = 0; i < 3000; i++) model.set(`name${i}`, '');
    for (let i = 30; i < 2970; i++) model.delete(`name${i}`);
    const random = seededChance(5);
    const seen = new Map<string, number>();
    for (let i = 0; i < 30_000; i++) {
      const name = nameText(model.tables, randomElement(model.tables.arena, model.root, random));
      seen.set(name, (seen.get(name) ?? 0) + 1);
    }
    expect(seen.size).toBe(60);
    // 500 each on average; five standard deviations.
    for (const times of seen.values()) expect(Math.abs(times - 500)).toBeLessThan(112);
  });
});

test('a random element is weighed by what lies below the nodes', () => {
  const model = new Model();
  const { tables } = model;
  const groupOf = (name: string): number => {
    model.find(name);
    return tables.hash >>> 28;
  };
  for (let i = 0; i < 4000; i++) model.set(`name${i}`, '');
  // Thin out all but four of the root's children.
  for (let i = 0; i < 4000; i++) {
    if (i % 10 !== 0 && groupOf(`name${i}`) < 12) model.delete(`name${i}`);
  }
  const shares = new Array<number>(16).fill(0);
  for (const name of model.names()) shares[groupOf(name)]++;
  const draws = 20_000;
  const seen = new Array<number>(16).fill(0);
  const random = seededChance(7);
  for (let i = 0; i < draws; i++) {
    seen[groupOf(nameText(tables, randomElement(tables.arena, model.root, random)))]++;
  }
  for (const [group, share] of shares.entries()) {
    const expected = (draws * share) / tables.count(model.table);
    // Six standard deviations.
    expect(Math.abs(seen[group] - expected)).toBeLessThan(6 * Math.sqrt(expected) + 1);
  }
});

function heapOf({ keyspace }: Model): number {
  return keyspace.table.heapBytes + keyspace.slots.heapBytes + keyspace.expiry.heapBytes;
}

function nameOf(name: string): { buf: Buffer; start: number; end: number } {
  return { buf: bytes(name), start: 0, end: name.length };
}
