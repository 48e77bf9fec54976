/**
 * Shell: clients over TLS against real processes: an engine under each runtime, and a proxy that reaches its
 * two shards by TLS, none of which has a plain port.
 */
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import { Redis } from 'ioredis';
import { createClient } from 'redis';
import { clientTls, renewable, tlsFlags } from './certificates.ts';
import { type Engine, exchange, freePort, startEngine, stopAll, until } from './processes.ts';

afterAll(stopAll);

/** An engine whose only client port speaks TLS. */
async function startTls(flags: readonly string[], runtime: 'bun' | 'node' = 'bun') {
  const tlsPort = await freePort();
  const all = ['--tls-port', `${tlsPort}`, ...flags];
  const engine = await startEngine({ runtime, port: 0, flags: all });
  return { engine, tlsPort };
}

async function startShardedTls(): Promise<number> {
  const server = tlsFlags('tls', 'server');
  const member = ['--tls-auth-clients', 'yes', '--managed', '--database', 'shop/carts', ...server];
  const shards = await Promise.all(
    ['0-8191', '8192-16383'].map(async (slots, shard) => {
      const flags = [...member, '--slots', slots, '--member', `carts-${shard}-0`];
      return { slots, ...(await startTls(flags)) };
    }),
  );
  const proxyFlags = ['--role', 'proxy', '--database', 'shop/carts', '--tls-cluster', 'yes'];
  const proxy = await startTls([...proxyFlags, ...server]);
  const map = {
    version: 1,
    database: 'shop/carts',
    region: 'eu',
    regionNumber: 1,
    shards: shards.map(({ slots, engine, tlsPort }, shard) => {
      const name = `carts-${shard}-0`;
      const address = { host: '127.0.0.1', port: tlsPort, peerPort: engine.peerPort, zone: 'a' };
      return { slots, epoch: 1, primary: name, members: [{ name, ...address }] };
    }),
    regions: [],
  };
  for (const port of [...shards.map(({ tlsPort }) => tlsPort), proxy.tlsPort]) {
    const client = new Redis({ port, enableReadyCheck: false, tls: clientTls('client') });
    expect(await client.call('CRDT.MAP', 'SET', JSON.stringify(map))).toBe('OK');
    client.disconnect();
  }
  return proxy.tlsPort;
}

/** What came back until the server closed, or the error. */
function ask(port: number, options: ConnectionOptions, text = 'PING\r\n'): Promise<string> {
  return new Promise((resolve) => {
    let reply = '';
    const socket = connect({ port, host: '127.0.0.1', ...options }, () => socket.write(text));
    socket.on('data', (chunk) => {
      reply += chunk;
      if (reply.endsWith('+PONG\r\n')) socket.end();
    });
    socket.on('error', ({ message }) => resolve(`error: ${message}`));
    socket.on('close', () => resolve(reply));
  });
}

describe.each(['bun', 'node', 'proxy'] as const)('over TLS: %s', (target) => {
  let port: number;
  beforeAll(async () => {
    const flags = tlsFlags('tls', 'server');
    port = target === 'proxy' ? await startShardedTls() : (await startTls(flags, target)).tlsPort;
  }, 60_000);

  test('ioredis pipelines, counts and keeps large binary values', async () => {
    const client = new Redis({ port, tls: clientTls() });
    const pipeline = client.pipeline();
    for (let i = 0; i < 1000; i++) pipeline.incr('hits');
    const replies = await pipeline.exec();
    expect(replies?.at(-1)).toEqual([null, 1000]);
    const large = Buffer.alloc(20_000_000, 'abcdefg');
    expect(await client.set('large', large)).toBe('OK');
    expect((await client.getBuffer('large'))?.equals(large)).toBe(true);
    expect(await client.mset('a', '1', 'b', '2', 'c', '3')).toBe('OK');
    expect(await client.mget('a', 'b', 'c')).toEqual(['1', '2', '3']);
    client.disconnect();
  });

  test('node-redis works in RESP3 and receives pushes', async () => {
    const tls = { tls: true as const, port, host: '127.0.0.1', ...clientTls() };
    const client = createClient({ socket: tls, RESP: 3 });
    const subscriber = createClient({ socket: tls, RESP: 3 });
    await Promise.all([client.connect(), subscriber.connect()]);
    const got: string[] = [];
    await subscriber.subscribe('news', (message) => got.push(message));
    await client.hSet('user', { name: 'ada' });
    expect({ ...(await client.hGetAll('user')) }).toEqual({ name: 'ada' });
    await client.publish('news', 'hello');
    await until('the message', () => (got.length === 1 ? true : undefined));
    await Promise.all([client.close(), subscriber.close()]);
  });

  test('a plain client gets no reply, and the others do not notice', async () => {
    const client = new Redis({ port, tls: clientTls() });
    await client.set('k', 'v');
    const { reply, closed } = await exchange(port, 'PING\r\n', 2000);
    expect(reply).not.toContain('PONG');
    expect(closed).toBe(true);
    expect(await client.get('k')).toBe('v');
    client.disconnect();
  });

  test('a certificate is optional, but one of another CA is refused with words', async () => {
    expect(await ask(port, clientTls('client'))).toBe('+PONG\r\n');
    const stranger = { ...clientTls('client-of-other-ca') };
    expect(await ask(port, stranger)).toBe(
      '-NOPERM TLS client certificate refused: the certificate "CN=client-of-other-ca" is not ' +
        'trusted: none of the CAs given here has signed it\r\n',
    );
  });
});

test('--tls-auth-clients yes lets only clients with a certificate in; no does not ask', async () => {
  const server = tlsFlags('tls', 'server');
  const strict = await startTls([...server, '--tls-auth-clients', 'yes']);
  expect(await ask(strict.tlsPort, clientTls())).toMatch(/^-NOPERM .*no certificate was shown/);
  expect(await ask(strict.tlsPort, clientTls('client'))).toBe('+PONG\r\n');
  await until('the line in the journal', () =>
    /a client was refused by TLS/.test(strict.engine.log()) ? true : undefined,
  );
  const open = await startTls([...server, '--tls-auth-clients', 'no']);
  expect(await ask(open.tlsPort, clientTls('client-of-other-ca'))).toBe('+PONG\r\n');
});

test('both ports may be open, and a TLS client on the plain one fails at once', async () => {
  const tlsPort = await freePort();
  const engine = await startEngine({
    flags: ['--tls-port', `${tlsPort}`, ...tlsFlags('tls', 'server')],
  });
  const [plain, secure] = [new Redis(engine.port), new Redis({ port: tlsPort, tls: clientTls() })];
  await plain.set('k', 'v');
  expect(await secure.get('k')).toBe('v');
  expect(await secure.config('GET', 'tls-port')).toEqual(['tls-port', `${tlsPort}`]);
  expect(await ask(engine.port, clientTls())).toMatch(/^error: .*(wrong version number|record)/i);
  plain.disconnect();
  secure.disconnect();
});

describe('a renewed certificate', () => {
  const subject = (port: number): Promise<string> =>
    new Promise((resolve, reject) => {
      const socket: TLSSocket = connect({ port, host: '127.0.0.1', ...clientTls() }, () => {
        resolve(String(socket.getPeerCertificate().subject.CN));
        socket.destroy();
      });
      socket.on('error', reject);
    });

  test.each(['bun', 'node'] as const)(
    'serves new connections under %s while clients write, and drops none',
    async (runtime) => {
      const { flags, renew } = renewable('tls', 'server');
      const { engine, tlsPort } = await startTls(flags, runtime);
      const clients = Array.from({ length: 8 }, () => {
        const client = new Redis({ port: tlsPort, tls: clientTls(), retryStrategy: () => null });
        client.on('error', () => {});
        return client;
      });
      let ended = 0;
      for (const client of clients) client.on('close', () => ended++);
      let writing = true;
      const writers = clients.map(async (client, i) => {
        let n = 0;
        while (writing) expect(await client.incr(`count:${i}`)).toBe(++n);
        return n;
      });
      expect(await subject(tlsPort)).toBe('server');
      renew('server-renewed');
      engine.child.kill('SIGHUP');
      await until('the new certificate', async () =>
        (await subject(tlsPort)) === 'server-renewed' ? true : undefined,
      );
      renew('server');
      // No signal this time: the files are read every five seconds.
      await until(
        'the next certificate',
        async () => ((await subject(tlsPort)) === 'server' ? true : undefined),
        8000,
      );
      writing = false;
      const counts = await Promise.all(writers);
      expect(Math.min(...counts)).toBeGreaterThan(10);
      expect(ended).toBe(0);
      for (const client of clients) client.disconnect();
    },
  );
});

test('flags that cannot work together end the process with words', async () => {
  const start = (...flags: string[]): Promise<Engine> => startEngine({ flags });
  await expect(start('--tls-port', '1', '--tls-cert', 'x')).rejects.toThrow(/--tls-key: must both/);
  const [cert, key] = ['/nowhere.pem', '/nowhere.key'];
  const missing = start('--tls-port', '1', '--tls-cert', cert, '--tls-key', key);
  await expect(missing).rejects.toThrow(/cannot read \/nowhere\.pem/);
});
