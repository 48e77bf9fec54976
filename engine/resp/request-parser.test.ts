import fc from 'fast-check';
import { defaultRequestLimits, RequestParser } from './request-parser.ts';
import { encodeRequest } from './request-writer.ts';

/** Everything a parser says about a stream that arrives in the given pieces. */
function parse(pieces: readonly Uint8Array[], parser = new RequestParser()) {
  const commands: string[][] = [];
  for (const piece of pieces) {
    // The runtime may reuse its memory after each turn: hand over a copy and spoil it afterwards.
    const chunk = Buffer.from(piece);
    parser.push(chunk);
    while (parser.next()) commands.push(words(parser));
    chunk.fill(0x21);
  }
  return { commands, error: parser.error, silent: parser.silent, pending: parser.pendingBytes };
}

function words(parser: RequestParser): string[] {
  return Array.from({ length: parser.args.count }, (_, i) => parser.args.text(i));
}

function bytes(text: string): Buffer {
  return Buffer.from(text, 'latin1');
}

describe('whole commands', () => {
  test('several commands of one chunk are read in place, with their raw bytes', () => {
    const chunk = bytes('*2\r\n$3\r\nGET\r\n$1\r\na\r\n*1\r\n$4\r\nPING\r\n');
    const parser = new RequestParser();
    parser.push(chunk);
    expect(parser.next()).toBe(true);
    expect(parser.args.buffer).toBe(chunk);
    expect(parser.args.rawStart).toBe(0);
    expect(parser.args.rawEnd).toBe(20);
    expect(words(parser)).toEqual(['GET', 'a']);
    expect(parser.next()).toBe(true);
    expect(chunk.latin1Slice(parser.args.rawStart, parser.args.rawEnd)).toBe(
      '*1\r\n$4\r\nPING\r\n',
    );
    expect(parser.next()).toBe(false);
    expect(parser.pendingBytes).toBe(0);
  });

  test('empty arrays and empty lines are skipped as in Redis', () => {
    expect(parse([bytes('*0\r\n*-1\r\n\r\n\n*1\r\n$0\r\n\r\n')]).commands).toEqual([['']]);
  });

  test('a command left in place while another chunk comes is not lost', () => {
    const parser = new RequestParser();
    const all = encodeRequest(['SET', 'k', 'v']);
    parser.push(Buffer.concat([all, all, all.subarray(0, 9)]));
    expect(parser.next()).toBe(true);
    parser.push(all.subarray(9));
    const rest: string[][] = [];
    while (parser.next()) rest.push(words(parser));
    expect(rest).toEqual([
      ['SET', 'k', 'v'],
      ['SET', 'k', 'v'],
    ]);
  });
});

describe('any division into chunks gives the same commands', () => {
  const stream = bytes(
    "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$5\r\na\r\n\x00\xff\r\nPING \"a b\\x41\" 'c\\'d'\r\n\r\n" +
      '*1\r\n$4\r\nQUIT\r\nECHO x\n*0\r\n*2\r\n$3\r\nGET\r\n$0\r\n\r\n',
  );
  const expected = [
    ['SET', 'k', 'a\r\n\x00\xff'],
    ['PING', 'a bA', "c'd"],
    ['QUIT'],
    ['ECHO', 'x'],
    ['GET', ''],
  ];

  test('split in two at every byte', () => {
    for (let at = 0; at <= stream.length; at++) {
      const got = parse([stream.subarray(0, at), stream.subarray(at)]);
      expect(got).toEqual({ commands: expected, error: null, silent: false, pending: 0 });
    }
  });

  test('split at every pair of bytes', () => {
    for (let a = 0; a <= stream.length; a++) {
      for (let b = a; b <= stream.length; b += 3) {
        const got = parse([stream.subarray(0, a), stream.subarray(a, b), stream.subarray(b)]);
        expect(got.commands).toEqual(expected);
      }
    }
  });

  test('byte by byte', () => {
    const got = parse(Array.from(stream, (byte) => Buffer.of(byte)));
    expect(got.commands).toEqual(expected);
  });

  test('random commands in random pieces come back as they were sent', () => {
    const word = fc.uint8Array({ maxLength: 40 }).map((b) => Buffer.from(b).latin1Slice());
    const command = fc.array(word, { minLength: 1, maxLength: 6 });
    const property = fc.property(
      fc.array(command, { maxLength: 12 }),
      fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 50 }),
      (commands, sizes) => {
        const all = Buffer.concat(
          commands.map((c) => encodeRequest(c.map((w) => Buffer.from(w, 'latin1')))),
        );
        expect(parse(cut(all, sizes)).commands).toEqual(commands);
      },
    );
    fc.assert(property, { numRuns: 300 });
  });
});

function cut(all: Buffer, sizes: readonly number[]): Buffer[] {
  const pieces: Buffer[] = [];
  let i = 0;
  for (let at = 0; at < all.length; ) {
    const size = sizes[i++ % sizes.length];
    pieces.push(all.subarray(at, at + size));
    at += size;
  }
  return pieces;
}

describe('big commands', () => {
  test('a long bulk string in small chunks is not copied again and again', () => {
    const size = 48 * 1024 * 1024;
    const parser = new RequestParser();
    const chunk = Buffer.alloc(64 * 1024, 0x61);
    parser.push(bytes(`*2\r\n$4\r\nECHO\r\n$${size}\r\n`));
    let copied = 0;
    const copy = Buffer.prototype.copy;
    Buffer.prototype.copy = function counted(this: Buffer, ...args: never[]) {
      const n = (copy as (...a: never[]) => number).apply(this, args);
      copied += n;
      return n;
    } as never;
    try {
      for (let sent = 0; sent < size; sent += chunk.length) {
        expect(parser.next()).toBe(false);
        parser.push(chunk);
      }
      parser.push(bytes('\r\n'));
    } finally {
      Buffer.prototype.copy = copy;
    }
    expect(parser.next()).toBe(true);
    expect(parser.args.length(1)).toBe(size);
    expect(copied).toBeLessThan(2 * size);
  });

  test('many arguments', () => {
    const values = Array.from({ length: 10_000 }, (_, i) => `v${i}`);
    expect(parse(cut(encodeRequest(values), [1000])).commands).toEqual([values]);
  });
});

describe('protocol errors in Redis own words', () => {
  const cases: [string, string, string][] = [
    ['count is no number', '*x\r\n', 'Protocol error: invalid multibulk length'],
    ['count has a leading zero', '*01\r\n', 'Protocol error: invalid multibulk length'],
    ['count is empty', '*\r\n', 'Protocol error: invalid multibulk length'],
    ['count over the limit', '*1048577\r\n', 'Protocol error: invalid multibulk length'],
    ['count beyond any', '*99999999999999999999\r\n', 'Protocol error: invalid multibulk length'],
    ['no bulk string', '*1\r\n:1\r\n', "Protocol error: expected '$', got ':'"],
    ['negative length', '*1\r\n$-1\r\n', 'Protocol error: invalid bulk length'],
    ['length over the limit', '*1\r\n$536870913\r\n', 'Protocol error: invalid bulk length'],
    ['length is no number', '*1\r\n$1a\r\n', 'Protocol error: invalid bulk length'],
    ['open quote', 'PING "a\r\n', 'Protocol error: unbalanced quotes in request'],
    ['text after a quote', "PING 'a'b\r\n", 'Protocol error: unbalanced quotes in request'],
    ['endless line', 'a'.repeat(65_537), 'Protocol error: too big inline request'],
    ['TLS', '\x16\x03\x01\x02', 'Protocol error: this port does not speak TLS'],
    ['endless count', `*${'1'.repeat(65_537)}`, 'Protocol error: too big mbulk count string'],
    ['endless length', `*1\r\n$${'1'.repeat(65_537)}`, 'Protocol error: too big bulk count string'],
  ];
  test.each(cases)('%s', (_name, input, error) => {
    expect(parse([bytes(input)])).toMatchObject({ commands: [], error, silent: false });
    expect(parse(cut(bytes(input), [7])).error).toBe(error);
  });

  test('the commands before an error are still read, those after it are not', () => {
    const got = parse([bytes('PING\r\n*1\r\nx\r\nPING\r\n')]);
    expect(got).toMatchObject({
      commands: [['PING']],
      error: "Protocol error: expected '$', got 'x'",
    });
  });

  test('a client that has not authenticated may send little', () => {
    const stranger = () => {
      const parser = new RequestParser();
      parser.authenticated = false;
      return parser;
    };
    expect(parse([bytes('*11\r\n')], stranger()).error).toBe(
      'Protocol error: unauthenticated multibulk length',
    );
    expect(parse([bytes('*1\r\n$16385\r\n')], stranger()).error).toBe(
      'Protocol error: unauthenticated bulk length',
    );
    expect(parse([encodeRequest(['AUTH', 'x'.repeat(16384)])], stranger()).commands).toHaveLength(
      1,
    );
  });

  test('a command larger than allowed as a whole ends the stream', () => {
    const parser = new RequestParser({ ...defaultRequestLimits, commandBytesMax: 1000 });
    const got = parse(cut(encodeRequest(['SET', 'k', 'v'.repeat(2000)]), [100]), parser);
    expect(got).toMatchObject({ commands: [], error: 'Protocol error: too big request' });
  });

  test.each(['POST / HTTP/1.1\r\n', 'post x\r\n', 'Host: localhost\r\n'])(
    'HTTP is closed without an answer: %j',
    (line) => {
      const got = parse([bytes(`${line}SET k v\r\n`)]);
      expect(got.commands).toEqual([]);
      expect(got.silent).toBe(true);
      expect(got.error).toContain('SECURITY ATTACK');
    },
  );

  test('random bytes end in commands or an error, never in an exception', () => {
    const soup = fc.array(
      fc.oneof(
        fc.constantFrom('*', '$', '\r\n', '\n', '*1\r\n', '$3\r\n', '-', '0', '9', '"', "'", '\\x'),
        fc.uint8Array({ maxLength: 8 }).map((b) => Buffer.from(b).latin1Slice()),
      ),
      { maxLength: 60 },
    );
    const property = fc.property(soup, fc.integer({ min: 1, max: 9 }), (parts, size) => {
      const all = bytes(parts.join(''));
      const whole = parse([all]);
      const pieces = parse(cut(all, [size]));
      expect(pieces.commands).toEqual(whole.commands);
      expect(pieces.error).toBe(whole.error);
    });
    fc.assert(property, { numRuns: 2000 });
  });
});
