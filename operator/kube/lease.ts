/**
 * Shell: leader election by a Lease. Only the leader applies objects and writes status; failover
 * does not need it, so a lost leader delays changes, never a promotion.
 *
 * A holder that cannot renew stops being leader before anyone else may take over: it judges by its
 * own clock since its last successful renewal (RENEW_DEADLINE < DURATION), others by their own
 * clock since they last saw the lease change. Clocks need not agree.
 */
import { V1MicroTime } from '@kubernetes/client-node';
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
  const { client, namespace, name, identity, log } = options;
  let renewedAtMs = 0;
  let seen = { key: '', atMs: Date.now() };
  let leader = false;
  let stopped = false;
  let timer: NodeJS.Timeout | undefined;

  const setLeader = (now: boolean): void => {
    if (leader === now) return;
    leader = now;
    log.info({ identity, leader }, 'leadership changed');
    options.onChange(now);
  };

  const attempt = async (): Promise<boolean> => {
    const at = { namespace, name };
    const now = new V1MicroTime();
    let lease: Awaited<ReturnType<typeof client.coordination.readNamespacedLease>>;
    try {
      lease = await call(() => client.coordination.readNamespacedLease(at));
    } catch (error) {
      if (!isStatus(error, 404)) throw error;
      const spec = {
        holderIdentity: identity,
        leaseDurationSeconds: DURATION_SECONDS,
        acquireTime: now,
        renewTime: now,
        leaseTransitions: 0,
      };
      const body = { metadata: { name, namespace }, spec };
      await call(() => client.coordination.createNamespacedLease({ namespace, body }));
      return true;
    }
    const spec = lease.spec ?? {};
    const mine = spec.holderIdentity === identity;
    const key = `${spec.holderIdentity}/${String(spec.renewTime)}`;
    if (key !== seen.key) seen = { key, atMs: Date.now() };
    const heldMs = (spec.leaseDurationSeconds ?? DURATION_SECONDS) * 1_000;
    if (!mine && spec.holderIdentity && Date.now() - seen.atMs < heldMs) return false;
    lease.spec = {
      ...spec,
      holderIdentity: identity,
      leaseDurationSeconds: DURATION_SECONDS,
      renewTime: now,
      acquireTime: mine && spec.acquireTime ? microTime(spec.acquireTime) : now,
      leaseTransitions: (spec.leaseTransitions ?? 0) + (mine ? 0 : 1),
    };
    // The version that was read goes back with it: of two that try, one gets 409.
    await call(() => client.coordination.replaceNamespacedLease({ ...at, body: lease }));
    return true;
  };

  const round = async (): Promise<void> => {
    const startedAtMs = Date.now();
    try {
      const held = await attempt();
      if (held) renewedAtMs = startedAtMs;
      setLeader(held && !stopped);
    } catch (error) {
      log.debug({ error: String(error) }, 'lease not renewed');
      if (Date.now() - renewedAtMs > RENEW_DEADLINE_MS) setLeader(false);
    }
    if (!stopped) timer = setTimeout(() => void round(), options.retryMs ?? RETRY_MS);
  };
  void round();

  return {
    isLeader: () => leader && Date.now() - renewedAtMs < RENEW_DEADLINE_MS,
    release: async () => {
      stopped = true;
      clearTimeout(timer);
      if (!leader) return;
      setLeader(false);
      try {
        const at = { namespace, name };
        const lease = await call(() => client.coordination.readNamespacedLease(at));
        if (lease.spec?.holderIdentity !== identity) return;
        lease.spec = { leaseDurationSeconds: DURATION_SECONDS };
        await call(() => client.coordination.replaceNamespacedLease({ ...at, body: lease }));
      } catch (error) {
        log.debug({ error: String(error) }, 'lease not released');
      }
    },
  };
}

/** The library reads MicroTime as text and writes it only from a V1MicroTime. */
function microTime(value: Date | string): V1MicroTime {
  return new V1MicroTime(value);
}
