/** What goes wrong with disks: drawn from the seed, each fault with what it excuses. */

import type { ChaosOptions } from './chaos.ts';
import type { SimProcess } from './process.ts';

export class DiskChaos {
  private readonly options: ChaosOptions;
  private readonly restartLater: (process: SimProcess) => void;

  /** `restartLater` mends the disk and starts the process again if it is down by then. */
  constructor(options: ChaosOptions, restartLater: (process: SimProcess) => void) {
    this.options = options;
    this.restartLater = restartLater;
  }

  faults(): (() => void)[] {
    return [() => this.fail(), () => this.fill(), () => this.lie(), () => this.lose()];
  }

  /** Appends or syncs fail: the process ends with words. */
  private fail(): void {
    const process = this.pick();
    if (process === null) return;
    this.options.world.note('chaos', `fails the disk of ${process.name}`);
    process.failDisk(this.options.random.chance(0.5) ? 'append' : 'sync');
    this.restartLater(process);
  }

  /** Little room is left: an image is given up, or the log does not fit any more. */
  private fill(): void {
    const { random, world } = this.options;
    const process = this.pick();
    if (process === null) return;
    const roomBytes = random.pick([0, 500, 5000, 50_000]);
    world.note('chaos', `leaves ${roomBytes} bytes of the disk of ${process.name}`);
    process.fillDisk(roomBytes);
    // Somebody starts it again before there is room: it says so and ends.
    world.after(random.between(50, 1500), () => {
      if (!process.up && random.chance(0.5)) process.start();
    });
    this.restartLater(process);
  }

  /** Syncs do nothing, until the power goes: what was acknowledged meanwhile may be lost. */
  private lie(): void {
    const { random, world, history } = this.options;
    const process = this.pick();
    if (process === null) return;
    world.note('chaos', `makes the disk of ${process.name} lie`);
    process.lieDisk();
    world.after(random.between(100, 2000), () => {
      if (!process.up) return;
      history.excuse(process.name, Number.NEGATIVE_INFINITY, world.nowMs);
      process.stop('power');
      this.restartLater(process);
    });
  }

  /** The machine dies with its disk; the member starts again with nothing. */
  private lose(): void {
    const { world, history } = this.options;
    const process = this.pick();
    if (process === null) return;
    world.note('chaos', `takes the disk of ${process.name}`);
    history.excuse(process.name, Number.NEGATIVE_INFINITY, world.nowMs);
    process.stop('power');
    process.loseDisk();
    this.restartLater(process);
  }

  /** A member that runs and has a disk. */
  private pick(): SimProcess | null {
    const process = this.options.random.pick(this.options.processes);
    return process.up && process.config.dir !== null ? process : null;
  }
}
