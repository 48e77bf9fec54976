/**
 * docs/semantics.md is true of the product itself: every table is played on three real engines, with
 * `CRDT.LINK` for the cuts. (engine/semantics/ plays them on databases in memory, in several orders of delivery.)
 */
import { readFileSync } from 'node:fs';
import { parseTables, type TableCase } from '../semantics/parse-tables.ts';
import { playCase } from '../semantics/play-case.ts';
import { ProcessWorld } from './process-world.ts';
import { stopAll } from './processes.ts';

const document = readFileSync(new URL('../../docs/semantics.md', import.meta.url), 'utf8');
const named = parseTables(document).cases.map((table): [string, TableCase] => [
  `line ${table.line}, ${table.section}: ${table.rule}`,
  table,
]);

let world: ProcessWorld;

beforeAll(async () => {
  world = await ProcessWorld.start();
}, 60_000);

afterAll(async () => {
  world?.stop();
  await stopAll();
});

test.each(named)(
  '%s',
  async (_name, table) => {
    await world.begin(table);
    expect(await playCase(world, table)).toBeNull();
  },
  60_000,
);
