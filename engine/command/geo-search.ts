/** Members within a circle or a box: GEOSEARCH, GEORADIUS and what stores their results. */
import type { ZsetView } from '../core/zset-read.ts';
import type { Args } from '../resp/args.ts';
import { commandError } from './errors.ts';
import { writeDistance, writePosition } from './geo.ts';
import { readBox, readPosition, readRadius } from './geo-args.ts';
import { distanceWithin, type Position, positionOfScore, runsOf, type Shape } from './geo-hash.ts';
import { readInteger } from './numbers.ts';
import { any, arrayOf, count, either } from './reply-shape.ts';
import type { ClientSession } from './session.ts';
import type { Command, KeyRange } from './table.ts';
import { storeMembers } from './zset-range.ts';

const COMPLEXITY = 'O(N+log(M)) for N members near the shape and M in it';
const ONE_KEY: KeyRange = { first: 1, last: 1, step: 1 };
const REPLACES =
  'With STORE: replaces what this region has seen of the target by the result computed here.';
const found = arrayOf(any);

/** Which arguments a command takes. */
type Form = {
  /** Argument of the sorted set that is searched. */
  readonly source: number;
  /** Where the centre stands: in options, or at once as a position or as a member. */
  readonly centre: 'options' | 'position' | 'member';
  readonly store: 'never' | 'option' | 'always';
};

export const geoSearchCommands: readonly Command[] = [
  {
    name: 'GEOSEARCH',
    arity: -7,
    group: 'geo',
    flags: ['readonly'],
    keys: ONE_KEY,
    since: '6.2.0',
    summary: 'Returns the members within a circle or a box.',
    complexity: COMPLEXITY,
    reply: found,
    run: (session, args) => search(session, args, { source: 1, centre: 'options', store: 'never' }),
  },
  {
    name: 'GEOSEARCHSTORE',
    arity: -8,
    group: 'geo',
    flags: ['write', 'denyoom'],
    keys: { first: 1, last: 2, step: 1 },
    since: '6.2.0',
    summary: 'Stores the members within a circle or a box.',
    complexity: COMPLEXITY,
    conflict: 'Replaces what this region has seen of the target by the result computed here.',
    reply: count,
    run: (session, args) =>
      search(session, args, { source: 2, centre: 'options', store: 'always' }),
  },
  radius('GEORADIUS', -6, 'position', true),
  radius('GEORADIUS_RO', -6, 'position', false),
  radius('GEORADIUSBYMEMBER', -5, 'member', true),
  radius('GEORADIUSBYMEMBER_RO', -5, 'member', false),
];

function radius(
  name: string,
  arity: number,
  centre: 'position' | 'member',
  mayStore: boolean,
): Command {
  const form: Form = { source: 1, centre, store: mayStore ? 'option' : 'never' };
  return {
    name,
    arity,
    group: 'geo',
    flags: mayStore ? ['write', 'denyoom', 'movablekeys'] : ['readonly'],
    keys: ONE_KEY,
    ...(mayStore && { keyAfter: ['STORE', 'STOREDIST'], conflict: REPLACES }),
    since: name.endsWith('_RO') ? '3.2.10' : '3.2.0',
    summary: `Returns${mayStore ? ' or stores' : ''} the members within a radius of a ${centre}.`,
    complexity: COMPLEXITY,
    reply: mayStore ? either(found, count) : found,
    run: (session, args) => search(session, args, form),
  };
}

type Options = {
  centre: Position | null;
  /** FROMMEMBER of a key that is not there. */
  hasCentre: boolean;
  circle: { metres: number; unit: number } | null;
  box: { width: number; height: number; unit: number } | null;
  withDist: boolean;
  withHash: boolean;
  withCoord: boolean;
  any: boolean;
  count: number;
  order: 'none' | 'asc' | 'desc';
  store: string | null;
  storeDist: boolean;
};

type Found = { readonly member: string; readonly score: number; readonly metres: number };

function search(session: ClientSession, args: Args, form: Form): void {
  const zset = session.server.db.zsets.see(args, form.source);
  const options = readSearch(args, form, zset);
  check(args, form, options);
  const { store } = options;
  if (zset.size === 0) {
    if (store !== null) storeMembers(session, store, []);
    else session.output.array(0);
    return;
  }
  const shape = shapeOf(options);
  const unit = (options.circle ?? options.box)?.unit ?? 1;
  const all = findIn(zset, shape, options.any ? options.count : 0);
  const counts = options.count > 0;
  const order = counts && !options.any && options.order === 'none' ? 'asc' : options.order;
  if (order === 'asc') all.sort((a, b) => a.metres - b.metres);
  if (order === 'desc') all.sort((a, b) => b.metres - a.metres);
  const wanted = counts ? all.slice(0, options.count) : all;
  if (store === null) write(session, wanted, options, unit);
  else {
    const scoreOf = (one: Found): number => (options.storeDist ? one.metres / unit : one.score);
    storeMembers(
      session,
      store,
      wanted.map((one) => [one.member, scoreOf(one)]),
    );
  }
}

function readSearch(args: Args, form: Form, zset: ZsetView): Options {
  const options: Options = {
    centre: null,
    hasCentre: form.centre !== 'options',
    circle: null,
    box: null,
    withDist: false,
    withHash: false,
    withCoord: false,
    any: false,
    count: 0,
    order: 'none',
    store: form.store === 'always' ? args.text(1) : null,
    storeDist: false,
  };
  let first = form.source + 1;
  if (form.centre === 'position') {
    options.centre = readPosition(args, 2);
    options.circle = readRadius(args, 4);
    first = 6;
  } else if (form.centre === 'member') {
    first = 5;
    if (zset.size > 0) {
      options.centre = positionOfMember(zset, args, 2);
      options.circle = readRadius(args, 3);
    }
  }
  for (let i = first; i < args.count; ) i += readOption(args, i, form, options, zset);
  return options;
}

/** Reads the option at `args` `i`; returns how many words it has. */
function readOption(args: Args, i: number, form: Form, options: Options, zset: ZsetView): number {
  const left = args.count - i - 1;
  const is = (word: string, words = 0): boolean => left >= words && args.equalsIgnoreCase(i, word);
  const searches = form.centre === 'options';
  if (is('WITHDIST')) options.withDist = true;
  else if (is('WITHHASH')) options.withHash = true;
  else if (is('WITHCOORD')) options.withCoord = true;
  else if (is('ANY')) options.any = true;
  else if (is('ASC')) options.order = 'asc';
  else if (is('DESC')) options.order = 'desc';
  else if (is('COUNT', 1)) {
    options.count = readInteger(args, i + 1);
    if (options.count <= 0) throw commandError('geoCount');
    return 2;
  } else if (form.store === 'option' && (is('STORE', 1) || is('STOREDIST', 1))) {
    options.storeDist = is('STOREDIST');
    options.store = args.text(i + 1);
    return 2;
  } else if (searches && is('FROMMEMBER', 1) && (!options.hasCentre || options.centre === null)) {
    options.hasCentre = true;
    if (zset.size > 0) options.centre = positionOfMember(zset, args, i + 1);
    return 2;
  } else if (searches && is('FROMLONLAT', 2) && !options.hasCentre) {
    options.hasCentre = true;
    options.centre = readPosition(args, i + 1);
    return 3;
  } else if (searches && is('BYRADIUS', 2) && options.box === null) {
    options.circle = readRadius(args, i + 1);
    return 3;
  } else if (searches && is('BYBOX', 3) && options.circle === null) {
    options.box = readBox(args, i + 1);
    return 4;
  } else if (form.store === 'always' && is('STOREDIST')) options.storeDist = true;
  else throw commandError('syntax');
  return 1;
}

function check(args: Args, form: Form, options: Options): void {
  const shows = options.withDist || options.withHash || options.withCoord;
  if (options.store !== null && shows) {
    const what = form.store === 'always' ? 'GEOSEARCHSTORE' : 'STORE option in GEORADIUS';
    throw commandError('geoStoreShows', what);
  }
  if (form.centre === 'options') {
    if (!options.hasCentre) throw commandError('geoFrom', args.text(0));
    if (options.circle === null && options.box === null) throw commandError('geoBy', args.text(0));
  }
  if (options.any && options.count === 0) throw commandError('geoAny');
}

function positionOfMember(zset: ZsetView, args: Args, i: number): Position {
  const score = zset.scoreOf(args.buffer, args.start[i], args.end[i]);
  if (Number.isNaN(score)) throw commandError('geoMember');
  return positionOfScore(score);
}

function shapeOf({ centre, circle, box }: Options): Shape {
  if (centre === null) throw new Error('a search without a centre');
  if (box !== null) return { kind: 'box', centre, width: box.width, height: box.height };
  return { kind: 'circle', centre, radius: circle?.metres ?? 0 };
}

/** The members within the shape, in the order of cells and scores; `limit` 0: all. */
function findIn(zset: ZsetView, shape: Shape, limit: number): Found[] {
  const all: Found[] = [];
  for (const { from, to } of runsOf(shape)) {
    const first = zset.countBelowScore(from, false);
    const count = zset.countBelowScore(to, false) - first;
    if (count === 0) continue;
    zset.walk(first, count, false, (bytes, start, end, score) => {
      if (limit > 0 && all.length >= limit) return false;
      const metres = distanceWithin(shape, positionOfScore(score));
      if (!Number.isNaN(metres)) {
        all.push({ member: bytes.latin1Slice(start, end), score, metres });
      }
      return true;
    });
  }
  return all;
}

function write(
  session: ClientSession,
  members: readonly Found[],
  { withDist, withHash, withCoord }: Options,
  unit: number,
): void {
  const { output } = session;
  const more = Number(withDist) + Number(withHash) + Number(withCoord);
  output.array(members.length);
  for (const { member, score, metres } of members) {
    if (more > 0) output.array(more + 1);
    output.bulk(member);
    if (withDist) writeDistance(output, metres / unit);
    if (withHash) output.integer(Math.trunc(score));
    if (withCoord) writePosition(output, positionOfScore(score));
    session.checkOutput();
  }
}
