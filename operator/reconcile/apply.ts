/**
 * Shell: apply carries out the steps of the leader, in order, and stops at the first that fails.
 * It decides nothing.
 */
import type { Logger } from 'pino';
import { applyObject, deleteObject } from '../kube/apply.ts';
import type { Client } from '../kube/client.ts';
import type { EventRecorder } from '../kube/event.ts';
import { describe, isRouting, type Step } from '../plan/step.ts';
import type { Owner } from '../specs/names.ts';

export type ApplyContext = {
  readonly client: Client;
  readonly owner: Owner;
  readonly log: Logger;
  readonly event: EventRecorder;
};

/** Null when all went well, else what failed and why, in a sentence. */
export async function applySteps(
  steps: readonly Step[],
  { client, owner, log, event }: ApplyContext,
): Promise<string | null> {
  for (const step of steps) {
    if (isRouting(step)) continue;
    const object = describe(step);
    try {
      if (step.kind === 'apply') await applyObject(client, step.object);
      if (step.kind === 'delete') {
        const { object: kind, name, uid, force } = step;
        await deleteObject(client, { kind, namespace: owner.namespace, name, uid, force });
      }
    } catch (thrown) {
      const error = thrown instanceof Error ? thrown.message : String(thrown);
      log.warn({ step: step.kind, object, error }, 'step failed');
      event(owner, 'Warning', 'StepFailed', `${step.kind} ${object}: ${error}`);
      return `${step.kind} ${object}: ${error}`;
    }
    log.info({ step: step.kind, object, reason: step.reason }, 'applied');
    event(
      owner,
      'Normal',
      step.kind === 'apply' ? 'Applied' : 'Deleted',
      `${object}: ${step.reason}`,
    );
  }
  return null;
}
