/**
 * Which pods must go, and when: those made from an old template, and those whose node is gone.
 *
 * The operator itself never takes down a second member of a shard, and never deletes the last
 * copy: a member goes only while every other one it leans on is up and has the same ops.
 */
import type { Build } from '../specs/build.ts';
import { claimName } from '../specs/names.ts';
import { isCaughtUp } from './handover.ts';
import { isComplete, isUp, membersOf, type Observed, type ObservedPod } from './observed.ts';
import type { Plan, Step, Wait } from './step.ts';

const ROLLOUT_RETRY_MS = 1_000;

/**
 * Replaces at most one pod of an old template in the whole database.
 *
 * `templateOf` is the template that the live StatefulSet has: until it is the wanted one, a pod
 * that is deleted would only come back as it was, so the caller gives null.
 */
export function planRollout(
  build: Build,
  observed: Observed,
  templateOf: (shard: number) => string | null,
): Plan {
  const membersWanted = build.spec.replicas + 1;
  const waitingFor: Wait[] = [];
  for (let shard = 0; shard < build.spec.shards; shard++) {
    const template = templateOf(shard);
    const members = membersOf(observed, shard);
    const old = members.filter((pod) => template !== null && pod.template !== template);
    if (old.length === 0) {
      // A pod on its way back is the one that was just replaced: the next must wait for it.
      if (members.length < membersWanted || !members.every(isUp)) {
        waitingFor.push({ on: `members of shard ${shard}`, reason: 'not all are up yet' });
      }
      continue;
    }
    const broken = old.find((pod) => canRepair(pod, members));
    if (broken) return { steps: [rolloutStep(broken)], waitingFor, requeueAfterMs: null };
    const primary = observed.record.shards[shard]?.primary ?? '';
    const wait: Wait = {
      on: `new template for ${old.map(({ name }) => name).join(', ')}`,
      reason: 'members of the shard have not caught up',
    };
    if (waitingFor.length > 0 || !isCaughtUp(members, primary, membersWanted)) {
      return { steps: [], waitingFor: [...waitingFor, wait], requeueAfterMs: ROLLOUT_RETRY_MS };
    }
    const replica = old.find(({ name }) => name !== primary);
    if (replica) return { steps: [rolloutStep(replica)], waitingFor, requeueAfterMs: null };
    // Only the primary is left. With other members it is handed over first (handover.ts).
    if (members.length === 1 && build.spec.persistence.storage) {
      return { steps: [rolloutStep(members[0])], waitingFor, requeueAfterMs: null };
    }
    if (members.length === 1) {
      const reason = 'it is the only copy and lives in memory; delete the pod to give its data up';
      return { steps: [], waitingFor: [{ ...wait, reason }], requeueAfterMs: null };
    }
  }
  return { steps: [], waitingFor: [], requeueAfterMs: null };
}

/** A pod that never ran (a bad image, no room) holds nothing that others do not. */
function canRepair(pod: ObservedPod, members: readonly ObservedPod[]): boolean {
  const idle = pod.health.report === null && !pod.ready && !pod.deleting;
  return idle && members.every((other) => other === pod || !other.deleting);
}

function rolloutStep({ name, uid }: ObservedPod): Step {
  const reason = 'it was made from an older template';
  return { kind: 'delete', object: 'Pod', name, uid, force: false, reason };
}

/** Gives up members whose node has been gone for `replaceAfterMs`, volume included if told so. */
export function planReplacement(build: Build, observed: Observed, replaceAfterMs: number): Plan {
  const steps: Step[] = [];
  const waitingFor: Wait[] = [];
  let requeueAfterMs: number | null = null;
  for (const pod of observed.pods.filter(({ component }) => component === 'shard')) {
    const claim = observed.claims.find(({ name }) => name === claimName(pod.name));
    const node = pod.node !== '' ? pod.node : (claim?.node ?? '');
    const goneForMs = node === '' ? null : nodeGoneMs(observed, node, pod);
    if (goneForMs === null) continue;
    const leftMs = replaceAfterMs - goneForMs;
    if (leftMs > 0) {
      requeueAfterMs = Math.min(requeueAfterMs ?? leftMs, leftMs);
      waitingFor.push({
        on: `node ${node}`,
        reason: `it has been gone for less than replaceAfter`,
      });
      continue;
    }
    if (!hasOtherCopy(observed, pod)) {
      const reason = `${pod.name} may be the last copy of its shard`;
      waitingFor.push({ on: `node ${node}`, reason });
      continue;
    }
    const reason = `node ${node} is gone`;
    const drop = claim !== undefined && !claim.deleting;
    if (drop && build.spec.failover.abandonedVolumes === 'Delete') {
      const { name, uid } = claim;
      const object = 'PersistentVolumeClaim';
      steps.push({ kind: 'delete', object, name, uid, force: false, reason });
    }
    if (pod.node !== '' || drop) {
      const { name, uid } = pod;
      steps.push({ kind: 'delete', object: 'Pod', name, uid, force: true, reason });
    }
  }
  return { steps, waitingFor, requeueAfterMs };
}

/**
 * How long a node has been gone, or null while it is there. A node that was removed from the
 * cluster does not say since when, so the time counts from the creation of the pod.
 */
function nodeGoneMs({ nodes, nowMs }: Observed, name: string, pod: ObservedPod): number | null {
  const node = nodes.find((other) => other.name === name);
  if (node === undefined) return nowMs - pod.createdAtMs;
  if (node.ready || node.notReadySinceMs === null) return null;
  return nowMs - node.notReadySinceMs;
}

function hasOtherCopy(observed: Observed, pod: ObservedPod): boolean {
  const others = membersOf(observed, pod.shard).filter(({ name }) => name !== pod.name);
  return others.some((other) => isComplete(observed, other)) || isEmptyDatabase(observed, pod);
}

/** Nobody in the shard ever had an op, as far as all that are up can tell. */
function isEmptyDatabase(observed: Observed, pod: ObservedPod): boolean {
  const members = membersOf(observed, pod.shard);
  const others = members.filter(({ name }) => name !== pod.name);
  return (
    others.length > 0 &&
    others.every((other) => isUp(other) && other.health.report?.appliedOps === 0) &&
    pod.health.report?.appliedOps === 0
  );
}
