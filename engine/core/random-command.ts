/** Random commands for the property tests: few keys, so that regions meet on them. */

import { Args } from '../resp/args.ts';
import type { Db } from './db.ts';
import { DbError } from './db-error.ts';

const KEYS = ['a', 'b', 'counter', '{t}x', '{t}y', 'long-key-name-beyond-eight'];
const VALUES = ['', '7', '-12', 'text', '1.5', 'x'.repeat(300), '9007199254740990'];
const NAMES = ['m', 'n', 'o'];
const NEVER = Number.POSITIVE_INFINITY;

/** Runs one random command; what Redis would refuse is refused and changes nothing. */
export function runRandom(db: Db, random: () => number): void {
  try {
    runOne(db, random);
  } catch (error) {
    if (!(error instanceof DbError)) throw error;
  }
}

function runOne(db: Db, random: () => number): void {
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)];
  const key = pick(KEYS);
  const bytes = Buffer.from(key);
  const set = (expiry: number): void => {
    const value = Buffer.from(pick(VALUES));
    db.setString(bytes, 0, bytes.length, value, 0, value.length, expiry);
  };
  const soon = db.nowMs + 1 + Math.floor(random() * 50);
  const commands: readonly (() => unknown)[] = [
    () => set(NEVER),
    () => set(NEVER),
    () => set(soon),
    () => set(Number.NaN),
    () => db.setStringText(key, pick(VALUES), NEVER),
    () => db.increment(bytes, 0, bytes.length, Math.floor(random() * 21) - 10),
    () => db.increment(bytes, 0, bytes.length, 1),
    () => db.increment(bytes, 0, bytes.length, 1),
    () => db.addAmount(key, 5n * 10n ** 16n, true),
    () => db.deleteKey(bytes, 0, bytes.length),
    () => db.delete(key),
    () => db.expire(key, soon),
    () => db.expire(key, NEVER),
    () => db.setAdd(key, [pick(NAMES), pick(NAMES)]),
    () => db.setRemove(key, [pick(NAMES)]),
    () => db.hashSet(key, [[pick(NAMES), pick(VALUES)]]),
    () => db.hashAdd(key, pick(NAMES), 3, false),
    () => db.hashRemove(key, [pick(NAMES)]),
    () => db.expireFields(key, [pick(NAMES), pick(NAMES)], soon),
    () => db.expireFields(key, [pick(NAMES)], random() < 0.3 ? NEVER : soon + 200),
    () => db.rename(key, pick(KEYS)),
    () => db.hllAdd(Args.from(['PFADD', key, pick(NAMES)])),
    () => db.hllAdd(Args.from(['PFADD', key, pick(NAMES), pick(VALUES)])),
    () => db.hllMerge(key, [pick(KEYS)]),
    () => random() < 0.1 && db.flush(),
  ];
  pick(commands)();
}
