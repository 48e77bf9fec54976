import { Args } from '../resp/args.ts';
import { CommandLookup } from './dispatch.ts';
import { commandTable } from './table.ts';

const lookup = new CommandLookup(commandTable.values());

function find(...words: string[]) {
  return lookup.resolve(Args.from(words));
}

test('every command is found by its name in any case', () => {
  for (const name of commandTable.keys()) {
    expect(find(name)?.command.name ?? name).toBe(name);
    expect(lookup.findByName(name.toLowerCase())?.command.name).toBe(name);
  }
});

test('a subcommand is found behind its container', () => {
  expect(find('client', 'Id')?.name).toBe('client|id');
  expect(find('CLIENT', 'nosuch')).toBeNull();
  expect(find('CLIENT')?.name).toBe('client');
  expect(lookup.findByName('config|get')?.name).toBe('config|get');
});

test('names that differ only in bytes that case folding maps together are told apart', () => {
  // 0x0e and '.' (0x2e) fold to the same byte in the hash.
  expect(find('CRDT.STATUS')?.name).toBe('crdt.status');
  expect(find('CRDT\x0eSTATUS')).toBeNull();
  expect(find('GE\x14')).toBeNull();
  expect(find('')).toBeNull();
  expect(find('GETT')).toBeNull();
});

test('the name is found within a larger buffer', () => {
  const buffer = Buffer.from('xxgetyy');
  expect(lookup.find(buffer, 2, 5)?.name).toBe('get');
});

describe('the table', () => {
  const all = [...commandTable.values()].flatMap((c) => [c, ...(c.subcommands ?? [])]);

  test('every command that writes says what happens when two regions do it at once', () => {
    const silent = all.filter((c) => c.flags.includes('write') && !c.conflict);
    expect(silent.map((c) => c.name)).toEqual([]);
    const needless = all.filter((c) => !c.flags.includes('write') && c.conflict);
    expect(needless.map((c) => c.name)).toEqual([]);
  });

  test('names are unique and in upper case', () => {
    expect(new Set(all.map((c) => c.name)).size).toBe(all.length);
    expect(all.filter((c) => c.name !== c.name.toUpperCase())).toEqual([]);
  });

  test('what a command cannot run, its subcommands can', () => {
    expect(all.filter((c) => !c.run && !c.subcommands).map((c) => c.name)).toEqual([]);
  });

  test('keys lie within the arguments that the arity promises', () => {
    for (const { name, keys, arity, flags, keyCountAt, keysAfter } of all) {
      const least = Math.abs(arity);
      if (keys && least > 1) expect([name, keys.first < least]).toEqual([name, true]);
      if (keysAfter !== undefined) expect(flags).toContain('movablekeys');
      else if (flags.includes('movablekeys') && keys === null)
        expect([name, keyCountAt !== undefined]).toEqual([name, true]);
    }
  });

  test('summaries are sentences', () => {
    expect(all.filter((c) => !/^[A-Z].*\.$/.test(c.summary)).map((c) => c.name)).toEqual([]);
  });
});
