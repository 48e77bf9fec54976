/**
 * Shell: how long a client is without acknowledged writes when something dies, and whether anything
 * acknowledged is lost by it.
 *
 *   node local/failover.ts [--what process|node|zone|hang] [--tries 10] [--regions 3]
 *
 * The demo's regions run with a client that writes to each shard of eu all the time, through the
 * proxies. Each try kills the process (or the node, or the zone) of a shard's primary, by turns, and
 * prints the longest time without an acknowledged write; then everything is brought back and has to
 * catch up before the next. `hang` stops the node instead: connections stay open and nothing answers,
 * as when a real node loses its power. At the end every acknowledged write is looked for in every
 * region. Ends with 1 when one is missing.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Open } from './api-server/resource.ts';
import { regions as demoRegions } from './demo/setup.ts';
import { type Regions, startRegions } from './regions.ts';
import { root } from './start-local.ts';
import { tagInSlots, Writer } from './writer.ts';

const kinds = ['process', 'node', 'zone', 'hang'] as const;
type What = (typeof kinds)[number];

const region = 'eu';
const readyLimitMs = 120_000;
const recoverLimitMs = 60_000;
/** How long after the first new write a second gap still belongs to the same failover. */
const afterglowMs = 500;
const warmUpMs = 500;
const writePauseMs = 2;

async function main(): Promise<void> {
  const { what, tries, count } = parseFlags();
  const stateDir = mkdtempSync(join(tmpdir(), 'meridian-failover-'));
  const free = demoRegions.slice(0, count).map((one) => ({ ...one, clientPort: 0, peerPort: 0 }));
  const yaml = readFileSync(join(root, 'examples/carts.yaml'), 'utf8');
  const world = await startRegions({ regions: free, yaml, stateDir });
  let failed = true;
  const end = async () => {
    await world.stop();
    rmSync(stateDir, { recursive: true, force: true });
    process.exit(failed ? 1 : 0);
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, end);
  try {
    await world.ready(readyLimitMs);
    await whole(world);
    failed = !(await measure(world, what, tries));
  } catch (error) {
    say(`${(error as Error).message}`);
  }
  await end();
}

/** True when nothing acknowledged is missing. */
async function measure(world: Regions, what: What, tries: number): Promise<boolean> {
  const port = world.clientPorts.get(region) as number;
  const shards: Open[] = world.resource(region).status.shards;
  const writers = shards.map(({ slots }, shard) => {
    const tag = tagInSlots(slots);
    return new Writer({ port, tag, prefix: `w${shard}:`, pauseMs: writePauseMs });
  });
  for (const writer of writers) writer.start();
  const gaps: number[] = [];
  for (let attempt = 0; attempt < tries; attempt += 1) {
    const shard = attempt % shards.length;
    const { gap, text } = await tryOnce(world, what, shard, writers[shard]);
    gaps.push(gap);
    say(`try ${String(attempt + 1).padStart(2)}  ${text}`);
  }
  await Promise.all(writers.map((writer) => writer.stop()));
  summarize(what, gaps, writers);
  return nothingMissing(world, writers);
}

async function tryOnce(
  world: Regions,
  what: What,
  shard: number,
  writer: Writer,
): Promise<{ gap: number; text: string }> {
  await pause(warmUpMs);
  const primary = world.primary(region, shard);
  const node = world.nodeOf(region, primary);
  const killedAt = performance.now();
  if (what === 'process') world.local.killProcess(region, primary);
  else if (what === 'hang') world.local.pauseNode(region, node);
  else if (what === 'node') await world.local.killNode(region, node);
  else await world.local.killZone(region, world.zoneOf(region, node));
  const first = await until(
    () => writer.acks.find((ack) => ack.sentAt > killedAt)?.ackedAt ?? null,
    `no write to shard ${shard} was acknowledged`,
  );
  await pause(afterglowMs);
  const gap = writer.longestGap(killedAt, Math.max(first, performance.now()));
  const next = await until(
    () => (world.primary(region, shard) === primary ? null : world.primary(region, shard)),
    `shard ${shard} still has its dead primary`,
  ).catch(() => primary);
  world.heal(region);
  await whole(world);
  const phases = phasesOf(world, shard);
  const text = `shard ${shard}  ${primary} → ${next}  gap ${gap.toFixed(0)} ms${phases}`;
  return { gap, text };
}

/** What the operator recorded of it: from the first failed probe to each further step. */
function phasesOf(world: Regions, shard: number): string {
  const records: Open[] = world.resource(region).status.failovers ?? [];
  const record = records.find((one) => one.shard === shard);
  if (record?.suspectedAt === undefined) return '';
  const since = (time: string) => Date.parse(time) - Date.parse(record.suspectedAt);
  const steps = ['decidedAt', 'promotedAt', 'routedAt', 'firstWriteAt']
    .filter((name) => record[name] !== undefined)
    .map((name) => `${name.slice(0, -2)} ${since(record[name])}`);
  return `  (ms from suspicion: ${steps.join(', ')})`;
}

function summarize(what: What, gaps: readonly number[], writers: readonly Writer[]): void {
  const sorted = [...gaps].sort((a, b) => a - b);
  const at = (share: number) => sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)];
  const [p50, p90, max] = [at(0.5), at(0.9), at(1)].map((gap) => gap?.toFixed(0));
  say(`gap by ${what}: p50 ${p50} ms, p90 ${p90} ms, max ${max} ms`);
  for (const writer of writers) {
    for (const [failure, count] of writer.failures)
      say(`  not acknowledged: ${count} × ${failure}`);
  }
}

async function nothingMissing(world: Regions, writers: readonly Writer[]): Promise<boolean> {
  const count = writers.reduce((sum, writer) => sum + writer.count, 0);
  let lost = 0;
  for (const [name, port] of world.clientPorts) {
    // The other regions may be some milliseconds behind; what never comes is missing.
    const missing = await until(
      async () => ((await missingIn(writers, port)) === 0 ? 0 : null),
      `writes are missing in ${name}`,
    ).catch(() => missingIn(writers, port));
    say(`${count} writes acknowledged, ${missing} missing in ${name}`);
    lost += missing;
  }
  return lost === 0;
}

async function missingIn(writers: readonly Writer[], port: number): Promise<number> {
  let missing = 0;
  for (const writer of writers) missing += await writer.missingAt(port);
  return missing;
}

/** Waits until every member of the region is up, has caught up, and all regions are linked. */
async function whole(world: Regions): Promise<void> {
  await world.ready(readyLimitMs);
  await until(() => (world.isWhole(region) ? true : null), 'members did not catch up');
}

async function until<T>(read: () => T | null | Promise<T | null>, message: string): Promise<T> {
  const limit = performance.now() + recoverLimitMs;
  for (;;) {
    const value = await read();
    if (value !== null) return value;
    if (performance.now() > limit) throw new Error(`${message} after ${recoverLimitMs / 1000} s`);
    await pause(20);
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function parseFlags(): { what: What; tries: number; count: number } {
  const usage =
    'usage: node local/failover.ts [--what process|node|zone] [--tries 10] [--regions 3]';
  try {
    const { values } = parseArgs({
      options: {
        what: { type: 'string', default: 'process' },
        tries: { type: 'string', default: '10' },
        regions: { type: 'string', default: '3' },
      },
    });
    const what = values.what as What;
    const [tries, count] = [Number(values.tries), Number(values.regions)];
    const known = kinds.includes(what);
    if (!known || !(tries >= 1) || !(count >= 1 && count <= 3)) throw new Error(usage);
    return { what, tries, count };
  } catch {
    process.stderr.write(`${usage}\n`);
    process.exit(2);
  }
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

await main();
