/**
 * Shell: hostile input on the client port and the peer port of real processes. Each gets an error or a clean close,
 * the process lives on, and another client that works all the while does not notice.
 */
import { connect } from 'node:net';
import { crc32 } from 'node:zlib';
import { Redis } from 'ioredis';
import { type Engine, exchange, runToEnd, startEngine, stopAll } from './processes.ts';

let engine: Engine;
let bystander: Redis;

beforeAll(async () => {
  engine = await startEngine({ flags: ['--peer-secret', 'right', '--database', 'shop/carts'] });
  bystander = new Redis({ port: engine.port, maxRetriesPerRequest: 0, retryStrategy: () => null });
  await bystander.set('steady', '0');
}, 30_000);

afterEach(async () => {
  expect(await bystander.incr('steady')).toBeGreaterThan(0);
  expect(engine.child.exitCode).toBeNull();
});

afterAll(async () => {
  bystander?.disconnect();
  await stopAll();
});

function frame(kind: number, body: string | Uint8Array): Buffer {
  const bytes = Buffer.concat([Buffer.from([kind]), Buffer.from(body)]);
  const head = Buffer.alloc(8);
  head.writeUInt32LE(bytes.length, 0);
  head.writeUInt32LE(crc32(bytes), 4);
  return Buffer.concat([head, bytes]);
}

const hello = {
  protocol: 1,
  database: 'shop/carts',
  slots: '0-16383',
  region: 'us',
  regionNumber: 2,
  member: 'other',
  actor: '2.0.1000000000001',
  purpose: 'region',
  nonce: '00'.repeat(16),
};

describe('on the client port', () => {
  test.each([
    ['HTTP', 'GET / HTTP/1.1\r\nHost: here\r\n\r\n', /^(-ERR|$)/],
    ['HTTP POST', 'POST / HTTP/1.1\r\nHost: here\r\n\r\nSET a b\r\n', /^(-ERR|$)/],
    ['a negative bulk', '*2\r\n$3\r\nGET\r\n$-5\r\n', /^-ERR Protocol error: invalid bulk length/],
    [
      'a bulk over the limit',
      '*2\r\n$3\r\nGET\r\n$99999999999\r\n',
      /^-ERR Protocol error: invalid bulk length/,
    ],
    ['too many arguments', '*99999999\r\n', /^-ERR Protocol error: invalid multibulk length/],
    ['a wrong type byte', '*1\r\n+PING\r\n', /^-ERR Protocol error: expected '\$', got '\+'/],
    [
      'a long line without an end',
      'A'.repeat(70_000),
      /^-ERR Protocol error: too big (inline request|mbulk count string)/,
    ],
    ['unbalanced quotes', 'SET "a b\r\n', /^-ERR Protocol error: unbalanced quotes in request/],
    ['a TLS client hello', Buffer.from('160301020001000001fc0303', 'hex'), /^(-ERR|$)/],
  ])('%s gets an error or a clean close', async (_title, bytes, expected) => {
    const { reply } = await exchange(engine.port, bytes);
    expect(reply).toMatch(expected);
  });

  test('a command split at every byte is understood', async () => {
    const command = '*3\r\n$3\r\nSET\r\n$5\r\nsplit\r\n$4\r\n\r\n\0\x07\r\n';
    const { reply } = await exchange(engine.port, [...command]);
    expect(reply).toBe('+OK\r\n');
  });

  test('a truncated command is forgotten when the client goes', async () => {
    const { reply, closed } = await exchange(engine.port, '*3\r\n$3\r\nSET\r\n$1\r\nk');
    expect({ reply, closed }).toEqual({ reply: '', closed: false });
    expect(await bystander.get('k')).toBeNull();
  });

  test.each([
    ['SET k', 'ERR wrong number of arguments'],
    ['INCR text', 'ERR value is not an integer or out of range'],
    ['SADD text m', 'WRONGTYPE Operation against a key holding the wrong kind of value'],
    ['EXPIRE text 9223372036854775807', 'ERR invalid expire time'],
    ['INCRBY number 9223372036854775808', 'ERR value is not an integer or out of range'],
    ['SETRANGE text 536870912 x', 'ERR string exceeds maximum allowed size'],
    ['SCAN abc', 'ERR invalid cursor'],
    ['SELECT 3', 'ERR'],
    ['HELLO 9', 'NOPROTO'],
    ['CRDT.MAP SET {}', 'ERR'],
    ['CRDT.LINK nowhere PAUSE', 'ERR'],
    ['CRDT.WAIT 1 -1', 'ERR timeout is negative'],
    ['WAIT 1 0 SOME', 'ERR syntax error'],
  ])('%s is refused with words', async (line, expected) => {
    await bystander.set('text', 'abc');
    const { reply } = await exchange(engine.port, `${line}\r\n`);
    expect(reply.startsWith(`-${expected}`) ? expected : reply).toBe(expected);
  });

  test('keys named like parts of JavaScript objects are just keys', async () => {
    for (const key of ['__proto__', 'constructor', 'toString', 'hasOwnProperty']) {
      expect(await bystander.get(key)).toBeNull();
      await bystander.hset(`h:${key}`, key, 'v');
      expect(await bystander.hgetall(`h:${key}`)).toHaveProperty([key], 'v');
      expect((await bystander.sadd(`s:${key}`, key)) === 1).toBe(true);
    }
  });

  test('a client that never reads its replies does not hurt others', async () => {
    await bystander.set('big', 'x'.repeat(1_000_000));
    const greedy = connect(engine.port, '127.0.0.1');
    greedy.pause();
    let received = 0;
    greedy.on('data', (chunk) => {
      received += chunk.length;
    });
    greedy.pause();
    greedy.write('GET big\r\n'.repeat(50));
    // A member that waited for the greedy client would never answer: it reads only when this is over.
    for (let i = 0; i < 20; i++) await bystander.get('steady');
    expect(received).toBe(0);
    const whole = 50 * ('$1000000\r\n'.length + 1_000_000 + 2);
    await new Promise<void>((resolve) => {
      greedy.on('data', () => received === whole && resolve());
      greedy.resume();
    });
    greedy.destroy();
  });
});

describe('on the peer port', () => {
  test.each([
    ['Redis commands', Buffer.from('*1\r\n$4\r\nPING\r\n')],
    ['HTTP', Buffer.from('GET / HTTP/1.1\r\nHost: here\r\n\r\n')],
    ['a frame that claims 4 GB', Buffer.from('ffffffff000000000a7b7d', 'hex')],
    [
      'a frame with a wrong checksum',
      Buffer.concat([frame(10, JSON.stringify(hello)).subarray(0, 40), Buffer.alloc(400)]),
    ],
    ['an op before any handshake', frame(1, Buffer.alloc(64))],
    ['a hello that is no JSON', frame(10, '{"magic"')],
    ['a hello that is null', frame(10, 'null')],
  ])('%s ends in a clean close', async (_title, bytes) => {
    const { closed } = await exchange(engine.peerPort, bytes, 2_000);
    expect(closed).toBe(true);
  });

  test.each([
    ['another database', { ...hello, database: 'other/db' }, /database/],
    ['another protocol version', { ...hello, protocol: 99 }, /protocol/],
    ['no known actor', { ...hello, actor: 'gossip' }, /actor/],
    ['slots that are not ours', { ...hello, slots: '0-5' }, /slots/],
    ['our own region number under another name', { ...hello, regionNumber: 1 }, /region/],
  ])('a peer of %s is refused with words', async (_title, body, expected) => {
    const { reply, closed } = await exchange(
      engine.peerPort,
      frame(10, JSON.stringify(body)),
      2_000,
    );
    expect(reply.slice(9)).toMatch(expected);
    expect(closed).toBe(true);
  });

  test('a peer that does not know the secret is refused', async () => {
    const proof = frame(13, JSON.stringify({ hmac: '00'.repeat(32), nonce: '11'.repeat(16) }));
    const { closed } = await exchange(
      engine.peerPort,
      [frame(10, JSON.stringify(hello)), proof],
      2_000,
    );
    expect(closed).toBe(true);
  });

  test('a hello split at every byte is understood', async () => {
    const bytes = frame(10, JSON.stringify(hello));
    const { reply } = await exchange(
      engine.peerPort,
      [...bytes].map((byte) => Uint8Array.of(byte)),
      500,
    );
    expect(reply.charCodeAt(8)).toBe(12); // the challenge
  });
});

describe('on the command line', () => {
  test('an unknown flag is refused with the list of known ones', async () => {
    const { code, output } = await runToEnd([
      '--region',
      'eu',
      '--region-number',
      '1',
      '--prot',
      '1',
    ]);
    expect(code).toBe(2);
    expect(output).toContain('--prot');
    for (const flag of [
      '--region',
      '--region-number',
      '--port',
      '--peer-port',
      '--dir',
      '--fsync',
      '--peer',
    ]) {
      expect(output).toContain(flag);
    }
  });

  test.each([
    [
      ['--region', 'eu', '--region-number', '0', '--port', '1', '--peer-port', '2'],
      /region-number/,
    ],
    [['--region', 'eu', '--region-number', '1', '--port', '70000', '--peer-port', '2'], /port/],
    [
      [
        '--region',
        'eu',
        '--region-number',
        '1',
        '--port',
        '7001',
        '--peer-port',
        '2',
        '--fsync',
        'x',
      ],
      /fsync/,
    ],
    [
      [
        '--region',
        'eu',
        '--region-number',
        '1',
        '--port',
        '7001',
        '--peer-port',
        '2',
        '--peer',
        'us',
      ],
      /peer/,
    ],
    [
      [
        '--region',
        'eu',
        '--region-number',
        '1',
        '--port',
        '7001',
        '--peer-port',
        '2',
        '--maxmemory',
        'x',
      ],
      /maxmemory/,
    ],
  ])('%j is refused before anything starts', async (flags, expected) => {
    const { code, output } = await runToEnd(flags as string[]);
    expect(code).toBe(2);
    expect(output).toMatch(expected);
  });

  test('a port that is taken is named, with what to do', async () => {
    const engine = await startEngine();
    const flags = ['--region', 'eu', '--region-number', '1', '--port', `${engine.port}`];
    const { code, output } = await runToEnd([...flags, '--peer-port', `${engine.peerPort}`]);
    expect(code).toBe(1);
    expect(output).toContain(`cannot listen on 127.0.0.1:${engine.port}: another process has`);
  });

  test('--help prints the flags', async () => {
    const { code, output } = await runToEnd(['--help']);
    expect(code).toBe(0);
    expect(output).toMatch(/--region-number 1..16 +stable number/);
  });
});
