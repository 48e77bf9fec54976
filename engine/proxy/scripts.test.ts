/** Scripts through a proxy in front of two shards. */
import type { TestClient } from './test-client.ts';
import { keyIn, startRegion, type TestRegion } from './test-region.ts';

const INCR = 'return redis.call("incr",KEYS[1])';

describe('scripts through a proxy', () => {
  let region: TestRegion;
  let client: TestClient;
  const [a, b] = [keyIn(0), keyIn(1)];

  beforeAll(async () => {
    region = await startRegion();
  });
  afterAll(() => region.stop());
  beforeEach(async () => {
    client = await region.client();
    await client.ask('FLUSHALL');
    await client.ask('SCRIPT', 'FLUSH');
  });
  afterEach(() => client.close());

  test('EVAL goes where its keys are', async () => {
    expect(await client.ask('EVAL', INCR, 1, a)).toBe(1);
    expect(await client.ask('EVAL', INCR, 1, b)).toBe(1);
    expect([region.shards[0][0].get(a), region.shards[1][0].get(b)]).toEqual(['1', '1']);
    expect(await client.ask('EVAL', 'return {KEYS,ARGV}', 0, 'x')).toEqual([[], ['x']]);
  });

  test('keys of several slots are refused, and a wrong count is the error of the member', async () => {
    expect(await client.ask('EVAL', INCR, 2, a, b)).toContain('CROSSSLOT');
    expect(await client.ask('EVAL', INCR, 9, a)).toContain("can't be greater than number of args");
  });

  test('a key of another shard that the script makes up is refused', async () => {
    const source = 'return redis.call("set",ARGV[1],1)';
    expect(await client.ask('EVAL', source, 1, a, b)).toContain('non local key');
    expect(await client.ask('EVAL', source, 1, b, b)).toBe('OK');
  });

  test('SCRIPT LOAD reaches every shard, EXISTS asks all, FLUSH clears all', async () => {
    const sha = String(await client.ask('SCRIPT', 'LOAD', INCR));
    expect(await client.ask('EVALSHA', sha, 1, a)).toBe(1);
    expect(await client.ask('EVALSHA', sha, 1, b)).toBe(1);
    await client.ask('EVAL', 'return 5', 1, a);
    const onOne = '4ca238f611c9d0ae4e9a75a5dbac22aedc379801';
    expect(await client.ask('SCRIPT', 'EXISTS', sha, onOne)).toEqual([1, 0]);
    expect(await client.ask('SCRIPT', 'FLUSH')).toBe('OK');
    expect(await client.ask('EVALSHA', sha, 1, a)).toContain('NOSCRIPT');
    expect(await client.ask('SCRIPT', 'LOAD', 'x x')).toContain('ERR Error compiling script');
  });

  test('a script in MULTI, with the other commands of its slot', async () => {
    await client.ask('MULTI');
    await client.ask('EVAL', INCR, 1, a);
    await client.ask('INCR', a);
    expect(await client.ask('EXEC')).toEqual([1, 2]);
  });
});
