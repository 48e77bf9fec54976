/**
 * Shell: starts and stops the servers that are compared: a `redis-server` from PATH and our engine,
 * both with their log on disk and fsync each second, each in a directory of its own.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');
const startMsMax = 10_000;

export type Server = {
  readonly name: string;
  readonly port: number;
  readonly process: ChildProcess;
  readonly directory: string;
  /** Ends the process and removes its directory. */
  stop(): Promise<void>;
};

/** True when a program of that name can be started from PATH. */
export function isOnPath(program: string): boolean {
  try {
    execFileSync(program, ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** Starts Redis with appendonly everysec and no snapshots; resolves when it answers PING. */
export function startRedis(port: number, extra: readonly string[] = []): Promise<Server> {
  const directory = mkdtempSync(join(tmpdir(), 'meridian-bench-redis-'));
  const args = ['--port', `${port}`, '--bind', '127.0.0.1', '--dir', directory, '--save', ''];
  args.push('--appendonly', 'yes', '--appendfsync', 'everysec', '--daemonize', 'no', ...extra);
  return started('redis', port, directory, spawn('redis-server', args, { stdio: 'ignore' }));
}

/** Starts our engine alone (region eu, no peers) under Bun with the log on everysec. */
export function startEngine(
  port: number,
  extra: readonly string[] = [],
  directory = mkdtempSync(join(tmpdir(), 'meridian-bench-engine-')),
): Promise<Server> {
  const args = [join(root, 'engine/main.ts'), '--region', 'eu', '--region-number', '1'];
  args.push('--port', `${port}`, '--peer-port', `${port + 1000}`, '--dir', directory);
  args.push('--fsync', 'everysec', '--log-level', 'warn', ...extra);
  const child = spawn(join(root, 'node_modules/.bin/bun'), args, {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  return started('meridian', port, directory, child);
}

/** CPU seconds (user and system) that a process has used so far. */
export function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  const ticksPerSecond = 100;
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
}

/** Resident bytes of a process. */
export function residentBytes(pid: number): number {
  const line = readFileSync(`/proc/${pid}/status`, 'utf8').match(/VmRSS:\s+(\d+) kB/);
  return Number(line?.[1] ?? 0) * 1024;
}

/** Resolves when the server on `port` answers PING; rejects after 10 s or when the process ends. */
export async function untilAnswers(port: number, child: ChildProcess): Promise<void> {
  const deadline = Date.now() + startMsMax;
  for (;;) {
    if (child.exitCode !== null) throw new Error(`the server on ${port} ended: ${child.exitCode}`);
    if (await answers(port)) return;
    if (Date.now() > deadline) throw new Error(`the server on port ${port} does not answer PING`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write('PING\r\n'));
    const end = (ok: boolean) => {
      socket.destroy();
      resolve(ok);
    };
    socket.once('data', (data) => end(data.toString().startsWith('+PONG')));
    socket.once('error', () => end(false));
    socket.once('close', () => resolve(false));
  });
}

async function started(
  name: string,
  port: number,
  directory: string,
  child: ChildProcess,
): Promise<Server> {
  const stop = async () => {
    if (child.exitCode === null && child.signalCode === null) {
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGTERM');
      await ended;
    }
    rmSync(directory, { recursive: true, force: true });
  };
  process.once('exit', () => child.kill('SIGKILL'));
  await untilAnswers(port, child);
  return { name, port, process: child, directory, stop };
}
