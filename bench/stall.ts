/**
 * Shell: how long the engine's event loop is held up while an image of many keys is written and the
 * table grows: a fixed rate of requests (80 % GET, 20 % SET) and new keys besides, from the moment the
 * image begins until it is in place.
 *
 * A machine that is busy with other things makes pauses of its own. So the engine tells what its loop did
 * (INFO, section Stalls): each stretch of work by the wall, by the CPU that it can have used, and by how
 * long it was blocked (neither ran nor waited for a core). The target holds for the latter two together; `late`
 * says how much later than asked the loop came to its timer, for whatever reason.
 */
import { Redis } from 'ioredis';
import { pipe, resp } from './pipe.ts';
import { type Server, startEngine } from './servers.ts';
import { ZipfLoad } from './zipf-load.ts';

export type StallOptions = { keys: number; rate: number };

const write = (line: string) => process.stdout.write(`${line}\n`);
const stallMsMax = 5;
const p999MsMax = 3;
const imageMsMax = 300_000;
/** Keys made anew each second, so that segments of the table split all the time. */
const newKeysPerSecond = 5000;
const hotKeys = 100_000;
const value = 'v'.repeat(32);
const large = 'v'.repeat(4096);
const key = (number: number) => `key:${String(number).padStart(12, '0')}`;

/** Prints the table; returns sentences about targets that were missed. */
export async function measureStall({ keys, rate }: StallOptions): Promise<string[]> {
  const server = await startEngine();
  const client = new Redis({ port: server.port });
  try {
    await pipe(server.port, keys, (i) => resp('SET', key(i), value));
    const load = new ZipfLoad(hotKeys, 32);
    await load.fill(server);
    await until(client, false, async () => pause(50));
    // An image begins when the log has grown by as much as the last one: large values do that soonest.
    let next = 0;
    const grow = () => pipe(server.port, 5000, () => resp('SET', `large:${next++ % 1000}`, large));
    await until(client, true, grow);
    await client.config('RESETSTAT');
    const began = performance.now();
    const samples: Awaited<ReturnType<ZipfLoad['fixedRate']>>[] = [];
    let fresh = keys;
    let isOver = false;
    const insert = async () => {
      while (!isOver) {
        const first = fresh;
        fresh += newKeysPerSecond / 50;
        await pipe(server.port, fresh - first, (i) => resp('SET', key(first + i), value));
        await pause(20);
      }
    };
    const inserting = insert();
    await until(client, false, async () => {
      samples.push(await load.fixedRate(server, rate, 1));
    });
    const imageMs = performance.now() - began;
    isOver = true;
    await inserting;
    const stalls = await readStalls(client);
    return print(server, { keys, rate, imageMs, stalls, samples, fresh: fresh - keys });
  } finally {
    client.disconnect();
    await server.stop();
  }
}

type Stall = { ms: number; cpuMs: number; blockedMs: number; over: number; overCpu: number };
type Result = {
  keys: number;
  rate: number;
  imageMs: number;
  stalls: Map<string, Stall>;
  samples: readonly { p50: number; p99: number; p999: number }[];
  fresh: number;
};

function print(server: Server, result: Result): string[] {
  const { keys, rate, imageMs, stalls, samples, fresh } = result;
  write('');
  write(
    `${keys} keys, ${rate} requests/s and ${fresh} new keys during an image that took ` +
      `${(imageMs / 1000).toFixed(1)} s (${server.name}).`,
  );
  write('');
  write(
    '| stretch of the loop | longest ms, wall | longest ms, CPU | longest ms, blocked | ' +
      '≥ 5 ms, wall | ≥ 5 ms, CPU |',
  );
  write(`|${' --- |'.repeat(6)}`);
  for (const [cause, { ms, cpuMs, blockedMs, over, overCpu }] of stalls) {
    const [wall, cpu, blocked] = [ms, cpuMs, blockedMs].map((one) => one.toFixed(1));
    write(`| ${cause} | ${wall} | ${cpu} | ${blocked} | ${over} | ${overCpu} |`);
  }
  const p999s = samples.map(({ p999 }) => p999).sort((a, b) => a - b);
  const median = p999s[p999s.length >> 1] ?? Number.NaN;
  write('');
  write(
    `p99.9 at that rate, of ${samples.length} seconds: median ${median.toFixed(2)} ms, ` +
      `least ${p999s[0]?.toFixed(2)}, greatest ${p999s.at(-1)?.toFixed(2)}.`,
  );
  const missed: string[] = [];
  for (const [cause, { cpuMs, blockedMs }] of stalls) {
    const ms = cpuMs + blockedMs;
    if (cause === 'late' || ms < stallMsMax) continue;
    missed.push(`longest stretch of ${cause}: ${ms.toFixed(1)} ms, target < ${stallMsMax} ms`);
  }
  if (!(median < p999MsMax)) {
    missed.push(`p99.9 during an image: ${median.toFixed(2)} ms, target < ${p999MsMax} ms`);
  }
  return missed;
}

async function readStalls(client: Redis): Promise<Map<string, Stall>> {
  const info = await client.info();
  const found = new Map<string, Stall>();
  const pattern =
    /^stall_(\w+):longest_ms=([\d.]+),longest_cpu_ms=([\d.]+),longest_blocked_ms=([\d.]+),over_5ms=(\d+),over_5ms_cpu=(\d+)/gm;
  for (const [, cause, wall, cpu, blocked, over, overCpu] of info.matchAll(pattern)) {
    found.set(cause as string, {
      ms: Number(wall),
      cpuMs: Number(cpu),
      blockedMs: Number(blocked),
      over: Number(over),
      overCpu: Number(overCpu),
    });
  }
  if (found.size === 0) throw new Error('INFO has no section Stalls');
  return found;
}

/** Repeats `meanwhile` until an image is being written, or none is. */
async function until(client: Redis, writing: boolean, meanwhile: () => Promise<unknown>) {
  const deadline = performance.now() + imageMsMax;
  while (/log_writing_image:1/.test(await client.info()) !== writing) {
    if (performance.now() > deadline) throw new Error('the image neither begins nor ends');
    await meanwhile();
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
