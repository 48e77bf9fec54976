/** What the laws do with streams: intents of clients as ops, what clients see, the canonical form. */
import type { Bytes, Dot } from './dot.ts';
import type { Intent, Replica } from './laws-history.ts';
import type { SpecValue } from './laws-spec.ts';
import type { Op } from './op.ts';
import {
  prepareEmptyStream,
  prepareStreamAdd,
  prepareStreamGroup,
  prepareStreamRemove,
  prepareStreamTrim,
  prepareStreamUngroup,
} from './prepare-stream.ts';
import { actorRegion, type Roster } from './roster.ts';
import { lastGiven, newStream, type StreamState, streamShows } from './stream.ts';
import { byOrigin, claimOf, emptyDeliver, nextEntries, ownDots } from './stream-cursor.ts';
import { allEntries, lastId } from './stream-entries.ts';
import { claimsOf, type Group, shows } from './stream-group.ts';
import { idNumber, idText, STREAM_ID_MIN, streamId } from './stream-id.ts';

const KEY = 'k';

export function prepareStream(replica: Replica, intent: Intent, roster: Roster): Op | null {
  const { state, actor, vector } = replica;
  const stream = state?.stream ?? newStream();
  switch (intent.kind) {
    case 'xadd': {
      // Ids of different regions meet: each takes the next one after what it has seen.
      const id = streamId(idNumber(lastGiven(stream), 0) + 1, 0);
      return prepareStreamAdd(state, KEY, id, ['f', intent.value], actor);
    }
    case 'xdel': {
      const held = allEntries(stream.entries);
      const entry = held[intent.at % Math.max(held.length, 1)];
      return entry === undefined ? null : prepareStreamRemove(stream, KEY, [entry.id]);
    }
    case 'xtrim': {
      const entry = allEntries(stream.entries).at(-1 - intent.keep);
      return entry === undefined ? null : prepareStreamTrim(stream, KEY, entry.id, vector);
    }
    case 'xgroup': {
      const held = stream.groups.get(intent.group);
      if (held !== undefined && shows(held)) return null;
      if (!streamShows(stream)) return prepareEmptyStream(state, KEY);
      const last = intent.end ? (lastId(stream.entries) ?? STREAM_ID_MIN) : STREAM_ID_MIN;
      return prepareStreamGroup(stream, KEY, intent.group, last, -1, vector);
    }
    default:
      return prepareOfGroup(replica, stream, intent, roster);
  }
}

function prepareOfGroup(
  replica: Replica,
  stream: StreamState,
  intent: Intent,
  roster: Roster,
): Op | null {
  if (intent.kind !== 'xdestroy' && intent.kind !== 'xread' && intent.kind !== 'xack') return null;
  const group = stream.groups.get(intent.group);
  if (group === undefined || !shows(group)) return null;
  if (intent.kind === 'xdestroy') {
    return prepareStreamUngroup(replica.state!, KEY, intent.group, replica.vector);
  }
  const view = { roster, region: actorRegion(roster, replica.actor) };
  const deliver = emptyDeliver(KEY, intent.group);
  if (intent.kind === 'xack') {
    const mine = group.pending.filter(({ id }) => claimOf(group, id, view) !== null);
    const one = mine[intent.at % Math.max(mine.length, 1)];
    if (one === undefined) return null;
    return { ...deliver, acks: [{ id: one.id, drops: ownDots(one.claims, view) }] };
  }
  const { found, position } = nextEntries(stream.entries, group, view, intent.count);
  if (found.length === 0) return null;
  const ids = [...new Set(found.map(({ id }) => id))];
  return {
    ...deliver,
    cursor: { ...position, read: -1, drops: ownDots(group.cursors, view) },
    owner: 'c',
    claims: ids.map((id) => ({ id, count: 1, drops: ownDots(claimsOf(group, id), view) })),
  };
}

/** What clients see of a stream. Pending entries are told for every region. */
export function readStream(stream: StreamState | null, roster: Roster): SpecValue['stream'] {
  if (stream === null) return { entries: [], groups: [], pending: [] };
  const groups = [...stream.groups].filter(([, group]) => shows(group));
  const pending = groups.flatMap(([name, group]) => pendingOf(name, group, roster));
  const entries = byOrigin(allEntries(stream.entries), roster).map(
    ({ id, fields }) => `${idText(id)} ${fields.join(' ')}`,
  );
  return { entries, groups: groups.map(([name]) => name).sort(), pending: pending.sort() };
}

function pendingOf(name: Bytes, group: Group, roster: Roster): string[] {
  return group.pending.flatMap(({ id }) =>
    [1, 2]
      .filter((region) => claimOf(group, id, { roster, region }) !== null)
      .map((region) => `${name} ${idText(id)} ${region}`),
  );
}

export function canonicalStream(stream: StreamState): unknown {
  const dots = (items: readonly Dot[]) => [...items].sort((a, b) => a.actor - b.actor);
  const sorted = <T>(map: Map<Bytes, T>) => [...map].sort(([a], [b]) => (a < b ? -1 : 1));
  const group = ({ made, gone, cursors, consumers, pending }: Group) => [
    dots(made),
    dots(gone),
    dots(cursors),
    sorted(consumers).map(([name, held]) => [name, dots(held)]),
    pending.map(({ id, claims }) => [id, dots(claims)]),
  ];
  return {
    entries: allEntries(stream.entries),
    marks: dots(stream.marks),
    groups: sorted(stream.groups).map(([name, held]) => [name, group(held)]),
  };
}
