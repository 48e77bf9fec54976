/** Ids, ranges and options of the stream commands, refused in Redis' words. */
import type { Trim, WantedId } from '../core/streams.ts';
import { idAfter, idBefore, parseIdHalf, STREAM_ID_MAX, STREAM_ID_MIN } from '../crdt/stream-id.ts';
import type { Args } from '../resp/args.ts';
import { commandError } from './errors.ts';
import { readInteger } from './numbers.ts';

/** As Redis' stream-node-max-entries times 100: what XTRIM ~ removes at most when nothing is said. */
const APPROXIMATE_LIMIT = 10_000;
const ID_TEXT_MAX = 127;
const HALF_MIN = STREAM_ID_MIN.slice(8);
const HALF_MAX = STREAM_ID_MAX.slice(8);

/** An id; a missing sequence number is 0. `-` and `+` are refused. Throws invalidStreamId. */
export function readStreamId(args: Args, i: number): string {
  const id = findStreamId(args, i);
  if (id === null) throw commandError('invalidStreamId');
  return id;
}

/** As `readStreamId`; null: it is none. */
export function findStreamId(args: Args, i: number): string | null {
  return parseId(args.text(i), HALF_MIN);
}

/** As `readStreamId`, with `-` and `+`. */
export function readLooseId(args: Args, i: number, missing = HALF_MIN): string {
  const text = args.text(i);
  if (text === '-') return STREAM_ID_MIN;
  if (text === '+') return STREAM_ID_MAX;
  const id = parseId(text, missing);
  if (id === null) throw commandError('invalidStreamId');
  return id;
}

/** The id of an XADD: whole, `ms-*`, or `*`. */
export function readWantedId(args: Args, i: number): WantedId {
  const text = args.text(i);
  if (text === '*') return { kind: 'auto' };
  if (text.endsWith('-*') && text.length <= ID_TEXT_MAX) {
    const ms = parseHalf(text.slice(0, -2));
    if (ms === null) throw commandError('invalidStreamId');
    return { kind: 'ms', ms };
  }
  return { kind: 'full', id: readStreamId(args, i) };
}

function parseId(text: string, missing: string): string | null {
  if (text.length > ID_TEXT_MAX) return null;
  const dash = text.indexOf('-');
  const ms = parseHalf(dash < 0 ? text : text.slice(0, dash));
  const seq = dash < 0 ? missing : parseHalf(text.slice(dash + 1));
  return ms === null || seq === null ? null : ms + seq;
}

/** Redis falls back on strtoull, which takes blanks, a sign and zeros in front. */
function parseHalf(text: string): string | null {
  const strict = parseIdHalf(text);
  if (strict !== null) return strict;
  const loose = /^[ \t\n\v\f\r]*\+?0*(\d+)$/.exec(text);
  return loose === null ? null : parseIdHalf(loose[1]);
}

/** The start of a range, perhaps exclusive: `(id`. */
export function readRangeStart(args: Args, i: number): string {
  const text = args.text(i);
  if (!isExclusive(text)) return readLooseId(args, i);
  const id = parseId(text.slice(1), HALF_MIN);
  if (id === null) throw commandError('invalidStreamId');
  const after = idAfter(id);
  if (after === null) throw commandError('invalidRangeStart');
  return after;
}

/** The end of a range, perhaps exclusive; a missing sequence number is the greatest. */
export function readRangeEnd(args: Args, i: number): string {
  const text = args.text(i);
  if (!isExclusive(text)) return readLooseId(args, i, HALF_MAX);
  const id = parseId(text.slice(1), HALF_MAX);
  if (id === null) throw commandError('invalidStreamId');
  const before = idBefore(id);
  if (before === null) throw commandError('invalidRangeEnd');
  return before;
}

function isExclusive(text: string): boolean {
  return text.length > 1 && text[0] === '(';
}

export type AddOptions = {
  readonly trim: Trim | null;
  readonly make: boolean;
  /** Where the id stands (XADD). */
  readonly idAt: number;
};

/** The options of XADD, up to its id, and of XTRIM. */
export function readAddOptions(args: Args, isAdd: boolean): AddOptions {
  let by: Trim['by'] | null = null;
  let [length, id, approximate, make] = [0, STREAM_ID_MIN, false, true];
  let limit: number | null = null;
  let i = 2;
  for (; i < args.count; i++) {
    const hasMore = i + 1 < args.count;
    if (isAdd && args.text(i) === '*') break;
    const trims = args.equalsIgnoreCase(i, 'MAXLEN') || args.equalsIgnoreCase(i, 'MINID');
    if (trims && hasMore) {
      if (by !== null) throw commandError('trimTwice');
      by = args.equalsIgnoreCase(i, 'MAXLEN') ? 'maxlen' : 'minid';
      const mark = i + 2 < args.count ? args.text(i + 1) : '';
      approximate = mark === '~';
      if (mark === '~' || mark === '=') i++;
      i++;
      if (by === 'minid') id = readLooseId(args, i);
      else length = readInteger(args, i);
      if (length < 0) throw commandError('maxlenNegative');
    } else if (args.equalsIgnoreCase(i, 'LIMIT') && hasMore) {
      limit = readInteger(args, ++i);
      if (limit < 0) throw commandError('trimLimitNegative');
    } else if (isAdd && args.equalsIgnoreCase(i, 'NOMKSTREAM')) make = false;
    else if (isAdd) {
      readWantedId(args, i);
      break;
    } else throw commandError('syntax');
  }
  if (by === null) {
    if ((limit ?? 0) > 0) throw commandError('limitWithoutTrim');
    if (!isAdd) throw commandError('trimMissing');
    return { trim: null, make, idAt: i };
  }
  if (limit !== null && !approximate) throw commandError('limitNotApproximate');
  const most = approximate ? (limit ?? APPROXIMATE_LIMIT) : 0;
  return { trim: { by, length, id, approximate, limit: most }, make, idAt: i };
}

/** `[COUNT n]` from argument `i` on; null: there is none. Below 0 it is 0. */
export function readCountOption(args: Args, i: number): number | null {
  let count: number | null = null;
  for (let at = i; at < args.count; at += 2) {
    if (!args.equalsIgnoreCase(at, 'COUNT') || at + 1 >= args.count) throw commandError('syntax');
    count = Math.max(0, readInteger(args, at + 1));
  }
  return count;
}

/** The arguments from `i` on as ids. Throws invalidStreamId. */
export function readStreamIds(args: Args, i: number): string[] {
  const ids: string[] = [];
  for (let at = i; at < args.count; at++) ids.push(readStreamId(args, at));
  return ids;
}
