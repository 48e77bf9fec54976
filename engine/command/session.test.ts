import fc from 'fast-check';
import { encodeRequest } from '../resp/request-writer.ts';
import { makeFixture, show, type TestClient } from './session-fixture.ts';

function say(client: TestClient, ...words: (string | number)[]): string {
  return show(client.send(...words));
}

function bytes(...commands: string[]): Buffer {
  return Buffer.concat(commands.map((line) => encodeRequest(line.split(' '))));
}

describe('bytes', () => {
  test('a pipeline split anywhere gives the same replies', () => {
    const stream = bytes('SET k hello', 'GET k', 'NOSUCH', 'INCR n', 'MGET k n none', 'PING');
    const whole = makeFixture().connect().sendBytes(stream).map(show);
    fc.assert(
      fc.property(fc.array(fc.nat(stream.length), { maxLength: 6 }), (cuts) => {
        const client = makeFixture().connect();
        const replies: string[] = [];
        const at = [0, ...cuts.sort((a, b) => a - b), stream.length];
        for (let i = 1; i < at.length; i++) {
          replies.push(
            ...client.sendBytes(Buffer.from(stream.subarray(at[i - 1], at[i]))).map(show),
          );
        }
        expect(replies).toEqual(whole);
      }),
      { numRuns: 50 },
    );
  });

  test('a protocol error is answered and closes', () => {
    const client = makeFixture().connect();
    const replies = client.sendBytes(Buffer.from('*1\r\n$4\r\nPING\r\n*1\r\nnonsense\r\n'));
    expect(replies.map(show)).toEqual([
      'PONG',
      "(error) ERR Protocol error: expected '$', got 'n'",
    ]);
    expect(client.session.closing).toBe(true);
    expect(client.sendBytes(bytes('PING'))).toEqual([]);
  });

  test('HTTP is not answered at all', () => {
    const client = makeFixture().connect();
    expect(client.sendBytes(Buffer.from('POST / HTTP/1.1\r\nHost: x\r\n\r\n'))).toEqual([]);
    expect(client.session.closing).toBe(true);
  });

  test('nothing runs after QUIT', () => {
    const { connect, server } = makeFixture();
    expect(connect().sendBytes(bytes('QUIT', 'SET k v')).map(show)).toEqual(['OK']);
    expect(server.db.size).toBe(0);
  });
});

describe('authentication', () => {
  test('until then only AUTH, HELLO, QUIT and RESET run', () => {
    const client = makeFixture({ requirepass: 'secret' }).connect();
    expect(say(client, 'GET', 'k')).toBe('(error) NOAUTH Authentication required.');
    expect(say(client, 'PING')).toBe('(error) NOAUTH Authentication required.');
    expect(say(client, 'HELLO', 3)).toMatch(/^\(error\) NOAUTH HELLO must be called/);
    expect(say(client, 'AUTH', 'wrong')).toMatch(/^\(error\) WRONGPASS/);
    expect(say(client, 'AUTH', 'default', 'secret')).toBe('OK');
    expect(say(client, 'GET', 'k')).toBe('null');
    expect(say(client, 'RESET')).toBe('RESET');
    expect(say(client, 'PING')).toMatch(/NOAUTH/);
    expect(say(client, 'HELLO', 3, 'AUTH', 'default', 'secret')).toMatch(/"proto":3/);
  });

  test('until then requests are small', () => {
    const client = makeFixture({ requirepass: 'secret' }).connect();
    const replies = client.sendBytes(Buffer.from('*11\r\n'));
    expect(replies.map(show)).toEqual([
      '(error) ERR Protocol error: unauthenticated multibulk length',
    ]);
  });

  test('a password set at run time holds for new connections', () => {
    const { connect } = makeFixture();
    const old = connect();
    expect(say(old, 'CONFIG', 'SET', 'requirepass', 'p')).toBe('OK');
    expect(say(old, 'PING')).toBe('PONG');
    expect(say(connect(), 'PING')).toMatch(/NOAUTH/);
  });
});

describe('roles', () => {
  test('a replica reads and refuses to write', () => {
    const { connect, member } = makeFixture();
    const client = connect();
    member.currentRole = 'replica';
    expect(say(client, 'SET', 'k', 'v')).toBe(
      "(error) READONLY You can't write against a read only replica.",
    );
    expect(say(client, 'GET', 'k')).toBe('null');
    say(client, 'MULTI');
    expect(say(client, 'INCR', 'k')).toMatch(/READONLY/);
    expect(say(client, 'EXEC')).toMatch(/EXECABORT/);
  });

  test('EXEC is refused when the role changed after the writes were queued', () => {
    const { connect, member } = makeFixture();
    const client = connect();
    say(client, 'MULTI');
    say(client, 'SET', 'k', 'v');
    member.currentRole = 'replica';
    expect(say(client, 'EXEC')).toMatch(/EXECABORT Transaction discarded because of: READONLY/);
    expect(say(client, 'EXEC')).toMatch(/EXEC without MULTI/);
  });

  test('a starting member answers what touches no data', () => {
    const { connect, member } = makeFixture();
    const client = connect();
    member.currentRole = 'starting';
    for (const words of [['GET', 'k'], ['SET', 'k', 'v'], ['DBSIZE'], ['KEYS', '*']]) {
      expect(say(client, ...words)).toBe('(error) LOADING waiting for the map');
    }
    expect(say(client, 'PING')).toBe('PONG');
    expect(say(client, 'CRDT.MAP', 'SET', '{"version":2}')).toBe('OK');
    expect(say(client, 'INFO', 'persistence')).toMatch(/loading:1/);
  });
});

describe('memory', () => {
  test('growing commands are refused when it is full, and no command half-way', () => {
    const { connect } = makeFixture();
    const client = connect();
    say(client, 'SADD', 'a', 'x');
    say(client, 'SADD', 'b', 'y');
    say(client, 'CONFIG', 'SET', 'maxmemory', 1);
    expect(say(client, 'SET', 'k', 'v')).toMatch(/^\(error\) OOM/);
    expect(say(client, 'SMOVE', 'a', 'b', 'x')).toBe('1');
    expect(say(client, 'DEL', 'a')).toBe('0');
    say(client, 'MULTI');
    expect(say(client, 'GET', 'k')).toMatch(/OOM/);
    expect(say(client, 'EXEC')).toMatch(/EXECABORT/);
    expect(say(client, 'SCARD', 'b')).toBe('2');
    say(client, 'CONFIG', 'SET', 'maxmemory', 0);
    expect(say(client, 'SET', 'k', 'v')).toBe('OK');
  });
});

describe('replies', () => {
  test('that would grow without bounds become errors, and the client stays', () => {
    const client = makeFixture().connect();
    client.session.outputBytesMax = 1000;
    say(client, 'SET', 'k', 'x'.repeat(400));
    say(client, 'SADD', 's', 'y'.repeat(400));
    const limit =
      '(error) ERR the replies that wait for this client would take more than 1000 bytes';
    expect(say(client, 'MGET', ...Array<string>(100).fill('k'))).toBe(limit);
    expect(say(client, 'SRANDMEMBER', 's', -100)).toBe(limit);
    const replies = client.sendBytes(bytes('GET k', 'GET k', 'GET k', 'GET k', 'PING')).map(show);
    expect(replies.slice(2)).toEqual([limit, limit, 'PONG']);
    say(client, 'MULTI');
    for (let i = 0; i < 3; i++) say(client, 'GET', 'k');
    expect(say(client, 'EXEC').match(/error/g)).toHaveLength(1);
    expect(say(client, 'PING')).toBe('PONG');
  });
});

describe('writes', () => {
  test('only a session that wrote is marked, with the seq of its last write', () => {
    const { connect, server } = makeFixture();
    const a = connect();
    const b = connect();
    say(a, 'GET', 'k');
    expect([a.session.wrote, a.session.lastSeq]).toEqual([false, 0]);
    say(a, 'SET', 'k', 'v');
    expect([a.session.wrote, a.session.lastSeq]).toEqual([true, server.db.lastSeq]);
    expect(b.session.wrote).toBe(false);
    const seq = a.session.lastSeq;
    say(b, 'SET', 'k', 'w');
    expect(a.session.lastSeq).toBe(seq);
  });
});

describe('CLIENT REPLY', () => {
  test('SKIP swallows one reply, OFF all until ON', () => {
    const client = makeFixture().connect();
    const replies = client.sendBytes(
      bytes('CLIENT REPLY SKIP', 'SET k 1', 'GET k', 'CLIENT REPLY OFF', 'INCR k', 'NOSUCH'),
    );
    expect(replies.map(show)).toEqual(['"1"']);
    expect(client.sendBytes(bytes('GET k', 'CLIENT REPLY ON', 'GET k')).map(show)).toEqual([
      'OK',
      '"2"',
    ]);
  });
});

test('a session that is gone leaves nothing behind', () => {
  const { connect, server } = makeFixture();
  const client = connect();
  client.sendBytes(bytes('SUBSCRIBE a', 'PSUBSCRIBE b*'));
  const other = connect();
  say(other, 'WATCH', 'k');
  client.session.closed();
  other.session.closed();
  expect(server.clients.sessions.size).toBe(0);
  expect(server.pubsub.names('channel', null)).toEqual([]);
  expect(server.pubsub.names('pattern', null)).toEqual([]);
  expect(server.db.touched).toBeNull();
});
