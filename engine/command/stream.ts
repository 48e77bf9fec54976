/** Streams: entries that are added at the end, read by ranges of ids, and trimmed. */

import { addedCount, lastGiven, maxDeleted } from '../crdt/stream.ts';
import type { StreamEntry } from '../crdt/stream-block.ts';
import { lastId } from '../crdt/stream-entries.ts';
import { idText, STREAM_ID_MIN } from '../crdt/stream-id.ts';
import type { Args } from '../resp/args.ts';
import type { ReplyWriter } from '../resp/reply-writer.ts';
import { commandError } from './errors.ts';
import { readInteger } from './numbers.ts';
import { any, arrayOf, bulkOrNull, count, either, nil, ok } from './reply-shape.ts';
import type { ClientSession } from './session.ts';
import {
  readAddOptions,
  readCountOption,
  readRangeEnd,
  readRangeStart,
  readStreamId,
  readStreamIds,
  readWantedId,
} from './stream-arguments.ts';
import type { Command } from './table.ts';

const STAR = 0x2a;
const entries = either(arrayOf(any), nil);

export const streamCommands: readonly Command[] = [
  {
    name: 'XADD',
    arity: -5,
    group: 'stream',
    flags: ['write', 'denyoom', 'fast'],
    keys: { first: 1, last: 1, step: 1 },
    since: '5.0.0',
    summary: 'Appends an entry.',
    complexity: 'O(1); with trimming O(N) for N entries that go',
    conflict:
      'Every entry survives. With several regions `*` gives ids that no other region gives; the same full id given in two regions stays two entries.',
    reply: bulkOrNull,
    run: xadd,
  },
  {
    name: 'XLEN',
    arity: 2,
    group: 'stream',
    flags: ['readonly', 'fast'],
    keys: { first: 1, last: 1, step: 1 },
    since: '5.0.0',
    summary: 'Counts the entries.',
    complexity: 'O(1)',
    reply: count,
    run: xlen,
  },
  {
    name: 'XRANGE',
    arity: -4,
    group: 'stream',
    flags: ['readonly'],
    keys: { first: 1, last: 1, step: 1 },
    since: '5.0.0',
    summary: 'Returns the entries between two ids.',
    complexity: 'O(log(N)+M) for M entries returned',
    reply: entries,
    run: (session, args) => xrange(session, args, false),
  },
  {
    name: 'XREVRANGE',
    arity: -4,
    group: 'stream',
    flags: ['readonly'],
    keys: { first: 1, last: 1, step: 1 },
    since: '5.0.0',
    summary: 'Returns the entries between two ids, the last one first.',
    complexity: 'O(log(N)+M) for M entries returned',
    reply: entries,
    run: (session, args) => xrange(session, args, true),
  },
  {
    name: 'XDEL',
    arity: -3,
    group: 'stream',
    flags: ['write', 'fast'],
    keys: { first: 1, last: 1, step: 1 },
    since: '5.0.0',
    summary: 'Removes entries.',
    complexity: 'O(log(N)) for each entry',
    conflict:
      'Removes the entries that this region has seen; one that another region adds with the same id survives.',
    reply: count,
    run: xdel,
  },
  {
    name: 'XTRIM',
    arity: -4,
    group: 'stream',
    flags: ['write'],
    keys: { first: 1, last: 1, step: 1 },
    since: '5.0.0',
    summary: 'Removes the oldest entries.',
    complexity: 'O(log(N)+M) for M entries that go',
    conflict:
      'Removes the entries that this region has seen; those that arrive later with smaller ids stay.',
    reply: count,
    run: xtrim,
  },
  {
    name: 'XSETID',
    arity: -3,
    group: 'stream',
    flags: ['write', 'denyoom', 'fast'],
    keys: { first: 1, last: 1, step: 1 },
    since: '5.0.0',
    summary: 'Sets the last id, and what the stream remembers of entries that are gone.',
    complexity: 'O(1)',
    conflict: 'The greatest of the ids that concurrent writes leave is the last one.',
    reply: ok,
    run: xsetid,
  },
];

/** An entry as `[id, [name, value, …]]`. */
export function writeEntry(out: ReplyWriter, entry: StreamEntry): void {
  out.array(2);
  out.bulk(idText(entry.id));
  out.array(entry.fields.length);
  for (const text of entry.fields) out.bulk(text);
}

export function writeEntries(out: ReplyWriter, found: readonly StreamEntry[]): void {
  out.array(found.length);
  for (const entry of found) writeEntry(out, entry);
}

function xadd(session: ClientSession, args: Args): void {
  const { output, server } = session;
  const isPlain = args.length(2) === 1 && args.buffer[args.start[2]] === STAR;
  if (isPlain && args.count % 2 === 1) {
    const id = server.db.streams.addBytes(args);
    if (id !== null) {
      output.bulk(idText(id));
      return;
    }
  }
  const { make, trim, idAt } = readAddOptions(args, true);
  const pairs = args.count - idAt - 1;
  if (pairs < 2 || pairs % 2 === 1) throw commandError('arity', 'xadd');
  const wanted = readWantedId(args, idAt);
  if (wanted.kind === 'full' && wanted.id === STREAM_ID_MIN) throw commandError('streamIdZero');
  const fields: string[] = [];
  for (let i = idAt + 1; i < args.count; i++) fields.push(args.text(i));
  const added = server.db.streams.add(args.text(1), wanted, fields, make, trim);
  if (added === null) output.nullBulk();
  else if (added === 'small') throw commandError('streamIdSmall');
  else if (added === 'exhausted') throw commandError('streamExhausted');
  else output.bulk(idText(added.id));
}

function xlen({ output, server }: ClientSession, args: Args): void {
  output.integer(server.db.streams.see(args.text(1))?.entries.count ?? 0);
}

function xrange({ output, server }: ClientSession, args: Args, back: boolean): void {
  const [start, end] = back ? [3, 2] : [2, 3];
  const from = readRangeStart(args, start);
  const to = readRangeEnd(args, end);
  const limit = readCountOption(args, 4);
  const stream = server.db.streams.see(args.text(1));
  if (stream === null) output.array(0);
  else if (limit === 0) output.nullArray();
  else writeEntries(output, server.db.streams.range(stream, from, to, limit ?? 0, back));
}

function xdel({ output, server }: ClientSession, args: Args): void {
  const key = args.text(1);
  if (server.db.streams.see(key) === null) output.integer(0);
  else output.integer(server.db.streams.remove(key, readStreamIds(args, 2)));
}

function xtrim({ output, server }: ClientSession, args: Args): void {
  const { trim } = readAddOptions(args, false);
  output.integer(trim === null ? 0 : server.db.streams.trim(args.text(1), trim));
}

function xsetid({ output, server }: ClientSession, args: Args): void {
  const last = readStreamId(args, 2);
  let added: number | null = null;
  let deleted: string | null = null;
  for (let i = 3; i < args.count; i += 2) {
    const hasMore = i + 1 < args.count;
    if (args.equalsIgnoreCase(i, 'ENTRIESADDED') && hasMore) {
      added = readInteger(args, i + 1);
      if (added < 0) throw commandError('entriesAddedNegative');
    } else if (args.equalsIgnoreCase(i, 'MAXDELETEDID') && hasMore) {
      deleted = readStreamId(args, i + 1);
      if (last < deleted) throw commandError('setIdBelowGivenDeleted');
    } else throw commandError('syntax');
  }
  const stream = server.db.streams.see(args.text(1));
  if (stream === null) throw commandError('noSuchKey');
  if (last < maxDeleted(stream)) throw commandError('setIdBelowDeleted');
  const top = lastId(stream.entries);
  if (top !== null && last < top) throw commandError('setIdSmall');
  if (top !== null && added !== null && stream.entries.count > added) {
    throw commandError('entriesAddedSmall');
  }
  server.db.streams.setId(args.text(1), last, added, deleted === STREAM_ID_MIN ? null : deleted);
  output.ok();
}

/** For XINFO and replies: what a stream remembers beside its entries. */
export function streamCounters(stream: Parameters<typeof addedCount>[0]) {
  return {
    last: idText(lastGiven(stream)),
    deleted: idText(maxDeleted(stream)),
    added: addedCount(stream),
  };
}
