/**
 * Shell: the chart as users install it.
 */
import { CHART, type Cluster } from './cluster.ts';
import { run } from './command.ts';
import type { Manifest } from './kubectl.ts';

export const OPERATOR_NAMESPACE = 'meridian-system';
export const RELEASE = 'meridian';

/** Selects the operator's pods. */
export const OPERATOR_PODS = 'app.kubernetes.io/name=meridian-operator';

const INSTALL_LIMIT_MS = 180_000;

type Images = { readonly engine: string; readonly operator: string };

/**
 * Installs or upgrades the chart and waits for the operator.
 *
 * The namespace enforces the "restricted" Pod Security Standard: a chart that asks for more than
 * that fails here.
 */
export async function installChart(
  cluster: Cluster,
  images: Images,
  values: Readonly<Record<string, string>> = {},
): Promise<void> {
  await cluster.kubectl.apply(restrictedNamespace(OPERATOR_NAMESPACE));
  const args = ['upgrade', '--install', RELEASE, CHART, '-n', OPERATOR_NAMESPACE];
  args.push('--kubeconfig', cluster.kubeconfig, '--wait', '--timeout', '150s');
  await run('helm', [...args, ...chartValues(cluster, images, values)], {
    limitMs: INSTALL_LIMIT_MS,
  });
}

/** Values of the release as arguments of helm. */
export function chartValues(
  cluster: Cluster,
  images: Images,
  more: Readonly<Record<string, string>> = {},
): string[] {
  const [operatorRepository, operatorTag] = images.operator.split(':');
  const [engineRepository, engineTag] = images.engine.split(':');
  const values = {
    region: cluster.region,
    'image.repository': operatorRepository,
    'image.tag': operatorTag,
    'engine.image.repository': engineRepository,
    'engine.image.tag': engineTag,
    logLevel: 'debug',
    ...more,
  };
  return Object.entries(values).flatMap(([name, value]) => ['--set', `${name}=${value}`]);
}

/** A namespace that admits only pods of the "restricted" Pod Security Standard. */
export function restrictedNamespace(name: string): Manifest {
  const labels = { 'pod-security.kubernetes.io/enforce': 'restricted' };
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } };
}
