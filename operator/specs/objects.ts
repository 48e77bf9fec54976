/** Every object of a database in the order in which they are applied. */
import type { Build, KubeObject } from './build.ts';
import { proxyDeployment } from './deployment.ts';
import { proxyDisruptionBudget, shardDisruptionBudget } from './disruption-budget.ts';
import { fingerprint } from './fingerprint.ts';
import { SPEC_ANNOTATION } from './names.ts';
import { clientService, membersService, peerService } from './service.ts';
import { statefulSet } from './stateful-set.ts';

/** All objects wanted; each carries a digest of itself, so that a removed field is noticed too. */
export function wantedObjects(build: Build): KubeObject[] {
  const shards = Array.from({ length: build.spec.shards }, (_, shard) => shard);
  const objects = [
    membersService(build),
    ...shards.map((shard) => shardDisruptionBudget(build, shard)),
    ...shards.map((shard) => statefulSet(build, shard)),
    proxyDisruptionBudget(build),
    proxyDeployment(build),
    clientService(build),
    peerService(build),
  ];
  return objects.map((object) => ({
    ...object,
    metadata: {
      ...object.metadata,
      annotations: { ...object.metadata.annotations, [SPEC_ANNOTATION]: fingerprint(object) },
    },
  }));
}
