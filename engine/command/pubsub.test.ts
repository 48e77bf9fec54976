import { encodeRequest } from '../resp/request-writer.ts';
import { makeFixture, show } from './session-fixture.ts';

function bytes(...commands: string[]): Buffer {
  return Buffer.concat(commands.map((line) => encodeRequest(line.split(' '))));
}

test('listeners get messages by channel and by pattern, each in its protocol', () => {
  const { connect, member } = makeFixture();
  const two = connect();
  const three = connect();
  const sender = connect();
  expect(two.sendForAll('SUBSCRIBE', 'news', 'sport').map(show)).toEqual([
    '["subscribe","news",1]',
    '["subscribe","sport",2]',
  ]);
  three.send('HELLO', 3);
  expect(three.sendForAll('PSUBSCRIBE', 'n*').map(show)).toEqual(['push["psubscribe","n*",1]']);
  expect(show(sender.send('PUBLISH', 'news', 'a\0b'))).toBe('2');
  expect(two.received().map(show)).toEqual(['["message","news","a\\u0000b"]']);
  expect(three.received().map(show)).toEqual(['push["pmessage","n*","news","a\\u0000b"]']);
  expect(member.published).toEqual([['news', 'a\0b']]);
  expect(show(sender.send('PUBSUB', 'NUMSUB', 'news', 'none'))).toBe('["news",1,"none",0]');
  expect(show(sender.send('PUBSUB', 'CHANNELS', 's*'))).toBe('["sport"]');
  expect(show(sender.send('PUBSUB', 'NUMPAT'))).toBe('1');
});

test('a message from another member reaches local listeners and goes no further', () => {
  const { connect, member, server } = makeFixture();
  const client = connect();
  client.send('SUBSCRIBE', 'ch');
  expect(server.pubsub.deliver('ch', 'far')).toBe(1);
  expect(client.received().map(show)).toEqual(['["message","ch","far"]']);
  expect(member.published).toEqual([]);
});

test('shard channels are apart', () => {
  const { connect } = makeFixture();
  const client = connect();
  const sender = connect();
  expect(client.sendForAll('SSUBSCRIBE', 'ch').map(show)).toEqual(['["ssubscribe","ch",1]']);
  expect(show(sender.send('PUBLISH', 'ch', 'x'))).toBe('0');
  expect(show(sender.send('SPUBLISH', 'ch', 'x'))).toBe('1');
  expect(client.received().map(show)).toEqual(['["smessage","ch","x"]']);
  expect(show(sender.send('PUBSUB', 'SHARDCHANNELS'))).toBe('["ch"]');
  expect(show(sender.send('PUBSUB', 'SHARDNUMSUB', 'ch'))).toBe('["ch",1]');
  expect(client.sendForAll('SUNSUBSCRIBE').map(show)).toEqual(['["sunsubscribe","ch",0]']);
});

test('a publisher that listens itself gets the message before its reply', () => {
  const client = makeFixture().connect();
  client.sendBytes(bytes('HELLO 3', 'SUBSCRIBE ch'));
  expect(client.sendForAll('PUBLISH', 'ch', 'x').map(show)).toEqual([
    'push["message","ch","x"]',
    '1',
  ]);
});

test('a message does not tear the reply of EXEC apart', () => {
  const client = makeFixture().connect();
  client.sendBytes(bytes('HELLO 3', 'SUBSCRIBE ch'));
  const replies = client.sendBytes(bytes('MULTI', 'PUBLISH ch x', 'PING', 'EXEC'));
  expect(replies.map(show)).toEqual([
    'OK',
    'QUEUED',
    'QUEUED',
    '[1,PONG]',
    'push["message","ch","x"]',
  ]);
});

test('unsubscribing from all names each one', () => {
  const client = makeFixture().connect();
  client.sendBytes(bytes('SUBSCRIBE a b', 'PSUBSCRIBE p'));
  expect(client.sendForAll('UNSUBSCRIBE').map(show)).toEqual([
    '["unsubscribe","a",2]',
    '["unsubscribe","b",1]',
  ]);
  expect(client.sendForAll('PUNSUBSCRIBE').map(show)).toEqual(['["punsubscribe","p",0]']);
  expect(show(client.send('GET', 'k'))).toBe('null');
});

test('a client that is woken by a message is one whose shell must flush it', () => {
  const { connect, server } = makeFixture();
  const client = connect();
  const woken: unknown[] = [];
  client.session.wake = (session) => woken.push(session);
  client.send('SUBSCRIBE', 'ch');
  server.pubsub.deliver('ch', 'x');
  expect(woken).toEqual([client.session]);
});
