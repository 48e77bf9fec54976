/** The specification of a stream as a function of the visible ops: see laws-spec.ts. */
import type { Bytes } from './dot.ts';
import type { HistoryOp, Intent } from './laws-history.ts';
import { isStringReset, saw, survivors } from './laws-spec.ts';
import { actorId, actorRegion, type Roster } from './roster.ts';
import { idText } from './stream-id.ts';

export type SpecStream = {
  /** Ids and fields, in order. */
  entries: string[];
  groups: Bytes[];
  /** `group id region` of what is delivered there and not acknowledged. */
  pending: string[];
  live: HistoryOp[];
  shows: boolean;
};

/** `roster` null: only `shows` and `live` are wanted. */
export function streamOf(ops: readonly HistoryOp[], roster: Roster | null): SpecStream {
  const added = survivors(ops, ({ kind }) => kind === 'xadd', isStringReset);
  const entries = added.filter(
    (add) => !ops.some((other) => saw(other, add) && removes(other, idOf(add))),
  );
  const marks = survivors(ops, (intent) => isMark(intent), isStringReset).filter(
    ({ envelope }) => envelope.op.kind === 'stream-add' || envelope.op.kind === 'stream-mark',
  );
  const live = [...entries, ...marks];
  const groups: Bytes[] = [];
  const pending: string[] = [];
  for (const name of new Set(ops.flatMap(({ intent }) => groupOf(intent)))) {
    const group = groupState(ops, name, roster);
    live.push(...group.live);
    if (!group.shows) continue;
    groups.push(name);
    pending.push(...group.pending);
  }
  return {
    entries: roster === null ? [] : inOrder(entries, roster),
    groups: groups.sort(),
    pending: pending.sort(),
    live: entries.length + marks.length + groups.length > 0 ? live : [],
    shows: entries.length + marks.length + groups.length > 0,
  };
}

/** What a group leaves, and what of it clients see. */
function groupState(
  ops: readonly HistoryOp[],
  name: Bytes,
  roster: Roster | null,
): { live: HistoryOp[]; shows: boolean; pending: string[] } {
  const of = ops.filter(({ intent }) => groupOf(intent).includes(name));
  const ended = (op: HistoryOp): boolean =>
    ops.some((other) => saw(other, op) && isStringReset(other.intent));
  const kindIs = (kind: string) => (op: HistoryOp) => op.envelope.op.kind === kind;
  const destroys = of.filter(kindIs('stream-ungroup')).filter((op) => !ended(op));
  // A later CREATE or DESTROY of the name has cleared what it saw of the group before.
  const cleared = (op: HistoryOp): boolean =>
    of.some(
      (other) =>
        saw(other, op) && (kindIs('stream-group')(other) || kindIs('stream-ungroup')(other)),
    );
  const creates = of.filter(kindIs('stream-group')).filter((op) => !ended(op) && !cleared(op));
  const shown = creates.some((create) => destroys.every((destroy) => saw(create, destroy)));
  const delivers = of.filter(kindIs('stream-deliver')).filter((op) => !ended(op) && !cleared(op));
  const pending: string[] = [];
  const claims: HistoryOp[] = [];
  for (const op of delivers) {
    for (const id of claimed(op)) {
      const region = (one: HistoryOp): number =>
        roster === null ? 0 : actorRegion(roster, one.envelope.actor);
      const replaced = of.some(
        (other) =>
          saw(other, op) &&
          (roster === null || region(other) === region(op)) &&
          [...claimed(other), ...acked(other)].includes(id),
      );
      if (replaced) continue;
      claims.push(op);
      pending.push(`${name} ${idText(id)} ${region(op)}`);
    }
  }
  // A cursor is replaced by the region's next one.
  const cursors = delivers.filter(
    (op) =>
      claimed(op).length > 0 &&
      !of.some(
        (other) =>
          saw(other, op) &&
          claimed(other).length > 0 &&
          (roster === null ||
            actorRegion(roster, other.envelope.actor) === actorRegion(roster, op.envelope.actor)),
      ),
  );
  const live = [...destroysThatStay(destroys), ...creates, ...claims, ...cursors];
  return { live, shows: shown, pending: [...new Set(pending)] };
}

/** Of each actor the last DESTROY is kept. */
function destroysThatStay(destroys: readonly HistoryOp[]): HistoryOp[] {
  return destroys.filter(
    (op) =>
      !destroys.some(
        ({ envelope }) => envelope.actor === op.envelope.actor && envelope.seq > op.envelope.seq,
      ),
  );
}

const isMark = ({ kind }: Intent): boolean => kind === 'xadd' || kind === 'xgroup';

function groupOf(intent: Intent): Bytes[] {
  return 'group' in intent ? [intent.group] : [];
}

function idOf({ envelope: { op } }: HistoryOp): Bytes {
  return op.kind === 'stream-add' ? op.id : '';
}

function claimed({ envelope: { op } }: HistoryOp): Bytes[] {
  return op.kind === 'stream-deliver' ? op.claims.map(({ id }) => id) : [];
}

function acked({ envelope: { op } }: HistoryOp): Bytes[] {
  return op.kind === 'stream-deliver' ? op.acks.map(({ id }) => id) : [];
}

/** Whether an XDEL names the id, or an XTRIM comes that far. */
function removes({ envelope: { op } }: HistoryOp, id: Bytes): boolean {
  if (op.kind !== 'stream-remove') return false;
  return op.entries.some((one) => one.id === id) || (op.range !== null && id <= op.range.to);
}

function inOrder(entries: readonly HistoryOp[], roster: Roster): string[] {
  const sorted = [...entries].sort((a, b) => {
    if (idOf(a) !== idOf(b)) return idOf(a) < idOf(b) ? -1 : 1;
    return actorId(roster, a.envelope.actor) < actorId(roster, b.envelope.actor) ? -1 : 1;
  });
  return sorted.map((op) => {
    const { op: add } = op.envelope;
    return `${idText(idOf(op))} ${add.kind === 'stream-add' ? add.fields.join(' ') : ''}`;
  });
}
