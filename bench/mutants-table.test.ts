import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { mutants } from './mutants-table.ts';

/** `make mutants` takes long; that a mistake can still be put in is known at once. */
test.each(mutants.map(({ name, file, find }) => [name, file, find]))(
  'the text that becomes the mistake "%s" stands once in %s',
  (_name, file, find) => {
    const source = readFileSync(join(import.meta.dirname, '..', file), 'utf8');
    expect(source.split(find).length - 1).toBe(1);
  },
);
