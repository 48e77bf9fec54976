/** Payloads: pinned bytes of Redis 7.0.15, round trips, and bytes that nobody meant well with. */
import fc from 'fast-check';
import { crc64 } from './crc64.ts';
import { dumpValue } from './dump.ts';
import { isWholePayload, restoreValue } from './restore.ts';
import { RDB_VERSION_READ_MAX, type RdbValue } from './value.ts';

const bytes = fc
  .uint8Array({ maxLength: 90 })
  .map((array) => Buffer.from(array).toString('latin1'));
const names = fc.uniqueArray(bytes, { minLength: 1, maxLength: 20 });
const score = fc.double({ noNaN: true });

const values: fc.Arbitrary<RdbValue> = fc.oneof(
  bytes.map((text): RdbValue => ({ type: 'string', text })),
  names.map((members): RdbValue => ({ type: 'set', members })),
  fc.array(bytes, { minLength: 1 }).map((elements): RdbValue => ({ type: 'list', elements })),
  names.chain((fields) =>
    fc.array(bytes, { minLength: fields.length, maxLength: fields.length }).map(
      (texts): RdbValue => ({
        type: 'hash',
        entries: fields.map((field, i) => [field, texts[i]]),
      }),
    ),
  ),
  names.chain((members) =>
    fc.array(score, { minLength: members.length, maxLength: members.length }).map(
      (scores): RdbValue => ({
        type: 'zset',
        members: members.map((name, i) => [name, scores[i]]),
      }),
    ),
  ),
);

/** A payload with these bytes before version and checksum. */
function sealed(body: Uint8Array, version = 10): Buffer {
  const payload = Buffer.concat([body, Buffer.of(version, 0), Buffer.alloc(8)]);
  crc64(payload, payload.length - 8).copy(payload, payload.length - 8);
  return payload;
}

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex');

test('the checksum is that of Redis', () => {
  const text = Buffer.from('123456789');
  expect(crc64(text, text.length).readBigUInt64LE().toString(16)).toBe('e9c6d914c4b8d9ca');
});

test('what is dumped is restored', () => {
  fc.assert(
    fc.property(values, (value) => {
      const payload = dumpValue(value);
      expect(isWholePayload(payload)).toBe(true);
      expect(restoreValue(payload)).toEqual(value);
    }),
    { numRuns: 500 },
  );
});

test.each<[string, string, RdbValue | null]>([
  ['an integer of 1 byte', '00 c0 7b', { type: 'string', text: '123' }],
  ['an integer of 2 bytes', '00 c1 00 80', { type: 'string', text: '-32768' }],
  ['an integer of 4 bytes', '00 c2 ff ff ff 7f', { type: 'string', text: '2147483647' }],
  [
    'a compressed string',
    '00 c3 09 40 64 01 61 61 e0 57 00 01 61 61',
    { type: 'string', text: 'a'.repeat(100) },
  ],
  [
    'an intset',
    '0b 0e 02000000 03000000 0100 0200 ffff',
    { type: 'set', members: ['1', '2', '-1'] },
  ],
  [
    'a listpack of a hash',
    '10 0d 0d000000 0200 8161 02 8162 02 ff',
    { type: 'hash', entries: [['a', 'b']] },
  ],
  [
    'a listpack of a sorted set',
    '11 0f 0f000000 0200 8161 02 83312e35 04 ff',
    { type: 'zset', members: [['a', 1.5]] },
  ],
  ['a listpack of a set', '14 0a 0a000000 0100 df ff 02 ff', { type: 'set', members: ['-1'] }],
  [
    'numbers of all widths',
    '14 20 20000000 0500 7f 01 f1 0080 03 f2 000080 04 f3 00000080 05 f4 0000000000000080 09 ff',
    null,
  ],
  ['a quicklist', '12 01 02 0a 0a000000 0100 8161 02 ff', { type: 'list', elements: ['a'] }],
  ['a plain node', '12 01 01 03 616263', { type: 'list', elements: ['abc'] }],
  ['a ziplist', '0a 12 12000000 0d000000 0200 00 01 61 03 fe 9c ff', null],
  ['a zipmap', '09 09 01 01 61 01 00 62 ff', null],
  ['an old score', '03 01 01 61 03 312e35', { type: 'zset', members: [['a', 1.5]] }],
  [
    'an old infinity',
    '03 01 01 61 ff',
    { type: 'zset', members: [['a', Number.NEGATIVE_INFINITY]] },
  ],
])('%s', (_, body, value) => {
  const restored = restoreValue(sealed(hex(body)));
  if (value !== null) expect(restored).toEqual(value);
});

test.each([
  ['nothing', ''],
  ['an unknown type', '63 00'],
  ['a stream, which is not served', '13 00'],
  ['a string that is cut short', '00 05 61'],
  ['a string longer than any payload', '00 81 7fffffffffffffff'],
  ['a string of 4 GB', '00 80 ffffffff'],
  ['bytes left over', '00 01 61 61'],
  ['an empty set', '02 00'],
  ['a member twice', '02 02 01 61 01 61'],
  ['a set of 4 billion', '02 80 ffffffff 01 61'],
  ['a field without value', '04 01 01 61'],
  ['a score that is no number', '05 01 01 61 000000000000f87f'],
  ['an old score that is no number', '03 01 01 61 fd'],
  ['an unknown encoding of a string', '00 c4 00'],
  ['a length of unknown form', '00 82 00'],
  ['compressed beyond what its bytes can give', '00 c3 02 80 ffffffff 00 61'],
  ['a copy from before the beginning', '00 c3 03 05 60 05 00'],
  ['more than it said', '00 c3 02 00 00 61'],
  ['an intset of width 3', '0b 0b 03000000 01000000 010203'],
  ['an intset that is shorter than it says', '0b 0a 02000000 ffffffff 0100'],
  ['a listpack that is longer than its bytes', '10 0d ff000000 0200 8161 02 8162 02 ff'],
  ['a listpack of other count', '10 0d 0d000000 0400 8161 02 8162 02 ff'],
  ['a listpack without end', '10 0d 0d000000 0200 8161 02 8162 02 00'],
  ['a listpack whose element runs over the end', '10 0d 0d000000 0200 8161 02 bf62 02 ff'],
  ['a listpack with a wrong way back', '10 0d 0d000000 0200 8161 05 8162 02 ff'],
  ['a listpack of an odd number of texts', '10 0a 0a000000 0100 8161 02 ff'],
  ['a ziplist with a wrong length before', '0d 10 10000000 0a000000 0200 09 01 61 03 01 62 ff'],
  ['a node of unknown kind', '12 01 03 01 61'],
  ['a list of no nodes', '12 00'],
])('%s is refused', (_, body) => {
  expect(restoreValue(sealed(hex(body)))).toBeNull();
});

test('versions after 7.2, damage and cuts are refused by the footer', () => {
  const payload = dumpValue({ type: 'string', text: 'hello' });
  expect(isWholePayload(sealed(hex('00 01 61'), RDB_VERSION_READ_MAX))).toBe(true);
  expect(isWholePayload(sealed(hex('00 01 61'), RDB_VERSION_READ_MAX + 1))).toBe(false);
  for (let length = 0; length < payload.length; length++) {
    expect(isWholePayload(payload.subarray(0, length))).toBe(false);
  }
  for (let bit = 0; bit < payload.length * 8; bit++) {
    const damaged = Buffer.from(payload);
    damaged[bit >> 3] ^= 1 << (bit & 7);
    expect(isWholePayload(damaged)).toBe(false);
  }
});

test('hostile bodies with a right checksum end in a value or in null, never otherwise', () => {
  const types = fc.constantFrom(...[0, 1, 2, 3, 4, 5, 9, 10, 11, 12, 13, 14, 16, 17, 18, 20]);
  const body = fc.uint8Array({ maxLength: 60 });
  fc.assert(
    fc.property(types, body, fc.boolean(), (type, rest, asString) => {
      const inner = asString ? [type, rest.length, ...rest] : [type, ...rest];
      expect(() => restoreValue(sealed(Uint8Array.from(inner)))).not.toThrow();
    }),
    { numRuns: 20_000 },
  );
  // Good payloads with one byte changed look deeper into the forms.
  const good = [
    '10 0d 0d000000 0200 8161 02 8162 02 ff',
    '11 0f 0f000000 0200 8161 02 83312e35 04 ff',
    '12 01 02 0a 0a000000 0100 8161 02 ff',
    '0b 0e 02000000 03000000 0100 0200 ffff',
    '00 c3 09 40 64 01 61 61 e0 57 00 01 61 61',
  ].map(hex);
  for (const one of good) {
    for (let at = 0; at < one.length; at++) {
      for (let byte = 0; byte < 256; byte++) {
        const changed = Buffer.from(one);
        changed[at] = byte;
        expect(() => restoreValue(sealed(changed))).not.toThrow();
      }
    }
  }
});
