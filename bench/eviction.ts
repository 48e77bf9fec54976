/**
 * Shell: `make bench-eviction`: share of reads that find their key in a cache that is too small, beside
 * the `redis-server` on PATH with the same policy and an exact LRU.
 *
 * The client reads keys by Zipf's law and writes those it did not find, as an application beside a
 * slower store does. Both servers get the memory in which each holds the same number of keys, so what is
 * compared is the choice of victims and nothing else. The requests are the same for all.
 */
import { connect, type Socket } from 'node:net';
import { Command } from 'commander';
import { seededChance } from '../engine/keyspace/test-chance.ts';
import { pipe, resp } from './pipe.ts';
import { isOnPath, type Server, startEngine, startRedis } from './servers.ts';

const write = (line: string) => process.stdout.write(`${line}\n`);
const value = 'v'.repeat(32);
const exponent = 0.99;
const window = 100;

type Load = {
  readonly name: string;
  /** The key of the i-th of `count` requests; `rank` follows Zipf's law. */
  key(i: number, rank: number, chance: number, count: number): number;
};

const loads: readonly Load[] = [
  { name: 'popularity stays', key: (_i, rank) => rank },
  {
    name: 'a quarter of the reads ask for a key that nobody asks for again',
    key: (i, rank, chance) => (chance < 0.25 ? 10_000_000 + i : rank),
  },
  {
    name: 'every quarter of the time an eighth of the keys change places',
    key: (i, rank, _chance, count) => rank + Math.floor((4 * i) / count) * 0.125 * keysAsked,
  },
];

let keysAsked = 100_000;

/** The requests of a load. */
function requests(load: Load, count: number): Uint32Array {
  const random = seededChance(7);
  const sums = new Float64Array(keysAsked);
  let sum = 0;
  for (let i = 0; i < keysAsked; i++) {
    sum += 1 / (i + 1) ** exponent;
    sums[i] = sum;
  }
  return Uint32Array.from({ length: count }, (_, i) => {
    const wanted = random() * sum;
    let [low, high] = [0, keysAsked - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (sums[middle] < wanted) low = middle + 1;
      else high = middle;
    }
    return load.key(i, low, random(), count);
  });
}

const keyName = (key: number): string => `key:${String(key).padStart(12, '0')}`;

/** One connection: sends text, gives back the replies of so many commands as they came. */
class Line {
  private text = '';
  private readonly socket: Socket;
  private waiting: { replies: number; done: (found: boolean[]) => void } | null = null;

  static open(port: number): Promise<Line> {
    return new Promise((resolve, reject) => {
      const socket = connect(port, '127.0.0.1', () => resolve(new Line(socket)));
      socket.once('error', reject);
    });
  }

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.setNoDelay(true);
    socket.setEncoding('latin1');
    socket.on('data', (text: string) => {
      this.text += text;
      this.check();
    });
  }

  /** Of each GET or SET whether it was answered by more than null. */
  ask(commands: readonly string[]): Promise<boolean[]> {
    return new Promise((done) => {
      this.waiting = { replies: commands.length, done };
      this.socket.write(commands.join(''));
    });
  }

  close(): void {
    this.socket.destroy();
  }

  private check(): void {
    if (this.waiting === null) return;
    const found: boolean[] = [];
    let at = 0;
    while (found.length < this.waiting.replies) {
      const end = this.text.indexOf('\r\n', at);
      if (end < 0) return;
      if (this.text[at] === '-') throw new Error(this.text.slice(at, end));
      const isValue = this.text[at] === '$' && this.text[at + 1] !== '-';
      at = end + 2 + (isValue ? value.length + 2 : 0);
      if (at > this.text.length) return;
      found.push(isValue);
    }
    this.text = this.text.slice(at);
    const { done } = this.waiting;
    this.waiting = null;
    done(found);
  }
}

async function info(line: Server, section: string, field: string): Promise<number> {
  const socket = connect(line.port, '127.0.0.1');
  socket.write(resp('INFO', section));
  const text = await new Promise<string>((resolve) => {
    let got = '';
    socket.on('data', (chunk) => {
      got += chunk.toString();
      if (new RegExp(`${field}:[^\r]*\r`).test(got)) resolve(got);
    });
  });
  socket.destroy();
  return Number(new RegExp(`${field}:(?:keys=)?(\\d+)`).exec(text)?.[1]);
}

type Outcome = { readonly hits: number; readonly keys: number };

/** Hits among the second half of the requests, when the cache is warm. */
async function play(
  server: Server,
  policy: string,
  cached: number,
  asked: Uint32Array,
): Promise<Outcome> {
  await pipe(server.port, 1, () => resp('FLUSHALL'));
  await pipe(server.port, 1, () => resp('CONFIG', 'SET', 'maxmemory', 0));
  await pipe(server.port, cached, (i) => resp('SET', keyName(20_000_000 + i), value));
  const bytes = await info(server, 'memory', 'used_memory');
  await pipe(server.port, 1, () => resp('FLUSHALL'));
  await pipe(server.port, 1, () =>
    resp('CONFIG', 'SET', 'maxmemory', bytes, 'maxmemory-policy', policy),
  );
  const line = await Line.open(server.port);
  let hits = 0;
  for (let at = 0; at < asked.length; at += window) {
    const keys = [...asked.subarray(at, at + window)].map(keyName);
    const found = await line.ask(keys.map((key) => resp('GET', key)));
    const missing = keys.filter((_, i) => !found[i]);
    if (missing.length > 0) await line.ask(missing.map((key) => resp('SET', key, value)));
    if (at >= asked.length / 2) for (const hit of found) if (hit) hits++;
  }
  line.close();
  return { hits: hits / (asked.length / 2), keys: await info(server, 'keyspace', 'db0') };
}

/** The same with a list that is really in the order of last use. */
function playExact(cached: number, asked: Uint32Array): number {
  const kept = new Set<number>();
  let hits = 0;
  asked.forEach((key, i) => {
    if (kept.delete(key) && i >= asked.length / 2) hits++;
    kept.add(key);
    if (kept.size > cached) kept.delete(kept.values().next().value as number);
  });
  return hits / (asked.length / 2);
}

async function main(options: { keys: string; requests: string }): Promise<void> {
  if (!isOnPath('redis-server')) {
    write('bench-eviction: redis-server is not on PATH, so there is nothing to compare with.');
    process.exitCode = 1;
    return;
  }
  keysAsked = Number(options.keys);
  const count = Number(options.requests);
  const redis = await startRedis({ extra: ['--appendonly', 'no'] });
  const engine = await startEngine();
  const percent = (share: number) => `${(share * 100).toFixed(1)} %`;
  write(`Reads by Zipf's law (${exponent}) over ${keysAsked} keys, ${count} requests a cell.\n`);
  write('| load | policy | room for | Redis | Meridian | exact LRU | keys at the end |');
  write(`|${' --- |'.repeat(7)}`);
  try {
    for (const load of loads) {
      const asked = requests(load, count);
      for (const share of [0.05, 0.2]) {
        const cached = Math.round(keysAsked * share);
        for (const policy of ['allkeys-lru', 'allkeys-lfu', 'allkeys-random']) {
          const theirs = await play(redis, policy, cached, asked);
          const ours = await play(engine, policy, cached, asked);
          write(
            `| ${load.name} | ${policy} | ${share * 100} % | ${percent(theirs.hits)} | ` +
              `${percent(ours.hits)} | ${percent(playExact(cached, asked))} | ` +
              `${theirs.keys}, ${ours.keys} |`,
          );
        }
      }
    }
  } finally {
    await redis.stop();
    await engine.stop();
  }
}

await main(
  new Command()
    .option('--keys <n>', 'keys that are asked for', '100000')
    .option('--requests <n>', 'requests of a cell', '300000')
    .parse()
    .opts(),
);
