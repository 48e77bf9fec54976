/**
 * Every command runs, and every reply fits the shape that the table declares (the fixture checks
 * that). The cases are those of redis.compare.test.ts, here without Redis, and below them the
 * commands whose answers are Meridian's own.
 */

import { ClusterView } from '../map/cluster-view.ts';
import { writeToken } from '../replication/session-token.ts';
import { reportOf, type VerifyReport } from '../replication/verify-report.ts';
import { twoShards } from './cluster-fixture.ts';
import { compareCases } from './redis-cases.ts';
import type { ReplyTree } from './reply-tree.ts';
import { exercised, type Fixture, makeFixture, show, type TestClient } from './session-fixture.ts';
import { commandTable } from './table.ts';

function say(client: TestClient, ...words: (string | number)[]): string {
  return show(client.send(...words));
}

/** The reply of a client that is blocked. */
function afterTimeout({ server, advance }: Fixture, client: TestClient): ReplyTree | null {
  advance(60_000);
  server.blockedKeys.tick(server.clockMs());
  return client.received()[0] ?? null;
}

describe.each([2, 3])('the cases in RESP%i', (protocol) => {
  test.each(Object.keys(compareCases))('%s', (title) => {
    const fixture = makeFixture();
    const client = fixture.connect();
    client.send('HELLO', protocol);
    for (const [, ...words] of compareCases[title]) {
      const reply = client.send(...words) ?? afterTimeout(fixture, client);
      expect([words, reply]).not.toEqual([words, null]);
    }
  });
});

describe('server', () => {
  test('INFO has the sections that clients look for, and the member adds its own', () => {
    const client = makeFixture().connect();
    say(client, 'SET', 'k', 'v', 'EX', 100);
    const all = say(client, 'INFO');
    for (const part of [
      'redis_version:7.0.15',
      'role:master',
      'db0:keys=1,expires=1',
      'region_us',
    ]) {
      expect(all).toContain(part);
    }
    expect(say(client, 'INFO', 'replication')).not.toContain('redis_version');
    expect(say(client, 'INFO', 'regions')).toBe('"# Regions\\r\\nregion_us:connected=0\\r\\n"');
    expect(say(client, 'INFO', 'nosuch')).toBe('""');
  });

  test('TIME, LASTSAVE, ROLE, LOLWUT', () => {
    const { connect, member } = makeFixture();
    const client = connect();
    expect(say(client, 'TIME')).toBe('["1800000000","0"]');
    expect(say(client, 'LASTSAVE')).toBe('1800000000');
    expect(say(client, 'ROLE')).toBe('["master",42,[]]');
    member.currentRole = 'replica';
    expect(say(client, 'ROLE')).toBe('["slave","",0,"connect",42]');
    expect(say(client, 'LOLWUT')).toContain('Meridian');
  });

  test('DEBUG is refused and SHUTDOWN reaches the process', () => {
    const { connect, member } = makeFixture();
    const client = connect();
    expect(say(client, 'DEBUG', 'SLEEP', 1)).toMatch(/^\(error\) ERR DEBUG command not allowed/);
    expect(client.send('SHUTDOWN', 'NOSAVE')).toBeNull();
    expect([member.stopped, client.session.closing]).toEqual([true, true]);
  });

  test('MEMORY USAGE grows with the value', () => {
    const client = makeFixture().connect();
    say(client, 'SET', 'a', 'x');
    say(client, 'SET', 'b', 'x'.repeat(5000));
    const [a, b] = ['a', 'b'].map((key) => Number(say(client, 'MEMORY', 'USAGE', key)));
    expect(a).toBeGreaterThan(0);
    expect(b).toBeGreaterThan(a + 4000);
  });

  test('CONFIG: a fixed setting takes only the value it has, and all of a command or none', () => {
    const client = makeFixture({ port: 7001 }).connect();
    expect(say(client, 'CONFIG', 'SET', 'port', 7001)).toBe('OK');
    expect(say(client, 'CONFIG', 'SET', 'port', 7002)).toMatch(/can't set immutable config/);
    expect(say(client, 'CONFIG', 'SET', 'requirepass', 'p', 'maxmemory', 'lots')).toMatch(/memory/);
    expect(say(client, 'CONFIG', 'GET', 'requirepass')).toBe('["requirepass",""]');
    expect(say(client, 'CONFIG', 'SET', 'maxmemory', '2mb')).toBe('OK');
    expect(say(client, 'CONFIG', 'GET', 'MAXMEMORY')).toBe('["maxmemory","2097152"]');
  });

  test('SELECT of another database names the cure in the docs', () => {
    expect(say(makeFixture().connect(), 'SELECT', 1)).toBe('(error) ERR DB index is out of range');
  });
});

test('field TTLs, which the redis-server to compare with has not; see hash-expiry.test.ts', () => {
  const client = makeFixture().connect();
  say(client, 'HSET', 'h', 'f', 'v');
  for (const [name, time] of [
    ['HEXPIRE', 100],
    ['HPEXPIRE', 100_000],
    ['HEXPIREAT', 1_900_000_000],
    ['HPEXPIREAT', 1_900_000_000_000],
  ]) {
    expect(say(client, String(name), 'h', time, 'FIELDS', 1, 'f')).toBe('[1]');
  }
  for (const [name, time] of [
    ['HTTL', 100_000_000],
    ['HPTTL', 100_000_000_000],
    ['HEXPIRETIME', 1_900_000_000],
    ['HPEXPIRETIME', 1_900_000_000_000],
    ['HPERSIST', 1],
  ]) {
    expect(say(client, String(name), 'h', 'FIELDS', 1, 'f')).toBe(`[${time}]`);
  }
});

describe('clients', () => {
  test('LIST and INFO tell who is there', () => {
    const { connect } = makeFixture();
    const client = connect();
    const other = connect();
    say(other, 'SUBSCRIBE', 'ch');
    say(client, 'CLIENT', 'SETNAME', 'me');
    expect(say(client, 'CLIENT', 'SETINFO', 'lib-name', 'my-lib')).toBe('OK');
    expect(say(client, 'CLIENT', 'SETINFO', 'LIB-VER', '1.0')).toBe('OK');
    expect(say(client, 'CLIENT', 'SETINFO', 'FOO', '1')).toMatch(/Unrecognized option/);
    expect(say(client, 'CLIENT', 'SETINFO', 'LIB-VER', 'a b')).toMatch(/cannot contain spaces/);
    expect(say(client, 'CLIENT', 'NO-TOUCH', 'on')).toBe('OK');
    expect(say(client, 'CLIENT', 'INFO')).toMatch(/id=1 addr=127.0.0.1:40001 .*name=me .*my-lib/);
    expect(say(client, 'CLIENT', 'LIST').match(/id=/g)).toHaveLength(2);
    expect(say(client, 'CLIENT', 'LIST', 'TYPE', 'pubsub')).toMatch(/id=2 .*flags=P/);
    expect(say(client, 'CLIENT', 'LIST', 'ID', 1, 7)).toMatch(/^"id=1 [^\n]*$/);
    expect(say(client, 'CLIENT', 'ID')).toBe('1');
  });

  test('KILL by address, by id, and not oneself unless asked to', () => {
    const { connect } = makeFixture();
    const client = connect();
    const a = connect();
    const b = connect();
    expect(say(client, 'CLIENT', 'KILL', a.session.remote)).toBe('OK');
    expect(a.session.closing).toBe(true);
    expect(say(client, 'CLIENT', 'KILL', 'ID', b.session.id)).toBe('1');
    expect(b.session.closing).toBe(true);
    expect(say(client, 'CLIENT', 'KILL', 'ID', client.session.id)).toBe('0');
    expect(say(client, 'CLIENT', 'KILL', 'ID', client.session.id, 'SKIPME', 'no')).toBe('1');
    expect(client.session.closing).toBe(true);
  });

  test('MEMORY tells in words and numbers', () => {
    const client = makeFixture().connect();
    say(client, 'SET', 'k', 'v');
    expect(say(client, 'MEMORY', 'STATS')).toMatch(/"keys.count",1,.*"dataset.bytes",\d+/);
    expect(say(client, 'MEMORY', 'DOCTOR')).toContain('Nothing is wrong');
    expect(say(client, 'MEMORY', 'MALLOC-STATS')).toMatch(/arena: \d+ bytes in use/);
    expect(say(client, 'MEMORY', 'PURGE')).toBe('OK');
    say(client, 'CONFIG', 'SET', 'maxmemory', 1);
    expect(say(client, 'MEMORY', 'DOCTOR')).toContain('at maxmemory');
  });

  test('MONITOR shows commands until RESET', () => {
    const client = makeFixture().connect();
    expect(say(client, 'MONITOR')).toBe('OK');
    expect(say(client, 'RESET')).toBe('RESET');
  });

  test('RESET begins anew', () => {
    const client = makeFixture().connect();
    say(client, 'HELLO', 3, 'SETNAME', 'me');
    say(client, 'SUBSCRIBE', 'ch');
    say(client, 'MULTI');
    expect(say(client, 'RESET')).toBe('RESET');
    expect(say(client, 'CLIENT', 'GETNAME')).toBe('null');
    expect(client.session.subscribed).toBe(false);
    expect(client.session.output.protocol).toBe(2);
    expect(say(client, 'EXEC')).toMatch(/without MULTI/);
  });
});

describe('the cluster API', () => {
  const map = twoShards([7001, 7002], 7003);

  function connectTo(name: string) {
    const fixture = makeFixture();
    Object.assign(fixture.member, { cluster: new ClusterView(map, name) });
    return { ...fixture, client: fixture.connect() };
  }

  test('tells who has which slots, in each of its forms', () => {
    const { client } = connectTo('carts-0-0');
    const id = say(client, 'CLUSTER', 'MYID');
    expect(id).toMatch(/^"[0-9a-f]{40}"$/);
    const slots = say(client, 'CLUSTER', 'SLOTS');
    expect(slots).toContain(`[[0,8191,["127.0.0.1",7001,${id},[]],["127.0.0.1",7003,`);
    expect(slots).toContain(',[8192,16383,["127.0.0.1",7002,');
    expect(say(client, 'CLUSTER', 'SHARDS')).toMatch(/"role","replica".*"endpoint","127.0.0.1"/);
    const nodes = say(client, 'CLUSTER', 'NODES');
    expect(nodes).toContain(' myself,master - 0 0 1 connected 0-8191\\n');
    expect(nodes).toContain(`:7003@7003 slave ${id.slice(1, -1)} 0 0 1 connected\\n`);
    expect(say(client, 'CLUSTER', 'REPLICAS', id.slice(1, -1))).toMatch(/^\["[^ ]+ [^ ]+ slave /);
    expect(say(client, 'CLUSTER', 'SLAVES', 'x')).toBe('(error) ERR Unknown node x');
    expect(say(client, 'CLUSTER', 'INFO')).toContain('cluster_state:ok\\r\\n');
    expect(say(client, 'INFO', 'cluster')).toContain('cluster_enabled:1');
    expect(say(client, 'CLUSTER', 'MYSHARDID')).toMatch(/^"[0-9a-f]{40}"$/);
    expect(say(client, 'CLUSTER', 'LINKS')).toBe('[]');
  });

  test('a replica sends writes away, and reads unless READONLY was said', () => {
    const { client, member } = connectTo('carts-0-1');
    member.currentRole = 'replica';
    expect(say(client, 'GET', 'bar')).toBe('(error) MOVED 5061 127.0.0.1:7001');
    expect(say(client, 'READONLY')).toBe('OK');
    expect(say(client, 'GET', 'bar')).toBe('null');
    expect(say(client, 'SET', 'bar', 1)).toBe('(error) MOVED 5061 127.0.0.1:7001');
    expect(say(client, 'GET', 'foo')).toBe('(error) MOVED 12182 127.0.0.1:7002');
    expect(say(client, 'PUBLISH', 'bar', 'm')).toBe('0');
    expect(say(client, 'READWRITE')).toBe('OK');
    expect(say(client, 'PUBLISH', 'bar', 'm')).toBe('(error) MOVED 5061 127.0.0.1:7001');
    expect(say(client, 'SUBSCRIBE', 'foo')).toBe('(error) MOVED 12182 127.0.0.1:7002');
    expect(say(client, 'PSUBSCRIBE', 'f*')).toMatch(/PSUBSCRIBE through a proxy/);
    expect(say(client, 'GET', 'bar')).toMatch(/MOVED/);
    expect(say(client, 'CRDT.ROUTED')).toBe('OK');
    expect(say(client, 'GET', 'foo')).toBe('null');
    expect(say(client, 'SET', 'bar', 1)).toMatch(/READONLY/);
    expect(say(client, 'RESET')).toBe('RESET');
    expect(say(client, 'GET', 'bar')).toMatch(/MOVED/);
  });

  test('a shard without a primary is down, and a map that is not there yet says so', () => {
    const { client, member } = connectTo('carts-0-1');
    const [shard, other] = map.shards;
    const without = { ...map, shards: [{ ...shard, primary: '' }, other] };
    Object.assign(member, { cluster: new ClusterView(without, 'carts-0-1') });
    member.currentRole = 'replica';
    expect(say(client, 'GET', 'bar')).toBe('(error) CLUSTERDOWN Hash slot not served');
    expect(say(client, 'CLUSTER', 'INFO')).toContain('cluster_state:fail');
    expect(say(client, 'CLUSTER', 'SLOTS')).toMatch(/^\[\[8192,/);
    Object.assign(member, { cluster: null, currentRole: 'starting' });
    expect(say(client, 'CLUSTER', 'SLOTS')).toMatch(/LOADING waiting for the map/);
    Object.assign(member, { currentRole: 'primary' });
    expect(say(client, 'CLUSTER', 'KEYSLOT', 'k')).toMatch(/ERR This instance has cluster support/);
    for (const name of ['COUNTKEYSINSLOT', 'GETKEYSINSLOT']) {
      expect(say(client, 'CLUSTER', name, 0, 1)).toMatch(/^\(error\) ERR (This|wrong)/);
    }
    expect(say(client, 'CLUSTER', 'COUNTKEYSINSLOT', 0)).toMatch(/disabled/);
    expect(say(client, 'ASKING')).toMatch(/disabled/);
  });
});

describe('introspection', () => {
  test('COMMAND agrees with COUNT and LIST', () => {
    const client = makeFixture().connect();
    const all = client.send('COMMAND');
    const count = Number(say(client, 'COMMAND', 'COUNT'));
    expect(all?.kind === 'array' && all.items.length).toBe(count);
    expect(say(client, 'COMMAND', 'LIST').split(',').length).toBe(count);
    expect(count).toBe(commandTable.size);
  });

  test('INFO and DOCS of one command and of a subcommand', () => {
    const client = makeFixture().connect();
    expect(say(client, 'COMMAND', 'INFO', 'get')).toBe(
      '[["get",2,[readonly,fast],1,1,1,[@read,@string,@fast],[],[],[]]]',
    );
    expect(say(client, 'COMMAND', 'INFO', 'client|id')).toMatch(/^\[\["client\|id",2,/);
    const docs = say(client, 'COMMAND', 'DOCS', 'sadd');
    expect(docs).toMatch(/"summary","Adds .*"group","set".*"conflict","Add wins/);
    expect(say(client, 'COMMAND', 'DOCS')).toContain('crdt.status');
    expect(say(client, 'COMMAND', 'LIST', 'FILTERBY', 'ACLCAT', 'hash')).toContain('hset');
  });

  test('HELP lists the subcommands of every container', () => {
    const client = makeFixture().connect();
    for (const [name, { subcommands }] of commandTable) {
      if (!subcommands?.some((sub) => sub.name.endsWith('|HELP'))) continue;
      const help = say(client, name, 'HELP');
      for (const sub of subcommands) expect(help).toContain(sub.name.slice(name.length + 1));
    }
  });
});

describe('CRDT', () => {
  test('STATUS in JSON and for people', () => {
    const client = makeFixture().connect();
    const json = client.send('CRDT.STATUS', 'JSON');
    expect(json?.kind === 'bulk' && JSON.parse(json.text)).toMatchObject({ role: 'primary' });
    expect(say(client, 'CRDT.STATUS')).toBe(
      '["role","primary","region","eu","vector",["1.1.1",3],"peers",[]]',
    );
    expect(say(client, 'CRDT.STATUS', 'XML')).toBe('(error) ERR syntax error');
  });

  test('MAP is taken, kept, and refused when it is old or wrong', () => {
    const client = makeFixture().connect();
    expect(say(client, 'CRDT.MAP', 'GET')).toBe('null');
    expect(say(client, 'CRDT.MAP', 'SET', '{"version":9}')).toBe('OK');
    expect(say(client, 'CRDT.MAP', 'GET')).toBe('"{\\"version\\":9}"');
    expect(say(client, 'CRDT.MAP', 'SET', '{"version":1}')).toBe('(error) STALEMAP have 8, got 1');
    expect(say(client, 'CRDT.MAP', 'SET', 'x')).toBe(
      '(error) ERR invalid map: version: must be a number',
    );
  });

  test('LINK pauses and resumes a region that is there', () => {
    const { connect, member } = makeFixture();
    const client = connect();
    expect(say(client, 'CRDT.LINK', 'us', 'PAUSE')).toBe('OK');
    expect(member.links.get('us')).toBe(true);
    expect(say(client, 'CRDT.LINK', 'us', 'resume')).toBe('OK');
    expect(member.links.get('us')).toBe(false);
    expect(say(client, 'CRDT.LINK', 'mars', 'PAUSE')).toMatch(/no peer region mars/);
    expect(say(client, 'CRDT.LINK', 'us', 'STOP')).toMatch(/takes PAUSE or RESUME/);
  });

  test('WAIT hands on what is asked for', () => {
    const { connect, member } = makeFixture();
    const client = connect();
    expect(client.send('CRDT.WAIT', 2, 500, 'ALL')).toBeNull();
    expect(member.waits).toMatchObject([{ n: 2, timeoutMs: 500, all: true }]);
    member.waits[0].done(2);
    expect(client.received().map(show)).toEqual(['2']);
    expect(say(client, 'CRDT.WAIT', 1, 1, 'SOME')).toBe('(error) ERR syntax error');
  });

  test('AFTER waits for what TOKEN names, and says what is wrong with a token', () => {
    const { connect, member, server } = makeFixture();
    const client = connect();
    const given = client.send('CRDT.TOKEN');
    const token = given?.kind === 'bulk' ? given.text : '';
    expect(token).toMatch(/^m1\./);
    expect(client.send('CRDT.AFTER', token, 500)).toBeNull();
    expect(member.tokens).toEqual([member.tokenParts()]);
    expect(member.waits).toMatchObject([{ n: 1, timeoutMs: 500 }]);
    member.waits[0].done(1);
    expect(client.received().map(show)).toEqual(['1']);
    expect(say(client, 'MULTI')).toBe('OK');
    say(client, 'CRDT.AFTER', token, 0);
    expect(say(client, 'EXEC')).toBe('[0]');
    expect(say(client, 'CRDT.AFTER', token, -1)).toMatch(/timeout is negative/);
    expect(say(client, 'CRDT.AFTER', token, 'soon')).toMatch(/timeout is not an integer/);
    expect(say(client, 'CRDT.AFTER', 'x', 5)).toMatch(
      /invalid token: it does not begin with "m1."/,
    );
    const other = writeToken({ database: 'o\r\nther', parts: member.tokenParts() });
    expect(say(client, 'CRDT.AFTER', other, 5)).toMatch(/of database "o\?\?ther", this is test;/);
    const { database } = server.process;
    const elsewhere = writeToken({ database, parts: [{ firstSlot: 7, lastSlot: 8, seqs: [] }] });
    member.slots = () => ({ firstSlot: 9, lastSlot: 99 });
    expect(say(client, 'CRDT.AFTER', elsewhere, 5)).toMatch(
      /about slots 7-8, this member has 9-99/,
    );
  });

  test('VERIFY answers when the comparison has ended', () => {
    const { connect, member } = makeFixture();
    const client = connect();
    const report: VerifyReport = reportOf([
      {
        region: 'us',
        verdict: 'different',
        equalSlots: 16_383,
        differentSlots: 1,
        busySlots: 0,
        differences: [{ slot: 7, keys: ['k'] }],
        opsInFlight: 0,
        reason: '',
      },
    ]);
    expect(client.send('CRDT.VERIFY', 'us')).toBeNull();
    expect(client.send('PING')).toBeNull();
    member.verifying[0](report);
    const [answer, pong] = client.received().map(show);
    expect([answer, pong]).toEqual([
      expect.stringMatching(/^\["verdict","different","regions"/),
      'PONG',
    ]);
    expect(answer).toContain('"differences",[["slot",7,"keys",["k"]]]');
    expect(client.send('CRDT.VERIFY', '*', 'JSON')).toBeNull();
    member.verifying[1](report);
    const [json] = client.received();
    expect(json.kind === 'bulk' && JSON.parse(json.text)).toEqual(report);
    expect(say(client, 'CRDT.VERIFY', 'mars')).toMatch(/no peer region mars/);
    expect(say(client, 'CRDT.VERIFY', 'us', 'XML')).toBe('(error) ERR syntax error');
    expect(client.send('CRDT.VERIFY')).toBeNull();
    expect(say(connect(), 'CLIENT', 'UNBLOCK', client.session.id)).toBe('1');
    expect(client.received().map(show)).toEqual([
      '(error) ERR the comparison was given up before it had ended',
    ]);
    member.verify = () => 'busy';
    expect(say(client, 'CRDT.VERIFY')).toMatch(/^\(error\) BUSY/);
    member.currentRole = 'replica';
    expect(say(client, 'CRDT.VERIFY')).toMatch(/ask the primary/);
  });

  test('EXPLAIN shows what lies behind a key', () => {
    const client = makeFixture().connect();
    expect(say(client, 'CRDT.EXPLAIN', 'none')).toBe('null');
    say(client, 'SET', 'k', 'v');
    expect(say(client, 'CRDT.EXPLAIN', 'k')).toContain('"v"');
    say(client, 'HSET', 'h', 'f', 'v');
    expect(say(client, 'CRDT.EXPLAIN', 'h')).toContain('"f"');
  });
});

test('scripts: each command once', () => {
  const client = makeFixture().connect();
  const sha = (client.send('SCRIPT', 'LOAD', 'return 1') as { text: string }).text;
  expect(say(client, 'EVAL', 'return 1', 0)).toBe('1');
  expect(say(client, 'EVALSHA', sha, 0)).toBe('1');
  expect(say(client, 'EVAL_RO', 'return 1', 0)).toBe('1');
  expect(say(client, 'EVALSHA_RO', sha, 0)).toBe('1');
  expect(say(client, 'SCRIPT', 'EXISTS', sha)).toBe('[1]');
  expect(say(client, 'SCRIPT', 'FLUSH', 'NEVER')).toContain('only support SYNC|ASYNC');
  expect(say(client, 'SCRIPT', 'FLUSH')).toBe('OK');
  expect(say(client, 'SCRIPT', 'KILL')).toContain('NOTBUSY');
  expect(say(client, 'SCRIPT', 'DEBUG', 'YES')).toContain('cannot be debugged');
  expect(say(client, 'SCRIPT', 'DEBUG', 'NO')).toBe('OK');
  expect(say(client, 'SCRIPT', 'HELP')).toContain('EXISTS <sha1>');
});

test('functions: each command once', () => {
  const client = makeFixture().connect();
  const code =
    '#!lua name=l\nredis.register_function{function_name="f",callback=function() return 1 end,flags={"no-writes"}}';
  expect(say(client, 'FUNCTION', 'LOAD', code)).toBe('"l"');
  expect(say(client, 'FCALL', 'f', 0)).toBe('1');
  expect(say(client, 'FCALL_RO', 'f', 0)).toBe('1');
  expect(say(client, 'FUNCTION', 'LIST')).toContain('"f"');
  expect(say(client, 'FUNCTION', 'STATS')).toContain('functions_count');
  const dumped = client.send('FUNCTION', 'DUMP') as { text: string };
  expect(say(client, 'FUNCTION', 'RESTORE', dumped.text)).toContain('already exists');
  expect(say(client, 'FUNCTION', 'RESTORE', dumped.text, 'REPLACE')).toBe('OK');
  expect(say(client, 'FUNCTION', 'DELETE', 'l')).toBe('OK');
  expect(say(client, 'FUNCTION', 'RESTORE', dumped.text, 'FLUSH')).toBe('OK');
  expect(say(client, 'FCALL', 'f', 0)).toBe('1');
  expect(say(client, 'FUNCTION', 'FLUSH')).toBe('OK');
  expect(say(client, 'FUNCTION', 'KILL')).toContain('NOTBUSY');
  expect(say(client, 'FUNCTION', 'HELP')).toContain('RESTORE');
});

test('every command was exercised', () => {
  const all = [...commandTable.values()].flatMap((c) => [c, ...(c.subcommands ?? [])]);
  const runnable = all.filter((command) => command.run !== undefined);
  // EXEC and its like are counted with the cases, whose order this test closes.
  expect(runnable.map(({ name }) => name).filter((name) => !exercised.has(name))).toEqual([]);
});
