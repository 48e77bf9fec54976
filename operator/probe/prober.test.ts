import type { Liveness } from '../plan/observed.ts';
import { FakeEngine } from './fake-engine.ts';
import { Prober } from './prober.ts';

const HOST = '127.94.7';

const member = (changes: object = {}) => ({
  role: 'replica',
  mapVersion: 1,
  epoch: 1,
  appliedOps: 5,
  startedEmpty: false,
  uptimeMs: 1,
  ...changes,
});

const seesPrimary = (up: boolean) => ({
  role: 'proxy',
  mapVersion: 1,
  members: [{ name: 'carts-0-0', up }],
});

const pods = [
  { name: 'carts-0-0', uid: 'a', ip: `${HOST}.1`, shard: 0, running: true },
  { name: 'carts-0-1', uid: 'b', ip: `${HOST}.2`, shard: 0, running: true },
  { name: 'carts-proxy-x', uid: 'c', ip: `${HOST}.3`, shard: -1, running: true },
];

async function until(what: string, holds: () => boolean, limitMs = 8_000): Promise<void> {
  const endMs = Date.now() + limitMs;
  while (!holds()) {
    if (Date.now() > endMs) throw new Error(`waited too long: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

describe('the prober', () => {
  let engines: FakeEngine[];
  let prober: Prober;
  let verdicts: [string, Liveness][];
  const liveness = (name: string) => prober.health(name).liveness;

  beforeEach(async () => {
    engines = [
      new FakeEngine(`${HOST}.1`, member({ role: 'primary' })),
      new FakeEngine(
        `${HOST}.2`,
        member({ upstream: { name: 'carts-0-0', connected: true, answering: true } }),
      ),
      new FakeEngine(`${HOST}.3`, seesPrimary(true)),
    ];
    for (const engine of engines) await engine.start();
    verdicts = [];
    prober = new Prober((name, verdict) => verdicts.push([name, verdict]));
  });

  afterEach(async () => {
    prober.close();
    for (const engine of engines) await engine.kill();
  });

  const allUp = async () => {
    prober.follow(pods);
    await until('all up', () => pods.every(({ name }) => liveness(name) === 'up'));
  };
  const othersAgree = () => {
    engines[1].report = member({
      upstream: { name: 'carts-0-0', connected: true, answering: false },
    });
    engines[2].report = seesPrimary(false);
  };

  test('reads the report of each process it follows', async () => {
    await allUp();
    expect(prober.health('carts-0-0').report).toMatchObject({ role: 'primary', appliedOps: 5 });
    expect(prober.health('carts-proxy-x').report?.role).toBe('proxy');
  });

  test('calls a killed process dead at once when the others agree', async () => {
    await allUp();
    othersAgree();
    await engines[0].kill();
    await until('the verdict', () => liveness('carts-0-0') === 'dead');
    // By the refused connection, not by an answer that did not come in time.
    expect(prober.health('carts-0-0').failure).toBe('refused');
    expect(verdicts).toContainEqual(['carts-0-0', 'dead']);
  });

  test('only suspects while the others still see it', async () => {
    await allUp();
    await engines[0].kill();
    await until('the suspicion', () => liveness('carts-0-0') === 'suspected');
    await new Promise((resolve) => setTimeout(resolve, 600));
    expect(liveness('carts-0-0')).toBe('suspected');
    othersAgree();
    await until('the verdict', () => liveness('carts-0-0') === 'dead');
  });

  test('notices a process that has stopped answering', async () => {
    await allUp();
    othersAgree();
    engines[0].silent = true;
    await until('the verdict', () => liveness('carts-0-0') === 'dead');
    expect(prober.health('carts-0-0').failure).toBe('timeout');
    engines[0].silent = false;
  });

  test('judges alone, a little later, when nobody else can be asked', async () => {
    await allUp();
    for (const engine of engines) await engine.kill();
    await until('the verdict', () => liveness('carts-0-0') === 'dead');
  });

  test('sees a process come back', async () => {
    await allUp();
    othersAgree();
    await engines[0].kill();
    await until('the verdict', () => liveness('carts-0-0') === 'dead');
    engines[0] = new FakeEngine(`${HOST}.1`, member({ role: 'starting', mapVersion: 0 }));
    await engines[0].start();
    await until('it is up', () => liveness('carts-0-0') === 'up');
    expect(prober.health('carts-0-0')).toMatchObject({ suspectedAtMs: null, failure: null });
    expect(prober.health('carts-0-0').report?.role).toBe('starting');
  });

  test('pushes a map and knows at once that it was taken', async () => {
    await allUp();
    const atMs = await prober.pushMap('carts-0-1', 7, JSON.stringify({ version: 7 }));
    expect(atMs).not.toBeNull();
    expect(engines[1].maps).toEqual([{ version: 7 }]);
    expect(prober.health('carts-0-1').report?.mapVersion).toBe(7);
    expect(await prober.pushMap('nobody', 7, '{}')).toBeNull();
  });

  test('logs in first when there is a password', async () => {
    for (const engine of engines) engine.password = 'secret';
    prober.setPassword('secret');
    await allUp();
    expect(engines[0].commands[0]).toBe('AUTH secret');
  });

  test('stops following what is gone, and starts afresh with a new address', async () => {
    await allUp();
    prober.follow([{ ...pods[0], ip: `${HOST}.2`, uid: 'new' }]);
    expect(prober.health('carts-0-1').liveness).toBe('unknown');
    await until('the new one', () => liveness('carts-0-0') === 'up');
    expect(prober.health('carts-0-0').report?.role).toBe('replica');
  });
});
