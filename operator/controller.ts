/**
 * Shell: turns each change of the cluster and each verdict of a probe into work.
 *
 *   caches ─┬─> routing queue ─> Database.route       (every replica)
 *   probes ─┴─> objects queue ─> Database.reconcile   (the leader)
 */
import type { Logger } from 'pino';
import { type FilledCaches, startCaches } from './caches.ts';
import type { Client } from './kube/client.ts';
import type { EventRecorder } from './kube/event.ts';
import { WorkQueue } from './kube/queue.ts';
import type { Metrics } from './metrics.ts';
import { Database } from './reconcile/database.ts';

export type ControllerOptions = {
  readonly client: Client;
  readonly region: string;
  readonly engineImage: string;
  /** Null: all namespaces. */
  readonly watchNamespace: string | null;
  readonly isLeader: () => boolean;
  readonly log: Logger;
  readonly event: EventRecorder;
  readonly metrics: Metrics;
  readonly signal: AbortSignal;
};

export class Controller {
  private readonly options: ControllerOptions;
  private readonly filled: FilledCaches;
  private readonly databases = new Map<string, Database>();
  private readonly routing: WorkQueue;
  private readonly objects: WorkQueue;

  /** Starts to look after all databases. */
  constructor(options: ControllerOptions) {
    this.options = options;
    this.routing = this.lane('routing', (database) => database.route());
    this.objects = this.lane('objects', async (database) =>
      options.isLeader() ? database.reconcile() : null,
    );
    this.filled = startCaches({
      ...options,
      onDatabase: (key) => this.wake(key),
      onAll: () => this.wakeAll(),
    });
  }

  /** Whether all caches were filled once. */
  get synced(): boolean {
    return this.filled.synced();
  }

  /** Puts every database to both queues, as after becoming leader. */
  wakeAll(): void {
    const keys = [...this.filled.caches.databases.keys()];
    this.options.metrics.databases.set(keys.length);
    for (const key of keys) this.wake(key);
  }

  stop(): void {
    this.routing.stop();
    this.objects.stop();
    for (const database of this.databases.values()) database.close();
    this.databases.clear();
  }

  private wake(key: string): void {
    this.routing.add(key);
    if (this.options.isLeader()) this.objects.add(key);
  }

  private lane(name: string, run: (database: Database) => Promise<number | null>): WorkQueue {
    const { log, metrics } = this.options;
    const work = async (key: string): Promise<number | null> => {
      if (!this.synced) return null;
      if (!this.filled.caches.databases.has(key)) {
        this.forget(key);
        return null;
      }
      const end = metrics.runSeconds.startTimer({ lane: name });
      const againMs = await run(this.databaseOf(key)).finally(end);
      metrics.runs.inc({ lane: name, result: 'done' });
      return againMs;
    };
    return new WorkQueue(work, (key, error) => {
      metrics.runs.inc({ lane: name, result: 'failed' });
      log.warn({ database: key, lane: name, error: String(error) }, 'run failed');
    });
  }

  private databaseOf(key: string): Database {
    const known = this.databases.get(key);
    if (known !== undefined) return known;
    const { caches, put } = this.filled;
    const wake = (woken: string) => this.wake(woken);
    const database = new Database(key, { ...this.options, caches, wake, put });
    this.databases.set(key, database);
    this.options.metrics.databases.set(caches.databases.size);
    return database;
  }

  private forget(key: string): void {
    this.databases.get(key)?.close();
    this.databases.delete(key);
    this.routing.forget(key);
    this.objects.forget(key);
    this.options.metrics.databases.set(this.filled.caches.databases.size);
  }
}
