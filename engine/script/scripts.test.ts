/** Scripts that loop, allocate, nest or write too much: an error each, and the process goes on. */
import { makeFixture, show, type TestClient } from '../command/session-fixture.ts';
import { limits } from '../limits.ts';

/** A member whose clock moves by a second each time it is asked. */
function impatient(): TestClient {
  const fixture = makeFixture();
  let nowMs = 0;
  Object.assign(fixture.server, {
    monotonicMs: () => {
      nowMs += 1000;
      return nowMs;
    },
  });
  return fixture.connect();
}

const run = (client: TestClient, source: string, ...words: string[]): string =>
  show(client.send('EVAL', source, 0, ...words));

describe('time', () => {
  const { scriptTimeMax, scriptWriteTimeMax } = limits;

  test.each([
    ['a loop', 'while true do end'],
    ['a loop that catches', 'while true do pcall(function() while true do end end) end'],
    ['pcall within pcall', 'local function f() while true do pcall(f) end end f()'],
    ['a coroutine', 'while true do coroutine.wrap(function() while true do end end)() end'],
    ['many coroutines', 'while true do coroutine.wrap(function() end)() end'],
    [
      'a metamethod',
      'local t=setmetatable({},{__index=function() while true do end end}) return t.x',
    ],
    [
      'a comparison',
      'local t={} for i=1,100 do t[i]=i end table.sort(t,function() while true do end end)',
    ],
    ['a replacement', 'string.gsub("x","x",function() while true do end end)'],
    ['a reader', 'load(function() while true do end end)'],
    ['a pattern of many ways', 'return (("x"):rep(30)):find(("x?"):rep(30)..("x"):rep(30).."b")'],
    ['a pattern over a long text', 'return (("x"):rep(1e6)):find(".-.-b")'],
    ['a match', 'return (("x"):rep(1e5)):match("(.-)(.-)(.-)b")'],
    ['a gmatch', 'for w in (("x"):rep(1e6)):gmatch(".-.-b") do end'],
    ['a gsub', 'return (("x"):rep(1e5)):gsub(".-.-.-b","")'],
    ['a caught pattern', 'while true do pcall(string.find,("x"):rep(1e5),".-.-.-b") end'],
    ['JSON of a tree', 'local t={} for i=1,60 do t={t,t} end return cjson.encode(t)'],
    ['MessagePack of a tree', 'local t={} for i=1,15 do t={t,t,t,t,t} end return cmsgpack.pack(t)'],
    ['a reply of a tree', 'local t={} for i=1,60 do t={t,t} end return t'],
    ['a loop of reads', 'while true do redis.call("get","k") end'],
    ['an error handler', 'xpcall(error, function() while true do end end) while true do end'],
  ])('%s is ended', (_, source) => {
    const client = impatient();
    expect(run(client, source)).toContain(`Script ended after ${scriptTimeMax.value} ms`);
    expect(run(client, 'return 1')).toBe('1');
  });

  test('a script that has written gets longer, and what it wrote stays', () => {
    const client = impatient();
    const reply = run(client, 'redis.call("set","k","v") while true do end');
    expect(reply).toContain(`Script ended after ${scriptWriteTimeMax.value} ms`);
    expect(reply).toContain('what it had written stays');
    expect(show(client.send('GET', 'k'))).toBe('"v"');
  });
});

describe('memory', () => {
  test.each([
    ['one string', 'return string.rep("x",1e9)'],
    ['a growing string', 'local s="x" while true do s=s..s end'],
    ['many values', 'local t={} for i=1,1e9 do t[i]={} end'],
    ['a caught error', 'local ok,e=pcall(string.rep,"x",1e9) return redis.error_reply(e)'],
    ['concatenation', 'local t={} for i=1,200 do t[i]=("x"):rep(1e6) end return table.concat(t)'],
  ])('%s ends in an error', (_, source) => {
    const client = makeFixture().connect();
    expect(run(client, source)).toContain('not enough memory');
    expect(run(client, 'return #string.rep("x",1000)')).toBe('1000');
  });

  test('a machine that has grown is given back, and scripts go on', () => {
    const { server, connect } = makeFixture();
    const client = connect();
    const sha = show(client.send('SCRIPT', 'LOAD', 'return redis.call("incr","n")'));
    expect(run(client, `return #string.rep("x",${25e6})`)).toBe(String(25e6));
    expect(server.scripting.keeper.bytes).toBe(0);
    expect(show(client.send('EVALSHA', sha.slice(1, -1), 0))).toBe('1');
    expect(server.scripting.keeper.bytes).toBeLessThan(limits.scriptMemoryKept.value);
  });

  test('arguments that do not fit are refused', () => {
    const client = makeFixture().connect();
    const big = 'x'.repeat(limits.scriptMemoryMax.value);
    expect(run(client, 'return #ARGV[1]', big)).toContain('not enough memory');
    expect(run(client, 'return #ARGV[1]', 'xyz')).toBe('3');
  });

  test('a reply that does not fit is an error', () => {
    const client = makeFixture().connect();
    client.session.outputBytesMax = 1000;
    expect(run(client, 'local t={} for i=1,1000 do t[i]="xxxxxxxxxx" end return t')).toContain(
      'would take more than 1000 bytes',
    );
    expect(run(client, 'return 1')).toBe('1');
  });
});

describe('depth', () => {
  test.each([
    ['calls', 'local function f() return 1+f() end return f()', 'stack overflow'],
    ['protected calls', 'local function f() return pcall(f) end return {f()}', ''],
    [
      'metamethods',
      'local t={} setmetatable(t,{__index=function(t,k) return t[k] end}) return t.x',
      'overflow',
    ],
    ['replacements', 'local function f() return (("x"):gsub("x",f)) end return f()', 'overflow'],
    ['coroutines', 'local function f() return coroutine.wrap(f)() end return f()', 'overflow'],
    [
      'parentheses',
      'return loadstring("return "..("("):rep(1e5)) or redis.error_reply("E no")',
      'no',
    ],
    ['tables returned', 'local t={} t[1]=t return t', ''],
    ['JSON', 'local t={} t[1]=t return cjson.encode(t)', 'excessive nesting'],
  ])('%s', (_, source, expected) => {
    const client = makeFixture().connect();
    expect(run(client, source)).toContain(expected);
    expect(run(client, 'return redis.call("set","k","v")')).toBe('OK');
  });

  test('a command in the deepest protected call runs whole', () => {
    const client = makeFixture().connect();
    const source =
      'local n=0 local function f() n=n+1 redis.call("hset","h",n,string.rep("x",100)) ' +
      'redis.call("hgetall","h") pcall(f) end f() return n';
    const depth = Number(run(client, source));
    expect(depth).toBeGreaterThan(50);
    expect(show(client.send('HLEN', 'h'))).toBe(String(depth));
  });
});

describe('one script and the next', () => {
  test('nothing is left behind', () => {
    const client = makeFixture().connect();
    run(client, 'redis.setresp(3) KEYS.x=1 ARGV.y=2 collectgarbage("stop") error("x")', 'a');
    expect(run(client, 'return {KEYS.x or "none", ARGV.y or "none", ARGV[1] or "none"}')).toBe(
      '["none","none","none"]',
    );
    expect(run(client, 'return redis.call("get","nokey") == false')).toBe('1');
    run(client, 'coroutine.yield(1)');
    expect(run(client, 'return 7')).toBe('7');
  });

  test('the cache: SCRIPT LOAD, EXISTS, EVALSHA in any case, FLUSH', () => {
    const client = makeFixture().connect();
    const sha = 'e0e1f9fabfc9d4800c877a703b823ac0578ff8db';
    expect(show(client.send('EVALSHA', sha, 0))).toContain('NOSCRIPT');
    expect(show(client.send('SCRIPT', 'LOAD', 'return 1'))).toBe(`"${sha}"`);
    expect(show(client.send('SCRIPT', 'EXISTS', sha, 'nope', sha.toUpperCase()))).toBe('[1,0,1]');
    expect(show(client.send('EVALSHA', sha.toUpperCase(), 0))).toBe('1');
    expect(show(client.send('EVALSHA_RO', sha, 0))).toBe('1');
    expect(show(client.send('SCRIPT', 'FLUSH', 'ASYNC'))).toBe('OK');
    expect(show(client.send('EVALSHA', sha, 0))).toContain('NOSCRIPT');
    expect(show(client.send('EVALSHA', 'short', 0))).toContain('NOSCRIPT');
  });

  test('compiled scripts may fill the machine: it is made anew', () => {
    const { server, connect } = makeFixture();
    const client = connect();
    for (let i = 0; i < 40; i++) {
      const reply = client.send('SCRIPT', 'LOAD', `return #{${'{1},'.repeat(150_000)}${i}}`);
      expect(reply).toMatchObject({ kind: 'bulk' });
    }
    expect(server.scripting.keeper.generation).toBeGreaterThan(1);
    expect(run(client, 'return 1')).toBe('1');
  });

  test('scripts without end are forgotten from the oldest on', () => {
    const { server, connect } = makeFixture();
    const client = connect();
    for (let i = 0; i < 40; i++) {
      run(client, `return ${i} --${'x'.repeat(limits.scriptSourcesMax.value / 32)}`);
    }
    expect(server.scripting.scripts.count).toBeLessThan(33);
    expect(server.scripting.scripts.bytes).toBeLessThanOrEqual(limits.scriptSourcesMax.value);
    expect(run(client, 'return 1')).toBe('1');
  });
});

describe('functions', () => {
  const load = (client: TestClient, code: string): string =>
    show(client.send('FUNCTION', 'LOAD', 'REPLACE', `#!lua name=l\n${code}`));

  test('they outlive their machine', () => {
    const { server, connect } = makeFixture();
    const client = connect();
    load(
      client,
      'redis.register_function("f", function(keys) return redis.call("incr",keys[1]) end)',
    );
    expect(show(client.send('FCALL', 'f', 1, 'n'))).toBe('1');
    server.scripting.keeper.drop();
    expect(show(client.send('FCALL', 'f', 1, 'n'))).toBe('2');
    expect(run(client, 'return redis.call("get","n")')).toBe('"2"');
  });

  test('a library that does not load leaves everything as it was', () => {
    const client = makeFixture().connect();
    load(client, 'redis.register_function("f", function() return 1 end)');
    expect(load(client, 'redis.register_function("g", function() end) nope()')).toContain('nope');
    expect(load(client, 'redis.call("set","k","v")')).toContain("variable 'call'");
    expect(show(client.send('FCALL', 'f', 0))).toBe('1');
    expect(run(client, 'return redis.call("exists","k")')).toBe('0');
  });

  test('a library that loops is ended, and redis is redis again', () => {
    const client = impatient();
    expect(load(client, 'while true do end')).toContain('Script ended after 500 ms');
    expect(load(client, 'while true do pcall(function() while true do end end) end')).toContain(
      'ms',
    );
    expect(run(client, 'return redis.call("ping")')).toBe('PONG');
  });

  test('functions that loop or write too much are ended as scripts are', () => {
    const client = impatient();
    const reader = 'redis.register_function("f", function() while true do end end)';
    expect(load(client, reader)).toBe('"l"');
    expect(show(client.send('FCALL', 'f', 0))).toContain('script: f, on @user_function:2.');
  });

  test('damaged payloads are refused', () => {
    const client = makeFixture().connect();
    load(client, 'redis.register_function("f", function() return 1 end)');
    const { text } = client.send('FUNCTION', 'DUMP') as { text: string };
    for (let at = 0; at < text.length; at += 7) {
      const damaged = `${text.slice(0, at)}\xee${text.slice(at + 1)}`;
      expect(show(client.send('FUNCTION', 'RESTORE', damaged, 'FLUSH'))).toContain('checksum');
    }
    expect(show(client.send('FCALL', 'f', 0))).toBe('1');
  });
});

describe('within a transaction, on a replica, when memory is full', () => {
  test('EVAL in MULTI runs in EXEC', () => {
    const client = makeFixture().connect();
    client.send('MULTI');
    client.send('EVAL', 'return redis.call("incr",KEYS[1])', 1, 'n');
    client.send('INCR', 'n');
    expect(show(client.send('EXEC'))).toBe('[1,2]');
  });

  test('a replica runs scripts that read', () => {
    const { member, connect } = makeFixture();
    const client = connect();
    client.send('SET', 'k', 'v');
    member.currentRole = 'replica';
    expect(run(client, 'return redis.call("get","k")')).toBe('"v"');
    expect(run(client, 'return redis.call("set","k","w")')).toContain('READONLY');
    expect(run(client, '#!lua\nreturn 1')).toContain('READONLY');
    expect(run(client, '#!lua flags=no-writes\nreturn 1')).toBe('1');
  });

  test('a full member refuses what grows', () => {
    const client = makeFixture({ maxMemoryBytes: 1 }).connect();
    expect(run(client, 'return redis.call("set","k","v")')).toContain('OOM');
    expect(run(client, 'return redis.call("del","k")')).toBe('0');
    expect(run(client, '#!lua\nreturn 1')).toContain('OOM allow-oom flag is not set');
    expect(run(client, '#!lua flags=allow-oom\nreturn redis.call("set","k","v")')).toBe('OK');
  });

  test('EVAL_RO refuses writes', () => {
    const client = makeFixture().connect();
    expect(show(client.send('EVAL_RO', 'return redis.call("set","k","v")', 0))).toContain(
      'Write commands are not allowed from read-only scripts',
    );
    expect(show(client.send('EVAL_RO', '#!lua\nreturn 1', 0))).toContain('with write flag');
  });

  test('what a script writes is one batch, and time stands still in it', () => {
    const fixture = makeFixture();
    const client = fixture.connect();
    const { db } = fixture.server;
    client.session.receive(
      Buffer.from(
        '*3\r\n$4\r\nEVAL\r\n$67\r\nfor i=1,3 do redis.call("set","k"..i,i,"px",1) end return redis.call("get","k1")\r\n$1\r\n0\r\n'.replace(
          '$67',
          '$80',
        ),
      ),
    );
    expect(db.takeFrame()).not.toBeNull();
    expect(db.takeFrame()).toBeNull();
  });
});
