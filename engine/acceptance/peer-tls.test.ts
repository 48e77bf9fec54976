/**
 * Shell: regions that reach each other by mutual TLS, as real processes: who is who is decided by certificates,
 * a wrong one is refused in words that both journals have, and clients notice nothing of it.
 */
import { Redis } from 'ioredis';
import { renewable, tlsFlags } from './certificates.ts';
import { type Engine, end, freePort, startEngine, stopAll, until } from './processes.ts';

const clients: Redis[] = [];

afterEach(async () => {
  for (const client of clients.splice(0)) client.disconnect();
  await stopAll();
});

function clientOf(engine: Engine): Redis {
  const client = new Redis({ port: engine.port, retryStrategy: () => null });
  client.on('error', () => {});
  clients.push(client);
  return client;
}

type Options = { runtime?: 'bun' | 'node'; flags?: string[]; peerPort?: number };

/** eu and us as each other's peers; `us` says what us shows. */
async function startPair(
  us: string[],
  eu = tlsFlags('peer-tls', 'peer-eu'),
  options: Options = {},
) {
  const [euPeer, usPeer] = [await freePort(), await freePort()];
  const [euEngine, usEngine] = await Promise.all([
    startEngine({
      ...{ region: 'eu', regionNumber: 1, peerPort: euPeer, ...options },
      flags: [...eu, '--peer', `us=127.0.0.1:${usPeer}`],
    }),
    startEngine({
      ...{ region: 'us', regionNumber: 2, peerPort: usPeer, ...options },
      flags: [...us, '--peer', `eu=127.0.0.1:${euPeer}`],
    }),
  ]);
  return { eu: euEngine, us: usEngine };
}

async function connected(client: Redis): Promise<boolean> {
  const { peers } = JSON.parse((await client.call('CRDT.STATUS', 'JSON')) as string);
  return peers.length > 0 && peers.every((peer: { connected: boolean }) => peer.connected);
}

const linked = (client: Redis) =>
  until('all links', async () => ((await connected(client)) ? true : undefined));

const logs = (engine: Engine, words: RegExp) =>
  until(`${words} in the journal`, () => (words.test(engine.log()) ? true : undefined)).catch(
    (error: Error) => {
      throw new Error(`${error.message}\n${engine.log()}`);
    },
  );

test.each(['bun', 'node'] as const)(
  'right certificates under %s: writes travel both ways',
  async (runtime) => {
    const pair = await startPair(tlsFlags('peer-tls', 'peer-us'), undefined, { runtime });
    const [eu, us] = [clientOf(pair.eu), clientOf(pair.us)];
    await Promise.all([linked(eu), linked(us)]);
    await eu.set('from', 'eu');
    const large = Buffer.alloc(12_000_000, 'abcdefg');
    await us.set('large', large);
    expect(await eu.call('CRDT.WAIT', '1', '5000')).toBe(1);
    expect(await us.call('CRDT.WAIT', '1', '10000')).toBe(1);
    expect(await us.get('from')).toBe('eu');
    expect((await eu.getBuffer('large'))?.equals(large)).toBe(true);
  },
);

test.each([
  ['of another CA', 'peer-us-of-other-ca', /none of the CAs given here has signed it/],
  ['of another database', 'peer-us-of-other-database', /orders\/region\/us; it needs meridian:/],
  ['that has expired', 'peer-us-expired', /CN=peer-us-expired.* is not trusted: it has expired/],
  ['of another region', 'peer-eu-renewed', /it needs meridian:\/\/default\/region\/us/],
])(
  'a certificate %s is refused, both journals say why, and clients go on',
  async (_what, name, words) => {
    const pair = await startPair(tlsFlags('peer-tls', name));
    const [eu, us] = [clientOf(pair.eu), clientOf(pair.us)];
    for (let i = 0; i < 50; i++) await Promise.all([eu.incr('mine'), us.incr('mine')]);
    await Promise.all([logs(pair.eu, words), logs(pair.us, words)]);
    expect(await connected(eu)).toBe(false);
    expect(await connected(us)).toBe(false);
    expect(await Promise.all([eu.get('mine'), us.get('mine')])).toEqual(['50', '50']);
  },
);

test('plain and TLS do not meet, and each journal says what is missing', async () => {
  const pair = await startPair([]);
  await logs(pair.us, /if it speaks TLS, start this one with --peer-tls-cert/);
  await logs(pair.eu, /it does not speak TLS/);
  expect(await connected(clientOf(pair.eu))).toBe(false);
});

test('plain links beyond this machine need --insecure-peers, which says so at the start', async () => {
  const everywhere = ['--bind', '0.0.0.0'];
  await expect(startEngine({ flags: everywhere })).rejects.toThrow(/--insecure-peers allows plain/);
  const engine = await startEngine({ flags: [...everywhere, '--insecure-peers'] });
  expect(engine.log()).toMatch(/insecure peers: peer links are plain TCP, not encrypted/);
});

test('the secret is proved inside TLS, too', async () => {
  const secret = (word: string) => ['--peer-secret', word];
  const pair = await startPair(
    [...tlsFlags('peer-tls', 'peer-us'), ...secret('one')],
    [...tlsFlags('peer-tls', 'peer-eu'), ...secret('two')],
  );
  await logs(pair.eu, /the peer secret is not the same here/);
  expect(await connected(clientOf(pair.eu))).toBe(false);
});

test('a renewed certificate is used by new links, the standing one goes on', async () => {
  const renewal = renewable('peer-tls', 'peer-eu');
  const pair = await startPair(tlsFlags('peer-tls', 'peer-us'), renewal.flags);
  const [eu, us] = [clientOf(pair.eu), clientOf(pair.us)];
  await Promise.all([linked(eu), linked(us)]);
  renewal.renew('peer-eu-renewed');
  pair.eu.child.kill('SIGHUP');
  await logs(pair.eu, /certificate reloaded; new connections use it/);
  await eu.set('k', 'after the renewal');
  expect(await eu.call('CRDT.WAIT', '1', '5000')).toBe(1);
  expect(pair.us.log()).not.toMatch(/a link has ended.*closed/);
  await us.call('CRDT.LINK', 'eu', 'PAUSE');
  await us.call('CRDT.LINK', 'eu', 'RESUME');
  await Promise.all([linked(eu), linked(us)]);
});

test('through proxies: links of both regions are certified end by end', async () => {
  const database = ['--database', 'shop/carts'];
  const regions = [
    { name: 'eu', number: 1, peerPort: await freePort(), tls: tlsFlags('peer-tls', 'peer-eu') },
    { name: 'us', number: 2, peerPort: await freePort(), tls: tlsFlags('peer-tls', 'peer-us') },
  ];
  const started = await Promise.all(
    regions.map(async ({ name, number, peerPort, tls }) => {
      const common = { region: name, regionNumber: number };
      const flags = [...database, ...tls];
      const shard = ['--managed', '--member', 'carts-0-0'];
      const member = await startEngine({ ...common, flags: [...flags, ...shard] });
      const proxy = await startEngine({
        ...common,
        peerPort,
        flags: [...flags, '--role', 'proxy'],
      });
      return { member, proxy };
    }),
  );
  for (const [i, { name, number }] of regions.entries()) {
    const { member, proxy } = started[i];
    const other = regions[1 - i];
    const { port, peerPort } = member;
    const entry = { name: 'carts-0-0', host: '127.0.0.1', port, peerPort, zone: 'a' };
    const map = {
      ...{ version: 1, database: 'shop/carts', region: name, regionNumber: number },
      shards: [{ slots: '0-16383', epoch: 1, primary: 'carts-0-0', members: [entry] }],
      regions: [{ ...other, tls: undefined, endpoint: `127.0.0.1:${other.peerPort}` }],
    };
    for (const { port } of [member, proxy]) {
      const client = new Redis({ port, enableReadyCheck: false });
      expect(await client.call('CRDT.MAP', 'SET', JSON.stringify(map))).toBe('OK');
      client.disconnect();
    }
  }
  const [eu, us] = started.map(({ proxy }) => clientOf(proxy));
  await eu.set('k', 'v');
  await until('the write in us', async () => ((await us.get('k')) === 'v' ? true : undefined));

  // A third who holds a certificate for us may not say that it is ap.
  const liar = await startEngine({
    ...{ region: 'ap', regionNumber: 3 },
    flags: [...database, ...tlsFlags('peer-tls', 'peer-us')].concat([
      ...['--peer', `eu=127.0.0.1:${regions[0].peerPort}`],
    ]),
  });
  const words = /the certificate is for region us, but HELLO says ap/;
  await logs(liar, words);
  await logs(started[0].proxy, words);
  await end(liar);
  await us.set('k', 'w');
  await until('the answer in eu', async () => ((await eu.get('k')) === 'w' ? true : undefined));
});
