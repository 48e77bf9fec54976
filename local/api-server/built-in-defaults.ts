/**
 * The defaults that the API server writes into built-in objects. They are here because an operator
 * sees them: what it reads back is not what it sent. Each function changes the object it is given,
 * which is the server's own copy.
 */
import type { KubeObject, Open } from './resource.ts';

/** Fills the defaults of a built-in object; kinds without any are left alone. */
export function fillBuiltInDefaults(object: KubeObject): void {
  defaultsByKind[object.kind]?.(object);
}

const defaultsByKind: Record<string, (object: KubeObject) => void> = {
  Pod: ({ spec }) => {
    podSpec(spec);
    tolerateLostNodes(spec);
  },
  StatefulSet: ({ spec }) => statefulSet(spec),
  Deployment: ({ spec }) => deployment(spec),
  Service: ({ spec }) => service(spec),
  PersistentVolumeClaim: ({ spec }) => fill(spec, { volumeMode: 'Filesystem' }),
  Secret: (secret) => {
    fill(secret, { type: 'Opaque' });
    secretData(secret);
  },
  Namespace: (namespace) => {
    fill(namespace, { spec: {} });
    fill(namespace.spec, { finalizers: ['kubernetes'] });
    namespace.metadata.labels = {
      ...namespace.metadata.labels,
      'kubernetes.io/metadata.name': namespace.metadata.name,
    };
  },
  CustomResourceDefinition: ({ spec }) => {
    fill(spec, { conversion: { strategy: 'None' } });
    const { names } = spec;
    if (names?.kind === undefined) return;
    fill(names, { singular: names.kind.toLowerCase(), listKind: `${names.kind}List` });
  },
};

function fill(object: Open, defaults: Record<string, Open>): void {
  if (typeof object !== 'object' || object === null) return;
  for (const [name, value] of Object.entries(defaults)) {
    if (object[name] === undefined || object[name] === null) object[name] = value;
  }
}

function podSpec(spec: Open): void {
  fill(spec, {
    ...{ restartPolicy: 'Always', dnsPolicy: 'ClusterFirst', schedulerName: 'default-scheduler' },
    ...{ terminationGracePeriodSeconds: 30, securityContext: {}, enableServiceLinks: true },
  });
  for (const container of [...(spec?.containers ?? []), ...(spec?.initContainers ?? [])]) {
    fill(container, {
      ...{ resources: {}, terminationMessagePath: '/dev/termination-log' },
      ...{ terminationMessagePolicy: 'File', imagePullPolicy: pullPolicy(container.image ?? '') },
    });
    for (const port of container.ports ?? []) fill(port, { protocol: 'TCP' });
    for (const { valueFrom } of container.env ?? [])
      fill(valueFrom?.fieldRef, { apiVersion: 'v1' });
    for (const name of ['readinessProbe', 'livenessProbe', 'startupProbe']) {
      fill(container[name], {
        ...{ timeoutSeconds: 1, periodSeconds: 10, successThreshold: 1, failureThreshold: 3 },
      });
    }
    // Requests follow from limits where they are not given.
    const { limits } = container.resources;
    if (limits !== undefined)
      container.resources.requests = { ...limits, ...container.resources.requests };
  }
  for (const volume of spec?.volumes ?? []) {
    fill(volume.secret, { defaultMode: 0o644 });
    fill(volume.configMap, { defaultMode: 0o644 });
  }
}

/** A pod stays on a node that is lost for five minutes, unless it says otherwise. */
function tolerateLostNodes(spec: Open): void {
  for (const key of ['node.kubernetes.io/not-ready', 'node.kubernetes.io/unreachable']) {
    const held: Open[] = spec?.tolerations ?? [];
    const said = held.some((one) => one.key === key || (!one.key && one.operator === 'Exists'));
    if (said || spec === undefined) continue;
    const toleration = { key, operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 300 };
    spec.tolerations = [...held, toleration];
  }
}

function pullPolicy(image: string): string {
  const tag = /:([^/:]+)$/.exec(image)?.[1];
  return tag === undefined || tag === 'latest' ? 'Always' : 'IfNotPresent';
}

function statefulSet(spec: Open): void {
  fill(spec, {
    ...{ replicas: 1, podManagementPolicy: 'OrderedReady', revisionHistoryLimit: 10 },
    updateStrategy: { type: 'RollingUpdate' },
    persistentVolumeClaimRetentionPolicy: { whenDeleted: 'Retain', whenScaled: 'Retain' },
  });
  if (spec.updateStrategy.type === 'RollingUpdate') {
    fill(spec.updateStrategy, { rollingUpdate: { partition: 0 } });
  }
  fill(spec.persistentVolumeClaimRetentionPolicy, { whenDeleted: 'Retain', whenScaled: 'Retain' });
  podSpec(spec.template?.spec);
  for (const claim of spec.volumeClaimTemplates ?? []) {
    fill(claim, { kind: 'PersistentVolumeClaim', apiVersion: 'v1', status: { phase: 'Pending' } });
    fill(claim.spec, { volumeMode: 'Filesystem' });
  }
}

function deployment(spec: Open): void {
  fill(spec, {
    ...{ replicas: 1, revisionHistoryLimit: 10, progressDeadlineSeconds: 600 },
    strategy: { type: 'RollingUpdate' },
  });
  if (spec.strategy.type === 'RollingUpdate') {
    fill(spec.strategy, { rollingUpdate: { maxUnavailable: '25%', maxSurge: '25%' } });
  }
  podSpec(spec.template?.spec);
}

function service(spec: Open): void {
  fill(spec, { type: 'ClusterIP', sessionAffinity: 'None' });
  if (spec.type === 'ExternalName') return;
  fill(spec, { internalTrafficPolicy: 'Cluster', ipFamilies: ['IPv4'] });
  fill(spec, { ipFamilyPolicy: 'SingleStack' });
  for (const port of spec.ports ?? []) fill(port, { protocol: 'TCP', targetPort: port.port });
  if (spec.type === 'LoadBalancer') fill(spec, { allocateLoadBalancerNodePorts: true });
  if (spec.type !== 'ClusterIP') fill(spec, { externalTrafficPolicy: 'Cluster' });
}

/** stringData is written into data, base64, and never read back. */
function secretData(secret: KubeObject): void {
  if (secret.stringData === undefined) return;
  secret.data = { ...secret.data };
  for (const [name, value] of Object.entries(secret.stringData as Record<string, string>)) {
    secret.data[name] = Buffer.from(value).toString('base64');
  }
  delete secret.stringData;
}
