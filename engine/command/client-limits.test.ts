/** Limits of clients that only time, size or another client shows. */
import { makeFixture, show, type TestClient } from './session-fixture.ts';

const say = (client: TestClient, ...words: (string | number)[]): string =>
  show(client.send(...words));

test('proto-max-bulk-len holds for clients that are connected', () => {
  const client = makeFixture().connect();
  expect(say(client, 'CONFIG', 'SET', 'proto-max-bulk-len', '1mb')).toBe('OK');
  const replies = client.sendBytes(Buffer.from('*2\r\n$4\r\nECHO\r\n$1048577\r\n'));
  expect(replies.map(show)).toEqual(['(error) ERR Protocol error: invalid bulk length']);
  expect(client.session.closing).toBe(true);
});

test('client-query-buffer-limit closes a client that sends too long a command', () => {
  const client = makeFixture().connect();
  expect(say(client, 'CONFIG', 'SET', 'client-query-buffer-limit', '1mb')).toBe('OK');
  client.sendBytes(Buffer.from('*2\r\n$4\r\nECHO\r\n$2000000\r\n'));
  const replies = client.sendBytes(Buffer.alloc(1_200_000));
  expect(replies.map(show)).toEqual(['(error) ERR Protocol error: too big request']);
});

test('timeout closes who is idle, but not who listens or waits', () => {
  const { connect, server, advance } = makeFixture();
  const [active, idle, listener, waiter] = [connect(), connect(), connect(), connect()];
  say(active, 'CONFIG', 'SET', 'timeout', 60);
  say(listener, 'SUBSCRIBE', 'c');
  expect(waiter.send('WAIT', 1, 0)).toBeNull();
  advance(50_000);
  say(active, 'PING');
  advance(11_000);
  server.clients.tick(server.clockMs(), server);
  const closing = [active, idle, listener, waiter].map(({ session }) => session.closing);
  expect(closing).toEqual([false, true, false, false]);
});

test('maxmemory-clients closes those that take most, not those that asked to stay', () => {
  const { connect, server } = makeFixture();
  const [small, large, larger, spared] = [connect(), connect(), connect(), connect()];
  const fill = ({ session }: TestClient, bytes: number) =>
    session.receive(Buffer.from(`*2\r\n$4\r\nECHO\r\n$900000\r\n${'x'.repeat(bytes)}`));
  say(spared, 'CLIENT', 'NO-EVICT', 'ON');
  fill(large, 300_000);
  fill(larger, 500_000);
  fill(spared, 600_000);
  say(small, 'CONFIG', 'SET', 'maxmemory-clients', 1_100_000);
  server.clients.tick(server.clockMs(), server);
  const closing = () => [small, large, larger, spared].map(({ session }) => session.closing);
  expect(closing()).toEqual([false, false, true, false]);
  expect(say(small, 'INFO', 'stats')).toContain('evicted_clients:1');
  larger.session.closed();
  say(small, 'CONFIG', 'SET', 'maxmemory', 10_000_000, 'maxmemory-clients', '7%');
  server.clients.tick(server.clockMs(), server);
  expect(closing()).toEqual([false, true, true, false]);
});

describe('unread replies', () => {
  const { connect, server } = makeFixture({ requirepass: 'p' });
  const { limits } = server;

  test('of who has not authenticated are bounded by 1024 bytes', () => {
    const { session } = connect();
    expect(limits.exceedsOutput(session, 1024, 1)).toBe(false);
    expect(limits.exceedsOutput(session, 1025, 1)).toBe(true);
  });

  test('of normal clients are not bounded, those of listeners at once and in time', () => {
    const client = connect();
    say(client, 'AUTH', 'p');
    expect(limits.exceedsOutput(client.session, 2 ** 40, 1)).toBe(false);
    say(client, 'SUBSCRIBE', 'c');
    const MB = 1024 * 1024;
    expect(limits.exceedsOutput(client.session, 33 * MB, 1)).toBe(true);
    expect(limits.exceedsOutput(client.session, 9 * MB, 1000)).toBe(false);
    expect(limits.exceedsOutput(client.session, 9 * MB, 60_999)).toBe(false);
    expect(limits.exceedsOutput(client.session, 7 * MB, 61_001)).toBe(false);
    expect(limits.exceedsOutput(client.session, 9 * MB, 62_000)).toBe(false);
    expect(limits.exceedsOutput(client.session, 9 * MB, 122_000)).toBe(true);
  });
});
