import { Args } from './args.ts';
import { splitInline } from './inline-command.ts';

describe('arguments', () => {
  test.each([
    ['0', 0],
    ['-1', -1],
    ['9007199254740991', Number.MAX_SAFE_INTEGER],
    ['9007199254740992', Number.NaN],
    ['', Number.NaN],
    ['-', Number.NaN],
    ['-0', Number.NaN],
    ['01', Number.NaN],
    ['+1', Number.NaN],
    [' 1', Number.NaN],
    ['1.0', Number.NaN],
  ])('integer %j is %d', (text, value) => {
    expect(Args.from(['x', text]).integer(1)).toBe(value);
  });

  test.each([
    ['12', 12n],
    ['-9223372036854775808', -(2n ** 63n)],
    ['9223372036854775807', 2n ** 63n - 1n],
    ['9223372036854775808', null],
    ['1e3', null],
    ['', null],
  ])('int64 %j is %s', (text, value) => {
    expect(Args.from([text]).int64(0)).toBe(value);
  });

  test.each([
    ['1.5', 1.5],
    ['-.5e1', -5],
    ['3.', 3],
    ['inf', Number.POSITIVE_INFINITY],
    ['-Infinity', Number.NEGATIVE_INFINITY],
    ['nan', Number.NaN],
    ['', Number.NaN],
    ['1 ', Number.NaN],
    ['0x10', Number.NaN],
    ['1e999', Number.NaN],
  ])('float %j is %d', (text, value) => {
    expect(Args.from([text]).float(0)).toBe(value);
  });

  test('words are compared in any case, bytes exactly', () => {
    const args = Args.from(['gEt', Buffer.of(0, 255)]);
    expect(args.equalsIgnoreCase(0, 'GET')).toBe(true);
    expect(args.equalsIgnoreCase(0, 'GETX')).toBe(false);
    expect(args.equals(1, Buffer.of(0, 255))).toBe(true);
    expect(args.equals(1, Buffer.of(0, 254))).toBe(false);
    expect(args.text(1)).toBe('\x00\xff');
  });

  test('a clone outlives the memory it was made from', () => {
    const args = Args.from(['SET', 'k', 'v']);
    const copy = args.clone();
    args.buffer.fill(0x21);
    expect([copy.text(0), copy.text(1), copy.text(2), copy.count]).toEqual(['SET', 'k', 'v', 3]);
  });
});

describe('inline words', () => {
  const split = (line: string): string[] | null => {
    const args = new Args();
    const bytes = Buffer.from(line, 'latin1');
    if (!splitInline(bytes, 0, bytes.length, args)) return null;
    return Array.from({ length: args.count }, (_, i) => args.text(i));
  };

  // The expected words are those of sdssplitargs in Redis 7.
  test.each([
    ['  set  k\tv ', ['set', 'k', 'v']],
    ['"a\\n\\x00\\xfg" b', ['a\n\x00xfg', 'b']],
    ["'a\\'b\\n'", ["a'b\\n"]],
    ['""', ['']],
    ['a"b"', ['ab']],
    ['a\x00b', ['a']],
    ['"a"b', null],
    ['"a', null],
    ['"a\\', null],
    ["'a", null],
    ['', []],
  ])('%j gives %j', (line, words) => {
    expect(split(line)).toEqual(words);
  });
});
