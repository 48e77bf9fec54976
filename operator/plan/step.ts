/** The plan as a value: steps in order, each with the reason that becomes event and log line. */
import type { KubeObject } from '../specs/build.ts';
import type { MapDocument } from './map.ts';
import type { MapRecord } from './observed.ts';

export type Target = { readonly name: string; readonly host: string; readonly port: number };

/** A change of primary that a record step makes. */
export type Election = {
  readonly shard: number;
  readonly from: string;
  readonly to: string;
  readonly reason: ElectionReason;
};

export type ElectionReason =
  | 'Initial'
  | 'PodDeleted'
  | 'PodDeleting'
  | 'ProcessDied'
  | 'NotAnswering'
  | 'NodeUnreachable'
  | 'StartedEmpty'
  | 'ZoneBalance'
  | 'Rollout'
  | 'ScaleIn';

export type Step =
  | { readonly kind: 'apply'; readonly object: KubeObject; readonly reason: string }
  | {
      readonly kind: 'delete';
      readonly object: 'Pod' | 'PersistentVolumeClaim';
      readonly name: string;
      readonly uid: string;
      /** Do not wait for the kubelet: its node is gone. */
      readonly force: boolean;
      readonly reason: string;
    }
  | {
      readonly kind: 'record';
      readonly record: MapRecord;
      readonly elections: readonly Election[];
      readonly reason: string;
    }
  | {
      readonly kind: 'push';
      readonly document: MapDocument;
      readonly targets: readonly Target[];
      readonly reason: string;
    };

export type Wait = { readonly on: string; readonly reason: string };

export type Plan = {
  readonly steps: readonly Step[];
  readonly waitingFor: readonly Wait[];
  readonly requeueAfterMs: number | null;
};

/** Steps of the map: any operator replica may do them, at once; all others are the leader's. */
export function isRouting(step: Step): boolean {
  return step.kind === 'record' || step.kind === 'push';
}

/** What a step touches, in a few words. */
export function describe(step: Step): string {
  switch (step.kind) {
    case 'apply':
      return `${step.object.kind}/${step.object.metadata.name}`;
    case 'delete':
      return `${step.object}/${step.name}`;
    case 'record':
      return `map ${step.record.version}`;
    case 'push':
      return `map ${step.document.version} to ${step.targets.map(({ name }) => name).join(', ')}`;
  }
}
