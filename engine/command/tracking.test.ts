/** What clients that track are told, and when. */
import { makeFixture, show, type TestClient } from './session-fixture.ts';

const say = (client: TestClient, ...words: (string | number)[]): string =>
  show(client.send(...words));

/** A client in RESP3 that tracks, another one that writes, and what the first is told. */
function makeTracking(...options: string[]) {
  const fixture = makeFixture();
  const [reader, writer] = [fixture.connect(), fixture.connect()];
  say(reader, 'HELLO', 3);
  expect(say(reader, 'CLIENT', 'TRACKING', 'ON', ...options)).toBe('OK');
  const told = () => {
    fixture.server.tracking!.turn();
    return reader.received().map(show);
  };
  return { ...fixture, reader, writer, told };
}

const invalid = (...keys: string[]) =>
  `push["invalidate",[${keys.map((key) => `"${key}"`).join(',')}]]`;

describe('keys that a client has read', () => {
  test('are told once, when they change', () => {
    const { reader, writer, told } = makeTracking();
    say(reader, 'GET', 'k');
    say(writer, 'SET', 'other', 1);
    expect(told()).toEqual([]);
    say(writer, 'SET', 'k', 1);
    say(writer, 'SET', 'k', 2);
    expect(told()).toEqual([invalid('k')]);
    say(reader, 'MGET', 'k', 'l');
    say(writer, 'DEL', 'k', 'l');
    expect(told()).toEqual([invalid('k')]);
  });

  test('are told to the client that changes them, after its reply, unless it wants NOLOOP', () => {
    const { reader, told } = makeTracking();
    say(reader, 'GET', 'k');
    expect(reader.sendForAll('SET', 'k', 1).map(show)).toEqual(['OK', invalid('k')]);
    say(reader, 'CLIENT', 'TRACKING', 'ON', 'NOLOOP');
    say(reader, 'GET', 'k');
    expect(reader.sendForAll('SET', 'k', 1).map(show)).toEqual(['OK']);
    expect(told()).toEqual([]);
  });

  test('are told after the replies of a transaction', () => {
    const { reader } = makeTracking();
    say(reader, 'GET', 'k');
    say(reader, 'MULTI');
    say(reader, 'SET', 'k', 1);
    say(reader, 'GET', 'l');
    expect(reader.sendForAll('EXEC').map(show)).toEqual(['[OK,null]', invalid('k')]);
  });

  test('of every type count, by every command that only reads', () => {
    const { reader, writer, told } = makeTracking();
    say(reader, 'HGETALL', 'h');
    say(reader, 'SISMEMBER', 's', 'm');
    say(reader, 'EXISTS', 'e');
    say(writer, 'HSET', 'h', 'f', 1);
    say(writer, 'SADD', 's', 'm');
    say(writer, 'INCR', 'e');
    expect(told()).toEqual([invalid('h'), invalid('s'), invalid('e')]);
  });

  test('are told when they expire, when all is flushed and when they are evicted', () => {
    const { reader, writer, server, advance, told } = makeTracking();
    say(writer, 'SET', 'k', 1, 'PX', 100);
    say(reader, 'GET', 'k');
    advance(200);
    server.db.tick(server.clockMs(), 1000);
    expect(told()).toEqual([invalid('k')]);
    say(reader, 'GET', 'k');
    say(writer, 'FLUSHALL');
    expect(told()).toEqual(['push["invalidate",null]']);
    say(writer, 'SET', 'k', 1);
    say(reader, 'GET', 'k');
    say(writer, 'CONFIG', 'SET', 'maxmemory-policy', 'allkeys-lru', 'maxmemory', 1);
    say(writer, 'SET', 'new', 1);
    expect(told()).toEqual([invalid('k')]);
  });

  test('within a script are the keys of its caller', () => {
    const { reader, writer, told } = makeTracking();
    say(
      reader,
      'EVAL',
      'redis.call("GET", KEYS[1]) return redis.call("GET", KEYS[2])',
      2,
      'a',
      'b',
    );
    say(writer, 'MSET', 'a', 1, 'b', 1, 'c', 1);
    expect(told()).toEqual([invalid('a'), invalid('b')]);
  });

  test('with OPTIN only those after CACHING YES, with OPTOUT all but those after CACHING NO', () => {
    const { reader, writer, told } = makeTracking('OPTIN');
    say(reader, 'GET', 'a');
    say(reader, 'CLIENT', 'CACHING', 'YES');
    say(reader, 'GET', 'b');
    say(reader, 'GET', 'c');
    say(writer, 'MSET', 'a', 1, 'b', 1, 'c', 1);
    expect(told()).toEqual([invalid('b')]);
    say(reader, 'CLIENT', 'TRACKING', 'OFF');
    say(reader, 'CLIENT', 'TRACKING', 'ON', 'OPTOUT');
    say(reader, 'CLIENT', 'CACHING', 'NO');
    say(reader, 'GET', 'a');
    say(reader, 'GET', 'b');
    say(writer, 'MSET', 'a', 1, 'b', 1);
    expect(told()).toEqual([invalid('b')]);
  });

  test('are given up, and told, beyond tracking-table-max-keys', () => {
    const { reader, writer, server, told } = makeTracking();
    say(writer, 'CONFIG', 'SET', 'tracking-table-max-keys', 2);
    for (const key of ['a', 'b', 'c', 'd']) say(reader, 'GET', key);
    server.tracking!.tick();
    expect(told()).toEqual([invalid('a'), invalid('b')]);
    expect(say(writer, 'INFO', 'stats')).toContain('tracking_total_keys:2');
  });
});

describe('BCAST', () => {
  test('tells every change below the prefixes, together at the end of the turn', () => {
    const { writer, told } = makeTracking('BCAST', 'PREFIX', 'x:', 'PREFIX', 'y:');
    say(writer, 'SET', 'x:1', 1);
    say(writer, 'SET', 'x:2', 1);
    say(writer, 'SET', 'z', 1);
    say(writer, 'SET', 'y:1', 1);
    expect(told()).toEqual([invalid('x:1', 'x:2'), invalid('y:1')]);
    say(writer, 'SET', 'x:1', 1);
    expect(told()).toEqual([invalid('x:1')]);
  });

  test('without a prefix tells all keys; NOLOOP leaves out what the client changed itself', () => {
    const { reader, writer, told } = makeTracking('BCAST', 'NOLOOP');
    say(writer, 'SET', 'a', 1);
    say(reader, 'SET', 'b', 1);
    expect(told()).toEqual([invalid('a')]);
  });
});

describe('REDIRECT', () => {
  test('tells a listener in RESP2 by a message, and says when that one is gone', () => {
    const { connect, server } = makeFixture();
    const [reader, listener, writer] = [connect(), connect(), connect()];
    say(listener, 'SUBSCRIBE', '__redis__:invalidate');
    say(reader, 'CLIENT', 'TRACKING', 'ON', 'REDIRECT', listener.session.id);
    say(reader, 'GET', 'k');
    say(writer, 'SET', 'k', 1);
    expect(listener.received().map(show)).toEqual(['["message","__redis__:invalidate",["k"]]']);
    say(writer, 'FLUSHALL');
    server.tracking!.turn();
    expect(listener.received().map(show)).toEqual(['["message","__redis__:invalidate",null]']);
    expect(say(reader, 'CLIENT', 'GETREDIR')).toBe('2');
    say(reader, 'HELLO', 3);
    say(reader, 'GET', 'k');
    listener.session.closed();
    say(writer, 'SET', 'k', 1);
    expect(reader.received().map(show)).toEqual(['push["tracking-redir-broken",2]']);
    expect(say(reader, 'CLIENT', 'TRACKINGINFO')).toContain('broken_redirect');
  });
});

test('changes of other regions are told', () => {
  const { reader, server, told } = makeTracking();
  const other = makeFixture({}, 1_800_000_000_000, 2);
  const remote = other.connect();
  other.server.db.beginTurn(other.server.clockMs());
  remote.session.receive(Buffer.from('SET k far\r\n'));
  const frame = other.server.db.takeFrame()!;
  say(reader, 'GET', 'k');
  expect(server.db.applyBatch(frame.slice(9))).toBe('applied');
  expect(told()).toEqual([invalid('k')]);
});

test('nobody listens to changes while nobody tracks, and who left is forgotten', () => {
  const { reader, server, writer } = makeTracking();
  expect(server.db.touched).not.toBeNull();
  say(reader, 'GET', 'k');
  reader.session.closed();
  expect(server.db.touched).toBeNull();
  expect(server.tracking!.sizes).toEqual({ clients: 0, keys: 0, items: 0, prefixes: 0 });
  expect(say(writer, 'SET', 'k', 1)).toBe('OK');
});
