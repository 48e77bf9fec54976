import fc from 'fast-check';
import {
  type Amount,
  addAmounts,
  clampInt64,
  fromUnits,
  INT64_MAX,
  isNormalAmount,
  negateAmount,
  subtractAmounts,
} from './amount.ts';
import {
  formatAmount,
  isInFloatRange,
  isInfinityText,
  parseAmount,
  parseInteger,
} from './amount-text.ts';

const amount: fc.Arbitrary<Amount> = fc.oneof(
  fc.maxSafeInteger().map((whole) => (Object.is(whole, -0) ? 0 : whole)),
  fc.bigInt({ min: -(2n ** 130n), max: 2n ** 130n }).map(fromUnits),
);

const sum = (a: string, b: string): string =>
  formatAmount(addAmounts(parseAmount(a) as Amount, parseAmount(b) as Amount));

test('sums do not depend on order or grouping', () => {
  fc.assert(
    fc.property(amount, amount, amount, (a, b, c) => {
      expect(addAmounts(a, b)).toBe(addAmounts(b, a));
      expect(addAmounts(addAmounts(a, b), c)).toBe(addAmounts(a, addAmounts(b, c)));
      expect(subtractAmounts(addAmounts(a, b), b)).toBe(a);
    }),
  );
});

test('every result is in its one normal form', () => {
  fc.assert(
    fc.property(amount, amount, (a, b) => {
      expect(isNormalAmount(addAmounts(a, b))).toBe(true);
      expect(isNormalAmount(negateAmount(a))).toBe(true);
      expect(isNormalAmount(clampInt64(a))).toBe(true);
    }),
  );
  expect(isNormalAmount(10n ** 17n)).toBe(false);
  expect(isNormalAmount(-0)).toBe(false);
  expect(isNormalAmount(0.5)).toBe(false);
});

test('what is formatted parses to the same amount', () => {
  fc.assert(fc.property(amount, (a) => expect(parseAmount(formatAmount(a))).toBe(a)));
});

test.each([
  ['0.1', '0.2', '0.3'],
  ['10.50', '0.1', '10.6'],
  ['5.0e3', '2.0e2', '5200'],
  ['3', '1.5', '4.5'],
  ['-1.5', '1.5', '0'],
  ['1', '0.00000000000000001', '1.00000000000000001'],
  ['9007199254740991', '1', '9007199254740992'],
  ['9223372036854775807', '1', '9223372036854775808'],
  ['-0.5', '0.25', '-0.25'],
])('%s + %s = %s', (a, b, expected) => expect(sum(a, b)).toBe(expected));

test.each(['0', '7', '-7', '9223372036854775807', '-9223372036854775808'])(
  '%s is an integer text, and it formats to itself',
  (text) => expect(formatAmount(parseInteger(text) as Amount)).toBe(text),
);

test.each([
  ['', '-', '+1', '01', '-0', ' 1', '1 ', '1.0', '1e3', '0x10', 'abc', '1\x00'],
  ['9223372036854775808', '-9223372036854775809', '123456789012345678901'],
])('no integer texts, as in Redis', (...texts) => {
  for (const text of texts) expect([text, parseInteger(text)]).toEqual([text, null]);
});

test.each([
  ['+1', '1'],
  ['007', '7'],
  ['-0', '0'],
  ['.5', '0.5'],
  ['5.', '5'],
  ['1e3', '1000'],
  ['1E-2', '0.01'],
  ['-2.5e+1', '-25'],
  ['0x10', '16'],
  ['0x1.8p3', '12'],
  ['-0X.8', '-0.5'],
  ['0e999999999999', '0'],
  ['1e-20', '0'],
  ['0.000000000000000005', '0.00000000000000001'],
  ['1e20', '100000000000000000000'],
])('float text %s is %s', (text, expected) => {
  expect(formatAmount(parseAmount(text) as Amount)).toBe(expected);
});

test.each([
  ['', ' 1', '1 ', '.', 'e5', '1e', '1e+', '0x', '0xp1', '1.2.3', '--1', '1,5', 'nan', 'abc'],
  ['inf', '-Infinity', '1e4933', '1e999999999', '1e-4951', '0x1p16384', '0x1p-16446', '1\n'],
])('no float texts', (...texts) => {
  for (const text of texts) expect([text, parseAmount(text)]).toEqual([text, null]);
});

test('infinity is told apart from text, for the error that Redis gives', () => {
  for (const text of ['inf', '-inf', '+Infinity', 'INF']) expect(isInfinityText(text)).toBe(true);
  for (const text of ['in', 'infinit', ' inf', 'nan']) expect(isInfinityText(text)).toBe(false);
});

test('amounts beyond a long double are out of range', () => {
  const great = parseAmount('1e4932') as Amount;
  expect(isInFloatRange(great)).toBe(true);
  expect(isInFloatRange(addAmounts(great, great))).toBe(false);
  expect(parseAmount('9'.repeat(5120))).toBeNull();
});

test('whole sums beyond int64 clamp to the nearest bound, fractions do not', () => {
  const max = parseAmount('9223372036854775807') as Amount;
  expect(formatAmount(clampInt64(addAmounts(max, 5)))).toBe(INT64_MAX.toString());
  expect(formatAmount(clampInt64(negateAmount(addAmounts(max, 9))))).toBe('-9223372036854775808');
  const half = parseAmount('0.5') as Amount;
  expect(formatAmount(clampInt64(addAmounts(max, half)))).toBe('9223372036854775807.5');
});
