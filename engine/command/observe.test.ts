/** What is seen of commands from outside: their times, their errors, and they themselves. */
import { Args } from '../resp/args.ts';
import { CommandStats } from './command-stats.ts';
import { makeFixture, show, type TestClient } from './session-fixture.ts';

const say = (client: TestClient, ...words: (string | number)[]): string =>
  show(client.send(...words));

describe('SLOWLOG', () => {
  test('keeps the newest, shortened, with client and name', () => {
    const { connect } = makeFixture();
    const client = connect();
    say(client, 'CLIENT', 'SETNAME', 'me');
    say(client, 'CONFIG', 'SET', 'slowlog-log-slower-than', 0, 'slowlog-max-len', 3);
    say(client, 'GET', 'a');
    say(client, 'SET', 'k', 'x'.repeat(150));
    say(client, 'MGET', ...Array.from({ length: 40 }, (_, i) => i));
    const text = say(client, 'SLOWLOG', 'GET', 2);
    expect(text).toContain(`"${'x'.repeat(128)}... (22 more bytes)"`);
    expect(text).toContain('"28","29","... (10 more arguments)"],"127.0.0.1:40001","me"]');
    expect(say(client, 'SLOWLOG', 'LEN')).toBe('3');
    expect(say(client, 'SLOWLOG', 'RESET')).toBe('OK');
  });

  test('shows no passwords', () => {
    const { connect, server } = makeFixture();
    const client = connect();
    say(client, 'CONFIG', 'SET', 'slowlog-log-slower-than', 0);
    say(client, 'AUTH', 'default', 'secret');
    say(client, 'HELLO', 2, 'AUTH', 'default', 'secret', 'SETNAME', 'n');
    say(client, 'ACL', 'SETUSER', 'a', '>secret');
    say(client, 'CONFIG', 'SET', 'requirepass', 'secret');
    const shown = JSON.stringify(server.observer.slowLog.list(-1));
    expect(shown).not.toContain('secret');
    expect(shown.match(/\(redacted\)/g)).toHaveLength(9);
  });

  test('takes only what is slow enough, and never EXEC', () => {
    const { server, connect } = makeFixture();
    let ms = 0;
    server.monotonicMs = () => {
      ms += 11;
      return ms;
    };
    const client = connect();
    say(client, 'MULTI');
    say(client, 'KEYS', '*');
    say(client, 'EXEC');
    expect(server.observer.slowLog.list(-1).map(({ words }) => words[0])).toEqual([
      'KEYS',
      'MULTI',
    ]);
    say(client, 'CONFIG', 'SET', 'slowlog-log-slower-than', 12_000);
    server.observer.slowLog.reset();
    say(client, 'KEYS', '*');
    expect(server.observer.slowLog.length).toBe(0);
  });
});

describe('INFO', () => {
  test('commandstats counts calls, failures and refusals; errorstats the codes', () => {
    const { connect } = makeFixture();
    const client = connect();
    say(client, 'SET', 'k', 'text');
    for (let i = 0; i < 100; i++) say(client, 'GET', 'k');
    say(client, 'INCR', 'k');
    say(client, 'SADD', 'k', 'm');
    say(client, 'GET');
    say(client, 'NOSUCH');
    const stats = say(client, 'INFO', 'commandstats');
    expect(stats).toMatch(
      /cmdstat_get:calls=100,usec=\d+,usec_per_call=[\d.]+,rejected_calls=1,failed_calls=0/,
    );
    expect(stats).toMatch(/cmdstat_incr:calls=1,.*failed_calls=1/);
    expect(say(client, 'INFO', 'errorstats')).toContain(
      'errorstat_ERR:count=3\\r\\nerrorstat_WRONGTYPE:count=1',
    );
    expect(say(client, 'INFO')).not.toContain('cmdstat_');
    expect(say(client, 'INFO', 'all')).toContain('cmdstat_');
    expect(say(client, 'CONFIG', 'RESETSTAT')).toBe('OK');
    expect(say(client, 'INFO', 'commandstats')).not.toContain('cmdstat_get');
    expect(say(client, 'INFO', 'errorstats')).toBe('"# Errorstats\\r\\n"');
  });
});

describe('times', () => {
  const args = (...words: string[]) => Args.from(words);

  test('of small fast commands are sampled, and stand for those between', () => {
    const stats = new CommandStats(true);
    let timed = 0;
    for (let i = 0; i < 1280; i++) {
      if (!stats.count(args('GET', 'k'))) continue;
      timed++;
      stats.time(2, true);
    }
    expect([stats.calls, timed]).toEqual([1280, 10]);
    expect(stats.microseconds).toBe(2 * (1 + 9 * 128));
    expect(stats.count(args('HSET', 'k', ...Array.from({ length: 20 }, String)))).toBe(true);
    expect(stats.count(args('SET', 'k', 'x'.repeat(5000)))).toBe(true);
  });

  test('of others are all taken; percentiles and histogram tell of them', () => {
    const stats = new CommandStats(false);
    for (let i = 1; i <= 100; i++) {
      expect(stats.count(args('KEYS', '*'))).toBe(true);
      stats.time(i, true);
    }
    expect(stats.percentile(50)).toBeGreaterThan(45);
    expect(stats.percentile(50)).toBeLessThan(56);
    expect(stats.percentile(99)).toBeGreaterThan(95);
    expect(stats.cumulative().at(-1)).toEqual([128, 100]);
    expect(stats.cumulative().find(([end]) => end === 16)).toEqual([16, 16]);
  });

  test('LATENCY HISTOGRAM shows them', () => {
    const { connect } = makeFixture();
    const client = connect();
    say(client, 'KEYS', '*');
    say(client, 'CONFIG', 'SET', 'latency-tracking', 'no');
    expect(say(client, 'LATENCY', 'HISTOGRAM', 'keys', 'config')).toMatch(
      /^\["keys",\["calls",1,"histogram_usec",\[1,1\]\]\]$/,
    );
  });
});

test('LATENCY keeps what took longer than the threshold, a sample a second', () => {
  const { connect, server, advance } = makeFixture();
  const client = connect();
  expect(say(client, 'LATENCY', 'DOCTOR')).toContain('monitoring is off');
  say(client, 'CONFIG', 'SET', 'latency-monitor-threshold', 10);
  expect(say(client, 'LATENCY', 'DOCTOR')).toContain('Nothing took 10 ms');
  const { latency } = server.observer;
  latency.note('command', 5, server.clockMs());
  latency.note('command', 20, server.clockMs());
  latency.note('command', 30, server.clockMs());
  advance(1000);
  latency.note('command', 15, server.clockMs());
  expect(say(client, 'LATENCY', 'LATEST')).toBe('[["command",1800000001,15,30]]');
  expect(say(client, 'LATENCY', 'HISTORY', 'command')).toBe('[[1800000000,30],[1800000001,15]]');
  expect(say(client, 'LATENCY', 'GRAPH', 'command')).toContain('high 30 ms, low 15 ms');
  expect(say(client, 'LATENCY', 'DOCTOR')).toContain('command: 2 seconds with 23 ms on average');
  expect(say(client, 'LATENCY', 'RESET', 'command', 'other')).toBe('1');
});

test('MONITOR shows what others run, quoted, without secrets and administration, until RESET', () => {
  const { connect } = makeFixture();
  const [monitor, client] = [connect(), connect()];
  expect(say(monitor, 'MONITOR')).toBe('OK');
  say(client, 'SET', 'k', 'a\0"\n');
  say(client, 'CONFIG', 'GET', 'maxmemory');
  say(client, 'AUTH', 'default', 'secret');
  say(client, 'NOSUCH');
  expect(monitor.received().map(show)).toEqual([
    '1800000000.000000 [0 127.0.0.1:40002] "SET" "k" "a\\x00\\"\\n"',
    '1800000000.000000 [0 127.0.0.1:40002] "AUTH" "(redacted)" "(redacted)"',
  ]);
  say(client, 'EVAL', 'return redis.call("GET", "k")', 0);
  expect(monitor.received().map(show)[0]).toBe('1800000000.000000 [0 lua] "GET" "k"');
  expect(say(client, 'CLIENT', 'LIST')).toContain('flags=O');
  expect(say(monitor, 'RESET')).toBe('RESET');
  say(client, 'GET', 'k');
  expect(monitor.received()).toEqual([]);
  say(client, 'MULTI');
  say(client, 'MONITOR');
  expect(say(client, 'EXEC')).toMatch(/MONITOR isn't allowed/);
});
