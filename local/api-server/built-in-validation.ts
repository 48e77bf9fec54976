/**
 * What the API server refuses in built-in objects. Not all of Kubernetes' rules: names, labels,
 * what a pod, a set and a service cannot be without, and the fields that may not change, because
 * these are the mistakes an operator can make.
 */
import { equal } from './field-set.ts';
import type { KubeObject, Open } from './resource.ts';
import { matches } from './selector.ts';
import {
  type Cause,
  forbiddenValue,
  invalidValue,
  requiredValue,
  unsupportedValue,
} from './status-error.ts';

const subdomain = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const dnsLabel = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
const labelValue = /^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$/;
const labelKey = /^([a-z0-9.-]{1,253}\/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/;

const subdomainRule =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', " +
  'and must start and end with an alphanumeric character';

/** Names and labels, of any object. */
export function checkMetadata(object: KubeObject): Cause[] {
  const causes: Cause[] = [];
  const { name, labels, ownerReferences } = object.metadata;
  const strict = object.kind === 'Service' || object.kind === 'Namespace';
  const rbac = object.apiVersion.startsWith('rbac.');
  if (!rbac && (name.length > 253 || !(strict ? dnsLabel : subdomain).test(name))) {
    causes.push(invalidValue('metadata.name', name, subdomainRule));
  }
  for (const [key, value] of Object.entries(labels ?? {})) {
    if (!labelKey.test(key)) {
      causes.push(invalidValue('metadata.labels', key, 'name part must be a qualified name'));
    }
    if (typeof value !== 'string' || value.length > 63 || !labelValue.test(value)) {
      causes.push(
        invalidValue(
          'metadata.labels',
          value,
          'a valid label must be an empty string or consist of alphanumeric characters, at most 63',
        ),
      );
    }
  }
  (ownerReferences ?? []).forEach((owner, index) => {
    for (const field of ['apiVersion', 'kind', 'name', 'uid'] as const) {
      if (owner[field] === undefined || owner[field] === '') {
        causes.push(requiredValue(`metadata.ownerReferences[${index}].${field}`));
      }
    }
  });
  return causes;
}

/** The rules of the kind; `old` is what is being replaced, if anything is. */
export function checkBuiltIn(object: KubeObject, old: KubeObject | null): Cause[] {
  return rulesByKind[object.kind]?.(object, old) ?? [];
}

const rulesByKind: Record<string, (object: KubeObject, old: KubeObject | null) => Cause[]> = {
  Pod: (pod, old) => [...podSpec(pod.spec, 'spec'), ...unchanged(pod, old, podMayChange)],
  StatefulSet: (set, old) => [...workload(set), ...unchanged(set, old, statefulSetMayChange)],
  Deployment: (deployment, old) => [
    ...workload(deployment),
    ...fixed(deployment, old, ['selector']),
  ],
  Service: service,
  PersistentVolumeClaim: (claim, old) => {
    if (claim.spec === undefined) return [requiredValue('spec')];
    const needed = claim.spec.accessModes?.length > 0 ? [] : [requiredValue('spec.accessModes')];
    return [...needed, ...unchanged(claim, old, ['resources', 'volumeName'])];
  },
  Lease: ({ spec }) => {
    const seconds = spec?.leaseDurationSeconds;
    if (seconds === undefined || seconds === null || seconds > 0) return [];
    return [invalidValue('spec.leaseDurationSeconds', seconds, 'must be greater than 0')];
  },
};

const podMayChange = [
  'nodeName',
  'activeDeadlineSeconds',
  'tolerations',
  'terminationGracePeriodSeconds',
];
const statefulSetMayChange = [
  ...['replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit'],
  ...['persistentVolumeClaimRetentionPolicy', 'minReadySeconds'],
];
const statefulSetRefusal =
  "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', " +
  "'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and " +
  "'minReadySeconds' are forbidden";

function unchanged(object: KubeObject, old: KubeObject | null, mayChange: string[]): Cause[] {
  if (old === null) return [];
  const fields = new Set([...Object.keys(object.spec ?? {}), ...Object.keys(old.spec ?? {})]);
  const changed = [...fields].filter((field) => {
    // An image may be changed in a running pod, nothing else of its containers.
    if (object.kind === 'Pod' && field === 'containers') {
      return !equal(withoutImages(object.spec[field]), withoutImages(old.spec[field]));
    }
    return !mayChange.includes(field) && !equal(object.spec[field], old.spec[field]);
  });
  if (changed.length === 0) return [];
  const isSet = object.kind === 'StatefulSet';
  const why = isSet ? statefulSetRefusal : `may not change: ${changed.join(', ')}`;
  return [forbiddenValue('spec', why)];
}

function withoutImages(containers: Open): Open {
  return (containers ?? []).map(({ image: _, ...rest }: Open) => rest);
}

function fixed(object: KubeObject, old: KubeObject | null, fields: string[]): Cause[] {
  if (old === null) return [];
  return fields
    .filter((field) => !equal(object.spec[field], old.spec[field]))
    .map((field) => invalidValue(`spec.${field}`, object.spec[field], 'field is immutable'));
}

function workload(object: KubeObject): Cause[] {
  const { spec } = object;
  if (spec === undefined) return [requiredValue('spec')];
  if (spec.selector === undefined) return [requiredValue('spec.selector')];
  if (spec.template?.spec === undefined) return [requiredValue('spec.template.spec')];
  const causes = podSpec(spec.template.spec, 'spec.template.spec');
  if (!(Number.isInteger(spec.replicas) && spec.replicas >= 0)) {
    causes.push(invalidValue('spec.replicas', spec.replicas, 'must be greater than or equal to 0'));
  }
  if (!matches(spec.selector, spec.template.metadata?.labels)) {
    const why = '`selector` does not match template `labels`';
    causes.push(invalidValue('spec.template.metadata.labels', spec.template.metadata?.labels, why));
  }
  return causes;
}

function podSpec(spec: Open, field: string): Cause[] {
  if (spec === undefined) return [requiredValue(field)];
  if (!Array.isArray(spec.containers) || spec.containers.length === 0) {
    return [requiredValue(`${field}.containers`)];
  }
  const causes: Cause[] = [];
  spec.containers.forEach((container: Open, index: number) => {
    const at = `${field}.containers[${index}]`;
    if (!container.name) causes.push(requiredValue(`${at}.name`));
    else if (!dnsLabel.test(container.name)) {
      causes.push(invalidValue(`${at}.name`, container.name, 'must be an RFC 1123 label'));
    }
    if (!container.image) causes.push(requiredValue(`${at}.image`));
    const volumes = [...(spec.volumes ?? []).map((one: Open) => one.name)];
    for (const mount of container.volumeMounts ?? []) {
      // A set's claims become volumes only in its pods, so a template may name others.
      if (field === 'spec' && !volumes.includes(mount.name)) {
        causes.push({
          ...{ reason: 'FieldValueNotFound', field: `${at}.volumeMounts[0].name` },
          message: `Not found: ${JSON.stringify(mount.name)}`,
        });
      }
    }
  });
  const policies = ['Always', 'OnFailure', 'Never'];
  if (spec.restartPolicy !== undefined && !policies.includes(spec.restartPolicy)) {
    causes.push(unsupportedValue(`${field}.restartPolicy`, spec.restartPolicy, policies));
  }
  return causes;
}

function service(object: KubeObject, old: KubeObject | null): Cause[] {
  const { spec } = object;
  const causes: Cause[] = [];
  const ports = spec?.ports ?? [];
  if (ports.length === 0 && spec?.clusterIP !== 'None' && spec?.type !== 'ExternalName') {
    causes.push(requiredValue('spec.ports'));
  }
  ports.forEach((port: Open, index: number) => {
    if (!Number.isInteger(port.port) || port.port < 1 || port.port > 65535) {
      const why = 'must be between 1 and 65535, inclusive';
      causes.push(invalidValue(`spec.ports[${index}].port`, port.port, why));
    }
    if (ports.length > 1 && !port.name) causes.push(requiredValue(`spec.ports[${index}].name`));
  });
  const was = old?.spec?.clusterIP;
  if (was !== undefined && spec.type !== 'ExternalName' && spec.clusterIP !== was) {
    causes.push(invalidValue('spec.clusterIP', spec.clusterIP, 'field is immutable'));
  }
  return causes;
}
