import { silentJournal } from '../env.ts';
import { frameJson, frameKind, sealFrame, sealJson } from '../log/frame.ts';
import type { DatabaseMap } from '../map/database-map.ts';
import { parseMap } from '../map/database-map.ts';
import type { Connection, Listener } from '../net/connection.ts';
import { nodeSockets } from '../net/node-sockets.ts';
import { PeerSplicer } from './peer-splice.ts';
import { delay, until } from './test-region.ts';

const host = '127.0.0.1';
const hello = { database: 'shop/carts', slots: '8192-16383', region: 'us' };

/** A member's peer port that says its name and then echoes. */
async function startMember(name: string) {
  const got: Buffer[] = [];
  const connections: Connection[] = [];
  const listener: Listener = await nodeSockets.listen({
    host,
    port: 0,
    onConnection(connection) {
      connections.push(connection);
      connection.write(Buffer.from(name));
      connection.onData = (chunk) => {
        got.push(Buffer.from(chunk));
        connection.write(chunk);
      };
    },
  });
  return { name, got, connections, listener };
}

type TestMember = Awaited<ReturnType<typeof startMember>>;

function mapTo(version: number, members: TestMember[], primary: TestMember | null): DatabaseMap {
  const shard = (slots: string, name: string, list: TestMember[]) => ({
    slots,
    epoch: version,
    primary: name,
    members: list.map((m) => ({
      name: m.name,
      host,
      port: 1,
      peerPort: m.listener.port,
      zone: '',
    })),
  });
  const json = {
    version,
    database: 'shop/carts',
    region: 'eu',
    regionNumber: 1,
    shards: [shard('0-8191', '', []), shard('8192-16383', primary?.name ?? '', members)],
    regions: [],
  };
  const result = parseMap(JSON.stringify(json));
  if ('errors' in result) throw new Error(JSON.stringify(result.errors));
  return result.map;
}

describe('the door for peers', () => {
  let splicer: PeerSplicer;
  let port: number;
  let one: TestMember;
  let two: TestMember;
  const peers: Connection[] = [];

  beforeEach(async () => {
    splicer = new PeerSplicer(nodeSockets, { region: 'eu', tls: null, journal: silentJournal });
    port = await splicer.listen(host, 0);
    [one, two] = [await startMember('one'), await startMember('two')];
    splicer.setMap(mapTo(1, [one, two], one));
  });
  afterEach(() => {
    splicer.close();
    for (const member of [one, two]) {
      member.listener.close();
      for (const connection of member.connections) connection.destroy();
    }
    for (const peer of peers.splice(0)) peer.destroy();
  });

  async function dial() {
    const peer = await nodeSockets.connect({ host, port });
    peers.push(peer);
    const state = { peer, bytes: Buffer.alloc(0), closed: false };
    peer.onData = (chunk) => {
      state.bytes = Buffer.concat([state.bytes, chunk]);
    };
    peer.onClose = () => {
      state.closed = true;
    };
    return state;
  }

  test('passes HELLO and everything after it to the primary of these slots, and back', async () => {
    const link = await dial();
    const first = Buffer.from(sealJson(10, hello));
    for (const byte of first) link.peer.write(Buffer.of(byte));
    const rest = Buffer.alloc(2_000_000, 7);
    link.peer.write(rest);
    await until('the echo', () => link.bytes.length === 3 + first.length + rest.length);
    expect(link.bytes.subarray(0, 3).toString()).toBe('one');
    expect(Buffer.concat(one.got).equals(Buffer.concat([first, rest]))).toBe(true);
    expect(two.connections).toHaveLength(0);
    expect(splicer.count).toBe(1);
  });

  test('links of a shard are closed when its primary changes, others stay', async () => {
    const link = await dial();
    link.peer.write(sealJson(10, hello));
    await until('the link', () => link.bytes.length > 0);
    splicer.setMap(mapTo(2, [one, two], one));
    await delay(30);
    expect(link.closed).toBe(false);
    splicer.setMap(mapTo(3, [one, two], two));
    await until('the end', () => link.closed);
    const again = await dial();
    again.peer.write(sealJson(10, hello));
    await until('the new primary', () => again.bytes.length > 3);
    expect(again.bytes.subarray(0, 3).toString()).toBe('two');
  });

  test('when either side ends, so does the other', async () => {
    const link = await dial();
    link.peer.write(sealJson(10, hello));
    await until('the link', () => one.connections.length === 1);
    one.connections[0].destroy();
    await until('the end', () => link.closed);
    expect(splicer.count).toBe(0);
  });

  const wrongCrc = Buffer.from(sealJson(10, hello));
  wrongCrc[5] ^= 1;
  test.each<[string, Uint8Array, string]>([
    [
      'another database',
      sealJson(10, { ...hello, database: 'x' }),
      'this is the database shop/carts',
    ],
    [
      'unknown slots',
      sealJson(10, { ...hello, slots: '0-16383' }),
      'no shard has the slots 0-16383',
    ],
    ['no primary', sealJson(10, { ...hello, slots: '0-8191' }), 'has no primary now'],
    ['no JSON', sealFrame(10, Buffer.from('{')), 'no JSON object'],
    ['another kind', sealJson(9, hello), 'no HELLO'],
    ['a wrong crc', wrongCrc, 'crc'],
    ['HTTP', Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n'), 'no HELLO'],
    ['a frame too long', Buffer.from([255, 255, 255, 255, 0, 0, 0, 0, 10]), 'no HELLO'],
  ])('%s is refused with a reason', async (_name, bytes, reason) => {
    const link = await dial();
    link.peer.write(bytes);
    await until('the refusal', () => link.closed);
    expect(frameKind(link.bytes)).toBe(11);
    const refusal = frameJson(link.bytes) as { error: string; message: string };
    expect(refusal.error).toContain(reason);
    expect(refusal.message).toBe(refusal.error);
  });

  test('a primary that cannot be reached is a refusal, too', async () => {
    one.listener.close();
    await delay(20);
    const link = await dial();
    link.peer.write(sealJson(10, hello));
    await until('the refusal', () => link.closed);
    expect((frameJson(link.bytes) as { error: string }).error).toContain('one cannot be reached');
  });
});
