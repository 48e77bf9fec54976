/**
 * Shell: `make crash`: kills a standalone engine with SIGKILL again and again under load and checks after each
 * restart that no acknowledged write is missing.
 *
 * Each connection owns its keys and writes growing numbers into them, so that after a restart a key must
 * hold at least the last number that was acknowledged and at most the last one that was sent. A counter
 * for each connection must lie between the acknowledged and the sent increments.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { Redis } from 'ioredis';
import { untilAnswers } from './servers.ts';
import { printSpread, spreadOf } from './spread.ts';

const root = join(import.meta.dirname, '..');
const port = 23_201;
const keysEach = 50;
const write = (line: string) => process.stdout.write(`${line}\n`);

type Options = { tries: number; keys: number; connections: number; fsync: string };

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

async function start(
  directory: string,
  fsync: string,
): Promise<{ child: ChildProcess; ms: number }> {
  const began = performance.now();
  const args = [join(root, 'engine/main.ts'), '--region', 'eu', '--region-number', '1'];
  args.push('--port', `${port}`, '--peer-port', `${port + 1000}`, '--dir', directory);
  args.push('--fsync', fsync, '--log-level', 'error');
  const child = spawn(join(root, 'node_modules/.bin/bun'), args, {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  await untilAnswers(port, child);
  return { child, ms: performance.now() - began };
}

function connectClient(): Redis {
  const client = new Redis({
    port,
    host: '127.0.0.1',
    retryStrategy: () => null,
    maxRetriesPerRequest: 0,
  });
  client.on('error', () => {}); // the kill is meant to break it
  return client;
}

async function fill(keys: number): Promise<void> {
  const client = connectClient();
  for (let from = 0; from < keys; from += 1000) {
    const pairs: string[] = [];
    for (let i = from; i < Math.min(from + 1000, keys); i++) pairs.push(`fill:${i}`, `value ${i}`);
    await client.mset(...pairs);
  }
  client.disconnect();
}

async function crashOnce(writers: Writer[], child: ChildProcess): Promise<void> {
  const clients = writers.map(() => connectClient());
  const running = writers.map((writer, i) => writer.run(clients[i] as Redis));
  await new Promise((resolve) => setTimeout(resolve, 30 + Math.random() * 120));
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await ended;
  await Promise.all(running);
  for (const client of clients) client.disconnect();
}

async function main(options: Options): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'meridian-crash-'));
  const writers = Array.from({ length: options.connections }, (_, i) => new Writer(`w${i}`));
  const restarts: number[] = [];
  const wrong: string[] = [];
  let { child } = await start(directory, options.fsync);
  process.once('exit', () => child.kill('SIGKILL'));
  try {
    await fill(options.keys);
    for (let attempt = 1; attempt <= options.tries; attempt++) {
      await crashOnce(writers, child);
      const next = await start(directory, options.fsync);
      child = next.child;
      restarts.push(next.ms);
      const client = connectClient();
      for (const writer of writers) wrong.push(...(await writer.verify(client)));
      const size = await client.dbsize();
      if (size < options.keys) wrong.push(`${size} keys are left of at least ${options.keys}`);
      client.disconnect();
      if (wrong.length > 0) break;
      if (attempt % 20 === 0)
        write(`${attempt} kills, restart ms ${printSpread(spreadOf(restarts), 0)}`);
    }
  } finally {
    child.kill('SIGKILL');
    rmSync(directory, { recursive: true, force: true });
  }
  const acknowledged = writers.reduce((sum, writer) => sum + writer.incrementsAcknowledged, 0);
  for (const line of wrong) write(`missing: ${line}`);
  write(
    `${restarts.length} kills with fsync ${options.fsync}, ${options.keys} keys, ` +
      `${acknowledged} acknowledged increments, ${wrong.length} wrong, ` +
      `restart ms ${printSpread(spreadOf(restarts), 0)}`,
  );
  if (wrong.length > 0) process.exitCode = 1;
}

function wholeNumber(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1)
    throw new InvalidArgumentError('a whole number from 1');
  return value;
}

const program = new Command('crash-loop')
  .option('--tries <n>', 'how often to kill', wholeNumber, 200)
  .option('--keys <n>', 'keys that are there besides', wholeNumber, 100_000)
  .option('--connections <n>', 'writing connections', wholeNumber, 8)
  .option('--fsync <policy>', 'always, everysec or no', 'always')
  .parse();
await main(program.opts<Options>());
