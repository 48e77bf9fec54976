/** XCLAIM and XAUTOCLAIM: pending entries go to another consumer. */

import type { StreamState } from '../crdt/stream.ts';
import type { Claim, Group } from '../crdt/stream-group.ts';
import { idText, STREAM_ID_MIN } from '../crdt/stream-id.ts';
import type { Args } from '../resp/args.ts';
import { commandError } from './errors.ts';
import { readInteger } from './numbers.ts';
import { any, arrayOf } from './reply-shape.ts';
import type { ClientSession } from './session.ts';
import { writeEntry } from './stream.ts';
import { findStreamId, readRangeStart, readStreamId } from './stream-arguments.ts';
import type { Command } from './table.ts';

const CONFLICT =
  'Works on what this region has pending; other regions have their own, and deliver the entry too.';
const COUNT_DEFAULT = 100;
/** Pending entries that XAUTOCLAIM looks at for each that it may return. */
const ATTEMPTS_EACH = 10;
/** Redis' bound on COUNT: what fits its allocation. */
const COUNT_MAX = 2 ** 63 / 16;

export const streamClaimCommands: readonly Command[] = [
  {
    name: 'XCLAIM',
    arity: -6,
    group: 'stream',
    flags: ['write', 'fast'],
    keys: { first: 1, last: 1, step: 1 },
    since: '5.0.0',
    summary: 'Gives pending entries to a consumer.',
    complexity: 'O(log(N)) for each id',
    conflict: CONFLICT,
    reply: arrayOf(any),
    run: xclaim,
  },
  {
    name: 'XAUTOCLAIM',
    arity: -6,
    group: 'stream',
    flags: ['write', 'fast'],
    keys: { first: 1, last: 1, step: 1 },
    since: '6.2.0',
    summary: 'Gives entries that are pending for long to a consumer.',
    complexity: 'O(1) with a small COUNT',
    conflict: CONFLICT,
    reply: arrayOf(any),
    run: xautoclaim,
  },
];

type ClaimOptions = {
  readonly ids: readonly string[];
  readonly atMs: number;
  readonly retryCount: number | null;
  readonly force: boolean;
  readonly justId: boolean;
  readonly last: string | null;
};

function groupOf({ server }: ClientSession, args: Args): { stream: StreamState; group: Group } {
  const { streams } = server.db;
  const stream = streams.see(args.text(1));
  const group = streams.groups.find(stream, args.text(2));
  if (stream === null || group === null) {
    throw commandError('noKeyOrGroup', args.text(1), args.text(2));
  }
  return { stream, group };
}

function xclaim(session: ClientSession, args: Args): void {
  const { server } = session;
  const { groups } = server.db.streams;
  const { stream, group } = groupOf(session, args);
  const minIdleMs = Math.max(0, readInteger(args, 4, 'claimMinIdle'));
  const options = readClaimOptions(args, server.db.nowMs);
  const [key, name, consumer] = [args.text(1), args.text(2), args.text(3)];
  const claims: { id: string; count: number }[] = [];
  const gone: string[] = [];
  // An id given twice is claimed twice, as in Redis: the second time it is as the first has left it.
  const counts = new Map<string, number>();
  const given: string[] = [];
  for (const id of options.ids) {
    const claim = groups.claim(group, id);
    if (!groups.hasEntry(stream, id)) {
      if (claim !== null && !gone.includes(id)) gone.push(id);
      continue;
    }
    if (claim === null && !options.force) continue;
    const sinceMs = counts.has(id) ? options.atMs : claim?.atMs;
    if (sinceMs !== undefined && minIdleMs > 0 && server.db.nowMs - sinceMs < minIdleMs) continue;
    const before = counts.get(id) ?? claim?.count ?? 1;
    counts.set(id, options.retryCount ?? (options.justId ? before : before + 1));
    given.push(id);
  }
  for (const [id, count] of counts) claims.push({ id, count });
  groups.addConsumer(key, name, consumer);
  groups.claimAll(key, name, group, consumer, options.atMs, claims, gone, options.last);
  groups.noteSeen(group, consumer, given.length > 0);
  writeClaimed(session, stream, given, options.justId);
}

function readClaimOptions(args: Args, nowMs: number): ClaimOptions {
  const ids: string[] = [];
  let i = 5;
  for (; i < args.count; i++) {
    const id = findStreamId(args, i);
    if (id === null) break;
    ids.push(id);
  }
  let [atMs, retryCount, force, justId, last]: [
    number,
    number | null,
    boolean,
    boolean,
    string | null,
  ] = [-1, null, false, false, null];
  for (; i < args.count; i++) {
    const hasMore = i + 1 < args.count;
    if (args.equalsIgnoreCase(i, 'FORCE')) force = true;
    else if (args.equalsIgnoreCase(i, 'JUSTID')) justId = true;
    else if (args.equalsIgnoreCase(i, 'IDLE') && hasMore) {
      atMs = nowMs - readInteger(args, ++i, 'claimIdle');
    } else if (args.equalsIgnoreCase(i, 'TIME') && hasMore) {
      atMs = readInteger(args, ++i, 'claimTime');
    } else if (args.equalsIgnoreCase(i, 'RETRYCOUNT') && hasMore) {
      const given = readInteger(args, ++i, 'claimRetryCount');
      retryCount = given < 0 ? null : given;
    } else if (args.equalsIgnoreCase(i, 'LASTID') && hasMore) last = readStreamId(args, ++i);
    else throw commandError('unknownClaimOption', args.text(i));
  }
  if (atMs < 0 || atMs > nowMs) atMs = nowMs;
  return { ids, atMs, retryCount, force, justId, last };
}

function xautoclaim(session: ClientSession, args: Args): void {
  const { output, server } = session;
  const { groups } = server.db.streams;
  const minIdleMs = Math.max(0, readInteger(args, 4, 'autoclaimMinIdle'));
  const from = readRangeStart(args, 5);
  let [count, justId] = [COUNT_DEFAULT, false];
  for (let i = 6; i < args.count; i++) {
    if (args.equalsIgnoreCase(i, 'COUNT') && i + 1 < args.count) {
      count = readInteger(args, ++i, 'autoclaimCount');
      if (count < 1 || count > COUNT_MAX) throw commandError('autoclaimCount');
    } else if (args.equalsIgnoreCase(i, 'JUSTID')) justId = true;
    else throw commandError('syntax');
  }
  const { stream, group } = groupOf(session, args);
  const [key, name, consumer] = [args.text(1), args.text(2), args.text(3)];
  const claims: { id: string; count: number }[] = [];
  const gone: string[] = [];
  let attempts = count * ATTEMPTS_EACH;
  let next: string | null = null;
  groups.eachPending(group, from, (id, claim: Claim) => {
    if (attempts === 0 || claims.length + gone.length >= count) {
      next = id;
      return false;
    }
    attempts--;
    if (!groups.hasEntry(stream, id)) gone.push(id);
    else if (minIdleMs === 0 || server.db.nowMs - claim.atMs >= minIdleMs) {
      claims.push({ id, count: justId ? claim.count : claim.count + 1 });
    }
    return true;
  });
  groups.addConsumer(key, name, consumer);
  groups.claimAll(key, name, group, consumer, server.db.nowMs, claims, gone, null);
  groups.noteSeen(group, consumer, claims.length > 0);
  output.array(3);
  output.bulk(idText(next ?? STREAM_ID_MIN));
  writeClaimed(
    session,
    stream,
    claims.map(({ id }) => id),
    justId,
  );
  output.array(gone.length);
  for (const id of gone) output.bulk(idText(id));
}

function writeClaimed(
  { output, server }: ClientSession,
  stream: StreamState,
  ids: readonly string[],
  justId: boolean,
): void {
  if (justId) {
    output.array(ids.length);
    for (const id of ids) output.bulk(idText(id));
    return;
  }
  const entries = ids.flatMap((id) => server.db.streams.groups.entries(stream, id));
  output.array(entries.length);
  for (const entry of entries) writeEntry(output, entry);
}
