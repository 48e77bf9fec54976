/** The sorted sets of a database, as commands use them: `db.zsets`. All methods throw WRONGTYPE. */

import type { Bytes } from '../crdt/dot.ts';
import type { Args } from '../resp/args.ts';
import type { Ground } from './ground.ts';
import type { Page } from './random-elements.ts';
import type { ZaddOutcome, ZaddRule } from './zset-hot.ts';
import type { ZsetView } from './zset-read.ts';
import * as zsets from './zsets.ts';

export class Zsets {
  private readonly ground: Ground;

  constructor(ground: Ground) {
    this.ground = ground;
  }

  /** The sorted set of the key at `args` `i`, valid until the next write. */
  see(args: Args, i: number): ZsetView {
    return zsets.seeZset(this.ground, args, i);
  }

  of(key: Bytes): ZsetView {
    return zsets.zsetOf(this.ground, key);
  }

  /** All members with their scores, in order. */
  entries(key: Bytes): zsets.Scored[] {
    return zsets.zsetEntries(this.ground, key);
  }

  /** ZADD of the pairs from `args` `first` on, whose scores are `scores`, to the key at 1. */
  addArgs(args: Args, first: number, scores: readonly number[], rule: ZaddRule): ZaddOutcome {
    return zsets.zsetAddArgs(this.ground, args, first, scores, rule);
  }

  set(key: Bytes, members: readonly zsets.Scored[]): void {
    zsets.zsetSet(this.ground, key, members);
  }

  /** The score afterwards; NaN: the rule forbids it. */
  increment(key: Bytes, member: Bytes, delta: number, rule: ZaddRule): number {
    return zsets.zsetAdd(this.ground, key, member, delta, rule);
  }

  /** ZINCRBY of the member at `args` 3 of the key at 1. Returns the score afterwards. */
  incrementArgs(args: Args, delta: number): number {
    return zsets.zsetAddOne(this.ground, args, delta);
  }

  /** ZREM of the members from `args` 2 on. Returns how many were there. */
  removeArgs(args: Args): number {
    return zsets.zsetRemoveArgs(this.ground, args);
  }

  /** Removes `count` members from a rank on, up or down; that many must be there. Returns them. */
  take(key: Bytes, from: number, count: number, down: boolean): zsets.Scored[] {
    return zsets.zsetTake(this.ground, key, from, count, down);
  }

  /** Members at random: `count` different ones (all if there are fewer), below 0 so many draws. */
  random(key: Bytes, count: number): zsets.Scored[] {
    return zsets.zsetRandom(this.ground, key, count);
  }

  /** ZSCAN of a large sorted set, as `scanFields` of a hash. Null: it is small. */
  scan(key: Bytes, cursor: number, count: number): Page<zsets.Scored> | null {
    return zsets.scanScores(this.ground, key, cursor, count);
  }
}
