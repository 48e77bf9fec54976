/**
 * SORT: the elements of a collection in order, by themselves or by what other keys hold of them.
 *
 *     BY pattern    the weight of element e is at the key made by putting e for the first `*`;
 *                   `key*->field` is a hash's field; a pattern without `*` means "do not sort"
 *     GET pattern   what is returned for e, made the same way; `#` is e itself
 *
 * Which types can be sorted is the table `SOURCES`. A member that holds only a part of the slots
 * refuses patterns whose keys may be elsewhere: it would find nothing and call it absent.
 */
import type { Db, KeyType } from '../core/db.ts';
import { slotOf } from '../keyspace/slot.ts';
import type { Args } from '../resp/args.ts';
import { commandError } from './errors.ts';
import { listTexts } from './list-texts.ts';
import { readInteger } from './numbers.ts';
import { bulksOrNulls, count, either } from './reply-shape.ts';
import type { ClientSession } from './session.ts';
import { parseWeight } from './sort-weight.ts';
import type { Command } from './table.ts';

export const sortCommands: readonly Command[] = [
  {
    name: 'SORT',
    arity: -2,
    group: 'generic',
    flags: ['write', 'denyoom', 'movablekeys'],
    keys: { first: 1, last: 1, step: 1 },
    keyAfter: ['STORE'],
    since: '1.0.0',
    summary: 'Sorts a list, set or sorted set; can store the result.',
    complexity: 'O(N+M*log(M)) for N elements, of which M are returned',
    conflict: 'STORE replaces what this region has seen of the target by the list computed here.',
    reply: either(bulksOrNulls, count),
    run: (session, args) => sort(session, args, true),
  },
  {
    name: 'SORT_RO',
    arity: -2,
    group: 'generic',
    flags: ['readonly', 'movablekeys'],
    keys: { first: 1, last: 1, step: 1 },
    since: '7.0.0',
    summary: 'Sorts a list, set or sorted set.',
    complexity: 'O(N+M*log(M)) for N elements, of which M are returned',
    reply: bulksOrNulls,
    run: (session, args) => sort(session, args, false),
  },
];

/** Elements of a key that is there, in the order of its type. */
type Source = (db: Db, key: string) => string[];

/** What can be sorted; a type that is not here answers WRONGTYPE. */
const SOURCES: { readonly [T in KeyType]?: Source } = {
  list: listTexts,
  set: (db, key) => db.setMembers(key),
  zset: (db, key) => db.zsets.entries(key).map(([member]) => member),
};

type Options = {
  by: string | null;
  readonly get: string[];
  offset: number;
  count: number;
  descending: boolean;
  alpha: boolean;
  store: string | null;
};

function sort(session: ClientSession, args: Args, mayStore: boolean): void {
  const { db } = session.server;
  const key = args.text(1);
  const options = readOptions(args, mayStore);
  checkPatterns(session, key, options);
  const type = db.type(key);
  const source = SOURCES[type];
  if (type !== 'none' && source === undefined) throw commandError('wrongType');
  const elements = source?.(db, key) ?? [];
  order(db, elements, type, options);
  const first = Math.min(Math.max(options.offset, 0), elements.length);
  const last = options.count < 0 ? elements.length : first + options.count;
  reply(session, elements.slice(first, last), options);
}

function reply(session: ClientSession, elements: readonly string[], options: Options): void {
  const { db } = session.server;
  const { output } = session;
  const { get, store } = options;
  const result: (string | null)[] =
    get.length === 0
      ? [...elements]
      : elements.flatMap((element) => get.map((pattern) => lookUp(db, pattern, element)));
  if (store !== null) {
    db.delete(store);
    const texts = result.map((element) => element ?? '');
    if (texts.length > 0) db.listPushTexts(store, false, texts);
    output.integer(result.length);
    return;
  }
  output.array(result.length);
  for (const element of result) {
    if (element === null) output.nullBulk();
    else output.bulk(element);
  }
}

function readOptions(args: Args, mayStore: boolean): Options {
  const options: Options = {
    by: null,
    get: [],
    offset: 0,
    count: -1,
    descending: false,
    alpha: false,
    store: null,
  };
  for (let i = 2; i < args.count; i++) {
    const left = args.count - i - 1;
    if (args.equalsIgnoreCase(i, 'ASC')) options.descending = false;
    else if (args.equalsIgnoreCase(i, 'DESC')) options.descending = true;
    else if (args.equalsIgnoreCase(i, 'ALPHA')) options.alpha = true;
    else if (args.equalsIgnoreCase(i, 'LIMIT') && left >= 2) {
      options.offset = readInteger(args, ++i);
      options.count = readInteger(args, ++i);
    } else if (mayStore && args.equalsIgnoreCase(i, 'STORE') && left >= 1) {
      options.store = args.text(++i);
    } else if (args.equalsIgnoreCase(i, 'BY') && left >= 1) options.by = args.text(++i);
    else if (args.equalsIgnoreCase(i, 'GET') && left >= 1) options.get.push(args.text(++i));
    else throw commandError('syntax');
  }
  return options;
}

/** Refuses patterns whose keys this member may not hold. */
function checkPatterns(session: ClientSession, key: string, { by, get }: Options): void {
  const { firstSlot, lastSlot } = session.server.member.slots();
  if (firstSlot === 0 && lastSlot === 16_383) return;
  const slot = slotOfText(key);
  const elsewhere = (pattern: string): boolean => {
    // With a hash tag before the star every key of the pattern is in the slot of that tag.
    const tag = /\{[^*}]+\}/.exec(pattern.split('*', 1)[0]);
    return tag === null || slotOfText(pattern) !== slot;
  };
  if (by?.includes('*') && elsewhere(by)) throw commandError('sortBySlots');
  const fetched = get.filter((pattern) => pattern.includes('*'));
  if (fetched.some(elsewhere)) throw commandError('sortGetSlots');
}

function slotOfText(text: string): number {
  return slotOf(Buffer.from(text, 'latin1'), 0, text.length);
}

/** Puts the elements in order, in place. */
function order(db: Db, elements: string[], type: KeyType, options: Options): void {
  const { by, descending, store } = options;
  let { alpha } = options;
  let weightOf: ((element: string) => string | null) | null = null;
  if (by?.includes('*')) weightOf = (element) => lookUp(db, by, element);
  else if (by !== null) {
    // Redis walks those that have an order from their other end; a set has none of its own.
    if ((type === 'zset' || type === 'list') && descending) elements.reverse();
    // But a stored set is sorted by its bytes.
    if (type !== 'set' || store === null) return;
    alpha = true;
  }
  const compare = alpha ? byText(elements, weightOf) : byNumber(elements, weightOf);
  elements.sort(descending ? (a, b) => compare(b, a) : compare);
}

type Compare = (a: string, b: string) => number;
const bytewise: Compare = (a, b) => (a < b ? -1 : a > b ? 1 : 0);

function byText(
  elements: readonly string[],
  weightOf: ((element: string) => string | null) | null,
): Compare {
  if (weightOf === null) return bytewise;
  const weights = new Map(elements.map((element) => [element, weightOf(element)]));
  return (a, b) => {
    const [one, other] = [weights.get(a) ?? null, weights.get(b) ?? null];
    if (one === null || other === null) return Number(one !== null) - Number(other !== null);
    return bytewise(one, other);
  };
}

/** By number; equal ones by their bytes, so that the order is always the same. */
function byNumber(
  elements: readonly string[],
  weightOf: ((element: string) => string | null) | null,
): Compare {
  const weights = new Map<string, number>();
  for (const element of elements) {
    const text = weightOf === null ? element : weightOf(element);
    const weight = text === null ? 0 : parseWeight(text);
    if (weight === null) throw commandError('sortWeight');
    weights.set(element, weight);
  }
  return (a, b) => {
    const [one, other] = [weights.get(a)!, weights.get(b)!];
    return one < other ? -1 : one > other ? 1 : bytewise(a, b);
  };
}

/** What the pattern names for this element; null: nothing. */
function lookUp(db: Db, pattern: string, element: string): string | null {
  if (pattern === '#') return element;
  const star = pattern.indexOf('*');
  if (star < 0) return null;
  const arrow = pattern.indexOf('->', star + 1);
  const inHash = arrow >= 0 && arrow + 2 < pattern.length;
  const end = inHash ? arrow : pattern.length;
  const key = pattern.slice(0, star) + element + pattern.slice(star + 1, end);
  const type = db.type(key);
  if (inHash) return type === 'hash' ? db.hashGet(key, pattern.slice(arrow + 2)) : null;
  return type === 'string' ? db.getString(key) : null;
}
