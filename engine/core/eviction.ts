/**
 * Which keys go when memory is full, by Redis' policies.
 *
 * A key that goes is deleted by an op that is born here, as a client's DEL is: it removes what this
 * region has seen, and it replicates. Only a primary evicts; ops of others are applied whatever the
 * memory, and the tick makes room for them afterwards.
 *
 *     allkeys-lru, -lfu     a hand goes round the table and takes `samples` entries for each victim;
 *                           the coldest 16 seen wait in a pool, the coldest of them goes (Redis' way)
 *     allkeys-random        one of the next few that the hand finds; not each of them, or the table
 *                           would be empty behind the hand, twice as full before it, and grow
 *     volatile-…            the same among keys with a TTL: those the hand meets, and when they are
 *                           few among many, those that a walk through the expiry index hands out
 *     volatile-ttl          the first of the expiry index
 *
 * A pool entry counts only if its key is still there and was not used since, so the pool cannot make
 * a wrong victim. All work is bounded: keys per call, samples per key, places per sample.
 */

import type { Bytes } from '../crdt/dot.ts';
import { CHUNK_SHIFT, UNIT_MASK } from '../keyspace/arena.ts';
import { expiryOf, META_ACCESS_SHIFT, metaOf } from '../keyspace/entry.ts';
import { randomEntry, scanTable } from '../keyspace/scan.ts';
import type { Ground } from './ground.ts';
import { deleteAt, touch } from './keys.ts';

export const EVICTION_POLICIES = [
  'volatile-lru',
  'volatile-lfu',
  'volatile-random',
  'volatile-ttl',
  'allkeys-lru',
  'allkeys-lfu',
  'allkeys-random',
  'noeviction',
] as const;
export type EvictionPolicy = (typeof EVICTION_POLICIES)[number];

export const EVICTION_SAMPLES = 5;
/** More would make one victim cost as much as thousands of reads. */
export const EVICTION_SAMPLES_MAX = 64;
/** Keys that one command may evict before it runs. */
export const EVICTIONS_PER_COMMAND_MAX = 128;
/** Keys that one tick may evict. */
export const EVICTIONS_PER_TICK_MAX = 1000;
/**
 * Where the work of commands and ticks does not keep up (large values into many small keys), growing
 * commands are refused above this share of maxmemory: the process must not be killed for its memory.
 */
export const OVERRUN_MAX = 1.125;

const NEVER = Number.POSITIVE_INFINITY;
const POOL_SIZE = 16;
/** Steps of the hand for one victim before the expiry index or chance helps. */
const STEPS_MAX = 8;
/** Entries that the hand passes in a tick, for the access clock. */
const HAND_PER_TICK = 64;
/** Entries of the first bucket that volatile-ttl looks at. */
const SOONEST_AMONG = 16;

export class Evictor {
  samples = EVICTION_SAMPLES;
  /** Keys evicted so far. */
  evicted = 0;
  private readonly ground: Ground;
  private current: EvictionPolicy = 'noeviction';
  private hand = 0;
  /** The pool, the coldest last: refs, hashes, and the access bytes when they were seen. */
  private readonly refs = new Uint32Array(POOL_SIZE);
  private readonly hashes = new Uint32Array(POOL_SIZE);
  private readonly bytes = new Uint8Array(POOL_SIZE);
  private pooled = 0;
  private found = 0;
  /** One of those found, by chance. */
  private chosen = 0;

  constructor(ground: Ground) {
    this.ground = ground;
  }

  get policy(): EvictionPolicy {
    return this.current;
  }
  set policy(policy: EvictionPolicy) {
    this.current = policy;
    this.ground.keyspace.access.frequency = policy.endsWith('-lfu');
    this.pooled = 0;
  }

  /**
   * Evicts at most `keysMax` keys until the keyspace takes no more than `bytesMax`. Returns whether
   * growing commands may go on: it fits, or it soon will.
   */
  makeRoom(bytesMax: number, keysMax: number): boolean {
    const { keyspace, nowMs } = this.ground;
    if (keyspace.memoryBytes <= bytesMax) return true;
    if (this.current === 'noeviction') return false;
    for (let keys = keysMax; keyspace.memoryBytes > bytesMax; keys--) {
      if (keys === 0) return keyspace.memoryBytes <= bytesMax * OVERRUN_MAX;
      const ref = this.victim();
      if (ref === 0) return false;
      this.ground.cause = 'evicted';
      deleteAt(this.ground, this.ground.findEntry(ref));
      this.ground.cause = null;
      this.evicted++;
      keyspace.access.noteEviction(keyspace.table.size, nowMs);
    }
    return true;
  }

  /** The key's access byte (keyspace/access.ts); -1: no such key. */
  accessByte(key: Bytes): number {
    const ref = this.ground.peekVisible(key);
    return ref === 0 ? -1 : (metaOf(this.ground.keyspace.arena, ref) >>> META_ACCESS_SHIFT) & 0xff;
  }

  /** Least ms since the last use of a key with this access byte, under a policy that is not LFU. */
  idleMs(accessByte: number): number {
    return this.ground.keyspace.access.idleMs(accessByte, this.ground.nowMs);
  }

  /** False: until it is true again, uses leave no trace in access bytes. */
  set tracksAccess(tracks: boolean) {
    this.ground.keyspace.access.paused = !tracks;
  }

  /** Notes a use of the key. False: there is no such key. */
  touch(key: Bytes): boolean {
    return touch(this.ground, key);
  }

  /** Keys that were deleted because their time had come. */
  get expired(): number {
    return this.ground.expired;
  }

  /** CONFIG RESETSTAT: counts of expired and evicted keys begin again. */
  resetCounts(): void {
    this.ground.expired = 0;
    this.evicted = 0;
  }

  /** Keeps the access clock going; to be called with each tick. */
  tick(): void {
    const { keyspace, nowMs } = this.ground;
    keyspace.access.tick(nowMs);
    this.moveHand(HAND_PER_TICK, () => {});
  }

  /** The entry that goes next; 0: the policy allows none. */
  private victim(): number {
    const { keyspace, random } = this.ground;
    const volatile = this.current.startsWith('volatile-');
    if ((volatile ? keyspace.expiry.size : keyspace.table.size) === 0) return 0;
    if (this.current === 'volatile-ttl') return keyspace.expiry.soonest(SOONEST_AMONG);
    const byChance = this.current.endsWith('-random');
    const wanted = byChance ? EVICTION_SAMPLES : this.samples;
    for (;;) {
      this.found = 0;
      for (let step = 0; step < STEPS_MAX && this.found < wanted; step++) {
        this.moveHand(wanted - this.found, (ref, hash) => this.take(ref, hash, volatile));
      }
      if (volatile && this.found < wanted) {
        keyspace.expiry.walk(wanted - this.found, (ref) =>
          this.take(ref, keyspace.hashOf(ref), true),
        );
      }
      if (byChance && this.found > 0) return this.chosen;
      const coldest = this.takeColdest();
      if (coldest !== 0) return coldest;
      if (this.found > 0) continue;
      // A nearly empty table, where the hand found nothing.
      return volatile ? 0 : randomEntry(keyspace.arena, keyspace.table, random);
    }
  }

  /** Takes the hand over about `count` entries. */
  private moveHand(count: number, each: (ref: number, hash: number) => void): void {
    const { keyspace, nowMs } = this.ground;
    const { arena, access } = keyspace;
    this.hand = scanTable(arena, keyspace.table, this.hand, count, (ref, hash) => {
      access.visit(arena.u32[ref >>> CHUNK_SHIFT], ((ref & UNIT_MASK) << 1) + 2);
      each(ref, hash);
    });
    if (this.hand === 0) access.nextRound(nowMs);
  }

  /** Puts an entry in the pool if it is colder than the warmest there. */
  private take(ref: number, hash: number, volatile: boolean): void {
    const { arena, access } = this.ground.keyspace;
    const meta = metaOf(arena, ref);
    if (volatile && expiryOf(arena, ref) === NEVER) return;
    this.found++;
    if (this.ground.random() * this.found < 1) this.chosen = ref;
    const byte = (meta >>> META_ACCESS_SHIFT) & 0xff;
    const coldness = access.coldness(byte);
    let at = 0;
    while (at < this.pooled && access.coldness(this.bytes[at]) < coldness) at++;
    if (this.pooled === POOL_SIZE && at === 0) return;
    for (let i = at; i < this.pooled; i++) {
      if (this.refs[i] === ref && this.hashes[i] === hash) return;
      if (access.coldness(this.bytes[i]) !== coldness) break;
    }
    if (this.pooled === POOL_SIZE) {
      // The warmest makes room.
      at--;
      this.move(1, 0, at);
    } else {
      this.move(at, at + 1, this.pooled - at);
      this.pooled++;
    }
    this.refs[at] = ref;
    this.hashes[at] = hash;
    this.bytes[at] = byte;
  }

  private move(from: number, to: number, count: number): void {
    this.refs.copyWithin(to, from, from + count);
    this.hashes.copyWithin(to, from, from + count);
    this.bytes.copyWithin(to, from, from + count);
  }

  /** The coldest of the pool that is still what it was; 0: there is none. */
  private takeColdest(): number {
    const { arena, table } = this.ground.keyspace;
    const volatile = this.current.startsWith('volatile-');
    while (this.pooled > 0) {
      const last = --this.pooled;
      const ref = this.refs[last];
      if (!table.holds(this.hashes[last], ref)) continue;
      const meta = metaOf(arena, ref);
      if (((meta >>> META_ACCESS_SHIFT) & 0xff) !== this.bytes[last]) continue;
      if (volatile && expiryOf(arena, ref) === NEVER) continue;
      return ref;
    }
    return 0;
  }
}
