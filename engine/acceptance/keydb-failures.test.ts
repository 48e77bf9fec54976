/**
 * Shell: what KeyDB's active replicas are known to fail at, played on two real regions: different
 * values of one key after a split (github.com/Snapchat/KeyDB issue 366), deleted keys that come
 * back (447), and a reconnection that reloads everything (367; `make keydb-cut` plays that one at
 * its full size of 2 million keys and 5 minutes).
 */
import { stopAll } from './processes.ts';
import { TwoRegions } from './two-regions.ts';

const KEYS = 40_000;
const CHANGED = 2000;
const VALUE_BYTES = 512;

let regions: TwoRegions;

beforeAll(async () => {
  regions = await TwoRegions.start(['--fsync', 'everysec']);
}, 60_000);

afterAll(async () => {
  await regions.close();
  await stopAll();
});

const both = () => [regions.at('eu'), regions.at('us')] as const;

async function expectEqualContents(): Promise<number> {
  const [eu, us] = await Promise.all([regions.contents('eu'), regions.contents('us')]);
  expect(us).toEqual(eu);
  return eu.keys;
}

test('KeyDB 366: after a split with interleaved writes both regions show the same, and the last write wins', async () => {
  const [eu, us] = both();
  await eu.mset('b', 'b0', 'n', '100');
  await regions.converged();
  await regions.split();
  await eu.set('b', 'b2');
  await us.set('b', 'b1');
  await eu.set('b', 'b3');
  for (let i = 0; i < 50; i++) {
    // In turns, so that neither side has written last by luck.
    for (const [name, client] of [
      ['eu', eu],
      ['us', us],
    ] as const) {
      await client.set(`turn:${i}`, `${name} ${i}`);
      await client.incrby('n', i);
      await client.hset('hash', `field:${i % 7}`, `${name} ${i}`, name, i);
      await client.sadd('set', `${name} ${i}`);
      if (i % 3 === 0) await client.srem('set', `${name} ${i - 1}`);
      if (i % 5 === 0) await client.del(`turn:${i}`);
      await new Promise((resolve) => setTimeout(resolve, 2)); // within a millisecond the region decides
    }
  }
  expect(await eu.get('b')).toBe('b3');
  expect(await us.get('b')).toBe('b1');
  regions.mend();
  await regions.converged();
  await expectEqualContents();
  for (const client of both()) {
    expect(await client.get('b')).toBe('b3');
    expect(await client.get('turn:49')).toBe('us 49');
    expect(await client.get('n')).toBe(String(100 + 2 * (49 * 25)));
    expect(await client.hget('hash', 'field:0')).toBe('us 49');
    expect(await client.scard('set')).toBe(2 * (50 - 16));
    expect(await client.exists('turn:0')).toBe(0);
  }
}, 60_000);

test('KeyDB 447: what was deleted during a split stays deleted, also after a restart of either side', async () => {
  const [eu, us] = both();
  const names = Array.from({ length: 300 }, (_, i) => `doomed:${i}`);
  await eu.mset(...names.flatMap((name) => [name, 'x']));
  await us.hset('doomed:hash', 'a', '1', 'b', '2');
  await us.sadd('doomed:set', 'a', 'b');
  await eu.set('updated elsewhere', 'old');
  await regions.converged();
  await regions.split();
  await eu.del(...names.slice(0, 150));
  await us.del(...names.slice(150));
  await eu.hdel('doomed:hash', 'a');
  await us.srem('doomed:set', 'a');
  await eu.del('updated elsewhere');
  await us.set('updated elsewhere', 'new');
  await us.set('written elsewhere', 'meanwhile');
  // The side that still holds the first half restarts before it hears of the deletes.
  await regions.killAndRestart('us');
  expect(await regions.at('us').exists(...names.slice(0, 150))).toBe(150);
  regions.mend();
  await regions.converged();
  await regions.killAndRestart('eu');
  await regions.converged();
  for (const client of both()) {
    expect(await client.exists(...names)).toBe(0);
    expect(await client.hgetall('doomed:hash')).toEqual({ b: '2' });
    expect(await client.smembers('doomed:set')).toEqual(['b']);
    // Concurrent with the delete, which had not seen it.
    expect(await client.get('updated elsewhere')).toBe('new');
    expect(await client.get('written elsewhere')).toBe('meanwhile');
  }
  await expectEqualContents();
}, 60_000);

test('KeyDB 367: after a cut only what has changed is sent, and the regions are equal again', async () => {
  const [eu, us] = both();
  const value = 'v'.repeat(VALUE_BYTES);
  for (let from = 0; from < KEYS; from += 1000) {
    await eu.mset(...Array.from({ length: 1000 }, (_, i) => [`key:${from + i}`, value]).flat());
  }
  await regions.converged();
  await regions.split();
  let changedBytes = 0;
  for (let i = 0; i < CHANGED; i += 100) {
    const names = Array.from({ length: 100 }, (_, n) => `key:${(i + n) * 7}`);
    const changed = names.map((name) => [name, `${value.slice(name.length)}${name}`]);
    await eu.mset(...changed.flat());
    await us.mset(...changed.flatMap(([name]) => [`us:${name}`, value]));
    changedBytes += changed.reduce(
      (sum, [name = '', text = '']) => sum + name.length + text.length,
      0,
    );
  }
  regions.mend();
  await regions.converged();
  expect(await expectEqualContents()).toBeGreaterThanOrEqual(KEYS + CHANGED);
  // Each changed key goes once, with its metadata; a full reload would be 20 times as much.
  expect(regions.bytesTo('us')).toBeGreaterThan(changedBytes);
  expect(regions.bytesTo('us')).toBeLessThan(changedBytes * 1.2);
  expect(regions.bytesTo('eu')).toBeLessThan(changedBytes * 1.2);
}, 60_000);
