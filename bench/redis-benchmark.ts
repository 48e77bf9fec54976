/**
 * Shell: one run of `redis-benchmark` against a server: throughput, the latencies that its clients saw,
 * and the CPU time that the server used for an operation.
 */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { cpuSeconds, type Server } from './servers.ts';

const run = promisify(execFile);

export const connections = 50;

export type Sample = {
  readonly perSecond: number;
  readonly cpuMicros: number;
  /** Milliseconds; NaN where the client does not tell. */
  readonly p50: number;
  readonly p99: number;
  readonly p999: number;
};

export type Load = {
  /** A command with `__rand_int__` where a number below `range` goes. */
  readonly command: readonly string[];
  readonly depth: number;
  readonly range: number;
};

/** Sends `requests` of a command from 50 connections, each with `depth` of them under way. */
export async function benchmark(server: Server, load: Load, requests: number): Promise<Sample> {
  const pid = server.process.pid as number;
  const args = ['-p', `${server.port}`, '-n', `${requests}`, '-c', `${connections}`];
  args.push('-P', `${load.depth}`, '-r', `${load.range}`, '--precision', '3', ...load.command);
  const before = cpuSeconds(pid);
  const { stdout } = await run('redis-benchmark', args, { maxBuffer: 64 * 1024 * 1024 });
  const cpuMicros = ((cpuSeconds(pid) - before) / requests) * 1e6;
  const perSecond = Number(/throughput summary: ([\d.]+)/.exec(stdout)?.[1]);
  if (!(perSecond > 0)) {
    throw new Error(`redis-benchmark said nothing of ${load.command[0]}: ${stdout.slice(-300)}`);
  }
  const [p50, p99, p999] = [50, 99, 99.9].map((share) => percentile(stdout, share));
  return { perSecond, cpuMicros, p50, p99, p999 } as Sample;
}

/** The first line of the distribution that reaches the share. */
function percentile(stdout: string, share: number): number {
  for (const match of stdout.matchAll(/([\d.]+)% <= ([\d.]+) milliseconds/g)) {
    if (Number(match[1]) >= share) return Number(match[2]);
  }
  return Number.NaN;
}
