/** Field TTLs: Redis 7.4's answers and texts (the redis-server to compare with is older). */
import { makeFixture, show } from './session-fixture.ts';

const NOW_MS = 1_800_000_000_000;

function start() {
  const fixture = makeFixture({}, NOW_MS);
  const client = fixture.connect();
  const say = (line: string): string => show(client.send(...line.split(' ')));
  const advance = (ms: number): void => {
    fixture.advance(ms);
    fixture.server.db.tick(fixture.server.clockMs(), 1000);
  };
  return { fixture, say, advance };
}

test('HEXPIRE and its like set, HTTL and its like tell', () => {
  const { say } = start();
  say('HSET h a 1 b 2 c 3');
  expect(say('HEXPIRE h 10 FIELDS 3 a b none')).toBe('[1,1,-2]');
  expect(say('HTTL h FIELDS 4 a b c none')).toBe('[10,10,-1,-2]');
  expect(say('HPTTL h FIELDS 1 a')).toBe('[10000]');
  expect(say('HPEXPIRE h 2500 fields 1 a')).toBe('[1]');
  expect(say('HTTL h FIELDS 1 a')).toBe('[3]');
  expect(say('HPEXPIRETIME h FIELDS 1 a')).toBe('[1800000002500]');
  expect(say('HEXPIRETIME h FIELDS 1 a')).toBe('[1800000003]');
  expect(say('HEXPIREAT h 1800000100 FIELDS 1 c')).toBe('[1]');
  expect(say('HPEXPIREAT h 1800000100500 FIELDS 1 b')).toBe('[1]');
  expect(say('HPTTL h FIELDS 2 b c')).toBe('[100500,100000]');
  expect(say('HPERSIST h FIELDS 4 a b none a')).toBe('[1,1,-2,-1]');
  expect(say('HTTL h FIELDS 3 a b c')).toBe('[-1,-1,100]');
  expect(say('HTTL none FIELDS 2 a b')).toBe('[-2,-2]');
  expect(say('HEXPIRE none 10 FIELDS 1 a')).toBe('[-2]');
  expect(say('HPERSIST none FIELDS 1 a')).toBe('[-2]');
  expect(say('EXISTS none')).toBe('0');
});

test('conditions', () => {
  const { say } = start();
  say('HSET h a 1 b 2');
  expect(say('HEXPIRE h 10 XX FIELDS 1 a')).toBe('[0]');
  expect(say('HEXPIRE h 10 GT FIELDS 1 a')).toBe('[0]');
  expect(say('HEXPIRE h 10 NX FIELDS 1 a')).toBe('[1]');
  expect(say('HEXPIRE h 20 NX FIELDS 2 a b')).toBe('[0,1]');
  expect(say('HEXPIRE h 15 gt FIELDS 2 a b')).toBe('[1,0]');
  expect(say('HEXPIRE h 17 LT FIELDS 2 a b')).toBe('[0,1]');
  expect(say('HPERSIST h FIELDS 1 a')).toBe('[1]');
  expect(say('HEXPIRE h 99 LT FIELDS 1 a')).toBe('[1]');
});

test('a time in the past deletes, and an empty hash is no key', () => {
  const { say } = start();
  say('HSET h a 1 b 2');
  expect(say('HEXPIRE h 0 FIELDS 2 a a')).toBe('[2,-2]');
  expect(say('HGETALL h')).toBe('["b","2"]');
  expect(say('HEXPIREAT h 1 FIELDS 1 b')).toBe('[2]');
  expect(say('EXISTS h')).toBe('0');
});

test.each([
  ['HEXPIRE h 10 FIELDS', /wrong number of arguments for 'hexpire' command/],
  ['HEXPIRE h abc FIELDS 1 a', /value is not an integer/],
  ['HEXPIRE h -1 FIELDS 1 a', /invalid expire time, must be >= 0/],
  ['HEXPIRE h 9223372036854775807 FIELDS 1 a', /invalid expire time in 'hexpire' command/],
  ['HPEXPIREAT h 70368744177664 FIELDS 1 a', /invalid expire time in 'hpexpireat' command/],
  ['HEXPIRE h 10 FOO FIELDS 1 a', /Mandatory argument FIELDS is missing/],
  ['HEXPIRE h 10 NX XX FIELDS 1 a', /Mandatory argument FIELDS is missing/],
  ['HEXPIRE h 10 FIELDS 0 a', /Parameter `numFields` should be greater than 0/],
  ['HEXPIRE h 10 FIELDS x a', /Parameter `numFields` should be greater than 0/],
  ['HEXPIRE h 10 FIELDS 2 a', /must match the number of arguments/],
  ['HEXPIRE h 10 FIELDS 9223372036854775807 a', /must match the number of arguments/],
  ['HEXPIRE s 10 FIELDS 1 a', /^\(error\) WRONGTYPE/],
  ['HTTL h FIELDS 0 a', /Number of fields must be a positive integer/],
  ['HTTL h FIELD 1 a', /Mandatory argument FIELDS is missing/],
  ['HTTL h FIELDS 3 a b', /must match the number of arguments/],
  ['HTTL s FIELDS 1 a', /^\(error\) WRONGTYPE/],
  ['HPERSIST h FIELDS -1 a', /Number of fields must be a positive integer/],
  ['HPERSIST s FIELDS 1 a', /^\(error\) WRONGTYPE/],
])('%s', (line, error) => {
  const { say } = start();
  say('HSET h a 1');
  say('SET s v');
  expect(say(line)).toMatch(error);
  expect(say('HTTL h FIELDS 1 a')).toBe('[-1]');
});

test('an expired field is hidden at once and removed by the next tick', () => {
  const { fixture, say, advance } = start();
  say('HSET h a 1 b 2 c 3');
  say('HPEXPIRE h 100 FIELDS 2 a b');
  fixture.advance(100);
  for (const [line, reply] of [
    ['HGET h a', '(nil)'],
    ['HMGET h a c', '[null,"3"]'],
    ['HEXISTS h b', '0'],
    ['HLEN h', '1'],
    ['HKEYS h', '["c"]'],
    ['HGETALL h', '["c","3"]'],
    ['HSTRLEN h a', '0'],
    ['HSCAN h 0', '["0",["c","3"]]'],
    ['HRANDFIELD h 10', '["c"]'],
    ['HTTL h FIELDS 2 a c', '[-2,-1]'],
  ]) {
    expect([line, say(line)]).toEqual([
      line,
      reply === '(nil)' ? show({ kind: 'null', as: 'bulk' }) : reply,
    ]);
  }
  const before = fixture.server.db.lastSeq;
  advance(1);
  expect(fixture.server.db.lastSeq).toBe(before + 1);
  expect(say('HGETALL h')).toBe('["c","3"]');
});

test('the last field takes the key along', () => {
  const { fixture, say, advance } = start();
  say('HSET h a 1');
  say('EXPIRE h 1000');
  say('HPEXPIRE h 100 FIELDS 1 a');
  fixture.advance(100);
  expect([say('EXISTS h'), say('TYPE h'), say('TTL h'), say('KEYS *')]).toEqual([
    '0',
    'none',
    '-2',
    '[]',
  ]);
  expect(say('HSET h a 2')).toBe('1');
  expect(say('TTL h')).toBe('-1');
  say('HPEXPIRE h 100 FIELDS 1 a');
  advance(200);
  expect([say('DBSIZE'), say('SADD h m')]).toEqual(['0', '1']);
});

test('a write to an expired field finds nothing', () => {
  const { fixture, say } = start();
  say('HSET h n 5 m 5 k 5');
  say('HPEXPIRE h 100 FIELDS 2 n m');
  fixture.advance(100);
  expect([say('HINCRBY h n 1'), say('HSETNX h m x'), say('HTTL h FIELDS 2 n m')]).toEqual([
    '1',
    '1',
    '[-1,-1]',
  ]);
});

test('HSET clears a TTL, HINCRBY keeps it, and so do RENAME and COPY', () => {
  const { say } = start();
  say('HSET h a 1 b 2 c 3');
  say('HEXPIRE h 100 FIELDS 3 a b c');
  say('HSET h a 9');
  say('HINCRBY h b 5');
  expect(say('HTTL h FIELDS 3 a b c')).toBe('[-1,100,100]');
  expect(say('HGET h b')).toBe('"7"');
  say('COPY h copy');
  say('RENAME h moved');
  expect(say('HTTL copy FIELDS 3 a b c')).toBe('[-1,100,100]');
  expect(say('HTTL moved FIELDS 3 a b c')).toBe('[-1,100,100]');
});

test('thousands of fields that expire at once are removed some at a time', () => {
  const { fixture, say, advance } = start();
  const names = Array.from({ length: 3500 }, (_, n) => `f${n}`);
  say(`HSET h stays 1 ${names.map((name) => `${name} v`).join(' ')}`);
  say(`HPEXPIRE h 100 FIELDS ${names.length} ${names.join(' ')}`);
  fixture.advance(100);
  expect(say('HLEN h')).toBe('1');
  const before = fixture.server.db.lastSeq;
  for (let n = 0; n < 6; n++) advance(2);
  expect(fixture.server.db.lastSeq).toBe(before + 4);
  expect(say('HGETALL h')).toBe('["stays","1"]');
});

test('prototype names are fields like others', () => {
  const { say } = start();
  say('HSET h __proto__ 1 constructor 2');
  expect(say('HEXPIRE h 10 FIELDS 2 __proto__ constructor')).toBe('[1,1]');
  expect(say('HTTL h FIELDS 3 __proto__ constructor toString')).toBe('[10,10,-2]');
});
