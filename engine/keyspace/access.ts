/**
 * When or how often a key was used, in the one byte per key that its entry has to spare.
 *
 * The question: Redis spends 24 bits on it; here an entry is made of 8-byte units, and three more
 * bytes would make many small keys 8 bytes larger. What can one byte say? One of two things, by the
 * eviction policy:
 *
 *     recency     the number of the *epoch* of the last use, 1 to 255 in a ring; 0: long ago
 *     frequency   Redis' logarithmic counter: new keys have 5, the n-th step above takes about 10 n uses
 *
 * An epoch has no fixed length. It ends after a 64th of the time that the ring looks back (1 s at
 * first, at most 10 minutes), and sooner when keys are evicted: after as many evictions as a 64th
 * of the keys. So the last uses of all keys that are there are spread over some 64 epochs whether a
 * cache turns over in a second or in a week; that is all that choosing a victim needs.
 *
 * A ring needs somebody who takes out what is about to be overtaken. A *hand* walks round the table
 * (core/eviction.ts), sampling victims and a little in each tick; it makes everything that is 128
 * epochs old 0. No more than 63 epochs begin in one round, so nothing is overtaken between two
 * visits. In a round the hand also takes from the counters what time takes: one a minute.
 */

export const FREQUENCY_INITIAL = 5;
/** Redis' lfu-log-factor and lfu-decay-time (minutes), at their defaults. */
export const LFU_LOG_FACTOR = 10;
export const LFU_DECAY_MINUTES = 1;

const EPOCHS = 255;
const LONG_AGO = 0;
/** Entries of this age, in epochs, become LONG_AGO when the hand comes by. */
const AGE_MAX = 128;
const EPOCHS_PER_ROUND_MAX = 63;
const EPOCH_SHARE = 64;
const EPOCH_MS_MIN = 1000;
const EPOCH_MS_MAX = 600_000;
const DECAY_MS = LFU_DECAY_MINUTES * 60_000;
const SHIFT = 8;
const CLEAR = ~0xff00;

export class AccessClock {
  /** True: bytes are counters. */
  frequency = false;
  /** True: uses leave no trace (CLIENT NO-TOUCH). */
  paused = false;
  private epoch = 1;
  /** When each epoch began, ms; of those that were never: when the clock began. */
  private readonly began = new Float64Array(EPOCHS + 1);
  private epochsInRound = 0;
  private evictions = 0;
  /** What this round takes from each counter. */
  private decay = 0;
  private decayedMs = 0;
  private readonly random: () => number;

  /** `random`: uniform in [0, 1). */
  constructor(random: () => number) {
    this.random = random;
  }

  /** What a new key gets. */
  get initial(): number {
    return this.frequency ? FREQUENCY_INITIAL : this.epoch;
  }

  /** Notes a use in the meta word at `at`. */
  touch(words: Uint32Array, at: number): void {
    if (this.paused) return;
    const meta = words[at];
    const held = (meta >>> SHIFT) & 0xff;
    const next = this.frequency ? this.counted(held) : this.epoch;
    if (next !== held) words[at] = (meta & CLEAR) | (next << SHIFT);
  }

  /** The hand came by the meta word at `at`. Returns the byte, brought up to date. */
  visit(words: Uint32Array, at: number): number {
    const meta = words[at];
    const held = (meta >>> SHIFT) & 0xff;
    let next = held;
    if (this.frequency) next = Math.max(0, held - this.decay);
    else if (held !== LONG_AGO && this.age(held) >= AGE_MAX) next = LONG_AGO;
    if (next !== held) words[at] = (meta & CLEAR) | (next << SHIFT);
    return next;
  }

  /** How good a victim a key with this byte is: 0 to 255, the higher the better. */
  coldness(byte: number): number {
    return this.frequency ? 255 - byte : this.age(byte);
  }

  /** Least time since the last use of a key with this byte, ms. */
  idleMs(byte: number, nowMs: number): number {
    if (byte === this.epoch) return 0;
    const ended = byte === LONG_AGO ? this.began[this.oldest()] : this.began[after(byte)];
    return Math.max(0, nowMs - ended);
  }

  /** To be called often: ends the epoch when its time is over. */
  tick(nowMs: number): void {
    if (this.began[0] === 0) this.began.fill(nowMs);
    const share = (nowMs - this.began[this.oldest()]) / EPOCH_SHARE;
    const lengthMs = Math.min(EPOCH_MS_MAX, Math.max(EPOCH_MS_MIN, share));
    if (nowMs - this.began[this.epoch] >= lengthMs) this.nextEpoch(nowMs);
  }

  /** A key was evicted; `size` are left. */
  noteEviction(size: number, nowMs: number): void {
    if (++this.evictions * EPOCH_SHARE < size) return;
    this.nextEpoch(nowMs);
  }

  /** The hand begins a new round. */
  nextRound(nowMs: number): void {
    this.epochsInRound = 0;
    if (this.decayedMs === 0) this.decayedMs = nowMs;
    this.decay = Math.max(0, Math.floor((nowMs - this.decayedMs) / DECAY_MS));
    this.decayedMs += this.decay * DECAY_MS;
  }

  private nextEpoch(nowMs: number): void {
    if (this.epochsInRound >= EPOCHS_PER_ROUND_MAX) return;
    this.epochsInRound++;
    this.evictions = 0;
    this.epoch = after(this.epoch);
    this.began[this.epoch] = nowMs;
  }

  private age(byte: number): number {
    return byte === LONG_AGO ? EPOCHS : (this.epoch - byte + EPOCHS) % EPOCHS;
  }

  /** The oldest epoch that a byte may name. */
  private oldest(): number {
    return ((this.epoch - AGE_MAX + EPOCHS) % EPOCHS) + 1;
  }

  /** As Redis counts: the more there is, the less likely it gets more. */
  private counted(held: number): number {
    if (held === 255) return held;
    const above = Math.max(0, held - FREQUENCY_INITIAL);
    return this.random() * (above * LFU_LOG_FACTOR + 1) < 1 ? held + 1 : held;
  }
}

function after(epoch: number): number {
  return (epoch % EPOCHS) + 1;
}
