/**
 * Shell: one database under care, in two lanes that never wait for each other.
 *
 *   routing  any operator replica: elections, the record of the map, pushing it
 *   objects  the leader only: objects, pods that must go, status
 *
 * Both run the same pure plan and take their own steps from it. A slow API call about a Service
 * must not hold up a failover, hence two lanes. Where both write the status, the precondition on
 * resourceVersion lets one win; the other reads again and plans again.
 */
import type { Logger } from 'pino';
import type { FailoverRecord, Status } from '../api/status-schema.ts';
import { isStatus } from '../kube/api-error.ts';
import { readResource, replaceStatus } from '../kube/apply.ts';
import type { Client } from '../kube/client.ts';
import type { EventRecorder } from '../kube/event.ts';
import type { Metrics } from '../metrics.ts';
import { plan } from '../plan/plan.ts';
import { isRouting, type Plan, type Step } from '../plan/step.ts';
import { Prober } from '../probe/prober.ts';
import { changeBetween, VOLATILE_REFRESH_MS } from '../status/material.ts';
import { computeStatus, withRecord } from '../status/status.ts';
import { applySteps } from './apply.ts';
import { type Loaded, load, withMissingSecrets } from './load.ts';
import { observe, observePods } from './observe.ts';
import type { Caches, DatabaseResource } from './resource.ts';
import { Secrets } from './secrets.ts';

const CONFLICT_TRIES_MAX = 4;
const REFRESH_MS = 5_000;
/** Secrets are not watched: one that is missing is looked for again so often. */
const SECRET_RETRY_MS = 1_000;
const EMPTY_PLAN: Plan = { steps: [], waitingFor: [], requeueAfterMs: null };

export type Care = {
  readonly client: Client;
  readonly caches: Caches;
  readonly region: string;
  readonly engineImage: string;
  readonly log: Logger;
  readonly event: EventRecorder;
  readonly metrics: Metrics;
  /** Takes the answer of a write into the cache. */
  readonly put: (resource: DatabaseResource) => void;
  /** Asks for both lanes to run soon. */
  readonly wake: (key: string) => void;
};

type View = { loaded: Loaded; observed: ReturnType<typeof observe> };

export class Database {
  private readonly key: string;
  private readonly care: Care;
  private readonly log: Logger;
  private readonly prober: Prober;
  private readonly secrets: Secrets;
  private volatileWrittenAtMs = 0;

  constructor(key: string, care: Care) {
    this.key = key;
    this.care = care;
    this.log = care.log.child({ database: key });
    this.secrets = new Secrets(care.client);
    this.prober = new Prober((member, liveness) => {
      this.log.debug({ member, liveness }, 'probe');
      care.wake(key);
    });
  }

  close(): void {
    this.prober.close();
  }

  /** The routing lane. Milliseconds until it wants to run again, or null. */
  async route(): Promise<number | null> {
    for (let tries = 0; tries < CONFLICT_TRIES_MAX; tries++) {
      const view = await this.look();
      if (view === null || view.loaded.inForce === null) return null;
      const planned = this.planRouting(view);
      try {
        await this.carryOutRouting(view, planned.steps);
        return planned.requeueAfterMs;
      } catch (error) {
        if (!isStatus(error, 409)) throw error;
        if (!(await this.readAgain(view.loaded))) return null;
      }
    }
    return 100;
  }

  /** The objects lane. Milliseconds until it wants to run again, or null. */
  async reconcile(): Promise<number | null> {
    const view = await this.look();
    if (view === null) return null;
    const { loaded } = view;
    const planned = this.planObjects(view);
    const failure = loaded.planOnly
      ? null
      : await applySteps(planned.steps, { ...this.care, owner: loaded.owner, log: this.log });
    await this.writeStatus(planned, failure);
    // The queue's backoff is for what failed; what is planned next comes by events.
    if (failure !== null) throw new Error(failure);
    const refreshMs = loaded.missingSecrets.length > 0 ? SECRET_RETRY_MS : REFRESH_MS;
    return Math.min(refreshMs, planned.requeueAfterMs ?? refreshMs);
  }

  /** load → validate → observe; null when the database is gone. */
  private async look(): Promise<View | null> {
    const { caches } = this.care;
    const found = load(caches, this.key, this.care);
    if (found === null) {
      this.prober.close();
      return null;
    }
    const loaded = await this.loadSecrets(found);
    const healthOf = (name: string) => this.prober.health(name);
    const zoneKey = (loaded.inForce ?? loaded.wanted)?.spec.placement.zoneKey ?? '';
    this.prober.follow(observePods(caches, loaded.owner, zoneKey, healthOf));
    return { loaded, observed: observe(caches, loaded, Date.now(), healthOf) };
  }

  /** Gives the prober the password of what runs, and looks for the secrets of what is wanted. */
  private async loadSecrets(found: Loaded): Promise<Loaded> {
    const { namespace } = found.owner;
    const wanted = found.wanted && (await this.secrets.read(namespace, found.wanted.spec));
    const loaded = withMissingSecrets(found, wanted?.missing ?? []);
    if (loaded.inForce !== null) {
      const { password } = await this.secrets.read(namespace, loaded.inForce.spec);
      this.prober.setPassword(password);
    }
    return loaded;
  }

  private planRouting({ loaded, observed }: View): Plan {
    if (loaded.inForce === null) return EMPTY_PLAN;
    const frozen = loaded.frozen ?? (loaded.planOnly ? { on: 'mode', reason: 'Plan' } : null);
    const whole = plan({ build: loaded.inForce, observed, frozen });
    return { ...whole, steps: whole.steps.filter(isRouting) };
  }

  private planObjects({ loaded, observed }: View): Plan {
    const build = loaded.frozen === null ? loaded.wanted : loaded.inForce;
    if (build === null) {
      return { ...EMPTY_PLAN, waitingFor: loaded.frozen === null ? [] : [loaded.frozen] };
    }
    return plan({ build, observed, frozen: loaded.frozen });
  }

  /** Record, then push. Throws ApiError 409 when somebody else wrote the resource meanwhile. */
  private async carryOutRouting(view: View, steps: readonly Step[]): Promise<void> {
    const { loaded } = view;
    let { resource } = loaded;
    let status = loaded.status;
    let decided = false;
    for (const step of steps) {
      if (step.kind === 'record') {
        const shards = step.record.shards.length;
        status = withRecord(status, step.record, shards);
        resource = await this.putStatus(resource, status);
        decided = step.elections.length > 0;
        const elections = step.elections.map(({ shard, from, to, reason }) => ({
          shard,
          from,
          to,
          reason,
        }));
        const { version } = step.record;
        this.log.info({ version, elections, reason: step.reason }, 'map recorded');
        for (const { reason } of step.elections) this.care.metrics.elections.inc({ reason });
      }
      if (step.kind === 'push') {
        const times = await this.push(step);
        if (decided) await this.recordTimes(resource, status, times, loaded);
      }
    }
  }

  /** Sends the map to all targets at once; name → when it was taken, null when it was not. */
  private async push(step: Extract<Step, { kind: 'push' }>): Promise<Map<string, number | null>> {
    const text = JSON.stringify(step.document);
    const { version } = step.document;
    const taken = await Promise.all(
      step.targets.map(
        async ({ name }) => [name, await this.prober.pushMap(name, version, text)] as const,
      ),
    );
    const failed = taken.filter(([, atMs]) => atMs === null).map(([name]) => name);
    this.log.info({ version, targets: taken.length, failed }, 'map pushed');
    return new Map(taken);
  }

  /** Adds to the newest failovers when the new primary and the proxies had the map. */
  private async recordTimes(
    resource: DatabaseResource,
    status: Status,
    taken: ReadonlyMap<string, number | null>,
    loaded: Loaded,
  ): Promise<void> {
    const { owner } = loaded;
    const isMember = new Set(status.shards.flatMap((s) => s.members.map(({ name }) => name)));
    const proxyTimes = [...taken]
      .filter(([name, atMs]) => atMs !== null && name.startsWith(`${owner.name}-proxy-`))
      .filter(([name]) => !isMember.has(name))
      .map(([, atMs]) => atMs as number);
    const failovers = status.failovers.map((failover): FailoverRecord => {
      const promotedMs = taken.get(failover.to) ?? null;
      if (failover.promotedAt !== undefined || promotedMs === null) return failover;
      const routedMs = proxyTimes.length === 0 ? null : Math.max(...proxyTimes);
      this.announce(failover, promotedMs, routedMs, loaded);
      return {
        ...failover,
        promotedAt: new Date(promotedMs).toISOString(),
        ...(routedMs === null ? {} : { routedAt: new Date(routedMs).toISOString() }),
      };
    });
    await this.putFailovers(resource, status, failovers, loaded);
  }

  /** Writes failover records into whatever the status is by now; others may have written it. */
  private async putFailovers(
    resource: DatabaseResource,
    status: Status,
    failovers: readonly FailoverRecord[],
    loaded: Loaded,
  ): Promise<void> {
    const done = new Map(failovers.map((one) => [`${one.shard} ${one.decidedAt}`, one]));
    let [latest, current] = [resource, status];
    for (let tries = 0; tries < CONFLICT_TRIES_MAX; tries++) {
      const merged = current.failovers.map((one) => {
        const known = done.get(`${one.shard} ${one.decidedAt}`);
        return known === undefined ? one : { ...known, ...one };
      });
      try {
        await this.putStatus(latest, { ...current, failovers: merged });
        return;
      } catch (error) {
        if (!isStatus(error, 409) || !(await this.readAgain(loaded))) {
          this.log.debug({ error: String(error) }, 'failover times not recorded');
          return;
        }
        const again = load(this.care.caches, this.key, this.care);
        if (again === null) return;
        [latest, current] = [again.resource, again.status];
      }
    }
  }

  private announce(
    { shard, from, to, reason, suspectedAt, decidedAt }: FailoverRecord,
    promotedMs: number,
    routedMs: number | null,
    { owner, inForce }: Loaded,
  ): void {
    const objectiveMs = (inForce?.spec.objectives.failoverSeconds ?? 3) * 1_000;
    const startMs = Date.parse(suspectedAt ?? decidedAt);
    const tookMs = (routedMs ?? promotedMs) - startMs;
    this.care.metrics.failoverSeconds.observe(tookMs / 1_000);
    this.log.warn({ shard, from, to, reason, tookMs }, 'failed over');
    const what = `shard ${shard}: ${to} is primary instead of ${from}`;
    const message = `${what} after ${tookMs} ms (${reason})`;
    this.care.event(owner, 'Warning', 'FailedOver', message);
    if (tookMs > objectiveMs) {
      const aim = `the objective is ${objectiveMs} ms`;
      this.care.event(owner, 'Warning', 'FailoverSlow', `${message}; ${aim}`);
    }
  }

  /** Computes the status from what is true after the steps, and writes it if that is worth it. */
  private async writeStatus(planned: Plan, failure: string | null): Promise<void> {
    const view = await this.look();
    if (view === null) return;
    const { loaded, observed } = view;
    const build = loaded.inForce ?? loaded.wanted;
    const status = computeStatus({
      spec: build?.spec ?? null,
      region: this.care.region,
      observed,
      plan: planned,
      errors: loaded.errors,
      missingSecrets: loaded.missingSecrets,
      missingZoneKey: loaded.missingZoneKey,
      failure,
      planOnly: loaded.planOnly,
      generation: loaded.resource.metadata.generation ?? 0,
      before: loaded.status,
    });
    const change = changeBetween(loaded.status, status);
    const due = Date.now() - this.volatileWrittenAtMs >= VOLATILE_REFRESH_MS;
    if (change === 'none' || (change === 'volatile' && !due)) return;
    try {
      await this.putStatus(loaded.resource, status);
      this.volatileWrittenAtMs = Date.now();
      this.log.debug({ change }, 'status written');
    } catch (error) {
      if (!isStatus(error, 409)) throw error;
      await this.readAgain(loaded);
      this.care.wake(this.key);
    }
  }

  private async putStatus(resource: DatabaseResource, status: Status): Promise<DatabaseResource> {
    const written = await replaceStatus(this.care.client, { ...resource, status });
    this.care.put(written);
    return written;
  }

  private async readAgain({ owner }: Loaded): Promise<boolean> {
    const fresh = await readResource<DatabaseResource>(
      this.care.client,
      owner.namespace,
      owner.name,
    );
    if (fresh === null) return false;
    this.care.put(fresh);
    return true;
  }
}
