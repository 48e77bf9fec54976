/**
 * docs/semantics.md is true: each of its tables is played against real databases and sessions, by
 * several ways of delivery. A rule without a table fails.
 */
import { readFileSync } from 'node:fs';
import { type Expected, matches, parseExpected } from './expected-reply.ts';
import { type Delivery, MemoryWorld } from './memory-world.ts';
import { parseTables, type TableCase } from './parse-tables.ts';
import { playCase } from './play-case.ts';

const document = readFileSync(new URL('../../docs/semantics.md', import.meta.url), 'utf8');
const { cases, rules } = parseTables(document);

function shuffled(seed: number): (count: number) => number {
  let state = seed;
  return (count) => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return (state >>> 8) % count;
  };
}

const deliveries: Delivery[] = [
  { name: 'first link first', exchange: 'frames', times: 1, choose: () => 0 },
  { name: 'last link first', exchange: 'frames', times: 1, choose: (count) => count - 1 },
  { name: 'every frame three times', exchange: 'frames', times: 3, choose: () => 0 },
  { name: 'in random order', exchange: 'frames', times: 2, choose: shuffled(1) },
  { name: 'in another random order', exchange: 'frames', times: 1, choose: shuffled(99) },
  { name: 'by states', exchange: 'states', times: 1, choose: () => 0 },
  {
    name: 'by states, last link first',
    exchange: 'states',
    times: 1,
    choose: (count) => count - 1,
  },
];

describe.each(deliveries)('tables, $name', (delivery) => {
  const named = cases.map((table): [string, TableCase] => [
    `${table.section}: ${table.rule}`,
    table,
  ]);
  test.each(named)('%s', async (_name, table) => {
    expect(await playCase(new MemoryWorld(table.regions, delivery), table)).toBeNull();
  });
});

test('every rule has a table', () => {
  const played = new Set(cases.map((table) => table.rule));
  expect(rules.filter((rule) => !played.has(rule))).toEqual([]);
  expect(rules.length).toBeGreaterThan(50);
});

test('every table ends by comparing the regions', () => {
  for (const { rows, line } of cases) {
    const compares = rows.some(({ cells }) =>
      cells.flat().some(({ expected }) => expected !== null),
    );
    expect([line, compares]).toEqual([line, true]);
  }
});

describe('the player notices', () => {
  const play = (rows: string, regions = '| t | eu | us |\n| --- | --- | --- |') => {
    const [table] = parseTables(`### A rule\n${regions}\n${rows}`).cases;
    return playCase(new MemoryWorld(table.regions, deliveries[0]), table);
  };
  test('a wrong reply, with line, region and what came', async () => {
    expect(await play('| t1 | `SET k 5` | |\n| t2 | `GET k → "6"` | |')).toBe(
      'line 5, t2, eu: GET k → "6": got "5"',
    );
  });
  test('a region that was not asked for in *all*', async () => {
    expect(await play('| t1 | `SET k 5` | |\n| *all* | `GET k → "5"` | |')).toMatch(/us: GET k/);
  });
  test('an error where no reply is given', async () => {
    expect(await play('| t1 | `SET k v` `SADD k m` | |')).toMatch(/got error WRONGTYPE/);
  });
  test('a forbidden moment between two frames', async () => {
    const rows = '| *never* | | `MGET a b → ["1", nil]` |\n| t1 | `SET a 1` `SET b 1` | |';
    expect(await play(`${rows}\n| *sync* | | |`)).toBe(
      'line 4: us did answer MGET a b → ["1", nil]',
    );
  });
  test('a cut link', async () => {
    const rows = '| *cut eu us* | | |\n| t1 | `SET k 5` | |\n| *sync* | | |';
    expect(await play(`${rows}\n| t2 | | \`GET k → nil\` |`)).toBeNull();
  });
});

describe('documents that break the grammar are refused', () => {
  const head = '### R\n| t | eu | us |\n| --- | --- | --- |\n';
  test.each([
    ['| t | eu |\n| --- | --- |\n| t1 | |', /line 1: a table without a rule/],
    [`${head}| t1 | \`GET k\` |`, /line 4: 1 cells for 2 regions/],
    [`${head}| then | | |`, /line 4: no such step: then/],
    [`${head}| *cut eu ap* | | |`, /line 4: no such region: ap/],
    [`${head}| *wait 5* | | |`, /line 4: no such step/],
    [`${head}| t1 | GET k | |`, /line 4: not a command: GET k/],
    [`${head}| t1 | \`GET k → [1\` | |`, /line 4: cannot read the reply/],
  ])('%j', (text, says) => expect(() => parseTables(text)).toThrow(says));
});

test.each<[string, Expected['kind'], unknown, unknown]>([
  ['nil', 'nil', null, ''],
  ['"a b"', 'value', 'a b', 'a'],
  ['-7', 'value', -7, '-7'],
  ['OK', 'value', 'OK', 'KO'],
  ['about 50', 'about', 49, 47],
  ['[1, [nil]]', 'array', [1, [null]], [1, []]],
  ['{"a", "b"}', 'bag', ['b', 'a'], ['a', 'a']],
  ['{"f": "v"}', 'map', new Map([['f', 'v']]), new Map([['f', 'w']])],
  ['.a.0 5', 'part', new Map([['a', [5]]]), new Map([['a', []]])],
])('expected %s', (text, kind, good, bad) => {
  const expected = parseExpected(text);
  expect(expected.kind).toBe(kind);
  expect(matches(expected, good as never)).toBe(true);
  expect(matches(expected, bad as never)).toBe(false);
});
