/** Commands that end later: WAIT, CRDT.WAIT, CLIENT PAUSE and UNBLOCK. */
import { encodeRequest } from '../resp/request-writer.ts';
import { makeFixture, show, type TestClient } from './session-fixture.ts';

function say(client: TestClient, ...words: (string | number)[]): string {
  return show(client.send(...words));
}

function bytes(...commands: string[]): Buffer {
  return Buffer.concat(commands.map((line) => encodeRequest(line.split(' '))));
}

describe('WAIT', () => {
  test('keeps what follows until it ends, in order', () => {
    const { connect, member } = makeFixture();
    const client = connect();
    let woken = 0;
    client.session.wake = () => woken++;
    const chunk = bytes('SET k 1', 'WAIT 1 1000', 'INCR k', 'GET k');
    expect(client.sendBytes(chunk).map(show)).toEqual(['OK']);
    expect(client.session.blocked).toBe(true);
    // The shell may reuse the memory of a chunk as soon as receive has returned.
    chunk.fill(0);
    expect(client.sendBytes(bytes('APPEND k x')).map(show)).toEqual([]);
    expect(member.waits).toMatchObject([{ n: 1, timeoutMs: 1000, all: false }]);
    member.waits[0].done(1);
    expect(woken).toBeGreaterThan(0);
    expect(client.received().map(show)).toEqual(['1', '2', '"2"', '2']);
    expect(client.session.blocked).toBe(false);
  });

  test('a wait that is fulfilled at once does not block', () => {
    const client = makeFixture().connect();
    expect(say(client, 'WAIT', 0, 1000)).toBe('0');
    expect(say(client, 'CRDT.WAIT', 0, 1000)).toBe('0');
    expect(client.session.blocked).toBe(false);
  });

  test('the wait is for the writes of this connection up to here', () => {
    const { connect, server } = makeFixture();
    const client = connect();
    client.sendBytes(bytes('SET k 1', 'CRDT.WAIT 1 0 ALL'));
    expect(client.session.lastSeq).toBe(server.db.lastSeq);
    expect(client.session.lastSeq).toBeGreaterThan(0);
  });

  test('inside EXEC it counts and goes on', () => {
    const { connect, member } = makeFixture();
    const client = connect();
    expect(client.sendBytes(bytes('MULTI', 'WAIT 2 0', 'PING', 'EXEC')).map(show)).toEqual([
      'OK',
      'QUEUED',
      'QUEUED',
      '[0,PONG]',
    ]);
    expect(member.waits).toEqual([]);
  });

  test('on a replica it is refused', () => {
    const { connect, member } = makeFixture();
    member.currentRole = 'replica';
    expect(say(connect(), 'WAIT', 0, 0)).toMatch(/^\(error\) ERR WAIT cannot be used/);
  });

  test('a client that goes away gives its wait up', () => {
    const { connect, member } = makeFixture();
    const client = connect();
    client.sendBytes(bytes('WAIT 1 0'));
    expect(member.waits.length).toBe(1);
    client.session.closed();
    expect(member.waits.length).toBe(0);
  });

  test('a blocked client that sends without end is closed', () => {
    const client = makeFixture().connect();
    client.sendBytes(bytes('WAIT 1 0'));
    const chunk = Buffer.alloc(8 * 1024 * 1024);
    for (let i = 0; i < 9; i++) client.session.receive(chunk);
    expect(client.session.closing).toBe(true);
  });
});

describe('CLIENT UNBLOCK', () => {
  test('ends a wait as its timeout would, or by an error', () => {
    const { connect } = makeFixture();
    const waiting = connect();
    const other = connect();
    waiting.sendBytes(bytes('WAIT 1 0', 'PING'));
    expect(say(other, 'CLIENT', 'UNBLOCK', waiting.session.id)).toBe('1');
    expect(waiting.received().map(show)).toEqual(['0', 'PONG']);
    expect(say(other, 'CLIENT', 'UNBLOCK', waiting.session.id)).toBe('0');
    waiting.sendBytes(bytes('WAIT 1 0'));
    expect(say(other, 'CLIENT', 'UNBLOCK', waiting.session.id, 'ERROR')).toBe('1');
    expect(waiting.received().map(show)).toEqual([
      '(error) UNBLOCKED client unblocked via CLIENT UNBLOCK',
    ]);
  });
});

describe('CLIENT PAUSE', () => {
  test('WRITE holds writes back until it ends, and lets reads through', () => {
    const { connect, server, advance } = makeFixture();
    const client = connect();
    const other = connect();
    expect(say(other, 'CLIENT', 'PAUSE', 100, 'WRITE')).toBe('OK');
    expect(client.sendBytes(bytes('GET k', 'SET k v', 'GET k')).map(show)).toEqual(['null']);
    expect(say(other, 'GET', 'k')).toBe('null');
    server.clients.tick(server.clockMs(), server);
    expect(client.received()).toEqual([]);
    advance(101);
    server.clients.tick(server.clockMs(), server);
    expect(client.received().map(show)).toEqual(['OK', '"v"']);
    expect(client.session.wrote).toBe(true);
  });

  test('ALL holds reads back, too, but not PING, and UNPAUSE ends it', () => {
    const { connect } = makeFixture();
    const client = connect();
    const other = connect();
    say(other, 'CLIENT', 'PAUSE', 100_000);
    expect(client.sendBytes(bytes('PING', 'GET k', 'PING')).map(show)).toEqual(['PONG']);
    expect(say(other, 'CLIENT', 'UNPAUSE')).toBe('OK');
    expect(client.received().map(show)).toEqual(['null', 'PONG']);
  });

  test('holds EXEC back when it would write', () => {
    const { connect } = makeFixture();
    const client = connect();
    const other = connect();
    say(client, 'MULTI');
    say(client, 'SET', 'k', 'v');
    say(other, 'CLIENT', 'PAUSE', 100_000, 'WRITE');
    expect(client.send('EXEC')).toBeNull();
    say(other, 'CLIENT', 'UNPAUSE');
    expect(client.received().map(show)).toEqual(['[OK]']);
  });

  test('a held command meets the role of when it runs', () => {
    const { connect, member } = makeFixture();
    const client = connect();
    const other = connect();
    say(other, 'CLIENT', 'PAUSE', 100_000, 'WRITE');
    expect(client.send('SET', 'k', 'v')).toBeNull();
    member.currentRole = 'replica';
    say(other, 'CLIENT', 'UNPAUSE');
    expect(client.received().map(show)).toEqual([
      "(error) READONLY You can't write against a read only replica.",
    ]);
  });
});
