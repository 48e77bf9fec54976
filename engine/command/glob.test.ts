import fc from 'fast-check';
import { globMatches } from './glob.ts';

test.each([
  ['*', '', true],
  ['*', 'anything', true],
  ['', '', true],
  ['', 'a', false],
  ['h?llo', 'hello', true],
  ['h?llo', 'hllo', false],
  ['h*llo', 'heeeello', true],
  ['h[ae]llo', 'hallo', true],
  ['h[ae]llo', 'hillo', false],
  ['h[^e]llo', 'hallo', true],
  ['h[^e]llo', 'hello', false],
  ['h[a-c]llo', 'hbllo', true],
  ['h[c-a]llo', 'hbllo', true],
  ['h[a-c]llo', 'hdllo', false],
  ['a\\*b', 'a*b', true],
  ['a\\*b', 'axb', false],
  ['a\\', 'a\\', true],
  ['[a\\]]', ']', true],
  ['[abc', 'a', true],
  ['[]', 'a', false],
  ['[^]', 'a', true],
  ['a**b', 'ab', true],
  ['*a*', 'bab', true],
  ['*.txt', 'a.txt', true],
  ['*.txt', 'a.txt.gz', false],
  ['\xff?', '\xff\x00', true],
])('%j on %j is %s', (pattern, text, expected) => {
  expect(globMatches(pattern, text)).toBe(expected);
});

test('equals the definition by recursion', () => {
  const text = fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 8 });
  const pattern = fc.string({ unit: fc.constantFrom('a', 'b', '*', '?'), maxLength: 8 });
  fc.assert(fc.property(pattern, text, (p, t) => globMatches(p, t) === defined(p, t)));
});

function defined(pattern: string, text: string): boolean {
  if (pattern === '') return text === '';
  const rest = pattern.slice(1);
  if (pattern[0] === '*')
    return defined(rest, text) || (text !== '' && defined(pattern, text.slice(1)));
  return (
    text !== '' && (pattern[0] === '?' || pattern[0] === text[0]) && defined(rest, text.slice(1))
  );
}

test('many stars cost no more than pattern times text', () => {
  /** CPU time in µs of a search that fails at the last character, the least of five. */
  const cost = (stars: number) => {
    const text = 'a'.repeat(20_000);
    const pattern = `${'a*'.repeat(stars)}b`;
    const times = Array.from({ length: 5 }, () => {
      const before = process.cpuUsage();
      expect(globMatches(pattern, text)).toBe(false);
      const { user, system } = process.cpuUsage(before);
      return user + system;
    });
    return Math.min(...times);
  };
  // One that goes back to every star would take 20,000 to the power of the stars.
  expect(cost(400) / cost(100)).toBeLessThan(16);
});
