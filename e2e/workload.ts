/**
 * Shell: the workload and the checker of the failover feature.
 *
 * One writer per shard, each with a connection of its own, writes without pause: `SET key n`, a new
 * key each time, and counts `INCR` on one counter. What the database acknowledged is remembered
 * with the time of the acknowledgement. A write that fails has an unknown outcome: it may be there
 * or not. Two acknowledgements in a row with more time between them than any other two: that is
 * the gap that an application would have seen.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import { slotOf } from '../engine/keyspace/slot.ts';
import type { Region } from './cluster.ts';
import { type Database, openClient } from './database.ts';

/** Pause between writes: enough of them to see a gap of 10 ms, few enough to leave CPU. */
const PAUSE_MS = 3;
const SLOTS = 16384;

export type Written = {
  /** Acknowledged SETs: key and value. */
  readonly sets: ReadonlyMap<string, string>;
  /** The counter's key, and the bounds of its value when nothing is lost or counted twice. */
  readonly counter: { readonly key: string; readonly acknowledged: number; readonly sent: number };
  /** Longest time between two acknowledgements in a row. */
  readonly gapMs: number;
  readonly errors: readonly string[];
};

export type Writer = {
  /** How many writes have been acknowledged so far. */
  acknowledged(): number;
  /** Ends the writer after the write under way and returns what it did. */
  stop(): Promise<Written>;
};

/** Starts a writer whose keys all lie in one shard of a database with `shards` shards. */
export async function startWriter(
  database: Database,
  region: Region,
  shard: number,
  shards: number,
  prefix: string,
): Promise<Writer> {
  const client = await openClient(database, region);
  const sets = new Map<string, string>();
  const counter = { key: keyIn(shard, shards, `${prefix}:counter`), acknowledged: 0, sent: 0 };
  const errors: string[] = [];
  let gapMs = 0;
  let lastMs = performance.now();
  let stopped = false;

  const loop = async () => {
    for (let n = 0; !stopped; n++) {
      const key = keyIn(shard, shards, `${prefix}:${n}`);
      if (await attempt(client.set(key, String(n)))) sets.set(key, String(n));
      counter.sent += 1;
      if (await attempt(client.incr(counter.key))) counter.acknowledged += 1;
      await sleep(PAUSE_MS);
    }
  };
  const attempt = async (reply: Promise<unknown>) => {
    try {
      await reply;
      const nowMs = performance.now();
      gapMs = Math.max(gapMs, nowMs - lastMs);
      lastMs = nowMs;
      return true;
    } catch (error) {
      errors.push((error as Error).message);
      await sleep(PAUSE_MS);
      return false;
    }
  };

  const running = loop();
  return {
    acknowledged: () => sets.size + counter.acknowledged,
    stop: async () => {
      stopped = true;
      await running;
      client.disconnect();
      return { sets, counter, gapMs, errors };
    },
  };
}

/** What of the acknowledged writes a client does not find; empty when nothing is missing. */
export async function findMissing(client: Redis, written: Written): Promise<string[]> {
  const missing: string[] = [];
  const entries = [...written.sets];
  const batch = 200;
  for (let start = 0; start < entries.length; start += batch) {
    const some = entries.slice(start, start + batch);
    const values = await Promise.all(some.map(([key]) => client.get(key)));
    for (const [index, [key, value]] of some.entries()) {
      if (values[index] !== value) missing.push(`${key}: wrote ${value}, read ${values[index]}`);
    }
  }
  const { key, acknowledged, sent } = written.counter;
  const count = Number(await client.get(key));
  if (count < acknowledged || count > sent) {
    missing.push(`${key}: ${acknowledged} acknowledged and ${sent} sent, read ${count}`);
  }
  return missing;
}

/** A key that begins with the name and lies in the shard. */
export function keyIn(shard: number, shards: number, name: string): string {
  for (let salt = 0; ; salt++) {
    const key = `${name}:${salt}`;
    const bytes = Buffer.from(key);
    if (Math.floor((slotOf(bytes, 0, bytes.length) * shards) / SLOTS) === shard) return key;
  }
}
