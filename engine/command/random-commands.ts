/**
 * A grammar of random commands for the comparison with Redis: few keys, so that types clash and
 * values meet; values at the borders of integers; now and then an argument too few or too many.
 *
 * Fractions are sums of powers of two, and are added to keys and fields of their own that never
 * hold large numbers: only there Redis' long doubles are exact, as our sums always are.
 * Elements are drawn at random only where the answer does not depend on which.
 */

export type Draw = {
  /** Uniform in 0..n-1. */
  below(n: number): number;
  pick<T>(values: readonly T[]): T;
};

export function drawFrom(random: () => number): Draw {
  const below = (n: number): number => Math.floor(random() * n);
  return { below, pick: (values) => values[below(values.length)] };
}

const KEYS = ['a', 'b', 'c', 'd', 'e', 'f', 'g', '{t}:h', ''];
const FIELDS = ['f1', 'f2', 'f3', 'f4', '', '7'];
const MEMBERS = ['m1', 'm2', 'm3', '1', '2', '-5', '', '\xff\x00'];
const INTEGERS = [
  ...['0', '1', '-1', '7', '-42', '1000', '9007199254740991', '9007199254740992'],
  ...['9223372036854775807', '-9223372036854775808', '9223372036854775808', '4611686018427387904'],
];
const FRACTIONS = ['0.5', '-0.25', '1.5', '3', '-2', '0.125', '1e2', '2.50', 'abc', '', ' 1'];
const NO_FRACTIONS = ['abc', '', ' 1', '1 ', 'nan', '0x', '1e'];
const FLOAT_KEYS = ['x', 'y'];
const HLL_KEYS = ['p', 'q', 'r'];
const FLOAT_FIELD = 'float';
const TEXTS = [
  'hello',
  '',
  'abc',
  '3.5',
  '012',
  '+1',
  ' 1',
  'x\r\ny',
  '\x00\x80\xff',
  'v'.repeat(70),
];
const OFFSETS = ['0', '1', '-1', '3', '-4', '12', '60', '-100', 'x'];
const TIMES = ['1000', '5000', '90000', '0', '-1', 'abc', '9223372036854775807'];
const FUTURE_SECONDS = ['9999999999', '8888888888', 'abc'];
const FUTURE_MS = ['9999999999999', '8888888888888', 'abc'];
const UNIX_SECONDS = [...FUTURE_SECONDS, '1'];
const UNIX_MS = [...FUTURE_MS, '1'];

const WIDTHS = ['u8', 'i8', 'i64', 'u63', 'u1', 'i1', 'i13', 'u64'];

type Rule = (draw: Draw) => string[];

const key = (draw: Draw): string => draw.pick(KEYS);
const field = (draw: Draw): string => draw.pick(FIELDS);
const member = (draw: Draw): string => draw.pick(MEMBERS);
const integer = (draw: Draw): string => draw.pick(INTEGERS);
const offset = (draw: Draw): string => draw.pick(OFFSETS);
const value = (draw: Draw): string =>
  draw.pick([INTEGERS, TEXTS, ['1', '2', '10', '0.5']][draw.below(3)]);

function some(draw: Draw, max: number, one: (draw: Draw) => string | string[]): string[] {
  return Array.from({ length: 1 + draw.below(max) }, () => one(draw)).flat();
}

function maybe(draw: Draw, ...words: string[]): string[] {
  return draw.below(2) === 0 ? words : [];
}

function setOptions(draw: Draw): string[] {
  const options = [['NX'], ['XX'], ['GET'], ['KEEPTTL'], ['EX', draw.pick(TIMES)]];
  // Not into the past: Redis counts such a key in DBSIZE until somebody looks at it.
  options.push(['PX', draw.pick(TIMES)], ['EXAT', draw.pick(FUTURE_SECONDS)], ['FOO']);
  options.push(['PXAT', draw.pick(FUTURE_MS)]);
  return some(draw, 3, (inner) => inner.pick(options));
}

function bitOrByte(draw: Draw): string[] {
  return draw.below(3) === 0 ? [draw.pick(['BIT', 'BYTE', 'FOO'])] : [];
}

function bitFieldGet(draw: Draw): string[] {
  return ['GET', draw.pick(WIDTHS), draw.pick(['0', '5', '#1', '63', '#', '-1'])];
}

function bitFieldOperation(draw: Draw): string[] {
  const kind = draw.below(5);
  if (kind === 0) return ['OVERFLOW', draw.pick(['WRAP', 'SAT', 'FAIL', 'FOO'])];
  const words = bitFieldGet(draw);
  if (kind === 1) return words;
  return [kind === 2 ? 'INCRBY' : 'SET', words[1], words[2], integer(draw)];
}

const conditions = ['NX', 'XX', 'GT', 'LT', 'FOO'];

const strings: Rule[] = [
  (d) => ['GET', key(d)],
  (d) => ['SET', key(d), value(d)],
  (d) => ['SET', key(d), value(d), ...setOptions(d)],
  (d) => ['SETNX', key(d), value(d)],
  (d) => ['SETEX', key(d), d.pick(TIMES), value(d)],
  (d) => ['PSETEX', key(d), d.pick(TIMES), value(d)],
  (d) => ['GETSET', key(d), value(d)],
  (d) => ['GETDEL', key(d)],
  (d) => ['GETEX', key(d), ...maybe(d, d.pick(['PERSIST', 'FOO']))],
  (d) => ['GETEX', key(d), 'EX', d.pick(TIMES)],
  (d) => ['MGET', ...some(d, 4, key)],
  (d) => ['MSET', ...some(d, 3, (i) => [key(i), value(i)])],
  (d) => ['MSETNX', ...some(d, 2, (i) => [key(i), value(i)])],
  (d) => ['APPEND', key(d), value(d)],
  (d) => ['STRLEN', key(d)],
  (d) => ['GETRANGE', key(d), offset(d), offset(d)],
  (d) => ['SETRANGE', key(d), offset(d), value(d)],
  (d) => ['INCR', key(d)],
  (d) => ['DECR', key(d)],
  (d) => ['INCRBY', key(d), integer(d)],
  (d) => ['DECRBY', key(d), integer(d)],
  (d) => ['INCRBYFLOAT', key(d), d.pick(NO_FRACTIONS)],
  (d) => ['INCRBYFLOAT', d.pick(FLOAT_KEYS), d.pick(FRACTIONS)],
  (d) => ['GETSET', d.pick(FLOAT_KEYS), d.pick(['1', '2.75', 'abc', '-0.5'])],
  (d) => ['INCR', d.pick(FLOAT_KEYS)],
  (d) => ['SETBIT', key(d), String(d.below(200)), d.pick(['0', '1', '2'])],
  (d) => ['GETBIT', key(d), String(d.below(200))],
  (d) => ['BITCOUNT', key(d), ...maybe(d, offset(d), offset(d), ...bitOrByte(d))],
  (d) => ['BITPOS', key(d), d.pick(['0', '1', '2']), ...maybe(d, offset(d))],
  (d) => ['BITPOS', key(d), d.pick(['0', '1']), offset(d), offset(d), ...bitOrByte(d)],
  (d) => ['BITFIELD', key(d), ...some(d, 4, bitFieldOperation)],
  (d) => ['BITFIELD_RO', key(d), ...some(d, 2, bitFieldGet)],
  (d) => ['BITOP', d.pick(['AND', 'OR', 'XOR', 'NOT', 'FOO']), key(d), ...some(d, 3, key)],
  (d) => ['LCS', key(d), key(d), ...maybe(d, d.pick(['LEN', 'IDX', 'FOO']))],
  (d) => ['LCS', key(d), key(d), 'IDX', 'WITHMATCHLEN', 'MINMATCHLEN', offset(d)],
];

/** On keys of their own: the bytes of a HyperLogLog may differ, what is said of it may not. */
const hyperLogLogs: Rule[] = [
  (d) => ['PFADD', d.pick(HLL_KEYS), ...some(d, 6, (i) => String(i.below(500)))],
  (d) => [
    'PFADD',
    d.pick(HLL_KEYS),
    ...some(d, 6, (i) => `${i.below(1e6)}`.repeat(1 + i.below(4))),
  ],
  (d) => ['PFADD', d.pick(HLL_KEYS)],
  (d) => ['PFCOUNT', ...some(d, 3, (i) => i.pick([...HLL_KEYS, 'none', 'none', 'a']))],
  (d) => ['PFMERGE', ...some(d, 3, (i) => i.pick(HLL_KEYS))],
  (d) => [d.pick(['DEL', 'TYPE', 'TTL', 'PERSIST', 'EXISTS']), d.pick(HLL_KEYS)],
  (d) => ['COPY', d.pick(HLL_KEYS), d.pick(HLL_KEYS), 'REPLACE'],
  (d) => ['EXPIRE', d.pick(HLL_KEYS), d.pick(TIMES)],
  (d) => ['GETRANGE', d.pick(HLL_KEYS), '0', '3'],
];

const hashes: Rule[] = [
  (d) => ['HSET', key(d), ...some(d, 3, (i) => [field(i), value(i)])],
  (d) => ['HMSET', key(d), ...some(d, 2, (i) => [field(i), value(i)])],
  (d) => ['HSETNX', key(d), field(d), value(d)],
  (d) => ['HGET', key(d), field(d)],
  (d) => ['HMGET', key(d), ...some(d, 3, field)],
  (d) => ['HGETALL', key(d)],
  (d) => ['HKEYS', key(d)],
  (d) => ['HVALS', key(d)],
  (d) => ['HLEN', key(d)],
  (d) => ['HSTRLEN', key(d), field(d)],
  (d) => ['HEXISTS', key(d), field(d)],
  (d) => ['HDEL', key(d), ...some(d, 3, field)],
  (d) => ['HINCRBY', key(d), field(d), integer(d)],
  (d) => ['HINCRBYFLOAT', key(d), field(d), d.pick(NO_FRACTIONS)],
  (d) => ['HINCRBYFLOAT', key(d), FLOAT_FIELD, d.pick(FRACTIONS)],
  (d) => ['HDEL', key(d), FLOAT_FIELD],
  (d) => ['HSCAN', key(d), '0', 'COUNT', '1000'],
  (d) => ['HRANDFIELD', key(d), '100', ...maybe(d, 'WITHVALUES')],
];

const sets: Rule[] = [
  (d) => ['SADD', key(d), ...some(d, 4, member)],
  (d) => ['SREM', key(d), ...some(d, 3, member)],
  (d) => ['SMEMBERS', key(d)],
  (d) => ['SISMEMBER', key(d), member(d)],
  (d) => ['SMISMEMBER', key(d), ...some(d, 3, member)],
  (d) => ['SCARD', key(d)],
  (d) => ['SPOP', key(d), '100'],
  (d) => ['SRANDMEMBER', key(d), '100'],
  (d) => ['SMOVE', key(d), key(d), member(d)],
  (d) => [d.pick(['SINTER', 'SUNION', 'SDIFF']), ...some(d, 3, key)],
  (d) => [d.pick(['SINTERSTORE', 'SUNIONSTORE', 'SDIFFSTORE']), key(d), ...some(d, 3, key)],
  (d) => ['SINTERCARD', '2', key(d), key(d), ...maybe(d, 'LIMIT', d.pick(['0', '1', '-1', 'x']))],
  (d) => ['SSCAN', key(d), '0', 'COUNT', '1000'],
  // Texts are compared in all their bytes; equal weights too, so the order is always the same.
  (d) => ['SORT', key(d), 'ALPHA', ...maybe(d, 'DESC'), ...maybe(d, 'LIMIT', offset(d), offset(d))],
  (d) => ['SORT_RO', key(d), ...maybe(d, 'DESC'), ...maybe(d, 'GET', '#', 'GET', '*->f1')],
];

const keys: Rule[] = [
  (d) => ['DEL', ...some(d, 2, key)],
  (d) => ['UNLINK', key(d)],
  (d) => ['EXISTS', ...some(d, 4, key)],
  (d) => ['TOUCH', ...some(d, 3, key)],
  (d) => ['TYPE', key(d)],
  (d) => ['RENAME', key(d), key(d)],
  (d) => ['RENAMENX', key(d), key(d)],
  (d) => ['COPY', key(d), key(d), ...maybe(d, 'REPLACE')],
  (d) => ['EXPIRE', key(d), d.pick(TIMES), ...maybe(d, d.pick(conditions))],
  (d) => ['PEXPIRE', key(d), d.pick(TIMES), ...maybe(d, d.pick(conditions))],
  (d) => ['EXPIREAT', key(d), d.pick(UNIX_SECONDS), ...maybe(d, d.pick(conditions))],
  (d) => ['PEXPIREAT', key(d), d.pick(UNIX_MS), ...maybe(d, d.pick(conditions))],
  (d) => [d.pick(['TTL', 'PTTL', 'EXPIRETIME', 'PEXPIRETIME', 'PERSIST']), key(d)],
  () => ['DBSIZE'],
  (d) => ['KEYS', d.pick(['*', '?', '[a-c]', '', '{*', '[^a]', 'a', '*h'])],
  (d) => ['SCAN', '0', 'COUNT', '1000', ...maybe(d, 'TYPE', d.pick(['string', 'set', 'hash']))],
];

const transactions: Rule[] = [
  () => ['MULTI'],
  () => ['EXEC'],
  () => ['EXEC'],
  () => ['DISCARD'],
  (d) => ['WATCH', ...some(d, 2, key)],
  () => ['UNWATCH'],
];

/** One random command. About one in thirty has a word too few or too many. */
export function randomCommand(draw: Draw): string[] {
  const group = draw.below(40);
  if (group === 0) return draw.pick(transactions)(draw);
  if (group === 1 && draw.below(10) === 0) return ['FLUSHALL'];
  const words = draw.pick([strings, hashes, sets, keys, hyperLogLogs][draw.below(5)])(draw);
  const mistake = draw.below(60);
  // Without its count one of these picks an element, and each server picks its own.
  const picks = words.length === 3 && /^(HRANDFIELD|SPOP|SRANDMEMBER)$/.test(words[0]);
  if (mistake === 0 && !picks) words.pop();
  if (mistake === 1) words.push(value(draw));
  return words.length === 0 ? ['PING'] : words;
}
