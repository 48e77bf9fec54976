/** The catalogue and its use agree, both ways. */
import { readdirSync, readFileSync } from 'node:fs';
import * as dbErrors from '../core/db-error.ts';
import { errorCatalogue, errorText } from './errors.ts';
import { renderAll } from './generate-docs.ts';

const sources = ['./', '../acl/'].flatMap((folder) =>
  readdirSync(new URL(folder, import.meta.url))
    .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
    .map((name) => ({
      name,
      text: readFileSync(new URL(folder + name, import.meta.url), 'utf8'),
    })),
);

/** Entries whose error is made by the database or the member; here they only stand in the docs. */
const FROM_ELSEWHERE = [
  'overflow',
  'hashNotInteger',
  'hashNotFloat',
  'maxClients',
  'notHyperLogLog',
  'corruptHyperLogLog',
  'scoreNotANumber',
  'listExhausted',
];

test('every entry is used', () => {
  const code = sources.filter(({ name }) => !/^errors/.test(name)).map(({ text }) => text);
  const unused = Object.keys(errorCatalogue).filter(
    (name) => !FROM_ELSEWHERE.includes(name) && !code.some((text) => text.includes(`'${name}'`)),
  );
  expect(unused).toEqual([]);
});

test('no command makes up an error of its own', () => {
  const made = sources.filter(({ text }) => /output\.error\(['"`]/.test(text));
  expect(made.map(({ name }) => name)).toEqual([]);
});

test('what the database throws is in the catalogue, word for word', () => {
  const known = new Set(Object.values(errorCatalogue).map(({ text }) => text as string));
  for (const [name, make] of Object.entries(dbErrors)) {
    if (name === 'DbError') continue;
    const { message } = (make as () => Error)();
    expect([name, known.has(message)]).toEqual([name, true]);
  }
});

test('every text begins with a code', () => {
  for (const { text } of Object.values(errorCatalogue)) expect(text).toMatch(/^[A-Z]+ \S/);
});

test('blanks are filled in order, and patterns of replacement mean nothing', () => {
  expect(errorText('staleMap', 8, 7)).toBe('STALEMAP have 8, got 7');
  expect(errorText('unknownCommand', "$&'", '$1')).toContain("'$&''");
});

test.each([...renderAll()])('%s is current (else: make generate)', (path, text) => {
  const stored = readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
  expect(stored).toBe(text);
});
