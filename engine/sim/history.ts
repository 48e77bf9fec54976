/**
 * What the clients of a run have been told, and what must therefore hold on every member.
 *
 *   kept        SADD of a member that is never removed: once acknowledged it is there at the end,
 *               unless its machine lost power before the fsync that the policy promises
 *   entries     XADD, kept in the same way; and what a consumer group has passed in a region is either pending
 *               there or was acknowledged: no entry is skipped
 *   tallies     MULTI, INCRBY c, SADD c:log u, ZINCRBY c:zset, ZADD c:order u, EXEC: at any moment, on any
 *               member, c equals the size of c:log, the score in c:zset and the size of c:order, which is in
 *               order. That checks exact sums, atomic batches and idempotence at once
 *   causality   an answer is added to `answers` only on the connection that showed its question, so
 *               its op follows the question's: no member ever shows an answer without the question
 */

import type { Db } from '../core/db.ts';
import { allEntries } from '../crdt/stream-entries.ts';

export const KEPT_KEYS = ['kept:0', 'kept:1', 'kept:2'];
/** A stream from which nothing is ever removed, and its group. */
export const STREAM_KEY = 'events';
export const GROUP = 'workers';
export const TALLY_KEYS = ['tally:0', 'tally:1'];
export const QUESTIONS = 'questions';
export const ANSWERS = 'answers';

type Kept = { readonly key: string; readonly member: string; readonly by: string; atMs: number };

export class History {
  readonly kept: Kept[] = [];
  /** Entries that a client was about to acknowledge. */
  readonly acked: Set<string> = new Set();
  acknowledged = 0;
  refused = 0;
  unknown = 0;
  /** Why acknowledged writes may be missing at the end; '' when they may not. */
  lossExcuse = '';

  private readonly losses: { by: string; sinceMs: number; untilMs: number }[] = [];

  /** A write that must stay was acknowledged by a process, which said so at `atMs`. */
  keep(key: string, member: string, by: string, atMs: number): void {
    const isExcused = this.losses.some(
      (loss) => loss.by === by && atMs >= loss.sinceMs && atMs <= loss.untilMs,
    );
    if (!isExcused) this.kept.push({ key, member, by, atMs });
  }

  /** A machine lost power: what it acknowledged since then may have been lost. */
  excuse(by: string, sinceMs: number, nowMs: number): void {
    this.losses.push({ by, sinceMs, untilMs: nowMs });
    for (let i = this.kept.length - 1; i >= 0; i--) {
      if (this.kept[i].by === by && this.kept[i].atMs >= sinceMs) this.kept.splice(i, 1);
    }
  }
}

/** What must hold on a member at any moment; null: it does. */
export function checkAlways(db: Db): string | null {
  for (const key of TALLY_KEYS) {
    const sum = db.getString(key) ?? '0';
    const size = db.setSize(`${key}:log`);
    if (sum !== String(size)) return `${key} is ${sum}, but ${size} increments are in its log`;
    const name = Buffer.from('sum');
    const score = db.zsets.of(`${key}:zset`).scoreOf(name, 0, name.length);
    if ((Number.isNaN(score) ? 0 : score) !== size) {
      return `the score of ${key} is ${score}, but ${size} increments are in its log`;
    }
    const disorder = checkOrder(db, `${key}:order`, size);
    if (disorder !== null) return disorder;
  }
  if (db.setSize(ANSWERS) === 0) return null;
  for (const answer of db.setMembers(ANSWERS)) {
    if (!db.setHas(QUESTIONS, answer)) return `answer ${answer} is here without its question`;
  }
  return null;
}

/** A sorted set of `size` members counts and walks in the order of its scores. */
function checkOrder(db: Db, key: string, size: number): string | null {
  const zset = db.zsets.of(key);
  if (zset.size !== size) return `${key} has ${zset.size} members instead of ${size}`;
  let last = Number.NEGATIVE_INFINITY;
  let rank = 0;
  let wrong: string | null = null;
  zset.walk(0, size, false, (bytes, start, end, score) => {
    if (score < last || zset.rankOf(bytes, start, end) !== rank) {
      wrong = `${key} is out of order at rank ${rank}`;
      return false;
    }
    last = score;
    rank++;
    return true;
  });
  return wrong;
}

/** What must hold once everything has healed and settled; null: it does. */
export function checkAtEnd(history: History, db: Db): string | null {
  if (history.lossExcuse !== '') return null;
  const stream = db.streams.see(STREAM_KEY);
  const entries = stream === null ? [] : allEntries(stream.entries);
  const values = new Set(entries.map(({ fields }) => fields[1]));
  const group = db.streams.groups.find(stream, GROUP);
  for (const entry of group === null ? [] : entries) {
    const [, value] = entry.fields;
    if (history.acked.has(value) || !db.streams.groups.isDone(group!, entry)) continue;
    return `${value} of ${STREAM_KEY} was passed by ${GROUP} and is neither pending nor acknowledged`;
  }
  for (const { key, member, by, atMs } of history.kept) {
    if (key === STREAM_KEY ? values.has(member) : db.setHas(key, member)) continue;
    return `${member} of ${key}, acknowledged by ${by} at ${atMs.toFixed(1)}, is lost`;
  }
  return null;
}
