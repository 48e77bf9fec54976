import { ReplyWriter } from '../resp/reply-writer.ts';
import type { Db } from './db.ts';
import { bodyOf, digestsOf, newDb, START_MS, slotOfText } from './db-fixture.ts';

const NEVER = Number.POSITIVE_INFINITY;

const bytes = (text: string): Buffer => Buffer.from(text, 'latin1');

function set(db: Db, key: string, value: string, expiryMs = NEVER): void {
  const [k, v] = [bytes(key), bytes(value)];
  db.setString(k, 0, k.length, v, 0, v.length, expiryMs);
}

function get(db: Db, key: string): string {
  const out = new ReplyWriter();
  const k = bytes(key);
  if (!db.readString(k, 0, k.length, out)) return 'wrong type';
  return Buffer.from(out.take()).toString('latin1');
}

function increment(db: Db, key: string, delta: number): number {
  const k = bytes(key);
  return db.increment(k, 0, k.length, delta);
}

/** Ships the turn of one database to another. */
function ship(from: Db, to: Db): void {
  const frame = from.takeFrame();
  if (frame !== null) expect(to.applyBatch(bodyOf(frame))).toBe('applied');
}

describe('strings and counters', () => {
  test('SET, GET, overwrite with other lengths, DEL', () => {
    const db = newDb(1);
    for (const value of ['', 'v', 'x'.repeat(200), 'short', 'y'.repeat(100_000), 'end']) {
      set(db, 'key', value);
      expect(get(db, 'key')).toBe(`$${value.length}\r\n${value}\r\n`);
      expect(db.getString('key')).toBe(value);
      expect(db.size).toBe(1);
    }
    expect(db.delete('key')).toBe(true);
    expect(db.delete('key')).toBe(false);
    expect(get(db, 'key')).toBe('$-1\r\n');
    expect(db.size).toBe(0);
  });

  test('INCR on nothing, on a number and on what SET and INCR left', () => {
    const db = newDb(1);
    expect(increment(db, 'n', 5)).toBe(5);
    expect(increment(db, 'n', -7)).toBe(-2);
    expect(get(db, 'n')).toBe('$2\r\n-2\r\n');
    set(db, 'n', '40');
    expect(increment(db, 'n', 1)).toBe(41);
    expect(increment(db, 'n', 1)).toBe(42);
    expect(db.getString('n')).toBe('42');
  });

  test('integers beyond 2^53 are exact', () => {
    const db = newDb(1);
    set(db, 'n', '9223372036854775800');
    expect(increment(db, 'n', 7)).toBeNaN();
    expect(db.wideResult).toBe('9223372036854775807');
    expect(() => increment(db, 'n', 1)).toThrow('ERR increment or decrement would overflow');
    expect(db.getString('n')).toBe('9223372036854775807');
  });

  test("errors are in Redis' words and change nothing", () => {
    const db = newDb(1);
    set(db, 's', 'text');
    db.hashSet('h', [['f', 'text']]);
    db.takeFrame();
    expect(() => increment(db, 's', 1)).toThrow('ERR value is not an integer or out of range');
    expect(() => db.addAmount('s', 1, true)).toThrow('ERR value is not a valid float');
    expect(() => increment(db, 'h', 1)).toThrow('WRONGTYPE');
    expect(() => db.setAdd('h', ['m'])).toThrow('WRONGTYPE');
    expect(() => db.hashGet('s', 'f')).toThrow('WRONGTYPE');
    expect(() => db.hashAdd('h', 'f', 1, false)).toThrow('ERR hash value is not an integer');
    expect(() => db.rename('none', 's')).toThrow('ERR no such key');
    expect(get(db, 'h')).toBe('wrong type');
    expect(db.takeFrame()).toBeNull();
  });

  test('a reader that may not write is told so', () => {
    const db = newDb(1);
    db.writable = false;
    expect(() => set(db, 'k', 'v')).toThrow('READONLY');
    expect(() => db.flush()).toThrow('READONLY');
  });
});

describe('memory', () => {
  test('beyond maxmemory growing writes are refused, deletes and remote ops pass', () => {
    const [db, other] = [newDb(1), newDb(2)];
    for (let i = 0; i < 2000; i++) set(db, `k${i}`, 'x'.repeat(100));
    db.maxMemoryBytes = db.memoryBytes - 1;
    db.takeFrame();
    expect(() => set(db, 'more', 'v')).toThrow('OOM command not allowed');
    expect(() => increment(db, 'more', 1)).toThrow('OOM');
    expect(() => db.setAdd('more', ['m'])).toThrow('OOM');
    expect(db.takeFrame()).toBeNull();
    set(other, 'remote', 'v');
    ship(other, db);
    expect(db.getString('remote')).toBe('v');
    for (let i = 0; i < 100; i++) expect(db.delete(`k${i}`)).toBe(true);
    set(db, 'more', 'v');
  });

  test('the memory of a large set follows its content', () => {
    const db = newDb(1);
    const empty = db.memoryBytes;
    const members = Array.from({ length: 1000 }, (_, i) => `member-${i}`);
    for (const member of members) db.setAdd('set', [member]);
    const atOnce = newDb(1);
    atOnce.setAdd('set', members);
    expect(db.keyMemory('set')).toBe(atOnce.keyMemory('set'));
    expect(db.keyMemory('set')).toBeGreaterThan(1000 * (10 + 20));
    for (const member of members.slice(1)) db.setRemove('set', [member]);
    expect(db.keyMemory('set')).toBeLessThan(1000);
    db.delete('set');
    expect(db.memoryBytes).toBe(empty);
  });
});

describe('expiry', () => {
  test('a key whose time has come is hidden at once and deleted by the tick', () => {
    const db = newDb(1);
    set(db, 'k', 'v', START_MS + 100);
    db.hashSet('h', [['f', 'v']]);
    expect(db.expire('h', START_MS + 100)).toBe(true);
    expect(db.expiry('k')).toBe(START_MS + 100);
    db.beginTurn(START_MS + 100);
    expect(get(db, 'k')).toBe('$-1\r\n');
    expect(db.type('h')).toBe('none');
    expect(db.expiry('k')).toBeUndefined();
    expect(db.size).toBe(2);
    expect(db.tick(START_MS + 101, 1000)).toBe(2);
    expect(db.size).toBe(0);
  });

  test('a write to an expired key finds nothing there', () => {
    const db = newDb(1);
    set(db, 'n', '5', START_MS + 10);
    db.setAdd('s', ['old']);
    db.expire('s', START_MS + 10);
    db.beginTurn(START_MS + 10);
    expect(increment(db, 'n', 1)).toBe(1);
    expect(db.setAdd('s', ['new'])).toBe(1);
    expect(db.setMembers('s')).toEqual(['new']);
    expect(db.expiry('n')).toBe(NEVER);
  });

  test('another region leaves the deletion to the region that set the TTL, for a while', () => {
    const [eu, us] = [newDb(1), newDb(2)];
    set(eu, 'k', 'v', START_MS + 100);
    ship(eu, us);
    us.beginTurn(START_MS + 200);
    expect(us.getString('k')).toBeNull();
    expect(us.tick(START_MS + 200, 1000)).toBe(0);
    expect(us.tick(START_MS + 10_101, 1000)).toBe(1);
    expect(us.size).toBe(0);
  });

  test('a member that may not write expires nothing, and all that is due once it may', () => {
    const db = newDb(1);
    set(db, 'k', 'v', START_MS + 1);
    db.writable = false;
    expect(db.tick(START_MS + 1000, 1000)).toBe(0);
    db.writable = true;
    expect(db.tick(START_MS + 1001, 1000)).toBe(1);
  });

  test('KEEPTTL, PERSIST, and a plain SET that clears the TTL', () => {
    const db = newDb(1);
    set(db, 'k', 'v', START_MS + 1000);
    set(db, 'k', 'w', Number.NaN);
    expect(db.expiry('k')).toBe(START_MS + 1000);
    expect(db.expire('k', NEVER)).toBe(true);
    expect(db.expire('k', NEVER)).toBe(false);
    expect(db.expiry('k')).toBe(NEVER);
    db.expire('k', START_MS + 1000);
    set(db, 'k', 'x');
    expect(db.expiry('k')).toBe(NEVER);
    expect(db.tick(START_MS + 5000, 1000)).toBe(0);
  });
});

describe('keys', () => {
  test('rename moves value and TTL, whatever was at the target', () => {
    const db = newDb(1);
    increment(db, 'n', 3);
    increment(db, 'n', 4);
    db.expire('n', START_MS + 500);
    db.setAdd('target', ['m']);
    db.rename('n', 'target');
    expect(db.getString('target')).toBe('7');
    expect(db.expiry('target')).toBe(START_MS + 500);
    db.hashSet('h', [
      ['f', '1'],
      ['g', '2'],
    ]);
    db.rename('h', 'target');
    expect(db.hashEntries('target')).toEqual([
      ['f', '1'],
      ['g', '2'],
    ]);
    expect(db.expiry('target')).toBe(NEVER);
    expect(db.size).toBe(1);
  });

  test('SCAN gives every live key once and no expired one', () => {
    const db = newDb(1);
    for (let i = 0; i < 500; i++) set(db, `k${i}`, 'v', i % 5 === 0 ? START_MS + 1 : NEVER);
    db.beginTurn(START_MS + 1);
    const seen: string[] = [];
    let cursor = 0;
    do cursor = db.scan(cursor, 7, (key) => seen.push(key));
    while (cursor !== 0);
    expect(seen.length).toBe(400);
    expect(new Set(seen).size).toBe(400);
    expect(seen).toContain(db.randomKey());
  });

  test('whoever watches is told of each changed key, local and remote', () => {
    const [db, other] = [newDb(1), newDb(2)];
    const keys: string[] = [];
    // A watcher looks keys up in the middle of the write.
    db.touched = (key) => {
      keys.push(key);
      db.type('another');
    };
    set(db, 'a', '1');
    increment(db, 'b', 1);
    increment(db, 'b', 1);
    db.setAdd('c', ['m']);
    db.delete('a');
    set(other, 'd', 'v');
    increment(other, 'e', 1);
    ship(other, db);
    expect(keys).toEqual(['a', 'b', 'b', 'c', 'a', 'd', 'e']);
  });

  test('slots know their keys', () => {
    const db = newDb(1);
    for (let i = 0; i < 10; i++) set(db, `{tag}${i}`, 'v');
    const slot = slotOfText('{tag}');
    expect(db.slotSize(slot)).toBe(10);
    expect(db.slotKeys(slot, 3).length).toBe(3);
  });
});

describe('batches of others', () => {
  test('a missing batch is a gap, and nothing of the later one is applied', () => {
    const [db, other] = [newDb(1), newDb(2)];
    set(other, 'a', '1');
    const first = other.takeFrame() as Uint8Array;
    set(other, 'b', '2');
    const second = other.takeFrame() as Uint8Array;
    expect(db.applyBatch(bodyOf(second))).toBe('gap');
    expect(db.size).toBe(0);
    expect(db.applyBatch(bodyOf(first))).toBe('applied');
    expect(db.applyBatch(bodyOf(second))).toBe('applied');
    expect(db.applyBatch(bodyOf(second))).toBe('known');
  });

  test('a batch of many ops, on keys that are there, that are new and that it removes again', () => {
    const [from, to] = [newDb(1), newDb(2)];
    for (let i = 0; i < 40; i++) set(from, `old${i}`, 'x');
    ship(from, to);
    for (let i = 0; i < 150; i++) {
      set(from, `new${i % 70}`, `${i}`);
      set(from, `old${(i * 7) % 40}`, 'y'.repeat(i));
      if (i % 9 === 0) from.delete(`new${(i * 3) % 70}`);
      if (i === 75) from.flush();
      increment(from, 'count', i);
      from.hashSet(`hash${i % 5}`, [[`f${i}`, 'v']]);
    }
    ship(from, to);
    expect(digestsOf(to)).toEqual(digestsOf(from));
    expect(to.size).toBe(from.size);
  });

  test('a write is later than what its member had seen, however slow that member’s clock is', () => {
    const [eu, us, ap] = [newDb(1), newDb(2), newDb(3)];
    eu.beginTurn(START_MS + 60_000);
    us.beginTurn(START_MS);
    ap.beginTurn(START_MS + 30_000);
    set(eu, 'k', 'first');
    const first = bodyOf(eu.takeFrame() as Uint8Array);
    for (const db of [us, ap]) expect(db.applyBatch(first)).toBe('applied');
    // Concurrent, both later than `first`: equal, so the lower region wins, whose clock is behind.
    set(us, 'k', 'us');
    set(ap, 'k', 'ap');
    ship(us, eu);
    ship(ap, eu);
    expect(eu.getString('k')).toBe('us');
  });

  test('damaged bytes are refused whole', () => {
    const [db, other] = [newDb(1), newDb(2)];
    set(other, 'a', '1');
    set(other, 'b', '2');
    const body = bodyOf(other.takeFrame() as Uint8Array);
    for (let length = 0; length < body.length; length++) {
      expect(db.applyBatch(body.subarray(0, length))).toHaveProperty('invalid');
    }
    expect(db.size).toBe(0);
  });

  test('FLUSHALL removes what its source had seen and spares the rest', () => {
    const [eu, us] = [newDb(1), newDb(2)];
    for (let i = 0; i < 20; i++) set(eu, `k${i}`, 'v');
    increment(eu, 'n', 5);
    ship(eu, us);
    set(us, 'k3', 'later');
    increment(us, 'n', 2);
    eu.flush();
    expect(eu.size).toBe(0);
    ship(eu, us);
    expect(us.size).toBe(2);
    expect(us.getString('k3')).toBe('later');
    expect(us.getString('n')).toBe('2');
    ship(us, eu);
    expect(eu.getString('n')).toBe('2');
    expect(eu.getString('k3')).toBe('later');
  });
});
