import { seededChance } from '../keyspace/test-chance.ts';
import { ReplyWriter } from '../resp/reply-writer.ts';
import type { Db } from './db.ts';
import { bodyOf, digestsOf, newDb, START_MS, TestMember } from './db-fixture.ts';
import { EVICTION_POLICIES, type EvictionPolicy, OVERRUN_MAX } from './eviction.ts';
import { runRandom } from './random-command.ts';

const NEVER = Number.POSITIVE_INFINITY;
const VALUE = Buffer.from('v'.repeat(32));
const keyOf = (i: number): Buffer => Buffer.from(`key:${i}`);

function set(db: Db, i: number, expiryMs = NEVER, value = VALUE): void {
  const key = keyOf(i);
  db.setString(key, 0, key.length, value, 0, value.length, expiryMs);
}

function get(db: Db, i: number): boolean {
  const key = keyOf(i);
  const out = new ReplyWriter();
  db.readString(key, 0, key.length, out);
  return out.take().length > 5;
}

const has = (db: Db, i: number): boolean => db.exists(keyOf(i), 0, keyOf(i).length);

function filled(policy: EvictionPolicy, keys: number, expiry = (_i: number) => NEVER): Db {
  const db = newDb(1);
  db.tick(START_MS, 1000);
  db.evictor.policy = policy;
  for (let i = 0; i < keys; i++) set(db, i, expiry(i));
  return db;
}

/** Evicts until `count` keys are left. */
function shrink(db: Db, count: number): void {
  while (db.size > count) expect(db.evictor.makeRoom(db.memoryBytes - 1, 1)).toBe(true);
}

describe('every policy', () => {
  test.each(EVICTION_POLICIES)(
    '%s brings memory below the limit, or says that it cannot',
    (policy) => {
      const db = filled(policy, 3000, (i) => (i % 2 === 0 ? START_MS + 100_000 + i : NEVER));
      const limit = db.memoryBytes - 50_000;
      const outcome = db.evictor.makeRoom(limit, NEVER);
      expect(outcome).toBe(policy !== 'noeviction');
      expect(db.memoryBytes <= limit).toBe(policy !== 'noeviction');
      if (!policy.startsWith('volatile-')) return;
      for (let i = 1; i < 3000; i += 2) expect(has(db, i)).toBe(true);
      // Nothing with a TTL is left at some point: then it says so.
      expect(db.evictor.makeRoom(0, NEVER)).toBe(false);
      expect(db.size).toBe(1500);
      expect(db.expiringSize).toBe(0);
    },
  );

  test('no more keys go at once than were allowed', () => {
    const db = filled('allkeys-lru', 3000);
    const limit = Math.floor(db.memoryBytes / 1.02);
    expect(db.memoryBytes).toBeLessThan(limit * OVERRUN_MAX);
    expect(db.evictor.makeRoom(limit, 10)).toBe(true);
    expect(db.size).toBe(2990);
    expect(db.evictor.evicted).toBe(10);
    // Far above the limit growing commands are refused until the ticks have caught up.
    expect(db.evictor.makeRoom(limit / 2, 10)).toBe(false);
    db.tick(START_MS + 10, 100, limit);
    expect(db.memoryBytes).toBeLessThanOrEqual(limit);
    expect(db.evictor.makeRoom(limit, 10)).toBe(true);
  });
});

describe('which keys go', () => {
  test('allkeys-lru: those not used lately', () => {
    const db = filled('allkeys-lru', 4000);
    let nowMs = START_MS;
    for (let second = 0; second < 30; second++) {
      nowMs += 1000;
      db.beginTurn(nowMs);
      db.tick(nowMs, 100);
      if (second >= 20) for (let i = 0; i < 2000; i++) get(db, i);
    }
    shrink(db, 2200);
    let kept = 0;
    for (let i = 0; i < 2000; i++) if (has(db, i)) kept++;
    expect(kept).toBeGreaterThan(1980);
  });

  test('allkeys-lfu: those used seldom, however lately', () => {
    const db = filled('allkeys-lfu', 4000);
    for (let round = 0; round < 40; round++) for (let i = 0; i < 2000; i++) get(db, i);
    for (let i = 2000; i < 4000; i++) get(db, i);
    shrink(db, 2200);
    let kept = 0;
    for (let i = 0; i < 2000; i++) if (has(db, i)) kept++;
    expect(kept).toBeGreaterThan(1900);
  });

  test('volatile-ttl: those that are due first, to within a bucket of the expiry index', () => {
    const db = filled('volatile-ttl', 2000, (i) => START_MS + 1000 + ((i * 7919) % 2000) * 60_000);
    shrink(db, 1000);
    // Keys that are due in a day lie in buckets of 280 minutes.
    const late = (i: number) => (i * 7919) % 2000 >= 1000 + 280;
    for (let i = 0; i < 2000; i++) if (late(i)) expect([i, has(db, i)]).toEqual([i, true]);
  });

  test('volatile-lru finds a few keys with a TTL among many without', () => {
    const db = filled('volatile-lru', 20_000, (i) => (i % 1000 === 7 ? START_MS + 90_000 : NEVER));
    expect(db.evictor.makeRoom(0, 19)).toBe(false);
    expect([db.size, db.expiringSize]).toEqual([19_981, 1]);
  });

  test('a key that was persisted is not volatile any more', () => {
    const db = filled('volatile-random', 100, () => START_MS + 90_000);
    for (let i = 0; i < 50; i++) db.expire(`key:${i}`, NEVER);
    expect(db.evictor.makeRoom(0, NEVER)).toBe(false);
    for (let i = 0; i < 100; i++) expect(has(db, i)).toBe(i < 50);
  });
});

describe('the access byte', () => {
  const byte = (db: Db, i: number): number => db.evictor.accessByte(`key:${i}`);

  test('tells how long a key was not used, within an epoch', () => {
    const db = filled('noeviction', 10);
    let nowMs = START_MS;
    const run = (seconds: number): void => {
      for (let i = 0; i < seconds; i++) {
        nowMs += 1000;
        db.tick(nowMs, 100);
      }
    };
    run(30);
    get(db, 1);
    run(20);
    expect(db.evictor.idleMs(byte(db, 2))).toBeGreaterThanOrEqual(48_000);
    expect(db.evictor.idleMs(byte(db, 2))).toBeLessThanOrEqual(50_000);
    expect(db.evictor.idleMs(byte(db, 1))).toBeGreaterThanOrEqual(18_000);
    expect(db.evictor.idleMs(byte(db, 1))).toBeLessThanOrEqual(20_000);
    // Half an hour later it is known to be long.
    run(1800);
    expect(db.evictor.idleMs(byte(db, 1))).toBeGreaterThan(1_400_000);
    get(db, 1);
    expect(db.evictor.idleMs(byte(db, 1))).toBe(0);
  });

  test('TYPE, TTL, EXISTS and a paused clock leave it alone', () => {
    const db = filled('allkeys-lfu', 10);
    for (let i = 0; i < 100; i++) {
      db.type('key:1');
      db.expiry('key:1');
      has(db, 1);
    }
    db.evictor.tracksAccess = false;
    for (let i = 0; i < 100; i++) get(db, 1);
    db.evictor.tracksAccess = true;
    expect(byte(db, 1)).toBe(5);
    for (let i = 0; i < 100; i++) get(db, 1);
    expect(byte(db, 1)).toBeGreaterThan(6);
  });

  test('a counter loses one a minute', () => {
    const db = filled('allkeys-lfu', 100);
    for (let i = 0; i < 2000; i++) get(db, 1);
    const before = byte(db, 1);
    let nowMs = START_MS;
    for (let second = 0; second < 600; second++) {
      nowMs += 1000;
      db.tick(nowMs, 100);
    }
    expect(before - byte(db, 1)).toBeGreaterThanOrEqual(8);
    expect(before - byte(db, 1)).toBeLessThanOrEqual(10);
  });
});

describe('replication', () => {
  test('an eviction is an op: the other region deletes what it saw, and a write it had not seen stays', () => {
    const [db, other] = [newDb(1), newDb(2)];
    db.evictor.policy = 'allkeys-lru';
    for (let i = 0; i < 100; i++) set(db, i);
    other.applyBatch(bodyOf(db.takeFrame() as Uint8Array));
    set(other, 7);
    expect(db.evictor.makeRoom(0, NEVER)).toBe(false);
    expect(db.size).toBe(0);
    other.applyBatch(bodyOf(db.takeFrame() as Uint8Array));
    expect(other.size).toBe(1);
    db.applyBatch(bodyOf(other.takeFrame() as Uint8Array));
    expect([db.size, has(db, 7)]).toEqual([1, true]);
  });

  test('a replica evicts nothing, and applies ops whatever the limit', () => {
    const [primary, replica] = [newDb(1), newDb(2)];
    replica.writable = false;
    replica.evictor.policy = 'allkeys-lru';
    for (let i = 0; i < 100; i++) set(primary, i);
    replica.applyBatch(bodyOf(primary.takeFrame() as Uint8Array));
    replica.tick(START_MS + 10, 100, 1);
    expect([replica.size, replica.takeFrame()]).toEqual([100, null]);
  });

  test('regions that evict by themselves converge', () => {
    let evicted = 0;
    for (let seed = 1; seed <= 6; seed++) {
      const random = seededChance(seed);
      const members = [1, 2, 3].map((region) => new TestMember(region, seed));
      let nowMs = START_MS;
      for (let step = 0; step < 400; step++) {
        nowMs += Math.floor(random() * 100);
        const member = members[Math.floor(random() * members.length)];
        member.db.evictor.policy = EVICTION_POLICIES[(seed + members.indexOf(member)) % 7];
        member.db.beginTurn(nowMs);
        if (random() < 0.3) member.pull(members[Math.floor(random() * members.length)]);
        else for (let i = 0; i < 3; i++) runRandom(member.db, random);
        member.db.tick(nowMs, 10);
        if (random() < 0.3) member.db.evictor.makeRoom(0, 1 + Math.floor(random() * 4));
        member.endTurn();
        if (step % 50 === 0) member.expectModel();
      }
      for (const { db } of members) evicted += db.evictor.evicted;
      for (let round = 0; round < 2; round++) {
        for (const member of members) for (const from of members) member.pull(from);
      }
      for (const { db } of members) expect(digestsOf(db)).toEqual(digestsOf(members[0].db));
    }
    expect(evicted).toBeGreaterThan(100);
  });
});
