/**
 * Shell: writes travel between the regions, and concurrent ones converge.
 *
 * The concurrent writes are made while the two clusters drop each other's packets, so that neither
 * region can have seen the other's; what both must show afterwards is from docs/semantics.md.
 */
import type { Redis } from 'ioredis';
import { REGIONS, type Region } from './cluster.ts';
import {
  conditionIs,
  createDatabase,
  type Database,
  openClient,
  removeNamespaces,
} from './database.ts';
import { eventually, notYet } from './eventually.ts';
import { cutRegions, healRegions } from './nemesis.ts';

const ARRIVE_MS = 20_000;
const HEAL_MS = 90_000;
const NOTICE_MS = 60_000;

type Command = readonly [string, ...string[]];

type Race = {
  readonly name: string;
  /** Written in eu and known in us before the cut. */
  readonly before: readonly Command[];
  readonly eu: readonly Command[];
  readonly us: readonly Command[];
  readonly read: Command;
  readonly both: unknown;
};

const RACES: readonly Race[] = [
  {
    name: 'string: the last writer wins',
    before: [],
    eu: [['SET', 'string', 'first']],
    us: [['SET', 'string', 'last']],
    read: ['GET', 'string'],
    both: 'last',
  },
  {
    name: 'string: a SET survives a concurrent DEL',
    before: [['SET', 'revived', 'old']],
    eu: [['DEL', 'revived']],
    us: [['SET', 'revived', 'new']],
    read: ['GET', 'revived'],
    both: 'new',
  },
  {
    name: 'string: a delete stays deleted',
    before: [['SET', 'deleted', 'old']],
    eu: [['DEL', 'deleted']],
    us: [['SET', 'another', 'key']],
    read: ['EXISTS', 'deleted'],
    both: 0,
  },
  {
    name: 'counter: increments of both regions add up',
    before: [],
    eu: [['INCRBY', 'counter', '7']],
    us: [['INCRBY', 'counter', '3']],
    read: ['GET', 'counter'],
    both: '10',
  },
  {
    name: 'counter: SET cancels only the increments it has seen',
    before: [['INCRBY', 'reset', '10']],
    eu: [['SET', 'reset', '5']],
    us: [['INCRBY', 'reset', '3']],
    read: ['GET', 'reset'],
    both: '8',
  },
  {
    name: 'set: additions and a removal of another member',
    before: [['SADD', 'set', 'a', 'b']],
    eu: [['SREM', 'set', 'a']],
    us: [['SADD', 'set', 'c']],
    read: ['SMEMBERS', 'set'],
    both: ['b', 'c'],
  },
  {
    name: 'set: an addition survives a concurrent removal',
    before: [['SADD', 'kept', 'a', 'b']],
    eu: [['SREM', 'kept', 'a', 'b']],
    us: [['SADD', 'kept', 'a']],
    read: ['SMEMBERS', 'kept'],
    both: ['a'],
  },
  {
    name: 'hash: fields of both regions',
    before: [['HSET', 'hash', 'old', '1']],
    eu: [
      ['HSET', 'hash', 'f1', 'a'],
      ['HDEL', 'hash', 'old'],
    ],
    us: [['HSET', 'hash', 'f2', 'b']],
    read: ['HGETALL', 'hash'],
    both: { f1: 'a', f2: 'b' },
  },
  {
    name: 'hash: increments of a field add up',
    before: [['HSET', 'hits', 'n', '10']],
    eu: [['HINCRBY', 'hits', 'n', '4']],
    us: [['HINCRBY', 'hits', 'n', '5']],
    read: ['HGET', 'hits', 'n'],
    both: '19',
  },
];

let database: Database;
let clients: Record<Region, Redis>;

beforeAll(async () => {
  database = await createDatabase('replication');
  await healRegions(database.clusters);
  clients = { eu: await openClient(database, 'eu'), us: await openClient(database, 'us') };
});

afterAll(async () => {
  for (const region of REGIONS) clients?.[region].disconnect();
  if (!database) return;
  await healRegions(database.clusters);
  await removeNamespaces(database);
});

const send = (region: Region, [name, ...args]: Command) => clients[region].call(name, ...args);

/** Reads a value in a shape that can be compared: members sorted, hashes as objects. */
async function read(region: Region, command: Command): Promise<unknown> {
  const reply = await send(region, command);
  if (command[0] === 'SMEMBERS') return (reply as string[]).toSorted();
  if (command[0] !== 'HGETALL') return reply;
  const pairs = reply as string[];
  const fields = pairs.filter((_, index) => index % 2 === 0);
  return Object.fromEntries(fields.map((field, index) => [field, pairs[index * 2 + 1]]));
}

async function arrives(region: Region, command: Command, value: unknown, limitMs: number) {
  const what = `${command.join(' ')} = ${JSON.stringify(value)} in ${region}`;
  await eventually(what, limitMs, async () => {
    const found = await read(region, command);
    if (!same(found, value)) notYet(`it is ${JSON.stringify(found)}`);
  });
}

function same(a: unknown, b: unknown): boolean {
  const sorted = (value: unknown) =>
    value !== null && typeof value === 'object' && !Array.isArray(value)
      ? Object.entries(value).sort()
      : value;
  return JSON.stringify(sorted(a)) === JSON.stringify(sorted(b));
}

describe('a write', () => {
  test('in eu is read in us, in both shards', async () => {
    for (let n = 0; n < 20; n++) await send('eu', ['SET', `from-eu:${n}`, String(n)]);
    for (let n = 0; n < 20; n++) await arrives('us', ['GET', `from-eu:${n}`], String(n), ARRIVE_MS);
  });

  test('in us is read in eu, in both shards', async () => {
    for (let n = 0; n < 20; n++) await send('us', ['SET', `from-us:${n}`, String(n)]);
    for (let n = 0; n < 20; n++) await arrives('eu', ['GET', `from-us:${n}`], String(n), ARRIVE_MS);
  });

  test('can wait until the other region has it', async () => {
    await send('eu', ['SET', 'awaited', 'yes']);
    expect(await send('eu', ['CRDT.WAIT', '1', '5000'])).toBe(1);
    expect(await send('us', ['GET', 'awaited'])).toBe('yes');
  });

  test('of each type is read in the other region', async () => {
    await send('eu', ['INCRBY', 'types:counter', '3']);
    await send('eu', ['SADD', 'types:set', 'b', 'a']);
    await send('eu', ['HSET', 'types:hash', 'f', 'v']);
    await send('eu', ['SET', 'types:brief', 'v', 'EX', '1000']);
    await arrives('us', ['GET', 'types:counter'], '3', ARRIVE_MS);
    await arrives('us', ['SMEMBERS', 'types:set'], ['a', 'b'], ARRIVE_MS);
    await arrives('us', ['HGETALL', 'types:hash'], { f: 'v' }, ARRIVE_MS);
    await arrives('us', ['GET', 'types:brief'], 'v', ARRIVE_MS);
    const ttl = Number(await send('us', ['TTL', 'types:brief']));
    expect(ttl).toBeGreaterThan(900);
    expect(ttl).toBeLessThanOrEqual(1000);
  });
});

describe('while the regions are cut off from each other', () => {
  beforeAll(async () => {
    for (const { before } of RACES) for (const command of before) await send('eu', command);
    await send('eu', ['SET', 'marker', 'before the cut']);
    for (const { before, read: command } of RACES) {
      if (before.length === 0) continue;
      await arrives('us', command, await read('eu', command), ARRIVE_MS);
    }
    await cutRegions(database.clusters);
  });

  test('both go on answering and accepting writes', async () => {
    for (const { eu } of RACES) for (const command of eu) await send('eu', command);
    for (const { us } of RACES) for (const command of us) await send('us', command);
    await send('eu', ['SET', 'only-in-eu', 'yes']);
    expect(await send('us', ['GET', 'only-in-eu'])).toBeNull();
  });

  test('each says that the other is not connected', async () => {
    for (const region of REGIONS) {
      await conditionIs(database, region, 'PeersConnected', 'False', NOTICE_MS);
      await conditionIs(database, region, 'Ready', 'True', NOTICE_MS);
    }
  });
});

describe('after the cut has healed', () => {
  beforeAll(async () => {
    await healRegions(database.clusters);
    for (const region of REGIONS) {
      await conditionIs(database, region, 'PeersConnected', 'True', HEAL_MS);
    }
  });

  test.each(RACES)('$name', async ({ read: command, both }) => {
    for (const region of REGIONS) await arrives(region, command, both, HEAL_MS);
  });

  test('each says that it has converged', async () => {
    for (const region of REGIONS) await conditionIs(database, region, 'Converged', 'True', HEAL_MS);
  });
});
