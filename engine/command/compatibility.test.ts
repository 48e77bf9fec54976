/** Every command of Redis 7.2 is served or says why not, and never both. */
import { missingByReason, NOT_SERVED, namesOf, reasonFor } from './compatibility.ts';
import { REDIS_COMMANDS } from './redis-commands-table.ts';
import { commandTable } from './table.ts';

const served = namesOf(commandTable.values());

test('what is not served has its reason', () => {
  const silent = REDIS_COMMANDS.filter((name) => !served.has(name) && reasonFor(name) === null);
  expect(silent).toEqual([]);
  expect([...missingByReason(served).keys()]).not.toContain('not served yet');
});

test('what has a reason is a command of Redis and is not served', () => {
  const names = Object.keys(NOT_SERVED);
  expect(names.filter((name) => !REDIS_COMMANDS.includes(name))).toEqual([]);
  expect(names.filter((name) => served.has(name))).toEqual([]);
});

test('the list of commands is sorted and names each once', () => {
  expect(REDIS_COMMANDS).toEqual([...new Set(REDIS_COMMANDS)].sort());
});
