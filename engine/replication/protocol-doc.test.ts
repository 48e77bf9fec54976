/** docs/protocol.md names tests as the guards of its invariants: each of them must exist. */

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '../..');
const text = readFileSync(join(root, 'docs/protocol.md'), 'utf8');
const invariants = text
  .split('## Invariants')[1]
  .split(/\n\d+\. /)
  .slice(1);

/** All sources of tests beside this one, and the names of transcripts. */
function knownTests(): string {
  const engine = join(root, 'engine');
  const files = readdirSync(engine, { recursive: true, encoding: 'utf8' });
  const sources = files
    .filter((file) => file.endsWith('.test.ts'))
    .map((file) => readFileSync(join(engine, file), 'utf8').replaceAll(/\$\{FEW\}/g, '24'));
  const transcripts = files
    .filter((file) => file.includes('testdata') && file.endsWith('.txt'))
    .map((file) => file.replace(/^.*\//, '').replace('.txt', '').replaceAll('-', ' '));
  return [...sources, ...transcripts].join('\n');
}

test('every invariant names the tests that enforce it, and they exist', () => {
  const known = knownTests();
  const missing: string[] = [];
  for (const invariant of invariants) {
    const guards = [...(invariant.split('Enforced by:')[1] ?? '').matchAll(/`([^`]+)`/g)];
    if (guards.length === 0) missing.push(`no guard: ${invariant.slice(0, 60)}`);
    for (const [, name] of guards) {
      const oneLine = name.replaceAll(/\s+/g, ' ');
      if (!known.includes(oneLine)) missing.push(oneLine);
    }
  }
  expect(invariants.length).toBeGreaterThan(5);
  expect(missing).toEqual([]);
});
