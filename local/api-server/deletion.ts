/**
 * What a delete does to an object. It goes at once only if nothing holds it; otherwise it is
 * marked, and whoever holds it (a finalizer, the kubelet that stops the pod) lets it go later.
 */
import { timestamp } from './clock.ts';
import type { KubeObject } from './resource.ts';

export interface DeleteOptions {
  gracePeriodSeconds?: number;
  propagationPolicy?: 'Background' | 'Foreground' | 'Orphan';
  orphanDependents?: boolean;
  preconditions?: { uid?: string; resourceVersion?: string };
  dryRun?: boolean;
}

/** The object as the delete leaves it, or null when it is to be removed now. */
export function deletionStep(
  object: KubeObject,
  options: DeleteOptions,
  nowMs: number,
): KubeObject | null {
  const finalizers = finalizersFor(object, options);
  const marked = object.metadata.deletionTimestamp !== undefined;
  const graceSeconds = graceOf(object, options);
  if (finalizers.length === 0 && graceSeconds === 0) return null;
  const held = object.metadata.deletionGracePeriodSeconds ?? 0;
  const metadata = { ...object.metadata };
  if (finalizers.length > 0) metadata.finalizers = finalizers;
  // A second delete may shorten the grace, never lengthen it.
  if (!marked || graceSeconds < held) {
    metadata.deletionTimestamp = timestamp(nowMs + graceSeconds * 1000);
    metadata.deletionGracePeriodSeconds = graceSeconds;
  }
  return { ...object, metadata };
}

/** The finalizers by which the garbage collector takes over. */
function finalizersFor(object: KubeObject, options: DeleteOptions): string[] {
  const held = object.metadata.finalizers ?? [];
  const policy =
    options.propagationPolicy ?? (options.orphanDependents === true ? 'Orphan' : undefined);
  if (object.kind === 'Namespace' || object.kind === 'CustomResourceDefinition') {
    const own = object.kind === 'Namespace' ? 'kubernetes' : cleanupFinalizer;
    return object.metadata.deletionTimestamp === undefined ? [...new Set([...held, own])] : held;
  }
  if (object.metadata.deletionTimestamp !== undefined || policy === undefined) return held;
  const others = held.filter((one) => one !== 'orphan' && one !== 'foregroundDeletion');
  if (policy === 'Foreground') return [...others, 'foregroundDeletion'];
  if (policy === 'Orphan') return [...others, 'orphan'];
  return others;
}

export const cleanupFinalizer = 'customresourcecleanup.apiextensions.k8s.io';

/** Only pods that a kubelet may be running are stopped gracefully. */
function graceOf(object: KubeObject, options: DeleteOptions): number {
  if (object.kind !== 'Pod' || !object.spec?.nodeName) return 0;
  if (object.status?.phase === 'Succeeded' || object.status?.phase === 'Failed') return 0;
  const asked = options.gracePeriodSeconds ?? object.spec.terminationGracePeriodSeconds ?? 30;
  const held = object.metadata.deletionGracePeriodSeconds;
  return Math.max(0, held === undefined ? asked : Math.min(asked, held));
}
