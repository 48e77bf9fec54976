/**
 * What `CRDT.EXPLAIN key` tells: which writes make up the value, and which lost a conflict and are
 * still kept. A plain object, so that it can be shown as JSON or as a RESP map.
 */
import { addAmounts } from './amount.ts';
import { formatAmount } from './amount-text.ts';
import { type Cell, cellAmount, cellText, lastSibling, liveAmount } from './cell.ts';
import type { Bytes, StampedDot } from './dot.ts';
import { msOfHlc } from './hlc.ts';
import { isDead, type KeyState, type ValueType, visibleType } from './key-state.ts';
import { actorId, actorRegion, actorText, type Roster } from './roster.ts';
import { ttlExpiry } from './ttl.ts';

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
  | { readonly type: 'hash'; readonly fields: readonly HashFieldExplanation[] };

export type SetMemberExplanation = {
  readonly member: Bytes;
  readonly adds: readonly WriteExplanation[];
};

export type HashFieldExplanation = { readonly field: Bytes; readonly cell: CellExplanation };

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

const TYPES: readonly ValueType[] = ['string', 'set', 'hash'];

/** Everything known of the key; null when there is no state. O(its size). */
export function explainKey(state: KeyState | null, roster: Roster): KeyExplanation | null {
  if (state === null) return null;
  const type = visibleType(state, roster);
  const parts = TYPES.filter((candidate) => holds(state, candidate));
  const hidden = parts
    .filter((candidate) => candidate !== type)
    .map((candidate) => explainType(state, candidate, roster));
  const visible = type === null ? null : explainType(state, type, roster);
  return {
    type: type ?? 'none',
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

function holds(state: KeyState, type: ValueType): boolean {
  if (type === 'string') return state.cell !== null;
  return type === 'set' ? state.set !== null : state.hash !== null;
}

function explainType(state: KeyState, type: ValueType, roster: Roster): TypeExplanation {
  if (type === 'string') return { type, cell: explainCell(state.cell as Cell, roster) };
  if (type === 'set') {
    const members = [...(state.set ?? [])].map(([member, dots]) => ({
      member,
      adds: byOrigin(dots, roster).map((dot) => explainWrite(dot, roster)),
    }));
    return { type, members: members.sort((a, b) => (a.member < b.member ? -1 : 1)) };
  }
  const fields = [...(state.hash ?? [])].map(([field, cell]) => ({
    field,
    cell: explainCell(cell, roster),
  }));
  return { type, fields: fields.sort((a, b) => (a.field < b.field ? -1 : 1)) };
}

function explainCell(cell: Cell, roster: Roster): CellExplanation {
  const base = lastSibling(cell, roster);
  const losers = cell.siblings.filter((sibling) => sibling !== base);
  const counts = cellAmount(cell, roster) !== null;
  const increments = byOrigin(cell.contributions, roster);
  const sum = increments.map(liveAmount).reduce(addAmounts, 0);
  return {
    value: cellText(cell, roster) ?? '',
    base: base === null ? null : explainWrite(base, roster),
    losingSiblings: byOrigin(losers, roster).map((sibling) => ({
      ...explainWrite(sibling, roster),
      value: sibling.value,
    })),
    increments: increments.map((contribution) => ({
      ...explainWrite(contribution, roster),
      amount: formatAmount(liveAmount(contribution)),
    })),
    lostIncrements: counts || increments.length === 0 ? null : formatAmount(sum),
  };
}

function countConflicts(part: TypeExplanation): number {
  if (part.type === 'set') return 0;
  const cells = part.type === 'string' ? [part.cell] : part.fields.map(({ cell }) => cell);
  let conflicts = 0;
  for (const cell of cells) {
    conflicts += cell.losingSiblings.length;
    if (cell.lostIncrements !== null) conflicts += cell.increments.length;
  }
  return conflicts;
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
