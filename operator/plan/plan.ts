/**
 * plan(input) decides everything: which objects to apply, which pods must go, who is primary and
 * who needs the map. apply decides nothing. No I/O, no clock: the same input gives the same plan.
 *
 * Order: failover first, because clients wait for it; then objects; then pods that must go, which
 * is only considered when the objects are as they should be.
 */
import { parseDurationMs } from '../api/quantity.ts';
import type { Build, KubeObject } from '../specs/build.ts';
import { shardName, TEMPLATE_ANNOTATION } from '../specs/names.ts';
import { wantedObjects } from '../specs/objects.ts';
import { findDifference } from './difference.ts';
import { isCaughtUp } from './handover.ts';
import { planReplacement, planRollout } from './members.ts';
import { type LiveObject, membersOf, type Observed } from './observed.ts';
import { planRouting } from './routing.ts';
import type { Plan, Step, Wait } from './step.ts';

export type PlanInput = {
  readonly build: Build;
  readonly observed: Observed;
  /** Why objects and pods must be left as they are (a wrong spec, say); failover goes on. */
  readonly frozen: Wait | null;
};

/** What to do now, why, what is awaited, and when to look again. */
export function plan({ build, observed, frozen }: PlanInput): Plan {
  const wanted = wantedObjects(build);
  const templateOf = (shard: number) => currentTemplate(build, wanted, observed, shard);
  const routing = planRouting(build, observed, templateOf);
  if (frozen !== null) {
    return { ...routing, waitingFor: [frozen, ...routing.waitingFor] };
  }
  const objects = planObjects(build, wanted, observed);
  const replaceAfterMs = parseDurationMs(build.spec.failover.replaceAfter) ?? 300_000;
  const settled = objects.steps.length === 0 && routing.steps.length === 0;
  const replacement = planReplacement(build, observed, replaceAfterMs);
  const rollout =
    settled && replacement.steps.length === 0
      ? planRollout(build, observed, templateOf)
      : { steps: [], waitingFor: [], requeueAfterMs: null };
  return joined([routing, objects, replacement, rollout]);
}

function planObjects(build: Build, wanted: readonly KubeObject[], observed: Observed): Plan {
  const steps: Step[] = [];
  const waitingFor: Wait[] = [];
  for (const full of wanted) {
    const { object, wait } = heldBack(build, observed, full);
    if (wait !== null) waitingFor.push(wait);
    const live = findLive(observed, object);
    if (live === undefined) {
      steps.push({ kind: 'apply', object, reason: 'it does not exist' });
      continue;
    }
    const owners = live.metadata.ownerReferences ?? [];
    if (!owners.some(({ uid }) => uid === build.owner.uid)) {
      const on = `${object.kind}/${object.metadata.name}`;
      waitingFor.push({ on, reason: 'an object of this name belongs to someone else' });
      continue;
    }
    const path = findDifference(object, live);
    if (path !== null) steps.push({ kind: 'apply', object, reason: `${path} differs` });
  }
  return { steps, waitingFor, requeueAfterMs: null };
}

/**
 * Scaling in takes one member at a time, and only when all have caught up and the one that goes
 * is not the primary (it is handed over first).
 */
function heldBack(
  build: Build,
  observed: Observed,
  object: KubeObject,
): { object: KubeObject; wait: Wait | null } {
  if (object.kind !== 'StatefulSet') return { object, wait: null };
  const live = findLive(observed, object)?.spec as { replicas?: number } | undefined;
  const now = live?.replicas ?? 0;
  const wanted = build.spec.replicas + 1;
  if (live === undefined || wanted >= now) return { object, wait: null };
  const shard = Number(object.metadata.name.slice(build.owner.name.length + 1));
  const members = membersOf(observed, shard);
  const primary = observed.record.shards[shard]?.primary ?? '';
  const ready =
    members.length === now &&
    isCaughtUp(members, primary, now) &&
    primary !== members[members.length - 1].name;
  const replicas = ready ? now - 1 : now;
  const wait =
    replicas === wanted
      ? null
      : { on: object.metadata.name, reason: `scaling in from ${now} to ${wanted}, one at a time` };
  return { object: { ...object, spec: { ...object.spec, replicas } }, wait };
}

/** The template of the live StatefulSet of a shard, once it is the wanted one; else null. */
function currentTemplate(
  build: Build,
  wanted: readonly KubeObject[],
  observed: Observed,
  shard: number,
): string | null {
  const name = shardName(build.owner, shard);
  const live = observed.objects.find(
    (object) => object.kind === 'StatefulSet' && object.metadata.name === name,
  );
  const own = wanted.find(
    (object) => object.kind === 'StatefulSet' && object.metadata.name === name,
  );
  const template = templateAnnotation(live);
  return template !== null && template === templateAnnotation(own) ? template : null;
}

function templateAnnotation(object: { readonly spec?: unknown } | undefined): string | null {
  const spec = object?.spec as
    | { template?: { metadata?: { annotations?: Record<string, string> } } }
    | undefined;
  return spec?.template?.metadata?.annotations?.[TEMPLATE_ANNOTATION] ?? null;
}

function findLive(observed: Observed, object: KubeObject): LiveObject | undefined {
  return observed.objects.find(
    ({ kind, metadata }) => kind === object.kind && metadata.name === object.metadata.name,
  );
}

function joined(plans: readonly Plan[]): Plan {
  const times = plans.map(({ requeueAfterMs }) => requeueAfterMs).filter((ms) => ms !== null);
  return {
    steps: plans.flatMap(({ steps }) => steps),
    waitingFor: plans.flatMap(({ waitingFor }) => waitingFor),
    requeueAfterMs: times.length === 0 ? null : Math.min(...times),
  };
}
