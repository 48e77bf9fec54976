import { formatBytes, parseBytes, parseDurationMs } from './quantity.ts';

describe('quantities', () => {
  test.each([
    ['512Mi', 536_870_912],
    ['1.5Gi', 1_610_612_736],
    ['2G', 2_000_000_000],
    ['7', 7],
  ])('%s is %d bytes', (text, bytes) => expect(parseBytes(text)).toBe(bytes));

  test.each(['', 'Mi', '5Zi', '-1Mi', '1 Mi'])('%p is refused', (text) => {
    expect(parseBytes(text)).toBeNull();
  });

  test.each([
    [1024, '1Ki'],
    [1_073_741_824, '1Gi'],
    [1_610_612_736, '1536Mi'],
    [1000, '1000'],
  ])('%d bytes are written as %s', (bytes, text) => expect(formatBytes(bytes)).toBe(text));
});

describe('durations', () => {
  test.each([
    ['5m', 300_000],
    ['1h30m', 5_400_000],
    ['45s', 45_000],
  ])('%s is %d ms', (text, ms) => expect(parseDurationMs(text)).toBe(ms));

  test.each(['', '5', 'm', '5m3', '1d'])('%p is refused', (text) => {
    expect(parseDurationMs(text)).toBeNull();
  });
});
