/**
 * Shell: one container of a pod: a process that is started, probed, restarted when it ends and
 * stopped when the pod goes. Restarts back off (0.5 s, doubling to 10 s); a process that was up for
 * 10 s has earned a fresh start. Kubernetes waits longer (10 s, doubling to 5 min); here people
 * watch.
 */
import type { Open } from '../api-server/resource.ts';
import { type Prober, startProber } from './probe.ts';
import type { Exit, ProcessSpec, ProcessTable, RunningProcess } from './process.ts';

const backoffFirstMs = 500;
const backoffMaxMs = 10_000;
const backoffResetAfterMs = 10_000;

export type ContainerState =
  | { kind: 'waiting'; reason: string; message?: string }
  | { kind: 'running'; startedAtMs: number; pid: number }
  | { kind: 'terminated'; exit: Exit; startedAtMs: number; finishedAtMs: number };

export interface ContainerContext {
  readonly processes: ProcessTable;
  readonly spec: Open;
  readonly restartPolicy: string;
  readonly address: string;
  /** What to run, or why it cannot run yet. */
  resolve(): ProcessSpec | { reason: string; message: string };
  /** The state has changed; the pod's status is to be written. */
  changed(): void;
}

export class Container {
  state: ContainerState = { kind: 'waiting', reason: 'ContainerCreating' };
  lastState: ContainerState | null = null;
  ready = false;
  restarts = 0;
  private readonly context: ContainerContext;
  private process: RunningProcess | null = null;
  private probers: Prober[] = [];
  private backoffMs = backoffFirstMs;
  private retry: NodeJS.Timeout | null = null;
  private stopping = false;

  constructor(context: ContainerContext, restarts: number) {
    this.context = context;
    this.restarts = restarts;
  }

  get name(): string {
    return this.context.spec.name;
  }

  get pid(): number | null {
    return this.process?.pid ?? null;
  }

  start(): void {
    this.retry = null;
    if (this.stopping) return;
    const resolved = this.context.resolve();
    if ('reason' in resolved) {
      this.state = { kind: 'waiting', ...resolved };
      this.retry = setTimeout(() => this.start(), backoffFirstMs);
      this.context.changed();
      return;
    }
    const running = this.context.processes.start(resolved);
    const startedAtMs = Date.now();
    this.process = running;
    this.state = { kind: 'running', startedAtMs, pid: running.pid };
    this.startProbers();
    this.context.changed();
    void running.exited.then((exit) => this.ended(exit, startedAtMs));
  }

  /** TERM, and KILL after `graceMs`; resolves when the process is gone. */
  async stop(graceMs: number): Promise<void> {
    this.stopping = true;
    this.stopProbers();
    if (this.retry !== null) clearTimeout(this.retry);
    const { process } = this;
    if (process === null) return;
    process.signal('SIGTERM');
    const timer = setTimeout(() => process.signal('SIGKILL'), graceMs);
    await process.exited;
    clearTimeout(timer);
  }

  /** The end without a goodbye; nothing is reported any more. */
  async kill(): Promise<void> {
    this.stopping = true;
    this.stopProbers();
    if (this.retry !== null) clearTimeout(this.retry);
    this.process?.signal('SIGKILL');
    await this.process?.exited;
  }

  /** Sends a signal to the process, if there is one; the restart follows as for any other end. */
  signal(signal: NodeJS.Signals): void {
    this.process?.signal(signal);
  }

  private ended(exit: Exit, startedAtMs: number): void {
    const finishedAtMs = Date.now();
    this.process = null;
    this.ready = false;
    this.stopProbers();
    this.state = { kind: 'terminated', exit, startedAtMs, finishedAtMs };
    const { restartPolicy } = this.context;
    const failed = exit.code !== 0;
    const again = restartPolicy === 'Always' || (restartPolicy === 'OnFailure' && failed);
    if (again && !this.stopping) this.restartLater(finishedAtMs - startedAtMs);
    this.context.changed();
  }

  private restartLater(upMs: number): void {
    if (upMs >= backoffResetAfterMs) this.backoffMs = backoffFirstMs;
    const delayMs = this.backoffMs;
    this.backoffMs = Math.min(backoffMaxMs, delayMs * 2);
    this.restarts += 1;
    this.lastState = this.state;
    if (delayMs > backoffFirstMs) {
      const message = `back-off ${delayMs} ms restarting failed container=${this.name}`;
      this.state = { kind: 'waiting', reason: 'CrashLoopBackOff', message };
    }
    this.retry = setTimeout(() => this.start(), delayMs);
  }

  private startProbers(): void {
    const { spec, address } = this.context;
    const probe = (name: string, report: (passed: boolean) => void) => {
      if (spec[name] === undefined) return false;
      this.probers.push(startProber(spec[name], address, spec.ports ?? [], report));
      return true;
    };
    const readinessProbed = probe('readinessProbe', (passed) => {
      this.ready = passed;
      this.context.changed();
    });
    if (!readinessProbed) this.ready = true;
    // A program that has not answered yet is still starting, as with a startupProbe.
    let alive = false;
    probe('livenessProbe', (passed) => {
      if (passed) alive = true;
      else if (alive) this.process?.signal('SIGKILL');
    });
  }

  private stopProbers(): void {
    for (const prober of this.probers) prober.stop();
    this.probers = [];
  }
}
