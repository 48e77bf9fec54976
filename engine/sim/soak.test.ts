import { runSoak, type SoakRow } from './soak.ts';

test('memory returns to its base when all keys are gone, again and again', () => {
  const rows: SoakRow[] = [];
  const problems = runSoak({
    ...{ cycles: 2, cycleMinutes: 4, seed: 1, heapBytes: null },
    each: (row) => rows.push(row),
  });
  expect(problems).toEqual([]);
  expect(rows.map(({ end }) => end)).toEqual(rows.map(() => rows[0].end));
}, 120_000);
