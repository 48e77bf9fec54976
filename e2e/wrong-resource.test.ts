/**
 * Shell: what happens to a resource that is wrong.
 *
 * The table of cases is the operator's own: cases.test.ts plays it against validate(), this file
 * against a real API server, so that the two twins of each rule cannot drift apart.
 */
import { BASE, CASES, type Case, changed } from '../operator/api/cases.ts';
import { restrictedNamespace } from './chart.ts';
import {
  API_VERSION,
  conditionIs,
  connectBoth,
  createDatabase,
  type Database,
  KIND,
  openClient,
  removeNamespaces,
  resource,
} from './database.ts';
import { consistently } from './eventually.ts';
import type { Manifest } from './kubectl.ts';

const CONDITION_LIMIT_MS = 60_000;
/** How long nothing must happen to what runs. */
const UNTOUCHED_MS = 5_000;

describe('the API server', () => {
  const namespace = 'e2e-cases';

  const object = (name: string, spec: unknown): Manifest => ({
    apiVersion: API_VERSION,
    kind: KIND,
    metadata: { name, namespace },
    spec,
  });

  /** What the API server says to the case; a resource that is there first is only planned. */
  const judge = async (entry: Case, name: string): Promise<string | null> => {
    const { kubectl } = (await connectBoth()).eu;
    if (entry.before === undefined) {
      return kubectl.refusal('create', object(name, changed(entry.change)));
    }
    const before = changed({ ...entry.before, mode: 'Plan' }, BASE);
    await kubectl.apply(object(name, before));
    const refusal = await kubectl.refusal('replace', object(name, changed(entry.change, before)));
    await kubectl(['delete', 'aadb', name, '-n', namespace, '--wait=true']);
    return refusal;
  };

  beforeAll(async () => {
    await (await connectBoth()).eu.kubectl.apply(restrictedNamespace(namespace));
  });

  afterAll(async () => {
    const { kubectl } = (await connectBoth()).eu;
    await kubectl(['delete', 'namespace', namespace, '--wait=false']);
  });

  test.each(CASES.map((entry, index) => ({ ...entry, index })))(
    'judges $name as the table says',
    async (entry) => {
      const refusal = await judge(entry, entry.resourceName ?? `case-${entry.index}`);
      if (entry.refused.length === 0) {
        expect(refusal).toBeNull();
        return;
      }
      expect(refusal).not.toBeNull();
      for (const path of entry.refused) expect(refusal).toContain(path);
    },
  );
});

describe('what only the operator can know', () => {
  let database: Database;

  beforeAll(async () => {
    database = await createDatabase('wrong-resource');
  });

  afterAll(async () => {
    if (database) await removeNamespaces(database);
  });

  /** Names and generations of what runs; equal when nothing was touched. */
  const running = async (): Promise<string[]> => {
    const { kubectl } = database.clusters.eu;
    const sets = await kubectl.list('statefulsets,deployments', database.namespace);
    const pods = await kubectl.list('pods', database.namespace);
    return [
      ...sets.map(({ kind, metadata }) => `${kind} ${metadata.name} ${metadata.generation}`),
      ...pods.map(({ metadata }) => `Pod ${metadata.name} ${metadata.uid}`),
    ].sort();
  };

  const untouched = (before: readonly string[]): Promise<void> =>
    consistently('what runs, untouched,', UNTOUCHED_MS, async () => {
      expect(await running()).toEqual(before);
    });

  const applyInEu = async (change: (spec: Manifest) => void): Promise<void> => {
    const wrong = resource(database);
    change(wrong.spec);
    await database.clusters.eu.kubectl.apply(wrong);
  };

  test('a region that is not listed becomes a condition, and the database goes on', async () => {
    const before = await running();
    await applyInEu((spec) => {
      spec.regions[0].name = 'mars';
    });
    const condition = await conditionIs(database, 'eu', 'SpecValid', 'False', CONDITION_LIMIT_MS);
    expect(condition.message).toContain('spec.regions');
    expect(condition.message).toContain('eu');
    const client = await openClient(database, 'eu');
    expect(await client.set('still', 'there')).toBe('OK');
    client.disconnect();
    await untouched(before);
  });

  test('the right resource again ends the condition', async () => {
    await applyInEu(() => {});
    await conditionIs(database, 'eu', 'SpecValid', 'True', CONDITION_LIMIT_MS);
    await conditionIs(database, 'eu', 'Ready', 'True', CONDITION_LIMIT_MS);
  });

  test('a zone key that no node has becomes a condition with its path', async () => {
    await applyInEu((spec) => {
      spec.placement = { zoneKey: 'example.com/rack' };
    });
    const condition = await conditionIs(database, 'eu', 'ZonesSpread', 'False', CONDITION_LIMIT_MS);
    expect(condition.message).toContain('spec.placement.zoneKey');
    await applyInEu(() => {});
    await conditionIs(database, 'eu', 'ZonesSpread', 'True', CONDITION_LIMIT_MS);
  });

  test('a secret that is not there becomes a condition with its path', async () => {
    const before = await running();
    await applyInEu((spec) => {
      spec.auth.passwordSecret.name = 'nowhere';
    });
    const condition = await conditionIs(database, 'eu', 'SpecValid', 'False', CONDITION_LIMIT_MS);
    expect(condition.reason).toBe('SecretMissing');
    expect(condition.message).toContain('spec.auth.passwordSecret');
    await untouched(before);
    await applyInEu(() => {});
    await conditionIs(database, 'eu', 'SpecValid', 'True', CONDITION_LIMIT_MS);
  });
});
