/** XINFO: streams, groups and consumers in figures. */
import { lagOf } from '../core/stream-count.ts';
import type { StreamState } from '../crdt/stream.ts';
import type { StreamEntry } from '../crdt/stream-block.ts';
import { firstId } from '../crdt/stream-entries.ts';
import type { Group } from '../crdt/stream-group.ts';
import { idText, STREAM_ID_MAX, STREAM_ID_MIN } from '../crdt/stream-id.ts';
import type { Args } from '../resp/args.ts';
import { commandError } from './errors.ts';
import { writeHelp } from './help.ts';
import { readInteger } from './numbers.ts';
import { any, anyMap, arrayOf } from './reply-shape.ts';
import type { ClientSession } from './session.ts';
import { streamCounters, writeEntries, writeEntry } from './stream.ts';
import type { Command } from './table.ts';

const KEY_AT_2 = { first: 2, last: 2, step: 1 };
const FULL_COUNT_DEFAULT = 10;

const xinfo: Command = {
  name: 'XINFO',
  arity: -2,
  group: 'stream',
  flags: [],
  keys: null,
  since: '5.0.0',
  summary: 'Figures of streams, groups and consumers.',
  complexity: 'Depends on the subcommand',
  reply: any,
  subcommands: [
    {
      name: 'XINFO|STREAM',
      arity: -3,
      group: 'stream',
      flags: ['readonly'],
      keys: KEY_AT_2,
      since: '5.0.0',
      summary: 'Tells about a stream.',
      complexity: 'O(1); with FULL O(N) for N entries told',
      reply: anyMap,
      run: stream,
    },
    {
      name: 'XINFO|GROUPS',
      arity: 3,
      group: 'stream',
      flags: ['readonly'],
      keys: KEY_AT_2,
      since: '5.0.0',
      summary: 'Tells about the groups of a stream.',
      complexity: 'O(N) for N pending entries',
      reply: arrayOf(anyMap),
      run: groups,
    },
    {
      name: 'XINFO|CONSUMERS',
      arity: 4,
      group: 'stream',
      flags: ['readonly'],
      keys: KEY_AT_2,
      since: '5.0.0',
      summary: 'Tells about the consumers of a group.',
      complexity: 'O(N) for N pending entries',
      reply: arrayOf(anyMap),
      run: consumers,
    },
    {
      name: 'XINFO|HELP',
      arity: 2,
      group: 'stream',
      flags: ['loading', 'stale'],
      keys: null,
      since: '5.0.0',
      summary: 'Lists the subcommands.',
      complexity: 'O(1)',
      reply: arrayOf(any),
      run: (session) => writeHelp(session, 'XINFO'),
    },
  ],
};

export const streamInfoCommands: readonly Command[] = [xinfo];

function streamAt({ server }: ClientSession, args: Args): StreamState {
  const found = server.db.streams.see(args.text(2));
  if (found === null) throw commandError('noSuchKey');
  return found;
}

function stream(session: ClientSession, args: Args): void {
  const { output, server } = session;
  let count = -1;
  if (args.count > 3) {
    if (!args.equalsIgnoreCase(3, 'FULL') || args.count === 5 || args.count > 6) {
      throw commandError('subcommandSyntax', args.text(1), 'XINFO');
    }
    count = FULL_COUNT_DEFAULT;
    if (args.count === 6) {
      if (!args.equalsIgnoreCase(4, 'COUNT')) {
        throw commandError('subcommandSyntax', args.text(1), 'XINFO');
      }
      const given = readInteger(args, 5);
      count = given < 0 ? FULL_COUNT_DEFAULT : given;
    }
  }
  const found = streamAt(session, args);
  const { streams } = server.db;
  const isFull = count >= 0;
  output.map(isFull ? 9 : 10);
  output.bulk('length');
  output.integer(found.entries.count);
  output.bulk('radix-tree-keys');
  output.integer(found.entries.blocks.length);
  output.bulk('radix-tree-nodes');
  // A radix tree has a node more than keys, at least.
  output.integer(found.entries.blocks.length + 1);
  const { last, deleted, added } = streamCounters(found);
  output.bulk('last-generated-id');
  output.bulk(last);
  output.bulk('max-deleted-entry-id');
  output.bulk(deleted);
  output.bulk('entries-added');
  output.integer(added);
  output.bulk('recorded-first-entry-id');
  output.bulk(idText(firstId(found.entries) ?? STREAM_ID_MIN));
  if (isFull) {
    output.bulk('entries');
    writeEntries(output, streams.range(found, STREAM_ID_MIN, STREAM_ID_MAX, count, false));
    output.bulk('groups');
    writeGroupsFull(session, found, count);
    return;
  }
  output.bulk('groups');
  output.integer(streams.groups.list(found).length);
  for (const [name, back] of [
    ['first-entry', false],
    ['last-entry', true],
  ] as const) {
    const [entry] = streams.range(found, STREAM_ID_MIN, STREAM_ID_MAX, 1, back);
    output.bulk(name);
    writeOptionalEntry(session, entry);
  }
}

function writeOptionalEntry({ output }: ClientSession, entry: StreamEntry | undefined): void {
  if (entry === undefined) output.nullBulk();
  else writeEntry(output, entry);
}

function writeGroupsFull(session: ClientSession, found: StreamState, count: number): void {
  const { output, server } = session;
  const { groups: groupsOf } = server.db.streams;
  const list = groupsOf.list(found);
  const most = count === 0 ? Number.POSITIVE_INFINITY : count;
  output.array(list.length);
  for (const [name, group] of list) {
    output.map(7);
    output.bulk('name');
    output.bulk(name);
    writePosition(session, found, group);
    const total = sum(groupsOf.pendingCounts(group).values());
    output.bulk('pel-count');
    output.integer(total);
    output.bulk('pending');
    const pending = groupsOf.pending(group, '', null, most);
    output.array(pending.length);
    for (const { id, claim } of pending) {
      output.array(4);
      output.bulk(idText(id));
      output.bulk(claim.consumer);
      output.integer(claim.atMs);
      output.integer(claim.count);
    }
    output.bulk('consumers');
    writeConsumersFull(session, group, most);
  }
}

function writeConsumersFull(session: ClientSession, group: Group, most: number): void {
  const { output, server } = session;
  const { groups: groupsOf } = server.db.streams;
  const names = groupsOf.consumers(group);
  const counts = groupsOf.pendingCounts(group);
  output.array(names.length);
  for (const name of names) {
    const { seenMs, activeMs } = groupsOf.activity(group, name);
    output.map(5);
    output.bulk('name');
    output.bulk(name);
    output.bulk('seen-time');
    output.integer(seenMs);
    output.bulk('active-time');
    output.integer(activeMs);
    output.bulk('pel-count');
    output.integer(counts.get(name) ?? 0);
    output.bulk('pending');
    const pending = groupsOf.pending(group, '', name, most);
    output.array(pending.length);
    for (const { id, claim } of pending) {
      output.array(3);
      output.bulk(idText(id));
      output.integer(claim.atMs);
      output.integer(claim.count);
    }
  }
}

/** last-delivered-id, entries-read and lag. */
function writePosition({ output, server }: ClientSession, found: StreamState, group: Group): void {
  const { last, read } = server.db.streams.groups.position(group);
  output.bulk('last-delivered-id');
  output.bulk(idText(last));
  output.bulk('entries-read');
  if (read < 0) output.nullBulk();
  else output.integer(read);
  output.bulk('lag');
  const lag = lagOf(found, read, last);
  if (lag === null) output.nullBulk();
  else output.integer(lag);
}

function groups(session: ClientSession, args: Args): void {
  const { output, server } = session;
  const { groups: groupsOf } = server.db.streams;
  const found = streamAt(session, args);
  const list = groupsOf.list(found);
  output.array(list.length);
  for (const [name, group] of list) {
    output.map(6);
    output.bulk('name');
    output.bulk(name);
    output.bulk('consumers');
    output.integer(groupsOf.consumers(group).length);
    output.bulk('pending');
    output.integer(sum(groupsOf.pendingCounts(group).values()));
    writePosition(session, found, group);
  }
}

function consumers(session: ClientSession, args: Args): void {
  const { output, server } = session;
  const { groups: groupsOf } = server.db.streams;
  const group = groupsOf.find(streamAt(session, args), args.text(3));
  if (group === null) throw commandError('noSuchGroup', args.text(3), args.text(2));
  const names = groupsOf.consumers(group);
  const counts = groupsOf.pendingCounts(group);
  output.array(names.length);
  for (const name of names) {
    const { seenMs, activeMs } = groupsOf.activity(group, name);
    output.map(4);
    output.bulk('name');
    output.bulk(name);
    output.bulk('pending');
    output.integer(counts.get(name) ?? 0);
    output.bulk('idle');
    output.integer(Math.max(0, server.db.nowMs - seenMs));
    output.bulk('inactive');
    output.integer(activeMs < 0 ? -1 : Math.max(0, server.db.nowMs - activeMs));
  }
}

function sum(numbers: Iterable<number>): number {
  let total = 0;
  for (const number of numbers) total += number;
  return total;
}
