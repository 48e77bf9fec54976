/**
 * Shell: what has broken Redis, by its own list of vulnerabilities, sent to a real engine. Each gets an
 * answer (the one that a sound server gives), the process lives on, and another client goes on being served.
 * docs/hostile.md lists them; a test below keeps that page and the tests together.
 */
import { readFileSync } from 'node:fs';
import { Redis } from 'ioredis';
import { type Engine, exchange, startEngine, stopAll } from './processes.ts';

let engine: Engine;
let client: Redis;
let bystander: Redis;

beforeAll(async () => {
  engine = await startEngine({ flags: ['--user', 'low on nopass +@all -@admin ~mine*'] });
  const options = { port: engine.port, maxRetriesPerRequest: 0, retryStrategy: () => null };
  client = new Redis(options);
  bystander = new Redis(options);
}, 30_000);

afterEach(async () => {
  expect(await bystander.incr('steady')).toBeGreaterThan(0);
  expect(engine.child.exitCode).toBeNull();
});

afterAll(async () => {
  client?.disconnect();
  bystander?.disconnect();
  await stopAll();
});

/** The reply in one line; errors as their text. */
async function say(line: string | readonly string[]): Promise<string> {
  const words = typeof line === 'string' ? line.split(' ') : line;
  const reply = await client
    .call(words[0], ...words.slice(1))
    .catch((error: Error) => error.message);
  return typeof reply === 'string' ? reply : JSON.stringify(reply);
}

const INT64_MIN = '-9223372036854775808';
const INT64_MAX = '9223372036854775807';
const stars = `${'*a'.repeat(60)}b`;
const nested = '['.repeat(100_000);

/** Name of the weakness, what is sent, what the last of it must answer. */
const cases: readonly [
  title: string,
  lines: readonly (string | readonly string[])[],
  answer: RegExp,
][] = [
  [
    'CVE-2016-8339: an output limit of a class that does not exist',
    [['CONFIG', 'SET', 'client-output-buffer-limit', 'master 3735928559 3405691582 373529054']],
    /Invalid client class/,
  ],
  [
    'CVE-2018-12453: XGROUP of a key that is no stream',
    ['SET text 1', 'XGROUP CREATE text g $'],
    /^WRONGTYPE/,
  ],
  [
    'CVE-2019-10192: a HyperLogLog whose bytes were changed',
    [
      ['SET', 'hll', `HYLL\x01${'\0'.repeat(11)}${'\xff'.repeat(40)}`],
      'PFADD hll a',
      'PFCOUNT hll',
    ],
    /^INVALIDOBJ/,
  ],
  [
    'CVE-2019-10193: a HyperLogLog that SETRANGE has cut into',
    ['PFADD hll2 a b c', 'SETRANGE hll2 15 zzzzzzzzzz', 'PFCOUNT hll2'],
    /^INVALIDOBJ/,
  ],
  [
    'CVE-2025-32023: a sparse HyperLogLog whose runs go beyond the registers',
    [['SET', 'hll3', `HYLL\x01${'\0'.repeat(11)}${'\x7f\xff'.repeat(3000)}`], 'PFMERGE hll4 hll3'],
    /^INVALIDOBJ/,
  ],
  [
    'CVE-2021-29477: LCS of strings whose table would not fit',
    [['SETRANGE', 'l1', '10000000', 'x'], ['SETRANGE', 'l2', '10000000', 'x'], 'LCS l1 l2'],
    /^ERR/,
  ],
  [
    'CVE-2021-29478: a set of integers that does not fit its encoding',
    ['CONFIG SET set-max-intset-entries 4294967295'],
    /^ERR/,
  ],
  [
    'CVE-2021-32761: bits at offsets beyond a string',
    ['SETBIT b 4294967296 1', `GETBIT b ${INT64_MAX}`, `BITCOUNT b ${INT64_MIN} ${INT64_MAX}`],
    /^0$/,
  ],
  [
    'CVE-2021-32761: BITFIELD at offsets beyond a string',
    [`BITFIELD b SET u8 ${INT64_MAX} 1`],
    /^ERR/,
  ],
  [
    'CVE-2022-35977: SETRANGE and SORT with sizes that overflow',
    [
      `SETRANGE r ${INT64_MAX} x`,
      'SADD sorted 1 2 3',
      `SORT sorted LIMIT ${INT64_MAX} ${INT64_MAX}`,
    ],
    /^\[\]$/,
  ],
  [
    'CVE-2022-36021: a pattern of many stars',
    [
      ['SET', 'a'.repeat(20_000), '1'],
      ['KEYS', stars],
      ['SCAN', '0', 'MATCH', stars, 'COUNT', '1000'],
    ],
    /^\["/,
  ],
  [
    'CVE-2024-31228: a pattern of a megabyte',
    [
      ['KEYS', '*?'.repeat(500_000)],
      ['COMMAND', 'LIST', 'FILTERBY', 'PATTERN', '*'.repeat(1_000_000)],
    ],
    /^\["/,
  ],
  [
    'CVE-2023-22458: HRANDFIELD and ZRANDMEMBER with the least count',
    ['HSET h f v', `HRANDFIELD h ${INT64_MIN} WITHVALUES`],
    /^ERR value is out of range/,
  ],
  [
    'CVE-2023-25155: SRANDMEMBER with the least count',
    ['SADD s m', `SRANDMEMBER s ${INT64_MIN}`],
    /^ERR value is out of range/,
  ],
  [
    'CVE-2023-28425: MSETNX with the same key twice',
    ['MSETNX twice 1 twice 2', 'GET twice'],
    /^2$/,
  ],
  [
    'CVE-2023-28856: HINCRBYFLOAT by what is no number',
    ['HSET hf f 1', 'HINCRBYFLOAT hf f nan', 'HINCRBYFLOAT hf f inf', 'HGET hf f'],
    /^1$/,
  ],
  [
    'CVE-2023-36824: COMMAND GETKEYS with a count that lies',
    [`COMMAND GETKEYS EVAL x ${INT64_MAX} k`, 'COMMAND GETKEYS SINTERCARD 4294967297 k'],
    /^ERR Invalid arguments/,
  ],
  [
    'CVE-2024-31227: a rule of a user that is cut off',
    [
      'ACL SETUSER x %',
      'ACL SETUSER x %W',
      'ACL SETUSER x (%R)',
      'ACL SETUSER x (',
      'ACL SETUSER x ()',
    ],
    /^(OK|ERR)/,
  ],
  [
    'CVE-2022-35951: XAUTOCLAIM with a count that overflows',
    ['XGROUP CREATE xs g $ MKSTREAM', `XAUTOCLAIM xs g c 0 0 COUNT ${INT64_MAX}`],
    /^ERR COUNT must be > 0/,
  ],
  [
    'CVE-2015-4335: bytecode in a script',
    [['EVAL', 'return loadstring("\\27Lua")', '0']],
    /^null$/,
  ],
  [
    'CVE-2015-8080: struct with a size that overflows',
    [['EVAL', 'return struct.pack("i4294967295", 1)', '0']],
    /^ERR/,
  ],
  [
    'CVE-2018-11218: cmsgpack of a table that holds itself',
    [['EVAL', 'local t = {} t[1] = t return #cmsgpack.pack(t)', '0']],
    /^17$/,
  ],
  [
    'CVE-2022-24834: cjson of deep and of huge values',
    [['EVAL', 'return cjson.decode(ARGV[1])', '0', nested]],
    /^ERR/,
  ],
  [
    'CVE-2024-31449: bit.tohex with the least number of digits',
    [['EVAL', 'return bit.tohex(65535, -2147483648)', '0']],
    /^0000FFFF$/,
  ],
  [
    'CVE-2025-46817: unpack of a range that overflows',
    [['EVAL', 'return {unpack({0,2,5}, -2, 2147483647)}', '0']],
    /^ERR/,
  ],
  [
    'CVE-2025-46818: a script that changes what all scripts share',
    [
      ['EVAL', 'getmetatable("").__index = function() return 1 end return 1', '0'],
      ['EVAL', 'return ("x").foo', '0'],
    ],
    /^null$/,
  ],
  [
    'CVE-2022-24735: a script that leaves globals for others',
    [
      ['EVAL', 'redis.call = 1 return 1', '0'],
      ['EVAL', 'return redis.call("PING")', '0'],
    ],
    /^PONG$/,
  ],
];

test.each(cases)('%s', async (_title, lines, answer) => {
  let last = '';
  for (const line of lines) last = await say(line);
  expect(last.slice(0, 300)).toMatch(answer);
});

test('CVE-2016-10517: a browser that was led to the port runs no command', async () => {
  const body = 'SET stolen 1\r\n';
  await exchange(engine.port, `POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 14\r\n\r\n${body}`);
  expect(await bystander.exists('stolen')).toBe(0);
});

test('CVE-2021-32675 and CVE-2025-48367: a stranger cannot make it keep memory', async () => {
  const guarded = await startEngine({ flags: ['--requirepass', 'p'] });
  for (const [bytes, answer] of [
    ['*1048576\r\n', /unauthenticated multibulk length/],
    ['*2\r\n$3\r\nGET\r\n$16385\r\n', /unauthenticated bulk length/],
  ] as const) {
    expect((await exchange(guarded.port, bytes)).reply).toMatch(answer);
  }
  const { reply, closed } = await exchange(guarded.port, `${'A'.repeat(70_000)}`);
  expect([/too big/.test(reply), closed]).toEqual([true, true]);
});

test('CVE-2023-41053: a user reads no key by SORT_RO that his rights do not name', async () => {
  await bystander.set('secret_1', 'hidden');
  const low = new Redis({ port: engine.port, username: 'low', password: 'x' });
  await low.call('SADD', 'mine', '1');
  for (const words of [
    ['SORT_RO', 'mine', 'GET', 'secret_*'],
    ['SORT', 'mine', 'BY', 'secret_*'],
    ['SORT_RO', 'other'],
    ['GET', 'secret_1'],
  ]) {
    await expect(low.call(words[0], ...words.slice(1))).rejects.toThrow(/permissions/);
  }
  low.disconnect();
});

test('names to listen to without end are bounded by maxmemory-clients', async () => {
  await bystander.config('SET', 'maxmemory-clients', '20mb');
  const greedy = new Redis({
    port: engine.port,
    maxRetriesPerRequest: 0,
    retryStrategy: () => null,
  });
  const ended = new Promise((resolve) => greedy.once('end', resolve));
  greedy.on('error', () => {});
  for (let i = 0; i < 300; i++) {
    const names = Array.from({ length: 1000 }, (_, k) => `channel:${i}:${k}`);
    greedy.subscribe(...names).catch(() => {});
  }
  await ended;
  expect(await bystander.info('stats')).toContain('evicted_clients:1');
  await bystander.config('SET', 'maxmemory-clients', '0');
}, 60_000);

describe('docs/hostile.md', () => {
  const page = readFileSync(new URL('../../docs/hostile.md', import.meta.url), 'utf8');
  const rows = [...page.matchAll(/^\|.*`([^`]+\.test\.ts)`: (.+?) \|$/gm)];

  test('names tests that exist', () => {
    expect(rows.length).toBeGreaterThan(30);
    const missing = rows.filter(([, file, title]) => {
      const text = readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8');
      return !text.includes(title.replaceAll('\\|', '|'));
    });
    expect(missing.map(([row]) => row)).toEqual([]);
  });

  test('lists every weakness that is tested here', () => {
    const own = readFileSync(import.meta.filename, 'utf8');
    const tested = new Set(own.match(/CVE-\d{4}-\d+/g));
    expect([...tested].filter((name) => !page.includes(name))).toEqual([]);
  });
});
