/** Users, their rights and what becomes of their connections; the texts are compared with Redis elsewhere. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeFixture, show, type TestClient } from '../command/session-fixture.ts';
import { Args } from '../resp/args.ts';
import type { AclStart } from './acl.ts';
import { openAclFile } from './acl-file.ts';

const fixture = (acl?: AclStart) => makeFixture({}, 1_800_000_000_000, 1, acl);
const say = (client: TestClient, ...words: (string | number)[]): string =>
  show(client.send(...words));

describe('connections', () => {
  test('those of a user that is deleted are closed, others are not', () => {
    const { connect } = fixture({ users: ['a on nopass +@all ~*'] });
    const [admin, gone, stays] = [connect(), connect(), connect()];
    expect(say(gone, 'AUTH', 'a', 'x')).toBe('OK');
    expect(say(admin, 'CLIENT', 'LIST')).toContain('user=a');
    expect(say(admin, 'ACL', 'DELUSER', 'a')).toBe('1');
    expect([gone.session.closing, stays.session.closing]).toEqual([true, false]);
  });

  test('who deletes himself gets his reply and is closed', () => {
    const { connect } = fixture({ users: ['a on nopass +@all ~*'] });
    const client = connect();
    say(client, 'AUTH', 'a', 'x');
    expect(say(client, 'ACL', 'DELUSER', 'a')).toBe('1');
    expect(client.session.closing).toBe(true);
  });

  test('a listener that may not listen any more is closed', () => {
    const { connect } = fixture({ users: ['a on nopass +@all ~* &c &p*'] });
    const [admin, one, two] = [connect(), connect(), connect()];
    for (const client of [one, two]) say(client, 'AUTH', 'a', 'x');
    expect(say(one, 'SUBSCRIBE', 'c')).toContain('subscribe');
    expect(say(two, 'PSUBSCRIBE', 'p*')).toContain('psubscribe');
    expect(say(two, 'PSUBSCRIBE', 'px')).toMatch(/^\(error\) NOPERM/);
    say(admin, 'ACL', 'SETUSER', 'a', 'resetchannels', '&p*');
    expect([one.session.closing, two.session.closing]).toEqual([true, false]);
  });

  test('new rules hold for connections that stand, and KILL finds them by user', () => {
    const { connect } = fixture({ users: ['a on nopass +get ~*'] });
    const [admin, client] = [connect(), connect()];
    say(client, 'AUTH', 'a', 'x');
    expect(say(client, 'GET', 'k')).toBe('null');
    say(admin, 'ACL', 'SETUSER', 'a', '-get');
    expect(say(client, 'GET', 'k')).toMatch(/^\(error\) NOPERM/);
    expect(say(admin, 'CLIENT', 'KILL', 'USER', 'b')).toMatch(/No such user/);
    expect(say(admin, 'CLIENT', 'KILL', 'USER', 'a')).toBe('1');
  });

  test('a default user that is turned off lets nobody in without a name', () => {
    const { connect } = fixture({ users: ['a on >p +@all ~*', 'default off'] });
    const client = connect();
    expect(say(client, 'GET', 'k')).toMatch(/NOAUTH/);
    expect(say(client, 'AUTH', 'default', '')).toMatch(/WRONGPASS/);
    expect(say(client, 'AUTH', 'a', 'p')).toBe('OK');
    expect(say(client, 'GET', 'k')).toBe('null');
    expect(say(client, 'RESET')).toBe('RESET');
    expect(say(client, 'GET', 'k')).toMatch(/NOAUTH/);
  });
});

describe('the log', () => {
  test('the same refusal within a minute is counted, another is an entry of its own', () => {
    const { connect, advance, server } = fixture({ users: ['a on nopass +get ~x'] });
    const client = connect();
    say(client, 'AUTH', 'a', 'x');
    const refusals = () =>
      server.acl.log
        .list(10)
        .map(({ reason, context, object, count }) => [reason, context, object, count]);
    say(client, 'GET', 'y');
    advance(59_000);
    say(client, 'GET', 'y');
    say(client, 'SET', 'x', 1);
    say(client, 'AUTH', 'nobody', 'p');
    expect(refusals()).toEqual([
      ['auth', 'toplevel', 'AUTH', 1],
      ['command', 'toplevel', 'set', 1],
      ['key', 'toplevel', 'y', 2],
    ]);
    advance(61_000);
    say(client, 'GET', 'y');
    expect(refusals()).toHaveLength(4);
  });

  test('ACL LOG shows it, in MULTI with that context, and RESET forgets', () => {
    const { connect } = fixture({ users: ['a on nopass +get +multi ~x'] });
    const [admin, client] = [connect(), connect()];
    say(client, 'AUTH', 'a', 'x');
    say(client, 'MULTI');
    say(client, 'GET', 'y');
    const text = say(admin, 'ACL', 'LOG', 1);
    for (const part of [
      '"context","multi"',
      '"object","y"',
      '"username","a"',
      'cmd=',
      '"entry-id",0',
    ]) {
      expect(text).toContain(part);
    }
    expect(say(admin, 'CONFIG', 'SET', 'acllog-max-len', 0)).toBe('OK');
    say(client, 'GET', 'z');
    expect(say(admin, 'ACL', 'LOG')).toBe('[]');
    expect(say(admin, 'ACL', 'LOG', 'RESET')).toBe('OK');
  });
});

test('a script may do what its caller may', () => {
  const { connect, server } = fixture({ users: ['a on nopass +get ~x'] });
  const client = connect();
  say(client, 'AUTH', 'a', 'x');
  const ask = (...words: string[]) => {
    const args = Args.from(words);
    return server.acl.refusal(client.session, server.commands.resolve(args)!, args, 'lua');
  };
  expect(ask('GET', 'x')).toBeNull();
  expect(ask('GET', 'y')).toMatch(/^ERR The user executing the script can't access/);
  expect(ask('SET', 'x', '1')).toMatch(/^ERR The user executing the script can't run/);
  expect(server.acl.log.list(1)[0].context).toBe('lua');
});

test('keys are sought where the command takes them, whatever its other arguments look like', () => {
  const { connect } = fixture({ users: ['a on nopass +@all ~mine ~STREAMS ~c ~GET'] });
  const [admin, client] = [connect(), connect()];
  say(admin, 'XADD', 'theirs', '1-1', 'f', 'v');
  say(admin, 'SADD', 'mine', 1);
  say(client, 'AUTH', 'a', 'x');
  for (const line of [
    'XREADGROUP GROUP g STREAMS STREAMS theirs >',
    'XREADGROUP GROUP STREAMS c STREAMS theirs >',
    'XREADGROUP COUNT 1 GROUP STREAMS c STREAMS theirs >',
    'XREAD STREAMS mine theirs 0 0',
    'SORT mine STORE theirs BY STORE LIMIT 0 1',
    'SORT mine STORE mine STORE theirs',
    'SORT mine BY nosort STORE theirs LIMIT 0 STORE',
  ]) {
    expect([line, say(client, ...line.split(' '))]).toEqual([
      line,
      expect.stringMatching(/^\(error\) NOPERM .*keys/),
    ]);
  }
});

test('passwords are kept as hashes only', () => {
  const { connect, server } = fixture();
  const client = connect();
  say(client, 'ACL', 'SETUSER', 'a', 'on', '>hello world');
  expect(server.acl.render()).toContain(
    '#b94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9',
  );
  expect(JSON.stringify(server.acl.list().map((user) => user.describe()))).not.toContain('hello');
  expect(say(client, 'AUTH', 'a', 'hello world')).toBe('OK');
});

test('GENPASS gives as many digits as bits ask for, from real chance where there is some', () => {
  const { connect } = fixture({ randomBytes: (length) => new Uint8Array(length).fill(0xab) });
  expect(say(connect(), 'ACL', 'GENPASS')).toBe(`"${'ab'.repeat(32)}"`);
  expect(say(connect(), 'ACL', 'GENPASS', 5)).toBe('"ab"');
  expect(say(connect(), 'ACL', 'GENPASS', 1)).toBe('"a"');
});

describe('the file', () => {
  let directory: string;
  let path: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'meridian-acl-'));
    path = join(directory, 'users.acl');
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  test('what SAVE writes is what LOAD reads, and nothing else is left behind', () => {
    writeFileSync(path, '# people\n\nuser a on >p ~x* %R~r &c -@all +get +config|get (+set ~y)\n');
    const { connect } = fixture({ file: openAclFile(path) });
    const client = connect();
    const before = say(client, 'ACL', 'LIST');
    expect(say(client, 'ACL', 'SAVE')).toBe('OK');
    expect(say(client, 'ACL', 'LOAD')).toBe('OK');
    expect(say(client, 'ACL', 'LIST')).toBe(before);
    expect(before).toContain('~x* %R~r resetchannels &c -@all +get +config|get (~y');
    expect(readFileSync(path, 'latin1')).toContain('user default on nopass ~* &* +@all\n');
    expect(readdirSync(directory)).toEqual(['users.acl']);
  });

  test('LOAD closes the connections of users that have changed or are gone, and of no others', () => {
    writeFileSync(
      path,
      'user a on nopass +@all ~*\nuser b on nopass +@all ~*\nuser c on nopass +@all ~*\n',
    );
    const { connect } = fixture({ file: openAclFile(path) });
    const [admin, a, b, c] = [connect(), connect(), connect(), connect()];
    say(a, 'AUTH', 'a', 'x');
    say(b, 'AUTH', 'b', 'x');
    say(c, 'AUTH', 'c', 'x');
    writeFileSync(path, 'user a on nopass +@all ~*\nuser b on nopass +get ~*\n');
    expect(say(admin, 'ACL', 'LOAD')).toBe('OK');
    expect([a, b, c, admin].map(({ session }) => session.closing)).toEqual([
      false,
      true,
      true,
      false,
    ]);
    say(admin, 'ACL', 'SETUSER', 'a', '-get');
    expect(say(a, 'GET', 'k')).toMatch(/NOPERM/);
  });

  test('with one wrong line nothing of it holds', () => {
    writeFileSync(path, 'user a on nopass +get\n');
    const { connect } = fixture({ file: openAclFile(path) });
    const client = connect();
    writeFileSync(path, 'user b on\nuser a +nope\nperson c\nuser b off\nuser d (+get\n');
    const reply = say(client, 'ACL', 'LOAD');
    for (const part of [
      `${path}:2: '+nope'. Unknown`,
      ':3: line should',
      ':4: ',
      ':5: Unmatched',
    ]) {
      expect(reply).toContain(part);
    }
    expect(say(client, 'ACL', 'USERS')).toBe('["a","default"]');
    rmSync(path);
    expect(say(client, 'ACL', 'LOAD')).toMatch(/--aclfile: ENOENT/);
    expect(() => fixture({ file: openAclFile(path) })).toThrow(/make it, it may be empty/);
    expect(say(client, 'ACL', 'SAVE')).toBe('OK');
    rmSync(path);
  });

  test('users from the command line are checked at the start', () => {
    expect(() => fixture({ users: ['a on +nope'] })).toThrow("--user: a: '+nope': Unknown command");
    expect(() => fixture({ users: ['a (+get'] })).toThrow(/has no end/);
  });
});
