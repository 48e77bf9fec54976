/**
 * Who should be primary of each shard?
 *
 * The one who is, unless it is dead, on its way out, or came back with nothing while another
 * member has data. Then the member with the most applied ops, of those the one whose zone has the
 * fewest primaries, of those the lowest ordinal.
 *
 * Two things are never done. An incomplete member (started empty, first sync not finished) is not
 * chosen while any other member has data, be it on the disk of a process that is down: it would
 * make an empty database look like a working one. And without a candidate nothing changes: an
 * epoch without a primary helps nobody.
 *
 * A second primary is harmless here (its writes merge), so nothing waits for the old one to be
 * fenced.
 */
import { isUp, membersOf, type Observed, type ObservedPod } from './observed.ts';
import type { Election, ElectionReason, Wait } from './step.ts';

/** How long the first election waits for members that have not come up. */
export const FIRST_ELECTION_PATIENCE_MS = 30_000;

const GIVE_UP = 'bring it back, or delete its claim to give the data up';

export type Elected = {
  readonly shards: readonly { readonly epoch: number; readonly primary: string }[];
  readonly elections: readonly Election[];
  readonly waitingFor: readonly Wait[];
};

type Choice = { primary: string; reason: ElectionReason } | { wait: Wait } | null;

/** Primaries of all shards; those that need no change keep theirs. */
export function elect(
  observed: Observed,
  wanted: { shards: number; members: number; storage: boolean },
): Elected {
  const current = Array.from(
    { length: wanted.shards },
    (_, shard) => observed.record.shards[shard] ?? { epoch: 0, primary: '' },
  );
  const zones = zoneLoad(observed, current);
  const elections: Election[] = [];
  const waitingFor: Wait[] = [];
  const shards = current.map((now, shard) => {
    const members = membersOf(observed, shard);
    const choice =
      now.primary === ''
        ? firstChoice(shard, members, wanted.members, observed.nowMs, zones)
        : laterChoice(shard, members, now.primary, wanted.storage, observed, zones);
    if (choice === null) return now;
    if ('wait' in choice) {
      waitingFor.push(choice.wait);
      return now;
    }
    elections.push({ shard, from: now.primary, to: choice.primary, reason: choice.reason });
    const zone = members.find(({ name }) => name === choice.primary)?.zone ?? '';
    zones.set(zone, (zones.get(zone) ?? 0) + 1);
    return { epoch: nextEpoch(now.epoch, members), primary: choice.primary };
  });
  return { shards, elections, waitingFor };
}

/** An epoch above every one that is recorded or was ever pushed. */
export function nextEpoch(recorded: number, members: readonly ObservedPod[]): number {
  const reported = members.map(({ health }) => health.report?.epoch ?? 0);
  return Math.max(recorded, ...reported) + 1;
}

/** Number of primaries in each zone. */
export function zoneLoad(
  observed: Observed,
  shards: readonly { readonly primary: string }[],
): Map<string, number> {
  const load = new Map<string, number>();
  shards.forEach(({ primary }, shard) => {
    const pod = membersOf(observed, shard).find(({ name }) => name === primary);
    // One that is lost does not burden its zone: its shard gets another primary now.
    if (pod && isUp(pod)) load.set(pod.zone, (load.get(pod.zone) ?? 0) + 1);
  });
  return load;
}

function firstChoice(
  shard: number,
  members: readonly ObservedPod[],
  membersWanted: number,
  nowMs: number,
  zones: ReadonlyMap<string, number>,
): Choice {
  const candidates = members.filter(isUp);
  const oldestMs = Math.min(...members.map(({ createdAtMs }) => createdAtMs));
  const patient = nowMs - oldestMs < FIRST_ELECTION_PATIENCE_MS;
  if (candidates.length === 0 || (candidates.length < membersWanted && patient)) {
    const reason = `${candidates.length} of ${membersWanted} members are up`;
    return { wait: { on: `first primary of shard ${shard}`, reason } };
  }
  return { primary: best(candidates, zones).name, reason: 'Initial' };
}

function laterChoice(
  shard: number,
  members: readonly ObservedPod[],
  primary: string,
  storage: boolean,
  observed: Observed,
  zones: ReadonlyMap<string, number>,
): Choice {
  const reason = whyReplace(members, primary, observed);
  if (reason === null) return null;
  const on = `new primary of shard ${shard}`;
  const candidates = members.filter((pod) => pod.name !== primary && isUp(pod));
  if (candidates.length === 0) {
    return { wait: { on, reason: `${primary} is lost (${reason}) and no other member is up` } };
  }
  const complete = candidates.filter(({ health }) => health.report?.startedEmpty === false);
  if (complete.length > 0) return { primary: best(complete, zones).name, reason };
  const holder = storage ? findHolder(members, candidates, primary, observed) : null;
  if (holder !== null) {
    return {
      wait: {
        on,
        reason: `${holder} may have data and every member that is up started empty; ${GIVE_UP}`,
      },
    };
  }
  return { primary: best(candidates, zones).name, reason };
}

/** Why the present primary cannot stay, or null when it can. */
function whyReplace(
  members: readonly ObservedPod[],
  primary: string,
  observed: Observed,
): ElectionReason | null {
  const pod = members.find(({ name }) => name === primary);
  if (pod === undefined || !pod.running) return 'PodDeleted';
  if (pod.deleting) return 'PodDeleting';
  if (pod.health.liveness === 'dead') return deathReason(pod, observed);
  return lostItsData(pod, members) ? 'StartedEmpty' : null;
}

function deathReason(pod: ObservedPod, observed: Observed): ElectionReason {
  const node = observed.nodes.find(({ name }) => name === pod.node);
  if (node === undefined || !node.ready) return 'NodeUnreachable';
  const neighbours = observed.pods.filter(
    ({ name, node }) => node === pod.node && name !== pod.name,
  );
  const silent = neighbours.filter(({ health }) => health.liveness !== 'up');
  if (neighbours.length > 0 && silent.length === neighbours.length) return 'NodeUnreachable';
  return pod.health.failure === 'refused' ? 'ProcessDied' : 'NotAnswering';
}

/**
 * A primary that has nothing although another member had something before it was asked: it was
 * restarted without its data. The order of the two reports matters, or a first write that reached
 * the replica between them would look the same.
 */
function lostItsData(pod: ObservedPod, members: readonly ObservedPod[]): boolean {
  const { report, reportAtMs } = pod.health;
  if (report === null || !report.startedEmpty || report.appliedOps > 0) return false;
  return members.some(
    (other) =>
      other.name !== pod.name &&
      isUp(other) &&
      (other.health.report?.appliedOps ?? 0) > 0 &&
      other.health.report?.startedEmpty === false &&
      other.health.reportAtMs <= reportAtMs,
  );
}

/** A member that is not a candidate and may have data on its volume, by name, or null. */
function findHolder(
  members: readonly ObservedPod[],
  candidates: readonly ObservedPod[],
  primary: string,
  observed: Observed,
): string | null {
  const names = new Set([primary, ...members.map(({ name }) => name)]);
  for (const name of [...names].sort()) {
    if (candidates.some((candidate) => candidate.name === name)) continue;
    const claim = observed.claims.find((other) => other.name === `data-${name}`);
    if (claim === undefined || claim.deleting) continue;
    const report = members.find((pod) => pod.name === name)?.health.report ?? null;
    // Never heard of: a volume that exists must be taken to hold data.
    if (report === null || report.appliedOps > 0) return name;
  }
  return null;
}

function best(candidates: readonly ObservedPod[], zones: ReadonlyMap<string, number>): ObservedPod {
  const ops = (pod: ObservedPod) => pod.health.report?.appliedOps ?? 0;
  const load = (pod: ObservedPod) => zones.get(pod.zone) ?? 0;
  return [...candidates].sort(
    (a, b) => ops(b) - ops(a) || load(a) - load(b) || a.ordinal - b.ordinal,
  )[0];
}
