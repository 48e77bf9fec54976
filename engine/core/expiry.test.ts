/** How much is done at once when very many keys are due, and what clients see meanwhile. */
import { ReplyWriter } from '../resp/reply-writer.ts';
import type { Db } from './db.ts';
import { bodyOf, digestsOf, newDb, START_MS } from './db-fixture.ts';

const KEYS = 50_000;
const BUDGET = 500;
const NEVER = Number.POSITIVE_INFINITY;
const VALUE = Buffer.from('v');

function set(db: Db, name: string, expiryMs: number): void {
  const key = Buffer.from(name);
  db.setString(key, 0, key.length, VALUE, 0, VALUE.length, expiryMs);
}

function get(db: Db, name: string): string {
  const key = Buffer.from(name);
  const out = new ReplyWriter();
  db.readString(key, 0, key.length, out);
  return Buffer.from(out.take()).toString();
}

/** A database whose keys k0, k1, … are due in one second, an hour from now; `steady` is not. */
function crowded(): Db {
  const db = newDb(1);
  db.tick(START_MS, BUDGET);
  for (let i = 0; i < KEYS; i++) {
    set(db, `k${i}`, START_MS + 3_600_000 + (i % 1000));
    if (i % 1000 === 0) db.takeFrame();
  }
  set(db, 'steady', NEVER);
  db.takeFrame();
  return db;
}

test('keys that are due all at once are hidden at once and deleted a bounded number in a tick', () => {
  const db = crowded();
  const dueMs = START_MS + 3_601_000;
  db.beginTurn(dueMs);
  for (let i = 0; i < KEYS; i += 97) expect(get(db, `k${i}`)).toBe('$-1\r\n');
  const seen: string[] = [];
  let cursor = 0;
  do {
    cursor = db.scan(cursor, 1000, (key) => seen.push(key));
  } while (cursor !== 0);
  expect(seen).toEqual(['steady']);
  expect([db.type('k1'), db.expiry('k1'), db.takeFrame()]).toEqual(['none', undefined, null]);

  let ticks = 0;
  let mostDeleted = 0;
  while (db.expiringSize > 0) {
    const seqBefore = db.lastSeq;
    const deleted = db.tick(dueMs + ticks * 10, BUDGET);
    // Each deletion is one op, and nothing else is written.
    expect(db.lastSeq - seqBefore).toBe(deleted);
    mostDeleted = Math.max(mostDeleted, deleted);
    db.takeFrame();
    ticks++;
  }
  expect(mostDeleted).toBeLessThanOrEqual(BUDGET);
  expect([db.size, db.evictor.expired]).toEqual([1, KEYS]);
  // An entry that was far away is moved to finer buckets three times before it is due.
  expect(ticks).toBeLessThan((4.1 * KEYS) / BUDGET);
});

test('a key that is written while it waits to be deleted lives on, and without its old TTL', () => {
  const db = crowded();
  const dueMs = START_MS + 3_601_000;
  db.tick(dueMs, BUDGET);
  set(db, 'k3', NEVER);
  set(db, 'k4', dueMs + 5000);
  for (let tick = 0; db.expiringSize > 1; tick++) db.tick(dueMs + tick * 10, BUDGET);
  expect([get(db, 'k3'), get(db, 'k4'), db.size]).toEqual(['$1\r\nv\r\n', '$1\r\nv\r\n', 3]);
});

test('many changes of a TTL leave one place in the index', () => {
  const db = newDb(1);
  set(db, 'k', NEVER);
  const before = db.memoryBytes;
  for (let i = 0; i < 1000; i++) db.expire('k', START_MS + 1000 + i * 997_000);
  expect(db.expiringSize).toBe(1);
  db.expire('k', NEVER);
  expect(db.expiringSize).toBe(0);
  for (let i = 0; i < 100; i++) set(db, 'k', i % 2 === 0 ? START_MS + 1000 + i : NEVER);
  set(db, 'k', NEVER);
  expect([db.expiringSize, db.memoryBytes]).toEqual([0, before]);
});

test('another region hides them at once and deletes them when it hears of it', () => {
  const [db, other] = [newDb(1), newDb(2)];
  for (let i = 0; i < 2000; i++) set(db, `k${i}`, START_MS + 1000);
  other.applyBatch(bodyOf(db.takeFrame() as Uint8Array));
  const dueMs = START_MS + 1000;
  other.beginTurn(dueMs);
  expect([get(other, 'k7'), other.size]).toEqual(['$-1\r\n', 2000]);
  expect(other.tick(dueMs, BUDGET)).toBe(0);
  while (db.size > 0) {
    db.tick(dueMs, BUDGET);
    const frame = db.takeFrame();
    if (frame !== null) other.applyBatch(bodyOf(frame));
  }
  expect([db.size, other.size]).toEqual([0, 0]);
  expect(digestsOf(other)).toEqual([]);
});
