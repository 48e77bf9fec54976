/** What happens to clients that do not read, seen from the links to them. */
import { makeFixture } from '../command/session-fixture.ts';
import { encodeRequest } from '../resp/request-writer.ts';
import { type Client, Clients } from './clients.ts';

const MB = 1024 * 1024;

/** Clients over links that take nothing until they are told to. */
function makeClients(config: { requirepass?: string } = {}) {
  const { server } = makeFixture(config);
  const clock = { nowMs: 1000 };
  const log = { position: 0, safe: 0 };
  const clients = new Clients({
    minReplicas: 0,
    position: () => log.position,
    safe: () => log.safe,
    replicasWith: () => 0,
    monotonicMs: () => clock.nowMs,
    wrote: () => {},
    wake: () => {},
  });
  const connect = () => {
    const link = { unread: 0, closed: false, reading: true, sent: '' };
    const client = clients.connect(server, 'r', 'l', {
      send: (bytes, length) => {
        link.unread += length;
        if (length < 1000) link.sent += Buffer.from(bytes).latin1Slice(0, length);
      },
      bufferedBytes: () => link.unread,
      close: () => {
        link.closed = true;
      },
      pause: () => {
        link.reading = false;
      },
      resume: () => {
        link.reading = true;
      },
    });
    return { client, link };
  };
  const send = (client: Client, ...words: string[]) => {
    clients.receive(client, encodeRequest(words));
    clients.flush();
  };
  return { server, clients, clock, log, connect, send };
}

test('replies that wait for the disk are what they were, whatever is answered meanwhile', () => {
  const { server, clients, log, connect, send } = makeClients();
  const { client, link } = connect();
  server.db.beginTurn(server.clockMs());
  send(client, 'SET', 'k', 'v');
  link.sent = '';
  log.position = 10;
  send(client, 'GET', 'k');
  send(client, 'PING');
  send(client, 'STRLEN', 'k');
  expect(link.sent).toBe('');
  log.safe = 10;
  clients.release();
  expect(link.sent).toBe('$1\r\nv\r\n+PONG\r\n:1\r\n');
});

test('nothing more is read from a client that does not read, until it has', () => {
  const { server, clients, connect, send } = makeClients();
  const { client, link } = connect();
  server.db.beginTurn(server.clockMs());
  send(client, 'SET', 'big', 'x'.repeat(30 * MB));
  send(client, 'GET', 'big');
  send(client, 'GET', 'big');
  expect(link).toMatchObject({ closed: false, reading: true });
  send(client, 'GET', 'big');
  expect(link).toMatchObject({ closed: false, reading: false });
  link.unread = 40 * MB;
  clients.drained(client);
  expect(link.reading).toBe(false);
  link.unread = 0;
  clients.drained(client);
  expect(link.reading).toBe(true);
});

test('a listener that does not read is closed beyond the limit, or when it lasts', () => {
  const { server, clients, clock, connect, send } = makeClients();
  const [publisher, slow, full] = [connect(), connect(), connect()];
  send(slow.client, 'SUBSCRIBE', 'a');
  send(full.client, 'SUBSCRIBE', 'b');
  for (let i = 0; i < 9; i++) send(publisher.client, 'PUBLISH', 'a', 'x'.repeat(MB));
  for (let i = 0; i < 31; i++) send(publisher.client, 'PUBLISH', 'b', 'x'.repeat(MB));
  expect([slow.link.closed, full.link.closed]).toEqual([false, false]);
  send(publisher.client, 'PUBLISH', 'b', 'x'.repeat(MB));
  expect([slow.link.closed, full.link.closed]).toEqual([false, true]);
  clock.nowMs += 59_000;
  clients.tick();
  expect(slow.link.closed).toBe(false);
  clock.nowMs += 2000;
  clients.tick();
  expect(slow.link.closed).toBe(true);
  expect(server.clients.sessions.size).toBe(1);
});

test('who has not authenticated may leave 1024 bytes unread', () => {
  const { connect, send } = makeClients({ requirepass: 'p' });
  const { client, link } = connect();
  for (let i = 0; i < 29; i++) send(client, 'GET', 'k');
  expect(link.closed).toBe(false);
  for (let i = 0; i < 10; i++) send(client, 'GET', 'k');
  expect(link.closed).toBe(true);
});

test('maxclients turns further clients away, with words', () => {
  const { server, clients, connect, send } = makeClients();
  const { client } = connect();
  send(client, 'CONFIG', 'SET', 'maxclients', '1');
  const { link } = connect();
  clients.flush();
  expect(link).toMatchObject({
    closed: true,
    unread: '-ERR max number of clients reached\r\n'.length,
  });
  expect(server.limits.clientsMax).toBe(1);
});
