/** Clients that wait for keys: order, chains, timeouts, and all the ways in which a wait ends. */
import { commandError } from './errors.ts';
import { type Fixture, makeFixture, show, type TestClient } from './session-fixture.ts';

/** A command that pops a member of the first set that has one, and may move it to another set. */
function popOrWait(client: TestClient, keys: string[], timeoutMs = 0, moveTo = ''): void {
  const { session } = client;
  const { db, blockedKeys } = session.server;
  blockedKeys.wait(session, {
    keys,
    type: 'set',
    timeoutMs,
    tryAgain(key) {
      const [member] = db.setMembers(key);
      if (member === undefined) return false;
      if (member === 'poison') throw commandError('syntax');
      db.setRemove(key, [member]);
      if (moveTo !== '') db.setAdd(moveTo, [member]);
      session.output.bulk(`${key}:${member}`);
      return true;
    },
    timedOut: () => session.output.nullBulk(),
  });
}

function got(client: TestClient): string[] {
  return client.received().map(show);
}

describe('clients that wait for keys', () => {
  let fixture: Fixture;
  let first: TestClient;
  let second: TestClient;
  let writer: TestClient;

  beforeEach(() => {
    fixture = makeFixture();
    first = fixture.connect();
    second = fixture.connect();
    writer = fixture.connect();
  });

  test('are served in the order in which they came, and one element serves one', () => {
    popOrWait(first, ['k']);
    popOrWait(second, ['j', 'k']);
    writer.send('SADD', 'k', 'a');
    expect([got(first), got(second)]).toEqual([['"k:a"'], []]);
    expect(show(writer.send('EXISTS', 'k'))).toBe('0');
    writer.send('SADD', 'k', 'b');
    expect([got(first), got(second)]).toEqual([[], ['"k:b"']]);
    expect(fixture.server.blockedKeys.count).toBe(0);
    expect(fixture.server.blockedKeys.keyCount).toBe(0);
    expect(fixture.server.db.touched).toBeNull();
  });

  test('are served before the next command of who wrote, and after all of an EXEC', () => {
    popOrWait(first, ['k']);
    expect(show(writer.send('SADD', 'k', 'a', 'b'))).toBe('2');
    expect(show(writer.send('SCARD', 'k'))).toBe('1');
    writer.send('DEL', 'k');
    got(first);
    popOrWait(first, ['k']);
    writer.send('MULTI');
    writer.send('SADD', 'k', 'a');
    writer.send('SREM', 'k', 'a');
    expect(show(writer.send('EXEC'))).toBe('[1,1]');
    expect(got(first)).toEqual([]);
    expect(first.session.blocked).toBe(true);
  });

  test('serve the next in a chain', () => {
    popOrWait(second, ['there']);
    popOrWait(first, ['here'], 0, 'there');
    writer.send('SADD', 'here', 'a');
    expect([got(first), got(second)]).toEqual([['"here:a"'], ['"there:a"']]);
  });

  test('run what they sent meanwhile after the turn of who served them', () => {
    popOrWait(first, ['k']);
    first.send('SET', 's', '1');
    const seen = writer.sendBytes(Buffer.from('SADD k a\r\nGET s\r\n')).map(show);
    expect(seen).toEqual(['1', 'null']);
    expect(got(first)).toEqual(['"k:a"', 'OK']);
    expect(first.session.blocked).toBe(false);
    expect(first.session.lastSeq).toBeGreaterThan(0);
  });

  test('are not served by a key of another type', () => {
    popOrWait(first, ['k']);
    writer.send('SET', 'k', 'x');
    expect(got(first)).toEqual([]);
    writer.send('DEL', 'k');
    writer.send('SADD', 'k', 'a');
    expect(got(first)).toEqual(['"k:a"']);
  });

  test('get an error that their command meets when it runs', () => {
    popOrWait(first, ['k']);
    writer.send('SADD', 'k', 'poison');
    expect(got(first)).toEqual(['(error) ERR syntax error']);
    expect(fixture.server.blockedKeys.count).toBe(0);
  });

  test('give up in time, the earliest first', () => {
    popOrWait(first, ['k'], 200);
    popOrWait(second, ['k'], 100);
    const { blockedKeys, clockMs } = fixture.server;
    fixture.advance(99);
    blockedKeys.tick(clockMs());
    expect([got(first), got(second)]).toEqual([[], []]);
    fixture.advance(1);
    blockedKeys.tick(clockMs());
    expect([got(first), got(second)]).toEqual([[], ['null']]);
    fixture.advance(100);
    blockedKeys.tick(clockMs());
    expect(got(first)).toEqual(['null']);
    expect(first.session.blocked).toBe(false);
  });

  test('are unblocked by CLIENT UNBLOCK once', () => {
    popOrWait(first, ['k']);
    popOrWait(second, ['k']);
    expect(show(writer.send('CLIENT', 'UNBLOCK', first.session.id))).toBe('1');
    expect(show(writer.send('CLIENT', 'UNBLOCK', second.session.id, 'ERROR'))).toBe('1');
    expect(show(writer.send('CLIENT', 'UNBLOCK', first.session.id))).toBe('0');
    expect(got(first)).toEqual(['null']);
    expect(got(second)).toEqual(['(error) UNBLOCKED client unblocked via CLIENT UNBLOCK']);
    // Who is served cannot be unblocked any more, also not by the same pipeline.
    popOrWait(first, ['k']);
    const replies = writer.sendBytes(
      Buffer.from(`SADD k a\r\nCLIENT UNBLOCK ${first.session.id} ERROR\r\n`),
    );
    expect(replies.map(show)).toEqual(['1', '0']);
    expect(got(first)).toEqual(['"k:a"']);
  });

  test('that are killed or gone take nothing', () => {
    popOrWait(first, ['k']);
    popOrWait(second, ['k']);
    fixture.server.clients.kill(first.session);
    writer.send('SADD', 'k', 'a');
    expect(got(second)).toEqual(['"k:a"']);
    first.session.closed();
    expect(fixture.server.blockedKeys.count).toBe(0);
  });

  test('wait on while writes are paused', () => {
    popOrWait(first, ['k']);
    writer.send('CLIENT', 'PAUSE', 100, 'WRITE');
    fixture.server.db.setAdd('k', ['a']);
    fixture.server.blockedKeys.turn();
    expect(got(first)).toEqual([]);
    writer.send('CLIENT', 'UNPAUSE');
    fixture.server.blockedKeys.turn();
    expect(got(first)).toEqual(['"k:a"']);
  });

  test('are told when the member is no primary any more', () => {
    popOrWait(first, ['k']);
    fixture.server.blockedKeys.roleLost();
    expect(got(first)[0]).toMatch(/^\(error\) UNBLOCKED force unblock/);
    expect(first.session.closing).toBe(true);
  });

  test('get no reply when they wanted none', () => {
    first.send('CLIENT', 'REPLY', 'OFF');
    popOrWait(first, ['k']);
    writer.send('SADD', 'k', 'a');
    expect(got(first)).toEqual([]);
    expect(show(writer.send('EXISTS', 'k'))).toBe('0');
  });

  test('that want every change are asked when the key goes', () => {
    const { session } = first;
    writer.send('SADD', 'k', 'a');
    fixture.server.blockedKeys.wait(session, {
      keys: ['k'],
      type: 'any',
      timeoutMs: 0,
      tryAgain(key) {
        if (session.server.db.type(key) !== 'none') return false;
        session.output.error('UNBLOCKED the key is gone');
        return true;
      },
      timedOut: () => {},
    });
    writer.send('SADD', 'k', 'b');
    expect(got(first)).toEqual([]);
    writer.send('FLUSHALL');
    expect(got(first)).toEqual(['(error) UNBLOCKED the key is gone']);
  });
});

test('watchers and waiters hear of the same change', () => {
  const { connect, server } = makeFixture();
  const [waiting, watching, writer] = [connect(), connect(), connect()];
  popOrWait(waiting, ['k']);
  watching.send('WATCH', 'k');
  writer.send('SADD', 'k', 'a', 'b');
  watching.send('MULTI');
  expect(show(watching.send('EXEC'))).toBe('null array');
  expect(got(waiting)).toEqual(['"k:a"']);
  expect(server.db.touched).toBeNull();
});
