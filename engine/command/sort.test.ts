/** SORT beyond what the comparison with Redis can show: odd weights, and patterns over several shards. */
import { makeFixture, show } from './session-fixture.ts';
import { parseWeight } from './sort-weight.ts';

test.each([
  ['', 0],
  [' \t1.5', 1.5],
  ['+.5', 0.5],
  ['1e3', 1000],
  ['-Infinity', Number.NEGATIVE_INFINITY],
  ['INF', Number.POSITIVE_INFINITY],
  ['0x1F', 31],
  ['-0x.8', -0.5],
  ['0x1p-1', 0.5],
  ['12\0abc', 12],
  ['0e400', 0],
  ['0.0', 0],
  ['1e400', null],
  ['1e-320', null],
  ['0x', null],
  ['nan', null],
  ['1 ', null],
  ['1e', null],
  [' ', null],
  ['abc', null],
  ['__proto__', null],
])('the weight %j is %p', (text, weight) => {
  expect(parseWeight(text)).toBe(weight);
});

test('a member with a part of the slots refuses patterns whose keys may be elsewhere', () => {
  const { connect, member } = makeFixture();
  const client = connect();
  const say = (...words: string[]): string => show(client.send(...words));
  say('SADD', '{a}s', '1', '2');
  say('MSET', '{a}w1', '9', '{a}w2', '3');
  member.slots = () => ({ firstSlot: 8192, lastSlot: 16_383 });
  expect(say('SORT', '{a}s', 'BY', '{a}w*')).toBe('["2","1"]');
  expect(say('SORT', '{a}s', 'BY', 'nosort', 'GET', '#')).toMatch(/^\["[12]","[12]"\]$/);
  expect(say('SORT', '{a}s', 'BY', 'w*')).toMatch(/^\(error\) ERR BY option of SORT denied/);
  expect(say('SORT', '{a}s', 'BY', '{b}w*')).toMatch(/^\(error\) ERR BY option of SORT denied/);
  expect(say('SORT', '{a}s', 'BY', '{*}w')).toMatch(/^\(error\) ERR BY option of SORT denied/);
  expect(say('SORT', '{a}s', 'GET', 'w*')).toMatch(/^\(error\) ERR GET option of SORT denied/);
});

test('LCS of strings whose table would be too large is refused, with what is allowed', () => {
  const client = makeFixture().connect();
  client.send('SET', 'a', 'x'.repeat(5000));
  expect(show(client.send('LCS', 'a', 'a'))).toMatch(/exceeds 64 MB/);
});
