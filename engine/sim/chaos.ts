/** What goes wrong in a run, when and for how long: all drawn from the seed. */

import type { FsyncPolicy } from '../config.ts';
import { DiskChaos } from './disk-chaos.ts';
import type { History } from './history.ts';
import type { Network } from './network.ts';
import type { SimOperator } from './operator.ts';
import type { Prng } from './prng.ts';
import type { SimProcess } from './process.ts';
import type { World } from './world.ts';

export type ChaosOptions = {
  readonly world: World;
  readonly network: Network;
  readonly random: Prng;
  readonly history: History;
  readonly processes: readonly SimProcess[];
  readonly operators: readonly SimOperator[];
  readonly fsync: FsyncPolicy;
  /** Faults begin until then. */
  readonly untilMs: number;
};

const DAY_MS = 86_400_000;
/** What the policy may lose when a machine loses power: writes of so many ms before it. */
const UNSYNCED_MS = { always: 0, everysec: 1150, no: Number.POSITIVE_INFINITY };

export class Chaos {
  private readonly options: ChaosOptions;
  private readonly disks: DiskChaos;
  private readonly faults: readonly (() => void)[];

  constructor(options: ChaosOptions) {
    this.options = options;
    this.disks = new DiskChaos(options, (process) => this.restartLater(process));
    const { random, network } = options;
    const all: (() => void)[] = [
      () => this.cutOneWay(),
      () => this.cutBothWays(),
      () => this.isolateRegion(),
      () => this.kill(),
      () => this.kill(),
      () => this.losePower(),
      ...this.disks.faults(),
      () => this.slowDown(),
      () => this.regionGone(),
      () => this.promote(),
      () => this.skewClock(),
      () => this.pauseLink(),
      () => network.reset(),
      () => network.reset(),
    ];
    // Each seed has its own temper: a few kinds of faults, so that they meet each other often.
    const kinds = random.between(1, all.length);
    this.faults = Array.from({ length: kinds }, () => random.pick(all));
  }

  run(): void {
    const { world, random, untilMs } = this.options;
    world.after(random.between(50, 1200), () => {
      if (world.nowMs >= untilMs) return;
      random.pick(this.faults)();
      this.run();
    });
  }

  /** Ends all faults. */
  heal(): void {
    const { network, processes } = this.options;
    this.options.world.note('chaos', 'everything heals');
    network.healAll();
    for (const process of processes) {
      process.mendDisk();
      if (!process.up) process.start();
      for (const region of ['eu', 'us', 'ap']) {
        process.guard(process.life, () => process.member!.link(region, false));
      }
    }
  }

  private cutOneWay(): void {
    const { random, processes } = this.options;
    this.cut(random.pick(processes), random.pick(processes), false);
  }

  private cutBothWays(): void {
    const { random, processes } = this.options;
    this.cut(random.pick(processes), random.pick(processes), true);
  }

  private cut(a: SimProcess, b: SimProcess, bothWays: boolean): void {
    const { world, network, random } = this.options;
    if (a === b) return;
    world.note('chaos', `cuts ${a.name} ${bothWays ? '↔' : '→'} ${b.name}`);
    network.cut(a.name, b.name);
    if (bothWays) network.cut(b.name, a.name);
    world.after(random.between(100, 6000), () => {
      network.heal(a.name, b.name);
      if (bothWays) network.heal(b.name, a.name);
    });
  }

  private isolateRegion(): void {
    const { random, operators, processes } = this.options;
    const { region, processes: inside } = random.pick(operators);
    this.options.world.note('chaos', `isolates ${region.name}`);
    for (const a of inside) {
      for (const b of processes) if (!inside.includes(b)) this.cut(a, b, true);
    }
  }

  private kill(): void {
    const { random, processes, history } = this.options;
    const process = random.pick(processes);
    if (process.config.dir === null) history.lossExcuse = 'a member without disk was killed';
    process.stop('kill');
    this.restartLater(process);
  }

  private losePower(): void {
    const { random, processes, history, fsync, world } = this.options;
    const process = random.pick(processes);
    if (!process.up) return;
    if (process.config.dir === null) history.lossExcuse = 'a member without disk lost power';
    if (process.hasLied) history.excuse(process.name, Number.NEGATIVE_INFINITY, world.nowMs);
    else if (fsync !== 'always')
      history.excuse(process.name, process.unsyncedSince(UNSYNCED_MS[fsync]), world.nowMs);
    process.stop('power');
    this.restartLater(process);
  }

  /** Bytes between two members take very long, one way; more than a peer's silence may last, or less. */
  private slowDown(): void {
    const { world, network, random, processes } = this.options;
    const [a, b] = [random.pick(processes), random.pick(processes)];
    if (a === b) return;
    const ms = random.pick([100, 700, 3500]);
    world.note('chaos', `delays ${a.name} → ${b.name} by ${ms} ms`);
    network.delay(a.name, b.name, ms);
    world.after(random.between(500, 5000), () => network.delay(a.name, b.name, 0));
  }

  /** All members of a region stop, and a day passes for the others before they are back. */
  private regionGone(): void {
    const { world, random, operators } = this.options;
    const { region, processes } = random.pick(operators);
    if (operators.length === 1 || processes.some(({ config }) => config.dir === null)) return;
    world.note('chaos', `stops ${region.name} for a day`);
    for (const process of processes) {
      process.stop('kill');
      this.restartLater(process);
    }
    world.wallAheadMs += DAY_MS;
  }

  private restartLater(process: SimProcess): void {
    const { world, random } = this.options;
    world.after(random.between(50, 3000), () => {
      process.mendDisk();
      if (!process.up) process.start();
      else if (random.chance(0.3)) this.restartLater(process);
    });
  }

  private promote(): void {
    const operator = this.options.random.pick(this.options.operators);
    operator.delayMsMax = this.options.random.pick([60, 60, 1500]);
    operator.promote('chaos wants it');
  }

  private skewClock(): void {
    const { random, processes } = this.options;
    random.pick(processes).skewMs += random.between(-3000, 3000);
  }

  private pauseLink(): void {
    const { random, processes, operators, world } = this.options;
    const process = random.pick(processes);
    const { name } = random.pick(operators).region;
    process.guard(process.life, () => process.member!.link(name, true));
    world.after(random.between(500, 3000), () => {
      process.guard(process.life, () => process.member!.link(name, false));
    });
  }
}
