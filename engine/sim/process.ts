/**
 * One member's process and machine: starts and ends the real member over simulated clock, disk and
 * network. What throws inside is a failed assertion and fails the seed; a disk that fails ends the
 * process as it does in the real engine.
 */

import type { Config } from '../config.ts';
import type { Db } from '../core/db.ts';
import { actorText } from '../crdt/roster.ts';
import { DiskError, type Env, silentJournal } from '../env.ts';
import { MemoryDisk } from '../log/disk-memory.ts';
import { DamagedLog } from '../log/recovery.ts';
import { filePositions } from '../log/segment.ts';
import { vectorObject } from '../log/vector-bytes.ts';
import { Member } from '../member/member.ts';
import type { StorageSizes } from '../member/storage.ts';
import type { Network } from './network.ts';
import type { Prng } from './prng.ts';
import type { World } from './world.ts';

/** 2026-01-01: far from the epoch of the clocks. */
const WALL_START_MS = 1_767_225_600_000;
const TICK_MS = 50;
/** Once all has healed nothing urgent is left. */
const CALM_TICK_MS = 125;
/** After so long a life something was synced, if the policy syncs at all. */
const SYNCED_MS = 1150;

export type ProcessOptions = {
  readonly world: World;
  readonly network: Network;
  readonly random: Prng;
  readonly config: Config;
  readonly sizes: StorageSizes;
  /** States are cut into small pieces, as large ones are. */
  readonly cutsStates?: boolean;
  /** As MemberOptions. */
  readonly blockElementsMax?: number;
  /** Called with what went wrong when the member threw. */
  readonly broken: (problem: string) => void;
  /** All processes of the run: what this one has confirmed to them must survive it. */
  readonly all?: readonly SimProcess[];
};

export class SimProcess {
  readonly name: string;
  readonly config: Config;
  member: Member | null = null;
  /** This machine's clock is so far off. */
  skewMs = 0;
  /** Grows with each start; callbacks of an earlier life are dropped. */
  life = 0;
  /** How often it came up. */
  starts = 0;
  /** How often its disk was taken away or replaced by an empty one. */
  wipes = 0;
  /** Its disk has said that something is safe which is not. */
  hasLied = false;
  /** Called when the process ends: its clients lose their connections. */
  ended: (() => void)[] = [];
  private readonly options: ProcessOptions;
  private readonly disk: MemoryDisk | null;
  private dying = false;
  /** Actor → seq that this process had confirmed to others and must still have when it starts again. */
  private mustHold = new Map<string, number>();
  private tickMs = TICK_MS;
  private startedMs = 0;
  /** When it was killed, and what was unsynced then may still be. */
  private killedMs: number | null = null;

  constructor(options: ProcessOptions) {
    this.options = options;
    this.config = options.config;
    this.name = options.config.member;
    const later = (run: () => void): void => {
      const { life } = this;
      options.world.after(options.random.between(1, 25), () => this.guard(life, run));
    };
    this.disk = options.config.dir === null ? null : new MemoryDisk({ later });
  }

  /** From now on time is looked at less often. */
  calmDown(): void {
    this.tickMs = CALM_TICK_MS;
  }

  get up(): boolean {
    return this.member !== null;
  }

  /** Whether an image is in place. */
  get hasImage(): boolean {
    return this.disk !== null && filePositions(this.disk.list(), 'image').length > 0;
  }

  wallMs(): number {
    const { nowMs, wallAheadMs } = this.options.world;
    return WALL_START_MS + wallAheadMs + this.skewMs + Math.floor(nowMs);
  }

  start(): void {
    const { world, network, random, config } = this.options;
    this.life++;
    this.dying = false;
    this.startedMs = world.nowMs;
    const { life } = this;
    const env: Env = {
      clock: { wallMs: () => this.wallMs(), monotonicMs: () => world.nowMs },
      random,
      disk: this.disk,
      transport: guardedTransport(network, this.name, (run) => this.guard(life, run)),
      journal: {
        ...silentJournal,
        // Nothing that faults of the simulator do is worth an error: a repair that nobody can explain is.
        error: (about, message) => {
          this.options.broken(`${this.name}: ${message}: ${JSON.stringify(about)}`);
        },
      },
      fatal: (reason) => {
        world.note(this.name, `stops: ${reason}`);
        this.dying = true;
      },
    };
    const facts = {
      version: 'sim',
      runtime: 'sim',
      os: 'sim',
      pid: life,
      port: config.port ?? 0,
      runId: `${this.name}-${life}`,
      startedAtMs: this.wallMs(),
      region: config.region,
      database: config.database,
    };
    const wake = (): void => world.after(0, () => this.guard(life, () => this.member!.turn()));
    try {
      const { sizes, cutsStates, blockElementsMax } = this.options;
      const options = { facts, sizes, blockElementsMax, wake, shutdown: () => {} };
      const stateSizes = { turnBytes: 150, atomicBytesMax: 300 };
      this.member = new Member(env, config, cutsStates ? { ...options, stateSizes } : options);
    } catch (error) {
      if (error instanceof DiskError && this.dying) return; // It has said why; somebody starts it again.
      if (error instanceof DamagedLog && this.hasLied) {
        world.note(this.name, `is given an empty disk: ${error.message}`);
        this.loseDisk();
        this.start();
        return;
      }
      this.options.broken(`${this.name} cannot start: ${(error as Error).stack}`);
      return;
    }
    this.starts++;
    world.note(this.name, `starts with ${this.member.db.size} keys`);
    this.checkHeld(this.member.db);
    network.listen(this.name, (link) => {
      const handler = this.member!.acceptPeer(link);
      return guardedHandler(handler, (run) => this.guard(life, run));
    });
    const tick = (): void => {
      if (this.life !== life || this.member === null) return;
      this.guard(life, () => this.member!.tick());
      world.after(this.tickMs, tick);
    };
    world.after(random.between(0, TICK_MS), tick);
  }

  /** kill: the process dies. power: its machine too, with what was not synced. */
  stop(how: 'kill' | 'power'): void {
    if (this.member === null) return;
    this.options.world.note(this.name, how === 'kill' ? 'is killed' : 'loses power');
    this.mustHold = this.survives(how) ? this.confirmed() : new Map();
    const { nowMs } = this.options.world;
    // A life too short to sync anything leaves what the one before it had left.
    if (how === 'power') this.killedMs = null;
    else if (this.killedMs === null || nowMs - this.startedMs > SYNCED_MS) this.killedMs = nowMs;
    this.member = null;
    this.life++;
    this.options.network.drop(this.name, how === 'power');
    if (how === 'kill') this.disk?.kill(this.options.random);
    else this.disk?.crash(this.options.random);
    if (this.disk !== null) this.disk.failing = null;
    const { ended } = this;
    this.ended = [];
    for (const tell of ended) tell();
  }

  /**
   * Since when what this process acknowledged may not be on its disk, if it syncs within `ms`: what a killed process
   * left in the page cache is synced only by its next life.
   */
  unsyncedSince(ms: number): number {
    const { nowMs } = this.options.world;
    const isYoung = this.killedMs !== null && nowMs - this.startedMs < ms;
    return (isYoung ? this.killedMs! : nowMs) - ms;
  }

  /** Whether everything that was confirmed must be there after this end. */
  private survives(how: 'kill' | 'power'): boolean {
    if (this.disk === null) return false;
    return how === 'kill' || (this.config.fsync === 'always' && !this.hasLied);
  }

  /** What the others have been told that this process has: they count on it for WAIT and min-replicas. */
  private confirmed(): Map<string, number> {
    const held = new Map<string, number>();
    if (this.member === null) return held;
    const { db } = this.member;
    const self = actorText(db.roster.ids[db.actor]);
    for (const { member } of this.options.all ?? []) {
      for (const { server } of member?.peers.accepted ?? []) {
        if (server.remote?.actor !== self) continue;
        const acked = vectorObject(server.acked, member!.db.roster);
        for (const [actor, seq] of Object.entries(acked)) {
          held.set(actor, Math.max(seq, held.get(actor) ?? 0));
        }
      }
    }
    return held;
  }

  private checkHeld(db: Db): void {
    const vector = vectorObject(db.vector, db.roster);
    for (const [actor, seq] of this.mustHold) {
      if ((vector[actor] ?? 0) >= seq) continue;
      const has = `starts with ${actor} up to ${vector[actor] ?? 0}`;
      this.options.broken(`${this.name} ${has}, but had confirmed ${seq} to others`);
    }
  }

  /** From now on the disk refuses to do its work. */
  failDisk(how: 'append' | 'sync'): void {
    if (this.disk !== null) this.disk.failing = how;
  }

  /** The disk has room for so many bytes more. */
  fillDisk(roomBytes: number): void {
    if (this.disk === null) return;
    this.disk.capacityBytes = 2 ** 40;
    this.disk.capacityBytes = 2 ** 40 - this.disk.freeBytes() + roomBytes;
  }

  /** From now on syncs do nothing and say that they have. */
  lieDisk(): void {
    if (this.disk === null) return;
    this.disk.lying = true;
    this.hasLied = true;
  }

  /** Only while the process is down: its disk is empty when it starts. */
  loseDisk(): void {
    this.disk?.wipe();
    this.wipes++;
    this.mustHold = new Map();
  }

  /** The disk works again, as far as it can. */
  mendDisk(): void {
    if (this.disk === null) return;
    this.disk.failing = null;
    this.disk.lying = false;
    this.disk.capacityBytes = Number.POSITIVE_INFINITY;
  }

  /** Runs something inside the process, unless that life of it is over. */
  guard(life: number, run: () => void): void {
    if (this.life !== life || this.member === null) return;
    try {
      run();
    } catch (error) {
      if (!this.dying) this.options.broken(`${this.name}: ${(error as Error).stack}`);
      this.dying = true;
    }
    if (this.dying) this.stop('kill');
  }
}

type Guard = (run: () => void) => void;

function guardedHandler(
  handler: ReturnType<Member['acceptPeer']>,
  guard: Guard,
): ReturnType<Member['acceptPeer']> {
  return {
    opened: () => guard(() => handler.opened()),
    received: (chunk) => guard(() => handler.received(chunk)),
    drained: () => guard(() => handler.drained()),
    closed: (reason) => guard(() => handler.closed(reason)),
  };
}

function guardedTransport(network: Network, name: string, guard: Guard): Env['transport'] {
  const transport = network.transport(name);
  return {
    dial: (address, handler, region) =>
      transport.dial(address, guardedHandler(handler, guard), region),
  };
}
