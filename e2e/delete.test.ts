/**
 * Shell: deleting the resource leaves nothing behind, and the other region goes on.
 */
import type { Region } from './cluster.ts';
import {
  applyDatabase,
  conditionIs,
  type Database,
  openClient,
  prepareDatabase,
  removeNamespaces,
} from './database.ts';
import { eventually, notYet } from './eventually.ts';

const GONE_MS = 120_000;
const NOTICE_MS = 60_000;

let database: Database;
let kinds: string;
let before: Record<Region, string[]>;

beforeAll(async () => {
  database = await prepareDatabase('delete');
  const { kubectl } = database.clusters.eu;
  const args = ['api-resources', '--namespaced', '--verbs=list,delete', '-o', 'name'];
  const all = (await kubectl(args)).trim().split('\n');
  kinds = all.filter((kind) => !kind.startsWith('events')).join(',');
  before = { eu: await inventory('eu'), us: await inventory('us') };
  await applyDatabase(database);
});

afterAll(async () => {
  if (database) await removeNamespaces(database);
});

/** Every object in the database's namespace, of whatever kind, but events. */
async function inventory(region: Region): Promise<string[]> {
  const { kubectl } = database.clusters[region];
  const args = ['get', kinds, '-n', database.namespace, '-o', 'name', '--ignore-not-found'];
  return (await kubectl(args)).trim().split('\n').filter(Boolean).sort();
}

async function volumes(region: Region): Promise<string[]> {
  const found = await database.clusters[region].kubectl.list('persistentvolumes');
  return found
    .filter(({ spec }) => spec.claimRef?.namespace === database.namespace)
    .map(({ metadata }) => metadata.name);
}

async function deleteIn(region: Region): Promise<void> {
  const { kubectl } = database.clusters[region];
  const args = ['delete', 'aadb', database.name, '-n', database.namespace, '--wait=true'];
  await kubectl(args, undefined, GONE_MS);
}

async function nothingIsLeft(region: Region): Promise<void> {
  await eventually(`nothing to be left of the database in ${region}`, GONE_MS, async () => {
    const left = (await inventory(region)).filter((name) => !before[region].includes(name));
    const disks = await volumes(region);
    if (left.length + disks.length > 0) notYet(`left: ${[...left, ...disks].join(', ')}`);
  });
}

test('a database has something to leave behind', async () => {
  expect((await inventory('eu')).length).toBeGreaterThan(before.eu.length + 8);
  expect((await volumes('eu')).length).toBe(4);
});

test('deleting it in eu leaves nothing there, neither object nor volume', async () => {
  const client = await openClient(database, 'eu');
  await client.set('kept', 'in us');
  expect(await client.call('CRDT.WAIT', '1', '10000')).toBe(1);
  client.disconnect();
  await deleteIn('eu');
  await nothingIsLeft('eu');
});

test('the user’s own secrets stay', async () => {
  const { kubectl } = database.clusters.eu;
  expect(await kubectl.get('secret', database.namespace, 'carts-password')).not.toBeNull();
});

test('us goes on with all of the data, and says that eu is away', async () => {
  const client = await openClient(database, 'us');
  expect(await client.get('kept')).toBe('in us');
  expect(await client.set('new', 'write')).toBe('OK');
  client.disconnect();
  await conditionIs(database, 'us', 'PeersConnected', 'False', NOTICE_MS);
  await conditionIs(database, 'us', 'Ready', 'True', NOTICE_MS);
});

test('deleting it in us too leaves nothing there', async () => {
  await deleteIn('us');
  await nothingIsLeft('us');
});
