/** What commands do to data over time, beside the cases that are compared with Redis. */
import { type Fixture, makeFixture, show, type TestClient } from './session-fixture.ts';

function say(client: TestClient, ...words: (string | number)[]): string {
  return show(client.send(...words));
}

describe('time', () => {
  test('a key is gone when its time has come, for every kind of look', () => {
    const { connect, advance } = makeFixture();
    const client = connect();
    say(client, 'SET', 'k', 'v', 'PX', 1000);
    say(client, 'SADD', 's', 'a');
    say(client, 'PEXPIRE', 's', 1000);
    advance(400);
    expect(say(client, 'PTTL', 'k')).toBe('600');
    expect(say(client, 'TTL', 'k')).toBe('1');
    advance(600);
    expect(say(client, 'GET', 'k')).toBe('null');
    expect(say(client, 'EXISTS', 'k', 's')).toBe('0');
    expect(say(client, 'TYPE', 's')).toBe('none');
    expect(say(client, 'KEYS', '*')).toBe('[]');
    expect(say(client, 'RANDOMKEY')).toBe('null');
    expect(say(client, 'TTL', 'k')).toBe('-2');
    expect(say(client, 'PERSIST', 'k')).toBe('0');
    expect(say(client, 'SADD', 's', 'b')).toBe('1');
    expect(say(client, 'TTL', 's')).toBe('-1');
    expect(say(client, 'SMEMBERS', 's')).toBe('["b"]');
  });

  test('a value set into the past removes the key', () => {
    const client = makeFixture().connect();
    say(client, 'SET', 'k', 'v');
    expect(say(client, 'SET', 'k', 'w', 'PXAT', 1)).toBe('OK');
    expect(say(client, 'DBSIZE')).toBe('0');
  });

  test('times beyond 2^53 ms are refused, as Redis refuses them beyond 2^63', () => {
    const client = makeFixture().connect();
    expect(say(client, 'SET', 'k', 'v', 'PX', '9007199254740993')).toMatch(/invalid expire time/);
    expect(say(client, 'SET', 'k', 'v')).toBe('OK');
    expect(say(client, 'PEXPIREAT', 'k', '9007199254740993')).toMatch(/invalid expire time/);
  });
});

describe('WATCH', () => {
  function watching(fixture: Fixture): TestClient {
    const client = fixture.connect();
    say(client, 'SET', 'k', '1');
    say(client, 'WATCH', 'k');
    return client;
  }
  function exec(client: TestClient): string {
    say(client, 'MULTI');
    say(client, 'PING');
    return say(client, 'EXEC');
  }

  test('a write by another client breaks it', () => {
    const fixture = makeFixture();
    const client = watching(fixture);
    say(fixture.connect(), 'INCR', 'k');
    expect(exec(client)).toBe('null array');
  });

  test('the expiry of a watched key breaks it, though nobody has deleted it', () => {
    const fixture = makeFixture();
    const client = fixture.connect();
    say(client, 'SET', 'k', '1', 'PX', 100);
    say(client, 'WATCH', 'k');
    fixture.advance(200);
    expect(exec(client)).toBe('null array');
  });

  test('a write to another key does not', () => {
    const fixture = makeFixture();
    const client = watching(fixture);
    say(fixture.connect(), 'INCR', 'other');
    expect(exec(client)).toBe('[PONG]');
  });

  test('an op of another region breaks it', () => {
    const eu = makeFixture();
    const us = makeFixture({}, undefined, 2);
    const client = watching(eu);
    us.server.db.beginTurn(us.server.clockMs());
    us.server.db.setStringText('k', 'from us', Number.POSITIVE_INFINITY);
    const frame = us.server.db.takeFrame()!;
    // A frame is length, checksum and kind (9 bytes), then the body.
    expect(eu.server.db.applyBatch(frame.subarray(9))).toBe('applied');
    expect(exec(client)).toBe('null array');
  });

  test('FLUSHALL breaks it for keys that were there', () => {
    const fixture = makeFixture();
    const client = watching(fixture);
    const absent = fixture.connect();
    say(absent, 'WATCH', 'none');
    say(fixture.connect(), 'FLUSHALL');
    expect(exec(client)).toBe('null array');
    expect(exec(absent)).toBe('[PONG]');
  });
});

describe('a transaction', () => {
  test('is one frame', () => {
    const { server, connect } = makeFixture();
    const client = connect();
    say(client, 'MULTI');
    say(client, 'SET', 'a', '1');
    say(client, 'SADD', 'b', '2');
    const seq = server.db.lastSeq;
    client.session.receive(Buffer.from('EXEC\r\n'));
    expect(server.db.lastSeq).toBe(seq + 2);
    expect(server.db.takeFrame()).not.toBeNull();
    expect(server.db.takeFrame()).toBeNull();
  });

  test('keeps its arguments though the input buffer is reused', () => {
    const client = makeFixture().connect();
    const bytes = Buffer.from('MULTI\r\nSET key value\r\n');
    client.session.receive(bytes);
    bytes.fill(0x78);
    client.session.receive(Buffer.from('EXEC\r\nGET key\r\n'));
    expect(client.received().map(show)).toEqual(['OK', 'QUEUED', '[OK]', '"value"']);
  });
});

describe('scans', () => {
  function scanAll(client: TestClient, ...words: string[]): string[] {
    const [command, ...rest] = words;
    const found: string[] = [];
    const key = command === 'SCAN' ? [] : [rest.shift()!];
    let cursor = '0';
    for (let pages = 0; pages < 10_000; pages++) {
      const reply = client.send(command, ...key, cursor, ...rest);
      if (reply?.kind !== 'array') throw new Error(show(reply));
      const [next, page] = reply.items;
      if (next.kind !== 'bulk' || page.kind !== 'array') throw new Error(show(reply));
      found.push(...page.items.map((item) => (item.kind === 'bulk' ? item.text : '')));
      cursor = next.text;
      if (cursor === '0') return found;
    }
    throw new Error('the scan does not end');
  }

  test('SCAN finds every key once, and MATCH and TYPE choose', () => {
    const client = makeFixture().connect();
    const names = Array.from({ length: 1000 }, (_, i) => `key:${i}`);
    for (const name of names) say(client, 'SET', name, 'v');
    say(client, 'SADD', 'a-set', 'x');
    expect(scanAll(client, 'SCAN', 'COUNT', '7').sort()).toEqual(['a-set', ...names].sort());
    expect(scanAll(client, 'SCAN', 'TYPE', 'set')).toEqual(['a-set']);
    expect(scanAll(client, 'SCAN', 'MATCH', 'key:99?').length).toBe(10);
  });

  test.each([10, 512, 513, 3000])('SSCAN and HSCAN of %i elements give each once', (size) => {
    const client = makeFixture().connect();
    const names = Array.from({ length: size }, (_, i) => `m${i}`);
    say(client, 'SADD', 's', ...names);
    say(client, 'HSET', 'h', ...names.flatMap((name) => [name, `v${name}`]));
    expect(scanAll(client, 'SSCAN', 's').sort()).toEqual([...names].sort());
    const pairs = scanAll(client, 'HSCAN', 'h', 'COUNT', '100');
    expect(pairs.filter((_, i) => i % 2 === 0).sort()).toEqual([...names].sort());
    expect(pairs[1]).toBe(`v${pairs[0]}`);
  });

  test('an element that stays is found although others come and go', () => {
    const client = makeFixture().connect();
    const stay = Array.from({ length: 1000 }, (_, i) => `stay${i}`);
    say(client, 'SADD', 's', ...stay);
    const found = new Set<string>();
    let cursor = '0';
    let n = 0;
    do {
      say(client, 'SADD', 's', `new${n}`);
      say(client, 'SREM', 's', `new${n++ - 3}`);
      const reply = client.send('SSCAN', 's', cursor);
      if (reply?.kind !== 'array') throw new Error(show(reply));
      const [next, page] = reply.items;
      if (page.kind === 'array') for (const item of page.items) found.add(show(item));
      cursor = next.kind === 'bulk' ? next.text : '0';
    } while (cursor !== '0');
    expect(stay.filter((name) => !found.has(JSON.stringify(name)))).toEqual([]);
  });
});

describe('random picks', () => {
  test('SPOP empties a set without repeating', () => {
    const client = makeFixture().connect();
    say(client, 'SADD', 's', ...Array.from({ length: 50 }, (_, i) => `m${i}`));
    const popped = new Set(Array.from({ length: 50 }, () => say(client, 'SPOP', 's')));
    expect(popped.size).toBe(50);
    expect(say(client, 'EXISTS', 's')).toBe('0');
  });

  test('a negative count draws with repetition and is bounded', () => {
    const client = makeFixture().connect();
    say(client, 'SADD', 's', 'a', 'b');
    expect(say(client, 'SRANDMEMBER', 's', -5).split(',').length).toBe(5);
    expect(say(client, 'SRANDMEMBER', 's', -10_000_001)).toBe('(error) ERR value is out of range');
    expect(say(client, 'HRANDFIELD', 'none', -10_000_001)).toMatch(/out of range/);
  });
});
