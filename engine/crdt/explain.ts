/**
 * What `CRDT.EXPLAIN key` tells: which writes make up the value, and which lost a conflict and are
 * still kept. A plain object, so that it can be shown as JSON or as a RESP map.
 */
import { addAmounts } from './amount.ts';
import { formatAmount } from './amount-text.ts';
import { type Cell, cellAmount, cellText, lastSibling, liveAmount } from './cell.ts';
import type { Bytes, StampedDot } from './dot.ts';
import { fieldTtlWinner } from './field-ttl.ts';
import { msOfHlc } from './hlc.ts';
import type { HllInstance } from './hyperloglog.ts';
import { isDead, type KeyState, type ValueType, visiblePart } from './key-state.ts';
import { idText as listIdText } from './list-id.ts';
import { elementsOf } from './list-part.ts';
import { PART_NAMES, type PartName, type PartStates, partNamed } from './part.ts';
import { countRegisters } from './registers.ts';
import { actorId, actorRegion, actorText, type Roster } from './roster.ts';
import { cellScore, decodeScore } from './score.ts';
import type { StreamState } from './stream.ts';
import { byOrigin as inOrder } from './stream-cursor.ts';
import { allEntries } from './stream-entries.ts';
import { shows } from './stream-group.ts';
import { idText } from './stream-id.ts';
import { ttlExpiry } from './ttl.ts';

/** Of a stream so many of its last entries are told. */
const EXPLAINED_ENTRIES_MAX = 100;

/** One write: who made it, its dot and the wall-clock part of its stamp. */
export type WriteExplanation = {
  readonly region: number;
  readonly actor: string;
  readonly seq: number;
  readonly atMs: number;
};

export type CellExplanation = {
  readonly value: Bytes;
  /** The write that gives the base; null when increments began from nothing. */
  readonly base: WriteExplanation | null;
  /** Concurrent values that lost to the base. */
  readonly losingSiblings: readonly (WriteExplanation & { readonly value: Bytes })[];
  readonly increments: readonly (WriteExplanation & { readonly amount: string })[];
  /** The sum of increments that do not count because the base is a text; null when all count. */
  readonly lostIncrements: string | null;
};

export type TypeExplanation =
  | { readonly type: 'string'; readonly cell: CellExplanation }
  | { readonly type: 'set'; readonly members: readonly SetMemberExplanation[] }
  | { readonly type: 'hash'; readonly fields: readonly HashFieldExplanation[] }
  | { readonly type: 'zset'; readonly members: readonly ZsetMemberExplanation[] }
  | { readonly type: 'list'; readonly elements: readonly ListElementExplanation[] }
  | { readonly type: 'hyperloglog'; readonly instances: readonly HllExplanation[] }
  | StreamExplanation;

export type StreamExplanation = {
  readonly type: 'stream';
  /** The last ones, in order. */
  readonly entries: readonly (WriteExplanation & { readonly id: string })[];
  /** How many there are in all. */
  readonly count: number;
  readonly groups: readonly StreamGroupExplanation[];
};

export type StreamGroupExplanation = {
  readonly group: Bytes;
  /** False: a DESTROY that its CREATE had not seen has ended it. */
  readonly shows: boolean;
  readonly creates: readonly WriteExplanation[];
  readonly destroys: readonly WriteExplanation[];
  /** How far each region is. */
  readonly cursors: readonly (WriteExplanation & { readonly last: string })[];
  readonly pending: number;
};

/** One of the instances whose union clients see. */
export type HllExplanation = {
  readonly created: WriteExplanation;
  /** The last add of each writer. */
  readonly adds: readonly WriteExplanation[];
  readonly registersSet: number;
};

export type SetMemberExplanation = {
  readonly member: Bytes;
  readonly adds: readonly WriteExplanation[];
};

export type HashFieldExplanation = {
  readonly field: Bytes;
  readonly cell: CellExplanation;
  /** ms since the Unix epoch; not there: the field does not expire. */
  readonly expiresAtMs?: number;
};
export type ZsetMemberExplanation = { readonly member: Bytes; readonly cell: CellExplanation };

export type ListElementExplanation = {
  /** Its place: `n.tie.r.k` of each component. */
  readonly id: string;
  readonly cell: CellExplanation;
};

export type KeyExplanation = {
  /** 'none': the key holds nothing but TTL writes. */
  readonly type: ValueType | 'none';
  readonly visible: TypeExplanation | null;
  /** States of other types that lost to the visible one. */
  readonly hidden: readonly TypeExplanation[];
  /** All losing siblings, lost increments and hidden states. */
  readonly conflicts: number;
  /** ms since the Unix epoch; null: no TTL. */
  readonly expiresAtMs: number | null;
  readonly ttlWrites: readonly (WriteExplanation & { readonly expiresAtMs: number | null })[];
};

/** Everything known of the key; null when there is no state. O(its size). */
export function explainKey(state: KeyState | null, roster: Roster): KeyExplanation | null {
  if (state === null) return null;
  const shown = visiblePart(state, roster);
  const hidden = PART_NAMES.filter((name) => name !== shown && state[name] !== null).map((name) =>
    explainPart(state, name, roster),
  );
  const visible = shown === null ? null : explainPart(state, shown, roster);
  return {
    type: shown === null ? 'none' : partNamed(shown).type,
    visible,
    hidden,
    conflicts: hidden.length + (visible === null ? 0 : countConflicts(visible)),
    expiresAtMs: isDead(state) ? null : finiteOrNull(ttlExpiry(state.ttl)),
    ttlWrites: byOrigin(state.ttl, roster).map((write) => ({
      ...explainWrite(write, roster),
      expiresAtMs: finiteOrNull(write.expiry),
    })),
  };
}

function explainPart(state: KeyState, name: PartName, roster: Roster): TypeExplanation {
  const explain = EXPLAINERS[name] as (part: unknown, roster: Roster) => TypeExplanation;
  const explained = explain(state[name], roster);
  const { fieldTtl, hash } = state;
  if (explained.type !== 'hash' || fieldTtl === null) return explained;
  const fields = explained.fields.map((one) => {
    const winner = fieldTtlWinner(fieldTtl, hash, one.field, roster);
    return winner === null ? one : { ...one, expiresAtMs: winner.expiry };
  });
  return { type: 'hash', fields };
}

const EXPLAINERS: {
  readonly [N in PartName]: (part: PartStates[N], roster: Roster) => TypeExplanation;
} = {
  cell: (cell, roster) => ({ type: 'string', cell: explainCell(cell, roster) }),
  set(set, roster) {
    const members = [...set].map(([member, dots]) => ({
      member,
      adds: byOrigin(dots, roster).map((dot) => explainWrite(dot, roster)),
    }));
    return { type: 'set', members: members.sort((a, b) => (a.member < b.member ? -1 : 1)) };
  },
  hash(hash, roster) {
    const fields = [...hash].map(([field, cell]) => ({ field, cell: explainCell(cell, roster) }));
    return { type: 'hash', fields: fields.sort((a, b) => (a.field < b.field ? -1 : 1)) };
  },
  zset(zset, roster) {
    const members = [...zset].map(([member, cell]) => ({
      member,
      cell: explainScore(cell, roster),
    }));
    return { type: 'zset', members: members.sort((a, b) => (a.member < b.member ? -1 : 1)) };
  },
  stream: explainStream,
  hll: (hll, roster) => ({
    type: 'hyperloglog',
    instances: byOrigin(hll.instances, roster).map((one) => explainInstance(one, roster)),
  }),
  list(list, roster) {
    const elements = elementsOf(list).map(({ id, siblings }) => ({
      id: listIdText(id),
      cell: explainCell({ siblings: [...siblings], contributions: [] }, roster),
    }));
    return { type: 'list', elements };
  },
};

function explainStream(stream: StreamState, roster: Roster): StreamExplanation {
  const { count } = stream.entries;
  const entries = inOrder(allEntries(stream.entries).slice(-EXPLAINED_ENTRIES_MAX), roster);
  const writes = (items: readonly StampedDot[]): WriteExplanation[] =>
    byOrigin(items, roster).map((item) => explainWrite(item, roster));
  const groups = [...stream.groups].map(([group, held]) => ({
    group,
    shows: shows(held),
    creates: writes(held.made),
    destroys: writes(held.gone),
    cursors: byOrigin(held.cursors, roster).map((cursor) => ({
      ...explainWrite(cursor, roster),
      last: idText(cursor.last),
    })),
    pending: held.pending.length,
  }));
  return {
    type: 'stream',
    entries: entries.map((entry) => ({ ...explainWrite(entry, roster), id: idText(entry.id) })),
    count,
    groups: groups.sort((a, b) => (a.group < b.group ? -1 : 1)),
  };
}

function explainInstance(instance: HllInstance, roster: Roster): HllExplanation {
  return {
    created: explainWrite(instance, roster),
    adds: byOrigin(instance.writers, roster).map((writer) => explainWrite(writer, roster)),
    registersSet: countRegisters(instance.registers),
  };
}

function explainCell(cell: Cell, roster: Roster): CellExplanation {
  const base = lastSibling(cell, roster);
  const losers = cell.siblings.filter((sibling) => sibling !== base);
  const counts = cellAmount(cell, roster) !== null;
  const sum = cell.contributions.map(liveAmount).reduce(addAmounts, 0);
  return {
    value: cellText(cell, roster) ?? '',
    base: base === null ? null : explainWrite(base, roster),
    losingSiblings: byOrigin(losers, roster).map((sibling) => ({
      ...explainWrite(sibling, roster),
      value: sibling.value,
    })),
    increments: explainIncrements(cell, roster),
    lostIncrements: counts || cell.contributions.length === 0 ? null : formatAmount(sum),
  };
}

function explainIncrements(cell: Cell, roster: Roster): CellExplanation['increments'] {
  return byOrigin(cell.contributions, roster).map((contribution) => ({
    ...explainWrite(contribution, roster),
    amount: formatAmount(liveAmount(contribution)),
  }));
}

/** The score in the place of its bytes. */
function explainScore(cell: Cell, roster: Roster): CellExplanation {
  const explained = explainCell({ siblings: cell.siblings, contributions: [] }, roster);
  return {
    ...explained,
    value: scoreText(cellScore(cell, roster)),
    losingSiblings: explained.losingSiblings.map((sibling) => ({
      ...sibling,
      value: scoreText(decodeScore(sibling.value)),
    })),
    increments: explainIncrements(cell, roster),
  };
}

function scoreText(score: number): Bytes {
  if (Object.is(score, -0)) return '-0';
  return Number.isFinite(score) ? String(score) : score > 0 ? 'inf' : '-inf';
}

function countConflicts(part: TypeExplanation): number {
  const { type } = part;
  if (type === 'set' || type === 'hyperloglog' || type === 'stream') return 0;
  let conflicts = 0;
  for (const cell of cellsOf(part)) {
    conflicts += cell.losingSiblings.length;
    if (cell.lostIncrements !== null) conflicts += cell.increments.length;
  }
  return conflicts;
}

function cellsOf(
  part: Exclude<TypeExplanation, { type: 'set' | 'hyperloglog' | 'stream' }>,
): CellExplanation[] {
  switch (part.type) {
    case 'string':
      return [part.cell];
    case 'hash':
      return part.fields.map(({ cell }) => cell);
    case 'zset':
      return part.members.map(({ cell }) => cell);
    default:
      return part.elements.map(({ cell }) => cell);
  }
}

function explainWrite(stamp: StampedDot, roster: Roster): WriteExplanation {
  return {
    region: actorRegion(roster, stamp.actor),
    actor: actorText(actorId(roster, stamp.actor)),
    seq: stamp.seq,
    atMs: msOfHlc(stamp.hlc),
  };
}

/** By actor id and seq: the same order at every member. */
function byOrigin<T extends StampedDot>(items: readonly T[], roster: Roster): T[] {
  const id = (item: T): Bytes => actorId(roster, item.actor);
  return [...items].sort((a, b) => (id(a) === id(b) ? a.seq - b.seq : id(a) < id(b) ? -1 : 1));
}

function finiteOrNull(expiry: number): number | null {
  return expiry === Number.POSITIVE_INFINITY ? null : expiry;
}
