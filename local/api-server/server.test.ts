import { Watch } from '@kubernetes/client-node';
import { eventually, type Fixture, patchAs, startFixture } from './fixture.ts';
import type { Open } from './resource.ts';

let fixture: Fixture;
const namespace = 'default';

beforeAll(async () => {
  fixture = await startFixture({ bookmarkIntervalMs: 50 });
});
afterAll(() => fixture.server.close());

function configMap(name: string, more: Open = {}): Open {
  return { metadata: { name, ...more.metadata }, data: { a: '1', ...more.data } };
}

async function failure(attempt: Promise<unknown>): Promise<Open> {
  const error = await attempt.then(
    () => null,
    (thrown: Open) => thrown,
  );
  if (error === null) throw new Error('did not fail');
  return { code: error.code, ...JSON.parse(error.body) };
}

describe('objects', () => {
  test('a created object is read back with identity, version and time', async () => {
    const { core } = fixture;
    const made = await core.createNamespacedConfigMap({ namespace, body: configMap('made') });
    const read = await core.readNamespacedConfigMap({ namespace, name: 'made' });
    expect(read).toEqual(made);
    expect(read.metadata?.uid).toMatch(/^[0-9a-f-]{36}$/);
    expect(Number(read.metadata?.resourceVersion)).toBeGreaterThan(0);
    expect(read.metadata?.creationTimestamp).toBeInstanceOf(Date);
  });

  test('a second object of the same name is refused', async () => {
    const { core } = fixture;
    await core.createNamespacedConfigMap({ namespace, body: configMap('twice') });
    const error = await failure(
      core.createNamespacedConfigMap({ namespace, body: configMap('twice') }),
    );
    expect(error).toMatchObject({ code: 409, reason: 'AlreadyExists', kind: 'Status' });
    expect(error.message).toBe('configmaps "twice" already exists');
  });

  test('generateName makes a name', async () => {
    const body = { metadata: { generateName: 'some-' } };
    const made = await fixture.core.createNamespacedConfigMap({ namespace, body });
    expect(made.metadata?.name).toMatch(/^some-[a-z0-9]{5}$/);
  });

  test('what does not exist is a 404 Status', async () => {
    const error = await failure(fixture.core.readNamespacedSecret({ namespace, name: 'none' }));
    expect(error).toMatchObject({ code: 404, reason: 'NotFound', status: 'Failure' });
    expect(error.details).toEqual({ name: 'none', kind: 'secrets' });
    const nowhere = fixture.core.createNamespacedSecret({
      namespace: 'nowhere',
      body: { metadata: { name: 'x' } },
    });
    expect((await failure(nowhere)).message).toBe('namespaces "nowhere" not found');
  });

  test('an update from an old version is a conflict', async () => {
    const { core } = fixture;
    const made = await core.createNamespacedConfigMap({ namespace, body: configMap('raced') });
    const first = { ...made, data: { a: '2' } };
    const changed = await core.replaceNamespacedConfigMap({
      namespace,
      name: 'raced',
      body: first,
    });
    expect(changed.data).toEqual({ a: '2' });
    const error = await failure(
      core.replaceNamespacedConfigMap({ namespace, name: 'raced', body: made }),
    );
    expect(error).toMatchObject({ code: 409, reason: 'Conflict' });
    expect(error.message).toContain('the object has been modified');
  });

  test('an update that changes nothing keeps the version', async () => {
    const { core } = fixture;
    const made = await core.createNamespacedConfigMap({ namespace, body: configMap('same') });
    const again = await core.replaceNamespacedConfigMap({ namespace, name: 'same', body: made });
    expect(again.metadata?.resourceVersion).toBe(made.metadata?.resourceVersion);
  });

  test('merge patch, JSON patch and strategic merge patch', async () => {
    const { core } = fixture;
    await core.createNamespacedConfigMap({ namespace, body: configMap('patched') });
    const name = 'patched';
    const merge = { data: { a: null, b: '2' } };
    await core.patchNamespacedConfigMap({ namespace, name, body: merge }, patchAs.merge);
    const json = [{ op: 'add', path: '/data/c', value: '3' }];
    await core.patchNamespacedConfigMap({ namespace, name, body: json }, patchAs.json);
    const read = await core.readNamespacedConfigMap({ namespace, name });
    expect(read.data).toEqual({ b: '2', c: '3' });
    const test = [{ op: 'test', path: '/data/c', value: '4' }];
    const error = await failure(
      core.patchNamespacedConfigMap({ namespace, name, body: test }, patchAs.json),
    );
    expect(error.code).toBe(422);
  });

  test('dry run stores nothing', async () => {
    const { core } = fixture;
    await core.createNamespacedConfigMap({ namespace, body: configMap('dry'), dryRun: 'All' });
    const error = await failure(core.readNamespacedConfigMap({ namespace, name: 'dry' }));
    expect(error.code).toBe(404);
  });

  test('labels that Kubernetes refuses are refused', async () => {
    const body = configMap('labelled', { metadata: { labels: { a: 'not allowed' } } });
    const error = await failure(fixture.core.createNamespacedConfigMap({ namespace, body }));
    expect(error).toMatchObject({ code: 422, reason: 'Invalid' });
  });
});

describe('delete', () => {
  test('preconditions on the uid', async () => {
    const { core } = fixture;
    await core.createNamespacedConfigMap({ namespace, body: configMap('kept') });
    const body = { preconditions: { uid: 'another' } };
    const error = await failure(core.deleteNamespacedConfigMap({ namespace, name: 'kept', body }));
    expect(error).toMatchObject({ code: 409, reason: 'Conflict' });
  });

  test('a finalizer holds the object until it is taken away', async () => {
    const { core } = fixture;
    const name = 'held';
    const finalizers = ['meridian.dev/test'];
    await core.createNamespacedConfigMap({
      namespace,
      body: configMap(name, { metadata: { finalizers } }),
    });
    await core.deleteNamespacedConfigMap({ namespace, name });
    const held = await core.readNamespacedConfigMap({ namespace, name });
    expect(held.metadata?.deletionTimestamp).toBeDefined();
    const more = { metadata: { finalizers: [...finalizers, 'meridian.dev/other'] } };
    const refused = core.patchNamespacedConfigMap({ namespace, name, body: more }, patchAs.merge);
    expect((await failure(refused)).code).toBe(422);
    const none = { metadata: { finalizers: null } };
    await core.patchNamespacedConfigMap({ namespace, name, body: none }, patchAs.merge);
    expect((await failure(core.readNamespacedConfigMap({ namespace, name }))).code).toBe(404);
  });
});

describe('lists', () => {
  test('pages show one moment, whatever happens meanwhile', async () => {
    const { core } = fixture;
    for (const name of ['p1', 'p2', 'p3']) {
      const body = configMap(name, { metadata: { labels: { page: 'yes' } } });
      await core.createNamespacedConfigMap({ namespace, body });
    }
    const query = { namespace, labelSelector: 'page=yes', limit: 2 };
    const first = await core.listNamespacedConfigMap(query);
    expect(first.items.map((item) => item.metadata?.name)).toEqual(['p1', 'p2']);
    expect(first.metadata?.remainingItemCount).toBe(1);
    await core.deleteNamespacedConfigMap({ namespace, name: 'p3' });
    const rest = { ...query, _continue: first.metadata?._continue };
    const second = await core.listNamespacedConfigMap(rest);
    expect(second.items.map((item) => item.metadata?.name)).toEqual(['p3']);
    expect(second.metadata?.resourceVersion).toBe(first.metadata?.resourceVersion);
    fixture.server.compact();
    const error = await failure(core.listNamespacedConfigMap(rest));
    expect(error).toMatchObject({ code: 410, reason: 'Expired' });
  });

  test('selectors by label and field', async () => {
    const { core } = fixture;
    for (const [name, tier] of Object.entries({ s1: 'a', s2: 'b', s3: 'c' })) {
      const body = configMap(name, { metadata: { labels: { tier } } });
      await core.createNamespacedConfigMap({ namespace, body });
    }
    const names = async (labelSelector?: string, fieldSelector?: string) => {
      const list = await core.listNamespacedConfigMap({ namespace, labelSelector, fieldSelector });
      return list.items.map((item) => item.metadata?.name).join();
    };
    expect(await names('tier in (a,b)')).toBe('s1,s2');
    expect(await names('tier,tier notin (a,b)')).toBe('s3');
    expect(await names('tier!=a,tier')).toBe('s2,s3');
    expect(await names(undefined, 'metadata.name=s2')).toBe('s2');
  });
});

describe('watches', () => {
  interface Seen {
    type: string;
    object: Open;
  }

  async function watch(query: Open, seen: Seen[]): Promise<{ ended: Promise<Open> }> {
    const path = `/api/v1/namespaces/${namespace}/configmaps`;
    let finish: (error: Open) => void = () => {};
    const ended = new Promise<Open>((resolve) => {
      finish = resolve;
    });
    const watcher = new Watch(fixture.config);
    await watcher.watch(path, query, (type, object) => seen.push({ type, object }), finish);
    return { ended };
  }

  test('continue from a version; selectors add and remove', async () => {
    const { core } = fixture;
    const list = await core.listNamespacedConfigMap({ namespace });
    const seen: Seen[] = [];
    const labelSelector = 'watched=yes';
    const resourceVersion = list.metadata?.resourceVersion;
    const { ended } = await watch({ resourceVersion, labelSelector, timeoutSeconds: 1 }, seen);
    await core.createNamespacedConfigMap({
      namespace,
      body: configMap('w', { metadata: { labels: { watched: 'yes' } } }),
    });
    const patch = async (body: Open) =>
      core.patchNamespacedConfigMap({ namespace, name: 'w', body }, patchAs.merge);
    await patch({ data: { a: '2' } });
    await patch({ metadata: { labels: { watched: 'no' } } });
    await patch({ metadata: { labels: { watched: 'yes' } } });
    await core.deleteNamespacedConfigMap({ namespace, name: 'w' });
    await ended;
    const types = ['ADDED', 'MODIFIED', 'DELETED', 'ADDED', 'DELETED'];
    expect(seen.map((one) => one.type)).toEqual(types);
    expect(seen[0].object.kind).toBe('ConfigMap');
  });

  test('bookmarks carry the version of the whole server', async () => {
    const { core } = fixture;
    const list = await core.listNamespacedConfigMap({ namespace });
    const seen: Seen[] = [];
    const resourceVersion = list.metadata?.resourceVersion;
    await watch({ resourceVersion, allowWatchBookmarks: true, timeoutSeconds: 1 }, seen);
    const secret = { metadata: { name: 'elsewhere' } };
    const made = await core.createNamespacedSecret({ namespace, body: secret });
    const version = Number(made.metadata?.resourceVersion);
    await eventually(() => {
      const last = seen.at(-1)?.object.metadata.resourceVersion;
      return Number(last) >= version ? last : null;
    });
    expect(seen.every((one) => one.type === 'BOOKMARK')).toBe(true);
  });

  test('a version older than the history is 410', async () => {
    const { core } = fixture;
    const made = await core.createNamespacedConfigMap({ namespace, body: configMap('old') });
    await core.deleteNamespacedConfigMap({ namespace, name: 'old' });
    fixture.server.compact();
    const seen: Seen[] = [];
    const { ended } = await watch({ resourceVersion: made.metadata?.resourceVersion }, seen);
    await ended;
    expect(seen).toMatchObject([{ type: 'ERROR', object: { code: 410, reason: 'Expired' } }]);
  });

  test('from version 0 the watch begins with what is there', async () => {
    await fixture.core.createNamespacedConfigMap({ namespace, body: configMap('there') });
    const seen: Seen[] = [];
    const fieldSelector = 'metadata.name=there';
    await watch({ resourceVersion: '0', fieldSelector, timeoutSeconds: 1 }, seen);
    await eventually(() => seen.find((one) => one.type === 'ADDED') ?? null);
  });

  test('an unreachable server resets watches and refuses calls, then goes on', async () => {
    const seen: Seen[] = [];
    const { ended } = await watch({}, seen);
    fixture.server.setReachable(false);
    expect(await ended).toBeInstanceOf(Error);
    const refused = fixture.core.listNamespacedConfigMap({ namespace });
    await expect(refused).rejects.toThrow();
    fixture.server.setReachable(true);
    await fixture.core.listNamespacedConfigMap({ namespace });
  });
});

describe('events', () => {
  test('written by one API, read by the other', async () => {
    const body = {
      ...{ metadata: { name: 'e1' }, reason: 'Promoted', message: 'carts-0-1 leads' },
      ...{ involvedObject: { kind: 'Pod', name: 'carts-0-1' }, type: 'Normal' },
    };
    await fixture.core.createNamespacedEvent({ namespace, body });
    const url = `${fixture.url}/apis/events.k8s.io/v1/namespaces/${namespace}/events/e1`;
    const read = (await (await fetch(url)).json()) as Open;
    expect(read).toMatchObject({ apiVersion: 'events.k8s.io/v1', note: 'carts-0-1 leads' });
    expect(read.regarding).toEqual({ kind: 'Pod', name: 'carts-0-1' });
  });
});

test('discovery, version and health', async () => {
  const get = async (path: string) => (await fetch(fixture.url + path)).text();
  expect(await get('/healthz')).toBe('ok');
  expect(JSON.parse(await get('/version')).gitVersion).toContain('meridian-local');
  const groups = JSON.parse(await get('/apis')).groups.map((group: Open) => group.name);
  expect(groups).toContain('apps');
  const resources = JSON.parse(await get('/apis/apps/v1')).resources;
  expect(resources.map((one: Open) => one.name)).toContain('statefulsets/scale');
});
