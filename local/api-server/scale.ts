/** The /scale subresource: how many replicas, without knowing the kind. */
import type { Registry, WriteOptions } from './registry.ts';
import type { KubeObject, Open, ResourceType } from './resource.ts';
import { badRequest } from './status-error.ts';

/** The Scale of an object; custom resources name the places of the numbers themselves. */
export function toScale(type: ResourceType, object: KubeObject): Open {
  const { specReplicasPath, statusReplicasPath } = pathsOf(type);
  const { name, namespace, uid, resourceVersion, creationTimestamp } = object.metadata;
  const labels = Object.entries(object.spec?.selector?.matchLabels ?? {});
  return {
    kind: 'Scale',
    apiVersion: 'autoscaling/v1',
    metadata: { name, namespace, uid, resourceVersion, creationTimestamp },
    spec: { replicas: valueAt(object, specReplicasPath) ?? 0 },
    status: {
      replicas: valueAt(object, statusReplicasPath) ?? 0,
      selector: labels.map(([key, value]) => `${key}=${value}`).join(','),
    },
  };
}

/** Writes the number that a Scale asks for and returns the new Scale. */
export function writeScale(
  registry: Registry,
  type: ResourceType,
  object: KubeObject,
  scale: Open,
  options: WriteOptions,
): Open {
  const replicas = scale?.spec?.replicas;
  if (!Number.isInteger(replicas)) throw badRequest('spec.replicas must be an integer');
  const patch = pathsOf(type)
    .specReplicasPath.split('.')
    .slice(1)
    .reduceRight((value: Open, name) => ({ [name]: value }), replicas);
  const version = scale.metadata?.resourceVersion;
  if (version) patch.metadata = { resourceVersion: version };
  const { name, namespace = '' } = object.metadata;
  return toScale(type, registry.patch(type, namespace, name, 'merge', patch, options));
}

function pathsOf(type: ResourceType): { specReplicasPath: string; statusReplicasPath: string } {
  return (
    type.custom?.scale ?? {
      specReplicasPath: '.spec.replicas',
      statusReplicasPath: '.status.replicas',
    }
  );
}

function valueAt(object: KubeObject, path: string): Open {
  return path
    .split('.')
    .slice(1)
    .reduce((at: Open, name) => at?.[name], object);
}
