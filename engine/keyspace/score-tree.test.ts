import fc from 'fast-check';
import { nameText } from './element-cell.ts';
import { Keyspace } from './keyspace.ts';
import { linkScore, unlinkScore, writeScored } from './scored-table.ts';

type Entry = { name: string; score: number };

const byOrder = (a: Entry, b: Entry): number =>
  a.score - b.score || Buffer.compare(Buffer.from(a.name), Buffer.from(b.name));

/** A sorted set in a table, with a model beside it. */
function newZset() {
  const keyspace = new Keyspace(Math.random, () => 0);
  const { tables } = keyspace;
  const table = tables.create();
  const model = new Map<string, number>();
  const find = (name: string): number => tables.find(table, Buffer.from(name), 0, name.length);
  return {
    keyspace,
    tables,
    table,
    root: tables.orderOf(table),
    model,
    find,
    set(name: string, score: number) {
      const bytes = Buffer.from(name);
      writeScored(tables, table, find(name), bytes, 0, bytes.length, score, 1, 1, 1);
      model.set(name, score);
    },
    remove(name: string) {
      const element = find(name);
      unlinkScore(tables, table, element, model.get(name) as number);
      tables.remove(table, element);
      model.delete(name);
    },
    sorted(): Entry[] {
      return [...model].map(([name, score]) => ({ name, score })).sort(byOrder);
    },
    walked(rank: number, count: number, down = false): Entry[] {
      const found: Entry[] = [];
      tables.order.walk(tables.orderOf(table), rank, count, down, (element, score) => {
        found.push({ name: nameText(tables, element), score });
        return true;
      });
      return found;
    },
  };
}

const step = fc.record({
  name: fc.nat(700).map((n) => `m${n}`),
  score: fc.oneof(fc.integer({ min: 0, max: 8 }), fc.double({ noNaN: true })),
  remove: fc.boolean(),
});

test('the order is that of a sorted list, whatever is added, moved and removed', () => {
  const steps = fc.array(step, { minLength: 1, maxLength: 1500, size: 'max' });
  fc.assert(
    fc.property(steps, fc.boolean(), (all, ascending) => {
      const zset = newZset();
      const { tables, root, model } = zset;
      for (const [i, { name, score, remove }] of all.entries()) {
        if (remove && model.has(name)) zset.remove(name);
        else zset.set(name, ascending ? i : score);
      }
      const sorted = zset.sorted();
      expect(zset.walked(0, sorted.length)).toEqual(sorted);
      if (sorted.length > 0) {
        expect(zset.walked(sorted.length - 1, sorted.length, true)).toEqual(sorted.toReversed());
      }
      for (const [rank, { name, score }] of sorted.entries()) {
        if (rank % 7 === 0) expect(tables.order.rankOf(root, score, zset.find(name))).toBe(rank);
      }
      for (const bound of [-1, 0, 3, 5.5, 1e300, Number.POSITIVE_INFINITY]) {
        const below = sorted.filter(({ score }) => score < bound).length;
        const upTo = sorted.filter(({ score }) => score <= bound).length;
        expect(tables.order.countBelowScore(root, bound, false)).toBe(below);
        expect(tables.order.countBelowScore(root, bound, true)).toBe(upTo);
      }
    }),
    { numRuns: 60 },
  );
}, 60_000);

test('with one score the order is that of the names', () => {
  const zset = newZset();
  const names = Array.from({ length: 500 }, (_, n) => `n${(n * 7919) % 1000}`);
  for (const name of names) zset.set(name, 0);
  const sorted = [...new Set(names)].sort();
  expect(zset.walked(0, sorted.length).map(({ name }) => name)).toEqual(sorted);
  for (const bound of ['', 'n', 'n4', 'n400', 'n9999', sorted[17]]) {
    const bytes = Buffer.from(bound);
    const count = (orEqual: boolean): number =>
      zset.tables.order.countBelowName(zset.root, bytes, 0, bytes.length, orEqual);
    expect(count(false)).toBe(sorted.filter((name) => name < bound).length);
    expect(count(true)).toBe(sorted.filter((name) => name <= bound).length);
  }
});

test('what all elements have taken is given back with them, one by one or as a whole', () => {
  const zset = newZset();
  const { keyspace, tables, table } = zset;
  const before = keyspace.arena.usedBytes;
  const bytes = tables.bytesOf(table);
  for (let n = 0; n < 3000; n++) zset.set(`m${n}`, (n * 7919) % 3001);
  expect(tables.bytesOf(table) - bytes).toBe(keyspace.arena.usedBytes - before);
  for (let n = 0; n < 3000; n++) zset.remove(`m${(n * 13) % 3000}`);
  expect(keyspace.arena.usedBytes).toBe(before);
  expect(tables.bytesOf(table)).toBe(bytes);
  for (let n = 0; n < 3000; n++) zset.set(`m${n}`, n);
  tables.release(table);
  tables.reclaim(100_000);
  expect(tables.releasedBytes).toBe(0);
  expect(keyspace.arena.usedBytes).toBeLessThan(before);
});

test('an element that moves in memory is linked anew', () => {
  const zset = newZset();
  zset.set('a', 1);
  zset.set('b', 2);
  const element = zset.find('a');
  unlinkScore(zset.tables, zset.table, element, 1);
  linkScore(zset.tables, zset.table, element, 3);
  expect(zset.walked(0, 2).map(({ name }) => name)).toEqual(['b', 'a']);
});
