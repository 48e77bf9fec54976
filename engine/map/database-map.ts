/**
 * The map: which shard owns which slots, who its members are, who is primary, and how the other
 * regions are reached. The operator makes it; members and proxies take it by CRDT.MAP SET.
 *
 * `parseMap` trusts nothing and reports everything that is wrong at once, each with its path.
 * Fields it does not know are ignored, so that a newer operator can still talk to an older engine.
 */
import { SLOT_COUNT } from '../keyspace/slot.ts';

export type MapMember = {
  readonly name: string;
  readonly host: string;
  /** For clients. */
  readonly port: number;
  /** For members and regions. */
  readonly peerPort: number;
  /** Empty: unknown. */
  readonly zone: string;
};

export type MapShard = {
  /** `<first>-<last>`, as in the JSON. */
  readonly slots: string;
  readonly firstSlot: number;
  readonly lastSlot: number;
  /** Grows with each change of the primary. */
  readonly epoch: number;
  /** Name of a member; empty while the shard has no primary. */
  readonly primary: string;
  readonly members: readonly MapMember[];
};

export type MapRegion = {
  readonly name: string;
  readonly number: number;
  /** `host:port` where its proxies accept peers. */
  readonly endpoint: string;
};

export type DatabaseMap = {
  /** Grows with every change of the map. */
  readonly version: number;
  readonly database: string;
  readonly region: string;
  readonly regionNumber: number;
  readonly shards: readonly MapShard[];
  /** The other regions. */
  readonly regions: readonly MapRegion[];
};

/** `path` is such as `shards[0].members[1].port`; empty for the whole. */
export type MapError = { readonly path: string; readonly rule: string };

export type MapResult = { readonly map: DatabaseMap } | { readonly errors: readonly MapError[] };

const REGION_NUMBER_MAX = 16;
const SHARDS_MAX = 1024;

/** Reads a map from JSON text. Returns it, or everything that is wrong with it. */
export function parseMap(json: string): MapResult {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (error) {
    return { errors: [{ path: '', rule: `is not JSON: ${(error as Error).message}` }] };
  }
  const reader = new Reader();
  const map = readMap(reader, value);
  if (reader.errors.length === 0) checkWhole(reader, map);
  return reader.errors.length > 0 ? { errors: reader.errors } : { map };
}

/** Why a map is not taken although it is valid; the same shape as MemberApi.setMap answers. */
export type MapStale = { readonly kind: 'stale'; readonly held: number; readonly given: number };
export type MapDiffers = { readonly kind: 'invalid'; readonly reason: string };

/** Whether `next` may replace `held`: null if so. A map of the same version must be the same map. */
export function refuseMap(
  held: DatabaseMap | null,
  next: DatabaseMap,
): MapStale | MapDiffers | null {
  if (held === null || next.version > held.version) return null;
  if (next.version < held.version) {
    return { kind: 'stale', held: held.version, given: next.version };
  }
  if (JSON.stringify(held) === JSON.stringify(next)) return null;
  return { kind: 'invalid', reason: 'version: another map of this version is in force' };
}

/** All errors in one line: `<path>: <rule>; …`. */
export function mapErrorText(errors: readonly MapError[]): string {
  return errors.map(({ path, rule }) => (path === '' ? rule : `${path}: ${rule}`)).join('; ');
}

/** `host:port` or `[host]:port` as its parts; null when it is neither. */
export function splitEndpoint(endpoint: string): { host: string; port: number } | null {
  const match = /^(?:\[([^\]]+)\]|([^:[\]\s]+)):(\d{1,5})$/.exec(endpoint);
  if (match === null) return null;
  const port = Number(match[3]);
  return port >= 1 && port <= 65_535 ? { host: match[1] ?? match[2], port } : null;
}

/** The member that takes a shard's writes; null while there is none. */
export function primaryOf(shard: MapShard): MapMember | null {
  return shard.members.find((member) => member.name === shard.primary) ?? null;
}

type Fields = Record<string, unknown>;

function readMap(reader: Reader, value: unknown): DatabaseMap {
  const fields = reader.object('', value);
  return {
    version: reader.whole('version', fields.version, 1, Number.MAX_SAFE_INTEGER),
    database: reader.text('database', fields.database),
    region: reader.text('region', fields.region),
    regionNumber: reader.whole('regionNumber', fields.regionNumber, 1, REGION_NUMBER_MAX),
    shards: reader.list('shards', fields.shards, readShard),
    regions: reader.list('regions', fields.regions ?? [], readRegion),
  };
}

function readShard(reader: Reader, path: string, value: unknown): MapShard {
  const fields = reader.object(path, value);
  const slots = reader.text(`${path}.slots`, fields.slots);
  const [firstSlot, lastSlot] = reader.range(`${path}.slots`, slots);
  const primary = reader.textOrEmpty(`${path}.primary`, fields.primary);
  const members = reader.list(`${path}.members`, fields.members, readMember);
  if (primary !== '' && !members.some((member) => member.name === primary)) {
    reader.fail(`${path}.primary`, `${JSON.stringify(primary)} is no member of this shard`);
  }
  const epoch = reader.whole(`${path}.epoch`, fields.epoch, 0, Number.MAX_SAFE_INTEGER);
  return { slots, firstSlot, lastSlot, epoch, primary, members };
}

function readMember(reader: Reader, path: string, value: unknown): MapMember {
  const fields = reader.object(path, value);
  return {
    name: reader.text(`${path}.name`, fields.name),
    host: reader.text(`${path}.host`, fields.host),
    port: reader.whole(`${path}.port`, fields.port, 1, 65_535),
    peerPort: reader.whole(`${path}.peerPort`, fields.peerPort, 1, 65_535),
    zone: reader.textOrEmpty(`${path}.zone`, fields.zone ?? ''),
  };
}

function readRegion(reader: Reader, path: string, value: unknown): MapRegion {
  const fields = reader.object(path, value);
  const endpoint = reader.text(`${path}.endpoint`, fields.endpoint);
  if (endpoint !== '' && splitEndpoint(endpoint) === null) {
    reader.fail(`${path}.endpoint`, `${JSON.stringify(endpoint)} must be host:port`);
  }
  const number = reader.whole(`${path}.number`, fields.number, 1, REGION_NUMBER_MAX);
  return { name: reader.text(`${path}.name`, fields.name), number, endpoint };
}

/** What can only be said of the map as a whole. */
function checkWhole(reader: Reader, map: DatabaseMap): void {
  if (map.shards.length === 0) reader.fail('shards', 'must not be empty');
  if (map.shards.length > SHARDS_MAX) reader.fail('shards', `must be at most ${SHARDS_MAX}`);
  const owner = new Int16Array(SLOT_COUNT).fill(-1);
  const members = new Set<string>();
  for (const [i, shard] of map.shards.entries()) {
    const clash = owner.subarray(shard.firstSlot, shard.lastSlot + 1).find((other) => other >= 0);
    if (clash !== undefined) reader.fail(`shards[${i}].slots`, `overlap those of shards[${clash}]`);
    owner.fill(i, shard.firstSlot, shard.lastSlot + 1);
    for (const [j, { name }] of shard.members.entries()) {
      const path = `shards[${i}].members[${j}].name`;
      if (members.has(name)) reader.fail(path, `${JSON.stringify(name)} appears twice`);
      members.add(name);
    }
  }
  const names = new Set([map.region]);
  const numbers = new Set([map.regionNumber]);
  for (const [i, { name, number }] of map.regions.entries()) {
    if (names.has(name)) {
      reader.fail(`regions[${i}].name`, `${JSON.stringify(name)} appears twice`);
    }
    if (numbers.has(number)) reader.fail(`regions[${i}].number`, `${number} appears twice`);
    names.add(name);
    numbers.add(number);
  }
}

/** Reads fields of unknown values and gathers what is wrong; answers something valid in any case. */
class Reader {
  readonly errors: MapError[] = [];

  fail(path: string, rule: string): void {
    this.errors.push({ path, rule });
  }

  object(path: string, value: unknown): Fields {
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
      return value as Fields;
    }
    this.fail(path, 'must be an object');
    return {};
  }

  text(path: string, value: unknown): string {
    if (typeof value === 'string' && value !== '') return value;
    this.fail(path, 'must be a string that is not empty');
    return '';
  }

  textOrEmpty(path: string, value: unknown): string {
    if (typeof value === 'string') return value;
    this.fail(path, 'must be a string');
    return '';
  }

  whole(path: string, value: unknown, min: number, max: number): number {
    if (Number.isSafeInteger(value) && (value as number) >= min && (value as number) <= max) {
      return value as number;
    }
    this.fail(path, `must be a whole number from ${min} to ${max}`);
    return min;
  }

  list<T>(path: string, value: unknown, read: (r: Reader, path: string, v: unknown) => T): T[] {
    if (Array.isArray(value)) return value.map((v, i) => read(this, `${path}[${i}]`, v));
    this.fail(path, 'must be a list');
    return [];
  }

  range(path: string, text: string): [number, number] {
    const match = /^(\d{1,5})-(\d{1,5})$/.exec(text);
    const first = Number(match?.[1]);
    const last = Number(match?.[2]);
    if (match !== null && first <= last && last < SLOT_COUNT) return [first, last];
    if (text !== '') this.fail(path, `must be A-B within 0-${SLOT_COUNT - 1}, A not after B`);
    return [0, 0];
  }
}
