/**
 * Shell: latency at a fixed rate, far from saturation: 80 % GET and 20 % SET by Zipf's law over 50
 * connections, sent whether the server keeps up or not. One client process makes the load for
 * both servers in turns; its own pauses are in the figures of both.
 */
import { type Server, startEngine, startRedis } from './servers.ts';
import { printSpread, spreadOf } from './spread.ts';
import { ZipfLoad } from './zipf-load.ts';

export type LatencyOptions = { runs: number; seconds: number; keys: number; rate: number };

const write = (line: string) => process.stdout.write(`${line}\n`);

/** Prints the table; returns sentences about targets that were missed. */
export async function measureLatency(options: LatencyOptions): Promise<string[]> {
  const { runs, seconds, keys, rate } = options;
  const redis = await startRedis();
  const engine = await startEngine();
  const load = new ZipfLoad(keys, 32);
  const samples = new Map<Server, Awaited<ReturnType<ZipfLoad['fixedRate']>>[]>();
  try {
    for (const server of [redis, engine]) {
      samples.set(server, []);
      await load.fill(server);
      await load.fixedRate(server, rate, 1);
    }
    for (let i = 0; i < runs; i++) {
      for (const server of [redis, engine]) {
        samples.get(server)?.push(await load.fixedRate(server, rate, seconds * 2));
      }
    }
  } finally {
    await Promise.all([redis.stop(), engine.stop()]);
  }
  write('');
  write(`| server | requests/s | p50 ms | p99 ms | p99.9 ms | µs CPU/op |`);
  write(`|${' --- |'.repeat(6)}`);
  for (const [server, all] of samples) {
    const figure = (name: keyof (typeof all)[number], decimals = 2) =>
      printSpread(spreadOf(all.map((one) => one[name])), decimals);
    write(
      `| ${server.name} | ${figure('perSecond', 0)} | ${figure('p50')} | ${figure('p99')} | ` +
        `${figure('p999')} | ${figure('cpuMicros', 1)} |`,
    );
  }
  const p999 = spreadOf((samples.get(engine) ?? []).map((one) => one.p999)).median;
  return p999 < 3 ? [] : [`p99.9 at ${rate} requests/s: ${p999.toFixed(2)} ms, target < 3 ms`];
}
