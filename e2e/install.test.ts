/**
 * Shell: from nothing to a database, as docs/install.md has it.
 */
import { chartValues, installChart, OPERATOR_NAMESPACE, OPERATOR_PODS, RELEASE } from './chart.ts';
import { CHART, REGIONS } from './cluster.ts';
import { run } from './command.ts';
import {
  type Clusters,
  connectBoth,
  createDatabase,
  type Database,
  openClient,
  removeNamespaces,
} from './database.ts';
import { eventually, notYet } from './eventually.ts';
import { readWorld } from './world.ts';

const WAIT_MS = 60_000;

let clusters: Clusters;

beforeAll(async () => {
  clusters = await connectBoth();
});

describe('the chart', () => {
  const render = (args: readonly string[]) =>
    run('helm', ['template', RELEASE, CHART, '-n', OPERATOR_NAMESPACE, ...args]);

  test('refuses to install without a region, and says how to give one', async () => {
    const versions = ['--kube-version', '1.34.0'];
    await expect(render(versions)).rejects.toThrow(/region is required: add --set region=NAME/);
  });

  test('runs two operators on two nodes, and one of them leads', async () => {
    const { kubectl } = clusters.eu;
    const pods = await eventually('two ready operators', WAIT_MS, async () => {
      const found = await kubectl.list('pods', OPERATOR_NAMESPACE, OPERATOR_PODS);
      const ready = found.filter(({ status }) => status.containerStatuses?.[0]?.ready);
      return ready.length === 2 && found.length === 2 ? ready : notYet(`${ready.length} ready`);
    });
    expect(new Set(pods.map(({ spec }) => spec.nodeName)).size).toBe(2);
    await eventually('a leader among the operators', WAIT_MS, async () => {
      const leases = await kubectl.list('leases', OPERATOR_NAMESPACE);
      const holders: string[] = leases.map(({ spec }) => spec.holderIdentity ?? '');
      const names: string[] = pods.map(({ metadata }) => metadata.name);
      const leader = holders.find((holder) => names.some((name) => holder.includes(name)));
      if (leader === undefined) notYet(`leases are held by: ${holders.join(', ') || 'nobody'}`);
    });
  });

  test('grants the operator what it needs and no more', async () => {
    const { kubectl } = clusters.eu;
    const account = `system:serviceaccount:${OPERATOR_NAMESPACE}:${RELEASE}`;
    const may = async (...what: string[]) => {
      // kubectl answers "no" with a failure.
      const answer = await kubectl(['auth', 'can-i', ...what, '--as', account]).catch(() => 'no');
      return answer.trim().startsWith('yes');
    };
    expect(await may('patch', 'statefulsets.apps', '-n', 'default')).toBe(true);
    expect(await may('list', 'nodes')).toBe(true);
    expect(await may('delete', 'nodes')).toBe(false);
    expect(await may('create', 'pods', '-n', 'default')).toBe(false);
    expect(await may('create', 'pods/exec', '-n', 'default')).toBe(false);
    expect(await may('create', 'secrets', '-n', 'default')).toBe(false);
    expect(await may('create', 'clusterrolebindings')).toBe(false);
    expect(await may('update', 'leases.coordination.k8s.io', '-n', 'kube-system')).toBe(false);
    expect(await may('delete', 'aadb', '-n', 'default')).toBe(false);
  });

  test('is accepted as rendered text too, for those who install without helm', async () => {
    const { images } = readWorld();
    const { kubectl } = clusters.eu;
    const versions = ['--kube-version', '1.34.0'];
    const text = await render([...chartValues(clusters.eu, images), ...versions]);
    const answer = await kubectl(['apply', '--dry-run=server', '-f', '-'], text);
    expect(answer).toContain('customresourcedefinition.apiextensions.k8s.io');
    expect(answer).toContain(`deployment.apps/${RELEASE}`);
  });

  test('brings a definition that explains itself', async () => {
    const { kubectl } = clusters.eu;
    const text = await kubectl(['explain', 'aadb.spec.regions.endpoint']);
    expect(text).toMatch(/DESCRIPTION:\s+\S+/);
  });
});

describe('a database', () => {
  let database: Database;

  beforeAll(async () => {
    database = await createDatabase('install');
  });

  afterAll(async () => {
    if (database) await removeNamespaces(database);
  });

  const memberPods = async () =>
    clusters.eu.kubectl.list('pods', database.namespace, 'meridian.dev/component=shard');

  test('has a primary and a replica of each shard, in different zones', async () => {
    for (const region of REGIONS) {
      const found = await eventually(`members of ${region} in status`, WAIT_MS, async () => {
        const aadb = await clusters[region].kubectl.get('aadb', database.namespace, database.name);
        const shards = aadb.status.shards;
        const members = shards.flatMap((shard: { members: unknown[] }) => shard.members);
        if (members.length !== 4) notYet(`${members.length} of 4 members in status`);
        return shards;
      });
      for (const { primary, members } of found) {
        const primaries = members.filter(({ role }: { role: string }) => role === 'primary');
        expect(primaries.map(({ name }: { name: string }) => name)).toEqual([primary]);
        expect(new Set(members.map(({ zone }: { zone: string }) => zone)).size).toBe(2);
      }
    }
  });

  test('is shown by kubectl get aadb as ready and connected', async () => {
    const args = ['get', 'aadb', database.name, '-n', database.namespace, '--no-headers'];
    await eventually('kubectl get aadb to show it', WAIT_MS, async () => {
      const line = await clusters.eu.kubectl(args);
      if (!/carts\s+True\s+2\/2\s+1\/1/.test(line)) notYet(line);
    });
  });

  test('runs as nobody, on a root file system that cannot be written', async () => {
    for (const pod of await memberPods()) {
      const [container] = pod.spec.containers;
      expect(pod.spec.securityContext.runAsNonRoot).toBe(true);
      expect(container.securityContext.readOnlyRootFilesystem).toBe(true);
      expect(container.securityContext.capabilities.drop).toEqual(['ALL']);
    }
  });

  test('does not notice that the chart is upgraded', async () => {
    const identities = async () =>
      (await memberPods())
        .map(({ metadata, status }) => [
          metadata.name,
          metadata.uid,
          status.containerStatuses[0].restartCount,
        ])
        .sort();
    const before = await identities();
    const client = await openClient(database, 'eu');
    await client.set('before', 'the upgrade');
    await installChart(clusters.eu, readWorld().images, { logLevel: 'info' });
    expect(await client.get('before')).toBe('the upgrade');
    expect(await identities()).toEqual(before);
    client.disconnect();
    await installChart(clusters.eu, readWorld().images);
  });
});
