/**
 * Two real Redis nodes as a cluster beside a session of ours that believes to be the first of them: what
 * is answered here, and who is sent where, is the same to the letter.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ClusterView } from '../map/cluster-view.ts';
import { encodeRequest } from '../resp/request-writer.ts';
import { twoShards } from './cluster-fixture.ts';
import { type RedisConnection, RedisProcess, redisVersion } from './redis-process.ts';
import { makeFixture, show } from './session-fixture.ts';

const PORT = 22_100;
const version = redisVersion();
const withRedis = version?.startsWith('7.0.') ? describe : describe.skip;

/** Slots: bar 5061 and hello 866 are the first node's, foo 12182 is not. */
const script = `
  GET bar
  SET bar 1
  GET foo
  SET foo 1
  MSET bar 1 foo 2
  MSET bar 1 hello 2
  MSET {bar}1 a {bar}2 b
  MGET {bar}1 {bar}2
  DEL bar hello
  RENAME bar foo
  SINTERCARD 2 bar foo
  SINTERCARD 2 foo {foo}1
  SINTERCARD 9 foo {foo}1
  OBJECT REFCOUNT foo
  MULTI
  SET bar 1
  SET foo 1
  EXEC
  MULTI
  SET bar 1
  SET hello 2
  EXEC
  EXEC
  MULTI
  SET bar 1
  INCR bar
  EXEC
  WATCH foo
  WATCH bar
  READONLY
  GET foo
  GET bar
  READWRITE
  ASKING
  GET bar
  GET nosuch extra
  CLUSTER KEYSLOT foo
  CLUSTER KEYSLOT {user1000}.following
  CLUSTER COUNTKEYSINSLOT 5061
  CLUSTER COUNTKEYSINSLOT 16384
  CLUSTER COUNTKEYSINSLOT -1
  CLUSTER COUNTKEYSINSLOT x
  CLUSTER GETKEYSINSLOT 866 10
  CLUSTER GETKEYSINSLOT 866 0
  CLUSTER GETKEYSINSLOT 866 -1
  CLUSTER GETKEYSINSLOT 16384 1
  CLUSTER GETKEYSINSLOT 866 x
  CLUSTER REPLICAS nosuch
  CLUSTER
  CLUSTER NOSUCH
  SSUBSCRIBE foo
  SPUBLISH foo m
  SPUBLISH bar m
  SSUBSCRIBE foo bar
  XREAD STREAMS foo 0
  XREAD COUNT 1 STREAMS bar foo 0 0
  XREADGROUP GROUP g c STREAMS foo >
  EVAL return 1 foo
  EVAL 1 1 foo
  EVAL 1 2 foo bar
  EVALSHA 1 1 foo
  ZUNIONSTORE bar 1 foo
  ZUNIONSTORE bar 2 {bar}1 {bar}2
  ZDIFF 1 foo
  ZMPOP 1 foo MIN
  SORT bar STORE foo
  SORT foo STORE {foo}1
  LMPOP 1 foo LEFT
  LMOVE bar foo LEFT LEFT
  BLPOP foo 0
  BLMPOP 0 1 foo LEFT
  GEORADIUS bar 0 0 1 M STORE foo
  GEOSEARCHSTORE bar foo FROMLONLAT 0 0 BYRADIUS 1 M
  BITOP AND bar foo
  PFMERGE bar foo
  PFCOUNT bar foo
  LCS bar foo
  XGROUP CREATE foo g 0
  XINFO STREAM foo
  OBJECT ENCODING foo
  MEMORY USAGE foo
  COPY bar foo
  SCAN 0 COUNT 0
  DBSIZE
  PING
`;

withRedis('beside a cluster of two', () => {
  const port = PORT + 2 * Number(process.env.JEST_WORKER_ID ?? 0);
  const directory = mkdtempSync(join(tmpdir(), 'meridian-cluster-'));
  const nodes: RedisProcess[] = [];

  beforeAll(async () => {
    for (const [i, slots] of ['0 8191', '8192 16383'].entries()) {
      const options = ['--cluster-enabled', 'yes', '--cluster-config-file', `node-${i}.conf`];
      nodes.push(await RedisProcess.start(port + i, ...options, '--dir', directory));
      const connection = await nodes[i].connect();
      await ask(connection, `CLUSTER ADDSLOTSRANGE ${slots}`);
      await ask(connection, `CLUSTER SET-CONFIG-EPOCH ${i + 1}`);
      connection.close();
    }
    const first = await nodes[0].connect();
    await ask(first, `CLUSTER MEET 127.0.0.1 ${port + 1}`);
    while (!/state:ok.*nodes:2/s.test(await ask(first, 'CLUSTER INFO'))) {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    first.close();
  });
  afterAll(async () => {
    await Promise.all(nodes.map((node) => node.stop()));
    rmSync(directory, { recursive: true });
  });

  function connectOurs() {
    const fixture = makeFixture({}, Date.now());
    const cluster = new ClusterView(twoShards([port, port + 1]), 'carts-0-0');
    Object.assign(fixture.member, { cluster });
    return fixture.connect();
  }

  test.each([2, 3])('commands are answered or sent away alike in RESP%i', async (protocol) => {
    const ours = connectOurs();
    const theirs = await nodes[0].connect();
    const lines = [`FLUSHALL`, ...script.trim().split('\n')].map((line) => line.trim());
    await ask(theirs, `HELLO ${protocol}`);
    ours.send('HELLO', protocol);
    const differences: string[] = [];
    for (const line of lines) {
      const a = show(ours.send(...line.split(' ')));
      const b = await ask(theirs, line);
      if (a !== b) differences.push(`${line}: ours ${a}, Redis ${b}`);
    }
    theirs.close();
    expect(differences).toEqual([]);
  });

  test.each([2, 3])('the map looks alike in RESP%i', async (protocol) => {
    const ours = connectOurs();
    const theirs = await nodes[0].connect();
    await ask(theirs, `HELLO ${protocol}`);
    ours.send('HELLO', protocol);
    // Without ids, ports of the bus, times, epochs and offsets; lines and elements in any order.
    const shape = (text: string) =>
      text
        .replace(/[0-9a-f]{40}/g, 'ID')
        .replace(/@\d+/g, '@BUS')
        .replace(/ - \d+ \d+ \d+ connected/g, ' - PING PONG EPOCH connected')
        .replace(/"replication-offset"([,:])\d+/g, '"replication-offset"$1N')
        .split(/\\n|(?<=\]\]|\}\]\}),/)
        .map((part) => part.replace(/^[["]+|[\]"]+$/g, '').replace(/^txt:"/, ''))
        .sort();
    for (const words of ['CLUSTER SLOTS', 'CLUSTER SHARDS', 'CLUSTER NODES']) {
      const a = show(ours.send(...words.split(' ')));
      expect([words, shape(a)]).toEqual([words, shape(await ask(theirs, words))]);
    }
    theirs.close();
  });
});

async function ask(connection: RedisConnection, line: string): Promise<string> {
  connection.write(encodeRequest(line.split(' ')));
  return show(await connection.next());
}
