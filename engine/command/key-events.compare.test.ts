/** Keyspace notifications beside Redis': the same events for the same commands, in the same order. */
import { encodeRequest } from '../resp/request-writer.ts';
import { type RedisConnection, RedisProcess, redisVersion } from './redis-process.ts';
import { makeFixture, show, type TestClient } from './session-fixture.ts';

const PORT = 21_750;
const withRedis = redisVersion()?.startsWith('7.0.') ? describe : describe.skip;

/** Played in order on one keyspace. What we do not have yet is left out. */
const script = `
  SET k 1 EX 100 | SET k 1 | SET k 2 XX KEEPTTL | SET n 1 NX | SET n 1 NX | DEL k nokey | UNLINK n
  INCR c | INCRBY c 2 | DECR d | DECRBY d 2 | INCRBYFLOAT c 1.5 | APPEND s x | SETRANGE s 2 y
  SETBIT s 1 1 | GETSET s z | GETDEL s | MSET a 1 b 2 | MSETNX e 1 | MSETNX e 1 | SETNX f 1
  EXPIRE a 100 | PEXPIRE a 100000 | EXPIRE a -1 | PERSIST b | EXPIRE b 10 | PERSIST b
  GETEX b EX 10 | GETEX b PERSIST | GETEX b | GETEX b EXAT 1 | SET b 1 | RENAME b b2 | RENAMENX b2 b
  COPY b b3 | COPY b b3 | COPY b b3 REPLACE | SETEX x 100 1 | PSETEX x 100000 1 | GET x | GET nosuch
  SADD st x y | SREM st x | SREM st none | SREM st y | SADD st a b | SMOVE st st2 a
  SMOVE st st2 b | SUNIONSTORE u st2 | SINTERSTORE u nosuch | SADD p 1 | SPOP p | SADD p 1 2 | SPOP p 2
  HSET h f 1 g 2 | HINCRBY h f 1 | HINCRBYFLOAT h f 1 | HSETNX h g 1 | HSETNX h i 1 | HDEL h f
  HDEL h g i | HMSET h f 1 | BITOP OR q b b | BITOP AND q nosuch nosuch | BITFIELD q SET u8 0 1
  PFADD pf a | PFADD pf a | PFMERGE pf2 pf | RPUSH l a b | LPUSH l c
  LPUSHX l d | RPUSHX l e | LPOP l | RPOP l | LSET l 0 z | LREM l 0 z | LTRIM l 0 0 | RPOPLPUSH l l2
  LMOVE l2 l LEFT RIGHT | LINSERT l BEFORE b x | LMPOP 1 l LEFT | RPUSH l 1 2 | BLPOP l 1 | DEL l | RPUSH l 1 2 | LPOP l 2
  ZADD z 1 a 2 b 3 c | ZINCRBY z 1 a | ZADD z INCR 1 a | ZREM z a | ZPOPMIN z | ZPOPMAX z | ZADD z 1 a 2 b
  ZREMRANGEBYSCORE z 1 1 | ZREMRANGEBYRANK z 0 0 | ZADD z 1 a | ZUNIONSTORE z2 1 z | ZINTERSTORE z2 1 no
  ZRANGESTORE z3 z 0 -1 | ZREMRANGEBYLEX z - + | XADD xs 1-1 f v | XDEL xs 1-1 | XADD xs 2-1 f v
  XTRIM xs MAXLEN 0 | XGROUP CREATE xs g 0 | XGROUP SETID xs g 0 | XGROUP DESTROY xs g | XSETID xs 9-1
  GEOADD geo 1 1 m | FLUSHALL | SET last 1
`;
const commands = script.split(/[|\n]/).flatMap((line) => {
  const words = line.trim().split(' ');
  return words[0] === '' ? [] : [words];
});

withRedis('events of keys compared with Redis', () => {
  let redis: RedisProcess;
  let [theirs, listens]: RedisConnection[] = [];
  beforeAll(async () => {
    redis = await RedisProcess.start(PORT + Number(process.env.JEST_WORKER_ID ?? 0));
    theirs = await redis.connect();
    listens = await redis.connect();
  });
  afterAll(async () => {
    theirs.close();
    listens.close();
    await redis.stop();
  });

  test.each(['KEA', 'KEAnm', 'E$h', 'Kgx', 'KA', 'A'])('with %s', async (letters) => {
    const { connect } = makeFixture({}, Date.now());
    const [ours, listener] = [connect(), connect()];
    await both(ours, 'FLUSHALL');
    await both(ours, 'CONFIG', 'SET', 'notify-keyspace-events', letters);
    listener.send('PSUBSCRIBE', '__key*', 'mark');
    await ask(listens, 'PSUBSCRIBE', '__key*');
    await ask(listens, 'PSUBSCRIBE', 'mark');
    await listens.next();
    const differences: string[] = [];
    for (const words of commands) {
      if (!isPlayed(ours, words, letters)) continue;
      await both(ours, ...words);
      const mine = listener.received().map(show);
      const other = await untilMark();
      if (mine.join() !== other.join()) {
        differences.push(`${words.join(' ')}: ours ${mine.join(' ')}, Redis ${other.join(' ')}`);
      }
    }
    expect(differences).toEqual([]);
    theirs.write(encodeRequest(['CONFIG', 'SET', 'notify-keyspace-events', '']));
    await theirs.next();
    await ask(listens, 'PUNSUBSCRIBE', '__key*');
    await ask(listens, 'PUNSUBSCRIBE', 'mark');
  });

  async function ask(connection: RedisConnection, ...words: string[]): Promise<void> {
    connection.write(encodeRequest(words));
    if (words[0] !== 'PSUBSCRIBE' || words[1] !== 'mark') await connection.next();
  }

  async function both(ours: TestClient, ...words: string[]): Promise<void> {
    theirs.write(encodeRequest(words));
    ours.send(...words);
    await theirs.next();
  }

  /** What Redis has told since the last mark. */
  async function untilMark(): Promise<string[]> {
    theirs.write(encodeRequest(['PUBLISH', 'mark', '']));
    await theirs.next();
    const told: string[] = [];
    for (;;) {
      const message = show(await listens.next());
      if (message.includes('"mark"')) return told;
      told.push(message);
    }
  }
});

/** Redis tells `keymiss` of what writing commands look up, and `new` of what they replace. */
const OTHERWISE_NEW = /^(RENAME|RENAMENX|COPY|SINTERSTORE|ZINTERSTORE|BITOP|PFMERGE)$/;

function isPlayed(ours: TestClient, [name]: readonly string[], letters: string): boolean {
  const { commands } = ours.session.server;
  return (
    commands.findByName(name) !== null && !(letters.includes('nm') && OTHERWISE_NEW.test(name))
  );
}

describe('events that no command makes', () => {
  const listen = (letters: string) => {
    const fixture = makeFixture();
    const [client, listener] = [fixture.connect(), fixture.connect()];
    client.send('CONFIG', 'SET', 'notify-keyspace-events', letters);
    listener.send('PSUBSCRIBE', '__keyevent@0__:*');
    const told = () => {
      fixture.server.keyEvents.turn();
      return listener
        .received()
        .map((reply) => show(reply).replace(/^.*__:(\w+)","(.*)"\]$/, '$1 $2'));
    };
    return { ...fixture, client, told };
  };

  test('expiry, found by time or by a command', () => {
    const { client, server, advance, told } = listen('Ex');
    client.send('SET', 'a', 1, 'PX', 100);
    client.send('SET', 'b', 1, 'PX', 100);
    advance(200);
    client.send('SET', 'b', 2);
    expect(told()).toEqual(['expired b']);
    server.db.tick(server.clockMs(), 1000);
    expect(told()).toEqual(['expired a']);
  });

  test('eviction', () => {
    const { client, told } = listen('Ee');
    client.send('SET', 'a', 1);
    client.send('CONFIG', 'SET', 'maxmemory-policy', 'allkeys-lru', 'maxmemory', 1);
    client.send('SET', 'b', 1);
    expect(told()).toEqual(['evicted a']);
  });

  test('changes of other regions, by type', () => {
    const { server, told } = listen('EA');
    const other = makeFixture({}, 1_800_000_000_000, 2);
    const remote = other.connect();
    other.server.db.beginTurn(other.server.clockMs());
    for (const line of ['SET k far', 'SADD s m', 'HSET h f v', 'SET gone 1', 'DEL gone']) {
      remote.session.receive(Buffer.from(`${line}\r\n`));
    }
    expect(server.db.applyBatch(other.server.db.takeFrame()!.slice(9))).toBe('applied');
    expect(told()).toEqual(['set k', 'sadd s', 'hset h', 'del gone']);
  });

  test('nothing is asked of the database while nothing is to be told', () => {
    const { client, server } = listen('KEA');
    expect(server.db.touched).not.toBeNull();
    client.send('CONFIG', 'SET', 'notify-keyspace-events', '');
    expect([server.keyEvents.active, server.db.touched]).toEqual([false, null]);
  });
});
