import { connect, createServer, type Server, type Socket } from 'node:net';
import { eventually } from '../api-server/fixture.ts';
import type { Open } from '../api-server/resource.ts';
import { ask, echoSet, type LocalFixture, startLocalFixture } from '../fixture.ts';
import { Forwarder, type Target } from './forwarder.ts';
import { RegionLinks } from './links.ts';

/** A server that answers each piece with its own name. */
async function echo(name: string): Promise<{ target: Target; server: Server; sockets: Socket[] }> {
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.on('error', () => {});
    socket.on('data', (data) => socket.write(`${name}:${data}`));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  return { target: { host: '127.0.0.1', port }, server, sockets };
}

/** A connection that notes what comes and how it ends. */
function client(port: number, localAddress?: string) {
  const seen = { data: '', end: '' };
  const socket = connect({ host: '127.0.0.1', port, localAddress });
  socket.on('data', (data) => {
    seen.data += data;
  });
  socket.on('error', (error: NodeJS.ErrnoException) => {
    seen.end = error.code ?? 'error';
  });
  socket.on('close', () => {
    seen.end ||= 'closed';
  });
  return { socket, seen };
}

describe('a forwarder', () => {
  const links = new RegionLinks();
  let targets: Target[] = [];
  let forwarder: Forwarder;
  let port: number;
  let servers: Awaited<ReturnType<typeof echo>>[];

  beforeAll(async () => {
    links.register('eu', 231);
    links.register('us', 232);
    servers = [await echo('one'), await echo('two')];
    const options = { host: '127.0.0.1', port: 0, targets: () => targets };
    forwarder = new Forwarder({ ...options, linkFrom: (source) => links.state(source, 'us') });
    links.add(forwarder);
    port = await forwarder.listen();
  });
  beforeEach(() => {
    targets = servers.map((one) => one.target);
  });
  afterAll(async () => {
    await forwarder.close();
    for (const { server } of servers) server.close();
  });

  test('takes targets in turn', async () => {
    const answers = [];
    for (let count = 0; count < 4; count += 1) answers.push(await ask('127.0.0.1', port, 'x'));
    expect(answers.sort()).toEqual(['one:x', 'one:x', 'two:x', 'two:x']);
  });

  test('goes on to the next when one refuses, and resets when all do', async () => {
    const refusing = { host: '127.0.0.1', port: 1 };
    targets = [refusing, servers[0].target, refusing];
    for (let count = 0; count < 3; count += 1) {
      expect(await ask('127.0.0.1', port, 'x')).toBe('one:x');
    }
    targets = [refusing];
    const { seen } = client(port);
    await eventually(() => seen.end !== '');
    expect(seen.end).toBe('ECONNRESET');
  });

  test('a server that dies is a reset at the client', async () => {
    targets = [servers[0].target];
    const { socket, seen } = client(port);
    socket.write('x');
    await eventually(() => seen.data === 'one:x');
    servers[0].sockets.at(-1)?.resetAndDestroy();
    await eventually(() => seen.end !== '');
  });

  test('a cut resets what crosses it and leaves what does not', async () => {
    const across = client(port, '127.231.0.1');
    const within = client(port, '127.232.0.1');
    const user = client(port);
    for (const { socket } of [across, within, user]) socket.write('x');
    await eventually(() => [across, within, user].every(({ seen }) => seen.data !== ''));
    links.cut('eu', 'reset');
    await eventually(() => across.seen.end !== '');
    expect(await ask('127.0.0.1', port, 'y', '127.231.0.1')).toBeNull();
    expect(await ask('127.0.0.1', port, 'y', '127.232.0.1')).not.toBeNull();
    expect([within.seen.end, user.seen.end]).toEqual(['', '']);
    links.heal('eu');
    expect(await ask('127.0.0.1', port, 'y', '127.231.0.1')).not.toBeNull();
    for (const { socket } of [within, user]) socket.destroy();
  });

  test('a silent cut holds everything back and gives it up when healed', async () => {
    const old = client(port, '127.231.0.1');
    old.socket.write('a');
    await eventually(() => old.seen.data.endsWith(':a'));
    links.cut('us', 'silent');
    old.socket.write('b');
    const fresh = client(port, '127.231.0.1');
    fresh.socket.write('c');
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect([old.seen.data.includes(':b'), fresh.seen.data, old.seen.end]).toEqual([false, '', '']);
    links.heal('us');
    await eventually(() => old.seen.data.endsWith(':b') && fresh.seen.data.endsWith(':c'));
    for (const { socket } of [old, fresh]) socket.destroy();
  });
});

describe('a service', () => {
  let fixture: LocalFixture;
  const namespace = 'default';

  beforeAll(async () => {
    fixture = await startLocalFixture();
  });
  afterAll(() => fixture.stop());

  test('is reached at its own address and at an exposed port, by ready pods only', async () => {
    const { core, apps, local } = fixture;
    const spec = { selector: { app: 'web' }, ports: [{ port: 80, targetPort: 'client' }] };
    const body = { metadata: { name: 'web' }, spec: spec as Open };
    const service = await core.createNamespacedService({ namespace, body });
    const exposure = { namespace, service: 'web', servicePort: 80, host: '127.0.0.1', port: 0 };
    const port = await local.expose('eu', exposure);
    expect(await ask('127.0.0.1', port, 'early')).toBeNull();
    const set = echoSet('web', { podManagementPolicy: 'Parallel' });
    await apps.createNamespacedStatefulSet({ namespace, body: set as Open });
    const { services } = fixture.cluster;
    await eventually(() => services.targets(namespace, 'web', 80).length === 2);
    const address = service.spec?.clusterIP as string;
    const answers = [await ask(address, 80, 'x'), await ask('127.0.0.1', port, 'x')];
    answers.push(await ask(address, 80, 'x'), await ask('127.0.0.1', port, 'x'));
    expect(answers.sort()).toEqual(['web-0 1 x', 'web-0 1 x', 'web-1 1 x', 'web-1 1 x']);
    await apps.deleteNamespacedStatefulSet({ namespace, name: 'web' });
    await eventually(() => services.targets(namespace, 'web', 80).length === 0);
    expect(await ask(address, 80, 'late')).toBeNull();
  });
});
