/**
 * load + validate: from the resource and what is known of the cluster to the specs that count.
 *
 * Two of them: the one *in force*, which the running database was built from and which failover
 * goes on with whatever happens to the resource, and the one *wanted*. They differ while the
 * wanted one is wrong, or only to be planned.
 */
import { type Spec, specSchema } from '../api/schema.ts';
import { type Status, statusSchema } from '../api/status-schema.ts';
import { checkOwnRegion, type FieldError, validate } from '../api/validate.ts';
import type { Wait } from '../plan/step.ts';
import { type Build, specForRegion } from '../specs/build.ts';
import { IN_FORCE_ANNOTATION, membersServiceName, type Owner } from '../specs/names.ts';
import type { Caches, DatabaseResource, Node } from './resource.ts';

export type Loaded = {
  readonly resource: DatabaseResource;
  readonly owner: Owner;
  readonly status: Status;
  /** What the objects were last made from, or null. */
  readonly running: Build | null;
  /** What is run now: failover and the map use it. Null: nothing runs and nothing may yet. */
  readonly inForce: Build | null;
  /** What is wanted; null when it cannot be known because the spec is wrong. */
  readonly wanted: Build | null;
  readonly errors: readonly FieldError[];
  readonly missingZoneKey: string | null;
  /** What the wanted spec names and does not exist, a sentence each. */
  readonly missingSecrets: readonly string[];
  /** Why objects must be left as they are, or null. */
  readonly frozen: Wait | null;
  readonly planOnly: boolean;
};

type InForce = { spec: Spec; zonesKnown: boolean };

/** Reads one database; null when it does not exist or is being deleted. */
export function load(
  caches: Caches,
  key: string,
  installed: { region: string; engineImage: string },
): Loaded | null {
  const resource = caches.databases.get(key);
  if (resource === undefined || resource.metadata.deletionTimestamp !== undefined) return null;
  const { name, namespace = 'default', uid } = resource.metadata;
  const owner: Owner = { name, namespace, uid };
  const current = readInForce(caches, owner);
  const { spec, errors: specErrors } = validate(name, resource.spec, current?.spec ?? null);
  const errors = spec === null ? specErrors : checkOwnRegion(spec, installed.region);
  const build = (from: InForce): Build => buildOf(from, owner, installed);
  const running = current === null ? null : build(current);
  const status = readStatus(resource);
  const base = { resource, owner, status, errors, running, missingSecrets: [] };
  if (spec === null || errors.length > 0) {
    const frozen = { on: 'spec', reason: 'the spec is wrong; the last valid one stays in force' };
    return {
      ...base,
      inForce: running,
      wanted: null,
      missingZoneKey: null,
      frozen,
      planOnly: false,
    };
  }
  const zones = judgeZones(caches, spec, current);
  const wanted = build({ spec, zonesKnown: zones.known });
  const planOnly = spec.mode === 'Plan';
  const asWanted = zones.frozen === null && !planOnly;
  return {
    ...base,
    inForce: asWanted ? wanted : running,
    wanted,
    missingZoneKey: zones.missing,
    frozen: zones.frozen,
    planOnly,
  };
}

/**
 * The same when secrets that the wanted spec names do not exist: pods could not start with it, so
 * what runs is left as it is, and what does not run yet waits.
 */
export function withMissingSecrets(loaded: Loaded, missingSecrets: readonly string[]): Loaded {
  if (missingSecrets.length === 0) return loaded;
  const frozen = loaded.frozen ?? { on: 'secrets', reason: missingSecrets.join('; ') };
  return { ...loaded, missingSecrets, frozen, inForce: loaded.running };
}

/**
 * A zone label that no node has: a new database that allows few zones starts without it, one that
 * does not waits, and one that runs is not moved by what is most likely a typing error.
 */
function judgeZones(
  caches: Caches,
  spec: Spec,
  current: InForce | null,
): { known: boolean; missing: string | null; frozen: Wait | null } {
  const { zoneKey, whenZonesAreFew } = spec.placement;
  const known = [...caches.nodes.values()].some((node) => zoneOf(node, zoneKey) !== '');
  if (known) return { known, missing: null, frozen: null };
  const frozen: Wait = { on: 'zones', reason: `no node has the label ${zoneKey}` };
  const startsWithout =
    current === null
      ? whenZonesAreFew === 'Allow'
      : !current.zonesKnown && current.spec.placement.zoneKey === zoneKey;
  return { known, missing: zoneKey, frozen: startsWithout ? null : frozen };
}

/** Zone of a node by the given label, empty when it has none. */
export function zoneOf(node: Node, zoneKey: string): string {
  return node.metadata.labels?.[zoneKey] ?? '';
}

function buildOf(
  { spec, zonesKnown }: InForce,
  owner: Owner,
  { region, engineImage }: { region: string; engineImage: string },
): Build {
  const number = spec.regions.find(({ name }) => name === region)?.number ?? 0;
  return {
    owner,
    spec: specForRegion(spec, region),
    fullSpec: spec,
    region: { name: region, number },
    engineImage,
    zonesKnown,
  };
}

function readInForce(caches: Caches, owner: Owner): InForce | null {
  const service = caches.services.get(`${owner.namespace}/${membersServiceName(owner)}`);
  const mine = service?.metadata.ownerReferences?.some(({ uid }) => uid === owner.uid);
  const text = service?.metadata.annotations?.[IN_FORCE_ANNOTATION];
  if (mine !== true || text === undefined) return null;
  try {
    const { spec, zonesKnown } = JSON.parse(text) as { spec: unknown; zonesKnown: boolean };
    const parsed = specSchema.safeParse(spec);
    return parsed.success ? { spec: parsed.data, zonesKnown } : null;
  } catch {
    return null;
  }
}

function readStatus(resource: DatabaseResource): Status {
  const parsed = statusSchema.safeParse(resource.status ?? {});
  return parsed.success ? parsed.data : statusSchema.parse({});
}
