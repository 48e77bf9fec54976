import { type Config, parseBytes, readConfig } from './config.ts';
import { flags } from './flags.ts';
import { limits } from './limits.ts';

const least = ['--region', 'eu', '--region-number', '1'];

function config(...args: string[]): Config {
  const result = readConfig([...least, ...args], {});
  if ('errors' in result) throw new Error(result.errors.join('\n'));
  return result.config;
}

function errors(...args: string[]): readonly string[] {
  const result = readConfig(args, {});
  return 'errors' in result ? result.errors : [];
}

describe('flags', () => {
  test('two are enough, the others have defaults', () => {
    expect(config()).toMatchObject({
      role: 'shard',
      region: 'eu',
      regionNumber: 1,
      database: 'default',
      bind: '127.0.0.1',
      port: 6379,
      peerPort: 7380,
      dir: null,
      fsync: 'everysec',
      slots: { first: 0, last: 16_383 },
      managed: false,
    });
  });

  test('an unknown flag is refused with the list of the known ones', () => {
    const [error] = errors(...least, '--colour', 'red');
    expect(error).toContain('unknown flag --colour');
    for (const { name } of flags) expect(error).toContain(`--${name}`);
  });

  test('everything that is wrong is told at once', () => {
    const found = errors('--region-number', '17', '--fsync', 'sometimes', '--port', 'x');
    expect(found).toEqual([
      '--region: must be given',
      '--region-number: "17" must be a whole number from 1 to 16',
      '--port: "x" must be a whole number from 0 to 65535',
      '--fsync: "sometimes" is not one of always, everysec, no',
    ]);
  });

  test('peers repeat, and may be IPv6', () => {
    const { peers } = config('--peer', 'us=10.0.0.1:7102', '--peer=ap=[::1]:7103');
    expect(peers).toEqual([
      { region: 'us', host: '10.0.0.1', port: 7102 },
      { region: 'ap', host: '::1', port: 7103 },
    ]);
  });

  test('a region is no peer of itself, and none comes twice', () => {
    expect(errors(...least, '--peer', 'eu=h:1')).toEqual(['--peer: eu is this region itself']);
    const twice = errors(...least, '--peer', 'us=h:1', '--peer', 'us=h:2');
    expect(twice).toEqual(['--peer: us is given twice']);
  });

  test('TLS needs its files, and port 0 another port', () => {
    const files = ['--tls-cert', 'c', '--tls-key', 'k'];
    expect(config('--port', '0', '--tls-port', '6380', ...files)).toMatchObject({
      port: null,
      tlsPort: 6380,
      tls: { cert: 'c', key: 'k', ca: null },
      tlsAuthClients: 'no',
      peerTls: null,
    });
    expect(config(...files, '--tls-ca', 'a').tlsAuthClients).toBe('optional');
    expect(config(...files, '--tls-ca', 'a', '--tls-auth-clients', 'yes').tlsAuthClients).toBe(
      'yes',
    );
    expect(errors(...least, '--port', '0')[0]).toContain('needs --tls-port');
    expect(errors(...least, '--tls-port', '1')[0]).toContain('needs --tls-cert and --tls-key');
    expect(errors(...least, ...files, '--tls-auth-clients', 'yes')[0]).toContain('needs --tls-ca');
    expect(errors(...least, '--tls-ca', 'a')[0]).toContain('must both be given');
    expect(errors(...least, '--peer-tls-cert', 'c', '--peer-tls-key', 'k')[0]).toContain(
      '--peer-tls-ca: must be given',
    );
    expect(errors(...least, '--tls-cluster', 'yes')[0]).toContain('not known to the role shard');
  });

  test('plain peer links leave the machine only when that is said', () => {
    for (const bind of ['127.0.0.1', '127.16.1.2', '::1', 'localhost']) {
      expect(config('--bind', bind).insecurePeers).toBe(false);
    }
    for (const bind of ['0.0.0.0', '::', '10.1.2.3', '127.0.0.1.example.com']) {
      expect(errors(...least, '--bind', bind)[0]).toMatch(/^--peer-tls-cert: .*--insecure-peers/);
      expect(config('--bind', bind, '--insecure-peers').insecurePeers).toBe(true);
    }
    const files = ['--peer-tls-cert', 'c', '--peer-tls-key', 'k', '--peer-tls-ca', 'a'];
    expect(config('--bind', '0.0.0.0', ...files).peerTls).toEqual({ cert: 'c', key: 'k', ca: 'a' });
    expect(errors(...least, ...files, '--insecure-peers')[0]).toContain('contradicts');
  });

  test('a managed member takes no peers from the command line', () => {
    expect(errors(...least, '--managed', '--peer', 'us=h:1')[0]).toContain('CRDT.MAP');
  });

  test('a proxy knows no flags of a shard, and has its own peer port', () => {
    expect(config('--role', 'proxy').peerPort).toBe(7443);
    const found = errors(...least, '--role', 'proxy', '--dir', '/x');
    expect(found).toEqual(['--dir: not known to the role proxy']);
  });

  test('a flag without its value is told', () => {
    expect(errors(...least, '--dir')).toEqual(['--dir: needs a value (DIR)']);
  });

  test('secrets may come from the environment; a flag comes first', () => {
    const environment = { MERIDIAN_REQUIREPASS: 'a', MERIDIAN_PEER_SECRET: 'b' };
    const result = readConfig([...least, '--requirepass', 'c'], environment);
    expect(result).toMatchObject({ config: { requirepass: 'c', peerSecret: 'b' } });
  });

  test('users stand in a file or in flags, and a proxy may be another user at the members', () => {
    expect(config('--user', 'a on', '--user', 'b off').users).toEqual(['a on', 'b off']);
    expect(errors(...least, '--user', 'a on', '--aclfile', 'f')[0]).toContain('contradicts');
    expect(errors(...least, '--user', ' on')[0]).toContain('must begin with a name');
    expect(errors(...least, '--role', 'proxy', '--masteruser', 'p')[0]).toContain('--masterauth');
    expect(errors(...least, '--masteruser', 'p')).toContain(
      '--masteruser: not known to the role shard',
    );
  });

  test("bytes are written in Redis' units", () => {
    expect(['100', '1k', '1kb', '2mb', '1g'].map(parseBytes)).toEqual([
      100,
      1000,
      1024,
      2 * 1024 * 1024,
      1_000_000_000,
    ]);
    expect(parseBytes('many')).toBeNull();
  });
});

test('every limit says its unit and what happens when it is reached', () => {
  for (const limit of Object.values(limits)) {
    expect(limit.value).toBeGreaterThan(0);
    expect(limit.unit).not.toBe('');
    expect(limit.reached.length).toBeGreaterThan(20);
  }
});
