/**
 * Shell: deletes the clusters after the last feature, unless E2E_KEEP=1.
 */
import { deleteCluster, REGIONS } from './cluster.ts';
import { readWorld, say } from './world.ts';

export default async function globalTeardown(): Promise<void> {
  const { machine, keep } = readWorld();
  if (keep) {
    say('the clusters are kept (E2E_KEEP=1): kind delete clusters meridian-eu meridian-us');
    return;
  }
  for (const region of REGIONS) await deleteCluster(machine, region);
}
