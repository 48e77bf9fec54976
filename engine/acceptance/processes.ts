/**
 * Shell: starts real engine processes on loopback for the acceptance tests and speaks raw RESP to them.
 *
 * Ports are asked from the system, so that suites may run side by side. `stopAll` ends what this file
 * started, by process id, and nothing else.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const root = join(import.meta.dirname, '../..');
const startMsMax = 15_000;
const running = new Set<ChildProcess>();
const directories = new Set<string>();

export type Engine = {
  readonly port: number;
  readonly peerPort: number;
  readonly child: ChildProcess;
  readonly directory: string | null;
  /** What it wrote to stderr so far. */
  log(): string;
};

export type EngineOptions = {
  readonly runtime?: 'bun' | 'node';
  readonly flags?: readonly string[];
  readonly region?: string;
  readonly regionNumber?: number;
  readonly port?: number;
  readonly peerPort?: number;
  readonly directory?: string;
  /** A file with the time that this engine goes by (set-clock.ts). Bun only. */
  readonly clockFile?: string;
};

/** A port of 127.0.0.1 that nobody listened on a moment ago. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() =>
        resolve(typeof address === 'object' && address !== null ? address.port : 0),
      );
    });
  });
}

/** A directory that `stopAll` removes. */
export function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'meridian-test-'));
  directories.add(directory);
  return directory;
}

/** Starts an engine and resolves at its ready line; rejects with its log when that does not come. */
export async function startEngine(options: EngineOptions = {}): Promise<Engine> {
  const port = options.port ?? (await freePort());
  const peerPort = options.peerPort ?? (await freePort());
  const args = [join(root, 'engine/main.ts'), '--region', options.region ?? 'eu'];
  args.push('--region-number', `${options.regionNumber ?? 1}`, '--port', `${port}`);
  args.push('--peer-port', `${peerPort}`, '--log-level', 'info');
  if (options.directory !== undefined) args.push('--dir', options.directory);
  args.push(...(options.flags ?? []));
  const program = join(root, 'node_modules/.bin', options.runtime ?? 'bun');
  const { clockFile } = options;
  if (clockFile !== undefined) args.unshift('--preload', join(import.meta.dirname, 'set-clock.ts'));
  const env = { ...process.env, MERIDIAN_TEST_CLOCK: clockFile };
  const child = spawn(program, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
  running.add(child);
  let log = '';
  child.stderr?.on('data', (chunk) => {
    log = (log + chunk).slice(-20_000);
  });
  await readyLine(child, () => log);
  return { port, peerPort, child, directory: options.directory ?? null, log: () => log };
}

/** Runs the engine with flags that should make it end; resolves with its exit code and stderr. */
export function runToEnd(flags: readonly string[]): Promise<{ code: number; output: string }> {
  const child = spawn(
    join(root, 'node_modules/.bin/bun'),
    [join(root, 'engine/main.ts'), ...flags],
    {
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  running.add(child);
  let output = '';
  child.stdout.on('data', (chunk) => (output += chunk));
  child.stderr.on('data', (chunk) => (output += chunk));
  return new Promise((resolve) => {
    child.once('close', (code) => resolve({ code: code ?? -1, output }));
  });
}

/** Ends one engine with a signal and resolves when it is gone. */
export async function end(
  engine: Engine,
  signal: NodeJS.Signals = 'SIGTERM',
): Promise<number | null> {
  const { child } = engine;
  running.delete(child);
  if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
  child.kill(signal);
  return ended;
}

/** Ends every process that this file started and removes its directories. */
export async function stopAll(): Promise<void> {
  const ends = [...running].map((child) => {
    if (child.exitCode !== null || child.signalCode !== null) return undefined;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    return ended;
  });
  await Promise.all(ends);
  running.clear();
  for (const directory of directories) rmSync(directory, { recursive: true, force: true });
  directories.clear();
}

/** Sends bytes and resolves with what came back until the peer closed or nothing came for `quietMs`. */
export function exchange(
  port: number,
  bytes: string | Uint8Array | readonly (string | Uint8Array)[],
  quietMs = 200,
): Promise<{ reply: string; closed: boolean }> {
  return new Promise((resolve) => {
    let reply = '';
    let timer: NodeJS.Timeout;
    const socket = connect(port, '127.0.0.1');
    const done = (closed: boolean) => {
      clearTimeout(timer);
      socket.destroy();
      resolve({ reply, closed });
    };
    const wait = () => {
      clearTimeout(timer);
      timer = setTimeout(() => done(false), quietMs);
    };
    socket.on('data', (chunk) => {
      reply += chunk.toString('latin1');
      wait();
    });
    socket.once('close', () => done(true));
    socket.once('error', () => done(true));
    socket.once('connect', () => {
      wait();
      void sendAll(
        socket,
        typeof bytes === 'string' || bytes instanceof Uint8Array ? [bytes] : bytes,
      );
    });
  });
}

async function sendAll(socket: Socket, parts: readonly (string | Uint8Array)[]): Promise<void> {
  socket.setNoDelay(true);
  for (const part of parts) {
    if (socket.destroyed) return;
    const data = typeof part === 'string' ? Buffer.from(part, 'latin1') : part;
    await new Promise<void>((resolve) => socket.write(data, () => resolve()));
  }
}

/** Calls `check` each 20 ms until it gives a value other than undefined; rejects after `limitMs`. */
export async function until<T>(
  what: string,
  check: () => Promise<T | undefined> | T | undefined,
  limitMs = 10_000,
): Promise<T> {
  const deadline = Date.now() + limitMs;
  for (;;) {
    const value = await check();
    if (value !== undefined) return value;
    if (Date.now() > deadline) throw new Error(`waited ${limitMs} ms in vain for: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

function readyLine(child: ChildProcess, log: () => string): Promise<void> {
  return new Promise((resolve, reject) => {
    let output = '';
    const timer = setTimeout(() => reject(new Error(`no ready line: ${log()}`)), startMsMax);
    child.stdout?.on('data', (chunk) => {
      output += chunk;
      if (!/^ready: /m.test(output)) return;
      clearTimeout(timer);
      resolve();
    });
    child.once('exit', (code) => {
      clearTimeout(timer);
      reject(new Error(`the engine ended with ${code} before it was ready: ${log()}`));
    });
  });
}
