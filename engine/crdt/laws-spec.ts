/**
 * The specification of a key as a function of the ops that are visible, written without any state,
 * dots in lists or merging: only "did this op's source see that op?".
 *
 *     a SET shows     if no SET, DEL or FLUSH saw it; of several the last writer's
 *     an increment    counts if no SET, DEL or FLUSH saw it
 *     a member        is in the set if some SADD of it was seen by no SREM of it, SET, DEL, FLUSH
 *     a hash field    is a string of its own: HSET as SET, HINCRBY as INCRBY, HDEL as DEL
 *     a member of a sorted set has the sum of the last ZADD and the ZINCRBYs that count, as a double;
 *                     ZADD, ZINCRBY and ZREM count as HSET, HINCRBY and HDEL
 *     an entry        is in the stream if no XDEL, XTRIM, SET, DEL, FLUSH saw it and named it
 *     a group         shows if its CREATE was seen by no SET, DEL, FLUSH and saw every DESTROY of it that
 *                     no SET, DEL or FLUSH has seen
 *     an HEXPIRE      (HPERSIST too) of a field that is there counts if no later one of the field saw it and
 *                     some write of the field that it saw counts; the longest wins; an HSET that counts
 *                     and that none of them saw is an infinite one
 *     a PFADD         counts if no SET, DEL or FLUSH saw the PFADD that created what it adds to
 *     a list element  has the value of the last of its writes (the push, LINSERT, LSET) that were seen by
 *                     no LSET or removal of it, SET, DEL, FLUSH; without any it does not show
 *     a TTL write     (SET without KEEPTTL, EXPIRE, PERSIST) counts if it was seen by no TTL write,
 *                     DEL or FLUSH, and by no write that found the key without data or left it so;
 *                     the longest wins
 *     the type        is that of the latest of the writes that show
 */
import { type Amount, addAmounts, clampInt64, isInt64 } from './amount.ts';
import { formatAmount, parseAmount } from './amount-text.ts';
import type { Bytes } from './dot.ts';
import type { ValueType } from './key-state.ts';
import type { HistoryOp, Intent } from './laws-history.ts';
import { streamOf } from './laws-stream-spec.ts';
import { compareIds, idText, type ListId, pushedId } from './list-id.ts';
import { actorId, type Roster } from './roster.ts';
import { covers } from './version-vector.ts';

export type SpecValue = {
  type: ValueType | null;
  string: Bytes | null;
  set: Bytes[];
  hash: Record<Bytes, Bytes>;
  zset: Record<Bytes, number>;
  stream: { entries: string[]; groups: Bytes[]; pending: string[] };
  /** Registers above 0; null: no HyperLogLog. */
  hll: Record<number, number> | null;
  list: Bytes[];
  expiry: number;
  /** Fields that expire, and when. */
  fieldExpiry: Record<Bytes, number>;
};

/** What every client must read where exactly these ops have been applied. */
export function spec(ops: readonly HistoryOp[], roster: Roster): SpecValue {
  const string = stringOf(ops, roster, 'set', 'incr', isStringReset, () => true);
  const set = membersOf(ops);
  const list = listOf(ops, roster);
  const fields = new Map<Bytes, LiveString>();
  for (const name of fieldNames(ops, HASH)) {
    const field = fieldOf(ops, roster, name);
    if (field.live.length > 0) fields.set(name, field);
  }
  const stream = streamOf(ops, roster);
  const hll = hllOf(ops);
  const fieldWrites = [...fields.values()].flatMap((field) => field.live);
  const scores = new Map<Bytes, LiveScore>();
  for (const name of fieldNames(ops, ZSET)) {
    const score = scoreOf(ops, roster, name);
    if (score.live.length > 0) scores.set(name, score);
  }
  const candidates: [ValueType, HistoryOp[]][] = [
    ['string', string.live],
    ['set', set.live],
    ['hash', fieldWrites],
    ['zset', [...scores.values()].flatMap(({ live }) => live)],
    ['stream', stream.live],
    ['string', hll.live],
    ['list', list.live],
  ];
  let type: ValueType | null = null;
  let latest: HistoryOp | null = null;
  for (const [candidate, live] of candidates) {
    const last = lastWriter(live, roster);
    if (last === null || (latest !== null && !wroteLater(last, latest, roster))) continue;
    type = candidate;
    latest = last;
  }
  const values = [...fields].map(([name, field]): [Bytes, Bytes] => [name, field.text]);
  return {
    type,
    string: string.live.length > 0 ? string.text : null,
    set: set.members.sort(),
    hash: Object.fromEntries(values),
    zset: Object.fromEntries([...scores].map(([name, { score }]) => [name, score])),
    stream: { entries: stream.entries, groups: stream.groups, pending: stream.pending },
    hll: hll.live.length > 0 ? hll.registers : null,
    list: list.values,
    expiry: expiryOf(ops),
    fieldExpiry: fieldExpiriesOf(ops, roster),
  };
}

export const saw = (later: HistoryOp, earlier: HistoryOp): boolean =>
  covers(later.saw, earlier.envelope.actor, earlier.envelope.seq);

const clearsAll = ({ kind }: Intent): boolean => kind === 'del' || kind === 'flush';
export const isStringReset = (intent: Intent): boolean =>
  intent.kind === 'set' || clearsAll(intent);

export const survivors = (
  ops: readonly HistoryOp[],
  writes: (intent: Intent) => boolean,
  resets: (intent: Intent) => boolean,
): HistoryOp[] =>
  ops.filter(
    (op) => writes(op.intent) && !ops.some((other) => resets(other.intent) && saw(other, op)),
  );

type LiveString = { text: Bytes; live: HistoryOp[] };

/** A register and counter: the string itself, or one field of the hash. */
function stringOf(
  ops: readonly HistoryOp[],
  roster: Roster,
  setKind: 'set' | 'hset',
  addKind: 'incr' | 'hincr',
  resets: (intent: Intent) => boolean,
  concerns: (intent: Intent) => boolean,
  textOf: (intent: Intent) => Bytes = (intent) => (intent.kind === 'set' ? intent.value : ''),
): LiveString {
  const sets = survivors(ops, (i) => i.kind === setKind && concerns(i), resets);
  const adds = survivors(ops, (i) => i.kind === addKind && concerns(i), resets);
  const last = lastWriter(sets, roster);
  const text = last === null ? '0' : textOf(last.intent);
  const base = parseAmount(text);
  const live = [...sets, ...adds];
  if (base === null || adds.length === 0) return { text, live };
  const parts = [base, ...sumsByActor(adds)];
  const sum = parts.reduce(addAmounts, 0);
  return { text: formatAmount(parts.every(isInt64) ? clampInt64(sum) : sum), live };
}

function fieldOf(ops: readonly HistoryOp[], roster: Roster, field: Bytes): LiveString {
  const concerns = (intent: Intent): boolean => fieldsOf(intent, HASH).includes(field);
  const resets = resetsOf(HASH, field);
  const textOf = (intent: Intent): Bytes =>
    intent.kind === 'hset' ? (new Map(intent.pairs).get(field) as Bytes) : '';
  return stringOf(ops, roster, 'hset', 'hincr', resets, concerns, textOf);
}

type LiveScore = { score: number; live: HistoryOp[] };

/** A member of the sorted set. */
function scoreOf(ops: readonly HistoryOp[], roster: Roster, member: Bytes): LiveScore {
  const resets = resetsOf(ZSET, member);
  const concerns = (intent: Intent): boolean => fieldsOf(intent, ZSET).includes(member);
  const sets = survivors(ops, (i) => i.kind === 'zadd' && concerns(i), resets);
  const adds = survivors(ops, (i) => i.kind === 'zincr' && concerns(i), resets);
  const live = [...sets, ...adds];
  const last = lastWriter(sets, roster)?.intent;
  const base = last?.kind === 'zadd' ? (new Map(last.pairs).get(member) as number) : 0;
  if (adds.length === 0 || !Number.isFinite(base)) return { score: base, live };
  const deltas = adds.map(({ intent }) => (intent.kind === 'zincr' ? intent.delta : 0));
  const sum = [base, ...deltas].map((part) => parseAmount(String(part)) as Amount);
  return { score: Number(formatAmount(sum.reduce(addAmounts))), live };
}

/** The writes to one type of maps of cells: base, increment, removal. */
type MapKinds = { set: 'hset' | 'zadd'; add: 'hincr' | 'zincr'; remove: 'hdel' | 'zrem' };
const HASH: MapKinds = { set: 'hset', add: 'hincr', remove: 'hdel' };
const ZSET: MapKinds = { set: 'zadd', add: 'zincr', remove: 'zrem' };

/** What ends the writes to one field or member that it has seen. */
function resetsOf(kinds: MapKinds, name: Bytes): (intent: Intent) => boolean {
  return (intent) =>
    isStringReset(intent) ||
    ((intent.kind === kinds.set || intent.kind === kinds.remove) &&
      fieldsOf(intent, kinds).includes(name));
}

function fieldsOf(intent: Intent, { set, add, remove }: MapKinds): Bytes[] {
  if ('pairs' in intent && intent.kind === set) return intent.pairs.map(([field]) => field);
  if ('field' in intent && intent.kind === add) return [intent.field];
  return 'fields' in intent && intent.kind === remove ? intent.fields : [];
}

function fieldNames(ops: readonly HistoryOp[], kinds: MapKinds): Set<Bytes> {
  return new Set(ops.flatMap((op) => fieldsOf(op.intent, kinds)));
}

function sumsByActor(adds: readonly HistoryOp[]): Amount[] {
  const sums = new Map<number, Amount>();
  for (const { envelope, intent } of adds) {
    if (intent.kind !== 'incr' && intent.kind !== 'hincr') continue;
    sums.set(envelope.actor, addAmounts(sums.get(envelope.actor) ?? 0, intent.delta));
  }
  return [...sums.values()];
}

function membersOf(ops: readonly HistoryOp[]): { members: Bytes[]; live: HistoryOp[] } {
  const names = new Set(ops.flatMap(({ intent }) => memberNames(intent)));
  const members: Bytes[] = [];
  const live: HistoryOp[] = [];
  for (const name of names) {
    const adds = survivors(
      ops,
      (intent) => intent.kind === 'sadd' && intent.members.includes(name),
      (intent) =>
        isStringReset(intent) || (intent.kind === 'srem' && intent.members.includes(name)),
    );
    if (adds.length > 0) members.push(name);
    live.push(...adds);
  }
  return { members, live };
}

/** Delete wins: an add counts only while what it added to was not removed, whoever saw the add. */
function hllOf(ops: readonly HistoryOp[]): {
  registers: Record<number, number>;
  live: HistoryOp[];
} {
  const creators = survivors(ops, (i) => i.kind === 'pfadd', isStringReset).filter(
    ({ envelope }) => envelope.op.kind === 'hll-add' && envelope.op.instance === null,
  );
  const live = ops.filter(({ envelope: { op, actor, seq } }) => {
    if (op.kind !== 'hll-add') return false;
    const { actor: by, seq: at } = op.instance ?? { actor, seq };
    return creators.some(({ envelope }) => envelope.actor === by && envelope.seq === at);
  });
  const registers: Record<number, number> = {};
  for (const { intent } of live) {
    if (intent.kind !== 'pfadd') continue;
    for (const [index, value] of intent.registers) {
      registers[index] = Math.max(registers[index] ?? 0, value);
    }
  }
  return { registers, live };
}

function fieldExpiriesOf(ops: readonly HistoryOp[], roster: Roster): Record<Bytes, number> {
  const found: Record<Bytes, number> = {};
  for (const name of fieldNames(ops, HASH)) {
    const data = fieldOf(ops, roster, name).live;
    const writes = ops.filter(
      (op) =>
        op.intent.kind === 'hexpire' &&
        op.intent.fields.includes(name) &&
        fieldOf(seenBy(ops, op), roster, name).live.length > 0,
    );
    const live = writes.filter(
      (op) => !writes.some((later) => saw(later, op)) && data.some((write) => saw(op, write)),
    );
    const unseen = data.some(
      (write) => write.intent.kind === 'hset' && !live.some((op) => saw(op, write)),
    );
    const times = live.map(({ intent }) => (intent.kind === 'hexpire' ? intent.expiry : 0));
    const longest = Math.max(0, ...times);
    if (live.length > 0 && !unseen && longest !== Number.POSITIVE_INFINITY) found[name] = longest;
  }
  return found;
}

function memberNames(intent: Intent): Bytes[] {
  return intent.kind === 'sadd' ? intent.members : [];
}

type ElementWrites = { id: ListId; live: { op: HistoryOp; value: Bytes }[] };

/** The elements of all lists that ever were, with the writes that nobody has seen go. */
function listWrites(ops: readonly HistoryOp[]): ElementWrites[] {
  const writes = ops.flatMap((op) => writtenElements(op).map((write) => ({ op, ...write })));
  const elements = new Map<string, ElementWrites>();
  for (const { id, op, value } of writes) {
    const element = elements.get(idText(id)) ?? { id, live: [] };
    elements.set(idText(id), element);
    const gone = ops.some(
      (other) => saw(other, op) && (isStringReset(other.intent) || replaces(other, id)),
    );
    if (!gone) element.live.push({ op, value });
  }
  return [...elements.values()];
}

function writtenElements({ envelope }: HistoryOp): { id: ListId; value: Bytes }[] {
  const { op, seq } = envelope;
  if (op.kind === 'list-write') return [{ id: op.id, value: op.value }];
  if (op.kind !== 'list-push') return [];
  return op.values.map((value, j) => ({ id: pushedId(op.left, op.n, op.tie, seq, j), value }));
}

/** Whether the op is an LSET or a removal of the element. */
function replaces({ envelope: { op } }: HistoryOp, id: ListId): boolean {
  switch (op.kind) {
    case 'list-write':
      return compareIds(op.id, id) === 0;
    case 'list-remove':
      return op.spans.some(({ id: first, count }) => {
        const k = id[id.length - 1] - first[first.length - 1];
        const prefix = first.slice(0, -1);
        return k >= 0 && k < count && compareIds(prefix, id.slice(0, -1)) === 0;
      });
    case 'list-trim':
      return (
        (op.from === null || compareIds(op.from, id) <= 0) &&
        (op.to === null || compareIds(op.to, id) >= 0)
      );
    default:
      return false;
  }
}

function listOf(ops: readonly HistoryOp[], roster: Roster): { values: Bytes[]; live: HistoryOp[] } {
  const shown = listWrites(ops).filter(({ live }) => live.length > 0);
  const ordered = shown.sort((a, b) => compareIds(a.id, b.id));
  const values = ordered.map(({ live }) => {
    const last = lastWriter(
      live.map(({ op }) => op),
      roster,
    );
    return live.find(({ op }) => op === last)?.value as Bytes;
  });
  return { values, live: ordered.flatMap(({ live }) => live.map(({ op }) => op)) };
}

function expiryOf(ops: readonly HistoryOp[]): number {
  const isTtlWrite = ({ intent }: HistoryOp): boolean =>
    (intent.kind === 'set' && intent.expiry !== null) || intent.kind === 'expire';
  const ends = (op: HistoryOp): boolean =>
    isTtlWrite(op) || clearsAll(op.intent) || !hasData(seenBy(ops, op)) || leavesNothing(ops, op);
  const live = ops.filter(
    (op) => isTtlWrite(op) && !ops.some((other) => saw(other, op) && ends(other)),
  );
  if (live.length === 0) return Number.POSITIVE_INFINITY;
  return Math.max(
    ...live.map(({ intent }) =>
      intent.kind === 'set' || intent.kind === 'expire' ? (intent.expiry ?? 0) : 0,
    ),
  );
}

function seenBy(ops: readonly HistoryOp[], op: HistoryOp): HistoryOp[] {
  return ops.filter((other) => saw(op, other));
}

function leavesNothing(ops: readonly HistoryOp[], op: HistoryOp): boolean {
  return !hasData([...seenBy(ops, op), op]);
}

function hasData(ops: readonly HistoryOp[]): boolean {
  const isWrite = ({ kind }: Intent): boolean => kind === 'set' || kind === 'incr';
  if (survivors(ops, isWrite, isStringReset).length > 0) return true;
  if (membersOf(ops).members.length > 0) return true;
  if (streamOf(ops, null).shows) return true;
  if (hllOf(ops).live.length > 0) return true;
  if (listWrites(ops).some(({ live }) => live.length > 0)) return true;
  for (const kinds of [HASH, ZSET]) {
    for (const name of fieldNames(ops, kinds)) {
      const writes = survivors(
        ops,
        (intent) => intent.kind !== kinds.remove && fieldsOf(intent, kinds).includes(name),
        (intent) =>
          isStringReset(intent) ||
          (intent.kind === kinds.remove && fieldsOf(intent, kinds).includes(name)),
      );
      if (writes.length > 0) return true;
    }
  }
  return false;
}

export function lastWriter(ops: readonly HistoryOp[], roster: Roster): HistoryOp | null {
  let last: HistoryOp | null = null;
  for (const op of ops) if (last === null || wroteLater(op, last, roster)) last = op;
  return last;
}

function wroteLater(a: HistoryOp, b: HistoryOp, roster: Roster): boolean {
  if (a.envelope.hlc !== b.envelope.hlc) return a.envelope.hlc > b.envelope.hlc;
  if (a.envelope.actor === b.envelope.actor) return a.envelope.seq > b.envelope.seq;
  return actorId(roster, a.envelope.actor) < actorId(roster, b.envelope.actor);
}
