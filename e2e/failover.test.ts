/**
 * Shell: a primary dies while clients write all the time.
 *
 * Promotion is quick because it does not wait for the dead: what the old primary had acknowledged
 * and not yet shipped is in its log, and joins when its pod is back. So the checker looks for every
 * acknowledged write after the pod has come back and caught up, in both regions.
 */
import type { Redis } from 'ioredis';
import { REGIONS } from './cluster.ts';
import {
  createDatabase,
  type Database,
  openClient,
  readResource,
  removeNamespaces,
} from './database.ts';
import { eventually, notYet } from './eventually.ts';
import type { Manifest } from './kubectl.ts';
import { killProcess } from './nemesis.ts';
import { findMissing, startWriter, type Writer, type Written } from './workload.ts';
import { say } from './world.ts';

const SHARDS = 2;
const PROMOTE_MS = 30_000;
const RETURN_MS = 120_000;
const ARRIVE_MS = 60_000;
/** On a small machine that runs two clusters; what is meant for users is under a second. */
const GAP_MAX_MS = 5_000;

let database: Database;

beforeAll(async () => {
  database = await createDatabase('failover');
});

afterAll(async () => {
  if (database) await removeNamespaces(database);
});

type Shard = { epoch: number; primary: string; members: readonly Manifest[] };

async function shardOf(index: number): Promise<Shard> {
  const { status } = await readResource(database, 'eu');
  return status.shards[index];
}

/** Waits until all members of the shard are up and the replica lacks nothing. */
async function shardIsWhole(index: number): Promise<Shard> {
  return eventually(`shard ${index} of eu to be whole`, RETURN_MS, async () => {
    const shard = await shardOf(index);
    const { members } = shard;
    if (members.length !== 2) notYet(`${members.length} of 2 members`);
    for (const { name, up, role, lagOps } of members) {
      if (!up) notYet(`${name} is not up`);
      if (role === 'replica' && (lagOps ?? 0) > 0) notYet(`${name} lacks ${lagOps} ops`);
    }
    return shard;
  });
}

/** Runs a failure of shard `index`'s primary under load; returns what was written and promoted. */
async function failUnderLoad(
  index: number,
  prefix: string,
  fail: (primary: string) => Promise<void>,
): Promise<{ before: Shard; after: Shard; written: Written[] }> {
  const before = await shardIsWhole(index);
  const writers: Writer[] = [];
  for (let shard = 0; shard < SHARDS; shard++) {
    writers.push(await startWriter(database, 'eu', shard, SHARDS, `${prefix}:${shard}`));
  }
  const written: Written[] = [];
  try {
    await advance(writers, 100);
    await fail(before.primary);
    await eventually(`a new primary of shard ${index}`, PROMOTE_MS, async () => {
      const { epoch, primary } = await shardOf(index);
      if (epoch <= before.epoch) notYet(`epoch is still ${epoch}, primary ${primary}`);
    });
    await advance(writers, 200);
  } finally {
    for (const writer of writers) written.push(await writer.stop());
  }
  const after = await shardIsWhole(index);
  const gaps = written.map(({ gapMs }, shard) => `shard ${shard} ${Math.round(gapMs)} ms`);
  say(`${prefix} of shard ${index}: longest gap between acknowledged writes: ${gaps.join(', ')}`);
  const failed = written.flatMap(({ errors }) => errors);
  if (failed.length > 0) say(`${failed.length} writes not acknowledged, such as: ${failed[0]}`);
  return { before, after, written };
}

/** Waits until every writer has had so many more writes acknowledged. */
async function advance(writers: readonly Writer[], count: number): Promise<void> {
  const goals = writers.map((writer) => writer.acknowledged() + count);
  await eventually(`${count} more acknowledged writes of every writer`, PROMOTE_MS, () => {
    for (const [index, writer] of writers.entries()) {
      const missing = goals[index] - writer.acknowledged();
      if (missing > 0) notYet(`writer of shard ${index} lacks ${missing}`);
    }
  });
}

async function nothingIsMissing(written: readonly Written[]): Promise<void> {
  for (const region of REGIONS) {
    const client: Redis = await openClient(database, region);
    await eventually(`every acknowledged write in ${region}`, ARRIVE_MS, async () => {
      for (const one of written) {
        const missing = await findMissing(client, one);
        if (missing.length > 0) notYet(`${missing.length} missing: ${missing.slice(0, 5)}`);
      }
    });
    client.disconnect();
  }
}

describe('when the process of a primary is killed', () => {
  let outcome: Awaited<ReturnType<typeof failUnderLoad>>;

  test('the replica is promoted while a client writes all the time', async () => {
    outcome = await failUnderLoad(0, 'kill', (primary) =>
      killProcess(database.clusters.eu, database.namespace, primary),
    );
    const { before, after } = outcome;
    expect(after.epoch).toBeGreaterThan(before.epoch);
    expect(before.members.map(({ name }) => name)).toContain(after.primary);
  });

  test('the gap that the client saw is short', () => {
    expect(Math.max(...outcome.written.map(({ gapMs }) => gapMs))).toBeLessThan(GAP_MAX_MS);
  });

  test('nothing acknowledged is missing, in either region', async () => {
    await nothingIsMissing(outcome.written);
  });

  test('the pod is back and has caught up', () => {
    const member = outcome.after.members.find(({ name }) => name === outcome.before.primary);
    expect(member).toMatchObject({ up: true });
  });

  test('the failover is recorded with its times', async () => {
    const { status } = await readResource(database, 'eu');
    const [last] = status.failovers;
    expect(last).toMatchObject({ shard: 0, from: outcome.before.primary });
    expect(Date.parse(last.promotedAt)).toBeGreaterThanOrEqual(Date.parse(last.suspectedAt));
  });
});

describe('when the pod of a primary is deleted', () => {
  let outcome: Awaited<ReturnType<typeof failUnderLoad>>;

  test('the replica is promoted while a client writes all the time', async () => {
    const { kubectl } = database.clusters.eu;
    outcome = await failUnderLoad(1, 'delete', async (primary) => {
      await kubectl(['delete', 'pod', primary, '-n', database.namespace, '--wait=false']);
    });
    expect(outcome.after.epoch).toBeGreaterThan(outcome.before.epoch);
  });

  test('the gap that the client saw is short', () => {
    expect(Math.max(...outcome.written.map(({ gapMs }) => gapMs))).toBeLessThan(GAP_MAX_MS);
  });

  test('nothing acknowledged is missing, in either region', async () => {
    await nothingIsMissing(outcome.written);
  });
});
