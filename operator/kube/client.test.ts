import { KubeConfig } from '@kubernetes/client-node';
import pino from 'pino';
import { isStatus } from './api-error.ts';
import { deleteObject, readResource, replaceStatus } from './apply.ts';
import { type Client, connectWith } from './client.ts';
import { FakeApiServer } from './fake-api-server.ts';
import { type Election, startElection } from './lease.ts';
import { type Item, startReflector } from './reflector.ts';

const log = pino({ level: 'silent' });

/** A client as KUBECONFIG would give it. */
function clientFor(server: string): Client {
  const config = new KubeConfig();
  config.loadFromClusterAndUser({ name: 'test', server, skipTLSVerify: false }, { name: 'nobody' });
  return connectWith(config);
}

async function until(what: string, holds: () => boolean, limitMs = 5_000): Promise<void> {
  const endMs = Date.now() + limitMs;
  while (!holds()) {
    if (Date.now() > endMs) throw new Error(`waited too long: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

describe('against an API server', () => {
  let api: FakeApiServer;
  let client: Client;
  let ending: AbortController;

  beforeEach(async () => {
    api = new FakeApiServer();
    client = clientFor(await api.start());
    ending = new AbortController();
  });

  afterEach(async () => {
    ending.abort();
    await api.stop();
  });

  const follow = (silenceMaxMs?: number) => {
    const seen: string[] = [];
    const reflector = startReflector<Item>({
      client,
      path: '/api/v1/pods',
      log,
      signal: ending.signal,
      onChange: (now, before) => {
        const kind = now === null ? 'gone' : before === null ? 'new' : 'changed';
        seen.push(`${kind} ${(now ?? before)?.metadata.name}`);
      },
      silenceMaxMs,
    });
    return { reflector, seen };
  };
  const pod = (name: string) => ({ metadata: { name, namespace: 'shop' } });

  describe('the reflector', () => {
    test('lists all pages, then follows', async () => {
      for (const name of ['a', 'b', 'c', 'd', 'e']) api.put('pods', pod(name));
      const { reflector, seen } = follow();
      await until('the list', () => reflector.synced());
      expect([...reflector.items.keys()]).toEqual(
        ['a', 'b', 'c', 'd', 'e'].map((n) => `shop/${n}`),
      );
      await until('the watch', () => api.watchCount === 1);
      api.put('pods', pod('f'));
      api.remove('pods', 'shop', 'a');
      await until('both events', () => seen.includes('gone a'));
      expect(reflector.items.has('shop/f')).toBe(true);
    });

    test('goes on after a watch is broken without a word', async () => {
      const { reflector, seen } = follow();
      await until('the watch', () => api.watchCount === 1);
      api.dropWatches();
      await until('another watch', () => api.watchCount === 1);
      api.put('pods', pod('late'));
      await until('the event', () => seen.includes('new late'));
      expect(reflector.items.size).toBe(1);
    });

    test('lists again after 410 and tells what was missed', async () => {
      api.put('pods', pod('old'));
      const { reflector, seen } = follow();
      await until('the watch', () => api.watchCount === 1);
      api.expireWatches();
      api.remove('pods', 'shop', 'old');
      api.put('pods', pod('next'));
      await until('the difference', () => seen.includes('gone old') && seen.includes('new next'));
      expect([...reflector.items.keys()]).toEqual(['shop/next']);
    });

    test('gives up a watch that has gone silent', async () => {
      const { reflector } = follow(150);
      await until('the list', () => reflector.synced());
      const watches = () => api.calls.filter((line) => line === 'GET pods').length;
      const before = watches();
      await until('more watches', () => watches() >= before + 2);
    });

    test('does not ask in a tight loop while the server is away', async () => {
      const { reflector } = follow();
      await until('the list', () => reflector.synced());
      await api.stop();
      await new Promise((resolve) => setTimeout(resolve, 300));
      expect(api.calls.length).toBeLessThan(10);
    });
  });

  describe('writes', () => {
    const resource = (version: string) => ({
      metadata: { name: 'carts', namespace: 'shop', uid: 'u', resourceVersion: version },
      status: { mapVersion: 1 },
    });

    test('of a status are refused with 409 when somebody was quicker', async () => {
      const stored = api.put('activeactivedatabases', { ...pod('carts'), spec: {} });
      const { resourceVersion } = stored.metadata;
      await replaceStatus(client, resource(resourceVersion));
      await expect(replaceStatus(client, resource(resourceVersion))).rejects.toMatchObject({
        code: 409,
      });
      const fresh = await readResource<{ status: unknown }>(client, 'shop', 'carts');
      expect(fresh?.status).toEqual({ mapVersion: 1 });
    });

    test('to a server that is away fail with code 0', async () => {
      await api.stop();
      const thrown = await readResource(client, 'shop', 'carts').catch((error: unknown) => error);
      expect(isStatus(thrown, 0)).toBe(true);
    });

    test('that delete what is already gone are no error', async () => {
      const target = { kind: 'Pod', namespace: 'shop', name: 'x', uid: 'u', force: true } as const;
      await expect(deleteObject(client, target)).resolves.toBeUndefined();
    });
  });

  describe('leader election', () => {
    const striving: Election[] = [];
    afterEach(async () => {
      for (const election of striving.splice(0)) await election.release();
    });

    const strive = (identity: string, changes: string[] = []): Election => {
      const election = startElection({
        client,
        namespace: 'shop',
        name: 'lease',
        identity,
        log,
        onChange: (leader) => changes.push(`${identity} ${leader}`),
        retryMs: 50,
      });
      striving.push(election);
      return election;
    };

    test('has one leader, renews, and hands over when it is released', async () => {
      const first = strive('a');
      await until('a leads', first.isLeader);
      const second = strive('b');
      const renewals = () => api.calls.filter((line) => line === 'PUT leases/lease').length;
      await until('renewals', () => renewals() > 2);
      expect([first.isLeader(), second.isLeader()]).toEqual([true, false]);
      await first.release();
      await until('b leads', second.isLeader);
      expect(first.isLeader()).toBe(false);
    });

    test('writes MicroTime, which an API server insists on', async () => {
      const only = strive('a');
      await until('a leads', only.isLeader);
      const spec = api.get('leases', 'shop', 'lease')?.spec as { renewTime: string };
      expect(spec.renewTime).toMatch(/\.\d{6}Z$/);
    });
  });
});
