/**
 * The values that random commands are made of, by the kind that an argument has in
 * engine/command/arguments-table.ts. Few keys and members, so that types clash and values meet; numbers at
 * the borders of what is allowed.
 *
 * What would make a reply depend on the moment, or fill the memory of either side, is left out: no expiry
 * within the run, no offset beyond a few hundred bytes but such as are refused. Fractions of strings and
 * hashes are sums of powers of two: only there Redis' long doubles are exact, as our sums always are.
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

const INTEGERS = [
  ...['0', '1', '-1', '7', '-42', '1000', '9007199254740991', '9007199254740992'],
  ...['9223372036854775807', '-9223372036854775808', '9223372036854775808', '4611686018427387904'],
];
const INT64_MIN = '-9223372036854775808';
const TEXTS = [
  ...['hello', '', 'abc', '3.5', '012', '+1', ' 1', 'x\r\ny', '\x00\x80\xff', 'v'.repeat(70)],
  ...['1', '2', '10', '0.5'],
];
const SMALL = ['0', '1', '2', '3', '10', '100'];
const EXTREMES = ['9223372036854775807', '-9223372036854775808', '9223372036854775808'];
// Without -0: where 7.0 keeps its sign depends on the representation.
const SCORES = ['0', '1', '2', '3', '-1', '1.5', '0.25', '-inf', '+inf', 'inf', '1e3'];
const IDS = ['0-0', '0-1', '1-0', '1-1', '2-1', '3', '5-18446744073709551615', '7-2'];

/** Keys that only commands of one group draw, beside those that all of them share. */
const OWN_KEYS = 3;
const SHARED_KEYS = ['a', 'b', '{t}c', ''];
const GROUPS = ['string', 'bitmap', 'hash', 'set', 'list', 'sorted-set', 'stream'];

/** A key for a command of `group`: mostly one that holds its own type. */
export function drawKey(draw: Draw, group: string): string {
  // Apart from all others: Redis writes counts into such a string, and reads one that was cut or grown.
  if (group === 'hyperloglog') return `hll${draw.below(OWN_KEYS)}`;
  // Also apart: what a negative score is as a position, C leaves undefined.
  if (group === 'geo') return `geo${draw.below(OWN_KEYS)}`;
  if (draw.below(4) === 0) return draw.pick(SHARED_KEYS);
  const owner = GROUPS.includes(group) ? group : draw.pick(GROUPS);
  return `${owner}${draw.below(OWN_KEYS)}`;
}

/** Values by kind; `key` is not among them, see `drawKey`. */
export const kinds: Readonly<Record<string, readonly string[]>> = {
  value: [...INTEGERS, ...TEXTS],
  text: TEXTS,
  field: ['f1', 'f2', 'f3', 'f4', '', '7'],
  member: ['m1', 'm2', 'm3', 'x', '1', '2', '-5', '', '\xff\x00'],
  name: ['n', 'name', 'maxmemory-samples', 'a b', '', 'get', 'string'],
  integer: INTEGERS,
  // Redis' own arithmetic of OVERFLOW SAT goes wrong at the smallest integer.
  'field-value': INTEGERS.filter((value) => value !== INT64_MIN),
  float: ['0.5', '-0.25', '1.5', '3', '-2', '0.125', '1e2', '2.50'],
  offset: ['0', '1', '-1', '3', '-4', '12', '60', '-100', 'x', '536870912', ...EXTREMES],
  index: ['0', '1', '-1', '2', '-2', '5', '-100', '100', 'x', ...EXTREMES],
  count: [...SMALL, '-1', ...EXTREMES],
  // Not the smallest integer, which 7.2 refuses and 7.0 takes.
  rank: ['1', '2', '-1', '-2', '0', '100', 'x', '9223372036854775807', '9223372036854775808'],
  // Of a stream, which are exact up to 2^53 here.
  entries: [...SMALL, '-1', '-2', 'x', '9223372036854775808'],
  'random-count': ['0', '1', '2', '5', '100', '-1', '-7', 'x', '9223372036854775808'],
  bit: ['0', '1', '2', '-1'],
  'bit-offset': ['0', '1', '7', '8', '100', '199', '4294967296', '-1', 'x'],
  'field-offset': ['0', '1', '7', '#0', '#3', '100', '-1', '#-1', 'x', '4294967296'],
  encoding: ['u1', 'i1', 'u8', 'i8', 'i5', 'u13', 'u63', 'i64', 'u64', 'i65', 'i0', 'x8', ''],
  seconds: ['1000', '5000', '90000', '0', '-1', 'abc', '9223372036854775807', INT64_MIN],
  ms: ['1000000', '5000000', '0', '-1', 'abc', '9223372036854775807', INT64_MIN],
  'unix-seconds': ['9999999999', '8888888888', 'abc', '1', '-5', INT64_MIN],
  'unix-ms': ['9999999999999', '8888888888888', 'abc', '1', '-5', INT64_MIN],
  // Not into the past: Redis counts such a key in DBSIZE until somebody looks at it.
  'future-seconds': ['9999999999', '8888888888', 'abc', '0', '-1'],
  'future-ms': ['9999999999999', '8888888888888', 'abc', '0', '-1'],
  'idle-ms': ['0', '1000000000', '-1', 'abc'],
  // Not inf: what 7.0 makes of it is what C leaves undefined.
  timeout: ['0', '0.1', '-1', 'abc', '1e9'],
  cursor: ['0', '0', '0', 'abc', '-1', '18446744073709551616'],
  pattern: ['*', '?', '[a-c]*', '', '{*', '[^a]', 'a', '*1', 'f?', 'm[12]', '\\*', 'hash*'],
  'sort-pattern': ['nosort', 'string*', 'hash*->f1', '*', '#', 'no*where', '*->f1'],
  type: ['string', 'set', 'hash', 'list', 'zset', 'stream', 'foo', 'STRING'],
  score: [...SCORES, 'nan', 'abc', ''],
  weight: ['1', '2', '-1', '0.5', 'abc'],
  'score-bound': [...SCORES, '(1', '(2', '(-inf', 'abc', ''],
  'lex-bound': ['-', '+', '[m', '(m1', '[m2', '[', '(', 'm1', ''],
  id: IDS,
  'id-bound': [...IDS, '-', '+', '(1-1', '(0-0', '(', 'abc'],
  'read-id': ['>', '>', ...IDS, '$'],
  group: ['g1', 'g2', ''],
  consumer: ['c1', 'c2'],
  longitude: ['0', '13.361389', '15.087269', '-179.9', '179.9', '181', '-0.5', 'abc'],
  latitude: ['0', '38.115556', '37.502669', '85', '-85.05112878', '86', 'abc'],
  radius: ['0', '1', '100', '200.5', '20000', '-1', 'abc'],
  slot: ['0', '12182', '16383', '16384', '-1', 'abc'],
  db: ['0', '0', 'x', '-1', '100'],
  protover: ['2', '3', '4', 'abc'],
  password: ['secret', ''],
  channel: ['news', '{t}ch', ''],
  payload: ['', 'abc', '\x00\x01\x02'],
  sha: ['ffffffffffffffffffffffffffffffffffffffff', 'abc', ''],
  script: ['return 1', 'return KEYS', 'return {1,2,{ARGV[1]}}', 'return redis.call("GET","a")'],
  function: ['nosuch'],
  library: ['', '#!lua name=l\nredis.register_function("f", function() return 1 end)'],
};

/** Kinds in whose place nothing else is drawn: junk could be a moment within the run, or beyond 2^53 ms. */
export const exactKinds: ReadonlySet<string> = new Set([
  ...['seconds', 'ms', 'unix-seconds', 'unix-ms', 'future-seconds', 'future-ms'],
  ...['timeout', 'random-count', 'bit-offset', 'float', 'field-value', 'rank', 'entries'],
]);

/** What stands now and then where something else is expected. */
export const junk: readonly string[] = ['', 'abc', '-1', '1.5', ' 1', ...EXTREMES];
