/**
 * Shell: `make crash`: kills a standalone engine with SIGKILL again and again under load, with every
 * fsync policy, and checks after each restart that no acknowledged write is missing. A killed process
 * loses nothing with any policy, because the log is written before the reply. What a machine without
 * power may lose cannot be played with real processes (the page cache survives them): the simulator
 * does that, with the same core over a disk that forgets (engine/sim/power-loss.ts), and its window is
 * printed at the end.
 *
 * Several engines are killed side by side (`--lanes`), each with a directory and writers of its own: most of
 * a cycle is waiting.
 *
 * Each connection owns its keys and writes growing numbers into them, so that after a restart a key must
 * hold at least the last number that was acknowledged and at most the last one that was sent. A counter
 * for each connection must lie between the acknowledged and the sent increments.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { Redis } from 'ioredis';
import { freePort } from '../engine/acceptance/processes.ts';
import type { FsyncPolicy } from '../engine/config.ts';
import { measurePowerLoss } from '../engine/sim/power-loss.ts';
import { untilAnswers } from './servers.ts';
import { printSpread, spreadOf } from './spread.ts';

const root = join(import.meta.dirname, '..');
const policies: readonly FsyncPolicy[] = ['always', 'everysec', 'no'];
const keysEach = 50;
const loadMsMax = 10_000;
const write = (line: string) => process.stdout.write(`${line}\n`);

type Options = {
  tries: number;
  lanes: number;
  keys: number;
  connections: number;
  fsync: FsyncPolicy[];
  powerCuts: number;
};
/** Where the engine listens and stores, the same in every life. */
type Place = { directory: string; port: number; peerPort: number; fsync: FsyncPolicy };

/** What one writing connection knows of its keys and its counter. */
class Writer {
  readonly name: string;
  readonly sent = new Array<number>(keysEach).fill(0);
  readonly acknowledged = new Array<number>(keysEach).fill(0);
  incrementsSent = 0;
  incrementsAcknowledged = 0;
  private next = 1;

  constructor(name: string) {
    this.name = name;
  }

  /** Writes until the connection breaks; pipelines of ten. */
  async run(client: Redis): Promise<void> {
    for (;;) {
      const round = Array.from({ length: 10 }, () => this.one(client));
      if ((await Promise.all(round)).includes(false)) return;
    }
  }

  private async one(client: Redis): Promise<boolean> {
    const value = this.next++;
    const slot = value % keysEach;
    this.sent[slot] = value;
    this.incrementsSent++;
    const set = client.set(`${this.name}:${slot}`, value);
    const increment = client.incr(`${this.name}:count`);
    const [stored, counted] = await Promise.allSettled([set, increment]);
    if (stored.status === 'fulfilled') this.acknowledged[slot] = value;
    if (counted.status === 'fulfilled') this.incrementsAcknowledged++;
    return stored.status === 'fulfilled' && counted.status === 'fulfilled';
  }

  /** Sentences about what is missing or invented; empty when all is well. Takes what it finds as the new truth. */
  async verify(client: Redis): Promise<string[]> {
    const wrong: string[] = [];
    const values = await client.mget(this.sent.map((_, slot) => `${this.name}:${slot}`));
    values.forEach((value, slot) => {
      const found = Number(value ?? 0);
      const [low, high] = [this.acknowledged[slot] as number, this.sent[slot] as number];
      if (found < low) wrong.push(`${this.name}:${slot} holds ${found}, ${low} was acknowledged`);
      if (found > high) wrong.push(`${this.name}:${slot} holds ${found}, only ${high} was sent`);
      this.acknowledged[slot] = found;
    });
    const count = Number((await client.get(`${this.name}:count`)) ?? 0);
    if (count < this.incrementsAcknowledged || count > this.incrementsSent) {
      wrong.push(
        `${this.name}:count is ${count}; ${this.incrementsAcknowledged} increments were acknowledged, ` +
          `${this.incrementsSent} sent`,
      );
    }
    this.incrementsAcknowledged = count;
    this.incrementsSent = count;
    return wrong;
  }
}

/** The engines of this moment; they end with us. */
const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

async function start(place: Place): Promise<{ child: ChildProcess; ms: number }> {
  const began = performance.now();
  const args = [join(root, 'engine/main.ts'), '--region', 'eu', '--region-number', '1'];
  args.push('--port', `${place.port}`, '--peer-port', `${place.peerPort}`);
  args.push('--dir', place.directory, '--fsync', place.fsync, '--log-level', 'error');
  const child = spawn(join(root, 'node_modules/.bin/bun'), args, {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  running.add(child);
  child.once('exit', () => running.delete(child));
  await untilAnswers(place.port, child);
  return { child, ms: performance.now() - began };
}

function connectClient(port: number): Redis {
  const client = new Redis({
    port,
    host: '127.0.0.1',
    retryStrategy: () => null,
    maxRetriesPerRequest: 0,
  });
  client.on('error', () => {}); // the kill is meant to break it
  return client;
}

async function fill(port: number, keys: number): Promise<void> {
  const client = connectClient(port);
  for (let from = 0; from < keys; from += 1000) {
    const pairs: string[] = [];
    for (let i = from; i < Math.min(from + 1000, keys); i++) pairs.push(`fill:${i}`, `value ${i}`);
    await client.mset(...pairs);
  }
  client.disconnect();
}

async function crashOnce(writers: Writer[], child: ChildProcess, port: number): Promise<void> {
  const clients = writers.map(() => connectClient(port));
  const before = acknowledgedBy(writers);
  const running = writers.map((writer, i) => writer.run(clients[i] as Redis));
  // A kill before anything was acknowledged would prove nothing.
  const deadline = Date.now() + loadMsMax;
  while (acknowledgedBy(writers) === before && Date.now() < deadline) await pause(1);
  await pause(30 + Math.random() * 120);
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await ended;
  await Promise.all(running);
  for (const client of clients) client.disconnect();
}

function acknowledgedBy(writers: readonly Writer[]): number {
  return writers.reduce((sum, writer) => sum + writer.incrementsAcknowledged, 0);
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** What is missing or invented after a restart, in sentences. */
async function verifyAll(writers: Writer[], port: number, keys: number): Promise<string[]> {
  const client = connectClient(port);
  const wrong: string[] = [];
  for (const writer of writers) wrong.push(...(await writer.verify(client)));
  const size = await client.dbsize();
  if (size < keys) wrong.push(`${size} keys are left of at least ${keys}`);
  client.disconnect();
  return wrong;
}

/** What one lane did. */
type Lane = { restarts: number[]; acknowledged: number; wrong: string[] };

/** Kills and restarts one engine again and again. Ends early when something is missing. */
async function runLane(fsync: FsyncPolicy, tries: number, options: Options): Promise<Lane> {
  const directory = mkdtempSync(join(tmpdir(), 'meridian-crash-'));
  const place: Place = { directory, port: await freePort(), peerPort: await freePort(), fsync };
  const writers = Array.from({ length: options.connections }, (_, i) => new Writer(`w${i}`));
  const lane: Lane = { restarts: [], acknowledged: 0, wrong: [] };
  let child: ChildProcess | null = null;
  try {
    child = (await start(place)).child;
    await fill(place.port, options.keys);
    for (let attempt = 1; attempt <= tries && lane.wrong.length === 0; attempt++) {
      await crashOnce(writers, child, place.port);
      const next = await start(place);
      child = next.child;
      lane.restarts.push(next.ms);
      lane.wrong.push(...(await verifyAll(writers, place.port, options.keys)));
      if (attempt % 100 === 0) write(`  ${attempt} kills of ${tries} with fsync ${fsync}`);
    }
  } catch (error) {
    // A start that needs a hand is a failure like a lost write.
    const which = `the start after kill ${lane.restarts.length + 1}`;
    lane.wrong.push(`${which} failed: ${(error as Error).message}`);
  } finally {
    child?.kill('SIGKILL');
  }
  lane.acknowledged = acknowledgedBy(writers);
  if (lane.wrong.length > 0) lane.wrong.push(`its directory is kept: ${directory}`);
  else rmSync(directory, { recursive: true, force: true });
  return lane;
}

/** All lanes with one policy; true when nothing was missing and every start came up. */
async function loop(fsync: FsyncPolicy, options: Options): Promise<boolean> {
  const began = performance.now();
  const count = Math.min(options.lanes, options.tries);
  const lanes = await Promise.all(
    Array.from({ length: count }, (_, n) => {
      const tries =
        Math.floor(((n + 1) * options.tries) / count) - Math.floor((n * options.tries) / count);
      return runLane(fsync, tries, options);
    }),
  );
  const restarts = lanes.flatMap((lane) => lane.restarts);
  const wrong = lanes.flatMap((lane) => lane.wrong);
  const acknowledged = lanes.reduce((sum, lane) => sum + lane.acknowledged, 0);
  for (const line of wrong) write(`WRONG: ${line}`);
  const words = wrong.length === 0 ? 'no start needed a hand' : 'see above';
  write(
    `${restarts.length} kills with fsync ${fsync}, ${count} engines at once, ${options.keys} keys each, ` +
      `${acknowledged} acknowledged increments, ${wrong.length} wrong, ${words}; ` +
      `restart ms ${printSpread(spreadOf(restarts), 0)}; ` +
      `${((performance.now() - began) / 60_000).toFixed(1)} minutes`,
  );
  return wrong.length === 0;
}

async function main(options: Options): Promise<void> {
  let isGood = true;
  for (const fsync of options.fsync) isGood = (await loop(fsync, options)) && isGood;
  for (const fsync of options.powerCuts > 0 ? options.fsync : []) {
    const { cuts, acknowledged, lost, windowMsMax } = measurePowerLoss(fsync, options.powerCuts);
    write(
      `${cuts} simulated power cuts with fsync ${fsync}: ${lost} of ${acknowledged} acknowledged ` +
        `writes lost, the oldest ${windowMsMax.toFixed(0)} ms before the cut (its window)`,
    );
  }
  if (!isGood) process.exitCode = 1;
}

function wholeNumber(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0)
    throw new InvalidArgumentError('a whole number from 0');
  return value;
}

function policyList(text: string): FsyncPolicy[] {
  const named = text.split(',') as FsyncPolicy[];
  if (named.every((policy) => policies.includes(policy))) return named;
  throw new InvalidArgumentError(`some of ${policies.join(',')}`);
}

const program = new Command('crash-loop')
  .option('--tries <n>', 'how often to kill with each policy', wholeNumber, 200)
  .option(
    '--lanes <n>',
    'engines that are killed side by side',
    wholeNumber,
    availableParallelism() + 1,
  )
  .option('--keys <n>', 'keys that are there besides', wholeNumber, 100_000)
  .option('--connections <n>', 'writing connections', wholeNumber, 8)
  .option('--fsync <policies>', 'policies, separated by commas', policyList, [...policies])
  .option('--power-cuts <n>', 'simulated power cuts with each policy', wholeNumber, 200)
  .parse();
await main(program.opts<Options>());
