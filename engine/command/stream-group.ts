/** XGROUP, XACK and XPENDING: consumer groups, and what they have delivered and not heard of again. */
import { lastGiven, type StreamState } from '../crdt/stream.ts';
import type { Group } from '../crdt/stream-group.ts';
import { idText, STREAM_ID_MIN } from '../crdt/stream-id.ts';
import type { Args } from '../resp/args.ts';
import { commandError } from './errors.ts';
import { writeHelp } from './help.ts';
import { readInteger } from './numbers.ts';
import { any, arrayOf, count, flag, ok } from './reply-shape.ts';
import type { ClientSession } from './session.ts';
import {
  readLooseId,
  readRangeEnd,
  readRangeStart,
  readStreamId,
  readStreamIds,
} from './stream-arguments.ts';
import type { Command } from './table.ts';

const KEY_AT_2 = { first: 2, last: 2, step: 1 };
const LOCAL = 'Pending entries and consumers are those of the region; they survive its failovers.';

const xgroup: Command = {
  name: 'XGROUP',
  arity: -2,
  group: 'stream',
  flags: [],
  keys: null,
  since: '5.0.0',
  summary: 'Commands on consumer groups.',
  complexity: 'Depends on the subcommand',
  reply: any,
  subcommands: [
    {
      name: 'XGROUP|CREATE',
      arity: -5,
      group: 'stream',
      flags: ['write', 'denyoom'],
      keys: KEY_AT_2,
      since: '5.0.0',
      summary: 'Creates a group.',
      complexity: 'O(1)',
      conflict:
        'The group appears in every region, unless another region destroys one of this name without having seen it: delete wins.',
      reply: ok,
      run: create,
    },
    {
      name: 'XGROUP|SETID',
      arity: -5,
      group: 'stream',
      flags: ['write'],
      keys: KEY_AT_2,
      since: '5.0.0',
      summary: 'Sets what a group has delivered last.',
      complexity: 'O(1)',
      conflict: 'Each region has its own position.',
      reply: ok,
      run: setId,
    },
    {
      name: 'XGROUP|DESTROY',
      arity: 4,
      group: 'stream',
      flags: ['write'],
      keys: KEY_AT_2,
      since: '5.0.0',
      summary: 'Destroys a group.',
      complexity: 'O(N) for N pending entries',
      conflict:
        'Delete wins: a group of this name that was created without having seen it goes too.',
      reply: flag,
      run: destroy,
    },
    {
      name: 'XGROUP|CREATECONSUMER',
      arity: 5,
      group: 'stream',
      flags: ['write', 'denyoom'],
      keys: KEY_AT_2,
      since: '6.2.0',
      summary: 'Creates a consumer.',
      complexity: 'O(1)',
      conflict: LOCAL,
      reply: flag,
      run: createConsumer,
    },
    {
      name: 'XGROUP|DELCONSUMER',
      arity: 5,
      group: 'stream',
      flags: ['write'],
      keys: KEY_AT_2,
      since: '5.0.0',
      summary: 'Removes a consumer with what it has pending.',
      complexity: 'O(N) for N pending entries',
      conflict: LOCAL,
      reply: count,
      run: deleteConsumer,
    },
    {
      name: 'XGROUP|HELP',
      arity: 2,
      group: 'stream',
      flags: ['loading', 'stale'],
      keys: null,
      since: '5.0.0',
      summary: 'Lists the subcommands.',
      complexity: 'O(1)',
      reply: arrayOf(any),
      run: (session) => writeHelp(session, 'XGROUP'),
    },
  ],
};

export const streamGroupCommands: readonly Command[] = [
  xgroup,
  {
    name: 'XACK',
    arity: -4,
    group: 'stream',
    flags: ['write', 'fast'],
    keys: { first: 1, last: 1, step: 1 },
    since: '5.0.0',
    summary: 'Acknowledges entries: they are not pending any more.',
    complexity: 'O(log(N)) for each id',
    conflict:
      'Ends what this region has pending; other regions do not deliver an entry that was acknowledged before they came to it.',
    reply: count,
    run: xack,
  },
  {
    name: 'XPENDING',
    arity: -3,
    group: 'stream',
    flags: ['readonly'],
    keys: { first: 1, last: 1, step: 1 },
    since: '5.0.0',
    summary: 'Tells what a group has pending.',
    complexity: 'O(N) for N entries pending',
    reply: arrayOf(any),
    run: xpending,
  },
];

/** `[MKSTREAM] [ENTRIESREAD n]` from argument 5 on. */
function readOptions(args: Args, mayMake: boolean): { make: boolean; read: number } {
  let [make, read] = [false, -1];
  if (args.count > 8) throw commandError('subcommandSyntax', args.text(1), 'XGROUP');
  for (let i = 5; i < args.count; i++) {
    if (mayMake && args.equalsIgnoreCase(i, 'MKSTREAM')) make = true;
    else if (args.equalsIgnoreCase(i, 'ENTRIESREAD') && i + 1 < args.count) {
      read = readInteger(args, ++i);
      if (read < -1) throw commandError('entriesReadNegative');
    } else throw commandError('subcommandSyntax', args.text(1), 'XGROUP');
  }
  return { make, read };
}

/** The stream of XGROUP; `make`: it may be missing. */
function streamFor({ server }: ClientSession, args: Args, make: boolean): StreamState | null {
  const stream = server.db.streams.see(args.text(2));
  if (stream === null && !make) throw commandError('groupNeedsKey');
  return stream;
}

function groupFor(session: ClientSession, args: Args): { stream: StreamState; group: Group } {
  const stream = streamFor(session, args, false)!;
  const name = args.text(3);
  const group = session.server.db.streams.groups.find(stream, name);
  if (group === null) throw commandError('noSuchGroup', name, args.text(2));
  return { stream, group };
}

function create(session: ClientSession, args: Args): void {
  const { groups } = session.server.db.streams;
  const { make, read } = readOptions(args, true);
  const stream = streamFor(session, args, make);
  const isEnd = args.text(4) === '$';
  const end = stream === null ? STREAM_ID_MIN : lastGiven(stream);
  const last = isEnd ? end : readStreamId(args, 4);
  if (groups.find(stream, args.text(3)) !== null) throw commandError('groupExists');
  groups.create(args.text(2), args.text(3), last, read);
  session.output.ok();
}

function setId(session: ClientSession, args: Args): void {
  const { read } = readOptions(args, false);
  const { stream } = groupFor(session, args);
  const last = args.text(4) === '$' ? lastGiven(stream) : readLooseId(args, 4);
  session.server.db.streams.groups.setId(args.text(2), args.text(3), last, read);
  session.output.ok();
}

function destroy(session: ClientSession, args: Args): void {
  const { groups } = session.server.db.streams;
  const stream = streamFor(session, args, false);
  const isThere = groups.find(stream, args.text(3)) !== null;
  if (isThere) groups.destroy(args.text(2), args.text(3));
  session.output.integer(isThere ? 1 : 0);
}

function createConsumer(session: ClientSession, args: Args): void {
  groupFor(session, args);
  const { groups } = session.server.db.streams;
  const isNew = groups.addConsumer(args.text(2), args.text(3), args.text(4));
  session.output.integer(isNew ? 1 : 0);
}

function deleteConsumer(session: ClientSession, args: Args): void {
  groupFor(session, args);
  const { groups } = session.server.db.streams;
  session.output.integer(groups.removeConsumer(args.text(2), args.text(3), args.text(4)));
}

function xack({ output, server }: ClientSession, args: Args): void {
  const { groups } = server.db.streams;
  const group = groups.find(server.db.streams.see(args.text(1)), args.text(2));
  if (group === null) output.integer(0);
  else output.integer(groups.acknowledge(args.text(1), args.text(2), readStreamIds(args, 3)));
}

type PendingRange = {
  readonly minIdleMs: number;
  readonly from: string;
  readonly to: string;
  readonly count: number;
  readonly consumer: string | null;
};

function xpending(session: ClientSession, args: Args): void {
  const { server } = session;
  if (args.count !== 3 && (args.count < 6 || args.count > 9)) throw commandError('syntax');
  const range = args.count === 3 ? null : readPendingRange(args);
  const group = server.db.streams.groups.find(server.db.streams.see(args.text(1)), args.text(2));
  if (group === null) throw commandError('noKeyOrGroup', args.text(1), args.text(2));
  if (range === null) writeSummary(session, group);
  else writePending(session, group, range);
}

function readPendingRange(args: Args): PendingRange {
  let [at, minIdleMs] = [3, 0];
  if (args.equalsIgnoreCase(3, 'IDLE')) {
    minIdleMs = readInteger(args, 4);
    if (args.count < 8) throw commandError('syntax');
    at = 5;
  }
  const limit = Math.max(0, readInteger(args, at + 2));
  const from = readRangeStart(args, at);
  const to = readRangeEnd(args, at + 1);
  const consumer = at + 3 < args.count ? args.text(at + 3) : null;
  return { minIdleMs, from, to, count: limit, consumer };
}

function writeSummary({ output, server }: ClientSession, group: Group): void {
  const { groups } = server.db.streams;
  let [first, last, total]: [string | null, string, number] = [null, '', 0];
  groups.eachPending(group, '', (id) => {
    first ??= id;
    last = id;
    total++;
    return true;
  });
  output.array(4);
  output.integer(total);
  if (first === null) {
    output.nullBulk();
    output.nullBulk();
    output.nullArray();
    return;
  }
  output.bulk(idText(first));
  output.bulk(idText(last));
  const counts = [...groups.pendingCounts(group)].sort(([a], [b]) => (a < b ? -1 : 1));
  output.array(counts.length);
  for (const [consumer, n] of counts) {
    output.array(2);
    output.bulk(consumer);
    output.bulk(String(n));
  }
}

function writePending({ output, server }: ClientSession, group: Group, range: PendingRange): void {
  const { groups } = server.db.streams;
  const { from, to, minIdleMs, consumer } = range;
  const found: { id: string; consumer: string; idleMs: number; count: number }[] = [];
  groups.eachPending(group, from, (id, claim) => {
    if (id > to || found.length >= range.count) return false;
    const idleMs = Math.max(0, server.db.nowMs - claim.atMs);
    if ((consumer === null || consumer === claim.consumer) && idleMs >= minIdleMs) {
      found.push({ id, consumer: claim.consumer, idleMs, count: claim.count });
    }
    return true;
  });
  output.array(found.length);
  for (const one of found) {
    output.array(4);
    output.bulk(idText(one.id));
    output.bulk(one.consumer);
    output.integer(one.idleMs);
    output.integer(one.count);
  }
}
