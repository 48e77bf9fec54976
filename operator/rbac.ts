/**
 * What the operator needs from the API server, and nothing more: the chart's ClusterRole is made
 * from this list. Each entry is a call or a watch somewhere under kube/ or reconcile/.
 */
import { GROUP, PLURAL } from './api/schema.ts';

export type Rule = {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
};

const FOLLOW = ['get', 'list', 'watch'];
/** Server-side apply makes an object with create and changes it with patch. */
const APPLY = [...FOLLOW, 'create', 'patch'];

/** In every namespace that is watched. */
export const rules: readonly Rule[] = [
  { apiGroups: [GROUP], resources: [PLURAL], verbs: FOLLOW },
  { apiGroups: [GROUP], resources: [`${PLURAL}/status`], verbs: ['update'] },
  // Owner references with blockOwnerDeletion need this where the admission plugin checks it.
  { apiGroups: [GROUP], resources: [`${PLURAL}/finalizers`], verbs: ['update'] },
  { apiGroups: ['apps'], resources: ['statefulsets', 'deployments'], verbs: APPLY },
  { apiGroups: [''], resources: ['services'], verbs: APPLY },
  { apiGroups: ['policy'], resources: ['poddisruptionbudgets'], verbs: APPLY },
  { apiGroups: [''], resources: ['pods'], verbs: [...FOLLOW, 'delete'] },
  { apiGroups: [''], resources: ['persistentvolumeclaims'], verbs: [...FOLLOW, 'delete'] },
  { apiGroups: [''], resources: ['secrets'], verbs: ['get'] },
  { apiGroups: [''], resources: ['events'], verbs: ['create', 'patch'] },
];

/** In the whole cluster, whatever is watched: zones are labels of nodes. */
export const clusterRules: readonly Rule[] = [
  { apiGroups: [''], resources: ['nodes'], verbs: FOLLOW },
];

/** In the operator's own namespace: leader election. */
export const leaseRules: readonly Rule[] = [
  { apiGroups: ['coordination.k8s.io'], resources: ['leases'], verbs: ['get', 'create', 'update'] },
];
