/**
 * Worlds of two regions get the same commands and exchange the same frames and slots. In one, sets and
 * hashes are JavaScript objects, which crdt/ alone changes; in the others small ones are packed blocks, larger
 * ones tables, with the limit between them high or low. Nobody may be able to tell which, but for the
 * order of elements in a table.
 */
import fc from 'fast-check';
import { checkKey } from '../crdt/check.ts';
import type { Bytes } from '../crdt/dot.ts';
import { actorId, emptyRoster, internActor, makeActorId } from '../crdt/roster.ts';
import { advance, type VersionVector } from '../crdt/version-vector.ts';
import { PACKED_ELEMENTS_MAX } from '../keyspace/packed-block.ts';
import { seededChance } from '../keyspace/test-chance.ts';
import { BatchReader } from '../op/batch-reader.ts';
import { Args } from '../resp/args.ts';
import { ReplyWriter } from '../resp/reply-writer.ts';
import { Db } from './db.ts';
import { DbError } from './db-error.ts';
import { bodyOf, START_MS, slotOfText, statesOf } from './db-fixture.ts';
import type { ZaddRule } from './zset-hot.ts';

const NEVER = Number.POSITIVE_INFINITY;
const KEYS = ['a', '{a}b', 'c'] as const;
const SLOTS = [...new Set(KEYS.map(slotOfText))];

class Region {
  readonly db: Db;
  readonly log: Uint8Array[] = [];
  private applied = 0;

  constructor(number: number, packing: boolean, blockElementsMax = PACKED_ELEMENTS_MAX) {
    const random = seededChance(number);
    this.db = new Db({ random, region: number, packing, blockElementsMax });
    this.db.beginTurn(START_MS);
    this.db.newActor(makeActorId(number, 0, BigInt(number)));
    this.db.writable = true;
  }

  /** Ends the turn; returns its frame, if it has one. */
  seal(): Uint8Array | null {
    const frame = this.db.takeFrame();
    if (frame !== null) this.log.push(frame);
    return frame;
  }

  /** Applies up to `count` frames of the other. */
  pull(other: Region, count: number): string {
    const outcomes: unknown[] = [];
    for (let n = 0; n < count && this.applied < other.log.length; n++, this.applied++) {
      outcomes.push(this.db.applyBatch(bodyOf(other.log[this.applied])));
    }
    return JSON.stringify(outcomes);
  }

  /** Takes in the other's whole state, as after a long absence. */
  merge(other: Region): unknown {
    const outcomes: unknown[] = [];
    for (const slot of SLOTS) {
      const body = other.db.states.exportSlot(slot);
      if (body !== null) outcomes.push(this.db.states.importSlot(body, null));
      else if (this.db.slotSize(slot) > 0) {
        outcomes.push(
          this.db.states.importSlot(other.db.states.emptySlot(slot, other.db.vector), null),
        );
      }
    }
    const vector: VersionVector = [];
    other.db.vector.forEach((seq, actor) => {
      advance(vector, internActor(this.db.roster, actorId(other.db.roster, actor)), seq);
    });
    this.db.states.finishStateMerge(vector);
    this.applied = other.log.length;
    return outcomes;
  }
}

type Step = {
  region: 0 | 1;
  run: (region: Region, other: Region) => unknown;
  /** Its frame may name keys in another order. */
  anyOrder?: boolean;
  text: string;
};

const name = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom('m', 'n', 'o', 'pp', 'qq') },
  { weight: 1, arbitrary: fc.constantFrom('', 'x'.repeat(127), 'x'.repeat(128), 'y'.repeat(400)) },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 3 }).map(latin1) },
);
const value = fc.oneof(
  { weight: 5, arbitrary: fc.constantFrom('', '7', '-12', 'text', '1.5') },
  { weight: 1, arbitrary: fc.constantFrom('v'.repeat(300), 'w'.repeat(4000), 'z'.repeat(9000)) },
);
const many = fc
  .integer({ min: 1, max: PACKED_ELEMENTS_MAX + 4 })
  .map((count) => Array.from({ length: count }, (_, i) => `many${i}`));
const names = fc.oneof(
  { weight: 6, arbitrary: fc.array(name, { minLength: 1, maxLength: 4 }) },
  { weight: 1, arbitrary: many },
);
const key = fc.constantFrom(...KEYS);
const expiry = fc.constantFrom(5, 60, 100_000, NEVER);
const pairs = fc.tuple(names, value).map(([list, text]) => list.map((field) => [field, text]));

function latin1(text: string): Bytes {
  return Buffer.from(text, 'utf8').toString('latin1');
}

/** HINCRBY as the command does it. */
function hincrBy(db: Db, [k, field, delta]: [string, string, number]): unknown {
  const sum = db.hashIncrement(Args.from(['HINCRBY', k, field]), delta);
  return Number.isNaN(sum) ? db.hashAdd(k, field, delta, false) : sum;
}

/** What a reply looks like. */
function written(write: (out: ReplyWriter) => void): string {
  const out = new ReplyWriter();
  write(out);
  return Buffer.from(out.take()).toString('latin1');
}

/** A command from its arguments; `text` tells a failing history. */
function command<T>(
  arbitrary: fc.Arbitrary<T>,
  run: (db: Db, args: T) => unknown,
  anyOrder = false,
) {
  return fc.tuple(fc.constantFrom(0, 1) as fc.Arbitrary<0 | 1>, arbitrary).map(
    ([region, args]): Step => ({
      region,
      run: ({ db }) => run(db, args),
      anyOrder,
      text: `${region}: ${String(run).replace(/^\(db, .*?\) => /, '')} ${JSON.stringify(args)}`,
    }),
  );
}

/** Expiry. Keys that are due together are deleted in no certain order, so frames may differ in it. */
const tick = command(fc.nat(20), (db, ms) => db.tick(db.nowMs + ms, 10), true);

const pull = fc
  .tuple(fc.constantFrom(0, 1) as fc.Arbitrary<0 | 1>, fc.integer({ min: 1, max: 8 }))
  .map(
    ([region, count]): Step => ({
      region,
      run: (mine, other) => mine.pull(other, count),
      text: `${region}: pull ${count}`,
    }),
  );

const score = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(1, 2, 0.1, -3) },
  { weight: 1, arbitrary: fc.constantFrom(-0, 0, Infinity, -Infinity, 5e-324, 1e308) },
);
const rule = fc.constantFrom('', '', '', 'nx', 'xx', 'gt', 'lt').map((word) => ({
  nx: word === 'nx',
  xx: word === 'xx',
  gt: word === 'gt',
  lt: word === 'lt',
}));

/** ZADD as the command does it. */
function zadd(
  db: Db,
  k: string,
  members: readonly string[],
  first: number,
  how: ZaddRule,
): unknown {
  const words = members.flatMap((member) => ['', member]);
  const scores = members.map((_, i) => first + (i % 3));
  return db.zsets.addArgs(Args.from(['ZADD', k, ...words]), 2, scores, how);
}

/** All members of a sorted set with score and rank, as text. */
function zsetOf(db: Db, k: string): unknown {
  const zset = db.zsets.of(k);
  const shown: string[] = [];
  zset.walk(zset.size - 1, zset.size, true, (bytes, start, end, held) => {
    const rank = zset.rankOf(bytes, start, end);
    shown.push(`${bytes.latin1Slice(start, end)} ${Object.is(held, -0) ? '-0' : held} ${rank}`);
    return true;
  });
  const below = [0, 1.5].map((bound) => zset.countBelowScore(bound, false));
  return shown.join('|') + below.join('|');
}

const zsetStep: fc.Arbitrary<Step> = fc.oneof(
  command(fc.tuple(key, names, score, rule), (db, [k, list, first, how]) =>
    zadd(db, k, list, first, how),
  ),
  command(fc.tuple(key, names, score, rule), (db, [k, list, first, how]) =>
    zadd(db, k, list, first, how),
  ),
  command(fc.tuple(key, name, score, rule), (db, [k, member, delta, how]) =>
    String(db.zsets.increment(k, member, delta, how)),
  ),
  command(fc.tuple(key, name, fc.constantFrom(1, -4, 0, 2 ** 52)), (db, [k, member, delta]) =>
    db.zsets.incrementArgs(Args.from(['ZINCRBY', k, '', member]), delta),
  ),
  command(fc.tuple(key, names), (db, [k, list]) =>
    db.zsets.removeArgs(Args.from(['ZREM', k, ...list])),
  ),
  command(fc.tuple(key, fc.boolean()), (db, [k, down]) => {
    const { size } = db.zsets.of(k);
    return String(db.zsets.take(k, down ? size - 1 : 0, Math.min(size, 3), down));
  }),
);

const step: fc.Arbitrary<Step> = fc.oneof(
  zsetStep,
  zsetStep,
  zsetStep,
  command(fc.tuple(key, names), (db, [k, list]) => db.setAdd(k, list)),
  command(fc.tuple(key, names), (db, [k, list]) => db.setAdd(k, list)),
  command(fc.tuple(key, names), (db, [k, list]) => db.setRemove(k, list)),
  command(fc.tuple(key, pairs), (db, [k, list]) => db.hashSet(k, list as [Bytes, Bytes][])),
  command(fc.tuple(key, pairs), (db, [k, list]) => db.hashSet(k, list as [Bytes, Bytes][])),
  command(fc.tuple(key, names), (db, [k, list]) => db.hashRemove(k, list)),
  command(fc.tuple(key, name), (db, [k, field]) => db.hashAdd(k, field, 3, false)),
  command(fc.tuple(key, name, fc.constantFrom(-7, 0, 2 ** 52)), hincrBy),
  command(fc.tuple(key, name, fc.constantFrom(1, 12)), hincrBy),
  command(fc.tuple(key, name), (db, [k, field]) => db.hashAdd(k, field, 5n * 10n ** 16n, true)),
  command(fc.tuple(key, names), (db, [k, list]) => db.addMembers(Args.from(['SADD', k, ...list]))),
  command(fc.tuple(key, pairs), (db, [k, list]) =>
    db.setFields(Args.from(['HSET', k, ...list.flat()])),
  ),
  command(fc.tuple(key, name, value), (db, [k, field, text]) =>
    db.setFields(Args.from(['HSET', k, field, text])),
  ),
  command(fc.tuple(key, names), (db, [k, list]) =>
    db.removeMembers(Args.from(['SREM', k, ...list])),
  ),
  command(fc.tuple(key, names), (db, [k, list]) =>
    db.removeFields(Args.from(['HDEL', k, ...list])),
  ),
  command(fc.tuple(key, name), (db, [k, one]) => db.fieldLength(Args.from(['', k, one]), 2)),
  command(fc.tuple(key, name), (db, [k, one]) => db.hasMember(Args.from(['', k, one]), 2)),
  command(fc.tuple(key, name), (db, [k, one]) =>
    written((out) => db.readField(Args.from(['', k, one]), 2, out)),
  ),
  command(key, (db, k) => db.setRemove(k, db.setMembers(k))),
  command(key, (db, k) =>
    db.hashRemove(
      k,
      db.hashEntries(k).map(([field]) => field),
    ),
  ),
  command(fc.tuple(key, expiry), (db, [k, ms]) => db.expire(k, db.nowMs + ms)),
  command(fc.tuple(key, expiry), (db, [k, ms]) => db.expire(k, db.nowMs + ms)),
  command(key, (db, k) => db.delete(k)),
  command(fc.tuple(key, value), (db, [k, text]) => db.setStringText(k, text, NEVER)),
  command(fc.tuple(key, key), (db, [k, target]) => db.rename(k, target)),
  command(fc.tuple(key, key), (db, [k, target]) => db.copy(k, target)),
  command(fc.tuple(key, fc.nat(3)), (db, [k, count]) => db.setRandom(k, count).length),
  tick,
  command(fc.nat(9), (db, dice) => (dice === 0 ? db.flush() : 0)),
  command(fc.tuple(key, name), (db, [k, one]) => db.setHas(k, one)),
  command(fc.tuple(key, name), (db, [k, one]) => db.hashGet(k, one)),
  pull,
  fc.tuple(fc.constantFrom(0, 1) as fc.Arbitrary<0 | 1>, fc.nat(4)).map(
    ([region, dice]): Step => ({
      region,
      run: (mine, other) => (dice === 0 ? mine.merge(other) : 0),
      text: `${region}: merge ${dice}`,
    }),
  ),
);

/** What the step gives: its reply or the words of its refusal. */
function outcome(run: () => unknown): unknown {
  try {
    return run();
  } catch (error) {
    if (error instanceof DbError) return error.message;
    throw error;
  }
}

/** Everything that clients and peers can see of a region. */
function look({ db }: Region) {
  return {
    digests: SLOTS.map((slot) => db.states.slotDigest(slot)),
    slots: SLOTS.map((slot) => Buffer.from(db.states.exportSlot(slot) ?? []).toString('latin1')),
    size: db.size,
    expiring: db.expiringSize,
    keys: KEYS.map((k) => ({
      type: db.type(k),
      exists: db.exists(Buffer.from(k), 0, k.length),
      expiry: db.expiry(k),
      explain: db.explain(k),
      set: outcome(() => [db.setMembers(k), db.setSize(k)]),
      hash: outcome(() => [db.hashEntries(k), db.hashSize(k)]),
      zset: outcome(() => zsetOf(db, k)),
      smembers: outcome(() => written((out) => db.writeMembers(Args.from(['', k]), out))),
      hgetall: outcome(() =>
        written((out) => db.writeEntries(Args.from(['', k]), out, true, true)),
      ),
      hkeys: outcome(() => written((out) => db.writeEntries(Args.from(['', k]), out, true, false))),
      hvals: outcome(() => written((out) => db.writeEntries(Args.from(['', k]), out, false, true))),
    })),
  };
}

/** The ops of a frame in their order; the elements that each names in any, as they may be in a table. */
function opsOf(frame: Uint8Array | null): unknown[] {
  if (frame === null) return [];
  const roster = emptyRoster();
  for (const region of [1, 2]) internActor(roster, makeActorId(region, 0, BigInt(region)));
  const reader = new BatchReader(roster);
  expect(reader.open(bodyOf(frame), START_MS)).toBeNull();
  const ops: unknown[] = [];
  while (reader.next()) ops.push([reader.seq, reader.slot, reader.hlc, unordered(reader.op())]);
  return ops;
}

/** The same with all lists sorted: the order of elements is what tables do not keep. */
function unordered(seen: unknown): unknown {
  if (typeof seen === 'string') return seen.split('\r\n').sort();
  if (Array.isArray(seen)) {
    return seen.map((one) => JSON.stringify(unordered(one), replaceBig)).sort();
  }
  if (seen === null || typeof seen !== 'object') return seen;
  return Object.fromEntries(Object.entries(seen).map(([name, one]) => [name, unordered(one)]));
}

function replaceBig(_: string, one: unknown): unknown {
  return typeof one === 'bigint' ? String(one) : one;
}

/** Plays the steps in a world of objects and one with blocks up to a limit, and compares after each. */
function playBoth(steps: readonly Step[], blockElementsMax: number): void {
  const worlds = [true, false].map((packing) => [
    new Region(1, packing, blockElementsMax),
    new Region(2, packing),
  ]);
  for (const { region, run, anyOrder } of steps) {
    const [packed, rich] = worlds.map((world) => {
      const [mine, other] = [world[region], world[1 - region]];
      const reply = outcome(() => run(mine, other));
      const frame = mine.seal();
      const { digests, slots, ...rest } = look(mine);
      const shipped = { bytes: frame?.length, ops: anyOrder ? null : opsOf(frame) };
      return { digests, slots, shipped, seen: unordered({ reply, ...rest }) };
    });
    expect(packed).toEqual(rich);
  }
  for (const world of worlds) {
    for (const { db } of world) {
      for (const state of statesOf(db).values()) checkKey(state, db.vector);
    }
  }
}

const playInBoth = (steps: readonly Step[]): void => playBoth(steps, PACKED_ELEMENTS_MAX);

const NO_RULE: ZaddRule = { nx: false, xx: false, gt: false, lt: false };

/** Few names in one set and one hash, and much exchange: what the ways by bytes are for. */
const few = fc.array(fc.constantFrom('m', 'n', 'o'), { minLength: 1, maxLength: 3 });
const text = fc.constantFrom('v', 'w', 'long');
const busy: fc.Arbitrary<Step> = fc.oneof(
  command(few, (db, list) => db.addMembers(Args.from(['SADD', 'a', ...list]))),
  command(fc.tuple(few, text), (db, [list, v]) =>
    db.setFields(Args.from(['HSET', 'c', ...list.flatMap((field) => [field, v])])),
  ),
  command(few, (db, list) => db.setRemove('a', list)),
  command(few, (db, list) => db.removeMembers(Args.from(['SREM', 'a', ...list]))),
  command(few, (db, list) => db.removeFields(Args.from(['HDEL', 'c', ...list]))),
  command(few, (db, [field]) => hincrBy(db, ['c', field, 5])),
  command(few, (db, list) => db.hashRemove('c', list)),
  command(fc.tuple(few, score, rule), (db, [list, first, how]) =>
    zadd(db, '{a}b', list, first, how),
  ),
  command(few, (db, list) => db.zsets.removeArgs(Args.from(['ZREM', '{a}b', ...list]))),
  command(few, (db, [member]) => db.zsets.increment('{a}b', member, 0.1, NO_RULE)),
  command(few, (db, [member]) =>
    db.zsets.incrementArgs(Args.from(['ZINCRBY', '{a}b', '', member]), 3),
  ),
  command(fc.constantFrom('a', 'c'), (db, k) => db.delete(k)),
  command(fc.tuple(fc.constantFrom('a', 'c'), expiry), (db, [k, ms]) =>
    db.expire(k, db.nowMs + ms),
  ),
  pull,
  pull,
);

describe('sets and hashes off the heap and on it', () => {
  test('answer, ship, merge and explain the same: blocks', () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 60, size: 'max' }), playInBoth),
      { numRuns: 80 },
    );
  });

  test('also where regions take turns on the same few elements', () => {
    fc.assert(
      fc.property(fc.array(busy, { minLength: 1, maxLength: 30, size: 'max' }), playInBoth),
      { numRuns: 150 },
    );
  });

  test.each([0, 3])('and with tables beyond %d elements', (limit) => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 60, size: 'max' }), (steps) =>
        playBoth(steps, limit),
      ),
      { numRuns: 50 },
    );
    fc.assert(
      fc.property(fc.array(busy, { minLength: 1, maxLength: 30, size: 'max' }), (steps) =>
        playBoth(steps, limit),
      ),
      { numRuns: 50 },
    );
  });

  test.each([0, PACKED_ELEMENTS_MAX])('SPOP takes each member once (tables beyond %d)', (limit) => {
    const [mine, other] = [new Region(1, true, limit), new Region(2, true, limit)];
    const members = Array.from({ length: 40 }, (_, i) => `member${i}`);
    mine.db.setAdd('s', members);
    const popped = members.map(() => written((out) => mine.db.popOne(Args.from(['', 's']), out)));
    expect(popped.sort()).toEqual(members.map((one) => `$${one.length}\r\n${one}\r\n`).sort());
    expect(written((out) => mine.db.popOne(Args.from(['', 's']), out))).toBe('$-1\r\n');
    mine.db.setAdd('t', ['last']);
    mine.db.expire('t', mine.db.nowMs + 1000);
    expect(written((out) => mine.db.popOne(Args.from(['', 't']), out))).toBe('$4\r\nlast\r\n');
    expect([mine.db.type('s'), mine.db.explain('t')]).toEqual(['none', null]);
    mine.seal();
    other.pull(mine, 9);
    expect(other.db.size).toBe(0);
  });

  test('DEL of a large hash removes what it has seen, and no more', () => {
    const [first, second] = [new Region(1, true), new Region(2, true)];
    const base = first.db.memoryBytes;
    const fields = Array.from({ length: 3000 }, (_, i): [Bytes, Bytes] => [`field${i}`, 'value']);
    first.db.hashSet('a', fields);
    first.db.expire('a', first.db.nowMs + 5000);
    first.db.setAdd(
      'c',
      fields.map(([field]) => field),
    );
    first.seal();
    second.pull(first, 9);
    second.db.hashSet('a', [['field7', 'fresh']]);
    second.db.hashAdd('a', 'counter', 1, false);
    for (const key of ['a', 'c']) first.db.delete(key);
    for (const region of [first, second]) region.seal();
    first.pull(second, 9);
    second.pull(first, 9);
    for (const { db } of [first, second]) {
      expect(db.hashEntries('a').sort()).toEqual([
        ['counter', '1'],
        ['field7', 'fresh'],
      ]);
      expect([db.size, db.expiringSize, db.type('c')]).toEqual([1, 0, 'none']);
    }
    expect(first.db.states.slotDigest(slotOfText('a'))).toBe(
      second.db.states.slotDigest(slotOfText('a')),
    );
    second.db.delete('a');
    second.seal();
    first.pull(second, 9);
    for (const { db } of [first, second]) expect([db.size, db.memoryBytes]).toEqual([0, base]);
  });

  test('two concurrent EXPIREs do not take a large hash off the arena', () => {
    const [first, second] = [new Region(1, true), new Region(2, true)];
    const fields = Array.from({ length: 1000 }, (_, i): [Bytes, Bytes] => [`field${i}`, 'value']);
    first.db.hashSet('a', fields);
    first.seal();
    second.pull(first, 9);
    const bytes = first.db.keyMemory('a');
    first.db.expire('a', first.db.nowMs + 5000);
    second.db.expire('a', second.db.nowMs + 9000);
    for (const region of [first, second]) region.seal();
    first.pull(second, 9);
    second.pull(first, 9);
    for (const { db } of [first, second]) {
      expect(db.expiry('a')).toBe(START_MS + 9000);
      expect(db.explain('a')?.ttlWrites).toHaveLength(2);
      expect(db.keyMemory('a')).toBeLessThan(bytes + 100);
    }
    expect(first.db.states.slotDigest(slotOfText('a'))).toBe(
      second.db.states.slotDigest(slotOfText('a')),
    );
    first.db.expire('a', NEVER);
    first.seal();
    second.pull(first, 9);
    for (const { db } of [first, second]) {
      expect(db.expiry('a')).toBe(NEVER);
      expect(db.explain('a')?.ttlWrites).toHaveLength(1);
      expect(db.expiringSize).toBe(0);
    }
  });

  test('FLUSHALL leaves what it has not seen of a large hash', () => {
    const [first, second] = [new Region(1, true), new Region(2, true)];
    const fields = Array.from({ length: 2000 }, (_, i): [Bytes, Bytes] => [`field${i}`, 'value']);
    for (const key of ['a', 'c']) first.db.hashSet(key, fields);
    first.seal();
    second.pull(first, 9);
    second.db.hashSet('a', [['field7', 'fresh']]);
    first.db.flush();
    for (const region of [first, second]) region.seal();
    first.pull(second, 9);
    second.pull(first, 9);
    for (const { db } of [first, second]) {
      expect(db.hashEntries('a')).toEqual([['field7', 'fresh']]);
      expect(db.size).toBe(1);
    }
  });

  test('a packed set takes less than a third of a rich one, and gives it all back', () => {
    const bytes = [true, false].map((packing) => {
      const { db } = new Region(1, packing);
      const empty = db.memoryBytes;
      for (let n = 0; n < 1000; n++) {
        for (let i = 0; i < 10; i++) db.setAdd(`set:${n}`, [`member${i}`]);
        db.takeFrame();
      }
      const full = db.memoryBytes;
      for (let n = 0; n < 1000; n++) db.delete(`set:${n}`);
      expect(db.memoryBytes - empty).toBeLessThan(100_000);
      return full - empty;
    });
    expect(bytes[0]).toBeLessThan(bytes[1] / 3);
  });

  test('a set leaves its block at the limit and comes back when it is small again', () => {
    const { db } = new Region(1, true);
    const members = Array.from({ length: PACKED_ELEMENTS_MAX + 1 }, (_, i) => `member${i}`);
    db.setAdd('s', members.slice(1));
    const packed = db.keyMemory('s');
    expect(packed).toBeLessThan(PACKED_ELEMENTS_MAX * 16);
    db.setAdd('s', members.slice(0, 1));
    expect(db.setSize('s')).toBe(PACKED_ELEMENTS_MAX + 1);
    expect(db.keyMemory('s')).toBeGreaterThan(packed * 2);
    db.setRemove('s', members.slice(0, 70));
    expect(db.setMembers('s').sort()).toEqual(members.slice(70).sort());
    expect(db.keyMemory('s')).toBeLessThan(packed);
  });

  test('a set that is emptied takes its TTL along, unless the remover had not seen it', () => {
    for (const packing of [true, false]) {
      const [first, second] = [new Region(1, packing), new Region(2, packing)];
      first.db.setAdd('a', ['m', 'n']);
      first.db.expire('a', first.db.nowMs + 1000);
      first.db.setRemove('a', ['m', 'n']);
      expect(first.db.explain('a')).toBeNull();
      first.db.setAdd('c', ['m']);
      first.seal();
      second.pull(first, 9);
      first.db.expire('c', first.db.nowMs + 1000);
      second.db.setRemove('c', ['m']);
      first.seal();
      second.seal();
      first.pull(second, 9);
      second.pull(first, 9);
      for (const { db } of [first, second]) {
        expect(db.type('c')).toBe('none');
        expect(db.explain('c')?.ttlWrites).toHaveLength(1);
        expect([db.size, db.expiringSize]).toEqual([0, 1]);
      }
    }
  });

  test('MEMORY USAGE counts a key that lies outside the arena, whatever its value is', () => {
    const { db } = new Region(1, true);
    const long = 'k'.repeat(100_000);
    db.setAdd(long, ['member']);
    expect(db.keyMemory(long)).toBeGreaterThan(100_000);
    db.hashAdd('{x}counters', 'n', 1, false);
    db.rename(long, 'short');
    expect(db.keyMemory('short')).toBeLessThan(200);
    expect(db.setMembers('short')).toEqual(['member']);
  });
});
