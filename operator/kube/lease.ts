/**
 * Shell: leader election by a Lease. Only the leader applies objects and writes status; failover
 * does not need it, so a lost leader delays changes, never a promotion.
 *
 * A holder that cannot renew stops being leader before anyone else may take over: it judges by its
 * own clock since its last successful renewal (RENEW_DEADLINE < DURATION), others by their own
 * clock since they last saw the lease change. Clocks need not agree.
 */
import { type V1Lease, V1MicroTime } from '@kubernetes/client-node';
import type { Logger } from 'pino';
import { isStatus } from './api-error.ts';
import { type Client, call } from './client.ts';

const DURATION_SECONDS = 15;
const RENEW_DEADLINE_MS = 10_000;
const RETRY_MS = 2_000;

export type Election = {
  readonly isLeader: () => boolean;
  /** Gives the lease up so that another may take it at once. */
  readonly release: () => Promise<void>;
};

export type LeaseOptions = {
  readonly client: Pick<Client, 'coordination'>;
  readonly namespace: string;
  readonly name: string;
  readonly identity: string;
  readonly log: Logger;
  readonly onChange: (leader: boolean) => void;
  readonly retryMs?: number;
};

/** Starts to strive for the lease. */
export function startElection(options: LeaseOptions): Election {
  const contender = new Contender(options);
  void contender.round();
  return { isLeader: () => contender.isLeader(), release: () => contender.release() };
}

class Contender {
  private readonly options: LeaseOptions;
  private renewedAtMs = 0;
  private seen = { key: '', atMs: Date.now() };
  private leader = false;
  private stopped = false;
  private timer: NodeJS.Timeout | undefined;

  constructor(options: LeaseOptions) {
    this.options = options;
  }

  isLeader(): boolean {
    return this.leader && Date.now() - this.renewedAtMs < RENEW_DEADLINE_MS;
  }

  /** Tries once, and again after a while. */
  async round(): Promise<void> {
    const startedAtMs = Date.now();
    try {
      const held = await this.attempt();
      if (held) this.renewedAtMs = startedAtMs;
      this.setLeader(held && !this.stopped);
    } catch (error) {
      this.options.log.debug({ error: String(error) }, 'lease not renewed');
      if (Date.now() - this.renewedAtMs > RENEW_DEADLINE_MS) this.setLeader(false);
    }
    const retryMs = this.options.retryMs ?? RETRY_MS;
    if (!this.stopped) this.timer = setTimeout(() => void this.round(), retryMs);
  }

  async release(): Promise<void> {
    this.stopped = true;
    clearTimeout(this.timer);
    if (!this.leader) return;
    this.setLeader(false);
    try {
      const lease = await this.read();
      if (lease?.spec?.holderIdentity !== this.options.identity) return;
      lease.spec = { leaseDurationSeconds: DURATION_SECONDS };
      await this.replace(lease);
    } catch (error) {
      this.options.log.debug({ error: String(error) }, 'lease not released');
    }
  }

  /** True when the lease is ours now; false when somebody else has it. */
  private async attempt(): Promise<boolean> {
    const { identity } = this.options;
    const now = new V1MicroTime();
    const lease = await this.read();
    if (lease === null) {
      await this.create(now);
      return true;
    }
    const spec = lease.spec ?? {};
    const mine = spec.holderIdentity === identity;
    const key = `${spec.holderIdentity}/${String(spec.renewTime)}`;
    if (key !== this.seen.key) this.seen = { key, atMs: Date.now() };
    const heldMs = (spec.leaseDurationSeconds ?? DURATION_SECONDS) * 1_000;
    if (!mine && spec.holderIdentity && Date.now() - this.seen.atMs < heldMs) return false;
    lease.spec = {
      ...spec,
      holderIdentity: identity,
      leaseDurationSeconds: DURATION_SECONDS,
      renewTime: now,
      acquireTime: mine && spec.acquireTime ? microTime(spec.acquireTime) : now,
      leaseTransitions: (spec.leaseTransitions ?? 0) + (mine ? 0 : 1),
    };
    // The version that was read goes back with it: of two that try, one gets 409.
    await this.replace(lease);
    return true;
  }

  private async read(): Promise<V1Lease | null> {
    const { client, namespace, name } = this.options;
    try {
      return await call(() => client.coordination.readNamespacedLease({ namespace, name }));
    } catch (error) {
      if (isStatus(error, 404)) return null;
      throw error;
    }
  }

  private async create(now: V1MicroTime): Promise<void> {
    const { client, namespace, name, identity } = this.options;
    const spec = {
      holderIdentity: identity,
      leaseDurationSeconds: DURATION_SECONDS,
      acquireTime: now,
      renewTime: now,
      leaseTransitions: 0,
    };
    const body = { metadata: { name, namespace }, spec };
    await call(() => client.coordination.createNamespacedLease({ namespace, body }));
  }

  private async replace(body: V1Lease): Promise<void> {
    const { client, namespace, name } = this.options;
    await call(() => client.coordination.replaceNamespacedLease({ namespace, name, body }));
  }

  private setLeader(now: boolean): void {
    if (this.leader === now) return;
    this.leader = now;
    this.options.log.info({ identity: this.options.identity, leader: now }, 'leadership changed');
    this.options.onChange(now);
  }
}

/** The library reads MicroTime as text and writes it only from a V1MicroTime. */
function microTime(value: Date | string): V1MicroTime {
  return new V1MicroTime(value);
}
