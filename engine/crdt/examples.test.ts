/**
 * The rules of docs/semantics.md for one key, as named examples on bare states. A is a member of
 * region 1, B of region 2; `race` lets both see what was `given`, then each writes alone, then
 * they exchange ops. Every race is played with either side first to pull, and by merge of states,
 * and all must read the same.
 */
import type { Amount } from './amount.ts';
import { parseAmount } from './amount-text.ts';
import { explainKey } from './explain.ts';
import { mergeKey } from './key-state.ts';
import { canonical, type Intent, newWorld, pull, read, type World, write } from './laws-history.ts';
import type { SpecValue } from './laws-spec.ts';
import { winningTtlWrite } from './ttl.ts';

const FOREVER = Number.POSITIVE_INFINITY;

const set = (value: string, expiry: number | null = FOREVER): Intent => ({
  kind: 'set',
  value,
  expiry,
});
const incr = (delta: string): Intent => ({ kind: 'incr', delta: parseAmount(delta) as Amount });
const sadd = (...members: string[]): Intent => ({ kind: 'sadd', members });
const srem = (...members: string[]): Intent => ({ kind: 'srem', members });
const hset = (field: string, value: string): Intent => ({ kind: 'hset', pairs: [[field, value]] });
const hincr = (field: string, delta: string): Intent => ({
  kind: 'hincr',
  field,
  delta: parseAmount(delta) as Amount,
});
const hdel = (...fields: string[]): Intent => ({ kind: 'hdel', fields });
const expire = (expiry: number): Intent => ({ kind: 'expire', expiry });
const del: Intent = { kind: 'del' };
const flush: Intent = { kind: 'flush' };

type Race = { given?: Intent[]; a?: Intent[]; b?: Intent[]; bMs?: number };

/** B writes 5 ms later than A unless `bMs` says otherwise. */
function playRace({ given = [], a = [], b = [], bMs = 5 }: Race): World {
  const world = newWorld();
  const [left, right] = world.replicas;
  for (const intent of given) write(world, left, intent);
  pull(left, right);
  for (const intent of a) write(world, left, intent, 1);
  for (const intent of b) write(world, right, intent, 1 + bMs);
  return world;
}

function race(moves: Race): SpecValue {
  const world = playRace(moves);
  const [left, right] = world.replicas;
  const merged = mergeKey(
    structuredClone(left.state),
    left.vector,
    structuredClone(right.state),
    right.vector,
  );
  pull(left, right);
  expect(canonical(merged)).toEqual(canonical(right.state));
  pull(right, left);
  expect(canonical(left.state)).toEqual(canonical(right.state));
  return read(left.state, world.roster);
}

describe('strings', () => {
  test('SET ‖ SET: the last writer wins', () => {
    expect(race({ a: [set('old')], b: [set('new')] }).string).toBe('new');
    expect(race({ a: [set('late')], b: [set('early')], bMs: -1 }).string).toBe('late');
  });
  test('SET ‖ SET at the same hlc: the lower region number wins', () => {
    expect(race({ a: [set('one')], b: [set('two')], bMs: 0 }).string).toBe('one');
  });
  test('a write that has seen another wins, whatever the clocks say', () => {
    const world = newWorld();
    const [a, b] = world.replicas;
    write(world, a, set('first'), 900);
    pull(a, b);
    write(world, b, set('second'), 0);
    pull(b, a);
    expect(read(a.state, world.roster).string).toBe('second');
    expect(a.state?.cell?.siblings.length).toBe(1);
  });
  test('the losing value is kept and explained until a later write has seen it', () => {
    const world = playRace({ a: [set('loser')], b: [set('winner')] });
    const [a, b] = world.replicas;
    pull(b, a);
    const explained = explainKey(a.state, world.roster);
    expect(explained?.conflicts).toBe(1);
    expect(explained?.visible).toMatchObject({
      type: 'string',
      cell: { value: 'winner', losingSiblings: [{ region: 1, value: 'loser' }] },
    });
    write(world, a, set('third'), 9);
    expect(explainKey(a.state, world.roster)?.conflicts).toBe(0);
  });
  test('SET ‖ DEL: the SET survives', () => {
    expect(race({ given: [set('x')], a: [set('y')], b: [del] }).string).toBe('y');
    expect(race({ given: [set('x')], a: [del], b: [set('y')], bMs: -1 }).string).toBe('y');
  });
  test('DEL removes what it has seen', () => {
    expect(race({ given: [set('x')], a: [del] })).toMatchObject({ type: null, string: null });
  });
});

describe('counters', () => {
  test('increments of all regions add up', () => {
    expect(race({ a: [incr('7')], b: [incr('3')] }).string).toBe('10');
  });
  test('c=10: DECRBY 3 ‖ INCRBY 6 → 13', () => {
    expect(race({ given: [incr('10')], a: [incr('-3')], b: [incr('6')] }).string).toBe('13');
  });
  test('SET 7, then INCR → 8', () => {
    expect(race({ given: [set('7')], b: [incr('1')] }).string).toBe('8');
  });
  test('k=10: SET k 5 ‖ INCRBY k 3 → 8', () => {
    expect(race({ given: [set('10')], a: [set('5')], b: [incr('3')] }).string).toBe('8');
    expect(race({ given: [incr('10')], a: [set('5')], b: [incr('3')] }).string).toBe('8');
  });
  test('a reset cancels the part of a sum that it has seen, and no more', () => {
    const given = [incr('10')];
    const b = [incr('3'), incr('4')];
    expect(race({ given, a: [set('5')], b }).string).toBe('12');
    // One contribution seen in part: the straddle of cell.ts, so this race is for ops only.
    const world = newWorld();
    const [left, right] = world.replicas;
    write(world, right, incr('10'));
    pull(right, left);
    write(world, left, del);
    write(world, right, incr('3'));
    pull(left, right);
    pull(right, left);
    expect(read(left.state, world.roster).string).toBe('3');
    expect(read(right.state, world.roster).string).toBe('3');
  });
  test('DEL k ‖ INCRBY k 3 → 3', () => {
    expect(race({ given: [incr('10')], a: [del], b: [incr('3')] }).string).toBe('3');
    expect(race({ given: [set('10')], a: [del], b: [incr('3')] }).string).toBe('3');
  });
  test('an old reset does not cut into a contribution that began anew', () => {
    const world = newWorld();
    const [a, b] = world.replicas;
    write(world, a, incr('10'));
    pull(a, b);
    write(world, b, set('1'));
    write(world, a, del);
    write(world, a, incr('3'));
    pull(a, b);
    pull(b, a);
    for (const { state } of [a, b]) expect(read(state, world.roster).string).toBe('4');
  });
  test('SET k abc wins over INCRBY k 3, which is counted as lost', () => {
    expect(race({ given: [set('1')], a: [set('abc')], b: [incr('3')] }).string).toBe('abc');
    const world = playRace({ given: [set('1')], a: [set('abc')], b: [incr('3')] });
    const [a, b] = world.replicas;
    pull(b, a);
    const explained = explainKey(a.state, world.roster);
    expect(explained?.conflicts).toBe(1);
    expect(explained?.visible).toMatchObject({ cell: { value: 'abc', lostIncrements: '3' } });
  });
  test('a merged sum beyond int64 reads as the bound, and nothing is lost', () => {
    const given = [set('9223372036854775800')];
    expect(race({ given, a: [incr('5')], b: [incr('6')] }).string).toBe('9223372036854775807');
    const world = playRace({ given, a: [incr('5')], b: [incr('6')] });
    const [a, b] = world.replicas;
    pull(b, a);
    write(world, a, incr('-10'), 9);
    expect(read(a.state, world.roster).string).toBe('9223372036854775801');
  });
  test('floats add up exactly', () => {
    expect(race({ given: [set('0.5')], a: [incr('0.1')], b: [incr('0.2')] }).string).toBe('0.8');
  });
  test('INCRBY 0 makes the key', () => {
    expect(race({ a: [incr('0')] })).toMatchObject({ type: 'string', string: '0' });
  });
});

describe('sets', () => {
  const given = [sadd('a', 'b')];
  test('SREM a ‖ SADD c → b, c', () => {
    expect(race({ given, a: [srem('a')], b: [sadd('c')] }).set).toEqual(['b', 'c']);
  });
  test('SADD a ‖ SREM a: an add that the remover has not seen survives', () => {
    expect(race({ given, a: [srem('a')], b: [sadd('a')] }).set).toEqual(['a', 'b']);
    expect(race({ given, a: [sadd('a')], b: [srem('a')], bMs: 9 }).set).toEqual(['a', 'b']);
  });
  test('DEL ‖ SADD c → c', () => {
    expect(race({ given, a: [del], b: [sadd('c')] }).set).toEqual(['c']);
  });
  test('both remove the last member: no key is left', () => {
    const one = [sadd('x')];
    expect(race({ given: one, a: [srem('x')], b: [srem('x')] }).type).toBeNull();
  });
});

describe('hashes', () => {
  const given = [hset('f', '1')];
  test('HSET of two fields: both', () => {
    const { hash } = race({ a: [hset('f1', 'a')], b: [hset('f2', 'b')] });
    expect(hash).toEqual({ f1: 'a', f2: 'b' });
  });
  test('HSET ‖ HSET of a field: the last writer', () => {
    expect(race({ given, a: [hset('f', '2')], b: [hset('f', '3')] }).hash).toEqual({ f: '3' });
  });
  test('HSET ‖ HDEL: the HSET survives', () => {
    expect(race({ given, a: [hset('f', '2')], b: [hdel('f')] }).hash).toEqual({ f: '2' });
  });
  test('HINCRBY ‖ HINCRBY add up', () => {
    expect(race({ given, a: [hincr('f', '2')], b: [hincr('f', '3')] }).hash).toEqual({ f: '6' });
  });
  test('HSET f 5 ‖ HINCRBY f 3 → 8', () => {
    expect(race({ given, a: [hset('f', '5')], b: [hincr('f', '3')] }).hash).toEqual({ f: '8' });
  });
  test('HDEL f ‖ HINCRBY f 3 → 3', () => {
    const tens = [hincr('f', '10')];
    expect(race({ given: tens, a: [hdel('f')], b: [hincr('f', '3')] }).hash).toEqual({ f: '3' });
  });
  test('DEL ‖ HSET of another field: that field', () => {
    expect(race({ given, a: [del], b: [hset('g', '9')] }).hash).toEqual({ g: '9' });
  });
});

describe('TTL', () => {
  const given = [set('v')];
  test('EXPIRE 10 ‖ EXPIRE 50: the longest', () => {
    expect(race({ given, a: [expire(10)], b: [expire(50)] }).expiry).toBe(50);
    expect(race({ given, a: [expire(50)], b: [expire(10)] }).expiry).toBe(50);
  });
  test('a TTL write that has seen another replaces it, longer or not', () => {
    expect(race({ given: [set('v'), expire(50)], b: [expire(10)] }).expiry).toBe(10);
  });
  test('PERSIST ‖ EXPIRE and SET ‖ EXPIRE: no TTL', () => {
    const timed = [set('v', 99)];
    expect(race({ given: timed, a: [expire(FOREVER)], b: [expire(50)] }).expiry).toBe(FOREVER);
    expect(race({ given: timed, a: [set('w')], b: [expire(50)] }).expiry).toBe(FOREVER);
  });
  test('SET KEEPTTL is no TTL write', () => {
    const timed = [set('v', 99)];
    expect(race({ given: timed, a: [set('w', null)], b: [expire(50)] })).toMatchObject({
      string: 'w',
      expiry: 50,
    });
  });
  test('a write that the expiry had not seen survives, without TTL unless it set one', () => {
    const timed = [incr('10'), expire(99)];
    expect(race({ given: timed, a: [del], b: [incr('3')] })).toMatchObject({
      string: '3',
      expiry: FOREVER,
    });
    expect(race({ given: timed, a: [del], b: [set('w', 50)] })).toMatchObject({
      string: 'w',
      expiry: 50,
    });
  });
  test('EXPIRE ‖ DEL: no key, and the next writer begins without TTL', () => {
    const world = playRace({ given, a: [del], b: [expire(50)] });
    const [a, b] = world.replicas;
    pull(b, a);
    expect(read(a.state, world.roster).type).toBeNull();
    expect(a.state).not.toBeNull();
    write(world, a, sadd('m'), 9);
    expect(read(a.state, world.roster)).toMatchObject({ type: 'set', expiry: FOREVER });
  });
  test('a removal that empties the key takes its TTL with it', () => {
    const timed = [sadd('x'), expire(99)];
    expect(race({ given: timed, a: [srem('x')], b: [sadd('y')] })).toMatchObject({
      set: ['y'],
      expiry: FOREVER,
    });
  });
  test.each([
    ['set', sadd('m'), srem('m'), hset('f', 'v')],
    ['hash', hset('f', 'v'), hdel('f'), sadd('m')],
  ] as const)('emptying a %s that hides another type keeps the TTL of the key', (...moves) => {
    const [, mine, removal, other] = moves;
    const world = playRace({ a: [other], b: [mine] });
    const [a, b] = world.replicas;
    pull(a, b);
    write(world, b, expire(99), 9);
    write(world, b, removal, 9);
    expect(read(b.state, world.roster).expiry).toBe(99);
    expect(read(b.state, world.roster).type).not.toBeNull();
  });
  test('the actor of the winning TTL write is the one that expires the key', () => {
    const world = playRace({ given, a: [expire(10)], b: [expire(50)] });
    const [a, b] = world.replicas;
    pull(b, a);
    expect(winningTtlWrite(a.state?.ttl ?? [], world.roster)?.actor).toBe(b.actor);
  });
});

describe('type clashes', () => {
  test('SADD ‖ HSET: the type written last shows, the other is kept and explained', () => {
    expect(race({ a: [sadd('m')], b: [hset('f', 'v')] }).type).toBe('hash');
    expect(race({ a: [sadd('m')], b: [hset('f', 'v')], bMs: -1 }).type).toBe('set');
    const world = playRace({ a: [sadd('m')], b: [hset('f', 'v')] });
    const [a, b] = world.replicas;
    pull(b, a);
    expect(explainKey(a.state, world.roster)).toMatchObject({
      type: 'hash',
      hidden: [{ type: 'set', members: [{ member: 'm' }] }],
      conflicts: 1,
    });
  });
  test('at the same hlc the lower region shows', () => {
    expect(race({ a: [sadd('m')], b: [hset('f', 'v')], bMs: 0 }).type).toBe('set');
  });
  test.each([
    ['DEL', del, null],
    ['SET', set('x'), 'string'],
  ] as const)('%s of a key that has seen both removes both', (_name, intent, type) => {
    const world = playRace({ a: [sadd('m')], b: [hset('f', 'v')] });
    const [a, b] = world.replicas;
    pull(b, a);
    write(world, a, intent, 9);
    expect(read(a.state, world.roster)).toMatchObject({ type, set: [], hash: {} });
  });
  test('a SET over a hash leaves what it has not seen', () => {
    const given = [hset('f', 'v')];
    expect(race({ given, a: [set('x')], b: [hset('g', 'w')], bMs: -1 })).toMatchObject({
      type: 'string',
      string: 'x',
      hash: { g: 'w' },
    });
  });
});

describe('FLUSHALL', () => {
  test('removes all that it has seen and nothing else', () => {
    const given = [sadd('a', 'b'), expire(99)];
    expect(race({ given, a: [flush], b: [sadd('c')] })).toMatchObject({
      set: ['c'],
      expiry: FOREVER,
    });
  });
  test('FLUSHALL ‖ INCRBY k 3 → 3', () => {
    expect(race({ given: [incr('10')], a: [flush], b: [incr('3')] }).string).toBe('3');
  });
});
