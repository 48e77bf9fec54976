/**
 * Shell: starts and stops the servers that are compared: a `redis-server` from PATH and our engine,
 * both with their log on disk and fsync each second, each in a directory of its own.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../engine/acceptance/processes.ts';

const root = join(import.meta.dirname, '..');
const startMsMax = 120_000;

export type Server = {
  readonly name: string;
  readonly port: number;
  readonly process: ChildProcess;
  readonly directory: string;
  /** Ends the process in order; its directory stays. */
  end(): Promise<void>;
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

export type StartOptions = {
  /** Further flags. */
  readonly extra?: readonly string[];
  /** A directory that was used before, to start from; absent: a fresh one. */
  readonly directory?: string;
  /** Our engine without ops and log (bare-engine.ts). */
  readonly bare?: boolean;
};

/** Starts Redis with appendonly everysec and no snapshots; resolves when it answers PING. */
export async function startRedis(options: StartOptions = {}): Promise<Server> {
  const directory = options.directory ?? mkdtempSync(join(tmpdir(), 'meridian-bench-redis-'));
  const port = await freePort();
  const args = ['--port', `${port}`, '--bind', '127.0.0.1', '--dir', directory, '--save', ''];
  args.push('--appendonly', 'yes', '--appendfsync', 'everysec', '--daemonize', 'no');
  args.push(...(options.extra ?? []));
  return started('redis', port, directory, spawn('redis-server', args, { stdio: 'ignore' }));
}

/** Starts our engine alone (region eu, no peers) under Bun with the log on everysec. */
export async function startEngine(options: StartOptions = {}): Promise<Server> {
  const directory = options.directory ?? mkdtempSync(join(tmpdir(), 'meridian-bench-engine-'));
  const port = await freePort();
  const program = options.bare ? 'bench/bare-engine.ts' : 'engine/main.ts';
  const args = [join(root, program), '--region', 'eu', '--region-number', '1'];
  args.push('--port', `${port}`, '--peer-port', `${await freePort()}`);
  if (!options.bare) args.push('--dir', directory);
  args.push('--fsync', 'everysec', '--log-level', 'warn', ...(options.extra ?? []));
  const child = spawn(join(root, 'node_modules/.bin/bun'), args, {
    // As in the image of the engine; what is set already stays, for comparisons.
    env: { BUN_JSC_numberOfGCMarkers: '1', ...process.env },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  return started('meridian', port, directory, child);
}

/**
 * CPU seconds, of the user and of the system, that a process and those of its children that have ended
 * have used so far; in steps of 10 ms. Redis rewrites its log in a child, for which our engine
 * writes images itself.
 */
export function cpuSeconds(pid: number): number {
  // Not the sum over /proc/PID/task: a thread that ends takes its time out of it, and Bun's compilers end.
  const line = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = line.slice(line.lastIndexOf(')') + 2).split(' ');
  return [11, 12, 13, 14].reduce((sum, at) => sum + Number(fields[at]), 0) / 100;
}

/** Resident bytes of a process. */
export function residentBytes(pid: number): number {
  const line = readFileSync(`/proc/${pid}/status`, 'utf8').match(/VmRSS:\s+(\d+) kB/);
  return Number(line?.[1] ?? 0) * 1024;
}

/** Resolves when the server on `port` answers PING; rejects after two minutes or when the process ends. */
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

const alive = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of alive) child.kill('SIGKILL');
});

async function started(
  name: string,
  port: number,
  directory: string,
  child: ChildProcess,
): Promise<Server> {
  alive.add(child);
  child.once('exit', () => alive.delete(child));
  const end = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGTERM');
    await ended;
  };
  const stop = async () => {
    await end();
    rmSync(directory, { recursive: true, force: true });
  };
  await untilAnswers(port, child);
  return { name, port, process: child, directory, end, stop };
}
