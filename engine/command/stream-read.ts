/** XREAD and XREADGROUP: what came after an id, of several streams, waiting for it if wanted. */

import { lastGiven } from '../crdt/stream.ts';
import type { StreamEntry } from '../crdt/stream-block.ts';
import { idAfter, idText, STREAM_ID_MAX, STREAM_ID_MIN } from '../crdt/stream-id.ts';
import type { Args } from '../resp/args.ts';
import { readTimeoutMs } from './blocking-timeout.ts';
import { commandError } from './errors.ts';
import { readInteger } from './numbers.ts';
import { any, anyMap, arrayOf, either, nil } from './reply-shape.ts';
import type { ClientSession } from './session.ts';
import { writeEntry } from './stream.ts';
import { readStreamId } from './stream-arguments.ts';
import type { Command } from './table.ts';

const reply = either(anyMap, arrayOf(any), nil);

export const streamReadCommands: readonly Command[] = [
  {
    name: 'XREAD',
    arity: -4,
    group: 'stream',
    flags: ['readonly', 'blocking', 'movablekeys'],
    keys: null,
    keysAfter: 'STREAMS',
    since: '5.0.0',
    summary: 'Returns the entries after an id, of one or more streams.',
    complexity: 'O(N) for N entries returned',
    reply,
    run: (session, args) => read(session, args, false),
  },
  {
    name: 'XREADGROUP',
    arity: -7,
    group: 'stream',
    flags: ['write', 'blocking', 'movablekeys'],
    keys: null,
    keysAfter: 'STREAMS',
    since: '5.0.0',
    summary:
      'Returns entries that a consumer group has not delivered, or those pending for a consumer.',
    complexity: 'O(N) for N entries returned',
    conflict:
      'Each region delivers every entry to its own consumers, also one that arrives late with a smaller id; what another region has acknowledged by then is left out.',
    reply,
    run: (session, args) => read(session, args, true),
  },
];

type Options = {
  readonly isGroup: boolean;
  readonly group: string;
  readonly consumer: string;
  readonly noAck: boolean;
  /** Infinity: no limit. */
  readonly count: number;
  /** Null: does not wait. */
  readonly timeoutMs: number | null;
  /** The first key; `streams` keys, then as many ids. */
  readonly keysAt: number;
  readonly streams: number;
};

type Found = { readonly key: string; readonly entries: readonly (StreamEntry | string)[] };

/** From which id on; `next`: XREADGROUP >. */
type Wanted = { readonly key: string; readonly after: string; readonly next: boolean };

function read(session: ClientSession, args: Args, isGroup: boolean): void {
  const options = readOptions(session, args, isGroup);
  const wanted = readWanted(session, args, options);
  const found = wanted.map((one) => readOne(session, options, one)).filter((one) => one !== null);
  if (found.length > 0) {
    writeFound(session, found);
    return;
  }
  const { timeoutMs } = options;
  if (timeoutMs === null || !session.mayBlock) {
    session.output.nullArray();
    return;
  }
  session.server.blockedKeys.wait(session, {
    keys: wanted.map(({ key }) => key),
    type: isGroup ? 'any' : 'stream',
    timeoutMs,
    tryAgain(key) {
      if (isGroup) checkGroup(session, key, options.group);
      for (const one of wanted) {
        const again = one.key === key ? readOne(session, options, one) : null;
        if (again === null) continue;
        writeFound(session, [again]);
        return true;
      }
      return false;
    },
    timedOut: () => session.output.nullArray(),
  });
}

function readOptions({ server }: ClientSession, args: Args, isGroup: boolean): Options {
  let [group, consumer, noAck, count]: [string | null, string, boolean, number] = [
    null,
    '',
    false,
    Number.POSITIVE_INFINITY,
  ];
  let timeoutMs: number | null = null;
  let keysAt = 0;
  for (let i = 1; i < args.count && keysAt === 0; i++) {
    const more = args.count - i - 1;
    if (args.equalsIgnoreCase(i, 'BLOCK') && more > 0) {
      timeoutMs = readTimeoutMs(args, ++i, server.clockMs());
    } else if (args.equalsIgnoreCase(i, 'COUNT') && more > 0) {
      const limit = readInteger(args, ++i);
      count = limit <= 0 ? Number.POSITIVE_INFINITY : limit;
    } else if (args.equalsIgnoreCase(i, 'STREAMS') && more > 0) {
      keysAt = i + 1;
    } else if (args.equalsIgnoreCase(i, 'GROUP') && more >= 2) {
      if (!isGroup) throw commandError('groupNotHere');
      [group, consumer] = [args.text(i + 1), args.text(i + 2)];
      i += 2;
    } else if (args.equalsIgnoreCase(i, 'NOACK')) {
      if (!isGroup) throw commandError('noAckNotHere');
      noAck = true;
    } else throw commandError('syntax');
  }
  if (keysAt === 0) throw commandError('syntax');
  const words = args.count - keysAt;
  if (words % 2 !== 0) throw commandError(isGroup ? 'unbalancedGroupStreams' : 'unbalancedStreams');
  if (isGroup && group === null) throw commandError('groupMissing');
  const streams = words / 2;
  return { isGroup, group: group ?? '', consumer, noAck, count, timeoutMs, keysAt, streams };
}

function readWanted(session: ClientSession, args: Args, options: Options): Wanted[] {
  const { isGroup, group, keysAt, streams } = options;
  const wanted: Wanted[] = [];
  for (let n = 0; n < streams; n++) {
    const key = args.text(keysAt + n);
    const at = keysAt + streams + n;
    const id = args.text(at);
    if (isGroup) checkGroup(session, key, group);
    if (id === '$') {
      if (isGroup) throw commandError('dollarInGroup');
      const stream = session.server.db.streams.see(key);
      const after = stream === null ? STREAM_ID_MIN : lastGiven(stream);
      wanted.push({ key, after, next: false });
    } else if (id === '>') {
      if (!isGroup) throw commandError('nextWithoutGroup');
      wanted.push({ key, after: STREAM_ID_MIN, next: true });
    } else wanted.push({ key, after: readStreamId(args, at), next: false });
  }
  return wanted;
}

function checkGroup({ server }: ClientSession, key: string, group: string): void {
  const { streams } = server.db;
  if (streams.groups.find(streams.see(key), group) === null) {
    throw commandError('noGroupToRead', key, group);
  }
}

/** What there is of one stream; null: nothing. */
function readOne(session: ClientSession, options: Options, wanted: Wanted): Found | null {
  const { streams } = session.server.db;
  const { key, after, next } = wanted;
  if (options.isGroup) return readGroup(session, options, wanted);
  const stream = streams.see(key);
  const from = idAfter(after);
  if (stream === null || next || from === null) return null;
  const count = Number.isFinite(options.count) ? options.count : 0;
  const entries = streams.range(stream, from, STREAM_ID_MAX, count, false);
  return entries.length === 0 ? null : { key, entries };
}

function readGroup(session: ClientSession, options: Options, wanted: Wanted): Found | null {
  const { streams } = session.server.db;
  const { groups } = streams;
  const { group: name, consumer, count, noAck } = options;
  const { key, after, next } = wanted;
  groups.addConsumer(key, name, consumer);
  const stream = streams.see(key)!;
  const group = groups.find(stream, name)!;
  if (next) {
    const entries = groups.deliver(key, name, consumer, count, noAck);
    groups.noteSeen(group, consumer, entries.length > 0);
    return entries.length === 0 ? null : { key, entries };
  }
  const from = idAfter(after);
  const pending = from === null ? [] : groups.pending(group, from, consumer, count);
  const entries = pending.flatMap(({ id }): (StreamEntry | string)[] => {
    const held = groups.entries(stream, id);
    return held.length > 0 ? held : [id];
  });
  const there = pending.filter(({ id }) => groups.hasEntry(stream, id));
  groups.redeliver(key, name, consumer, there);
  groups.noteSeen(group, consumer, false);
  return { key, entries };
}

function writeFound({ output }: ClientSession, found: readonly Found[]): void {
  const isMap = output.protocol === 3;
  if (isMap) output.map(found.length);
  else output.array(found.length);
  for (const { key, entries } of found) {
    if (!isMap) output.array(2);
    output.bulk(key);
    output.array(entries.length);
    for (const entry of entries) {
      if (typeof entry !== 'string') writeEntry(output, entry);
      else {
        // Pending, but removed from the stream.
        output.array(2);
        output.bulk(idText(entry));
        output.nullArray();
      }
    }
  }
}
