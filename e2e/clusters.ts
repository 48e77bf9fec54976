/**
 * Shell: the suite's two clusters by hand, with the operator of this checkout installed.
 *
 *     node e2e/clusters.ts up      makes them, or brings images and chart up to date in them
 *     node e2e/clusters.ts down    deletes them
 */
import { deleteCluster, kubeconfigOf, REGIONS } from './cluster.ts';
import globalSetup from './global-setup.ts';
import { findMachine } from './machine.ts';
import { say } from './world.ts';

const [action] = process.argv.slice(2);
if (action === 'up') {
  process.env.E2E_KEEP = '1';
  await globalSetup();
  for (const region of REGIONS) say(`export KUBECONFIG=${kubeconfigOf(region)}   # ${region}`);
} else if (action === 'down') {
  const machine = await findMachine();
  for (const region of REGIONS) await deleteCluster(machine, region);
} else {
  say('say up or down');
  process.exitCode = 2;
}
