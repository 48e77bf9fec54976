import fc from 'fast-check';
import { ReplyFramer } from './reply-framer.ts';
import { PushMessage, type Reply, ReplyParser, RespError } from './reply-parser.ts';
import { ReplyWriter } from './reply-writer.ts';

function written(protocol: 2 | 3, write: (w: ReplyWriter) => void): string {
  const writer = new ReplyWriter();
  writer.protocol = protocol;
  write(writer);
  return Buffer.from(writer.take()).latin1Slice();
}

describe('each kind of reply in both protocols', () => {
  const cases: [string, (w: ReplyWriter) => void, string, string][] = [
    ['ok', (w) => w.ok(), '+OK\r\n', '+OK\r\n'],
    ['simple', (w) => w.simple('PONG'), '+PONG\r\n', '+PONG\r\n'],
    ['error', (w) => w.error('ERR a\r\nb'), '-ERR a  b\r\n', '-ERR a  b\r\n'],
    ['integer', (w) => w.integer(-7), ':-7\r\n', ':-7\r\n'],
    ['int64', (w) => w.integer(2n ** 62n), `:${2n ** 62n}\r\n`, `:${2n ** 62n}\r\n`],
    ['bulk', (w) => w.bulk('\xff\x00'), '$2\r\n\xff\x00\r\n', '$2\r\n\xff\x00\r\n'],
    ['empty bulk', (w) => w.bulk(''), '$0\r\n\r\n', '$0\r\n\r\n'],
    ['utf8', (w) => w.bulkUtf8('é'), '$2\r\n\xc3\xa9\r\n', '$2\r\n\xc3\xa9\r\n'],
    ['part', (w) => w.bulkBytes(Buffer.from('abcd'), 1, 3), '$2\r\nbc\r\n', '$2\r\nbc\r\n'],
    ['null', (w) => w.nullBulk(), '$-1\r\n', '_\r\n'],
    ['null array', (w) => w.nullArray(), '*-1\r\n', '_\r\n'],
    ['array', (w) => w.array(3), '*3\r\n', '*3\r\n'],
    ['map', (w) => w.map(12), '*24\r\n', '%12\r\n'],
    ['set', (w) => w.set(1), '*1\r\n', '~1\r\n'],
    ['push', (w) => w.push(3), '*3\r\n', '>3\r\n'],
    ['double', (w) => w.double(0.1), '$3\r\n0.1\r\n', ',0.1\r\n'],
    ['infinity', (w) => w.double(-1 / 0), '$4\r\n-inf\r\n', ',-inf\r\n'],
    ['true', (w) => w.boolean(true), ':1\r\n', '#t\r\n'],
    ['false', (w) => w.boolean(false), ':0\r\n', '#f\r\n'],
    [
      'big number',
      (w) => w.bigNumber(10n ** 20n),
      `$21\r\n${10n ** 20n}\r\n`,
      `(${10n ** 20n}\r\n`,
    ],
    ['verbatim', (w) => w.verbatim('txt', 'hi'), '$2\r\nhi\r\n', '=6\r\ntxt:hi\r\n'],
  ];
  test.each(cases)('%s', (_name, write, resp2, resp3) => {
    expect(written(2, write)).toBe(resp2);
    expect(written(3, write)).toBe(resp3);
  });

  test('integers of every length', () => {
    const numbers = [0, 9, 10, 99, 100, 12345, 999_999_999, 1e9, 2 ** 31, 2 ** 53 - 1, -1, -1e12];
    for (let power = 1; power < 1e15; power *= 10) numbers.push(power, power - 1, power + 1);
    for (const n of numbers) expect(written(2, (w) => w.integer(n))).toBe(`:${n}\r\n`);
  });

  test.each([
    [3, '3'],
    [-0.5, '-0.5'],
    [1e20, '1e+20'],
    [4e18, '4000000000000000000'],
    [1.5e300, '1.5e+300'],
    [1e-7, '1e-7'],
    [0.000001, '0.000001'],
    [1.1234567890123457, '1.1234567890123457'],
    [3.3e-10, '3.3e-10'],
    [Number.NaN, 'nan'],
    [-0, '-0'],
  ])('the double %d is printed as %s', (value, text) => {
    expect(written(3, (w) => w.double(value))).toBe(`,${text}\r\n`);
  });
});

describe('the buffer', () => {
  test('grows over big replies and is given back', () => {
    const writer = new ReplyWriter(64);
    const big = 'x'.repeat(3_000_000);
    writer.bulk(big);
    expect(Buffer.from(writer.take()).latin1Slice()).toBe(`$3000000\r\n${big}\r\n`);
    expect(writer.take().buffer.byteLength).toBeGreaterThan(3_000_000);
    writer.reset();
    writer.ok();
    expect(writer.take().buffer.byteLength).toBe(64);
    expect(Buffer.from(writer.take()).latin1Slice()).toBe('+OK\r\n');
  });

  test('a header can be put before what was written', () => {
    const both = written(3, (w) => {
      w.simple('before');
      const mark = w.length;
      for (let i = 0; i < 1000; i++) w.bulk(`k${i}`);
      w.prepend(mark, 'array', 1000);
      const inner = w.length;
      w.prepend(inner, 'map', 0);
    });
    const items = Array.from({ length: 1000 }, (_, i) => `$${`k${i}`.length}\r\nk${i}\r\n`);
    expect(both).toBe(`+before\r\n*1000\r\n${items.join('')}%0\r\n`);
  });

  test('strings and parts of plain byte arrays of every length', () => {
    for (let n = 0; n < 200; n++) {
      const source = Uint8Array.from({ length: n + 7 }, (_, i) => (i * 7) & 255);
      const text = Buffer.from(source).latin1Slice(3, n + 3);
      const both = written(2, (w) => {
        w.bulkBytes(source, 3, n + 3);
        w.bulk(text);
      });
      expect(both).toBe(`$${n}\r\n${text}\r\n`.repeat(2));
    }
  });

  test('a reply can be taken back', () => {
    const out = written(2, (w) => {
      w.ok();
      const mark = w.length;
      w.array(2);
      w.truncate(mark);
      w.error('ERR no');
    });
    expect(out).toBe('+OK\r\n-ERR no\r\n');
  });
});

/** Any reply that both sides can say in RESP3. */
const anyReply: fc.Arbitrary<Reply> = fc.letrec<{ reply: Reply }>((tie) => ({
  reply: fc.oneof(
    { maxDepth: 4, depthSize: 'small' },
    fc.constant(null),
    fc.boolean(),
    fc.maxSafeInteger(),
    fc.bigInt({ min: 2n ** 53n, max: 2n ** 63n - 1n }),
    fc.double({ noNaN: true, noDefaultInfinity: false }).filter((d) => !Object.is(d, -0)),
    fc.uint8Array({ maxLength: 80 }).map((b) => Buffer.from(b).latin1Slice()),
    fc.constantFrom('ERR a', 'WRONGTYPE b').map((text) => new RespError(text)),
    fc.array(tie('reply'), { maxLength: 5 }),
    fc
      .array(fc.tuple(fc.string({ maxLength: 3, unit: 'binary-ascii' }), tie('reply')))
      .map((pairs) => new Map<Reply, Reply>(pairs)),
  ),
})).reply;

function write(writer: ReplyWriter, reply: Reply): void {
  if (reply === null) writer.nullBulk();
  else if (typeof reply === 'boolean') writer.boolean(reply);
  else if (typeof reply === 'bigint') writer.integer(reply);
  else if (typeof reply === 'number' && Number.isSafeInteger(reply)) writer.integer(reply);
  else if (typeof reply === 'number') writer.double(reply);
  else if (typeof reply === 'string') writer.bulk(reply);
  else if (reply instanceof RespError) writer.error(reply.error);
  else if (reply instanceof PushMessage) {
    writer.push(reply.items.length);
    for (const item of reply.items) write(writer, item);
  } else if (reply instanceof Map) {
    writer.map(reply.size);
    for (const pair of reply) for (const item of pair) write(writer, item);
  } else {
    writer.array(reply.length);
    for (const item of reply) write(writer, item);
  }
}

function cut(all: Uint8Array, size: number): Buffer[] {
  const pieces: Buffer[] = [];
  for (let at = 0; at < all.length; at += size) {
    pieces.push(Buffer.from(all.subarray(at, at + size)));
  }
  return pieces;
}

describe('what is written is read back', () => {
  test('random replies in pieces of any size', () => {
    const property = fc.property(
      fc.array(anyReply, { maxLength: 6 }),
      fc.integer({ min: 1, max: 40 }),
      (replies, size) => {
        const writer = new ReplyWriter(64);
        writer.protocol = 3;
        const ends: number[] = [];
        for (const reply of replies) {
          write(writer, reply);
          ends.push(writer.length);
        }
        const parser = new ReplyParser();
        const framer = new ReplyFramer();
        const got: Reply[] = [];
        const lengths: number[] = [];
        for (const piece of cut(writer.take(), size)) {
          parser.push(piece);
          framer.push(Buffer.from(piece));
          for (let r = parser.next(); r !== undefined; r = parser.next()) got.push(r);
          while (framer.next()) lengths.push(framer.end - framer.start);
          piece.fill(0x2a);
        }
        expect(parser.error).toBeNull();
        expect(got).toEqual(replies);
        expect(lengths).toEqual(ends.map((end, i) => end - (i === 0 ? 0 : ends[i - 1])));
      },
    );
    fc.assert(property, { numRuns: 400 });
  });

  test('push messages, attributes, verbatim text, blob errors, null arrays', () => {
    const parser = new ReplyParser();
    parser.push(
      Buffer.from(
        '>2\r\n+message\r\n$1\r\nx\r\n|1\r\n+ttl\r\n:3\r\n=6\r\ntxt:hi\r\n!5\r\nERR x\r\n*-1\r\n~1\r\n:1\r\n',
      ),
    );
    expect(parser.next()).toEqual(new PushMessage(['message', 'x']));
    expect(parser.next()).toBe('hi');
    expect(parser.next()).toEqual(new RespError('ERR x'));
    expect(parser.next()).toBeNull();
    expect(parser.next()).toEqual([1]);
    expect(parser.next()).toBeUndefined();
    expect(parser.error).toBeNull();
  });
});

describe('hostile replies end in an error', () => {
  test.each([
    ['?\r\n', "unknown type '?'"],
    ['$x\r\n', 'invalid length'],
    ['$-2\r\n', 'invalid length'],
    ['%-1\r\n', 'invalid length'],
    ['*99999999999\r\n', 'invalid length'],
    ['$9999999999\r\n', 'too big reply'],
    ['+a\rb\r\n', 'line feed expected'],
    ['(12x\r\n', 'invalid big number'],
    [`${'*1\r\n'.repeat(100)}:1\r\n`, 'nested too deeply'],
    [`*${'1'.repeat(70_000)}`, 'endless line'],
  ])('%j', (input, rule) => {
    const parser = new ReplyParser();
    parser.push(Buffer.from(input));
    expect(parser.next()).toBeUndefined();
    expect(parser.error).toBe(`Protocol error: ${rule}`);
    parser.push(Buffer.from('+OK\r\n'));
    expect(parser.next()).toBeUndefined();
  });

  test('random bytes never throw', () => {
    const soup = fc.array(
      fc.constantFrom(
        '*',
        '%',
        '$',
        ':',
        '1',
        '2',
        '-1',
        '\r\n',
        '>',
        '|',
        '_',
        '#',
        't',
        '(',
        '!',
      ),
      { maxLength: 40 },
    );
    const property = fc.property(soup, (parts) => {
      const parser = new ReplyParser();
      parser.push(Buffer.from(parts.join('')));
      let replies = 0;
      while (parser.next() !== undefined) replies++;
      expect(replies).toBeLessThanOrEqual(40);
    });
    fc.assert(property, { numRuns: 2000 });
  });
});
