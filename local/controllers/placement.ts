/**
 * Where a pod may run and where it would best run. Pure: nodes, pods and claims in, a node or the
 * reasons why none fits out.
 *
 *   filter   schedulable, taints tolerated, node selector and affinity, claim's node, required pod
 *            (anti-)affinity, topology spread with DoNotSchedule
 *   score    topology spread with ScheduleAnyway, preferred (anti-)affinity, fewer pods
 *
 * Not imitated: resources (every node has room), inter-pod affinity to other namespaces by
 * selector, minDomains, preemption.
 */
import type { KubeObject, Open } from '../api-server/resource.ts';
import { matches } from '../api-server/selector.ts';

export interface Situation {
  readonly nodes: readonly KubeObject[];
  /** Every pod that is bound to a node and not finished. */
  readonly placed: readonly KubeObject[];
  /** The node that holds the data of the pod's claims, if any claim has been used before. */
  readonly claimNode: string | null;
}

export type Placement = { node: KubeObject } | { reasons: string[] };

/** The best node for the pod, or for each reason how many nodes it rules out. */
export function place(pod: KubeObject, situation: Situation): Placement {
  const counts = new Map<string, number>();
  const fitting = situation.nodes.filter((node) => {
    const reason = refusal(pod, node, situation);
    if (reason !== null) counts.set(reason, (counts.get(reason) ?? 0) + 1);
    return reason === null;
  });
  if (fitting.length === 0) {
    return { reasons: [...counts].map(([reason, count]) => `${count} ${reason}`) };
  }
  const scored = fitting.map((node) => ({ node, score: scoreOf(pod, node, situation) }));
  scored.sort(
    (a, b) => a.score - b.score || (a.node.metadata.name < b.node.metadata.name ? -1 : 1),
  );
  return { node: scored[0].node };
}

function refusal(pod: KubeObject, node: KubeObject, situation: Situation): string | null {
  if (situation.claimNode !== null && situation.claimNode !== node.metadata.name) {
    return 'node(s) had volume node affinity conflict';
  }
  if (node.spec?.unschedulable === true) return 'node(s) were unschedulable';
  const taint = (node.spec?.taints ?? []).find(
    (one: Open) => one.effect !== 'PreferNoSchedule' && !isTolerated(pod, one),
  );
  if (taint !== undefined)
    return `node(s) had untolerated taint {${taint.key}: ${taint.value ?? ''}}`;
  if (!isSelected(pod, node)) return "node(s) didn't match Pod's node affinity/selector";
  for (const term of terms(pod, 'podAffinity')) {
    const near = neighbours(pod, node, term, situation);
    // The first of a group that is to be together may go anywhere.
    const first = matches(term.labelSelector, pod.metadata.labels);
    if (near.length === 0 && !first) return "node(s) didn't match pod affinity rules";
  }
  for (const term of terms(pod, 'podAntiAffinity')) {
    if (neighbours(pod, node, term, situation).length > 0) {
      return "node(s) didn't match pod anti-affinity rules";
    }
  }
  for (const constraint of pod.spec.topologySpreadConstraints ?? []) {
    if (constraint.whenUnsatisfiable !== 'DoNotSchedule') continue;
    const { skew, known } = skewAt(pod, node, constraint, situation);
    if (!known)
      return "node(s) didn't match pod topology spread constraints (missing required label)";
    if (skew > constraint.maxSkew) return "node(s) didn't match pod topology spread constraints";
  }
  return null;
}

export function isTolerated(pod: KubeObject, taint: Open): boolean {
  return (pod.spec.tolerations ?? []).some((one: Open) => tolerates(one, taint));
}

export function tolerates(toleration: Open, taint: Open): boolean {
  if (toleration.effect && toleration.effect !== taint.effect) return false;
  if (toleration.operator === 'Exists') return !toleration.key || toleration.key === taint.key;
  return toleration.key === taint.key && (toleration.value ?? '') === (taint.value ?? '');
}

function isSelected(pod: KubeObject, node: KubeObject): boolean {
  const { labels = {} } = node.metadata;
  const selector = Object.entries(pod.spec.nodeSelector ?? {});
  if (!selector.every(([key, value]) => labels[key] === value)) return false;
  const affinity = pod.spec.affinity?.nodeAffinity;
  const required = affinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms;
  return required === undefined || required.some((term: Open) => matches(term, labels));
}

function terms(pod: KubeObject, kind: 'podAffinity' | 'podAntiAffinity'): Open[] {
  return pod.spec.affinity?.[kind]?.requiredDuringSchedulingIgnoredDuringExecution ?? [];
}

/** The placed pods that an affinity term speaks of and that share the node's topology value. */
function neighbours(
  pod: KubeObject,
  node: KubeObject,
  term: Open,
  situation: Situation,
): KubeObject[] {
  const value = node.metadata.labels?.[term.topologyKey];
  if (value === undefined) return [];
  const namespaces = term.namespaces ?? [pod.metadata.namespace];
  return situation.placed.filter(
    (other) =>
      namespaces.includes(other.metadata.namespace) &&
      matches(term.labelSelector, other.metadata.labels) &&
      topologyOf(other, term.topologyKey, situation) === value,
  );
}

function topologyOf(pod: KubeObject, key: string, situation: Situation): string | undefined {
  const node = situation.nodes.find((one) => one.metadata.name === pod.spec.nodeName);
  return node?.metadata.labels?.[key];
}

/** How uneven the spread would be with the pod on this node: its domain's count less the least. */
function skewAt(
  pod: KubeObject,
  node: KubeObject,
  constraint: Open,
  situation: Situation,
): { skew: number; known: boolean } {
  const { topologyKey, labelSelector, matchLabelKeys = [] } = constraint;
  const domain = node.metadata.labels?.[topologyKey];
  if (domain === undefined) return { skew: 0, known: false };
  const counts = new Map<string, number>();
  // Nodes that the pod could not choose do not count; by default tainted ones do.
  const honourTaints = constraint.nodeTaintsPolicy === 'Honor';
  for (const one of situation.nodes) {
    const value = one.metadata.labels?.[topologyKey];
    const tainted = (one.spec?.taints ?? []).some((taint: Open) => !isTolerated(pod, taint));
    if (value === undefined || !isSelected(pod, one) || (honourTaints && tainted)) continue;
    counts.set(value, 0);
  }
  for (const other of situation.placed) {
    if (other.metadata.namespace !== pod.metadata.namespace) continue;
    if (other.metadata.deletionTimestamp !== undefined) continue;
    if (!matches(labelSelector, other.metadata.labels)) continue;
    const sameKeys = matchLabelKeys.every(
      (key: string) => other.metadata.labels?.[key] === pod.metadata.labels?.[key],
    );
    const value = topologyOf(other, topologyKey, situation);
    if (sameKeys && value !== undefined && counts.has(value)) {
      counts.set(value, (counts.get(value) as number) + 1);
    }
  }
  const least = Math.min(...counts.values());
  const self = matches(labelSelector, pod.metadata.labels) ? 1 : 0;
  return { skew: (counts.get(domain) ?? 0) + self - least, known: true };
}

/** Lower is better. */
function scoreOf(pod: KubeObject, node: KubeObject, situation: Situation): number {
  let score = 0;
  for (const constraint of pod.spec.topologySpreadConstraints ?? []) {
    score += 100 * skewAt(pod, node, constraint, situation).skew;
  }
  const affinity = pod.spec.affinity ?? {};
  const preferred = 'preferredDuringSchedulingIgnoredDuringExecution';
  for (const { weight, podAffinityTerm } of affinity.podAntiAffinity?.[preferred] ?? []) {
    score += weight * neighbours(pod, node, podAffinityTerm, situation).length;
  }
  for (const { weight, podAffinityTerm } of affinity.podAffinity?.[preferred] ?? []) {
    score -= weight * neighbours(pod, node, podAffinityTerm, situation).length;
  }
  const here = situation.placed.filter((one) => one.spec.nodeName === node.metadata.name);
  return score + here.length;
}
