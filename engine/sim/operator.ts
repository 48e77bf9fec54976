/**
 * The operator of one region, as far as the engine notices it: makes the map, promotes a member when
 * the primary is gone (or for no reason at all), and hands the map to the members, late and in any
 * order.
 */

import type { Prng } from './prng.ts';
import type { SimProcess } from './process.ts';
import type { World } from './world.ts';

const LOOK_MS = 250;

export type SimRegion = { readonly name: string; readonly number: number };

export class SimOperator {
  readonly region: SimRegion;
  readonly processes: readonly SimProcess[];
  primary: string;
  private readonly world: World;
  private readonly random: Prng;
  private readonly others: readonly SimRegion[];
  private version = 1;
  private epoch = 1;
  private downSinceMs = -1;
  /** How late a map may arrive. */
  delayMsMax = 60;

  constructor(
    world: World,
    random: Prng,
    region: SimRegion,
    others: readonly SimRegion[],
    processes: readonly SimProcess[],
  ) {
    this.world = world;
    this.random = random;
    this.region = region;
    this.others = others;
    this.processes = processes;
    this.primary = processes[0].name;
  }

  /** Looks after the region from now on. */
  run(): void {
    this.look();
    this.world.after(LOOK_MS, () => this.run());
  }

  /** Makes another member primary, if there is one that runs. */
  promote(reason: string): void {
    const candidates = this.processes.filter(({ name, up }) => up && name !== this.primary);
    if (candidates.length === 0) return;
    this.primary = this.random.pick(candidates).name;
    this.version++;
    this.epoch++;
    this.world.note(this.region.name, `promotes ${this.primary}: ${reason}`);
  }

  primaryProcess(): SimProcess | null {
    return this.processes.find(({ name }) => name === this.primary) ?? null;
  }

  private look(): void {
    if (!this.processes[0].config.managed) return;
    if (this.primaryProcess()?.up) {
      this.downSinceMs = -1;
    } else if (this.downSinceMs < 0) {
      this.downSinceMs = this.world.nowMs;
    } else if (this.world.nowMs - this.downSinceMs > 400) {
      this.promote('the primary is gone');
    }
    for (const process of this.processes) this.hand(process);
  }

  private hand(process: SimProcess): void {
    const json = this.mapJson();
    const { life } = process;
    this.world.after(this.random.between(1, this.delayMsMax), () => {
      process.guard(life, () => {
        const held = process.member!.getMap();
        if (held === json) return;
        // An older map than the member holds is refused, which is as it should be.
        process.member!.setMap(json);
      });
    });
  }

  private mapJson(): string {
    const members = this.processes.map(({ name }) => ({
      name,
      host: name,
      port: 6379,
      peerPort: 7380,
      zone: '',
    }));
    return JSON.stringify({
      version: this.version,
      database: 'sim',
      region: this.region.name,
      regionNumber: this.region.number,
      shards: [{ slots: '0-16383', epoch: this.epoch, primary: this.primary, members }],
      regions: this.others.map(({ name, number }) => ({
        name,
        number,
        endpoint: `proxy.${name}:7443`,
      })),
    });
  }
}
