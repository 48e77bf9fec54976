/** The scripts of BullMQ, the largest body of Lua that applications bring: all of them compile. */
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { makeFixture } from '../command/session-fixture.ts';

const folder = join(dirname(createRequire(import.meta.url).resolve('bullmq')), 'scripts');
const scripts = readdirSync(folder).filter((name) => /-\d+\.js$/.test(name));

/** The text between the backquotes: what the package sends to Redis. */
function sourceOf(name: string): string {
  const text = readFileSync(join(folder, name), 'utf8');
  const found = /const content = `([\s\S]*?)`;/.exec(text);
  return (found?.[1] ?? '').replace(/\\(.)/g, '$1');
}

test('there are scripts to load', () => {
  expect(scripts.length).toBeGreaterThan(40);
});

test.each(scripts)('%s', (name) => {
  const source = sourceOf(name);
  expect(source.length).toBeGreaterThan(50);
  const reply = makeFixture().connect().send('SCRIPT', 'LOAD', source);
  expect(reply).toMatchObject({ kind: 'bulk' });
});
