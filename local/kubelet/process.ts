/**
 * Shell: the child processes, and the promise that none outlives this one.
 *
 * However this process ends, its children must end too, even when it is killed with SIGKILL and can
 * do nothing more. A small shell process, the reaper, holds the read end of a pipe from us and the
 * list of the process groups alive; when the pipe closes, for whatever reason, it kills them all.
 * No child can slip through between being started and being on the list: each begins as a shell
 * that waits for a line on its own pipe, which is sent once the reaper has the list. If we die
 * first, it reads end of file and exits.
 *
 * Every child leads a process group of its own, so that a kill takes what it started along, and
 * Ctrl-C in the terminal reaches us only.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';

const reaperScript = `trap '' INT TERM HUP
while read line; do pids="$line"; done
for pid in $pids; do kill -9 "-$pid"; done`;

const childScript = `read go || exit 0
exec "$@" </dev/null`;

export interface ProcessSpec {
  command: readonly string[];
  env: Record<string, string>;
  cwd: string;
  /** stdout and stderr are appended here. */
  logPath: string;
}

export interface Exit {
  /** null when a signal ended it. */
  code: number | null;
  signal: NodeJS.Signals | null;
}

export interface RunningProcess {
  readonly pid: number;
  readonly exited: Promise<Exit>;
  /** TERM goes to the process alone, every other signal to all that it started too. */
  signal(signal: NodeJS.Signals): void;
}

export class ProcessTable {
  private readonly alive = new Map<number, Promise<Exit>>();
  private readonly reaper: ChildProcess;

  constructor() {
    this.reaper = spawn('/bin/sh', ['-c', reaperScript], {
      ...{ detached: true, stdio: ['pipe', 'ignore', 'ignore'] },
    });
    this.reaper.stdin?.on('error', () => {});
  }

  get count(): number {
    return this.alive.size;
  }

  start(spec: ProcessSpec): RunningProcess {
    const log = openSync(spec.logPath, 'a');
    const child = spawn('/bin/sh', ['-c', childScript, 'child', ...spec.command], {
      ...{ cwd: spec.cwd, env: spec.env, detached: true, stdio: ['pipe', log, log] },
    });
    closeSync(log);
    const { pid, stdin } = child;
    if (pid === undefined || stdin === null) throw new Error('cannot start a process');
    stdin.on('error', () => {});
    const exited = new Promise<Exit>((resolve) => {
      child.on('exit', (code, signal) => {
        this.alive.delete(pid);
        this.tellReaper();
        signalGroup(pid, 'SIGKILL');
        resolve({ code, signal });
      });
    });
    this.alive.set(pid, exited);
    this.tellReaper();
    stdin.end('go\n');
    const signal = (name: NodeJS.Signals) => {
      if (!this.alive.has(pid)) return;
      if (name === 'SIGTERM') child.kill(name);
      else signalGroup(pid, name);
    };
    return { pid, exited, signal };
  }

  /** Kills every child and the reaper; resolves when all are gone. */
  async close(): Promise<void> {
    for (const pid of this.alive.keys()) signalGroup(pid, 'SIGKILL');
    await Promise.all(this.alive.values());
    const reaped = new Promise((resolve) => this.reaper.once('exit', resolve));
    this.reaper.stdin?.end();
    await reaped;
  }

  private tellReaper(): void {
    this.reaper.stdin?.write(`${[...this.alive.keys()].join(' ')}\n`);
  }
}

function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch (error) {
    // Gone already; anything else is a fault of ours.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
