/**
 * Shell: the chart says what the operator's code says, and its documents what its values say.
 * What helm itself makes of it is checked where helm is on PATH, and in e2e/install.test.ts.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { load, loadAll } from 'js-yaml';
import { staleFiles } from './generate.ts';

const CHART = join(import.meta.dirname, 'meridian');

const read = (path: string) => readFileSync(join(CHART, path), 'utf8');

type Tree = { [name: string]: unknown };

/** Dotted paths of all values; maps that are empty by default count as values. */
function leaves(tree: Tree, prefix = ''): string[] {
  return Object.entries(tree).flatMap(([name, value]) => {
    const path = `${prefix}${name}`;
    const branch = value !== null && typeof value === 'object' && !Array.isArray(value);
    return branch && Object.keys(value).length > 0 ? leaves(value as Tree, `${path}.`) : [path];
  });
}

describe('the chart', () => {
  test('has current generated files', () => {
    expect(staleFiles()).toEqual([]);
  });

  test('documents every value in its README', () => {
    const readme = read('README.md');
    const undocumented = leaves(load(read('values.yaml')) as Tree)
      // Requests and limits are Kubernetes' own.
      .map((path) => (path.startsWith('resources.') ? 'resources' : path))
      .filter((path) => !readme.includes(`\`${path}\``));
    expect(undocumented).toEqual([]);
  });

  test('has a schema for every value', () => {
    const schema = JSON.parse(read('values.schema.json'));
    const unknown = leaves(load(read('values.yaml')) as Tree).filter((path) => {
      let node = schema;
      for (const name of path.split('.')) {
        node = node?.properties?.[name] ?? node?.additionalProperties;
        if (node?.$ref) node = schema.definitions[node.$ref.split('/').at(-1)];
      }
      return node === undefined || node === false;
    });
    expect(unknown).toEqual([]);
  });
});

const helm = (args: readonly string[]) => execFileSync('helm', args, { encoding: 'utf8' });

function helmIsThere(): boolean {
  try {
    helm(['version']);
    return true;
  } catch {
    return false;
  }
}

/** Without helm these are not defined: its absence is no failure of the chart. */
if (helmIsThere()) {
  describe('helm', () => {
    const render = (...set: string[]) =>
      helm([
        ...['template', 'meridian', CHART, '-n', 'meridian-system', '--kube-version', '1.34.0'],
        ...set.flatMap((value) => ['--set', value]),
      ]);

    test('finds nothing to warn of', () => {
      expect(helm(['lint', CHART, '--set', 'region=eu'])).not.toMatch(/WARNING|ERROR/);
    });

    const objects = (...set: string[]) =>
      (loadAll(render(...set)) as (Tree | null)[]).filter((one) => one !== null);

    test('renders the definition as it is in crds/, or leaves it out', () => {
      const file = join(CHART, '..', '..', 'crds', 'meridian.dev_activeactivedatabases.yaml');
      const definitionIn = (...set: string[]) =>
        objects('region=eu', ...set).find(({ kind }) => kind === 'CustomResourceDefinition');
      expect(definitionIn('crds.keep=false')).toEqual(load(readFileSync(file, 'utf8')));
      expect(definitionIn('crds.install=false')).toBeUndefined();
      expect(definitionIn()).toMatchObject({
        metadata: { annotations: { 'helm.sh/resource-policy': 'keep' } },
      });
    });

    test('grants nothing outside the one namespace but reading nodes', () => {
      const all = objects('region=eu', 'watchNamespace=shop');
      const clusterRoles = all.filter(({ kind }) => kind === 'ClusterRole');
      const resources = clusterRoles.flatMap(({ rules }) =>
        (rules as { resources: string[] }[]).flatMap((rule) => rule.resources),
      );
      expect(resources).toEqual(['nodes']);
    });
  });
}
