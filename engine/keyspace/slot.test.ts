import { slotOf } from './slot.ts';

const slot = (key: string) => {
  const bytes = Buffer.from(key);
  return slotOf(bytes, 0, bytes.length);
};

describe('slots of keys', () => {
  test('the check value of CRC16 XMODEM', () => {
    expect(slot('123456789')).toBe(0x31c3 & 0x3fff);
  });

  // As `CLUSTER KEYSLOT` of Redis 7 answers.
  test.each([
    ['', 0],
    ['foo', 12182],
    ['bar', 5061],
    ['somekey', 11058],
    ['foo{hash_tag}', 2515],
    ['hash_tag', 2515],
    ['{user1000}.following', 3443],
    ['{user1000}.followers', 3443],
    ['user1000', 3443],
  ])('%j lies in slot %i', (key, expected) => {
    expect(slot(key)).toBe(expected);
  });

  test('only the first pair of braces makes a tag, and only when it is not empty', () => {
    expect(slot('foo{}{bar}')).not.toBe(slot('bar'));
    expect(slot('foo{{bar}}zap')).toBe(slot('{bar'));
    expect(slot('foo{bar}{zap}')).toBe(slot('bar'));
    expect(slot('foo}{bar')).not.toBe(slot('bar'));
  });

  test('keys of all lengths have the sum that the polynomial gives bit by bit', () => {
    const bytes = Buffer.from(Array.from({ length: 60 }, (_, i) => (i * 89 + 7) & 0x7a));
    for (let end = 0; end <= bytes.length; end++) {
      let crc = 0;
      for (const byte of bytes.subarray(0, end)) {
        crc ^= byte << 8;
        for (let bit = 0; bit < 8; bit++) crc = crc & 0x8000 ? (crc << 1) ^ 0x11021 : crc << 1;
      }
      expect(slotOf(bytes, 0, end)).toBe(crc & 0x3fff);
    }
  });

  test('a part of a buffer is hashed like the key alone', () => {
    const bytes = Buffer.from('xx{a}yyzz');
    expect(slotOf(bytes, 2, 7)).toBe(slot('a'));
  });
});
